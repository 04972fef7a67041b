//! A pass that is cut into many runs.
#![cfg(test)]

mod common;

use common::dump::{dump, lost};
use common::hidp::{sessions, token_chains};
use common::host::{Failure, Host, changed, removed, sum, would_change, would_remove};
use common::request::{carried, order, read, request, value};
use idp_janitor::checkpoint::Checkpoint;
use idp_janitor::report::Report;
use idp_janitor::request::Request;
use idp_janitor::run::Run;
use rusqlite::Connection;
use serde_json::{Value as Json, json};

/// A request of all that `cleartokens` can do.
fn cleartokens(more: Json) -> Request {
    let mut properties = json!({ "settings": { "deviceGrants": true } });
    for (name, value) in more.as_object().unwrap() {
        properties[name] = value.clone();
    }
    request("cleartokens", properties)
}

/// The one checkpoint of a run that was cut after so many rows.
fn cut(conn: &Connection, request: &Request) -> Checkpoint {
    Host::new(conn).run(request).checkpoint.unwrap()
}

fn total(reports: &[Report], count: fn(&Report) -> u64) -> u64 {
    reports.iter().map(count).sum()
}

#[test]
fn many_runs_remove_what_one_does() {
    let whole = token_chains(130);
    let before = dump(&whole);
    let in_one = Host::new(&whole).run(&cleartokens(json!({})));
    for max_rows in [1, 7, 50, 10_000] {
        let conn = token_chains(130);
        let dry = Host::new(&conn).run_to_completion(&cleartokens(json!({ "maxRows": max_rows, "dryRun": true })));
        assert_eq!(dump(&conn), before);
        assert_eq!(sum(&dry, would_remove), removed(&in_one));

        let real = Host::new(&conn).run_to_completion(&cleartokens(json!({ "maxRows": max_rows })));
        assert_eq!(dump(&conn), dump(&whole));
        assert_eq!(sum(&real, removed), removed(&in_one));
        assert_eq!(sum(&real, removed), lost(&before, &dump(&whole)));
        assert_eq!((sum(&dry, would_change), sum(&real, changed)), (changed(&in_one), changed(&in_one)));
        for reports in [&dry, &real] {
            assert_eq!(total(reports, |report| report.selected), in_one.selected);
            let (last, others) = reports.split_last().unwrap();
            assert!(others.iter().all(|report| report.selected == max_rows), "each takes as much as it may");
            assert!(last.selected <= max_rows);
        }
    }
}

/// The instant of the first run holds for all of them: what expires meanwhile is left for the next pass.
#[test]
fn the_whole_pass_judges_by_one_instant() {
    let conn = sessions(4, 2);
    conn.execute("UPDATE django_session SET expire_date = '2026-02-01 00:00:00' WHERE rowid = 3", []).unwrap();
    let first = Host::new(&conn).run(&request("clearsessions", json!({ "maxRows": 1 })));
    let later = request("clearsessions", json!({ "clock": "2026-06-01T00:00:00Z" }));
    let second = Host::new(&conn).run_from(&later, first.checkpoint.as_ref()).unwrap();
    assert_eq!((second.now, second.selected, second.complete), (first.now, 1, true));
    assert_eq!(Host::new(&conn).run(&later).selected, 1, "by a pass of its own");
}

