//! Databases with HIdP's schema, and rows for them.

use rusqlite::{Connection, params};

/// Long before any cutoff of a test.
pub const LONG_AGO: &str = "2020-01-01 00:00:00";
/// After every clock of a test.
pub const LATER: &str = "2030-01-01 00:00:00";

/// An empty database of HIdP's schema.
pub fn database() -> Connection {
    with_schema(include_str!("hidp.sql"))
}

/// An empty database of any schema, its foreign keys enforced.
pub fn with_schema(sql: &str) -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    conn.execute_batch(sql).unwrap();
    conn.set_prepared_statement_cache_capacity(200);
    conn
}

/// Adds a login session at a row id.
pub fn add_session(conn: &Connection, row_id: i64, expires: &str) {
    let mut insert = conn
        .prepare_cached("INSERT INTO django_session (rowid, session_key, expire_date) VALUES (?1, 's' || ?1, ?2)")
        .unwrap();
    insert.execute(params![row_id, expires]).unwrap();
}

/// A database of so many sessions with row ids from 1, of which every `nth` has expired.
pub fn sessions(count: i64, nth: i64) -> Connection {
    let conn = database();
    conn.execute_batch("BEGIN").unwrap();
    for row_id in 1..=count {
        add_session(&conn, row_id, if row_id % nth == 0 { LONG_AGO } else { LATER });
    }
    conn.execute_batch("COMMIT").unwrap();
    conn
}

/// Adds an account at a row id: one that verified, or one that never did and is stale.
pub fn add_person(conn: &Connection, row_id: i64, id: &str, verified: bool) {
    let mut insert = conn
        .prepare_cached("INSERT INTO people (rowid, id, email_verified, date_joined) VALUES (?1, ?2, ?3, ?4)")
        .unwrap();
    insert.execute(params![row_id, id, verified.then_some(LONG_AGO), LONG_AGO]).unwrap();
}

/// A database of so many token chains, of every kind there is: each link expired or not, revoked or not, there or not.
pub fn token_chains(count: i64) -> Connection {
    let conn = database();
    let moment = |ago: bool| if ago { LONG_AGO } else { LATER };
    conn.execute_batch("BEGIN").unwrap();
    for chain in 1..=count {
        let is = |bit: i64| chain >> bit & 1 == 1;
        let add =
            |sql: &str, params: &[&dyn rusqlite::ToSql]| conn.prepare_cached(sql).unwrap().execute(params).unwrap();
        add("INSERT INTO oauth2_provider_idtoken (id, expires) VALUES (?, ?)", &[&chain, &moment(is(0))]);
        add(
            "INSERT INTO oauth2_provider_accesstoken (id, expires, id_token_id, source_refresh_token_id) VALUES (?, ?, ?, ?)",
            &[&chain, &moment(is(1)), &is(2).then_some(chain), &(is(3) && chain > 1).then_some(chain - 1)],
        );
        add(
            "INSERT INTO oauth2_provider_refreshtoken (id, revoked, access_token_id) VALUES (?, ?, ?)",
            &[&chain, &is(4).then(|| moment(is(5))), &is(6).then_some(chain)],
        );
        add("INSERT INTO oauth2_provider_grant (id, expires) VALUES (?, ?)", &[&chain, &moment(is(7) || is(0))]);
        add("INSERT INTO oauth2_provider_devicegrant (id, expires) VALUES (?, ?)", &[&chain, &moment(is(1))]);
    }
    conn.execute_batch("COMMIT").unwrap();
    conn
}
