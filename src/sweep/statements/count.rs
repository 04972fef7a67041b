//! What a dry run counts, and the sets of doomed rows that it counts by.

use super::{Writer, purpose};
use crate::cascade::{Change, Edge};
use crate::dialect::Slices;
use crate::rule::sql::{Sql, Template, View};
use crate::rule::{Rule, Span, all, exists, not};
use crate::schema::ForeignKey;

impl Writer<'_> {
    /// The number of rows that a slice would take from each table, and of those that would let go by each key, without what
    /// earlier slices and sweeps have done.
    pub(super) fn count(&self, changes: &[&Change], gone_before: &impl Fn(&str) -> Option<Rule>) -> Template {
        let mut sql = self.sql();
        let edges: Vec<&Edge> = changes.iter().flat_map(|change| self.edges_of(change)).collect();
        self.doomed_sets(&mut sql, &edges);
        if self.dialect.slices() == Slices::Repeated && !edges.is_empty() {
            self.name_doomed_rows(&mut sql);
        }
        sql.push("SELECT ").joined(changes, ", ", |sql, change| {
            let edges = self.edges_of(change);
            let (_, table) = purpose(change);
            sql.push("(SELECT count(*) FROM ");
            if self.dialect.slices() == Slices::Staged {
                let key = self.schema.primary_key(table);
                sql.push("(");
                self.pointing_rows(sql, table, &edges, &key, |table| self.doomed_name(table));
                sql.push(") AS u STRAIGHT_JOIN ");
                self.joined_by(sql, table, "t", &key);
                equal(sql, "t", &key, "u", &key);
            } else {
                sql.table(table).push(" AS t WHERE ");
                self.points_at_doomed(sql, &edges);
            }
            for gone in self.done_before(change, gone_before) {
                sql.push(" AND ").condition(&not(gone), table, "t");
            }
            sql.push(")");
        });
        sql.finish()
    }

    /// Names the root's rows that go in this slice, and those that went in earlier ones. Otherwise each look up the foreign keys
    /// would end in the whole rule, and D1 takes no expression that is nested deeper than 100 levels, those of all queries around it
    /// counted.
    fn name_doomed_rows(&self, sql: &mut Sql) {
        let root = self.cascade.root.as_str();
        for (name, span) in [("idp_janitor_passed", Span::Passed), ("idp_janitor_going", Span::Slice)] {
            let Some(rule) = self.cascade.doomed(root, &self.removable(), Some(span)) else { continue };
            sql.push(", ").push(name).push(" AS NOT MATERIALIZED (SELECT ").columns("t", &self.targets(root));
            sql.push(" FROM ").walked(root).push(" AS t WHERE ").condition(&rule, root, "t").push(") ");
            sql.name_rows(View { table: root.to_owned(), rule, name: name.into() });
        }
    }

    /// Adds, as common table expressions, the rows that go from the tables that these edges lead to.
    pub(super) fn doomed_sets(&self, sql: &mut Sql, edges: &[&Edge]) {
        let mut needed: Vec<&str> = Vec::new();
        for edge in edges {
            self.need(&edge.key.references, &mut needed);
        }
        let staged = self.dialect.slices() == Slices::Staged;
        for (at, table) in needed.iter().enumerate() {
            sql.push(if at == 0 { "WITH " } else { ", " });
            sql.push(&self.doomed_name(table)).push(if staged { " AS (" } else { " AS MATERIALIZED (" });
            let mut columns = self.targets(table);
            let edges: Vec<&Edge> = self.cascade.cascades_from(table).collect();
            if *table == self.cascade.root {
                sql.push("SELECT ").columns("t", &columns).push(" FROM ").walked(table).push(" AS t WHERE ");
                sql.condition(&all([Rule::Within(Span::Slice), self.removable()]), table, "t");
            } else if staged {
                columns.extend(
                    self.schema.primary_key(table).into_iter().filter(|key| !self.targets(table).contains(key)),
                );
                self.pointing_rows(sql, table, &edges, &columns, |table| self.doomed_name(table));
            } else {
                sql.push("SELECT ").columns("t", &columns).push(" FROM ").table(table).push(" AS t WHERE ");
                self.points_at_doomed(sql, &edges);
            }
            sql.push(")");
        }
        if !needed.is_empty() {
            sql.push(" ");
        }
    }

    /// Adds the condition that the row `t` points by an edge at a row of a set.
    pub(super) fn points_into(&self, sql: &mut Sql, edge: &Edge, set: &str) {
        let ForeignKey { columns, target, .. } = &edge.key;
        // As a list that is made first, for an index to be gone through by it, whatever the planner thinks how long it is.
        let listed = self.dialect.slices() == Slices::Chained
            && columns.len() == 1
            && self.schema.has_index(&edge.table, columns);
        sql.dialect.foreign_key(sql, "t", columns, self.schema.tables.get(&edge.table));
        sql.push(if listed { " = ANY (ARRAY(SELECT " } else { " IN (SELECT " });
        sql.joined(target, ", ", |sql, column| {
            sql.name(column);
        });
        sql.push(" FROM ").push(set).push(if listed { "))" } else { ")" });
    }

    /// Adds the query of some columns of the rows that point, by any of the edges, at rows of the sets, each row once.
    pub(super) fn pointing_rows(
        &self,
        sql: &mut Sql,
        table: &str,
        edges: &[&Edge],
        columns: &[String],
        set: impl Fn(&str) -> String,
    ) {
        sql.joined(edges, " UNION ", |sql, edge| {
            sql.push("SELECT ").columns("t", columns);
            sql.push(&format!(" FROM {} AS p STRAIGHT_JOIN ", set(&edge.key.references)));
            self.joined_by(sql, table, "t", &edge.key.columns);
            equal(sql, "t", &edge.key.columns, "p", &edge.key.target);
        });
    }

    /// Adds a table that is joined by equal columns, by its index on these if it has one: an engine that takes it for small would
    /// read all of it, and lock what it reads.
    pub(super) fn joined_by(&self, sql: &mut Sql, table: &str, alias: &str, columns: &[String]) {
        sql.table(table).push(&format!(" AS {alias}"));
        if let Some(index) = self.schema.index_by(table, columns) {
            sql.push(" FORCE INDEX (").name(&index.name).push(")");
        }
        sql.push(" ON ");
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
                // The others tell rows that go from rows that stay, and count the latter.
                let repeated = self.dialect.slices() == Slices::Repeated;
                rules.extend(self.need_not_let_go(edge, *before_own_delete && repeated));
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

    /// The name of the set of the rows that go from a table, as a statement writes it.
    pub(super) fn doomed_name(&self, table: &str) -> String {
        match self.dialect.slices() {
            Slices::Repeated => self.dialect.quote(&format!("idp_janitor_doomed_{table}")),
            // These products cut long names off.
            _ => format!("idp_janitor_doomed_{}", self.place_of(table)),
        }
    }
}

/// Adds the condition that columns of two aliases are equal, position by position.
pub(super) fn equal(sql: &mut Sql, left: &str, columns: &[String], right: &str, others: &[String]) {
    let pairs: Vec<_> = columns.iter().zip(others).collect();
    sql.joined(&pairs, " AND ", |sql, (column, other)| {
        sql.column(left, column).push(" = ").column(right, other);
    });
}
