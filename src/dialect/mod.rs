//! The one seam between the core and the SQL of a product: how names, instants and truth values are written, how a
//! table is walked, and how the schema is read.

mod sqlite;

pub use sqlite::Sqlite;

use crate::effect::{Cell, Rows};
use crate::error::Error;
use crate::instant::Instant;
use crate::rule::sql::{Sql, Template};
use crate::rule::{Rule, Span};
use crate::schema::{Column, Schema, Table};

/// The SQL of one product.
pub trait Dialect: Sync {
    /// A name, quoted.
    fn quote(&self, name: &str) -> String;

    /// A table's name as statements use it: qualified, so that nothing else of that name is meant.
    fn table(&self, name: &str) -> String;

    /// Adds columns of a table that point at others, so that they compare as foreign keys do.
    fn foreign_key(&self, sql: &mut Sql, alias: &str, columns: &[String], table: Option<&Table>);

    /// Whether values of two columns compare as foreign keys do, as far as their types go.
    fn comparable(&self, child: &Column, target: &Column) -> bool;

    /// The placeholder of the parameter at a position, from 1.
    fn placeholder(&self, position: usize) -> String;

    /// Adds the condition that a column is true.
    fn is_true(&self, sql: &mut Sql, alias: &str, column: &str);

    /// Adds the condition that a column holds a readable instant that compares so.
    fn compare_instant(&self, sql: &mut Sql, alias: &str, column: &str, operator: &str, instant: Instant);

    /// Adds the condition that a column holds something that is no readable instant; `false` where types forbid it.
    fn unreadable_instant(&self, sql: &mut Sql, alias: &str, column: &str);

    /// Whether a column's declared type can hold instants as Django stores them.
    fn holds_instants(&self, column: &Column) -> bool;

    /// Adds the condition that a row lies in a part of its table's walk.
    fn within(&self, sql: &mut Sql, span: Span, table: &str, alias: &str);

    /// Why a table cannot be walked, if so.
    fn walkable(&self, table: &Table) -> Result<(), String>;

    /// The statement that begins a walk: returns one row of the number of rows, the first position and the last.
    fn open(&self, table: &str) -> Template;

    /// The statement that finds what is stale in the next window of a walk; see [`Found`].
    fn find(&self, table: &str, search: &Search) -> Template;

    /// Whether a text is a position.
    fn is_position(&self, text: &str) -> bool;

    /// The position right after one; `None` at the end of all positions.
    fn after(&self, position: &str) -> Option<String>;

    /// The duration that a slice aims at by default, in milliseconds.
    fn slice_ms(&self) -> f64;

    /// Statements to run first in every atomic unit.
    fn prelude(&self) -> &'static [&'static str];

    /// The statements that read the schema.
    fn schema_queries(&self) -> &'static [&'static str];

    /// The schema out of their results, in order.
    ///
    /// # Errors
    /// [`Error::UnexpectedAnswer`] where the results are not of the statements' shape.
    fn schema(&self, results: &[Rows]) -> Result<Schema, Error>;
}

/// What to look for in a table.
pub struct Search<'a> {
    /// What is stale.
    pub stale: &'a Rule,
    /// What of it must be kept all the same.
    pub restricted: &'a Rule,
    /// The columns that the rule reads as instants.
    pub instants: &'a [String],
}

/// What a find statement returns, in the order of its columns, about the window up to the last row that may be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Rows walked.
    pub walked: u64,
    /// The position of the last of them; `None` where nothing was left to walk.
    pub upto: Option<String>,
    /// Stale rows, restricted ones included.
    pub stale: u64,
    /// Stale rows that must be kept.
    pub restricted: u64,
    /// Rows with an instant that cannot be read, which are kept.
    pub unreadable: u64,
}

impl Found {
    /// Stale rows that may go.
    #[must_use]
    pub fn removable(&self) -> u64 {
        self.stale.saturating_sub(self.restricted)
    }

    /// Reads the one row of a find statement.
    ///
    /// # Errors
    /// [`Error::UnexpectedAnswer`] where it has another shape.
    pub fn read(rows: &Rows) -> Result<Self, Error> {
        match rows.as_slice() {
            [row] => match row.as_slice() {
                [walked, upto, stale, restricted, unreadable] => Ok(Self {
                    walked: walked.count()?,
                    upto: upto.text(),
                    stale: stale.count()?,
                    restricted: restricted.count()?,
                    unreadable: unreadable.count()?,
                }),
                _ => Err(unexpected("the five columns of a find statement")),
            },
            _ => Err(unexpected("the one row of a find statement")),
        }
    }
}

/// The error for an answer of another shape.
#[must_use]
pub fn unexpected(what: &str) -> Error {
    Error::UnexpectedAnswer { what: format!("expected {what}") }
}

/// The dialect of a name in the adapter contract.
///
/// # Errors
/// [`Error::InvalidSetting`] for any other name.
pub fn by_name(name: &str) -> Result<&'static dyn Dialect, Error> {
    match name {
        "sqlite" => Ok(&Sqlite),
        _ => Err(Error::InvalidSetting {
            name: "dialect".into(),
            value: format!("`{name}`"),
            expected: "`sqlite`".into(),
        }),
    }
}

/// The cell as text, for readers of schemas.
fn text(cell: Option<&Cell>) -> Result<String, Error> {
    cell.and_then(Cell::text).ok_or_else(|| unexpected("text"))
}
