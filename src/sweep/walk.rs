//! The walk of one table: what lies ahead, what lanes have claimed of it, and what is to be visited once more.

use std::collections::VecDeque;

/// A part of a table that one lane works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Where its rest begins.
    pub from: String,
    /// Where it ends.
    pub upto: String,
    /// Whether it is visited for the second time, because somebody held rows of it.
    pub again: bool,
    /// Its place among all claims.
    number: u64,
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
    /// Whether a lane is looking for where its claim from the cursor ends.
    pub finding: bool,
    once_more: VecDeque<(String, String)>,
    claims: u64,
}

impl Walk {
    /// A walk from one position to another.
    #[must_use]
    pub fn new(from: String, last: String, total: u64) -> Self {
        Self { cursor: Some(from), last, total, ..Self::default() }
    }

    /// Claims a part of it.
    pub fn claim(&mut self, from: String, upto: String, again: bool) -> Claim {
        self.claims += 1;
        Claim { from, upto, again, number: self.claims }
    }

    /// Notes a part that is to be visited once more, when all has been visited.
    pub fn visit_again(&mut self, from: String, upto: String) {
        self.once_more.push_back((from, upto));
    }

    /// Claims the next part that is to be visited once more.
    pub fn claim_again(&mut self) -> Option<Claim> {
        let (from, upto) = self.once_more.pop_front()?;
        Some(self.claim(from, upto, true))
    }

    /// Where a walk would have to go on so as to miss nothing, given the claims in hand; `None` where nothing is left.
    #[must_use]
    pub fn rest<'a>(&'a self, claims: impl Iterator<Item = &'a Claim>) -> Option<&'a str> {
        let first = claims.filter(|claim| !claim.again).min_by_key(|claim| claim.number);
        first.map(|claim| claim.from.as_str()).or(self.cursor.as_deref())
    }
}
