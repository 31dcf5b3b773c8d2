//! The form in which identifiers are compared: what remains of a value when its spelling no longer matters.

use crate::identifier::Identifier;

/// Emits the normal forms of an original of that kind; none where the value is too short or too common to tell anybody.
pub fn original(kind: Identifier, text: &str, emit: &mut dyn FnMut(Identifier, &[u8])) {
    emit(kind, text.to_lowercase().as_bytes());
}
