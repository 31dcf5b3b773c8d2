//! The leak gate: an independent second look at a masked database, which shares no code with the masking path.
//!
//! While masking, a [`Collector`](vault::Collector) keeps a keyed fingerprint of every original that identifies somebody.
//! Afterwards the gate reads every value of every table and the catalog's own texts, breaks them into tokens and looks each
//! up. A hit is reported by place, kind and count, never as a value.

mod anonymity;
mod births;
mod collector;
mod decode;
mod detect;
mod digits;
mod distinct;
#[cfg(test)]
mod encodings;
mod filter;
mod fingerprint;
mod fold;
pub mod gate;
mod names;
pub mod naming;
pub mod normal;
mod number;
mod persons;
mod phone;
mod plain;
mod scope;
mod sealed;
mod search;
mod seen;
mod shape;
pub mod state;
mod streets;
mod tally;
mod token;
pub mod unchanged;
pub mod vault;
