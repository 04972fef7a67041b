//! The state machine of a job on an SQL store: reads the schema, plans, and then walks each table once, slice by slice.
//!
//! A slice is a find, which only reads, and then the atomic unit that removes what is still stale in the part of the
//! table that the find has covered. Nothing is remembered of which rows were found: the removal asks the rule again.
//!
//! Several lanes may work at the same time, each on parts of the table that no other has claimed. A table is begun when all
//! lanes are done with the one before.

use super::journal::Journal;
use super::lane::{Lane, Phase};
use super::prepare::{Prepared, prepare, tables};
use super::retry::{Chance, Doing, Verdict, judge};
use super::row_lease::RowLease;
use super::statements::Filling;
use super::walk::Walk;
use crate::checkpoint::{Checkpoint, Place};
use crate::dialect::{Dialect, Found, unexpected};
use crate::effect::{Answer, Cell, Effect, Failure, Outcome, Rows, Statement, Step};
use crate::error::Error;
use crate::jobs::Work;
use crate::report::{Progress, Report};
use crate::request::Order;

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

/// How often in a row a lane takes the lease anew before it gives up.
const LEASES_LOST: u32 = 5;

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
        // Of a run that has ended for another lane, a slice that was in hand is counted still.
        if self.stage == Stage::Ended && (self.ended_by == Some(at) || !matches!(lane.phase, Phase::Remove { .. })) {
            return Err(unexpected("nothing more: the run has ended"));
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
        if matches!(effect, Err(_) | Ok(Effect::Done(_) | Effect::Planned(_) | Effect::Fail)) {
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
        self.journal.report(&self.order, &self.work, rest.then_some(&place))
    }

    fn answered(&mut self, at: usize, phase: Phase, answer: Answer, took_ms: f64) -> Result<Effect, Error> {
        // What is found, and then cannot be removed, is no progress.
        if let (Phase::Schema(_) | Phase::Writable | Phase::Open, Some(lane)) = (&phase, self.lanes.get_mut(at)) {
            lane.failures = 0;
        }
        match phase {
            Phase::Idle if self.stage == Stage::Begun && at == 0 => self.read_schema(at, vec![]),
            Phase::Idle | Phase::Pause => self.go_on(at),
            Phase::Again(again) => {
                let (phase, effect) = *again;
                if self.stage == Stage::Stopping && matches!(phase, Phase::Open | Phase::Find | Phase::Count { .. }) {
                    return self.go_on(at);
                }
                Ok(self.ask(at, phase, effect))
            }
            Phase::Schema(mut results) => {
                results.push(answer.rows()?);
                self.read_schema(at, results)
            }
            Phase::Lease => self.leased(at, &answer.rows()?),
            Phase::TakeRow => self.row_taken(at, answer),
            Phase::Renew => {
                answer.ran(1)?;
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
            Phase::Open => self.opened(at, &answer.rows()?),
            Phase::Find => self.found(at, Found::read(&answer.rows_read()?)?, took_ms),
            Phase::Remove { found, statements } => self.removed(at, &found, answer, statements, took_ms),
            Phase::Count { found } => self.counted(at, &found, &answer.rows_read()?, took_ms),
        }
    }

    /// Hands an effect to a lane's host.
    fn ask(&mut self, at: usize, phase: Phase, effect: Effect) -> Effect {
        if let Some(lane) = self.lanes.get_mut(at) {
            lane.phase = phase;
        }
        effect
    }

    /// Makes the best of a failure of the store.
    fn failed(&mut self, at: usize, phase: Phase, failure: Failure) -> Result<Effect, Error> {
        if let Phase::Release(end) = phase {
            // It ends by itself.
            return Ok(*end);
        }
        let doing = match (&phase, self.dialect.slices().skip_what_is_held()) {
            (Phase::Remove { .. }, true) => Doing::SharedSlice,
            (Phase::Remove { .. }, false) => Doing::AloneSlice,
            _ => Doing::Reading,
        };
        let Some(lane) = self.lanes.get_mut(at) else { return Err(unexpected("a lane of this run")) };
        lane.failures += 1;
        // An address that leads nowhere does so the next time, too.
        let verdict = if self.stage == Stage::Begun {
            Verdict::Fail
        } else {
            judge(failure, doing, lane.failures, lane.chance.next())
        };
        if failure == Failure::Constraint
            && lane.failures == 1
            && matches!(phase, Phase::Remove { .. } | Phase::Renew)
            && let Some(lease) = &self.row_lease
        {
            // Another may have taken the lease; if not, it was something else, and will fail again.
            let effect = Effect::Batch(lease.take());
            return Ok(self.ask(at, Phase::TakeRow, effect));
        }
        match (verdict, phase) {
            (Verdict::Fail, _) => Ok(Effect::Fail),
            (Verdict::Again(ms), Phase::Remove { .. }) => {
                if failure == Failure::Unavailable {
                    self.journal.uncertain += 1;
                } else {
                    lane.pace.shrink();
                }
                Ok(self.ask(at, Phase::Pause, Effect::Wait(ms)))
            }
            (Verdict::PassOver, Phase::Remove { found, .. }) => self.walk_on(at, &found, 0),
            (Verdict::Again(ms), phase) => {
                let Some(effect) = self.effect_of(at, &phase) else { return Ok(Effect::Fail) };
                Ok(self.ask(at, Phase::Again(Box::new((phase, effect))), Effect::Wait(ms)))
            }
            (Verdict::PassOver, _) => Ok(Effect::Fail),
        }
    }

    /// What a lane's host was asked in a phase in which it reads.
    fn effect_of(&self, at: usize, phase: &Phase) -> Option<Effect> {
        let lane = self.lanes.get(at)?;
        let sweep = self.sweeps.get(self.place.step);
        let query = |template: &crate::rule::sql::Template| Effect::Query(template.fill(self.dialect, &lane.filling));
        match phase {
            Phase::Schema(results) => self
                .dialect
                .schema_queries()
                .get(results.len())
                .map(|query| Effect::Query(Statement { sql: (*query).to_owned(), params: vec![] })),
            Phase::Lease => self.lease_effect(),
            Phase::TakeRow => self.row_lease.as_ref().map(|lease| Effect::Batch(lease.take())),
            Phase::Renew => self.row_lease.as_ref().map(|lease| Effect::Batch(vec![lease.renew()])),
            Phase::Writable => Some(Effect::Batch(vec![])),
            Phase::Open => sweep.map(|sweep| query(&sweep.templates.open)),
            Phase::Find => sweep.map(|sweep| self.reading(sweep.templates.find.fill(self.dialect, &lane.filling))),
            Phase::Count { .. } => {
                let count = sweep?.templates.count.as_ref()?;
                Some(self.reading(count.fill(self.dialect, &lane.filling)))
            }
            _ => None,
        }
    }

    /// A statement that reads much, with what has to be said before it.
    fn reading(&self, statement: Statement) -> Effect {
        let before = self.dialect.before_reading();
        if before.is_empty() {
            return Effect::Query(statement);
        }
        let before = before.iter().map(|sql| Statement { sql: (*sql).to_owned(), params: vec![] });
        Effect::Batch(before.chain([statement]).collect())
    }

    fn lease_effect(&self) -> Option<Effect> {
        let lease = self.dialect.lease(self.order.job.name)?;
        Some(Effect::Lease(Statement { sql: lease.take, params: vec![] }))
    }

    fn read_schema(&mut self, at: usize, results: Vec<Rows>) -> Result<Effect, Error> {
        if !results.is_empty() && self.stage == Stage::Begun {
            self.stage = Stage::Preparing;
        }
        let queries = self.dialect.schema_queries();
        if let Some(query) = queries.get(results.len()) {
            let effect = Effect::Query(Statement { sql: (*query).to_owned(), params: vec![] });
            return Ok(self.ask(at, Phase::Schema(results), effect));
        }
        let schema = self.dialect.schema(&results)?;
        let (work, sweeps, plan) = prepare(&self.order, self.dialect, &schema)?;
        if self.order.plan_only {
            return Ok(Effect::Planned(plan));
        }
        self.journal.warnings = plan.warnings;
        self.journal.schema = Some(schema.fingerprint(tables(&work, &sweeps)));
        (self.work, self.sweeps) = (work, sweeps);
        self.resume()?;
        self.check_statement_bound()?;
        if self.order.dry_run {
            return self.open(at);
        }
        if let Some(holder) = self.order.row_lease.clone().filter(|_| self.dialect.leases_rows()) {
            let lease = RowLease::new(self.order.job.name, holder);
            let effect = Effect::Batch(lease.take());
            self.row_lease = Some(lease);
            return Ok(self.ask(at, Phase::TakeRow, effect));
        }
        match self.lease_effect().filter(|_| self.order.session) {
            Some(effect) => Ok(self.ask(at, Phase::Lease, effect)),
            None => Ok(self.ask(at, Phase::Writable, Effect::Batch(vec![]))),
        }
    }

    /// The lease has been asked for: at the beginning of the run, or again by a lane that found it lost.
    fn leased(&mut self, at: usize, rows: &Rows) -> Result<Effect, Error> {
        let [row] = rows.as_slice() else { return Err(unexpected("one row that takes the lease")) };
        let [taken, token, holder, ..] = row.as_slice() else {
            return Err(unexpected("three columns that take the lease"));
        };
        if taken.count()? != 1 {
            let holder = holder.text().unwrap_or_else(|| "somebody whom the database does not name".into());
            return Err(Error::Leased { job: self.order.job.name.to_owned(), holder });
        }
        self.lease =
            token.text().filter(|token| token.parse::<u64>().is_ok()).ok_or_else(|| unexpected("a connection"))?;
        if self.stage == Stage::Preparing && self.walk.cursor.is_none() {
            return Ok(self.ask(at, Phase::Writable, Effect::Batch(vec![])));
        }
        self.go_on(at)
    }

    /// The lease that is a row has been asked for: at the beginning of the run, or again where it may be lost.
    fn row_taken(&mut self, at: usize, answer: Answer) -> Result<Effect, Error> {
        let ran = answer.ran(3)?;
        let cell = |statement: usize, column: usize| {
            ran.get(statement).and_then(|ran| ran.rows.first()).and_then(|row| row.get(column)).and_then(Cell::text)
        };
        let Some(lease) = &mut self.row_lease else { return Err(unexpected("a lease")) };
        let Some(fence) = cell(1, 0) else {
            let holder = format!("{}, until {}", cell(2, 0).unwrap_or_default(), cell(2, 1).unwrap_or_default());
            return Err(Error::Leased { job: self.order.job.name.to_owned(), holder });
        };
        lease.fence = fence;
        lease.renewed_ms = self.journal.elapsed_ms;
        if self.walk.last.is_empty() { self.open(at) } else { self.go_on(at) }
    }

    fn resume(&mut self) -> Result<(), Error> {
        let Some(checkpoint) = self.checkpoint.take() else { return Ok(()) };
        let is_position = |place: &Place| place.from.as_deref().is_none_or(|from| self.dialect.is_position(from));
        match checkpoint.place(&self.order.fingerprint()) {
            Some(place) if place.step < self.sweeps.len() && is_position(&place) => {
                checkpoint.check_schema(self.journal.schema.as_deref())?;
                self.place = place;
            }
            Some(_) => return Err(Error::InvalidCheckpoint { why: "it names no place in this job".into() }),
            None => self
                .journal
                .warnings
                .push("the settings are not those of the checkpoint, so the pass began anew from the beginning".into()),
        }
        Ok(())
    }

    /// A bound within which not even one slice fits would end every run before it has done anything.
    fn check_statement_bound(&self) -> Result<(), Error> {
        let slice = self.sweeps.iter().map(|sweep| sweep.slice_statements(self.dialect)).max().unwrap_or_default();
        // The schema, the lease, the opening of each table, a find, and the slice.
        let leases = match (&self.order.row_lease, self.order.dry_run) {
            (_, true) => 0,
            // To take it, to renew it in the slice, and to give it back.
            (Some(_), _) => 5,
            (None, _) => usize::from(self.order.session),
        };
        let find = 1 + self.dialect.before_reading().len();
        let least = self.dialect.schema_queries().len() + leases + self.sweeps.len() + find + slice;
        if self.order.bounds.allow_statements(least as u64) {
            return Ok(());
        }
        Err(Error::InvalidSetting {
            name: "maxStatements".into(),
            value: self.order.bounds.max_statements.unwrap_or_default().to_string(),
            expected: format!("{least} or more for this job on this database, or no run would ever get anywhere"),
        })
    }

    /// Begins the walk of the next table, or ends.
    fn open(&mut self, at: usize) -> Result<Effect, Error> {
        let Some(sweep) = self.sweeps.get(self.place.step) else { return Ok(self.done(at, None)) };
        // No walk is begun that would end before its first slice.
        let least = 2 + self.dialect.before_reading().len() + sweep.slice_statements(self.dialect);
        if self.stage == Stage::Stopping || !self.allows(least) {
            return Ok(self.end_early(at));
        }
        let effect = Effect::Query(sweep.templates.open.fill(self.dialect, &Filling::default()));
        self.stage = Stage::Preparing;
        Ok(self.ask(at, Phase::Open, effect))
    }

    fn opened(&mut self, at: usize, rows: &Rows) -> Result<Effect, Error> {
        let [row] = rows.as_slice() else { return Err(unexpected("one row that opens a walk")) };
        let [total, first, last] = row.as_slice() else { return Err(unexpected("three columns that open a walk")) };
        let total = total.count()?;
        let (Some(first), Some(last)) = (first.text(), last.text()) else { return self.next_table(at) };
        let from = self.place.from.clone().unwrap_or(first);
        self.walk = Walk::new(from, last, total);
        if self.stage == Stage::Preparing {
            self.stage = Stage::Walking;
        }
        self.go_on(at)
    }

    fn next_table(&mut self, at: usize) -> Result<Effect, Error> {
        self.place = Place { step: self.place.step + 1, from: None, walked: 0 };
        self.walk = Walk::default();
        self.open(at)
    }

    /// What a lane does that has nothing in hand but its claim.
    fn go_on(&mut self, at: usize) -> Result<Effect, Error> {
        let others_busy = self.lanes.iter().enumerate().any(|(other, lane)| other != at && lane.is_busy());
        match self.stage {
            Stage::Stopping if others_busy => return Ok(Effect::Park),
            Stage::Stopping => return Ok(self.end_early(at)),
            Stage::Walking => {}
            Stage::Begun | Stage::Preparing | Stage::Ended => return Ok(Effect::Park),
        }
        let one_by_one = self.sweeps.get(self.place.step).is_some_and(|sweep| sweep.one_by_one);
        let Some(lane) = self.lanes.get_mut(at) else { return Err(unexpected("a lane of this run")) };
        if lane.claim.is_none() && one_by_one && others_busy {
            return Ok(Effect::Park);
        }
        if lane.claim.is_none() && self.walk.cursor.is_none() && !others_busy {
            lane.claim = self.walk.claim_again();
            if lane.claim.is_none() {
                return self.next_table(at);
            }
        }
        if lane.claim.is_none() && (self.walk.cursor.is_none() || self.walk.finding) {
            // Parts that are visited once more may be shared out when all of the first visit is done.
            let first_visit = self.lanes.iter().any(|lane| lane.claim.as_ref().is_some_and(|claim| !claim.again));
            let shared = (!first_visit && self.walk.cursor.is_none()).then(|| self.walk.claim_again()).flatten();
            match (shared, self.lanes.get_mut(at)) {
                (Some(claim), Some(lane)) => lane.claim = Some(claim),
                _ => return Ok(Effect::Park),
            }
        }
        self.find(at)
    }

    /// How many stale rows the next slice may take.
    fn take(&self, at: usize) -> u64 {
        let Some(sweep) = self.sweeps.get(self.place.step) else { return 1 };
        let take = if sweep.one_by_one {
            1
        } else if self.order.dry_run && sweep.templates.count.is_none() {
            // There is nothing to be done about them but to have found them.
            u64::from(u32::MAX)
        } else {
            self.lanes.get(at).map_or(1, |lane| lane.pace.take())
        };
        take.min(self.rows_left().max(1))
    }

    /// Whether so many more statements are within the bounds.
    fn allows(&self, statements: usize) -> bool {
        // A lease that is a row is renewed in each slice, and given back at the end.
        let leases = 2 * usize::from(self.row_lease.is_some());
        self.order.bounds.allow_statements(self.journal.statements + (statements + leases) as u64)
    }

    /// How many more rows the bounds allow, those that other lanes are about to take counted.
    fn rows_left(&self) -> u64 {
        let in_hand: u64 = self.lanes.iter().map(Lane::in_hand).sum();
        let taken = self.journal.selected - self.journal.restricted + in_hand;
        self.order.bounds.max_rows.map_or(u64::MAX, |max| max.saturating_sub(taken))
    }

    /// Looks for what is stale, in a lane's claim or from the cursor.
    fn find(&mut self, at: usize) -> Result<Effect, Error> {
        let take = self.take(at);
        let Some(sweep) = self.sweeps.get(self.place.step) else { return self.open(at) };
        if !self.allows(1 + self.dialect.before_reading().len() + sweep.slice_statements(self.dialect)) {
            self.stop();
            return self.go_on(at);
        }
        if let Some(lease) = self.row_lease.as_ref().filter(|lease| lease.is_old(self.journal.elapsed_ms)) {
            let effect = Effect::Batch(vec![lease.renew()]);
            return Ok(self.ask(at, Phase::Renew, effect));
        }
        let Some(lane) = self.lanes.get_mut(at) else { return Err(unexpected("a lane of this run")) };
        let (from, last) = match (&lane.claim, &self.walk.cursor) {
            (Some(claim), _) => (claim.from.clone(), claim.upto.clone()),
            (None, Some(cursor)) => {
                self.walk.finding = true;
                (cursor.clone(), self.walk.last.clone())
            }
            (None, None) => return Ok(Effect::Park),
        };
        let window = lane.pace.window();
        let upto = self.dialect.window_end(&from, window, &last);
        lane.filling = Filling { from, upto, window, take, lease: self.lease.clone() };
        let statement = sweep.templates.find.fill(self.dialect, &lane.filling);
        let effect = self.reading(statement);
        Ok(self.ask(at, Phase::Find, effect))
    }

    fn found(&mut self, at: usize, found: Found, took_ms: f64) -> Result<Effect, Error> {
        let rows_left = self.rows_left();
        let (Some(lane), Some(sweep)) = (self.lanes.get_mut(at), self.sweeps.get(self.place.step)) else {
            return Err(unexpected("a sweep in hand"));
        };
        let removable = found.removable();
        let full = removable >= lane.filling.take;
        lane.pace.found(full.then_some(found.walked), took_ms);
        let from_cursor = lane.claim.is_none();
        if from_cursor {
            self.walk.finding = false;
        }
        let Some(upto) = found.upto.clone() else {
            // Nothing was left to walk.
            if from_cursor {
                self.walk.cursor = None;
            }
            lane.claim = None;
            return self.go_on(at);
        };
        if removable > 0 && rows_left == 0 {
            self.stop();
            return self.go_on(at);
        }
        if from_cursor {
            let claim = self.walk.claim(lane.filling.from.clone(), upto.clone(), false);
            lane.claim = Some(claim);
            self.walk.cursor =
                if upto == self.walk.last { None } else { found.next.clone().or_else(|| self.dialect.after(&upto)) };
        }
        if removable == 0 {
            return self.walk_on(at, &found, 0);
        }
        if sweep.one_by_one {
            // What goes with this row, the last that was found, may change the rule for others.
            lane.filling.from.clone_from(&upto);
        }
        lane.filling.upto = upto;
        if !self.order.dry_run {
            let target_ms = self.order.slice_ms.unwrap_or_else(|| self.dialect.slice_ms());
            lane.filling.lease.clone_from(&self.lease);
            let mut statements = sweep.slice(self.dialect, target_ms, &lane.filling);
            statements.splice(0..0, self.row_lease.iter().map(RowLease::renew));
            let phase = Phase::Remove { found, statements: statements.len() };
            return Ok(self.ask(at, phase, Effect::Batch(statements)));
        }
        match &sweep.templates.count {
            Some(count) => {
                let statement = count.fill(self.dialect, &lane.filling);
                let effect = self.reading(statement);
                Ok(self.ask(at, Phase::Count { found }, effect))
            }
            None => {
                self.would_remove(&found);
                self.walk_on(at, &found, removable)
            }
        }
    }

    fn removed(
        &mut self,
        at: usize,
        found: &Found,
        answer: Answer,
        statements: usize,
        took_ms: f64,
    ) -> Result<Effect, Error> {
        let mut results = answer.ran(statements)?;
        if let Some(lease) = &mut self.row_lease {
            lease.renewed_ms = self.journal.elapsed_ms;
            results.remove(0);
        }
        let Some(sweep) = self.sweeps.get(self.place.step) else { return Err(unexpected("a sweep in hand")) };
        let outcome = sweep.outcome(self.dialect, &results)?;
        if !outcome.leased {
            let (Some(effect), Some(lane)) = (self.lease_effect(), self.lanes.get_mut(at)) else {
                return Err(unexpected("a lease"));
            };
            lane.failures += 1;
            if lane.failures > LEASES_LOST {
                let holder =
                    "nobody keeps it, for the locks of a connection do not last here (is there a pooler in between?)";
                return Err(Error::Leased { job: self.order.job.name.to_owned(), holder: holder.into() });
            }
            return Ok(self.ask(at, Phase::Lease, effect));
        }
        for (purpose, table, rows) in outcome.dependants {
            self.journal.count_dependants(purpose, &table, rows);
        }
        let table = sweep.table().to_owned();
        self.journal.count_own(self.place.step, &table, outcome.own);
        self.journal.slices += 1;
        if let Some(lane) = self.lanes.get_mut(at) {
            lane.pace.removed(found.stale, took_ms);
        }
        self.walk_on(at, found, outcome.own)
    }

    fn counted(&mut self, at: usize, found: &Found, rows: &Rows, took_ms: f64) -> Result<Effect, Error> {
        let Some(sweep) = self.sweeps.get(self.place.step) else { return Err(unexpected("a sweep in hand")) };
        let [row] = rows.as_slice() else { return Err(unexpected("the one row of a count")) };
        for ((purpose, table), cell) in sweep.templates.counted.iter().zip(row) {
            self.journal.count_dependants(*purpose, table, cell.count()?);
        }
        self.would_remove(found);
        if let Some(lane) = self.lanes.get_mut(at) {
            lane.pace.removed(found.stale, took_ms);
        }
        self.walk_on(at, found, found.removable())
    }

    fn would_remove(&mut self, found: &Found) {
        if let Some(sweep) = self.sweeps.get(self.place.step) {
            self.journal.count_own(self.place.step, sweep.table(), found.removable());
            self.journal.slices += 1;
        }
    }

    /// Goes on behind what a find has covered, and of which so many rows have gone.
    fn walk_on(&mut self, at: usize, found: &Found, gone: u64) -> Result<Effect, Error> {
        let (Some(lane), Some(sweep)) = (self.lanes.get_mut(at), self.sweeps.get(self.place.step)) else {
            return Err(unexpected("a sweep in hand"));
        };
        lane.failures = 0;
        let (Some(mut claim), Some(upto)) = (lane.claim.take(), found.upto.clone()) else {
            return Err(unexpected("a claim in hand"));
        };
        let held = if self.dialect.slices().skip_what_is_held() { found.removable().saturating_sub(gone) } else { 0 };
        if claim.again {
            self.journal.held += held;
        } else {
            self.journal.selected += found.stale;
            self.journal.restricted += found.restricted;
            if found.unreadable > 0 {
                *self.journal.unreadable.entry(sweep.table()) += found.unreadable;
            }
            self.place.walked += found.walked;
            if held > 0 {
                self.walk.visit_again(claim.from.clone(), upto.clone());
            }
        }
        self.journal.walked = true;
        let time_is_up = self.order.bounds.time_is_up(self.journal.elapsed_ms);
        if upto != claim.upto
            && let Some(next) = found.next.clone().or_else(|| self.dialect.after(&upto))
        {
            claim.from = next;
            lane.claim = Some(claim);
        }
        self.progress = Some(self.journal.progress(&self.order, &self.work, &self.place, self.walk.total));
        if time_is_up {
            self.stop();
        }
        let sliced = found.removable() > 0;
        if sliced && self.order.pause_ms > 0.0 && self.stage == Stage::Walking {
            return Ok(self.ask(at, Phase::Pause, Effect::Wait(self.order.pause_ms)));
        }
        self.go_on(at)
    }

    fn stop(&mut self) {
        if self.stage != Stage::Begun {
            self.stage = Stage::Stopping;
        }
    }

    /// Where the next run would have to go on.
    fn rest(&self) -> Place {
        let Place { step, walked, .. } = self.place.clone();
        let claims = self.lanes.iter().filter_map(|lane| lane.claim.as_ref());
        match self.walk.rest(claims) {
            Some(from) => Place { step, from: Some(from.to_owned()), walked },
            None if self.walk.last.is_empty() => self.place.clone(),
            None => Place { step: step + 1, from: None, walked: 0 },
        }
    }

    fn done(&mut self, at: usize, rest: Option<&Place>) -> Effect {
        let end = Effect::Done(Box::new(self.journal.report(&self.order, &self.work, rest)));
        match self.row_lease.take().filter(|lease| !lease.fence.is_empty()) {
            Some(lease) => self.ask(at, Phase::Release(Box::new(end)), Effect::Batch(vec![lease.release()])),
            None => end,
        }
    }

    fn end_early(&mut self, at: usize) -> Effect {
        let rest = self.rest();
        self.done(at, (rest.step < self.sweeps.len()).then_some(&rest))
    }
}
