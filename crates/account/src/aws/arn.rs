//! Names as AWS gives them: the account and the region stand in them, so that nobody has to be asked for either.

use crate::error::AccountError;

/// The parts of `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arn {
    /// All of it.
    pub text: String,
    /// `aws`, `aws-cn`, …
    pub partition: String,
    /// Where.
    pub region: String,
    /// Whose.
    pub account: String,
    /// What, as the service writes it.
    pub resource: String,
}

impl Arn {
    /// The ARN of something of a service.
    pub fn parse(text: &str, service: &str) -> Result<Self, AccountError> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [arn, partition, of, region, account, resource] = parts[..] else {
            return Err(broken(text, service));
        };
        let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let whole = arn == "arn" && partition.starts_with("aws") && of == service && digits;
        if !whole || region.is_empty() || resource.is_empty() {
            return Err(broken(text, service));
        }
        Ok(Self {
            text: text.to_owned(),
            partition: partition.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            resource: resource.to_owned(),
        })
    }
}

fn broken(text: &str, service: &str) -> AccountError {
    AccountError::Other(format!("`{text}` is not an ARN of {service}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_says_whose_and_where() {
        let text = "arn:aws:states:eu-west-1:111111111111:stateMachine:anonymizer-workflow:live";
        let arn = Arn::parse(text, "states").unwrap();
        assert_eq!((arn.region.as_str(), arn.account.as_str()), ("eu-west-1", "111111111111"));
        assert_eq!(arn.resource, "stateMachine:anonymizer-workflow:live");
        for bad in [
            "",
            "anonymizer-workflow",
            "arn:aws:lambda:eu-west-1:111111111111:function:x",
            "arn:aws:states:eu-west-1:1111:stateMachine:x",
            "arn:aws:states::111111111111:stateMachine:x",
            "arn:aws:states:eu-west-1:111111111111:",
        ] {
            assert!(Arn::parse(bad, "states").is_err(), "{bad}");
        }
    }
}
