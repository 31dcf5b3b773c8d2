//! What RDS describes in these tests, and what it is asked to restore.

use e2e_aws::rds::{Answer, answer};
use snapshots::{Login, Restore, Settings, Tags};

pub const WORK_KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/work";
pub const INSTANCE: &str = "db-AAAABBBBCCCC";
pub const CLUSTER: &str = "cluster-DDDDEEEEFFFF";
pub const SNAPSHOT: &str = "arn:aws:rds:eu-west-1:111111111111:snapshot:shop-1";
pub const CLUSTER_SNAPSHOT: &str = "arn:aws:rds:eu-west-1:111111111111:cluster-snapshot:till-1";

pub fn instance_xml() -> String {
    include_str!("answers/instance.xml").into()
}

pub fn member_xml() -> String {
    include_str!("answers/member.xml").into()
}

pub fn cluster_xml() -> String {
    include_str!("answers/cluster.xml").into()
}

/// The cluster as it is before it has a writer.
pub fn lone_cluster_xml() -> String {
    let cluster = cluster_xml();
    let (before, rest) = cluster.split_once("<DBClusterMembers>").unwrap();
    let (_, after) = rest.split_once("</DBClusterMembers>").unwrap();
    format!("{before}<DBClusterMembers/>{after}")
}

pub fn snapshot_xml() -> String {
    include_str!("answers/snapshot.xml").into()
}

pub fn cluster_snapshot_xml() -> String {
    include_str!("answers/cluster-snapshot.xml").into()
}

/// A document with one element's text replaced; the element must be there.
pub fn with(document: &str, element: &str, text: &str) -> String {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let (before, rest) = document.split_once(&open).unwrap();
    let (_, after) = rest.split_once(&close).unwrap();
    format!("{before}{open}{text}{close}{after}")
}

/// A document with something more inside its outermost element.
pub fn plus(document: &str, more: &str) -> String {
    let (before, end) = document.trim_end().rsplit_once("</").unwrap();
    format!("{before}{more}</{end}")
}

pub fn instances(documents: &[String]) -> Answer {
    answer("DescribeDBInstances", &format!("<DBInstances>{}</DBInstances>", documents.concat()))
}

pub fn clusters(documents: &[String]) -> Answer {
    answer("DescribeDBClusters", &format!("<DBClusters>{}</DBClusters>", documents.concat()))
}

pub fn snapshots_page(documents: &[String], marker: &str) -> Answer {
    let marker = Some(marker).filter(|m| !m.is_empty()).map(|m| format!("<Marker>{m}</Marker>"));
    let marker = marker.unwrap_or_default();
    let body = format!("{marker}<DBSnapshots>{}</DBSnapshots>", documents.concat());
    answer("DescribeDBSnapshots", &body)
}

pub fn cluster_snapshots_page(documents: &[String]) -> Answer {
    let body = format!("<DBClusterSnapshots>{}</DBClusterSnapshots>", documents.concat());
    answer("DescribeDBClusterSnapshots", &body)
}

/// The answers in which the instance is found by its resource identifier.
pub fn the_instance() -> Vec<Answer> {
    vec![instances(&[instance_xml()])]
}

/// The answers in which the cluster is found by its resource identifier.
pub fn the_cluster() -> Vec<Answer> {
    vec![clusters(&[cluster_xml()]), instances(&[member_xml()])]
}

pub fn tags() -> Tags {
    [("anonymizer:run".to_owned(), "run-1".to_owned())].into()
}

pub fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A temporary instance.
pub fn temporary() -> Restore {
    Restore {
        name: "anon-tmp-run-1".into(),
        key: WORK_KEY.into(),
        login: Login::Managed { key: WORK_KEY.into() },
        backup_days: 0,
        tags: tags(),
        settings: settings(&[
            ("class", "db.r6g.large"),
            ("subnet_group", "isolated"),
            ("security_groups", "sg-0aaa,sg-0bbb"),
            ("parameter_group", "shop-pg16"),
        ]),
    }
}

/// A temporary cluster.
pub fn temporary_cluster() -> Restore {
    let mut restore = temporary();
    restore.settings = settings(&[
        ("class", "db.serverless"),
        ("subnet_group", "isolated"),
        ("security_groups", "sg-0aaa"),
        ("parameter_group", "till-pg16"),
        ("serverless_min", "0.5"),
        ("serverless_max", "16"),
    ]);
    restore
}
