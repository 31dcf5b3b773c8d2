//! From a definition's text to a [`Machine`], or to everything that is wrong with it.

use crate::defect::{Defects, Found};
use crate::fields::{Fields, text};
use crate::json::{self, Node, Shape};
use crate::machine::{
    Catcher, Ending, Kind, Machine, Next, Number, Resource, ResultPath, Retrier, State, Task, Text,
};
use crate::path::Path;
use crate::template::Template;
use crate::{choice, graph};

/// Reads a definition; `file` is its name for messages.
pub fn parse(file: &str, text: &str) -> Result<Machine, Defects> {
    let mut found = Found::default();
    let machine = json::read(text, &mut found).and_then(|node| {
        let machine = machine(&node, true, &mut found)?;
        // Of states that could not be read it would only say that they lead nowhere.
        if found.is_empty() {
            graph::check(&machine, node.at, &mut found);
        }
        Some(machine)
    });
    found.or(machine, file)
}

/// A machine, or a branch of one.
fn machine(node: &Node, outermost: bool, found: &mut Found) -> Option<Machine> {
    let mut fields = Fields::of(node, "a state machine", found)?;
    let _ = fields.take("Comment");
    if outermost {
        if let Some(language) = fields.text("QueryLanguage", found)
            && language != "JSONPath"
        {
            found.add(fields.at, format!("`QueryLanguage` is `{language}`"), "write JSONPath");
            return None;
        }
        if let Some(version) = fields.text("Version", found)
            && version != "1.0"
        {
            found.add(fields.at, format!("`Version` is `{version}`"), "write 1.0, or leave it out");
        }
    } else {
        let _ = fields.take("ProcessorConfig");
    }
    let timeout_seconds = if outermost { fields.whole("TimeoutSeconds", 1, found) } else { None };
    let start_at = fields.need_text("StartAt", found);
    let states = states(fields.need("States", found), found);
    fields.end(found);
    Some(Machine { start_at: start_at?, timeout_seconds, states })
}

fn states(node: Option<&Node>, found: &mut Found) -> Vec<State> {
    let Some(Node { shape: Shape::Object(entries), .. }) = node else {
        if let Some(node) = node {
            found.add(node.at, "`States` is no object", "write `{ \"Name\": { … } }`");
        }
        return Vec::new();
    };
    let mut states = Vec::new();
    for (name, at, node) in entries {
        let outer = found.enter(name);
        if name.is_empty() || name.chars().count() > 80 {
            found.add(*at, "a state's name has 1 to 80 characters", "name it otherwise");
        }
        let kind = state(node, found);
        states.extend(kind.map(|kind| State { name: name.clone(), at: *at, kind }));
        found.enter(&outer);
    }
    states
}

fn state(node: &Node, found: &mut Found) -> Option<Kind> {
    let mut fields = Fields::of(node, "a state", found)?;
    let _ = fields.take("Comment");
    let kind = fields.need_text("Type", found)?;
    let kind = match kind.as_str() {
        "Task" => task(&mut fields, found),
        "Wait" => wait(&mut fields, found),
        "Choice" => choices(&mut fields, found),
        "Pass" => pass(&mut fields, found),
        "Parallel" => parallel(&mut fields, found),
        "Map" => map(&mut fields, found),
        "Succeed" => Some(Kind::Succeed),
        "Fail" => Some(fail(&mut fields, found)),
        other => {
            let cure = "use Task, Wait, Choice, Pass, Parallel, Map, Succeed or Fail";
            found.add(fields.at, format!("unknown type `{other}`"), cure);
            return None;
        }
    };
    fields.end(found);
    kind
}

fn task(fields: &mut Fields<'_>, found: &mut Found) -> Option<Kind> {
    let at = fields.at;
    let resource = fields.need_text("Resource", found).and_then(|arn| {
        let known = Resource::ALL.into_iter().find(|(_, known)| *known == arn);
        if known.is_none() {
            let known: Vec<_> = Resource::ALL.iter().map(|(_, arn)| *arn).collect();
            found.add(
                at,
                format!("unknown resource `{arn}`"),
                format!("use one of {}", known.join(", ")),
            );
        }
        known.map(|(resource, _)| resource)
    });
    let parameters = template("Parameters", fields, found);
    let timeout_seconds = fields.whole("TimeoutSeconds", 1, found);
    let ending = ending(fields, found)?;
    Some(Kind::Task(Task { resource: resource?, parameters, timeout_seconds, ending }))
}

