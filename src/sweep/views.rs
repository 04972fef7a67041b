//! The records that rules on other records ask about, in memory.

use crate::error::Error;
use crate::named::Named;
use crate::rule::Rule;
use crate::rule::eval::{Key, Record, Relations, keys};
use std::collections::BTreeMap;

/// Collections that rules relate to, reduced to the fields that the rules read, and found by key.
#[derive(Debug, Default)]
pub struct Views(Named<View>);

#[derive(Debug, Default)]
struct View {
    columns: Named<()>,
    records: Vec<Record>,
    indexes: Vec<Index>,
}

/// The records by some of their columns.
#[derive(Debug)]
struct Index {
    columns: Vec<String>,
    by_keys: BTreeMap<Vec<Key>, Vec<usize>>,
}

impl Views {
    /// Empty views of everything that a rule on `table` relates to.
    #[must_use]
    pub fn for_rule(rule: &Rule, table: &str) -> Self {
        let mut views = Self::default();
        views.add_relations(rule);
        rule.visit_columns(table, &mut |table, column, _| {
            if let Some(view) = views.0.get_mut(table) {
                view.columns.insert(column, ());
            }
        });
        views
    }

    fn add_relations(&mut self, rule: &Rule) {
        match rule {
            Rule::All(rules) | Rule::Any(rules) => rules.iter().for_each(|rule| self.add_relations(rule)),
            Rule::Not(rule) => self.add_relations(rule),
            Rule::Exists(related) => {
                let view = self.0.entry(&related.table);
                if view.index(&related.columns).is_none() {
                    view.indexes.push(Index { columns: related.columns.clone(), by_keys: BTreeMap::new() });
                }
                self.add_relations(&related.satisfying);
            }
            _ => {}
        }
    }

    /// The collections that have to be read.
    #[must_use]
    pub fn collections(&self) -> Vec<String> {
        self.0.names().map(str::to_owned).collect()
    }

    /// Adds a record of one of the collections.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] where a key of it cannot be read.
    pub fn add(&mut self, collection: &str, record: &Record) -> Result<(), Error> {
        let Some(view) = self.0.get_mut(collection) else { return Ok(()) };
        let at = view.records.len();
        for index in &mut view.indexes {
            if let Some(keys) = keys(collection, record, &index.columns)? {
                index.by_keys.entry(keys).or_default().push(at);
            }
        }
        let mut kept = Record::default();
        for (name, value) in record.iter().filter(|(name, _)| view.columns.get(name).is_some()) {
            kept.insert(name, value.clone());
        }
        view.records.push(kept);
        Ok(())
    }
}

impl View {
    fn index(&self, columns: &[String]) -> Option<&Index> {
        self.indexes.iter().find(|index| index.columns == columns)
    }
}

impl Relations for Views {
    fn matching(&self, table: &str, columns: &[String], keys: &[Key]) -> Result<Vec<&Record>, Error> {
        let view = self.0.get(table);
        let found = view.and_then(|view| view.index(columns)).and_then(|index| index.by_keys.get(keys));
        Ok(found.into_iter().flatten().filter_map(|at| view?.records.get(*at)).collect())
    }
}
