//! The ledger: what a slice has done, written down by the slice itself, so that it is true whatever becomes of the answer.

use super::{Purpose, Slice, SliceStatement, Tally, Told, Writer};
use crate::rule::sql::{Slot, Sql};

/// The table of ledgers, which is made by whoever begins one.
const TABLE: &str = "idp_janitor_ledger";
/// Its columns.
const COLUMNS: &str = "(run, purpose, tbl, counted)";

impl Writer<'_> {
    /// The slice, with a statement behind each that is counted which writes the count down for a run.
    pub(super) fn with_ledger(&self, run: &str, slice: Slice) -> Slice {
        let (last_changes, from_nothing) = self.dialect.last_changes();
        let mut places = Vec::new();
        let mut statements: Vec<SliceStatement> = Vec::new();
        for (at, statement) in slice.statements.into_iter().enumerate() {
            places.push(statements.len());
            let counted = |tally: &&Tally| matches!(tally.told, Told::Changes { statement } if statement == at);
            let tally = slice.tallies.iter().find(counted);
            let table = statement.table.clone();
            statements.push(statement);
            if let Some(tally) = tally {
                let mut sql = self.sql();
                sql.push("INSERT INTO ").push(&self.dialect.table(TABLE)).push(&format!(" {COLUMNS} SELECT "));
                entry(&mut sql, run, tally.purpose, &tally.table);
                sql.push(&format!(", {last_changes}{from_nothing} WHERE {last_changes} > 0"));
                statements.push(SliceStatement { purpose: Purpose::Stage, table, template: sql.finish() });
            }
        }
        let moved = |told: Told| match told {
            Told::Changes { statement } => Told::Changes { statement: place(&places, statement) },
            Told::Column { statement, column } => Told::Column { statement: place(&places, statement), column },
        };
        let tallies = slice.tallies.into_iter().map(|tally| Tally { told: moved(tally.told), ..tally }).collect();
        Slice { statements, tallies, lease: slice.lease.map(moved), ..slice }
    }

    /// The same as a part of a statement that does it all, given what the counts are called there.
    pub(super) fn ledger_part(sql: &mut Sql, run: &str, counts: &[(Purpose, &str, String)]) {
        sql.push(&format!(", idp_janitor_written AS (INSERT INTO {TABLE} {COLUMNS} SELECT w.* FROM (VALUES "));
        sql.joined(counts, ", ", |sql, (purpose, table, count)| {
            sql.push("(");
            entry(sql, run, *purpose, table);
            sql.push(", ").push(count).push(")");
        });
        sql.push(&format!(") AS w {COLUMNS} WHERE w.counted > 0)"));
    }
}

fn entry(sql: &mut Sql, run: &str, purpose: Purpose, table: &str) {
    sql.slot(Slot::Text(run.to_owned())).push(", ").slot(Slot::Text(purpose.name().to_owned()));
    sql.push(", ").slot(Slot::Text(table.to_owned()));
}

fn place(places: &[usize], statement: usize) -> usize {
    places.get(statement).copied().unwrap_or(statement)
}
