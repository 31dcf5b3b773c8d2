//! Searches files for what should not be in them, byte by byte, as someone would who found the disk.

use std::collections::HashMap;
use std::path::Path;

/// Texts shorter than this are found everywhere by chance.
const SHORTEST: usize = 6;

/// The texts of `originals` that occur anywhere in the file; each once. None may be shorter than six bytes.
pub fn found_in(file: &Path, originals: &[String]) -> std::io::Result<Vec<String>> {
    let bytes = std::fs::read(file)?;
    let mut by_beginning: HashMap<&[u8], Vec<&String>> = HashMap::new();
    for original in originals {
        assert!(original.len() >= SHORTEST, "too short to be searched for");
        by_beginning.entry(&original.as_bytes()[..SHORTEST]).or_default().push(original);
    }
    let mut found: Vec<String> = Vec::new();
    for (at, window) in bytes.windows(SHORTEST).enumerate() {
        for original in by_beginning.get(window).into_iter().flatten() {
            if bytes[at..].starts_with(original.as_bytes()) {
                found.push((*original).clone());
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}
