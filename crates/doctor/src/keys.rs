//! Keys: that they can be used, by whom, and by whom they cannot. KMS answers a dry run as it would answer the request, and does
//! nothing.

use std::collections::BTreeSet;

use account::AccountError;
use account::aws::{Kms, Use};

use crate::policy::{ANYBODY, let_in};
use crate::{Findings, Outcome};

/// What is expected of a key.
pub struct Expected<'a> {
    /// What it is called in findings: `share key`.
    pub name: &'a str,
    /// Its account.
    pub owner: &'a str,
    /// The other accounts that its policy lets in: exactly these.
    pub others: &'a BTreeSet<String>,
    /// What it is for.
    pub used_for: Use,
    /// Whoever asks is one who uses it so.
    pub open: bool,
}

/// What others may never be allowed, beyond using it.
const NEVER: [&str; 6] =
    ["kms:Put", "kms:Delete", "kms:Schedule", "kms:Update", "kms:Disable", "kms:Create*"];

/// Looks at a key.
pub async fn check(key: &Kms, expected: &Expected<'_>, findings: &mut Findings) {
    let about = expected.name;
    let Some(state) = findings.answered(about, key.state().await) else { return };
    if state.enabled && state.used_for == Some(expected.used_for) {
        findings.well(about, format!("enabled, {}", state.spec));
    } else {
        findings.wrong(
            about,
            format!("it is {} and {}", state.word, state.spec),
            "enable it, or give the stack another one (infra/README.md, Key revoked)",
        );
        return;
    }
    let about = format!("{about}: policy");
    match key.policy().await {
        Ok(policy) => findings.add(about, policy_of(&policy, expected)),
        Err(error) => findings.unknown(about, error.to_string()),
    }
    let about = format!("{}: use", expected.name);
    findings.add(about, usable(key.may(expected.used_for).await, expected));
}

fn policy_of(policy: &serde_json::Value, expected: &Expected<'_>) -> Outcome {
    let mut found = let_in(policy);
    found.remove(expected.owner);
    let accounts: BTreeSet<String> = found.keys().cloned().collect();
    if accounts != *expected.others {
        let said = |accounts: &BTreeSet<String>| match accounts.is_empty() {
            true => "no other account".to_owned(),
            false => accounts.iter().cloned().collect::<Vec<_>>().join(", "),
        };
        let what = format!("it lets in {} and not {}", said(&accounts), said(expected.others));
        let cure = "deploy the stack again: the template writes the policy";
        return Outcome::Wrong(what, cure.to_owned());
    }
    let too_much = |action: &&String| {
        [ANYBODY, "kms:*"].contains(&action.as_str())
            || NEVER.iter().any(|bad| action.starts_with(bad))
    };
    match found.values().flatten().find(too_much) {
        Some(action) => Outcome::Wrong(
            format!("it allows another account {action}"),
            "deploy the stack again: the template writes the policy".to_owned(),
        ),
        None if accounts.is_empty() => Outcome::Well("no other account is let in".to_owned()),
        None => {
            let all = accounts.into_iter().collect::<Vec<_>>().join(", ");
            Outcome::Well(format!("lets in {all} and nobody else"))
        }
    }
}

fn usable(may: Result<bool, AccountError>, expected: &Expected<'_>) -> Outcome {
    let verb = expected.used_for.verb();
    match (may, expected.open) {
        (Ok(true), true) => Outcome::Well(format!("whoever asks may {verb} with it")),
        (Ok(false), false) => Outcome::Well(format!("whoever asks may not {verb} with it")),
        (Ok(true), false) => Outcome::Wrong(
            format!("whoever asks may {verb} with it"),
            "only one role of the stack may: look at who else the policies of the account allow that".to_owned(),
        ),
        (Ok(false), true) => Outcome::Wrong(
            format!("whoever asks may not {verb} with it"),
            "this is the one role that must: look at its policy and at the key's".to_owned(),
        ),
        (Err(error), _) => Outcome::Unknown(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(statements: serde_json::Value, others: &[&str]) -> Outcome {
        let others = others.iter().map(|one| (*one).to_owned()).collect();
        let expected = Expected {
            name: "share key",
            owner: "111111111111",
            others: &others,
            used_for: Use::Encrypt,
            open: false,
        };
        policy_of(&json!({ "Statement": statements }), &expected)
    }

    fn statement(account: &str, action: &str) -> serde_json::Value {
        let principal = json!({ "AWS": format!("arn:aws:iam::{account}:root") });
        json!({ "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*" })
    }

    #[test]
    fn exactly_the_configured_accounts_are_let_in() {
        let own = statement("111111111111", "kms:*");
        let dev = statement("222222222222", "kms:Decrypt");
        let well = |outcome| matches!(outcome, Outcome::Well(_));
        assert!(well(judged(json!([own]), &[])));
        assert!(well(judged(json!([own, dev]), &["222222222222"])));
        assert!(!well(judged(json!([own, dev]), &[])));
        assert!(!well(judged(json!([own]), &["222222222222"])));
        assert!(!well(judged(json!([own, dev]), &["222222222222", "333333333333"])));
        let anybody = json!({ "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt" });
        assert!(!well(judged(json!([own, anybody]), &["222222222222"])));
    }

    #[test]
    fn others_may_use_a_key_and_not_change_it() {
        for action in ["kms:*", "*", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:Create*"] {
            let dev = statement("222222222222", action);
            let outcome = judged(json!([dev]), &["222222222222"]);
            assert!(matches!(outcome, Outcome::Wrong(..)), "{action}: {outcome:?}");
        }
        let grant = statement("222222222222", "kms:CreateGrant");
        assert!(matches!(judged(json!([grant]), &["222222222222"]), Outcome::Well(_)));
    }

    #[test]
    fn a_key_is_open_to_those_who_need_it_and_closed_to_the_rest() {
        let nobody = BTreeSet::new();
        let expected = |open| Expected {
            name: "sign key",
            owner: "1",
            others: &nobody,
            used_for: Use::Sign,
            open,
        };
        let well = |may, open| matches!(usable(Ok(may), &expected(open)), Outcome::Well(_));
        assert!(well(true, true) && well(false, false));
        assert!(!well(true, false) && !well(false, true));
        let error = AccountError::Passing("later".into());
        assert!(matches!(usable(Err(error), &expected(true)), Outcome::Unknown(_)));
    }
}
