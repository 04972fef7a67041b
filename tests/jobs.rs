//! The rules of the jobs, as tables of records on both sides of every edge. By the clock of these tests it is
//! 2026-01-31 03:00 UTC; 10 minutes before that is 02:50, 7 days before it 2026-01-24, 90 days before it 2025-11-02.
#![cfg(test)]

mod common;

use common::request::{order, read};
use idp_janitor::error::Error;
use idp_janitor::named::Named;
use idp_janitor::rule::eval::Record;
use idp_janitor::select::select_stale;
use serde_json::{Value as Json, json};

/// The positions of the stale records, by table.
fn stale(job: &str, more: Json, tables: Json) -> Result<Json, Error> {
    let tables: Named<Vec<Record>> = read(tables);
    select_stale(&order(job, more), &tables).map(|selected| serde_json::to_value(selected).unwrap())
}

/// Whether the one record of a job's only table is stale.
fn one_is_stale(job: &str, settings: Json, record: Json) -> bool {
    let selected = stale(job, json!({ "settings": settings }), json!({ "*": [record] })).unwrap();
    let lists: Vec<&Json> = selected.as_object().unwrap().values().collect();
    match lists.as_slice() {
        [list] => **list == json!([0]),
        other => panic!("not one table: {other:?}"),
    }
}

#[test]
fn accounts_are_stale_that_joined_before_the_cutoff_and_never_verified() {
    for (settings, verified, joined, expected) in [
        (json!({}), json!(null), "2025-11-02T02:59:59.999999Z", true),
        (json!({}), json!(null), "2025-11-02T03:00:00Z", false),
        (json!({}), json!(null), "2025-11-02T03:00:00.000001Z", false),
        (json!({}), json!("2020-01-01T00:00:00Z"), "2019-01-01T00:00:00Z", false),
        // As other hosts may write them.
        (json!({}), json!(null), "2025-11-02 02:59:59.999999", true),
        (json!({}), json!(null), "2025-11-02 03:00:00", false),
        (json!({}), json!(null), "2025-11-02T04:59:59.999999+02:00", true),
        (json!({}), json!(null), "2025-11-01T22:00:00-05:00", false),
        (json!({ "days": 1 }), json!(null), "2026-01-30T02:59:59.999999Z", true),
        (json!({ "days": 1 }), json!(null), "2026-01-30T03:00:00Z", false),
        (json!({ "days": 0 }), json!(null), "2026-01-31T02:59:59.999999Z", true),
        (json!({ "days": 0 }), json!(null), "2026-01-31T03:00:00Z", false),
        (json!({ "days": 739_646 }), json!(null), "0001-01-01T02:59:59.999999Z", true),
        (json!({ "days": 739_646 }), json!(null), "0001-01-01T03:00:00Z", false),
    ] {
        let record = json!({ "id": "x", "email_verified": verified, "date_joined": joined });
        let found = one_is_stale("remove_stale_unverified_accounts", settings.clone(), record);
        assert_eq!(found, expected, "{settings} {verified} {joined}");
    }
}

#[test]
fn email_changes_are_stale_that_are_complete_or_were_created_before_the_cutoff() {
    for (settings, current, proposed, created, expected) in [
        (json!({}), json!(true), json!(true), "2026-01-31T03:00:00Z", true),
        (json!({}), json!(1), json!(1), "2026-01-31T03:00:00Z", true),
        (json!({}), json!(true), json!(false), "2026-01-31T03:00:00Z", false),
        (json!({}), json!(false), json!(true), "2026-01-31T03:00:00Z", false),
        (json!({}), json!(false), json!(false), "2026-01-31T03:00:00Z", false),
        (json!({}), json!(false), json!(false), "2026-01-24T02:59:59.999999Z", true),
        (json!({}), json!(true), json!(false), "2026-01-24T02:59:59.999999Z", true),
        (json!({}), json!(0), json!(0), "2026-01-24T03:00:00Z", false),
        (json!({}), json!(null), json!(true), "2026-01-24T03:00:00Z", false),
        (json!({ "days": 2 }), json!(false), json!(false), "2026-01-29T02:59:59.999999Z", true),
        (json!({ "days": 2 }), json!(false), json!(false), "2026-01-29T03:00:00Z", false),
    ] {
        let record = json!({
            "confirmed_by_current_email": current, "confirmed_by_proposed_email": proposed, "created_at": created,
        });
        let found = one_is_stale("remove_complete_and_stale_email_change_requests", settings, record);
        assert_eq!(found, expected, "{current} {proposed} {created}");
    }
}

