//! What lies on AWS and not on this machine: rules, reports and state in S3, secrets in Secrets Manager, keys in KMS. A program
//! that was built without the feature `aws` refuses each of them with one message.

#[cfg(any(test, not(feature = "aws")))]
mod absent;
#[cfg(feature = "aws")]
mod kept;
#[cfg(feature = "aws")]
mod reach;

use std::path::Path;

#[cfg(not(feature = "aws"))]
pub use absent::{document, fits, keyring, put, secret, state};
#[cfg(feature = "aws")]
pub use kept::state;
#[cfg(feature = "aws")]
pub use reach::{document, fits, keyring, put, secret};

/// True for `s3://BUCKET/KEY`.
pub fn is_uri(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.starts_with("s3://"))
}

/// True for the ARN of a secret.
pub fn is_arn(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.starts_with("arn:"))
}

/// What a key of KMS is asked for a domain, and for everything that is no domain. A domain stands last: no name can be taken
/// for another's message.
#[cfg(any(feature = "aws", test))]
fn message(domain: Option<&str>) -> String {
    match domain {
        Some(domain) => format!("anonymizer/v1|domain|{domain}"),
        None => "anonymizer/v1|run|".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_domain_has_the_message_of_another_or_of_none() {
        assert_eq!(message(Some("")), "anonymizer/v1|domain|");
        assert_eq!(message(Some("run|")), "anonymizer/v1|domain|run|");
        assert_eq!(message(None), "anonymizer/v1|run|");
    }

    #[tokio::test]
    async fn without_the_feature_each_is_refused_as_wrong_usage() {
        use absent::{document, fits, keyring, put, secret, state};
        let errors = [
            document("read the rules", "s3://rules/shop.yaml").await.unwrap_err(),
            fits("write the report", "s3://reports/shop").unwrap_err(),
            keyring("arn:aws:kms:k", Default::default()).await.unwrap_err(),
            put("write the report", "s3://reports/shop", "report.json", b"").await.unwrap_err(),
            secret("find the database", "arn:aws:secretsmanager:s").await.map(|_| ()).unwrap_err(),
            state("keep the state", "s3://state/shop", Path::new("/"))
                .await
                .map(|_| ())
                .unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.exit_code(), contract::exit_codes::USAGE);
            assert!(error.to_string().contains("without the feature `aws`"), "{error}");
        }
    }
}
