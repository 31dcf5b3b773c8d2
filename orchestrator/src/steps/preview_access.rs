//! Asks, where the stack wants it, what sharing this very snapshot would open, and to whom, before the gate signs anything: the
//! configured accounts, every one of them and nobody else, or the run is refused. It shares nothing and looks at no snapshot.

use std::collections::BTreeSet;

use account::previews::{Finding, Preview, Proposed};
use serde::{Deserialize, Serialize};
use snapshots::Snapshots;
use workflow::StepError;

use crate::poll::Poll;
use crate::world::World;

/// What a finding's status says of access that would be gone.
const GONE: &str = "RESOLVED";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    run: String,
    /// The snapshot that shall leave.
    arn: String,
    /// The preview that was begun; empty before.
    preview: String,
    waited: u64,
}

#[derive(Serialize)]
pub struct Output {
    preview: String,
    #[serde(flatten)]
    poll: Poll,
}

pub async fn step<S: Snapshots>(world: &World<S>, input: Input) -> Result<Output, StepError> {
    let Input { run, arn, preview, waited } = input;
    let settings = &world.settings;
    let later = || {
        let what = format!("the preview of who would get at {arn}");
        Poll::wait(waited, settings.deadlines.preview, &settings.pauses, &what)
    };
    if preview.is_empty() {
        let accounts = &settings.accounts;
        let proposed = Proposed { snapshot: &arn, accounts, key: &settings.share_key, token: &run };
        return Ok(match world.previews.begin(&proposed).await? {
            Some(preview) => Output { preview, poll: later()? },
            None => Output { preview, poll: Poll::ready(waited) },
        });
    }
    let poll = match world.previews.look(&preview).await? {
        Preview::Making => later()?,
        Preview::Failed(why) => {
            let text = format!("there is no preview of who would get at {arn}: {why}");
            return Err(StepError::Fatal(text));
        }
        Preview::Made(findings) => match against(&findings, &arn, &settings.accounts) {
            Some(why) => return Err(StepError::Refused(format!("sharing {arn} {why}"))),
            None => Poll::ready(waited),
        },
    };
    Ok(Output { preview, poll })
}

/// Why it must not be shared. What an analyzer expects, and has archived, is open all the same.
fn against(findings: &[Finding], arn: &str, accounts: &BTreeSet<String>) -> Option<String> {
    let mut open = BTreeSet::new();
    for finding in findings {
        if let Some(error) = &finding.error {
            return Some(format!("would open it to nobody knows whom: {error}"));
        }
        if let Some(other) = finding.resource.as_ref().filter(|about| *about != arn) {
            return Some(format!("is not what was looked at, but {other}"));
        }
        if finding.status == GONE {
            continue;
        }
        if finding.is_public == Some(true) {
            return Some("would open it to everybody".to_owned());
        }
        match finding.principal.as_ref().filter(|all| !all.is_empty()) {
            Some(all) => open.extend(all.iter().map(|(kind, name)| who(kind, name))),
            None => return Some("would open it to somebody without a name".to_owned()),
        }
    }
    let list = |all: &BTreeSet<String>| match all.is_empty() {
        true => "nobody".to_owned(),
        false => all.iter().cloned().collect::<Vec<_>>().join(", "),
    };
    let (found, wanted) = (list(&open), list(accounts));
    (open != *accounts).then(|| format!("would open it to {found} in place of {wanted}"))
}

/// An account is named by its number or by its root; whoever else is nobody that was configured.
fn who(kind: &str, name: &str) -> String {
    if kind != "AWS" {
        return format!("{kind} {name}");
    }
    let parts: Vec<&str> = name.split(':').collect();
    match parts[..] {
        ["arn", _, "iam", "", account, "root"] => account.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:rds:eu-west-1:111111111111:snapshot:anon-share-shop-run-1";

    fn open_to(kind: &str, name: &str, status: &str) -> Finding {
        Finding {
            principal: Some([(kind.to_owned(), name.to_owned())].into()),
            is_public: Some(false),
            resource: Some(ARN.to_owned()),
            status: status.to_owned(),
            error: None,
        }
    }

    fn said(findings: &[Finding]) -> Option<String> {
        let accounts = ["222222222222", "444444444444"].map(str::to_owned);
        against(findings, ARN, &accounts.into())
    }

    #[test]
    fn exactly_the_configured_accounts_pass() {
        let first = open_to("AWS", "222222222222", "ARCHIVED");
        let second = open_to("AWS", "arn:aws:iam::444444444444:root", "ACTIVE");
        let before = open_to("AWS", "333333333333", "RESOLVED");
        assert_eq!(said(&[first.clone(), second.clone()]), None);
        assert_eq!(said(&[second, first.clone(), before, first]), None);
    }

    #[test]
    fn whatever_else_is_refused_by_name() {
        let both = || ["222222222222", "444444444444"].map(|who| open_to("AWS", who, "ACTIVE"));
        let with = |more: Finding| said(&[&both()[..], &[more]].concat()).unwrap();
        for (more, expected) in [
            (open_to("AWS", "333333333333", "ACTIVE"), "222222222222, 333333333333, 444444444444"),
            (open_to("AWS", "333333333333", "ARCHIVED"), "333333333333"),
            // A word that nobody has heard of closes nothing.
            (open_to("AWS", "333333333333", "LATER"), "333333333333"),
            (open_to("AWS", "*", "ACTIVE"), "to *, 2"),
            (open_to("Service", "222222222222", "ACTIVE"), "Service 222222222222"),
            (open_to("AWS", "arn:aws:iam::222222222222:role/x", "ACTIVE"), ":role/x"),
            (Finding { is_public: Some(true), ..both()[0].clone() }, "everybody"),
            (Finding { principal: None, ..both()[0].clone() }, "without a name"),
            (Finding { principal: Some([].into()), ..both()[0].clone() }, "without a name"),
            (Finding { resource: Some("arn:x".into()), ..both()[0].clone() }, "but arn:x"),
            (Finding { error: Some("DENIED".into()), ..both()[0].clone() }, "DENIED"),
            (
                Finding { error: Some("DENIED".into()), ..open_to("AWS", "1", GONE) },
                "nobody knows whom: DENIED",
            ),
        ] {
            let why = with(more);
            assert!(why.contains(expected), "{expected}: {why}");
        }
        // One account too few: its key's policy, say, does not let it in.
        let one = said(&both()[..1]).unwrap();
        assert!(one.contains("to 222222222222 in place of 222222222222, 444444444444"), "{one}");
        assert!(said(&[]).unwrap().contains("to nobody in place of"));
    }
}
