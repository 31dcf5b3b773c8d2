//! What a column's name says of its values: whose names they are, or which identifier.
//!
//! It reads names of tables and columns and knows no value. A name says little by itself: the detectors ask the values too,
//! and the plan asks it only about columns whose function says nothing of what it masks.

use super::fold::fold_words;
use crate::identifier::Identifier;

/// What a name says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hint {
    /// Nothing.
    #[default]
    Nothing,
    /// Given names of people.
    First,
    /// Family names.
    Last,
    /// Whole names.
    Full,
    /// User names.
    User,
    /// Street addresses.
    Street,
    /// Another identifier.
    Other(Identifier),
    /// Names of something else.
    Thing,
}

#[rustfmt::skip]
const FIRST: &[&str] = &[
    "firstname", "fname", "forename", "givenname", "middlename", "prenom", "prenoms", "vorname", "vornamen", "nombres",
    "voornaam", "imie", "fornavn", "fornamn",
];
#[rustfmt::skip]
const LAST: &[&str] = &[
    "lastname", "lname", "surname", "familyname", "maidenname", "nomfamille", "nomdefamille", "nomusage", "nomnaissance",
    "nachname", "familienname", "apellido", "apellidos", "cognome", "sobrenome", "achternaam", "nazwisko", "efternavn",
    "efternamn",
];
#[rustfmt::skip]
const FULL: &[&str] = &[
    "fullname", "realname", "personname", "contactname", "holdername", "accountholder", "cardholder", "recipientname",
    "nomcomplet", "nomprenom", "nombrecompleto", "nomecompleto", "patientname", "employeename", "customername", "membername",
    "clientname", "guestname", "studentname", "ownername", "payeename", "shipname", "empfaengername", "kontoinhaber",
];
/// What tables of people are called, of which a `name` is a person's.
#[rustfmt::skip]
const PEOPLE: &[&str] = &[
    "customer", "customers", "client", "clients", "member", "members", "user", "users", "person", "persons", "people", "contact",
    "contacts", "employee", "employees", "staff", "patient", "patients", "student", "students", "teacher", "teachers", "guest",
    "guests", "identities", "subscribers", "donors", "kunden", "benutzer", "mitarbeiter", "personnes", "utilisateurs", "clientes",
    "usuarios", "personas", "empleados", "clienti", "utenti", "persone",
];
#[rustfmt::skip]
const USERS: &[&str] = &[
    "username", "userlogin", "login", "loginname", "nick", "nickname", "screenname", "userhandle", "pseudonyme",
    "benutzername", "anmeldename", "nombreusuario", "nomeutente", "nomutilisateur", "gebruikersnaam", "pseudo", "twitter",
    "facebook", "instagram", "tiktok", "linkedin", "mastodon", "bluesky", "skype",
];
/// Words beside which a login is no name but when, how often or whose.
const NO_USER: &[&str] = &[
    "id",
    "at",
    "date",
    "time",
    "count",
    "type",
    "title",
    "text",
    "last",
    "failed",
    "counter",
    "attempts",
    "plan",
    "history",
    "url",
    "ip",
    "image",
    "description",
];
#[rustfmt::skip]
const STREETS: &[&str] = &[
    "street", "streetaddress", "streetname", "address", "addressline", "addr", "strasse", "rue", "adresse", "anschrift",
    "direccion", "domicilio", "calle", "indirizzo", "endereco", "logradouro", "rua", "adres", "straat", "ulica", "adresa",
];
/// Words beside which an address is none of a street.
#[rustfmt::skip]
const NO_STREET: &[&str] = &[
    "email", "mail", "ip", "ipv4", "ipv6", "mac", "web", "url", "http", "wallet", "server", "net", "network", "host", "type",
    "id", "format", "code", "memory", "sender",
];
#[rustfmt::skip]
const THINGS: &[&str] = &[
    "city", "cities", "town", "towns", "ville", "villes", "stadt", "ort", "ciudad", "citta", "cidade", "country", "countries",
    "pays", "land", "pais", "paese", "state", "states", "region", "regions", "province", "provinces", "county", "place",
    "product", "products", "produit", "produkt", "item", "items", "article", "category", "categories", "title", "titre",
    "titel", "brand", "brands", "company", "companies", "firma", "band", "genre", "album", "track", "language", "languages",
    "currency", "role", "roles", "status", "type", "types", "color", "colour", "month", "day", "file", "school", "airport",
];
/// Other identifiers, by the words that are called so.
#[rustfmt::skip]
const OTHERS: &[(Identifier, &[&str])] = &[
    (Identifier::Email, &["email", "emails", "mail", "mailaddress", "courriel", "correo", "emailadresse", "bcc", "replyto"]),
    (Identifier::Phone, &[
        "phone", "phones", "telephone", "tel", "mobile", "fax", "gsm", "msisdn", "telefon", "telefono", "telefone", "telefoon",
        "whatsapp", "phonenumber", "pager", "handynummer", "movil", "celular", "cellphone", "homephone", "mobilephone",
    ]),
    (Identifier::Iban, &[
        "iban", "bankaccount", "bankaccountnumber", "accountnumber", "accountno", "kontonummer", "kontonr", "gegenkonto",
        "empfaengerkonto", "numerocompte", "numerocuenta",
    ]),
    (Identifier::Card, &["cardnumber", "cardno", "ccnumber", "ccnum", "creditcard", "creditcardnumber", "cardpan"]),
    (Identifier::NationalId, &[
        "ssn", "socialsecurity", "nationalid", "nationalidnumber", "passport", "passportno", "passportnumber", "cpf", "dni",
        "nif", "nir", "bsn", "pesel", "codicefiscale", "steuerid", "personnummer", "insee", "driverlicense", "driverslicense",
        "licencenumber", "personalid",
    ]),
    (Identifier::Secret, &[
        "password", "passwd", "pwd", "passwordhash", "passhash", "secret", "token", "accesstoken", "apikey", "motdepasse",
        "passwort", "kennwort", "contrasena", "mdp", "sessionid", "sessid",
    ]),
];
/// Words beside which none of these is meant: what is about it, not it.
#[rustfmt::skip]
const ABOUT: &[&str] = &[
    "id", "type", "kind", "status", "state", "flag", "count", "format", "template", "subject", "body", "text", "html", "title",
    "message", "encoding", "language", "lang", "date", "at", "time", "sent", "verified", "confirmed", "enabled", "show",
    "server", "host", "port", "domain", "protocol", "model", "brand", "provider", "driver", "expires", "expiry", "policy", "name",
    "code", "class", "disabled", "rate", "notify",
];

