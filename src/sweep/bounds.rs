//! What ends a run before its work is done.

use crate::error::{Error, invalid};
use crate::value::Value;

/// The bounds of a run. Whichever comes first ends it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bounds {
    /// Stale rows of the job's own tables.
    pub max_rows: Option<u64>,
    /// Statements.
    pub max_statements: Option<u64>,
    /// Milliseconds.
    pub max_ms: Option<f64>,
}

impl Bounds {
    /// Reads the bounds as a person gives them, in seconds and whole numbers.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] for numbers that bound nothing.
    pub fn read(rows: &Value, statements: &Value, seconds: &Value) -> Result<Self, Error> {
        Ok(Self {
            max_rows: whole("maxRows", rows)?,
            max_statements: whole("maxStatements", statements)?,
            max_ms: positive("maxSeconds", "a number of seconds above 0", seconds)?.map(|seconds| seconds * 1000.0),
        })
    }

    /// Whether so many statements are within the bounds.
    #[must_use]
    pub fn allow_statements(&self, statements: u64) -> bool {
        self.max_statements.is_none_or(|max| statements <= max)
    }

    /// Whether the time is up.
    #[must_use]
    pub fn time_is_up(&self, elapsed_ms: f64) -> bool {
        self.max_ms.is_some_and(|max| elapsed_ms >= max)
    }
}

fn whole(name: &str, value: &Value) -> Result<Option<u64>, Error> {
    match value {
        Value::Null => Ok(None),
        Value::Int(number) if *number >= 1 => Ok(Some(number.unsigned_abs())),
        _ => Err(invalid(name, value, "a whole number, 1 or more".into())),
    }
}

/// Reads a finite number above 0.
///
/// # Errors
/// [`Error::InvalidSetting`] for anything else but null.
pub fn positive(name: &str, expected: &str, value: &Value) -> Result<Option<f64>, Error> {
    #[expect(clippy::cast_precision_loss, reason = "nobody bounds a run to the microsecond")]
    let number = match value {
        Value::Null => return Ok(None),
        Value::Int(number) => *number as f64,
        Value::Real(number) => *number,
        _ => f64::NAN,
    };
    if number > 0.0 && number.is_finite() { Ok(Some(number)) } else { Err(invalid(name, value, expected.into())) }
}
