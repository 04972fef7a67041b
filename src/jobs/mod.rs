//! The jobs: what each removes, by which rule, with which settings.

mod clearsessions;
mod cleartokens;
mod remove_complete_and_stale_email_change_requests;
mod remove_stale_unverified_accounts;
pub mod settings;

use crate::error::{Error, suggest};
use crate::instant::Instant;
use crate::presets::Tables;
use crate::value::Value;
use crate::work::Work;
use serde::Serialize;
use settings::{Setting, Settings};

/// A job.
#[derive(Debug)]
pub struct Job {
    /// Its name, that of the original command where there is one.
    pub name: &'static str,
    /// What it removes, in one line.
    pub summary: &'static str,
    /// Its settings.
    pub settings: &'static [Setting],
    /// Its work with given settings.
    pub work: fn(&Settings, &Names, Instant) -> Result<Work, Error>,
}

/// What the tables of the store at hand are called.
#[derive(Debug)]
pub struct Names<'a> {
    /// The preset's tables.
    pub tables: &'static Tables,
    /// The project's user table.
    pub user: &'a str,
}

/// Every job.
pub static JOBS: [&Job; 4] = [
    &remove_stale_unverified_accounts::JOB,
    &remove_complete_and_stale_email_change_requests::JOB,
    &cleartokens::JOB,
    &clearsessions::JOB,
];

impl Job {
    /// The job of a name, in `snake_case` or `kebab-case`.
    ///
    /// # Errors
    /// [`Error::UnknownJob`] where there is none.
    pub fn by_name(name: &str) -> Result<&'static Self, Error> {
        let snake_case = name.replace('-', "_");
        JOBS.into_iter().find(|job| job.name == snake_case).ok_or_else(|| Error::UnknownJob {
            name: name.to_owned(),
            suggestion: suggest(name, JOBS.map(|job| job.name)),
            known: JOBS.map(|job| format!("`{}`", job.name)).join(", "),
        })
    }
}

/// A job as people see it.
#[derive(Debug, Serialize)]
pub struct Description {
    name: &'static str,
    summary: &'static str,
    settings: Vec<SettingDescription>,
}

#[derive(Debug, Serialize)]
struct SettingDescription {
    name: &'static str,
    default: Value,
    summary: &'static str,
}

/// Describes a job.
#[must_use]
pub fn describe(job: &Job) -> Description {
    let settings = job.settings.iter().map(|setting| SettingDescription {
        name: setting.name,
        default: setting.kind.default(),
        summary: setting.summary,
    });
    Description { name: job.name, summary: job.summary, settings: settings.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_jobs_by_either_spelling() {
        for job in JOBS {
            assert_eq!(Job::by_name(job.name).unwrap().name, job.name);
            assert_eq!(Job::by_name(&job.name.replace('_', "-")).unwrap().name, job.name);
        }
        let message = Job::by_name("clear-tokenz").unwrap_err().to_string();
        assert!(message.starts_with("there is no job `clear-tokenz` (did you mean `cleartokens`?)"), "{message}");
    }
}
