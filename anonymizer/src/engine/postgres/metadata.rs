//! Texts in the catalog in which a value could stand, each with the name of what holds it.
//!
//! What belongs to PostgreSQL itself or to an extension is left out; so are names, but for those of roles. Catalogs that only
//! superusers may read, such as those of passwords and subscriptions, are not looked at. No function of the user's runs.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};

use crate::engine::EngineError;
use crate::engine::postgres::error::engine_error;

/// A query for `place` and `text`, with the oldest version that it can be put to.
struct Place {
    since: i32,
    query: &'static str,
}

const fn any(query: &'static str) -> Place {
    Place { since: 0, query }
}

/// `{own}` is true where `n` is no schema of PostgreSQL's, `{free:CATALOG:OID}` where the object belongs to no extension.
const PLACES: &[Place] = &[
    // Objects of the first 16384 numbers come with every database; of these, people comment on schemas. A comment that is
    // the same in the extension's own files says nothing.
    any("SELECT 'comment on ' || o.type || ' ' || o.identity, d.description FROM pg_catalog.pg_description d
         CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) o
         WHERE (d.objoid::bigint >= 16384 OR d.classoid = 'pg_catalog.pg_namespace'::regclass)
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid
                            AND e.refclassid = 'pg_catalog.pg_extension'::regclass AND e.deptype = 'e')
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_available_extensions a ON a.name = x.extname
                            WHERE d.classoid = 'pg_catalog.pg_extension'::regclass AND d.objoid = x.oid AND a.comment = d.description)"),
    any("SELECT 'comment on ' || o.type || ' ' || o.identity, d.description FROM pg_catalog.pg_shdescription d
         CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, 0) o"),
    any("SELECT CASE a.attgenerated WHEN '' THEN 'default of ' ELSE 'generated column ' END || n.nspname || '.' || c.relname || '.' || a.attname,
                pg_catalog.pg_get_expr(d.adbin, d.adrelid)
         FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
         JOIN pg_catalog.pg_class c ON c.oid = d.adrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE {own} AND {free:pg_class:c.oid}"),
    // The default that rows have which are older than their column.
    any("SELECT 'default of older rows of ' || n.nspname || '.' || c.relname || '.' || a.attname, a.attmissingval::text
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE a.atthasmissing AND NOT a.attisdropped AND {own} AND {free:pg_class:c.oid}"),
    any("SELECT CASE k.contype WHEN 'c' THEN 'check ' ELSE 'exclusion constraint ' END || k.conname || ' of '
                || coalesce(c.relname_qualified, t.typname_qualified), pg_catalog.pg_get_constraintdef(k.oid)
         FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
         LEFT JOIN LATERAL (SELECT n2.nspname || '.' || c2.relname AS relname_qualified FROM pg_catalog.pg_class c2
                            JOIN pg_catalog.pg_namespace n2 ON n2.oid = c2.relnamespace WHERE c2.oid = k.conrelid) c ON true
         LEFT JOIN LATERAL (SELECT 'domain ' || n3.nspname || '.' || t3.typname AS typname_qualified FROM pg_catalog.pg_type t3
                            JOIN pg_catalog.pg_namespace n3 ON n3.oid = t3.typnamespace WHERE t3.oid = k.contypid) t ON true
         WHERE k.contype IN ('c', 'x') AND {own} AND {free:pg_constraint:k.oid} AND {free:pg_class:k.conrelid} AND {free:pg_type:k.contypid}"),
    any("SELECT 'index ' || n.nspname || '.' || c.relname, pg_catalog.pg_get_indexdef(x.indexrelid)
         FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE (x.indexprs IS NOT NULL OR x.indpred IS NOT NULL) AND {own} AND {free:pg_class:x.indrelid}"),
    any("SELECT 'label of enum ' || n.nspname || '.' || t.typname, e.enumlabel::text
         FROM pg_catalog.pg_enum e JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         WHERE {own} AND {free:pg_type:t.oid}"),
    any("SELECT 'default of domain ' || n.nspname || '.' || t.typname, t.typdefault
         FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         WHERE t.typdefault IS NOT NULL AND {own} AND {free:pg_type:t.oid}"),
    any("SELECT 'partition bound of ' || n.nspname || '.' || c.relname, pg_catalog.pg_get_expr(c.relpartbound, c.oid)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relispartition AND c.relpartbound IS NOT NULL AND {own} AND {free:pg_class:c.oid}"),
    any("SELECT 'partition key of ' || n.nspname || '.' || c.relname, pg_catalog.pg_get_partkeydef(c.oid)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'p' AND {own} AND {free:pg_class:c.oid}"),
    any("SELECT CASE c.relkind WHEN 'v' THEN 'view ' ELSE 'materialized view ' END || n.nspname || '.' || c.relname,
                pg_catalog.pg_get_viewdef(c.oid)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('v', 'm') AND {own} AND {free:pg_class:c.oid}"),
    any("SELECT 'rule ' || r.rulename || ' of ' || n.nspname || '.' || c.relname, pg_catalog.pg_get_ruledef(r.oid)
         FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE r.rulename <> '_RETURN' AND {own} AND {free:pg_class:c.oid}"),
    any("SELECT 'trigger ' || t.tgname || ' of ' || n.nspname || '.' || c.relname, pg_catalog.pg_get_triggerdef(t.oid)
         FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE NOT t.tgisinternal AND {own} AND {free:pg_class:c.oid}"),
    any("SELECT 'policy ' || p.polname || ' of ' || n.nspname || '.' || c.relname,
                pg_catalog.concat_ws(' ', pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
         FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE {own} AND {free:pg_class:c.oid}"),
    any("SELECT 'function ' || o.identity,
                CASE WHEN p.prokind = 'a' THEN (SELECT pg_catalog.concat_ws(' ', a.agginitval, a.aggminitval) FROM pg_catalog.pg_aggregate a
                                                 WHERE a.aggfnoid = p.oid)
                     ELSE pg_catalog.pg_get_functiondef(p.oid) END
         FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         CROSS JOIN LATERAL pg_catalog.pg_identify_object('pg_catalog.pg_proc'::regclass, p.oid, 0) o
         WHERE {own} AND {free:pg_proc:p.oid}"),
    any("SELECT 'extended statistics ' || n.nspname || '.' || s.stxname, pg_catalog.pg_get_statisticsobjdef(s.oid)
         FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace WHERE {own}"),
    Place {
        since: 150_000,
        query: "SELECT 'publication ' || p.pubname || ' of ' || n.nspname || '.' || c.relname, pg_catalog.pg_get_expr(r.prqual, r.prrelid)
         FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
         JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE r.prqual IS NOT NULL",
    },
    any("SELECT 'name of a role', r.rolname::text FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_'"),
    any("SELECT pg_catalog.concat_ws(' ', 'setting of', 'role ' || r.rolname, 'database ' || d.datname), x.text
         FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
         LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) x(text)"),
    any("SELECT 'security label of ' || l.objtype || ' ' || l.objname, l.label FROM pg_catalog.pg_seclabels l"),
    any("SELECT 'foreign-data wrapper ' || w.fdwname, x.text FROM pg_catalog.pg_foreign_data_wrapper w
         CROSS JOIN LATERAL pg_catalog.unnest(w.fdwoptions) x(text)"),
    any("SELECT 'foreign server ' || s.srvname, x.text FROM pg_catalog.pg_foreign_server s
         CROSS JOIN LATERAL pg_catalog.unnest(s.srvoptions || s.srvtype || s.srvversion) x(text) WHERE x.text IS NOT NULL"),
    any("SELECT 'user mapping of ' || coalesce(m.usename, 'public') || ' for ' || m.srvname, x.text
         FROM pg_catalog.pg_user_mappings m CROSS JOIN LATERAL pg_catalog.unnest(m.umoptions) x(text)"),
    any("SELECT 'foreign table ' || n.nspname || '.' || c.relname, x.text
         FROM pg_catalog.pg_foreign_table f JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL pg_catalog.unnest(f.ftoptions) x(text)"),
    any("SELECT 'foreign column ' || n.nspname || '.' || c.relname || '.' || a.attname, x.text
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL pg_catalog.unnest(a.attfdwoptions) x(text) WHERE NOT a.attisdropped"),
    any("SELECT 'text search dictionary ' || n.nspname || '.' || d.dictname, d.dictinitoption
         FROM pg_catalog.pg_ts_dict d JOIN pg_catalog.pg_namespace n ON n.oid = d.dictnamespace
         WHERE d.dictinitoption IS NOT NULL AND {own} AND {free:pg_ts_dict:d.oid}"),
    any("SELECT 'event trigger ' || e.evtname, x.text FROM pg_catalog.pg_event_trigger e
         CROSS JOIN LATERAL pg_catalog.unnest(e.evttags) x(text)"),
];

/// Every text of the catalog.
pub async fn read(conn: &mut PgConnection) -> Result<Vec<(String, String)>, EngineError> {
    let fail = |error| engine_error("read the texts in the catalog", error);
    let version: i32 =
        sqlx::query_scalar("SELECT pg_catalog.current_setting('server_version_num')::int")
            .fetch_one(&mut *conn)
            .await
            .map_err(fail)?;
    let mut texts = Vec::new();
    for place in PLACES.iter().filter(|place| place.since <= version) {
        let rows = sqlx::query(AssertSqlSafe(expand(place.query)))
            .fetch_all(&mut *conn)
            .await
            .map_err(fail)?;
        for row in &rows {
            // What was dropped a moment ago has neither.
            let pair = (row.get::<Option<String>, _>(0), row.get::<Option<String>, _>(1));
            if let (Some(place), Some(text)) = pair {
                texts.push((place, text));
            }
        }
    }
    Ok(texts)
}

/// Writes the conditions out.
fn expand(query: &str) -> String {
    let own = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
    let mut parts = query.split("{free:");
    let mut sql = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (object, rest) = part.split_once('}').expect("every brace is closed");
        let (catalog, oid) = object.split_once(':').expect("a catalog and an object");
        sql.push_str(&format!(
            "NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.{catalog}'::regclass AND e.objid = {oid}
              AND e.refclassid = 'pg_catalog.pg_extension'::regclass AND e.deptype = 'e'){rest}"
        ));
    }
    sql.replace("{own}", own)
}
