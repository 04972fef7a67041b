//! The state machine of a job on an SQL store: reads the schema, plans, and then walks each table once, slice by slice.
//!
//! A slice is a find, which only reads, and then the atomic unit that removes what is still stale in the part of the
//! table that the find has covered. Nothing is remembered of which rows were found: the removal asks the rule again.
//!
//! Several lanes may work at the same time, each on parts of the table that no other has claimed. A table is begun when all
//! lanes are done with the one before.

use super::journal::Journal;
use super::lane::{Lane, Phase};
use super::prepare::Prepared;
use super::retry::{Chance, Doing, Verdict, judge};
use super::row_lease::RowLease;
use super::walk::Walk;
use crate::checkpoint::{Checkpoint, Place};
use crate::dialect::{Dialect, Found};
use crate::effect::{Answer, Effect, Failure, Outcome, Step};
use crate::error::{Error, unexpected};
use crate::report::{Progress, Report};
use crate::request::Order;
use crate::work::Work;

mod asking;
mod beginning;
mod walking;

/// A run on an SQL store.
pub struct SqlRun {
    order: Order,
    dialect: &'static dyn Dialect,
    checkpoint: Option<Checkpoint>,
    stage: Stage,
    work: Work,
    sweeps: Vec<Prepared>,
    place: Place,
    walk: Walk,
    lanes: Vec<Lane>,
    /// What tells the connection that holds the lease.
    lease: String,
    /// The lease that is a row, where it is to be one.
    row_lease: Option<RowLease>,
    journal: Journal,
    /// The lane that the run ended with.
    ended_by: Option<usize>,
    /// Where the run stood after the last slice, until it is told.
    progress: Option<Progress>,
}

/// How often in a row a lane may fail, by turns in one way and another.
const MOST_FAILURES: u32 = 30;

/// How far the run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The store has not answered yet.
    Begun,
    /// One lane prepares the run, or the next table.
    Preparing,
    /// All lanes walk the table in hand.
    Walking,
    /// No slice is begun any more.
    Stopping,
    /// Nothing is done any more.
    Ended,
}

impl SqlRun {
    /// A run that has not begun.
    #[must_use]
    pub fn new(order: Order, dialect: &'static dyn Dialect, checkpoint: Option<Checkpoint>) -> Self {
        let work = Work { opening: String::new(), cutoff: None, sweeps: vec![], warnings: vec![] };
        let target_ms = order.slice_ms.unwrap_or_else(|| dialect.slice_ms());
        let seeds = (0u64..).map(|lane| order.seed.wrapping_add(lane));
        let lanes = seeds.take(order.concurrency.max(1)).map(|seed| Lane::new(target_ms, Chance::new(seed)));
        Self {
            lanes: lanes.collect(),
            order,
            dialect,
            checkpoint,
            stage: Stage::Begun,
            work,
            sweeps: vec![],
            place: Place::default(),
            walk: Walk::default(),
            lease: String::new(),
            row_lease: None,
            journal: Journal::default(),
            ended_by: None,
            progress: None,
        }
    }