#[test]
fn sessions_are_stale_that_expired_before_now() {
    for (expires, expected) in
        [("2026-01-31T02:59:59.999999Z", true), ("2026-01-31T03:00:00Z", false), ("2026-01-31T03:00:00.000001Z", false)]
    {
        assert_eq!(one_is_stale("clearsessions", json!({}), json!({ "expire_date": expires })), expected, "{expires}");
    }
}

const REFRESH: &str = "oauth2_provider_refreshtoken";
const ACCESS: &str = "oauth2_provider_accesstoken";
const ID: &str = "oauth2_provider_idtoken";
const GRANT: &str = "oauth2_provider_grant";
const DEVICE: &str = "oauth2_provider_devicegrant";

/// What `cleartokens` finds stale of some tables, the others being empty.
fn cleared(settings: &Json, tables: Json) -> Json {
    let mut all = json!({ REFRESH: [], ACCESS: [], ID: [], GRANT: [], DEVICE: [] });
    for (table, records) in tables.as_object().unwrap() {
        all[table] = records.clone();
    }
    stale("cleartokens", json!({ "settings": settings }), all).unwrap()
}

/// Whether a refresh token goes, given when it was revoked and when its access token, if it has one, expires.
fn refresh_token_goes(settings: &Json, revoked: Option<&str>, expires: Option<&str>) -> bool {
    let access: Vec<Json> =
        expires.iter().map(|expires| json!({ "id": 7, "expires": expires, "id_token_id": null })).collect();
    let refresh = json!({ "id": 1, "revoked": revoked, "access_token_id": expires.map(|_| 7) });
    let cleared = cleared(settings, json!({ REFRESH: [refresh], ACCESS: access }));
    cleared.get(REFRESH).is_some_and(|positions| *positions == json!([0]))
}

#[test]
fn refresh_tokens_by_the_rules_of_3_4() {
    let defaults = json!({});
    let grace = json!({ "refreshTokenGracePeriodSeconds": 0 });
    let protected = json!({ "refreshTokenReuseProtection": true });
    let protected_for_ever = json!({ "refreshTokenReuseProtection": true, "refreshTokenExpireSeconds": null });
    let for_ever = json!({ "refreshTokenExpireSeconds": 0 });
    let an_hour = json!({ "refreshTokenExpireSeconds": 3600, "rules": "3.4" });
    let (fresh, old) = (Some("2026-02-01T00:00:00Z"), Some("2020-01-01T00:00:00Z"));
    for (settings, revoked, expires, expected) in [
        // 1. `revoked <= now - grace`
        (&defaults, Some("2026-01-31T02:50:00Z"), fresh, true),
        (&defaults, Some("2026-01-31T02:49:59.999999Z"), fresh, true),
        (&defaults, Some("2026-01-31T02:50:00.000001Z"), fresh, false),
        (&defaults, Some("2026-01-31T02:50:00Z"), None, true),
        (&grace, Some("2026-01-31T03:00:00Z"), fresh, true),
        (&grace, Some("2026-01-31T03:00:00.000001Z"), fresh, false),
        (&for_ever, Some("2026-01-31T02:50:00Z"), fresh, true),
        // With reuse protection: `revoked <= now - expire`, skipped where expire is unset
        (&protected, Some("2026-01-31T02:50:00Z"), fresh, false),
        (&protected, Some("2025-11-02T03:00:00.000001Z"), fresh, false),
        (&protected, Some("2025-11-02T03:00:00Z"), fresh, true),
        (&protected_for_ever, Some("2020-01-01T00:00:00Z"), fresh, false),
        // 2. `revoked IS NULL AND access_token_id IS NULL`
        (&defaults, None, None, true),
        (&protected_for_ever, None, None, true),
        (&defaults, Some("2026-01-31T03:00:00Z"), None, false),
        (&defaults, None, fresh, false),
        // 3. only where expire is set: `revoked IS NULL AND` its access token's `expires <= now - expire`
        (&defaults, None, Some("2025-11-02T03:00:00Z"), true),
        (&defaults, None, Some("2025-11-02T03:00:00.000001Z"), false),
        (&an_hour, None, Some("2026-01-31T02:00:00Z"), true),
        (&an_hour, None, Some("2026-01-31T02:00:00.000001Z"), false),
        (&defaults, Some("2026-01-31T03:00:00Z"), old, false),
        (&for_ever, None, old, false),
    ] {
        assert_eq!(refresh_token_goes(settings, revoked, expires), expected, "{settings} {revoked:?} {expires:?}");
    }
}

