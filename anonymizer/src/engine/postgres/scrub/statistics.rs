//! What the planner remembers of columns: it is gathered after the masking, and nothing older is left on its pages.

use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};

use crate::catalog::TableName;
use crate::engine::EngineError;
use crate::engine::postgres::scrub::Scrub;
use crate::engine::postgres::scrub::anew::{Horizon, write_anew};
use crate::engine::postgres::scrub::attempt::{Attempt, answer, as_owner, attempt, rows, texts};
use crate::engine::postgres::scrub::tables::regclasses;
use crate::engine::postgres::session::{literal, qualified, run};
use crate::engine::postgres::statistics::recreate_extended;
use crate::engine::postgres::{rights, transaction};
use crate::scrub::{Found, Tally};

/// A catalog of statistics.
pub struct Statistics {
    catalog: &'static str,
    /// The view through which a role that is no superuser sees it, with its columns for a relation's schema and name.
    view: &'static str,
}

/// Of columns.
pub const COLUMNS: Statistics = Statistics { catalog: "pg_statistic", view: "pg_stats" };
/// Of several columns together, and of expressions.
pub const EXTENDED: Statistics =
    Statistics { catalog: "pg_statistic_ext_data", view: "pg_stats_ext" };

/// A relation with statistics from before the masking.
struct Old {
    name: TableName,
    /// Statements that let ANALYZE see what it was told to pass over, and those that tell it so again.
    raise: String,
    lower: String,
    /// ANALYZE would leave it alone, or ask another server.
    forget: bool,
}

/// Gathers once more what was gathered before the masking, of kept tables too: their rows may have been others. Then the
/// catalog is written anew, for ANALYZE replaces its rows, and the old ones would stay on their pages.
pub async fn scrub(scrub: &mut Scrub<'_>, statistics: &Statistics) -> Result<Found, EngineError> {
    let catalog = statistics.catalog;
    let mut tally = Tally::default();
    for old in old(scrub, statistics).await? {
        let done = match old.forget {
            true => forget(scrub, &old, statistics).await?,
            false => gather(scrub, &old).await?,
        };
        tally.note(old.name.to_string(), done);
    }
    let name = TableName::new("pg_catalog", catalog);
    let now = Horizon::now(scrub.conn).await?;
    tally.note(catalog, write_anew(scrub.conn, &name, "pg_catalog", &now).await?);
    Ok(tally.found("gathered again or written anew", ""))
}

/// Those that were not gathered since the run began, and those of which a part is passed over. That no values of a masked table
/// that is empty are in them the run has made sure of.
async fn old(scrub: &mut Scrub<'_>, statistics: &Statistics) -> Result<Vec<Old>, EngineError> {
    let sql = format!(
        "WITH seen AS (
             SELECT DISTINCT coalesce(i.indrelid, c.oid) AS oid
             FROM pg_catalog.{} s JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname
             JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
             LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
             WHERE n.nspname !~ '^pg_' AND c.oid >= 16384 AND n.nspname <> 'anonymizer'),
         passed_over(oid, change) AS (
             SELECT a.attrelid, pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I', a.attrelid::regclass, a.attname)
             FROM pg_catalog.pg_attribute a
             WHERE a.attrelid IN (SELECT oid FROM seen) AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget = 0
           UNION ALL
             SELECT i.indrelid, pg_catalog.format('ALTER INDEX %s ALTER COLUMN %s', i.indexrelid::regclass, a.attnum)
             FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indexrelid
             WHERE i.indrelid IN (SELECT oid FROM seen) AND a.attstattarget = 0 AND i.indkey[a.attnum - 1] = 0
           UNION ALL
             SELECT e.stxrelid, pg_catalog.format('ALTER STATISTICS %I.%I', n.nspname, e.stxname)
             FROM pg_catalog.pg_statistic_ext e JOIN pg_catalog.pg_namespace n ON n.oid = e.stxnamespace
             WHERE e.stxrelid IN (SELECT oid FROM seen) AND e.stxstattarget = 0)
         SELECT n.nspname::text, c.relname::text,
                coalesce((SELECT pg_catalog.string_agg(change || ' SET STATISTICS -1', '; ') FROM passed_over p WHERE p.oid = c.oid), ''),
                coalesce((SELECT pg_catalog.string_agg(change || ' SET STATISTICS 0', '; ') FROM passed_over p WHERE p.oid = c.oid), ''),
                c.relkind = 'f' OR c.relkind IN ('r', 'm') AND pg_catalog.pg_relation_size(c.oid) = 0
         FROM seen JOIN pg_catalog.pg_class c ON c.oid = seen.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE (coalesce(pg_catalog.pg_stat_get_last_analyze_time(c.oid) < (SELECT now::timestamptz FROM anonymizer.run), true)
                OR c.oid IN (SELECT oid FROM passed_over))
           AND NOT (c.oid = ANY ({}) AND c.relkind = 'r' AND pg_catalog.pg_relation_size(c.oid) = 0)
         ORDER BY 1, 2",
        statistics.view,
        regclasses(&scrub.masked)
    );
    let found = rows(scrub.conn, "look at the statistics", &sql).await?;
    let old = |row: &PgRow| Old {
        name: TableName::new(row.get::<String, _>(0), row.get::<String, _>(1)),
        raise: row.get(2),
        lower: row.get(3),
        forget: row.get(4),
    };
    Ok(found.iter().map(old).collect())
}

async fn gather(scrub: &mut Scrub<'_>, old: &Old) -> Result<Attempt, EngineError> {
    let analyze = format!("ANALYZE {}", qualified(&old.name));
    let task = format!("analyze {}", old.name);
    if old.raise.is_empty() {
        return attempt(scrub.conn, &task, &analyze).await;
    }
    let all = format!("{}; {analyze}; {}", old.raise, old.lower);
    as_owner(scrub.conn, &old.name, &task, &all).await
}

/// A column whose type is changed forgets its statistics, even where it is changed to what it was.
async fn forget(
    scrub: &mut Scrub<'_>,
    old: &Old,
    statistics: &Statistics,
) -> Result<Attempt, EngineError> {
    let name = qualified(&old.name);
    let task = format!("forget the statistics of {}", old.name);
    let sql = format!(
        "SELECT pg_catalog.format('ALTER COLUMN %I TYPE %s%s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attcollation = 0 THEN '' ELSE ' COLLATE ' || a.attcollation::regcollation END)
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
         WHERE a.attrelid = {}::regclass",
        literal(&name)
    );
    let changes = match statistics.view {
        "pg_stats" => texts(scrub.conn, &task, &sql).await?,
        _ => Vec::new(),
    };
    let body = async |conn: &mut PgConnection| {
        rights::take(conn, std::slice::from_ref(&old.name)).await?;
        if changes.is_empty() {
            return recreate_extended(conn, &old.name, &task).await;
        }
        run(conn, &task, &format!("ALTER TABLE {name} {}", changes.join(", "))).await
    };
    answer(transaction(scrub.conn, body).await)
}
