//! Tests of the tokens: a planted original is found in every encoding, whatever stands around it, and nothing else is.

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;

use super::normal::{self, Weight};
use super::token::{Kinds, Scanner};
use crate::identifier::Identifier;

type Forms = HashSet<(Identifier, Vec<u8>)>;

fn forms(kind: Identifier, text: &str) -> Forms {
    let mut forms = Forms::new();
    normal::original(kind, text, &mut |kind, normal| {
        forms.insert((kind, normal.to_vec()));
    });
    assert!(!forms.is_empty(), "{text}");
    forms
}

/// The weights of the tokens that are one of these forms.
fn hits(bytes: &[u8], forms: &Forms) -> Vec<Weight> {
    let mut found = Vec::new();
    let mut take = |kind: Identifier, normal: &[u8], weight: Weight| {
        if forms.contains(&(kind, normal.to_vec())) {
            found.push(weight);
        }
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => Scanner::default().text(text, Kinds::of(&Identifier::ALL), &mut take),
        Err(_) => Scanner::default().bytes(bytes, Kinds::of(&Identifier::ALL), &mut take),
    }
    found
}

fn encode64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(alphabet[(bits >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn json(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' | '/' => format!("\\{c}"),
            '\n' => "\\n".to_owned(),
            c if c.is_ascii() => c.to_string(),
            c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
        })
        .collect();
    format!("\"{escaped}\"")
}

fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

/// The encodings, each of a text with the original in it.
fn encodings(plant: &str, around: &(String, String)) -> Vec<(&'static str, Vec<u8>)> {
    let (before, after) = around;
    let sentence = format!("{before} {plant} {after}");
    let document = format!("{{\"note\": {}, \"v\": {}}}", json(before), json(plant));
    let bare = |text: &str| text.replace(['"', '\\', ',', '\'', '<', '>', '&'], "");
    let percent: String = plant
        .bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }
        })
        .collect();
    let entities: String = plant
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == ' ' {
                c.to_string()
            } else {
                format!("&#{};", c as u32)
            }
        })
        .collect();
    let text = |text: String| text.into_bytes();
    let padded = |length: usize, text: String| text + ["", "", "==", "="][length % 4 % 4];
    vec![
        ("plain", text(plant.into())),
        ("upper case", text(plant.to_uppercase())),
        ("json", text(document.clone())),
        ("json in json", text(json(&document))),
        ("json in a text", text(format!("{before} body={} {after}", json(&document)))),
        ("base64", text(encode64(plant.as_bytes(), STANDARD))),
        ("base64, padded", {
            let encoded = encode64(plant.as_bytes(), STANDARD);
            text(padded(encoded.len(), encoded))
        }),
        ("base64 of a sentence", text(encode64(sentence.as_bytes(), STANDARD))),
        (
            "base64 for URLs",
            text(format!("GET /x?q={} {after}", encode64(document.as_bytes(), URL_SAFE))),
        ),
        ("base64 in lines", {
            let encoded =
                encode64(format!("{before}{before}{before} {sentence}").as_bytes(), STANDARD);
            let lines: Vec<&str> = encoded
                .as_bytes()
                .chunks(76)
                .map(|line| std::str::from_utf8(line).unwrap())
                .collect();
            text(lines.join("\n"))
        }),
        ("base64 in narrow lines", text(wrapped(&sentence, 48, "\r\n"))),
        ("base64 in odd lines", text(format!("photo:: {}", wrapped(&sentence, 75, "\n ")))),
        (
            "base64 in a JSON string",
            text(json(&format!("Content: \n\n{}\n\n--", wrapped(&sentence, 100, "\n")))),
        ),
        ("percent", text(format!("/search?page=2&q={percent}&z=1"))),
        (
            "percent, UTF-16 units",
            text(format!("/search?page=2&q={}&z=1", unit_escapes(plant, "%u"))),
        ),
        (
            "byte escapes",
            text(format!("b'{}'", byte_escapes(plant, |byte| format!("\\x{byte:02x}")))),
        ),
        ("octal escapes", text(byte_escapes(plant, |byte| format!("\\{byte:03o}")))),
        ("code points", text(format!("\"{}\"", code_points(plant)))),
        ("quoted-printable", text(format!("Subject: x\n\n{before}\n{}", quoted_printable(plant)))),
        ("hex in octets", text(format!("raw={};", octets(plant)))),
        ("hex in capitals", text(format!("0X{}", hex::encode_upper(plant)))),
        ("hex", text(hex::encode(plant))),
        ("bytea as text", text(format!("\\x{}", hex::encode(sentence.as_bytes())))),
        ("bytes", [b"\xff\x00\x01", plant.as_bytes(), b"\x00\xfe"].concat()),
        ("UTF-16 LE", [b"\xff\x81".to_vec(), utf16(plant, u16::to_le_bytes)].concat()),
        ("UTF-16 BE", [b"\xff\x81".to_vec(), utf16(plant, u16::to_be_bytes)].concat()),
        (
            "UTF-16 LE among bytes",
            [b"\xff\xff\xe9".to_vec(), utf16(plant, u16::to_le_bytes), b"\xff\xff".to_vec()]
                .concat(),
        ),
        (
            "UTF-16 BE among bytes",
            [b"\xff\xff\xe9".to_vec(), utf16(plant, u16::to_be_bytes), b"\xff\xff".to_vec()]
                .concat(),
        ),
        ("UTF-16 with a mark", [b"\xff\xfe".to_vec(), utf16(&sentence, u16::to_le_bytes)].concat()),
        ("array", text(format!("{{\"{}\",\"{plant}\",NULL}}", bare(before)))),
        ("xml", text(format!("<a><b>{}</b><c d=\"1\">{plant}</c></a>", bare(before)))),
        ("entities", text(format!("<p>{}</p><p>{entities}</p>", bare(before)))),
        ("hstore", text(format!("\"a\"=>\"{}\", \"b\"=>\"{plant}\"", bare(before)))),
        ("csv", text(format!("1;\"{}\";\"{plant}\";2\n", bare(before)))),
    ]
}

