//! The state machine of a removal on SQL: the walk, what happens in its midst, and what it tells.
#![cfg(test)]

mod common;

use common::dump::{assert_no_dangling_keys, dump, number, rows, select};
use common::hidp::{self, LATER, LONG_AGO, add_person, add_session, database, sessions};
use common::host::{Host, removed};
use common::people::counts;
use common::request::request;
use idp_janitor::effect::{Answer, Effect, Outcome, Statement};
use idp_janitor::request::Request;
use idp_janitor::run::Run;
use rusqlite::Connection;
use serde_json::{Value as Json, json};
use std::cell::Cell;

fn clearsessions(more: Json) -> Request {
    request("clearsessions", more)
}

fn accounts(more: Json) -> Request {
    request("remove_stale_unverified_accounts", more)
}

/// The first and the last row id of a slice: the first two parameters of the statement that deletes from the root.
fn span(statements: &[Statement]) -> (i64, i64) {
    let params = &statements.last().unwrap().params;
    (params[0].parse().unwrap(), params[1].parse().unwrap())
}

fn is_slice(effect: &Effect) -> bool {
    matches!(effect, Effect::Batch(statements) if !statements.is_empty())
}

fn is_find(effect: &Effect) -> bool {
    matches!(effect, Effect::Query(statement) if statement.sql.contains("verdict"))
}

#[test]
fn slices_follow_each_other_without_overlap_or_gap_between_stale_rows() {
    for nth in [1, 2, 3] {
        let conn = sessions(4_000, nth);
        let mut host = Host::new(&conn).taking(|_, _| 60_000.0);
        let report = host.run(&clearsessions(json!({})));
        let spans: Vec<(i64, i64)> = host.slices().map(|(statements, _)| span(statements)).collect();
        assert!(spans.windows(2).all(|pair| pair[0].0 <= pair[0].1 && pair[0].1 < pair[1].0), "{spans:?}");
        assert!(spans.len() > 1, "{spans:?}");
        for (statements, changes) in host.slices() {
            let (from, upto) = span(statements);
            let stale = (from..=upto).filter(|row_id| row_id % nth == 0).count();
            assert_eq!(*changes.last().unwrap(), stale as u64, "{from} to {upto}");
        }
        assert_eq!(removed(&report), counts([("django_session", 4_000 / nth.unsigned_abs())]));
        assert_eq!(report.slices, spans.len() as u64);
    }
}

#[test]
fn row_ids_may_be_any_that_there_are() {
    let ids = [i64::MIN, i64::MIN + 1, -9_007_199_254_740_993, -1, 0, 1, 9_007_199_254_740_993, i64::MAX - 1, i64::MAX];
    // Every single one of them stale, all, every other one, and the last ones fresh.
    let mut choices: Vec<Vec<i64>> = ids.iter().map(|id| vec![*id]).collect();
    choices.extend([ids.to_vec(), ids.iter().copied().step_by(2).collect(), ids[..7].to_vec(), vec![]]);
    for stale in choices {
        for max_rows in [json!(null), json!(1)] {
            let conn = database();
            for id in ids {
                add_session(&conn, id, if stale.contains(&id) { LONG_AGO } else { LATER });
            }
            let reports = Host::new(&conn).run_to_completion(&clearsessions(json!({ "maxRows": max_rows })));
            assert_eq!(reports.iter().map(|report| report.selected).sum::<u64>(), stale.len() as u64);
            let left: Vec<i64> = ids.into_iter().filter(|id| !stale.contains(id)).collect();
            let rows = select(&conn, "SELECT rowid FROM django_session ORDER BY rowid");
            assert_eq!(rows, left.into_iter().map(|id| vec![rusqlite::types::Value::Integer(id)]).collect::<Vec<_>>());
        }
    }
}

