//! What a text holds in an encoding: escapes, percent signs, entities, quoted-printable, hex, base64; and the texts among
//! bytes.
//!
//! Each decoder says whether there was something to decode. It is given up early where the outcome is no text, because most
//! runs of letters and digits are none. Not looked into: compressed and encrypted data, UTF-7, UTF-32, and UTF-16
//! of scripts that are no alphabets without a byte order mark.

/// The shortest run that is tried as hex or base64: it holds nine bytes, or six.
pub const SHORTEST: usize = 12;
/// A text among bytes has so many characters.
const SHORTEST_STRING: usize = 5;

/// Backslash escapes, as JSON, arrays, hstore and SQL have them.
pub fn escapes(text: &[u8], into: &mut Vec<u8>) -> bool {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        into.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let Some((&sign, after)) = rest.split_first() else { break };
        rest = after;
        match sign {
            b'n' | b'r' => into.push(b'\n'),
            b't' | b'b' | b'f' => into.push(b' '),
            b'u' => rest = unicode(after, into),
            b'x' => rest = one_byte(after, into),
            b'0'..=b'3' => match octal(sign, after) {
                Some(byte) => {
                    into.push(byte);
                    rest = &after[2..];
                }
                None => into.push(sign),
            },
            other => into.push(other),
        }
    }
    into.extend_from_slice(rest);
    true
}

/// `\x40`. A backslash before many hex digits is bytea's. Gives what stands behind.
fn one_byte<'a>(text: &'a [u8], into: &mut Vec<u8>) -> &'a [u8] {
    let digits = text.iter().take(SHORTEST).take_while(|byte| byte.is_ascii_hexdigit()).count();
    match text {
        [high, low, rest @ ..] if (2..SHORTEST).contains(&digits) => {
            into.extend(byte_of(*high, *low));
            rest
        }
        _ => {
            into.extend(b" x");
            text
        }
    }
}

/// `\100` without its backslash.
fn octal(first: u8, rest: &[u8]) -> Option<u8> {
    match rest {
        [second @ b'0'..=b'7', third @ b'0'..=b'7', ..] => {
            Some((first - b'0') << 6 | (second - b'0') << 3 | (third - b'0'))
        }
        _ => None,
    }
}

fn byte_of(high: u8, low: u8) -> Option<u8> {
    Some(nibble(high)? << 4 | nibble(low)?)
}

/// `\u00e9`, `\u{e9}`, and `\ud83d\ude00` for one character. Gives what stands behind.
fn unicode<'a>(text: &'a [u8], into: &mut Vec<u8>) -> &'a [u8] {
    if let [b'{', rest @ ..] = text {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let code = std::str::from_utf8(&rest[..digits]).ok();
        let code =
            code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        if let (Some(character), Some(b'}')) = (code, rest.get(digits)) {
            push(character, into);
            return &rest[digits + 1..];
        }
    }
    let unit = |text: &[u8]| {
        let digits = std::str::from_utf8(text.get(..4)?).ok()?;
        u16::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(text) else { return text };
    let mut rest = &text[4..];
    let mut units = vec![first];
    if let Some(second) =
        rest.strip_prefix(b"\\u").and_then(unit).filter(|_| first & 0xfc00 == 0xd800)
    {
        units.push(second);
        rest = &rest[6..];
    }
    push_utf16(&units, into);
    rest
}

fn push_utf16(units: &[u16], into: &mut Vec<u8>) {
    for character in char::decode_utf16(units.iter().copied()) {
        push(character.unwrap_or(' '), into);
    }
}

