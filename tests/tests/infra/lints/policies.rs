//! What roles may do.

use super::Found;
use crate::statements::{self, MANAGED, ROLE, Statement};
use crate::template::{Resource, Template, resolved};
use crate::tree::{ACCOUNTS, Tree};
use crate::yaml::Node;

/// What makes a snapshot somebody else's too.
const SHARES: [&str; 2] = ["rds:ModifyDBSnapshotAttribute", "rds:ModifyDBClusterSnapshotAttribute"];

/// What RDS asks EC2 in the name of whoever makes or changes a database.
const ASKED_OF_EC2: [&str; 7] = [
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcs",
];
/// Making and changing one.
const MAKES: [&str; 5] = [
    "rds:CreateDBInstance",
    "rds:ModifyDBCluster",
    "rds:ModifyDBInstance",
    "rds:RestoreDBClusterFromSnapshot",
    "rds:RestoreDBInstanceFromDBSnapshot",
];
/// What a secret that RDS makes needs of its key, by RDS as well as by Secrets Manager.
const KEY_OF_SECRET: [&str; 4] =
    ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"];

fn place(template: &Template, statement: &Statement) -> String {
    format!("{}.yaml:{}: {}", template.account, statement.lines.0, statement.holder)
}

/// No action is all of them, or all of a service's; nothing is allowed by saying what is not.
pub fn wildcards(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        for statement in statements::of(template).iter().filter(|one| one.allows) {
            for action in &statement.actions {
                let name = action.split_once(':').map_or("*", |(_, name)| name);
                if name.trim_matches(['*', '?']).is_empty() {
                    found.add(
                        "actions-are-named",
                        format!("{} may {action}", place(template, statement)),
                    );
                }
            }
            for negated in &statement.negated {
                found.add(
                    "actions-are-named",
                    format!("{} has {negated}", place(template, statement)),
                );
            }
        }
    }
}

/// Whatever is for every resource says why.
pub fn reasons(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        let all = statements::of(template);
        // In a key's policy it is the key itself.
        for statement in all.iter().filter(|one| one.kind != "AWS::KMS::Key") {
            let everything = statement.resources.iter().any(|resource| resource == "*");
            let alone = all.iter().filter(|one| one.holder == statement.holder).count() == 1;
            if everything && !explained(template, statement, alone) {
                found.add("star-has-a-reason", place(template, statement));
            }
        }
    }
}

/// A comment stands in the statement or right above it, or above the policy of which it is all.
fn explained(template: &Template, statement: &Statement, alone: bool) -> bool {
    let (first, last) = statement.lines;
    let comment = |line: usize| template.line(line).split_once("# ").map(|(_, text)| text);
    let above = |first: usize| {
        (1..first).rev().take_while(|line| template.line(*line).trim().starts_with('#'))
    };
    let policy = template.line_of(&format!("  {}:", statement.holder)).filter(|_| alone);
    let mut lines = above(first).chain(first..=last).chain(above(policy.unwrap_or(1)));
    lines.any(|line| comment(line).is_some_and(|text| text.len() > 12))
}

/// One role can let others have a snapshot, and no other account's or person's policy can.
pub fn one_shares(tree: &Tree, found: &mut Found) {
    let mut holders = Vec::new();
    for template in &tree.templates {
        for statement in statements::of(template).iter().filter(|one| one.allows) {
            if SHARES.iter().any(|action| statement.covers(action)) {
                holders.push(format!("{} {}", template.account, statement.holder));
            }
        }
    }
    holders.sort();
    holders.dedup();
    if tree.templates.len() == ACCOUNTS.len() && holders != ["production ShareRole"] {
        found.add("one-role-shares", format!("these may share a snapshot: {}", holders.join(", ")));
    }
}

/// A role for each function, with its name; nobody else can be it.
pub fn roles(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        let mut roles = Vec::new();
        for function in template.of_kind("AWS::Lambda::Function") {
            let role = function.text(&["Role"]);
            if roles.contains(&role) {
                found.add("role-of-its-own", format!("{} has another one's role", function.id));
            }
            let of = template
                .of_kind(ROLE)
                .into_iter()
                .find(|one| role == format!("${{{}.Arn}}", one.id));
            match of {
                Some(of) if of.text(&["RoleName"]) == function.text(&["FunctionName"]) => {}
                _ => found
                    .add("role-of-its-own", format!("{} has a role of another name", function.id)),
            }
            roles.push(role);
        }
        let own: Vec<String> =
            template.of_kind(MANAGED).iter().map(|one| format!("${{{}}}", one.id)).collect();
        for role in template.of_kind(ROLE) {
            let attached = role.property(&["ManagedPolicyArns"]).map(Node::items);
            for policy in attached.unwrap_or_default().into_iter().map(resolved) {
                if !own.contains(&policy) {
                    found.add("policies-are-here", format!("{} has {policy}", role.id));
                }
            }
        }
        for statement in statements::of(template).iter().filter(|one| one.kind == "trust") {
            let service = |who: &String| who.ends_with(".amazonaws.com");
            if !statement.principals.iter().all(service) {
                let text =
                    format!("{} can be {}", statement.principals.join(", "), statement.holder);
                found.add("roles-are-of-services", text);
            }
        }
    }
}

