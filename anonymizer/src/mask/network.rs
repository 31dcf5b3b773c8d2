//! Identifiers and addresses of machines: `uuid`, `url`, `ip`, `mac`. Addresses lie in ranges that are kept for
//! documentation, benchmarks and local use (RFC 2544, 2606, 3849, IEEE 802), so that they reach nobody.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::alphabet::{TOKEN_LENGTH, push_hex, push_token};
use super::draws::{Draws, Ticket};
use super::key::Draw;
use super::literal::inet;
use super::locale::{longest, scale};
use super::parameter::IGNORE_CASE;
use super::source::{Source, Written};
use super::{
    Cell, Class, Function, Mask, MaskError, Parameter, ParameterKind, Prepared, Rejection, Request,
};
use crate::catalog::Kind;
use crate::value::Value;

/// `uuid`.
pub(super) static UUID: Function = Function {
    name: "uuid",
    class: Class::Pseudonymization,
    summary: "a UUID of version 4",
    fits: "uuid and text",
    accepts: |kind| matches!(kind, Kind::Uuid | Kind::Text { .. }),
    parameters: &[IGNORE_CASE],
    keyed: true,
    localized: false,
    uniqueness: "unique: 122 keyed bits",
    normalisation: "a uuid and its usual text are one value; text otherwise exactly, unless the column ignores case or `ignore_case`",
    longest: "36 characters",
    space: "2^122",
    prepare: uuid,
};

/// `url`.
pub(super) static URL: Function = Function {
    name: "url",
    class: Class::Pseudonymization,
    summary: "a URL at a reserved domain: `https://<word>.example.com/<13 characters>`",
    fits: "text",
    accepts: |kind| matches!(kind, Kind::Text { .. }),
    parameters: &[IGNORE_CASE],
    keyed: true,
    localized: false,
    uniqueness: "unique: 65 keyed bits",
    normalisation: "none, unless the column ignores case or `ignore_case`",
    longest: "42 characters",
    space: "2^65",
    prepare: url,
};

/// `ip`.
pub(super) static IP: Function = Function {
    name: "ip",
    class: Class::Pseudonymization,
    summary: "an address in 198.18.0.0/15 or 2001:db8::/32; family and prefix length stay, and a network stays a network",
    fits: "network addresses and text",
    accepts: |kind| matches!(kind, Kind::Inet | Kind::Text { .. }),
    parameters: &[
        Parameter {
            name: "version",
            kind: ParameterKind::Integer,
            required: false,
            summary: "4 or 6: a single address of this family, whatever the original's; default: the original's, or 4 where the text is no address",
        },
        IGNORE_CASE,
    ],
    keyed: true,
    localized: false,
    uniqueness: "unique with `version: 6`: 96 keyed bits",
    normalisation: "none, unless the column ignores case or `ignore_case`",
    longest: "43 characters; 15 with `version: 4`, 39 with `version: 6`",
    space: "2^17 (version 4), 2^96 (version 6), less for networks",
    prepare: ip,
};

/// `mac`.
pub(super) static MAC: Function = Function {
    name: "mac",
    class: Class::Pseudonymization,
    summary: "a locally administered hardware address that begins with 02",
    fits: "hardware addresses and text",
    accepts: |kind| matches!(kind, Kind::Mac(_) | Kind::Text { .. }),
    parameters: &[IGNORE_CASE],
    keyed: true,
    localized: false,
    uniqueness: "never unique",
    normalisation: "none, unless the column ignores case or `ignore_case`",
    longest: "17 characters",
    space: "2^40; 2^56 for addresses of eight bytes",
    prepare: |request| {
        let bytes = if let Kind::Mac(bytes) = request.kind { *bytes } else { 0 };
        Ok(Prepared::new(Mac { source: Source::new(request, "mac"), bytes }).longest(17))
    },
};

/// Sets the bits that make random bytes a UUID of version 4.
pub(super) fn version_4(draw: &Draw) -> [u8; 16] {
    let mut bytes = draw.wide(0).to_be_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}

