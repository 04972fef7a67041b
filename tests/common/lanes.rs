//! A host that works in several lanes, as `js/run.ts` does: which lane goes on is chance, from a seed. An effect is handed
//! out, performed and answered at three moments, between which any other lane may do anything.

use super::engine::{Engine, act};
use super::request::carried;
use idp_janitor::checkpoint::Checkpoint;
use idp_janitor::effect::{Answer, Effect, Failure, Outcome, Step};
use idp_janitor::error::Error;
use idp_janitor::report::Report;
use idp_janitor::request::Request;
use idp_janitor::run::Run;
use idp_janitor::sweep::retry::Chance;
use std::collections::BTreeMap;

/// A failure of the store that is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub failure: Failure,
    /// Whether it was performed all the same, and only the answer was lost.
    pub performed: bool,
}

/// What a run came to.
#[derive(Debug)]
pub struct Ended {
    pub report: Report,
    /// Whether the store failed for good.
    pub failed: bool,
}

/// What a lane has in its hands.
enum Hand {
    Answer(Answer),
    Doing(Effect),
    Parked,
    Gone,
}

type Faults<'a> = Box<dyn FnMut(&Effect) -> Option<Fault> + 'a>;

/// A host of several lanes, and what it has seen.
pub struct Lanes<'a, E> {
    engine: &'a E,
    lanes: usize,
    chance: Chance,
    faults: Faults<'a>,
    stop_at: usize,
    /// The lanes of the effects that were performed, over all runs.
    pub performed: Vec<usize>,
    /// The rows that went without being told, by table, over all runs.
    pub untold: BTreeMap<String, u64>,
    tables: Vec<String>,
}

impl<'a, E: Engine> Lanes<'a, E> {
    pub fn new(engine: &'a E, lanes: usize, seed: u64) -> Self {
        Self {
            engine,
            lanes,
            chance: Chance::new(seed),
            faults: Box::new(|_| None),
            stop_at: usize::MAX,
            performed: vec![],
            untold: BTreeMap::new(),
            tables: vec![],
        }
    }

    /// Sets which effects fail, and the tables in which rows may go without being told.
    pub fn failing(mut self, tables: &[&str], faults: impl FnMut(&Effect) -> Option<Fault> + 'a) -> Self {
        self.tables = tables.iter().map(|table| (*table).to_owned()).collect();
        self.faults = Box::new(faults);
        self
    }

    /// Asks every run to end after it has performed so many effects.
    pub fn stopping_at(mut self, effects: usize) -> Self {
        self.stop_at = effects;
        self
    }

    /// Runs a request over and over, each time from the checkpoint of the last, until the pass is complete.
    pub fn complete(&mut self, request: &Request) -> Result<Vec<Ended>, Error> {
        let mut all: Vec<Ended> = Vec::new();
        loop {
            let checkpoint = all.last().and_then(|ended| ended.report.checkpoint.clone());
            let ended = self.run_from(request, checkpoint.as_ref())?;
            let complete = ended.report.complete && !ended.failed;
            all.push(ended);
            if complete {
                return Ok(all);
            }
            assert!(all.len() < 2_000, "the pass never ends");
        }
    }

    /// Runs a request to its end.
    pub fn run_from(&mut self, request: &Request, checkpoint: Option<&Checkpoint>) -> Result<Ended, Error> {
        let mut run = Run::new(request, self.engine.name(), checkpoint.map(carried))?;
        let mut hands: Vec<Hand> = (0..self.lanes).map(|_| Hand::Answer(Answer::Began)).collect();
        let (mut ended, mut error) = (None, None);
        let mut elapsed_ms = 0.0;
        let first = self.performed.len();
        while let Some(at) = self.next_lane(&hands) {
            let over = ended.is_some() || error.is_some();
            match std::mem::replace(&mut hands[at], Hand::Gone) {
                Hand::Doing(effect) => {
                    elapsed_ms += if let Effect::Wait(ms) = effect { ms } else { 20.0 * self.chance.draw() };
                    self.performed.push(at);
                    assert!(self.performed.len() - first < 50_000, "the run never ends");
                    hands[at] = Hand::Answer(self.perform(&effect));
                }
                // A slice that was in hand when another lane ended the run is counted still, and nothing more is begun.
                Hand::Answer(answer) if !over || matches!(answer, Answer::Batch(_)) => {
                    let aborted = self.performed.len() - first >= self.stop_at;
                    match run.next(Outcome { answer, elapsed_ms, aborted, lane: at }) {
                        Ok(_) if over => {}
                        Ok(Step { effect: Effect::Park, .. }) => hands[at] = Hand::Parked,
                        Ok(Step { effect, .. }) => {
                            ring(&mut hands);
                            match effect {
                                Effect::Done(report) => ended = Some(Some(*report)),
                                Effect::Fail => ended = Some(None),
                                effect => hands[at] = Hand::Doing(effect),
                            }
                        }
                        Err(told) => {
                            error.get_or_insert(told);
                            ring(&mut hands);
                        }
                    }
                }
                Hand::Answer(_) | Hand::Parked | Hand::Gone => {}
            }
        }
        match (error, ended) {
            (Some(error), _) => Err(error),
            (None, Some(Some(report))) => Ok(Ended { report, failed: false }),
            (None, Some(None)) => Ok(Ended { report: run.fail(), failed: true }),
            (None, None) => panic!("every lane waits for another one"),
        }
    }

    /// One of the lanes that have something to do.
    fn next_lane(&mut self, hands: &[Hand]) -> Option<usize> {
        let able = hands.iter().enumerate().filter(|(_, hand)| matches!(hand, Hand::Answer(_) | Hand::Doing(_)));
        let able: Vec<usize> = able.map(|(at, _)| at).collect();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "small"
        )]
        let chosen = (self.chance.draw() * able.len() as f64) as usize;
        able.get(chosen).copied()
    }

    fn perform(&mut self, effect: &Effect) -> Answer {
        let fault = if matches!(effect, Effect::Wait(_)) { None } else { (self.faults)(effect) };
        match fault {
            None => act(self.engine, effect).unwrap_or_else(|error| Answer::Failed(error.failure)),
            Some(fault) => {
                if fault.performed {
                    let before = self.counts();
                    act(self.engine, effect).unwrap_or_else(|error| panic!("{error}"));
                    for ((table, before), after) in before.into_iter().zip(self.counts().into_values()) {
                        if before > after {
                            *self.untold.entry(table).or_default() += before - after;
                        }
                    }
                }
                Answer::Failed(fault.failure)
            }
        }
    }

    fn counts(&self) -> BTreeMap<String, u64> {
        let count = |table: &String| {
            let name = self.engine.dialect().quote(table);
            let rows = self.engine.select(&format!("SELECT count(*) FROM {name}"));
            (table.clone(), rows[0][0].as_ref().unwrap().parse().unwrap())
        };
        self.tables.iter().map(count).collect()
    }
}

/// Wakes whoever waits for another lane.
fn ring(hands: &mut [Hand]) {
    for hand in hands.iter_mut().filter(|hand| matches!(hand, Hand::Parked)) {
        *hand = Hand::Answer(Answer::Waited);
    }
}
