//! What a removal is to leave, worked out without a database: the closure of the stale rows that nothing holds, over
//! everything that cascades, and then the keys of those that stay behind.

use super::database::{NAMES, columns, defaults, target};
use super::spec::Graph;
use crate::common::engine::{Engine, Text};
use crate::common::hidp::LONG_AGO;
use idp_janitor::cascade::Action;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A row, by its table and its place in it.
pub type Place = (usize, usize);

/// Every row of every table, each table in the order of its primary key.
#[derive(Debug, Clone, PartialEq)]
pub struct State(pub Vec<Vec<Vec<Text>>>);

/// What a removal is to do.
#[derive(Debug)]
pub struct Expected {
    /// What it leaves.
    pub after: State,
    /// How many rows go from each table that loses any.
    pub removed: BTreeMap<String, u64>,
    /// Stale rows, those that are held included.
    pub stale: u64,
    /// Stale rows that are held.
    pub restricted: u64,
}

/// A foreign key, its columns as positions.
struct Key {
    child: usize,
    columns: Vec<usize>,
    parent: usize,
    target: Vec<usize>,
    action: Action,
    defaults: Vec<Text>,
}

/// The model of a graph's database.
pub struct Model {
    tables: usize,
    keys: Vec<Key>,
}

impl State {
    /// What a database holds.
    pub fn read(engine: &impl Engine, graph: &Graph) -> Self {
        let names = NAMES.iter().take(graph.tables.len()).map(|name| engine.dialect().quote(name));
        Self(names.map(|name| engine.select(&format!("SELECT * FROM {name} ORDER BY id"))).collect())
    }

    /// The primary keys of a table.
    pub fn ids(&self, table: usize) -> BTreeSet<String> {
        self.0[table].iter().filter_map(|row| row[0].clone()).collect()
    }

    /// A few of the rows that are in one of two states, and not in the other.
    pub fn difference(&self, other: &Self) -> Vec<(usize, Vec<Text>)> {
        let rows = |state: &Self| -> BTreeSet<(usize, Vec<Text>)> {
            let tables = state.0.iter().enumerate();
            tables.flat_map(|(at, rows)| rows.iter().map(move |row| (at, row.clone()))).collect()
        };
        rows(self).symmetric_difference(&rows(other)).take(6).cloned().collect()
    }

    /// How many rows each table has lost since; tables that lost none are left out, as in a report.
    pub fn lost(&self, since: &Self) -> BTreeMap<String, u64> {
        let lost = since.0.iter().zip(&self.0).map(|(before, after)| (before.len() - after.len()) as u64);
        NAMES.iter().map(|name| (*name).to_owned()).zip(lost).filter(|(_, rows)| *rows > 0).collect()
    }
}

impl Model {
    pub fn new(graph: &Graph) -> Self {
        let column_names = |table: usize| -> Vec<String> {
            let own: &[&str] = if table == 0 {
                &["id", "code", "k1", "k2", "verified", "joined"]
            } else {
                &["id", "code", "k1", "k2"]
            };
            let keys = graph.edges.iter().enumerate().filter(|(_, edge)| edge.child == table);
            own.iter().map(|name| (*name).to_owned()).chain(keys.flat_map(|(at, edge)| columns(edge, at))).collect()
        };
        let position = |names: &[String], name: &str| names.iter().position(|known| known == name).unwrap();
        let keys = graph.edges.iter().enumerate().map(|(at, edge)| {
            let (child, parent) = (column_names(edge.child), column_names(edge.parent));
            Key {
                child: edge.child,
                parent: edge.parent,
                target: target(edge).iter().map(|name| position(&parent, name)).collect(),
                action: edge.action,
                defaults: defaults(graph, edge),
                columns: columns(edge, at).iter().map(|name| position(&child, name)).collect(),
            }
        });
        Self { tables: graph.tables.len(), keys: keys.collect() }
    }

    /// The rows that point at nothing, for each foreign key.
    pub fn dangling(&self, state: &State) -> Vec<Vec<Text>> {
        let children = self.children(state);
        let mut dangling = Vec::new();
        for (key, children) in self.keys.iter().zip(&children) {
            let pointing: BTreeSet<usize> = children.values().flatten().copied().collect();
            let rows = state.0[key.child].iter().enumerate();
            let lost = rows.filter(|(at, row)| values(row, &key.columns).is_some() && !pointing.contains(at));
            dangling.extend(lost.map(|(_, row)| row.clone()));
        }
        dangling
    }

