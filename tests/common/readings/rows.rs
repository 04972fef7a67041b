//! Random rows that conform to the schema, and the two forms in which the readings get them: records and tables.

use super::moments::{MOMENTS, Moment};
use super::tables::{Column, Kind, TABLES};
use crate::common::engine::Engine;
use idp_janitor::error::Error;
use idp_janitor::rule::Rule;
use idp_janitor::rule::eval::{Key, Record, Relations, satisfies};
use idp_janitor::value::Value;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::BTreeSet;

/// Few enough that rows meet; so large that a float would make two of them one.
const IDS: [i64; 8] =
    [0, 1, -1, 9_007_199_254_740_991, 9_007_199_254_740_992, 9_007_199_254_740_993, i64::MAX, i64::MIN];

/// Some of digits alone, which must not be taken for numbers, and two that differ in case alone, which only to SQLite are two.
const UUIDS: [&str; 6] = [
    "00000000000000000000000000000001",
    "10000000000000000000000000000000",
    "00000000000009007199254740993000",
    "0e000000000000000000000000000000",
    "abcdefabcdefabcdefabcdefabcdefab",
    "ABCDEFABCDEFABCDEFABCDEFABCDEFAB",
];

/// A value of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    Null,
    Id(i64),
    Uuid(&'static str),
    Instant(Moment),
    Truth(bool),
}

/// The rows of each of the [`TABLES`].
pub type Rows = Vec<Vec<Vec<Cell>>>;

/// Rows of every table, with keys that are unique on that product.
pub fn rows(product: &str) -> impl Strategy<Value = Rows> + use<> {
    let uuids = if product == "sqlite" { UUIDS.as_slice() } else { &UUIDS[..5] };
    TABLES.iter().map(|of| table(of, uuids)).collect::<Vec<_>>()
}

fn table(table: &'static super::tables::Table, uuids: &'static [&'static str]) -> BoxedStrategy<Vec<Vec<Cell>>> {
    let keys = match table.columns[0].kind {
        Kind::Id => subsequence(IDS.map(Cell::Id).to_vec(), 0..=6).boxed(),
        _ => subsequence(uuids.iter().map(|uuid| Cell::Uuid(uuid)).collect::<Vec<_>>(), 0..=uuids.len()).boxed(),
    };
    keys.prop_flat_map(move |keys| {
        let rows = keys.into_iter().map(|key| {
            let rest = table.columns[1..].iter().map(|column| cell(column, uuids)).collect::<Vec<_>>();
            rest.prop_map(move |rest| std::iter::once(key).chain(rest).collect())
        });
        rows.collect::<Vec<_>>()
    })
    .boxed()
}

fn cell(column: &Column, uuids: &'static [&'static str]) -> BoxedStrategy<Cell> {
    let some = match column.kind {
        Kind::Id => select(IDS.as_slice()).prop_map(Cell::Id).boxed(),
        Kind::Uuid => select(uuids).prop_map(Cell::Uuid).boxed(),
        Kind::Instant => select(MOMENTS.as_slice()).prop_map(Cell::Instant).boxed(),
        Kind::Truth => any::<bool>().prop_map(Cell::Truth).boxed(),
    };
    if column.nullable { prop_oneof![2 => Just(Cell::Null), 3 => some].boxed() } else { some }
}

impl Cell {
    /// As text in a statement, which the column's type reads.
    fn literal(self, product: &str) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Id(id) => format!("'{id}'"),
            Self::Uuid(uuid) => format!("'{uuid}'"),
            Self::Instant(moment) if product == "postgres" => format!("'{}+00'", moment.django),
            Self::Instant(moment) => format!("'{}'", moment.django),
            Self::Truth(truth) => format!("'{}'", u8::from(truth)),
        }
    }

    /// As a database's driver gives it, or as a record of a host has it.
    fn value(self, as_stored: bool) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Id(id) if as_stored => Value::Int(id),
            Self::Id(id) => Value::Text(id.to_string()),
            Self::Uuid(uuid) => Value::Text(uuid.to_owned()),
            Self::Instant(moment) => Value::Text(if as_stored { moment.django } else { moment.rfc3339 }.to_owned()),
            Self::Truth(truth) if as_stored => Value::Int(i64::from(truth)),
            Self::Truth(truth) => Value::Bool(truth),
        }
    }
}

