//! Random rows that conform to the schema, and the two forms in which the readings get them: records and tables.

use super::moments::{MOMENTS, Moment};
use super::tables::{Column, Kind, TABLES};
use idp_janitor::error::Error;
use idp_janitor::rule::eval::{Key, Record, Relations};
use idp_janitor::value::Value;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, params_from_iter};

/// Few enough that rows meet; so large that a float would make two of them one.
const IDS: [i64; 8] =
    [0, 1, -1, 9_007_199_254_740_991, 9_007_199_254_740_992, 9_007_199_254_740_993, i64::MAX, i64::MIN];

/// Some of digits alone, which must not be taken for numbers, and two that differ in case alone.
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

/// Rows of every table, with keys that are unique.
pub fn rows() -> impl Strategy<Value = Rows> {
    TABLES.iter().map(table).collect::<Vec<_>>()
}

fn table(table: &'static super::tables::Table) -> BoxedStrategy<Vec<Vec<Cell>>> {
    let keys = match table.columns[0].kind {
        Kind::Id => subsequence(IDS.map(Cell::Id).to_vec(), 0..=6).boxed(),
        _ => subsequence(UUIDS.map(Cell::Uuid).to_vec(), 0..=6).boxed(),
    };
    keys.prop_flat_map(|keys| {
        let rows = keys.into_iter().map(|key| {
            let rest = table.columns[1..].iter().map(cell).collect::<Vec<_>>();
            rest.prop_map(move |rest| std::iter::once(key).chain(rest).collect())
        });
        rows.collect::<Vec<_>>()
    })
    .boxed()
}

fn cell(column: &Column) -> BoxedStrategy<Cell> {
    let some = match column.kind {
        Kind::Id => select(IDS.as_slice()).prop_map(Cell::Id).boxed(),
        Kind::Uuid => select(UUIDS.as_slice()).prop_map(Cell::Uuid).boxed(),
        Kind::Instant => select(MOMENTS.as_slice()).prop_map(Cell::Instant).boxed(),
        Kind::Truth => any::<bool>().prop_map(Cell::Truth).boxed(),
    };
    if column.nullable { prop_oneof![2 => Just(Cell::Null), 3 => some].boxed() } else { some }
}

impl Cell {
    fn stored(self) -> Stored {
        match self {
            Self::Null => Stored::Null,
            Self::Id(id) => Stored::Integer(id),
            Self::Uuid(uuid) => Stored::Text(uuid.to_owned()),
            Self::Instant(moment) => Stored::Text(moment.django.to_owned()),
            Self::Truth(truth) => Stored::Integer(i64::from(truth)),
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
pub fn store(conn: &Connection, rows: &Rows) {
    conn.execute_batch("BEGIN").unwrap();
    for (table, rows) in TABLES.iter().zip(rows) {
        conn.execute(&format!("DELETE FROM \"{}\"", table.name), []).unwrap();
        let places = vec!["?"; table.columns.len()].join(", ");
        let mut insert = conn.prepare_cached(&format!("INSERT INTO \"{}\" VALUES ({places})", table.name)).unwrap();
        for row in rows {
            insert.execute(params_from_iter(row.iter().map(|cell| cell.stored()))).unwrap();
        }
    }
    conn.execute_batch("COMMIT").unwrap();
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

/// A key as the database writes it.
pub fn key_text(cell: Cell) -> String {
    match cell {
        Cell::Id(id) => id.to_string(),
        Cell::Uuid(uuid) => uuid.to_owned(),
        other => panic!("no key: {other:?}"),
    }
}
