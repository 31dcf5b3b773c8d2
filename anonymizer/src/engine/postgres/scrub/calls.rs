//! Functions that call out of the database: by their language, by their extension, by what their text mentions, and by calling
//! a function that does.
//!
//! A text is searched for names, not understood: a function whose name is put together as it runs is not found, and one that
//! only mentions such a name in a comment is.

use std::collections::HashMap;

use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::engine::EngineError;
use crate::engine::postgres::scrub::attempt::rows;

/// Extensions whose functions reach other servers, files or programs.
const EXTENSIONS: &str = "'dblink', 'http', 'pg_net', 'aws_lambda', 'aws_s3', 'aws_ml', 'aws_commons', 'pg_cron', 'plsh', 'pg_background', 'orafce_mail', 'pgsql_http'";

/// Beginnings of the names of such functions, whether their extension is here or not.
const NAMES: &[&str] = &[
    "dblink",
    "http_get",
    "http_post",
    "http_put",
    "http_patch",
    "http_delete",
    "http_head",
    "http_request",
    "net.http_",
    "aws_lambda.",
    "aws_s3.",
    "aws_comprehend.",
    "aws_sagemaker.",
    "cron.schedule",
    "pg_background_launch",
    "lo_export",
    "pg_file_write",
];

/// Whole names that are too common to be a beginning.
const WHOLE: &[&str] = &["http"];

/// A function of the user's or of an extension that calls out.
pub struct Calls {
    functions: HashMap<i64, String>,
    /// Names by which other texts call them, in lower case.
    names: Vec<String>,
    /// Those that people wrote.
    own: Vec<String>,
}

struct Function {
    oid: i64,
    name: String,
    label: String,
    body: String,
    calls_out: bool,
    extension: bool,
}

impl Calls {
    /// Reads all functions.
    pub async fn read(conn: &mut PgConnection) -> Result<Self, EngineError> {
        let sql = format!(
            "SELECT p.oid::bigint, lower(p.proname::text), p.oid::regprocedure::text,
                    CASE WHEN e.extname IS NOT NULL OR p.prokind NOT IN ('f', 'p') THEN ''
                         WHEN p.prosrc = '' THEN pg_catalog.pg_get_functiondef(p.oid) ELSE p.prosrc END,
                    coalesce(e.extname IN ({EXTENSIONS}), NOT l.lanpltrusted AND l.lanname NOT IN ('internal', 'c')),
                    e.extname IS NOT NULL
             FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
             JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
             LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid
               AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
             LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
             WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'anonymizer') ORDER BY 3"
        );
        let rows = rows(conn, "read the functions", &sql).await?;
        let functions = rows.iter().map(|row| Function {
            oid: row.get(0),
            name: row.get(1),
            label: row.get(2),
            body: row.get::<String, _>(3).to_lowercase(),
            calls_out: row.get(4),
            extension: row.get(5),
        });
        Ok(Self::among(functions.collect()))
    }

    /// Those that call out, and those that call these, and so on.
    fn among(all: Vec<Function>) -> Self {
        let mut found = Self { functions: HashMap::new(), names: Vec::new(), own: Vec::new() };
        let mut rest = all;
        loop {
            let (new, other): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|f| f.calls_out || found.called_in(&f.body));
            if new.is_empty() {
                found.own.sort();
                return found;
            }
            for function in new {
                if !function.extension {
                    found.own.push(function.label.clone());
                }
                found.names.push(function.name);
                found.functions.insert(function.oid, function.label);
            }
            rest = other;
        }
    }

    /// True where a text in lower case calls something that calls out.
    pub fn called_in(&self, text: &str) -> bool {
        mentions_program(text)
            || NAMES.iter().any(|name| mentions(text, name, true))
            || WHOLE.iter().any(|name| mentions(text, name, false))
            || self.names.iter().any(|name| mentions(text, name, false))
    }

    /// The function of this number, where it calls out.
    pub fn function(&self, oid: i64) -> Option<&str> {
        self.functions.get(&oid).map(String::as_str)
    }

    /// Those that people wrote.
    pub fn own(&self) -> &[String] {
        &self.own
    }
}

/// `name(` with nothing of a name before it; `begins` where the name may go on.
fn mentions(text: &str, name: &str, begins: bool) -> bool {
    let of_name = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = &text[at + name.len()..];
        let after = if begins { after.trim_start_matches(of_name) } else { after };
        let after = after.trim_start_matches('"').trim_start();
        !before.is_some_and(of_name) && after.starts_with('(')
    })
}

/// `COPY … TO PROGRAM`.
fn mentions_program(text: &str) -> bool {
    let mut words =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
    words.any(|word| word == "copy") && words.any(|word| word == "program")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(oid: i64, name: &str, body: &str) -> Function {
        Function {
            oid,
            name: name.into(),
            label: format!("{name}()"),
            body: body.into(),
            calls_out: false,
            extension: false,
        }
    }

    #[test]
    fn a_function_that_calls_one_that_calls_out_calls_out() {
        let calls = Calls::among(vec![
            function(1, "outer_one", "begin perform public.middle (new.id); end"),
            function(2, "middle", "select \"inner_one\"(1)"),
            function(3, "inner_one", "select dblink_exec('x', 'y')"),
            function(4, "harmless", "select my_dblink('x'), dblink, http + 1, outer_one"),
            function(5, "program", "copy t to program 'curl'"),
        ]);
        let found = |oid| calls.function(oid).is_some();
        assert!(found(1) && found(2) && found(3) && found(5));
        assert!(!found(4));
        assert_eq!(calls.own(), ["inner_one()", "middle()", "outer_one()", "program()"]);
    }

    #[test]
    fn names_are_whole_or_beginnings() {
        assert!(mentions("select net.http_post(url)", "net.http_", true));
        assert!(mentions("perform http ('x')", "http", false));
        assert!(!mentions("perform httpx('x')", "http", false));
        assert!(!mentions("perform xhttp('x')", "http", false));
        assert!(!mentions_program("select program, copy from t"));
    }
}
