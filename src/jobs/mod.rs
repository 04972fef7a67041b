//! The jobs: what each removes, by which rule, with which settings.

mod clearsessions;
mod cleartokens;
mod remove_complete_and_stale_email_change_requests;
mod remove_stale_unverified_accounts;
pub mod settings;

use crate::error::{Error, suggest};
use crate::instant::Instant;
use crate::presets::Tables;
use crate::rule::Rule;
use crate::value::Value;
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

/// What a job does at one instant with one set of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The sentence that is printed before it begins.
    pub opening: String,
    /// The instant before which a row is stale, where there is one for all.
    pub cutoff: Option<Instant>,
    /// The sweeps, in order.
    pub sweeps: Vec<Sweep>,
    /// What a person should know before.
    pub warnings: Vec<String>,
}

/// The removal from one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// The table.
    pub table: String,
    /// What is stale in it.
    pub rule: Rule,
    /// What a stale row is called, with its count before it.
    pub noun: &'static str,
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

impl Work {
    /// The sentence that says what came of it, given how many rows each sweep removed from its own table.
    #[must_use]
    pub fn summary(&self, counts: &[u64], dry_run: bool, complete: bool) -> String {
        let mut parts: Vec<(&str, u64)> = Vec::new();
        for (sweep, count) in self.sweeps.iter().zip(counts) {
            match parts.iter_mut().find(|(noun, _)| *noun == sweep.noun) {
                Some((_, sum)) => *sum += count,
                None => parts.push((sweep.noun, *count)),
            }
        }
        let parts: Vec<String> = parts.iter().map(|(noun, count)| format!("{count} {noun}")).collect();
        let list = match parts.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => parts.concat(),
        };
        let end = if complete { "." } else { "; the job is not finished." };
        if dry_run { format!("{list} would be removed{end}") } else { format!("Successfully removed {list}{end}") }
    }
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

    #[test]
    fn sums_up() {
        let sweep = |noun| Sweep { table: "t".into(), rule: Rule::All(vec![]), noun };
        let work = Work {
            opening: String::new(),
            cutoff: None,
            sweeps: vec![sweep("token(s)"), sweep("token(s)"), sweep("grant(s)"), sweep("code(s)")],
            warnings: vec![],
        };
        assert_eq!(
            work.summary(&[1, 2, 3, 4], false, true),
            "Successfully removed 3 token(s), 3 grant(s) and 4 code(s)."
        );
        assert_eq!(work.summary(&[1, 0, 0, 0], true, true), "1 token(s), 0 grant(s) and 0 code(s) would be removed.");
        assert!(work.summary(&[], false, false).ends_with("; the job is not finished."));
    }
}
