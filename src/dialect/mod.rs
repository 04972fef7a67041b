//! The one seam between the core and the SQL of a product: how names, instants and truth values are written, how a
//! table is walked, and how the schema is read.

mod mysql;
mod postgres;
mod sqlite;

pub use mysql::MySql;
pub use postgres::Postgres;
pub use sqlite::Sqlite;

use crate::effect::{Cell, Rows};
use crate::error::{Error, unexpected};
use crate::instant::Instant;
use crate::rule::sql::{Asked, Slot, Sql, Template};
use crate::rule::{Rule, Span};
use crate::schema::{Column, Part, Schema, Table};

/// The SQL of one product.
pub trait Dialect: Sync {
    /// A name, quoted.
    fn quote(&self, name: &str) -> String;

    /// A table's name as statements use it, where the schema does not tell its address.
    fn table(&self, name: &str) -> String;

    /// A value as it stands in a statement's text; `None` where it is passed as a parameter, for a `?`.
    fn literal(&self, slot: &Slot, value: &str) -> Option<String>;

    /// Adds columns of a table that point at others, so that they compare as foreign keys do.
    fn foreign_key(&self, sql: &mut Sql, alias: &str, columns: &[String], table: Option<&Table>);

    /// Whether values of two columns compare as foreign keys do, as far as their types go.
    fn comparable(&self, child: &Column, target: &Column) -> bool;

    /// Adds the condition that a column is true.
    fn is_true(&self, sql: &mut Sql, alias: &str, column: &str);

    /// Adds the condition that a column holds a readable instant that compares so.
    fn compare_instant(&self, sql: &mut Sql, alias: &str, column: &str, operator: &str, instant: Instant);

    /// Adds the condition that a column holds something that is no readable instant.
    fn unreadable_instant(&self, sql: &mut Sql, alias: &str, column: &str);

    /// Whether a column's declared type can hold instants as Django stores them.
    fn holds_instants(&self, column: &Column) -> bool;

    /// Whether a column's declared type can hold truth values as Django stores them.
    fn holds_truth(&self, column: &Column) -> bool;

    /// Adds the condition that a row lies in a part of its table's walk.
    fn within(&self, sql: &mut Sql, span: Span, table: &str, alias: &str);

    /// Why a table cannot be walked, if so.
    fn walkable(&self, table: &Table) -> Result<(), String>;

    /// Why rows of a table cannot be removed or unset safely, if so.
    fn changeable(&self, _table: &Table) -> Result<(), String> {
        Ok(())
    }

    /// The statement that begins a walk: returns one row of the number of rows (an estimate will do), the first position
    /// and the last.
    fn open(&self, schema: &Schema, table: &str, part: Option<&Part>) -> Template;

    /// The statement that finds what is stale in the next window of a walk; see [`Found`].
    fn find(&self, schema: &Schema, table: &str, part: Option<&Part>, search: &Search) -> Template;

    /// Where a window of so many rows ends at the latest, the walk ending at `last`.
    fn window_end(&self, from: &str, window: u64, last: &str) -> String;

    /// How many rows a window is reckoned to have that ends there; `None` where windows are counted by rows themselves.
    fn reckoned(&self, _from: &str, _upto: &str) -> Option<u64> {
        None
    }

    /// Whether a text is a position.
    fn is_position(&self, text: &str) -> bool;

    /// The position right after one; `None` at the end of all positions, or where the find tells it.
    fn after(&self, position: &str) -> Option<String>;

    /// The duration that a slice aims at by default, in milliseconds.
    fn slice_ms(&self) -> f64;

    /// How the statements of a slice are made.
    fn slices(&self) -> Slices;

    /// Statements to run first in every atomic unit, which aims at that duration in milliseconds.
    fn prelude(&self, slice_ms: f64) -> Vec<String>;

    /// Statements to run first, in one unit with it, before one that reads a table.
    fn before_reading(&self) -> &'static [&'static str] {
        &[]
    }

    /// Statements to run last in every atomic unit.
    fn epilogue(&self) -> &'static [&'static str];

    /// The lease of a job; `None` where the database has no locks that live as long as a connection.
    fn lease(&self, job: &str) -> Option<Lease>;

    /// The positions of a walk as ranges that have none in common, so many at most; one where positions cannot be reckoned with.
    fn split(&self, first: &str, last: &str, _parts: u32) -> Vec<(String, String)> {
        vec![(first.to_owned(), last.to_owned())]
    }

    /// How a row is the lease of a job; `None` where none can be.
    fn lease_rows(&self) -> Option<LeaseRows> {
        None
    }

    /// How many rows the statement before changed itself, and what stands for a table where there is none; where slices have
    /// several statements.
    fn last_changes(&self) -> (&'static str, &'static str) {
        ("changes()", "")
    }

    /// The statements that read the schema.
    fn schema_queries(&self) -> &'static [&'static str];

    /// The schema out of their results, in order.
    ///
    /// # Errors
    /// [`Error::UnexpectedAnswer`] where the results are not of the statements' shape, [`Error::UnsupportedSchema`] for a version
    /// that is too old.
    fn schema(&self, results: &[Rows]) -> Result<Schema, Error>;

    /// Further statements, for what only an examination asks: indexes, the server's version.
    fn examination_queries(&self) -> &'static [&'static str] {
        &[]
    }

    /// Adds their results to the schema.
    ///
    /// # Errors
    /// [`Error::UnexpectedAnswer`] where the results are not of the statements' shape.
    fn examined(&self, _schema: &mut Schema, _results: &[Rows]) -> Result<(), Error> {
        Ok(())
    }

    /// The statement that adds an index on columns of a table, for a person to run.
    fn create_index(&self, schema: &Schema, table: &str, columns: &[String]) -> String;
}

