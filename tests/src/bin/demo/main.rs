//! `make demo`: two accounts on this machine. Production has a shop; a week later, and another week later, development has it
//! too, and nobody in it is real. With `--engine postgres` each account has a PostgreSQL server of its own.
//!
//! The story is told in `story`.

mod accounts;
mod shop;
mod table;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;
use orchestrator::local::{DEVELOPMENT, PRODUCTION};

use crate::accounts::{a_week_later, database, refresh, release};
use crate::shop::{CUSTOMERS, Engine, LOOKED_AT, STAFF, Shop};
use crate::table::table;

/// Both accounts on this machine.
#[derive(Parser)]
struct Options {
    /// Where the shop is.
    #[arg(long, value_enum, default_value_t = Engine::Sqlite)]
    engine: Engine,
}

fn main() -> ExitCode {
    // Called with a subcommand this program is the command that has it: the accounts run `anonymizer` and `refresh` as
    // processes of their own, as ever, and there are two programs less to build.
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some(option) if option.starts_with('-') => {}
        Some("request" | "status" | "history" | "execute") => return receiver::refresh::main(),
        Some(_) => return anonymizer::cli::main(),
    }
    let shop = Shop::on(Options::parse().engine);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(story(&shop))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("failed to show the demo: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn story(shop: &Shop) -> Result<()> {
    let root = std::path::absolute("demo")?;
    let production = accounts::begin(&root).await?;

    // First there is a shop in production. It is the same one every time.
    let source = tempfile::tempdir_in(&root)?;
    let (file, rules) = (shop.build(source.path())?, shop.rules(source.path())?);
    accounts::make(&production, shop, &file, &rules).await?;
    source.close()?;
    say(&format!(
        "Production has a shop with {CUSTOMERS} customers who never lived, and a snapshot of it."
    ));

    // We remember what some of them looked like, and every e-mail address, phone number, account and token.
    let real = database(&root, PRODUCTION).await?;
    let (before, originals) = (shop.look(&real)?, shop.originals(&real)?);

    // The weekly run: production releases a masked snapshot, development brings it.
    say("\nThe first week, in production:");
    release(&production, "week-1").await?;
    say("\nand in development:");
    refresh(&root)?;

    // The same questions have other answers there, and each person is still the same in every table.
    let first = database(&root, DEVELOPMENT).await?;
    let after = shop.look(&first)?;
    for ((person, before), after) in LOOKED_AT.iter().zip(&before).zip(&after) {
        say(&table(shop, *person, before, after));
    }
    let staff = "SELECT first_name || ' ' || last_name || ', ' || email FROM customers WHERE id = ";
    let staff = shop.ask(&first, &format!("{staff}{STAFF}"))?.join(", ");
    say(&format!(
        "\nCustomer {STAFF} is one of the shop's own people, and `skip_rows` left them: {staff}\n"
    ));
    say("Searching every byte of development's database:");
    let data = root.join(DEVELOPMENT).join("databases/shop/data");
    for (what, originals) in originals {
        let found = shop.found(&data, &originals)?;
        say(&format!("  {found} of {} original {what} found", originals.len()));
        ensure!(found == 0, "{what} are left in {}", data.display());
    }

    // A week goes by, and the workflow runs again.
    say("\nA week later production has 100 customers more, and a new snapshot. In production:");
    a_week_later(&production, shop).await?;
    release(&production, "week-2").await?;
    say("\nand in development:");
    refresh(&root)?;
    let second = database(&root, DEVELOPMENT).await?;
    ensure!(second.resource_id != first.resource_id, "the database was not replaced");
    ensure!(shop.look(&second)? == after, "the same people have other fakes now");
    let customers = shop.ask(&second, "SELECT CAST(count(*) AS text) FROM customers")?.join("");
    say(&format!(
        "\nDevelopment's database was replaced by one of {customers} customers, and those we looked at have the fakes of last week."
    ));
    let reports = root.join(PRODUCTION).join("documents/reports/shop/week-2");
    let page = reports.join(shop.database).join("report.html");
    ensure!(page.exists(), "{} is not there", page.display());
    accounts::rest(&root).await?;
    say(&format!("  database  {}", relative(&shop.place(&second, &data))));
    say(&format!("  evidence  {}", relative(&page)));
    say("  rules     rules/shop.yaml");
    say("Now write rules for a copy of your own database: `anonymizer run` masks it in place.");
    Ok(())
}

/// As one types it here.
fn relative(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

/// The demo speaks on standard output; it is the one thing here that does.
#[allow(clippy::print_stdout)]
fn say(line: &str) {
    println!("{line}");
}
