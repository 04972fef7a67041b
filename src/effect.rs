//! What the core asks of its host, and what the host answers: plain data.

use crate::error::Error;
use crate::plan::Plan;

use crate::report::{Progress, Report};
use crate::rule::eval::Record;
use crate::value::{FromValue, Members, Shape, Value};
use serde::Serialize;

/// A statement that is ready to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Its text.
    pub sql: String,
    /// Its parameters in order, all of them text.
    pub params: Vec<String>,
}

/// What the host is to do next.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Run one statement that reads; answer with its rows.
    Query(Statement),
    /// Run the statements as one atomic unit that may write; answer with how many rows each changed. None of them: find
    /// out whether the store can be written to.
    Batch(Vec<Statement>),
    /// Read one page of a record store's collection.
    Scan(Scan),
    /// Remove those of the records that are still stale; answer with their number.
    Remove(Removal),
    /// Nothing more: here is the report.
    Done(Box<Report>),
    /// Nothing more: here is the plan that was asked for.
    Planned(Plan),
}

/// Which page to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scan {
    /// The collection.
    pub collection: String,
    /// Where the page begins; the beginning if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many records at most.
    pub limit: u32,
}

/// Which records to remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// The collection.
    pub collection: String,
    /// Their ids.
    pub ids: Vec<String>,
}

/// An effect, and where the run stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// What to do.
    pub effect: Effect,
    /// Where the run stands; present after a slice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
}

/// A value that a store returned.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell(pub Value);

/// Rows that a store returned.
pub type Rows = Vec<Vec<Cell>>;

impl FromValue for Cell {
    fn from_value(value: Value) -> Result<Self, Shape> {
        Ok(Self(value))
    }
}

impl Cell {
    /// Its text, whole numbers included; `None` for NULL and anything else.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match &self.0 {
            Value::Text(text) => Some(text.clone()),
            Value::Int(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A count; NULL, as the sum over no row, is 0.
    ///
    /// # Errors
    /// [`Error::UnexpectedAnswer`] for anything that counts nothing.
    pub fn count(&self) -> Result<u64, Error> {
        match &self.0 {
            Value::Null => Some(0),
            Value::Int(number) => u64::try_from(*number).ok(),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
        .ok_or_else(|| crate::dialect::unexpected("a count"))
    }
}

/// One record of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct ScannedRecord {
    /// What a removal names it by.
    pub id: String,
    /// Its fields.
    pub row: Record,
}

/// One page of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The records.
    pub records: Vec<ScannedRecord>,
    /// Where the next page begins; absent on the last page.
    pub next: Option<String>,
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Nothing yet: the run begins.
    Began,
    /// The rows of a query.
    Query(Rows),
    /// How many rows each statement of a batch changed, in order.
    Batch(Vec<u64>),
    /// A page of records.
    Scan(Page),
    /// How many records were removed.
    Remove(u64),
}

/// An answer, with what the core cannot know by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What came of the effect.
    pub answer: Answer,
    /// Milliseconds since the run began.
    pub elapsed_ms: f64,
    /// Whether the host wants the run to end.
    pub aborted: bool,
}

impl FromValue for ScannedRecord {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        Ok(Self { id: members.take("id")?, row: members.take("row")? })
    }
}

impl FromValue for Page {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        Ok(Self { records: members.take("records")?, next: members.take("next")? })
    }
}

/// `"began"`, or the one member that names what was done.
impl FromValue for Answer {
    fn from_value(value: Value) -> Result<Self, Shape> {
        if value == Value::Text("began".into()) {
            return Ok(Self::Began);
        }
        let mut members: Members = value.read()?;
        if members.has("query") {
            members.take("query").map(Self::Query)
        } else if members.has("batch") {
            members.take("batch").map(Self::Batch)
        } else if members.has("scan") {
            members.take("scan").map(Self::Scan)
        } else {
            members.take("remove").map(Self::Remove)
        }
    }
}

impl FromValue for Outcome {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        let aborted = members.take::<Option<_>>("aborted")?.unwrap_or_default();
        Ok(Self { answer: members.take("answer")?, elapsed_ms: members.take("elapsedMs")?, aborted })
    }
}

impl Answer {
    /// The rows of a query.
    ///
    /// # Errors
    /// [`Error::UnexpectedAnswer`] for any other answer.
    pub fn rows(self) -> Result<Rows, Error> {
        match self {
            Self::Query(rows) => Ok(rows),
            _ => Err(crate::dialect::unexpected("the rows of a query")),
        }
    }

    /// What a batch of so many statements changed.
    ///
    /// # Errors
    /// [`Error::UnexpectedAnswer`] for any other answer.
    pub fn changes(self, statements: usize) -> Result<Vec<u64>, Error> {
        match self {
            Self::Batch(changes) if changes.len() == statements => Ok(changes),
            _ => Err(crate::dialect::unexpected("the changes of each statement of a batch")),
        }
    }
}
