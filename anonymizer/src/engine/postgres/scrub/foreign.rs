//! Foreign servers: whose passwords are in their user mappings, and secrets in any option.

use sqlx::Row as _;

use crate::engine::EngineError;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::attempt::{attempt, rows, texts};
use crate::engine::postgres::scrub::secret::is_secret;
use crate::engine::postgres::session::ident;
use crate::scrub::{Found, Tally, names};

/// Drops them all.
pub async fn user_mappings(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    const SQL: &str = "SELECT srvname::text, CASE WHEN umuser <> 0 THEN usename::text END FROM pg_catalog.pg_user_mappings ORDER BY 1, 2";
    let mut tally = Tally::default();
    for row in rows(scrub.conn, "read the user mappings", SQL).await? {
        let (server, user): (String, Option<String>) = (row.get(0), row.get(1));
        let (of, label) = match &user {
            Some(user) => (ident(user), user.clone()),
            None => ("PUBLIC".to_owned(), "everybody".to_owned()),
        };
        let mapping = format!("USER MAPPING FOR {of} SERVER {}", ident(&server));
        let label = format!("{label} on {server}");
        let task = format!("drop the user mapping of {label}");
        let dropped = attempt(scrub.conn, &task, &format!("DROP {mapping}")).await?;
        if tally.note(label, dropped) {
            tally.undo(format!("CREATE {mapping} OPTIONS (…)"));
        }
    }
    Ok(tally.found("dropped", "no user mapping"))
}

/// Options with what `ALTER` calls their owner: a label, the command up to its options, the option's name.
fn places() -> String {
    let of = |from: &str| {
        format!(
            "CROSS JOIN LATERAL pg_catalog.pg_options_to_table({from}) o WHERE {}",
            is_secret("o.option_name", "o.option_value")
        )
    };
    let table = "pg_catalog.pg_class c ON c.oid = f.ftrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";
    format!(
        "SELECT 'wrapper ' || fdwname, pg_catalog.format('ALTER FOREIGN DATA WRAPPER %I', fdwname), o.option_name
           FROM pg_catalog.pg_foreign_data_wrapper {}
         UNION ALL
         SELECT 'server ' || srvname, pg_catalog.format('ALTER SERVER %I', srvname), o.option_name FROM pg_catalog.pg_foreign_server {}
         UNION ALL
         SELECT 'table ' || c.oid::regclass, pg_catalog.format('ALTER FOREIGN TABLE %I.%I', n.nspname, c.relname), o.option_name
           FROM pg_catalog.pg_foreign_table f JOIN {table} {}
         UNION ALL
         SELECT 'column ' || c.oid::regclass || '.' || a.attname,
                pg_catalog.format('ALTER FOREIGN TABLE %I.%I ALTER COLUMN %I', n.nspname, c.relname, a.attname), o.option_name
           FROM pg_catalog.pg_foreign_table f JOIN {table} JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid {}
         ORDER BY 1, 3",
        of("fdwoptions"),
        of("srvoptions"),
        of("f.ftoptions"),
        of("a.attfdwoptions"),
    )
}

/// Drops those that speak of secrets.
pub async fn options(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    let mut tally = Tally::default();
    let mut any = false;
    for row in rows(scrub.conn, "read the options of foreign servers", &places()).await? {
        any = true;
        let (place, alter, option): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let label = format!("{option} of {place}");
        let drop = format!("{alter} OPTIONS (DROP {})", ident(&option));
        let dropped = attempt(scrub.conn, &format!("drop the option {label}"), &drop).await?;
        if tally.note(label, dropped) {
            tally.undo(format!("{alter} OPTIONS (ADD {} '…')", ident(&option)));
        }
    }
    let servers = "SELECT srvname::text FROM pg_catalog.pg_foreign_server ORDER BY 1";
    let servers = texts(scrub.conn, "read the foreign servers", servers).await?;
    if !any && !servers.is_empty() {
        return Ok(Found::reported(format!("no secret; servers left: {}", names(&servers))));
    }
    Ok(tally.found("dropped", "no foreign server"))
}
