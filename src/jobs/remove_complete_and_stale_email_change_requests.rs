//! `remove_complete_and_stale_email_change_requests` of HIdP: e-mail changes that are done, or that nobody finished.

use super::Job;
use super::settings::{Kind, Setting};
use crate::rule::{all, any, before, is_true};
use crate::work::{Sweep, Work};

pub(super) static JOB: Job = Job {
    name: "remove_complete_and_stale_email_change_requests",
    summary: "e-mail change requests that are complete, or were not completed within a number of days",
    settings: &[Setting { name: "days", kind: Kind::Days(7), summary: "days that a request may stay open" }],
    work: |settings, names, now| {
        let cutoff = settings.days_before("days", now)?;
        Ok(Work {
            opening: format!(
                "Removing completed email change requests and requests that have not been completed within {} days...",
                settings.number("days").unwrap_or_default()
            ),
            cutoff: Some(cutoff),
            // `(confirmed_by_current_email AND confirmed_by_proposed_email) OR created_at < now - days`
            sweeps: vec![Sweep {
                table: names.tables.email_change_requests.to_owned(),
                rule: any([
                    all([is_true("confirmed_by_current_email"), is_true("confirmed_by_proposed_email")]),
                    before("created_at", cutoff),
                ]),
                noun: "completed and/or stale email change request(s)",
            }],
            warnings: vec![],
        })
    },
};