fn uuid(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let source = Source::new(request, "uuid");
    let prepared = match request.kind {
        Kind::Uuid => Prepared::new(Uuid(source)),
        _ => Prepared::new(Written::new(source, |draw: &Draw, into: &mut String| {
            push_uuid(&version_4(draw), into);
        })),
    };
    Ok(prepared.longest(36).unique(request.tells_apart()).disjoint())
}

fn push_uuid(bytes: &[u8; 16], into: &mut String) {
    for (index, part) in [0..4, 4..6, 6..8, 8..10, 10..16].into_iter().enumerate() {
        if index > 0 {
            into.push('-');
        }
        push_hex(&bytes[part], into);
    }
}

struct Uuid(Source);

impl Mask for Uuid {
    fn apply<'b>(&self, cell: &Cell<'_>, _: &'b mut String) -> Result<Value<'b>, MaskError> {
        Ok(Value::Uuid(version_4(&self.0.draw(cell))))
    }

    fn ask(&self, cell: &Cell<'_>, draws: &mut Draws) -> Option<Ticket> {
        self.0.ask(cell, draws)
    }
}

fn url(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let write = |draw: &Draw, into: &mut String| {
        into.push_str("https://");
        into.push_str(WORDS[scale(draw.word(0), WORDS.len())]);
        into.push_str(".example.com/");
        push_token(draw, into);
    };
    let longest = "https://.example.com/".len() + longest(WORDS) + TOKEN_LENGTH;
    Ok(Prepared::new(Written::new(Source::new(request, "url"), write))
        .longest(longest)
        .unique(request.tells_apart())
        .disjoint())
}

const WORDS: [&str; 24] = [
    "amber", "birch", "brook", "cedar", "cloud", "coral", "delta", "ember", "fern", "field",
    "harbor", "hazel", "ivory", "lake", "maple", "meadow", "ocean", "olive", "pebble", "pine",
    "river", "slate", "stone", "willow",
];

fn ip(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let version = request.integer("version", 4..=6)?;
    if version == Some(5) {
        return Err(request.reject("version", "there is no version 5", "write 4 or 6"));
    }
    let text = !matches!(request.kind, Kind::Inet);
    let longest = match version {
        Some(4) => 15,
        Some(_) => 39,
        None => 43,
    };
    let unique = version == Some(6) && request.tells_apart();
    let mask = Ip { source: Source::new(request, "ip"), version, text };
    Ok(Prepared::new(mask).longest(longest).unique(unique).disjoint())
}

struct Ip {
    source: Source,
    version: Option<i64>,
    text: bool,
}

impl Mask for Ip {
    fn apply<'b>(&self, cell: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError> {
        let original = match cell.value {
            Value::Inet(ip, prefix) => Some((*ip, *prefix)),
            Value::Text(text) => inet(text.trim()),
            _ => None,
        };
        let draw = self.source.draw(cell);
        let (ip, prefix) = match (self.version, original) {
            (Some(6), _) => (documentation(&draw), 128),
            (None, Some((IpAddr::V6(ip), prefix))) => {
                (network(documentation(&draw), prefix, is_network(ip.into(), prefix)), prefix)
            }
            (None, Some((ip, prefix))) => {
                (network(benchmark(&draw), prefix, is_network(ip, prefix)), prefix)
            }
            (_, _) => (benchmark(&draw), 32),
        };
        if !self.text {
            return Ok(Value::Inet(ip, prefix));
        }
        let written = if prefix == host(ip) {
            write!(buffer, "{ip}")
        } else {
            write!(buffer, "{ip}/{prefix}")
        };
        written.expect("a String takes every write");
        Ok(Value::Text(Cow::Borrowed(buffer)))
    }

    fn ask(&self, cell: &Cell<'_>, draws: &mut Draws) -> Option<Ticket> {
        self.source.ask(cell, draws)
    }
}

