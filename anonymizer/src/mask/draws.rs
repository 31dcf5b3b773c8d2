//! Draws for many values at a time: what [`Subkey::draw`](super::key::Subkey::draw) answers for one, computed for sixteen
//! side by side.
//!
//! A value is asked for and answered by a ticket; its bits are there once [`Draws::compute`] has run. Values of different
//! keys and tags share a round. Long values, which are rare, are drawn one by one.

use lanes::{Block, LANES, State};

use super::key::{Draw, Subkey};
use crate::value::Value;

/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;
/// What ends a message: a bit and its length (FIPS 180-4, section 5.1.1).
const ENDING: usize = 1 + 8;

/// Where the bits of a value are once they are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(usize);

/// Values waiting for their bits, and bits waiting to be used.
#[derive(Default)]
pub struct Draws {
    draws: Vec<Draw>,
    /// By number of blocks that a message takes.
    one: Lanes<1>,
    two: Lanes<2>,
    /// The last value asked for: a row's masks ask for their common seed one after the other.
    last: Option<(u64, &'static str, Ticket)>,
    last_message: Vec<u8>,
    message: Vec<u8>,
}

impl Draws {
    /// Asks for the bits of a value under a subkey and a tag.
    pub fn ask(&mut self, subkey: &Subkey, tag: &'static str, value: &Value<'_>) -> Ticket {
        self.message.clear();
        self.message.extend_from_slice(tag.as_bytes());
        self.message.push(0);
        value.canonical(&mut self.message);
        if let Some((key, of, ticket)) = self.last
            && key == subkey.number()
            && of == tag
            && self.message == self.last_message
        {
            return ticket;
        }
        let ticket = Ticket(self.draws.len());
        self.draws.push(Draw::default());
        match (self.message.len() + ENDING).div_ceil(BLOCK) {
            1 => self.one.add(subkey, &self.message, ticket, &mut self.draws),
            2 => self.two.add(subkey, &self.message, ticket, &mut self.draws),
            _ => self.draws[ticket.0] = subkey.draw_message(&self.message),
        }
        self.last = Some((subkey.number(), tag, ticket));
        std::mem::swap(&mut self.message, &mut self.last_message);
        ticket
    }

    /// Computes what has been asked for.
    pub fn compute(&mut self) {
        self.one.compute(&mut self.draws);
        self.two.compute(&mut self.draws);
    }

    /// The bits of a ticket, after [`Draws::compute`].
    pub fn get(&self, ticket: Ticket) -> &Draw {
        &self.draws[ticket.0]
    }

    /// Forgets all tickets.
    pub fn clear(&mut self) {
        self.draws.clear();
        self.last = None;
    }
}

/// Messages of as many blocks, waiting for the lanes to fill.
struct Lanes<const BLOCKS: usize> {
    inner: State,
    outer: State,
    message: [Block; BLOCKS],
    tickets: Vec<Ticket>,
}

impl<const BLOCKS: usize> Default for Lanes<BLOCKS> {
    fn default() -> Self {
        Self {
            inner: [[0; LANES]; 8],
            outer: [[0; LANES]; 8],
            message: [[[0; LANES]; 16]; BLOCKS],
            tickets: Vec::with_capacity(LANES),
        }
    }
}

impl<const BLOCKS: usize> Lanes<BLOCKS> {
    fn add(&mut self, subkey: &Subkey, message: &[u8], ticket: Ticket, draws: &mut [Draw]) {
        let lane = self.tickets.len();
        self.tickets.push(ticket);
        let (inner, outer) = subkey.states();
        for word in 0..8 {
            self.inner[word][lane] = inner[word];
            self.outer[word][lane] = outer[word];
        }
        let mut bytes = [[0; BLOCK]; BLOCKS];
        let padded = bytes.as_flattened_mut();
        padded[..message.len()].copy_from_slice(message);
        padded[message.len()] = 0x80;
        // The key's block comes before the message.
        let bits = 8 * (BLOCK + message.len()) as u64;
        padded[BLOCKS * BLOCK - 8..].copy_from_slice(&bits.to_be_bytes());
        for (block, bytes) in self.message.iter_mut().zip(&bytes) {
            for (word, bytes) in block.iter_mut().zip(bytes.as_chunks().0) {
                word[lane] = u32::from_be_bytes(*bytes);
            }
        }
        if self.tickets.len() == LANES {
            self.compute(draws);
        }
    }

    /// HMAC (RFC 2104): the inner hash of the messages, then the outer hash of those.
    fn compute(&mut self, draws: &mut [Draw]) {
        if self.tickets.is_empty() {
            return;
        }
        for block in &self.message {
            lanes::compress(&mut self.inner, block);
        }
        let mut block = [[0; LANES]; 16];
        block[..8].copy_from_slice(&self.inner);
        block[8] = [0x8000_0000; LANES];
        block[15] = [8 * (BLOCK as u32 + 32); LANES];
        lanes::compress(&mut self.outer, &block);
        for (lane, ticket) in self.tickets.drain(..).enumerate() {
            let bits = draws[ticket.0].bits.as_chunks_mut().0;
            for (bytes, word) in bits.iter_mut().zip(&self.outer) {
                *bytes = word[lane].to_be_bytes();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mask::key::Keyring;

    proptest! {
        #[test]
        fn many_draws_are_the_same_as_one_by_one(
            values in proptest::collection::vec(("[a-z]{0,200}", 0_usize..3, any::<bool>()), 0..60),
        ) {
            let keyring = Keyring::from_hex(&"1".repeat(64)).unwrap();
            let subkeys = ["", "a", "b"].map(|domain| keyring.subkey(domain));
            let mut draws = Draws::default();
            for _ in 0..2 {
                let asked: Vec<_> = values.iter().map(|(text, key, long)| {
                    let tag = if *long { "a tag of some length" } else { "t" };
                    let value = Value::Text(text.as_str().into());
                    let alone = subkeys[*key].draw(tag, &value);
                    (draws.ask(&subkeys[*key], tag, &value), alone)
                }).collect();
                draws.compute();
                for (ticket, alone) in asked {
                    prop_assert_eq!(draws.get(ticket).bits, alone.bits);
                }
                draws.clear();
            }
        }
    }

    #[test]
    fn a_message_of_any_length_has_its_place() {
        let subkey = Keyring::from_hex(&"2".repeat(64)).unwrap().subkey("");
        let mut draws = Draws::default();
        for length in 0..150 {
            let text = "x".repeat(length);
            let value = Value::Text(text.as_str().into());
            let ticket = draws.ask(&subkey, "t", &value);
            draws.compute();
            assert_eq!(draws.get(ticket).bits, subkey.draw("t", &value).bits, "{length}");
        }
    }

    #[test]
    fn a_seed_asked_for_twice_is_drawn_once() {
        let keyring = Keyring::from_hex(&"2".repeat(64)).unwrap();
        let (one, other) = (keyring.subkey(""), keyring.subkey("d"));
        let mut draws = Draws::default();
        let ticket = draws.ask(&one, "t", &Value::Int(5));
        assert_eq!(draws.ask(&one, "t", &Value::Int(5)), ticket);
        assert_ne!(draws.ask(&other, "t", &Value::Int(5)), ticket);
        assert_ne!(draws.ask(&one, "t", &Value::Int(6)), ticket);
    }
}
