//! Slices of one statement a change, each of which derives the doomed rows anew from the rule: nobody else can write meanwhile.

use super::{Purpose, Slice, SliceStatement, Tally, Told, Writer, purpose};
use crate::cascade::{Change, Edge};
use crate::rule::sql::Sql;
use crate::rule::{Rule, Span, all, not};
use crate::schema::Declared;

impl Writer<'_> {
    /// The slice, its changes in an order that breaks no key at the end.
    pub(super) fn repeated(&self) -> Slice {
        let statements: Vec<SliceStatement> = self.cascade.order.iter().map(|change| self.change(change)).collect();
        let tallies = statements.iter().enumerate().map(|(at, statement)| Tally {
            purpose: statement.purpose,
            table: statement.table.clone(),
            told: Told::Changes { statement: at },
        });
        Slice { tallies: tallies.collect(), statements, ..Slice::default() }
    }

    fn change(&self, change: &Change) -> SliceStatement {
        let mut sql = self.sql();
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

    /// Adds the condition that the row `t` points at a row that goes.
    pub(super) fn points_at_doomed(&self, sql: &mut Sql, edges: &[&Edge]) {
        sql.push("(").joined(edges, " OR ", |sql, edge| {
            self.points_into(sql, edge, &self.doomed_name(&edge.key.references));
        });
        sql.push(")");
    }

    /// The rows that do not let go because they go themselves in the same slice: they have gone already, or need not let go
    /// first, unless the database would act on them by itself.
    pub(super) fn need_not_let_go(&self, edge: &Edge, before_own_delete: bool) -> Option<Rule> {
        let lets_go = before_own_delete && edge.key.declared != Declared::NoAction;
        if lets_go { None } else { self.cascade.doomed(&edge.table, &self.removable(), Some(Span::Slice)) }
    }
}
