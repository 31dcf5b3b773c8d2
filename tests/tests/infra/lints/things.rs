//! What a template must not hold, must keep, and must say.

use std::collections::BTreeSet;

use super::Found;
use crate::template::{Resource, Template, resolved};
use crate::tree::{Tree, source};
use crate::yaml::Node;

/// Words of which a secret's name has one. What follows says that it is not the secret itself.
const SECRET: [&str; 7] =
    ["password", "passwd", "secret", "token", "credential", "privatekey", "private_key"];
const ONLY_WHERE: [&str; 8] = [
    "secretprefix",
    "secret_prefix",
    "secretarn",
    "secretname",
    "tokenkey",
    "databasesecret",
    "database_secret",
    "_secret_arn",
];

/// Chapters of the manual that say what to do.
pub const CHAPTERS: [&str; 8] = [
    "gate failed",
    "key revoked",
    "nothing comes",
    "orphan found",
    "quotas",
    "runbooks",
    "swap failed",
    "wrong data released",
];

/// What is kept when a stack goes.
const KEPT: [&str; 3] = ["AWS::KMS::Key", "AWS::S3::Bucket", "AWS::DynamoDB::Table"];

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = ONLY_WHERE.iter().fold(name, |name, harmless| name.replace(harmless, ""));
    SECRET.iter().any(|word| name.contains(word))
}

/// No secret stands in a parameter, an environment or a definition, and none is fetched by the deployment.
pub fn no_secrets(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        for (name, parameter) in template.parameters() {
            if sounds_secret(name) || parameter.get("NoEcho").is_some() {
                found.add("no-secret", format!("{}: parameter {name}", template.account));
            }
        }
        for (place, name, value) in environments_of(template) {
            if sounds_secret(&name) || value.contains("PRIVATE KEY") {
                found.add("no-secret", format!("{place}: variable {name}"));
            }
        }
        template.root.walk(&mut |node| {
            if node.text().is_some_and(|text| {
                text.contains("{{resolve:secretsmanager") || text.contains("{{resolve:ssm-secure")
            }) {
                found.add(
                    "no-secret",
                    format!("{}.yaml:{} fetches one", template.account, node.line),
                );
            }
        });
        for container in template.of_kind("AWS::ECS::TaskDefinition") {
            container.node.walk(&mut |node| {
                if node.get("Secrets").is_some() {
                    found.add("no-secret", format!("{} gets one in its environment", container.id));
                }
            });
        }
    }
    for definition in &tree.definitions {
        let words = definition.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for word in words.collect::<BTreeSet<_>>() {
            // What a definition calls so is where one is kept.
            let harmless = ["secret", "Credentials", "PointSecret"].contains(&word);
            if !harmless && sounds_secret(word) {
                found.add("no-secret", format!("{}: {word}", definition.file));
            }
        }
    }
}

/// Place, name and value of every variable of a function or a container.
fn environments_of(template: &Template) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for function in template.of_kind("AWS::Lambda::Function") {
        let variables = function.property(&["Environment", "Variables"]);
        for (name, value) in variables.map(Node::entries).unwrap_or_default() {
            all.push((function.id.to_owned(), name.clone(), resolved(value)));
        }
    }
    for task in template.of_kind("AWS::ECS::TaskDefinition") {
        task.node.walk(&mut |node| {
            for item in node.get("Environment").map(Node::items).unwrap_or_default() {
                let part = |key: &str| item.get(key).map(resolved).unwrap_or_default();
                all.push((task.id.to_owned(), part("Name"), part("Value")));
            }
        });
    }
    all
}

/// Keys, documents, evidence and leases stay when a stack goes or a resource is replaced.
pub fn kept(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        for resource in template.resources().filter(|one| KEPT.contains(&one.kind)) {
            for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
                let kept = resource.node.get(policy).and_then(Node::text);
                if !kept.is_some_and(|kept| kept.starts_with("Retain")) {
                    let text = format!("{}: {} has no {policy}", template.account, resource.id);
                    found.add("kept", text);
                }
            }
        }
    }
}

/// What stands in a security group's descriptions is what EC2 takes: it refuses an apostrophe.
pub fn descriptions(tree: &Tree, found: &mut Found) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    for template in &tree.templates {
        let groups = |one: &Resource<'_>| one.kind.starts_with("AWS::EC2::SecurityGroup");
        for resource in template.resources().filter(groups) {
            resource.node.walk(&mut |node| {
                let texts = ["Description", "GroupDescription"].map(|key| node.get(key));
                for text in texts.into_iter().flatten().map(resolved) {
                    if !text.chars().all(allowed) {
                        let text = format!("{}: {}: {text}", template.account, resource.id);
                        found.add("description-is-allowed", text);
                    }
                }
            });
        }
    }
}

