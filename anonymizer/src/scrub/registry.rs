//! Every check of every engine, in the order in which an engine carries them out and reports them.

/// A check.
pub struct Check {
    /// Stable name, as rules accept it.
    pub id: &'static str,
    /// What is looked at: a sentence without a full stop.
    pub title: &'static str,
    /// What is done about it.
    pub does: &'static str,
    /// Where it changes anything.
    pub reach: Reach,
    /// The right without which it fails or is residual.
    pub needs: &'static str,
    /// What stays behind whoever runs it: the documented residual risk; empty where nothing does.
    pub residue: &'static str,
}

/// Where a check changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In this database, whatever the scope.
    Database,
    /// On the server: with `--scope instance` only; otherwise what is there is reported.
    Instance,
    /// Nowhere: it looks and tells.
    Looks,
}

/// The check of that name.
pub fn check(id: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.id == id)
}

/// The checks of an engine: those whose names begin with its own.
pub fn checks_of(engine: &str) -> impl Iterator<Item = &'static Check> {
    CHECKS.iter().filter(move |check| {
        check.id.strip_prefix(engine).is_some_and(|rest| rest.starts_with('.'))
    })
}

const OWNER: &str = "membership in the owner";

/// All of them.
pub const CHECKS: &[Check] = &[
    Check {
        id: "postgres.masked-tables",
        title: "heap, indexes and TOAST of every masked table were written anew by the run",
        does: "verified: each file was replaced after the run began; what an earlier, interrupted run has masked is written anew \
               (VACUUM FULL) and analyzed",
        reach: Reach::Database,
        needs: "none beyond the run's own",
        residue: "",
    },
    Check {
        id: "postgres.materialized-views",
        title: "materialized views hold no row from before the masking",
        does: "refreshed by the run; verified: each populated one was written after the last table was masked",
        reach: Reach::Database,
        needs: OWNER,
        residue: "",
    },
    Check {
        id: "postgres.generated-columns",
        title: "generated and tsvector columns follow the masked columns they are made of",
        does: "generated ones are computed again as rows are loaded; a tsvector that a trigger fills is a column like any other and has a rule",
        reach: Reach::Looks,
        needs: "none",
        residue: "",
    },
    Check {
        id: "postgres.kept-tables",
        title: "kept tables hold no row versions from before an UPDATE or DELETE",
        does: "kept tables with columns that can hold text, or of which a column was dropped, are written anew (VACUUM FULL); with the check accepted they are left as they are",
        reach: Reach::Database,
        needs: "ownership of the database",
        residue: "",
    },
    Check {
        id: "postgres.large-objects",
        title: "large objects, which no table's rule reaches",
        does: "`large_objects: drop` unlinks all, `keep` accepts them; pg_largeobject is written anew",
        reach: Reach::Database,
        needs: "ownership of each object",
        residue: "",
    },
    Check {
        id: "postgres.triggers",
        title: "triggers that call out of the database: dblink, http, AWS functions, programs, untrusted languages",
        does: "disabled; a function that calls such a function counts too",
        reach: Reach::Database,
        needs: "membership in the table's owner",
        residue: "",
    },
    Check {
        id: "postgres.rules",
        title: "rewrite rules that call out of the database",
        does: "disabled",
        reach: Reach::Database,
        needs: "membership in the table's owner",
        residue: "",
    },
    Check {
        id: "postgres.event-triggers",
        title: "event triggers: those that call out, and the others",
        does: "those that call out are disabled, the others reported",
        reach: Reach::Database,
        needs: "ownership of the event trigger",
        residue: "",
    },
    Check {
        id: "postgres.functions",
        title: "functions that call out of the database when somebody calls them",
        does: "reported",
        reach: Reach::Looks,
        needs: "none",
        residue: "",
    },
    Check {
        id: "postgres.cron-jobs",
        title: "jobs of pg_cron, and what its log of runs has kept",
        does: "jobs of this database (with `--scope instance`, all) are deactivated, their log is emptied",
        reach: Reach::Database,
        needs: "the rights pg_cron gives the master user",
        residue: "",
    },
    Check {
        id: "postgres.subscriptions",
        title: "subscriptions, with the connection strings in them",
        does: "disabled, detached from their slot and dropped",
        reach: Reach::Database,
        needs: "ownership of the subscription",
        residue: "",
    },
    Check {
        id: "postgres.publications",
        title: "publications, from which others may read",
        does: "reported",
        reach: Reach::Looks,
        needs: "none",
        residue: "",
    },
    Check {
        id: "postgres.user-mappings",
        title: "user mappings: passwords for foreign servers",
        does: "dropped",
        reach: Reach::Database,
        needs: "ownership of the foreign server",
        residue: "",
    },
    Check {
        id: "postgres.foreign-options",
        title: "secrets in options of foreign data wrappers, servers, tables and columns",
        does: "options whose names speak of secrets are dropped; servers and where they lead are reported",
        reach: Reach::Database,
        needs: "ownership",
        residue: "",
    },
    Check {
        id: "postgres.extension-tables",
        title: "extensions' own tables that are known to hold secrets or statements with values",
        does: "emptied; one that is closed to this role and has rows fails",
        reach: Reach::Database,
        needs: "DELETE on the table",
        residue: "",
    },
    Check {
        id: "postgres.database-settings",
        title: "settings of this database, for all roles and for one, that can hold secrets",
        does: "settings that the server does not know (`app.key`) or whose names speak of secrets are reset",
        reach: Reach::Database,
        needs: "ownership of the database; for a role's, CREATEROLE",
        residue: "",
    },
    Check {
        id: "postgres.other-databases",
        title: "the server's other databases",
        does: "`drop` drops one, `masked` asks it for the statement of a passed run; one without tables, functions, types and extension rows passes; template0 and the platform's own do not count",
        reach: Reach::Instance,
        needs: "ownership of the database to drop it, CONNECT to look",
        residue: "",
    },
    Check {
        id: "postgres.prepared-transactions",
        title: "prepared transactions of other databases",
        does: "looked for; in this database they refuse the run",
        reach: Reach::Instance,
        needs: "none",
        residue: "",
    },
    Check {
        id: "postgres.replication-slots",
        title: "replication slots, which hold back write-ahead log and old row versions",
        does: "inactive ones are dropped",
        reach: Reach::Instance,
        needs: "REPLICATION",
        residue: "",
    },
    Check {
        id: "postgres.login-roles",
        title: "login roles other than the run's own and the platform's",
        does: "locked (NOLOGIN, no password), or dropped by rule: what one owns here goes to the run's role",
        reach: Reach::Instance,
        needs: "CREATEROLE, from version 16 on ADMIN on the role",
        residue: "",
    },
    Check {
        id: "postgres.role-passwords",
        title: "password hashes of roles that cannot log in",
        does: "removed from every role but the run's own and the platform's",
        reach: Reach::Instance,
        needs: "CREATEROLE, from version 16 on ADMIN on the role",
        residue: "the password of the run's own role, which whoever restores the snapshot replaces",
    },
    Check {
        id: "postgres.role-settings",
        title: "settings of roles in every database that can hold secrets",
        does: "reset, as those of this database are",
        reach: Reach::Instance,
        needs: "CREATEROLE, from version 16 on ADMIN on the role",
        residue: "",
    },
    Check {
        id: "postgres.column-statistics",
        title: "column statistics hold no value from before the masking",
        does: "gathered again, of kept tables and of columns that ANALYZE passes over too; those of foreign tables are dropped; pg_statistic is written anew (VACUUM FULL)",
        reach: Reach::Database,
        needs: "ownership of the database",
        residue: "",
    },
    Check {
        id: "postgres.extended-statistics",
        title: "extended statistics hold no value from before the masking",
        does: "as column statistics, with pg_statistic_ext_data",
        reach: Reach::Database,
        needs: "ownership of the database",
        residue: "",
    },
    Check {
        id: "postgres.catalogs",
        title: "old rows of this database's catalogs: comments, defaults, options, definitions that were changed or dropped",
        does: "the catalogs that hold texts are written anew (VACUUM FULL)",
        reach: Reach::Database,
        needs: "ownership of the database",
        residue: "",
    },
    Check {
        id: "postgres.shared-catalogs",
        title: "old rows of the server's catalogs: password hashes, connection strings, settings",
        does: "written anew by a superuser",
        reach: Reach::Instance,
        needs: "superuser",
        residue: "without a superuser: bytes of removed rows of pg_authid, pg_db_role_setting, pg_subscription and pg_shdescription until their space is used again",
    },
    Check {
        id: "postgres.query-texts",
        title: "query texts that pg_stat_statements has collected",
        does: "reset, for this database or with `--scope instance` for all",
        reach: Reach::Database,
        needs: "EXECUTE on pg_stat_statements_reset",
        residue: "",
    },
    Check {
        id: "postgres.leftover-files",
        title: "files of this database that belong to no relation, and temporary files",
        does: "looked for, where the role may list files",
        reach: Reach::Looks,
        needs: "EXECUTE on pg_ls_dir",
        residue: "where no role may list files: files that a crash left behind",
    },
    Check {
        id: "postgres.wal",
        title: "write-ahead log from before and during the masking",
        does: "a checkpoint and a switch to a new segment, as far as rights allow",
        reach: Reach::Instance,
        needs: "pg_checkpoint, EXECUTE on pg_switch_wal",
        residue: "old records in segments that wait to be used again, until they are",
    },
    Check {
        id: "postgres.server-logs",
        title: "the server's log files, in which statements and values may stand",
        does: "reported: no role can remove them by SQL",
        reach: Reach::Looks,
        needs: "none",
        residue: "log files inside the data directory",
    },
    Check {
        id: "postgres.arrivals",
        title: "no row and no client has come since the tables were masked",
        does: "verified after everything else: each masked table holds as many rows as the run has loaded into it, each written by \
               the transaction that loaded it, and nobody else is connected; rows that came in between are neither masked nor looked \
               at for sure",
        reach: Reach::Looks,
        needs: "none beyond the run's own",
        residue: "",
    },
    Check {
        id: "sqlite.free-pages",
        title: "free pages and unused parts of pages hold no original",
        does: "the database is written once more into an empty file; verified: it has no free page",
        reach: Reach::Database,
        needs: "none",
        residue: "blocks of the old file on the disk, once it is replaced: encrypt the disk",
    },
    Check {
        id: "sqlite.side-files",
        title: "journal, write-ahead log and copies beside the database",
        does: "written back before the run and removed with the original, as copies are; those of the masked file are empty",
        reach: Reach::Database,
        needs: "none",
        residue: "",
    },
    Check {
        id: "sqlite.statistics",
        title: "sqlite_stat tables hold no value from before the masking",
        does: "gathered again by the run; verified",
        reach: Reach::Database,
        needs: "none",
        residue: "",
    },
    Check {
        id: "sqlite.triggers",
        title: "triggers that call functions which SQLite does not have, and which an application may use to call out",
        does: "reported",
        reach: Reach::Looks,
        needs: "none",
        residue: "",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_stable_in_form_and_each_there_once() {
        for (index, check) in CHECKS.iter().enumerate() {
            let (engine, name) = check.id.split_once('.').unwrap();
            assert!(["postgres", "sqlite"].contains(&engine), "{}", check.id);
            let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(name.chars().all(kebab), "{}", check.id);
            assert!(CHECKS[..index].iter().all(|other| other.id != check.id), "{}", check.id);
            assert!(
                !check.title.ends_with('.') && !check.does.is_empty() && !check.needs.is_empty()
            );
        }
        assert_eq!(checks_of("postgres").count() + checks_of("sqlite").count(), CHECKS.len());
    }
}
