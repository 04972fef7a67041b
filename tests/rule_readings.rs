//! The two readings of a rule say the same: of random rows of a real SQLite database, the rendered condition selects
//! exactly those whose records satisfy the rule in memory.
#![cfg(test)]

mod common;
#[path = "common/readings/mod.rs"]
mod readings;

use common::dump::select;
use common::hidp::with_schema;
use common::seeds::runner;
use idp_janitor::dialect::{Dialect, Found, Search, Sqlite};
use idp_janitor::effect::{Answer, Effect};
use idp_janitor::instant::Instant;
use idp_janitor::rule::eval::{Relations, satisfies};
use idp_janitor::rule::sql::{Slot, Sql};
use idp_janitor::rule::{Rule, before, not_after};
use idp_janitor::schema::Schema;
use idp_janitor::sweep::statements::Filling;
use idp_janitor::sweep::views::Views;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::Union;
use readings::rows::{Memory, Rows, key_text, records, rows, store};
use readings::rules::{chains, rules};
use readings::tables::{SCHEMA, TABLES};
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, params_from_iter};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Debug;

/// The keys of the rows of a table that the rendered condition selects.
fn selected(conn: &Connection, rule: &Rule, table: usize) -> BTreeSet<String> {
    let schema = Schema::default();
    let mut sql = Sql::new(&Sqlite, &schema);
    let key = TABLES[table].columns[0].name;
    sql.push("SELECT CAST(t.").name(key).push(" AS TEXT) FROM ").name(TABLES[table].name).push(" AS t WHERE ");
    sql.condition(rule, TABLES[table].name, "t");
    let template = sql.finish();
    let (text, params) = template.filled(&Sqlite, |slot| match slot {
        Slot::Fixed(text) => text.clone(),
        other => panic!("{other:?} in a rule without a walk"),
    });
    let mut statement = conn.prepare(&text).unwrap();
    let keys = statement.query_map(params_from_iter(params), |row| row.get(0)).unwrap();
    keys.map(Result::unwrap).collect()
}

/// The keys of the rows whose records satisfy the rule.
fn satisfying(
    rows: &Rows,
    records: &Memory,
    rule: &Rule,
    table: usize,
    relations: &impl Relations,
) -> BTreeSet<String> {
    let pairs = rows[table].iter().zip(&records.0[table]);
    let stale = pairs.filter(|(_, record)| satisfies(rule, TABLES[table].name, record, relations).unwrap());
    stale.map(|(row, _)| key_text(row[0])).collect()
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

/// A table, and something about it.
fn of_some_table<T: Debug + Clone + 'static>(of_each: Vec<BoxedStrategy<T>>) -> impl Strategy<Value = (usize, T)> {
    Union::new(of_each.into_iter().enumerate().map(|(table, of_it)| (Just(table), of_it)))
}

