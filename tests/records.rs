//! The state machine of a removal on a record store.
#![cfg(test)]

mod common;

use common::host::{removed, sum, would_remove};
use common::memory::{MemoryHost, Store};
use common::request::{order, read, request};
use idp_janitor::effect::{Answer, Effect, Outcome, Ran};
use idp_janitor::report::Report;
use idp_janitor::run::Run;
use idp_janitor::select::select_stale;
use idp_janitor::value::Value;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

const LONG_AGO: &str = "2020-01-01T00:00:00Z";
const LATER: &str = "2030-01-01T00:00:00Z";

/// So many sessions, of which every `nth` has expired.
fn sessions(count: usize, nth: usize) -> Store {
    let expires = |at: usize| if at.is_multiple_of(nth) { LONG_AGO } else { LATER };
    let records: Vec<Json> = (1..=count).map(|at| json!({ "expire_date": expires(at) })).collect();
    Store::of(json!({ "django_session": records }))
}

/// Token chains of every kind.
fn tokens(count: usize) -> Store {
    let moment = |ago: bool| if ago { LONG_AGO } else { LATER };
    let (mut refresh, mut access, mut id, mut grants) = (vec![], vec![], vec![], vec![]);
    for chain in 0..count {
        let is = |bit: usize| chain >> bit & 1 == 1;
        let (revoked, token, id_token) = (is(0).then(|| moment(is(1))), is(2).then_some(chain), is(4).then_some(chain));
        refresh.push(json!({ "revoked": revoked, "access_token_id": token }));
        access.push(json!({ "id": chain, "expires": moment(is(3)), "id_token_id": id_token }));
        id.push(json!({ "id": chain, "expires": moment(is(5)) }));
        grants.push(json!({ "expires": moment(is(6)) }));
    }
    Store::of(json!({
        "oauth2_provider_refreshtoken": refresh,
        "oauth2_provider_accesstoken": access,
        "oauth2_provider_idtoken": id,
        "oauth2_provider_grant": grants,
    }))
}

fn counts<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(table, rows)| (table.to_owned(), rows)).collect()
}

fn lost(before: &Store, after: &Store) -> BTreeMap<String, u64> {
    let lost = before.0.iter().map(|(name, records)| (name.clone(), (records.len() - after.0[name].len()) as u64));
    lost.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn every_record_is_scanned_once_page_by_page() {
    let mut host = MemoryHost::new(sessions(1_234, 5));
    let report = host.run(&request("clearsessions", json!({})));
    let scans: Vec<(Option<String>, u32)> = host
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Scan(scan) => Some((scan.after.clone(), scan.limit)),
            _ => None,
        })
        .collect();
    assert_eq!(scans, [(None, 500), (Some("000499".into()), 500), (Some("000999".into()), 500)]);
    assert_eq!(removed(&report), counts([("django_session", 246)]));
    assert_eq!((report.selected, report.slices, report.complete), (246, 3, true));
    assert_eq!(host.store.ids("django_session").len(), 988);
    assert_eq!(host.run(&request("clearsessions", json!({}))).selected, 0);
}

#[test]
fn max_rows_is_exact() {
    for max in [1, 2, 99, 100, 101, 200, 246, 247] {
        for dry_run in [true, false] {
            let mut host = MemoryHost::new(sessions(1_234, 5));
            let report = host.run(&request("clearsessions", json!({ "maxRows": max, "dryRun": dry_run })));
            let count = if dry_run { would_remove(&report) } else { removed(&report) };
            assert_eq!(count, counts([("django_session", max.min(246))]), "{max}");
            assert_eq!((report.selected, report.complete), (max.min(246), max >= 246), "{max}");
        }
    }
}

#[test]
fn dry_runs_real_runs_and_selection_agree() {
    let store = tokens(700);
    let mut dry = MemoryHost::new(store.clone());
    let told = dry.run(&request("cleartokens", json!({ "dryRun": true })));
    assert_eq!(dry.store, store);
    assert!(dry.effects.iter().all(|effect| matches!(effect, Effect::Scan(_))));

    let mut real = MemoryHost::new(store.clone());
    let done = real.run(&request("cleartokens", json!({})));
    assert_eq!(removed(&done), lost(&store, &real.store));
    assert_eq!((would_remove(&told), told.selected), (removed(&done), done.selected));

    let tables = read(json!({}));
    let tables = store.0.iter().fold(tables, |mut tables: idp_janitor::named::Named<Vec<_>>, (name, records)| {
        tables.insert(name, records.values().cloned().collect());
        tables
    });
    for (table, positions) in select_stale(&order("cleartokens", json!({})), &tables).unwrap().iter() {
        let selected: Vec<String> = positions.iter().map(|at| format!("{at:06}")).collect();
        let gone: Vec<String> =
            store.ids(table).into_iter().filter(|id| !real.store.0[table].contains_key(id)).collect();
        assert_eq!(selected, gone, "{table}");
    }
}

