//! PostgreSQL: a database is a server of its own, and its snapshot a cold copy of the whole cluster.
//!
//! The server is stopped while a snapshot is taken, so its clients are sent away; RDS only halts them for a moment. It runs
//! as long as its database is there, whichever process has started it, and listens on this machine alone. Nobody logs in as its
//! superuser; the master user may create roles and databases. A password is set while the server is stopped, is in one file
//! for its owner alone, and never survives a restore.

mod copy;
mod programs;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, test_kill_process};

pub use self::copy::{capture, unpack};
pub use self::programs::Programs;
use super::engine;
use super::place::{self, Place, failed};
use super::record::DatabaseRecord;
use super::sealed::random;
use crate::error::SnapshotError;

/// The role that people have the password of.
const MASTER: &str = "postgres";
/// The superuser, called as on RDS.
const PLATFORM: &str = "rdsadmin";
/// A port that another program takes at the last moment is not worth failing for, nor are a predecessor's last sessions.
const STARTS: usize = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// Stands in the settings of a server that is not started with them.
const NO_PORT: u16 = 1;

/// Whoever knows the password.
const CLIENTS: &str = "host all all 127.0.0.1/32 scram-sha-256\n";

/// A cluster that nobody serves yet, with a master user that nobody has the password of.
pub fn create(place: &Place, record: &DatabaseRecord) -> Result<(), SnapshotError> {
    let (programs, data) = (programs(place, record)?, data(place, record));
    place::remove_all(&data)?;
    place::make(&data, 0o700)?;
    programs.hand_over(&data)?;
    let mut initdb = programs.server("initdb");
    initdb.arg(format!("--username={PLATFORM}")).args(["--auth=reject", "--encoding=UTF8"]);
    initdb.args(["--locale=C.UTF-8", "--wal-segsize=1", "--no-sync", "-D"]).arg(&data);
    programs.run(&mut initdb)?;
    configure(place, record, &programs, NO_PORT)?;
    programs.single_user(
        &data,
        &format!(
            "CREATE ROLE {MASTER} LOGIN CREATEROLE CREATEDB\n\
             ALTER DATABASE postgres OWNER TO {MASTER}\n\
             ALTER DATABASE template1 OWNER TO {MASTER}\n"
        ),
    )
}

/// Where a running server listens, or would.
pub fn endpoint(place: &Place, name: &str) -> Result<String, SnapshotError> {
    let port = ports(place)?.get(name).copied();
    Ok(port.map(|port| format!("127.0.0.1:{port}")).unwrap_or_default())
}

/// Starts the server, unless it runs.
pub fn open(place: &Place, record: &DatabaseRecord) -> Result<(), SnapshotError> {
    if is_running(place, record) {
        return write_url(place, record, None);
    }
    let (programs, data) = (programs(place, record)?, data(place, record));
    let log = place.database(&record.database.name).join("log");
    let mut tried = 0;
    loop {
        configure(place, record, &programs, port(place, &record.database.name)?)?;
        fs::File::create(&log).map_err(failed("make", &log))?;
        programs.hand_over(&log)?;
        let mut start = programs.server("pg_ctl");
        start.args(["start", "-w", "-s", "-t", "60", "-D"]).arg(&data).arg("-l").arg(&log);
        // The server inherits what it is given here, and keeps it open.
        let started = start.stdout(Stdio::null()).stderr(Stdio::null()).status();
        tried += 1;
        match started {
            Ok(status) if status.success() => return write_url(place, record, None),
            _ if tried < STARTS => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "this thread has nothing else to do"
                )]
                thread::sleep(PAUSE);
            }
            _ => {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(SnapshotError::Other(format!(
                    "the server of {} does not start: {said}",
                    record.database.name
                )));
            }
        }
    }
}

/// Stops the server, if it runs.
pub fn close(place: &Place, record: &DatabaseRecord) -> Result<(), SnapshotError> {
    if !is_running(place, record) {
        return Ok(());
    }
    let programs = programs(place, record)?;
    let mut stop = programs.server("pg_ctl");
    stop.args(["stop", "-w", "-s", "-m", "fast", "-t", "120", "-D"]).arg(data(place, record));
    programs.run(&mut stop).map(drop)
}

