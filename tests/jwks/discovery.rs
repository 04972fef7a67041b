//! Where the keys are, by the document of an issuer.

use crate::jwks::fixtures::{GOOGLE, MICROSOFT};
use crate::jwks::host::{Scene, ok, redirect, status, tagged};
use idp_janitor::jwks::discovery::read_jwks_uri;
use idp_janitor::jwks::effect::Ended;
use serde_json::json;

const ISSUER: &str = "https://id.test";
const DOCUMENT: &str = r#"{"issuer":"https://id.test","jwks_uri":"https://keys.test/jwks"}"#;
const AT: &str = "https://id.test/.well-known/openid-configuration";

#[test]
fn the_document_says_where_the_keys_are() {
    let scene = Scene::discovering(ISSUER);
    let course = scene.run([ok(DOCUMENT), tagged(GOOGLE, "\"1\"")]);
    assert_eq!(course.urls(), [AT, "https://keys.test/jwks"]);
    assert_eq!((course.ended(), course.report().uri.as_str()), (Ended::Refreshed, "https://keys.test/jwks"));
    let entry = course.entry(&scene);
    assert_eq!((entry.source.as_str(), entry.uri.as_str()), (ISSUER, "https://keys.test/jwks"));
    // The document is asked for each time, without the tag of the keys.
    let scene = scene.after(&course, 1000);
    let course = scene.run([ok(DOCUMENT), status(304)]);
    assert_eq!((course.ended(), course.etags()), (Ended::Unchanged, vec![None, Some("\"1\"")]));
    // Keys that move are other keys as far as the tag goes.
    let moved = DOCUMENT.replace("jwks\"}", "moved\"}");
    let course = scene.run([ok(&moved), ok(MICROSOFT)]);
    assert_eq!((course.ended(), course.etags()), (Ended::Refreshed, vec![None, None]));
    assert_eq!(scene.run([ok(moved), status(304)]).failed(), "provider_status");
}

/// A tag that the cache has for the same address is one of keys.
#[test]
fn a_document_is_never_asked_for_with_a_tag() {
    let scene = Scene::discovering(ISSUER);
    let document = format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{AT}"}}"#);
    let course = scene.run([ok(&document), tagged(GOOGLE, "\"1\"")]);
    let scene = scene.after(&course, 1000);
    assert_eq!(scene.run([status(304)]).failed(), "provider_status");
    assert_eq!(scene.run([ok(document), status(304)]).etags(), [None, Some("\"1\"")]);
}

/// OpenID Connect Discovery 1.0, section 4.1: a slash at the end goes before the path is added.
#[test]
fn it_is_where_the_issuer_says() {
    for (issuer, at) in [
        ("https://id.test", AT),
        ("https://id.test/", AT),
        ("https://id.test/realms/one", "https://id.test/realms/one/.well-known/openid-configuration"),
        ("https://id.test/realms/one/", "https://id.test/realms/one/.well-known/openid-configuration"),
        ("https://id.test:8443", "https://id.test:8443/.well-known/openid-configuration"),
        ("https://id.test//", "https://id.test//.well-known/openid-configuration"),
    ] {
        let scene = Scene::discovering(issuer);
        let document = json!({ "issuer": issuer, "jwks_uri": "https://keys.test/jwks" }).to_string();
        let course = scene.run([ok(document), ok(GOOGLE)]);
        assert_eq!((course.urls()[0], course.ended()), (at, Ended::Refreshed), "{issuer}");
    }
    // Who gives both need not be discovered.
    let mut scene = Scene::discovering(ISSUER);
    scene.provider.jwks_uri = Some("https://keys.test/jwks".into());
    assert_eq!(scene.run([ok(GOOGLE)]).urls(), ["https://keys.test/jwks"]);
}

/// Section 4.3: character by character.
#[test]
fn it_is_that_of_the_issuer_and_of_nobody_else() {
    for other in [
        "https://id.test/",
        "https://ID.test",
        "https://id.test:443",
        "http://id.test",
        "https://id.test ",
        "https://other.test",
        "https://id.tes\u{442}",
        "",
    ] {
        let document = json!({ "issuer": other, "jwks_uri": "https://keys.test/jwks" }).to_string();
        let course = Scene::discovering(ISSUER).run([ok(&document)]);
        assert_eq!((course.failed(), course.report().uri.as_str()), ("discovery_issuer", AT), "{other}");
        assert_eq!(read_jwks_uri(&document, other), Ok("https://keys.test/jwks".into()), "{other}");
    }
    let slash = json!({ "issuer": ISSUER, "jwks_uri": "https://keys.test/jwks" }).to_string();
    assert_eq!(Scene::discovering("https://id.test/").run([ok(slash)]).failed(), "discovery_issuer");
    let long = json!({ "issuer": "x".repeat(5000) }).to_string();
    assert!(read_jwks_uri(&long, ISSUER).unwrap_err().message.len() < 300);
}

#[test]
fn a_document_without_an_address_is_none() {
    let of = |uri: &str| json!({ "issuer": ISSUER, "jwks_uri": uri }).to_string();
    for document in [
        String::new(),
        "<html>".into(),
        "[]".into(),
        "null".into(),
        "{}".into(),
        json!({ "issuer": null, "jwks_uri": "https://keys.test/jwks" }).to_string(),
        json!({ "issuer": [ISSUER], "jwks_uri": "https://keys.test/jwks" }).to_string(),
        json!({ "issuer": ISSUER }).to_string(),
        json!({ "issuer": ISSUER, "jwks_uri": null }).to_string(),
        json!({ "issuer": ISSUER, "jwks_uri": ["https://keys.test/jwks"] }).to_string(),
        of("http://keys.test/jwks"),
        of("/jwks"),
        of("https://user:word@keys.test/jwks"),
        of("https://"),
        of("https://keys.test/jw ks"),
        of(""),
        GOOGLE.into(),
        "{".repeat(200_000),
        " ".repeat((1 << 20) + 1),
    ] {
        let course = Scene::discovering(ISSUER).run([ok(&document)]);
        assert_eq!(course.failed(), "discovery_malformed", "{}", &document[..document.len().min(80)]);
    }
    assert_eq!(Scene::discovering(ISSUER).run([status(404)]).failed(), "provider_status");
    assert_eq!(Scene::discovering(ISSUER).run([redirect(302, "https://keys.test/")]).failed(), "provider_redirect");
}
