//! A real SQLite in memory, spoken to as the adapter of `node:sqlite` does.

use super::engine::{Engine, StoreError};
use idp_janitor::effect::{Cell, Failure, Ran, Rows, Statement};
use idp_janitor::value::Value;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, ErrorCode, params_from_iter};

impl Engine for Connection {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn run(&self, sql: &str) {
        self.execute_batch(sql).unwrap();
    }

    fn query(&self, statement: &Statement) -> Result<Rows, StoreError> {
        rows(self, statement).map_err(failed)
    }

    fn batch(&self, statements: &[Statement]) -> Result<Vec<Ran>, StoreError> {
        self.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        let ran: rusqlite::Result<Vec<Ran>> = statements.iter().map(|statement| ran(self, statement)).collect();
        let done = ran.and_then(|ran| self.execute_batch("COMMIT").map(|()| ran));
        if done.is_err() {
            self.execute_batch("ROLLBACK").map_err(failed)?;
        }
        done.map_err(failed)
    }
}

fn failed(error: Error) -> StoreError {
    let failure = match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => Failure::Constraint,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Failure::Locked,
        _ => Failure::Other,
    };
    StoreError { failure, message: error.to_string() }
}

/// Without the changes of triggers and foreign-key actions; and not an earlier statement's where this one, a pragma
/// say, changes nothing.
fn ran(conn: &Connection, statement: &Statement) -> rusqlite::Result<Ran> {
    let before = conn.total_changes();
    let rows = rows(conn, statement)?;
    Ok(Ran { rows, changes: if conn.total_changes() == before { 0 } else { conn.changes() } })
}

fn rows(conn: &Connection, statement: &Statement) -> rusqlite::Result<Rows> {
    let mut prepared = conn.prepare_cached(&statement.sql)?;
    let width = prepared.column_count();
    let mut rows = prepared.query(params_from_iter(&statement.params))?;
    let mut all = Rows::new();
    while let Some(row) = rows.next()? {
        all.push((0..width).map(|at| row.get_ref(at).map(cell)).collect::<rusqlite::Result<_>>()?);
    }
    Ok(all)
}

fn cell(value: ValueRef<'_>) -> Cell {
    Cell(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(_) => Value::Other,
    })
}
