//! Dependants: what goes, or lets go, when a row goes; and in which order.
//!
//! The graph is read from the database. What a foreign key does on a deletion is said, in this order, by the
//! settings, by the database itself, and by the preset. A key about which none of them says anything is refused.

use crate::error::Error;
use crate::rule::{self, Rule, Span, exists};
use crate::schema::{ColumnName, Declared, ForeignKey, Schema};
use serde::Serialize;
use std::fmt;

/// What happens to a row that points at a row that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It goes too.
    Cascade,
    /// Its columns become NULL.
    SetNull,
    /// Its columns take their default.
    SetDefault,
    /// It keeps the row that it points at, and so the row of the job's own table that would take it along.
    Restrict,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cascade => "cascade",
            Self::SetNull => "set-null",
            Self::SetDefault => "set-default",
            Self::Restrict => "restrict",
        })
    }
}

/// Who says what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The settings.
    Settings,
    /// The database itself.
    Database,
    /// The preset.
    Preset,
}

/// A foreign key with what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The table that points.
    pub table: String,
    /// How it points.
    pub key: ForeignKey,
    /// What happens to its rows.
    pub action: Action,
    /// Who says so.
    pub source: Source,
}

/// One kind of change that a removal makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Rows that stay let go of rows that go, by an edge.
    Unset {
        /// The edge.
        edge: Edge,
        /// Whether rows of its table that go themselves are still there then.
        before_own_delete: bool,
    },
    /// Rows go.
    Delete {
        /// Their table.
        table: String,
    },
}

/// Everything that a removal from one table does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cascade {
    /// The table that the removal is about.
    pub root: String,
    /// Every foreign key that it has to care for, breadth first.
    pub edges: Vec<Edge>,
    /// The changes, in an order that breaks no foreign key at the end; the root's own delete is the last.
    pub order: Vec<Change>,
}

impl Cascade {
    /// Plans the removal of rows of `root` that satisfy `rule`. Keys by which, as the rule itself says, no row points at
    /// such a row are left out.
    ///
    /// # Errors
    /// [`Error::UnknownReferences`] for keys on which `action` is silent, [`Error::CascadeCycle`] where cascading keys
    /// lead back to their beginning.
    pub fn plan(
        schema: &Schema,
        root: &str,
        rule: &Rule,
        action: impl Fn(&str, &ForeignKey) -> Option<(Action, Source)>,
    ) -> Result<Self, Error> {
        let mut edges: Vec<Edge> = Vec::new();
        let mut unknown: Vec<ColumnName> = Vec::new();
        let mut reached = vec![root.to_owned()];
        let mut next = 0;
        while let Some(parent) = reached.get(next).cloned() {
            next += 1;
            for (table, key) in schema.references_to(&parent) {
                if parent == root && rule.excludes_reference(table, &key.columns, &key.target) {
                    continue;
                }
                let Some((action, source)) = action(table, key) else {
                    unknown.push(key.name_in(table));
                    continue;
                };
                if action == Action::Cascade && !reached.iter().any(|known| known == table) {
                    reached.push(table.to_owned());
                }
                edges.push(Edge { table: table.to_owned(), key: key.clone(), action, source });
            }
        }
        if !unknown.is_empty() {
            return Err(Error::UnknownReferences { columns: unknown });
        }
        let order = order(&reached, &edges)?;
        Ok(Self { root: root.to_owned(), edges, order })
    }

    /// The edges by which rows of a table go along with others.
    pub fn cascades_from<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a Edge> {
        self.edges.iter().filter(move |edge| edge.action == Action::Cascade && edge.table == table)
    }

    /// The tables that lose rows, the root last.
    pub fn deleted(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.order.iter().filter_map(|change| match change {
            Change::Delete { table } => Some(table.as_str()),
            Change::Unset { .. } => None,
        })
    }

    /// Whether a row of the table can go along with more than one row of the root.
    #[must_use]
    pub fn has_several_paths(&self, table: &str) -> bool {
        let mut edges = self.cascades_from(table);
        match (edges.next(), edges.next()) {
            (Some(edge), None) => self.has_several_paths(&edge.key.references),
            (Some(_), Some(_)) => true,
            (None, _) => false,
        }
    }

    /// The rule by which a row of the table goes: it satisfies `rule` where it is the root's, else a row that it points
    /// at goes. `None` where the table loses no rows.
    #[must_use]
    pub fn doomed(&self, table: &str, rule: &Rule, span: Option<Span>) -> Option<Rule> {
        if table == self.root {
            return Some(match span {
                Some(span) => rule::all([Rule::Within(span), rule.clone()]),
                None => rule.clone(),
            });
        }
        let ways: Vec<Rule> = self
            .cascades_from(table)
            .filter_map(|edge| {
                let parent = self.doomed(&edge.key.references, rule, span)?;
                Some(exists(&edge.key.references, &edge.key.target, &edge.key.columns, parent))
            })
            .collect();
        (!ways.is_empty()).then_some(Rule::Any(ways))
    }

