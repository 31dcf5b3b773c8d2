//! People who never lived, each with what identifies one: the originals of a run.
//!
//! Names and streets of several scripts, numbers with right check digits. No two people share anything but a first or a last
//! name, so that what is found tells whose it was.

use anonymizer::identifier::Identifier;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};

/// Family and given names that go together in any combination.
const NAMES: &[(&str, &str)] = &[
    (
        "Aurélie Benoît Camille Chloé Didier Éléonore Fabien Gaëlle Hélène Jérôme Loïc Noémie Rémi Solène Thibault",
        "Barbier Chevallier Delaunay Garnier Guérin Hébert Lacroix Lefèvre Pelletier Poirier Rivière Roussel Vasseur",
    ),
    (
        "Anke Björn Detlef Friederike Günther Heike Jörg Käthe Lieselotte Ruprecht Sönke Ute",
        "Bäcker Eßer Größl Hartwig Jäger Kühn Löwe Möller Pfeiffer Schröder Vogt Weiß",
    ),
    (
        "Alistair Beatrix Callum Freya Imogen Nigel Oonagh Rhys Siobhan Tamsin",
        "Ashworth Cholmondeley Fairbrother Hollingsworth MacAllister O'Shea Pryce Thistlewood",
    ),
    ("Miloš Zdeněk Łukasz Grażyna Zsófia Győző", "Nováková Dvořák Wałęsa Jabłoński Szőke Erdős"),
    ("Александр Екатерина Людмила Николай", "Смирнов Кузнецова Виноградов Соловьёва"),
    ("Αλέξανδρος Ειρήνη Γεώργιος", "Παπαδόπουλος Οικονόμου Δημητρίου"),
];
const STREETS: &[&str] = &[
    "# rue des Lilas",
    "# avenue de la République",
    "# bis, rue de l'Église",
    "Mühlstraße #",
    "Schloßgasse #a",
    "# Mill Lane",
    "# Orchard Close",
    "ul. Jabłońskich #",
];

/// One person.
pub struct Person {
    /// What identifies, by kind, as the original table has it.
    pub originals: Vec<(Identifier, String)>,
    /// The telephone number's parts.
    pub phone: Phone,
}

/// A telephone number, to be spelled in several ways.
pub struct Phone {
    country: &'static str,
    trunk: &'static str,
    groups: Vec<String>,
}

impl Phone {
    fn any(rng: &mut StdRng) -> Self {
        let (country, trunk, pattern) = *[
            ("33", "0", "6 ## ## ## ##"),
            ("49", "0", "15# ########"),
            ("44", "0", "7### ######"),
            ("1", "", "2## 7## ####"),
            ("55", "", "71 9#### ####"),
        ]
        .choose(rng)
        .expect("there are some");
        let groups = digits(rng, pattern).split(' ').map(str::to_owned).collect();
        Self { country, trunk, groups }
    }

    /// `+33 6 12 34 56 78`.
    pub fn international(&self, between: &str) -> String {
        format!("+{}{between}{}", self.country, self.groups.join(between))
    }

    /// `06 12 34 56 78`.
    pub fn national(&self, between: &str) -> String {
        format!("{}{}", self.trunk, self.groups.join(between))
    }

    /// `(202) 755-0143`, `+33 (0)6 12 34 56 78`, `0612345678`.
    pub fn local(&self, rng: &mut StdRng) -> String {
        match rng.random_range(0..3) {
            0 if self.trunk.is_empty() => {
                format!("({}) {}", self.groups[0], self.groups[1..].join("-"))
            }
            0 => format!("+{} (0){}", self.country, self.groups.join(" ")),
            1 => self.national(" "),
            _ => self.national(""),
        }
    }
}

/// That many people, and the names that nobody among them has.
pub fn people(rng: &mut StdRng, count: usize) -> (Vec<Person>, Vec<String>) {
    let mut names: Vec<(&str, &str)> = Vec::new();
    for (first, last) in NAMES {
        names.extend(
            first.split(' ').flat_map(|first| last.split(' ').map(move |last| (first, last))),
        );
    }
    names.shuffle(rng);
    assert!(count < names.len(), "there are only {} names", names.len());
    let others = names.split_off(count);
    let people = names.iter().enumerate().map(|(id, name)| Person::born(rng, id, *name)).collect();
    (people, others.iter().map(|(first, last)| format!("{first} {last}")).collect())
}

