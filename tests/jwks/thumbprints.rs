//! By what a key is known.

use crate::jwks::fixtures::{judged, names, odd, public, rfc, with};
use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use serde_json::{Value as Json, json};

fn thumbprint(key: &Json) -> Option<String> {
    judged(key).verdict.thumbprint
}

#[test]
fn are_those_of_the_rfcs() {
    let rfc = rfc();
    let examples = rfc["thumbprints"].as_array().unwrap();
    assert!(examples.iter().any(|example| example["from"] == "RFC 7638 3.1"));
    for example in examples {
        assert_eq!(json!(thumbprint(&example["key"])), example["thumbprint"], "{}", example["from"]);
    }
}

#[test]
fn are_what_another_judge_makes_of_the_same_keys() {
    for name in names() {
        let key = public(&name);
        let jwk: Jwk = serde_json::from_value(key.clone()).unwrap();
        assert_eq!(thumbprint(&key), Some(jwk.thumbprint(ThumbprintHash::SHA256).unwrap()), "{name}");
    }
}

/// RFC 7638, section 3: only the members that make the key.
#[test]
fn depend_on_the_key_alone() {
    for name in ["rs256", "es256", "eddsa"] {
        let changes = json!({ "kid": "other", "use": null, "alg": null, "key_ops": ["verify"], "x5t": "x", "more": 1 });
        assert_eq!(thumbprint(&with(public(name), changes)), thumbprint(&public(name)), "{name}");
    }
}

/// Some providers put zeros before their numbers, which makes them no other numbers.
#[test]
fn leading_zeros_make_no_other_key() {
    let key = public("rs256");
    let zeros = |member: &str, count: usize| {
        let bytes = Base64UrlUnpadded::decode_vec(key[member].as_str().unwrap()).unwrap();
        Base64UrlUnpadded::encode_string(&[vec![0; count], bytes].concat())
    };
    for (in_n, in_e) in [(1, 0), (0, 1), (1, 1), (7, 9)] {
        let changed = with(key.clone(), json!({ "n": zeros("n", in_n), "e": zeros("e", in_e) }));
        let judged = judged(&changed);
        assert_eq!(judged.verdict.thumbprint, thumbprint(&key), "{in_n} {in_e}");
        let kept = judged.public.unwrap();
        assert_eq!((json!(kept.n), json!(kept.e)), (key["n"].clone(), key["e"].clone()), "{in_n} {in_e}");
    }
}

/// A hash of a shared secret would help to guess it.
#[test]
fn shared_secrets_have_none() {
    for key in [
        odd("oct-secret"),
        with(odd("oct-secret"), json!({ "alg": null, "use": "enc" })),
        with(odd("oct-secret"), json!({ "n": "AQ", "e": "AQ", "x": "AQ", "y": "AQ", "crv": "P-256" })),
        with(odd("oct-secret"), json!({ "kid": 5 })),
        json!({ "kty": "oct" }),
    ] {
        let judged = judged(&key);
        assert_eq!((judged.verdict.thumbprint, judged.public), (None, None), "{key}");
    }
}

/// Public halves have one also where the key is not used, so that a person can find it.
#[test]
fn keys_that_are_not_used_have_one_as_far_as_they_can_be_read() {
    for (name, there) in [
        ("rsa-private", true),
        ("ec-off-its-curve", true),
        ("use-enc", true),
        ("rsa-1024", true),
        ("ec-curve-unknown", true),
        ("okp-for-agreement", true),
        ("kty-unknown", false),
        ("rsa-n-missing", false),
        ("rsa-n-a-number", false),
        ("rsa-n-of-base64", false),
        ("ec-curve-missing", false),
    ] {
        assert_eq!(thumbprint(&odd(name)).is_some(), there, "{name}");
    }
}