#[test]
fn refresh_tokens_by_the_rules_before_3_4() {
    let defaults = json!({ "rules": "before-3.4" });
    let for_ever = json!({ "rules": "before-3.4", "refreshTokenExpireSeconds": null });
    let unset = json!({ "rules": "before-3.4", "refreshTokenExpireSeconds": 0 });
    // Grace and reuse protection did not exist.
    let modern =
        json!({ "rules": "before-3.4", "refreshTokenGracePeriodSeconds": 0, "refreshTokenReuseProtection": true });
    let (fresh, old) = (Some("2026-02-01T00:00:00Z"), Some("2020-01-01T00:00:00Z"));
    for (settings, revoked, expires, expected) in [
        // `revoked < now - expire`
        (&defaults, Some("2025-11-02T02:59:59.999999Z"), fresh, true),
        (&defaults, Some("2025-11-02T03:00:00Z"), fresh, false),
        (&defaults, Some("2026-01-31T02:00:00Z"), fresh, false),
        (&modern, Some("2025-11-02T02:59:59.999999Z"), fresh, true),
        (&modern, Some("2025-11-02T03:00:00Z"), fresh, false),
        // its access token's `expires < now - expire`, whatever `revoked` is
        (&defaults, None, Some("2025-11-02T02:59:59.999999Z"), true),
        (&defaults, None, Some("2025-11-02T03:00:00Z"), false),
        (&defaults, Some("2026-01-31T03:00:00Z"), Some("2025-11-02T02:59:59.999999Z"), true),
        // one without an access token is kept
        (&defaults, None, None, false),
        // both skipped where expire is unset
        (&for_ever, old, old, false),
        (&unset, None, old, false),
    ] {
        assert_eq!(refresh_token_goes(settings, revoked, expires), expected, "{settings} {revoked:?} {expires:?}");
    }
}

#[test]
fn a_reference_to_a_token_that_is_not_there_is_no_reference_to_an_expired_one() {
    let refresh = json!({ "id": 1, "revoked": null, "access_token_id": 8 });
    assert_eq!(cleared(&json!({}), json!({ REFRESH: [refresh] }))[REFRESH], json!([]));
}

#[test]
fn access_and_id_tokens_go_that_expired_and_that_nothing_points_at() {
    let (before, now) = ("2026-01-31T02:59:59.999999Z", "2026-01-31T03:00:00Z");
    let access =
        |id: i64, expires: &str, id_token: Json| json!({ "id": id, "expires": expires, "id_token_id": id_token });
    let refresh = |revoked: Json, token: i64| json!({ "id": 1, "revoked": revoked, "access_token_id": token });
    let id = |id: i64, expires: &str| json!({ "id": id, "expires": expires });
    for rules in ["3.4", "before-3.4"] {
        let cleared = |tables: Json| cleared(&json!({ "rules": rules }), tables);
        let tokens = |records: Json| cleared(json!({ ACCESS: records }))[ACCESS].clone();
        assert_eq!(tokens(json!([access(1, before, json!(null)), access(2, now, json!(null))])), json!([0]));

        // Held by a refresh token that stays; not by one that goes before it.
        for (revoked, held) in [(json!(null), true), (json!("2020-01-01T00:00:00Z"), false)] {
            let found = cleared(json!({
                REFRESH: [refresh(revoked, 1)],
                ACCESS: [access(1, before, json!(null)), access(2, before, json!(null))],
            }));
            assert_eq!(found[ACCESS], if held { json!([1]) } else { json!([0, 1]) }, "{rules}");
        }
        // An ID token is held by an access token that has expired itself, as long as that is held.
        for (revoked, expected) in [(json!(null), json!([2])), (json!("2020-01-01T00:00:00Z"), json!([0, 2]))] {
            let found = cleared(json!({
                REFRESH: [refresh(revoked, 1)],
                ACCESS: [access(1, before, json!(5)), access(2, now, json!(6))],
                ID: [id(5, before), id(6, before), id(7, before), id(8, now)],
            }));
            assert_eq!(found[ID], expected, "{rules}");
        }
    }
}

