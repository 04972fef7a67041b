//! What comes before the first slice of a run, and of each table: the schema, the plan, the lease, the place to begin at.

use super::{SqlRun, Stage};
use crate::checkpoint::{Checkpoint, Place};
use crate::effect::{Answer, Cell, Effect, Parts, Rows};
use crate::error::{Error, unexpected};
use crate::sweep::lane::Phase;
use crate::sweep::prepare::{Prepared, prepare, tables};
use crate::sweep::row_lease::RowLease;
use crate::sweep::walk::Walk;

impl SqlRun {
    pub(super) fn read_schema(&mut self, at: usize, results: Vec<Rows>) -> Result<Effect, Error> {
        if !results.is_empty() && self.stage == Stage::Begun {
            self.stage = Stage::Preparing;
        }
        if results.len() < self.dialect.schema_queries().len() {
            return self.ask(at, Phase::Schema(results));
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
        if let Some(split) = self.order.split {
            self.place.step = split.step;
            return if split.step < self.sweeps.len() { self.ask(at, Phase::Open) } else { Ok(self.parted(vec![])) };
        }
        self.check_statement_bound()?;
        if self.order.dry_run {
            return self.open(at);
        }
        let rows = self.dialect.lease_rows().filter(|_| !self.order.session);
        if let (Some(holder), Some(rows)) = (self.order.row_lease.clone(), rows) {
            self.row_lease = Some(RowLease::new(self.dialect, rows, self.order.job.name, holder));
            return self.ask(at, Phase::TakeRow);
        }
        let leases = self.dialect.lease(self.order.job.name).is_some();
        // Parts of a sweep are meant to run beside each other.
        if leases && !self.order.session && self.place.upto.is_none() {
            let why = "no lease is held here, so nothing keeps a second run of the job away";
            self.journal.warnings.push(why.into());
        }
        self.ask(at, if leases && self.order.session { Phase::Lease } else { Phase::Writable })
    }

    /// The lease has been asked for: at the beginning of the run, or again by a lane that found it lost.
    pub(super) fn leased(&mut self, at: usize, rows: &Rows) -> Result<Effect, Error> {
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
            return self.ask(at, Phase::Writable);
        }
        self.go_on(at)
    }

    /// The lease that is a row has been asked for: at the beginning of the run, or again where it may be lost.
    pub(super) fn row_taken(&mut self, at: usize, answer: Answer) -> Result<Effect, Error> {
        let Some(lease) = &mut self.row_lease else { return Err(unexpected("a lease")) };
        // Another lane may have tried to make the table meanwhile, or not.
        let Answer::Batch(ran) = answer else { return Err(unexpected("what takes the lease")) };
        let [.., taken, holder] = ran.as_slice() else { return Err(unexpected("what takes the lease")) };
        let cell = |rows: &Rows, column: usize| rows.first().and_then(|row| row.get(column)).and_then(Cell::text);
        // It goes into the texts of statements.
        let Some(fence) = cell(&taken.rows, 0).filter(|fence| fence.parse::<u64>().is_ok()) else {
            self.row_lease = None;
            let told = |column| cell(&holder.rows, column).unwrap_or_default();
            let holder = format!("{}, until {}", told(0), told(1));
            return Err(Error::Leased { job: self.order.job.name.to_owned(), holder });
        };
        lease.fence.clone_from(&fence);
        self.lease = fence;
        lease.renewed_ms = self.journal.elapsed_ms;
        if self.walk.last.is_empty() { self.open(at) } else { self.go_on(at) }
    }

    pub(super) fn resume(&mut self) -> Result<(), Error> {
        let Some(checkpoint) = self.checkpoint.take() else { return Ok(()) };
        let is_position = |place: &Place| {
            [&place.from, &place.upto].into_iter().flatten().all(|position| self.dialect.is_position(position))
        };
        match checkpoint.place(&self.order.fingerprint()) {
            Some(place) if place.step < self.sweeps.len() && is_position(&place) => {
                checkpoint.check_schema(self.journal.schema.as_deref())?;
                if let Some(take) = place.take {
                    self.lanes.iter_mut().for_each(|lane| lane.pace.resume(take));
                }
                self.place = place;
            }
            Some(_) => return Err(Error::InvalidCheckpoint { why: "it names no place in this job".into() }),
            None if checkpoint.is_part() => {
                let why = "its part belongs to a pass with other settings".into();
                return Err(Error::InvalidCheckpoint { why });
            }
            None => self
                .journal
                .warnings
                .push("the settings are not those of the checkpoint, so the pass began anew from the beginning".into()),
        }
        Ok(())
    }

