//! What goes along with a row, in which order, and who says so.
#![cfg(test)]

mod common;

use common::dump::{assert_no_dangling_keys, number};
use common::hidp::{LONG_AGO, with_schema};
use common::host::{Host, removed};
use common::request::request;
use rusqlite::Connection;
use serde_json::{Value as Json, json};

#[test]
fn a_row_that_becomes_free_within_a_slice_stays_out_of_it() {
    // The second person is held by what goes along with the first.
    let conn = database(
        "CREATE TABLE belonging (id integer PRIMARY KEY, owner_id REFERENCES people (id) ON DELETE CASCADE);
         CREATE TABLE deed (id integer PRIMARY KEY, owner_id REFERENCES people (id) ON DELETE CASCADE,
             witness_id REFERENCES people (id) ON DELETE RESTRICT);
         INSERT INTO people VALUES (1, NULL, '2020-01-01 00:00:00'), (2, NULL, '2020-01-01 00:00:00');
         INSERT INTO belonging VALUES (1, 2);
         INSERT INTO deed VALUES (1, 1, 2);",
    );
    let report = Host::new(&conn).run(&removal(json!({ "maxRows": 1 })));
    assert_no_dangling_keys(&conn);
    println!("{report:?}");
    assert_eq!(number(&conn, "SELECT count(*) FROM people"), 1);
}
fn removal(more: Json) -> idp_janitor::request::Request {
    let mut more = more;
    more["userTable"] = json!("people");
    request("remove_stale_unverified_accounts", more)
}
fn database(sql: &str) -> Connection {
    with_schema(&format!(
        "CREATE TABLE people (id integer PRIMARY KEY, email_verified datetime, date_joined datetime); {sql}"
    ))
}
