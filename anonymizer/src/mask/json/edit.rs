//! Walking a document and replacing values in it. The walk keeps its own stack, so that no depth overflows the thread's.

use std::ops::Range;

use super::scan::{MALFORMED, Scanner, Sort, push_quoted, unquote};
use super::{Leaf, Path, Step};
use crate::engine::render;
use crate::identifier::Identifier;
use crate::mask::element::scratch;
use crate::mask::{MaskError, Prepared};
use crate::value::Value;

/// Appends the document with the values under the paths masked, and every other byte as it is.
pub(super) fn edit(
    text: &str,
    leaves: &[(Path, Leaf)],
    into: &mut String,
) -> Result<(), MaskError> {
    let copied = walk(text, leaves, Doing::Edit(into))?;
    into.push_str(&text[copied..]);
    Ok(())
}

/// Shows the values under the paths that identify somebody.
pub(super) fn look(
    text: &str,
    leaves: &[(Path, Leaf)],
    show: &mut Show<'_>,
) -> Result<(), MaskError> {
    walk(text, leaves, Doing::Look(show)).map(drop)
}

/// Appends the document with null in place of the values under the paths.
pub(super) fn blank(
    text: &str,
    leaves: &[(Path, Leaf)],
    into: &mut String,
) -> Result<(), MaskError> {
    let copied = walk(text, leaves, Doing::Blank(into))?;
    into.push_str(&text[copied..]);
    Ok(())
}

/// Walks through a document; answers with the bytes of it that were copied or replaced.
fn walk(text: &str, leaves: &[(Path, Leaf)], doing: Doing<'_, '_>) -> Result<usize, MaskError> {
    let roots = (0..leaves.len()).map(|leaf| Reached { leaf, steps: 0 }).collect();
    let scan = Scanner::new(text);
    let mut walk = Walk { leaves, scan, doing, copied: 0, frames: Vec::new(), reached: roots };
    walk.value(0, None)?;
    while !walk.frames.is_empty() {
        walk.step()?;
    }
    if walk.scan.is_done() { Ok(walk.copied) } else { Err(MALFORMED) }
}

/// Takes the values that identify somebody.
type Show<'s> = dyn FnMut(Identifier, &Value<'_>) + 's;

/// What is done with the values under the paths.
enum Doing<'a, 's> {
    /// They are replaced; this gets the document so far.
    Edit(&'a mut String),
    /// They are taken out; this gets the document so far.
    Blank(&'a mut String),
    /// They are shown.
    Look(&'a mut Show<'s>),
}

/// A path whose first steps lead to where the walk is.
#[derive(Clone, Copy)]
struct Reached {
    leaf: usize,
    steps: usize,
}

/// An object or array the walk is in.
struct Frame {
    is_array: bool,
    /// Members read so far.
    members: usize,
    /// Where the paths that lead to this container stand in [`Walk::reached`].
    reached: Range<usize>,
    /// The leaf whose path leads to this container or one around it.
    leaf: Option<usize>,
}

struct Walk<'a, 't, 's> {
    leaves: &'a [(Path, Leaf)],
    scan: Scanner<'t>,
    doing: Doing<'a, 's>,
    /// Bytes of the original that have been copied or replaced.
    copied: usize,
    frames: Vec<Frame>,
    /// The paths of every frame, one after the other.
    reached: Vec<Reached>,
}

impl Walk<'_, '_, '_> {
    /// One member of the innermost container, or its end.
    fn step(&mut self) -> Result<(), MaskError> {
        let frame = self.frames.last_mut().expect("the walk is inside a container");
        if self.scan.take(if frame.is_array { b']' } else { b'}' }) {
            self.reached.truncate(frame.reached.start);
            self.frames.pop();
            return Ok(());
        }
        if frame.members > 0 && !self.scan.take(b',') {
            return Err(MALFORMED);
        }
        frame.members += 1;
        let (index, parents, leaf) = (frame.members - 1, frame.reached.clone(), frame.leaf);
        let key = match frame.is_array {
            true => None,
            false => {
                let place = self.scan.key()?;
                Some(unquote(self.scan.text(place))?)
            }
        };
        let start = self.reached.len();
        for parent in parents {
            let Reached { leaf, steps } = self.reached[parent];
            let goes_on = match (self.leaves[leaf].0.steps.get(steps), &key) {
                (Some(Step::Every), _) => true,
                (Some(Step::Key(name)), Some(key)) => name == key,
                (Some(Step::Index(wanted)), None) => *wanted == index,
                _ => false,
            };
            if goes_on {
                self.reached.push(Reached { leaf, steps: steps + 1 });
            }
        }
        self.value(start, leaf)
    }