/// Two stale accounts, each with all that can hang on one.
fn two_accounts() -> Connection {
    let conn = database();
    for (row_id, id) in [(1, "a"), (2, "b")] {
        add_person(&conn, row_id, id, false);
        conn.execute_batch(&format!(
            "INSERT INTO people_groups (user_id) VALUES ('{id}');
             INSERT INTO otp_static_staticdevice (id, user_id) VALUES ({row_id}, '{id}');
             INSERT INTO otp_static_statictoken (device_id) VALUES ({row_id}), ({row_id});
             INSERT INTO oauth2_provider_application (id, user_id) VALUES ({row_id}, '{id}');
             INSERT INTO oauth2_provider_idtoken (id, expires, application_id) VALUES ({row_id}, '{LATER}', {row_id});
             INSERT INTO oauth2_provider_accesstoken (id, expires, id_token_id) VALUES ({row_id}, '{LATER}', {row_id});
             INSERT INTO oauth2_provider_refreshtoken (id, access_token_id) VALUES ({row_id}, {row_id});"
        ))
        .unwrap();
    }
    conn
}

#[test]
fn a_user_who_verifies_between_find_and_removal_is_kept_with_everything() {
    let conn = two_accounts();
    let untouched = dump(&conn);
    let verify = |conn: &Connection, effect: &Effect| {
        if is_slice(effect) {
            conn.execute("UPDATE people SET email_verified = ? WHERE id = 'a'", [LATER]).unwrap();
        }
    };
    let report = Host::new(&conn).before(verify).run(&accounts(json!({})));
    assert_no_dangling_keys(&conn);
    assert_eq!(rows(&conn, "people").len(), 1);
    let after = dump(&conn);
    for (table, rows) in untouched.iter().filter(|(table, _)| *table != "people") {
        // Of each table, half was of the one who is kept.
        let kept: Vec<_> = rows.iter().filter(|row| after[table].contains(row)).collect();
        let expected = if table == "oauth2_provider_refreshtoken" { 1 } else { rows.len() / 2 };
        assert_eq!(kept.len(), expected, "{table}: {:?}", after[table]);
    }
    assert_eq!(number(&conn, "SELECT count(*) FROM oauth2_provider_refreshtoken WHERE access_token_id = 1"), 1);
    assert_eq!(report.selected, 2, "two were stale when they were found");
    assert_eq!(report.removed.get("people"), Some(&1), "and one of them is gone");
    assert!(report.complete);
    assert_eq!(report.summary, "Successfully removed 1 unverified account(s).");
}

#[test]
fn what_is_added_between_find_and_removal_goes_along() {
    let conn = two_accounts();
    let add = |conn: &Connection, effect: &Effect| {
        if is_slice(effect) {
            conn.execute("INSERT INTO people_groups (user_id) VALUES ('a')", []).unwrap();
        }
    };
    let report = Host::new(&conn).before(add).run(&accounts(json!({})));
    assert_no_dangling_keys(&conn);
    assert_eq!(report.removed.get("people_groups"), Some(&3));
}

#[test]
fn rows_that_somebody_else_removes_meanwhile_are_not_counted() {
    let conn = sessions(10, 1);
    let delete = |conn: &Connection, effect: &Effect| {
        if is_slice(effect) {
            conn.execute("DELETE FROM django_session WHERE rowid <= 4", []).unwrap();
        }
    };
    let report = Host::new(&conn).before(delete).run(&clearsessions(json!({})));
    assert_eq!(removed(&report), counts([("django_session", 6)]));
}

/// Whatever somebody else removes, and whenever: the walk goes on behind it.
#[test]
fn rows_that_are_gone_when_their_turn_comes_end_no_walk() {
    let count = Host::new(&sessions(3_000, 1)).run_effects(&clearsessions(json!({})));
    for at in 3..count {
        let conn = sessions(3_000, 1);
        let (effects, theirs) = (Cell::new(0), Cell::new(0));
        let delete = |conn: &Connection, _: &Effect| {
            if effects.replace(effects.get() + 1) == at {
                let sql = "DELETE FROM django_session WHERE rowid <= (SELECT min(rowid) + 999 FROM django_session)";
                theirs.set(conn.execute(sql, []).unwrap() as u64);
            }
        };
        let report = Host::new(&conn).before(delete).run(&clearsessions(json!({})));
        assert_eq!((removed(&report), report.complete), (counts([("django_session", 3_000 - theirs.get())]), true));
        assert_eq!(number(&conn, "SELECT count(*) FROM django_session"), 0, "{at}");
    }
}

