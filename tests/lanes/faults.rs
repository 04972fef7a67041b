//! What fails is tried again, passed over, or ends the run; in the end nothing is missed, and nothing is counted twice.

use crate::common::engine::Engine;
use crate::common::hidp::with_schema;
use crate::common::host::{removed, sum};
use crate::common::lanes::{Fault, Lanes};
use crate::common::seeds::heavy_runner;
use crate::engines::{mariadb, postgres};
use crate::graph::checks::{removal, same};
use crate::graph::database::{NAMES, build};
use crate::graph::model::{Model, State};
use crate::graph::spec::{Shape, graphs};
use idp_janitor::cascade::Action::{Cascade, SetNull};
use idp_janitor::effect::{Effect, Failure};
use idp_janitor::sweep::retry::Chance;
use proptest::prelude::*;
use serde_json::json;
use std::cell::Cell;
use std::collections::BTreeMap;

/// One slice in so many fails, and now and then something that reads, as long as there are faults left. SQLite gives up at
/// most failures, so that lost connections are more of them there.
fn chosen(product: &str, chance: &mut Chance, left: &Cell<u32>, effect: &Effect) -> Option<Fault> {
    let often = if matches!(effect, Effect::Batch(statements) if statements.len() > 2) { 0.5 } else { 0.02 };
    if left.get() == 0 || chance.draw() > often {
        return None;
    }
    left.set(left.get() - 1);
    if product == "sqlite" && chance.draw() < 0.7 {
        return Some(Fault { failure: Failure::Unavailable, performed: chance.draw() < 0.7 });
    }
    let not_performed = |failure| Fault { failure, performed: false };
    let drawn = chance.draw();
    Some(match drawn {
        _ if drawn < 0.2 => not_performed(Failure::Conflict),
        _ if drawn < 0.4 => not_performed(Failure::Locked),
        _ if drawn < 0.5 => not_performed(Failure::Constraint),
        _ if drawn < 0.6 => not_performed(Failure::Timeout),
        _ if drawn < 0.65 => not_performed(Failure::Other),
        _ if drawn < 0.8 => not_performed(Failure::Unavailable),
        _ => Fault { failure: Failure::Unavailable, performed: true },
    })
}

fn nothing_is_missed_or_counted_twice<E: Engine>(empty: impl Fn() -> E, lanes: usize, cases: u32) {
    let shape = Shape { actions: &[Cascade, SetNull], overrides: false, tiles: 150 };
    let (failed, untold, faults) = (Cell::new(0), Cell::new(0), Cell::new(0));
    heavy_runner(10, cases)
        .run(&(graphs(shape), any::<u64>()), |(graph, seed)| {
            let engine = empty();
            let graph = graph.on(engine.name()).crowded();
            build(&engine, &graph);
            let before = State::read(&engine, &graph);
            let expected = Model::new(&graph).removal(&before);
            let request = removal(&graph, json!({ "sliceMs": 5, "concurrency": lanes, "maxConcurrency": lanes }));

            let (mut chance, left) = (Chance::new(!seed), Cell::new(25));
            let names = &NAMES[..graph.tables.len()];
            let mut host = Lanes::new(&engine, lanes, seed)
                .failing(names, |effect| chosen(engine.name(), &mut chance, &left, effect));
            let told = |error: idp_janitor::error::Error| TestCaseError::fail(error.to_string());
            let mut ended = host.complete(&request).map_err(told)?;
            let held: u64 = ended.iter().map(|ended| ended.report.held).sum();
            if held > 0 || ended.iter().any(|ended| ended.failed) {
                // What was passed over is left for the next pass, in which nothing fails.
                left.set(0);
                ended.extend(host.complete(&request).map_err(told)?);
            }
            let reports: Vec<_> = ended.iter().map(|ended| ended.report.clone()).collect();
            let mut counts = sum(&reports, removed);
            for (table, rows) in &host.untold {
                *counts.entry(table.clone()).or_default() += rows;
            }
            let after = State::read(&engine, &graph);
            same(&after.difference(&expected.after), &vec![], "after all")?;
            same(&counts, &expected.removed, "told, and what went without being told")?;
            if host.untold != BTreeMap::new() {
                untold.set(untold.get() + 1);
                let warned = reports.iter().any(|report| report.warnings.iter().any(|text| text.contains("was lost")));
                prop_assert!(
                    warned || ended.iter().any(|ended| ended.failed),
                    "nobody says that a connection was lost"
                );
            }
            failed.set(failed.get() + ended.iter().filter(|ended| ended.failed).count());
            faults.set(faults.get() + 25 - left.get());
            Ok(())
        })
        .unwrap();
    assert!(failed.get() > 0 && untold.get() > 0, "{failed:?} runs failed, {untold:?} rows went untold, {faults:?}");
}

#[test]
fn nothing_is_missed_or_counted_twice_on_sqlite() {
    nothing_is_missed_or_counted_twice(|| with_schema(""), 3, 24);
}

#[test]
fn nothing_is_missed_or_counted_twice_in_one_lane() {
    nothing_is_missed_or_counted_twice(|| with_schema(""), 1, 10);
}

#[test]
fn nothing_is_missed_or_counted_twice_on_postgres() {
    let server = postgres();
    nothing_is_missed_or_counted_twice(|| server.emptied(), 3, 5);
}

#[test]
fn nothing_is_missed_or_counted_twice_on_mariadb() {
    let server = mariadb();
    nothing_is_missed_or_counted_twice(|| server.emptied(), 3, 5);
}
