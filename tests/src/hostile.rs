//! The hostile schema: a database with everything that a rewrite of its tables could lose.

use anyhow::Result;

use crate::command::scenario;
use crate::postgres::{Database, MASTER, Server};

/// The word in every masked text value of the original database.
pub const CANARY: &str = "canaryq7x9k2m4pz";

/// The first bytes of every masked uuid of the original database.
pub const CANARY_UUID: [u8; 10] = [0xc0, 0xff, 0xee, 0x11, 0xc0, 0xde, 0x4b, 0xad, 0x8b, 0xee];

/// A role that owns tables, with the master role as a member.
pub const OWNER: &str = "anonymizer_test_owner";
/// A role that owns tables, without the master role as a member.
pub const STRANGER: &str = "anonymizer_test_stranger";
/// A role that may read.
pub const READER: &str = "anonymizer_test_reader";

/// Builds the database with that many rows in its main tables.
pub fn build<'a>(server: &'a Server, rows: usize) -> Result<Database<'a>> {
    let database = server.database("hostile")?;
    prepare(&database)?;
    let rows = rows.to_string();
    let variables = [
        ("master", MASTER),
        ("owner", OWNER),
        ("stranger", STRANGER),
        ("reader", READER),
        ("rows", &rows),
    ];
    database.load_as_superuser(&scenario("hostile/superuser.sql"), &variables)?;
    database.load(&scenario("hostile/schema.sql"), &variables)?;
    database.load_as_superuser(&scenario("hostile/afterwards.sql"), &variables)?;
    Ok(database)
}

/// Makes what belongs to the whole server, once: roles, by the master itself, and a table space.
fn prepare(database: &Database<'_>) -> Result<()> {
    for role in [OWNER, STRANGER, READER] {
        database.query_as_master(&format!(
            "DO $$ BEGIN CREATE ROLE {role};
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        ))?;
    }
    database.query_as_master(&format!("GRANT {OWNER} TO {MASTER}"))?;
    let exists = database.query("SELECT 1 FROM pg_tablespace WHERE spcname = 'hostile_space'")?;
    if exists.is_empty() {
        let place = "SET allow_in_place_tablespaces = on";
        database.query_each(&[place, "CREATE TABLESPACE hostile_space LOCATION ''"])?;
    }
    database.query(&format!("GRANT CREATE ON TABLESPACE hostile_space TO {MASTER}")).map(drop)
}
