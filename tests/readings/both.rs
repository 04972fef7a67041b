//! Of random rows, the rendered condition selects exactly those whose records satisfy the rule in memory.

use crate::common::engine::{Engine, plain};
use crate::common::hidp::with_schema;
use crate::common::seeds::runner;
use crate::engines::{mariadb, postgres};
use crate::readings::rows::{Memory, key_expression, records, rows, satisfying, store};
use crate::readings::rules::{chains, of_some_table, rules};
use crate::readings::tables::{TABLES, create};
use idp_janitor::rule::Rule;
use idp_janitor::rule::sql::{Slot, Sql};
use idp_janitor::schema::Schema;
use idp_janitor::sweep::views::Views;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::BTreeSet;

/// The keys of the rows of a table that the rendered condition selects.
fn selected(engine: &impl Engine, rule: &Rule, table: usize) -> BTreeSet<String> {
    let schema = Schema::default();
    let mut sql = Sql::new(engine.dialect(), &schema);
    sql.push("SELECT ").push(&key_expression(engine, table, "t.")).push(" FROM ").name(TABLES[table].name);
    sql.push(" AS t WHERE ").condition(rule, TABLES[table].name, "t");
    let template = sql.finish();
    let (sql, params) = template.filled(engine.dialect(), |slot| match slot {
        Slot::Fixed(text) => text.clone(),
        other => panic!("{other:?} in a rule without a walk"),
    });
    let statement = idp_janitor::effect::Statement { params, ..plain(&sql) };
    let rows = engine.query(&statement).unwrap_or_else(|error| panic!("{error}\n{sql}"));
    rows.iter().map(|row| row[0].text().unwrap()).collect()
}

/// The relations of a rule as the machine on record stores keeps them.
fn views(records: &Memory, rule: &Rule, table: usize) -> Views {
    let mut views = Views::for_rule(rule, TABLES[table].name);
    for (table, records) in TABLES.iter().zip(&records.0) {
        for record in records {
            views.add(table.name, record).unwrap();
        }
    }
    views
}

fn both_readings_select_the_same_rows(engine: &impl Engine, cases: u32) {
    create(engine);
    let (kept, taken) = (Cell::new(0), Cell::new(0));
    let several = rules(3).into_iter().map(|rule| vec(rule, 5).boxed()).collect();
    runner(1, cases)
        .run(&(rows(engine.name()), of_some_table(several)), |(rows, (table, mut rules))| {
            store(engine, &rows);
            let [stored, hosted] = [true, false].map(|as_stored| records(&rows, as_stored));
            // One rule that goes every way that the others do.
            rules.push(Rule::Any(rules.clone()));
            for rule in rules {
                let by_sql = selected(engine, &rule, table);
                prop_assert_eq!(&by_sql, &satisfying(&rows, &stored, &rule, table, &stored), "{:?}", rule);
                prop_assert_eq!(&by_sql, &satisfying(&rows, &hosted, &rule, table, &hosted), "{:?}", rule);
                let views = views(&stored, &rule, table);
                prop_assert_eq!(&by_sql, &satisfying(&rows, &stored, &rule, table, &views), "{:?}", rule);
                taken.set(taken.get() + by_sql.len());
                kept.set(kept.get() + rows[table].len() - by_sql.len());
            }
            Ok(())
        })
        .unwrap();
    // Rules that are always true, or always false, would agree on anything.
    let least = 2 * cases as usize;
    assert!(kept.get() > least && taken.get() > least, "{} rows kept, {} taken", kept.get(), taken.get());
}

fn a_rule_once_others_are_gone_is_the_rule_after_their_deletion(engine: &impl Engine, cases: u32) {
    create(engine);
    let (changed, removed) = (Cell::new(0), Cell::new(0));
    let rule = prop_oneof![of_some_table(rules(3)), of_some_table(chains(2)), of_some_table(chains(3))];
    let gone = rules(1).into_iter().map(option::of).collect::<Vec<_>>();
    runner(2, cases)
        .run(&(rows(engine.name()), rule, gone), |(rows, (table, rule), gone)| {
            store(engine, &rows);
            let gone_of =
                |name: &str| TABLES.iter().position(|table| table.name == name).and_then(|at| gone[at].clone());
            let thought_away = rule.once_gone(TABLES[table].name, &gone_of);
            let by_sql = selected(engine, &thought_away, table);
            let records = records(&rows, true);
            prop_assert_eq!(&by_sql, &satisfying(&rows, &records, &thought_away, table, &records));

            let untouched = selected(engine, &rule, table);
            let doomed: Vec<Option<BTreeSet<String>>> =
                gone.iter().enumerate().map(|(at, gone)| Some(selected(engine, gone.as_ref()?, at))).collect();
            for (at, doomed) in doomed.iter().enumerate() {
                let keys: Vec<String> = doomed.iter().flatten().map(|key| format!("'{key}'")).collect();
                if !keys.is_empty() {
                    let (name, key) = (engine.dialect().quote(TABLES[at].name), key_expression(engine, at, ""));
                    engine.run(&format!("DELETE FROM {name} WHERE {key} IN ({})", keys.join(", ")));
                    removed.set(removed.get() + keys.len());
                }
            }
            let after = selected(engine, &rule, table);
            changed.set(changed.get() + usize::from(after != untouched));
            prop_assert_eq!(by_sql, after);
            Ok(())
        })
        .unwrap();
    let (changed, removed) = (changed.get(), removed.get());
    assert!(changed * 12 > cases as usize && removed > cases as usize, "{changed} rules changed, {removed} rows");
}

#[test]
fn both_readings_select_the_same_rows_on_sqlite() {
    both_readings_select_the_same_rows(&with_schema(""), 500);
}

#[test]
fn both_readings_select_the_same_rows_on_postgres() {
    both_readings_select_the_same_rows(&*postgres(), 250);
}

#[test]
fn both_readings_select_the_same_rows_on_mariadb() {
    both_readings_select_the_same_rows(&*mariadb(), 250);
}

#[test]
fn a_rule_once_others_are_gone_on_sqlite() {
    a_rule_once_others_are_gone_is_the_rule_after_their_deletion(&with_schema(""), 800);
}

#[test]
fn a_rule_once_others_are_gone_on_postgres() {
    a_rule_once_others_are_gone_is_the_rule_after_their_deletion(&*postgres(), 250);
}

#[test]
fn a_rule_once_others_are_gone_on_mariadb() {
    a_rule_once_others_are_gone_is_the_rule_after_their_deletion(&*mariadb(), 250);
}
