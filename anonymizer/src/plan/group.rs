//! Groups: a table with rules of its own, together with the partitions that follow it, and what was decided for each column.

use std::collections::{BTreeMap, HashMap};

use super::forest::Forest;
use super::tables::{Decision, Decisions, in_rules, never_written};
use crate::catalog::{Catalog, Column, ForeignKey, Table, TableKind, TableName};
use crate::finding::{Collected, Position, Spanned};
use crate::mask::{self, Class, Prepared};
use crate::rules::suggest::did_you_mean;
use crate::rules::{ColumnRule, NamePattern, Part, RuleSet, TableRule};
use crate::value::Value;

/// A table with rules of its own and its partitions.
pub(super) struct Group<'a> {
    /// The table, or the root of the partition tree.
    pub root: &'a Table,
    /// The root, the partitioned tables below it, and the leaves.
    pub tree: Vec<&'a Table>,
    /// Place of the rule.
    pub at: Position,
    pub fate: Fate<'a>,
    /// The root's columns, in its order.
    pub columns: Vec<Decided<'a>>,
    /// Foreign keys whose referenced rows are removed.
    pub orphans: Vec<&'a ForeignKey>,
}

/// What happens to the rows.
#[derive(Clone, Copy)]
pub(super) enum Fate<'a> {
    /// There is a finding already.
    Undecided,
    /// Foreign or owned by an extension.
    Untouched,
    Truncate {
        cascade: bool,
    },
    Columns {
        skip_rows: Option<&'a Spanned<String>>,
        delete_rows: Option<&'a Spanned<String>>,
        cascade: bool,
    },
}

/// A column and what was decided for it.
pub(super) struct Decided<'a> {
    pub column: &'a Column,
    pub choice: Choice<'a>,
    /// The table's rule names it.
    pub named: bool,
    /// Equality on it ignores case.
    pub ignore_case: bool,
    /// Set for a mask that fits.
    pub prepared: Option<Prepared>,
}

#[derive(Clone, Copy)]
pub(super) enum Choice<'a> {
    /// There is a finding already, or the table's fate leaves nothing to decide.
    None,
    Generated,
    Keep(Position),
    Mask(&'a ColumnRule),
}

impl<'a> Group<'a> {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Decided<'a>> {
        self.columns.iter().find(|decided| decided.column.name == name)
    }

    /// `public.orders.note (text)`.
    pub fn subject(&self, column: &Column) -> String {
        format!("{}.{} ({})", self.root.name, column.name, column.data_type)
    }

    /// The tables with rows of their own.
    pub fn members(&self) -> impl Iterator<Item = &'a Table> + '_ {
        self.tree.iter().copied().filter(|table| table.kind != TableKind::Partitioned)
    }

    pub fn truncated(&self) -> bool {
        matches!(self.fate, Fate::Truncate { .. })
    }
}

impl Decided<'_> {
    /// The rule of a masked column.
    pub fn mask(&self) -> Option<&ColumnRule> {
        match self.choice {
            Choice::Mask(rule) => Some(rule),
            _ => None,
        }
    }

    /// Every value becomes NULL.
    pub fn nullified(&self) -> bool {
        self.prepared.as_ref().is_some_and(|prepared| prepared.constant == Some(Value::Null))
    }
}

/// All groups, by root's name, and the group of each table of the catalog.
pub(super) struct Groups<'a> {
    pub all: Vec<Group<'a>>,
    index: HashMap<&'a TableName, usize>,
}

impl<'a> Groups<'a> {
    /// The index of the group a table is in.
    pub fn index_of(&self, table: &TableName) -> Option<usize> {
        self.index.get(table).copied()
    }

    /// The group a table is in.
    pub fn of(&self, table: &TableName) -> Option<&Group<'a>> {
        self.index_of(table).map(|index| &self.all[index])
    }
}

/// Decides every column of every table.
pub(super) fn form<'a>(
    rules: &'a RuleSet,
    catalog: &'a Catalog,
    forest: &Forest<'a>,
    decisions: &Decisions<'a>,
    found: &mut Collected,
) -> Groups<'a> {
    let chooser = Chooser { forest, decisions };
    let mut trees: BTreeMap<&TableName, Vec<&Table>> = BTreeMap::new();
    for table in &catalog.tables {
        trees.entry(&forest.root(table).name).or_default().push(table);
    }
    let mut groups = Groups { all: Vec::new(), index: HashMap::new() };
    for (name, tree) in trees {
        let Some(root) = forest.table(name) else { continue };
        groups.index.extend(tree.iter().map(|table| (&table.name, groups.all.len())));
        groups.all.push(chooser.group(root, tree, found));
    }
    columns_exist(rules, decisions, catalog, found);
    groups
}

