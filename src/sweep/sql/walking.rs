//! The walk of a table, slice by slice, and the end of a run.

use super::{SqlRun, Stage};
use crate::checkpoint::Place;
use crate::dialect::{Found, Slices};
use crate::effect::{Answer, Effect, Rows, Statement};
use crate::error::{Error, unexpected};
use crate::report::Report;
use crate::sweep::journal::Journal;
use crate::sweep::lane::Phase;
use crate::sweep::prepare::Prepared;
use crate::sweep::row_lease::RowLease;
use crate::sweep::statements::Filling;
use crate::sweep::walk::{Kept, Walk};

/// How often in a row a lane takes the lease anew before it gives up.
const LEASES_LOST: u32 = 5;

impl SqlRun {
    /// What a lane does that has nothing in hand but its claim.
    pub(super) fn go_on(&mut self, at: usize) -> Result<Effect, Error> {
        if at > 0 && self.order.bounds.max_rows.is_some() {
            // How many rows a lane may take depends on what the others will have found.
            return Ok(Effect::Park);
        }
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
                return self.walked(at);
            }
        }
        if lane.claim.is_none() && (self.walk.cursor.is_none() || self.walk.finding) {
            // Parts that are visited once more may be shared out when all of the first visit is done.
            let first_visit =
                self.lanes.iter().any(|lane| lane.claim.as_ref().is_some_and(|claim| claim.held.is_none()));
            let shared = (!first_visit && self.walk.cursor.is_none()).then(|| self.walk.claim_again()).flatten();
            match (shared, self.lanes.get_mut(at)) {
                (Some(claim), Some(lane)) => lane.claim = Some(claim),
                _ => return Ok(Effect::Park),
            }
        }
        self.find(at)
    }

    /// What follows upon a table that has been walked: the next one, or the same again where stale rows may have moved to where
    /// the walk had been.
    fn walked(&mut self, at: usize) -> Result<Effect, Error> {
        if !self.is_to_follow() {
            return self.next_table(at);
        }
        // What stays is found again.
        let Kept { restricted, held, unreadable } = std::mem::take(&mut self.walk.kept);
        self.journal.selected = self.journal.selected.saturating_sub(restricted + held);
        self.journal.restricted = self.journal.restricted.saturating_sub(restricted);
        self.journal.held = self.journal.held.saturating_sub(held);
        if let Some(sweep) = self.sweeps.get(self.place.step).filter(|_| unreadable > 0) {
            let counted = self.journal.unreadable.entry(sweep.table());
            *counted = counted.saturating_sub(unreadable);
        }
        self.place = Place { step: self.place.step, upto: self.place.upto.take(), ..Place::default() };
        self.walk = Walk::default();
        self.open(at)
    }

    /// Whether another walk of the table has to follow: rows of its own have let go of what went, and may have moved to where the
    /// walk had been.
    fn is_to_follow(&self) -> bool {
        // Of a run that failed, slices of other lanes may have been under way.
        let in_hand = || self.lanes.iter().any(|lane| matches!(lane.phase, Phase::Remove { .. }));
        self.dialect.slices() == Slices::Chained
            && (self.walk.gone > 0 || self.walk.uncertain || self.place.moved || in_hand())
            && self.sweeps.get(self.place.step).is_some_and(Prepared::moves_its_own)
    }

    /// How many stale rows the next slice may take.
    pub(super) fn take(&self, at: usize) -> u64 {
        let Some(sweep) = self.sweeps.get(self.place.step) else { return 1 };
        let take = if sweep.one_by_one {
            1
        } else if self.order.dry_run && sweep.templates.count.is_none() {
            // There is nothing to be done about them but to have found them.
            u64::from(u32::MAX)
        } else {
            self.lanes.get(at).map_or(1, |lane| lane.pace.take())
        };
        if self.is_again(at) { take } else { take.min(self.rows_left().max(1)) }
    }

    /// Whether a lane visits what it has claimed for the second time. Its rows have been counted the first time.
    fn is_again(&self, at: usize) -> bool {
        self.lanes.get(at).and_then(|lane| lane.claim.as_ref()).is_some_and(|claim| claim.held.is_some())
    }

    /// Whether so many more statements are within the bounds.
    pub(super) fn allows(&self, statements: usize) -> bool {
        // A lease that is a row is renewed in each slice, and given back at the end.
        let leases = 2 * usize::from(self.row_lease.is_some());
        self.order.bounds.allow_statements(self.journal.statements + (statements + leases) as u64)
    }

    /// How many more rows the bounds allow.
    pub(super) fn rows_left(&self) -> u64 {
        let taken = self.journal.selected.saturating_sub(self.journal.restricted);
        self.order.bounds.max_rows.map_or(u64::MAX, |max| max.saturating_sub(taken))
    }

    /// Looks for what is stale, in a lane's claim or from the cursor.
    pub(super) fn find(&mut self, at: usize) -> Result<Effect, Error> {
        let (take, may_take) = (self.take(at), self.rows_left() > 0 || self.is_again(at));
        let Some(sweep) = self.sweeps.get(self.place.step) else { return self.open(at) };
        if !self.allows(1 + self.dialect.before_reading().len() + sweep.slice_statements(self.dialect)) {
            self.stop();
            return self.go_on(at);
        }
        if self.row_lease.as_ref().is_some_and(|lease| lease.is_old(self.journal.elapsed_ms)) {
            return self.ask(at, Phase::Renew);
        }
        let Some(lane) = self.lanes.get_mut(at) else { return Err(unexpected("a lane of this run")) };
        let (from, last) = match (&lane.claim, &self.walk.cursor) {
            (Some(claim), _) => (claim.from.clone(), claim.upto.clone()),
            (None, Some(cursor)) => (cursor.clone(), self.walk.last.clone()),
            (None, None) => return Ok(Effect::Park),
        };
        let window = lane.pace.window();
        let upto = self.dialect.window_end(&from, window, &last);
        lane.filling = Filling { from, upto, window, take, lease: self.lease.clone(), ..Filling::default() };
        let finds = sweep.templates.slice.found.is_some() && !self.order.dry_run && may_take && !lane.looks;
        if !finds {
            self.walk.finding |= lane.claim.is_none();
            return self.ask(at, Phase::Find);
        }
        if lane.claim.is_none() {
            // Where a window ends is known before anything is found in it.
            let Filling { from, upto, .. } = lane.filling.clone();
            self.walk.cursor = if upto == self.walk.last { None } else { self.dialect.after(&upto) };
            lane.claim = Some(self.walk.claim(from, upto, None));
        }
        self.remove(at, None)
    }

    /// Hands out the slice of what a lane's filling says.
    fn remove(&mut self, at: usize, found: Option<Found>) -> Result<Effect, Error> {
        let (Some(lane), Some(sweep)) = (self.lanes.get_mut(at), self.sweeps.get(self.place.step)) else {
            return Err(unexpected("a sweep in hand"));
        };
        let target_ms = self.order.slice_ms.unwrap_or_else(|| self.dialect.slice_ms());
        lane.filling.lease.clone_from(&self.lease);
        let mut statements = sweep.slice(self.dialect, target_ms, &lane.filling);
        statements.splice(0..0, self.row_lease.iter().filter_map(RowLease::before_slice));
        let phase = Phase::Remove { found, statements: statements.len() };
        Ok(self.hand(at, phase, Effect::Batch(statements)))
    }

    pub(super) fn found(&mut self, at: usize, found: Found, took_ms: f64) -> Result<Effect, Error> {
        let may_take = self.rows_left() > 0 || self.is_again(at);
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
        if std::mem::take(&mut lane.looks) {
            return self.walk_on(at, &found, 0);
        }
        if removable > 0 && !may_take {
            self.stop();
            return self.go_on(at);
        }
        if from_cursor {
            let claim = self.walk.claim(lane.filling.from.clone(), upto.clone(), None);
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
            return self.remove(at, Some(found));
        }
        if sweep.templates.count.is_some() {
            return self.ask(at, Phase::Count { found });
        }
        self.would_remove(&found);
        self.walk_on(at, &found, removable)
    }

    pub(super) fn removed(
        &mut self,
        at: usize,
        found: Option<Found>,
        answer: Answer,
        statements: usize,
        took_ms: f64,
    ) -> Result<Effect, Error> {
        let mut results = answer.ran(statements)?;
        if let Some(lease) = self.row_lease.as_mut().filter(|lease| lease.before_slice().is_some()) {
            lease.renewed_ms = self.journal.elapsed_ms;
            results.remove(0);
        }
        let Some(sweep) = self.sweeps.get(self.place.step) else { return Err(unexpected("a sweep in hand")) };
        let outcome = sweep.outcome(self.dialect, &results)?;
        if !outcome.leased {
            let Some(lane) = self.lanes.get_mut(at) else { return Err(unexpected("a lane of this run")) };
            if lane.filling.lease != self.lease {
                // Another lane has taken it again since.
                return self.go_on(at);
            }
            lane.leases_lost += 1;
            if lane.leases_lost > LEASES_LOST {
                let holder = match &self.row_lease {
                    Some(_) => "others, again and again",
                    None => "nobody, for the locks of a connection do not last here (is there a pooler in between?)",
                };
                return Err(Error::Leased { job: self.order.job.name.to_owned(), holder: holder.into() });
            }
            return self.ask(at, if self.row_lease.is_some() { Phase::TakeRow } else { Phase::Lease });
        }
        for (purpose, table, rows) in outcome.dependants {
            self.journal.count_dependants(purpose, &table, rows);
        }
        let table = sweep.table().to_owned();
        self.journal.count_own(self.place.step, &table, outcome.own);
        self.walk.gone += outcome.own;
        let Some(lane) = self.lanes.get_mut(at) else { return Err(unexpected("a lane of this run")) };
        let found_first = found.is_some();
        let Some(found) = found.or(outcome.found) else { return Err(unexpected("what was found")) };
        let full = found.removable() >= lane.filling.take;
        self.journal.slices += u64::from(found.removable() > 0);
        if !found_first {
            let upto = found.upto.as_deref().unwrap_or(&lane.filling.upto);
            let walked = self.dialect.reckoned(&lane.filling.from, upto).unwrap_or(found.walked);
            lane.pace.found_and_removed(full.then_some(walked), found.removable(), took_ms);
        }
        lane.pace.removed(found.stale, took_ms);
        self.walk_on(at, &found, outcome.own)
    }

    pub(super) fn counted(&mut self, at: usize, found: &Found, rows: &Rows, took_ms: f64) -> Result<Effect, Error> {
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

    pub(super) fn would_remove(&mut self, found: &Found) {
        if let Some(sweep) = self.sweeps.get(self.place.step) {
            self.journal.count_own(self.place.step, sweep.table(), found.removable());
            self.journal.slices += 1;
        }
    }

    /// Goes on behind what a find has covered, and of which so many rows have gone.
    pub(super) fn walk_on(&mut self, at: usize, found: &Found, gone: u64) -> Result<Effect, Error> {
        let (Some(lane), Some(sweep)) = (self.lanes.get_mut(at), self.sweeps.get(self.place.step)) else {
            return Err(unexpected("a sweep in hand"));
        };
        lane.is_well();
        let (Some(mut claim), Some(upto)) = (lane.claim.take(), found.upto.clone()) else {
            return Err(unexpected("a claim in hand"));
        };
        let held = if self.dialect.slices().skip_what_is_held() { found.removable().saturating_sub(gone) } else { 0 };
        if let Some(waiting) = &mut claim.held {
            *waiting = waiting.saturating_sub(found.removable());
            self.journal.held += held;
            self.walk.kept.held += held;
        } else {
            self.journal.selected += found.stale;
            self.journal.restricted += found.restricted;
            self.walk.kept.restricted += found.restricted;
            self.walk.kept.unreadable += found.unreadable;
            if found.unreadable > 0 {
                *self.journal.unreadable.entry(sweep.table()) += found.unreadable;
            }
            self.place.walked += found.walked;
            if held > 0 {
                self.walk.visit_again(claim.from.clone(), upto.clone(), held);
            }
        }
        self.journal.walked = true;
        let time_is_up = self.order.bounds.time_is_up(self.journal.elapsed_ms);
        if upto != claim.upto
            && let Some(next) = found.next.clone().or_else(|| self.dialect.after(&upto))
        {
            if claim.held.is_none() && self.walk.is_last(&claim, self.dialect.after(&claim.upto).as_deref()) {
                // Nobody has claimed what follows: the next claim begins here, and is as long as is of use.
                self.walk.cursor = Some(next);
            } else {
                claim.from = next;
                lane.claim = Some(claim);
            }
        }
        self.progress = Some(self.journal.progress(&self.order, &self.work, &self.place, self.walk.total));
        if time_is_up {
            self.stop();
        }
        let sliced = found.removable() > 0;
        if sliced && self.order.pause_ms > 0.0 && self.stage == Stage::Walking {
            return Ok(self.hand(at, Phase::Pause, Effect::Wait(self.order.pause_ms)));
        }
        self.go_on(at)
    }

    pub(super) fn stop(&mut self) {
        if self.stage != Stage::Begun {
            self.stage = Stage::Stopping;
        }
    }

    /// Where the next run would have to go on.
    pub(super) fn rest(&self) -> Place {
        let Place { step, walked, .. } = self.place.clone();
        let claims = self.lanes.iter().filter_map(|lane| lane.claim.as_ref());
        match self.walk.rest(claims) {
            Some(from) => {
                let take = self.lanes.first().map(|lane| lane.pace.take());
                let (upto, moved) = (self.place.upto.clone(), self.is_to_follow());
                Place { step, from: Some(from.to_owned()), upto, walked, total: Some(self.walk.total), take, moved }
            }
            None if self.walk.last.is_empty() => self.place.clone(),
            None if self.is_to_follow() => Place { step, upto: self.place.upto.clone(), ..Place::default() },
            // Behind a part there is nothing of its own.
            None if self.place.upto.is_some() => Place { step: self.sweeps.len(), ..Place::default() },
            None => Place { step: step + 1, ..Place::default() },
        }
    }

    pub(super) fn done(&mut self, at: usize, rest: Option<&Place>) -> Effect {
        let end = Effect::Done(Box::new(self.report(rest)));
        match self.row_lease.take() {
            Some(lease) => self.hand(at, Phase::Release(Box::new(end)), Effect::Batch(lease.release())),
            None => end,
        }
    }

    /// What gives back a lease that is a row, where the run ended without doing so.
    #[must_use]
    pub fn release(&self) -> Vec<Statement> {
        self.row_lease.iter().flat_map(RowLease::release).collect()
    }

    /// The report as of now: what was held and not visited again is held.
    pub(super) fn report(&self, rest: Option<&Place>) -> Report {
        let held = self.walk.held(self.lanes.iter().filter_map(|lane| lane.claim.as_ref()));
        let journal = Journal { held: self.journal.held + held, ..self.journal.clone() };
        journal.report(&self.order, &self.work, rest)
    }

    pub(super) fn end_early(&mut self, at: usize) -> Effect {
        let rest = self.rest();
        self.done(at, (rest.step < self.sweeps.len()).then_some(&rest))
    }
}
