//! The reference of all checks, as Markdown: `rules/scrub.md`.

use super::{CHECKS, Reach};

const HEAD: &str = "# Scrub checks

What `anonymizer run` looks at besides rows, in the order of the report. Written by `make bless` from the registry in
`anonymizer/src/scrub/registry.rs`.

A check ends as *done*, *not needed*, *residual* (the platform denies every tenant to look or to change: the last column of
the table, shown and not red), *reported* (left as it is: it belongs to the server and the scope is `database`, or the check
only looks), *accepted* or *failed*. One that fails ends the run with exit code 4, unless the rules accept its id with a reason:

```yaml
version: 1
tables: {}
scrub:
  large_objects: drop              # or keep; undecided ones refuse the run
  roles:                           # login roles, with --scope instance; those not named are locked
    grafana: lock
    \"report_*\": drop
  databases:                       # the server's other databases, with --scope instance
    analytics: drop
    billing: masked                # by a run of its own, whose verdict stands in it
  accept:
    - check: postgres.kept-tables
      reason: reference data, never updated
```

";

/// All of it.
pub fn reference() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("| check | what is looked at | what is done | where | needs | residual |\n|---|---|---|---|---|---|\n");
    for check in CHECKS {
        let reach = match check.reach {
            Reach::Database => "this database",
            Reach::Instance => "the server, with `--scope instance`",
            Reach::Looks => "looks only",
        };
        let residue = if check.residue.is_empty() { "–" } else { check.residue };
        let (id, title, does, needs) = (check.id, check.title, check.does, check.needs);
        text.push_str(&format!("| `{id}` | {title} | {does} | {reach} | {needs} | {residue} |\n"));
    }
    text
}
