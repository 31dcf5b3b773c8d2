//! The leak gate: an independent second look at a masked database, which shares no code with the masking path.
//!
//! While masking, a [`Collector`](vault::Collector) keeps a keyed fingerprint of every original that identifies somebody.
//! Afterwards the gate reads every value of every table and the catalog's own texts, breaks them into tokens and looks each
//! up. A hit is reported by place, kind and count, never as a value.

mod distinct;
mod filter;
mod fingerprint;
mod fold;
pub mod gate;
pub mod normal;
#[expect(dead_code, reason = "the gate reads with it")]
mod number;
#[expect(dead_code, reason = "the gate reads with it")]
mod phone;
mod sealed;
pub mod state;
mod token;
pub mod vault;
