"""PostgreSQL servers and their files: made, started, stopped, copied. Knows nothing of RDS.

A server has an address of its own (127.x.y.z), as a database on RDS has a name of its own; it lets in only whom TLS and a
password let in, and nobody as its superuser. A snapshot is a base backup, which a server that starts on it recovers.
"""

import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

from . import certificates

# The superuser, called as on RDS.
PLATFORM = "rdsadmin"
PORT = 5432
SETTINGS = {
    "ssl": "on",
    "password_encryption": "scram-sha-256",
    "fsync": "off",
    "full_page_writes": "off",
    "min_wal_size": "2MB",
    "max_wal_senders": "4",
    "shared_buffers": "16MB",
    "max_connections": "40",
    # Other messages may quote rows.
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
}
CLIENTS = f"""local all {PLATFORM} trust
local replication {PLATFORM} trust
host all {PLATFORM} all reject
host {PLATFORM} all all reject
hostssl all all all scram-sha-256
"""


def root() -> Path:
    """Where everything is."""
    return Path(os.environ["DRILL_SERVERS"])


def programs():
    """The directory of PostgreSQL's programs: as other tests are told, the newest of a Debian installation, or none."""
    named = os.environ.get("ANONYMIZER_TEST_PG_BIN")
    if named:
        return Path(named)
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None) or shutil.which("initdb")
    return Path(newest).resolve().parent if newest else None


def version() -> str:
    """Of the programs that run."""
    said = _run("postgres", "--version")
    return re.search(r"\d+(\.\d+)?", said).group()


def create(data: Path, host: str, master: str, password: str, databases=()):
    """A cluster whose master user is no superuser, as on RDS; its server runs."""
    _own(data.parent)
    _run("initdb", f"--username={PLATFORM}", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
         "--wal-segsize=1", "--no-sync", "-D", data)
    start(data, host)
    sql(data, f"CREATE ROLE rds_superuser CREATEROLE CREATEDB;"
              f"GRANT pg_monitor, pg_signal_backend TO rds_superuser WITH ADMIN OPTION;"
              f"CREATE ROLE rds_password; CREATE ROLE rds_iam; CREATE ROLE rds_replication;"
              f"CREATE ROLE {_name(master)} LOGIN CREATEROLE CREATEDB IN ROLE rds_superuser PASSWORD {_text(password)};"
              f"ALTER DATABASE template1 OWNER TO {_name(master)};"
              f"ALTER DATABASE postgres OWNER TO {_name(master)};")
    for name in (PLATFORM, *databases):
        owner = PLATFORM if name == PLATFORM else master
        sql(data, f"CREATE DATABASE {_name(name)} OWNER {_name(owner)}")


def start(data: Path, *hosts: str, port: int = PORT):
    """Starts the server at its addresses, with a certificate for them."""
    sockets = data.parent
    certificates.issue(hosts, data / "server.crt", data / "server.key", _account())
    settings = SETTINGS | {"listen_addresses": ",".join(hosts), "port": str(port),
                           "unix_socket_directories": str(sockets)}
    lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
    for name, text in (("postgresql.conf", lines), ("postgresql.auto.conf", ""), ("pg_hba.conf", CLIENTS)):
        (data / name).write_text(text)
    (sockets / "port").write_text(str(port))
    _run("pg_ctl", "start", "-w", "-s", "-t", "60", "-D", data, "-l", sockets / "log")


def stop(data: Path):
    """Stops it, if it runs."""
    if (data / "postmaster.pid").exists():
        _run("pg_ctl", "stop", "-w", "-s", "-m", "fast", "-D", data)


def back_up(data: Path, to: Path):
    """A base backup of a server that runs."""
    _own(to.parent)
    _run("pg_basebackup", "-h", data.parent, "-p", (data.parent / "port").read_text(), "-U", PLATFORM,
         "-D", to, "-X", "fetch", "-c", "fast", "--no-sync")


def copy(data: Path, to: Path):
    """A copy of files that no server has open."""
    _own(to.parent)
    subprocess.run(["cp", "-a", "--reflink=auto", data, to], check=True)


def remove(data: Path):
    """The files, with the folder that is theirs alone."""
    stop(data)
    shutil.rmtree(data.parent, ignore_errors=True)


def set_password(data: Path, role: str, password: str):
    """Of a role of a server that runs."""
    sql(data, f"ALTER ROLE {_name(role)} PASSWORD {_text(password)}")


def sql(data: Path, statements: str, database: str = "postgres") -> str:
    """As the platform; what they print."""
    return _run("psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", data.parent,
                "-p", (data.parent / "port").read_text(), "-U", PLATFORM, "-d", database, "-c", statements)


def _run(program, *arguments) -> str:
    words = [str(programs() / program), *map(str, arguments)]
    account = _account()
    # A server keeps open what it inherits: its output goes to a file and not into a pipe that would never end.
    quiet = program == "pg_ctl"
    done = subprocess.run(words, cwd="/", text=True, user=account, group=account and pwd.getpwnam(account).pw_gid,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL if quiet else subprocess.PIPE,
                          stderr=subprocess.DEVNULL if quiet else subprocess.PIPE)
    if done.returncode:
        # Not what was asked: there are passwords in it.
        log = Path(arguments[-1]) if program == "pg_ctl" and arguments[0] == "start" else None
        said = log.read_text() if log else done.stderr
        raise RuntimeError(f"{program} failed: {said[-500:]}")
    return (done.stdout or "").strip()


def _account():
    """Who a server runs as, where we are root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _own(folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    if account := _account():
        shutil.chown(folder, account)
    folder.chmod(0o700)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
