//! Which keys are used, and why others are not.

use crate::jwks::fixtures::{GOOGLE, MICROSOFT, judged, names, odd_keys, public, rfc, with};
use base64ct::{Base64UrlUnpadded, Encoding};
use idp_janitor::jwks::key::{Reason, algorithms};
use idp_janitor::jwks::set::KeySet;
use serde_json::{Value as Json, json};

/// Every odd key of the fixtures, and why it is not used.
const ODD: [(&str, Option<Reason>); 43] = [
    ("rsa-private", Some(Reason::Private)),
    ("rsa-private-d-only", Some(Reason::Private)),
    ("ec-private", Some(Reason::Private)),
    ("okp-private", Some(Reason::Private)),
    ("oct-secret", Some(Reason::Symmetric)),
    ("rsa-1024", Some(Reason::Weak)),
    ("rsa-2047", Some(Reason::Weak)),
    ("rsa-e-0", Some(Reason::Malformed)),
    ("rsa-e-1", Some(Reason::Weak)),
    ("rsa-e-2", Some(Reason::Weak)),
    ("rsa-e-3", None),
    ("rsa-e-as-long-as-n", Some(Reason::Weak)),
    ("rsa-n-even", Some(Reason::Weak)),
    ("rsa-n-with-leading-zero", None),
    ("rsa-n-of-32768-bits", Some(Reason::Weak)),
    ("rsa-n-empty", Some(Reason::Malformed)),
    ("rsa-n-missing", Some(Reason::Malformed)),
    ("rsa-n-of-base64", Some(Reason::Malformed)),
    ("rsa-n-of-another-alphabet", Some(Reason::Malformed)),
    ("rsa-n-a-number", Some(Reason::Malformed)),
    ("ec-off-its-curve", Some(Reason::OffCurve)),
    ("ec-at-infinity", Some(Reason::OffCurve)),
    ("ec-x-short", Some(Reason::Malformed)),
    ("ec-y-missing", Some(Reason::Malformed)),
    ("ec-of-another-curve", Some(Reason::Malformed)),
    ("ec-alg-of-another-curve", Some(Reason::UnsupportedAlgorithm)),
    ("ec-alg-of-rsa", Some(Reason::UnsupportedAlgorithm)),
    ("ec-curve-unknown", Some(Reason::UnsupportedCurve)),
    ("ec-curve-missing", Some(Reason::Malformed)),
    ("okp-31-bytes", Some(Reason::Malformed)),
    ("okp-33-bytes", Some(Reason::Malformed)),
    ("okp-of-small-order", Some(Reason::OffCurve)),
    ("okp-for-agreement", Some(Reason::UnsupportedCurve)),
    ("okp-curve-unknown", Some(Reason::UnsupportedCurve)),
    ("kty-unknown", Some(Reason::UnsupportedType)),
    ("kty-missing", Some(Reason::Malformed)),
    ("kty-in-lower-case", Some(Reason::UnsupportedType)),
    ("use-enc", Some(Reason::UnsupportedUse)),
    ("use-unknown", Some(Reason::UnsupportedUse)),
    ("ops-sign-only", Some(Reason::UnsupportedUse)),
    ("alg-unknown", Some(Reason::UnsupportedAlgorithm)),
    ("alg-none", Some(Reason::UnsupportedAlgorithm)),
    ("alg-symmetric", Some(Reason::UnsupportedAlgorithm)),
];

/// Holds a key against what is expected of it; all that a verdict tells must fit together.
fn assert_judged(name: &str, key: &Json, expected: Option<Reason>) {
    let judged = judged(key);
    let verdict = &judged.verdict;
    assert_eq!(verdict.reason, expected, "{name}: {:?}", verdict.message);
    assert_eq!(verdict.usable, expected.is_none(), "{name}");
    assert_eq!(judged.public.is_some(), expected.is_none(), "{name}");
    assert_eq!(verdict.message.is_some(), expected.is_some(), "{name}");
    // A key that is used is known by its thumbprint.
    assert!(verdict.thumbprint.is_some() || expected.is_some(), "{name}");
    for (member, told) in [("kid", &verdict.kid), ("kty", &verdict.kty), ("alg", &verdict.alg), ("crv", &verdict.crv)] {
        if let Some(told) = told {
            assert_eq!(key[member], json!(told), "{name}");
        }
    }
}

#[test]
fn every_odd_key_is_judged_for_what_is_odd_about_it() {
    let odd = odd_keys();
    let mut known: Vec<&str> = ODD.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(odd.keys().map(String::as_str).collect::<Vec<_>>(), known);
    for (name, expected) in ODD {
        assert_judged(name, &odd[name], expected);
    }
}

#[test]
fn keys_of_real_providers_are_used() {
    for set in [GOOGLE, MICROSOFT] {
        assert!(KeySet::parse(set).unwrap().verdicts().all(|verdict| verdict.usable));
    }
    for name in names() {
        assert_judged(&name, &public(&name), (name == "rsa-1024").then_some(Reason::Weak));
    }
}

