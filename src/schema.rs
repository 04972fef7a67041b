//! Tables, columns and foreign keys, as read from the database.

use crate::digest::Digest;
use crate::error::Error;
use crate::named::Named;
use std::fmt;

/// What a database declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// The tables by name.
    pub tables: Named<Table>,
    /// Whether the connection checks foreign keys.
    pub enforces_keys: bool,
    /// The product and its version.
    pub server: String,
    /// What the role at hand may not do in the database as a whole, of what slices need.
    pub denied: Vec<String>,
    /// Sentences about what may be hidden.
    pub warnings: Vec<String>,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its triggers, which may do what no report of ours can tell.
    pub triggers: Vec<Trigger>,
    /// Whether a column of it may have another collation than the usual one.
    pub collates: bool,
    /// Whether its rows are stored without the row ids that a walk needs.
    pub without_row_ids: bool,
    /// Its name as statements use it, where that is more than the quoted name.
    pub address: String,
    /// The parts that hold its rows, where it is partitioned or inherited from; each is walked by itself.
    pub parts: Vec<Part>,
    /// Whether it is inherited from, and not partitioned: foreign keys are about one table of such a tree alone.
    pub has_heirs: bool,
    /// Its indexes, as far as they are of use to find rows by equality.
    pub indexes: Vec<Index>,
    /// The number of its rows by the engine's own estimate; `None` where there is none.
    pub rows: Option<u64>,
    /// Whether rows of it, or of a part of it, may be hidden from the role at hand.
    pub hides_rows: bool,
    /// What the role at hand may not do to it, of `SELECT`, `UPDATE` and `DELETE`.
    pub denied: Vec<String>,
}

/// An index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    /// Its name, where statements prescribe it.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<String>,
}

/// A part of a table that holds rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// What the database knows it by.
    pub id: String,
    /// Its name as statements use it.
    pub address: String,
}

/// A trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// Whether it can keep a row from being removed without an error.
    pub keeps_rows: bool,
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its declared type, as the database tells it.
    pub kind: String,
    /// Its default, as an SQL expression.
    pub default: Option<String>,
    /// Its place in the primary key, from 1; 0 if it has none.
    pub primary_key: u64,
    /// Whether it can never be NULL.
    pub not_null: bool,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The columns that point.
    pub columns: Vec<String>,
    /// The table that they point at.
    pub references: String,
    /// The columns that they point at.
    pub target: Vec<String>,
    /// What the database itself does when the row that is pointed at goes.
    pub declared: Declared,
    /// Whether it points at one part of that table alone.
    pub of_part: bool,
    /// Whether the database does not check it, though it checks others.
    pub unchecked: bool,
}

/// What a database declares for a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declared {
    /// Nothing: the deletion fails while rows point at it. Django declares this, and deletes by itself.
    NoAction,
    /// The deletion is refused.
    Restrict,
    /// Rows that point at it go too.
    Cascade,
    /// The columns become NULL.
    SetNull,
    /// The columns take their default.
    SetDefault,
    /// Some of the columns become NULL or take their default.
    SetSome,
}

/// A column of a table, written `table.column`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnName {
    /// The table.
    pub table: String,
    /// The column, or several with commas between.
    pub column: String,
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.table, self.column)
    }
}

impl ForeignKey {
    /// The name by which settings and presets speak of the key in a table.
    #[must_use]
    pub fn name_in(&self, table: &str) -> ColumnName {
        ColumnName { table: table.to_owned(), column: self.columns.join(",") }
    }
}

impl Schema {
    /// The table of a name.
    ///
    /// # Errors
    /// [`Error::NotThisSchema`] where there is none.
    pub fn table(&self, name: &str) -> Result<&Table, Error> {
        self.tables.get(name).ok_or_else(|| Error::NotThisSchema { what: format!("there is no table `{name}`") })
    }

    /// The column of a table.
    ///
    /// # Errors
    /// [`Error::NotThisSchema`] where there is no such table, or no such column in it.
    pub fn column(&self, table: &str, name: &str) -> Result<&Column, Error> {
        self.table(table)?
            .columns
            .iter()
            .find(|column| column.name == name)
            .ok_or_else(|| Error::NotThisSchema { what: format!("there is no column `{table}.{name}`") })
    }

    /// The table that a column references, if it is a foreign key.
    #[must_use]
    pub fn referenced_by(&self, table: &str, column: &str) -> Option<&str> {
        let keys = &self.tables.get(table)?.foreign_keys;
        keys.iter().find(|key| key.columns.iter().eq([column])).map(|key| key.references.as_str())
    }

    /// A short text that tells these tables from others: their columns with types, and their foreign keys.
    #[must_use]
    pub fn fingerprint<'a>(&self, tables: impl IntoIterator<Item = &'a str>) -> String {
        let mut digest = Digest::default();
        for name in tables {
            digest.add(name);
            let Some(table) = self.tables.get(name) else { continue };
            for column in &table.columns {
                digest.add(&column.name).add(&column.kind);
            }
            for part in &table.parts {
                digest.add(&part.address);
            }
            for key in &table.foreign_keys {
                digest.add(&key.columns.join(",")).add(&key.references).add(&key.target.join(","));
            }
        }
        digest.finish()
    }

    /// The primary key of a table, its columns in order; empty where it has none.
    #[must_use]
    pub fn primary_key(&self, table: &str) -> Vec<String> {
        let columns = self.tables.get(table).map(|table| table.columns.as_slice()).unwrap_or_default();
        let place = |place: u64| columns.iter().find(|column| column.primary_key == place);
        (1..).map_while(place).map(|column| column.name.clone()).collect()
    }

    /// Whether rows of a table are found by these columns without reading it whole.
    #[must_use]
    pub fn has_index(&self, table: &str, columns: &[String]) -> bool {
        self.index_by(table, columns).is_some()
    }

    /// An index of a table by which rows are found by these columns.
    #[must_use]
    pub fn index_by(&self, table: &str, columns: &[String]) -> Option<&Index> {
        let begins_with = |index: &Index| {
            columns.iter().all(|column| index.columns.iter().take(columns.len()).any(|known| known == column))
        };
        self.tables.get(table)?.indexes.iter().find(|index| begins_with(index))
    }

    /// Every foreign key that points at a table, with the table that it stands in, in the order of names.
    pub fn references_to<'a>(&'a self, table: &'a str) -> impl Iterator<Item = (&'a str, &'a ForeignKey)> {
        self.tables.iter().flat_map(move |(name, child)| {
            child.foreign_keys.iter().filter(move |key| key.references == table).map(move |key| (name, key))
        })
    }
}