    /// The value that comes next; the paths that lead to it are the last ones from `start` on, `outer` is the leaf around it.
    fn value(&mut self, start: usize, outer: Option<usize>) -> Result<(), MaskError> {
        let leaf = self.leaf_of(start).or(outer);
        let (sort, place) = self.scan.value()?;
        if let Sort::Object | Sort::Array = sort {
            let whole = leaf.map(|leaf| &self.leaves[leaf].1).filter(|leaf| !leaf.keep);
            let is_array = sort == Sort::Array;
            let document = whole.and_then(|leaf| leaf.document.as_ref());
            if let Some(document) = document.filter(|document| self.takes_whole(document)) {
                self.reached.truncate(start);
                self.skip(is_array)?;
                let place = place.start..self.scan.at();
                let value = Value::Json(self.scan.text(place.clone()).into());
                return match &mut self.doing {
                    Doing::Edit(_) => self.replace(place, scratch(document, &value)?),
                    Doing::Blank(_) => self.replace(place, left(document, value)),
                    Doing::Look(show) => document.mask.parts(&value, show),
                };
            }
            let reached = start..self.reached.len();
            self.frames.push(Frame { is_array, members: 0, reached, leaf });
            return Ok(());
        }
        self.reached.truncate(start);
        match leaf.map(|leaf| &self.leaves[leaf].1) {
            Some(leaf) if !leaf.keep && sort != Sort::Null => {
                let text = self.scan.text(place.clone());
                match &mut self.doing {
                    Doing::Edit(_) => self.replace(place, leaf.scalar(sort, text)?),
                    Doing::Blank(_) => self.replace(place, leaf.left(sort, text)?),
                    Doing::Look(show) => leaf.show(sort, text, show),
                }
            }
            _ => Ok(()),
        }
    }

    /// To look into a container one goes into it, unless its function knows better what is in it.
    fn takes_whole(&self, document: &Prepared) -> bool {
        !matches!(self.doing, Doing::Look(_)) || document.mask.identifies_parts()
    }

    /// The leaf of the path that ends here: the one with the fewest stars, the first written of these.
    fn leaf_of(&self, start: usize) -> Option<usize> {
        self.reached[start..]
            .iter()
            .filter(|reached| reached.steps == self.leaves[reached.leaf].0.steps.len())
            .map(|reached| reached.leaf)
            .min_by_key(|leaf| (self.leaves[*leaf].0.stars(), *leaf))
    }

    /// Reads on to the end of a container whose bracket was read; one bit per level says which bracket closes it.
    fn skip(&mut self, is_array: bool) -> Result<(), MaskError> {
        let mut open = vec![(is_array, false)];
        while let Some((is_array, begun)) = open.last_mut() {
            if self.scan.take(if *is_array { b']' } else { b'}' }) {
                open.pop();
                continue;
            }
            if *begun && !self.scan.take(b',') {
                return Err(MALFORMED);
            }
            *begun = true;
            if !*is_array {
                self.scan.key()?;
            }
            match self.scan.value()?.0 {
                Sort::Object => open.push((false, false)),
                Sort::Array => open.push((true, false)),
                _ => {}
            }
        }
        Ok(())
    }

