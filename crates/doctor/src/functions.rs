//! Functions of Lambda: the network that they are in. Nothing else is read of them.

use account::aws::SdkConfig;
use account::aws::ask::{Request, Service, ask};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::Value;

use crate::network::{Place, Seen};

const LAMBDA: Service = Service { name: "lambda", id: "lambda", refused };

/// The network of a function and its place there; none where it is in no network.
pub async fn place(config: &SdkConfig, name: &str) -> Seen<Option<(String, Place)>> {
    let path = format!("/2015-03-31/functions/{name}/configuration");
    let request = Request { method: "GET", path, content_type: "", body: Vec::new() };
    let answer = ask(config, LAMBDA, &format!("look at the function {name}"), request).await;
    let answer = answer.map_err(|error| error.to_string())?;
    let answer: Value = serde_json::from_slice(&answer)
        .map_err(|_| format!("could not read what Lambda says of the function {name}"))?;
    let told = &answer["VpcConfig"];
    let network = told["VpcId"].as_str().filter(|id| !id.is_empty());
    let place =
        || Place { subnets: texts(&told["SubnetIds"]), groups: texts(&told["SecurityGroupIds"]) };
    Ok(network.map(|network| (network.to_owned(), place())))
}

fn texts<T: FromIterator<String>>(list: &Value) -> T {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|one| one.as_str().map(ToOwned::to_owned)).collect()
}

/// The code stands in a header, with a place behind a colon.
fn refused(answer: &HttpResponse) -> (Option<String>, Option<String>) {
    let code = answer.headers().get("x-amzn-errortype");
    let code = code.and_then(|text| text.split(':').next()).map(ToOwned::to_owned);
    let body: Value =
        serde_json::from_slice(answer.body().bytes().unwrap_or_default()).unwrap_or_default();
    let message = ["Message", "message"].iter().find_map(|name| body[name].as_str());
    (code, message.map(ToOwned::to_owned))
}
