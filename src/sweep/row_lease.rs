//! The lease of a job where no lock lives as long as a connection: a row with a deadline, by the database's own clock, and a
//! number that grows with every holder. Each slice asks for its number again, so that who has lost the lease does nothing.

use super::statements::Filling;
use crate::dialect::{Dialect, LEASES, LeaseRows};
use crate::effect::Statement;
use crate::rule::sql::{Slot, Sql};
use crate::schema::Schema;

/// How long a lease lasts that is not renewed, in seconds.
const SECONDS: u32 = 60;
/// How long it may go without being renewed, in milliseconds.
pub const RENEW_MS: f64 = 15_000.0;
/// How often it is tried to make the table: of two that make it at the same moment, one may be refused.
const ATTEMPTS: u32 = 2;

/// The lease of one run.
pub struct RowLease {
    dialect: &'static dyn Dialect,
    rows: LeaseRows,
    job: &'static str,
    holder: String,
    attempts: u32,
    /// The number of this holder; empty while it is not held.
    pub fence: String,
    /// When it was renewed last, in milliseconds since the run began.
    pub renewed_ms: f64,
}

impl RowLease {
    /// A lease that is not held yet. Who holds it is told to others by `holder`.
    #[must_use]
    pub fn new(dialect: &'static dyn Dialect, rows: LeaseRows, job: &'static str, holder: String) -> Self {
        Self { dialect, rows, job, holder, attempts: 0, fence: String::new(), renewed_ms: 0.0 }
    }

    /// Takes it if nobody has it: the last statement but one returns the number then, and the last tells who has it. Who has it
    /// already gets the same number again, for other slices of its may be under way. The statements take the table to be there, until
    /// it has been tried to make it.
    #[must_use]
    pub fn take(&self) -> Vec<Statement> {
        let (until, now) = ((self.rows.instant)(SECONDS), (self.rows.instant)(0));
        let create = (self.attempts > 0).then(|| {
            self.statement(|sql| {
                sql.push(&format!(
                    "CREATE TABLE IF NOT EXISTS {LEASES} (job VARCHAR(64) NOT NULL PRIMARY KEY, holder TEXT NOT NULL, \
                     fence INTEGER NOT NULL, until TEXT NOT NULL)"
                ));
            })
        });
        let take = self.statement(|sql| {
            sql.push(&format!("INSERT INTO {LEASES} (job, holder, fence, until) VALUES (")).slot(self.job());
            sql.push(", ").slot(self.holder()).push(&format!(
                ", 1, {until}) ON CONFLICT (job) DO UPDATE \
                 SET fence = CASE WHEN {LEASES}.holder = excluded.holder THEN {LEASES}.fence ELSE {LEASES}.fence + 1 END, \
                 holder = excluded.holder, until = excluded.until WHERE {LEASES}.until < {now} OR {LEASES}.holder = excluded.holder RETURNING CAST(fence AS TEXT)"
            ));
        });
        let ask = self.statement(|sql| {
            sql.push(&format!("SELECT holder, until FROM {LEASES} WHERE job = ")).slot(self.job());
        });
        self.before().chain(create).chain([take, ask]).collect()
    }

    /// Whether to try again to take it, and to make its table first, since it could not be taken.
    pub fn makes_table(&mut self) -> bool {
        self.attempts += 1;
        self.attempts <= ATTEMPTS
    }

    /// Prolongs it, in a unit of its own.
    #[must_use]
    pub fn renew(&self) -> Vec<Statement> {
        self.before().chain([self.prolong()]).collect()
    }

    /// Prolongs it; breaks a constraint, and so undoes the atomic unit that it stands in, where another has taken it.
    fn prolong(&self) -> Statement {
        self.statement(|sql| {
            let until = (self.rows.instant)(SECONDS);
            sql.push(&format!("UPDATE {LEASES} SET until = {until}, fence = CASE WHEN "));
            sql.push("fence = CAST(").slot(Slot::Text(self.fence.clone())).push(" AS INTEGER) AND holder = ");
            sql.slot(self.holder()).push(" THEN fence END WHERE job = ").slot(self.job());
        })
    }

    /// What begins a slice, where its own statements do not ask whether the lease is held.
    #[must_use]
    pub fn before_slice(&self) -> Option<Statement> {
        self.rows.held.is_none().then(|| self.prolong())
    }

    /// Gives it back. Its number grows all the same, so that a slice of this holder which is still under way somewhere is undone.
    #[must_use]
    pub fn release(&self) -> Vec<Statement> {
        // By the holder alone, which no two runs have the same: what has become of the last taking of it may not be known.
        let release = self.statement(|sql| {
            sql.push(&format!("UPDATE {LEASES} SET fence = fence + 1, until = '' WHERE job = ")).slot(self.job());
            sql.push(" AND holder = ").slot(self.holder());
        });
        self.before().chain([release]).collect()
    }

    /// Whether it is time to renew it.
    #[must_use]
    pub fn is_old(&self, elapsed_ms: f64) -> bool {
        elapsed_ms - self.renewed_ms > RENEW_MS
    }

    fn before(&self) -> impl Iterator<Item = Statement> {
        self.rows.before.iter().map(|sql| Statement { sql: (*sql).to_owned(), params: vec![] })
    }

    fn job(&self) -> Slot {
        Slot::Text(self.job.to_owned())
    }

    fn holder(&self) -> Slot {
        Slot::Text(self.holder.clone())
    }

    fn statement(&self, write: impl FnOnce(&mut Sql)) -> Statement {
        let schema = Schema::default();
        let mut sql = Sql::new(self.dialect, &schema);
        write(&mut sql);
        sql.finish().fill(self.dialect, &Filling::default())
    }
}
