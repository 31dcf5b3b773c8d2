//! Who may use which key. What lies under the key for others has passed the gate; what lies under any other leaves nobody's
//! account.

use super::Found;
use crate::statements::{self, ROLE, Statement};
use crate::template::Template;
use crate::tree::Tree;

/// What puts something under a key.
const ENCRYPTS: [&str; 6] = [
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:GenerateDataKeyPair",
    "kms:ReEncryptTo",
    "kms:CreateGrant",
];
const SHARE: &str = "ShareKey";
/// The roles of development that the key lets in.
const COPIES: &str = "${DevelopmentName}-CopySnapshot";

fn production(tree: &Tree) -> Option<&Template> {
    tree.templates.iter().find(|template| template.account == "production")
}

fn encrypts(statement: &Statement) -> bool {
    ENCRYPTS.iter().any(|action| statement.covers(action))
}

/// In production one role can put something under the key for others, and its policy says so too.
pub fn one_encrypts(tree: &Tree, found: &mut Found) {
    let Some(template) = production(tree) else { return };
    let share = [format!("${{{SHARE}.Arn}}"), "*".to_owned()];
    let mut holders = Vec::new();
    let mut denied = false;
    for statement in statements::of(template) {
        let to_key = statement.resources.iter().any(|resource| share.contains(resource));
        if statement.allows && statement.kind == ROLE && to_key && encrypts(&statement) {
            holders.push(statement.holder.clone());
        }
        denied |= !statement.allows
            && statement.holder == SHARE
            && ENCRYPTS.iter().all(|action| statement.covers(action))
            && statement
                .conditions
                .iter()
                .any(|one| one.starts_with("ArnNot") && one.ends_with(":role/${Name}-ReEncrypt"));
    }
    holders.sort();
    holders.dedup();
    if holders != ["ReEncryptRole"] {
        let text = format!("these may encrypt under the key for others: {}", holders.join(", "));
        found.add("one-role-encrypts-for-others", text);
    }
    if !denied {
        found.add(
            "one-role-encrypts-for-others",
            "the key's policy does not deny it to everybody else",
        );
    }
}

/// No key but that for others names anybody outside of its account, and that one through RDS only.
pub fn nobody_outside(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        for statement in statements::of(template).iter().filter(|one| one.kind == "AWS::KMS::Key") {
            if !statement.allows {
                continue;
            }
            let outside = |who: &&String| {
                !who.ends_with(".amazonaws.com") && !who.contains(":iam::${AWS::AccountId}:")
            };
            for who in statement.principals.iter().filter(outside) {
                let via = statement.conditions.iter().any(|one| one.contains("kms:ViaService"));
                let describes = statement.actions.iter().all(|action| action == "kms:DescribeKey");
                if statement.holder != SHARE {
                    let text =
                        format!("{}: {} may use {}", template.account, who, statement.holder);
                    found.add("key-stays-inside", text);
                } else if !via && !describes {
                    let text = format!("{who} may use {SHARE} otherwise than through RDS");
                    found.add("key-stays-inside", text);
                }
            }
        }
    }
}

/// The other account's role that the key for others lets in is the one that copies, and no other there asks.
pub fn only_the_copying_role(tree: &Tree, found: &mut Found) {
    for template in tree.templates.iter().filter(|one| one.account == "development") {
        let asks = |one: &&Statement| one.resources.iter().any(|key| key == "${ShareKeyArn}");
        for statement in statements::of(template).iter().filter(asks) {
            if statement.holder != "CopySnapshotRole" {
                let text = format!("{} may use the key of releases", statement.holder);
                found.add("one-role-copies", text);
            }
        }
    }
    let Some(template) = production(tree) else { return };
    for statement in statements::of(template).iter().filter(|one| one.holder == SHARE && one.allows)
    {
        let inside = |who: &String| {
            who.ends_with(".amazonaws.com") || who.contains(":iam::${AWS::AccountId}:")
        };
        let describes = statement.actions.iter().all(|action| action == "kms:DescribeKey");
        if statement.principals.iter().all(inside) || describes {
            continue;
        }
        let named = statement.conditions.iter().any(|one| {
            let pattern = one.strip_prefix("ArnLike aws:PrincipalArn: ");
            let role = pattern.and_then(|pattern| pattern.split_once(":role/"));
            role.is_some_and(|(_, role)| role == COPIES)
        });
        if !named {
            let text = format!("{SHARE} lets in another role of development's than CopySnapshot's");
            found.add("one-role-copies", text);
        }
    }
}