    /// Takes in what came of the last effect of a lane and says what it is to do next.
    ///
    /// # Errors
    /// See [`Error`]; nothing beyond the slices in the report has been done.
    pub fn next(&mut self, outcome: Outcome) -> Result<Step, Error> {
        let at = outcome.lane;
        let Some(lane) = self.lanes.get_mut(at) else { return Err(unexpected("a lane of this run")) };
        if self.stage == Stage::Ended && self.ended_by == Some(at) {
            return Err(unexpected("nothing more: the run has ended"));
        }
        // Of a run that has ended for another lane, a slice that was in hand is counted still.
        if self.stage == Stage::Ended && !matches!(lane.phase, Phase::Remove { .. }) {
            return Ok(Step { effect: Effect::Park, progress: None });
        }
        let took_ms = outcome.elapsed_ms - lane.since_ms;
        let phase = std::mem::replace(&mut lane.phase, Phase::Idle);
        self.journal.elapsed_ms = self.journal.elapsed_ms.max(outcome.elapsed_ms);
        // A bound that nothing fits into must not end every run before it has got anywhere.
        if outcome.aborted || self.journal.walked && self.order.bounds.time_is_up(outcome.elapsed_ms) {
            self.stop();
        }
        let effect = match outcome.answer {
            Answer::Failed(failure) => self.failed(at, phase, failure),
            answer => self.answered(at, phase, answer, took_ms),
        };
        if matches!(effect, Err(_) | Ok(Effect::Done(_) | Effect::Planned(_) | Effect::Parted(_) | Effect::Fail)) {
            self.stage = Stage::Ended;
            self.ended_by = Some(at);
        }
        let effect = effect?;
        self.journal.statements += match &effect {
            Effect::Query(_) | Effect::Lease(_) => 1,
            Effect::Batch(statements) => statements.len() as u64,
            _ => 0,
        };
        if let Some(lane) = self.lanes.get_mut(at) {
            lane.since_ms = outcome.elapsed_ms;
        }
        Ok(Step { effect, progress: self.progress.take() })
    }

    /// The report of a run that failed: what had been done before.
    #[must_use]
    pub fn fail(&self) -> Report {
        let place = self.rest();
        let rest = self.sweeps.is_empty() || place.step < self.sweeps.len();
        self.report(rest.then_some(&place))
    }

    fn answered(&mut self, at: usize, phase: Phase, answer: Answer, took_ms: f64) -> Result<Effect, Error> {
        // What is found, and then cannot be removed, is no progress.
        if let (Phase::Schema(_) | Phase::Writable | Phase::Open, Some(lane)) = (&phase, self.lanes.get_mut(at)) {
            lane.is_well();
        }
        if let (Some(lane), false) = (self.lanes.get_mut(at), answer == Answer::Waited) {
            lane.lost = false;
        }
        match phase {
            Phase::Idle if self.stage == Stage::Begun && at == 0 => self.read_schema(at, vec![]),
            Phase::Idle | Phase::Pause => self.go_on(at),
            Phase::Again(again) => {
                let stops = self.stage == Stage::Stopping && matches!(*again, Phase::Open);
                if stops { self.go_on(at) } else { self.ask(at, *again) }
            }
            Phase::Schema(mut results) => {
                results.push(answer.rows()?);
                self.read_schema(at, results)
            }
            Phase::Lease => self.leased(at, &answer.rows()?),
            Phase::TakeRow => self.row_taken(at, answer),
            Phase::Renew => {
                if let Some(lease) = &mut self.row_lease {
                    lease.renewed_ms = self.journal.elapsed_ms;
                }
                self.go_on(at)
            }
            Phase::Release(end) => Ok(*end),
            Phase::Writable => {
                answer.ran(0)?;
                self.open(at)
            }
            Phase::Open => self.opened(at, &answer.rows_read()?),
            Phase::Find => self.found(at, Found::read(&answer.rows_read()?)?, took_ms),
            Phase::Remove { found, statements } => self.removed(at, found, answer, statements, took_ms),
            Phase::Count { found } => self.counted(at, &found, &answer.rows_read()?, took_ms),
        }
    }

