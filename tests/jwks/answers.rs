//! What becomes of a good answer, and of one that says that nothing has changed.

use crate::jwks::fixtures::{GOOGLE, MICROSOFT, odd, public, set, with};
use crate::jwks::host::{Course, ENTRY, Scene, URI, ok, redirect, status, tagged};
use idp_janitor::jwks::effect::{Answer, Ended, Response};
use idp_janitor::jwks::json::MOST_BYTES;
use idp_janitor::jwks::provider::Policy;
use idp_janitor::jwks::set::KeySet;
use serde_json::json;

fn two_keys() -> String {
    set(&[public("es256"), public("rs256")])
}

/// A cache that was filled by an answer with a tag.
fn filled(etag: &str) -> (Scene, Course) {
    let scene = Scene::new();
    let course = scene.run([tagged(two_keys(), etag)]);
    (scene.after(&course, 3_600_000), course)
}

#[test]
fn the_first_refresh_asks_once_and_keeps_what_it_gets() {
    let scene = Scene::new();
    let answer = Answer::Response(Response {
        status: 200,
        etag: Some("\"1\"".into()),
        cache_control: Some("public, max-age=3600".into()),
        age: Some("600".into()),
        body: Some(GOOGLE.into()),
        ..Response::default()
    });
    let course = scene.run([answer]);
    let fetch = &course.fetches[0].0;
    assert_eq!((fetch.url.as_str(), &fetch.etag, fetch.timeout_ms, fetch.max_bytes), (URI, &None, 30_000, MOST_BYTES));
    let report = course.report();
    assert_eq!((report.client.as_str(), report.uri.as_str(), report.outcome), ("test", URI, Ended::Refreshed));
    assert_eq!((report.added.len(), report.keys.len(), &report.error), (2, 2, &None));
    assert_eq!(report.warnings, Vec::<String>::new());
    let text = KeySet::parse(GOOGLE).unwrap().to_json();
    assert_eq!(course.end.publish.as_ref(), Some(&text));
    assert_eq!((course.end.write.key.as_str(), course.end.write.ttl_seconds), (ENTRY, 604_800));
    let entry = course.entry(&scene);
    // The answer came after 10 ms.
    let came = scene.now().plus_millis(10);
    assert_eq!((entry.fetched_at, entry.checked_at), (came, came));
    assert_eq!(entry.fresh_until, came.plus_millis(3_000_000));
    assert_eq!((entry.version, entry.source.as_str(), entry.uri.as_str()), (1, URI, URI));
    assert_eq!((entry.etag.as_deref(), entry.key_set), (Some("\"1\""), text));
    assert_eq!(report.fresh_until, Some(entry.fresh_until));
    assert_eq!(report.usable_until, Some(came.plus_millis(604_800_000)));
}

#[test]
fn not_modified_confirms_what_is_there() {
    let (scene, before) = filled("W/\"1\"");
    let not_modified =
        Answer::Response(Response { status: 304, cache_control: Some("max-age=7200".into()), ..Response::default() });
    let course = scene.run([not_modified]);
    assert_eq!((course.ended(), course.etags()), (Ended::Unchanged, vec![Some("W/\"1\"")]));
    let (before, entry) = (before.entry(&scene), course.entry(&scene));
    let checked = scene.now().plus_millis(10);
    assert_eq!((entry.fetched_at, entry.checked_at), (before.fetched_at, checked));
    assert_eq!(entry.fresh_until, checked.plus_millis(7_200_000));
    assert_eq!((entry.etag.as_deref(), &entry.key_set), (Some("W/\"1\""), &before.key_set));
    assert_eq!(course.end.publish, Some(before.key_set));
    assert_eq!(course.report().keys.len(), 2);
}

#[test]
fn an_equal_set_is_unchanged_with_or_without_a_tag() {
    let (scene, before) = filled("\"1\"");
    let fetched = before.entry(&scene).fetched_at;
    let in_another_order = set(&[public("rs256"), odd("use-enc"), public("es256")]);
    for (answer, etag) in [
        (tagged(two_keys(), "\"1\""), Some("\"1\"")),
        (tagged(two_keys(), "\"2\""), Some("\"2\"")),
        (ok(two_keys()), None),
        (ok(in_another_order), None),
    ] {
        let course = scene.run([answer]);
        let entry = course.entry(&scene);
        assert_eq!((course.ended(), entry.etag.as_deref()), (Ended::Unchanged, etag));
        assert_eq!((entry.fetched_at, entry.checked_at), (fetched, scene.now().plus_millis(10)));
    }
}

