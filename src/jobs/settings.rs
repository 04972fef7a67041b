//! The settings of jobs, as data: which there are, what they may be, what they are by default.

use super::Job;
use crate::error::{Error, invalid, suggest};
use crate::instant::Instant;
use crate::named::Named;
use crate::value::Value;

/// A setting of a job.
#[derive(Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it does, in one line.
    pub summary: &'static str,
}

/// What a setting may be, and what it is by default.
#[derive(Debug)]
pub enum Kind {
    /// Whole days, 0 or more.
    Days(i64),
    /// Whole seconds, 0 or more.
    Seconds(i64),
    /// Whole seconds; 0 or null for never.
    SecondsOrNever(i64),
    /// True or false.
    Flag(bool),
    /// One of some words; the first is the default.
    Word(&'static [&'static str]),
}

/// The settings of one run of a job, each checked against its [`Kind`].
#[derive(Debug, Clone, PartialEq)]
pub struct Settings(Named<Value>);

impl Kind {
    /// The default.
    #[must_use]
    pub fn default(&self) -> Value {
        match self {
            Self::Days(number) | Self::Seconds(number) | Self::SecondsOrNever(number) => Value::Int(*number),
            Self::Flag(flag) => Value::Bool(*flag),
            Self::Word(words) => Value::Text(words.first().copied().unwrap_or_default().to_owned()),
        }
    }

    fn allows(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Days(_) | Self::Seconds(_) | Self::SecondsOrNever(_), Value::Int(number)) => *number >= 0,
            (Self::SecondsOrNever(_), Value::Null) | (Self::Flag(_), Value::Bool(_)) => true,
            (Self::Word(words), Value::Text(text)) => words.contains(&text.as_str()),
            _ => false,
        }
    }

    fn expected(&self) -> String {
        match self {
            Self::Days(_) => "a whole number of days, 0 or more".into(),
            Self::Seconds(_) => "a whole number of seconds, 0 or more".into(),
            Self::SecondsOrNever(_) => "a whole number of seconds, or null for never".into(),
            Self::Flag(_) => "true or false".into(),
            Self::Word(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or "),
        }
    }
}

impl Settings {
    /// The job's settings: the given ones, and the defaults of the others.
    ///
    /// # Errors
    /// [`Error::UnknownSetting`] and [`Error::InvalidSetting`].
    pub fn of(job: &Job, given: &Named<Value>) -> Result<Self, Error> {
        let mut settings = Named::default();
        for setting in job.settings {
            settings.insert(setting.name, setting.kind.default());
        }
        for (name, value) in given.iter() {
            let Some(setting) = job.settings.iter().find(|setting| setting.name == name) else {
                return Err(Error::UnknownSetting {
                    job: job.name.to_owned(),
                    name: name.to_owned(),
                    suggestion: suggest(name, job.settings.iter().map(|setting| setting.name)),
                });
            };
            if !setting.kind.allows(value) {
                return Err(invalid(setting.name, value, setting.kind.expected()));
            }
            settings.insert(setting.name, value.clone());
        }
        Ok(Self(settings))
    }

    /// A number; `None` where it is null.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// A flag.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    /// Whether a word is the one chosen.
    #[must_use]
    pub fn is(&self, name: &str, word: &str) -> bool {
        matches!(self.0.get(name), Some(Value::Text(text)) if text == word)
    }

    /// The instant that many days before `now`.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] where the calendar ends before it.
    pub fn days_before(&self, name: &'static str, now: Instant) -> Result<Instant, Error> {
        let days = self.number(name).unwrap_or_default();
        now.minus_days(days).ok_or_else(|| beyond(name, days, "days", now))
    }

    /// The instant that many seconds before `now`; `None` where the setting says never.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] where the calendar ends before it.
    pub fn seconds_before(&self, name: &'static str, now: Instant) -> Result<Option<Instant>, Error> {
        let Some(seconds) = self.number(name) else { return Ok(None) };
        now.minus_seconds(seconds).map(Some).ok_or_else(|| beyond(name, seconds, "seconds", now))
    }

    /// All of them in one text, to tell whether two runs have the same.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value};")).collect()
    }
}

fn beyond(name: &str, number: i64, unit: &str, now: Instant) -> Error {
    let expected = format!("a number of {unit} that the calendar reaches back from {now}");
    invalid(name, &Value::Int(number), expected)
}
