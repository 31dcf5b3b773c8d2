//! The content of an encrypted snapshot: a stream that nobody reads without the key and nobody changes unnoticed.
//!
//! A mark, a random salt, then chunks: four bytes of length, whose highest bit marks the last chunk, and the chunk under
//! AES-256-GCM. The stream's own key is derived from the account's key and the salt, so that no two streams share one and a
//! chunk's number can be its nonce. What is authenticated beside a chunk: the header, the chunk's number, whether it is the
//! last, and the identifier of the snapshot it belongs to. A bit that is changed, a chunk that is moved, left out, repeated
//! or taken from elsewhere, and an end that is cut off are all noticed. Nothing of a chunk is shown before it is proved; that
//! the stream is whole is known at its end only, so whoever reads it must read to the end and forget it where that fails.

use std::io::{self, Read, Write};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

const MARK: &[u8; 8] = b"snapshot";
const SALT_BYTES: usize = 32;
/// Plain bytes of a chunk.
const CHUNK: usize = 1 << 20;
/// The highest bit of a chunk's length.
const LAST: u32 = 1 << 31;

/// A key of an account.
pub type Secret = Zeroizing<[u8; 32]>;

/// Random bytes of the operating system.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the operating system gives no random bytes"))?;
    Ok(bytes)
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is damaged, or of another key or snapshot")
}

/// Opens and closes the chunks of one stream.
struct Seal {
    key: LessSafeKey,
    /// What is authenticated beside every chunk.
    context: Vec<u8>,
    chunks: u64,
}

impl Seal {
    fn new(key: &Secret, salt: &[u8], belongs_to: &str) -> Self {
        let own = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()), salt);
        let own = UnboundKey::new(&AES_256_GCM, own.as_ref());
        let key = LessSafeKey::new(own.expect("HMAC-SHA-256 gives 32 bytes"));
        Self { key, context: [MARK, salt, belongs_to.as_bytes()].concat(), chunks: 0 }
    }

    /// The nonce and the authenticated context of the next chunk.
    fn next(&mut self, is_last: bool) -> (Nonce, Aad<Vec<u8>>) {
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&self.chunks.to_le_bytes());
        let mut context = nonce.to_vec();
        context.push(u8::from(is_last));
        context.extend_from_slice(&self.context);
        self.chunks += 1;
        (Nonce::assume_unique_for_key(nonce), Aad::from(context))
    }
}

/// Encrypts what is written to it. Without [`Writer::finish`] the stream has no end, and no reader takes it for whole.
pub struct Writer<W> {
    inner: W,
    seal: Seal,
    plain: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a stream that belongs to the snapshot with that identifier.
    pub fn begin(mut inner: W, key: &Secret, belongs_to: &str) -> io::Result<Self> {
        let salt: [u8; SALT_BYTES] = random()?;
        inner.write_all(MARK)?;
        inner.write_all(&salt)?;
        Ok(Self { inner, seal: Seal::new(key, &salt, belongs_to), plain: Vec::new() })
    }

