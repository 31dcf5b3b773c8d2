//! `ALTER ROLE … SET` and `ALTER DATABASE … SET`: settings that may be secrets are reset, by name and without a look at the
//! value.
//!
//! A setting that the server does not know is an application's own (`app.jwt_secret`), unless an extension has that name.

use sqlx::Row as _;

use crate::engine::EngineError;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::attempt::{attempt, rows};
use crate::engine::postgres::scrub::platform;
use crate::engine::postgres::scrub::secret::is_secret;
use crate::engine::postgres::session::ident;
use crate::scrub::{Found, Tally, names};

/// Modules that come without an extension.
const MODULES: &str = "'auto_explain', 'plpgsql', 'pgaudit', 'rds', 'cloudsql', 'azure', 'auth_delay', 'passwordcheck', 'sepgsql'";

struct Setting {
    /// The command up to the setting's name.
    alter: String,
    /// Whose it is.
    of: String,
    name: String,
    /// It is of this database, for all roles or for one.
    here: bool,
}

async fn settings(scrub: &mut Scrub<'_>) -> Result<Vec<Setting>, EngineError> {
    let sql = format!(
        "SELECT CASE WHEN r.oid IS NULL AND d.oid IS NULL THEN 'ALTER ROLE ALL'
                     WHEN r.oid IS NULL THEN pg_catalog.format('ALTER DATABASE %I', d.datname)
                     WHEN d.oid IS NULL THEN pg_catalog.format('ALTER ROLE %I', r.rolname)
                     ELSE pg_catalog.format('ALTER ROLE %I IN DATABASE %I', r.rolname, d.datname) END,
                concat_ws(' in ', coalesce(r.rolname::text, 'every role'), d.datname), x.name,
                d.datname IS NOT DISTINCT FROM pg_catalog.current_database()
         FROM pg_catalog.pg_db_role_setting s
         LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
         CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) config
         CROSS JOIN LATERAL (SELECT split_part(config, '=', 1) AS name, substr(config, strpos(config, '=') + 1) AS value) x
         WHERE (r.oid IS NULL OR NOT {platform}) AND (
            {secret} OR x.name LIKE '%.%'
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_settings p WHERE lower(p.name) = lower(x.name))
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions e WHERE lower(e.name) = lower(split_part(x.name, '.', 1)))
              AND lower(split_part(x.name, '.', 1)) NOT IN ({MODULES}))
         ORDER BY 2, 3",
        platform = platform::ROLE,
        secret = is_secret("x.name", "x.value")
    );
    let rows = rows(scrub.conn, "read the settings of roles and databases", &sql).await?;
    let setting = |row: &sqlx::postgres::PgRow| Setting {
        alter: row.get(0),
        of: row.get(1),
        name: row.get(2),
        here: row.get(3),
    };
    Ok(rows.iter().map(setting).collect())
}

/// Those of this database.
pub async fn of_database(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    let all = settings(scrub).await?;
    reset(scrub, all.into_iter().filter(|setting| setting.here).collect()).await
}

/// Those of roles, and of other databases that are still there.
pub async fn of_roles(scrub: &mut Scrub<'_>) -> Result<Found, EngineError> {
    let all = settings(scrub).await?;
    let found: Vec<Setting> = all.into_iter().filter(|setting| !setting.here).collect();
    if !scrub.whole_server() && !found.is_empty() {
        let found: Vec<String> = found.iter().map(Setting::label).collect();
        return Ok(Found::reported(format!("left: {}", names(&found))));
    }
    reset(scrub, found).await
}

impl Setting {
    fn label(&self) -> String {
        format!("{} of {}", self.name, self.of)
    }
}

async fn reset(scrub: &mut Scrub<'_>, settings: Vec<Setting>) -> Result<Found, EngineError> {
    let mut tally = Tally::default();
    for setting in settings {
        let label = setting.label();
        let name: Vec<String> = setting.name.split('.').map(ident).collect();
        let (alter, name) = (&setting.alter, name.join("."));
        let task = format!("reset {label}");
        let done = attempt(scrub.conn, &task, &format!("{alter} RESET {name}")).await?;
        if tally.note(label, done) {
            tally.undo(format!("{alter} SET {name} = '…'"));
        }
    }
    Ok(tally.found("reset", "no setting that can hold a secret"))
}
