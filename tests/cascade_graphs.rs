//! Removals over random graphs of foreign keys, on a real database, against a model in memory.
#![cfg(test)]

mod common;
#[path = "common/graph/mod.rs"]
mod graph;

use common::dump::{assert_no_dangling_keys, dump, lost};
use common::host::{Host, changed, removed, sum, would_change, would_remove};
use common::request::request;
use common::seeds::runner;
use graph::database::{build, on_delete};
use graph::model::{Model, State};
use graph::spec::{Graph, Shape, graphs};
use idp_janitor::cascade::Action::{self, Cascade, Restrict, SetDefault, SetNull};
use idp_janitor::effect::Effect;
use idp_janitor::report::Report;
use idp_janitor::request::Request;
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::{Value as Json, json};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

const JOB: &str = "remove_stale_unverified_accounts";

fn removal(graph: &Graph, dry_run: bool, max_rows: Option<u64>) -> Request {
    let bound = max_rows.map_or(Json::Null, Json::from);
    request(JOB, json!({ "userTable": "people", "onDelete": on_delete(graph), "dryRun": dry_run, "maxRows": bound }))
}

fn planned(graph: &Graph) -> Request {
    request(JOB, json!({ "userTable": "people", "onDelete": on_delete(graph), "planOnly": true }))
}

fn one_by_one(reports: &[Report]) -> bool {
    reports.iter().flat_map(|report| &report.warnings).any(|warning| warning.contains("one at a time"))
}

fn selected_and_restricted(reports: &[Report]) -> (u64, u64) {
    (reports.iter().map(|report| report.selected).sum(), reports.iter().map(|report| report.restricted).sum())
}

/// A slow host, so that slices become as small as they may.
fn pass(conn: &Connection, request: &Request) -> Result<Vec<Report>, TestCaseError> {
    run(Host::new(conn).taking(|_, _| 10_000.0), request)
}

fn run(mut host: Host, request: &Request) -> Result<Vec<Report>, TestCaseError> {
    host.try_to_completion(request).map_err(|failure| TestCaseError::fail(format!("{failure:?}")))
}

/// Without a panic, whose message would be printed for every step of a shrinking case.
fn same<T: PartialEq + Debug>(found: &T, expected: &T, what: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(found, expected, "{}", what);
    Ok(())
}

/// Everything that is promised where no slice can change what another one finds stale, or held.
///
/// Returns how many slices the real run took.
fn check_exactly(graph: &Graph, max_rows: Option<u64>) -> Result<u64, TestCaseError> {
    let conn = build(graph);
    let model = Model::new(&conn, graph);
    let expected = model.removal(&State::read(&conn, graph));
    let found = (expected.stale, expected.restricted);
    let before = dump(&conn);

    let dry = pass(&conn, &removal(graph, true, max_rows))?;
    same(&dump(&conn), &before, "after a dry run")?;
    same(&sum(&dry, would_remove), &expected.removed, "what a dry run tells")?;
    same(&selected_and_restricted(&dry), &found, "what a dry run finds")?;
    same(&sum(&dry, removed), &BTreeMap::new(), "what a dry run removes")?;
    same(&sum(&dry, changed), &BTreeMap::new(), "what a dry run changes")?;

    let real = pass(&conn, &removal(graph, false, max_rows))?;
    same(&State::read(&conn, graph), &expected.after, "after a real run")?;
    assert_no_dangling_keys(&conn);
    same(&sum(&real, removed), &expected.removed, "what a real run tells")?;
    same(&sum(&dry, would_change), &sum(&real, changed), "what lets go, by a dry run and by a real one")?;
    same(&lost(&before, &dump(&conn)), &expected.removed, "what is truly gone")?;
    same(&selected_and_restricted(&real), &found, "what a real run finds")?;
    prop_assert!(!one_by_one(&real));
    let most = real.iter().map(|report| report.selected - report.restricted).max();
    prop_assert!(most <= max_rows.or(most), "{:?} rows in a run", most);

    let again = pass(&conn, &removal(graph, false, None))?;
    same(&sum(&again, removed), &BTreeMap::new(), "what a second run tells")?;
    same(&State::read(&conn, graph), &expected.after, "after a second run")?;
    Ok(real.iter().map(|report| report.slices).sum())
}

