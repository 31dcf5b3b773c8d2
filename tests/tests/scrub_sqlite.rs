//! Attacks on what a SQLite file carries besides rows.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use contract::report::ScrubStatus;
use e2e::residue::found_in;
use e2e::scrub::Attack;
use rusqlite::Connection;
use tempfile::TempDir;

const RULES: &str = "  customer: { columns: { id: keep, email: email } }\n";

fn shop(plant: &str) -> Result<(TempDir, PathBuf)> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("shop.db");
    let connection = Connection::open(&path)?;
    connection.execute_batch(&format!(
        "CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
         INSERT INTO customer SELECT i, 'canary' || i || '@corp.test' FROM n; {plant}"
    ))?;
    Ok((directory, path))
}

#[test]
fn rows_on_free_pages() -> Result<()> {
    for (off, left) in [("sqlite.free-pages", true), ("", false)] {
        // Rows that a rule removes leave whole pages free.
        let rules = "  customer: { delete_rows: id > 200, columns: { id: keep, email: email } }\n";
        let (_directory, path) = shop("")?;
        let run = Attack::at(format!("sqlite:{}", path.display()), rules).without(off).run()?;
        run.passes()?;
        let found = found_in(&path, &["@corp.test".to_owned()])?;
        ensure!(found.is_empty() != left, "without `{off}`: {found:?}");
        if !left {
            run.is("free-pages", ScrubStatus::Done)?;
        }
    }
    Ok(())
}

#[test]
fn the_log_beside_the_file() -> Result<()> {
    let (directory, path) = shop("")?;
    let connection = Connection::open(&path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.execute("UPDATE customer SET email = 'canary-wal@corp.test' WHERE id = 1", [])?;
    // A crash leaves the log where it is.
    std::fs::copy(directory.path().join("shop.db-wal"), directory.path().join("kept"))?;
    drop(connection);
    std::fs::rename(directory.path().join("kept"), directory.path().join("shop.db-wal"))?;
    let run = Attack::at(format!("sqlite:{}", path.display()), RULES).run()?;
    run.passes()?.is("side-files", ScrubStatus::Done)?;
    for file in std::fs::read_dir(directory.path())? {
        let file = file?.path();
        ensure!(found_in(&file, &["@corp.test".to_owned()])?.is_empty(), "{}", file.display());
    }
    Ok(())
}

#[test]
fn a_trigger_that_needs_the_application() -> Result<()> {
    let (_directory, path) = shop(
        "CREATE TRIGGER tells AFTER INSERT ON customer BEGIN SELECT send_mail(NEW.email); END;
         CREATE TRIGGER harmless AFTER DELETE ON customer BEGIN SELECT lower(OLD.email); END; ANALYZE",
    )?;
    let run = Attack::at(format!("sqlite:{}", path.display()), RULES).run()?;
    run.passes()?;
    assert_eq!(run.is("triggers", ScrubStatus::Reported)?, "left: send_mail at customer");
    assert!(run.is("statistics", ScrubStatus::Done)?.starts_with("gathered again: sqlite_stat1"));
    assert!(run.finished.stdout.contains("scrub: sqlite.triggers: reported: left: send_mail"));
    Ok(())
}
