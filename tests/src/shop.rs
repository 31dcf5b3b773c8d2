//! A shop whose customers never lived: the demo's database, the same for the same number of customers.
//!
//! It has what makes masking hard in the field: one person's name in five tables, an e-mail address inside JSON, free text
//! that names people, a search index that remembers every word, rows of the staff that should stay.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result, Statement, params};

/// The shop's tables.
const SCHEMA: &str = include_str!("shop.sql");

/// The same tables in PostgreSQL.
const POSTGRES: &str = include_str!("shop.postgres.sql");

/// Any number will do; another one makes another shop.
const SEED: u64 = 20_240_229;

/// Its tables, parents first.
const TABLES: [&str; 7] =
    ["products", "customers", "addresses", "orders", "reviews", "payment_tokens", "sessions"];

/// What is inserted for an id that SQLite shall choose.
const NEXT_ID: Option<i64> = None;

/// One row in so many is one of the shop's own people.
const STAFF_EVERY: i64 = 400;

/// Where people live and what they are called there. Lists are texts with commas.
struct Country {
    code: &'static str,
    language: &'static str,
    weight: u32,
    first_names: &'static str,
    last_names: &'static str,
    streets: &'static str,
    /// Postal code and name.
    towns: &'static str,
    mail: &'static str,
    /// A random digit for every `#`.
    phone: &'static str,
    /// The house number stands before the street.
    number_first: bool,
}

const COUNTRIES: &[Country] = &[
    Country {
        code: "FR",
        language: "fr",
        weight: 50,
        first_names: "Aurélie, Benoît, Camille, Chloé, Didier, Éléonore, Fabien, Gaëlle, \
            Hélène, Inès, Jérôme, Loïc, Maëlys, Noémie, Océane, Pascal, Rémi, \
            Solène, Thibault, Zoé",
        last_names: "Barbier, Chevallier, Delaunay, Faure, Garnier, Guérin, Hébert, Lacroix, \
            Lefèvre, Marchand, Noël, Pelletier, Poirier, Renaud, Rivière, Roussel, \
            Schmitt, Vasseur",
        streets: "rue des Lilas, avenue de la République, boulevard Voltaire, \
            place du Marché, rue de l'Église, impasse des Tilleuls, \
            quai des Brumes, chemin du Moulin",
        towns: "35000 Rennes, 44000 Nantes, 69003 Lyon, 13006 Marseille, \
            67000 Strasbourg, 33000 Bordeaux, 59000 Lille, 31000 Toulouse",
        mail: "courrier.test, laboite.test, messagerie.test",
        phone: "+33 6 ## ## ## ##",
        number_first: true,
    },
    Country {
        code: "DE",
        language: "de",
        weight: 20,
        first_names: "Anke, Björn, Detlef, Friederike, Günther, Heike, Jörg, Käthe, \
            Lieselotte, Ruprecht, Sönke, Ute",
        last_names: "Bäcker, Eßer, Größl, Hartwig, Jäger, Kühn, Löwe, Möller, Pfeiffer, \
            Schröder, Vogt, Weiß",
        streets: "Gartenweg, Lindenallee, Mühlstraße, Am Rathaus, Schloßgasse, \
            Bahnhofstraße",
        towns: "50667 Köln, 80331 München, 04109 Leipzig, 24103 Kiel, 90402 Nürnberg",
        mail: "postfach.test, briefkasten.test",
        phone: "+49 15# ########",
        number_first: false,
    },
    Country {
        code: "GB",
        language: "en",
        weight: 14,
        first_names: "Alistair, Beatrix, Callum, Freya, Imogen, Nigel, Oonagh, Rhys, Siobhan, \
            Tamsin",
        last_names: "Ashworth, Cholmondeley, Fairbrother, Hollingsworth, MacAllister, \
            O'Shea, Pryce, Thistlewood",
        streets: "Mill Lane, Church Street, Station Road, The Crescent, Orchard Close",
        towns: "LS1-4AP Leeds, EH1-1YZ Edinburgh, CF10-1EP Cardiff, NR2-1RW Norwich",
        mail: "letterbox.test, pillarbox.test",
        phone: "+44 7### ######",
        number_first: true,
    },
    Country {
        code: "BR",
        language: "pt",
        weight: 10,
        first_names: "Antônia, Caetano, Conceição, Flávio, Iara, João, Lourdes, Raimundo",
        last_names: "Araújo, Brandão, Guimarães, Magalhães, Nóbrega, Queirós, Sampaio, \
            Vilhena",
        streets: "Rua das Acácias, Avenida Central, Travessa do Porto, Rua Sete de Abril",
        towns: "40020-000 Salvador, 50030-230 Recife, 80010-010 Curitiba, \
            69005-070 Manaus",
        mail: "correio.test",
        phone: "+55 71 9####-####",
        number_first: false,
    },
    Country {
        code: "JP",
        language: "ja",
        weight: 6,
        first_names: "愛子, 健太, さくら, 大輔, 美咲, 翔",
        last_names: "青木, 藤原, 五十嵐, 松田, 西村, 渡部",
        streets: "本町, 旭町, 緑が丘, 港町",
        towns: "060-0001 札幌市, 604-8001 京都市, 810-0001 福岡市",
        mail: "yubin.test",
        phone: "+81 90-####-####",
        number_first: false,
    },
];

