//! Finds in a text what may be an identifier: tokens in normal form, each with what a hit on it says.
//!
//! It is one cheap pass over the bytes with closer looks where something is plausible. It keeps nothing and allocates
//! nothing per value but scratch that is reused.

/// Bytes of a local part, RFC 5321's and everything beyond ASCII.
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte) || !byte.is_ascii()
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-' || !byte.is_ascii()
}

/// Finds e-mail addresses: gives where each begins, where its `@` is and where it ends. Where an address begins is not
/// always plain (`to=a@b.de`, `'a@b.de'`): each way to read it is given.
pub(super) fn addresses(text: &[u8], found: &mut dyn FnMut(usize, usize, usize)) {
    for at in memchr::memchr_iter(b'@', text) {
        let Some(end) = domain_end(text, at + 1) else { continue };
        let local = text[..at].iter().rev().take(64).take_while(|byte| is_local(**byte)).count();
        let mut start = at - local;
        let mut ways = 0;
        while start < at && ways < 4 {
            let odd = |byte: &u8| !byte.is_ascii_alphanumeric() && byte.is_ascii();
            start += text[start..at].iter().take_while(|byte| odd(byte)).count();
            if start == at {
                break;
            }
            found(start, at, end);
            ways += 1;
            // Dots, hyphens, underscores and plus signs are in the middle of real addresses.
            let doubtful = |byte: &u8| byte.is_ascii_punctuation() && !b"._-+".contains(byte);
            match text[start..at].iter().position(doubtful) {
                Some(next) => start += next + 1,
                None => break,
            }
        }
    }
}

/// The end of a domain with a dot in it.
fn domain_end(text: &[u8], start: usize) -> Option<usize> {
    let length = text[start..].iter().take(253).take_while(|byte| is_domain(**byte)).count();
    let domain = &text[start..start + length];
    let trimmed = domain.iter().rposition(|byte| !b".-".contains(byte))? + 1;
    let dot = memchr::memrchr(b'.', &domain[..trimmed])?;
    (dot > 0 && trimmed - dot > 2).then_some(start + trimmed)
}
