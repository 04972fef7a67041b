//! What ends a run before its work is done, and how large its slices are.
#![cfg(test)]

mod common;

use common::dump::{assert_no_dangling_keys, dump, number};
use common::hidp::{self, sessions, token_chains};
use common::host::{Failure, Host, removed, sum, would_remove};
use common::request::{carried, request};
use idp_janitor::effect::{Answer, Effect};
use idp_janitor::report::Report;
use idp_janitor::request::Request;
use rusqlite::Connection;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

fn clearsessions(more: Json) -> Request {
    request("clearsessions", more)
}

fn sessions_left(conn: &Connection) -> i64 {
    number(conn, "SELECT count(*) FROM django_session")
}

/// The rows that each slice of the last run removed from the job's own table.
fn slice_sizes(host: &Host) -> Vec<u64> {
    host.slices().map(|(_, changes)| *changes.last().unwrap()).collect()
}

/// What a store takes that needs so long for each row that it removes.
fn by_the_row(ms: f64) -> impl FnMut(&Effect, &Answer) -> f64 {
    move |_, answer| match answer {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        Answer::Batch(changes) => changes.iter().map(|ran| ran.changes).sum::<u64>() as f64 * ms,
        _ => 0.5,
    }
}

#[test]
fn max_rows_is_exact() {
    // 20 of 60 rows are stale.
    for max in 1..=25 {
        for dry_run in [true, false] {
            let conn = sessions(60, 3);
            let report = Host::new(&conn).run(&clearsessions(json!({ "maxRows": max, "dryRun": dry_run })));
            let taken = max.min(20);
            let counts = if dry_run { would_remove(&report) } else { removed(&report) };
            assert_eq!(counts, BTreeMap::from([("django_session".to_owned(), taken)]), "{max}");
            assert_eq!((report.selected, report.complete), (taken, max >= 20), "{max}");
            assert_eq!(sessions_left(&conn), 60 - if dry_run { 0 } else { i64::try_from(taken).unwrap() });
        }
    }
}

#[test]
fn max_rows_counts_what_goes_not_what_is_held() {
    let conn = hidp::with_schema(
        "CREATE TABLE people (id integer PRIMARY KEY, email_verified datetime, date_joined datetime);
         CREATE TABLE bill (id integer PRIMARY KEY, payer REFERENCES people ON DELETE RESTRICT);
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1200)
         INSERT INTO people SELECT n, NULL, '2020-01-01 00:00:00' FROM n;
         INSERT INTO bill (payer) SELECT id FROM people WHERE id <= 300;",
    );
    // The held ones are met by the first slice, which takes 500; the second must not take them for taken.
    let request = request("remove_stale_unverified_accounts", json!({ "userTable": "people", "maxRows": 700 }));
    let reports = Host::new(&conn).run_to_completion(&request);
    let each: Vec<_> = reports.iter().map(|report| report.removed.get("people").copied().unwrap_or_default()).collect();
    assert_eq!(each, [700, 200]);
    assert_eq!(reports.iter().map(|report| report.restricted).sum::<u64>(), 300);
    assert_eq!(number(&conn, "SELECT count(*) FROM people"), 300);
}

/// Also where tables are empty, or where nothing is stale in them: to look at them is a statement, too.
#[test]
fn max_statements_is_never_exceeded() {
    let chains = || token_chains(40);
    // Two slices: the second can end close to the bound, with three more tables to look at.
    let refresh_tokens_alone = || {
        let conn = hidp::database();
        conn.execute_batch(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 600)
             INSERT INTO oauth2_provider_refreshtoken (id, revoked) SELECT n, '2020-01-01 00:00:00' FROM n",
        )
        .unwrap();
        conn
    };
    keeps_to_max_statements("chains", &chains);
    keeps_to_max_statements("refresh tokens alone", &refresh_tokens_alone);
    keeps_to_max_statements("nothing", &hidp::database);
}

