//! Real servers, one of each product for all tests of a binary. Tests take turns on each.

mod mariadb;
mod postgres;
mod server;

pub use mariadb::Mariadb;
pub use postgres::Postgres;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// An empty database of PostgreSQL, until the guard is dropped.
pub fn postgres() -> MutexGuard<'static, Postgres> {
    static SERVER: OnceLock<Mutex<Postgres>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Mutex::new(Postgres::start()));
    // Whoever panicked has left rows behind, and nothing else.
    let postgres = server.lock().unwrap_or_else(PoisonError::into_inner);
    postgres.emptied();
    postgres
}

/// An empty database of MariaDB, until the guard is dropped.
pub fn mariadb() -> MutexGuard<'static, Mariadb> {
    static SERVER: OnceLock<Mutex<Mariadb>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Mutex::new(Mariadb::start()));
    let mariadb = server.lock().unwrap_or_else(PoisonError::into_inner);
    mariadb.emptied();
    mariadb
}