#[test]
fn a_checkpoint_of_something_else_is_refused() {
    let conn = sessions(10, 1);
    let made = serde_json::to_value(cut(&conn, &request("clearsessions", json!({ "maxRows": 1 })))).unwrap();
    let with = |name: &str, value: Json| {
        let mut changed = made.clone();
        changed[name] = value;
        read::<Checkpoint>(changed)
    };
    let again = |more| request("clearsessions", more);
    for (checkpoint, request, why) in [
        (
            read::<Checkpoint>(made.clone()),
            request("cleartokens", json!({})),
            "it belongs to `clearsessions`, not to `cleartokens`",
        ),
        (with("version", json!(2)), again(json!({})), "it is of form 2, and this version of idp-janitor reads form 1"),
        (
            read::<Checkpoint>(made.clone()),
            again(json!({ "now": "2026-01-31T03:00:00.000001Z" })),
            "its pass judges by 2026-01-31T03:00:00.000000Z, not by 2026-01-31T03:00:00.000001Z",
        ),
        (with("step", json!(1)), again(json!({})), "it names no place in this job"),
    ] {
        let before = dump(&conn);
        match Host::new(&conn).run_from(&request, Some(&checkpoint)) {
            Err(Failure::Core(error)) => {
                assert_eq!(
                    error.to_string(),
                    format!("the checkpoint cannot be used: {why}; nothing was changed; remove it to begin a new pass")
                );
                assert_eq!(error.code(), "invalid_checkpoint");
            }
            other => panic!("{why}: {other:?}"),
        }
        assert_eq!(dump(&conn), before);
    }
    // The same instant, asked for, is no other one; in whatever form it is written.
    let same = again(json!({ "now": "2026-01-31T04:00:00+01:00" }));
    assert!(Host::new(&conn).run_from(&same, Some(&read(made))).unwrap().complete);
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let conn = sessions(3, 1);
    let made = serde_json::to_value(cut(&conn, &request("clearsessions", json!({ "maxRows": 1 })))).unwrap();
    for name in ["version", "job", "now", "settings", "step", "walked"] {
        let mut without = made.clone();
        without.as_object_mut().unwrap().remove(name);
        assert!(value(without).read::<Checkpoint>().is_err(), "without {name}");
        for wrong in [json!(null), json!(-1), json!([]), json!(1.5)] {
            let mut changed = made.clone();
            changed[name] = wrong.clone();
            assert!(value(changed).read::<Checkpoint>().is_err(), "{name}: {wrong}");
        }
    }
    for wrong in [json!("yesterday"), json!(3), json!([1]), json!({}), json!(true)] {
        assert!(value(wrong.clone()).read::<Checkpoint>().is_err(), "{wrong}");
    }
}

/// On other tables its place means nothing. Tables that the job has nothing to do with may change.
#[test]
fn a_checkpoint_of_other_tables_is_refused() {
    let request = cleartokens(json!({ "maxRows": 3 }));
    for (change, refused) in [
        ("CREATE TABLE elsewhere (id integer PRIMARY KEY)", false),
        ("ALTER TABLE django_session ADD COLUMN note text", false),
        ("INSERT INTO oauth2_provider_idtoken (id, expires) VALUES (999, '2020-01-01 00:00:00')", false),
        ("ALTER TABLE oauth2_provider_grant ADD COLUMN note text", true),
        ("ALTER TABLE oauth2_provider_idtoken ADD COLUMN note text", true),
        ("CREATE TABLE device (token integer REFERENCES oauth2_provider_refreshtoken ON DELETE CASCADE)", true),
    ] {
        let conn = token_chains(64);
        let checkpoint = cut(&conn, &request);
        conn.execute(change, []).unwrap();
        let before = dump(&conn);
        match Host::new(&conn).run_from(&request, Some(&checkpoint)) {
            Err(Failure::Core(error)) if refused => {
                assert_eq!(
                    error.to_string(),
                    "the checkpoint cannot be used: the tables that it was made on are declared otherwise: they are another \
                     database's, or have been migrated since; nothing was changed; remove it to begin a new pass"
                );
                assert_eq!(error.code(), "invalid_checkpoint");
                assert_eq!(dump(&conn), before);
            }
            Ok(report) if !refused => assert_eq!(report.selected, 3, "{change}"),
            other => panic!("{change}: {other:?}"),
        }
    }
}

/// A record store has no tables, and a database's positions are none of its.
#[test]
fn a_checkpoint_of_another_kind_of_store_is_refused() {
    let request = request("clearsessions", json!({ "maxRows": 1 }));
    let made = cut(&sessions(3, 1), &request);
    assert_eq!(Run::new(&request, "records", Some(carried(&made))).err().unwrap().code(), "invalid_checkpoint");
    let mut of_records = serde_json::to_value(&made).unwrap();
    of_records.as_object_mut().unwrap().remove("schema");
    let result = Host::new(&sessions(3, 1)).run_from(&request, Some(&read(of_records)));
    assert!(matches!(result, Err(Failure::Core(_))), "{result:?}");
}

