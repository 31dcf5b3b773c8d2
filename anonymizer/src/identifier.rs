//! The kinds of direct identifier: what one value alone tells about whom it belongs to, or two of one row.

/// A kind of direct identifier.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Identifier {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A user name.
    Username,
    /// An international bank account number.
    Iban,
    /// A payment card number.
    Card,
    /// A number a state or an insurance has given to a person.
    NationalId,
    /// Given and family name together.
    FullName,
    /// Street and number.
    StreetAddress,
    /// A password, token or key, or its hash.
    Secret,
    /// Anything else that a rule says identifies.
    Other,
}

/// What the leak gate looks for of a column's originals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sought {
    /// Nothing.
    #[default]
    Nothing,
    /// Values that as a whole are an e-mail address, an IBAN, a card's or an international telephone number.
    Shapes,
    /// Every value, as one of this kind.
    Kind(Identifier),
}

/// Which part of a person's name a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamePart {
    /// The given name.
    First,
    /// The family name.
    Last,
}

impl Identifier {
    /// Every kind.
    pub const ALL: [Identifier; 10] = [
        Identifier::Email,
        Identifier::Phone,
        Identifier::Username,
        Identifier::Iban,
        Identifier::Card,
        Identifier::NationalId,
        Identifier::FullName,
        Identifier::StreetAddress,
        Identifier::Secret,
        Identifier::Other,
    ];

    /// The name in rules and reports.
    pub fn name(self) -> &'static str {
        match self {
            Identifier::Email => "email",
            Identifier::Phone => "phone",
            Identifier::Username => "username",
            Identifier::Iban => "iban",
            Identifier::Card => "card",
            Identifier::NationalId => "national_id",
            Identifier::FullName => "full_name",
            Identifier::StreetAddress => "street_address",
            Identifier::Secret => "secret",
            Identifier::Other => "other",
        }
    }
}
