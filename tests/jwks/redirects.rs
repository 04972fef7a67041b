//! Redirects: within one origin, and not for ever.

use crate::jwks::fixtures::GOOGLE;
use crate::jwks::host::{Scene, URI, failed, ok, redirect, status};
use idp_janitor::jwks::effect::{Ended, FailureKind};
use idp_janitor::jwks::provider::{Provider, is_https, origin};

#[test]
fn are_followed_within_one_origin() {
    for code in [301, 302, 303, 307, 308] {
        let course = Scene::new().run([redirect(code, "https://id.test/elsewhere?v=2#x"), ok(GOOGLE)]);
        assert_eq!(course.urls(), [URI, "https://id.test/elsewhere?v=2#x"]);
        assert_eq!((course.ended(), course.report().uri.as_str()), (Ended::Refreshed, course.urls()[1]), "{code}");
    }
}

#[test]
fn are_refused_elsewhere() {
    for location in [
        "http://id.test/keys",
        "https://id.test.evil/keys",
        "https://id.tes/keys",
        "https://other.test/keys",
        "https://id.test:8443/keys",
        "https://user@id.test/keys",
        "https://id.test@evil.test/keys",
        "https://",
        "https:///keys",
        "//id.test/keys",
        "/keys",
        "",
        "ftp://id.test/keys",
        "javascript:alert(1)",
        "data:application/json,{}",
        "https://id.test/keys\r\nX: 1",
        " https://id.test/keys",
        "https://id.test/k\u{e9}ys",
    ] {
        let course = Scene::new().run([redirect(302, location)]);
        assert_eq!(course.failed(), "provider_redirect", "{location:?}");
        let why = if is_https(location) { "which is another origin" } else { "which is no https:// address" };
        assert!(course.report().error.as_ref().unwrap().message.ends_with(why), "{location:?}");
    }
}

#[test]
fn without_an_address_are_refused() {
    for code in [301, 302, 303, 307, 308] {
        assert_eq!(Scene::new().run([status(code)]).failed(), "provider_redirect", "{code}");
    }
    // A browser hides where to.
    assert_eq!(Scene::new().run([status(0)]).failed(), "provider_redirect");
    for other in [300, 305, 306] {
        assert_eq!(Scene::new().run([redirect(other, URI)]).failed(), "provider_status", "{other}");
    }
}

#[test]
fn are_followed_five_times() {
    let next = |at: usize| redirect(302, &format!("https://id.test/{at}"));
    let course = Scene::new().run((1..=5).map(next).chain([ok(GOOGLE)]));
    assert_eq!((course.ended(), course.fetches.len()), (Ended::Refreshed, 6));
    let course = Scene::new().run((1..=6).map(next));
    assert_eq!((course.failed(), course.fetches.len()), ("provider_redirect", 6));
    let around = Scene::new().run_by(|_, at| (redirect(302, URI), at));
    assert_eq!((around.failed(), around.fetches.len()), ("provider_redirect", 6));
    // Who asks again does not begin anew.
    let mut answers = vec![redirect(302, "https://id.test/1"), failed(FailureKind::Network)];
    answers.extend((2..=6).map(next));
    let course = Scene::new().run(answers);
    assert_eq!((course.failed(), course.fetches.len()), ("provider_redirect", 7));
}

/// Five for the document, and five for the keys.
#[test]
fn count_apart_for_discovery_and_keys() {
    let at = |place: &str, n: usize| redirect(307, &format!("https://{place}/{n}"));
    let document = r#"{"issuer":"https://id.test","jwks_uri":"https://keys.test/0"}"#;
    let answers = (1..=5).map(|n| at("id.test", n)).chain([ok(document)]);
    let answers = answers.chain((1..=5).map(|n| at("keys.test", n))).chain([ok(GOOGLE)]);
    let course = Scene::discovering("https://id.test").run(answers);
    assert_eq!((course.ended(), course.fetches.len()), (Ended::Refreshed, 12));
}

/// A redirect comes as `URL` writes it: in lower case, and without the port that https has anyway. A discovery document may
/// write what it likes.
#[test]
fn origins_are_compared_however_they_are_written() {
    for (address, expected) in [
        ("https://id.test/keys", Some("id.test")),
        ("https://id.test", Some("id.test")),
        ("https://id.test:8443/keys", Some("id.test:8443")),
        ("https://id.test?a=/b", Some("id.test")),
        ("https://id.test#/b", Some("id.test")),
        ("https://[::1]:8443/keys", Some("[::1]:8443")),
        ("https://id.test\\@evil.test", Some("id.test")),
        ("https://Keys.ID.test:443/a", Some("keys.id.test")),
        ("https://id.test:4430/a", Some("id.test:4430")),
        ("https://user@id.test/", None),
        ("HTTPS://id.test/", None),
        ("http://id.test/", None),
        ("https:/id.test/", None),
        ("https://", None),
    ] {
        assert_eq!(origin(address).as_deref(), expected, "{address}");
        assert_eq!(is_https(address), expected.is_some(), "{address}");
    }
    let uri = "https://id.test:8443/keys".to_owned();
    let provider = Provider { key: "test".into(), jwks_uri: Some(uri), issuer: None };
    let scene = Scene { provider, ..Scene::new() };
    assert_eq!(scene.run([redirect(301, "https://id.test:8443/k"), ok(GOOGLE)]).ended(), Ended::Refreshed);
    assert_eq!(scene.run([redirect(301, "https://id.test/k")]).failed(), "provider_redirect");
    assert_eq!(scene.run([redirect(301, "https://id.test:443/k")]).failed(), "provider_redirect");
}

#[test]
fn tell_where_to_in_a_line_of_bounded_length() {
    let location = format!("https://other.test/{}", "x".repeat(2000));
    let course = Scene::new().run([redirect(302, &location)]);
    let message = &course.report().error.as_ref().unwrap().message;
    assert!(message.starts_with(&format!("{URI} redirects to `https://other.test/xxx")), "{message}");
    assert!(message.ends_with("x`, which is another origin") && message.len() < 300, "{message}");
}
