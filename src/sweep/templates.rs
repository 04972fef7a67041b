//! The statements of a sweep. Every one that removes or unsets repeats the rule over its slice.

use crate::cascade::{Action, Cascade, Change, Edge};
use crate::dialect::{Dialect, Search};
use crate::effect::Statement;
use crate::rule::sql::{Slot, Sql, Template};
use crate::rule::{Rule, Span, Use, all, exists, not};
use crate::schema::{Declared, ForeignKey, Schema};

/// The statements of a sweep, their slice still open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Templates {
    /// Begins the walk.
    pub open: Template,
    /// Finds what is stale in a window.
    pub find: Template,
    /// One slice, in order.
    pub slice: Vec<SliceStatement>,
    /// Counts what a slice would do to dependants, one column an entry of `counted`; none where there are none.
    pub count: Option<Template>,
    /// What `count` counts: what would be done, and the table that it would be done to.
    pub counted: Vec<(Purpose, String)>,
}

/// A statement of a slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceStatement {
    /// What it does.
    pub purpose: Purpose,
    /// The table that it does it to.
    pub table: String,
    /// The statement.
    pub template: Template,
}

/// What a statement of a slice does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Removes rows.
    Delete,
    /// Sets columns to NULL.
    SetNull,
    /// Sets columns to their default.
    SetDefault,
}

impl Purpose {
    /// As a plan names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::SetNull => "set null",
            Self::SetDefault => "set default",
        }
    }
}

/// What the open places of a template are filled with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filling {
    /// Where the slice begins.
    pub from: String,
    /// Where it ends.
    pub upto: String,
    /// How many rows to walk at most.
    pub window: u64,
    /// How many stale rows to take at most.
    pub take: u64,
}

impl Template {
    /// The statement with its open places filled.
    #[must_use]
    pub fn fill(&self, filling: &Filling) -> Statement {
        let params = self
            .slots
            .iter()
            .map(|slot| match slot {
                Slot::Fixed(text) => text.clone(),
                Slot::From => filling.from.clone(),
                Slot::Upto => filling.upto.clone(),
                Slot::Window => filling.window.to_string(),
                Slot::Take => filling.take.to_string(),
            })
            .collect();
        Statement { sql: self.text.clone(), params }
    }
}

/// A removal whose statements are to be written.
pub struct Writer<'a> {
    /// The SQL to write.
    pub dialect: &'a dyn Dialect,
    /// What the database declares.
    pub schema: &'a Schema,
    /// What goes along.
    pub cascade: &'a Cascade,
    /// What is stale.
    pub stale: &'a Rule,
    /// What of it must be kept all the same.
    pub restricted: &'a Rule,
}

/// What goes from the root: stale, and held by nothing.
#[must_use]
pub fn removable(stale: &Rule, restricted: &Rule) -> Rule {
    match restricted {
        Rule::Any(ways) if ways.is_empty() => stale.clone(),
        restricted => all([stale.clone(), not(restricted.clone())]),
    }
}

