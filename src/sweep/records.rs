//! The state machine of a job on a record store: reads what the rule relates to, then walks each collection page by page.

use super::journal::Journal;
use super::views::Views;
use crate::checkpoint::{Checkpoint, Place};
use crate::effect::{Answer, Effect, Outcome, Page, Removal, Scan, Step};
use crate::error::{Error, unexpected};
use crate::plan::{Plan, SweepPlan};
use crate::report::{Progress, Report};
use crate::request::Order;
use crate::rule::Rule;
use crate::rule::eval::{Record, satisfies};
use crate::work::Work;

/// How many records a page has.
const PAGE: u32 = 500;

/// A run on a record store.
pub struct RecordRun {
    order: Order,
    work: Work,
    rules: Vec<Rule>,
    phase: Phase,
    place: Place,
    views: Views,
    /// Collections that the rule in hand relates to and that are still to be read.
    unread: Vec<String>,
    journal: Journal,
    /// Where the run stood after the last page, until it is told.
    progress: Option<Progress>,
}

enum Phase {
    Begin,
    /// Reading a collection that the rule relates to.
    Relate {
        collection: String,
    },
    /// Reading a page of the sweep's own collection.
    Walk,
    /// Removing what was stale in a page.
    Remove(Judged),
    Ended,
}

/// A page that has been judged.
struct Judged {
    walked: u64,
    stale: u64,
    next: Option<String>,
}

impl RecordRun {
    /// A run that has not begun.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] where the job is about users and nothing says what their collection is called, and for
    /// settings that mean nothing here; [`Error::InvalidCheckpoint`] for one that lies beyond the job's end, or is a
    /// database's.
    pub fn new(order: Order, checkpoint: Option<&Checkpoint>) -> Result<Self, Error> {
        check_settings(&order)?;
        let work = order.work(order.user_table.as_deref().unwrap_or_default())?;
        let rules = rules(&work, order.dry_run);
        if work.sweeps.iter().any(|sweep| sweep.table.is_empty()) {
            return Err(Error::InvalidSetting {
                name: "userTable".into(),
                value: "null".into(),
                expected: "the name of the collection of users, for a record store does not tell it".into(),
            });
        }
        let mut journal = Journal { warnings: work.warnings.clone(), ..Journal::default() };
        let mut place = Place::default();
        if let Some(checkpoint) = checkpoint {
            match checkpoint.place(&order.fingerprint()) {
                Some(kept) if kept.step < work.sweeps.len() => {
                    checkpoint.check_schema(None)?;
                    place = kept;
                }
                Some(_) => return Err(Error::InvalidCheckpoint { why: "it names no place in this job".into() }),
                None => journal.warnings.push(
                    "the settings are not those of the checkpoint, so the pass began anew from the beginning".into(),
                ),
            }
        }
        Ok(Self {
            order,
            work,
            rules,
            phase: Phase::Begin,
            place,
            views: Views::default(),
            unread: vec![],
            journal,
            progress: None,
        })
    }

    /// Takes in what came of the last effect and says what to do next.
    ///
    /// # Errors
    /// See [`Error`]; nothing beyond what the report counts has been done.
    pub fn next(&mut self, outcome: Outcome) -> Result<Step, Error> {
        self.journal.elapsed_ms = outcome.elapsed_ms;
        let effect = match (std::mem::replace(&mut self.phase, Phase::Ended), outcome.answer) {
            (Phase::Begin, _) if self.order.plan_only => Effect::Planned(self.plan()),
            (Phase::Begin, _) => self.begin_sweep(),
            (Phase::Relate { collection }, Answer::Scan(page)) => {
                for scanned in &page.records {
                    self.views.add(&collection, &scanned.row)?;
                }
                self.relate(collection, page.next)
            }
            (Phase::Walk, Answer::Scan(page)) => self.judge(page)?,
            (Phase::Remove(page), Answer::Remove(removed)) if removed <= page.stale => self.went(page, removed),
            _ => return Err(unexpected("the answer to the last effect")),
        };
        let stop = outcome.aborted || self.journal.walked && self.order.bounds.time_is_up(outcome.elapsed_ms);
        let effect = if stop && matches!(effect, Effect::Scan(_)) { self.end_early() } else { effect };
        if matches!(effect, Effect::Scan(_) | Effect::Remove(_)) {
            self.journal.statements += 1;
        }
        Ok(Step { effect, progress: self.progress.take() })
    }

    /// Whether a record is stale still, to be asked at the moment of its removal.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] where it cannot be judged any more; it must be kept then.
    pub fn is_stale(&self, record: &Record) -> Result<bool, Error> {
        match (self.work.sweeps.get(self.place.step), self.rules.get(self.place.step)) {
            (Some(sweep), Some(rule)) => satisfies(rule, &sweep.table, record, &self.views),
            _ => Ok(false),
        }
    }

    /// The report of a run that failed: what had been done before.
    #[must_use]
    pub fn fail(&self) -> Report {
        let rest = self.place.step < self.work.sweeps.len();
        self.journal.report(&self.order, &self.work, rest.then_some(&self.place))
    }

    fn plan(&self) -> Plan {
        let sweeps = self.work.sweeps.iter().map(|sweep| SweepPlan {
            table: sweep.table.clone(),
            dependants: vec![],
            statements: vec![],
        });
        Plan {
            job: self.order.job.name.to_owned(),
            now: self.order.now,
            cutoff: self.work.cutoff,
            opening: self.work.opening.clone(),
            sweeps: sweeps.collect(),
            warnings: self.work.warnings.clone(),
        }
    }

