//! Makes new credentials for the restored database and keeps them under a name of the run's own, until the swap. They are
//! never in a result, an error or a log.

use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use snapshots::{Database, Snapshots};
use workflow::StepError;

use super::verify_release::Reported;
use crate::names;
use crate::pointer::{self, Pointer};
use crate::reader::{Access, set_password};
use crate::settings::Target;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    database: String,
    run: String,
    resource_id: String,
    reports: Vec<Reported>,
}

#[derive(Serialize)]
pub struct Output {
    /// The secret's name, not what is in it.
    secret: String,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { database, run, resource_id, reports } = &input;
    let target = world.target(database)?;
    let new = world.own(resource_id, run).await?;
    let secret = names::next_secret(&target.secret, run);
    let earlier = Pointer::get(&world.secrets, &secret).await?;
    let name = main(database, reports);
    let pointer = pointer(target, &new, run, name, earlier)?;
    pointer.put(&world.secrets, &secret).await?;
    if let (Some(user), Some(password)) = (&pointer.username, &pointer.password) {
        let master = Access::of_master(&world.secrets, world.authorities.as_deref(), &new).await?;
        set_password(&master, name, user, password).await?;
    }
    Ok(Output { secret })
}

/// The one of a server's databases that applications are led to: the one that is called as both accounts call the server, or
/// else the first.
fn main<'a>(database: &str, reports: &'a [Reported]) -> &'a str {
    let own = reports.iter().find(|report| report.name == database);
    own.or(reports.first()).map(|report| report.name.as_str()).unwrap_or_default()
}

/// Asked again, a run has the password that it has made before: another copy of it may be in use.
fn pointer(
    target: &Target,
    new: &Database,
    run: &str,
    name: &str,
    earlier: Option<Pointer>,
) -> Result<Pointer, StepError> {
    let (host, port) = pointer::place(&new.engine, &new.endpoint);
    let server = new.engine != "sqlite";
    let user = target.user.clone().filter(|_| server);
    let password = match (&user, earlier.and_then(|earlier| earlier.password)) {
        (None, _) => None,
        (Some(_), Some(password)) => Some(password),
        (Some(_), None) => Some(password()?),
    };
    let kept = new.secret.as_ref().filter(|_| server && user.is_none());
    let pointer = Pointer {
        engine: new.engine.clone(),
        host,
        port,
        dbname: server.then(|| name.to_owned()),
        username: user,
        password,
        url: None,
        secret: kept.map(|secret| secret.arn.clone()),
        resource_id: new.resource_id.clone(),
        run: run.to_owned(),
    };
    Ok(Pointer { url: pointer.make_url(), ..pointer })
}

/// 256 bits as hex digits: they mean nothing in a URL or in SQL.
fn password() -> Result<String, StepError> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| StepError::Fatal("the system has no random numbers".into()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