const PRODUCTS: &str = "bicycle bell, desk lamp, enamel mug, fountain pen, garden shears, \
    goose-feather pillow, hand plane, linen apron, moka pot, oak stool, pocket knife, \
    reading glasses, slate chalk, tea towel, wall clock, wool blanket";

const VERDICTS: [(&str, u8); 6] = [
    ("Works as it should.", 4),
    ("A little smaller than the picture.", 3),
    ("Arrived broken, replaced within a week.", 2),
    ("My third one: I keep giving them away.", 5),
    ("Not for me, returned.", 1),
    ("Beautifully made.", 5),
];

/// One person, as the shop knows them.
struct Person {
    country: &'static Country,
    first_name: &'static str,
    last_name: &'static str,
    email: String,
    phone: String,
    street: String,
    postal_code: &'static str,
    city: &'static str,
}

/// Builds the shop in a new file; one that is there is replaced.
pub fn build(path: &Path, customers: i64) -> Result<()> {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    let connection = Connection::open(path)?;
    connection.execute_batch(SCHEMA)?;
    connection.execute_batch("BEGIN")?;
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut books = Books::open(&connection)?;
    for (at, product) in PRODUCTS.split(", ").enumerate() {
        books.products.execute(params![at as i64 + 1, product, money(&mut rng, 450..19_900)])?;
    }
    for id in 1..=customers {
        let person = Person::born(&mut rng, id);
        person.register(&mut books, &mut rng, id)?;
        person.pay(&mut books, &mut rng, id)?;
        for _ in 0..rng.random_range(0..6) {
            person.order(&mut books, &mut rng, id)?;
        }
        if rng.random_ratio(2, 5) {
            person.review(&mut books, &mut rng, id)?;
        }
        if rng.random_ratio(1, 10) {
            books.sessions.execute(params![hex(&mut rng), id, moment(&mut rng)])?;
        }
    }
    connection.execute_batch("COMMIT")
}

/// Where the shop writes things down.
struct Books<'c> {
    products: Statement<'c>,
    customers: Statement<'c>,
    addresses: Statement<'c>,
    payment_tokens: Statement<'c>,
    orders: Statement<'c>,
    reviews: Statement<'c>,
    sessions: Statement<'c>,
}

