//! The definitions against the functions that a template makes for them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use workflow::StepError;
use workflow::machine::{Kind, Resource, State, Task};
use workflow::template::Template as Parameters;

use super::Found;
use crate::template::{Template, resolved};
use crate::tree::{Definition, Tree, steps};
use crate::yaml::Node;

const MACHINE: &str = "AWS::StepFunctions::StateMachine";
const FUNCTION: &str = "AWS::Lambda::Function";

/// Errors of services that a definition may look for, as their documentation has them.
const OF_SERVICES: &[(Resource, &[&str])] = &[
    (
        Resource::Lambda,
        &[
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
            "Lambda.Unknown",
        ],
    ),
    (
        Resource::RunTask,
        &[
            "AmazonECS.Unknown",
            "ECS.AmazonECSException",
            "ECS.ServerException",
            "ECS.ClientException",
        ],
    ),
    (
        Resource::StartExecution,
        &["StepFunctions.ExecutionLimitExceededException", "StepFunctions.SfnException"],
    ),
    (Resource::Publish, &["SNS.AmazonSNSException"]),
    (Resource::PutEvents, &["EventBridge.FailedEntry", "EventBridge.EventBridgeException"]),
];

/// Errors that Step Functions makes itself.
const OF_STATES: &[&str] = &["States.ALL", "States.Timeout", "States.TaskFailed"];

fn states(definition: &Definition) -> Vec<&State> {
    definition.machine.all_states().into_iter().map(|(_, state)| state).collect()
}

fn tasks(definition: &Definition) -> Vec<(&str, &Task)> {
    let all = states(definition).into_iter();
    all.filter_map(|state| match &state.kind {
        Kind::Task(task) => Some((state.name.as_str(), task)),
        _ => None,
    })
    .collect()
}

/// The step that a task calls.
fn called(task: &Task) -> Option<&str> {
    let Some(Parameters::Object(fields)) = &task.parameters else { return None };
    let (_, name) = fields.iter().find(|(key, _)| key == "FunctionName")?;
    let Parameters::Literal(Value::String(name)) = name else { return None };
    name.strip_prefix("${")?.strip_suffix('}')
}

/// Every function that is called is a step, and every step is called.
pub fn functions(tree: &Tree, found: &mut Found) {
    for account in ["production", "development"] {
        let mut used = BTreeSet::new();
        for definition in tree.definitions.iter().filter(|one| one.account == account) {
            for (state, task) in
                tasks(definition).iter().filter(|(_, t)| t.resource == Resource::Lambda)
            {
                match called(task) {
                    Some(step) if steps(account).contains(&step) => drop(used.insert(step)),
                    other => found.add(
                        "calls-a-step",
                        format!(
                            "{}: {state} calls {}",
                            definition.file,
                            other.unwrap_or("no step")
                        ),
                    ),
                }
            }
        }
        for step in steps(account).iter().filter(|step| !used.contains(*step)) {
            found.add("step-is-used", format!("{account}: no definition calls {step}"));
        }
    }
}

/// The machine of a definition.
fn machine_of<'a>(template: &'a Template, file: &str) -> Vec<crate::template::Resource<'a>> {
    let all = template.of_kind(MACHINE).into_iter();
    all.filter(|machine| {
        machine.text(&["DefinitionS3Location", "Key"]).ends_with(&format!("/{file}"))
    })
    .collect()
}

/// Everything that a definition leaves open is put in, with what it means, and nothing else is.
pub fn substitutions(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        let definitions = || tree.definitions.iter().filter(|one| one.account == template.account);
        for machine in template.of_kind(MACHINE) {
            let key = machine.text(&["DefinitionS3Location", "Key"]);
            if !definitions().any(|one| key == format!("${{ArtifactPrefix}}/{}", one.file)) {
                found.add("machine-has-a-definition", format!("{}: {key}", machine.id));
            }
            for inline in ["Definition", "DefinitionString"] {
                if machine.property(&[inline]).is_some() {
                    found.add(
                        "machine-has-a-definition",
                        format!("{} has a copy of one", machine.id),
                    );
                }
            }
        }
        for definition in definitions() {
            let machines = machine_of(template, &definition.file);
            let [machine] = machines.as_slice() else {
                let text = format!("{} has {} machines", definition.file, machines.len());
                found.add("definition-has-a-machine", text);
                continue;
            };
            let put = machine.property(&["DefinitionSubstitutions"]).map(Node::entries);
            let put: BTreeMap<&str, &Node> =
                put.unwrap_or_default().iter().map(|(name, node)| (name.as_str(), node)).collect();
            let open = open(&definition.text);
            for name in open.iter().filter(|name| !put.contains_key(name.as_str())) {
                let text = format!("{}: ${{{name}}} is left open", machine.id);
                found.add("substituted", text);
            }
            for (name, node) in put {
                if !open.contains(name) {
                    found.add("substituted", format!("{}: {name} is not used", machine.id));
                }
                if steps(template.account).contains(&name)
                    && handler(template, node).as_deref() != Some(name)
                {
                    let text = format!("{}: {name} is {}", machine.id, resolved(node));
                    found.add("substituted", text);
                }
            }
        }
    }
}