/// Gives the master user a password that was never used. The server is stopped meanwhile.
pub fn new_password(place: &Place, record: &DatabaseRecord) -> Result<(), SnapshotError> {
    let password = set_password(place, record)?;
    open(place, record)?;
    write_url(place, record, Some(&password))
}

/// A random password, that nobody has but who called.
pub fn set_password(place: &Place, record: &DatabaseRecord) -> Result<String, SnapshotError> {
    close(place, record)?;
    let data = data(place, record);
    let password = hex::encode(random::<24>().map_err(failed("set a password in", &data))?);
    let statement = format!("ALTER ROLE {MASTER} PASSWORD '{password}'\n");
    programs(place, record)?.single_user(&data, &statement)?;
    Ok(password)
}

/// Whether there is a server that serves this very cluster.
pub fn is_running(place: &Place, record: &DatabaseRecord) -> bool {
    let file = fs::read_to_string(data(place, record).join("postmaster.pid"));
    let pid = file.ok().and_then(|text| text.lines().next()?.trim().parse().ok());
    // A process that is not ours to signal is there all the same.
    let answer = pid.and_then(Pid::from_raw).map(test_kill_process);
    matches!(answer, Some(Ok(()) | Err(rustix::io::Errno::PERM)))
}

/// The version of the server that new databases get.
pub fn version(place: &Place) -> Result<String, SnapshotError> {
    Programs::find(place.postgres.as_deref(), None)?.version()
}

/// The settings of this server and nothing of another's.
fn configure(
    place: &Place,
    record: &DatabaseRecord,
    programs: &Programs,
    port: u16,
) -> Result<(), SnapshotError> {
    let data = data(place, record);
    // The log says no more than why a server does not start: other messages may quote rows.
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n\
         password_encryption = 'scram-sha-256'\nfsync = off\nmin_wal_size = '8MB'\n\
         log_min_messages = fatal\nlog_min_error_statement = panic\nlog_statement = none\n"
    );
    for (file, text) in
        [("postgresql.conf", &*settings), ("postgresql.auto.conf", ""), ("pg_hba.conf", CLIENTS)]
    {
        let path = data.join(file);
        place::write_text(&path, text)?;
        programs.hand_over(&path)?;
    }
    Ok(())
}

/// Writes down the URL with a password, or with the one that stands there, where there is one.
fn write_url(
    place: &Place,
    record: &DatabaseRecord,
    password: Option<&str>,
) -> Result<(), SnapshotError> {
    let file = engine::secret_file(place, &record.database);
    let old = match fs::read_to_string(&file) {
        Ok(old) => zeroize::Zeroizing::new(old),
        Err(_) => Default::default(),
    };
    let known = old.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
    let known = known.and_then(|(login, _)| login.split_once(':')).map(|(_, password)| password);
    let Some(password) = password.or(known) else { return Ok(()) };
    let endpoint = endpoint(place, &record.database.name)?;
    let url = format!("postgres://{MASTER}:{password}@{endpoint}/postgres\n");
    place::write_text(&file, &zeroize::Zeroizing::new(url))
}

fn programs(place: &Place, record: &DatabaseRecord) -> Result<Programs, SnapshotError> {
    Programs::find(place.postgres.as_deref(), Some(&record.database.engine_version))
}

fn data(place: &Place, record: &DatabaseRecord) -> PathBuf {
    place.database(&record.database.name).join("data")
}

/// Ports go by name, as host names do on RDS: who gets the name is found where its predecessor was.
fn ports(place: &Place) -> Result<BTreeMap<String, u16>, SnapshotError> {
    Ok(place::read(&ports_file(place))?.unwrap_or_default())
}

fn ports_file(place: &Place) -> PathBuf {
    place.home().join("ports.json")
}

/// The port of that name, or another one where a program has taken it.
fn port(place: &Place, name: &str) -> Result<u16, SnapshotError> {
    let _lock = place.lock()?;
    let mut all = ports(place)?;
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).and_then(|l| l.local_addr());
    if let Some(port) = all.get(name).copied().filter(|port| free(*port).is_ok()) {
        return Ok(port);
    }
    let port = free(0).map_err(failed("listen at", Path::new("127.0.0.1")))?.port();
    all.insert(name.to_owned(), port);
    place::write(&ports_file(place), &all)?;
    Ok(port)
}