/// Base64 in lines.
fn wrapped(plant: &str, width: usize, between: &str) -> String {
    let encoded = encode64(plant.repeat(4).as_bytes(), STANDARD);
    let lines = encoded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap());
    lines.collect::<Vec<_>>().join(between)
}

fn byte_escapes(plant: &str, escape: fn(u8) -> String) -> String {
    let one = |byte: u8| match byte {
        b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
        b => escape(b),
    };
    plant.bytes().map(one).collect()
}

fn unit_escapes(plant: &str, prefix: &str) -> String {
    let one = |unit: u16| match u8::try_from(unit) {
        Ok(b) if b.is_ascii_alphanumeric() => char::from(b).to_string(),
        _ => format!("{prefix}{unit:04x}"),
    };
    plant.encode_utf16().map(one).collect()
}

fn code_points(plant: &str) -> String {
    let one = |c: char| match c {
        c if c.is_ascii_alphanumeric() => c.to_string(),
        c => format!("\\u{{{:x}}}", u32::from(c)),
    };
    plant.chars().map(one).collect()
}

/// As mail programs do it: what is beyond ASCII, and a line that goes on.
fn quoted_printable(plant: &str) -> String {
    let one = |byte: u8| match byte {
        b'=' | 0x80.. => format!("={byte:02X}"),
        byte => char::from(byte).to_string(),
    };
    let encoded: String = plant.bytes().map(one).collect();
    let middle = encoded.char_indices().map(|(at, _)| at).nth(3).unwrap();
    let (one, other) = encoded.split_at(if encoded[..middle].contains('=') { 0 } else { middle });
    format!("{one}=\n{other}")
}

fn octets(plant: &str) -> String {
    let bytes: Vec<String> = plant.bytes().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}

