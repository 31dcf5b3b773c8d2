//! YAML as CloudFormation writes it: a tree with lines, in which a short tag is the function that it stands for, so that
//! `!Ref X` is `{Ref: X}`. It refuses anchors, aliases and keys that stand twice, and resolves no types.

use saphyr_parser::{Event, Parser, Tag};

/// A node and the line on which it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub line: usize,
    pub shape: Shape,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// What lies below keys.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    pub fn entries(&self) -> &[(String, Self)] {
        match &self.shape {
            Shape::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; anything else is a list of itself, as in policies.
    pub fn items(&self) -> Vec<&Self> {
        match &self.shape {
            Shape::List(items) => items.iter().collect(),
            _ => vec![self],
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The last line of it.
    pub fn end(&self) -> usize {
        let of_children = match &self.shape {
            Shape::Text(_) => None,
            Shape::List(items) => items.iter().map(Self::end).max(),
            Shape::Map(entries) => entries.iter().map(|(_, value)| value.end()).max(),
        };
        of_children.unwrap_or(self.line).max(self.line)
    }

    /// Calls with every node below this one, itself first.
    pub fn walk<'a>(&'a self, see: &mut impl FnMut(&'a Self)) {
        see(self);
        match &self.shape {
            Shape::Text(_) => {}
            Shape::List(items) => items.iter().for_each(|item| item.walk(see)),
            Shape::Map(entries) => entries.iter().for_each(|(_, value)| value.walk(see)),
        }
    }
}

/// The one document of a text.
pub fn read(text: &str) -> Result<Node, String> {
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        let line = span.start.line();
        let anchored = |anchor: usize| match anchor {
            0 => Ok(()),
            _ => Err(format!("line {line}: an anchor")),
        };
        let done = match event {
            Event::Scalar(text, _, anchor, tag) => {
                anchored(anchor)?;
                Some(tagged(tag.as_deref(), Node { line, shape: Shape::Text(text.into_owned()) }))
            }
            Event::SequenceStart(anchor, tag) => {
                anchored(anchor)?;
                let tag = tag.map(|tag| tag.into_owned());
                open.push(Open { line, tag, key: None, shape: Shape::List(Vec::new()) });
                None
            }
            Event::MappingStart(anchor, tag) => {
                anchored(anchor)?;
                let tag = tag.map(|tag| tag.into_owned());
                open.push(Open { line, tag, key: None, shape: Shape::Map(Vec::new()) });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open
                .pop()
                .map(|done| tagged(done.tag.as_ref(), Node { line: done.line, shape: done.shape })),
            Event::Alias(_) => return Err(format!("line {line}: an alias")),
            _ => None,
        };
        let Some(node) = done else { continue };
        match open.last_mut() {
            Some(parent) => parent.take(node)?,
            None => root = Some(node),
        }
    }
    root.ok_or_else(|| "there is no document".to_owned())
}

/// A list or a mapping whose end has not come.
struct Open {
    line: usize,
    tag: Option<Tag>,
    key: Option<String>,
    shape: Shape,
}

impl Open {
    fn take(&mut self, node: Node) -> Result<(), String> {
        match (&mut self.shape, self.key.take()) {
            (Shape::List(items), _) => items.push(node),
            (Shape::Map(entries), Some(key)) => {
                if entries.iter().any(|(known, _)| *known == key) {
                    return Err(format!("line {}: `{key}` stands twice", node.line));
                }
                entries.push((key, node));
            }
            (_, None) => match node.shape {
                Shape::Text(text) => self.key = Some(text),
                _ => return Err(format!("line {}: a key that is no text", node.line)),
            },
            (Shape::Text(_), _) => {}
        }
        Ok(())
    }
}

/// `!Sub x` as `{Fn::Sub: x}`.
fn tagged(tag: Option<&Tag>, node: Node) -> Node {
    let Some(name) = tag.filter(|tag| tag.handle == "!").map(|tag| tag.suffix.as_str()) else {
        return node;
    };
    let line = node.line;
    let argument = match (name, node.text().and_then(|text| text.split_once('.'))) {
        ("GetAtt", Some((resource, attribute))) => {
            let part = |text: &str| Node { line, shape: Shape::Text(text.to_owned()) };
            Node { line, shape: Shape::List(vec![part(resource), part(attribute)]) }
        }
        _ => node,
    };
    let key =
        if matches!(name, "Ref" | "Condition") { name.to_owned() } else { format!("Fn::{name}") };
    Node { line, shape: Shape::Map(vec![(key, argument)]) }
}

#[test]
fn short_tags_are_functions() {
    let node =
        read("a: !Ref B\nc: [!GetAtt D.E, !Sub '${F}-g']\nh: {i: !Sub [x, {y: z}]}\n").unwrap();
    assert_eq!(node.at(&["a", "Ref"]).unwrap().text(), Some("B"));
    let items = node.get("c").unwrap().items();
    assert_eq!(items[0].get("Fn::GetAtt").unwrap().items()[1].text(), Some("E"));
    assert_eq!((items[1].line, items[1].get("Fn::Sub").unwrap().text()), (2, Some("${F}-g")));
    assert_eq!(node.at(&["h", "i", "Fn::Sub"]).unwrap().items().len(), 2);
    for bad in ["a: 1\na: 2\n", "a: &b 1\n", "a: &b 1\nc: *b\n", "a: ["] {
        assert!(read(bad).is_err(), "{bad}");
    }
}