/// How the statements of a slice are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slices {
    /// One statement a change, each finding the doomed rows anew: for one writer at a time.
    Repeated,
    /// One statement in all, its changes chained by what each returns.
    Chained,
    /// One statement a change, the doomed rows locked and kept in temporary tables meanwhile.
    Staged,
}

impl Slices {
    /// Whether a slice passes over rows that somebody else holds.
    #[must_use]
    pub fn skip_what_is_held(self) -> bool {
        self != Self::Repeated
    }
}

/// A lock that lives as long as its connection.
pub struct Lease {
    /// Takes it, if nobody has it. Returns one row: whether it was taken, what tells this connection, who has it if not.
    pub take: String,
    /// Whether the connection of [`Slot::Lease`] still has it, as a condition.
    pub held: Held,
}

/// The table of leases that are rows; made by the first run that needs it.
pub const LEASES: &str = "idp_janitor_leases";

/// Adds the condition that a lease is still held by what [`Slot::Lease`] tells.
pub type Held = fn(&mut Sql, job: &str);

/// What a lease that is a row is written with.
pub struct LeaseRows {
    /// Statements that come first wherever the row is changed, in one unit with that.
    pub before: &'static [&'static str],
    /// So many seconds from now, as text that sorts as instants do.
    pub instant: fn(seconds: u32) -> String,
    /// Whether the number of [`Slot::Lease`] is the row's still, which then stays so until the slice ends; `None` where each slice
    /// prolongs the lease, which tells as well.
    pub held: Option<Held>,
}

/// What to look for in a table.
pub struct Search<'a> {
    /// What is stale.
    pub stale: &'a Rule,
    /// What of it must be kept all the same.
    pub restricted: &'a Rule,
    /// The columns that the rule reads as instants.
    pub instants: &'a [String],
    /// What of other rows is to be asked for beforehand.
    pub asked: &'a [Asked],
}

impl Search<'_> {
    /// Adds a verdict on the row `t`: 0 fresh, 1 removable, 2 restricted, 3 unreadable. CASE judges no further than it must.
    fn verdict(&self, sql: &mut Sql, table: &str) {
        sql.push("CASE WHEN ").having_asked(self.asked, |sql| {
            sql.condition(self.stale, table, "t");
        });
        sql.push(" THEN ");
        if *self.restricted == Rule::Any(Vec::new()) {
            sql.push("1");
        } else {
            sql.push("CASE WHEN ").condition(self.restricted, table, "t").push(" THEN 2 ELSE 1 END");
        }
        for column in self.instants {
            sql.push(" WHEN ");
            sql.dialect.unreadable_instant(sql, "t", column);
            sql.push(" THEN 3");
        }
        sql.push(" ELSE 0 END");
    }
}

/// What a find statement returns, in the order of its columns, about the window up to the last row that may be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Rows walked.
    pub walked: u64,
    /// The position up to which it has looked; `None` where nothing was left to walk.
    pub upto: Option<String>,
    /// Stale rows, restricted ones included.
    pub stale: u64,
    /// Stale rows that must be kept.
    pub restricted: u64,
    /// Rows with an instant that cannot be read, which are kept.
    pub unreadable: u64,
    /// The position of the next row behind, where positions have no order that can be counted on.
    pub next: Option<String>,
}

impl Found {
    /// How many columns every find statement has.
    pub const COLUMNS: usize = 5;

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
                [walked, upto, stale, restricted, unreadable, rest @ ..] if rest.len() < 2 => Ok(Self {
                    walked: walked.count()?,
                    upto: upto.text(),
                    stale: stale.count()?,
                    restricted: restricted.count()?,
                    unreadable: unreadable.count()?,
                    next: rest.first().and_then(Cell::text),
                }),
                _ => Err(unexpected("the five or six columns of a find statement")),
            },
            _ => Err(unexpected("the one row of a find statement")),
        }
    }
}

/// The dialect of a name in the adapter contract.
///
/// # Errors
/// [`Error::InvalidSetting`] for any other name.
pub fn by_name(name: &str) -> Result<&'static dyn Dialect, Error> {
    match name {
        "sqlite" => Ok(&Sqlite),
        "postgres" => Ok(&Postgres),
        "mysql" => Ok(&MySql),
        _ => Err(Error::InvalidSetting {
            name: "dialect".into(),
            value: format!("`{name}`"),
            expected: "`sqlite`, `postgres` or `mysql`".into(),
        }),
    }
}

/// The cell as text, for readers of schemas.
fn text(cell: Option<&Cell>) -> Result<String, Error> {
    cell.and_then(Cell::text).ok_or_else(|| unexpected("text"))
}

/// The cell as a yes or no, which schema queries give as 1 or 0.
fn yes(cell: Option<&Cell>) -> Result<bool, Error> {
    text(cell).map(|text| text == "1")
}

/// The whole numbers from one to another as ranges of about the same length.
fn ranges(first: i64, last: i64, parts: u32) -> impl Iterator<Item = (i64, i64)> {
    // One less than there are, which may be more than an `i64` holds.
    let span = last.max(first).abs_diff(first);
    let parts = u64::from(parts.max(1)).min(span.saturating_add(1));
    let (length, longer) = (span / parts, span % parts);
    let begin = move |part: u64| first.wrapping_add_unsigned(length * part + longer.min(part));
    (0..parts).map(move |part| (begin(part), if part + 1 == parts { last } else { begin(part + 1) - 1 }))
}
