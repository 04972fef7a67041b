//! In whatever order lanes go on, and whenever they are stopped, they do what one lane does.

use crate::common::dump::dump;
use crate::common::engine::Engine;
use crate::common::hidp::{token_chains, with_schema};
use crate::common::host::{Host, changed, removed, sum, would_change, would_remove};
use crate::common::lanes::{Ended, Lanes};
use crate::common::request::request;
use crate::common::seeds::heavy_runner;
use crate::engines::{mariadb, postgres};
use crate::graph::checks::{one_by_one, removal, same};
use crate::graph::database::build;
use crate::graph::model::{Model, State};
use crate::graph::spec::{Graph, Shape, graphs};
use idp_janitor::cascade::Action::{Cascade, Restrict, SetDefault, SetNull};
use idp_janitor::report::Report;
use idp_janitor::request::Request;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::cell::Cell;

/// Three lanes, in a real run with so many rows at most.
fn in_lanes(graph: &Graph, dry_run: bool, most: Option<u64>) -> Request {
    let mut properties = json!({ "dryRun": dry_run, "sliceMs": 5, "concurrency": 3, "maxConcurrency": 3 });
    if let Some(most) = most.filter(|_| !dry_run) {
        properties["maxRows"] = json!(most);
    }
    removal(graph, properties)
}

fn reports(ended: &[Ended]) -> Vec<Report> {
    ended.iter().map(|ended| ended.report.clone()).collect()
}

/// Whether several lanes had a part in what was performed.
fn is_shared<E>(host: &Lanes<E>) -> bool {
    (1..3).any(|lane| host.performed.iter().filter(|at| **at == lane).count() > 1)
}

fn lanes_do_what_one_does<E: Engine>(empty: impl Fn() -> E, shape: Shape, cases: u32) {
    let shared = Cell::new(0);
    // Once in three they are stopped over and over.
    let stops = prop_oneof![2 => Just(usize::MAX), 1 => 20..60_usize];
    // Now and then they may take few rows each time.
    let bounds = prop_oneof![2 => Just(None), 1 => (10..300_u64).prop_map(Some)];
    heavy_runner(9, cases)
        .run(&(graphs(shape), any::<u64>(), stops, bounds), |(graph, seed, stop_at, most)| {
            let engine = empty();
            let graph = graph.on(engine.name()).crowded();
            build(&engine, &graph);
            let model = Model::new(&graph);
            let before = State::read(&engine, &graph);
            let expected = model.removal(&before);
            let run = |dry_run| {
                let mut host = Lanes::new(&engine, 3, seed).stopping_at(stop_at);
                let ended = host.complete(&in_lanes(&graph, dry_run, most));
                let ended = ended.map_err(|error| TestCaseError::fail(error.to_string()))?;
                prop_assert!(ended.iter().all(|ended| !ended.failed), "nothing fails");
                Ok((reports(&ended), is_shared(&host)))
            };

            let (dry, _) = run(true)?;
            same(&sum(&dry, would_remove), &expected.removed, "what a dry run tells")?;
            same(&State::read(&engine, &graph).difference(&before), &vec![], "after a dry run")?;

            let (real, is_shared) = run(false)?;
            let after = State::read(&engine, &graph);
            same(&model.dangling(&after), &vec![], "what points at nothing")?;
            same(&sum(&real, removed), &after.lost(&before), "told and truly gone")?;
            if one_by_one(&real[0].warnings) {
                shared.set(shared.get() + 1);
                return Ok(());
            }
            same(&after.difference(&expected.after), &vec![], "after a real run")?;
            same(&sum(&real, removed), &expected.removed, "what a real run tells")?;
            if stop_at == usize::MAX && most.is_none() {
                let found = (real[0].selected, real[0].restricted);
                same(&found, &(expected.stale, expected.restricted), "what it finds")?;
            }
            shared.set(shared.get() + u32::from(is_shared));
            Ok(())
        })
        .unwrap();
    assert!(shared.get() * 4 > cases, "{} runs were shared by lanes", shared.get());
}

