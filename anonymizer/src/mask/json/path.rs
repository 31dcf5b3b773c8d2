//! Paths into a document: the part of JSONPath that names things, without filters, slices and descent.

/// A path, as its steps.
pub(super) struct Path {
    /// From the root.
    pub(super) steps: Vec<Step>,
}

/// One step down.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A member of an object.
    Key(String),
    /// An element of an array, from 0.
    Index(usize),
    /// Every member or element.
    Every,
}

impl Path {
    /// Reads a path, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut rest = text.strip_prefix('$').ok_or("it does not begin with `$`")?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = if let Some(name) = rest.strip_prefix('.') {
                dotted(name)?
            } else if let Some(inside) = rest.strip_prefix('[') {
                bracketed(inside)?
            } else {
                return Err("a step begins with `.` or `[`");
            };
            steps.push(step);
            rest = after;
        }
        Ok(Self { steps })
    }

    /// How many steps stand for many.
    pub(super) fn stars(&self) -> usize {
        self.steps.iter().filter(|step| **step == Step::Every).count()
    }
}

fn dotted(rest: &str) -> Result<(Step, &str), &'static str> {
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    match rest.split_at(end) {
        ("", _) if rest.starts_with('.') => Err("`..` is not supported: write each step"),
        ("", _) => Err("a step has no name"),
        ("*", after) => Ok((Step::Every, after)),
        (name, _) if name.contains(['*', '\'', '"', ']', ' ']) => {
            Err("a name with such characters is written `['…']`")
        }
        (name, after) => Ok((Step::Key(name.to_owned()), after)),
    }
}

fn bracketed(rest: &str) -> Result<(Step, &str), &'static str> {
    if let Some(quote @ ('\'' | '"')) = rest.chars().next() {
        let (name, after) = quoted(&rest[1..], quote)?;
        let after = after.strip_prefix(']').ok_or("`]` is missing")?;
        return Ok((Step::Key(name), after));
    }
    match rest.split_once(']').ok_or("`]` is missing")? {
        ("*", after) => Ok((Step::Every, after)),
        (index, after) => match index.parse() {
            Ok(number) if !index.starts_with('+') => Ok((Step::Index(number), after)),
            _ => Err("`[…]` holds a number from 0, `*` or a quoted name"),
        },
    }
}

/// A name up to its quote; a backslash takes the next character as it is.
fn quoted(text: &str, quote: char) -> Result<(String, &str), &'static str> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => name.push(characters.next().ok_or("the quote is not closed")?.1),
            _ if character == quote => return Ok((name, &text[at + 1..])),
            _ => name.push(character),
        }
    }
    Err("the quote is not closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_way_to_write_a_step() {
        let steps = Path::parse(r#"$.a['b c']["it's"]['it\'s'][12][*].*.é"#).unwrap().steps;
        let key = |name: &str| Step::Key(name.into());
        assert_eq!(
            steps,
            [
                key("a"),
                key("b c"),
                key("it's"),
                key("it's"),
                Step::Index(12),
                Step::Every,
                Step::Every,
                key("é"),
            ]
        );
        assert!(Path::parse("$").unwrap().steps.is_empty());
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |path| Path::parse(path).map(|_| ()).unwrap_err();
        assert_eq!(error("a"), "it does not begin with `$`");
        assert_eq!(error("$a"), "a step begins with `.` or `[`");
        assert_eq!(error("$..a"), "`..` is not supported: write each step");
        assert_eq!(error("$.a."), "a step has no name");
        assert_eq!(error("$.a b"), "a name with such characters is written `['…']`");
        assert_eq!(error("$[-1]"), "`[…]` holds a number from 0, `*` or a quoted name");
        assert_eq!(error("$[1"), "`]` is missing");
        assert_eq!(error("$['a]"), "the quote is not closed");
        assert_eq!(error("$['a'"), "`]` is missing");
    }
}