#[test]
fn many_runs_remove_what_one_does() {
    let whole = {
        let mut host = MemoryHost::new(tokens(300));
        let report = host.run(&request("cleartokens", json!({})));
        (host.store, report)
    };
    for bound in
        [json!({ "maxRows": 1 }), json!({ "maxRows": 40 }), json!({ "maxSeconds": 6 }), json!({ "maxStatements": 8 })]
    {
        for dry_run in [true, false] {
            let mut more = bound.clone();
            more["dryRun"] = json!(dry_run);
            let mut host = MemoryHost::new(tokens(300));
            let reports = host.run_to_completion(&request("cleartokens", more.clone()));
            assert!(reports.len() > 1, "{more}");
            let count = if dry_run { sum(&reports, would_remove) } else { sum(&reports, removed) };
            assert_eq!(count, removed(&whole.1), "{more}");
            assert_eq!(host.store, if dry_run { tokens(300) } else { whole.0.clone() }, "{more}");
            let total = |count: fn(&Report) -> u64| reports.iter().map(count).sum::<u64>();
            assert_eq!(total(|report| report.selected), whole.1.selected, "{more}");
        }
    }
}

#[test]
fn max_statements_is_never_exceeded() {
    for max in 1..12 {
        let mut host = MemoryHost::new(sessions(1_500, 2));
        let report = host.run(&request("clearsessions", json!({ "maxStatements": max })));
        assert!(host.effects.len() <= max, "{max}");
        // Nothing is reported that was not done.
        let gone = 1_500 - host.store.ids("django_session").len() as u64;
        assert_eq!(removed(&report).get("django_session").copied().unwrap_or_default(), gone, "{max}");
        assert_eq!((report.selected, report.slices), (gone, gone.div_ceil(250)), "{max}");
        assert_eq!(report.complete, max >= 6, "{max}");
    }
}

#[test]
fn what_is_stale_no_more_at_its_removal_is_kept() {
    let verify = |store: &mut Store, effect: &Effect| {
        if let Effect::Remove(removal) = effect {
            assert_eq!(removal.ids, ["000000", "000001", "000003"]);
            let people = store.0.get_mut("people").unwrap();
            people.get_mut("000001").unwrap().insert("email_verified", Value::Text(LONG_AGO.into()));
            // One that cannot be judged any more, and one that somebody else has removed.
            people.get_mut("000003").unwrap().insert("date_joined", Value::Text("unknown".into()));
        }
    };
    let person = |verified: bool| json!({ "email_verified": verified.then_some(LONG_AGO), "date_joined": LONG_AGO });
    let store = Store::of(json!({ "people": [person(false), person(false), person(true), person(false)] }));
    let mut host = MemoryHost::new(store).before(verify);
    let report = host.run(&request("remove_stale_unverified_accounts", json!({ "userTable": "people" })));
    assert_eq!(host.store.ids("people"), ["000001", "000002", "000003"]);
    assert_eq!((removed(&report), report.selected), (counts([("people", 1)]), 3));
    assert_eq!(report.summary, "Successfully removed 1 unverified account(s).");
}

#[test]
fn an_abort_ends_after_the_page_in_hand() {
    let whole = {
        let mut host = MemoryHost::new(tokens(64));
        host.run(&request("cleartokens", json!({})));
        host
    };
    for at in 0..whole.effects.len() {
        let store = tokens(64);
        let mut host = MemoryHost::new(store.clone()).aborting_at(at);
        let first = host.run(&request("cleartokens", json!({})));
        assert!(host.effects.len() <= at + 2, "{at}");
        assert_eq!(removed(&first), lost(&store, &host.store), "{at}");
        if let Some(checkpoint) = &first.checkpoint {
            let mut next = MemoryHost::new(host.store);
            let rest = next.run_from(&request("cleartokens", json!({})), Some(checkpoint)).unwrap();
            assert_eq!((next.store == whole.store, rest.complete), (true, true), "{at}");
        } else {
            assert_eq!(host.store, whole.store, "{at}");
        }
    }
}