impl Writer<'_> {
    /// All statements. `gone_before` gives, by table, the rows that earlier sweeps of a dry run would have taken.
    #[must_use]
    pub fn write(&self, gone_before: &impl Fn(&str) -> Option<Rule>) -> Templates {
        let mut instants: Vec<String> = Vec::new();
        self.stale.visit_columns(&self.cascade.root, &mut |table, column, usage| {
            if table == self.cascade.root && usage == Use::Instant && !instants.iter().any(|known| known == column) {
                instants.push(column.to_owned());
            }
        });
        let dependants: Vec<&Change> = self.cascade.order.iter().filter(|change| !self.is_own(change)).collect();
        Templates {
            open: self.dialect.open(&self.cascade.root),
            find: self.dialect.find(
                &self.cascade.root,
                &Search { stale: self.stale, restricted: self.restricted, instants: &instants },
            ),
            slice: self.cascade.order.iter().map(|change| self.change(change)).collect(),
            count: (!dependants.is_empty()).then(|| self.count(&dependants, gone_before)),
            counted: dependants
                .iter()
                .map(|change| purpose(change))
                .map(|(purpose, table)| (purpose, table.clone()))
                .collect(),
        }
    }

    /// Whether it is the removal from the root itself, which the find counts.
    fn is_own(&self, change: &Change) -> bool {
        matches!(change, Change::Delete { table } if *table == self.cascade.root)
    }

    fn removable(&self) -> Rule {
        removable(self.stale, self.restricted)
    }

    fn change(&self, change: &Change) -> SliceStatement {
        let mut sql = Sql::new(self.dialect);
        let (purpose, name) = purpose(change);
        match change {
            Change::Delete { table } => {
                if *table == self.cascade.root {
                    sql.push("DELETE FROM ").table(table).push(" AS t WHERE ");
                    sql.condition(&all([Rule::Within(Span::Slice), self.removable()]), table, "t");
                } else {
                    let edges: Vec<&Edge> = self.cascade.cascades_from(table).collect();
                    self.doomed_sets(&mut sql, &edges);
                    sql.push("DELETE FROM ").table(table).push(" AS t WHERE ");
                    self.points_at_doomed(&mut sql, &edges);
                }
            }
            Change::Unset { edge, before_own_delete } => {
                self.doomed_sets(&mut sql, &[edge]);
                sql.push("UPDATE ").table(&edge.table).push(" AS t SET ");
                sql.joined(&edge.key.columns, ", ", |sql, column| {
                    let default = (purpose == Purpose::SetDefault).then(|| self.default(&edge.table, column)).flatten();
                    sql.name(column).push(" = ").push(default.unwrap_or("NULL"));
                });
                sql.push(" WHERE ");
                self.points_at_doomed(&mut sql, &[edge]);
                if *before_own_delete && let Some(doomed) = self.need_not_let_go(edge, true) {
                    sql.push(" AND ").condition(&not(doomed), &edge.table, "t");
                }
            }
        }
        SliceStatement { purpose, table: name.clone(), template: sql.finish() }
    }

    fn default(&self, table: &str, column: &str) -> Option<&str> {
        self.schema.column(table, column).ok()?.default.as_deref()
    }

    /// Adds, as common table expressions, the rows that go from the tables that these edges lead to.
    fn doomed_sets(&self, sql: &mut Sql, edges: &[&Edge]) {
        let mut needed: Vec<&str> = Vec::new();
        for edge in edges {
            self.need(&edge.key.references, &mut needed);
        }
        for (at, table) in needed.iter().enumerate() {
            sql.push(if at == 0 { "WITH " } else { ", " });
            sql.name(&doomed_name(table)).push(" AS MATERIALIZED (SELECT ");
            sql.columns("t", &self.targets(table)).push(" FROM ").table(table).push(" AS t WHERE ");
            if *table == self.cascade.root {
                sql.condition(&all([Rule::Within(Span::Slice), self.removable()]), table, "t");
            } else {
                let edges: Vec<&Edge> = self.cascade.cascades_from(table).collect();
                self.points_at_doomed(sql, &edges);
            }
            sql.push(")");
        }
        if !needed.is_empty() {
            sql.push(" ");
        }
    }

    /// A table after all those that its rows go along with.
    fn need<'s>(&'s self, table: &'s str, needed: &mut Vec<&'s str>) {
        if needed.contains(&table) {
            return;
        }
        for edge in self.cascade.cascades_from(table) {
            self.need(&edge.key.references, needed);
        }
        needed.push(table);
    }

    /// The columns of a table that others point at.
    fn targets(&self, table: &str) -> Vec<String> {
        let mut columns: Vec<String> = Vec::new();
        for edge in self.cascade.edges.iter().filter(|edge| edge.key.references == table) {
            for column in &edge.key.target {
                if !columns.contains(column) {
                    columns.push(column.clone());
                }
            }
        }
        columns
    }

    /// Adds the condition that the row `t` points at a row that goes.
    fn points_at_doomed(&self, sql: &mut Sql, edges: &[&Edge]) {
        sql.push("(").joined(edges, " OR ", |sql, edge| {
            sql.dialect.foreign_key(sql, "t", &edge.key.columns, self.schema.tables.get(&edge.table));
            sql.push(" IN (SELECT ");
            sql.joined(&edge.key.target, ", ", |sql, column| {
                sql.name(column);
            });
            sql.push(" FROM ").name(&doomed_name(&edge.key.references)).push(")");
        });
        sql.push(")");
    }

    /// The number of rows that a slice would take from each table, and of those that would let go by each key, without what
    /// earlier slices and sweeps have done.
    fn count(&self, changes: &[&Change], gone_before: &impl Fn(&str) -> Option<Rule>) -> Template {
        let mut sql = Sql::new(self.dialect);
        let edges: Vec<&Edge> = changes.iter().flat_map(|change| self.edges_of(change)).collect();
        self.doomed_sets(&mut sql, &edges);
        sql.push("SELECT ").joined(changes, ", ", |sql, change| {
            let edges = self.edges_of(change);
            let (_, table) = purpose(change);
            sql.push("(SELECT count(*) FROM ").table(table).push(" AS t WHERE ");
            self.points_at_doomed(sql, &edges);
            for gone in self.done_before(change, gone_before) {
                sql.push(" AND ").condition(&not(gone), table, "t");
            }
            sql.push(")");
        });
        sql.finish()
    }

    /// The keys by which rows go along, or the one by which they let go.
    fn edges_of<'c>(&'c self, change: &'c Change) -> Vec<&'c Edge> {
        match change {
            Change::Delete { table } => self.cascade.cascades_from(table).collect(),
            Change::Unset { edge, .. } => vec![edge],
        }
    }

    /// The rules by which a change finds a row no more, because something before it in the whole pass took care of it.
    fn done_before(&self, change: &Change, gone_before: &impl Fn(&str) -> Option<Rule>) -> Vec<Rule> {
        match change {
            Change::Delete { table } => self.gone_earlier(table, gone_before),
            Change::Unset { edge, before_own_delete } => {
                let ForeignKey { references, target, columns, .. } = &edge.key;
                let mut rules = Vec::new();
                // What it points at went before, and it let go then. Of the root, the rule itself says so.
                if *references != self.cascade.root {
                    for gone in self.gone_earlier(references, gone_before) {
                        rules.push(exists(references, target, columns, gone));
                    }
                }
                rules.extend(self.cascade.doomed(&edge.table, &self.removable(), Some(Span::Passed)));
                rules.extend(gone_before(&edge.table));
                rules.extend(self.need_not_let_go(edge, *before_own_delete));
                rules
            }
        }
    }

    /// The rows of a table of dependants that earlier slices and sweeps have taken, as far as a slice can still meet them.
    fn gone_earlier(&self, table: &str, gone_before: &impl Fn(&str) -> Option<Rule>) -> Vec<Rule> {
        let mut rules: Vec<Rule> = gone_before(table).into_iter().collect();
        if self.cascade.has_several_paths(table) {
            rules.extend(self.cascade.doomed(table, &self.removable(), Some(Span::Passed)));
        }
        rules
    }

    /// The rows that do not let go because they go themselves in the same slice: they have gone already, or need not let go
    /// first, unless the database would act on them by itself.
    fn need_not_let_go(&self, edge: &Edge, before_own_delete: bool) -> Option<Rule> {
        let lets_go = before_own_delete && edge.key.declared != Declared::NoAction;
        if lets_go { None } else { self.cascade.doomed(&edge.table, &self.removable(), Some(Span::Slice)) }
    }
}

/// What a change does, and the table that it does it to.
fn purpose(change: &Change) -> (Purpose, &String) {
    match change {
        Change::Delete { table } => (Purpose::Delete, table),
        Change::Unset { edge, .. } if edge.action == Action::SetDefault => (Purpose::SetDefault, &edge.table),
        Change::Unset { edge, .. } => (Purpose::SetNull, &edge.table),
    }
}

fn doomed_name(table: &str) -> String {
    format!("idp_janitor_doomed_{table}")
}
