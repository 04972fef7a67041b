//! A host of the core: performs effects as `js/run.ts` and the adapters do, by a fake clock.

use super::engine::{Engine, StoreError, act};
use super::request::carried;
use idp_janitor::checkpoint::Checkpoint;
use idp_janitor::effect::{Answer, Effect, Failure as Answered, Outcome, Statement, Step};
use idp_janitor::error::Error;
use idp_janitor::plan::Plan;
use idp_janitor::report::{Progress, Report};
use idp_janitor::request::Request;
use idp_janitor::run::Run;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// What a run failed by.
#[derive(Debug)]
pub enum Failure {
    /// The core refused.
    Core(Error),
    /// The database failed, and this is what had been done before.
    Store(StoreError, Box<Report>),
}

/// An effect that was performed, and what the core was told of it.
#[derive(Debug, Clone)]
pub struct Performed {
    pub effect: Effect,
    pub answer: Answer,
    pub elapsed_ms: f64,
}

type Watcher<'a, E> = Box<dyn FnMut(&E, &Effect) + 'a>;
type Clock<'a> = Box<dyn FnMut(&Effect, &Answer) -> f64 + 'a>;
type Choice<'a> = Box<dyn FnMut(&Effect) -> bool + 'a>;

/// A host, and what it has seen.
pub struct Host<'a, E = Connection> {
    engine: &'a E,
    takes_ms: Clock<'a>,
    before: Watcher<'a, E>,
    after: Watcher<'a, E>,
    fails: Choice<'a>,
    abort_at: usize,
    /// Effects of the last run, in order.
    pub performed: Vec<Performed>,
    /// What the last run told of its progress.
    pub progress: Vec<Progress>,
}

impl<'a, E: Engine> Host<'a, E> {
    /// A host whose every effect takes a millisecond.
    pub fn new(engine: &'a E) -> Self {
        Self {
            engine,
            takes_ms: Box::new(|_, _| 1.0),
            before: Box::new(|_, _| {}),
            after: Box::new(|_, _| {}),
            fails: Box::new(|_| false),
            abort_at: usize::MAX,
            performed: vec![],
            progress: vec![],
        }
    }

    /// Sets how long effects take.
    pub fn taking(mut self, takes_ms: impl FnMut(&Effect, &Answer) -> f64 + 'a) -> Self {
        self.takes_ms = Box::new(takes_ms);
        self
    }

    /// Sets what happens to the database right before an effect is performed: what somebody else does meanwhile.
    pub fn before(mut self, before: impl FnMut(&E, &Effect) + 'a) -> Self {
        self.before = Box::new(before);
        self
    }

    /// Sets what is looked at right after an effect was performed.
    pub fn after(mut self, after: impl FnMut(&E, &Effect) + 'a) -> Self {
        self.after = Box::new(after);
        self
    }

    /// Sets which effects are not performed, because the store fails.
    pub fn failing_when(mut self, fails: impl FnMut(&Effect) -> bool + 'a) -> Self {
        self.fails = Box::new(fails);
        self
    }

    /// Asks the run to end with the answer to its effect at that position.
    pub fn aborting_at(mut self, position: usize) -> Self {
        self.abort_at = position;
        self
    }

    /// Runs a request, from a checkpoint if there is one, to its end.
    pub fn run_from(&mut self, request: &Request, checkpoint: Option<&Checkpoint>) -> Result<Report, Failure> {
        match self.perform(request, checkpoint)? {
            Effect::Done(report) => Ok(*report),
            other => panic!("ended with {other:?}"),
        }
    }

    /// Runs a request from its beginning to its end.
    pub fn run(&mut self, request: &Request) -> Report {
        self.run_from(request, None).unwrap()
    }

    /// Runs a request from its beginning to its end; how many effects that took.
    pub fn run_effects(&mut self, request: &Request) -> usize {
        self.run(request);
        self.performed.len()
    }

