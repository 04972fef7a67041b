//! What the core asks of its host, and what the host answers: plain data.

use crate::checkpoint::Checkpoint;
use crate::doctor::Diagnosis;
use crate::error::{Error, unexpected};
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
    /// Run one statement that reads on a connection that is kept until the run is over; answer as to a query.
    Lease(Statement),
    /// Let so many milliseconds pass, or fewer if the run is to end; answer that they have.
    Wait(f64),
    /// Nothing for this lane until another lane has given an answer; then ask again, answering that this is so.
    Park,
    /// The failure that was answered last is more than can be mended: it is what the run fails by.
    Fail,
    /// Nothing more: here is the report.
    Done(Box<Report>),
    /// Nothing more: here is what was found out about the database.
    Examined(Box<Diagnosis>),
    /// Nothing more: here is the plan that was asked for.
    Planned(Plan),
    /// Nothing more: here are the parts that were asked for.
    Parted(Parts),
}

/// A sweep in parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parts {
    /// How many sweeps the job has on this database.
    pub steps: usize,
    /// The parts, each where a run of its own begins and ends; none where the table is empty, or there is no such sweep.
    pub parts: Vec<Checkpoint>,
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
        .ok_or_else(|| unexpected("a count"))
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
    /// What each statement of a batch did, in order.
    Batch(Vec<Ran>),
    /// A page of records.
    Scan(Page),
    /// How many records were removed.
    Remove(u64),
    /// Time has passed, or another lane has given an answer.
    Waited,
    /// The store failed; of a batch, no statement has taken effect, but for what [`Failure::Unavailable`] says.
    Failed(Failure),
}

/// What one statement of a batch did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ran {
    /// The rows that it returned.
    pub rows: Rows,
    /// How many rows it changed.
    pub changes: u64,
}

/// How a store failed, as far as that matters to what is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The database undid the transaction because of others.
    Conflict,
    /// Somebody else held a lock for too long.
    Locked,
    /// A statement took too long.
    Timeout,
    /// A constraint was broken.
    Constraint,
    /// The connection was lost or could not be made. Whether a batch in hand has taken effect is not known.
    Unavailable,
    /// The role is not let in, or may not do that.
    Denied,
    /// Anything else.
    Other,
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
    /// Which of the run's lanes it is from, from 0.
    pub lane: usize,
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
        if let Value::Text(text) = &value {
            return match text.as_str() {
                "began" => Ok(Self::Began),
                "waited" => Ok(Self::Waited),
                _ => Err(Shape::new("an answer")),
            };
        }
        let mut members: Members = value.read()?;
        if members.has("query") {
            members.take("query").map(Self::Query)
        } else if members.has("batch") {
            members.take("batch").map(Self::Batch)
        } else if members.has("failed") {
            members.take("failed").map(Self::Failed)
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
        let lane = members.take::<Option<_>>("lane")?.unwrap_or_default();
        Ok(Self { answer: members.take("answer")?, elapsed_ms: members.take("elapsedMs")?, aborted, lane })
    }
}

impl FromValue for Ran {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        Ok(Self { rows: members.take("rows")?, changes: members.take("changes")? })
    }
}

/// By the code of the host's error.
impl FromValue for Failure {
    fn from_value(value: Value) -> Result<Self, Shape> {
        Ok(match value.read::<String>()?.as_str() {
            "store_conflict" => Self::Conflict,
            "store_locked" => Self::Locked,
            "store_timeout" => Self::Timeout,
            "store_constraint" => Self::Constraint,
            "store_unavailable" => Self::Unavailable,
            "store_denied" => Self::Denied,
            _ => Self::Other,
        })
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
            _ => Err(unexpected("the rows of a query")),
        }
    }

    /// The rows of a query, or those of the last statement of a batch that reads.
    ///
    /// # Errors
    /// [`Error::UnexpectedAnswer`] for any other answer.
    pub fn rows_read(self) -> Result<Rows, Error> {
        match self {
            Self::Batch(mut ran) => ran.pop().map(|ran| ran.rows).ok_or_else(|| unexpected("rows")),
            other => other.rows(),
        }
    }

    /// What a batch of so many statements did.
    ///
    /// # Errors
    /// [`Error::UnexpectedAnswer`] for any other answer.
    pub fn ran(self, statements: usize) -> Result<Vec<Ran>, Error> {
        match self {
            Self::Batch(ran) if ran.len() == statements => Ok(ran),
            _ => Err(unexpected("what each statement of a batch did")),
        }
    }
}
