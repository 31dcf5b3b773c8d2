//! Tables by name, and the partition tree each is in.

use std::collections::HashMap;

use crate::catalog::{Catalog, Table, TableKind, TableName};

/// An index over a catalog.
pub(super) struct Forest<'a> {
    by_name: HashMap<&'a TableName, &'a Table>,
    roots: HashMap<&'a TableName, &'a Table>,
}

impl<'a> Forest<'a> {
    pub fn new(catalog: &'a Catalog) -> Self {
        let by_name = catalog.tables.iter().map(|table| (&table.name, table)).collect();
        let mut forest = Self { by_name, roots: HashMap::new() };
        forest.roots =
            catalog.tables.iter().map(|table| (&table.name, forest.find_root(table))).collect();
        forest
    }

    /// The table of that name.
    pub fn table(&self, name: &TableName) -> Option<&'a Table> {
        self.by_name.get(name).copied()
    }

    /// The root of the partition tree a table is in, or the table itself.
    pub fn root(&self, table: &'a Table) -> &'a Table {
        self.roots.get(&table.name).copied().unwrap_or(table)
    }

    /// It has a partitioned table above it.
    pub fn is_partition(&self, table: &'a Table) -> bool {
        self.root(table).name != table.name
    }

    /// It is `below`, or a partitioned table that `below` is in.
    pub fn is_at_or_above(&self, name: &TableName, below: &'a Table) -> bool {
        let mut here = Some(below);
        let mut steps = self.by_name.len();
        while let Some(table) = here {
            if table.name == *name {
                return true;
            }
            here = self.partitioned_parent(table).filter(|_| steps > 0);
            steps = steps.saturating_sub(1);
        }
        false
    }

    /// The tables that it inherits from, nearest first, itself not included.
    pub fn ancestors(&self, table: &'a Table) -> Vec<&'a Table> {
        let mut seen = vec![table];
        let mut next = 0;
        while let Some(table) = seen.get(next) {
            for parent in table.parents.iter().filter_map(|parent| self.table(parent)) {
                if !seen.iter().any(|known| known.name == parent.name) {
                    seen.push(parent);
                }
            }
            next += 1;
        }
        seen.split_off(1)
    }

    fn partitioned_parent(&self, table: &'a Table) -> Option<&'a Table> {
        let mut parents = table.parents.iter().filter_map(|parent| self.table(parent));
        parents.find(|parent| parent.kind == TableKind::Partitioned)
    }

    fn find_root(&self, table: &'a Table) -> &'a Table {
        let mut root = table;
        // A tree is never deeper than there are tables: a catalog that says otherwise does not hang the plan.
        for _ in 0..self.by_name.len() {
            match self.partitioned_parent(root) {
                Some(parent) => root = parent,
                None => break,
            }
        }
        root
    }
}
