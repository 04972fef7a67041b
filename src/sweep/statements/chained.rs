//! Slices of one statement: the root's rows are locked, those that nobody else holds; what their removal returns says which
//! dependants go, what that returns says which go with these, and so on. So nothing goes whose reason to go has not gone itself.
//!
//! All parts of the statement see one moment of the database. A row that points at one that goes, and was committed between that
//! moment and the lock, is seen by the check of its foreign key alone, which undoes the slice.

use super::{Purpose, Slice, SliceStatement, Tally, Told, Writer, unsetting};
use crate::cascade::{Change, Edge};
use crate::dialect::{Found, Postgres, Search};
use crate::rule::sql::Sql;

/// What a set of rows that went tells of each that may have to be told from others of its table.
const PLACE: &str = "t.tableoid AS idp_janitor_part, t.ctid AS idp_janitor_place";

/// One of the places of the stale rows that the slice takes.
const TAKEN: &str = "ANY (ARRAY(SELECT position FROM idp_janitor_walked WHERE verdict = 1 AND position <= \
    (SELECT position FROM idp_janitor_end)))";

impl<'a> Writer<'a> {
    /// The slice. Its one row tells what was found, whether the lease was held, if that is asked, and then what each part did.
    pub(super) fn chained(&self, search: &Search) -> Slice {
        let lease = self.leased;
        let mut sql = self.sql();
        sql.push("WITH ");
        if let Some((job, held)) = lease {
            sql.push("idp_janitor_lease(held) AS MATERIALIZED (SELECT ");
            held(&mut sql, job);
            sql.push("), ");
        }
        Postgres::look(&mut sql, &self.cascade.root, search);
        self.lock_root(&mut sql, search, lease.is_some());
        let mut counts: Vec<(Purpose, &str, String)> = Vec::new();
        for table in self.parents_first() {
            self.remove(&mut sql, table);
            counts.push((Purpose::Delete, table, format!("(SELECT count(*) FROM {})", self.gone_name(table))));
        }
        for (at, (table, edges)) in self.unset_by_table().into_iter().enumerate() {
            self.unset(&mut sql, at, table, &edges);
            for (column, edge) in edges.iter().enumerate() {
                let count = format!("(SELECT count(*) FROM idp_janitor_unset_{at} WHERE c{column})");
                counts.push((unsetting(edge), table, count));
            }
        }
        if let Some(run) = self.ledger {
            Self::ledger_part(&mut sql, run, &counts);
        }
        sql.push(" SELECT walked, upto, stale, restricted, unreadable, ");
        let told = |column| Told::Column { statement: 0, column };
        if lease.is_some() {
            sql.push("(SELECT held::int::text FROM idp_janitor_lease), ");
        }
        sql.joined(&counts, ", ", |sql, (_, _, count)| {
            sql.push(count).push("::text");
        });
        sql.push(" FROM idp_janitor_found");
        let first = Found::COLUMNS + usize::from(lease.is_some());
        let tallies = counts.into_iter().enumerate().map(|(at, (purpose, table, _))| {
            let table = table.to_owned();
            Tally { purpose, table, told: told(first + at) }
        });
        let tallies = tallies.collect();
        let locked = search.asked.iter().filter(|asked| asked.locks);
        let judged = locked.map(|asked| asked.related.table.clone()).collect();
        let root = self.cascade.root.clone();
        let statement = SliceStatement { purpose: Purpose::Delete, table: root, template: sql.finish() };
        let lease = lease.map(|_| told(Found::COLUMNS));
        Slice { statements: vec![statement], tallies, judged, lease, found: Some(0) }
    }

    /// Of what was found, the rule is asked again of each row as it is when it is locked, and of the rows that it asks about as
    /// they are when these are.
    fn lock_root(&self, sql: &mut Sql, search: &Search, leased: bool) {
        let root = self.cascade.root.as_str();
        sql.push(", ");
        let mut asked = search.asked.to_vec();
        for asked in asked.iter_mut().filter(|asked| asked.locks) {
            asked.set.push_str("_locked");
            Postgres::ask(sql, root, asked, |sql| {
                sql.push("o.ctid = ").push(TAKEN);
            });
            sql.push(" FOR SHARE OF t SKIP LOCKED), ");
        }
        sql.push("idp_janitor_locked AS MATERIALIZED (SELECT t.ctid AS place FROM ").walked(root);
        sql.push(" AS t WHERE t.ctid = ").push(TAKEN).push(" AND ");
        if leased {
            sql.push("(SELECT held FROM idp_janitor_lease) AND ");
        }
        sql.having_asked(&asked, |sql| {
            sql.condition(&self.removable(), root, "t");
        });
        sql.push(" FOR UPDATE OF t SKIP LOCKED)");
    }