struct Chooser<'a, 'd> {
    forest: &'d Forest<'a>,
    decisions: &'d Decisions<'a>,
}

/// What the rules say about one column.
enum Saying<'a> {
    Rule(&'a ColumnRule),
    Keep(Position),
    /// Two wildcards.
    Both(Position, Position),
    /// Only something that does not decide a column of its type: what it was.
    TooWeak(String),
    /// The table it is inherited from has the finding.
    Elsewhere,
    Nothing,
}

impl<'a> Chooser<'a, '_> {
    fn group(&self, root: &'a Table, tree: Vec<&'a Table>, found: &mut Collected) -> Group<'a> {
        let decision = self.decision(root);
        let at = decision.map(|decision| decision.at).unwrap_or_default();
        let fate = self.fate(root, decision, found);
        let columns = root.columns.iter().map(|column| {
            let choice = match fate {
                Fate::Undecided | Fate::Truncate { .. } => Choice::None,
                Fate::Untouched if column.generated => Choice::Generated,
                Fate::Untouched => Choice::Keep(at),
                Fate::Columns { .. } => self.choice(root, column, at, found),
            };
            let named = self.named(root, column).is_some();
            Decided { column, choice, named, ignore_case: false, prepared: None }
        });
        let columns = columns.collect();
        Group { root, tree, at, fate, columns, orphans: Vec::new() }
    }

    /// The table's own rule, or that of a table it inherits from.
    fn decision(&self, table: &'a Table) -> Option<Decision<'a>> {
        let own = self.decisions.get(&table.name).copied();
        own.or_else(|| {
            self.forest
                .ancestors(table)
                .into_iter()
                .find_map(|a| self.decisions.get(&a.name).copied())
        })
    }

    fn fate(
        &self,
        table: &'a Table,
        decision: Option<Decision<'a>>,
        found: &mut Collected,
    ) -> Fate<'a> {
        let name = table.name.to_string();
        if never_written(table) {
            if let Some(decision) = decision.filter(|decision| !harmless(decision.rule)) {
                let message = match &table.extension {
                    Some(extension) => format!("table of extension `{extension}`, never written"),
                    None => "foreign table, never written".into(),
                };
                found.add(decision.at, name, message, "write `keep`, or remove the rule");
            }
            return Fate::Untouched;
        }
        let Some(decision) = decision else {
            let cure = format!(
                "add `{}:` with `keep`, `truncate` or a mapping with `columns`",
                in_rules(&table.name)
            );
            found.add(Position::default(), name, "undecided table", cure);
            return Fate::Undecided;
        };
        if let TableRule::Columns { delete_rows: Some(predicate), .. } = decision.rule
            && table.kind == TableKind::Virtual
        {
            let cure = "write `truncate`, or delete the rows of the tables it reads";
            found.add(predicate.at, name, "rows of a virtual table cannot be deleted", cure);
        }
        match decision.rule {
            TableRule::Keep => Fate::Columns { skip_rows: None, delete_rows: None, cascade: false },
            TableRule::Truncate { cascade } => Fate::Truncate { cascade: *cascade },
            TableRule::Columns { skip_rows, delete_rows, cascade, .. } => Fate::Columns {
                skip_rows: skip_rows.as_ref(),
                delete_rows: delete_rows.as_ref(),
                cascade: *cascade,
            },
        }
    }

    fn choice(
        &self,
        table: &'a Table,
        column: &'a Column,
        at: Position,
        found: &mut Collected,
    ) -> Choice<'a> {
        let subject = || format!("{}.{} ({})", table.name, column.name, column.data_type);
        if column.generated {
            if let Some(rule) = self.named(table, column).filter(|rule| !keeps(rule)) {
                let cure =
                    "remove the rule, or write `keep`: it is computed from the masked columns";
                found.add(rule.function.at, subject(), "generated column cannot be masked", cure);
            }
            return Choice::Generated;
        }
        const CURE: &str =
            "give it a function or `keep`; `anonymizer functions` lists what fits a column";
        match self.saying(table, column) {
            Saying::Rule(rule) if keeps(rule) => return Choice::Keep(rule.function.at),
            Saying::Rule(rule) => return Choice::Mask(rule),
            Saying::Keep(at) => return Choice::Keep(at),
            Saying::Both(first, second) => {
                let message = format!("two wildcards match it, at {first} and here");
                found.add(second, subject(), message, "name the column, or narrow one of the two");
            }
            Saying::TooWeak(what) => {
                found.add(at, subject(), format!("undecided column: {what}"), CURE);
            }
            Saying::Nothing => found.add(at, subject(), "undecided column", CURE),
            Saying::Elsewhere => {}
        }
        Choice::None
    }

    /// The rule that names the column, in the table's own rule.
    fn named(&self, table: &'a Table, column: &Column) -> Option<&'a ColumnRule> {
        let TableRule::Columns { columns, .. } = self.decisions.get(&table.name)?.rule else {
            return None;
        };
        let named = |name: &Part| !name.wildcard && name.text == column.name;
        columns.iter().find(|(name, _)| named(&name.value)).map(|(_, rule)| rule)
    }

    /// A rule that names the column, else what the table says that the column is inherited from, else a wildcard or `keep`:
    /// a wildcard must not undo on a child what a parent's rule does.
    fn saying(&self, table: &'a Table, column: &'a Column) -> Saying<'a> {
        if let Some(rule) = self.named(table, column) {
            return Saying::Rule(rule);
        }
        for parent in self.forest.ancestors(table) {
            let decided = self
                .decision(parent)
                .is_some_and(|decision| !matches!(decision.rule, TableRule::Truncate { .. }));
            if let Some(inherited) = parent.column(&column.name).filter(|_| decided) {
                return match self.saying(parent, inherited) {
                    Saying::Rule(rule) => Saying::Rule(rule),
                    Saying::Keep(at) => Saying::Keep(at),
                    _ => Saying::Elsewhere,
                };
            }
        }
        self.decisions.get(&table.name).map_or(Saying::Nothing, |own| by_wildcard(own, column))
    }
}