    /// Makes the best of a failure of the store.
    fn failed(&mut self, at: usize, phase: Phase, failure: Failure) -> Result<Effect, Error> {
        if let Phase::Release(end) = phase {
            // It ends by itself.
            return Ok(*end);
        }
        if matches!((&phase, failure), (Phase::TakeRow, Failure::Locked | Failure::Timeout)) {
            let holder = "somebody whose transaction has locked its row of `idp_janitor_leases`".to_owned();
            return Err(Error::Leased { job: self.order.job.name.to_owned(), holder });
        }
        if matches!((&phase, failure), (Phase::TakeRow, Failure::Denied)) {
            return Err(Error::LeaseDenied { job: self.order.job.name.to_owned() });
        }
        // As a rule there is no table of leases yet. What else was wrong, making it will tell.
        if matches!((&phase, failure), (Phase::TakeRow, Failure::Other | Failure::Constraint))
            && self.row_lease.as_mut().is_some_and(RowLease::makes_table)
        {
            return self.ask(at, Phase::TakeRow);
        }
        let doing = match (&phase, self.dialect.slices().skip_what_is_held()) {
            (Phase::Remove { .. }, true) | (Phase::Renew, _) => Doing::SharedSlice,
            (Phase::Remove { .. }, false) => Doing::AloneSlice,
            (Phase::Find | Phase::Count { .. }, false) => Doing::AloneLook,
            (Phase::Open, true) => Doing::Opening,
            (Phase::Find | Phase::Count { .. }, true) => Doing::SharedLook,
            _ => Doing::Reading,
        };
        let Some(lane) = self.lanes.get_mut(at) else { return Err(unexpected("a lane of this run")) };
        // Patience with one kind of failure is no patience with another.
        if lane.failed_by != Some(failure) {
            lane.failures = 0;
        }
        let lost_before = std::mem::replace(&mut lane.lost, failure == Failure::Unavailable);
        lane.failed_by = Some(failure);
        lane.failures += 1;
        lane.failures_in_all += 1;
        // An address that leads nowhere does so the next time, too.
        let verdict = if self.stage == Stage::Begun || lane.failures_in_all > MOST_FAILURES {
            Verdict::Fail
        } else {
            judge(failure, doing, lane.failures, lane.chance.draw())
        };
        let asks = |lease: &RowLease| match phase {
            Phase::Remove { .. } => lease.before_slice().is_some(),
            _ => matches!(phase, Phase::Renew),
        };
        if failure == Failure::Constraint && !lane.asked_for_lease && self.row_lease.as_ref().is_some_and(asks) {
            // Another may have taken the lease; if not, it was something else, and will fail again.
            lane.asked_for_lease = true;
            return self.ask(at, Phase::TakeRow);
        }
        if failure == Failure::Unavailable && matches!(phase, Phase::Remove { .. }) {
            self.walk.uncertain = true;
            // Of one that is lost upon another, nothing was sent, as a rule.
            self.journal.uncertain += u64::from(!lost_before);
        }
        match (verdict, phase) {
            (Verdict::Fail, _) => Ok(Effect::Fail),
            (Verdict::Again(ms), Phase::Remove { .. }) => {
                // Of one that is lost upon another, it was too much for the client's patience, where it was sent at all.
                if failure != Failure::Unavailable || lost_before {
                    lane.pace.shrink(matches!(failure, Failure::Timeout | Failure::Unavailable));
                }
                Ok(self.hand(at, Phase::Pause, Effect::Wait(ms)))
            }
            (Verdict::Again(ms), Phase::Find | Phase::Count { .. }) => {
                // What was found, and then not counted, is looked for again.
                if failure == Failure::Timeout || failure == Failure::Unavailable && lost_before {
                    lane.pace.shrink(true);
                }
                if lane.claim.is_none() {
                    self.walk.finding = false;
                }
                Ok(self.hand(at, Phase::Pause, Effect::Wait(ms)))
            }
            (Verdict::PassOver, Phase::Remove { found: Some(found), .. }) => self.walk_on(at, &found, 0),
            (Verdict::PassOver, Phase::Remove { found: None, .. }) => {
                // How much is passed over has not been told yet.
                lane.looks = true;
                self.go_on(at)
            }
            (Verdict::Again(ms), phase) => Ok(self.hand(at, Phase::Again(Box::new(phase)), Effect::Wait(ms))),
            (Verdict::PassOver, _) => Ok(Effect::Fail),
        }
    }
}