    /// Runs a request that must be refused by the core.
    pub fn refusal(&mut self, request: &Request) -> Error {
        match self.perform(request, None) {
            Err(Failure::Core(error)) => error,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// The plan that a request asks for.
    pub fn plan(&mut self, request: &Request) -> Plan {
        match self.perform(request, None).unwrap() {
            Effect::Planned(plan) => plan,
            other => panic!("ended with {other:?}"),
        }
    }

    /// Runs a request over and over, each time from the checkpoint of the last, until the pass is complete.
    pub fn run_to_completion(&mut self, request: &Request) -> Vec<Report> {
        self.try_to_completion(request).unwrap()
    }

    /// The same where a run may fail.
    pub fn try_to_completion(&mut self, request: &Request) -> Result<Vec<Report>, Failure> {
        let mut reports: Vec<Report> = Vec::new();
        loop {
            let checkpoint = reports.last().map(|last| last.checkpoint.clone().unwrap());
            let report = self.run_from(request, checkpoint.as_ref())?;
            assert_eq!(report.complete, report.checkpoint.is_none());
            let complete = report.complete;
            reports.push(report);
            if complete {
                return Ok(reports);
            }
            assert!(reports.len() < 10_000, "the pass never ends");
        }
    }

    /// How many statements the last run ran, as `maxStatements` counts them.
    pub fn statements(&self) -> u64 {
        let statements = |performed: &Performed| match &performed.effect {
            Effect::Query(_) => 1,
            Effect::Batch(statements) => statements.len() as u64,
            _ => 0,
        };
        self.performed.iter().map(statements).sum()
    }

    /// The slices of the last run: each batch that is not the question whether the store can be written to.
    pub fn slices(&self) -> impl Iterator<Item = (&[Statement], Vec<u64>)> {
        self.performed.iter().filter_map(|performed| match (&performed.effect, &performed.answer) {
            (Effect::Batch(statements), Answer::Batch(ran)) if !statements.is_empty() => {
                Some((statements.as_slice(), ran.iter().map(|ran| ran.changes).collect()))
            }
            _ => None,
        })
    }

    fn perform(&mut self, request: &Request, checkpoint: Option<&Checkpoint>) -> Result<Effect, Failure> {
        self.performed.clear();
        self.progress.clear();
        let mut run = Run::new(request, self.engine.name(), checkpoint.map(carried)).map_err(Failure::Core)?;
        let mut elapsed_ms = 0.0;
        let mut answer = Answer::Began;
        let mut failure: Option<StoreError> = None;
        loop {
            let aborted = self.performed.len() > self.abort_at;
            let outcome = Outcome { answer, elapsed_ms, aborted, lane: 0 };
            let Step { effect, progress } = run.next(outcome).map_err(Failure::Core)?;
            self.progress.extend(progress);
            if matches!(effect, Effect::Done(_) | Effect::Planned(_)) {
                return Ok(effect);
            }
            if effect == Effect::Fail {
                let error = failure.unwrap_or_else(|| panic!("failed by nothing"));
                return Err(Failure::Store(error, Box::new(run.fail())));
            }
            (self.before)(self.engine, &effect);
            let performed = if (self.fails)(&effect) { Err(made_to_fail()) } else { act(self.engine, &effect) };
            answer = match performed {
                Ok(answer) => answer,
                Err(error) => Answer::Failed(failure.insert(error).failure),
            };
            (self.after)(self.engine, &effect);
            elapsed_ms += if let Effect::Wait(ms) = effect { ms } else { (self.takes_ms)(&effect, &answer) };
            self.performed.push(Performed { effect, answer: answer.clone(), elapsed_ms });
            assert!(self.performed.len() < 10_000, "the run never ends");
        }
    }
}

fn made_to_fail() -> StoreError {
    StoreError { failure: Answered::Other, message: "made to fail".into() }
}

/// The counts of a report by table.
pub fn removed(report: &Report) -> BTreeMap<String, u64> {
    report.removed.iter().map(|(table, rows)| (table.to_owned(), *rows)).collect()
}

/// The counts of a dry run's report by table.
pub fn would_remove(report: &Report) -> BTreeMap<String, u64> {
    let counts = report.would_remove.as_ref().unwrap();
    counts.iter().map(|(table, rows)| (table.to_owned(), *rows)).collect()
}

/// How often rows let go, by table.
pub fn changed(report: &Report) -> BTreeMap<String, u64> {
    report.changed.iter().map(|(table, rows)| (table.to_owned(), *rows)).collect()
}

/// How often they would, by a dry run.
pub fn would_change(report: &Report) -> BTreeMap<String, u64> {
    let counts = report.would_change.as_ref().unwrap();
    counts.iter().map(|(table, rows)| (table.to_owned(), *rows)).collect()
}

/// The counts of several reports together.
pub fn sum<'r>(
    reports: impl IntoIterator<Item = &'r Report>,
    counts: impl Fn(&Report) -> BTreeMap<String, u64>,
) -> BTreeMap<String, u64> {
    let mut sum = BTreeMap::new();
    for report in reports {
        for (table, rows) in counts(report) {
            *sum.entry(table).or_default() += rows;
        }
    }
    sum
}
