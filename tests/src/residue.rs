//! Searches files for what should not be in them, byte by byte, as someone would who found the disk.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A text is looked up by its first bytes; shorter texts are found everywhere by chance.
const BEGINNING: usize = 6;

/// Bits of a beginning's hash: few enough for a table, many enough that most bytes of a file need no second look.
const HASH_BITS: u32 = 20;

/// The files below a directory in which an original is, and which ones. A file that a server removes meanwhile has nothing.
pub fn found_below(
    directory: &Path,
    originals: &[String],
) -> std::io::Result<Vec<(PathBuf, Vec<String>)>> {
    let mut all = Vec::new();
    for file in files(directory)? {
        match found_in(&file, originals) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => all.push((file, found?)),
        }
    }
    all.retain(|(_, found)| !found.is_empty());
    Ok(all)
}

/// All files below a directory.
pub fn files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(all),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        match path.is_dir() {
            true => all.extend(files(&path)?),
            false => all.push(path),
        }
    }
    Ok(all)
}

/// The texts of `originals` that occur anywhere in the file; each once. None may be shorter than five bytes.
pub fn found_in(file: &Path, originals: &[String]) -> std::io::Result<Vec<String>> {
    let mut by_beginning: HashMap<u64, Vec<&String>> = HashMap::new();
    let mut begins = vec![false; 1 << HASH_BITS];
    for original in originals {
        assert!(original.len() >= BEGINNING, "too short to be searched for");
        let beginning = original.as_bytes()[..BEGINNING].iter().fold(0, with);
        by_beginning.entry(beginning).or_default().push(original);
        begins[hash(beginning)] = true;
    }
    let bytes = std::fs::read(file)?;
    let mut found: Vec<String> = Vec::new();
    let mut window = 0;
    for (at, byte) in bytes.iter().enumerate() {
        window = with(window, byte);
        if !begins[hash(window)] {
            continue;
        }
        let from = (at + 1).saturating_sub(BEGINNING);
        for original in by_beginning.get(&window).into_iter().flatten() {
            if bytes[from..].starts_with(original.as_bytes()) {
                found.push((*original).clone());
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The last six bytes, once another one has come.
fn with(window: u64, byte: &u8) -> u64 {
    (window << 8 | u64::from(*byte)) & ((1 << (8 * BEGINNING)) - 1)
}

fn hash(beginning: u64) -> usize {
    (beginning.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - HASH_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_there_at_either_end_and_within() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abcdef\u{0}xgeheimnisx canary").unwrap();
        let asked = ["abcdef", "geheimnis", "geheimnix", "canary", "nothing"].map(str::to_owned);
        assert_eq!(found_in(file.path(), &asked).unwrap(), ["abcdef", "canary", "geheimnis"]);
    }
}
