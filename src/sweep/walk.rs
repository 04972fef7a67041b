//! The walk of one table: what lies ahead, what lanes have claimed of it, and what is to be visited once more.

use std::collections::VecDeque;

/// A part of a table that one lane works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Where its rest begins.
    pub from: String,
    /// Where it ends.
    pub upto: String,
    /// How many rows of it somebody held, where it is visited for the second time because of that.
    pub held: Option<u64>,
    /// Its place among all claims.
    number: u64,
}

/// What a walk has found stale or unreadable, and left.
#[derive(Debug, Default)]
pub struct Kept {
    /// Rows that others restrict the removal of.
    pub restricted: u64,
    /// Rows that were held the second time, too.
    pub held: u64,
    /// Rows with an instant that cannot be read.
    pub unreadable: u64,
}

/// The walk of the table in hand.
#[derive(Debug, Default)]
pub struct Walk {
    /// Where what nobody has claimed begins; `None` where all of it has been.
    pub cursor: Option<String>,
    /// The last position of the table.
    pub last: String,
    /// Rows of the table when the walk began.
    pub total: u64,
    /// Rows of the table that have gone in this walk.
    pub gone: u64,
    /// Whether a lane is looking for where its claim from the cursor ends.
    pub finding: bool,
    /// What it has left.
    pub kept: Kept,
    /// Whether a slice of it may have been done whose confirmation was lost.
    pub uncertain: bool,
    once_more: VecDeque<(String, String, u64)>,
    claims: u64,
}

impl Walk {
    /// A walk from one position to another.
    #[must_use]
    pub fn new(from: String, last: String, total: u64) -> Self {
        Self { cursor: Some(from), last, total, ..Self::default() }
    }

    /// Claims a part of it.
    pub fn claim(&mut self, from: String, upto: String, held: Option<u64>) -> Claim {
        self.claims += 1;
        Claim { from, upto, held, number: self.claims }
    }

    /// Whether what follows upon a claim, where `after` is, has been claimed by nobody, and nobody looks for where a claim of it ends.
    #[must_use]
    pub fn is_last(&self, claim: &Claim, after: Option<&str>) -> bool {
        let follows = match self.cursor.as_deref() {
            None => claim.upto == self.last,
            cursor => after == cursor,
        };
        follows && !self.finding
    }

    /// Notes a part of which so many rows were held, to be visited once more when all has been visited.
    pub fn visit_again(&mut self, from: String, upto: String, held: u64) {
        self.once_more.push_back((from, upto, held));
    }

    /// Claims the next part that is to be visited once more.
    pub fn claim_again(&mut self) -> Option<Claim> {
        let (from, upto, held) = self.once_more.pop_front()?;
        Some(self.claim(from, upto, Some(held)))
    }

    /// Rows that were held and have not been visited again, given the claims in hand.
    #[must_use]
    pub fn held<'a>(&self, claims: impl Iterator<Item = &'a Claim>) -> u64 {
        let waiting = self.once_more.iter().map(|(_, _, held)| held);
        waiting.sum::<u64>() + claims.filter_map(|claim| claim.held).sum::<u64>()
    }

    /// Where a walk would have to go on so as to miss nothing, given the claims in hand; `None` where nothing is left.
    #[must_use]
    pub fn rest<'a>(&'a self, claims: impl Iterator<Item = &'a Claim>) -> Option<&'a str> {
        let (again, first): (Vec<_>, Vec<_>) = claims.partition(|claim| claim.held.is_some());
        let earliest = |claims: Vec<&'a Claim>| {
            claims.into_iter().min_by_key(|claim| claim.number).map(|claim| claim.from.as_str())
        };
        // In the second round only what was held is left. Before it, what was held is told, and left to the next pass: whoever
        // holds a row for ever must not keep a pass from getting on.
        let waiting = || self.once_more.front().map(|(from, _, _)| from.as_str());
        earliest(first).or(self.cursor.as_deref()).or_else(|| earliest(again)).or_else(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(cursor: Option<&str>, finding: bool) -> (Walk, Claim) {
        let mut walk = Walk::new("1".into(), "9".into(), 100);
        let claim = walk.claim("1".into(), "4".into(), None);
        walk.cursor = cursor.map(str::to_owned);
        walk.finding = finding;
        (walk, claim)
    }

    /// Regression: what lay between a claim that was given back and one that was being looked for was left out; and where nobody can
    /// say what follows upon a place, a claim in the middle was taken for the last.
    #[test]
    fn knows_the_last_claim() {
        for (cursor, finding, after, is_last) in [
            (Some("5"), false, Some("5"), true),
            (Some("5"), true, Some("5"), false),
            (Some("7"), false, Some("5"), false),
            (Some("7"), false, None, false),
            (None, false, Some("5"), false),
            (None, false, None, false),
        ] {
            let (walk, claim) = walk(cursor, finding);
            assert_eq!(walk.is_last(&claim, after), is_last, "{cursor:?} {finding} {after:?}");
        }
        let (mut walk, _) = walk(None, false);
        let end = walk.claim("5".into(), "9".into(), None);
        assert!(walk.is_last(&end, None));
        assert!(walk.is_last(&end, Some("10")));
    }
}
