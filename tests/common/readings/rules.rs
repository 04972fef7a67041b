//! Random rules.

use super::moments::CUTOFFS;
use super::tables::{Kind, TABLES, WAYS};
use idp_janitor::instant::Instant;
use idp_janitor::rule::{Rule, before, exists, is_null, is_true, not, not_after};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use std::fmt::Debug;

/// A table, and something about it.
pub fn of_some_table<T: Debug + Clone + 'static>(of_each: Vec<BoxedStrategy<T>>) -> impl Strategy<Value = (usize, T)> {
    Union::new(of_each.into_iter().enumerate().map(|(table, of_it)| (Just(table), of_it)))
}

/// Rules on each table, nested so deep at most.
pub fn rules(depth: u32) -> Vec<BoxedStrategy<Rule>> {
    let mut rules: Vec<BoxedStrategy<Rule>> = (0..TABLES.len()).map(leaf).collect();
    for _ in 0..depth {
        rules = (0..TABLES.len()).map(|table| nested(table, &rules)).collect();
    }
    rules
}

fn leaf(table: usize) -> BoxedStrategy<Rule> {
    let named = |kind: Option<Kind>| -> Vec<&'static str> {
        let columns = TABLES[table].columns.iter();
        columns.filter(|column| kind.is_none_or(|kind| column.kind == kind)).map(|column| column.name).collect()
    };
    let cutoff = || select(CUTOFFS.as_slice()).prop_map(|text| Instant::parse(text).unwrap());
    let mut leaves = vec![
        (2, select(named(None)).prop_map(is_null).boxed()),
        (3, (select(named(Some(Kind::Instant))), cutoff()).prop_map(|(column, at)| before(column, at)).boxed()),
        (3, (select(named(Some(Kind::Instant))), cutoff()).prop_map(|(column, at)| not_after(column, at)).boxed()),
        (1, prop_oneof![Just(Rule::All(vec![])), Just(Rule::Any(vec![]))].boxed()),
    ];
    let truths = named(Some(Kind::Truth));
    if !truths.is_empty() {
        leaves.push((2, select(truths).prop_map(is_true).boxed()));
    }
    Union::new_weighted(leaves).boxed()
}

/// Rules on each table that go from row to row so many times: their relations are what they are about.
pub fn chains(length: u32) -> Vec<BoxedStrategy<Rule>> {
    let mut rules: Vec<BoxedStrategy<Rule>> =
        (0..TABLES.len()).map(|table| prop_oneof![Just(Rule::All(vec![])), leaf(table)].boxed()).collect();
    for _ in 0..length {
        rules = (0..TABLES.len())
            .map(|table| (related(table, &rules), any::<bool>()))
            .map(|(rule, negated)| {
                (rule, negated).prop_map(|(rule, negated)| if negated { not(rule) } else { rule }).boxed()
            })
            .collect();
    }
    rules
}

fn nested(table: usize, inner: &[BoxedStrategy<Rule>]) -> BoxedStrategy<Rule> {
    let own = &inner[table];
    prop_oneof![
        1 => own.clone(),
        2 => vec(own.clone(), 0..4).prop_map(Rule::All),
        2 => vec(own.clone(), 0..4).prop_map(Rule::Any),
        2 => own.clone().prop_map(not),
        4 => related(table, inner),
    ]
    .boxed()
}

fn related(table: usize, inner: &[BoxedStrategy<Rule>]) -> BoxedStrategy<Rule> {
    let ways = WAYS.iter().filter(|way| way.from == table).map(|way| {
        let owned = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let (columns, equal) = (owned(way.columns), owned(way.equal));
        inner[way.to].clone().prop_map(move |rule| exists(TABLES[way.to].name, &columns, &equal, rule)).boxed()
    });
    Union::new(ways).boxed()
}
