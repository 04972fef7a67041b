//! The records that rules on other records ask about, in memory.

use crate::error::Error;
use crate::rule::Rule;
use crate::rule::eval::{Key, Record, Relations, keys};
use std::collections::{BTreeMap, BTreeSet};

/// Collections that rules relate to, reduced to the fields that the rules read, and found by key.
#[derive(Debug, Default)]
pub struct Views(BTreeMap<String, View>);

#[derive(Debug, Default)]
struct View {
    columns: BTreeSet<String>,
    records: Vec<Record>,
    by_keys: BTreeMap<Vec<String>, BTreeMap<Vec<Key>, Vec<usize>>>,
}

impl Views {
    /// Empty views of everything that a rule on `table` relates to.
    #[must_use]
    pub fn for_rule(rule: &Rule, table: &str) -> Self {
        let mut views = Self::default();
        views.add_relations(rule);
        rule.visit_columns(table, &mut |table, column, _| {
            if let Some(view) = views.0.get_mut(table) {
                view.columns.insert(column.to_owned());
            }
        });
        views
    }

    fn add_relations(&mut self, rule: &Rule) {
        match rule {
            Rule::All(rules) | Rule::Any(rules) => rules.iter().for_each(|rule| self.add_relations(rule)),
            Rule::Not(rule) => self.add_relations(rule),
            Rule::Exists(related) => {
                let view = self.0.entry(related.table.clone()).or_default();
                view.by_keys.entry(related.columns.clone()).or_default();
                self.add_relations(&related.satisfying);
            }
            _ => {}
        }
    }

    /// The collections that have to be read.
    #[must_use]
    pub fn collections(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// Adds a record of one of the collections.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] where a key of it cannot be read.
    pub fn add(&mut self, collection: &str, record: &Record) -> Result<(), Error> {
        let Some(view) = self.0.get_mut(collection) else { return Ok(()) };
        let at = view.records.len();
        for (columns, by_key) in &mut view.by_keys {
            if let Some(keys) = keys(collection, record, columns)? {
                by_key.entry(keys).or_default().push(at);
            }
        }
        let fields = record.iter().filter(|(name, _)| view.columns.contains(*name));
        view.records.push(fields.map(|(name, value)| (name.clone(), value.clone())).collect());
        Ok(())
    }
}

impl Relations for Views {
    fn matching(&self, table: &str, columns: &[String], keys: &[Key]) -> Result<Vec<&Record>, Error> {
        let view = self.0.get(table);
        let found = view.and_then(|view| view.by_keys.get(columns)).and_then(|by_key| by_key.get(keys));
        Ok(found.into_iter().flatten().filter_map(|at| view?.records.get(*at)).collect())
    }
}
