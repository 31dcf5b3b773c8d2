//! Whom a key's policy lets in besides its own account. It reads the policy as it is written, and takes what it cannot read for
//! everybody; what roles may do within the account is IAM's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Conditions that say which account a principal must be of.
const OF_ACCOUNT: [&str; 2] = ["kms:CallerAccount", "aws:PrincipalAccount"];

/// Everybody.
pub const ANYBODY: &str = "*";

/// The accounts that a policy allows anything, with what it allows them.
pub fn let_in(policy: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for statement in list(&policy["Statement"]) {
        if statement["Effect"] == "Deny" {
            continue;
        }
        let actions: BTreeSet<String> = match &statement["Action"] {
            Value::Null => BTreeSet::from([ANYBODY.to_owned()]),
            actions => words(actions),
        };
        for account in principals(statement) {
            all.entry(account).or_default().extend(actions.iter().cloned());
        }
    }
    all
}

/// The accounts of a statement's principals, as narrow as its conditions make them.
fn principals(statement: &Value) -> BTreeSet<String> {
    let principal = &statement["Principal"];
    let named = match principal {
        Value::String(one) => BTreeSet::from([one.clone()]),
        Value::Object(kinds) => match kinds.get("AWS") {
            Some(named) => words(named),
            // A service acts for somebody whom another statement lets in.
            None if kinds.contains_key("Service") => return BTreeSet::new(),
            None => BTreeSet::from([ANYBODY.to_owned()]),
        },
        _ => BTreeSet::from([ANYBODY.to_owned()]),
    };
    let accounts: BTreeSet<String> = named.iter().map(|one| account(one)).collect();
    match condition(&statement["Condition"]) {
        // It narrows what the principal leaves open, and nothing else.
        Some(only) if accounts.contains(ANYBODY) => only,
        _ => accounts,
    }
}

fn account(principal: &str) -> String {
    let digits = |text: &&str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let account = principal.split(':').nth(4).or(Some(principal)).filter(digits);
    account.unwrap_or(ANYBODY).to_owned()
}

fn condition(condition: &Value) -> Option<BTreeSet<String>> {
    let equals = &condition["StringEquals"];
    OF_ACCOUNT.iter().find_map(|key| equals.get(*key)).map(words)
}

fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn words(value: &Value) -> BTreeSet<String> {
    list(value).into_iter().map(|one| one.as_str().unwrap_or(ANYBODY).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn accounts(statement: Value) -> Vec<String> {
        let_in(&json!({ "Version": "2012-10-17", "Statement": statement })).into_keys().collect()
    }

    #[test]
    fn principals_are_accounts_however_they_are_written() {
        let named = |principal: Value| {
            accounts(json!({ "Effect": "Allow", "Principal": principal, "Action": "kms:*" }))
        };
        assert_eq!(named(json!({ "AWS": "arn:aws:iam::111111111111:root" })), ["111111111111"]);
        let roles = json!({ "AWS": ["222222222222", "arn:aws:iam::333333333333:role/x"] });
        assert_eq!(named(roles), ["222222222222", "333333333333"]);
        assert_eq!(named(json!("*")), ["*"]);
        assert_eq!(named(json!({ "AWS": "*" })), ["*"]);
        assert_eq!(named(json!({ "AWS": "AIDACKCEVSQ6C2EXAMPLE" })), ["*"]);
        assert_eq!(named(json!({ "Federated": "x" })), ["*"]);
        assert_eq!(named(json!({ "Service": "logs.amazonaws.com" })), Vec::<String>::new());
    }

    #[test]
    fn a_condition_narrows_everybody_and_nobody_else() {
        let conditioned = |principal: &str, key: &str| {
            accounts(
                json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "kms:Decrypt",
                             "Condition": { "StringEquals": { key: "222222222222" } } }),
            )
        };
        assert_eq!(conditioned("*", "kms:CallerAccount"), ["222222222222"]);
        assert_eq!(conditioned("*", "kms:ViaService"), ["*"]);
        assert_eq!(conditioned("111111111111", "kms:CallerAccount"), ["111111111111"]);
    }

    #[test]
    fn what_is_denied_lets_nobody_in_and_what_is_not_named_is_everything() {
        let denied = json!([{ "Effect": "Deny", "Principal": "*", "Action": "kms:*" }]);
        assert_eq!(accounts(denied), Vec::<String>::new());
        let all_but = json!({ "Statement": { "Effect": "Allow", "NotPrincipal": { "AWS": "1" },
                                             "NotAction": "kms:Sign" } });
        let found = let_in(&all_but);
        assert_eq!(found["*"], BTreeSet::from(["*".to_owned()]));
    }
}