/// Roles use keys through the service that they call, and what a service is granted is the service's alone.
pub fn through_services(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        let of_roles = |one: &&Statement| one.allows && matches!(one.kind.as_str(), ROLE | MANAGED);
        for statement in statements::of(template).iter().filter(of_roles) {
            let covers = |actions: &[&str]| actions.iter().any(|action| statement.covers(action));
            let says = |text: &str| statement.conditions.iter().any(|one| one.contains(text));
            let uses =
                covers(&["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant"]);
            let via = says("kms:ViaService") || says("kms:EncryptionContext:");
            let granted = !covers(&["kms:CreateGrant"]) || says("kms:GrantIsForAWSResource: true");
            if uses && !(via && granted) {
                found.add("keys-through-services", place(template, statement));
            }
        }
    }
}

/// What a role may do by itself and by the template's policies that it has.
fn of_role<'a>(all: &'a [Statement], role: &Resource<'_>) -> Vec<&'a Statement> {
    let attached = role.property(&["ManagedPolicyArns"]).map(Node::items);
    let attached: Vec<String> = attached.unwrap_or_default().into_iter().map(resolved).collect();
    let holds = |one: &&Statement| match one.kind.as_str() {
        ROLE => one.holder == role.id,
        MANAGED => attached.contains(&format!("${{{}}}", one.holder)),
        _ => false,
    };
    all.iter().filter(|one| one.allows).filter(holds).collect()
}

/// Whoever makes or changes a database may look at the network, for RDS does so in their name; others need not.
pub fn networks(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        let all = statements::of(template);
        for role in template.of_kind(ROLE) {
            let own = of_role(&all, &role);
            let may = |action: &&&str| own.iter().any(|one| one.covers(action));
            let makes = MAKES.iter().any(|action| may(&action));
            let missing: Vec<&str> =
                ASKED_OF_EC2.iter().filter(|action| makes != may(action)).copied().collect();
            // Functions in a network look at its subnets too.
            if missing.iter().any(|action| makes || *action == "ec2:DescribeVpcs") {
                let text = if makes { "may not" } else { "need not" };
                let text =
                    format!("{} {} {text} {}", template.account, role.id, missing.join(", "));
                found.add("network-is-looked-at", text);
            }
        }
    }
}

/// Who lets RDS make the secret of a master user may use its key by both services, and the key's own policy lets them.
pub fn managed_passwords(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        let all = statements::of(template);
        for role in template.of_kind(ROLE) {
            let own = of_role(&all, &role);
            let of_rds = |one: &&&Statement| {
                one.covers("secretsmanager:CreateSecret")
                    && one.resources.iter().any(|resource| resource.contains("secret:rds!"))
            };
            let Some(makes) = own.iter().find(of_rds) else { continue };
            if !makes.covers("secretsmanager:TagResource") {
                found.add("password-has-its-key", format!("{} may not tag it", role.id));
            }
            for action in KEY_OF_SECRET {
                for service in ["rds.", "secretsmanager."] {
                    let through = |one: &Statement| {
                        let via = one.conditions.iter().find(|one| one.contains("kms:ViaService"));
                        one.covers(action) && via.is_none_or(|via| via.contains(service))
                    };
                    let keys: Vec<&str> = own
                        .iter()
                        .filter(|one| through(one))
                        .flat_map(|one| &one.resources)
                        .filter_map(|key| key.strip_prefix("${")?.strip_suffix(".Arn}"))
                        .collect();
                    let lets = |one: &&Statement| {
                        one.kind == "AWS::KMS::Key"
                            && one.allows
                            && keys.contains(&one.holder.as_str())
                    };
                    if !all.iter().filter(lets).any(through) {
                        let text =
                            format!("{} {}: no {action} by {service}", template.account, role.id);
                        found.add("password-has-its-key", text);
                    }
                }
            }
        }
    }
}
