//! A failure leaves the keys of before where they are.

use crate::jwks::fixtures::{GOOGLE, PRIVATE, odd, public, set};
use crate::jwks::host::{ATTEMPT, Scene, URI, failed, ok, redirect, status, tagged};
use idp_janitor::error::Error;
use idp_janitor::jwks::effect::{Answer, FailureKind, Response};
use idp_janitor::jwks::provider::{Policy, Provider};
use idp_janitor::jwks::refresh::Refresh;
use idp_janitor::jwks::set::KeySet;
use serde_json::{Value as Json, json};

#[test]
fn only_the_attempt_is_written_and_the_keys_of_before_are_told() {
    let scene = Scene::new();
    let first = scene.run([ok(GOOGLE)]);
    let scene = scene.after(&first, 86_400_000);
    for (answer, code) in [
        (status(404), "provider_status"),
        (status(204), "provider_status"),
        (ok(""), "key_set_not_json"),
        (ok("<html>"), "key_set_not_json"),
        (ok("[]"), "key_set_malformed"),
        (ok(set(&[])), "key_set_empty"),
        (ok(set(&vec![public("es256"); 101])), "key_set_too_many_keys"),
        (ok(set(&[odd("rsa-private")])), "key_set_unusable"),
        (ok("[".repeat(20)), "key_set_too_deep"),
        (ok(" ".repeat((1 << 20) + 1)), "key_set_too_large"),
        (Answer::Response(Response { status: 200, ..Response::default() }), "key_set_not_json"),
        (redirect(302, "http://id.test/"), "provider_redirect"),
        (failed(FailureKind::Timeout), "provider_timeout"),
        (failed(FailureKind::TooLarge), "provider_too_large"),
        (failed(FailureKind::Aborted), "aborted"),
    ] {
        let course = scene.run([answer]);
        assert_eq!(course.failed(), code);
        let (report, before) = (course.report(), first.report());
        assert_eq!((&report.keys, report.fresh_until), (&before.keys, before.fresh_until), "{code}");
        assert_eq!((report.usable_until, report.uri.as_str()), (before.usable_until, URI), "{code}");
        let until = before.usable_until.unwrap();
        assert_eq!(report.warnings, [format!("the keys of before stay and are used until {until}")]);
        assert_eq!((course.end.write.key.as_str(), course.end.write.ttl_seconds), (ATTEMPT, 604_800));
    }
}

#[test]
fn without_keys_of_before_there_are_none() {
    let course = Scene::new().run([status(404)]);
    assert_eq!(course.failed(), "provider_status");
    let report = course.report();
    assert_eq!((report.keys.len(), report.fresh_until, report.usable_until), (0, None, None));
    let warning = "there are no keys from before that could be used: tokens of this provider are refused";
    assert_eq!(report.warnings, [warning]);
}

/// The boundary is where `Entry::state` has it: at the end of the last millisecond.
#[test]
fn keys_of_before_are_told_until_they_are_too_old() {
    let scene = Scene { takes_ms: 0.0, ..Scene::new() };
    let first = scene.run([ok(GOOGLE)]);
    for (later_ms, told) in [(604_799_999, true), (604_800_000, false), (604_800_001, false)] {
        let course = scene.clone().after(&first, later_ms).run([status(404)]);
        assert_eq!(course.failed(), "provider_status");
        assert_eq!(!course.report().keys.is_empty(), told, "{later_ms}");
        assert_eq!(course.report().usable_until.is_some(), told, "{later_ms}");
    }
    // An entry from beyond the clock skew of an hour is as good as none, one within it is used.
    for (later_ms, told) in [(-3_600_000, true), (-3_600_001, false), (-10_000_000_000, false)] {
        let course = scene.clone().after(&first, later_ms).run([status(404)]);
        assert_eq!(course.failed(), "provider_status");
        assert_eq!(!course.report().keys.is_empty(), told, "{later_ms}");
    }
}

