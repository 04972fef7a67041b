//! Where a run that a bound ended goes on.

use crate::error::Error;
use crate::instant::Instant;
use crate::value::{FromValue, Members, Shape, Value};
use serde::Serialize;

/// The form of checkpoints that this version writes and reads.
const VERSION: u32 = 1;

/// A place to go on from, as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    version: u32,
    /// The job that it belongs to.
    pub job: String,
    /// The instant that the whole pass judges by, however many runs it takes.
    pub now: Instant,
    settings: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
    step: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upto: Option<String>,
    walked: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    take: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    moved: bool,
}

/// How far a pass has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The sweep in hand, from 0.
    pub step: usize,
    /// The position in its table where the next slice begins; absent at its beginning.
    pub from: Option<String>,
    /// Where the work ends, where it is a part of the sweep and no more.
    pub upto: Option<String>,
    /// Rows of that table walked so far.
    pub walked: u64,
    /// Rows of that table when its walk began; absent at its beginning.
    pub total: Option<u64>,
    /// How many stale rows a slice took in the end; absent at the beginning of a table.
    pub take: Option<u64>,
    /// Whether rows may have moved to where the walk has been, so that another one has to follow.
    pub moved: bool,
}

impl FromValue for Checkpoint {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        Ok(Self {
            version: members.take("version")?,
            job: members.take("job")?,
            now: members.take("now")?,
            settings: members.take("settings")?,
            schema: members.take("schema")?,
            step: members.take("step")?,
            from: members.take("from")?,
            upto: members.take("upto")?,
            walked: members.take("walked")?,
            total: members.take("total")?,
            take: members.take("take")?,
            moved: members.take::<Option<_>>("moved")?.unwrap_or_default(),
        })
    }
}

impl Checkpoint {
    /// A checkpoint at a place of a pass with such settings, on a database of such a schema.
    #[must_use]
    pub fn new(job: &str, now: Instant, settings: String, schema: Option<String>, place: Place) -> Self {
        let Place { step, from, upto, walked, total, take, moved } = place;
        let job = job.to_owned();
        Self { version: VERSION, job, now, settings, schema, step, from, upto, walked, total, take, moved }
    }

    /// Whether it is a part of a sweep, beside which other parts may be worked on.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.upto.is_some()
    }

    /// Checks that it can serve a run of `job`, judging by `now` if that was asked for.
    ///
    /// # Errors
    /// [`Error::InvalidCheckpoint`] where it belongs to something else.
    pub fn check(&self, job: &str, now: Option<Instant>) -> Result<(), Error> {
        let why = if self.version != VERSION {
            format!("it is of form {}, and this version of idp-janitor reads form {VERSION}", self.version)
        } else if self.job != job {
            format!("it belongs to `{}`, not to `{job}`", self.job)
        } else if let Some(now) = now.filter(|now| *now != self.now) {
            format!("its pass judges by {}, not by {now}", self.now)
        } else {
            return Ok(());
        };
        Err(Error::InvalidCheckpoint { why })
    }

    /// Checks that it was made on tables of this schema, or on a record store where there is none. On others its place
    /// means nothing, and rows that nobody has looked at would be passed over; but for the very beginning, where a run stands
    /// that failed before it had read the schema.
    ///
    /// # Errors
    /// [`Error::InvalidCheckpoint`] where it was not.
    pub fn check_schema(&self, schema: Option<&str>) -> Result<(), Error> {
        if self.schema.as_deref() == schema || self.step == 0 && self.from.is_none() {
            return Ok(());
        }
        let why = "the tables that it was made on are declared otherwise: they are another database's, or have been migrated since";
        Err(Error::InvalidCheckpoint { why: why.into() })
    }

    /// The place to go on from; `None` where the settings have changed since.
    #[must_use]
    pub fn place(&self, settings: &str) -> Option<Place> {
        let Self { step, walked, total, take, moved, .. } = *self;
        (self.settings == settings).then(|| {
            let (from, upto) = (self.from.clone(), self.upto.clone());
            Place { step, from, upto, walked, total, take, moved }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(from: Option<&str>) -> Checkpoint {
        let now = Instant::parse("2026-01-31T03:00:00.000001Z").unwrap();
        let from = from.map(str::to_owned);
        let place = Place { step: 2, from, walked: 9_007_199_254_740_993, ..Place::default() };
        Checkpoint::new("cleartokens", now, "a=1;|dry".into(), Some("0a".into()), place)
    }

    #[test]
    fn crosses_as_plain_data() {
        for (from, part) in [(None, ""), (Some("-9223372036854775808"), r#""from":"-9223372036854775808","#)] {
            let checkpoint = checkpoint(from);
            let json = serde_json::to_string(&checkpoint).unwrap();
            let start = r#"{"version":1,"job":"cleartokens","now":"2026-01-31T03:00:00.000001Z","settings":"a=1;|dry","schema":"0a","#;
            assert_eq!(json, format!(r#"{start}"step":2,{part}"walked":9007199254740993}}"#));
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap().read::<Checkpoint>().unwrap(), checkpoint);
        }
    }

    #[test]
    fn is_of_use_for_the_same_settings_alone() {
        let checkpoint = checkpoint(Some("7"));
        let place = Place { step: 2, from: Some("7".into()), walked: 9_007_199_254_740_993, ..Place::default() };
        assert_eq!(checkpoint.place("a=1;|dry"), Some(place));
        assert_eq!(checkpoint.place("a=1;|real"), None);
    }

    #[test]
    fn is_of_use_on_the_same_tables_alone() {
        let checkpoint = checkpoint(Some("7"));
        assert!(checkpoint.check_schema(Some("0a")).is_ok());
        assert!(checkpoint.check_schema(Some("0b")).is_err());
        assert!(checkpoint.check_schema(None).is_err());
    }
}
