//! “Did you mean …?”: the nearest of a few known words.

/// A cure that begins with the nearest word, where one is near, and ends with `otherwise`.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    otherwise: &str,
) -> String {
    match nearest(word, known) {
        Some(near) if otherwise.is_empty() => format!("did you mean `{near}`?"),
        Some(near) => format!("did you mean `{near}`? {otherwise}"),
        None => otherwise.to_owned(),
    }
}

/// The known word with the fewest edits from `word`; a third of its characters may differ, case aside.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower: Vec<char> = word.to_lowercase().chars().collect();
    let limit = ((lower.len() + 1) / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (edits(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(edits, _)| *edits <= limit)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance, one row at a time.
fn edits(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (i, cb) in b.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &ca) in a.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[a.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found() {
        let known = ["email", "first_name", "redact", "keep"];
        assert_eq!(nearest("emial", known), Some("email"));
        assert_eq!(nearest("e-mail", known), Some("email"));
        assert_eq!(nearest("firstname", known), Some("first_name"));
        assert_eq!(nearest("KEEP", known), Some("keep"));
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("quux", known), None);
    }
}