fn push(character: char, into: &mut Vec<u8>) {
    into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Percent-encoding, as URLs have it, and `%u0040`.
pub fn percent(text: &[u8], into: &mut Vec<u8>) -> bool {
    let mut any = false;
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'%', rest) {
        into.extend_from_slice(&rest[..at]);
        if rest.get(at + 1) == Some(&b'u') {
            let after = &rest[at + 2..];
            rest = unicode(after, into);
            any |= rest.len() < after.len();
            continue;
        }
        let byte = rest.get(at + 1).zip(rest.get(at + 2)).and_then(|(a, b)| byte_of(*a, *b));
        match byte {
            Some(byte) => {
                into.push(byte);
                any = true;
                rest = &rest[at + 3..];
            }
            None => {
                into.push(b'%');
                rest = &rest[at + 1..];
            }
        }
    }
    into.extend_from_slice(rest);
    any
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// Quoted-printable, as the bodies of e-mails are in it. Of what stands behind equals signs elsewhere it is told by a letter
/// beyond ASCII, a sign that mail programs encode, or a line that goes on.
pub fn quoted(text: &[u8], into: &mut Vec<u8>) -> bool {
    if !memchr::memchr_iter(b'=', text).any(|at| is_quoted(&text[at + 1..])) {
        return false;
    }
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'=', rest) {
        into.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        match rest {
            [b'\r', b'\n', after @ ..] | [b'\n', after @ ..] => rest = after,
            _ => match rest.get(..2).and_then(|digits| byte_of(digits[0], digits[1])) {
                Some(byte) => {
                    into.push(byte);
                    rest = &rest[2..];
                }
                None => into.push(b'='),
            },
        }
    }
    into.extend_from_slice(rest);
    if std::str::from_utf8(into).is_err() {
        // Then it is Latin-1, as a rule.
        *into = into.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes();
    }
    true
}

/// What stands behind the equals sign is as nothing else is: a letter beyond ASCII, a sign, a line's end.
fn is_quoted(text: &[u8]) -> bool {
    matches!(
        text,
        [b'\n', ..]
            | [b'\r', b'\n', ..]
            | [b'C'..=b'F', b'0'..=b'9' | b'A'..=b'F', ..]
            | [b'2', b'B' | b'E', ..]
            | [b'3', b'D', ..]
            | [b'4', b'0', ..]
            | [b'5', b'F', ..]
    )
}

/// Bytes in hex with colons between them: `61:64:61`.
pub fn octets(text: &[u8], into: &mut Vec<u8>) -> bool {
    const FEWEST: usize = 6;
    let mut from = 0;
    for colon in memchr::memchr_iter(b':', text) {
        let is_one = |at: usize| text.get(at) == Some(&b':');
        if colon < from + 2 || !is_one(colon + 3) || !is_one(colon + 6) {
            continue;
        }
        let start = into.len();
        let mut at = colon - 2;
        while let Some([high, low]) = text.get(at..at + 2)
            && let Some(byte) = byte_of(*high, *low)
        {
            into.push(byte);
            at += 3;
            if !is_one(at - 1) {
                break;
            }
        }
        from = at;
        // An address of a network card has six.
        if into.len() - start <= FEWEST || !plausible(&into[start..]) {
            into.truncate(start);
        } else {
            into.push(b'\n');
        }
    }
    !into.is_empty()
}

/// Entities of XML and HTML.
pub fn entities(text: &[u8], into: &mut Vec<u8>) -> bool {
    let mut any = false;
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest) {
        into.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        // A number may lack its semicolon.
        let end = match rest {
            [b'#', b'x' | b'X', ..] => 2 + count(&rest[2..], u8::is_ascii_hexdigit),
            [b'#', ..] => 1 + count(&rest[1..], u8::is_ascii_digit),
            _ => count(rest, u8::is_ascii_alphanumeric),
        };
        let closed = rest.get(end) == Some(&b';');
        let name = &rest[..end];
        let may_be = closed || name.starts_with(b"#");
        match may_be.then(|| entity(name)).flatten() {
            Some(character) => {
                push(character, into);
                any = true;
                rest = &rest[end + usize::from(closed)..];
            }
            None => into.push(b'&'),
        }
    }
    into.extend_from_slice(rest);
    any
}