fn keeps_to_max_statements(name: &str, store: &dyn Fn() -> Connection) {
    let everything = removed(&Host::new(&store()).run(&request("cleartokens", json!({}))));
    for dry_run in [false, true] {
        let mut accepted = 0;
        for max in 1..45 {
            let conn = store();
            let before = dump(&conn);
            let request = request("cleartokens", json!({ "maxStatements": max, "dryRun": dry_run }));
            let mut host = Host::new(&conn);
            match host.run_from(&request, None) {
                Err(Failure::Core(error)) => {
                    assert_eq!(accepted, 0, "{name}: {max} refused, and less was not");
                    assert!(host.performed.iter().all(|done| matches!(done.effect, Effect::Query(_))));
                    assert_eq!(dump(&conn), before);
                    assert_eq!(error.code(), "too_few_statements");
                    assert!(error.to_string().starts_with("`maxStatements` must be "), "{error}");
                    assert!(error.to_string().ends_with(&format!(", not {max}")), "{error}");
                }
                Err(failure) => panic!("{name}: {max}: {failure:?}"),
                Ok(first) => {
                    accepted += 1;
                    let reports = all_runs(&mut host, &request, first, max);
                    let counts = if dry_run { sum(&reports, would_remove) } else { sum(&reports, removed) };
                    assert_eq!(counts, everything, "{name}: {max}");
                }
            }
        }
        assert!(accepted > 20, "{name}: {accepted} bounds accepted");
    }
}

/// All runs of a pass whose first is done, each of which must keep to the bound.
fn all_runs(host: &mut Host, request: &Request, first: Report, max: u64) -> Vec<Report> {
    let mut reports = vec![first];
    loop {
        assert!(host.statements() <= max, "{} statements, and not more than {max} were allowed", host.statements());
        let Some(checkpoint) = reports.last().unwrap().checkpoint.clone() else { return reports };
        reports.push(host.run_from(request, Some(&checkpoint)).unwrap());
        assert!(reports.len() < 1_000, "the pass never ends within {max} statements a run");
    }
}

#[test]
fn a_bound_on_statements_that_is_too_small_names_one_that_is_not() {
    let conn = token_chains(3);
    let error = Host::new(&conn).refusal(&request("cleartokens", json!({ "maxStatements": 1 }))).to_string();
    let least = error
        .strip_prefix("`maxStatements` must be ")
        .and_then(|rest| {
            rest.strip_suffix(" or more for this job on this database, or no run would ever get anywhere, not 1")
        })
        .unwrap_or_else(|| panic!("{error}"));
    let least: u64 = least.parse().unwrap();
    let refused = Host::new(&conn).run_from(&request("cleartokens", json!({ "maxStatements": least - 1 })), None);
    assert!(matches!(refused, Err(Failure::Core(_))));
    let reports = Host::new(&conn).run_to_completion(&request("cleartokens", json!({ "maxStatements": least })));
    assert!(reports.last().unwrap().complete);
}

#[test]
fn max_seconds_ends_after_the_slice_in_hand() {
    let conn = sessions(2_000, 1);
    let mut host = Host::new(&conn).taking(by_the_row(10.0));
    let report = host.run(&clearsessions(json!({ "maxSeconds": 3 })));
    // A slice takes 5 seconds at first: it is the only one, and all of it is done.
    assert_eq!((report.slices, report.complete), (1, false));
    assert_eq!(removed(&report), BTreeMap::from([("django_session".to_owned(), 500)]));
    assert_eq!(sessions_left(&conn), 1_500);
    assert!(report.elapsed_ms >= 5_000.0 && report.elapsed_ms < 5_010.0, "{}", report.elapsed_ms);

    let rest = host.run_from(&clearsessions(json!({})), report.checkpoint.as_ref()).unwrap();
    assert_eq!(removed(&rest), BTreeMap::from([("django_session".to_owned(), 1_500)]));
}

