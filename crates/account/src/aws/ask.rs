//! A request to a service of which few calls are needed and no client is: sent as the SDK's clients send theirs, by the same
//! HTTP client, with the same credentials, signature and retries, to the endpoint that the environment names. A client compiles
//! for as long as everything else here.
//!
//! It knows no service: what is asked for, and what an answer means, stands where the answers are read.

use std::fmt;

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use aws_types::service_config::ServiceConfigKey;

use super::error;
use crate::error::AccountError;

/// A service.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// As hosts and signatures name it: `access-analyzer`.
    pub name: &'static str,
    /// As a profile names it: `accessanalyzer`.
    pub id: &'static str,
    /// Code and message of a refusal.
    pub refused: fn(&HttpResponse) -> (Option<String>, Option<String>),
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, `PUT`.
    pub method: &'static str,
    /// From the slash on.
    pub path: String,
    /// What kind of thing the body is.
    pub content_type: &'static str,
    /// None where it is empty.
    pub body: Vec<u8>,
}

#[derive(Debug)]
struct Refusal(ErrorMetadata);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code().unwrap_or("refused without a reason"))
    }
}

impl std::error::Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

/// Asks; the body of the answer. `task` completes “could not …”.
pub async fn ask(
    config: &SdkConfig,
    service: Service,
    task: &str,
    request: Request,
) -> Result<Vec<u8>, AccountError> {
    let operation = operation(config, service).ok_or_else(|| {
        AccountError::Denied(format!("could not {task}: there is no region, or no credentials"))
    })?;
    operation.invoke(request).await.map_err(|err| error::of(task, err))
}

fn operation(config: &SdkConfig, service: Service) -> Option<Operation<Request, Vec<u8>, Refusal>> {
    let region = config.region()?.clone();
    let signing = SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(region.clone())),
        name: Some(SigningName::from_static(service.name)),
        ..SigV4OperationSigningConfig::default()
    };
    let mut layer = Layer::new("signature");
    layer.store_put(signing);
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    let mut parts = RuntimeComponentsBuilder::new("signature");
    let schemes = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    parts.set_auth_scheme_option_resolver(Some(schemes));
    parts.push_auth_scheme(SigV4AuthScheme::new());
    parts.set_identity_resolver(SCHEME_ID, config.credentials_provider()?);
    parts.set_identity_cache(config.identity_cache());
    let plugin = StaticRuntimePlugin::new();
    let plugin = plugin.with_config(layer.freeze()).with_runtime_components(parts);

    let retries = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
    let timeouts = config.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled);
    let mut builder = Operation::builder()
        .service_name(service.name)
        .operation_name("ask")
        .endpoint_url(&endpoint(config, service, region.as_ref()))
        .http_client(config.http_client()?)
        .standard_retry(&retries)
        .retry_classifier(HttpStatusCodeClassifier::default())
        .retry_classifier(TransientErrorClassifier::<Refusal>::new())
        .retry_classifier(AwsErrorCodeClassifier::<Refusal>::default())
        .timeout_config(timeouts)
        .with_connection_poisoning()
        .runtime_plugin(plugin);
    if let Some(version) = config.behavior_version() {
        builder = builder.behavior_version(version);
    }
    if let Some(sleep) = config.sleep_impl() {
        builder = builder.sleep_impl(sleep);
    }
    if let Some(clock) = config.time_source() {
        builder = builder.time_source(clock);
    }
    let refused = service.refused;
    Some(builder.serializer(written).deserializer(move |answer| read(answer, refused)).build())
}

/// As the environment says it, otherwise the region's own.
fn endpoint(config: &SdkConfig, service: Service, region: &str) -> String {
    let key = ServiceConfigKey::builder()
        .service_id(service.id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let of_service = key.ok().and_then(|key| config.service_config()?.load_config(key));
    let told = of_service.or_else(|| config.endpoint_url().map(ToOwned::to_owned));
    told.unwrap_or_else(|| {
        let fips = if config.use_fips() == Some(true) { "-fips" } else { "" };
        let china = if region.starts_with("cn-") { ".cn" } else { "" };
        format!("https://{}{fips}.{region}.amazonaws.com{china}", service.name)
    })
}

fn written(request: Request) -> Result<HttpRequest, BoxError> {
    let has_body = !request.body.is_empty();
    let mut http = HttpRequest::new(SdkBody::from(request.body));
    http.set_method(request.method)?;
    http.set_uri(request.path)?;
    if has_body {
        http.headers_mut().insert("content-type", request.content_type);
    }
    Ok(http)
}

fn read(
    answer: &HttpResponse,
    refused: fn(&HttpResponse) -> (Option<String>, Option<String>),
) -> Result<Vec<u8>, OrchestratorError<Refusal>> {
    if answer.status().is_success() {
        return Ok(answer.body().bytes().unwrap_or_default().to_vec());
    }
    let (code, message) = refused(answer);
    let mut meta = ErrorMetadata::builder();
    if let Some(code) = code {
        meta = meta.code(code);
    }
    if let Some(message) = message {
        meta = meta.message(message);
    }
    Err(OrchestratorError::operation(Refusal(meta.build())))
}