/// Bytes of such a sort that a text begins with; no entity has more.
fn count(text: &[u8], is_one: fn(&u8) -> bool) -> usize {
    text.iter().take(10).take_while(|byte| is_one(byte)).count()
}

/// HTML's names of the characters 160 to 255, in their order.
const LATIN: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 \
    acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig \
    Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave \
    Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave \
    iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

fn entity(name: &[u8]) -> Option<char> {
    let name = std::str::from_utf8(name).ok()?;
    if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']);
        let code = hex.map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
        return code.and_then(char::from_u32);
    }
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "commat" => Some('@'),
        "period" => Some('.'),
        "plus" => Some('+'),
        "lowbar" => Some('_'),
        "hyphen" | "dash" => Some('-'),
        _ => {
            let place = LATIN.split_whitespace().position(|known| known == name)?;
            char::from_u32(160 + place as u32)
        }
    }
}

#[inline]
fn in_run(byte: u8) -> bool {
    IN_RUN[usize::from(byte)]
}

static IN_RUN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let sign = byte as u8;
        table[byte] = sign.is_ascii_alphanumeric() || matches!(sign, b'+' | b'/' | b'-' | b'_');
        byte += 1;
    }
    table
};

/// Finds runs of letters and digits that are long enough to be hex or base64. Lines that are nothing but a run, as base64 is
/// wrapped, are one, and `true`; where they may be a list they are looked at one by one as well. Only every twelfth byte is
/// looked at where there is none.
pub fn runs(text: &[u8], found: &mut dyn FnMut(&[u8], bool)) {
    let mut at = SHORTEST - 1;
    let mut wrapped = Vec::new();
    while at < text.len() {
        if !in_run(text[at]) {
            at += SHORTEST;
            continue;
        }
        let start = at - text[..at].iter().rev().take_while(|byte| in_run(**byte)).count();
        let end = at + text[at..].iter().take_while(|byte| in_run(**byte)).count();
        at = end + SHORTEST;
        if end - start < SHORTEST {
            continue;
        }
        match unwrap_lines(text, start, end, &mut wrapped) {
            Some(last) => {
                found(&wrapped, true);
                if !USUAL.contains(&(end - start)) {
                    let lines = text[start..last].split(|byte| b"\r\n \t".contains(byte));
                    lines.filter(|line| line.len() >= SHORTEST).for_each(|line| found(line, false));
                }
                at = last + SHORTEST;
            }
            None => found(&text[start..end], false),
        }
    }
}

/// Widths at which base64 is wrapped, as a rule; lists of anything so wide are not to be expected.
const USUAL: [usize; 2] = [64, 76];

/// Joins lines that are nothing but a run, each but the last at least as wide as a line of base64 that somebody wraps; the
/// first may have something before it, and the others one blank (RFC 2849, RFC 6350). Gives where they end.
fn unwrap_lines(text: &[u8], start: usize, end: usize, into: &mut Vec<u8>) -> Option<usize> {
    const NARROWEST: usize = 16;
    if end - start < NARROWEST || !matches!(text.get(end), Some(b'\n' | b'\r')) {
        return None;
    }
    into.clear();
    into.extend_from_slice(&text[start..end]);
    let (mut last, mut width) = (end, NARROWEST);
    loop {
        let breaks = text[last..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let mut line = last + breaks;
        line += usize::from(matches!(text.get(line), Some(b' ' | b'\t')));
        let length = text[line..].iter().take_while(|byte| in_run(**byte)).count();
        let ends = matches!(
            text.get(line + length),
            None | Some(b'\r' | b'\n' | b'=' | b'"' | b'\'' | b'<')
        );
        if breaks == 0 || breaks > 2 || length == 0 || !ends {
            break;
        }
        into.extend_from_slice(&text[line..line + length]);
        last = line + length;
        if length < width {
            break;
        }
        width = length;
    }
    (last > end).then_some(last)
}

/// Hex digits, with or without `\x` or `0x`.
pub fn hex(run: &[u8], into: &mut Vec<u8>) -> bool {
    let digits = match run {
        [b'0', b'x' | b'X', digits @ ..] | [b'x' | b'X', digits @ ..] => digits,
        run => run,
    };
    if !digits.len().is_multiple_of(2) || digits.len() < SHORTEST {
        return false;
    }
    for pair in digits.chunks_exact(2) {
        let Some(byte) = nibble(pair[0]).zip(nibble(pair[1])).map(|(high, low)| high << 4 | low)
        else {
            return false;
        };
        into.push(byte);
        if into.len() == 6 && !plausible(into) {
            return false;
        }
    }
    plausible(into)
}

/// Base64, of the standard or the URL alphabet, without its padding.
pub fn base64(run: &[u8], into: &mut Vec<u8>) -> bool {
    if run.len() % 4 == 1 {
        return false;
    }
    let (mut bits, mut held) = (0_u32, 0);
    for character in run {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            into.push((bits >> held) as u8);
            if into.len() == 6 && !plausible(into) {
                return false;
            }
        }
    }
    plausible(into)
}