/// The one of RFC 7517 A.1 that is for encryption aside.
#[test]
fn examples_of_the_rfcs_are_used() {
    let sets = &rfc()["sets"];
    let text = sets["RFC 7517 A.1"].to_string();
    let reasons: Vec<_> = KeySet::parse(&text).unwrap().verdicts().map(|verdict| verdict.reason).collect();
    assert_eq!(reasons, [Some(Reason::UnsupportedUse), None]);
    let error = KeySet::parse(&sets["RFC 7517 A.2"].to_string()).unwrap_err();
    assert_eq!(error.code(), "key_set_unusable");
    assert!(error.to_string().contains("its private half is published (`d`)"), "{error}");
}

#[test]
fn what_is_not_an_object_is_no_key() {
    for json in [json!(null), json!(true), json!(5), json!("key"), json!([]), json!([public("es256")])] {
        let judged = judged(&json);
        assert_eq!((judged.verdict.reason, judged.public), (Some(Reason::Malformed), None), "{json}");
    }
}

#[test]
fn members_are_held_against_what_they_may_be() {
    let (rsa, ec, okp) = ("rs256", "es256", "eddsa");
    for (name, changes, expected) in [
        (rsa, json!({ "use": null, "alg": null, "kid": null }), None),
        (rsa, json!({ "use": "SIG" }), Some(Reason::UnsupportedUse)),
        (rsa, json!({ "use": "" }), Some(Reason::UnsupportedUse)),
        (rsa, json!({ "use": ["sig"] }), Some(Reason::Malformed)),
        (rsa, json!({ "key_ops": ["verify"] }), None),
        (rsa, json!({ "key_ops": ["sign", "verify"] }), None),
        (rsa, json!({ "key_ops": [] }), Some(Reason::UnsupportedUse)),
        (rsa, json!({ "key_ops": ["Verify"] }), Some(Reason::UnsupportedUse)),
        (rsa, json!({ "key_ops": "verify" }), Some(Reason::Malformed)),
        (rsa, json!({ "key_ops": ["verify", 1] }), Some(Reason::Malformed)),
        (rsa, json!({ "use": "enc", "key_ops": ["verify"] }), Some(Reason::UnsupportedUse)),
        (rsa, json!({ "alg": "PS512" }), None),
        (rsa, json!({ "alg": "rs256" }), Some(Reason::UnsupportedAlgorithm)),
        (rsa, json!({ "alg": "RSA-OAEP" }), Some(Reason::UnsupportedAlgorithm)),
        (rsa, json!({ "alg": "RS1" }), Some(Reason::UnsupportedAlgorithm)),
        (rsa, json!({ "alg": "" }), Some(Reason::UnsupportedAlgorithm)),
        (rsa, json!({ "alg": 256 }), Some(Reason::Malformed)),
        (rsa, json!({ "alg": "x".repeat(513) }), Some(Reason::UnsupportedAlgorithm)),
        (rsa, json!({ "kid": "" }), None),
        (rsa, json!({ "kid": "x".repeat(512) }), None),
        (rsa, json!({ "kid": "x".repeat(513) }), Some(Reason::Malformed)),
        (rsa, json!({ "kid": 7 }), Some(Reason::Malformed)),
        (rsa, json!({ "kty": "" }), Some(Reason::Malformed)),
        (rsa, json!({ "kty": ["RSA"] }), Some(Reason::Malformed)),
        (rsa, json!({ "kty": "EC" }), Some(Reason::Malformed)),
        (rsa, json!({ "x5c": "MIIB" }), Some(Reason::Malformed)),
        (rsa, json!({ "x5c": [], "x5t": "", "x5t#S256": "" }), None),
        (rsa, json!({ "x5t": 1 }), Some(Reason::Malformed)),
        (rsa, json!({ "kty": "oct" }), Some(Reason::Symmetric)),
        (ec, json!({ "alg": null }), None),
        (ec, json!({ "alg": "ES256K" }), Some(Reason::UnsupportedAlgorithm)),
        (ec, json!({ "crv": "p-256" }), Some(Reason::UnsupportedCurve)),
        (ec, json!({ "crv": "Ed25519" }), Some(Reason::UnsupportedCurve)),
        (ec, json!({ "crv": 256 }), Some(Reason::Malformed)),
        (ec, json!({ "y": "" }), Some(Reason::Malformed)),
        (okp, json!({ "alg": "Ed25519" }), None),
        (okp, json!({ "alg": "ES256" }), Some(Reason::UnsupportedAlgorithm)),
        (okp, json!({ "crv": "Ed448" }), Some(Reason::UnsupportedCurve)),
        (okp, json!({ "crv": "P-256" }), Some(Reason::UnsupportedCurve)),
        (okp, json!({ "crv": null }), Some(Reason::Malformed)),
        (okp, json!({ "x": null }), Some(Reason::Malformed)),
    ] {
        assert_judged(&format!("{name} {changes}"), &with(public(name), changes), expected);
    }
}

