//! What a run has done so far, and the report of it.

use super::statements::Purpose;
use crate::checkpoint::{Checkpoint, Place};
use crate::named::Named;
use crate::report::{Progress, Report};
use crate::request::Order;
use crate::work::Work;

/// The counts of a run.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    /// The fingerprint of the tables that the run works on, where a schema tells of them.
    pub schema: Option<String>,
    /// Stale rows found.
    pub selected: u64,
    /// Stale rows kept because something restricts their removal.
    pub restricted: u64,
    /// Stale rows kept because somebody held them, twice.
    pub held: u64,
    /// Slices of which it is not known whether they were done, because the connection was lost.
    pub uncertain: u64,
    /// Rows that went, or in a dry run would, by table.
    pub gone: Named<u64>,
    /// How often rows let go of one that went, or in a dry run would, by table.
    pub changed: Named<u64>,
    /// Rows that went from each sweep's own table, or would.
    pub by_sweep: Vec<u64>,
    /// Whether this run has got anywhere.
    pub walked: bool,
    /// Slices performed.
    pub slices: u64,
    /// Statements run.
    pub statements: u64,
    /// Rows whose instants cannot be read, by table.
    pub unreadable: Named<u64>,
    /// Sentences for a person.
    pub warnings: Vec<String>,
    /// Milliseconds since the run began.
    pub elapsed_ms: f64,
}

impl Journal {
    /// Counts rows of a table that went, or would.
    pub fn count(&mut self, table: &str, rows: u64) {
        self.count_dependants(Purpose::Delete, table, rows);
    }

    /// Counts rows of a table that went or let go, or would.
    pub fn count_dependants(&mut self, purpose: Purpose, table: &str, rows: u64) {
        let counts = if purpose == Purpose::Delete { &mut self.gone } else { &mut self.changed };
        if rows > 0 {
            *counts.entry(table) += rows;
        }
    }

    /// Counts rows of a sweep's own table that went, or would.
    pub fn count_own(&mut self, step: usize, table: &str, rows: u64) {
        if self.by_sweep.len() <= step {
            self.by_sweep.resize(step + 1, 0);
        }
        if let Some(count) = self.by_sweep.get_mut(step) {
            *count += rows;
        }
        self.count(table, rows);
    }

    /// Where the run stands.
    #[must_use]
    pub fn progress(&self, order: &Order, work: &Work, place: &Place, total: u64) -> Progress {
        let steps = work.sweeps.len();
        let step = place.step.min(steps.saturating_sub(1));
        Progress {
            job: order.job.name.to_owned(),
            table: work.sweeps.get(step).map(|sweep| sweep.table.clone()).unwrap_or_default(),
            step: step + 1,
            steps,
            walked: place.walked,
            total: total.max(place.walked),
            selected: self.selected,
            removed: self.gone.values().sum(),
            elapsed_ms: self.elapsed_ms,
        }
    }

    /// The report: complete, or to be gone on with from a place.
    #[must_use]
    pub fn report(&self, order: &Order, work: &Work, rest: Option<&Place>) -> Report {
        let complete = rest.is_none();
        let counts: Vec<u64> =
            (0..work.sweeps.len()).map(|step| self.by_sweep.get(step).copied().unwrap_or_default()).collect();
        let mut warnings = self.warnings.clone();
        warnings.extend(self.unreadable.iter().filter(|(_, rows)| **rows > 0).map(|(table, rows)| {
            format!("{rows} row(s) of `{table}` have an instant that cannot be read, and were kept for that if for nothing else")
        }));
        if self.restricted > 0 {
            warnings.push(format!(
                "{} stale row(s) were kept because rows that restrict their removal point at them or at what would go with them",
                self.restricted
            ));
        }
        if self.held > 0 {
            warnings.push(format!(
                "{} stale row(s) were kept because somebody held them, or what would go with them, and they were not visited once more, \
                 or in vain, or because a trigger kept them; the next pass tries again",
                self.held
            ));
        }
        if self.uncertain > 0 {
            let counted = if order.ledger.is_some() { "in the ledger alone" } else { "not in the counts" };
            warnings.push(format!(
                "the connection was lost during at least {} slice(s): what the database did of them all the same is {counted}",
                self.uncertain
            ));
        }
        Report {
            job: order.job.name.to_owned(),
            dry_run: order.dry_run,
            now: order.now,
            cutoff: work.cutoff,
            selected: self.selected,
            restricted: self.restricted,
            held: self.held,
            removed: if order.dry_run { Named::default() } else { self.gone.clone() },
            would_remove: order.dry_run.then(|| self.gone.clone()),
            changed: if order.dry_run { Named::default() } else { self.changed.clone() },
            would_change: order.dry_run.then(|| self.changed.clone()),
            complete,
            checkpoint: rest.map(|place| {
                Checkpoint::new(order.job.name, order.now, order.fingerprint(), self.schema.clone(), place.clone())
            }),
            slices: self.slices,
            uncertain: (self.uncertain > 0).then_some(self.uncertain),
            elapsed_ms: self.elapsed_ms.round(),
            warnings,
            summary: work.summary(&counts, order.dry_run, complete),
        }
    }
}
