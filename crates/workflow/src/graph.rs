//! Whether a machine can be walked: every target exists, every state can be reached, every state can reach an end.

use std::collections::HashSet;

use crate::defect::Found;
use crate::fields::is_near;
use crate::machine::Machine;

/// Looks at a machine and those inside it.
pub(crate) fn check(machine: &Machine, at: crate::Position, found: &mut Found) {
    found.enter("");
    if machine.state(&machine.start_at).is_none() {
        let message = format!("`StartAt` names `{}`, which does not exist", machine.start_at);
        found.add(at, message, near(machine, &machine.start_at));
    }
    for state in &machine.states {
        found.enter(&state.name);
        for target in state.targets() {
            if machine.state(target).is_none() {
                let message = format!("leads to `{target}`, which does not exist");
                found.add(state.at, message, near(machine, target));
            }
        }
    }
    if !found.is_empty() {
        return;
    }
    let reached = closure(machine, vec![&machine.start_at], |machine, name| {
        machine.state(name).map_or_else(Vec::new, |state| state.targets())
    });
    let ends = machine.states.iter().filter(|state| state.is_terminal());
    let ending =
        closure(machine, ends.map(|state| state.name.as_str()).collect(), |machine, name| {
            let leads = |state: &&crate::machine::State| state.targets().contains(&name);
            machine.states.iter().filter(leads).map(|state| state.name.as_str()).collect()
        });
    for state in &machine.states {
        found.enter(&state.name);
        if !reached.contains(state.name.as_str()) {
            found.add(state.at, "no way leads here", "lead a state here, or remove it");
        } else if !ending.contains(state.name.as_str()) {
            found.add(
                state.at,
                "no way leads from here to an end",
                "add `End`, a Succeed or a Fail state",
            );
        }
        for inner in state.inner() {
            check(inner, state.at, found);
        }
    }
}

/// Everything that can be stepped to from these states.
fn closure<'a>(
    machine: &'a Machine,
    mut open: Vec<&'a str>,
    step: impl Fn(&'a Machine, &'a str) -> Vec<&'a str>,
) -> HashSet<&'a str> {
    let mut seen = HashSet::new();
    while let Some(name) = open.pop() {
        if seen.insert(name) {
            open.extend(step(machine, name));
        }
    }
    seen
}

fn near(machine: &Machine, name: &str) -> String {
    let near = machine.states.iter().find(|state| is_near(&state.name, name));
    near.map_or_else(
        || "name a state of the same machine".to_owned(),
        |state| format!("did you mean `{}`?", state.name),
    )
}