const WITHOUT_RESTRICT: Shape =
    Shape { actions: &[Cascade, SetNull, SetNull, SetDefault], overrides: false, tiles: 220 };
/// Where rows are removed one at a time, fewer take long enough.
const WITH_RESTRICT: Shape = Shape { actions: &[Cascade, SetNull, Restrict], overrides: false, tiles: 70 };

#[test]
fn lanes_do_what_one_does_on_sqlite() {
    lanes_do_what_one_does(|| with_schema(""), WITHOUT_RESTRICT, 4);
}

#[test]
fn lanes_hold_what_one_holds_on_sqlite() {
    lanes_do_what_one_does(|| with_schema(""), WITH_RESTRICT, 4);
}

#[test]
fn lanes_do_what_one_does_on_postgres() {
    let server = postgres();
    lanes_do_what_one_does(|| server.emptied(), WITHOUT_RESTRICT, 3);
}

#[test]
fn lanes_do_what_one_does_on_mariadb() {
    let server = mariadb();
    lanes_do_what_one_does(|| server.emptied(), WITHOUT_RESTRICT, 3);
}

fn cleartokens(more: Json) -> Request {
    let mut properties = json!({ "settings": { "deviceGrants": true } });
    for (name, value) in more.as_object().unwrap() {
        properties[name] = value.clone();
    }
    request("cleartokens", properties)
}

/// A job of several tables, each of which is begun when all lanes are done with the one before.
#[test]
fn lanes_go_from_table_to_table_together() {
    let whole = token_chains(1_500);
    let before = dump(&whole);
    let one_dry = Host::new(&whole).run(&cleartokens(json!({ "dryRun": true })));
    let one = Host::new(&whole).run(&cleartokens(json!({})));
    let in_lanes = |dry_run: bool| cleartokens(json!({ "dryRun": dry_run, "concurrency": 3, "maxConcurrency": 3 }));
    for seed in 0..9 {
        let conn = token_chains(1_500);
        // All in one, or stopped at another moment each time.
        let stop_at = if seed % 3 == 0 { usize::MAX } else { 6 + 9 * usize::try_from(seed).unwrap() };
        let run = |dry_run| {
            let mut host = Lanes::new(&conn, 3, seed).stopping_at(stop_at);
            reports(&host.complete(&in_lanes(dry_run)).unwrap())
        };
        let dry = run(true);
        assert_eq!(dump(&conn), before, "{seed}");
        assert_eq!(sum(&dry, would_remove), would_remove(&one_dry), "{seed}");
        assert_eq!(sum(&dry, would_change), would_change(&one_dry), "{seed}");
        let real = run(false);
        assert_eq!(dump(&conn), dump(&whole), "{seed}");
        assert_eq!((sum(&real, removed), sum(&real, changed)), (removed(&one), changed(&one)), "{seed}");
        assert_eq!(real.iter().map(|report| report.selected).sum::<u64>(), one.selected, "{seed}");
    }
}

/// Regression: lanes that shared what rows were left came to leave some out.
#[test]
fn one_lane_works_where_rows_are_bounded() {
    let whole = token_chains(1_500);
    let one = Host::new(&whole).run(&cleartokens(json!({})));
    for seed in 0..3 {
        let conn = token_chains(1_500);
        let mut host = Lanes::new(&conn, 3, seed);
        let bounded = cleartokens(json!({ "maxRows": 170, "concurrency": 3, "maxConcurrency": 3 }));
        let real = reports(&host.complete(&bounded).unwrap());
        assert!(real.len() > 3 && host.performed.iter().all(|lane| *lane == 0), "{} runs", real.len());
        assert_eq!(dump(&conn), dump(&whole), "{seed}");
        assert_eq!((sum(&real, removed), sum(&real, changed)), (removed(&one), changed(&one)), "{seed}");
    }
}