fn benchmark(draw: &Draw) -> IpAddr {
    Ipv4Addr::from_bits(0xc612_0000 | draw.word(0) as u32 & 0x1_ffff).into()
}

fn documentation(draw: &Draw) -> IpAddr {
    Ipv6Addr::from_bits(0x2001_0db8 << 96 | draw.wide(0) >> 32).into()
}

fn host(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// The bits to the right of the prefix.
fn host_bits(ip: IpAddr, prefix: u8) -> u128 {
    let bits = u32::from(host(ip).saturating_sub(prefix));
    u128::MAX.checked_shr(128 - bits).unwrap_or(0)
}

/// No bit to the right of the prefix is set, as `cidr` asks of its values.
fn is_network(ip: IpAddr, prefix: u8) -> bool {
    let bits = match ip {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    bits & host_bits(ip, prefix) == 0
}

fn network(ip: IpAddr, prefix: u8, is_network: bool) -> IpAddr {
    let keep = if is_network { !host_bits(ip, prefix) } else { u128::MAX };
    match ip {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & keep as u32).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & keep).into(),
    }
}

struct Mac {
    source: Source,
    /// Of the address; 0 where the column holds text.
    bytes: u8,
}

impl Mask for Mac {
    fn apply<'b>(&self, cell: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError> {
        let mut bytes = self.source.draw(cell).word(0).to_be_bytes();
        bytes[0] = 0x02;
        let [a, b, c, d, e, f, ..] = bytes;
        Ok(match self.bytes {
            6 => Value::Mac([a, b, c, d, e, f]),
            8 => Value::Mac8(bytes),
            _ => {
                for (index, byte) in bytes[..6].iter().enumerate() {
                    if index > 0 {
                        buffer.push(':');
                    }
                    push_hex(&[*byte], buffer);
                }
                Value::Text(Cow::Borrowed(buffer))
            }
        })
    }

    fn ask(&self, cell: &Cell<'_>, draws: &mut Draws) -> Option<Ticket> {
        self.source.ask(cell, draws)
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Kind;
    use crate::mask::fixture::{Case, text};
    use crate::mask::literal::inet;
    use crate::value::Value;

    #[test]
    fn addresses_keep_family_prefix_and_being_a_network() {
        let case = Case::new("ip", Kind::Inet);
        for original in ["192.0.2.7/32", "192.0.2.7/24", "192.0.2.0/24", "10.0.0.0/8", "0.0.0.0/0"]
            .into_iter()
            .chain(["2a00::7/128", "2a00::7/64", "2a00::/64", "2a00::/16", "::/0"])
        {
            let (ip, prefix) = inet(original).unwrap();
            let (fake, kept) = inet(&case.mask(Value::Inet(ip, prefix))).unwrap();
            assert_eq!((fake.is_ipv4(), kept), (ip.is_ipv4(), prefix), "{original}");
            if super::is_network(ip, prefix) {
                assert!(super::is_network(fake, kept), "{original} became {fake}/{kept}");
            }
        }
    }

    #[test]
    fn text_is_an_address_whatever_it_was() {
        let case = Case::new("ip", text());
        assert!(case.mask_text("unknown").starts_with("198."));
        assert!(case.mask_text("2a00::7").starts_with("2001:db8:"));
        assert!(case.mask_text("10.1.2.0/24").ends_with(".0/24"));
        assert!(case.clone().with("version", 6).mask_text("10.1.2.0/24").starts_with("2001:db8:"));
        insta::assert_snapshot!(case.with("version", 5).rejection(), @r"
        there is no version 5
        (hint: write 4 or 6)
        ");
    }

    #[test]
    fn a_uuid_and_its_text_get_the_same_fake() {
        let uuid = Value::Uuid([0xab; 16]);
        let written = "abababab-abab-abab-abab-abababababab";
        let fake = Case::new("uuid", Kind::Uuid).mask(uuid);
        assert_eq!(fake, Case::new("uuid", text()).mask_text(written));
        assert_eq!((&fake[14..15], fake.len()), ("4", 36));
    }
}
