//! Finds and slices ask a rule in their own way: what it asks of other rows is asked for beforehand. They too must find and
//! remove exactly the rows whose records satisfy it in memory.

use crate::common::engine::{Engine, act, plain};
use crate::common::hidp::with_schema;
use crate::common::seeds::runner;
use crate::engines::{mariadb, postgres};
use crate::readings::rows::{keys_left, records, rows, satisfying, store};
use crate::readings::rules::{chains, of_some_table, rules};
use crate::readings::tables::{TABLES, create};
use idp_janitor::cascade::Cascade;
use idp_janitor::dialect::Found;
use idp_janitor::effect::{Effect, Statement};
use idp_janitor::rule::Rule;
use idp_janitor::schema::Schema;
use idp_janitor::sweep::statements::{Filling, Templates, Writer};
use proptest::prelude::*;
use std::cell::Cell;

/// The statements of the removal of what a rule finds stale.
fn templates(engine: &impl Engine, schema: &Schema, rule: &Rule, table: usize) -> Templates {
    let cascade = Cascade::plan(schema, TABLES[table].name, rule, |_, _| None).unwrap();
    let restricted = Rule::Any(vec![]);
    let (stale, dialect) = (rule, engine.dialect());
    let writer = Writer {
        dialect,
        schema,
        cascade: &cascade,
        part: None,
        leased: None,
        ledger: None,
        stale,
        restricted: &restricted,
    };
    writer.write(&|_| None)
}

/// The whole of a table as one slice; `None` where it is empty.
fn whole(engine: &impl Engine, templates: &Templates) -> Option<Filling> {
    let open = templates.open.fill(engine.dialect(), &Filling::default());
    let rows = engine.query(&open).unwrap();
    let (from, upto) = (rows[0][1].text()?, rows[0][2].text()?);
    Some(Filling { from, upto, window: 1_000, take: 1_000, ..Filling::default() })
}

/// What the find tells of a slice.
fn found(engine: &impl Engine, templates: &Templates, filling: &Filling) -> Found {
    let before = engine.dialect().before_reading().iter().map(|sql| plain(sql));
    let find = templates.find.fill(engine.dialect(), filling);
    let about = find.sql.clone();
    let answer = act(engine, &Effect::Batch(before.chain([find]).collect()));
    Found::read(&answer.unwrap_or_else(|error| panic!("{error}\n{about}")).rows_read().unwrap()).unwrap()
}

fn remove(engine: &impl Engine, templates: &Templates, filling: &Filling) {
    let dialect = engine.dialect();
    let slice = templates.slice.statements.iter().map(|statement| statement.template.fill(dialect, filling));
    let epilogue = dialect.epilogue().iter().map(|sql| plain(sql));
    let prelude = dialect.prelude(100.0).into_iter().map(|sql| plain(&sql));
    let statements: Vec<Statement> = prelude.chain(slice).chain(epilogue).collect();
    engine.batch(&statements).unwrap_or_else(|error| panic!("{error}\n{statements:#?}"));
}

fn slices_find_and_remove_what_satisfies_the_rule(engine: &impl Engine, cases: u32) {
    create(engine);
    let schema = engine.schema();
    let (taken, asked) = (Cell::new(0), Cell::new(0));
    let rule = prop_oneof![of_some_table(rules(3)), of_some_table(chains(2))];
    runner(8, cases)
        .run(&(rows(engine.name()), rule), |(rows, (table, rule))| {
            store(engine, &rows);
            let templates = templates(engine, &schema, &rule, table);
            let Some(filling) = whole(engine, &templates) else { return Ok(()) };
            let records = records(&rows, true);
            let stale = satisfying(&rows, &records, &rule, table, &records);
            let before = keys_left(engine, table);

            let found = found(engine, &templates, &filling);
            let expected = (before.len() as u64, stale.len() as u64, 0, 0);
            let told = (found.walked, found.stale, found.restricted, found.unreadable);
            prop_assert_eq!(told, expected, "{}", templates.find.shown(engine.dialect()));

            remove(engine, &templates, &filling);
            prop_assert_eq!(keys_left(engine, table), &before - &stale, "{:?}", rule);
            taken.set(taken.get() + stale.len());
            asked.set(asked.get() + templates.slice.judged.len());
            Ok(())
        })
        .unwrap();
    assert!(taken.get() * 2 > cases as usize, "{} rows taken", taken.get());
    if engine.name() != "sqlite" {
        assert!(asked.get() * 4 > cases as usize, "{} sets asked for beforehand", asked.get());
    }
}

#[test]
fn slices_find_and_remove_on_sqlite() {
    slices_find_and_remove_what_satisfies_the_rule(&with_schema(""), 400);
}

#[test]
fn slices_find_and_remove_on_postgres() {
    slices_find_and_remove_what_satisfies_the_rule(&*postgres(), 300);
}

#[test]
fn slices_find_and_remove_on_mariadb() {
    slices_find_and_remove_what_satisfies_the_rule(&*mariadb(), 200);
}