/// The first bytes look like text: UTF-8 without control characters, or every other byte zero. One run in four hundred that
/// is none passes.
fn plausible(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(6)];
    let even = head.iter().step_by(2).all(|byte| *byte == 0);
    let odd = head.iter().skip(1).step_by(2).all(|byte| *byte == 0);
    if even || odd || head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return true;
    }
    if head.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()) {
        return false;
    }
    match std::str::from_utf8(head) {
        Ok(_) => true,
        // Cut in the middle of a character.
        Err(error) => error.error_len().is_none() && error.valid_up_to() + 3 >= head.len(),
    }
}

/// Gives the texts among bytes that are no text: valid UTF-8 without control characters.
pub fn strings(bytes: &[u8], found: &mut dyn FnMut(&str)) {
    for chunk in bytes.utf8_chunks() {
        let control = |c: char| c.is_control() && !c.is_whitespace();
        for text in chunk.valid().split(control).filter(|text| text.len() >= SHORTEST_STRING) {
            found(text);
        }
    }
}

/// Gives the texts in UTF-16 among bytes, of either order, wherever they begin: those of letters up to the Arabic ones, or
/// everything behind a byte order mark.
pub fn utf16(bytes: &[u8], buffer: &mut Vec<u8>, found: &mut dyn FnMut(&str)) {
    let orders: [fn([u8; 2]) -> u16; 2] = [u16::from_le_bytes, u16::from_be_bytes];
    buffer.clear();
    if let [first, second, rest @ ..] = bytes
        && let Some(order) = orders.iter().find(|order| order([*first, *second]) == 0xfeff)
    {
        let units = rest.chunks_exact(2).map(|two| order([two[0], two[1]]));
        for character in char::decode_utf16(units) {
            push(character.unwrap_or(' '), buffer);
        }
        give(buffer, found);
        return;
    }
    for (order, start) in orders.into_iter().flat_map(|order| [(order, 0), (order, 1)]) {
        for two in bytes.get(start..).unwrap_or_default().chunks_exact(2) {
            let unit = order([two[0], two[1]]);
            match char::from_u32(unit.into()).filter(|_| is_common(unit)) {
                Some(character) => push(character, buffer),
                None => give(buffer, found),
            }
        }
        give(buffer, found);
    }
}

/// Characters of alphabets, signs and blanks. Two arbitrary bytes are one in forty times, and five pairs hardly ever.
fn is_common(unit: u16) -> bool {
    matches!(unit, 0x20..=0x7e | 0xa0..=0x6ff | 0x1e00..=0x1fff | 0x2010..=0x2027 | 0x9 | 0xa | 0xd)
}

/// Gives what is in the buffer, and empties it.
fn give(buffer: &mut Vec<u8>, found: &mut dyn FnMut(&str)) {
    if buffer.len() >= SHORTEST_STRING
        && let Ok(text) = std::str::from_utf8(buffer)
    {
        found(text);
    }
    buffer.clear();
}
