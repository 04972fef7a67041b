//! What a host is asked in each phase of its lane.

use super::SqlRun;
use crate::effect::{Effect, Statement};
use crate::error::{Error, unexpected};
use crate::sweep::lane::Phase;

impl SqlRun {
    /// Asks what a phase is for.
    pub(super) fn ask(&mut self, at: usize, phase: Phase) -> Result<Effect, Error> {
        let effect = self.effect_of(at, &phase).ok_or_else(|| unexpected("something to ask"))?;
        Ok(self.hand(at, phase, effect))
    }

    /// Hands an effect to a lane's host.
    pub(super) fn hand(&mut self, at: usize, phase: Phase, effect: Effect) -> Effect {
        if let Some(lane) = self.lanes.get_mut(at) {
            lane.phase = phase;
        }
        effect
    }

    /// What a phase asks, of those that ask the same however often.
    fn effect_of(&self, at: usize, phase: &Phase) -> Option<Effect> {
        let lane = self.lanes.get(at)?;
        let sweep = self.sweeps.get(self.place.step);
        let plain = |sql: &str| Statement { sql: sql.to_owned(), params: vec![] };
        match phase {
            Phase::Schema(results) => {
                self.dialect.schema_queries().get(results.len()).map(|query| Effect::Query(plain(query)))
            }
            Phase::Lease => self.dialect.lease(self.order.job.name).map(|lease| Effect::Lease(plain(&lease.take))),
            Phase::TakeRow => self.row_lease.as_ref().map(|lease| Effect::Batch(lease.take())),
            Phase::Renew => self.row_lease.as_ref().map(|lease| Effect::Batch(lease.renew())),
            Phase::Writable => Some(Effect::Batch(vec![])),
            Phase::Open => sweep.map(|sweep| self.reading(sweep.templates.open.fill(self.dialect, &lane.filling))),
            Phase::Find => sweep.map(|sweep| self.reading(sweep.templates.find.fill(self.dialect, &lane.filling))),
            Phase::Count { .. } => {
                let count = sweep?.templates.count.as_ref()?;
                Some(self.reading(count.fill(self.dialect, &lane.filling)))
            }
            _ => None,
        }
    }

    /// A statement that reads a table, with what has to be said before it.
    fn reading(&self, statement: Statement) -> Effect {
        let before = self.dialect.before_reading();
        if before.is_empty() {
            return Effect::Query(statement);
        }
        let before = before.iter().map(|sql| Statement { sql: (*sql).to_owned(), params: vec![] });
        Effect::Batch(before.chain([statement]).collect())
    }
}
