//! Definitions with one thing wrong each, and all that is said of them.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail as tests do, and say what they skip"
)]
#![expect(clippy::disallowed_methods, reason = "a folder of others is named by the environment")]

use std::fmt::Write as _;

const GOOD: &str = include_str!("good.asl.json");

#[test]
fn the_whole_subset_is_read() {
    let machine =
        workflow::parse("good.asl.json", GOOD).unwrap_or_else(|defects| panic!("{defects}"));
    let names: Vec<&str> =
        machine.all_states().into_iter().map(|(_, state)| state.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Find", "Ready", "Pause", "Count", "Both", "Left", "Right", "Each", "Mask", "Clean",
            "Failed", "Done"
        ]
    );
}

/// What is replaced in the good definition, by what.
const BROKEN: &[(&str, &str)] = &[
    ("\"StartAt\": \"Find\"", "\"StartAt\": \"Fnd\""),
    ("\"Next\": \"Ready\"\n    },\n    \"Ready\"", "\"Next\": \"Nowhere\"\n    },\n    \"Ready\""),
    ("\"Default\": \"Pause\"", "\"Default\": \"pause\""),
    ("\"Next\": \"Done\"", "\"Next\": \"Clean\""),
    (
        "\"Type\": \"Wait\", \"Seconds\": 20, \"Next\": \"Count\"",
        "\"Type\": \"Wait\", \"Seconds\": 20",
    ),
    ("\"Seconds\": 20", "\"Seconds\": 20, \"SecondsPath\": \"$.s\""),
    ("\"Seconds\": 20", "\"Seconds\": -1"),
    ("\"Seconds\": 20", "\"Timestamp\": \"2030-01-01T00:00:00Z\""),
    ("\"TimeoutSeconds\": 30", "\"TimeoutSecond\": 30"),
    ("\"TimeoutSeconds\": 30", "\"HeartbeatSeconds\": 30"),
    ("\"Type\": \"Succeed\"", "\"Type\": \"Success\""),
    ("ecs:runTask.sync", "ecs:runTasks.sync"),
    ("\"Variable\": \"$.found.id\"", "\"Variable\": \"$.found[\""),
    ("\"NumericLessThan\": 2", "\"NumericLessThan\": \"2\""),
    ("\"NumericLessThan\": 2", "\"NumericSmaller\": 2"),
    ("\"Payload.$\": \"$\"", "\"Payload\": \"$\""),
    ("\"Payload.$\": \"$\"", "\"Payload.$\": \"everything\""),
    ("States.MathAdd($.found.polls, 1)", "States.MathSub($.found.polls, 1)"),
    ("{ \"ErrorEquals\": [\"Refused\"], ", "{ \"ErrorEquals\": [\"States.ALL\"], "),
    ("[\"Retryable\"]", "[\"States.Timedout\"]"),
    ("[\"Retryable\"]", "[]"),
    ("\"ResultPath\": null", "\"ResultPath\": \"$$.x\""),
    ("\"Mode\": \"INLINE\"", "\"Mode\": \"DISTRIBUTED\""),
    ("\"MaxConcurrency\": 2", "\"MaxConcurrency\": 2, \"MaxConcurrencyPath\": \"$.many\""),
    ("\"MaxConcurrency\": 2", "\"MaxConcurrencyPath\": \"many\""),
    ("\"Seconds\": 5, \"End\": true", "\"Seconds\": 5, \"End\": true, \"Next\": \"Done\""),
    ("\"Seconds\": 5, \"End\": true", "\"Seconds\": 5, \"Next\": \"Done\""),
    ("\"StartAt\": \"Find\",", "\"StartAt\": \"Find\", \"QueryLanguage\": \"JSONata\","),
    ("\"StartAt\": \"Find\",", "\"StartAt\": \"Find\", \"StartAt\": \"Find\","),
    ("\"StartAt\": \"Find\",", "\"StartAt\": \"Find\",,"),
    ("\"StartAt\": \"Find\",", "// where it begins\n \"StartAt\": \"Find\","),
];

#[test]
fn everything_broken_is_told() {
    let mut told = String::new();
    for (good, bad) in BROKEN {
        assert_eq!(GOOD.matches(good).count(), 1, "{good}");
        let broken = GOOD.replace(good, bad);
        let defects = workflow::parse("broken.asl.json", &broken).expect_err(bad);
        writeln!(told, "{}\n{defects}\n", bad.replace('\n', " ")).unwrap();
    }
    insta::assert_snapshot!(told);
}

#[test]
fn no_text_makes_the_reader_panic() {
    for end in (0..GOOD.len()).step_by(7).filter(|end| GOOD.is_char_boundary(*end)) {
        let _ = workflow::parse("cut.asl.json", &GOOD[..end]);
    }
    for text in ["", " ", "[]", "null", "{}", "\"é", "{\"States\": []}", "{\"States\": {\"\": {}}}"]
    {
        assert!(workflow::parse("odd.asl.json", text).is_err(), "{text}");
    }
}

/// Broken machines of others, where there are any: `ANONYMIZER_BROKEN_MACHINES` names their folder.
#[test]
fn machines_broken_by_others_are_refused() {
    let Some(folder) =
        std::env::var_os("ANONYMIZER_BROKEN_MACHINES").filter(|folder| !folder.is_empty())
    else {
        eprintln!("skipped: ANONYMIZER_BROKEN_MACHINES is not set");
        return;
    };
    let mut refused = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("bad_") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(workflow::parse(&name, &text).is_err(), "{name}");
            refused += 1;
        }
    }
    assert!(refused > 0);
}
