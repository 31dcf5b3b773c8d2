//! A file that nobody reads without the key and nobody changes unnoticed.
//!
//! A header of a mark, a random salt and the run's identifier, then chunks: four bytes of length, whose highest bit marks the
//! last chunk, and the chunk under ChaCha20-Poly1305. The file's key is derived from the state's key and the salt, so that
//! no two files share one and a chunk's number can be its nonce. What is authenticated beside a chunk: the header, this
//! program's version, the chunk's number, whether it is the last, and in the last the name of what the file belongs to. A
//! bit that is changed, a chunk that is moved, left out, repeated or taken from another file, and an end that is cut off
//! are all noticed.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rand::TryRng as _;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

const MARK: &[u8; 8] = b"anonstat";
const SALT_BYTES: usize = 32;
/// Of a chunk's plain text.
pub const MOST_BYTES: usize = 4 << 20;
/// The highest bit of a chunk's length.
const LAST: u32 = 1 << 31;
/// How files that are still being written begin.
pub const UNFINISHED: &str = "unfinished-";

/// The key of a directory's files.
pub type Key = Zeroizing<[u8; 32]>;

/// Why a file cannot be read.
#[derive(Debug)]
pub enum Unreadable {
    /// There is none.
    Absent,
    /// It is not what was written, or was written under another key, for another run or by another version.
    Foreign,
    /// The operating system says no.
    Io(ErrorKind),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Unreadable::Absent,
            ErrorKind::UnexpectedEof => Unreadable::Foreign,
            kind => Unreadable::Io(kind),
        }
    }
}

/// What opens and closes the chunks of one file.
struct Seal {
    key: LessSafeKey,
    header: Vec<u8>,
    chunks: u64,
}

impl Seal {
    fn new(key: &Key, header: Vec<u8>) -> Self {
        let salt = &header[MARK.len()..MARK.len() + SALT_BYTES];
        let own = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()), salt);
        let own = UnboundKey::new(&CHACHA20_POLY1305, own.as_ref());
        let key = LessSafeKey::new(own.expect("HMAC-SHA-256 gives 32 bytes"));
        Self { key, header, chunks: 0 }
    }

    /// The nonce and the authenticated context of the next chunk.
    fn next(&mut self, is_last: bool, belongs_to: &str) -> (Nonce, Aad<Vec<u8>>) {
        let mut context = self.header.clone();
        // The header's length can be read from the header; the version holds no zero byte.
        context.extend_from_slice(env!("CARGO_PKG_VERSION").as_bytes());
        context.push(0);
        context.extend_from_slice(&self.chunks.to_le_bytes());
        context.push(u8::from(is_last));
        if is_last {
            context.extend_from_slice(belongs_to.as_bytes());
        }
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&self.chunks.to_le_bytes());
        self.chunks += 1;
        (Nonce::assume_unique_for_key(nonce), Aad::from(context))
    }
}

/// A file being written. Dropped before its end, it is gone.
pub struct Writer {
    file: NamedTempFile,
    seal: Seal,
}

impl Writer {
    /// A file in a directory, without its final name yet.
    pub fn create(directory: &Path, key: &Key, run: &str) -> io::Result<Self> {
        let mut salt = [0; SALT_BYTES];
        rand::rngs::SysRng
            .try_fill_bytes(&mut salt)
            .map_err(|_| io::Error::other("the operating system gives no random bytes"))?;
        let mut header = MARK.to_vec();
        header.extend_from_slice(&salt);
        header.push(u8::try_from(run.len()).map_err(|_| io::Error::other("run id too long"))?);
        header.extend_from_slice(run.as_bytes());
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(directory)?;
        file.write_all(&header)?;
        Ok(Self { file, seal: Seal::new(key, header) })
    }

    /// Adds a chunk of at most [`MOST_BYTES`], which is encrypted in place.
    pub fn chunk(&mut self, plain: &mut Vec<u8>) -> io::Result<()> {
        self.write(plain, false, "")
    }

    /// Adds the last chunk, and names the file once all of it has reached the disk. What had the name is replaced.
    pub fn finish(mut self, plain: &mut Vec<u8>, belongs_to: &str, name: &Path) -> io::Result<()> {
        self.write(plain, true, belongs_to)?;
        self.file.as_file().sync_all()?;
        self.file.persist(name).map_err(|error| error.error)?;
        sync_directory(name.parent().unwrap_or(Path::new(".")))
    }

    fn write(&mut self, plain: &mut Vec<u8>, is_last: bool, belongs_to: &str) -> io::Result<()> {
        debug_assert!(plain.len() <= MOST_BYTES, "the reader would refuse it");
        let (nonce, context) = self.seal.next(is_last, belongs_to);
        let sealed = self.seal.key.seal_in_place_append_tag(nonce, context, plain);
        sealed.map_err(|_| io::Error::other("a chunk is too long to be encrypted"))?;
        let length = plain.len() as u32 | if is_last { LAST } else { 0 };
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(plain)
    }
}

/// A rename has happened for good once its directory has reached the disk.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Shows the chunks of a file one after the other. What was shown is to be forgotten where this fails.
pub fn read(
    file: &Path,
    key: &Key,
    run: &str,
    belongs_to: &str,
    each: &mut dyn FnMut(&[u8]),
) -> Result<(), Unreadable> {
    let mut file = BufReader::new(File::open(file)?);
    let (header, own_run) = header(&mut file)?;
    if own_run != run {
        return Err(Unreadable::Foreign);
    }
    let mut seal = Seal::new(key, header);
    let mut sealed = Vec::new();
    loop {
        let mut length = [0; 4];
        file.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        let is_last = length & LAST != 0;
        let bytes = (length & !LAST) as usize;
        if bytes > MOST_BYTES + CHACHA20_POLY1305.tag_len() {
            return Err(Unreadable::Foreign);
        }
        sealed.resize(bytes, 0);
        file.read_exact(&mut sealed)?;
        let (nonce, context) = seal.next(is_last, belongs_to);
        let plain = seal.key.open_in_place(nonce, context, &mut sealed);
        each(plain.map_err(|_| Unreadable::Foreign)?);
        if is_last {
            break;
        }
    }
    match file.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(Unreadable::Foreign),
    }
}