    /// The rule by which a row of the root is kept: a restricting row points at it, or at something that would go
    /// along with it.
    #[must_use]
    pub fn restricted(&self) -> Rule {
        let mut ways = Vec::new();
        for edge in self.edges.iter().filter(|edge| edge.action == Action::Restrict) {
            let held = exists(&edge.table, &edge.key.columns, &edge.key.target, rule::all([]));
            self.seen_from_root(&edge.key.references, held, &mut ways);
        }
        Rule::Any(ways)
    }

    /// A rule on rows of `table`, as rules on the rows of the root that would take such a row along.
    fn seen_from_root(&self, table: &str, rule: Rule, ways: &mut Vec<Rule>) {
        if table == self.root {
            ways.push(rule);
            return;
        }
        for edge in self.cascades_from(table) {
            let on_parent = exists(table, &edge.key.columns, &edge.key.target, rule.clone());
            self.seen_from_root(&edge.key.references, on_parent, ways);
        }
    }

    /// Whether what a slice does to dependants can change whether other rows satisfy the rule, or are restricted.
    #[must_use]
    pub fn disturbs(&self, rule: &Rule) -> bool {
        let mut disturbs = false;
        rule.visit_columns(&self.root, &mut |table, column, _| {
            disturbs |=
                table != self.root && self.deleted().any(|deleted| deleted == table) || self.unsets(table, column);
        });
        // A table on the way from the root to what restricts it matters only where its rows have several owners.
        self.restricted().visit_columns(&self.root, &mut |table, column, _| {
            let shared = self.has_several_paths(table) || self.restricts(table);
            disturbs |= shared && self.deleted().any(|deleted| deleted == table) || self.unsets(table, column);
        });
        disturbs
    }

    fn restricts(&self, table: &str) -> bool {
        self.edges.iter().any(|edge| edge.action == Action::Restrict && edge.table == table)
    }

    fn unsets(&self, table: &str, column: &str) -> bool {
        self.order.iter().any(|change| match change {
            Change::Unset { edge, .. } => edge.table == table && edge.key.columns.iter().any(|name| name == column),
            Change::Delete { .. } => false,
        })
    }
}

/// What the database itself declares, as an action.
#[must_use]
pub fn declared(key: &ForeignKey) -> Option<Action> {
    match key.declared {
        Declared::NoAction => None,
        Declared::Restrict => Some(Action::Restrict),
        Declared::Cascade => Some(Action::Cascade),
        Declared::SetNull => Some(Action::SetNull),
        Declared::SetDefault => Some(Action::SetDefault),
        // What it does cannot be said; a removal that comes upon it is refused unless the settings say to cascade.
        Declared::SetSome => Some(Action::SetNull),
    }
}

/// Children before their parents; among those that are ready, first the one whose references are let go least often.
fn order(tables: &[String], edges: &[Edge]) -> Result<Vec<Change>, Error> {
    let mut waiting: Vec<&str> = tables.iter().map(String::as_str).collect();
    let mut changes = Vec::new();
    while !waiting.is_empty() {
        let pointing_at = |table: &str, cascades: bool| {
            edges
                .iter()
                .filter(|edge| edge.key.references == table && waiting.contains(&edge.table.as_str()))
                .filter(|edge| match edge.action {
                    Action::Cascade => cascades,
                    Action::SetNull | Action::SetDefault => !cascades && edge.table != table,
                    Action::Restrict => false,
                })
                .count()
        };
        let ready = waiting.iter().copied().filter(|table| pointing_at(table, true) == 0);
        let Some(table) = ready.min_by_key(|table| (pointing_at(table, false), *table)) else {
            return Err(Error::CascadeCycle { path: cycle(&waiting, edges) });
        };
        for edge in edges.iter().filter(|edge| edge.key.references == table) {
            if matches!(edge.action, Action::SetNull | Action::SetDefault) {
                let before_own_delete = waiting.contains(&edge.table.as_str());
                changes.push(Change::Unset { edge: edge.clone(), before_own_delete });
            }
        }
        changes.push(Change::Delete { table: table.to_owned() });
        waiting.retain(|waiting| *waiting != table);
    }
    Ok(changes)
}

/// The keys of a cycle among the tables that wait for each other.
fn cycle(waiting: &[&str], edges: &[Edge]) -> String {
    let mut path: Vec<ColumnName> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    // Every waiting table has a waiting child, so going from child to child must come round.
    let mut table = waiting.iter().copied().find(|table| child_of(table, waiting, edges).is_some()).unwrap_or_default();
    while let Some(edge) = child_of(table, waiting, edges) {
        if let Some(begin) = seen.iter().position(|seen| *seen == table) {
            path.drain(..begin);
            break;
        }
        seen.push(table);
        path.push(edge.key.name_in(&edge.table));
        table = &edge.table;
    }
    path.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn child_of<'a>(table: &str, waiting: &[&str], edges: &'a [Edge]) -> Option<&'a Edge> {
    edges.iter().find(|edge| {
        edge.action == Action::Cascade && edge.key.references == table && waiting.contains(&edge.table.as_str())
    })
}
