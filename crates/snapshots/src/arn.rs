//! The ARN of a snapshot: `arn:aws:rds:REGION:ACCOUNT:snapshot:NAME`, or `cluster-snapshot` for a cluster's. Anything else
//! is none.

use crate::port::Kind;

/// What a snapshot's ARN says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// The region it is in.
    pub region: &'a str,
    /// The account that owns it.
    pub account: &'a str,
    /// Of an instance or of a cluster.
    pub kind: Kind,
    /// Its name in that account; `rds:…` for one that the platform made.
    pub name: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads it.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(7, ':');
        let (fixed, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account) = (parts.next()?, parts.next()?);
        let kind = match parts.next()? {
            "snapshot" => Kind::Instance,
            "cluster-snapshot" => Kind::Cluster,
            _ => return None,
        };
        let name = parts.next().filter(|name| !name.is_empty())?;
        let known = fixed == "arn" && partition.starts_with("aws") && service == "rds";
        known.then_some(Self { region, account, kind, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_colons() {
        let arn = Arn::parse("arn:aws:rds:eu-west-1:111111111111:snapshot:rds:shop-2024-06-09");
        assert_eq!(arn.unwrap().name, "rds:shop-2024-06-09");
    }

    #[test]
    fn a_clusters_is_told_from_an_instances() {
        let kind =
            |sort| Arn::parse(&format!("arn:aws-cn:rds:cn-north-1:1:{sort}:x")).map(|a| a.kind);
        assert_eq!(kind("snapshot"), Some(Kind::Instance));
        assert_eq!(kind("cluster-snapshot"), Some(Kind::Cluster));
        assert_eq!(kind("db"), None);
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "shop",
            "arn:aws:s3:eu-west-1:1:snapshot:x",
            "arn:aws:rds:eu-west-1:1:snapshot",
            "arn:aws:rds:eu-west-1:1:snapshot:",
            "xarn:aws:rds:eu-west-1:1:snapshot:x",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }
}
