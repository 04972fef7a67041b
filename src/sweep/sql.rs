//! The state machine of a job on an SQL store: reads the schema, plans, and then walks each table once, slice by slice.
//!
//! A slice is a find, which only reads, and then the atomic unit that removes what is still stale in the part of the
//! table that the find has covered. Nothing is remembered of which rows were found: the removal asks the rule again.

use super::journal::Journal;
use super::pace::Pace;
use super::prepare::{Prepared, prepare, tables};
use super::templates::Filling;
use crate::checkpoint::{Checkpoint, Place};
use crate::dialect::{Dialect, Found, unexpected};
use crate::effect::{Answer, Effect, Outcome, Rows, Statement, Step};
use crate::error::Error;
use crate::jobs::Work;
use crate::report::{Progress, Report};
use crate::request::Order;

/// A run on an SQL store.
pub struct SqlRun {
    order: Order,
    dialect: &'static dyn Dialect,
    checkpoint: Option<Checkpoint>,
    phase: Phase,
    work: Work,
    sweeps: Vec<Prepared>,
    place: Place,
    walk: Walk,
    pace: Pace,
    journal: Journal,
    /// Where the run stood after the last slice, until it is told.
    progress: Option<Progress>,
}

/// What the host was asked last.
enum Phase {
    Begin,
    Schema(Vec<Rows>),
    Writable,
    Open,
    Find,
    Remove { found: Found, statements: usize },
    Count { found: Found },
    Ended,
}

/// The walk of the table in hand.
#[derive(Default)]
struct Walk {
    filling: Filling,
    last: String,
    total: u64,
    /// When the last effect was handed out.
    since_ms: f64,
}

impl SqlRun {
    /// A run that has not begun.
    #[must_use]
    pub fn new(order: Order, dialect: &'static dyn Dialect, checkpoint: Option<Checkpoint>) -> Self {
        let pace = Pace::new(order.slice_ms.unwrap_or_else(|| dialect.slice_ms()));
        let work = Work { opening: String::new(), cutoff: None, sweeps: vec![], warnings: vec![] };
        Self {
            order,
            dialect,
            checkpoint,
            phase: Phase::Begin,
            work,
            sweeps: vec![],
            place: Place::default(),
            walk: Walk::default(),
            pace,
            journal: Journal::default(),
            progress: None,
        }
    }