fn wait(fields: &mut Fields<'_>, found: &mut Found) -> Option<Kind> {
    let fixed = fields.whole("Seconds", 0, found);
    let at = fields.path("SecondsPath", found);
    let next = next(fields, found);
    let seconds = match (fixed, at) {
        (Some(seconds), None) => Number::Fixed(seconds),
        (None, Some(path)) => Number::At(path),
        _ => {
            found.add(
                fields.at,
                "not exactly one of `Seconds` and `SecondsPath`",
                "write one of them",
            );
            return None;
        }
    };
    Some(Kind::Wait { seconds, next: next? })
}

fn choices(fields: &mut Fields<'_>, found: &mut Found) -> Option<Kind> {
    let items = fields.list("Choices", found);
    if items.is_empty() {
        found.add(fields.at, "no `Choices`", "write at least one");
    }
    let rules: Vec<_> = items.iter().map(|item| choice::read(item, true, found)).collect();
    let default = fields.text("Default", found);
    let rules = rules.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Kind::Choice { rules, default })
}

fn pass(fields: &mut Fields<'_>, found: &mut Found) -> Option<Kind> {
    let fixed = fields.take("Result").map(|node| Template::Literal(node.value()));
    let parameters = template("Parameters", fields, found);
    if fixed.is_some() && parameters.is_some() {
        found.add(fields.at, "both `Result` and `Parameters`", "write one of them");
    }
    let result_path = result_path(fields, found);
    let next = next(fields, found)?;
    Some(Kind::Pass { result: fixed.or(parameters), result_path, next })
}

fn parallel(fields: &mut Fields<'_>, found: &mut Found) -> Option<Kind> {
    let items = fields.list("Branches", found);
    if items.is_empty() {
        found.add(fields.at, "no `Branches`", "write at least one");
    }
    let branches: Vec<_> = items.iter().map(|item| machine(item, false, found)).collect();
    let ending = ending(fields, found)?;
    Some(Kind::Parallel { branches: branches.into_iter().collect::<Option<_>>()?, ending })
}

fn map(fields: &mut Fields<'_>, found: &mut Found) -> Option<Kind> {
    let items = fields.path("ItemsPath", found);
    let selector = template("ItemSelector", fields, found);
    let at_a_time = at_a_time(fields, found);
    let each = fields.need("ItemProcessor", found).and_then(|node| {
        refuse_distributed(node, found);
        machine(node, false, found)
    });
    let ending = ending(fields, found)?;
    let items = items.or_else(|| Path::parse("$"))?;
    Some(Kind::Map { items, selector, at_a_time, each: each?, ending })
}

fn at_a_time(fields: &mut Fields<'_>, found: &mut Found) -> Number {
    let fixed = fields.whole("MaxConcurrency", 0, found);
    match (fixed, fields.path("MaxConcurrencyPath", found)) {
        (fixed, None) => Number::Fixed(fixed.unwrap_or(0)),
        (None, Some(path)) => Number::At(path),
        (Some(_), Some(path)) => {
            let both = "both `MaxConcurrency` and `MaxConcurrencyPath`";
            found.add(fields.at, both, "write one of them");
            Number::At(path)
        }
    }
}

fn refuse_distributed(node: &Node, found: &mut Found) {
    let mode = match &node.value()["ProcessorConfig"] {
        serde_json::Value::Null => return,
        config => config.clone(),
    };
    if mode != serde_json::json!({ "Mode": "INLINE" }) {
        found.add(
            node.at,
            "a `ProcessorConfig` other than inline",
            "write `{ \"Mode\": \"INLINE\" }`",
        );
    }
}

fn fail(fields: &mut Fields<'_>, found: &mut Found) -> Kind {
    let mut either = |fixed: &'static str, path: &'static str| {
        let at = fields.path(path, found).map(Text::At);
        fields.text(fixed, found).map(Text::Fixed).or(at)
    };
    let error = either("Error", "ErrorPath");
    Kind::Fail { error, cause: either("Cause", "CausePath") }
}

fn ending(fields: &mut Fields<'_>, found: &mut Found) -> Option<Ending> {
    let result_selector = template("ResultSelector", fields, found);
    let result_path = result_path(fields, found);
    let retry: Vec<_> =
        fields.list("Retry", found).iter().map(|node| retrier(node, found)).collect();
    let catch: Vec<_> =
        fields.list("Catch", found).iter().map(|node| catcher(node, found)).collect();
    let retry = retry.into_iter().collect::<Option<Vec<_>>>()?;
    let catch = catch.into_iter().collect::<Option<Vec<_>>>()?;
    all_comes_last(fields, retry.iter().map(|retrier| &retrier.errors), found);
    all_comes_last(fields, catch.iter().map(|catcher| &catcher.errors), found);
    Some(Ending { result_selector, result_path, retry, catch, next: next(fields, found)? })
}

