//! What fails is tried again after pauses that grow, on each kind of store as it is documented; and what had been done is
//! told in the end, whatever fails.
#![cfg(test)]

mod common;
#[path = "common/engines/mod.rs"]
mod engines;

use common::engine::{Engine, StoreError, act};
use common::hidp::with_schema;
use common::request::request;
use engines::{mariadb, postgres};
use idp_janitor::effect::{Answer, Effect, Failure, Outcome, Step};
use idp_janitor::report::Report;
use idp_janitor::run::Run;
use serde_json::json;

/// What is tried, as far as patience goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Reading,
    Removing,
}

/// What came of a run, one effect of which failed so many times.
struct Seen {
    /// The pauses, in milliseconds.
    pauses: Vec<f64>,
    /// Whether the run failed.
    failed: bool,
    report: Report,
}

/// A table of sessions on any product: seven, of which five have expired.
fn sessions(engine: &impl Engine) {
    let instant = match engine.name() {
        "postgres" => "timestamp with time zone",
        "mysql" => "datetime(6)",
        _ => "datetime",
    };
    engine.run(&format!(
        "CREATE TABLE django_session (session_key varchar(40) NOT NULL PRIMARY KEY, expire_date {instant} NOT NULL);
         INSERT INTO django_session VALUES ('a', '2020-01-01 00:00:00'), ('b', '2030-01-01 00:00:00'),
             ('c', '2020-01-01 00:00:00'), ('d', '2020-01-01 00:00:00'), ('e', '2030-01-01 00:00:00'),
             ('f', '2020-01-01 00:00:00'), ('g', '2020-01-01 00:00:00')"
    ));
}

fn sessions_left(engine: &impl Engine) -> usize {
    engine.select("SELECT session_key FROM django_session").len()
}

/// Whether an effect is the slice, or reads the table; reading the schema is neither here.
fn is(doing: Doing, effect: &Effect) -> bool {
    let texts: Vec<&str> = match effect {
        Effect::Query(statement) => vec![statement.sql.as_str()],
        Effect::Batch(statements) => statements.iter().map(|statement| statement.sql.as_str()).collect(),
        _ => return false,
    };
    let removes = texts.iter().any(|sql| sql.contains("DELETE FROM") || sql.contains("DELETE t FROM"));
    match doing {
        Doing::Removing => removes,
        Doing::Reading => !removes && texts.iter().any(|sql| sql.contains("min(") || sql.contains("pg_relation_size")),
    }
}

/// Removes the sessions, the first attempts of something failing; `performed` with the answer alone lost.
fn run(engine: &impl Engine, doing: Doing, failure: Failure, times: usize, performed: bool) -> Seen {
    let mut run = Run::new(&request("clearsessions", json!({})), engine.name(), None).unwrap();
    let (mut answer, mut elapsed_ms, mut pauses, mut left) = (Answer::Began, 0.0, Vec::new(), times);
    loop {
        let Step { effect, .. } = run.next(Outcome { answer, elapsed_ms, aborted: false, lane: 0 }).unwrap();
        elapsed_ms += 1.0;
        answer = match &effect {
            Effect::Done(report) => return Seen { pauses, failed: false, report: *report.clone() },
            Effect::Fail => return Seen { pauses, failed: true, report: run.fail() },
            Effect::Wait(ms) => {
                pauses.push(*ms);
                elapsed_ms += ms;
                Answer::Waited
            }
            effect if left > 0 && is(doing, effect) => {
                left -= 1;
                if performed {
                    act(engine, effect).unwrap();
                }
                Answer::Failed(failure)
            }
            effect => act(engine, effect).unwrap_or_else(|StoreError { message, .. }| panic!("{message}")),
        };
        assert!(pauses.len() < 100, "it is tried for ever");
    }
}

/// What reads a window in a dry run times out so many times: the pauses, what the windows were asked by, and what came of it.
fn dry_run(engine: &impl Engine, counts: bool, times: usize) -> (Seen, Vec<String>) {
    let settings = json!({ "dryRun": true, "onDelete": { "note.session_id": "cascade" } });
    let mut run = Run::new(&request("clearsessions", settings), engine.name(), None).unwrap();
    let (mut answer, mut elapsed_ms, mut pauses, mut left, mut looks) = (Answer::Began, 0.0, vec![], times, vec![]);
    loop {
        let Step { effect, .. } = run.next(Outcome { answer, elapsed_ms, aborted: false, lane: 0 }).unwrap();
        elapsed_ms += 1.0;
        let about = format!("{effect:?}");
        let (looks_at, counts_at) = (about.contains("expire_date"), about.contains("note"));
        let is_count = looks_at && counts_at && !about.contains("pg_catalog");
        let is_find = looks_at && !counts_at;
        if is_find {
            looks.push(about);
        }
        answer = match &effect {
            Effect::Done(report) => return (Seen { pauses, failed: false, report: *report.clone() }, looks),
            Effect::Fail => return (Seen { pauses, failed: true, report: run.fail() }, looks),
            Effect::Wait(ms) => {
                pauses.push(*ms);
                Answer::Waited
            }
            _ if left > 0 && if counts { is_count } else { is_find } => {
                left -= 1;
                Answer::Failed(Failure::Timeout)
            }
            effect => act(engine, effect).unwrap_or_else(|StoreError { message, .. }| panic!("{message}")),
        };
        assert!(pauses.len() < 100, "it is tried for ever");
    }
}