/// At whatever effect the host asks for the end: what is reported is what was done, and the rest is left to the next run.
#[test]
fn an_abort_ends_after_the_slice_in_hand() {
    let whole = token_chains(130);
    let request = request("cleartokens", json!({ "settings": { "deviceGrants": true } }));
    let mut host = Host::new(&whole);
    let in_one = removed(&host.run(&request));
    let effects = host.performed.len();
    for at in 0..effects {
        let conn = token_chains(130);
        let before = dump(&conn);
        let mut host = Host::new(&conn).aborting_at(at);
        let first = host.run_from(&request, None).unwrap();
        // With the last slice in hand, nothing is left to be ended.
        assert!(!first.complete || at + 2 >= effects, "{at}");
        // To find out about the schema and the first table, or to end the slice.
        assert!(host.performed.len() <= (at + 3).max(5), "{at}: {} effects", host.performed.len());
        assert_eq!(removed(&first), common::dump::lost(&before, &dump(&conn)), "{at}");
        assert_no_dangling_keys(&conn);
        if let Some(checkpoint) = &first.checkpoint {
            let rest = Host::new(&conn).run_from(&request, Some(checkpoint)).unwrap();
            assert_eq!(sum([&first, &rest], removed), in_one, "{at}");
        }
        assert_eq!(dump(&conn), dump(&whole), "{at}");
    }
}

/// Killed at any moment, the database is consistent, and a run from the beginning finishes.
#[test]
fn a_kill_leaves_nothing_that_the_next_run_cannot_finish() {
    let whole = token_chains(130);
    let request = request("cleartokens", json!({}));
    Host::new(&whole).run(&request);
    for at in 0.. {
        let conn = token_chains(130);
        let before = dump(&conn);
        match killed_at(&conn, &request, at) {
            None => break,
            Some(report) => {
                assert_eq!(removed(&report), common::dump::lost(&before, &dump(&conn)), "{at}");
                assert!(!report.complete);
                assert_no_dangling_keys(&conn);
                let rest = Host::new(&conn).run_from(&request, report.checkpoint.as_ref().map(carried).as_ref());
                assert_eq!(sum([&report, &rest.unwrap()], removed), common::dump::lost(&before, &dump(&whole)), "{at}");
                assert_eq!(dump(&conn), dump(&whole), "{at}");
            }
        }
    }
}

/// The report of a run whose store fails at an effect; `None` where the run is over before.
fn killed_at(conn: &Connection, request: &Request, at: usize) -> Option<Report> {
    let mut effects = 0;
    let mut host = Host::new(conn).failing_when(move |_| {
        effects += 1;
        effects == at + 1
    });
    match host.run_from(request, None) {
        Ok(_) => None,
        Err(Failure::Store(_, report)) => Some(*report),
        Err(failure) => panic!("{failure:?}"),
    }
}

#[test]
fn slices_shrink_on_a_slow_store() {
    let conn = sessions(2_000, 1);
    let mut host = Host::new(&conn).taking(by_the_row(10.0));
    let report = host.run(&clearsessions(json!({ "sliceMs": 600 })));
    let sizes = slice_sizes(&host);
    assert_eq!(sizes[..4], [500, 250, 125, 62]);
    assert!(sizes[4..].iter().all(|rows| (50..=62).contains(rows) || *rows < 50), "{sizes:?}");
    assert_eq!((sizes.iter().sum(), report.slices), (2_000, sizes.len() as u64));
}

#[test]
fn slices_grow_on_a_fast_store() {
    let conn = sessions(20_000, 1);
    let mut host = Host::new(&conn).taking(by_the_row(0.001));
    host.run(&clearsessions(json!({})));
    let sizes = slice_sizes(&host);
    assert!(sizes.windows(2).all(|pair| pair[1] <= pair[0] * 2), "{sizes:?}");
    assert_eq!(sizes[..4], [500, 1_000, 2_000, 4_000]);
    assert_eq!(sizes.iter().sum::<u64>(), 20_000);
}

#[test]
fn slices_settle_where_they_take_as_long_as_they_should() {
    let conn = sessions(9_000, 1);
    let mut host = Host::new(&conn).taking(by_the_row(1.0));
    host.run(&clearsessions(json!({ "sliceMs": 800 })));
    let sizes = slice_sizes(&host);
    assert!(sizes[2..sizes.len() - 1].iter().all(|rows| (700..=900).contains(rows)), "{sizes:?}");
}
