//! The settings of a database on RDS: which keys there are, and how they are read. A key that is not known for an instance,
//! or for a cluster, is refused: a misspelt one would be a default of the account's network.

use std::str::FromStr;

use crate::error::SnapshotError;
use crate::port::{Kind, Settings};

/// Class of an instance, or of a cluster's members: `db.r6g.large`, `db.serverless`.
pub const CLASS: &str = "class";
/// Subnet group.
pub const SUBNET_GROUP: &str = "subnet_group";
/// Security groups.
pub const SECURITY_GROUPS: &str = "security_groups";
/// Parameter group of an instance or of a cluster.
pub const PARAMETER_GROUP: &str = "parameter_group";
/// Parameter group of a cluster's members; RDS has a default.
pub const MEMBER_PARAMETER_GROUP: &str = "member_parameter_group";
/// Option group of an instance; RDS has a default.
pub const OPTION_GROUP: &str = "option_group";
/// Port; otherwise the snapshot's.
pub const PORT: &str = "port";
/// Type of storage; otherwise `gp3`, for a cluster `aurora`.
pub const STORAGE_TYPE: &str = "storage_type";
/// Operations a second, where they are not the type's own.
pub const IOPS: &str = "iops";
/// Megabytes a second, where they are not the type's own.
pub const STORAGE_THROUGHPUT: &str = "storage_throughput";
/// `true`: an instance with a standby in another zone.
pub const MULTI_AZ: &str = "multi_az";
/// Which authority signs the server's certificate; otherwise `rds-ca-rsa2048-g1`.
pub const CA_CERTIFICATE: &str = "ca_certificate";
/// The least that a cluster's serverless members scale to; with 0 they may pause in the middle of a run.
pub const SERVERLESS_MIN: &str = "serverless_min";
/// The most that they scale to.
pub const SERVERLESS_MAX: &str = "serverless_max";
/// When automatic backups are made.
pub const BACKUP_WINDOW: &str = "backup_window";
/// When the platform works on it.
pub const MAINTENANCE_WINDOW: &str = "maintenance_window";
/// Which of its logs leave it; otherwise none.
pub const LOG_EXPORTS: &str = "log_exports";
/// `true`: users can log in with a token also where the master user has a password.
pub const IAM_LOGIN: &str = "iam_login";

const OF_BOTH: &[&str] = &[
    CLASS,
    SUBNET_GROUP,
    SECURITY_GROUPS,
    PARAMETER_GROUP,
    PORT,
    STORAGE_TYPE,
    CA_CERTIFICATE,
    BACKUP_WINDOW,
    MAINTENANCE_WINDOW,
    LOG_EXPORTS,
    IAM_LOGIN,
];
const OF_INSTANCES: &[&str] = &[OPTION_GROUP, IOPS, STORAGE_THROUGHPUT, MULTI_AZ];
const OF_CLUSTERS: &[&str] = &[MEMBER_PARAMETER_GROUP, SERVERLESS_MIN, SERVERLESS_MAX];

/// Settings that have been looked through.
pub(super) struct Asked<'a>(&'a Settings);

impl<'a> Asked<'a> {
    /// Settings for one kind of database, without a key that is not known there.
    pub(super) fn of(kind: Kind, settings: &'a Settings) -> Result<Self, SnapshotError> {
        let own = match kind {
            Kind::Instance => OF_INSTANCES,
            Kind::Cluster => OF_CLUSTERS,
        };
        let unknown =
            |key: &&String| !OF_BOTH.contains(&key.as_str()) && !own.contains(&key.as_str());
        match settings.keys().find(unknown) {
            Some(key) => {
                Err(SnapshotError::Malformed(format!("setting `{key}` is not known here")))
            }
            None => Ok(Self(settings)),
        }
    }

    /// What cannot be left to a default: the account's default is its open network.
    pub(super) fn needed(&self, key: &str) -> Result<String, SnapshotError> {
        self.optional(key)
            .ok_or_else(|| SnapshotError::Malformed(format!("setting `{key}` is missing")))
    }

    pub(super) fn optional(&self, key: &str) -> Option<String> {
        self.0.get(key).filter(|text| !text.is_empty()).cloned()
    }

    pub(super) fn or(&self, key: &str, otherwise: &str) -> String {
        self.optional(key).unwrap_or_else(|| otherwise.to_owned())
    }

    pub(super) fn parsed<T: FromStr>(&self, key: &str) -> Result<Option<T>, SnapshotError> {
        let parse = |text: String| {
            text.parse().map_err(|_| {
                SnapshotError::Malformed(format!("setting `{key}` cannot be `{text}`"))
            })
        };
        self.optional(key).map(parse).transpose()
    }

    pub(super) fn list(&self, key: &str) -> Vec<String> {
        self.optional(key)
            .map(|text| text.split(',').map(|one| one.trim().to_owned()).collect())
            .unwrap_or_default()
    }
}

/// A list as a setting: sorted, joined by commas.
pub(super) fn joined<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable();
    (!values.is_empty()).then(|| values.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(key: &str, value: &str) -> Settings {
        [(key.to_owned(), value.to_owned())].into()
    }

    #[test]
    fn a_key_is_known_or_refused() {
        assert!(Asked::of(Kind::Instance, &settings("multi_az", "true")).is_ok());
        assert!(Asked::of(Kind::Cluster, &settings("multi_az", "true")).is_err());
        assert!(Asked::of(Kind::Instance, &settings("serverless_min", "1")).is_err());
        assert!(Asked::of(Kind::Instance, &settings("security_group", "sg-1")).is_err());
    }

    #[test]
    fn what_is_empty_is_missing() {
        let settings = settings("subnet_group", "");
        let asked = Asked::of(Kind::Instance, &settings).unwrap();
        assert!(asked.needed("subnet_group").is_err());
        assert!(asked.needed("class").is_err());
    }

    #[test]
    fn numbers_are_numbers() {
        let settings = settings("port", "54x");
        assert!(Asked::of(Kind::Instance, &settings).unwrap().parsed::<i32>("port").is_err());
    }
}