/// What the names of a table and of its column say.
pub fn hint(table: &str, column: &str) -> Hint {
    let own = words(column);
    let any =
        |words: &[String], list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    // `national_id` is not about a `national`.
    let about = |known: &str| {
        own.iter().any(|word| ABOUT.contains(&word.as_str()) && !known.ends_with(word.as_str()))
    };
    let said = |list: &[&str]| own.iter().any(|word| list.contains(&word.as_str()) && !about(word));
    let other = || OTHERS.iter().find(|(_, list)| said(list)).map(|(kind, _)| *kind);
    if any(&own, FIRST) {
        Hint::First
    } else if any(&own, LAST) {
        Hint::Last
    } else if any(&own, FULL) || (own == ["name"] && is_of_people(table)) {
        Hint::Full
    } else if any(&own, USERS) && !any(&own, NO_USER) {
        Hint::User
    } else if any(&own, STREETS) && !any(&own, NO_STREET) {
        Hint::Street
    } else if let Some(kind) = other() {
        Hint::Other(kind)
    } else if any(&own, THINGS) || any(&words(table), THINGS) {
        Hint::Thing
    } else {
        Hint::Nothing
    }
}

/// A table of people: `members`, `crm_contacts`, not `user_groups`.
fn is_of_people(table: &str) -> bool {
    let words = spaced(table);
    words.split(' ').next_back().is_some_and(|last| PEOPLE.contains(&last))
}

impl Hint {
    /// Names of people, or parts of them.
    pub fn is_name(self) -> bool {
        matches!(self, Hint::First | Hint::Last | Hint::Full)
    }

    /// The kind of identifier that each value is.
    pub fn kind(self) -> Option<Identifier> {
        match self {
            Hint::Full => Some(Identifier::FullName),
            Hint::User => Some(Identifier::Username),
            Hint::Street => Some(Identifier::StreetAddress),
            Hint::Other(kind) => Some(kind),
            Hint::Nothing | Hint::First | Hint::Last | Hint::Thing => None,
        }
    }
}

/// A column's name that says it holds dates of birth.
pub fn is_birth_date(column: &str) -> bool {
    #[rustfmt::skip]
    const BIRTHS: &[&str] = &[
        "birth", "dob", "birthday", "birthdate", "dateofbirth", "bday", "geburtsdatum", "geburtstag", "gebdatum", "naissance",
        "nacimiento", "nascita", "nascimento", "geboortedatum", "fodelsedatum", "dataurodzenia", "ddn",
    ];
    const PLACES: &[&str] =
        &["place", "city", "town", "country", "state", "lieu", "ort", "luogo", "lugar", "name"];
    let own = words(column);
    let any = |list: &[&str]| own.iter().any(|word| list.contains(&word.as_str()));
    any(BIRTHS) && !any(PLACES)
}

