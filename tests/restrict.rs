//! What restricts, and what it holds.
#![cfg(test)]

mod common;

use common::dump::{assert_no_dangling_keys, number};
use common::hidp;
use common::host::{Host, removed, would_remove};
use common::people::{counts, people_and, removal, remove};
use common::request::request;
use serde_json::json;

/// Each of two people, and whether something holds them.
#[test]
fn what_restricts_holds_whatever_would_take_it_along() {
    let tables = "CREATE TABLE shop (id integer PRIMARY KEY, owner REFERENCES people ON DELETE CASCADE,
             partner REFERENCES people ON DELETE CASCADE);
         CREATE TABLE parcel (id integer PRIMARY KEY, shop REFERENCES shop ON DELETE CASCADE);
         CREATE TABLE bill (id integer PRIMARY KEY, parcel REFERENCES parcel ON DELETE RESTRICT,
             payer REFERENCES people ON DELETE RESTRICT);";
    for (rows, kept, gone) in [
        ("", 0, counts([("people", 2)])),
        // Directly; through a shop; through either of its two people; through a parcel of the shop.
        ("INSERT INTO bill VALUES (1, NULL, 1)", 1, counts([("people", 1)])),
        ("INSERT INTO shop VALUES (1, 1, NULL)", 0, counts([("people", 2), ("shop", 1)])),
        (
            "INSERT INTO shop VALUES (1, 1, NULL); INSERT INTO parcel VALUES (1, 1); INSERT INTO bill VALUES (1, 1, NULL)",
            1,
            counts([("people", 1)]),
        ),
        (
            "INSERT INTO shop VALUES (1, 1, 2); INSERT INTO parcel VALUES (1, 1), (2, 1); INSERT INTO bill VALUES (1, 2, NULL)",
            2,
            counts([]),
        ),
        (
            "INSERT INTO shop VALUES (1, 3, 2); INSERT INTO parcel VALUES (1, 1), (2, 1)",
            0,
            counts([("parcel", 2), ("people", 2), ("shop", 1)]),
        ),
        // A bill of what hangs on nobody stale holds nobody.
        (
            "INSERT INTO shop VALUES (1, 3, NULL); INSERT INTO parcel VALUES (1, 1); INSERT INTO bill VALUES (1, 1, 3)",
            0,
            counts([("people", 2)]),
        ),
    ] {
        let conn = people_and(&format!("{tables} {rows};"));
        assert_eq!(remove(&conn, json!({})), gone, "{rows}");
        let report = Host::new(&conn).run(&removal(json!({}), json!({})));
        assert_eq!((report.selected, report.restricted), (kept, kept), "{rows}");
        let warning = format!(
            "{kept} stale row(s) were kept because rows that restrict their removal point at them or at what would go with them"
        );
        assert_eq!(report.warnings.contains(&warning), kept > 0, "{rows}: {:?}", report.warnings);
    }
}

#[test]
fn restrict_by_settings_holds_what_the_database_would_let_go() {
    let conn = people_and(
        "CREATE TABLE shop (id integer PRIMARY KEY, owner REFERENCES people ON DELETE CASCADE);
         INSERT INTO shop VALUES (1, 1);",
    );
    assert_eq!(remove(&conn, json!({ "shop.owner": "restrict" })), counts([("people", 1)]));
    assert_eq!(number(&conn, "SELECT count(*) FROM shop"), 1);
}

/// Regression: what goes with the first person holds the second. With it gone, the second one was free in the middle of
/// the slice, and went without what belongs to them.
#[test]
fn a_row_that_is_freed_within_a_slice_is_not_taken_by_it() {
    let schema = "CREATE TABLE belonging (id integer PRIMARY KEY, owner REFERENCES people);
        CREATE TABLE deed (id integer PRIMARY KEY, owner REFERENCES people, witness REFERENCES people);
        INSERT INTO belonging VALUES (1, 2);
        INSERT INTO deed VALUES (1, 1, 2);";
    let on_delete = json!({ "belonging.owner": "cascade", "deed.owner": "cascade", "deed.witness": "restrict" });
    let conn = people_and(schema);
    let bounded = Host::new(&conn).run(&removal(on_delete.clone(), json!({ "maxRows": 1 })));
    assert_no_dangling_keys(&conn);
    assert_eq!(removed(&bounded), counts([("deed", 1), ("people", 1)]), "within maxRows");

    Host::new(&conn).run(&removal(on_delete, json!({})));
    assert_eq!(number(&conn, "SELECT count(*) FROM people"), 1, "after the next run");
}

/// A chain in which every row has one owner holds nobody else's: no need to go one by one.
#[test]
fn only_what_has_several_owners_goes_one_at_a_time() {
    let chain = "CREATE TABLE shop (id integer PRIMARY KEY, owner integer REFERENCES people ON DELETE CASCADE);
         CREATE TABLE bill (id integer PRIMARY KEY, shop integer REFERENCES shop ON DELETE RESTRICT);";
    let shared = format!("{chain} ALTER TABLE shop ADD COLUMN heir integer REFERENCES people ON DELETE CASCADE;");
    for (schema, warned) in [(chain, 0), (shared.as_str(), 1)] {
        let report = Host::new(&people_and(schema)).run(&removal(json!({}), json!({})));
        assert_eq!(report.warnings.len(), warned, "{:?}", report.warnings);
    }
}

/// Regression: the dry run thought away what earlier sweeps find stale, what is held of it included.
#[test]
fn a_dry_run_knows_that_what_an_earlier_sweep_keeps_still_points() {
    let conn = hidp::database();
    conn.execute_batch(
        "CREATE TABLE audit (id integer PRIMARY KEY,
             token REFERENCES oauth2_provider_refreshtoken ON DELETE RESTRICT);
         INSERT INTO oauth2_provider_accesstoken (id, expires) VALUES (1, '2020-01-01 00:00:00');
         INSERT INTO oauth2_provider_refreshtoken (id, revoked, access_token_id) VALUES (1, '2020-01-01 00:00:00', 1);
         INSERT INTO audit VALUES (1, 1);",
    )
    .unwrap();
    let dry = Host::new(&conn).run(&request("cleartokens", json!({ "dryRun": true })));
    let real = Host::new(&conn).run(&request("cleartokens", json!({})));
    assert_eq!(removed(&real), counts([]));
    assert_eq!(would_remove(&dry), removed(&real));
}

/// Regression: what holds a row of a later sweep can go with an earlier one.
#[test]
fn a_dry_run_knows_that_what_an_earlier_sweep_takes_holds_nothing() {
    let conn = hidp::database();
    conn.execute_batch(
        "CREATE TABLE audit (id integer PRIMARY KEY,
             refresh REFERENCES oauth2_provider_refreshtoken ON DELETE CASCADE,
             access REFERENCES oauth2_provider_accesstoken ON DELETE RESTRICT);
         INSERT INTO oauth2_provider_accesstoken (id, expires) VALUES (1, '2020-01-01 00:00:00');
         INSERT INTO oauth2_provider_refreshtoken (id, revoked) VALUES (1, '2020-01-01 00:00:00');
         INSERT INTO audit VALUES (1, 1, 1);",
    )
    .unwrap();
    let dry = Host::new(&conn).run(&request("cleartokens", json!({ "dryRun": true })));
    let real = Host::new(&conn).run(&request("cleartokens", json!({})));
    let expected = counts([("audit", 1), ("oauth2_provider_accesstoken", 1), ("oauth2_provider_refreshtoken", 1)]);
    assert_eq!(removed(&real), expected);
    assert_eq!(would_remove(&dry), removed(&real));
}
