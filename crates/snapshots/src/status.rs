//! What the status of a database or snapshot means for whoever waits for it.
//!
//! Words are those of the Amazon RDS User Guide ("Viewing DB instance status", "Viewing DB cluster status") and of the
//! snapshots' own `Status`. A word that nobody has heard of means waiting, never success.

/// What a status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It can be used.
    Ready,
    /// It will change.
    Wait,
    /// It can be started, and will change then.
    Stopped,
    /// It is going, or gone.
    Going,
    /// It will not become ready by itself.
    Broken,
    /// A word that is not known: wait, and tell somebody.
    Unknown,
}

/// Operational, though work goes on behind it.
const READY: &[&str] = &["available", "storage-optimization", "storage-config-upgrade"];

const WAIT: &[&str] = &[
    "backing-up",
    "backtracking",
    "cloning-failed-over",
    "configuring-activity-stream",
    "configuring-associated-roles",
    "configuring-enhanced-monitoring",
    "configuring-iam-database-auth",
    "configuring-log-exports",
    "configuring-optimized-reads",
    "converting-to-vpc",
    "copying",
    "creating",
    "delete-precheck",
    "failing-over",
    "maintenance",
    "migrating",
    "modifying",
    "moving-to-vpc",
    "preparing-data-migration",
    "promoting",
    "rebooting",
    "renaming",
    "resetting-master-credentials",
    "starting",
    "stopping",
    "storage-initialization",
    "update-iam-db-auth",
    "upgrading",
];

const BROKEN: &[&str] = &[
    "cloning-failed",
    "failed",
    "inaccessible-encryption-credentials",
    "inaccessible-encryption-credentials-recoverable",
    "incompatible-create",
    "incompatible-network",
    "incompatible-option-group",
    "incompatible-parameters",
    "incompatible-restore",
    "insufficient-capacity",
    "migration-failed",
    "restore-error",
    "storage-full",
];

/// The meaning of a status, of a database or of a snapshot.
pub fn meaning(status: &str) -> Meaning {
    match status.to_ascii_lowercase().as_str() {
        word if READY.contains(&word) => Meaning::Ready,
        word if WAIT.contains(&word) => Meaning::Wait,
        word if BROKEN.contains(&word) => Meaning::Broken,
        "stopped" | "inactive-stopped" => Meaning::Stopped,
        "deleting" | "deleted" => Meaning::Going,
        _ => Meaning::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_words_mean_ready() {
        for word in READY {
            assert_eq!(meaning(word), Meaning::Ready);
        }
        for word in WAIT.iter().chain(BROKEN).chain(&["stopped", "deleting", "", "avail", "ready"])
        {
            assert_ne!(meaning(word), Meaning::Ready, "{word}");
        }
    }

    #[test]
    fn an_unheard_of_word_is_not_success_and_not_failure() {
        assert_eq!(meaning("quantum-syncing"), Meaning::Unknown);
        assert_eq!(meaning("AVAILABLE"), Meaning::Ready);
        assert_eq!(meaning("storage-full"), Meaning::Broken);
        assert_eq!(meaning("deleting"), Meaning::Going);
    }
}
