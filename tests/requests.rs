//! Bad requests, and what they are told.
#![cfg(test)]

mod common;

use common::request::{NOW, order, request};
use idp_janitor::error::Error;
use idp_janitor::request::Order;
use idp_janitor::run::Run;
use serde_json::{Value as Json, json};

const ACCOUNTS: &str = "remove_stale_unverified_accounts";

fn refused(job: &str, more: Json) -> Error {
    match Order::read(&request(job, more.clone()), None) {
        Err(error) => error,
        Ok(order) => panic!("{job} {more} is taken: {order:?}"),
    }
}

#[test]
fn bad_values_of_settings() {
    let days = "a whole number of days, 0 or more";
    let seconds = "a whole number of seconds, 0 or more";
    let never = "a whole number of seconds, or null for never";
    let flag = "true or false";
    let rules = "\"3.4\" or \"before-3.4\"";
    let beyond = "a number of days that the calendar reaches back from 2026-01-31T03:00:00.000000Z";
    let beyond_seconds = "a number of seconds that the calendar reaches back from 2026-01-31T03:00:00.000000Z";
    for (job, name, value, expected, shown) in [
        (ACCOUNTS, "days", json!(-1), days, "-1"),
        (ACCOUNTS, "days", json!(1.5), days, "1.5"),
        (ACCOUNTS, "days", json!(-0.25), days, "-0.25"),
        (ACCOUNTS, "days", json!("90"), days, "`90`"),
        (ACCOUNTS, "days", json!("ninety"), days, "`ninety`"),
        (ACCOUNTS, "days", json!(null), days, "null"),
        (ACCOUNTS, "days", json!(true), days, "true"),
        (ACCOUNTS, "days", json!([90]), days, "a list"),
        (ACCOUNTS, "days", json!({ "days": 90 }), days, "an object"),
        (ACCOUNTS, "days", json!(u64::MAX), days, "something else"),
        (ACCOUNTS, "days", json!(739_647), beyond, "739647"),
        (ACCOUNTS, "days", json!(i64::MAX), beyond, "9223372036854775807"),
        ("remove_complete_and_stale_email_change_requests", "days", json!(-7), days, "-7"),
        ("cleartokens", "refreshTokenGracePeriodSeconds", json!(-1), seconds, "-1"),
        ("cleartokens", "refreshTokenGracePeriodSeconds", json!(null), seconds, "null"),
        ("cleartokens", "refreshTokenGracePeriodSeconds", json!(i64::MAX), beyond_seconds, "9223372036854775807"),
        ("cleartokens", "refreshTokenExpireSeconds", json!(-1), never, "-1"),
        ("cleartokens", "refreshTokenExpireSeconds", json!("never"), never, "`never`"),
        ("cleartokens", "refreshTokenExpireSeconds", json!(70_000_000_000_i64), beyond_seconds, "70000000000"),
        ("cleartokens", "refreshTokenReuseProtection", json!(1), flag, "1"),
        ("cleartokens", "deviceGrants", json!("yes"), flag, "`yes`"),
        ("cleartokens", "rules", json!("3.3"), rules, "`3.3`"),
        ("cleartokens", "rules", json!(3.4), rules, "3.4"),
    ] {
        let message = format!("`{name}` must be {expected}, not {shown}");
        let error = refused(job, json!({ "settings": { name: value } }));
        assert_eq!((error.to_string(), error.code()), (message.clone(), "invalid_setting"));
        // Among the settings of all jobs as well.
        let error = refused(job, json!({ "jobs": { job: { name: value } } }));
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn unknown_names() {
    for (job, more, message, code) in [
        (
            "clear-token",
            json!({}),
            "there is no job `clear-token` (did you mean `cleartokens`?); the jobs are `remove_stale_unverified_accounts`, \
             `remove_complete_and_stale_email_change_requests`, `cleartokens`, `clearsessions`",
            "unknown_job",
        ),
        (
            "vacuum",
            json!({}),
            "there is no job `vacuum`; the jobs are `remove_stale_unverified_accounts`, \
             `remove_complete_and_stale_email_change_requests`, `cleartokens`, `clearsessions`",
            "unknown_job",
        ),
        (
            ACCOUNTS,
            json!({ "settings": { "dayz": 3 } }),
            "remove_stale_unverified_accounts has no setting `dayz` (did you mean `days`?)",
            "unknown_setting",
        ),
        (
            "cleartokens",
            json!({ "settings": { "refresh_token_expire_seconds": 3 } }),
            "cleartokens has no setting `refresh_token_expire_seconds` (did you mean `refreshTokenExpireSeconds`?)",
            "unknown_setting",
        ),
        (
            "clearsessions",
            json!({ "settings": { "days": 3 } }),
            "clearsessions has no setting `days`",
            "unknown_setting",
        ),
        (
            "clearsessions",
            json!({ "jobs": { "cleartokens": { "rule": "3.4" } } }),
            "cleartokens has no setting `rule` (did you mean `rules`?)",
            "unknown_setting",
        ),
        (
            "clearsessions",
            json!({ "jobs": { "cleartokens": { "deviceGrants": 1 } } }),
            "`deviceGrants` must be true or false, not 1",
            "invalid_setting",
        ),
        (
            "clearsessions",
            json!({ "preset": "keycloak" }),
            "there is no preset `keycloak`; the presets are `hidp`",
            "unknown_preset",
        ),
    ] {
        let error = refused(job, more);
        assert_eq!((error.to_string().as_str(), error.code()), (message, code));
    }
    let error = refused("clearsessions", json!({ "jobs": { "clear_tokens_": {} } })).to_string();
    assert!(error.starts_with("there is no job `clear_tokens_` (did you mean `cleartokens`?)"), "{error}");
}

#[test]
fn bad_bounds() {
    let whole = "a whole number, 1 or more";
    let seconds = "a number of seconds above 0";
    let ms = "a number of milliseconds from 1 to 60000";
    for (name, value, expected, shown) in [
        ("maxRows", json!(0), whole, "0"),
        ("maxRows", json!(-1), whole, "-1"),
        ("maxRows", json!(2.5), whole, "2.5"),
        ("maxRows", json!("10"), whole, "`10`"),
        ("maxRows", json!(false), whole, "false"),
        ("maxStatements", json!(0), whole, "0"),
        ("maxStatements", json!([]), whole, "a list"),
        ("maxSeconds", json!(0), seconds, "0"),
        ("maxSeconds", json!(-0.5), seconds, "-0.5"),
        ("maxSeconds", json!("1s"), seconds, "`1s`"),
        ("sliceMs", json!(0), ms, "0"),
        ("sliceMs", json!(0.5), ms, "0.5"),
        ("sliceMs", json!(60_001), ms, "60001"),
        ("sliceMs", json!("fast"), ms, "`fast`"),
    ] {
        let error = refused("clearsessions", json!({ name: value }));
        assert_eq!(error.to_string(), format!("`{name}` must be {expected}, not {shown}"));
    }
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut request = request("clearsessions", json!({}));
        request.max_seconds = idp_janitor::value::Value::Real(value);
        let error = Order::read(&request, None).unwrap_err().to_string();
        assert_eq!(error, "`maxSeconds` must be a number of seconds above 0, not no finite number");
    }
}

#[test]
fn bounds_that_are_none() {
    let unbounded = order("clearsessions", json!({ "maxRows": null, "maxSeconds": null })).bounds;
    assert_eq!(unbounded, order("clearsessions", json!({})).bounds);
    assert!(unbounded.allow_statements(u64::MAX) && !unbounded.time_is_up(f64::MAX));
    let bounds = order("clearsessions", json!({ "maxSeconds": 0.25, "maxStatements": 7, "maxRows": 1 })).bounds;
    assert!(!bounds.time_is_up(249.999) && bounds.time_is_up(250.0));
    assert!(bounds.allow_statements(7) && !bounds.allow_statements(8));
    assert_eq!(bounds.max_rows, Some(1));
}

#[test]
fn bad_actions() {
    let actions = "one of \"cascade\", \"set-null\", \"set-default\", \"restrict\"";
    for (action, hint) in [
        ("cascde", " (did you mean \"cascade\"?)"),
        ("set_null", " (did you mean \"set-null\"?)"),
        ("CASCADE", " (did you mean \"cascade\"?)"),
        ("delete", ""),
        ("", ""),
    ] {
        let error = refused("clearsessions", json!({ "onDelete": { "shop.owner_id": action } }));
        let expected = format!("`onDelete.shop.owner_id` must be {actions}{hint}, not `{action}`");
        assert_eq!((error.to_string(), error.code()), (expected, "invalid_setting"));
    }
}

#[test]
fn bad_instants() {
    for name in ["now", "clock"] {
        for text in ["", "now", "2026-01-31", "2026-01-31 03:00:00", "2026-02-29T00:00:00Z", "0000-12-31T23:59:59Z"] {
            let error = refused("clearsessions", json!({ name: text }));
            let expected = format!(
                "`{text}` is not an instant: give RFC 3339 with an offset, such as 2026-01-31T03:00:00Z, in the years 1 to 9999"
            );
            assert_eq!((error.to_string(), error.code()), (expected, "invalid_instant"));
        }
    }
    // An instant that is asked for goes before the clock, and may be cut to its microseconds.
    let asked = order("clearsessions", json!({ "now": "2020-02-29T12:00:00.1234567+01:00" }));
    assert_eq!(asked.now.to_string(), "2020-02-29T11:00:00.123456Z");
    assert_eq!(order("clearsessions", json!({})).now, order("clearsessions", json!({ "now": NOW })).now);
}

#[test]
fn unknown_stores() {
    for store in ["mariadb", "SQLite", ""] {
        let error = Run::new(&request("clearsessions", json!({})), store, None).err().unwrap();
        assert_eq!(error.to_string(), format!("`dialect` must be `sqlite`, `postgres` or `mysql`, not `{store}`"));
    }
}

#[test]
fn settings_of_a_run_go_before_those_of_the_job() {
    let jobs = json!({ "remove-stale-unverified-accounts": { "days": 3 }, "cleartokens": { "rules": "before-3.4" } });
    let cutoff = |more: Json| order(ACCOUNTS, more).work("people").unwrap().cutoff.unwrap().to_string();
    assert_eq!(cutoff(json!({})), "2025-11-02T03:00:00.000000Z");
    assert_eq!(cutoff(json!({ "jobs": jobs })), "2026-01-28T03:00:00.000000Z");
    assert_eq!(cutoff(json!({ "jobs": jobs, "settings": { "days": 1 } })), "2026-01-30T03:00:00.000000Z");
    // By either spelling of the job.
    assert_eq!(order("remove-stale-unverified-accounts", json!({})).job.name, ACCOUNTS);
}