#[test]
fn rows_that_become_stale_behind_the_walk_are_left_for_the_next_run() {
    let conn = sessions(3_000, 2);
    let slices = Cell::new(0);
    let expire = |conn: &Connection, effect: &Effect| {
        slices.set(slices.get() + u32::from(is_slice(effect)));
        if slices.get() == 2 && is_slice(effect) {
            let sql = "UPDATE django_session SET expire_date = ? WHERE rowid IN (1, 2999)";
            assert_eq!(conn.execute(sql, [LONG_AGO]).unwrap(), 2);
            add_session(conn, 3_001, LONG_AGO);
            add_session(conn, -1, LONG_AGO);
        }
    };
    let slow = |_: &Effect, _: &Answer| 60_000.0;
    let report = Host::new(&conn).before(expire).taking(slow).run(&clearsessions(json!({})));
    assert!(slices.get() > 2);
    // The one that lay before the walk still is gone, too; what was added at either end was not there when it began.
    assert_eq!((report.selected, report.complete), (1_501, true));
    assert_eq!(number(&conn, &format!("SELECT count(*) FROM django_session WHERE expire_date = '{LONG_AGO}'")), 3);
    assert_eq!(Host::new(&conn).run(&clearsessions(json!({}))).selected, 3);
}

/// The wrong answers to an effect, given the right one.
fn wrong_answers(right: &Answer, of_schema: bool) -> Vec<Json> {
    match right {
        Answer::Query(rows) => {
            let mut wrong = vec![json!("began"), json!({ "batch": [] }), json!({ "remove": 0 })];
            wrong.push(json!({ "scan": { "records": [] } }));
            // What is read of the schema may have any number of rows, and is looked at when all of it is there.
            if !of_schema {
                let width = rows[0].len();
                wrong.push(json!({ "query": [] }));
                wrong.push(json!({ "query": [vec![json!(1); width], vec![json!(1); width]] }));
                wrong.push(json!({ "query": [vec![json!(1); width + 2]] }));
                wrong.push(json!({ "query": [vec![json!(-1); width]] }));
                wrong.push(json!({ "query": [vec![json!("many"); width]] }));
                wrong.push(json!({ "query": [vec![json!(1.5); width]] }));
            }
            wrong
        }
        Answer::Batch(ran) => vec![
            json!("began"),
            json!({ "query": [] }),
            json!({ "remove": 1 }),
            json!({ "batch": vec![json!({ "rows": [], "changes": 0 }); ran.len() + 1] }),
            json!({ "batch": vec![json!({ "rows": [], "changes": 0 }); ran.len().wrapping_sub(1).min(20)] }),
        ],
        other => panic!("not of a database: {other:?}"),
    }
}

#[test]
fn a_wrong_answer_is_an_error_and_ends_the_run() {
    let conn = sessions(10, 1);
    let request = clearsessions(json!({}));
    let mut host = Host::new(&conn);
    host.run(&request);
    // The schema is four queries; then come the question whether it can be written, the opening, a find and a slice.
    assert_eq!(host.performed.len(), 8);
    for (at, performed) in host.performed.iter().enumerate() {
        for wrong in wrong_answers(&performed.answer, at < 4) {
            let mut run = Run::new(&request, "sqlite", None).unwrap();
            let mut answers = vec![Answer::Began];
            answers.extend(host.performed[..at].iter().map(|performed| performed.answer.clone()));
            for answer in answers {
                let step = run.next(Outcome { answer, elapsed_ms: 1.0, aborted: false, lane: 0 }).unwrap();
                assert!(!matches!(step.effect, Effect::Done(_)));
            }
            let outcome = || common::request::read(json!({ "answer": wrong, "elapsedMs": 2 }));
            let error = run.next(outcome()).map(|step| step.effect).expect_err(&format!("{at}: {wrong}"));
            assert_eq!(error.code(), "internal", "{at}: {wrong}: {error}");
            assert!(error.to_string().ends_with("this is a defect of the adapter or of idp-janitor"), "{error}");
            assert!(run.next(outcome()).is_err(), "{at}: {wrong}: goes on all the same");
            assert!(run.next(Outcome { answer: Answer::Began, elapsed_ms: 3.0, aborted: true, lane: 0 }).is_err());
            let report = run.fail();
            assert_eq!((report.removed.iter().count(), report.complete), (0, false));
        }
    }
}

