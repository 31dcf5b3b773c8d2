//! Keeps a server no longer than the test process: however that ends, a pipe closes, and a small shell stops the server and
//! removes its directory.
//!
//! Values in a `static` are never dropped, and a killed process drops nothing: therefore no `Drop` alone would do.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result};

use super::binaries::Binaries;

/// Ends with the pipe on its standard input. A server that ends by itself leaves `ended` behind.
const SCRIPT: &str = r#"
directory=$1
shift
rm -f "$directory/ended"
{ "$@"; touch "$directory/ended"; } &
read -r word
if [ ! -e "$directory/ended" ] && [ -e "$directory/data/postmaster.pid" ]; then
  kill -QUIT "$(head -n 1 "$directory/data/postmaster.pid")" 2>/dev/null
fi
wait
[ "$word" = keep ] || rm -rf "$directory"
"#;

/// The shell that watches over one server.
pub(super) struct Guardian {
    shell: Child,
    directory: PathBuf,
}

impl Guardian {
    pub(super) fn start(
        binaries: &Binaries,
        arguments: &[String],
        directory: &Path,
    ) -> Result<Self> {
        let log = File::options().create(true).append(true).open(directory.join("log"))?;
        let shell = binaries
            .as_server(Path::new("sh"))
            .args(["-c", SCRIPT, "guardian"])
            .arg(directory)
            .arg(binaries.path("postgres"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0) // An interrupt from the keyboard is ours to answer.
            .spawn()
            .context("failed to start a PostgreSQL server")?;
        Ok(Self { shell, directory: directory.into() })
    }

    /// True once the server has ended without being told to.
    pub(super) fn server_has_ended(&self) -> bool {
        self.directory.join("ended").exists()
    }

    /// Stops the server; `keep` leaves its directory for another start.
    pub(super) fn stop(mut self, keep: bool) -> Result<()> {
        self.end(if keep { "keep\n" } else { "\n" })
    }

    fn end(&mut self, word: &str) -> Result<()> {
        if let Some(mut pipe) = self.shell.stdin.take() {
            pipe.write_all(word.as_bytes())?;
        }
        self.shell.wait()?;
        Ok(())
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        // Nothing to be done about a shell that is gone already.
        let _ = self.end("\n");
    }
}
