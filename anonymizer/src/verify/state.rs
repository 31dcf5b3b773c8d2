//! The directory that keeps what a rerun needs to know: this user's, and nobody else writes to it.

use std::fs::{self, DirBuilder, Metadata};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

/// Write permission of the group and of everybody.
const OTHERS_WRITE: u32 = 0o022;

/// Makes the directory where it is missing, readable by this user alone, or says why it cannot be used.
pub fn prepare(directory: &Path) -> Result<(), String> {
    let name = directory.display();
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| {
        format!(
            "the state directory {name} cannot be made ({})\n(hint: name another with --state)",
            error.kind()
        )
    })?;
    let found = fs::metadata(directory)
        .map_err(|error| format!("the state directory {name} cannot be read ({})", error.kind()))?;
    refuse(&found, rustix::process::geteuid().as_raw()).map_or(Ok(()), |why| {
        Err(format!(
            "the state directory {name} {why}\n(hint: name one with --state that is yours alone)"
        ))
    })
}

fn refuse(found: &Metadata, user: u32) -> Option<&'static str> {
    if found.uid() != user {
        Some("belongs to another user")
    } else if found.mode() & OTHERS_WRITE != 0 {
        Some("can be written by others")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_made_is_for_its_owner_and_what_others_can_write_is_refused() {
        let within = tempfile::tempdir().unwrap();
        let directory = within.path().join("a/b");
        prepare(&directory).unwrap();
        let mode =
            |mode| fs::set_permissions(&directory, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o777, 0o700);
        for (permissions, fits) in
            [(0o700, true), (0o755, true), (0o720, false), (0o702, false), (0o777, false)]
        {
            mode(permissions);
            assert_eq!(prepare(&directory).is_ok(), fits, "{permissions:o}");
        }
        let file = within.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(prepare(&file).is_err());
    }

    #[test]
    fn what_belongs_to_somebody_else_is_refused() {
        let within = tempfile::tempdir().unwrap();
        let found = fs::metadata(within.path()).unwrap();
        assert_eq!(refuse(&found, found.uid()), None);
        assert_eq!(refuse(&found, found.uid() + 1), Some("belongs to another user"));
    }
}
