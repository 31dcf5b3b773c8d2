//! A release: the statement that lets a snapshot into another account, in the in-toto form as the report is
//! ([`crate::statement`]). Its subject is one snapshot and no other; its predicate names the reports of the runs that masked
//! what is in it. Without a signature it lets nothing in.

use serde::{Deserialize, Serialize};

use crate::dsse::Envelope;
use crate::key::PublicKey;
use crate::report::Verdict;
use crate::statement::{Digest, PAYLOAD_TYPE, STATEMENT_TYPE, StatementError, Subject, sha256};

/// What the predicate is: a [`Release`]. A name, not an address.
pub const RELEASE_TYPE: &str = "https://anonymizer.example/release/v1";

/// What is said of a snapshot.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The database as both accounts call it.
    pub database: String,
    /// The snapshot, by its full name in the account that owns it.
    pub snapshot: String,
    /// The database the snapshot was taken of, by the identifier that names do not change.
    pub resource_id: String,
    /// When the snapshot was made, RFC 3339.
    pub created_at: String,
    /// When production's data was as it is in it, RFC 3339.
    pub data_as_of: String,
    /// `postgres`, `sqlite`, …
    pub engine: String,
    /// The key the snapshot is encrypted under.
    pub key: String,
    /// The execution that released it.
    pub run_id: String,
    /// One for each database in it.
    pub reports: Vec<Reported>,
    /// When it was signed, RFC 3339.
    pub signed_at: String,
    /// When it is no longer let in, RFC 3339.
    pub expires_at: String,
}

/// What a run reported of one database.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Reported {
    /// The database's name on its server; the file's name for SQLite.
    pub name: String,
    /// The masking run's identifier, as the marker in the database has it.
    pub run_id: String,
    /// SHA-256 of `report.json`, hex, as the marker in the database has it.
    pub report_digest: String,
    /// SHA-256 of the rules file, hex.
    pub rules_digest: String,
    /// Passed, or it would not be here.
    pub verdict: Verdict,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Statement {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Release,
}

impl Release {
    /// The statement's bytes, which are what is signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let statement = Statement {
            statement_type: STATEMENT_TYPE.into(),
            subject: vec![self.subject()],
            predicate_type: RELEASE_TYPE.into(),
            predicate: self.clone(),
        };
        let mut bytes = serde_json::to_vec_pretty(&statement).expect("keys are strings");
        bytes.push(b'\n');
        bytes
    }

    /// What an envelope says, where this key has signed it and every report in it has passed.
    pub fn open(envelope: &[u8], key: &PublicKey) -> Result<Self, StatementError> {
        let payload = Envelope::read(envelope)?.open(PAYLOAD_TYPE, key)?;
        let statement: Statement =
            serde_json::from_slice(&payload).map_err(|_| StatementError::Form)?;
        if statement.statement_type != STATEMENT_TYPE || statement.predicate_type != RELEASE_TYPE {
            return Err(StatementError::Kind);
        }
        let release = statement.predicate;
        if statement.subject != [release.subject()] {
            return Err(StatementError::Subject);
        }
        let passed = release.reports.iter().all(|report| report.verdict == Verdict::Passed);
        if !passed || release.reports.is_empty() {
            return Err(StatementError::Verdict);
        }
        Ok(release)
    }

    /// A snapshot has no digest that anybody could take without restoring it: what tells it from others stands for one.
    fn subject(&self) -> Subject {
        let identity = format!("{}\n{}\n{}\n", self.snapshot, self.resource_id, self.created_at);
        Subject {
            name: self.snapshot.clone(),
            digest: Digest { sha256: sha256(identity.as_bytes()) },
        }
    }
}
