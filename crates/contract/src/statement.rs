//! `report.json`: a report as an in-toto statement, version 1
//! (<https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>), and how a signed one is read.
//!
//! A statement says of a database, its subject, what was done to it, its predicate. A statement that fits none of the forms
//! written here, or whose subject is not the database its report speaks of, is not read.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::dsse::{Envelope, EnvelopeError};
use crate::key::{PublicKey, SigningKey};
use crate::report::{FORMAT, Report};

/// The form of the statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// What the predicate is: a [`Report`]. A name, not an address; its domain is reserved (RFC 2606), so that it stays nobody's.
pub const PREDICATE_TYPE: &str = "https://anonymizer.example/masking-run/v1";
/// The media type of a signed statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// What a run did to a database, in a form that can be signed.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// The masked database, and nothing else.
    pub subject: Vec<Subject>,
    /// [`PREDICATE_TYPE`].
    pub predicate_type: String,
    /// What was done.
    pub predicate: Report,
}

/// What a statement speaks of.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// [`Report::database`].
    pub name: String,
    /// What tells it from others.
    pub digest: Digest,
}

/// A subject's digest.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// SHA-256, hex, of the run's id, the schema's fingerprint and the moment the run ended, each followed by a line feed. The
    /// rows have no digest that survives a restore or is cheap to take; these are in the database itself, in its marker and
    /// its catalog. Without the moment, two restores masked under one id would be one.
    pub sha256: String,
}

/// Why a document is no statement that can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Not JSON of this form, or of a later version.
    #[error("it is not a statement of a masking run that this version reads")]
    Form,
    /// A statement of something else.
    #[error("it is a statement of another kind, not of a masking run")]
    Kind,
    /// The subject is not the database that the report speaks of.
    #[error("its subject is not the database that it reports on")]
    Subject,
    /// A release of something that has not passed.
    #[error("it releases what has not passed")]
    Verdict,
}

impl Subject {
    /// The database that a report speaks of.
    pub fn of(report: &Report) -> Self {
        let Report { run_id, schema_fingerprint, finished_at, .. } = report;
        let identity = format!("{run_id}\n{schema_fingerprint}\n{finished_at}\n");
        Self {
            name: report.database.clone(),
            digest: Digest { sha256: sha256(identity.as_bytes()) },
        }
    }
}

impl Statement {
    /// The statement of a run.
    pub fn new(report: Report) -> Self {
        Self {
            statement_type: STATEMENT_TYPE.into(),
            subject: vec![Subject::of(&report)],
            predicate_type: PREDICATE_TYPE.into(),
            predicate: report,
        }
    }

    /// The file's bytes, which are also what is signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("keys are strings");
        bytes.push(b'\n');
        bytes
    }

    /// Reads `report.json`. Whoever wrote it may have written anything: only a signature makes it evidence.
    pub fn read(bytes: &[u8]) -> Result<Self, StatementError> {
        let kind: Kind = serde_json::from_slice(bytes).map_err(|_| StatementError::Form)?;
        if kind.statement_type != STATEMENT_TYPE || kind.predicate_type != PREDICATE_TYPE {
            return Err(StatementError::Kind);
        }
        let statement: Self = serde_json::from_slice(bytes).map_err(|_| StatementError::Form)?;
        if statement.predicate.format != FORMAT {
            return Err(StatementError::Form);
        }
        if statement.subject != [Subject::of(&statement.predicate)] {
            return Err(StatementError::Subject);
        }
        Ok(statement)
    }

    /// The bytes of `report.json`, and what they say, out of an envelope that this key has signed.
    pub fn open(envelope: &[u8], key: &PublicKey) -> Result<(Vec<u8>, Self), StatementError> {
        let payload = Envelope::read(envelope)?.open(PAYLOAD_TYPE, key)?;
        let statement = Self::read(&payload)?;
        Ok((payload, statement))
    }
}

/// An envelope around the bytes of a statement: the file's bytes.
pub fn sign(statement: &[u8], key: &SigningKey) -> Vec<u8> {
    Envelope::sign(PAYLOAD_TYPE, statement, key).to_bytes()
}

/// SHA-256, hex: of a statement's bytes, as the marker in the database holds it.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