#[test]
fn progress_only_grows() {
    let mut host = MemoryHost::new(tokens(1_200));
    let report = host.run(&request("cleartokens", json!({})));
    assert!(host.progress.len() as u64 >= report.slices);
    for pair in host.progress.windows(2) {
        assert!((pair[0].step, pair[0].walked) <= (pair[1].step, pair[1].walked), "{pair:?}");
        assert!(pair[0].removed <= pair[1].removed && pair[0].selected <= pair[1].selected, "{pair:?}");
        assert!(pair[0].elapsed_ms < pair[1].elapsed_ms, "{pair:?}");
    }
    let last = host.progress.last().unwrap();
    assert_eq!((last.step, last.table.as_str()), (4, "oauth2_provider_grant"));
    assert_eq!((last.walked, last.total, last.selected), (1_200, 1_200, report.selected));
}

#[test]
fn a_record_that_cannot_be_judged_ends_the_run_with_a_word_on_it() {
    let store = Store::of(json!({ "django_session": [{ "expire_date": LONG_AGO }, { "expired": LONG_AGO }] }));
    let mut host = MemoryHost::new(store.clone());
    let error = host.run_from(&request("clearsessions", json!({})), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a record of `django_session` cannot be judged: it has no `expire_date` (NULL is `null`); it was not touched"
    );
    assert_eq!(host.store, store);
}

#[test]
fn the_collection_of_users_must_be_named() {
    let error = Run::new(&request("remove_stale_unverified_accounts", json!({})), "records", None).err().unwrap();
    assert_eq!(
        error.to_string(),
        "`userTable` must be the name of the collection of users, for a record store does not tell it, not null"
    );
    assert!(Run::new(&request("clearsessions", json!({})), "records", None).is_ok());
}

#[test]
fn a_plan_tells_the_sweeps() {
    let mut run = Run::new(&request("cleartokens", json!({ "planOnly": true })), "records", None).unwrap();
    let step = run.next(Outcome { answer: Answer::Began, elapsed_ms: 0.0, aborted: false, lane: 0 }).unwrap();
    let Effect::Planned(plan) = step.effect else { panic!("no plan") };
    let tables: Vec<&str> = plan.sweeps.iter().map(|sweep| sweep.table.as_str()).collect();
    assert_eq!(
        tables,
        [
            "oauth2_provider_refreshtoken",
            "oauth2_provider_accesstoken",
            "oauth2_provider_idtoken",
            "oauth2_provider_grant"
        ]
    );
}

#[test]
fn a_wrong_answer_is_an_error_and_ends_the_run() {
    let page = || Answer::Scan(read(json!({ "records": [{ "id": "1", "row": { "expire_date": LONG_AGO } }] })));
    let wrong = [Answer::Began, Answer::Query(vec![]), Answer::Batch(vec![]), Answer::Batch(vec![Ran::default()])];
    let answers = [(vec![], Answer::Remove(1)), (vec![page()], page())];
    for (right, other) in answers {
        for wrong in wrong.iter().chain([&other]) {
            let mut run = Run::new(&request("clearsessions", json!({})), "records", None).unwrap();
            let outcome =
                |answer: &Answer| Outcome { answer: answer.clone(), elapsed_ms: 1.0, aborted: false, lane: 0 };
            run.next(outcome(&Answer::Began)).unwrap();
            for answer in &right {
                run.next(outcome(answer)).unwrap();
            }
            assert_eq!(run.next(outcome(wrong)).unwrap_err().code(), "internal", "{wrong:?}");
            assert_eq!(run.next(outcome(&page())).unwrap_err().code(), "internal", "{wrong:?}");
        }
    }
}

/// A store that says it removed more than it was asked to would make the report say what did not happen.
#[test]
fn more_removed_than_asked_for_is_a_wrong_answer() {
    let mut run = Run::new(&request("clearsessions", json!({})), "records", None).unwrap();
    let page = json!({ "records": [{ "id": "1", "row": { "expire_date": LONG_AGO } }] });
    let outcome = |answer: Answer| Outcome { answer, elapsed_ms: 1.0, aborted: false, lane: 0 };
    run.next(outcome(Answer::Began)).unwrap();
    run.next(outcome(Answer::Scan(read(page)))).unwrap();
    assert!(run.next(outcome(Answer::Remove(2))).is_err());
}

/// They would silently not be followed.
#[test]
fn settings_for_databases_are_refused() {
    for (name, value, message) in [
        (
            "onDelete",
            json!({ "shop.owner_id": "restrict" }),
            "`onDelete` must be absent for a record store, which itself takes care of what belongs to a record, not about \
             `shop.owner_id`",
        ),
        ("sliceMs", json!(50), "`sliceMs` must be absent for a record store, whose pages have one size, not a number"),
    ] {
        let error = Run::new(&request("clearsessions", json!({ name: value })), "records", None).err().unwrap();
        assert_eq!((error.to_string().as_str(), error.code()), (message, "invalid_setting"));
    }
    assert!(Run::new(&request("clearsessions", json!({ "onDelete": {}, "sliceMs": null })), "records", None).is_ok());
}