/// Puts the rows in the place of whatever the tables hold.
pub fn store(engine: &impl Engine, rows: &Rows) {
    let mut statements = vec!["BEGIN".to_owned()];
    for (table, rows) in TABLES.iter().zip(rows) {
        let name = engine.dialect().quote(table.name);
        statements.push(format!("DELETE FROM {name}"));
        let row = |row: &Vec<Cell>| {
            let cells: Vec<String> = row.iter().map(|cell| cell.literal(engine.name())).collect();
            format!("({})", cells.join(", "))
        };
        let rows: Vec<String> = rows.iter().map(row).collect();
        if !rows.is_empty() {
            statements.push(format!("INSERT INTO {name} VALUES {}", rows.join(", ")));
        }
    }
    statements.push("COMMIT".to_owned());
    engine.run(&statements.join(";"));
}

/// The key of a table's row as an expression, such that it gives what [`key_text`] does.
pub fn key_expression(engine: &impl Engine, table: usize, alias: &str) -> String {
    let column = &TABLES[table].columns[0];
    let key = engine.as_text(&format!("{alias}{}", engine.dialect().quote(column.name)));
    // A type of uuids writes them with dashes.
    if column.kind == Kind::Uuid { format!("replace({key}, '-', '')") } else { key }
}

/// The keys of the rows that a table holds.
pub fn keys_left(engine: &impl Engine, table: usize) -> BTreeSet<String> {
    let name = engine.dialect().quote(TABLES[table].name);
    let rows = engine.select(&format!("SELECT {} FROM {name}", key_expression(engine, table, "")));
    rows.into_iter().filter_map(|row| row[0].clone()).collect()
}

/// The records of every table, in one of the two forms.
pub fn records(rows: &Rows, as_stored: bool) -> Memory {
    let record = |table: usize, row: &Vec<Cell>| {
        let mut record = Record::default();
        for (column, cell) in TABLES[table].columns.iter().zip(row) {
            record.insert(column.name, cell.value(as_stored));
        }
        record
    };
    Memory(rows.iter().enumerate().map(|(at, rows)| rows.iter().map(|row| record(at, row)).collect()).collect())
}

/// Records by table, related by looking at every one of them.
pub struct Memory(pub Vec<Vec<Record>>);

impl Relations for Memory {
    fn matching(&self, table: &str, columns: &[String], keys: &[Key]) -> Result<Vec<&Record>, Error> {
        let at = TABLES.iter().position(|known| known.name == table).unwrap();
        let equal = |record: &&Record| {
            columns.iter().zip(keys).all(|(column, key)| match record.get(column).unwrap() {
                Value::Int(number) => number.to_string() == *key,
                Value::Text(text) => text == key,
                _ => false,
            })
        };
        Ok(self.0[at].iter().filter(equal).collect())
    }
}

/// The keys of the rows whose records satisfy a rule.
pub fn satisfying(
    rows: &Rows,
    records: &Memory,
    rule: &Rule,
    table: usize,
    relations: &impl Relations,
) -> BTreeSet<String> {
    let pairs = rows[table].iter().zip(&records.0[table]);
    let stale = pairs.filter(|(_, record)| satisfies(rule, TABLES[table].name, record, relations).unwrap());
    stale.map(|(row, _)| key_text(row[0])).collect()
}

/// A key as text.
fn key_text(cell: Cell) -> String {
    match cell {
        Cell::Id(id) => id.to_string(),
        Cell::Uuid(uuid) => uuid.to_owned(),
        other => panic!("no key: {other:?}"),
    }
}
