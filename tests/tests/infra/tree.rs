//! The files that are deployed: both templates, and the definitions with the steps that each account has. Read from where
//! they stand, so that one of them can be spoilt before it is looked at.

use std::fs;
use std::path::{Path, PathBuf};

use snapshots::local::Local;
use workflow::{Machine, Steps as _};

use crate::template::Template;

/// Everything, as text.
#[derive(Debug)]
pub struct Files(pub Vec<(String, String)>);

/// A definition.
#[derive(Clone, Debug)]
pub struct Definition {
    pub account: &'static str,
    /// `orchestrator/workflow.asl.json`.
    pub file: String,
    pub text: String,
    pub machine: Machine,
}

/// Everything, read.
#[derive(Clone, Debug)]
pub struct Tree {
    pub templates: Vec<Template>,
    pub definitions: Vec<Definition>,
}

/// The accounts with the folder of their definitions and the steps that they have.
pub const ACCOUNTS: [(&str, &str, &[&str]); 2] = [
    ("production", "orchestrator", orchestrator::World::<Local>::NAMES),
    ("development", "receiver", receiver::World::<Local>::NAMES),
];

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Files {
    pub fn read() -> Self {
        let mut all = Vec::new();
        for (account, folder, _) in ACCOUNTS {
            let template = Some(format!("infra/{account}.yaml"));
            let template = template.filter(|name| root().join(name).exists());
            let found = fs::read_dir(root().join(folder)).expect(folder);
            let names = found.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            let mut names: Vec<_> = names.filter(|name| name.ends_with(".asl.json")).collect();
            names.sort();
            let definitions = names.into_iter().map(|name| format!("{folder}/{name}"));
            for name in template.into_iter().chain(definitions) {
                let text = fs::read_to_string(root().join(&name));
                all.push((name.clone(), text.unwrap_or_else(|error| panic!("{name}: {error}"))));
            }
        }
        Self(all)
    }

    /// What they say, or why one of them cannot be read.
    pub fn tree(&self) -> Result<Tree, String> {
        let mut tree = Tree { templates: Vec::new(), definitions: Vec::new() };
        for (name, text) in &self.0 {
            tree.put(name, text)?;
        }
        Ok(tree)
    }
}

impl Tree {
    /// Reads a file; it takes the place of what the file said before.
    fn put(&mut self, file: &str, text: &str) -> Result<(), String> {
        for (account, folder, _) in ACCOUNTS {
            if file == format!("infra/{account}.yaml") {
                let template = Template::read(account, text);
                let template = template.map_err(|error| format!("{file}: {error}"))?;
                self.templates.retain(|other| other.account != account);
                self.templates.push(template);
            } else if file.starts_with(folder) {
                let machine = workflow::parse(file, text).map_err(|error| error.to_string())?;
                let (file, text) = (file.to_owned(), text.to_owned());
                self.definitions.retain(|other| other.file != file);
                self.definitions.push(Definition { account, file, text, machine });
            }
        }
        Ok(())
    }

    /// One place of one file is otherwise: the first such text behind one that stands there once.
    pub fn edited(&self, file: &str, behind: &str, from: &str, to: &str) -> Result<Self, String> {
        let named = |one: &&Template| file == format!("infra/{}.yaml", one.account);
        let templates = self.templates.iter().filter(named).map(|one| &one.text);
        let definitions = self.definitions.iter().filter(|one| one.file == file);
        let mut texts = templates.chain(definitions.map(|one| &one.text));
        let text = texts.next().expect(file);
        let parts: Vec<&str> = text.split(behind).collect();
        let [before, rest] = parts[..] else {
            return Err(format!("there is not exactly one `{behind}`"));
        };
        if !rest.contains(from) {
            return Err(format!("there is no `{from}` behind `{behind}`"));
        }
        let mut copy = self.clone();
        copy.put(file, &[before, behind, &rest.replacen(from, to, 1)].concat())?;
        Ok(copy)
    }
}

/// The steps of an account.
pub fn steps(account: &str) -> &'static [&'static str] {
    let found = ACCOUNTS.iter().find(|(name, ..)| *name == account);
    found.map(|(_, _, steps)| *steps).unwrap_or_default()
}

/// The code that reads a function's environment.
pub fn source(account: &str) -> String {
    let found = ACCOUNTS.iter().find(|(name, ..)| *name == account);
    let path = root().join(found.expect(account).1).join("src/aws.rs");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