    /// Takes in what came of the last effect and says what to do next.
    ///
    /// # Errors
    /// See [`Error`]; nothing beyond the slices in the report has been done.
    pub fn next(&mut self, outcome: Outcome) -> Result<Step, Error> {
        let took_ms = outcome.elapsed_ms - self.walk.since_ms;
        self.journal.elapsed_ms = outcome.elapsed_ms;
        let answer = outcome.answer;
        let effect = match std::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Begin => self.read_schema(vec![]),
            Phase::Schema(mut results) => {
                results.push(answer.rows()?);
                self.read_schema(results)
            }
            Phase::Writable => {
                answer.changes(0)?;
                Ok(self.open())
            }
            Phase::Open => self.opened(&answer.rows()?),
            Phase::Find => {
                let found = Found::read(&answer.rows()?)?;
                let full = found.removable() >= self.walk.filling.take;
                self.pace.found(full.then_some(found.walked), took_ms);
                Ok(self.found(found))
            }
            Phase::Remove { found, statements } => {
                self.removed(&found, answer, statements, took_ms)?;
                Ok(self.walk_on(&found))
            }
            Phase::Count { found } => {
                self.counted(&found, &answer.rows()?, took_ms)?;
                Ok(self.walk_on(&found))
            }
            Phase::Ended => Err(unexpected("nothing more: the run has ended")),
        }?;
        // A bound that nothing fits into must not end every run before it has got anywhere.
        let stop = outcome.aborted || self.journal.walked && self.order.bounds.time_is_up(outcome.elapsed_ms);
        // Between slices only; a find may be dropped, for it has done nothing.
        let effect = match self.phase {
            Phase::Open | Phase::Find if stop => self.end_early(),
            _ => effect,
        };
        self.journal.statements += match &effect {
            Effect::Query(_) => 1,
            Effect::Batch(statements) => statements.len() as u64,
            _ => 0,
        };
        self.walk.since_ms = outcome.elapsed_ms;
        Ok(Step { effect, progress: self.progress.take() })
    }

    /// The report of a run that failed: what had been done before.
    #[must_use]
    pub fn fail(&self) -> Report {
        let rest = self.sweeps.is_empty() || self.place.step < self.sweeps.len();
        self.journal.report(&self.order, &self.work, rest.then_some(&self.place))
    }

    fn read_schema(&mut self, results: Vec<Rows>) -> Result<Effect, Error> {
        let queries = self.dialect.schema_queries();
        if let Some(query) = queries.get(results.len()) {
            self.phase = Phase::Schema(results);
            return Ok(Effect::Query(Statement { sql: (*query).to_owned(), params: vec![] }));
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
            return Ok(self.open());
        }
        self.phase = Phase::Writable;
        Ok(Effect::Batch(vec![]))
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
        // The schema, the opening of each table, a find, and the slice.
        let least = self.dialect.schema_queries().len() + self.sweeps.len() + 1 + slice;
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
    fn open(&mut self) -> Effect {
        match self.sweeps.get(self.place.step) {
            // No walk is begun that would end before its first slice.
            Some(sweep) if !self.allows(2 + sweep.slice_statements(self.dialect)) => self.end_early(),
            Some(sweep) => {
                self.phase = Phase::Open;
                Effect::Query(sweep.templates.open.fill(&Filling::default()))
            }
            None => self.done(None),
        }
    }

    fn opened(&mut self, rows: &Rows) -> Result<Effect, Error> {
        let [row] = rows.as_slice() else { return Err(unexpected("one row that opens a walk")) };
        let [total, first, last] = row.as_slice() else { return Err(unexpected("three columns that open a walk")) };
        self.walk.total = total.count()?;
        let (Some(first), Some(last)) = (first.text(), last.text()) else { return Ok(self.next_table()) };
        self.walk.last = last;
        self.walk.filling.from = self.place.from.clone().unwrap_or(first);
        Ok(self.find())
    }

    fn next_table(&mut self) -> Effect {
        self.place = Place { step: self.place.step + 1, from: None, walked: 0 };
        self.open()
    }

    /// How many stale rows the next slice may take.
    fn take(&self) -> u64 {
        let Some(sweep) = self.sweeps.get(self.place.step) else { return 1 };
        let take = if sweep.one_by_one {
            1
        } else if self.order.dry_run && sweep.templates.count.is_none() {
            // There is nothing to be done about them but to have found them.
            u64::from(u32::MAX)
        } else {
            self.pace.take()
        };
        take.min(self.rows_left().max(1))
    }

    /// Whether so many more statements are within the bounds.
    fn allows(&self, statements: usize) -> bool {
        self.order.bounds.allow_statements(self.journal.statements + statements as u64)
    }

    fn rows_left(&self) -> u64 {
        let taken = self.journal.selected - self.journal.restricted;
        self.order.bounds.max_rows.map_or(u64::MAX, |max| max.saturating_sub(taken))
    }

    fn find(&mut self) -> Effect {
        self.walk.filling.upto = self.walk.last.clone();
        self.walk.filling.window = self.pace.window();
        self.walk.filling.take = self.take();
        self.phase = Phase::Find;
        let Some(sweep) = self.sweeps.get(self.place.step) else { return self.open() };
        if !self.allows(1 + sweep.slice_statements(self.dialect)) {
            return self.end_early();
        }
        Effect::Query(sweep.templates.find.fill(&self.walk.filling))
    }

    fn found(&mut self, found: Found) -> Effect {
        let Some(upto) = found.upto.clone() else { return self.next_table() };
        let removable = found.removable();
        if removable > 0 && self.rows_left() == 0 {
            return self.end_early();
        }
        if removable == 0 {
            return self.walk_on(&found);
        }
        let Some(sweep) = self.sweeps.get(self.place.step) else { return self.open() };
        if sweep.one_by_one {
            // What goes with this row, the last that was found, may change the rule for others.
            self.walk.filling.from.clone_from(&upto);
        }
        self.walk.filling.upto = upto;
        if !self.order.dry_run {
            let statements = sweep.slice(self.dialect, &self.walk.filling);
            self.phase = Phase::Remove { found, statements: statements.len() };
            return Effect::Batch(statements);
        }
        match &sweep.templates.count {
            Some(count) => {
                self.phase = Phase::Count { found };
                Effect::Query(count.fill(&self.walk.filling))
            }
            None => {
                self.would_remove(&found);
                self.walk_on(&found)
            }
        }
    }

    fn removed(&mut self, found: &Found, answer: Answer, statements: usize, took_ms: f64) -> Result<(), Error> {
        let changes = answer.changes(statements)?;
        let Some(sweep) = self.sweeps.get(self.place.step) else { return Err(unexpected("a sweep in hand")) };
        let own = changes.last().copied().unwrap_or_default();
        for (purpose, table, rows) in sweep.dependants(self.dialect, &changes) {
            self.journal.count_dependants(purpose, table, rows);
        }
        let table = sweep.table().to_owned();
        self.journal.count_own(self.place.step, &table, own);
        self.journal.slices += 1;
        self.pace.removed(found.stale, took_ms);
        Ok(())
    }

    fn counted(&mut self, found: &Found, rows: &Rows, took_ms: f64) -> Result<(), Error> {
        let Some(sweep) = self.sweeps.get(self.place.step) else { return Err(unexpected("a sweep in hand")) };
        let [row] = rows.as_slice() else { return Err(unexpected("the one row of a count")) };
        for ((purpose, table), cell) in sweep.templates.counted.iter().zip(row) {
            self.journal.count_dependants(*purpose, table, cell.count()?);
        }
        self.would_remove(found);
        self.pace.removed(found.stale, took_ms);
        Ok(())
    }

    fn would_remove(&mut self, found: &Found) {
        if let Some(sweep) = self.sweeps.get(self.place.step) {
            self.journal.count_own(self.place.step, sweep.table(), found.removable());
            self.journal.slices += 1;
        }
    }

    /// Goes on behind what a find has covered, and whose slice is done if it needed one.
    fn walk_on(&mut self, found: &Found) -> Effect {
        self.journal.selected += found.stale;
        self.journal.restricted += found.restricted;
        if found.unreadable > 0
            && let Some(sweep) = self.sweeps.get(self.place.step)
        {
            *self.journal.unreadable.entry(sweep.table()) += found.unreadable;
        }
        self.journal.walked = true;
        self.place.walked += found.walked;
        self.progress = Some(self.journal.progress(&self.order, &self.work, &self.place, self.walk.total));
        let next = found.upto.as_deref().filter(|upto| *upto != self.walk.last);
        match next.and_then(|upto| self.dialect.after(upto)) {
            Some(from) => {
                self.place.from = Some(from.clone());
                self.walk.filling.from = from;
                self.find()
            }
            None => self.next_table(),
        }
    }

    fn done(&self, rest: Option<&Place>) -> Effect {
        Effect::Done(Box::new(self.journal.report(&self.order, &self.work, rest)))
    }

    fn end_early(&mut self) -> Effect {
        self.phase = Phase::Ended;
        self.done(Some(&self.place))
    }
}
