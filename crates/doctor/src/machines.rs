//! State machines: whether they are there.

use account::aws::{Machine, SdkConfig};

use crate::Findings;

/// Looks at the state machine `workflow`, by its ARN, and at its siblings, which are called after it. Answers with the definition
/// of `workflow`, as far as it was read.
pub async fn check(
    config: &SdkConfig,
    workflow: &str,
    siblings: &[&str],
    findings: &mut Findings,
) -> Option<String> {
    let stem = workflow.strip_suffix("workflow").unwrap_or(workflow);
    let siblings = siblings.iter().map(|name| format!("{stem}{name}"));
    let mut definition = None;
    for arn in std::iter::once(workflow.to_owned()).chain(siblings) {
        let name = arn.rsplit(':').next().unwrap_or_default();
        let about = format!("state machine {name}");
        let machine = Machine::new(config, &arn);
        let Some(machine) = findings.answered(&about, machine) else { continue };
        match findings.answered(&about, machine.told().await) {
            Some(Some(told)) if told.active => {
                findings.well(about, "active");
                definition = definition.or_else(|| (arn == workflow).then_some(told.definition));
            }
            Some(_) => findings.wrong(about, "it is not there", "deploy the stack"),
            None => {}
        }
    }
    definition
}
