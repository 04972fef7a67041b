//! What a run did.

use crate::checkpoint::Checkpoint;
use crate::instant::Instant;
use crate::named::Named;
use serde::Serialize;

/// What a run did. Nothing is counted that did not happen.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The job's name.
    pub job: String,
    /// Whether it was a dry run, which changes nothing.
    pub dry_run: bool,
    /// The instant that the run judged by.
    pub now: Instant,
    /// The instant before which a row is stale, for jobs that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutoff: Option<Instant>,
    /// Rows of the job's own tables that were found stale, restricted ones included.
    pub selected: u64,
    /// Stale rows that were kept because a restricting row points at them, or at something that would go with them.
    pub restricted: u64,
    /// Stale rows that were kept because somebody else held them, or what would go with them, at both visits.
    pub held: u64,
    /// Rows truly removed, by table, dependants included. Empty in a dry run.
    pub removed: Named<u64>,
    /// In a dry run, what a real run would remove.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_remove: Option<Named<u64>>,
    /// How often rows let go of one that went, by table: their columns became NULL or took their default. A row that lets go
    /// twice counts twice, and one that goes later is removed besides. Empty in a dry run.
    pub changed: Named<u64>,
    /// In a dry run, what a real run would change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_change: Option<Named<u64>>,
    /// Whether the whole pass is done.
    pub complete: bool,
    /// Where the next run goes on; present unless complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// Atomic units that were performed.
    pub slices: u64,
    /// Further ones, at least so many, of which nobody knows whether they were: the connection was lost before the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncertain: Option<u64>,
    /// Milliseconds that the run took, to the whole one.
    pub elapsed_ms: f64,
    /// Sentences about what a person should look at.
    pub warnings: Vec<String>,
    /// The outcome in one sentence.
    pub summary: String,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The job's name.
    pub job: String,
    /// The table that is walked.
    pub table: String,
    /// Which of the job's sweeps this is, from 1.
    pub step: usize,
    /// How many sweeps the job has.
    pub steps: usize,
    /// Rows of this table walked so far.
    pub walked: u64,
    /// Rows of this table when its sweep began.
    pub total: u64,
    /// Stale rows found so far, over all sweeps.
    pub selected: u64,
    /// Rows removed so far, or in a dry run those that would be, dependants included, over all sweeps.
    pub removed: u64,
    /// Milliseconds since the run began.
    pub elapsed_ms: f64,
}