#[test]
fn another_set_takes_the_place_of_the_one_before() {
    let (scene, _) = filled("\"1\"");
    let now = [public("es384"), with(public("es256-next"), json!({ "kid": "es256" })), odd("rsa-private")];
    let course = scene.run([tagged(set(&now), "\"2\"")]);
    let report = course.report();
    assert_eq!(report.outcome, Ended::Refreshed);
    assert_eq!((&report.added[..], &report.removed[..]), (&["es384".to_owned()][..], &["rs256".to_owned()][..]));
    assert_eq!(report.changed, ["es256"]);
    assert_eq!(report.keys.iter().filter(|key| key.usable).count(), 2);
    assert!(report.warnings[0].starts_with("SECRET PUBLISHED: the key `rsa-private`"), "{:?}", report.warnings);
    let entry = course.entry(&scene);
    assert_eq!((entry.fetched_at, entry.checked_at), (scene.now().plus_millis(10), scene.now().plus_millis(10)));
    assert_eq!(entry.key_set, KeySet::parse(&set(&now[..2])).unwrap().to_json());
}

/// There is nothing that could have not been modified.
#[test]
fn not_modified_without_being_asked_is_a_failure() {
    let scene = Scene::new();
    assert_eq!(scene.run([status(304)]).failed(), "provider_status");
    let untagged = scene.run([ok(two_keys())]);
    let course = scene.clone().after(&untagged, 1000).run([status(304)]);
    assert_eq!((course.etags(), course.failed()), (vec![None], "provider_status"));
    let discovering = Scene::discovering("https://id.test");
    assert_eq!(discovering.run([status(304)]).failed(), "provider_status");
}

/// A tag comes from elsewhere and goes into a header.
#[test]
fn only_tags_that_stand_for_one_set_are_sent() {
    let long = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    for (etag, sent) in [
        ("\"abc\"", true),
        ("W/\"abc\"", true),
        ("\"\"", true),
        ("\"!#[]~\"", true),
        // Not tags by RFC 9110. Regression: by an asterisk a provider said for ever that nothing had changed.
        ("abc", false),
        ("*", false),
        ("\"", false),
        ("W/abc", false),
        ("\"a\"b\"", false),
        ("\"a\",\"b\"", false),
        (&long(512), true),
        (&long(513), false),
        ("\"a b\"", false),
        ("\"a\"\r\nX-More: 1", false),
        ("\"a\n\"", false),
        ("\"a\u{0}\"", false),
        ("\"\u{7f}\"", false),
        ("\"é\"", false),
        ("\"\u{1f511}\"", false),
    ] {
        let (scene, _) = filled(etag);
        let course = scene.run([tagged(two_keys(), etag)]);
        assert_eq!(course.etags(), [sent.then_some(etag)], "{etag:?}");
        let unasked = scene.run_by(|_, at| (status(304), at));
        assert_eq!(unasked.ended(), if sent { Ended::Unchanged } else { Ended::Failed }, "{etag:?}");
    }
}

/// A tag means something at its own address only.
#[test]
fn a_tag_is_sent_to_the_address_that_it_came_from() {
    let elsewhere = "https://id.test/other";
    let first = Scene::new().run([redirect(302, elsewhere), tagged(two_keys(), "\"1\"")]);
    let scene = Scene::new().after(&first, 1000);
    assert_eq!(first.entry(&scene).uri, elsewhere);
    let course = scene.run([redirect(302, elsewhere), status(304)]);
    assert_eq!((course.urls(), course.etags()), (vec![URI, elsewhere], vec![None, Some("\"1\"")]));
    assert_eq!((course.ended(), course.report().uri.as_str()), (Ended::Unchanged, elsewhere));
    assert_eq!(scene.run([status(304)]).failed(), "provider_status");
    // Now there are other keys at the address that was redirected.
    let course = scene.run([ok(MICROSOFT)]);
    assert_eq!((course.ended(), course.entry(&scene).uri.as_str()), (Ended::Refreshed, URI));
}

#[test]
fn freshness_is_what_the_provider_says_within_the_policy() {
    let policy = Policy { min_fresh_seconds: 60, max_fresh_seconds: 600, max_stale_seconds: 900, ..Policy::default() };
    let scene = Scene { policy, ..Scene::new() };
    for (cache_control, seconds) in [(None, 60), (Some("max-age=300"), 300), (Some("max-age=9000"), 600)] {
        let cache_control = cache_control.map(str::to_owned);
        let body = Some(GOOGLE.to_owned());
        let answer = Response { status: 200, cache_control, body, ..Response::default() };
        let course = scene.run([Answer::Response(answer)]);
        let came = scene.now().plus_millis(10);
        assert_eq!(course.report().fresh_until, Some(came.plus_millis(1000 * seconds)));
        assert_eq!(course.report().usable_until, Some(came.plus_millis(900_000)));
        assert_eq!(course.end.write.ttl_seconds, 900);
    }
}