impl<'c> Books<'c> {
    fn open(connection: &'c Connection) -> Result<Self> {
        // A missing id, given as NULL, is the next one.
        let book = |table: &str, columns: usize| {
            let values = vec!["?"; columns].join(", ");
            connection.prepare(&format!("INSERT INTO {table} VALUES ({values})"))
        };
        Ok(Self {
            products: book("products", 3)?,
            customers: book("customers", 11)?,
            addresses: book("addresses", 6)?,
            payment_tokens: book("payment_tokens", 5)?,
            orders: book("orders", 8)?,
            reviews: book("reviews", 6)?,
            sessions: book("sessions", 3)?,
        })
    }
}

impl Person {
    fn born(rng: &mut StdRng, id: i64) -> Self {
        let country = COUNTRIES
            .choose_weighted(rng, |country| country.weight)
            .expect("the countries have weights");
        let town = pick(rng, country.towns);
        let (postal_code, city) = town.split_once(' ').expect("a town has a code and a name");
        let (number, street) = (rng.random_range(1..180), pick(rng, country.streets));
        let street = if country.number_first {
            format!("{number} {street}")
        } else {
            format!("{street} {number}")
        };
        let mut person = Self {
            country,
            first_name: pick(rng, country.first_names),
            last_name: pick(rng, country.last_names),
            email: String::new(),
            phone: digits(rng, country.phone),
            street,
            postal_code,
            city,
        };
        person.email = match id % STAFF_EVERY {
            0 => format!("staff{id}@shop.test"),
            _ => person.address(id, pick(rng, country.mail)),
        };
        person
    }

    /// An e-mail address such as people choose, unlike any other in the shop.
    fn address(&self, id: i64, host: &str) -> String {
        format!("{}.{}{id}@{host}", plain(self.first_name), plain(self.last_name))
            .trim_start_matches('.')
            .to_owned()
    }

    fn name(&self) -> String {
        match self.country.code {
            "JP" => format!("{} {}", self.last_name, self.first_name),
            _ => format!("{} {}", self.first_name, self.last_name),
        }
    }

    fn register(&self, books: &mut Books<'_>, rng: &mut StdRng, id: i64) -> Result<()> {
        let profile = serde_json::json!({
            "language": self.country.language,
            "contact": { "email": self.email, "phone": self.phone },
            "wishlist": (0..rng.random_range(0..3)).map(|_| pick(rng, PRODUCTS)).collect::<Vec<_>>(),
        });
        let notes = rng
            .random_ratio(1, 4)
            .then(|| format!("{} called about the parcel, prefers {}.", self.name(), self.phone));
        let fax = rng.random_ratio(1, 20).then(|| digits(rng, "+33 2 ## ## ## ##"));
        let birth_date = day(rng, 1940..2006);
        let created_at = moment(rng);
        books.customers.execute(params![
            id,
            self.email,
            self.first_name,
            self.last_name,
            self.phone,
            birth_date,
            fax,
            rng.random_bool(0.6),
            profile.to_string(),
            notes,
            created_at,
        ])?;
        books.addresses.execute(params![
            NEXT_ID,
            id,
            self.street,
            self.postal_code,
            self.city,
            self.country.code
        ])?;
        Ok(())
    }

    fn pay(&self, books: &mut Books<'_>, rng: &mut StdRng, id: i64) -> Result<()> {
        let iban = digits(rng, "FR## 3### #### #### #### #### ###").replace(' ', "");
        let token = format!("tok_{}", hex(rng));
        books.payment_tokens.execute(params![
            id,
            iban,
            token,
            digits(rng, "####"),
            day(rng, 2026..2030),
        ])?;
        Ok(())
    }

    fn order(&self, books: &mut Books<'_>, rng: &mut StdRng, id: i64) -> Result<()> {
        let note = rng.random_ratio(1, 5).then(|| {
            format!("Leave it with {} at {}", pick(rng, self.country.last_names), self.street)
        });
        let total = money(rng, 900..45_000);
        let ip = format!(
            "{}.{}.{}.{}",
            rng.random_range(20..120),
            rng.random::<u8>(),
            rng.random::<u8>(),
            rng.random::<u8>()
        );
        books.orders.execute(params![
            NEXT_ID,
            id,
            moment(rng),
            pick(rng, "paid, sent, sent, sent, returned"),
            total,
            self.name(),
            ip,
            note,
        ])?;
        Ok(())
    }

