//! What can be wrong before or between slices. Every message is one line for the person who reads it at night.

use crate::schema::ColumnName;
use crate::value::Value;

/// An error of the core. Whatever it is about, the core itself has changed nothing: it only decides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no job of that name.
    #[error("there is no job `{name}`{}; the jobs are {known}", did_you_mean(.suggestion))]
    UnknownJob {
        /// The name as given.
        name: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
        /// The names of all jobs.
        known: String,
    },
    /// The job has no such setting.
    #[error("{job} has no setting `{name}`{}", did_you_mean(.suggestion))]
    UnknownSetting {
        /// The job.
        job: String,
        /// The name as given.
        name: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// A setting has a value that it cannot have.
    #[error("`{name}` must be {expected}, not {value}")]
    InvalidSetting {
        /// The setting.
        name: String,
        /// The value as given.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// A bound within which not even one slice fits.
    #[error(
        "`maxStatements` must be {least} or more for this job on this database, or no run would ever get anywhere, not {given}"
    )]
    TooFewStatements {
        /// The bound as given.
        given: u64,
        /// The least that would do.
        least: u64,
    },
    /// Text that is no instant.
    #[error(
        "`{text}` is not an instant: give RFC 3339 with an offset, such as 2026-01-31T03:00:00Z, in the years 1 to 9999"
    )]
    InvalidInstant {
        /// The text as given.
        text: String,
    },
    /// There is no preset of that name.
    #[error("there is no preset `{name}`; the presets are {known}")]
    UnknownPreset {
        /// The name as given.
        name: String,
        /// The names of all presets.
        known: String,
    },
    /// The store lacks a table or column that the job needs.
    #[error("the database does not have the schema of this job: {what}; nothing was changed")]
    NotThisSchema {
        /// What is missing.
        what: String,
    },
    /// The tables and columns of a job are there, and cannot be worked on.
    #[error("this job cannot work on what the database has: {what}; nothing was changed")]
    UnsupportedSchema {
        /// What stands in the way.
        what: String,
    },
    /// Foreign keys for which nothing says what to do.
    #[error(
        "{} {} rows that this job removes, and neither the database, the preset nor the settings say what to do with {}; \
         nothing was changed; add {}, or to the configuration onDelete: {{ {} }} (or set-null, or set-default; or restrict, \
         which keeps the rows that are referenced)",
        names(.columns),
        if .columns.len() == 1 { "references" } else { "reference" },
        if .columns.len() == 1 { "it" } else { "them" },
        flags_for(.columns),
        settings_for(.columns)
    )]
    UnknownReferences {
        /// Every such column.
        columns: Vec<ColumnName>,
    },
    /// Cascading foreign keys that lead back to where they began.
    #[error(
        "the cascading foreign keys {path} form a cycle, which cannot be removed in an order; nothing was changed; set one of them to \"set-null\" or \"restrict\" in onDelete"
    )]
    CascadeCycle {
        /// The keys along the cycle.
        path: String,
    },
    /// Another run of the job has the database.
    #[error("another run of `{job}` has this database: {holder}; wait for it, or end it, and start again")]
    Leased {
        /// The job.
        job: String,
        /// Who has it, as the database tells.
        holder: String,
    },
    /// The lease cannot be taken.
    #[error(
        "the lease of `{job}` is a row of the table `{}` here, which this role may not make or change: make it, or grant SELECT, INSERT \
         and UPDATE on it (the documentation of connections without sessions has the statements); nothing was changed",
        crate::dialect::LEASES
    )]
    LeaseDenied {
        /// The job.
        job: String,
    },
    /// A checkpoint that does not fit.
    #[error("the checkpoint cannot be used: {why}; nothing was changed; remove it to begin a new pass")]
    InvalidCheckpoint {
        /// Why not.
        why: String,
    },
    /// A record on which a rule cannot be judged.
    #[error("a record of `{collection}` cannot be judged: {why}; it was not touched")]
    InvalidRecord {
        /// The collection.
        collection: String,
        /// What is wrong with it.
        why: String,
    },
    /// The host answered something else than it was asked.
    #[error(
        "the store's adapter answered what was not asked: {what}; this is a defect of the adapter or of idp-janitor"
    )]
    UnexpectedAnswer {
        /// What was expected.
        what: String,
    },
}