fn by_wildcard<'a>(decision: &Decision<'a>, column: &Column) -> Saying<'a> {
    let weak = !column.kind.wildcard_may_keep();
    let TableRule::Columns { columns, .. } = decision.rule else {
        return match weak {
            true => Saying::TooWeak("`keep` for a whole table does not decide its type".into()),
            false => Saying::Keep(decision.at),
        };
    };
    let mut matching =
        columns.iter().filter(|(name, _)| name.value.wildcard && name.value.matches(&column.name));
    match (matching.next(), matching.next()) {
        (None, _) => Saying::Nothing,
        (Some((name, _)), _) if weak => Saying::TooWeak(format!(
            "the wildcard `{}` at {} does not decide its type",
            name.value, name.at
        )),
        (Some((_, rule)), None) => Saying::Rule(rule),
        (Some((first, _)), Some((second, _))) => Saying::Both(first.at, second.at),
    }
}

fn keeps(rule: &ColumnRule) -> bool {
    mask::function(&rule.function.value).is_some_and(|function| function.class == Class::Keep)
}

/// A rule that writes nothing.
fn harmless(rule: &TableRule) -> bool {
    match rule {
        TableRule::Keep => true,
        TableRule::Truncate { .. } => false,
        TableRule::Columns { delete_rows, columns, .. } => {
            delete_rows.is_none() && columns.iter().all(|(_, rule)| keeps(rule))
        }
    }
}

/// Every column name in the rules stands for a column of a table that its table rule decides.
fn columns_exist<'a>(
    rules: &'a RuleSet,
    decisions: &Decisions<'a>,
    catalog: &'a Catalog,
    found: &mut Collected,
) {
    let mut decided: HashMap<Position, Vec<&Table>> = HashMap::new();
    for table in &catalog.tables {
        if let Some(decision) = decisions.get(&table.name) {
            decided.entry(decision.at).or_default().push(table);
        }
    }
    for (name, rule) in &rules.tables {
        let TableRule::Columns { columns, .. } = rule else { continue };
        let Some(tables) = decided.get(&name.at) else { continue };
        for (part, _) in columns {
            let stored = || tables.iter().flat_map(|table| &table.columns);
            if !stored().any(|column| part.value.matches(&column.name)) {
                missing_column(&name.value, part, tables, found);
            }
        }
    }
}

fn missing_column(
    pattern: &NamePattern,
    part: &Spanned<Part>,
    tables: &[&Table],
    found: &mut Collected,
) {
    let table = match tables {
        [table] => table.name.to_string(),
        _ => pattern.to_string(),
    };
    let subject = format!("{table}.{}", part.value);
    if part.value.wildcard {
        let cure = "correct the name, or remove the line";
        found.add(part.at, subject, "wildcard that matches no column", cure);
        return;
    }
    let known = tables.iter().flat_map(|table| &table.columns).map(|column| column.name.as_str());
    let otherwise = "names are case-sensitive; remove the line if the column is gone";
    let cure = did_you_mean(&part.value.text, known, otherwise);
    found.add(part.at, subject, "unknown column", cure);
}
