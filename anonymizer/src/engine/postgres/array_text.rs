//! Arrays as text: `{a,"b c",NULL}`, nested, with bounds in front where they do not start at 1 (PostgreSQL manual, Arrays,
//! "Array Input and Output Syntax"). Items are found and replaced where they stand; braces and bounds are left as they are.

use std::ops::Range;

/// Where an item stands, and its text without quotes; `None` for NULL.
pub type Item = (Range<usize>, Option<String>);

/// The items of an array, in order; `None` where the text is no array.
pub fn items(text: &str) -> Option<Vec<Item>> {
    let bytes = text.as_bytes();
    let mut at = text.find('{')?;
    let mut found = Vec::new();
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'{' | b'}' | b',' => at += 1,
            b'"' => {
                let mut plain = Vec::new();
                at += 1;
                while *bytes.get(at)? != b'"' {
                    at += usize::from(bytes[at] == b'\\');
                    plain.push(*bytes.get(at)?);
                    at += 1;
                }
                at += 1;
                found.push((start..at, Some(String::from_utf8(plain).ok()?)));
            }
            _ => {
                at += bytes[at..].iter().position(|byte| matches!(byte, b',' | b'}'))?;
                let plain = &text[start..at];
                found.push((start..at, (plain != "NULL").then(|| plain.to_owned())));
            }
        }
    }
    Some(found)
}

/// The array with other items, as many as it has; `None` where the text is no array or the number differs.
pub fn replace(text: &str, with: &[Option<String>]) -> Option<String> {
    let items = items(text)?;
    if items.len() != with.len() {
        return None;
    }
    let mut replaced = String::with_capacity(text.len());
    let mut copied = 0;
    for ((place, _), item) in items.iter().zip(with) {
        replaced.push_str(&text[copied..place.start]);
        match item {
            Some(item) => {
                let item = item.replace('\\', "\\\\").replace('"', "\\\"");
                replaced.push_str(&format!("\"{item}\""));
            }
            None => replaced.push_str("NULL"),
        }
        copied = place.end;
    }
    replaced.push_str(&text[copied..]);
    Some(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_replaced_where_they_stand() {
        let text = r#"[0:1][1:2]={{a,"b \"\\c,}"},{NULL,"NULL"}}"#;
        let plain: Vec<_> = items(text).unwrap().into_iter().map(|(_, item)| item).collect();
        let some = |item: &str| Some(item.to_owned());
        assert_eq!(plain, [some("a"), some("b \"\\c,}"), None, some("NULL")]);
        let replaced = replace(text, &[some("x\""), None, some("é"), some("")]);
        assert_eq!(replaced.unwrap(), r#"[0:1][1:2]={{"x\"",NULL},{"é",""}}"#);
    }

    #[test]
    fn an_empty_array_has_no_items_and_stays() {
        assert_eq!(replace("{}", &[]).as_deref(), Some("{}"));
    }

    #[test]
    fn what_is_no_array_is_refused() {
        for text in ["", "a", "{\"a", "{\"a\\", "{a"] {
            assert_eq!(items(text), None, "{text}");
        }
        assert_eq!(replace("{a}", &[]), None);
    }
}