    /// Writes the last chunk and gives back what is written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.chunk(true)?;
        Ok(self.inner)
    }

    fn chunk(&mut self, is_last: bool) -> io::Result<()> {
        let (nonce, context) = self.seal.next(is_last);
        let sealed = self.seal.key.seal_in_place_append_tag(nonce, context, &mut self.plain);
        sealed.map_err(|_| io::Error::other("a chunk is too long to be encrypted"))?;
        let length = self.plain.len() as u32 | if is_last { LAST } else { 0 };
        self.inner.write_all(&length.to_le_bytes())?;
        self.inner.write_all(&self.plain)?;
        self.plain.clear();
        Ok(())
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.plain.len() == CHUNK {
            self.chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.plain.len());
        self.plain.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Decrypts a stream. Its end is reported only once it is proved.
pub struct Reader<R> {
    inner: R,
    seal: Seal,
    plain: Vec<u8>,
    shown: usize,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Opens the stream of the snapshot with that identifier.
    pub fn open(mut inner: R, key: &Secret, belongs_to: &str) -> io::Result<Self> {
        let mut header = [0; MARK.len() + SALT_BYTES];
        exactly(&mut inner, &mut header)?;
        if !header.starts_with(MARK) {
            return Err(damaged());
        }
        let seal = Seal::new(key, &header[MARK.len()..], belongs_to);
        Ok(Self { inner, seal, plain: Vec::new(), shown: 0, ended: false })
    }

    fn chunk(&mut self) -> io::Result<()> {
        let mut length = [0; 4];
        exactly(&mut self.inner, &mut length)?;
        let length = u32::from_le_bytes(length);
        let is_last = length & LAST != 0;
        let bytes = (length & !LAST) as usize;
        if bytes > CHUNK + AES_256_GCM.tag_len() {
            return Err(damaged());
        }
        self.plain.clear();
        self.shown = 0;
        let mut sealed = vec![0; bytes];
        exactly(&mut self.inner, &mut sealed)?;
        let (nonce, context) = self.seal.next(is_last);
        let plain = self.seal.key.open_in_place(nonce, context, &mut sealed);
        let plain = plain.map_err(|_| damaged())?.len();
        sealed.truncate(plain);
        self.plain = sealed;
        if is_last && self.inner.read(&mut [0])? != 0 {
            self.plain.clear();
            return Err(damaged());
        }
        self.ended = is_last;
        Ok(())
    }
}

/// An end that comes early is damage like any other.
fn exactly(from: &mut impl Read, bytes: &mut [u8]) -> io::Result<()> {
    from.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged(),
        _ => error,
    })
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while self.shown == self.plain.len() && !self.ended {
            self.chunk()?;
        }
        let shown = bytes.len().min(self.plain.len() - self.shown);
        bytes[..shown].copy_from_slice(&self.plain[self.shown..self.shown + shown]);
        self.shown += shown;
        Ok(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: usize = MARK.len() + SALT_BYTES;

    fn key(byte: u8) -> Secret {
        Zeroizing::new([byte; 32])
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut writer = Writer::begin(Vec::new(), &key(1), "one").unwrap();
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    }

    fn opened(sealed: &[u8], key: &Secret, belongs_to: &str) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        Reader::open(sealed, key, belongs_to)?.read_to_end(&mut plain)?;
        Ok(plain)
    }

    fn is_refused(bytes: &[u8]) -> bool {
        opened(bytes, &key(1), "one").is_err_and(|error| error.kind() == io::ErrorKind::InvalidData)
    }

    /// Three chunks, the last of them short.
    fn long() -> Vec<u8> {
        (0..2 * CHUNK + 5).map(|at| (at / 7) as u8).collect()
    }

    #[test]
    fn what_was_written_is_read_under_its_key_for_its_snapshot_only() {
        for plain in [&b""[..], b"short", &vec![7; CHUNK], &long()] {
            let sealed = sealed(plain);
            assert_eq!(opened(&sealed, &key(1), "one").unwrap(), plain);
            assert!(opened(&sealed, &key(2), "one").is_err());
            assert!(opened(&sealed, &key(1), "another").is_err());
        }
    }

    #[test]
    fn any_changed_bit_and_any_cut_of_a_short_one_is_noticed() {
        let whole = sealed(b"a secret");
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                assert!(is_refused(&changed), "bit {bit} of byte {at}");
            }
            assert!(is_refused(&whole[..at]), "cut at {at}");
        }
        assert!(is_refused(&[&whole[..], b"x"].concat()));
    }

    #[test]
    fn chunks_that_are_moved_left_out_repeated_or_of_another_stream_are_noticed() {
        let (whole, other) = (sealed(&long()), sealed(&long()));
        let chunk = 4 + CHUNK + AES_256_GCM.tag_len();
        let places = [HEADER..HEADER + chunk, HEADER + chunk..HEADER + 2 * chunk];
        let [one, two] = places.map(|place| &whole[place]);
        let (header, end) = (&whole[..HEADER], &whole[HEADER + 2 * chunk..]);
        assert!(!is_refused(&[header, one, two, end].concat()));
        assert!(is_refused(&[header, two, one, end].concat()));
        assert!(is_refused(&[header, one, end].concat()));
        assert!(is_refused(&[header, one, one, two, end].concat()));
        assert!(is_refused(&[header, one, two].concat()));
        assert!(is_refused(&[header, one, two, end, end].concat()));
        assert!(is_refused(&[header, one, &other[HEADER + chunk..]].concat()));
        assert!(is_refused(&[&other[..HEADER], one, two, end].concat()));
    }

    #[test]
    fn a_stream_without_its_end_is_refused() {
        let mut bytes = Vec::new();
        let mut writer = Writer::begin(&mut bytes, &key(1), "one").unwrap();
        writer.write_all(&long()).unwrap();
        drop(writer);
        assert!(bytes.len() > 2 * CHUNK);
        assert!(is_refused(&bytes));
    }
}