/// Logs are encrypted under a key of the account and end; functions write to no other. The ARN of a group ends in `:*`, so
/// that nothing behind it is a stream's.
pub fn logs(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        let groups = template.of_kind("AWS::Logs::LogGroup");
        for group in &groups {
            let goes_on = format!("${{{}.Arn}}:", group.id);
            template.root.walk(&mut |node| {
                if node.text().is_some_and(|text| text.contains(&goes_on)) {
                    let text = format!("{}.yaml:{}: {goes_on}", template.account, node.line);
                    found.add("arn-of-logs-has-an-end", text);
                }
            });
            for property in ["KmsKeyId", "RetentionInDays"] {
                if group.property(&[property]).is_none() {
                    let text = format!("{}: {} has no {property}", template.account, group.id);
                    found.add("logs-are-encrypted-and-end", text);
                }
            }
        }
        for function in template.of_kind("AWS::Lambda::Function") {
            let named = function.text(&["LoggingConfig", "LogGroup"]);
            let own = format!("/aws/lambda/{}", function.text(&["FunctionName"]));
            let is = |group: &Resource<'_>| {
                named == format!("${{{}}}", group.id)
                    || named.is_empty() && group.text(&["LogGroupName"]) == own
            };
            if !groups.iter().any(is) {
                found.add("logs-are-encrypted-and-end", format!("{} logs elsewhere", function.id));
            }
        }
    }
}

/// Every function of an account is told the same, for every one of them has the same code.
pub fn environments(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        let all = environments_of(template);
        let functions = template.of_kind("AWS::Lambda::Function");
        let of = |id: &str| -> BTreeSet<(String, String)> {
            let own = all.iter().filter(|(place, ..)| place == id);
            own.map(|(_, name, value)| (name.clone(), value.clone())).collect()
        };
        let Some(first) = functions.first().map(|function| of(function.id)) else { continue };
        for function in functions.iter().filter(|function| of(function.id) != first) {
            let text = format!("{}: {} is told otherwise", template.account, function.id);
            found.add("functions-are-told-the-same", text);
        }
    }
}

/// Every function is told what its code asks for, and nothing else.
pub fn what_is_asked(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        let code = source(template.account);
        let quoted = code.split('"').skip(1).step_by(2);
        let asked: BTreeSet<&str> = quoted.filter(|text| text.starts_with("ANONYMIZER_")).collect();
        for function in template.of_kind("AWS::Lambda::Function") {
            let variables = function.property(&["Environment", "Variables"]);
            let told = variables.map(Node::entries).unwrap_or_default();
            let told: BTreeSet<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
            for name in asked.symmetric_difference(&told) {
                let text = format!("{}: {} and {name}", template.account, function.id);
                found.add("functions-are-told-what-they-ask", text);
            }
        }
    }
}

/// Whoever is woken by an alarm is told what to do, and the chapter that he is sent to exists.
pub fn runbooks(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        template.root.walk(&mut |node| {
            let text = node.text().unwrap_or_default();
            for rest in text.split("infra/README.md, ").skip(1) {
                let name = rest.strip_prefix("Runbooks, ").unwrap_or(rest);
                let name =
                    name.split(['.', ';', '(', ')', ',', '"']).next().unwrap_or_default().trim();
                if !CHAPTERS.contains(&name.to_lowercase().as_str()) {
                    let text =
                        format!("{}.yaml:{}: no chapter {name}", template.account, node.line);
                    found.add("alarm-has-a-runbook", text);
                }
            }
        });
        for alarm in template.of_kind("AWS::CloudWatch::Alarm") {
            let told = alarm.text(&["AlarmDescription"]).contains("Runbook: ");
            let someone = alarm.text(&["AlarmActions"]).contains("Topic}");
            if !told || !someone {
                found.add("alarm-has-a-runbook", format!("{}: {}", template.account, alarm.id));
            }
        }
    }
}

/// Whoever starts development's fleet tells it how many databases to bring at a time, as the stack was told.
pub fn how_many(tree: &Tree, found: &mut Found) {
    for template in tree.templates.iter().filter(|one| one.account == "development") {
        for (number, line) in template.text.lines().enumerate() {
            if line.contains("{\"databases\":") && !line.contains("\"at_a_time\": ${AtATime}") {
                let text = format!("{}.yaml:{}", template.account, number + 1);
                found.add("fleet-is-told-how-many", text);
            }
        }
    }
}