    fn begin_sweep(&mut self) -> Effect {
        match (self.work.sweeps.get(self.place.step), self.rules.get(self.place.step)) {
            (Some(sweep), Some(rule)) => {
                self.views = Views::for_rule(rule, &sweep.table);
                self.unread = self.views.collections();
                self.relate_next()
            }
            _ => self.done(None),
        }
    }

    fn relate_next(&mut self) -> Effect {
        match self.unread.pop() {
            Some(collection) => self.read_related(collection, None),
            None => self.walk(PAGE),
        }
    }

    fn relate(&mut self, collection: String, next: Option<String>) -> Effect {
        if next.is_none() { self.relate_next() } else { self.read_related(collection, next) }
    }

    fn read_related(&mut self, collection: String, after: Option<String>) -> Effect {
        if !self.allows(1) {
            return self.end_early();
        }
        self.phase = Phase::Relate { collection: collection.clone() };
        Effect::Scan(Scan { collection, after, limit: PAGE })
    }

    fn walk(&mut self, limit: u32) -> Effect {
        let Some(sweep) = self.work.sweeps.get(self.place.step) else { return self.begin_sweep() };
        // The page, and the removal of what is stale in it.
        if !self.allows(2) {
            return self.end_early();
        }
        self.phase = Phase::Walk;
        Effect::Scan(Scan { collection: sweep.table.clone(), after: self.place.from.clone(), limit })
    }

    fn allows(&self, statements: u64) -> bool {
        self.order.bounds.allow_statements(self.journal.statements + statements)
    }

    fn judge(&mut self, page: Page) -> Result<Effect, Error> {
        let mut stale: Vec<String> = Vec::new();
        let left = self.order.bounds.max_rows.map_or(u64::MAX, |max| max.saturating_sub(self.journal.selected));
        for (at, scanned) in page.records.iter().enumerate() {
            if !self.is_stale(&scanned.row)? {
                continue;
            }
            if stale.len() as u64 == left {
                // One more than may be taken: end here, or take the page again up to just before it.
                return Ok(match u32::try_from(at) {
                    Ok(limit) if limit > 0 && left > 0 => self.walk(limit),
                    _ => self.end_early(),
                });
            }
            stale.push(scanned.id.clone());
        }
        let Some(sweep) = self.work.sweeps.get(self.place.step) else { return Ok(self.begin_sweep()) };
        let page = Judged { walked: page.records.len() as u64, stale: stale.len() as u64, next: page.next };
        if stale.is_empty() {
            return Ok(self.walk_on(page));
        }
        if self.order.dry_run {
            let would_go = page.stale;
            return Ok(self.went(page, would_go));
        }
        self.phase = Phase::Remove(page);
        Ok(Effect::Remove(Removal { collection: sweep.table.clone(), ids: stale }))
    }

    /// Counts what went of a page, or would go, and goes on.
    fn went(&mut self, page: Judged, removed: u64) -> Effect {
        if let Some(sweep) = self.work.sweeps.get(self.place.step) {
            self.journal.count_own(self.place.step, &sweep.table, removed);
        }
        self.journal.slices += 1;
        self.walk_on(page)
    }

    fn walk_on(&mut self, page: Judged) -> Effect {
        self.journal.selected += page.stale;
        self.journal.walked = true;
        self.place.walked += page.walked;
        self.progress = Some(self.journal.progress(&self.order, &self.work, &self.place, 0));
        if page.next.is_some() {
            self.place.from = page.next;
            return self.walk(PAGE);
        }
        self.place = Place { step: self.place.step + 1, ..Place::default() };
        self.begin_sweep()
    }

    fn done(&self, rest: Option<&Place>) -> Effect {
        Effect::Done(Box::new(self.journal.report(&self.order, &self.work, rest)))
    }

    fn end_early(&mut self) -> Effect {
        self.phase = Phase::Ended;
        self.done(Some(&self.place))
    }
}

/// What would silently not be followed.
fn check_settings(order: &Order) -> Result<(), Error> {
    let refuse = |name: &str, value: String, why: &str| {
        Err(Error::InvalidSetting { name: name.into(), value, expected: format!("absent for a record store, {why}") })
    };
    if let Some(column) = order.on_delete.names().next() {
        let why = "which itself takes care of what belongs to a record";
        return refuse("onDelete", format!("about `{column}`"), why);
    }
    if order.split.is_some() {
        return refuse("split", "wanted".into(), "whose pages are no ranges");
    }
    if let Some(run) = &order.ledger {
        return refuse("ledger", format!("\"{run}\""), "which cannot write down in one step what it does");
    }
    match order.slice_ms {
        Some(_) => refuse("sliceMs", "a number".into(), "whose pages have one size"),
        None => Ok(()),
    }
}

/// The rule of each sweep. In a dry run, what earlier sweeps would have taken is thought away.
#[must_use]
pub fn rules(work: &Work, dry_run: bool) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for sweep in &work.sweeps {
        let gone = |table: &str| {
            let earlier = work.sweeps.iter().zip(&rules).filter(|(earlier, _)| earlier.table == table);
            let ways: Vec<Rule> = earlier.map(|(_, rule)| rule.clone()).collect();
            (dry_run && !ways.is_empty()).then_some(Rule::Any(ways))
        };
        rules.push(sweep.rule.once_gone(&sweep.table, &gone));
    }
    rules
}