    fn replace(&mut self, place: Range<usize>, fake: Value<'_>) -> Result<(), MaskError> {
        let (Doing::Edit(into) | Doing::Blank(into)) = &mut self.doing else { return Ok(()) };
        into.push_str(self.scan.text(self.copied..place.start));
        self.copied = place.end;
        match fake {
            Value::Null => into.push_str("null"),
            Value::Json(text) | Value::Decimal(text) => into.push_str(&text),
            Value::Bool(_) | Value::Int(_) => {
                into.push_str(&render(&fake).unwrap_or_default());
            }
            other => push_quoted(&render(&other).unwrap_or_default(), into),
        }
        Ok(())
    }
}

impl Leaf {
    /// Shows a string, a number or a boolean that identifies somebody, and what does in a document within a string.
    fn show(&self, sort: Sort, text: &str, show: &mut Show<'_>) -> Result<(), MaskError> {
        let said = if sort == Sort::Text { unquote(text)? } else { text.into() };
        let said = Value::Text(said);
        if let Some(kind) = self.identifies {
            show(kind, &said);
        }
        match &self.text {
            Some(document) if sort == Sort::Text => document.mask.parts(&said, show),
            _ => Ok(()),
        }
    }

    /// What is left of a string that is a document in itself: null of any other value.
    fn left(&self, sort: Sort, text: &str) -> Result<Value<'static>, MaskError> {
        match &self.text {
            Some(inner) if sort == Sort::Text => Ok(left(inner, Value::Text(unquote(text)?))),
            _ => Ok(Value::Null),
        }
    }

    /// The fake of a string, a number or a boolean.
    fn scalar(&self, sort: Sort, text: &str) -> Result<Value<'static>, MaskError> {
        let as_text = |text: &str| match &self.text {
            Some(mask) => scratch(mask, &Value::Text(text.into())),
            None => Err(MaskError("JSON holds a value of a type that the function does not take")),
        };
        let own: Option<(&Prepared, Value<'_>)> = match sort {
            Sort::Text => return as_text(&unquote(text)?),
            Sort::Boolean => self.boolean.as_ref().map(|mask| (mask, Value::Bool(text == "true"))),
            _ => match (text.parse(), &self.integer) {
                (Ok(number), Some(mask)) => Some((mask, Value::Int(number))),
                _ => self
                    .decimal
                    .as_ref()
                    .and_then(|mask| Some((mask, Value::Decimal(plain(text)?.into())))),
            },
        };
        match own {
            Some((mask, value)) => scratch(mask, &value),
            None => as_text(text),
        }
    }
}

/// What a mask leaves of a value as it is; null where that is nothing.
fn left(prepared: &Prepared, value: Value<'_>) -> Value<'static> {
    match (prepared.mask.rest(&value), value) {
        (Some(rest), Value::Json(_)) => Value::Json(rest.into()),
        (Some(rest), _) => Value::Text(rest.into()),
        (None, _) => Value::Null,
    }
}

/// Farther than this no number is written out; `numeric` and `double precision` end there too.
const MOST_ZEROS: i64 = 400;

/// A number without an exponent.
fn plain(number: &str) -> Option<String> {
    let Some((mantissa, exponent)) = number.split_once(['e', 'E']) else {
        return Some(number.to_owned());
    };
    let exponent: i64 = exponent.parse().ok().filter(|e: &i64| e.abs() <= MOST_ZEROS)?;
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}");
    let point = whole.len() as i64 + exponent;
    if point <= 0 {
        digits.insert_str(0, &"0".repeat(1 + point.unsigned_abs() as usize));
    }
    let point = point.max(1) as usize;
    if point >= digits.len() {
        digits.push_str(&"0".repeat(point - digits.len()));
        let number = digits.trim_start_matches('0');
        return Some(format!("{sign}{}", if number.is_empty() { "0" } else { number }));
    }
    let (whole, fraction) = digits.split_at(point);
    let whole = whole.trim_start_matches('0');
    Some(format!("{sign}{}.{fraction}", if whole.is_empty() { "0" } else { whole }))
}