    fn remove(&self, sql: &mut Sql, table: &str) {
        sql.push(&format!(", {} AS (DELETE FROM ", self.gone_name(table)));
        if table == self.cascade.root {
            sql.walked(table).push(" AS t WHERE t.ctid = ANY (ARRAY(SELECT place FROM idp_janitor_locked))");
        } else {
            let edges: Vec<&Edge> = self.cascade.cascades_from(table).collect();
            sql.table(table).push(" AS t WHERE ");
            self.points_at_gone(sql, &edges);
        }
        let targets = self.targets(table);
        sql.push(" RETURNING ").columns("t", &targets);
        match (targets.is_empty(), self.lets_go(table)) {
            (true, false) => sql.push("1"),
            (true, true) => sql.push(PLACE),
            (false, true) => sql.push(", ").push(PLACE),
            (false, false) => sql,
        }
        .push(")");
    }

    /// All keys by which rows of a table let go, in one change: one statement cannot change a row twice. Where there are several,
    /// the rows are joined to themselves, to tell afterwards by which they did.
    fn unset(&self, sql: &mut Sql, at: usize, table: &str, edges: &[&Edge]) {
        let joined = edges.len() > 1;
        sql.push(&format!(", idp_janitor_unset_{at} AS (UPDATE ")).table(table);
        sql.push(if joined { " AS o SET " } else { " AS t SET " });
        let mut columns: Vec<&String> = Vec::new();
        for column in edges.iter().flat_map(|edge| &edge.key.columns) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        sql.joined(&columns, ", ", |sql, column| {
            sql.name(column).push(" = ");
            let default = |edge: &Edge| {
                let default = (unsetting(edge) == Purpose::SetDefault).then(|| self.default(table, column)).flatten();
                default.unwrap_or("NULL").to_owned()
            };
            if let ([edge], false) = (edges, joined) {
                sql.push(&default(edge));
                return;
            }
            sql.push("CASE");
            for edge in edges.iter().filter(|edge| edge.key.columns.contains(column)) {
                sql.push(" WHEN ");
                self.points_at_gone(sql, &[edge]);
                sql.push(" THEN ").push(&default(edge));
            }
            sql.push(" ELSE ").column("t", column).push(" END");
        });
        if joined {
            sql.push(" FROM ").table(table).push(" AS t WHERE o.ctid = t.ctid AND o.tableoid = t.tableoid AND ");
        } else {
            sql.push(" WHERE ");
        }
        self.points_at_gone(sql, edges);
        if self.cascade.deleted().any(|deleted| deleted == table) {
            let gone = self.gone_name(table);
            sql.push(&format!(
                " AND (t.tableoid, t.ctid) NOT IN (SELECT idp_janitor_part, idp_janitor_place FROM {gone})"
            ));
        }
        sql.push(" RETURNING ");
        if joined {
            let numbered: Vec<(usize, &&Edge)> = edges.iter().enumerate().collect();
            sql.joined(&numbered, ", ", |sql, (column, edge)| {
                self.points_at_gone(sql, &[edge]);
                sql.push(&format!(" AS c{column}"));
            });
        } else {
            sql.push("true AS c0");
        }
        sql.push(")");
    }

    fn unset_by_table(&self) -> Vec<(&'a str, Vec<&'a Edge>)> {
        let mut tables: Vec<(&str, Vec<&Edge>)> = Vec::new();
        for change in &self.cascade.order {
            let Change::Unset { edge, .. } = change else { continue };
            match tables.iter_mut().find(|(table, _)| *table == edge.table) {
                Some((_, edges)) => edges.push(edge),
                None => tables.push((&edge.table, vec![edge])),
            }
        }
        tables
    }

    fn points_at_gone(&self, sql: &mut Sql, edges: &[&Edge]) {
        sql.push("(").joined(edges, " OR ", |sql, edge| {
            self.points_into(sql, edge, &self.gone_name(&edge.key.references));
        });
        sql.push(")");
    }

    fn gone_name(&self, table: &str) -> String {
        format!("idp_janitor_gone_{}", self.place_of(table))
    }
}