impl Person {
    fn born(rng: &mut StdRng, id: usize, (first, last): (&str, &str)) -> Self {
        let phone = Phone::any(rng);
        let host = pick(rng, &["courrier.fr", "postfach.de", "letterbox.co.uk", "poczta.pl"]);
        let (small_first, small_last) = (plain(first), plain(last));
        let street = pick(rng, STREETS).replace('#', &(3 + id).to_string());
        let originals = vec![
            (
                Identifier::Email,
                match id % 3 {
                    0 => format!("{small_first}.{small_last}@{host}"),
                    1 => format!("{small_last}{id}@{host}"),
                    _ => format!("{}_{small_last}+news{id}@mail.{host}", &small_first[..1]),
                },
            ),
            (
                Identifier::Phone,
                match id % 3 {
                    0 => phone.international(" "),
                    1 => phone.international(""),
                    _ => phone.national(""),
                },
            ),
            (
                Identifier::Username,
                match id % 2 {
                    0 => format!("{small_last}_{}", 1000 + 7 * id),
                    _ => format!("{}.{small_last}{id}", &small_first[..1]),
                },
            ),
            (Identifier::Iban, iban(rng)),
            (Identifier::Card, card(rng)),
            (Identifier::FullName, format!("{first} {last}")),
            (Identifier::StreetAddress, street),
            (Identifier::Secret, format!("tok_{:016x}", rng.random::<u64>())),
            (Identifier::Other, format!("MRN-{:08}", rng.random_range(0..100_000_000))),
        ];
        Self { originals, phone }
    }

    /// Its original of a kind.
    pub fn original(&self, kind: Identifier) -> &str {
        let found = self.originals.iter().find(|(of, _)| *of == kind);
        &found.expect("a person has every kind").1
    }
}

/// A name in small letters of ASCII alone: hexadecimal where it has none.
fn plain(name: &str) -> String {
    let letter = |c: char| match c {
        'à' | 'á' | 'ä' | 'ą' => "a".to_owned(),
        'ç' => "c".to_owned(),
        'è' | 'é' | 'ę' | 'ě' => "e".to_owned(),
        'ï' | 'í' => "i".to_owned(),
        'ł' => "l".to_owned(),
        'ń' => "n".to_owned(),
        'ó' | 'ô' | 'ö' | 'ő' => "o".to_owned(),
        'ř' => "r".to_owned(),
        'ś' | 'š' => "s".to_owned(),
        'ü' | 'ű' => "u".to_owned(),
        'ż' => "z".to_owned(),
        'ß' => "ss".to_owned(),
        '\'' => String::new(),
        c if c.is_ascii_alphabetic() => c.to_string(),
        c => format!("{:x}", u32::from(c) & 0xff),
    };
    name.to_lowercase().chars().map(letter).collect()
}

/// With right check digits (ISO 13616), in one or in groups.
fn iban(rng: &mut StdRng) -> String {
    let country = pick(rng, &["FR", "DE", "GB"]);
    let account = match country {
        "FR" => digits(rng, "#####") + &digits(rng, "###########") + "M" + &digits(rng, "######"),
        "DE" => digits(rng, "##################"),
        _ => "NWBK".to_owned() + &digits(rng, "##############"),
    };
    let rest = format!("{account}{country}00").bytes().fold(0_u32, |rest, byte| {
        let (value, base) = match byte {
            b'0'..=b'9' => (u32::from(byte - b'0'), 10),
            _ => (u32::from(byte - b'A') + 10, 100),
        };
        (rest * base + value) % 97
    });
    format!("{country}{:02}{account}", 98 - rest)
}

/// In groups of four, as people write them.
pub fn in_fours(number: &str) -> String {
    let groups: Vec<&str> =
        (0..number.len()).step_by(4).map(|at| &number[at..number.len().min(at + 4)]).collect();
    groups.join(" ")
}

/// With a right check digit (Luhn).
fn card(rng: &mut StdRng) -> String {
    let head = digits(rng, "4##############");
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let sum: u32 = head
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            if place % 2 == 0 { doubled(digit) } else { digit }
        })
        .sum();
    format!("{head}{}", (10 - sum % 10) % 10)
}

/// One of several.
pub fn pick<'a>(rng: &mut StdRng, list: &[&'a str]) -> &'a str {
    list.choose(rng).expect("the list is not empty")
}

/// A pattern with a random digit for every `#`.
pub fn digits(rng: &mut StdRng, pattern: &str) -> String {
    let digit = |c| if c == '#' { char::from(b'0' + rng.random_range(0..10)) } else { c };
    pattern.chars().map(digit).collect()
}