#[test]
fn nothing_follows_the_end() {
    let conn = sessions(1, 1);
    let request = clearsessions(json!({ "planOnly": true }));
    let mut host = Host::new(&conn);
    host.plan(&request);
    let mut run = Run::new(&request, "sqlite", None).unwrap();
    let answers = std::iter::once(Answer::Began).chain(host.performed.iter().map(|performed| performed.answer.clone()));
    for answer in answers {
        run.next(Outcome { answer, elapsed_ms: 0.0, aborted: false, lane: 0 }).unwrap();
    }
    let error = run.next(Outcome { answer: Answer::Began, elapsed_ms: 0.0, aborted: false, lane: 0 }).unwrap_err();
    assert_eq!(error.code(), "internal");
}

#[test]
fn a_dry_run_asks_to_write_nothing() {
    let conn = hidp::token_chains(64);
    let mut host = Host::new(&conn);
    let report = host.run(&request("cleartokens", json!({ "dryRun": true })));
    assert!(host.performed.iter().all(|performed| matches!(performed.effect, Effect::Query(_))));
    assert!(report.selected > 0);
    assert_eq!(conn.changes(), 1, "only what filled the database");
}

#[test]
fn a_real_run_finds_out_first_whether_it_may_write() {
    let conn = sessions(3, 1);
    let mut host = Host::new(&conn);
    host.run(&clearsessions(json!({})));
    let first = host.performed.iter().position(|performed| matches!(performed.effect, Effect::Batch(_))).unwrap();
    assert!(matches!(&host.performed[first].effect, Effect::Batch(statements) if statements.is_empty()));
    assert!(host.performed[..first].iter().all(|performed| !is_find(&performed.effect)));
}

/// Where a run stands: the table it tells of is the one that it walks, and the numbers only grow.
#[test]
fn progress_only_grows_and_ends_where_the_tables_end() {
    for dry_run in [false, true] {
        let conn = hidp::token_chains(2_000);
        // Tables of different sizes, so that one cannot be taken for another.
        conn.execute_batch(
            "DELETE FROM oauth2_provider_grant WHERE id > 1500;
             INSERT INTO oauth2_provider_idtoken (expires) VALUES ('2020-01-01 00:00:00')",
        )
        .unwrap();
        let totals = dump(&conn);
        let mut host = Host::new(&conn).taking(|_, _| 20_000.0);
        let report = host.run(&request("cleartokens", json!({ "dryRun": dry_run })));
        let progress = &host.progress;
        assert!(progress.len() as u64 >= report.slices, "{} of {} slices", progress.len(), report.slices);
        for pair in progress.windows(2) {
            let place = |at: usize| (pair[at].step, pair[at].walked);
            assert!(place(0) <= place(1), "{pair:?}");
            assert!(pair[0].removed <= pair[1].removed && pair[0].selected <= pair[1].selected, "{pair:?}");
            assert!(pair[0].elapsed_ms < pair[1].elapsed_ms);
        }
        for now in progress {
            assert_eq!(now.steps, 4);
            assert_eq!(now.total, totals[&now.table].len() as u64, "{now:?}");
            assert!(now.walked > 0 && now.walked <= now.total, "{now:?}");
        }
        let last = progress.last().unwrap();
        assert_eq!((last.step, last.table.as_str()), (4, "oauth2_provider_grant"));
        assert_eq!((last.walked, last.selected), (last.total, report.selected));
    }
}

#[test]
fn the_report_tells_the_time_and_the_slices() {
    let conn = sessions(1_200, 1);
    let mut host = Host::new(&conn).taking(|_, _| 12.5);
    let report = host.run(&clearsessions(json!({})));
    assert_eq!(report.elapsed_ms, host.performed.last().unwrap().elapsed_ms);
    assert_eq!(report.slices, host.slices().count() as u64);
    assert_eq!(report.cutoff, None);
    let cutoff = Host::new(&database()).run(&accounts(json!({ "settings": { "days": 1 } }))).cutoff;
    assert_eq!(cutoff.unwrap().to_string(), "2026-01-30T03:00:00.000000Z");
}

#[test]
fn empty_tables_are_done_at_once() {
    for job in ["clearsessions", "cleartokens", "remove_stale_unverified_accounts"] {
        let report = Host::new(&database()).run(&request(job, json!({})));
        assert_eq!((report.complete, report.selected, report.slices), (true, 0, 0), "{job}");
        assert_eq!(removed(&report), counts([]));
    }
}
