//! SHA-256's compression function (FIPS 180-4, section 6.2.2) on sixteen independent messages at a time.
//!
//! A message's rounds follow one from another, so that one alone leaves most of a processor's vector units idle; sixteen side
//! by side fill them. It is the compression function and nothing else: padding, lengths and keys are the caller's, and whoever
//! has one message is served better by a library.

use pulp::{Simd, WithSimd};

/// Messages at a time.
pub const LANES: usize = 16;

/// One 32-bit word of each message.
pub type Word = [u32; LANES];

/// The state of each message.
pub type State = [Word; 8];

/// One block of each message: sixteen words, big-endian in the message.
pub type Block = [Word; 16];

/// The state before the first block (FIPS 180-4, section 5.3.3).
pub const START: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// The round constants (FIPS 180-4, section 4.2.2).
const ROUNDS: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// Takes one block of each message into its state.
pub fn compress(state: &mut State, block: &Block) {
    // The same code, compiled for what this processor has: 16, 8, 4 messages or one in a register.
    pulp::Arch::new().dispatch(Compress { state, block });
}

struct Compress<'a> {
    state: &'a mut State,
    block: &'a Block,
}

impl WithSimd for Compress<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for part in 0..LANES / S::U32_LANES {
            Vectors(simd).rounds(self.state, self.block, part);
        }
    }
}

/// The functions of FIPS 180-4, section 4.1.2, on one word of as many messages as a register holds.
#[derive(Clone, Copy)]
struct Vectors<S>(S);

impl<S: Simd> Vectors<S> {
    #[inline(always)]
    fn rounds(self, state: &mut State, block: &Block, part: usize) {
        let mut schedule = self.load(block, part);
        let start = self.load(state, part);
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = start;
        for sixteen in 0..4 {
            for word in 0..16 {
                if sixteen > 0 {
                    schedule[word] = self.next_word(&schedule, word);
                }
                let constant = self.0.splat_u32s(ROUNDS[16 * sixteen + word]);
                let first = self.add(self.add(h, self.sum(e, 6, 11, 25)), self.choice(e, f, g));
                let first = self.add(first, self.add(schedule[word], constant));
                let second = self.add(self.sum(a, 2, 13, 22), self.majority(a, b, c));
                (h, g, f, e) = (g, f, e, self.add(d, first));
                (d, c, b, a) = (c, b, a, self.add(first, second));
            }
        }
        let worked = [a, b, c, d, e, f, g, h];
        for word in 0..8 {
            S::as_mut_simd_u32s(&mut state[word]).0[part] = self.add(start[word], worked[word]);
        }
    }

    #[inline(always)]
    fn load<const WORDS: usize>(self, words: &[Word; WORDS], part: usize) -> [S::u32s; WORDS] {
        let mut loaded = [self.0.splat_u32s(0); WORDS];
        for word in 0..WORDS {
            loaded[word] = S::as_simd_u32s(&words[word]).0[part];
        }
        loaded
    }

    /// The message schedule, of which the last sixteen words are kept in a ring.
    #[inline(always)]
    fn next_word(self, ring: &[S::u32s; 16], word: usize) -> S::u32s {
        let near = self.small_sum(ring[(word + 14) % 16], 17, 19, 10);
        let far = self.small_sum(ring[(word + 1) % 16], 7, 18, 3);
        self.add(self.add(near, ring[(word + 9) % 16]), self.add(far, ring[word]))
    }

    #[inline(always)]
    fn small_sum(self, word: S::u32s, one: u32, two: u32, shift: u32) -> S::u32s {
        let rotated = self.0.xor_u32s(self.rotate(word, one), self.rotate(word, two));
        self.0.xor_u32s(rotated, self.shift_right(word, shift))
    }

    #[inline(always)]
    fn sum(self, word: S::u32s, one: u32, two: u32, three: u32) -> S::u32s {
        let rotated = self.0.xor_u32s(self.rotate(word, one), self.rotate(word, two));
        self.0.xor_u32s(rotated, self.rotate(word, three))
    }

    #[inline(always)]
    fn choice(self, x: S::u32s, y: S::u32s, z: S::u32s) -> S::u32s {
        self.0.xor_u32s(z, self.0.and_u32s(x, self.0.xor_u32s(y, z)))
    }

    #[inline(always)]
    fn majority(self, x: S::u32s, y: S::u32s, z: S::u32s) -> S::u32s {
        self.0.or_u32s(self.0.and_u32s(x, y), self.0.and_u32s(z, self.0.or_u32s(x, y)))
    }

    #[inline(always)]
    fn rotate(self, word: S::u32s, by: u32) -> S::u32s {
        let left = self.0.wrapping_dyn_shl_u32s(word, self.0.splat_u32s(32 - by));
        self.0.or_u32s(self.shift_right(word, by), left)
    }

    #[inline(always)]
    fn shift_right(self, word: S::u32s, by: u32) -> S::u32s {
        self.0.wrapping_dyn_shr_u32s(word, self.0.splat_u32s(by))
    }

    #[inline(always)]
    fn add(self, one: S::u32s, other: S::u32s) -> S::u32s {
        self.0.add_u32s(one, other)
    }
}

#[cfg(test)]
mod tests {
    use std::array::from_fn;

    use super::*;

    /// SHA-256 of sixteen messages shorter than a block.
    fn digests(messages: [&[u8]; LANES]) -> [String; LANES] {
        let mut block = [[0; LANES]; 16];
        for (lane, message) in messages.iter().enumerate() {
            let mut bytes = [0; 64];
            bytes[..message.len()].copy_from_slice(message);
            bytes[message.len()] = 0x80;
            bytes[56..].copy_from_slice(&(8 * message.len() as u64).to_be_bytes());
            for (word, bytes) in block.iter_mut().zip(bytes.chunks_exact(4)) {
                word[lane] = u32::from_be_bytes(bytes.try_into().unwrap());
            }
        }
        let mut state = START.map(|word| [word; LANES]);
        compress(&mut state, &block);
        from_fn(|lane| state.iter().map(|word| format!("{:08x}", word[lane])).collect())
    }

    #[test]
    fn every_lane_is_sha_256_of_its_own_message() {
        let texts: Vec<Vec<u8>> =
            (0..LANES as u8).map(|lane| (0..lane * 3).map(|byte| byte ^ lane).collect()).collect();
        let messages: [&[u8]; LANES] = from_fn(|lane| texts[lane].as_slice());
        for (message, digest) in messages.iter().zip(digests(messages)) {
            let expected = ring::digest::digest(&ring::digest::SHA256, message);
            assert_eq!(digest, hex::encode(expected));
        }
    }

    #[test]
    fn the_standards_own_example() {
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digests([b"abc"; LANES])[3], expected);
    }
}