/// A position that no walk has ever been at would pass over rows that nobody has looked at.
#[test]
fn a_checkpoint_at_no_position_is_refused() {
    let conn = sessions(3, 1);
    common::hidp::add_session(&conn, -5, common::hidp::LONG_AGO);
    let made = serde_json::to_value(cut(&conn, &request("clearsessions", json!({ "maxRows": 1 })))).unwrap();
    for wrong in ["", "x", "1.5", "9223372036854775808", " 1"] {
        let mut changed = made.clone();
        changed["from"] = json!(wrong);
        let result =
            Host::new(&conn).run_from(&request("clearsessions", json!({ "dryRun": false })), Some(&read(changed)));
        assert!(matches!(result, Err(Failure::Core(_))), "{wrong:?}: {result:?}");
    }
}

#[test]
fn changed_settings_begin_the_pass_anew() {
    const WARNING: &str = "the settings are not those of the checkpoint, so the pass began anew from the beginning";
    let first = json!({ "maxRows": 3, "dryRun": true });
    for (more, anew) in [
        (json!({ "dryRun": true }), false),
        (json!({ "dryRun": true, "maxRows": 5, "maxSeconds": 9, "sliceMs": 50 }), false),
        (json!({ "dryRun": true, "jobs": { "clearsessions": {}, "cleartokens": { "deviceGrants": true } } }), false),
        (json!({}), true),
        (json!({ "dryRun": true, "settings": { "rules": "before-3.4" } }), true),
        (json!({ "dryRun": true, "settings": {} , "jobs": { "cleartokens": { "deviceGrants": false } } }), true),
        (json!({ "dryRun": true, "userTable": "people" }), true),
        (json!({ "dryRun": true, "onDelete": { "oauth2_provider_accesstoken.user_id": "set-null" } }), true),
    ] {
        let conn = token_chains(64);
        let checkpoint = cut(&conn, &cleartokens(first.clone()));
        let report = Host::new(&conn).run_from(&cleartokens(more.clone()), Some(&checkpoint)).unwrap();
        assert_eq!(report.warnings.iter().any(|warning| warning == WARNING), anew, "{more}: {:?}", report.warnings);
        if anew && more.get("settings").is_none() {
            let fresh = Host::new(&token_chains(64)).run(&cleartokens(more.clone()));
            assert_eq!(report.selected, fresh.selected, "{more}");
        }
    }
}

#[test]
fn a_checkpoint_survives_being_written_out() {
    let conn = token_chains(64);
    for max_rows in 1..20 {
        let request = cleartokens(json!({ "maxRows": max_rows, "dryRun": true }));
        let checkpoint = cut(&conn, &request);
        assert_eq!(carried(&checkpoint), checkpoint);
        // And the place in it is the one that the next run begins at.
        let order = order("cleartokens", json!({ "settings": { "deviceGrants": true }, "dryRun": true }));
        assert_eq!(carried(&checkpoint).place(&order.fingerprint()), checkpoint.place(&order.fingerprint()));
        assert!(checkpoint.place(&order.fingerprint()).is_some());
        assert!(Run::new(&request, "sqlite", Some(carried(&checkpoint))).is_ok());
    }
}

/// Rows that were removed behind the walk, before the next run, are not missed by it.
#[test]
fn a_checkpoint_stays_good_when_rows_around_it_go() {
    let conn = sessions(10, 1);
    let request = request("clearsessions", json!({ "maxRows": 3 }));
    let checkpoint = cut(&conn, &request);
    conn.execute("DELETE FROM django_session WHERE rowid IN (4, 5, 10)", []).unwrap();
    let report = Host::new(&conn).run_from(&request, Some(&checkpoint)).unwrap();
    assert_eq!((report.selected, report.complete), (3, false));
    conn.execute("DELETE FROM django_session", []).unwrap();
    let report = Host::new(&conn).run_from(&request, report.checkpoint.as_ref()).unwrap();
    assert_eq!((report.selected, report.complete), (0, true));
}