/// A name's words, and what two or three of them are together: `dateOfBirth` has `dateofbirth` too.
fn words(name: &str) -> Vec<String> {
    let folded = spaced(name);
    let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    (1..=3).flat_map(|many| words.windows(many)).map(<[&str]>::concat).collect()
}

/// A name's words, folded, with a blank between them.
fn spaced(name: &str) -> String {
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut small = false;
    for character in name.chars() {
        if character.is_uppercase() && small {
            spaced.push(' ');
        }
        small = character.is_lowercase();
        spaced.push(if character.is_ascii_digit() { ' ' } else { character });
    }
    let mut folded = Vec::with_capacity(spaced.len());
    fold_words(&spaced, &mut folded);
    String::from_utf8(folded).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::path::Path;

    use super::*;

    #[test]
    fn names_say_what_columns_hold() {
        use Identifier::*;
        for (column, expected) in [
            ("first_name", Hint::First),
            ("prénom", Hint::First),
            ("primer_apellido", Hint::Last),
            ("FullName", Hint::Full),
            ("user_login", Hint::User),
            ("billing_address_1", Hint::Street),
            ("email_address", Hint::Other(Email)),
            ("ip_address", Hint::Nothing),
            ("homePhone", Hint::Other(Phone)),
            ("iban", Hint::Other(Iban)),
            ("card_number", Hint::Other(Card)),
            ("ssn", Hint::Other(NationalId)),
            ("password_hash", Hint::Other(Secret)),
            ("national_id", Hint::Other(NationalId)),
            ("last_login", Hint::Nothing),
            ("email_sent", Hint::Nothing),
            ("password_expires_at", Hint::Nothing),
            ("mail_template", Hint::Nothing),
            ("city", Hint::Thing),
            ("note", Hint::Nothing),
        ] {
            assert_eq!(hint("t", column), expected, "{column}");
        }
        assert_eq!(hint("products", "name"), Hint::Thing);
        assert_eq!(hint("crm_contacts", "name"), Hint::Full);
        assert_eq!(hint("user_groups", "name"), Hint::Nothing);
        assert!(is_birth_date("date_naissance") && !is_birth_date("lieu_naissance"));
    }

    /// What a name says, in the words of the labelled schemas.
    fn label(table: &str, column: &str) -> &'static str {
        match hint(table, column) {
            _ if is_birth_date(column) => "birth_date",
            Hint::First => "first_name",
            Hint::Last => "last_name",
            Hint::Full => "full_name",
            Hint::User => "username",
            Hint::Street => "street_address",
            Hint::Other(Identifier::Secret) => "password_hash",
            Hint::Other(Identifier::Card) => "credit_card",
            Hint::Other(kind) => kind.name(),
            Hint::Nothing | Hint::Thing => "none",
        }
    }

    #[rustfmt::skip]
    const LABELS: [&str; 12] = [
        "birth_date", "first_name", "last_name", "full_name", "username", "street_address", "password_hash", "credit_card", "email",
        "phone", "iban", "national_id",
    ];

    /// `ANONYMIZER_PII` names the folder of schemas whose columns people have labelled.
    #[expect(clippy::disallowed_methods, reason = "ANONYMIZER_PII is for whoever runs the tests")]
    #[test]
    fn labelled_schemas_are_read_as_people_read_them() {
        let folder = std::env::var_os("ANONYMIZER_PII").filter(|folder| !folder.is_empty());
        let Some(folder) = folder else {
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED labelled schemas: ANONYMIZER_PII does not name their folder"
            );
            return;
        };
        // Of the kinds that a name can say: columns, those named so, those rightly named so.
        let (mut columns, mut named, mut right) = (0_u32, 0_u32, 0_u32);
        for file in fs::read_dir(Path::new(&folder).join("dev")).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            // Only types have commas in them.
            for fields in text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()) {
                let (said, truth) = (label(fields[1], fields[2]), fields[fields.len() - 1]);
                let truth = if truth == "secret" { "password_hash" } else { truth };
                if !truth.starts_with("maybe:") {
                    columns += u32::from(LABELS.contains(&truth));
                    named += u32::from(said != "none");
                    right += u32::from(said != "none" && said == truth);
                }
            }
        }
        let (recall, precision) =
            (f64::from(right) / f64::from(columns), f64::from(right) / f64::from(named));
        let said = format!(
            "labelled schemas: {columns} columns, recall {recall:.2}, precision {precision:.2}"
        );
        let _ = writeln!(std::io::stderr(), "{said}");
        assert!(columns > 100 && recall >= 0.75 && precision >= 0.9, "{said}");
    }
}
