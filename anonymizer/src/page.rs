//! The report as a page for people: one HTML file that asks nothing of a network and runs no script.
//!
//! Everything on it comes from `report.json`. Names in a database may hold anything, so the template escapes each one, and
//! the page's own policy forbids whatever an escape could miss.

mod chart;
mod view;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::dsse::Envelope;
use contract::statement::Statement;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use sha2::{Digest as _, Sha256};

/// The page's name in the report directory.
pub const FILE_NAME: &str = "report.html";

const TEMPLATE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/style.css");

/// The page of a statement. `bytes` are those of `report.json`, `envelope` its signed form, where there is one; whose
/// signature it is stays for `verify-statement` to find out.
pub fn render(bytes: &[u8], statement: &Statement, envelope: Option<&Envelope>) -> String {
    let view = view::view(bytes, statement, envelope);
    let mut environment = Environment::new();
    // A name that the template misspells must not look like an empty value.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template(FILE_NAME, TEMPLATE).expect("the template is well-formed");
    environment.add_global("style", Value::from_safe_string(STYLE.to_owned()));
    environment.add_global("style_hash", STANDARD.encode(Sha256::digest(STYLE)));
    let template = environment.get_template(FILE_NAME).expect("it was just added");
    template.render(Serde(&view)).expect("the view has all that is shown")
}
