//! Who would get at a snapshot if it was shared, as somebody else than this product computes it: nobody is asked, or an analyzer
//! of IAM Access Analyzer. It shares nothing and decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::error::AccountError;

/// Who is asked.
#[derive(Clone, Debug)]
pub enum Previews {
    /// Nobody: there is no such thing on one machine, and not everybody wants it.
    Nobody,
    /// An analyzer.
    #[cfg(feature = "aws")]
    Analyzer(Box<crate::aws::Analyzer>),
}

/// A snapshot that is to be shared.
#[derive(Clone, Debug)]
pub struct Proposed<'a> {
    /// Its ARN.
    pub snapshot: &'a str,
    /// The accounts that are to be let in.
    pub accounts: &'a BTreeSet<String>,
    /// The key that it is encrypted under.
    pub key: &'a str,
    /// Two questions with the same one are one.
    pub token: &'a str,
}

/// How far a preview is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preview {
    /// It is being made.
    Making,
    /// There will be none, for that reason.
    Failed(String),
    /// Everything that would be open to anybody outside the account.
    Made(Vec<Finding>),
}

/// Something that would be open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// To whom, by the kind of whoever it is.
    pub principal: Option<BTreeMap<String, String>>,
    /// To everybody.
    pub is_public: Option<bool>,
    /// What.
    pub resource: Option<String>,
    /// `ACTIVE`; `ARCHIVED` where a rule of the analyzer's expects it; `RESOLVED` where it would be open no longer.
    pub status: String,
    /// Why it could not be told.
    pub error: Option<String>,
}

impl Previews {
    /// Begins one; nothing where nobody is asked.
    #[cfg_attr(not(feature = "aws"), expect(unused_variables, reason = "nobody is asked"))]
    pub async fn begin(&self, proposed: &Proposed<'_>) -> Result<Option<String>, AccountError> {
        match self {
            Self::Nobody => Ok(None),
            #[cfg(feature = "aws")]
            Self::Analyzer(analyzer) => analyzer.begin(proposed).await.map(Some),
        }
    }

    /// How far one is that was begun.
    pub async fn look(&self, id: &str) -> Result<Preview, AccountError> {
        match self {
            Self::Nobody => Err(AccountError::Other(format!("nobody has begun the preview {id}"))),
            #[cfg(feature = "aws")]
            Self::Analyzer(analyzer) => analyzer.look(id).await,
        }
    }
}
