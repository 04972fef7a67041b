//! The lease of a job where no lock lives as long as a connection: a row with a deadline, by the database's own clock, and a
//! number that grows with every holder. Each slice asks for its number again, so that who has lost the lease does nothing.

use crate::effect::Statement;

/// The table of leases; made by the first run that needs it.
const TABLE: &str = "idp_janitor_leases";
/// How long a lease lasts that is not renewed, in seconds.
const SECONDS: u32 = 60;
/// How long it may go without being renewed, in milliseconds.
pub const RENEW_MS: f64 = 15_000.0;

/// The statements of a lease on SQLite, and what speaks its SQL.
#[derive(Debug, Clone)]
pub struct RowLease {
    job: &'static str,
    holder: String,
    /// The number of this holder; empty while it is not held.
    pub fence: String,
    /// When it was renewed last, in milliseconds since the run began.
    pub renewed_ms: f64,
}

impl RowLease {
    /// A lease that is not held yet. Who holds it is told to others by `holder`.
    #[must_use]
    pub fn new(job: &'static str, holder: String) -> Self {
        Self { job, holder, fence: String::new(), renewed_ms: 0.0 }
    }

    /// Takes it if nobody has it, or the same holder: the second statement returns the number then, and the third tells who
    /// has it.
    #[must_use]
    pub fn take(&self) -> Vec<Statement> {
        let job = self.job.to_owned();
        vec![
            Statement {
                sql: format!(
                    "CREATE TABLE IF NOT EXISTS {TABLE} (job TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, \
                     fence INTEGER NOT NULL, until TEXT NOT NULL)"
                ),
                params: vec![],
            },
            Statement {
                sql: format!(
                    "INSERT INTO {TABLE} (job, holder, fence, until) VALUES (?, ?, 1, {}) ON CONFLICT (job) DO UPDATE \
                     SET holder = excluded.holder, fence = {TABLE}.fence + 1, until = excluded.until \
                     WHERE {TABLE}.until < {} OR {TABLE}.holder = excluded.holder RETURNING CAST(fence AS TEXT)",
                    instant(SECONDS),
                    instant(0)
                ),
                params: vec![job.clone(), self.holder.clone()],
            },
            Statement { sql: format!("SELECT holder, until FROM {TABLE} WHERE job = ?"), params: vec![job] },
        ]
    }

    /// Prolongs it; breaks a constraint, and so undoes the atomic unit that it stands in, where another has taken it.
    #[must_use]
    pub fn renew(&self) -> Statement {
        Statement {
            sql: format!(
                "UPDATE {TABLE} SET until = {}, fence = CASE WHEN fence = CAST(? AS INTEGER) AND holder = ? THEN fence END \
                 WHERE job = ?",
                instant(SECONDS)
            ),
            params: vec![self.fence.clone(), self.holder.clone(), self.job.to_owned()],
        }
    }

    /// Gives it back. Its number grows all the same, so that a slice of this holder which is still under way somewhere is undone.
    #[must_use]
    pub fn release(&self) -> Statement {
        Statement {
            sql: format!(
                "UPDATE {TABLE} SET fence = fence + 1, until = '' WHERE job = ? AND fence = CAST(? AS INTEGER) AND holder = ?"
            ),
            params: vec![self.job.to_owned(), self.fence.clone(), self.holder.clone()],
        }
    }

    /// Whether it is time to renew it.
    #[must_use]
    pub fn is_old(&self, elapsed_ms: f64) -> bool {
        elapsed_ms - self.renewed_ms > RENEW_MS
    }
}

/// So many seconds from now, as text that sorts.
fn instant(seconds: u32) -> String {
    format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+{seconds} seconds')")
}