impl Error {
    /// The stable code, as `ErrorCode` in TypeScript lists it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownJob { .. } => "unknown_job",
            Self::UnknownSetting { .. } => "unknown_setting",
            Self::InvalidSetting { .. } => "invalid_setting",
            Self::TooFewStatements { .. } => "too_few_statements",
            Self::InvalidInstant { .. } => "invalid_instant",
            Self::UnknownPreset { .. } => "unknown_preset",
            Self::NotThisSchema { .. } => "not_this_schema",
            Self::UnsupportedSchema { .. } => "unsupported_schema",
            Self::UnknownReferences { .. } => "unknown_reference",
            Self::CascadeCycle { .. } => "cascade_cycle",
            Self::Leased { .. } => "store_leased",
            Self::LeaseDenied { .. } => "store_denied",
            Self::InvalidCheckpoint { .. } => "invalid_checkpoint",
            Self::InvalidRecord { .. } => "invalid_record",
            Self::UnexpectedAnswer { .. } => "internal",
        }
    }

    /// The setting that it is about, where it is about the value of one.
    #[must_use]
    pub fn setting(&self) -> Option<&str> {
        match self {
            Self::InvalidSetting { name, .. } => Some(name),
            Self::TooFewStatements { .. } => Some("maxStatements"),
            _ => None,
        }
    }
}

/// The error for a value that a setting cannot have.
#[must_use]
pub fn invalid(name: &str, value: &Value, expected: String) -> Error {
    Error::InvalidSetting { name: name.to_owned(), value: value.to_string(), expected }
}

/// The error for an answer of another shape.
#[must_use]
pub fn unexpected(what: &str) -> Error {
    Error::UnexpectedAnswer { what: format!("expected {what}") }
}

fn did_you_mean(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

fn names(columns: &[ColumnName]) -> String {
    columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ")
}

fn flags_for(columns: &[ColumnName]) -> String {
    columns.iter().map(|column| flag_for(&column.to_string())).collect::<Vec<_>>().join(" ")
}

/// The flag that says what to do with a foreign key, as a shell takes it, with `cascade` as an example.
#[must_use]
pub fn flag_for(column: &str) -> String {
    let is_plain = column.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.,-".contains(&byte));
    let setting = format!("{column}=cascade");
    if is_plain {
        format!("--on-delete {setting}")
    } else {
        format!("--on-delete '{}'", setting.replace('\'', "'\\''"))
    }
}

fn settings_for(columns: &[ColumnName]) -> String {
    columns.iter().map(|column| format!("\"{column}\": \"cascade\"")).collect::<Vec<_>>().join(", ")
}

/// The candidate nearest to a misspelt name, if one is near enough to be meant: at most a third of it differs, or the name
/// is its beginning.
#[must_use]
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
    let wanted = plain(name);
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| {
            distance * 3 <= candidate.len().max(3) || wanted.len() >= 3 && plain(candidate).starts_with(&wanted)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

/// Levenshtein's distance, row by row.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (at, a) in left.chars().enumerate() {
        let mut diagonal = at;
        let mut before = at + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(right.chars()) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            *cell = replaced.min(diagonal + 1).min(before + 1);
            before = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (left, right, expected) in
            [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("days", "dayz", 1), ("flaw", "lawn", 2)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
            assert_eq!(distance(right, left), expected, "{right} {left}");
        }
    }

    #[test]
    fn suggests_only_what_is_near() {
        let jobs = ["cleartokens", "clearsessions"];
        assert_eq!(suggest("cleartoken", jobs).as_deref(), Some("cleartokens"));
        assert_eq!(suggest("clear-sessions", jobs).as_deref(), Some("clearsessions"));
        assert_eq!(suggest("vacuum", jobs), None);
    }

    #[test]
    fn suggests_what_a_name_begins() {
        let jobs =
            ["remove_stale_unverified_accounts", "remove_complete_and_stale_email_change_requests", "cleartokens"];
        assert_eq!(suggest("remove-stale", jobs).as_deref(), Some("remove_stale_unverified_accounts"));
        assert_eq!(suggest("remove_comp", jobs).as_deref(), Some("remove_complete_and_stale_email_change_requests"));
        assert_eq!(suggest("cl", jobs), None);
    }
}
