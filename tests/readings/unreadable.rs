//! What is no instant is never stale, and is counted: on each product, whatever its columns can hold.

use crate::common::dump::select;
use crate::common::engine::{Engine, act};
use crate::common::hidp::with_schema;
use crate::engines::{mariadb, postgres};
use idp_janitor::dialect::{Found, Search};
use idp_janitor::effect::Effect;
use idp_janitor::instant::Instant;
use idp_janitor::rule::{Rule, before, not_after};
use idp_janitor::sweep::statements::Filling;
use rusqlite::Connection;
use rusqlite::types::Value as Stored;

/// What the find statement says of a table `item`, judged by a rule on it.
fn found(engine: &impl Engine, rule: &Rule) -> Found {
    let search = Search { stale: rule, restricted: &Rule::Any(vec![]), instants: &["expires".to_owned()], asked: &[] };
    let (dialect, schema) = (engine.dialect(), engine.schema());
    let open = dialect.open(&schema, "item", None).fill(dialect, &Filling::default());
    let ends = engine.query(&open).unwrap();
    let (from, upto) = (ends[0][1].text().unwrap(), ends[0][2].text().unwrap());
    let filling = Filling { from, upto, window: 1_000_000, take: 1_000_000, ..Filling::default() };
    let find = Effect::Query(dialect.find(&schema, "item", None, &search).fill(dialect, &filling));
    Found::read(&act(engine, &find).unwrap().rows().unwrap()).unwrap()
}

fn end_of_time() -> Instant {
    Instant::parse("9999-12-31T23:59:59.999999Z").unwrap()
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

#[test]
fn what_django_did_not_write_is_never_stale_and_is_counted() {
    let end_of_time = end_of_time();
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
    let end_of_time = end_of_time();
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
    let end_of_time = end_of_time();
    let bytes = Stored::Blob(b"2020-01-01 00:00:00".to_vec());
    let found = found(&holding("datetime", &bytes), &before("expires", end_of_time));
    assert_eq!((found.stale, found.unreadable), (0, 1));
}

/// Text of Django's form that is no instant: MySQL's zero date, say, carried over. In memory such a record cannot be
/// judged, so that it is kept; the database must not take it for ancient either.
#[test]
fn a_date_that_the_calendar_does_not_have_is_never_stale() {
    let end_of_time = end_of_time();
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

/// A table of one instant and a key, with one row.
fn of_server(engine: &impl Engine, kind: &str, value: &str) {
    engine.run("DROP TABLE IF EXISTS item");
    engine.run(&format!("CREATE TABLE item (id bigint NOT NULL PRIMARY KEY, expires {kind} NULL)"));
    engine.run(&format!("INSERT INTO item VALUES (1, {value})"));
}

/// Each value, and whether it is an instant; by rules that take everything in the calendar.
fn judge(engine: &impl Engine, kind: &str, values: &[(&str, bool)]) {
    for (value, readable) in values {
        of_server(engine, kind, value);
        let told = engine.select("SELECT * FROM item");
        let found = found(engine, &not_after("expires", end_of_time()));
        let expected = (1, u64::from(*readable), u64::from(!readable));
        assert_eq!((found.walked, found.stale, found.unreadable), expected, "{value}: {told:?}");
        let (_, stale, unreadable) = expected;
        let found = found_before(engine);
        let is_end = *value == "'9999-12-31 23:59:59.999999+00'" || *value == "'9999-12-31 23:59:59.999999'";
        assert_eq!((found.stale, found.unreadable), (if is_end { 0 } else { stale }, unreadable), "{value}: {told:?}");
    }
}

fn found_before(engine: &impl Engine) -> Found {
    found(engine, &before("expires", end_of_time()))
}

/// Beside its calendar, which begins long before Django's and ends long after, PostgreSQL has two instants that no instant is
/// before, or after. None of these is the end of anything.
#[test]
fn what_is_not_in_the_calendar_is_never_stale_on_postgres() {
    let values = [
        ("'-infinity'", false),
        ("'infinity'", false),
        ("'4713-01-01 00:00:00+00 BC'", false),
        ("'0044-03-15 12:00:00+00 BC'", false),
        ("'0001-12-31 23:59:59.999999+00 BC'", false),
        ("'0001-01-01 00:00:00+00'", true),
        ("'0001-01-01 00:00:00.000001+00'", true),
        ("'2020-01-01 00:00:00.123456+00'", true),
        ("'9999-12-31 23:59:59.999998+00'", true),
        ("'9999-12-31 23:59:59.999999+00'", true),
        ("'10000-01-01 00:00:00+00'", false),
        ("'294276-12-31 23:59:59.999999+00'", false),
    ];
    let engine = postgres();
    // Whatever zone the connection is in.
    for zone in ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"] {
        engine.run(&format!("SET TimeZone = '{zone}'"));
        judge(&*engine, "timestamp with time zone", &values);
    }
    engine.run("SET TimeZone = 'UTC'");
    of_server(&*engine, "timestamp with time zone", "NULL");
    let found = found_before(&*engine);
    assert_eq!((found.walked, found.stale, found.unreadable), (1, 0, 0));
}

/// Zero dates come before every date. They are what older applications write for want of NULL.
#[test]
fn what_is_no_date_is_never_stale_on_mariadb() {
    let values = [
        ("'0000-00-00 00:00:00'", false),
        ("'0000-00-00 12:30:00.000001'", false),
        ("'0000-01-01 00:00:00'", false),
        ("'0000-12-31 23:59:59.999999'", false),
        ("'2020-00-00 00:00:00'", false),
        ("'2026-00-10 00:00:00'", false),
        ("'2026-01-00 00:00:00'", false),
        ("'2020-02-30 00:00:00'", false),
        ("'2021-02-29 00:00:00'", false),
        ("'2020-04-31 00:00:00'", false),
        ("'0001-01-01 00:00:00'", true),
        ("'0001-01-01 00:00:00.000001'", true),
        ("'2020-02-29 00:00:00'", true),
        ("'2020-01-01 00:00:00.123456'", true),
        ("'9999-12-31 23:59:59.999998'", true),
        ("'9999-12-31 23:59:59.999999'", true),
    ];
    let engine = mariadb();
    engine.run("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'");
    judge(&*engine, "datetime(6)", &values);
    of_server(&*engine, "datetime(6)", "NULL");
    let found = found_before(&*engine);
    assert_eq!((found.walked, found.stale, found.unreadable), (1, 0, 0));
}