#[test]
fn both_readings_select_the_same_rows() {
    let conn = with_schema(SCHEMA);
    let (kept, taken) = (Cell::new(0), Cell::new(0));
    let several = rules(3).into_iter().map(|rule| vec(rule, 5).boxed()).collect();
    runner(1, 500)
        .run(&(rows(), of_some_table(several)), |(rows, (table, mut rules))| {
            store(&conn, &rows);
            let [stored, hosted] = [true, false].map(|as_stored| records(&rows, as_stored));
            // One rule that goes every way that the others do.
            rules.push(Rule::Any(rules.clone()));
            for rule in rules {
                let by_sql = selected(&conn, &rule, table);
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
    assert!(kept.get() > 1_000 && taken.get() > 1_000, "{} rows kept, {} taken", kept.get(), taken.get());
}

#[test]
fn a_rule_once_others_are_gone_is_the_rule_after_their_deletion() {
    let conn = with_schema(SCHEMA);
    let (changed, removed) = (Cell::new(0), Cell::new(0));
    let rule = prop_oneof![of_some_table(rules(3)), of_some_table(chains(2)), of_some_table(chains(3))];
    let gone = rules(1).into_iter().map(option::of).collect::<Vec<_>>();
    runner(2, 800)
        .run(&(rows(), rule, gone), |(rows, (table, rule), gone)| {
            store(&conn, &rows);
            let gone_of =
                |name: &str| TABLES.iter().position(|table| table.name == name).and_then(|at| gone[at].clone());
            let thought_away = rule.once_gone(TABLES[table].name, &gone_of);
            let by_sql = selected(&conn, &thought_away, table);
            let records = records(&rows, true);
            prop_assert_eq!(&by_sql, &satisfying(&rows, &records, &thought_away, table, &records));

            let untouched = selected(&conn, &rule, table);
            let doomed: Vec<Option<BTreeSet<String>>> =
                gone.iter().enumerate().map(|(at, gone)| Some(selected(&conn, gone.as_ref()?, at))).collect();
            for (table, doomed) in TABLES.iter().zip(&doomed) {
                for key in doomed.iter().flatten() {
                    let sql = format!("DELETE FROM \"{}\" WHERE CAST(id AS TEXT) = ?", table.name);
                    removed.set(removed.get() + conn.execute(&sql, [key]).unwrap());
                }
            }
            let after = selected(&conn, &rule, table);
            changed.set(changed.get() + usize::from(after != untouched));
            prop_assert_eq!(by_sql, after);
            Ok(())
        })
        .unwrap();
    assert!(changed.get() > 100 && removed.get() > 1_000, "{} rules changed, {} rows", changed.get(), removed.get());
}

/// What may stand in a `datetime` column of SQLite and is not Django's.
fn not_djangos() -> Vec<Stored> {
    let texts = [
        "",
        " ",
        "yesterday",
        "2020-01-01",
        "2020-01-01 00:00",
        "2020-01-01T00:00:00",
        "2020-01-01T00:00:00Z",
        "2020-01-01 00:00:00Z",
        "2020-01-01 00:00:00+00:00",
        "2020-01-01 00:00:00.5",
        "2020-01-01 00:00:00.123",
        "2020-01-01 00:00:00.1234567",
        "2020-01-01 00:00:00,123456",
        "2020-01-01 00:00:00.",
        " 2020-01-01 00:00:00",
        "2020-01-01 00:00:00 ",
        "2020-01-01 00:00:00\n",
        "-2020-01-01 00:00:00",
        "12020-01-01 00:00:00",
        "2020-1-1 0:0:0",
        "20200101 000000",
        "٢٠٢٠-01-01 00:00:00",
        "1577836800",
    ];
    let mut values: Vec<Stored> = texts.into_iter().map(|text| Stored::Text(text.to_owned())).collect();
    values.extend([0, -1, 1_577_836_800, 1_577_836_800_000_000, i64::MIN].map(Stored::Integer));
    values.extend([0.0, 2_458_849.5, -1e300, f64::INFINITY].map(Stored::Real));
    values.extend([vec![], vec![0], b"2020".to_vec()].map(Stored::Blob));
    values
}

/// A table whose one column is declared so, with one row of a value.
fn holding(declared: &str, value: &Stored) -> Connection {
    let conn = with_schema(&format!("CREATE TABLE item (expires {declared})"));
    conn.execute("INSERT INTO item VALUES (?)", [value]).unwrap();
    conn
}

/// What the find statement says of a table `item`, judged by a rule on it.
fn found(conn: &Connection, rule: &Rule) -> Found {
    let search = Search { stale: rule, restricted: &Rule::Any(vec![]), instants: &["expires".to_owned()], asked: &[] };
    let filling = Filling {
        from: i64::MIN.to_string(),
        upto: i64::MAX.to_string(),
        window: 1_000_000,
        take: 1_000_000,
        lease: String::new(),
    };
    let find = Effect::Query(Sqlite.find(&Schema::default(), "item", None, &search).fill(&Sqlite, &filling));
    match common::host::act(conn, &find).unwrap() {
        Answer::Query(rows) => Found::read(&rows).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_django_did_not_write_is_never_stale_and_is_counted() {
    let end_of_time = Instant::parse("9999-12-31T23:59:59.999999Z").unwrap();
    for declared in ["datetime", "timestamp", "text", "varchar(32)", ""] {
        for value in not_djangos() {
            let conn = holding(declared, &value);
            for rule in [before("expires", end_of_time), not_after("expires", end_of_time)] {
                let found = found(&conn, &rule);
                let about = format!("{value:?} as {declared:?} by {rule:?}: {:?}", select(&conn, "SELECT * FROM item"));
                assert_eq!((found.walked, found.stale, found.unreadable), (1, 0, 1), "{about}");
            }
        }
    }
}

#[test]
fn what_django_writes_is_read_and_null_is_not_unreadable() {
    let end_of_time = Instant::parse("9999-12-31T23:59:59.999999Z").unwrap();
    let text = |text: &str| Stored::Text(text.to_owned());
    let values = [
        (text("2020-01-01 00:00:00"), 1),
        (text("2020-01-01 00:00:00.000001"), 1),
        (text("9999-12-31 23:59:59.999999"), 1),
        (Stored::Null, 0),
    ];
    for (value, stale) in values {
        let found = found(&holding("datetime", &value), &not_after("expires", end_of_time));
        assert_eq!((found.walked, found.stale, found.unreadable), (1, stale, 0), "{value:?}");
    }
}

/// The bytes of an instant are no instant: they sort behind every text, and nobody could tell from the report that the
/// row was looked at and not understood.
#[test]
fn the_bytes_of_an_instant_are_counted_as_unreadable() {
    let end_of_time = Instant::parse("9999-12-31T23:59:59.999999Z").unwrap();
    let bytes = Stored::Blob(b"2020-01-01 00:00:00".to_vec());
    let found = found(&holding("datetime", &bytes), &before("expires", end_of_time));
    assert_eq!((found.stale, found.unreadable), (0, 1));
}

/// Text of Django's form that is no instant: MySQL's zero date, say, carried over. In memory such a record cannot be
/// judged, so that it is kept; the database must not take it for ancient either.
#[test]
fn a_date_that_the_calendar_does_not_have_is_never_stale() {
    let end_of_time = Instant::parse("9999-12-31T23:59:59.999999Z").unwrap();
    let texts = [
        "0000-00-00 00:00:00",
        "0000-01-01 00:00:00",
        "2020-00-01 00:00:00",
        "2020-13-01 00:00:00",
        "2020-02-30 00:00:00",
        "2020-01-01 24:00:00",
        "2020-01-01 00:60:00",
    ];
    for text in texts {
        assert_eq!(Instant::parse_stored(text), None, "{text}");
        let found = found(&holding("datetime", &Stored::Text(text.to_owned())), &before("expires", end_of_time));
        assert_eq!((found.stale, found.unreadable), (0, 1), "{text}");
    }
}
