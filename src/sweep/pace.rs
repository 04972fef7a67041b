//! How much a slice takes: as much as keeps it near its target duration.

/// How far to walk, and how many stale rows to take, in the next slice.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    target_ms: f64,
    window: f64,
    take: f64,
    /// Rows walked for each stale one, where the last find met as many as a slice takes.
    walked_each: f64,
}

/// Rows to walk in one find statement.
const WINDOW: (f64, f64, f64) = (100.0, 4_000.0, 1_000_000.0);
/// Stale rows to take in one slice.
const TAKE: (f64, f64, f64) = (50.0, 500.0, 100_000.0);

/// A find may take up to this part of the target, so that most of a slice is removal.
const FIND_SHARE: f64 = 0.25;

/// A little more than is of use is walked, in case there is less to take.
const MARGIN: f64 = 1.05;

impl Pace {
    /// The pace of a run's first slice.
    #[must_use]
    pub fn new(target_ms: f64) -> Self {
        Self { target_ms, window: WINDOW.1, take: TAKE.1, walked_each: f64::INFINITY }
    }

    /// Begins anew, for another table: what a row costs there, and how many are stale, is another matter.
    pub fn begin_table(&mut self) {
        *self = Self::new(self.target_ms);
    }

    /// Goes on with what an earlier run took in a slice, which a run of few slices would not come to by itself.
    #[expect(clippy::cast_precision_loss, reason = "kept within the constants above")]
    pub fn resume(&mut self, take: u64) {
        self.take = within(take as f64, TAKE.0, TAKE.2);
        self.window = within(self.take * MARGIN, self.window, WINDOW.2);
    }

    /// How many rows to walk at most.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "kept within the constants above")]
    pub fn window(&self) -> u64 {
        self.of_use() as u64
    }

    /// A little more than is of use, in case there is less to take.
    fn of_use(&self) -> f64 {
        within(self.window.min(self.walked_each * self.take * MARGIN), WINDOW.0, WINDOW.2)
    }

    /// How many stale rows to take at most.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "kept within the constants above")]
    pub fn take(&self) -> u64 {
        self.take as u64
    }

    /// Learns from a find. Where it met as many stale rows as a slice takes, `walked` is how far it came until then, and
    /// what it walked beyond was in vain.
    pub fn found(&mut self, walked: Option<u64>, took_ms: f64) {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let each = walked.map_or(f64::INFINITY, |walked| walked as f64 / self.take);
        // From what was of use, and not from what the time would have allowed: where rows to take become rare, the next find
        // walks a little further, and not as far as ever before.
        self.window = adapt(self.of_use(), self.target_ms * FIND_SHARE, took_ms, WINDOW);
        self.walked_each = each;
    }

    /// Learns from both in one. How long the find took is not told then: where nothing was removed, all of the time was its.
    pub fn found_and_removed(&mut self, walked: Option<u64>, removed: u64, took_ms: f64) {
        if removed == 0 {
            return self.found(None, took_ms);
        }
        let used = self.of_use();
        self.found(walked, took_ms);
        self.window = adapt(used, self.target_ms, if walked.is_some() { 0.0 } else { took_ms }, WINDOW);
    }

    /// Learns from a removal that failed because of others, or for its length, which may have been that of its walk.
    pub fn shrink(&mut self, walk: bool) {
        self.take = within(self.take / 2.0, 1.0, TAKE.2);
        if walk {
            self.window = within(self.window / 2.0, WINDOW.0, WINDOW.2);
        }
    }

    /// Learns from a removal of so many stale rows.
    pub fn removed(&mut self, rows: u64, took_ms: f64) {
        // A slice with few stale rows tells nothing about one with many, unless it was too slow all the same.
        if rows >= self.take() / 2 || took_ms > self.target_ms {
            self.take = adapt(self.take, self.target_ms, took_ms, TAKE);
        }
    }
}

/// At most twice as much, or half as much, at a time: one odd measurement must not decide.
fn adapt(size: f64, target_ms: f64, took_ms: f64, (least, _, most): (f64, f64, f64)) -> f64 {
    within(size * within(target_ms / took_ms.max(0.01), 0.5, 2.0), least, most)
}

/// `f64::clamp` can panic, with a message that prints floats, which takes a tenth of the wasm.
fn within(value: f64, least: f64, most: f64) -> f64 {
    value.max(least).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store that takes so long for a row.
    fn settle(ms_a_row: f64) -> Pace {
        let mut pace = Pace::new(100.0);
        for _ in 0..20 {
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let took = pace.take() as f64 * ms_a_row;
            pace.removed(pace.take(), took);
        }
        pace
    }

    #[test]
    fn settles_on_the_target() {
        assert!((900..=1100).contains(&settle(0.1).take()), "{:?}", settle(0.1));
        assert_eq!(settle(0.000_01).take(), 100_000);
        assert_eq!(settle(1_000.0).take(), 50);
    }

    #[test]
    fn learns_nothing_from_small_slices_unless_they_are_slow() {
        let mut pace = Pace::new(100.0);
        pace.removed(1, 0.1);
        assert_eq!(pace, Pace::new(100.0));
        pace.removed(1, 400.0);
        assert_eq!(pace.take(), 250);
    }

    /// Regression: where rows to take became rare, a slice read the whole rest of a table.
    #[test]
    fn walks_at_most_twice_as_far_as_before() {
        let mut pace = Pace::new(100.0);
        for walked in [None, Some(500), Some(600), None, Some(900), None, None, Some(500)].into_iter().cycle().take(100)
        {
            let window = pace.window();
            pace.found_and_removed(walked, 500, 1.0);
            assert!(pace.window() <= 2 * window, "{window} then {pace:?}");
        }
    }

    #[test]
    fn walks_no_further_than_is_of_use() {
        let mut pace = Pace::new(100.0);
        pace.found(None, 1.0);
        assert_eq!(pace.window(), 8_000);
        pace.found(Some(3_000), 1.0);
        assert_eq!(pace.window(), 3_150);
        pace.found(Some(10), 1.0);
        assert_eq!(pace.window(), 100);
    }
}
