//! What is promised of a removal, checked on a real database.

use super::database::{build, on_delete};
use super::model::{Model, State};
use super::spec::Graph;
use crate::common::engine::Engine;
use crate::common::host::{Host, changed, removed, sum, would_change, would_remove};
use crate::common::request::request;
use idp_janitor::effect::Effect;
use idp_janitor::plan::Plan;
use idp_janitor::report::Report;
use idp_janitor::request::Request;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// A request of the removal of the stale rows of a graph's root, with further properties.
pub fn removal(graph: &Graph, more: Json) -> Request {
    let mut properties = json!({ "userTable": "people", "onDelete": on_delete(graph) });
    for (name, value) in more.as_object().unwrap() {
        properties[name] = value.clone();
    }
    request("remove_stale_unverified_accounts", properties)
}

/// The plan of that removal.
pub fn plan(engine: &impl Engine, graph: &Graph) -> Plan {
    build(engine, graph);
    Host::new(engine).plan(&removal(graph, json!({ "planOnly": true })))
}

/// Whether rows are removed one at a time.
pub fn one_by_one(warnings: &[String]) -> bool {
    warnings.iter().any(|warning| warning.contains("one at a time"))
}

fn selected_and_restricted(reports: &[Report]) -> (u64, u64) {
    (reports.iter().map(|report| report.selected).sum(), reports.iter().map(|report| report.restricted).sum())
}

/// A slow host, so that slices become as small as they may.
fn pass<E: Engine>(engine: &E, request: &Request) -> Result<Vec<Report>, TestCaseError> {
    run(Host::new(engine).taking(|_, _| 10_000.0), request)
}

fn run<E: Engine>(mut host: Host<E>, request: &Request) -> Result<Vec<Report>, TestCaseError> {
    host.try_to_completion(request).map_err(|failure| TestCaseError::fail(format!("{failure:?}")))
}

/// Without a panic, whose message would be printed for every step of a shrinking case.
pub fn same<T: PartialEq + Debug>(found: &T, expected: &T, what: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(found, expected, "{}", what);
    Ok(())
}

fn bounded(graph: &Graph, dry_run: bool, max_rows: Option<u64>) -> Request {
    removal(graph, json!({ "dryRun": dry_run, "maxRows": max_rows }))
}

/// Everything that is promised where no slice can change what another one finds stale, or held.
///
/// Returns how many slices the real run took.
pub fn check_exactly(engine: &impl Engine, graph: &Graph, max_rows: Option<u64>) -> Result<u64, TestCaseError> {
    build(engine, graph);
    let model = Model::new(graph);
    let before = State::read(engine, graph);
    let expected = model.removal(&before);
    let found = (expected.stale, expected.restricted);

    let dry = pass(engine, &bounded(graph, true, max_rows))?;
    same(&State::read(engine, graph), &before, "after a dry run")?;
    same(&sum(&dry, would_remove), &expected.removed, "what a dry run tells")?;
    same(&selected_and_restricted(&dry), &found, "what a dry run finds")?;
    same(&sum(&dry, removed), &BTreeMap::new(), "what a dry run removes")?;
    same(&sum(&dry, changed), &BTreeMap::new(), "what a dry run changes")?;

    let real = pass(engine, &bounded(graph, false, max_rows))?;
    let after = State::read(engine, graph);
    same(&after, &expected.after, "after a real run")?;
    same(&model.dangling(&after), &vec![], "what points at nothing")?;
    same(&sum(&real, removed), &expected.removed, "what a real run tells")?;
    same(&sum(&dry, would_change), &sum(&real, changed), "what lets go, by a dry run and by a real one")?;
    same(&after.lost(&before), &expected.removed, "what is truly gone")?;
    same(&selected_and_restricted(&real), &found, "what a real run finds")?;
    prop_assert!(!real.iter().any(|report| one_by_one(&report.warnings)));
    prop_assert!(real.iter().all(|report| report.held == 0), "nobody holds anything");
    let most = real.iter().map(|report| report.selected - report.restricted).max();
    prop_assert!(most <= max_rows.or(most), "{:?} rows in a run", most);

    let again = pass(engine, &bounded(graph, false, None))?;
    same(&sum(&again, removed), &BTreeMap::new(), "what a second run tells")?;
    same(&State::read(engine, graph), &expected.after, "after a second run")?;
    Ok(real.iter().map(|report| report.slices).sum())
}

/// What is promised where what goes with one row can free another: the dry run tells what nothing holds now; the real
/// run may take more, but never a row that is held at that moment, nor one that hangs on nothing stale.
pub fn check_one_by_one<E: Engine>(engine: &E, graph: &Graph, max_rows: Option<u64>) -> Result<(), TestCaseError> {
    build(engine, graph);
    let model = Model::new(graph);
    let first = State::read(engine, graph);
    let (expected, reach) = (model.removal(&first), model.reach(&first));

    let dry = pass(engine, &bounded(graph, true, max_rows))?;
    same(&State::read(engine, graph), &first, "after a dry run")?;
    same(&sum(&dry, would_remove), &expected.removed, "what a dry run tells")?;

    let (seen, wronged) = (RefCell::new(first.clone()), RefCell::new(Vec::new()));
    let watch = |engine: &E, effect: &Effect| {
        if matches!(effect, Effect::Batch(_)) {
            let now = State::read(engine, graph);
            for (table, held) in model.held(&seen.borrow()).iter().enumerate() {
                wronged.borrow_mut().extend(held.difference(&now.ids(table)).map(|id| (table, id.clone())));
            }
            seen.replace(now);
        }
    };
    let real = run(Host::new(engine).after(watch), &bounded(graph, false, max_rows))?;
    same(&wronged.into_inner(), &vec![], "rows that went while they were held")?;
    let after = State::read(engine, graph);
    same(&model.dangling(&after), &vec![], "what points at nothing")?;
    let counts = sum(&real, removed);
    same(&counts, &after.lost(&first), "reported and truly gone")?;
    for (table, rows) in &expected.removed {
        prop_assert!(counts.get(table) >= Some(rows), "less of {} than the dry run told", table);
    }
    for (table, reach) in reach.iter().enumerate() {
        let gone = first.ids(table).difference(&after.ids(table)).cloned().collect::<BTreeSet<_>>();
        prop_assert!(gone.is_subset(reach), "of table {} went what hangs on nothing stale: {:?}", table, gone);
    }
    // What was freed behind the walk is left for later runs, until all that is left is held.
    for _ in 0..50 {
        let reports = pass(engine, &bounded(graph, false, None))?;
        if sum(&reports, removed).is_empty() {
            let (selected, restricted) = selected_and_restricted(&reports);
            same(&model.dangling(&State::read(engine, graph)), &vec![], "what points at nothing in the end")?;
            return same(&selected, &restricted, "what is left");
        }
    }
    Err(TestCaseError::fail("later runs never come to an end"))
}
