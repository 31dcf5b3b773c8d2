//! What RDS lets an account have, against what is needed.

use snapshots::rds::survey::Quota;

use crate::Findings;

/// What will be needed of a quota, beyond what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The quota, as RDS names it: `ManualSnapshots`.
    pub quota: &'static str,
    /// So many more at the worst moment.
    pub more: u64,
    /// Of which so many are there already and are counted as used.
    pub of_which_there: u64,
}

impl Need {
    /// So many more than there are.
    pub fn more(quota: &'static str, more: u64) -> Self {
        Self { quota, more, of_which_there: 0 }
    }
}

/// Compares.
pub fn check(quotas: &[Quota], needs: &[Need], findings: &mut Findings) {
    for need in needs {
        let about = format!("quota {}", need.quota);
        let Some(quota) = quotas.iter().find(|quota| quota.name == need.quota) else {
            findings.unknown(about, "RDS says nothing of it");
            continue;
        };
        let others = quota.used.saturating_sub(need.of_which_there);
        let all = others + need.more;
        let what = format!("{} of {} used, {all} at the worst moment", quota.used, quota.most);
        if all <= quota.most {
            findings.well(about, what);
        } else {
            let cure = format!("ask Service Quotas for {all} or more, or refresh fewer at a time");
            findings.wrong(about, what, cure);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(used: u64, most: u64, need: Need) -> bool {
        let mut findings = Findings::default();
        let quotas = [Quota { name: "ManualSnapshots".into(), used, most }];
        check(&quotas, &[need], &mut findings);
        assert_eq!(findings.0.len(), 1);
        findings.any_wrong()
    }

    #[test]
    fn what_is_needed_comes_on_top_of_what_others_use() {
        assert!(!wrong(40, 100, Need::more("ManualSnapshots", 60)));
        assert!(wrong(41, 100, Need::more("ManualSnapshots", 60)));
        // Of 90 that are used 60 are releases, which the 60 that are needed are.
        let need = Need { quota: "ManualSnapshots", more: 60, of_which_there: 60 };
        assert!(!wrong(90, 100, need));
    }

    #[test]
    fn a_quota_that_nobody_knows_is_not_well() {
        let mut findings = Findings::default();
        check(&[], &[Need::more("Instances", 1)], &mut findings);
        assert!(findings.to_string().starts_with('?'));
    }
}