const ORIGINALS: [(Identifier, &str); 17] = [
    (Identifier::Email, "jörg.o'neil+shop@müller-söhne.de"),
    (Identifier::Email, "marie.dupont@shop.fr"),
    (Identifier::Phone, "+33 6 12 34 56 79"),
    (Identifier::Phone, "06.12.34.56.79"),
    (Identifier::Phone, "(202) 555-0143"),
    (Identifier::Iban, "FR14 2004 1010 0505 0001 3M02 606"),
    (Identifier::Iban, "DE89370400440532013000"),
    (Identifier::Card, "4111 1111 1111 1111"),
    (Identifier::NationalId, "1 85 05 78 006 084 36"),
    (Identifier::FullName, "Élodie Müller-Straße"),
    (Identifier::FullName, "John F. Kennedy"),
    (Identifier::Username, "marie_d42"),
    (Identifier::FullName, "Łukasz Wałęsa"),
    (Identifier::FullName, "Людмила Соловьёва"),
    (Identifier::StreetAddress, "12 bis rue de l Église"),
    (Identifier::StreetAddress, "Schloßgasse 17a"),
    (Identifier::Other, "MRN-00481516"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn a_planted_original_is_found_in_every_encoding(
        before in "[ -~éß€]{0,24}[a-z,.!?]",
        after in "[a-z,.!?][ -~éß€]{0,24}",
    ) {
        let around = (before, after);
        for (kind, plant) in ORIGINALS {
            let forms = forms(kind, plant);
            for (name, bytes) in encodings(plant, &around) {
                prop_assert!(!hits(&bytes, &forms).is_empty(), "{} as {name}: {}", plant, String::from_utf8_lossy(&bytes));
            }
            let sentence = format!("{} {plant} {}", around.0, around.1);
            prop_assert!(!hits(sentence.as_bytes(), &forms).is_empty(), "{sentence}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "\\PC{0,200}") {
        hits(&bytes, &Forms::new());
        hits(text.as_bytes(), &Forms::new());
    }
}

#[test]
fn every_spelling_of_a_number_is_found() {
    for (kind, original, written) in [
        (Identifier::Phone, "+33612345679", "Tél. 06 12 34 56 79, merci"),
        (Identifier::Phone, "+33612345679", "(+33) 6.12.34.56.79"),
        (Identifier::Phone, "+33612345679", "0033612345679"),
        (Identifier::Phone, "0612345679", "call +33 (0)6 12 34 56 79 at 10 30"),
        (Identifier::Phone, "+1 202-555-0143", "1-202-555-0143"),
        (Identifier::Phone, "12025550143", "room 12 (202) 555-0143"),
        (Identifier::Phone, "+49 30 23125017", "030/23125017"),
        (Identifier::Phone, "+33612345679", "33612345679"),
        (Identifier::Phone, "+33612345679", "06\u{a0}12\u{a0}34\u{a0}56\u{a0}79"),
        (
            Identifier::Iban,
            "FR1420041010050500013M02606",
            "iban fr14-2004-1010-0505-0001-3m02-606.",
        ),
        (Identifier::Card, "4111111111111111", "card 4111-1111-1111-1111 (visa)"),
        (Identifier::FullName, "Marie Dupont", "DUPONT, Marie"),
        (Identifier::FullName, "Marie Dupont", "order for Mme Marie de Dupont."),
        (Identifier::FullName, "山田太郎さん", "山田太郎さん"),
        (Identifier::Email, "a.b@shop.fr", "mailto:a.b@shop.fr?subject=x"),
        (Identifier::Email, "a.b@shop.fr", "email=a.b@shop.fr&x=1"),
        (Identifier::Email, "a.b@shop.fr", "<A.B@SHOP.FR>."),
        (Identifier::Email, "a.b@shop.fr", "user/a.b@shop.fr/inbox"),
        (Identifier::Email, "a.b@shop.fr", "ssh://a.b@shop.fr:22/srv"),
        (Identifier::Email, "a.b@shop.fr", "a.b&#64shop.fr"),
        (Identifier::Email, "a.b@shop.fr", "a.b=40shop.fr"),
        (Identifier::Iban, "DE89370400440532013000", "IBANDE89370400440532013000"),
        (Identifier::Username, "jschmitz_1", "GET /users/jschmitz_1/avatar.png"),
        (Identifier::Username, "jschmitz_77", "/home/jschmitz_77/mail"),
        (Identifier::Username, "jschmitz_77", "@jschmitz_77"),
        (Identifier::Username, "jschmitz_77", "login of jschmitz_77@10.0.0.1 port 22"),
        (Identifier::Secret, "tok_51HvQ2", "https://shop.fr/reset/tok_51HvQ2?x=1"),
        (Identifier::FullName, "Maria Gonzalez", "Maria Gonzalez, Ada Byron"),
        (Identifier::FullName, "Maria Gonzalez", "for Gonzalez, Maria please"),
        (Identifier::FullName, "Maria Gonzalez", "GONZALEZ/MARIA"),
        (
            Identifier::FullName,
            "Maria Gonzalez",
            r#"{"id": 1, "last_name": "Gonzalez", "first_name": "Maria"}"#,
        ),
        (Identifier::FullName, "Maria Gonzalez", r#"{"first":"Maria","lastName":"Gonzalez"}"#),
    ] {
        assert!(!hits(written.as_bytes(), &forms(kind, original)).is_empty(), "{written}");
    }
}

#[test]
fn what_only_looks_alike_is_no_certain_hit() {
    let originals = ["+33612345679", "2024010214", "0612345679"];
    let forms: Forms = originals.iter().flat_map(|text| forms(Identifier::Phone, text)).collect();
    for written in [
        "a0612345679b",
        "550e8400-e29b-41d4-a716-061234567900",
        "2024-01-02 14:00:00",
        "order 612345679",
        "1061234567900",
        "+49 6123 45679",
    ] {
        let certain = hits(written.as_bytes(), &forms);
        assert!(!certain.contains(&Weight::Certain), "{written}: {certain:?}");
    }
}

#[test]
fn neighbours_in_a_list_are_nobody() {
    let forms = forms(Identifier::FullName, "Steve Murray");
    for written in [
        "Dave Murray, Steve Harris",
        "Dave Murray/Steve Harris",
        "Adrian Smith; Dave Murray & Steve Harris, Nicko McBrain",
        r#"{"author": "Murray", "city": "Steve"}"#,
    ] {
        assert!(hits(written.as_bytes(), &forms).is_empty(), "{written}");
    }
}

/// Values as tables have them.
fn ordinary(seed: u64) -> String {
    let number = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    match seed % 6 {
        0 => format!("{number:016x}{:016x}", number.rotate_left(17)),
        1 => format!("2024-{:02}-{:02} {:02}:30:00", number % 12 + 1, number % 28 + 1, number % 24),
        2 => format!("ORD-{}", number % 10_000_000_000),
        3 => format!("{}", number % 1_000_000_000_000),
        4 => format!("{}.{:02}", number % 100_000, number % 100),
        _ => encode64(&number.to_be_bytes().repeat(2), STANDARD),
    }
}

#[test]
fn ordinary_values_give_few_tokens_and_no_accident() {
    let mut forms = Forms::new();
    for seed in 0..20_000_u64 {
        let number = seed.wrapping_mul(0xd134_2543_de82_ef95) >> 8;
        for (kind, text) in [
            (Identifier::Email, format!("user{number}@mail.test.org")),
            (Identifier::Phone, format!("+336{:08}", number % 100_000_000)),
            (Identifier::Card, format!("4{:015}", number % 1_000_000_000_000_000)),
        ] {
            normal::original(kind, &text, &mut |kind, normal| {
                forms.insert((kind, normal.to_vec()));
            });
        }
    }
    let mut kinds = BTreeSet::new();
    for seed in 0..30_000 {
        for weight in hits(ordinary(seed).as_bytes(), &forms) {
            kinds.insert(format!("{weight:?}"));
        }
    }
    assert!(!kinds.contains("Certain"), "{kinds:?}");
}