/// The header's bytes and the run they name.
fn header(file: &mut impl Read) -> Result<(Vec<u8>, String), Unreadable> {
    let mut header = vec![0; MARK.len() + SALT_BYTES + 1];
    file.read_exact(&mut header)?;
    if !header.starts_with(MARK) {
        return Err(Unreadable::Foreign);
    }
    let mut run = vec![0; usize::from(*header.last().expect("a header is not empty"))];
    file.read_exact(&mut run)?;
    header.extend_from_slice(&run);
    let run = String::from_utf8(run).map_err(|_| Unreadable::Foreign)?;
    Ok((header, run))
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    fn key(byte: u8) -> Key {
        Zeroizing::new([byte; 32])
    }

    /// A file with these chunks; answers with its bytes and where each chunk lies in them.
    fn file(chunks: &[&[u8]]) -> (Vec<u8>, Vec<Range<usize>>) {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("file");
        let mut writer = Writer::create(directory.path(), &key(1), "run").unwrap();
        let (last, others) = chunks.split_last().unwrap();
        for chunk in others {
            writer.chunk(&mut chunk.to_vec()).unwrap();
        }
        writer.finish(&mut last.to_vec(), "unit", &name).unwrap();
        let mut at = MARK.len() + SALT_BYTES + 1 + "run".len();
        let places = chunks.iter().map(|chunk| {
            let start = at;
            at += 4 + chunk.len() + CHACHA20_POLY1305.tag_len();
            start..at
        });
        let places = places.collect();
        (fs::read(name).unwrap(), places)
    }

    fn read_bytes(bytes: &[u8], key: &Key, run: &str, unit: &str) -> Result<Vec<u8>, Unreadable> {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("file");
        fs::write(&name, bytes).unwrap();
        let mut plain = Vec::new();
        read(&name, key, run, unit, &mut |chunk| plain.extend_from_slice(chunk))?;
        Ok(plain)
    }

    fn is_foreign(bytes: &[u8]) -> bool {
        matches!(read_bytes(bytes, &key(1), "run", "unit"), Err(Unreadable::Foreign))
    }

    const CHUNKS: [&[u8]; 3] = [b"one chunk", b"two chunk", b"the end"];

    #[test]
    fn what_was_written_is_read_by_those_who_know_all_about_it() {
        let (bytes, _) = file(&CHUNKS);
        let read = |key, run, unit| read_bytes(&bytes, &key, run, unit).ok();
        assert_eq!(read(key(1), "run", "unit").unwrap(), b"one chunktwo chunkthe end");
        assert_eq!(read(key(2), "run", "unit"), None);
        assert_eq!(read(key(1), "other", "unit"), None);
        assert_eq!(read(key(1), "run", "other"), None);
        assert_eq!(read_bytes(&file(&[b""]).0, &key(1), "run", "unit").unwrap(), b"");
    }

    #[test]
    fn no_plain_text_is_in_a_file_and_no_two_files_are_alike() {
        let (bytes, places) = file(&CHUNKS);
        assert!(!bytes.windows(5).any(|window| window == b"chunk" || window == b"e end"));
        let (again, _) = file(&CHUNKS);
        assert_ne!(bytes[places[0].clone()], again[places[0].clone()]);
    }

    #[test]
    fn any_changed_bit_is_noticed() {
        let (bytes, _) = file(&CHUNKS);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(is_foreign(&changed), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn a_cut_is_noticed_wherever_it_is() {
        let (bytes, _) = file(&CHUNKS);
        for length in 0..bytes.len() {
            assert!(is_foreign(&bytes[..length]), "{length} bytes");
        }
        assert!(is_foreign(&[&bytes[..], b"x"].concat()));
    }

    #[test]
    fn chunks_that_are_moved_left_out_repeated_or_from_another_file_are_noticed() {
        let (bytes, places) = file(&CHUNKS);
        let (other, _) = file(&CHUNKS);
        let header = &bytes[..places[0].start];
        let [one, two, end] = [0, 1, 2].map(|chunk| &bytes[places[chunk].clone()]);
        assert!(!is_foreign(&[header, one, two, end].concat()));
        assert!(is_foreign(&[header, two, one, end].concat()));
        assert!(is_foreign(&[header, one, end].concat()));
        assert!(is_foreign(&[header, one, one, two, end].concat()));
        assert!(is_foreign(&[header, one, two, end, end].concat()));
        assert!(is_foreign(&[header, one, &other[places[1].clone()], end].concat()));
        assert!(is_foreign(&[header, one, two, &other[places[2].clone()]].concat()));
        assert!(is_foreign(&[&other[..places[0].start], one, two, end].concat()));
    }

    #[test]
    fn a_file_that_is_not_finished_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(directory.path(), &key(1), "run").unwrap();
        writer.chunk(&mut b"one".to_vec()).unwrap();
        drop(writer);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        let absent = read(&directory.path().join("file"), &key(1), "run", "unit", &mut |_| ());
        assert!(matches!(absent, Err(Unreadable::Absent)));
    }
}
