//! Switches that turn defences off, so that a test can show that it fails without the one it is about. They exist in test
//! builds only: not without the feature `attack-switches`, which the tests' package asks for, and in no release build.

/// The environment variable that names the defences to turn off, with commas between them.
#[cfg(all(feature = "attack-switches", debug_assertions))]
const VARIABLE: &str = "ANONYMIZER_DEFENCES_OFF";

/// True where a test has turned this defence off.
#[cfg(all(feature = "attack-switches", debug_assertions))]
#[expect(clippy::disallowed_methods, reason = "a test build only")]
pub(crate) fn is_off(defence: &str) -> bool {
    std::env::var(VARIABLE).is_ok_and(|off| off.split(',').any(|name| name == defence))
}

/// False: this build has no switches.
#[cfg(not(all(feature = "attack-switches", debug_assertions)))]
pub(crate) const fn is_off(_: &str) -> bool {
    false
}
