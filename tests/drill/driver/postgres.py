"""A PostgreSQL database, asked over TLS with its certificate verified, as applications are to."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from emulator.servers import programs


class Refused(Exception):
    """What the server says where it does not answer."""


@dataclass
class Login:
    """How one gets in."""

    host: str
    user: str
    password: str
    database: str
    authority: Path

    def ask(self, statement) -> str:
        """What a statement answers, unaligned."""
        return self._psql("-c", statement)

    def lines(self, statement):
        """The same, line by line."""
        return [line for line in self.ask(statement).splitlines() if line]

    def script(self, file):
        """Runs a file."""
        self._psql("-f", str(file))

    def _psql(self, *arguments) -> str:
        place = (f"host={self.host} port=5432 user={self.user} dbname={self.database} sslmode=verify-full"
                 f" sslrootcert={self.authority} connect_timeout=10")
        done = subprocess.run([str(programs() / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", place, *arguments], text=True,
                              capture_output=True, env=os.environ | {"PGPASSWORD": self.password})
        if done.returncode:
            raise Refused(done.stderr.strip())
        return done.stdout.strip()
