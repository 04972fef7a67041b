//! Removals over random graphs of foreign keys, on a real database of each product, against a model in memory.
#![cfg(test)]

mod common;
#[path = "common/engines/mod.rs"]
mod engines;
#[path = "common/graph/mod.rs"]
mod graph;

use common::engine::Engine;
use common::hidp::with_schema;
use common::seeds::runner;
use engines::{mariadb, postgres};
use graph::checks::{check_exactly, check_one_by_one, one_by_one, plan};
use graph::spec::{Shape, graphs};
use idp_janitor::cascade::Action::{self, Cascade, Restrict, SetDefault, SetNull};
use proptest::prelude::*;
use std::cell::Cell;

fn max_rows() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![Just(None), (1u64..5).prop_map(Some)]
}

const WITHOUT_RESTRICT: &[Action] = &[Cascade, SetNull, SetNull, SetDefault];
const WITH_RESTRICT: &[Action] = &[Cascade, SetNull, SetDefault, Restrict, Restrict];

fn a_removal_does_what_the_model_does<E: Engine>(empty: impl Fn() -> E, cases: u32) {
    let shape = Shape { actions: WITHOUT_RESTRICT, overrides: false, tiles: 1 };
    runner(3, cases)
        .run(&(graphs(shape), max_rows()), |(graph, max_rows)| {
            let engine = empty();
            check_exactly(&engine, &graph.on(engine.name()), max_rows)?;
            Ok(())
        })
        .unwrap();
}

fn settings_go_before_what_the_database_declares<E: Engine>(empty: impl Fn() -> E, cases: u32) {
    let shape = Shape { actions: WITHOUT_RESTRICT, overrides: true, tiles: 1 };
    runner(4, cases)
        .run(&(graphs(shape), max_rows()), |(graph, max_rows)| {
            let engine = empty();
            check_exactly(&engine, &graph.on(engine.name()), max_rows)?;
            Ok(())
        })
        .unwrap();
}

fn many_slices_do_what_one_does<E: Engine>(empty: impl Fn() -> E, cases: u32) {
    let shape = Shape { actions: WITHOUT_RESTRICT, overrides: false, tiles: 200 };
    let slices = Cell::new(0);
    runner(5, cases)
        .run(&graphs(shape), |graph| {
            let engine = empty();
            slices.set(slices.get() + check_exactly(&engine, &graph.on(engine.name()), None)?);
            Ok(())
        })
        .unwrap();
    assert!(slices.get() > 3 * u64::from(cases) / 2, "{} slices", slices.get());
}

fn what_restricts_is_kept_with_what_it_holds<E: Engine>(empty: impl Fn() -> E, cases: u32) {
    let shape = Shape { actions: WITH_RESTRICT, overrides: false, tiles: 1 };
    let (exact, disturbed) = (Cell::new(0), Cell::new(0));
    runner(6, cases)
        .run(&(graphs(shape), max_rows()), |(graph, max_rows)| {
            let engine = empty();
            let graph = graph.on(engine.name());
            let plan = plan(&engine, &graph);
            drop(engine);
            if one_by_one(&plan.warnings) {
                disturbed.set(disturbed.get() + 1);
                check_one_by_one(&empty(), &graph, max_rows)?;
            } else {
                exact.set(exact.get() + 1);
                check_exactly(&empty(), &graph, max_rows)?;
            }
            Ok(())
        })
        .unwrap();
    let least = cases / 12;
    assert!(exact.get() > least && disturbed.get() > least, "{} and {}", exact.get(), disturbed.get());
}

mod on_sqlite {
    use super::*;

    #[test]
    fn a_removal_does_what_the_model_does() {
        super::a_removal_does_what_the_model_does(|| with_schema(""), 200);
    }

    #[test]
    fn settings_go_before_what_the_database_declares() {
        super::settings_go_before_what_the_database_declares(|| with_schema(""), 200);
    }

    #[test]
    fn many_slices_do_what_one_does() {
        super::many_slices_do_what_one_does(|| with_schema(""), 5);
    }

    #[test]
    fn what_restricts_is_kept_with_what_it_holds() {
        super::what_restricts_is_kept_with_what_it_holds(|| with_schema(""), 250);
    }
}

macro_rules! on_server {
    ($module:ident, $server:ident, $cases:expr) => {
        mod $module {
            use super::*;

            #[test]
            fn a_removal_does_what_the_model_does() {
                let server = $server();
                super::a_removal_does_what_the_model_does(|| server.emptied(), $cases);
            }

            #[test]
            fn settings_go_before_what_the_database_declares() {
                let server = $server();
                super::settings_go_before_what_the_database_declares(|| server.emptied(), $cases);
            }

            #[test]
            fn many_slices_do_what_one_does() {
                let server = $server();
                super::many_slices_do_what_one_does(|| server.emptied(), 3);
            }

            #[test]
            fn what_restricts_is_kept_with_what_it_holds() {
                let server = $server();
                super::what_restricts_is_kept_with_what_it_holds(|| server.emptied(), $cases);
            }
        }
    };
}

on_server!(on_postgres, postgres, 40);
on_server!(on_mariadb, mariadb, 40);