    /// The removal of all stale rows at once.
    pub fn removal(&self, state: &State) -> Expected {
        let children = self.children(state);
        let stale: Vec<usize> = (0..state.0[0].len()).filter(|row| is_stale(&state.0[0][*row])).collect();
        let held = |root: &&usize| {
            let going = self.closure([(0, **root)], &children);
            going.iter().any(|place| self.restricting(*place, &children).next().is_some())
        };
        let free: Vec<usize> = stale.iter().filter(|root| !held(root)).copied().collect();
        let going = self.closure(free.iter().map(|root| (0, *root)), &children);

        let mut after = state.clone();
        for (key, children) in self.keys.iter().zip(&children) {
            let values = match key.action {
                Action::SetNull => vec![None; key.columns.len()],
                Action::SetDefault => key.defaults.clone(),
                Action::Cascade | Action::Restrict => continue,
            };
            for (_, row) in going.iter().filter(|(table, _)| *table == key.parent) {
                for child in children.get(row).into_iter().flatten() {
                    for (column, value) in key.columns.iter().zip(&values) {
                        after.0[key.child][*child][*column] = value.clone();
                    }
                }
            }
        }
        let mut removed = BTreeMap::new();
        for (table, row) in going.iter().rev() {
            after.0[*table].remove(*row);
            *removed.entry(NAMES[*table].to_owned()).or_default() += 1;
        }
        let restricted = (stale.len() - free.len()) as u64;
        Expected { after, removed, stale: stale.len() as u64, restricted }
    }

    /// The primary keys of all rows that hang on any stale row, held or not.
    pub fn reach(&self, state: &State) -> Vec<BTreeSet<String>> {
        let stale = (0..state.0[0].len()).filter(|row| is_stale(&state.0[0][*row]));
        let going = self.closure(stale.map(|row| (0, row)), &self.children(state));
        (0..self.tables)
            .map(|at| {
                going
                    .iter()
                    .filter(|(table, _)| *table == at)
                    .filter_map(|(_, row)| state.0[at][*row][0].clone())
                    .collect()
            })
            .collect()
    }

    /// The primary keys of all rows that a restricting row points at.
    pub fn held(&self, state: &State) -> Vec<BTreeSet<String>> {
        let children = self.children(state);
        let held = |table: usize| {
            let rows = 0..state.0[table].len();
            rows.filter(|row| self.restricting((table, *row), &children).next().is_some())
                .filter_map(|row| state.0[table][row][0].clone())
                .collect()
        };
        (0..self.tables).map(held).collect()
    }

    /// For each foreign key, the rows that point at each row.
    fn children(&self, state: &State) -> Vec<HashMap<usize, Vec<usize>>> {
        let children = self.keys.iter().map(|key| {
            let mut parents: HashMap<Vec<String>, usize> = HashMap::new();
            for (at, row) in state.0[key.parent].iter().enumerate() {
                parents.extend(values(row, &key.target).map(|values| (values, at)));
            }
            let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
            for (at, row) in state.0[key.child].iter().enumerate() {
                if let Some(parent) = values(row, &key.columns).and_then(|values| parents.get(&values)) {
                    children.entry(*parent).or_default().push(at);
                }
            }
            children
        });
        children.collect()
    }

    fn closure(
        &self,
        from: impl IntoIterator<Item = Place>,
        children: &[HashMap<usize, Vec<usize>>],
    ) -> BTreeSet<Place> {
        let mut waiting: Vec<Place> = from.into_iter().collect();
        let mut going = BTreeSet::new();
        while let Some(place) = waiting.pop() {
            if going.insert(place) {
                for (key, children) in self.keys.iter().zip(children) {
                    if key.action == Action::Cascade && key.parent == place.0 {
                        waiting.extend(children.get(&place.1).into_iter().flatten().map(|row| (key.child, *row)));
                    }
                }
            }
        }
        going
    }

    fn restricting<'a>(
        &'a self,
        (table, row): Place,
        children: &'a [HashMap<usize, Vec<usize>>],
    ) -> impl Iterator<Item = usize> + 'a {
        let keys = self.keys.iter().zip(children);
        let keys = keys.filter(move |(key, _)| key.action == Action::Restrict && key.parent == table);
        keys.flat_map(move |(_, children)| children.get(&row).into_iter().flatten().copied())
    }
}

/// `email_verified IS NULL` and joined long ago: the columns behind the four that every table has.
fn is_stale(row: &[Text]) -> bool {
    row[4].is_none() && row[5].as_ref().is_some_and(|joined| joined.starts_with(LONG_AGO))
}

/// The values of columns, to be compared; `None` where one is NULL, for then they point at nothing.
fn values(row: &[Text], columns: &[usize]) -> Option<Vec<String>> {
    columns.iter().map(|at| row[*at].clone()).collect()
}
