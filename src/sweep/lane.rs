//! One of the lanes that work on a run at the same time, each with its own slice in hand.

use super::pace::Pace;
use super::retry::Chance;
use super::statements::Filling;
use super::walk::Claim;
use crate::dialect::Found;
use crate::effect::{Effect, Failure, Rows};

/// A lane.
pub struct Lane {
    /// What its host was asked last.
    pub phase: Phase,
    /// What it works on.
    pub claim: Option<Claim>,
    /// What its statements are filled with.
    pub filling: Filling,
    /// How large its slices are.
    pub pace: Pace,
    /// When its last effect was handed out, in milliseconds since the run began.
    pub since_ms: f64,
    /// Whether what it has claimed is only to be looked at.
    pub looks: bool,
    /// How often in a row what it does has failed in the same way.
    pub failures: u32,
    /// How often in a row it has failed in any way.
    pub failures_in_all: u32,
    /// How it failed last.
    pub failed_by: Option<Failure>,
    /// Whether its connection was lost, and nothing has been answered since.
    pub lost: bool,
    /// How often in a row it has found the lease lost.
    pub leases_lost: u32,
    /// Whether it has asked for the lease because of that.
    pub asked_for_lease: bool,
    /// Where its pauses differ from those of others.
    pub chance: Chance,
}

/// What a host was asked last.
pub enum Phase {
    /// Nothing.
    Idle,
    /// To read the schema; what has been read of it.
    Schema(Vec<Rows>),
    /// To take the lease.
    Lease,
    /// To take the lease that is a row.
    TakeRow,
    /// To renew it.
    Renew,
    /// To give it back, before the run ends with this.
    Release(Box<Effect>),
    /// Whether the store can be written to.
    Writable,
    /// To open the walk of a table.
    Open,
    /// To find what is stale in a window.
    Find,
    /// To remove it, or, in one, to find and to remove.
    Remove {
        /// What was found, where that came first.
        found: Option<Found>,
        /// How many statements that takes.
        statements: usize,
    },
    /// To count what would go with it.
    Count {
        /// What was found.
        found: Found,
    },
    /// To wait, and then go on with the claim in hand.
    Pause,
    /// To wait, and then do this again.
    Again(Box<Phase>),
}

impl Lane {
    /// An idle lane.
    #[must_use]
    pub fn new(target_ms: f64, chance: Chance) -> Self {
        Self {
            phase: Phase::Idle,
            claim: None,
            filling: Filling::default(),
            pace: Pace::new(target_ms),
            since_ms: 0.0,
            looks: false,
            failures: 0,
            failures_in_all: 0,
            failed_by: None,
            lost: false,
            leases_lost: 0,
            asked_for_lease: false,
            chance,
        }
    }

    /// Whether its host is at something.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !matches!(self.phase, Phase::Idle)
    }

    /// What it does has gone well.
    pub fn is_well(&mut self) {
        self.failures = 0;
        self.failures_in_all = 0;
        self.leases_lost = 0;
        self.failed_by = None;
        self.asked_for_lease = false;
    }
}