/// What another configuration, version or program left in the cache is not this provider's.
#[test]
fn entries_of_another_source_are_as_good_as_none() {
    let scene = Scene::new();
    let first = scene.run([tagged(GOOGLE, "\"1\"")]);
    let text = &first.end.write.value;
    let changed = |name: &str, value: Json| {
        let mut entry: Json = serde_json::from_str(text).unwrap();
        entry[name] = value;
        entry.to_string()
    };
    let as_found = Scene { previous: Some(text.clone()), ..scene.clone() };
    assert_eq!(as_found.run([status(304)]).etags(), [Some("\"1\"")]);
    for previous in [
        changed("source", json!("https://id.test/keys/")),
        changed("source", json!("https://ID.test/keys")),
        changed("version", json!(2)),
        changed("version", json!(0)),
        changed("version", json!("1")),
        changed("keySet", json!("{}")),
        changed("keySet", json!(set(&[odd("rsa-1024")]))),
        changed("keySet", json!({ "keys": [] })),
        changed("checkedAt", json!("yesterday")),
        changed("fetchedAt", json!(null)),
        changed("freshUntil", json!(5)),
        changed("etag", json!(5)),
        text[..text.len() - 1].into(),
        String::new(),
        GOOGLE.into(),
    ] {
        let course = Scene { previous: Some(previous.clone()), ..scene.clone() }.run([status(404)]);
        assert_eq!((course.failed(), course.etags()), ("provider_status", vec![None]), "{previous}");
        assert_eq!(course.report().keys.len(), 0, "{previous}");
    }
    // As it is configured now: by its issuer, the address being found out.
    let discovering = Scene { previous: Some(text.clone()), ..Scene::discovering("https://id.test") };
    assert_eq!(discovering.run([status(404)]).report().keys.len(), 0);
}

/// Regression: a 304 wrote and published the text as the cache had it.
#[test]
fn what_somebody_else_put_into_the_cache_is_judged_before_it_is_published() {
    let scene = Scene::new();
    let first = scene.run([tagged(GOOGLE, "\"1\"")]);
    let mut entry: Json = serde_json::from_str(&first.end.write.value).unwrap();
    entry["keySet"] = json!(set(&[public("es256"), odd("rsa-private"), odd("oct-secret")]));
    let course = Scene { previous: Some(entry.to_string()), ..scene.clone() }.run([status(304)]);
    let kept = KeySet::parse(&set(&[public("es256")])).unwrap().to_json();
    assert_eq!((course.entry(&scene).key_set, course.end.publish.clone()), (kept.clone(), Some(kept)));
    // As it lies in the cache: reading it judges it anew.
    let written: Json = serde_json::from_str(&course.end.write.value).unwrap();
    let stored: Json = serde_json::from_str(written["keySet"].as_str().unwrap()).unwrap();
    assert_eq!(stored["keys"].as_array().unwrap().len(), 1);
    assert!(PRIVATE.iter().all(|member| stored["keys"][0].get(*member).is_none()));
}

#[test]
fn what_is_set_wrongly_is_refused_before_anything_is_asked_for() {
    let fine = || Provider { key: "test".into(), jwks_uri: Some(URI.into()), issuer: Some("https://id.test".into()) };
    let refusal = |provider: Provider, policy: Policy| {
        let refused = Refresh::new(provider, policy, Scene::new().now(), None).err();
        refused.inspect(|error| assert!(matches!(error, Error::InvalidSetting { .. }), "{error}"))
    };
    assert_eq!(refusal(fine(), Policy::default()), None);
    let template = Some("https://login.test/{tenantid}/v2.0".to_owned());
    assert_eq!(refusal(Provider { issuer: template.clone(), ..fine() }, Policy::default()), None);
    for key in [String::new(), "a b".into(), "a:b".into(), "ä".into(), "x".repeat(101)] {
        assert!(refusal(Provider { key: key.clone(), ..fine() }, Policy::default()).is_some(), "{key}");
    }
    for uri in ["http://id.test/keys", "id.test/keys", "https://u:p@id.test/", "https://", "https://id.test/#k", ""] {
        let jwks_uri = Some(uri.to_owned());
        assert!(refusal(Provider { jwks_uri: jwks_uri.clone(), ..fine() }, Policy::default()).is_some(), "{uri}");
        assert!(refusal(Provider { issuer: jwks_uri, ..fine() }, Policy::default()).is_some(), "{uri}");
    }
    for issuer in [None, template, Some("https://id.test/?a=b".into())] {
        assert!(refusal(Provider { jwks_uri: None, issuer, ..fine() }, Policy::default()).is_some());
    }
    for policy in [
        Policy { timeout_seconds: 0, ..Policy::default() },
        Policy { timeout_seconds: 601, ..Policy::default() },
        Policy { retries: 11, ..Policy::default() },
        Policy { min_fresh_seconds: 2, max_fresh_seconds: 1, ..Policy::default() },
        Policy { max_fresh_seconds: 100, min_fresh_seconds: 0, max_stale_seconds: 99, ..Policy::default() },
        Policy { max_stale_seconds: 366 * 86_400 + 1, ..Policy::default() },
        Policy { cooldown_seconds: 0, ..Policy::default() },
        Policy { concurrency: 101, ..Policy::default() },
    ] {
        assert!(refusal(fine(), policy).is_some(), "{policy:?}");
    }
}