/// The algorithms of RFC 7518, section 3.1, RFC 8037, RFC 8812 and RFC 9864, and some that are none of signatures.
#[test]
fn a_key_is_for_the_algorithms_of_its_type_and_curve() {
    let all = [
        "none", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES256K",
        "ES384", "ES512", "EdDSA", "Ed25519", "Ed448", "RSA-OAEP", "ECDH-ES", "dir", "RS1", "A128KW",
    ];
    for (name, its_own) in [
        ("rs256", &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..]),
        ("es256", &["ES256"]),
        ("es384", &["ES384"]),
        ("es512", &["ES512"]),
        ("eddsa", &["EdDSA", "Ed25519"]),
    ] {
        let key = judged(&public(name)).public.unwrap();
        assert_eq!(algorithms(&key), its_own, "{name}");
        for alg in all {
            let expected = (!its_own.contains(&alg)).then_some(Reason::UnsupportedAlgorithm);
            assert_judged(&format!("{name} {alg}"), &with(public(name), json!({ "alg": alg })), expected);
        }
    }
}

/// An odd number of so many bits, the highest of them set.
fn modulus(bits: usize) -> Vec<u8> {
    let mut bytes = vec![0x55; bits.div_ceil(8)];
    bytes[0] = 1 << ((bits - 1) % 8);
    *bytes.last_mut().unwrap() |= 1;
    bytes
}

fn rsa(n: &[u8], e: &[u8]) -> Json {
    json!({ "kty": "RSA", "n": Base64UrlUnpadded::encode_string(n), "e": Base64UrlUnpadded::encode_string(e) })
}

#[test]
fn rsa_is_bounded_to_the_bit() {
    for (bits, expected) in [
        (8, Some(Reason::Weak)),
        (2040, Some(Reason::Weak)),
        (2047, Some(Reason::Weak)),
        (2048, None),
        (2049, None),
        (4096, None),
        (16_384, None),
        (16_385, Some(Reason::Weak)),
    ] {
        assert_judged(&format!("{bits} bits"), &rsa(&modulus(bits), &[1, 0, 1]), expected);
    }
}

#[test]
fn rsa_exponents_are_odd_and_neither_one_nor_huge() {
    for (e, expected) in [
        (&[0][..], Some(Reason::Malformed)),
        (&[1], Some(Reason::Weak)),
        (&[0, 0, 1], Some(Reason::Weak)),
        (&[2], Some(Reason::Weak)),
        (&[1, 0, 0], Some(Reason::Weak)),
        (&[3], None),
        (&[17], None),
        (&[255, 255, 255, 255], None),
        (&[1, 0, 0, 0, 1], Some(Reason::Weak)),
    ] {
        assert_judged(&format!("e = {e:?}"), &rsa(&modulus(2048), e), expected);
    }
}

/// RFC 7515, section 2: without padding, line breaks, or anything else. Bits beyond the last byte are zero, or one key
/// would have several texts.
#[test]
fn base64url_is_read_to_the_letter() {
    let (n, x) = (public("rs256")["n"].clone(), public("es256")["x"].clone());
    let (n, x) = (n.as_str().unwrap(), x.as_str().unwrap());
    assert_eq!((n.len() % 4, x.len() % 4), (2, 3), "what is to be padded");
    let beyond = |text: &str| {
        // The last letter of 43 has two bits that count for nothing, and its successor differs in one of them.
        let (rest, last) = text.split_at(text.len() - 1);
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let next = alphabet.find(last).unwrap() + 1;
        format!("{rest}{}", &alphabet[next..=next])
    };
    for (name, member, text) in [
        ("rs256", "n", format!("{n}==")),
        ("rs256", "n", format!("{n}=")),
        ("rs256", "n", format!("{n}\n")),
        ("rs256", "n", format!(" {n}")),
        ("rs256", "n", n.replacen('_', "/", 1)),
        ("rs256", "n", format!("{}é", &n[..n.len() - 2])),
        ("rs256", "e", "AQAB====".into()),
        ("rs256", "e", "A".into()),
        ("es256", "x", format!("{x}=")),
        ("es256", "x", beyond(x)),
    ] {
        let key = with(public(name), json!({ member: text }));
        assert_judged(&format!("{name} {member} = {text}"), &key, Some(Reason::Malformed));
    }
}

#[test]
fn messages_are_one_short_line_whatever_a_provider_wrote() {
    let long = format!("a\n\u{1b}[31m\u{7f}{}", "x".repeat(400));
    for changes in [json!({ "kty": long }), json!({ "use": long }), json!({ "alg": long })] {
        let message = judged(&with(public("rs256"), changes)).verdict.message.unwrap();
        assert!(message.len() < 120 && !message.chars().any(char::is_control), "{message:?}");
    }
    for name in ["es256", "eddsa"] {
        let message = judged(&with(public(name), json!({ "crv": long }))).verdict.message.unwrap();
        assert!(message.len() < 120 && !message.chars().any(char::is_control), "{message:?}");
    }
}
