//! A run of a job, on whichever kind of store.

use crate::checkpoint::Checkpoint;
use crate::dialect;
use crate::doctor::Examination;
use crate::effect::{Outcome, Statement, Step};
use crate::error::Error;
use crate::report::Report;
use crate::request::{Order, Request};
use crate::rule::eval::Record;
use crate::sweep::records::RecordRun;
use crate::sweep::sql::SqlRun;

/// A run: `next(outcome)` says what to do, until it is done.
pub enum Run {
    /// On a database.
    Sql(Box<SqlRun>),
    /// On a record store.
    Records(Box<RecordRun>),
    /// No job, but a look at a database.
    Examination(Box<Examination>),
}

impl Run {
    /// A run that has not begun. `store` is the name of a dialect, or `records`.
    ///
    /// # Errors
    /// Whatever is wrong with the request or the checkpoint; see [`Error`].
    pub fn new(request: &Request, store: &str, checkpoint: Option<Checkpoint>) -> Result<Self, Error> {
        if request.examine && store == "records" {
            return Err(Error::InvalidSetting {
                name: "store".into(),
                value: "a record store".into(),
                expected: "a database to be examined".into(),
            });
        }
        if request.examine {
            return Examination::new(request, dialect::by_name(store)?).map(Box::new).map(Self::Examination);
        }
        let order = Order::read(request, checkpoint.as_ref())?;
        if store == "records" {
            return RecordRun::new(order, checkpoint.as_ref()).map(Box::new).map(Self::Records);
        }
        Ok(Self::Sql(Box::new(SqlRun::new(order, dialect::by_name(store)?, checkpoint))))
    }

    /// Takes in what came of the last effect and says what to do next.
    ///
    /// # Errors
    /// See [`Error`]; nothing beyond what the report counts has been done.
    pub fn next(&mut self, outcome: Outcome) -> Result<Step, Error> {
        match self {
            Self::Sql(run) => run.next(outcome),
            Self::Records(run) => run.next(outcome),
            Self::Examination(run) => run.next(outcome),
        }
    }

    /// Whether a record is stale still; asked while a removal from a record store is performed.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] where it cannot be judged; it must be kept then.
    pub fn is_stale(&self, record: &Record) -> Result<bool, Error> {
        match self {
            Self::Sql(_) | Self::Examination(_) => Ok(false),
            Self::Records(run) => run.is_stale(record),
        }
    }

    /// What gives back the lease that a run has left which ended without its report; nothing where there is none.
    #[must_use]
    pub fn release(&self) -> Vec<Statement> {
        match self {
            Self::Sql(run) => run.release(),
            Self::Records(_) | Self::Examination(_) => vec![],
        }
    }

    /// The report of a run whose store has failed: what had been done before.
    #[must_use]
    pub fn fail(&self) -> Report {
        match self {
            Self::Sql(run) => run.fail(),
            Self::Records(run) => run.fail(),
            Self::Examination(run) => run.fail(),
        }
    }
}
