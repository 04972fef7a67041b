//! A host of the core on records in memory.

use super::request::{carried, read};
use idp_janitor::checkpoint::Checkpoint;
use idp_janitor::effect::{Answer, Effect, Outcome, Page, ScannedRecord, Step};
use idp_janitor::error::Error;
use idp_janitor::report::{Progress, Report};
use idp_janitor::request::Request;
use idp_janitor::rule::eval::Record;
use idp_janitor::run::Run;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Collections of records by id, in the order of ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Store(pub BTreeMap<String, BTreeMap<String, Record>>);

impl Store {
    /// A store of JSON records, whose ids are their places.
    pub fn of(collections: Json) -> Self {
        let records = |records: &Json| {
            let records = records.as_array().unwrap().iter().enumerate();
            records.map(|(at, record)| (format!("{at:06}"), read(record.clone()))).collect()
        };
        let collections = collections.as_object().unwrap().iter();
        Self(collections.map(|(name, list)| (name.clone(), records(list))).collect())
    }

    /// The ids of a collection.
    pub fn ids(&self, collection: &str) -> Vec<String> {
        self.0[collection].keys().cloned().collect()
    }

    fn page(&self, collection: &str, after: Option<&str>, limit: usize) -> Page {
        let rest = self.0[collection].iter().filter(|(id, _)| after.is_none_or(|after| id.as_str() > after));
        let mut records: Vec<ScannedRecord> =
            rest.take(limit + 1).map(|(id, row)| ScannedRecord { id: id.clone(), row: row.clone() }).collect();
        let more = records.len() > limit;
        records.truncate(limit);
        Page { next: records.last().filter(|_| more).map(|last| last.id.clone()), records }
    }
}

type Watcher<'a> = Box<dyn FnMut(&mut Store, &Effect) + 'a>;

/// A host on a store, and what it has seen.
pub struct MemoryHost<'a> {
    pub store: Store,
    before: Watcher<'a>,
    abort_at: usize,
    /// Effects of the last run, in order.
    pub effects: Vec<Effect>,
    /// What the last run told of its progress.
    pub progress: Vec<Progress>,
}

impl<'a> MemoryHost<'a> {
    pub fn new(store: Store) -> Self {
        Self { store, before: Box::new(|_, _| {}), abort_at: usize::MAX, effects: vec![], progress: vec![] }
    }

    /// Sets what happens to the store right before an effect is performed.
    pub fn before(mut self, before: impl FnMut(&mut Store, &Effect) + 'a) -> Self {
        self.before = Box::new(before);
        self
    }

    /// Asks the run to end with the answer to its effect at that position.
    pub fn aborting_at(mut self, position: usize) -> Self {
        self.abort_at = position;
        self
    }

    /// Runs a request to its end. Every effect takes a second.
    pub fn run_from(&mut self, request: &Request, checkpoint: Option<&Checkpoint>) -> Result<Report, Error> {
        self.effects.clear();
        self.progress.clear();
        let mut run = Run::new(request, "records", checkpoint.map(carried))?;
        let mut answer = Answer::Began;
        loop {
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let elapsed_ms = self.effects.len() as f64 * 1000.0;
            let aborted = self.effects.len() > self.abort_at;
            let Step { effect, progress } = run.next(Outcome { answer, elapsed_ms, aborted, lane: 0 })?;
            self.progress.extend(progress);
            if let Effect::Done(report) = effect {
                return Ok(*report);
            }
            (self.before)(&mut self.store, &effect);
            answer = self.act(&effect, &run);
            self.effects.push(effect);
            assert!(self.effects.len() < 10_000, "the run never ends");
        }
    }

    pub fn run(&mut self, request: &Request) -> Report {
        self.run_from(request, None).unwrap()
    }

    /// Runs a request over and over, each time from the checkpoint of the last, until the pass is complete.
    pub fn run_to_completion(&mut self, request: &Request) -> Vec<Report> {
        let mut reports: Vec<Report> = Vec::new();
        loop {
            let checkpoint = reports.last().map(|last| last.checkpoint.clone().unwrap());
            reports.push(self.run_from(request, checkpoint.as_ref()).unwrap());
            if reports.last().unwrap().complete {
                return reports;
            }
            assert!(reports.len() < 5_000, "the pass never ends");
        }
    }

    fn act(&mut self, effect: &Effect, run: &Run) -> Answer {
        match effect {
            Effect::Scan(scan) => {
                Answer::Scan(self.store.page(&scan.collection, scan.after.as_deref(), scan.limit as usize))
            }
            Effect::Remove(removal) => {
                let records = self.store.0.get_mut(&removal.collection).unwrap();
                let mut removed = 0;
                for id in &removal.ids {
                    if records.get(id).is_some_and(|record| run.is_stale(record).unwrap_or(false)) {
                        records.remove(id);
                        removed += 1;
                    }
                }
                Answer::Remove(removed)
            }
            other => panic!("not for a record store: {other:?}"),
        }
    }
}