const ALL: &str = "States.ALL";

/// After `States.ALL` nothing is ever looked at.
fn all_comes_last<'a>(
    fields: &Fields<'_>,
    lists: impl Iterator<Item = &'a Vec<String>>,
    found: &mut Found,
) {
    let lists: Vec<_> = lists.collect();
    for (index, errors) in lists.iter().enumerate() {
        let alone = errors.len() == 1 && index + 1 == lists.len();
        if errors.iter().any(|error| error == ALL) && !alone {
            found.add(
                fields.at,
                "`States.ALL` is not alone and last",
                "put it alone into the last entry",
            );
        }
    }
}

fn retrier(node: &Node, found: &mut Found) -> Option<Retrier> {
    let mut fields = Fields::of(node, "a retrier", found)?;
    let _ = fields.take("Comment");
    let errors = errors(&mut fields, found);
    let retrier = Retrier {
        errors,
        interval_seconds: fields.whole("IntervalSeconds", 1, found).unwrap_or(1),
        max_attempts: fields.whole("MaxAttempts", 0, found).unwrap_or(3),
        backoff_rate: fields.number("BackoffRate", 1.0, found).unwrap_or(2.0),
        max_delay_seconds: fields.whole("MaxDelaySeconds", 1, found),
    };
    let _ = fields.text("JitterStrategy", found);
    fields.end(found);
    Some(retrier)
}

fn catcher(node: &Node, found: &mut Found) -> Option<Catcher> {
    let mut fields = Fields::of(node, "a catcher", found)?;
    let _ = fields.take("Comment");
    let errors = errors(&mut fields, found);
    let result_path = result_path(&mut fields, found);
    let next = fields.need_text("Next", found);
    fields.end(found);
    Some(Catcher { errors, result_path, next: next? })
}

/// Names that Step Functions itself gives errors.
const RESERVED: [&str; 13] = [
    ALL,
    "States.BranchFailed",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    "States.HeartbeatTimeout",
    "States.IntrinsicFailure",
    "States.NoChoiceMatched",
    "States.ParameterPathFailure",
    "States.Permissions",
    "States.ResultPathMatchFailure",
    "States.Runtime",
    "States.TaskFailed",
    "States.Timeout",
];

fn errors(fields: &mut Fields<'_>, found: &mut Found) -> Vec<String> {
    let items = fields.list("ErrorEquals", found);
    if items.is_empty() {
        found.add(fields.at, "no `ErrorEquals`", "name at least one error");
    }
    let errors: Vec<String> =
        items.iter().filter_map(|node| text(node, "ErrorEquals", found)).collect();
    for (error, node) in errors.iter().zip(items) {
        if error.starts_with("States.") && !RESERVED.contains(&error.as_str()) {
            found.add(node.at, format!("there is no error `{error}`"), "name one that exists");
        }
    }
    errors
}

fn result_path(fields: &mut Fields<'_>, found: &mut Found) -> ResultPath {
    let Some(node) = fields.take("ResultPath") else {
        return ResultPath::At(Path::parse("$").expect("the root is a path"));
    };
    match &node.shape {
        Shape::Null => ResultPath::Discard,
        Shape::Text(text) => match Path::parse(text).filter(|path| !path.context) {
            Some(path) => ResultPath::At(path),
            None => {
                found.add(
                    node.at,
                    format!("`ResultPath` is no path: `{text}`"),
                    crate::fields::PATH_CURE,
                );
                ResultPath::Discard
            }
        },
        _ => {
            found.add(node.at, format!("`ResultPath` is {}", node.noun()), "write a path, or null");
            ResultPath::Discard
        }
    }
}

fn template(name: &'static str, fields: &mut Fields<'_>, found: &mut Found) -> Option<Template> {
    fields.take(name).and_then(|node| Template::read(node, found))
}

fn next(fields: &mut Fields<'_>, found: &mut Found) -> Option<Next> {
    let (next, end) = (fields.text("Next", found), fields.flag("End", found));
    match (next, end) {
        (Some(name), None) => Some(Next::State(name)),
        (None, Some(true)) => Some(Next::End),
        _ => {
            found.add(
                fields.at,
                "not exactly one of `Next` and `\"End\": true`",
                "write one of them",
            );
            None
        }
    }
}
