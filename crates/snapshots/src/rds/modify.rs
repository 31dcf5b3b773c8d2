//! Changes to a database that is there: login, start, restart, name, protection. Each request holds only what it changes, for
//! RDS carries out whatever else stands in it, and asks for it now and not in the next maintenance window.

use aws_sdk_rds::error::ProvideErrorMetadata;
use aws_sdk_rds::types::{DatabaseInsightsMode, MasterUserAuthenticationType};

use super::error::Refusal;
use super::settings::{self as key_of, Asked};
use super::{Rds, checked, error, key, restore::days};
use crate::error::SnapshotError;
use crate::name;
use crate::port::{Database, Kind, Login, Restore};
use crate::status::{Meaning, meaning};

/// What a login becomes in a request: whether RDS makes a password, under which key, or whether there is none.
type Change = (Option<bool>, Option<String>, Option<MasterUserAuthenticationType>);

impl Rds {
    pub(super) async fn replace_login(
        &self,
        resource_id: &str,
        restore: &Restore,
    ) -> Result<(), SnapshotError> {
        let database = self.the(resource_id).await?;
        let asked = Asked::of(database.kind, &restore.settings)?;
        let (manage, under, how) = change(&database, &restore.login)?;
        match database.kind {
            Kind::Instance => {
                let request = self
                    .client
                    .modify_db_instance()
                    .db_instance_identifier(&database.name)
                    .set_manage_master_user_password(manage)
                    .set_master_user_secret_kms_key_id(under)
                    .set_master_user_authentication_type(how)
                    .backup_retention_period(days(restore.backup_days)?)
                    .set_preferred_maintenance_window(asked.optional(key_of::MAINTENANCE_WINDOW))
                    .enable_performance_insights(false)
                    .database_insights_mode(DatabaseInsightsMode::Standard)
                    .monitoring_interval(0)
                    .deletion_protection(false)
                    .apply_immediately(true);
                request.send().await.map(drop).map_err(|err| error::of(&database.name, err))
            }
            // Everything else was asked for when it was restored.
            Kind::Cluster if manage.is_none() && how.is_none() => Ok(()),
            Kind::Cluster => {
                if !database.members.iter().any(|member| member.writer) {
                    return Err(SnapshotError::InvalidState(format!(
                        "{} has no writer yet",
                        database.name
                    )));
                }
                let request = self
                    .client
                    .modify_db_cluster()
                    .db_cluster_identifier(&database.name)
                    .set_manage_master_user_password(manage)
                    .set_master_user_secret_kms_key_id(under)
                    .set_master_user_authentication_type(how)
                    .set_preferred_maintenance_window(asked.optional(key_of::MAINTENANCE_WINDOW))
                    .apply_immediately(true);
                request.send().await.map(drop).map_err(|err| error::of(&database.name, err))
            }
        }
    }

    pub(super) async fn start_stopped(&self, resource_id: &str) -> Result<(), SnapshotError> {
        let database = self.the(resource_id).await?;
        let name = &database.name;
        match (meaning(&database.status), database.kind) {
            (Meaning::Ready, _) => Ok(()),
            (Meaning::Wait, _) if database.status == "starting" => Ok(()),
            (Meaning::Stopped, Kind::Instance) => {
                let request = self.client.start_db_instance().db_instance_identifier(name);
                request.send().await.map(drop).map_err(|err| error::of(name, err))
            }
            (Meaning::Stopped, Kind::Cluster) => {
                let request = self.client.start_db_cluster().db_cluster_identifier(name);
                request.send().await.map(drop).map_err(|err| error::of(name, err))
            }
            _ => Err(SnapshotError::InvalidState(format!("{name} is {}", database.status))),
        }
    }

    pub(super) async fn reboot(&self, resource_id: &str) -> Result<(), SnapshotError> {
        let database = self.the(resource_id).await?;
        let instances: Vec<&str> = match database.kind {
            Kind::Instance => vec![&database.name],
            Kind::Cluster => database.members.iter().map(|member| member.name.as_str()).collect(),
        };
        for name in instances {
            let request = self.client.reboot_db_instance().db_instance_identifier(name);
            request.send().await.map_err(|err| error::of(name, err))?;
        }
        Ok(())
    }

