//! YAML text as a small tree: mappings, lists and scalars with their source text and position.
//!
//! It reads one document and refuses what makes a rules file mean something else than it says: duplicate keys, anchors,
//! aliases, merge keys, tags. It resolves no types: `no`, `on` and `007` are the text that was written.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use crate::finding::{Collected, Position};

/// Deeper nesting than any rules file needs; it bounds the recursion of whoever walks the tree.
const MAX_DEPTH: usize = 40;

/// A node of the document.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub at: Position,
    pub shape: Shape,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// A scalar's text; `plain` where it was written without quotes and not as a block.
    Scalar { text: String, plain: bool },
    /// A list's items, in order.
    List(Vec<Node>),
    /// Keys and values in the order written; every key is there once.
    Mapping(Vec<(Key, Node)>),
    /// Something that is a finding already.
    Unusable,
}

/// A mapping's key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub at: Position,
    pub text: String,
}

impl Node {
    /// Plain text that YAML reads as null.
    pub fn is_null(&self) -> bool {
        matches!(&self.shape, Shape::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What it is, for a message.
    pub fn noun(&self) -> &'static str {
        match self.shape {
            Shape::Scalar { .. } => "a word",
            Shape::List(_) => "a list",
            Shape::Mapping(_) => "a mapping",
            Shape::Unusable => "unusable",
        }
    }
}

/// Reads the one document in `text`. `None` where there is none or the YAML is malformed, which is then a finding.
pub(super) fn read(text: &str, found: &mut Collected) -> Option<Node> {
    let mut builder = Builder { found, open: Vec::new(), root: None, documents: 0 };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                if !builder.take(event, span) {
                    return None;
                }
            }
            Err(error) => {
                builder.malformed(&error);
                return None;
            }
        }
    }
    builder.root
}

/// A mapping or list whose end has not been seen.
enum Open {
    List { at: Position, items: Vec<Node> },
    Mapping { at: Position, entries: Vec<(Key, Node)>, key: Option<Option<Key>> },
}

struct Builder<'a> {
    found: &'a mut Collected,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
}

impl Builder<'_> {
    /// False where reading on makes no sense.
    fn take(&mut self, event: Event<'_>, span: Span) -> bool {
        let at = Position { line: span.start.line(), column: span.start.col() + 1 };
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.found.add(at, "", "second YAML document", "write one file per database");
                    return false;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.no_extras(at, anchor, tag.is_some());
                let plain = style == ScalarStyle::Plain;
                self.node(Node { at, shape: Shape::Scalar { text: text.into_owned(), plain } });
            }
            Event::Alias(_) => {
                self.found.add(at, "", "alias", STAR_CURE);
                self.node(Node { at, shape: Shape::Unusable });
            }
            Event::SequenceStart(anchor, tag) => {
                self.no_extras(at, anchor, tag.is_some());
                return self.enter(at, Open::List { at, items: Vec::new() });
            }
            Event::MappingStart(anchor, tag) => {
                self.no_extras(at, anchor, tag.is_some());
                return self.enter(at, Open::Mapping { at, entries: Vec::new(), key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let node = match open {
                        Open::List { at, items } => Node { at, shape: Shape::List(items) },
                        Open::Mapping { at, entries, .. } => {
                            Node { at, shape: Shape::Mapping(entries) }
                        }
                    };
                    self.node(node);
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        true
    }

    fn enter(&mut self, at: Position, open: Open) -> bool {
        if self.open.len() == MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} levels deep");
            self.found.add(at, "", message, "a rules file needs no more than a few levels");
            return false;
        }
        self.open.push(open);
        true
    }

    fn no_extras(&mut self, at: Position, anchor: usize, tagged: bool) {
        if anchor > 0 {
            self.found.add(at, "", "anchor", "write the value out at each place");
        }
        if tagged {
            let cure = "remove the tag; quote a value that begins with `!`";
            self.found.add(at, "", "tag", cure);
        }
    }

    /// Puts a finished node where it belongs.
    fn node(&mut self, mut node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Mapping { entries, key, .. }) => match key.take() {
                None => *key = Some(as_key(node, entries, self.found)),
                Some(None) => {}
                Some(Some(key)) => {
                    // An empty value has no place of its own.
                    if matches!(&node.shape, Shape::Scalar { text, plain: true } if text.is_empty())
                    {
                        node.at = key.at;
                    }
                    entries.push((key, node));
                }
            },
        }
    }

    fn malformed(&mut self, error: &ScanError) {
        let at = Position { line: error.marker().line(), column: error.marker().col() + 1 };
        let info = error.info();
        let cure = if info.contains("anchor") || info.contains("alias") {
            STAR_CURE
        } else if info.contains("tab") {
            "indent with spaces"
        } else {
            "look at indentation, quotes, brackets and colons at this place and just before it"
        };
        self.found.add(at, "", format!("malformed YAML: {info}"), cure);
    }
}

const STAR_CURE: &str =
    "put a name that begins with a star in quotes, \"*\"; anchors and aliases are not supported";

/// The key, or `None` with a finding where it cannot be one; the entry is then left out.
fn as_key(node: Node, entries: &[(Key, Node)], found: &mut Collected) -> Option<Key> {
    let at = node.at;
    let Shape::Scalar { text, plain } = node.shape else {
        if !matches!(node.shape, Shape::Unusable) {
            found.add(at, "", "a key that is not a word", "write a name; quote one with brackets");
        }
        return None;
    };
    if text == "<<" && plain {
        found.add(at, "", "merge key `<<`", "write the entries out at each place");
        return None;
    }
    if text.is_empty() {
        found.add(at, "", "empty key", "write a name before the colon");
        return None;
    }
    if let Some((first, _)) = entries.iter().find(|(key, _)| key.text == text) {
        let message = format!("duplicate key `{text}`, first at {}", first.at);
        found.add(at, "", message, "write it once");
        return None;
    }
    Some(Key { at, text })
}