/// What is promised where what goes with one row can free another: the dry run tells what nothing holds now; the real
/// run may take more, but never a row that is held at that moment, nor one that hangs on nothing stale.
fn check_one_by_one(graph: &Graph, max_rows: Option<u64>) -> Result<(), TestCaseError> {
    let conn = build(graph);
    let model = Model::new(&conn, graph);
    let first = State::read(&conn, graph);
    let (expected, reach) = (model.removal(&first), model.reach(&first));
    let before = dump(&conn);

    let dry = pass(&conn, &removal(graph, true, max_rows))?;
    same(&dump(&conn), &before, "after a dry run")?;
    same(&sum(&dry, would_remove), &expected.removed, "what a dry run tells")?;

    let (seen, wronged) = (RefCell::new(first.clone()), RefCell::new(Vec::new()));
    let watch = |conn: &Connection, effect: &Effect| {
        if matches!(effect, Effect::Batch(_)) {
            let now = State::read(conn, graph);
            for (table, held) in model.held(&seen.borrow()).iter().enumerate() {
                wronged.borrow_mut().extend(held.difference(&now.ids(table)).map(|id| (table, id.clone())));
            }
            seen.replace(now);
        }
    };
    let real = run(Host::new(&conn).after(watch), &removal(graph, false, max_rows))?;
    same(&wronged.into_inner(), &vec![], "rows that went while they were held")?;
    assert_no_dangling_keys(&conn);
    let counts = sum(&real, removed);
    same(&counts, &lost(&before, &dump(&conn)), "reported and truly gone")?;
    for (table, rows) in &expected.removed {
        prop_assert!(counts.get(table) >= Some(rows), "less of {} than the dry run told", table);
    }
    for (table, reach) in reach.iter().enumerate() {
        let left = seen.borrow().ids(table);
        let gone = first.ids(table).difference(&left).cloned().collect::<BTreeSet<_>>();
        prop_assert!(gone.is_subset(reach), "of table {} went what hangs on nothing stale: {:?}", table, gone);
    }
    // What was freed behind the walk is left for later runs, until all that is left is held.
    for _ in 0..50 {
        let reports = pass(&conn, &removal(graph, false, None))?;
        assert_no_dangling_keys(&conn);
        if sum(&reports, removed).is_empty() {
            let (selected, restricted) = selected_and_restricted(&reports);
            return same(&selected, &restricted, "what is left");
        }
    }
    Err(TestCaseError::fail("later runs never come to an end"))
}

fn max_rows() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![Just(None), (1u64..5).prop_map(Some)]
}

const WITHOUT_RESTRICT: &[Action] = &[Cascade, SetNull, SetNull, SetDefault];
const WITH_RESTRICT: &[Action] = &[Cascade, SetNull, SetDefault, Restrict, Restrict];

#[test]
fn a_removal_does_what_the_model_does() {
    let shape = Shape { actions: WITHOUT_RESTRICT, overrides: false, tiles: 1 };
    runner(3, 200)
        .run(&(graphs(shape), max_rows()), |(graph, max_rows)| {
            check_exactly(&graph, max_rows)?;
            Ok(())
        })
        .unwrap();
}

#[test]
fn settings_go_before_what_the_database_declares() {
    let shape = Shape { actions: WITHOUT_RESTRICT, overrides: true, tiles: 1 };
    runner(4, 200)
        .run(&(graphs(shape), max_rows()), |(graph, max_rows)| {
            check_exactly(&graph, max_rows)?;
            Ok(())
        })
        .unwrap();
}

#[test]
fn many_slices_do_what_one_does() {
    let shape = Shape { actions: WITHOUT_RESTRICT, overrides: false, tiles: 200 };
    let slices = Cell::new(0);
    runner(5, 5)
        .run(&graphs(shape), |graph| {
            slices.set(slices.get() + check_exactly(&graph, None)?);
            Ok(())
        })
        .unwrap();
    assert!(slices.get() > 8, "{} slices", slices.get());
}

#[test]
fn what_restricts_is_kept_with_what_it_holds() {
    let shape = Shape { actions: WITH_RESTRICT, overrides: false, tiles: 1 };
    let (exact, disturbed) = (Cell::new(0), Cell::new(0));
    runner(6, 250)
        .run(&(graphs(shape), max_rows()), |(graph, max_rows)| {
            let plan = Host::new(&build(&graph)).plan(&planned(&graph));
            if plan.warnings.iter().any(|warning| warning.contains("one at a time")) {
                disturbed.set(disturbed.get() + 1);
                check_one_by_one(&graph, max_rows)?;
            } else {
                exact.set(exact.get() + 1);
                check_exactly(&graph, max_rows)?;
            }
            Ok(())
        })
        .unwrap();
    assert!(exact.get() > 20 && disturbed.get() > 20, "{} and {}", exact.get(), disturbed.get());
}