    fn review(&self, books: &mut Books<'_>, rng: &mut StdRng, id: i64) -> Result<()> {
        let product = rng.random_range(1..=PRODUCTS.split(", ").count() as i64);
        let (verdict, stars) = VERDICTS[rng.random_range(0..VERDICTS.len())];
        let body = match rng.random_range(0..3) {
            0 => format!("{verdict} Write to me at {} for details.", self.email),
            1 => format!("{verdict} {}, {}", self.first_name, self.city),
            _ => verdict.to_owned(),
        };
        books.reviews.execute(params![NEXT_ID, id, product, stars, self.name(), body])?;
        Ok(())
    }
}

/// Writes the shop of a file as a script for psql, with the same rows.
pub fn script(file: &Path, to: &Path) -> anyhow::Result<()> {
    let shop = Connection::open(file)?;
    let (tables, rest) = POSTGRES.split_once("-- rows\n").context("no place for rows")?;
    let mut script = BufWriter::new(File::create(to)?);
    write!(script, "{tables}")?;
    for table in TABLES {
        writeln!(script, "COPY {table} FROM STDIN;")?;
        let mut all = shop.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = all.column_count();
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let cells = (0..columns).map(|at| row.get_ref(at).map(cell));
            let cells: Vec<String> = cells.collect::<Result<_>>()?;
            writeln!(script, "{}", cells.join("\t"))?;
        }
        writeln!(script, "\\.")?;
    }
    write!(script, "{rest}")?;
    Ok(script.flush()?)
}

/// A value in the text form of COPY.
fn cell(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "\\N".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            let text = String::from_utf8_lossy(text);
            text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n")
        }
    }
}

/// A name as it is written in e-mail addresses: small letters without marks; nothing where it has no Latin letters.
fn plain(name: &str) -> String {
    let letter = |c: char| match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' => "a".to_owned(),
        'ç' => "c".to_owned(),
        'è' | 'é' | 'ê' | 'ë' => "e".to_owned(),
        'í' | 'î' | 'ï' => "i".to_owned(),
        'ó' | 'ô' | 'õ' | 'ö' => "o".to_owned(),
        'ú' | 'û' | 'ü' => "u".to_owned(),
        'ß' => "ss".to_owned(),
        c if c.is_ascii_alphabetic() => c.to_string(),
        _ => String::new(),
    };
    name.to_lowercase().chars().map(letter).collect()
}

/// One of a list.
fn pick(rng: &mut StdRng, list: &'static str) -> &'static str {
    let count = list.split(", ").count();
    list.split(", ").nth(rng.random_range(0..count)).expect("the number is below the count")
}

/// A pattern with a random digit for every `#`.
fn digits(rng: &mut StdRng, pattern: &str) -> String {
    let digit = |c| if c == '#' { char::from(b'0' + rng.random_range(0..10)) } else { c };
    pattern.chars().map(digit).collect()
}

fn money(rng: &mut StdRng, cents: std::ops::Range<u32>) -> f64 {
    f64::from(rng.random_range(cents)) / 100.0
}

fn hex(rng: &mut StdRng) -> String {
    format!("{:032x}", rng.random::<u128>())
}

fn day(rng: &mut StdRng, years: std::ops::Range<u32>) -> String {
    let (year, month, day) =
        (rng.random_range(years), rng.random_range(1..13), rng.random_range(1..29));
    format!("{year}-{month:02}-{day:02}")
}

fn moment(rng: &mut StdRng) -> String {
    let (hour, minute) = (rng.random_range(7..23), rng.random_range(0..60));
    format!("{} {hour:02}:{minute:02}:00", day(rng, 2015..2026))
}