    /// A bound within which not even one slice fits would end every run before it has done anything.
    pub(super) fn check_statement_bound(&self) -> Result<(), Error> {
        let slice = self.sweeps.iter().map(|sweep| sweep.slice_statements(self.dialect)).max().unwrap_or_default();
        // The schema, the lease, the opening of each table, a find, and the slice.
        let leases = match (&self.order.row_lease, self.order.dry_run) {
            (_, true) => 0,
            // To take it, to renew it in the slice, and to give it back.
            (Some(_), _) => 5,
            (None, _) => usize::from(self.order.session),
        };
        let look = 1 + self.dialect.before_reading().len();
        let least = self.dialect.schema_queries().len() + leases + (self.sweeps.len() + 1) * look + slice;
        if self.order.bounds.allow_statements(least as u64) {
            return Ok(());
        }
        Err(Error::TooFewStatements {
            given: self.order.bounds.max_statements.unwrap_or_default(),
            least: least as u64,
        })
    }

    /// Begins the walk of the next table, or ends.
    pub(super) fn open(&mut self, at: usize) -> Result<Effect, Error> {
        let Some(sweep) = self.sweeps.get(self.place.step) else { return Ok(self.done(at, None)) };
        // No walk is begun that would end before its first slice.
        let least = 2 * (1 + self.dialect.before_reading().len()) + sweep.slice_statements(self.dialect);
        if self.stage == Stage::Stopping || !self.allows(least) {
            return Ok(self.end_early(at));
        }
        self.stage = Stage::Preparing;
        if let Some(lane) = self.lanes.get_mut(at) {
            lane.filling.total = self.place.total.map(|total| total.to_string()).unwrap_or_default();
        }
        self.ask(at, Phase::Open)
    }

    pub(super) fn opened(&mut self, at: usize, rows: &Rows) -> Result<Effect, Error> {
        let [row] = rows.as_slice() else { return Err(unexpected("one row that opens a walk")) };
        let [total, first, last] = row.as_slice() else { return Err(unexpected("three columns that open a walk")) };
        let total = total.count()?;
        let (Some(first), Some(last)) = (first.text(), last.text()) else {
            return if self.order.split.is_some() { Ok(self.parted(vec![])) } else { self.next_table(at) };
        };
        // What moves while its table is walked may come to lie behind the end that a part had when it was cut.
        let whole = self.sweeps.get(self.place.step).is_some_and(Prepared::moves_its_own);
        if let Some(split) = self.order.split {
            let parts = if whole { 1 } else { split.parts };
            self.place.total = Some(total);
            return Ok(self.parted(self.dialect.split(&first, &last, parts)));
        }
        let from = self.place.from.clone().unwrap_or(first);
        let last = self.place.upto.clone().filter(|_| !whole).unwrap_or(last);
        self.walk = Walk::new(from, last, total);
        if self.stage == Stage::Preparing {
            self.stage = Stage::Walking;
        }
        self.go_on(at)
    }

    /// The parts of a sweep, as places for runs of their own.
    fn parted(&self, ranges: Vec<(String, String)>) -> Effect {
        let (job, now) = (self.order.job, self.order.now);
        let parts = ranges.into_iter().map(|(from, upto)| {
            let place = Place { from: Some(from), upto: Some(upto), ..self.place.clone() };
            Checkpoint::new(job.name, now, self.order.fingerprint(), self.journal.schema.clone(), place)
        });
        Effect::Parted(Parts { steps: self.sweeps.len(), parts: parts.collect() })
    }

    pub(super) fn next_table(&mut self, at: usize) -> Result<Effect, Error> {
        if self.place.upto.is_some() {
            return Ok(self.done(at, None));
        }
        self.place = Place { step: self.place.step + 1, ..Place::default() };
        self.walk = Walk::default();
        self.lanes.iter_mut().for_each(|lane| lane.pace.begin_table());
        self.open(at)
    }
}
