//! What a database holds, to be compared.

use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::BTreeMap;

/// The rows of every table, each table sorted.
pub type Dump = BTreeMap<String, Vec<Vec<String>>>;

/// Everything that is in the database.
pub fn dump(conn: &Connection) -> Dump {
    let mut tables =
        conn.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'").unwrap();
    let names: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    names.into_iter().map(|name| (name.clone(), rows(conn, &name))).collect()
}

/// The rows of a table, sorted.
pub fn rows(conn: &Connection, table: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = select(conn, &format!("SELECT * FROM {}", quoted(table)))
        .into_iter()
        .map(|row| row.iter().map(|cell| format!("{cell:?}")).collect())
        .collect();
    rows.sort();
    rows
}

/// The rows of a query.
pub fn select(conn: &Connection, sql: &str) -> Vec<Vec<Value>> {
    let mut statement = conn.prepare(sql).unwrap();
    let width = statement.column_count();
    let rows = statement.query_map([], |row| (0..width).map(|at| row.get(at)).collect()).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The one number of a query.
pub fn number(conn: &Connection, sql: &str) -> i64 {
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// How many rows each table has lost between two dumps; tables that lost none are left out, as in a report.
pub fn lost(before: &Dump, after: &Dump) -> BTreeMap<String, u64> {
    let lost = before.iter().map(|(table, rows)| (table.clone(), (rows.len() - after[table].len()) as u64));
    lost.filter(|(_, rows)| *rows > 0).collect()
}

/// A name as it stands in a statement.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Fails unless every foreign key of the database points at something.
pub fn assert_no_dangling_keys(conn: &Connection) {
    assert_eq!(select(conn, "PRAGMA foreign_key_check"), Vec::<Vec<Value>>::new());
}