/// What takes too long is looked for again in less of the table, and nothing is counted twice.
fn looks_at_less_where_it_takes_too_long<E: Engine>(empty: impl Fn() -> E) {
    let engine = empty();
    sessions(&engine);
    engine.run(
        "CREATE TABLE note (id integer NOT NULL PRIMARY KEY, session_id varchar(40) NOT NULL,
             FOREIGN KEY (session_id) REFERENCES django_session (session_key));
         CREATE INDEX note_session ON note (session_id);
         INSERT INTO note VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'a')",
    );
    for counts in [false, true] {
        let about = format!("on {}, {counts}", engine.name());
        let (seen, looks) = dry_run(&engine, counts, HELD.len());
        assert_pauses(&seen.pauses, &HELD, &about);
        let Report { selected, would_remove, complete, .. } = &seen.report;
        let told = |table| would_remove.as_ref().and_then(|removed| removed.get(table).copied());
        assert_eq!(
            (*selected, told("django_session"), told("note"), *complete),
            (5, Some(5), Some(3), true),
            "{about}"
        );
        let mut distinct = looks.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!((looks.len(), distinct.len()), (HELD.len() + 1, HELD.len() + 1), "{about}");

        let (seen, _) = dry_run(&engine, counts, usize::MAX);
        assert_pauses(&seen.pauses, &HELD, &about);
        assert!(seen.failed && !seen.report.complete && seen.report.selected == 0, "{about}");
    }
}

/// Each pause is at least half of what is documented, and not more than that.
fn assert_pauses(pauses: &[f64], documented: &[f64], about: &str) {
    let fits = |(pause, most): (&f64, &f64)| (most / 2.0..=*most).contains(pause);
    let all_fit = pauses.len() == documented.len() && pauses.iter().zip(documented).all(fits);
    assert!(all_fit, "{about}: {pauses:?} and not {documented:?}");
}

const AWAY: [f64; 9] = [200.0, 400.0, 800.0, 1_600.0, 3_200.0, 5_000.0, 5_000.0, 5_000.0, 5_000.0];
const HELD: [f64; 5] = [50.0, 100.0, 200.0, 400.0, 800.0];
const BROKEN: [f64; 3] = [20.0, 40.0, 80.0];

/// How patient a store is, and whether it then passes over what is held instead of failing.
fn patience(product: &str, doing: Doing, failure: Failure) -> (&'static [f64], bool) {
    let shared = product != "sqlite" && doing == Doing::Removing;
    match failure {
        Failure::Unavailable => (&AWAY, false),
        Failure::Conflict => (&HELD, shared),
        Failure::Locked if product != "sqlite" => (&HELD, shared),
        // On SQLite itself nothing takes too long; on D1 it does, and a smaller slice may not.
        Failure::Timeout if doing == Doing::Removing => (&HELD, false),
        Failure::Constraint if shared => (&BROKEN, false),
        _ => (&[], false),
    }
}

fn patience_is_as_documented<E: Engine>(empty: impl Fn() -> E) {
    use Failure::{Conflict, Constraint, Locked, Other, Timeout, Unavailable};
    for failure in [Conflict, Constraint, Locked, Other, Timeout, Unavailable] {
        for doing in [Doing::Reading, Doing::Removing] {
            let engine = empty();
            sessions(&engine);
            let about = format!("{failure:?} {doing:?} on {}", engine.name());
            let (documented, passes_over) = patience(engine.name(), doing, failure);

            let lost = run(&engine, doing, failure, usize::MAX, false);
            assert_eq!(sessions_left(&engine), 7, "{about}");
            assert_eq!((lost.report.removed.values().sum::<u64>(), lost.failed), (0, !passes_over), "{about}");
            if passes_over {
                // At both visits, the second one in several slices, for each attempt has made them smaller.
                let times = lost.pauses.len() / documented.len();
                assert_pauses(&lost.pauses, &documented.repeat(times), &about);
                assert!((2..=8).contains(&times), "{about}: {times} times");
                let Report { selected, held, complete, .. } = lost.report;
                assert_eq!((selected, held, complete), (5, 5, true), "{about}");
            } else {
                assert_pauses(&lost.pauses, documented, &about);
                assert!(!lost.report.complete && lost.report.checkpoint.is_some(), "{about}");
            }
            // As often as patience lasts, and then no more.
            let saved = run(&engine, doing, failure, documented.len(), false);
            assert_pauses(&saved.pauses, documented, &about);
            let told = saved.report.removed.get("django_session").copied();
            assert_eq!((saved.failed, told, saved.report.selected), (false, Some(5), 5), "{about}");
            assert_eq!(sessions_left(&engine), 2, "{about}");
        }
    }
}

/// Done and not told: nobody counts it, and a warning says that there is something that nobody has counted.
fn what_was_done_and_not_told_is_warned_of<E: Engine>(empty: impl Fn() -> E) {
    let engine = empty();
    sessions(&engine);
    let seen = run(&engine, Doing::Removing, Failure::Unavailable, 1, true);
    assert_eq!((seen.failed, seen.report.removed.values().sum::<u64>(), sessions_left(&engine)), (false, 0, 2));
    let warned = "the connection was lost during at least 1 slice(s): what the database did of them all the same is not in the counts";
    assert!(seen.report.warnings.iter().any(|warning| warning == warned), "{:?}", seen.report.warnings);
}

#[test]
fn on_sqlite() {
    patience_is_as_documented(|| with_schema(""));
    what_was_done_and_not_told_is_warned_of(|| with_schema(""));
    looks_at_less_where_it_takes_too_long(|| with_schema(""));
}

#[test]
fn on_postgres() {
    let server = postgres();
    patience_is_as_documented(|| server.emptied());
    what_was_done_and_not_told_is_warned_of(|| server.emptied());
    looks_at_less_where_it_takes_too_long(|| server.emptied());
}

#[test]
fn on_mariadb() {
    let server = mariadb();
    patience_is_as_documented(|| server.emptied());
    what_was_done_and_not_told_is_warned_of(|| server.emptied());
    looks_at_less_where_it_takes_too_long(|| server.emptied());
}
