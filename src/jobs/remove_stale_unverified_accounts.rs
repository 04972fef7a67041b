//! `remove_stale_unverified_accounts` of HIdP: accounts whose e-mail address was never verified.

use super::Job;
use super::settings::{Kind, Setting};
use crate::rule::{all, before, is_null};
use crate::work::{Sweep, Work};

pub(super) static JOB: Job = Job {
    name: "remove_stale_unverified_accounts",
    summary: "accounts that did not verify their e-mail address within a number of days, with all that belongs to them",
    settings: &[Setting { name: "days", kind: Kind::Days(90), summary: "days that an account may stay unverified" }],
    work: |settings, names, now| {
        let cutoff = settings.days_before("days", now)?;
        Ok(Work {
            opening: format!(
                "Removing accounts that have not been verified within {} days...",
                settings.number("days").unwrap_or_default()
            ),
            cutoff: Some(cutoff),
            // `email_verified IS NULL AND date_joined < now - days`
            sweeps: vec![Sweep {
                table: names.user.to_owned(),
                rule: all([is_null("email_verified"), before("date_joined", cutoff)]),
                noun: "unverified account(s)",
            }],
            warnings: vec![],
        })
    },
};
