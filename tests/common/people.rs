//! Databases of people, two of whom are stale, and what is done to them.

use super::dump::{assert_no_dangling_keys, dump, lost};
use super::hidp::with_schema;
use super::host::{Host, removed, would_remove};
use super::request::request;
use idp_janitor::plan::Plan;
use idp_janitor::request::Request;
use rusqlite::Connection;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// People, the first two of them stale, and further tables.
pub fn people_and(sql: &str) -> Connection {
    with_schema(&format!(
        "CREATE TABLE people (id integer PRIMARY KEY, email_verified datetime, date_joined datetime);
         INSERT INTO people VALUES (1, NULL, '2020-01-01 00:00:00'), (2, NULL, '2020-01-01 00:00:00'),
             (3, '2020-01-01 00:00:00', '2020-01-01 00:00:00');
         {sql}"
    ))
}

/// A request of the removal of stale accounts.
pub fn removal(on_delete: Json, more: Json) -> Request {
    let mut properties = json!({ "userTable": "people", "onDelete": on_delete });
    for (name, value) in more.as_object().unwrap() {
        properties[name] = value.clone();
    }
    request("remove_stale_unverified_accounts", properties)
}

/// The plan of that removal.
pub fn plan(conn: &Connection, on_delete: Json) -> Plan {
    Host::new(conn).plan(&removal(on_delete, json!({ "planOnly": true })))
}

/// Counts by table, as they are compared with those of a report.
pub fn counts<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(table, rows)| (table.to_owned(), rows)).collect()
}

/// A dry run and a real run, which must tell and do the same.
pub fn remove(conn: &Connection, on_delete: Json) -> BTreeMap<String, u64> {
    let before = dump(conn);
    let dry = Host::new(conn).run(&removal(on_delete.clone(), json!({ "dryRun": true })));
    assert_eq!(dump(conn), before);
    let real = Host::new(conn).run(&removal(on_delete, json!({})));
    assert_no_dangling_keys(conn);
    assert_eq!(removed(&real), lost(&before, &dump(conn)), "reported and truly gone");
    assert_eq!(would_remove(&dry), removed(&real), "of the dry run and of the real one");
    removed(&real)
}
