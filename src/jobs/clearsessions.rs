//! `clearsessions` of Django: login sessions that expired. It clears sessions that are kept in the database.

use super::Job;
use crate::rule::before;
use crate::work::{Sweep, Work};

pub(super) static JOB: Job = Job {
    name: "clearsessions",
    summary: "login sessions that have expired",
    settings: &[],
    work: |_, names, now| {
        Ok(Work {
            opening: "Removing sessions that have expired...".into(),
            cutoff: None,
            // `expire_date < now`
            sweeps: vec![Sweep {
                table: names.tables.sessions.to_owned(),
                rule: before("expire_date", now),
                noun: "expired session(s)",
            }],
            warnings: vec![],
        })
    },
};
