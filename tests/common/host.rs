//! A host of the core on SQLite: performs effects as `js/run.ts` and the adapter of `node:sqlite` do, by a fake clock.

use super::request::carried;
use idp_janitor::checkpoint::Checkpoint;
use idp_janitor::effect::{Answer, Cell, Effect, Outcome, Ran, Rows, Statement, Step};
use idp_janitor::error::Error;
use idp_janitor::plan::Plan;
use idp_janitor::report::{Progress, Report};
use idp_janitor::request::Request;
use idp_janitor::run::Run;
use idp_janitor::value::Value;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};
use std::collections::BTreeMap;

/// What a run failed by.
#[derive(Debug)]
pub enum Failure {
    /// The core refused.
    Core(Error),
    /// The database failed, and this is what had been done before.
    Store(rusqlite::Error, Box<Report>),
}

/// An effect that was performed, and what the core was told of it.
#[derive(Debug, Clone)]
pub struct Performed {
    pub effect: Effect,
    pub answer: Answer,
    pub elapsed_ms: f64,
}

type Watcher<'a> = Box<dyn FnMut(&Connection, &Effect) + 'a>;
type Clock<'a> = Box<dyn FnMut(&Effect, &Answer) -> f64 + 'a>;
type Choice<'a> = Box<dyn FnMut(&Effect) -> bool + 'a>;

/// A host, and what it has seen.
pub struct Host<'a> {
    conn: &'a Connection,
    takes_ms: Clock<'a>,
    before: Watcher<'a>,
    after: Watcher<'a>,
    fails: Choice<'a>,
    abort_at: usize,
    /// Effects of the last run, in order.
    pub performed: Vec<Performed>,
    /// What the last run told of its progress.
    pub progress: Vec<Progress>,
}

impl<'a> Host<'a> {
    /// A host whose every effect takes a millisecond.
    pub fn new(conn: &'a Connection) -> Self {
        Self {
            conn,
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
    pub fn before(mut self, before: impl FnMut(&Connection, &Effect) + 'a) -> Self {
        self.before = Box::new(before);
        self
    }

    /// Sets what is looked at right after an effect was performed.
    pub fn after(mut self, after: impl FnMut(&Connection, &Effect) + 'a) -> Self {
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
        let mut run = Run::new(request, "sqlite", checkpoint.map(carried)).map_err(Failure::Core)?;
        let mut elapsed_ms = 0.0;
        let mut answer = Answer::Began;
        loop {
            let aborted = self.performed.len() > self.abort_at;
            let outcome = Outcome { answer, elapsed_ms, aborted, lane: 0 };
            let Step { effect, progress } = run.next(outcome).map_err(Failure::Core)?;
            self.progress.extend(progress);
            if matches!(effect, Effect::Done(_) | Effect::Planned(_)) {
                return Ok(effect);
            }
            (self.before)(self.conn, &effect);
            let performed =
                if (self.fails)(&effect) { Err(rusqlite::Error::InvalidQuery) } else { act(self.conn, &effect) };
            answer = performed.map_err(|error| Failure::Store(error, Box::new(run.fail())))?;
            (self.after)(self.conn, &effect);
            elapsed_ms += (self.takes_ms)(&effect, &answer);
            self.performed.push(Performed { effect, answer: answer.clone(), elapsed_ms });
            assert!(self.performed.len() < 10_000, "the run never ends");
        }
    }
}

/// Performs one effect.
pub fn act(conn: &Connection, effect: &Effect) -> rusqlite::Result<Answer> {
    match effect {
        Effect::Query(statement) => rows(conn, statement).map(Answer::Query),
        Effect::Batch(statements) => {
            conn.execute_batch("BEGIN IMMEDIATE")?;
            let ran: rusqlite::Result<Vec<Ran>> = statements.iter().map(|statement| ran(conn, statement)).collect();
            let done = ran.and_then(|ran| conn.execute_batch("COMMIT").map(|()| Answer::Batch(ran)));
            if done.is_err() {
                conn.execute_batch("ROLLBACK")?;
            }
            done
        }
        other => panic!("not for a database: {other:?}"),
    }
}

/// Without the changes of triggers and foreign-key actions; and not an earlier statement's where this one, a pragma
/// say, changes nothing.
fn ran(conn: &Connection, statement: &Statement) -> rusqlite::Result<Ran> {
    let before = conn.total_changes();
    let rows = rows(conn, statement)?;
    Ok(Ran { rows, changes: if conn.total_changes() == before { 0 } else { conn.changes() } })
}

fn rows(conn: &Connection, statement: &Statement) -> rusqlite::Result<Rows> {
    let mut prepared = conn.prepare_cached(&statement.sql)?;
    let width = prepared.column_count();
    let mut rows = prepared.query(params_from_iter(&statement.params))?;
    let mut all = Rows::new();
    while let Some(row) = rows.next()? {
        all.push((0..width).map(|at| row.get_ref(at).map(cell)).collect::<rusqlite::Result<_>>()?);
    }
    Ok(all)
}

fn cell(value: ValueRef<'_>) -> Cell {
    Cell(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(_) => Value::Other,
    })
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