/// What a document says it is, looked at before all else.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    #[serde(rename = "_type")]
    statement_type: String,
    predicate_type: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Gate, Scope, Verdict};

    fn key(secret: u8) -> SigningKey {
        let head = hex::decode("302e020100300506032b657004220420").unwrap();
        let der = [head, vec![secret; 32]].concat();
        let pem = pem_rfc7468::encode_string("PRIVATE KEY", pem_rfc7468::LineEnding::LF, &der);
        SigningKey::from_pem(pem.unwrap().as_bytes()).unwrap()
    }

    fn report() -> Report {
        Report {
            format: FORMAT,
            run_id: "weekly.1".into(),
            tool_version: "0.1.0".into(),
            function_set: 1,
            engine: "sqlite".into(),
            database: "shop.db".into(),
            scope: Scope::Database,
            rules_digest: String::new(),
            schema_fingerprint: "ab".repeat(32),
            key_check: String::new(),
            key_is_ephemeral: false,
            started_at: "2000-01-01T00:00:00Z".into(),
            finished_at: "2000-01-01T00:00:01Z".into(),
            phases: Vec::new(),
            tables: Vec::new(),
            notes: Vec::new(),
            checks: Vec::new(),
            gate: Gate { false_positive_rate: 1.0 / 3.0, ..Gate::default() },
            verdict: Verdict::Failed,
        }
    }

    #[test]
    fn a_statement_survives_signing_and_reading() {
        let statement = Statement::new(report());
        let bytes = statement.to_bytes();
        assert_eq!(Statement::read(&bytes).unwrap(), statement);
        let signed = sign(&bytes, &key(1));
        // What is signed is the file, byte for byte.
        assert_eq!(Statement::open(&signed, key(1).public()).unwrap(), (bytes, statement));
        let unsigned = StatementError::Envelope(EnvelopeError::Unsigned);
        assert_eq!(Statement::open(&signed, key(2).public()).unwrap_err(), unsigned);
    }

    /// `{ echo weekly.1; echo abab…; echo 2000-01-01T00:00:01Z; } | sha256sum`.
    #[test]
    fn the_subject_can_be_computed_by_anybody() {
        assert_eq!(
            Subject::of(&report()).digest.sha256,
            "387a5dfd5f735478ef46ba8791cb157af67ae183d6b2883f456bf88defb02a31"
        );
    }

    #[test]
    fn other_documents_are_refused_although_they_are_signed() {
        let good = String::from_utf8(Statement::new(report()).to_bytes()).unwrap();
        let open = |text: &str| {
            assert_ne!(text, good);
            Statement::open(&sign(text.as_bytes(), &key(1)), key(1).public()).unwrap_err()
        };
        let other = |from: &str, to: &str| open(&good.replacen(from, to, 1));
        assert_eq!(open(&format!("{good}{good}")), StatementError::Form);
        assert_eq!(other("masking-run/v1", "masking-run/v2"), StatementError::Kind);
        assert_eq!(other("Statement/v1", "Statement/v0.1"), StatementError::Kind);
        assert_eq!(other("\"_type\"", "\"more\": 1, \"_type\""), StatementError::Form);
        assert_eq!(other("\"_type\"", "\"_type\": \"\", \"_type\""), StatementError::Form);
        assert_eq!(other("\"run_id\"", "\"run_id\": \"a\", \"run_id\""), StatementError::Form);
        assert_eq!(other("\"notes\"", "\"nodes\""), StatementError::Form);
        assert_eq!(other("\"format\": 3", "\"format\": 2"), StatementError::Form);
        assert_eq!(other("\"failed\"", "\"fine\""), StatementError::Form);
        assert_eq!(
            other("\"run_id\": \"weekly.1", "\"run_id\": \"weekly.2"),
            StatementError::Subject
        );
        assert_eq!(other("\"name\": \"shop.db", "\"name\": \"other.db"), StatementError::Subject);
        let mut none = Statement::new(report());
        none.subject.clear();
        assert_eq!(Statement::read(&none.to_bytes()), Err(StatementError::Subject));
    }

    #[test]
    fn a_statement_in_an_envelope_of_another_type_is_refused() {
        let bytes = Statement::new(report()).to_bytes();
        let envelope = Envelope::sign("application/json", &bytes, &key(1));
        let envelope = serde_json::to_vec(&envelope).unwrap();
        let error = Statement::open(&envelope, key(1).public()).unwrap_err();
        assert_eq!(error, StatementError::Envelope(EnvelopeError::PayloadType));
        // `report.json` itself is signed by nobody.
        let error = Statement::open(&bytes, key(1).public()).unwrap_err();
        assert_eq!(error, StatementError::Envelope(EnvelopeError::Form));
    }
}