/// What stands as `${…}` in a definition.
fn open(text: &str) -> BTreeSet<String> {
    let names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// The handler of a function by its ARN.
fn handler(template: &Template, arn: &Node) -> Option<String> {
    let arn = resolved(arn);
    let functions = template.of_kind(FUNCTION);
    let function = functions.into_iter().find(|one| arn == format!("${{{}.Arn}}", one.id))?;
    Some(function.text(&["Handler"]))
}

/// Every step has its function, every function a step.
pub fn handlers(tree: &Tree, found: &mut Found) {
    for template in &tree.templates {
        let functions = template.of_kind(FUNCTION);
        let handlers: Vec<String> = functions.iter().map(|one| one.text(&["Handler"])).collect();
        for step in steps(template.account) {
            let count = handlers.iter().filter(|handler| handler == step).count();
            if count != 1 {
                let text = format!("{}: {step} has {count} functions", template.account);
                found.add("step-has-a-function", text);
            }
        }
        for (function, handler) in functions.iter().zip(&handlers) {
            if !steps(template.account).contains(&handler.as_str()) {
                let text =
                    format!("{}: {} has the handler {handler}", template.account, function.id);
                found.add("handler-is-a-step", text);
            }
            if function.text(&["FunctionName"]) != format!("${{Name}}-{handler}") {
                let text = format!("{} is called otherwise than its step", function.id);
                found.add("handler-is-a-step", text);
            }
        }
    }
}

/// Every error that is looked for can come.
pub fn errors(tree: &Tree, found: &mut Found) {
    for definition in &tree.definitions {
        for state in states(definition) {
            let Some(ending) = state.ending() else { continue };
            let retried = ending.retry.iter().flat_map(|retrier| &retrier.errors);
            let caught = ending.catch.iter().flat_map(|catcher| &catcher.errors);
            let of_task = match &state.kind {
                Kind::Task(task) => Some(&task.resource),
                _ => None,
            };
            let of_service = OF_SERVICES.iter().find(|(resource, _)| Some(resource) == of_task);
            let of_service = of_service.map(|(_, errors)| *errors).unwrap_or_default();
            let steps =
                if of_task == Some(&Resource::Lambda) { &StepError::NAMES[..] } else { &[] };
            for error in retried.chain(caught).map(String::as_str) {
                let known = [OF_STATES, of_service, steps].iter().any(|all| all.contains(&error));
                if !known {
                    let text = format!("{}: {} looks for {error}", definition.file, state.name);
                    found.add("error-exists", text);
                }
            }
        }
    }
}

/// Nothing may take for ever, and the machine is the one to say that a function has taken too long: it tries that again.
pub fn timeouts(tree: &Tree, found: &mut Found) {
    let mut needs: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for definition in &tree.definitions {
        if definition.machine.timeout_seconds.is_none() {
            found.add("ends", format!("{} may run for ever", definition.file));
        }
        for (state, task) in tasks(definition) {
            let Some(seconds) = task.timeout_seconds else {
                found.add("ends", format!("{}: {state} may take for ever", definition.file));
                continue;
            };
            if let Some(step) = called(task) {
                let most = needs.entry((definition.account, step)).or_default();
                *most = seconds.max(*most);
            }
        }
    }
    for template in &tree.templates {
        for function in template.of_kind(FUNCTION) {
            let handler = function.text(&["Handler"]);
            let need =
                needs.get(&(template.account, handler.as_str())).copied().unwrap_or_default();
            let has = function.text(&["Timeout"]).parse::<u64>().unwrap_or_default();
            if has < need {
                let text = format!("{}: {has} s, and its step may take {need} s", function.id);
                found.add("function-has-the-time", text);
            }
        }
    }
}