    /// The members first: whoever is asked again finds some of them renamed and goes on, and the cluster's own name says that
    /// everything was asked for. Each is a restart.
    pub(super) async fn change_name(
        &self,
        resource_id: &str,
        to: &str,
    ) -> Result<(), SnapshotError> {
        checked(to)?;
        let database = self.the(resource_id).await?;
        for member in &database.members {
            if let Some(new) = member_name(&member.name, &database.name, to) {
                let request = self.client.modify_db_instance().db_instance_identifier(&member.name);
                let request = request.new_db_instance_identifier(&new).apply_immediately(true);
                match request.send().await.map_err(|err| error::of(&member.name, err)) {
                    // Nobody is led to a member: where another one has the name, it keeps its own. A cluster that gets its
                    // name back must get it, also while the one that was to take its place has a member of that name. A
                    // member that is gone has got its new name since it was looked at.
                    Ok(_) | Err(SnapshotError::Exists(_) | SnapshotError::NotFound(_)) => {}
                    Err(err) => return Err(err),
                }
            }
        }
        if database.name == to {
            return Ok(());
        }
        match database.kind {
            Kind::Instance => {
                let request = self.client.modify_db_instance();
                let request = request.db_instance_identifier(&database.name);
                let request = request.new_db_instance_identifier(to).apply_immediately(true);
                request.send().await.map(drop).map_err(|err| clash(&database.name, to, err))
            }
            Kind::Cluster => {
                let request = self.client.modify_db_cluster();
                let request = request.db_cluster_identifier(&database.name);
                let request = request.new_db_cluster_identifier(to).apply_immediately(true);
                request.send().await.map(drop).map_err(|err| clash(&database.name, to, err))
            }
        }
    }

    pub(super) async fn set_protection(
        &self,
        resource_id: &str,
        on: bool,
    ) -> Result<(), SnapshotError> {
        let database = self.the(resource_id).await?;
        let name = &database.name;
        if database.protected == on {
            return Ok(());
        }
        match database.kind {
            Kind::Instance => {
                let request = self.client.modify_db_instance().db_instance_identifier(name);
                let request = request.deletion_protection(on).apply_immediately(true);
                request.send().await.map(drop).map_err(|err| error::of(name, err))
            }
            Kind::Cluster => {
                let request = self.client.modify_db_cluster().db_cluster_identifier(name);
                let request = request.deletion_protection(on).apply_immediately(true);
                request.send().await.map(drop).map_err(|err| error::of(name, err))
            }
        }
    }
}

/// Where RDS keeps the password already, its key cannot be changed: asking for it again would be refused.
fn change(database: &Database, login: &Login) -> Result<Change, SnapshotError> {
    Ok(match login {
        Login::Managed { .. } if database.secret.is_some() => (None, None, None),
        Login::Managed { key: under } => (Some(true), Some(key(under)?.to_owned()), None),
        Login::Iam => (None, None, Some(MasterUserAuthenticationType::IamDbAuth)),
    })
}

/// The name of a member that is named after its cluster, once the cluster has another one. Where one of the two names begins
/// with the other, a member is named after the longer one: `shop-old-w` has been renamed for `shop-old` already.
fn member_name(member: &str, cluster: &str, to: &str) -> Option<String> {
    let after = |name: &str| member.strip_prefix(name)?.strip_prefix('-');
    let rest = after(cluster)?;
    let renamed = after(to).is_some() && to.len() >= cluster.len();
    (!renamed).then(|| name::join(to, &[rest]))
}

/// What exists is the new name.
fn clash<E>(old: &str, new: &str, err: Refusal<E>) -> SnapshotError
where
    E: ProvideErrorMetadata,
{
    match error::of(old, err) {
        SnapshotError::Exists(_) => SnapshotError::Exists(new.to_owned()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_named_after_their_cluster_go_with_it() {
        assert_eq!(member_name("shop-n-w", "shop-n", "shop"), Some("shop-w".into()));
        assert_eq!(member_name("shop-w", "shop", "shop-old"), Some("shop-old-w".into()));
        assert_eq!(member_name("till", "shop", "shop-old"), None);
        assert_eq!(member_name("shopping", "shop", "shop-old"), None);
        assert_eq!(member_name("shop-w", "shop", "shop"), None);
        assert_eq!(member_name("shop-old-w", "shop", "shop-old"), None);
        assert_eq!(member_name("shop-old-w", "shop-old", "shop"), Some("shop-w".into()));
    }
}