#[test]
fn keys_beyond_a_float_are_told_apart() {
    let access = json!([
        { "id": 9_007_199_254_740_993_i64, "expires": "2020-01-01T00:00:00Z", "id_token_id": null },
        { "id": "9007199254740992", "expires": "2020-01-01T00:00:00Z", "id_token_id": null },
    ]);
    let refresh = json!([{ "id": 1, "revoked": "2026-01-31T03:00:00Z", "access_token_id": "9007199254740993" }]);
    assert_eq!(cleared(&json!({}), json!({ REFRESH: refresh, ACCESS: access }))[ACCESS], json!([1]));

    let rounded = json!([{ "id": 1, "revoked": null, "access_token_id": 9.007_199_254_740_994e15 }]);
    let all = json!({ REFRESH: rounded, ACCESS: [], ID: [], GRANT: [] });
    let error = stale("cleartokens", json!({}), all).unwrap_err();
    assert_eq!(error.code(), "invalid_record");
    assert!(error.to_string().contains("which cannot be a key (beyond 2^53: a BigInt or text)"), "{error}");
}

#[test]
fn grants_go_that_expired_and_device_grants_where_it_is_asked_for() {
    let records = json!([{ "expires": "2026-01-31T02:59:59.999999Z" }, { "expires": "2026-01-31T03:00:00Z" }]);
    let tables = json!({ GRANT: records, DEVICE: records });
    let found = cleared(&json!({}), tables.clone());
    assert_eq!((&found[GRANT], found.get(DEVICE)), (&json!([0]), None));
    let found = cleared(&json!({ "deviceGrants": true }), tables);
    assert_eq!((&found[GRANT], &found[DEVICE]), (&json!([0]), &json!([0])));
}

#[test]
fn what_cannot_be_judged_is_an_error_and_never_stale() {
    let account = "remove_stale_unverified_accounts";
    let long_ago = "2020-01-01T00:00:00Z";
    for (record, why) in [
        (json!({ "date_joined": long_ago }), "it has no `email_verified` (NULL is `null`)"),
        (json!({ "email_verified": null }), "it has no `date_joined` (NULL is `null`)"),
        (json!({ "email_verified": null, "date_joined": 1_577_836_800 }), "its `date_joined` is no instant"),
        (json!({ "email_verified": null, "date_joined": true }), "its `date_joined` is no instant"),
        (json!({ "email_verified": null, "date_joined": [] }), "its `date_joined` is no instant"),
        (json!({ "email_verified": null, "date_joined": "2020" }), "its `date_joined` is `2020`, which is no instant"),
        (
            json!({ "email_verified": null, "date_joined": "2020-02-30 00:00:00" }),
            "its `date_joined` is `2020-02-30 00:00:00`, which is no instant",
        ),
    ] {
        let error = stale(account, json!({ "userTable": "people" }), json!({ "people": [record] })).unwrap_err();
        assert_eq!(error.to_string(), format!("a record of `people` cannot be judged: {why}; it was not touched"));
        assert_eq!(error.code(), "invalid_record");
    }
}

#[test]
fn tables_that_a_rule_asks_about_must_be_given() {
    for missing in [REFRESH, ACCESS, ID, GRANT] {
        let mut tables = json!({ REFRESH: [], ACCESS: [], ID: [], GRANT: [] });
        tables.as_object_mut().unwrap().remove(missing);
        let error = stale("cleartokens", json!({}), tables).unwrap_err().to_string();
        let expected = format!("the records of `{missing}` are not given (an empty list, if there are none)");
        assert!(error.contains(&expected), "{error}");
    }
    // One list for several tables is none for any of them.
    assert!(stale("cleartokens", json!({}), json!({ "*": [] })).is_err());
}

#[test]
fn a_job_about_one_table_takes_its_records_by_either_name() {
    let records = json!([{ "expire_date": "2020-01-01T00:00:00Z" }]);
    for name in ["*", "django_session"] {
        let found = stale("clearsessions", json!({}), json!({ name: records })).unwrap();
        assert_eq!(found, json!({ "django_session": [0] }));
    }
}
