//! The exit codes of `anonymizer`. Schedulers branch on them, so their meaning never changes.

/// Done: the database is masked, the check passed, the answer was given.
pub const OK: u8 = 0;
/// An error nobody foresaw, or one that trying again does not cure. Every unit is wholly original or wholly masked.
pub const UNEXPECTED: u8 = 1;
/// The command line or the rules file cannot be understood.
pub const USAGE: u8 = 2;
/// Refused: there are findings, or the database is not in a state that may be masked. Nothing was written.
pub const REFUSED: u8 = 3;
/// The masked database did not pass verification.
pub const VERIFY_FAILED: u8 = 4;
/// A passing fault: connection lost, no space for the spool, another run holds the lock. Run the same command again.
pub const TEMPORARY: u8 = 75;
