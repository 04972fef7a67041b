//! What is done about a failure of the store: tried again after a pause that grows, passed over, or made the run's own.

use crate::effect::Failure;

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// The same again, after so many milliseconds.
    Again(f64),
    /// To leave what somebody else holds, for later.
    PassOver,
    /// To give up.
    Fail,
}

/// What failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Something that reads what nothing can make less of.
    Reading,
    /// The opening of a walk in a store where others write meanwhile, which have locked all of a table now and then.
    Opening,
    /// A look at a table in a store where nobody else can write meanwhile.
    AloneLook,
    /// The same in a store where others write meanwhile.
    SharedLook,
    /// A slice of a store where nobody else can write meanwhile.
    AloneSlice,
    /// A slice of a store where others write meanwhile.
    SharedSlice,
}

/// How often, and the first pause and the longest in milliseconds.
type Patience = (u32, f64, f64);
/// About half a minute: a server that restarts is back by then.
const WHILE_AWAY: Patience = (10, 200.0, 5_000.0);
/// About two seconds: who holds a row for longer is passed over.
const WHILE_HELD: Patience = (6, 50.0, 1_000.0);
/// A key that was broken by a row that came in meanwhile is whole when the slice looks again.
const WHILE_BROKEN: Patience = (4, 20.0, 200.0);

/// Judges the failure of the attempt of that number, from 1. `chance` lies between 0 and 1.
#[must_use]
pub fn judge(failure: Failure, doing: Doing, attempt: u32, chance: f64) -> Verdict {
    let (patience, then) = match (failure, doing) {
        (Failure::Unavailable, _) => (WHILE_AWAY, Verdict::Fail),
        (Failure::Conflict | Failure::Locked, Doing::SharedSlice) => (WHILE_HELD, Verdict::PassOver),
        (Failure::Conflict, _) | (Failure::Locked, Doing::Opening | Doing::SharedLook) => (WHILE_HELD, Verdict::Fail),
        // A smaller window or slice may do.
        (Failure::Timeout, doing) if !matches!(doing, Doing::Reading | Doing::Opening) => (WHILE_HELD, Verdict::Fail),
        (Failure::Constraint, Doing::SharedSlice) => (WHILE_BROKEN, Verdict::Fail),
        _ => return Verdict::Fail,
    };
    let (attempts, first, longest) = patience;
    if attempt >= attempts {
        return then;
    }
    let mut pause: f64 = first;
    for _ in 1..attempt {
        pause = (pause * 2.0).min(longest);
    }
    // Half of it by chance, so that those who got in each other's way do not meet again.
    Verdict::Again(pause * (0.5 + chance / 2.0))
}

/// Chance that can be repeated: SplitMix64.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// One that begins at a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    pub fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pauses, in milliseconds and without chance, and what comes after them.
    fn pauses(failure: Failure, doing: Doing) -> (Vec<f64>, Verdict) {
        let mut pauses = Vec::new();
        loop {
            match judge(failure, doing, u32::try_from(pauses.len()).unwrap() + 1, 1.0) {
                Verdict::Again(ms) => pauses.push(ms),
                end => return (pauses, end),
            }
        }
    }

    #[test]
    fn is_patient_for_a_while() {
        let held = vec![50.0, 100.0, 200.0, 400.0, 800.0];
        let away = vec![200.0, 400.0, 800.0, 1600.0, 3200.0, 5000.0, 5000.0, 5000.0, 5000.0];
        for (failure, doing, expected, end) in [
            (Failure::Unavailable, Doing::Reading, away.clone(), Verdict::Fail),
            (Failure::Unavailable, Doing::AloneSlice, away.clone(), Verdict::Fail),
            (Failure::Unavailable, Doing::SharedSlice, away, Verdict::Fail),
            (Failure::Conflict, Doing::Reading, held.clone(), Verdict::Fail),
            (Failure::Conflict, Doing::AloneSlice, held.clone(), Verdict::Fail),
            (Failure::Conflict, Doing::SharedSlice, held.clone(), Verdict::PassOver),
            (Failure::Locked, Doing::Reading, vec![], Verdict::Fail),
            (Failure::Locked, Doing::AloneSlice, vec![], Verdict::Fail),
            (Failure::Locked, Doing::SharedSlice, held.clone(), Verdict::PassOver),
            (Failure::Locked, Doing::Opening, held.clone(), Verdict::Fail),
            (Failure::Timeout, Doing::Opening, vec![], Verdict::Fail),
            (Failure::Locked, Doing::AloneLook, vec![], Verdict::Fail),
            (Failure::Locked, Doing::SharedLook, held.clone(), Verdict::Fail),
            (Failure::Timeout, Doing::Reading, vec![], Verdict::Fail),
            (Failure::Timeout, Doing::AloneLook, held.clone(), Verdict::Fail),
            (Failure::Timeout, Doing::SharedLook, held.clone(), Verdict::Fail),
            (Failure::Timeout, Doing::SharedSlice, held, Verdict::Fail),
            (Failure::Constraint, Doing::AloneSlice, vec![], Verdict::Fail),
            (Failure::Constraint, Doing::SharedSlice, vec![20.0, 40.0, 80.0], Verdict::Fail),
            (Failure::Other, Doing::SharedSlice, vec![], Verdict::Fail),
        ] {
            assert_eq!(pauses(failure, doing), (expected, end), "{failure:?} {doing:?}");
        }
    }

    #[test]
    fn leaves_half_of_a_pause_to_chance() {
        assert_eq!(judge(Failure::Locked, Doing::SharedSlice, 2, 0.0), Verdict::Again(50.0));
        let mut chance = Chance::new(7);
        let drawn: Vec<f64> = (0..1000).map(|_| chance.draw()).collect();
        assert!(drawn.iter().all(|drawn| (0.0..1.0).contains(drawn)));
        assert!((450..550).contains(&drawn.iter().filter(|drawn| **drawn < 0.5).count()));
        let mut again = Chance::new(7);
        assert!(drawn.iter().all(|drawn| (again.draw() - drawn).abs() < f64::EPSILON));
    }
}
