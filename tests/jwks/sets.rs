//! Sets as a whole: what is none, how large one may be, and what a person is told of it.

use crate::jwks::fixtures::{GOOGLE, MICROSOFT, odd, public, set, with};
use crate::seeds::runner;
use idp_janitor::jwks::error::KeySetError;
use idp_janitor::jwks::json::{MOST_BYTES, MOST_LEVELS};
use idp_janitor::jwks::set::{KeySet, MOST_KEYS};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn code(text: &str) -> Option<&'static str> {
    KeySet::parse(text).err().map(|error| error.code())
}

#[test]
fn what_is_no_key_set_is_refused_with_a_code() {
    let good = public("es256");
    for (text, expected) in [
        (String::new(), "key_set_not_json"),
        ("<!DOCTYPE html><title>Sign in</title>".into(), "key_set_not_json"),
        ("\u{feff}{}".into(), "key_set_not_json"),
        (format!("{GOOGLE}x"), "key_set_not_json"),
        (GOOGLE[..GOOGLE.len() / 2].into(), "key_set_not_json"),
        (r#"{"keys":["\ud800"]}"#.into(), "key_set_not_json"),
        (r#"{"keys":[1e999]}"#.into(), "key_set_not_json"),
        ("[]".into(), "key_set_malformed"),
        ("null".into(), "key_set_malformed"),
        ("\"keys\"".into(), "key_set_malformed"),
        (good.to_string(), "key_set_malformed"),
        (json!([good]).to_string(), "key_set_malformed"),
        ("{}".into(), "key_set_malformed"),
        (json!({ "Keys": [good] }).to_string(), "key_set_malformed"),
        (json!({ "keys": null }).to_string(), "key_set_malformed"),
        (json!({ "keys": { "0": good } }).to_string(), "key_set_malformed"),
        (json!({ "keys": good }).to_string(), "key_set_malformed"),
        (set(&[]), "key_set_empty"),
        (set(&[Json::Null]), "key_set_unusable"),
        (set(&[odd("rsa-private"), odd("oct-secret"), odd("rsa-1024")]), "key_set_unusable"),
    ] {
        assert_eq!(code(&text), Some(expected), "{}", &text[..text.len().min(80)]);
    }
}

#[test]
fn is_bounded_in_bytes_keys_and_levels() {
    assert_eq!((MOST_BYTES, MOST_KEYS, MOST_LEVELS), (1_048_576, 100, 16));
    let padded = |bytes: usize| format!("{GOOGLE}{}", " ".repeat(bytes - GOOGLE.len()));
    assert_eq!(code(&padded(MOST_BYTES)), None);
    let error = KeySetError::TooLarge { bytes: MOST_BYTES + 1, most: MOST_BYTES };
    assert_eq!(KeySet::parse(&padded(MOST_BYTES + 1)), Err(error));
    let of = |keys: usize| set(&vec![public("es256"); keys]);
    assert_eq!(code(&of(MOST_KEYS)), None);
    assert_eq!(KeySet::parse(&of(MOST_KEYS + 1)), Err(KeySetError::TooMany { keys: 101, most: 100 }));
    // The list, the key, and the set are three levels by themselves.
    let nested = |levels: usize| {
        let inner = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"keys":[{},{{"more":{inner}}}]}}"#, public("es256"))
    };
    assert_eq!(code(&nested(MOST_LEVELS - 3)), None);
    assert_eq!(code(&nested(MOST_LEVELS - 2)), Some("key_set_too_deep"));
    for (brackets, times) in [("[", 200_000), ("{", 200_000), ("[{", 100_000), ("{\"a\":[", 100_000)] {
        assert_eq!(code(&brackets.repeat(times)), Some("key_set_too_deep"), "{brackets}");
    }
    // In strings they are text like any other.
    let text = set(&[public("es256"), json!({ "kid": "[".repeat(200_000) })]);
    assert_eq!(code(&text), None);
}

/// RFC 8259, section 4, leaves it open; JavaScript takes the last, too.
#[test]
fn of_members_of_one_name_the_last_counts() {
    let [first, last] = ["rs256", "es256"].map(|name| set(&[public(name)]));
    let both = format!("{},{}", first.strip_suffix('}').unwrap(), last.strip_prefix('{').unwrap());
    let set = KeySet::parse(&both).unwrap();
    assert_eq!(set.usable().map(|key| key.kid.as_deref()).collect::<Vec<_>>(), [Some("es256")]);
}

#[test]
fn says_of_the_first_five_keys_why_none_can_be_used() {
    let keys: Vec<Json> = (0..7).map(|at| with(odd("use-enc"), json!({ "kid": format!("k{at}") }))).collect();
    let text = KeySet::parse(&set(&keys)).unwrap_err().to_string();
    assert!(text.starts_with("none of the 7 keys of the set can be used: the key `k0`: its `use` is `enc`"), "{text}");
    assert!(text.contains("`k4`") && !text.contains("`k5`"), "{text}");
}

#[test]
fn tells_a_person_the_worst_first() {
    let nameless = with(public("es384"), json!({ "kid": null }));
    let keys = [
        odd("use-enc"),
        public("es256"),
        with(public("rs256"), json!({ "kid": "es256" })),
        odd("rsa-private"),
        nameless.clone(),
        with(odd("rsa-1024"), json!({ "kid": null })),
        json!(5),
        with(odd("oct-secret"), json!({ "kid": null })),
    ];
    let after = "it is not used, and none of it is stored: tell the provider at once";
    let private = "its private half is published (`d`, `p`, `q`, `dp`, `dq`, `qi`): whoever can read it can sign";
    assert_eq!(
        KeySet::parse(&set(&keys)).unwrap().warnings(),
        [
            format!("SECRET PUBLISHED: the key `rsa-private`: {private}; {after}"),
            format!(
                "SECRET PUBLISHED: a key of type `oct` without an id: a symmetric key: whoever can read it can sign; {after}"
            ),
            "set aside: the key `use-enc`: its `use` is `enc`, not `sig`".into(),
            "set aside: a key of type `RSA` without an id: RSA of 1024 bits; 2048 are the least".into(),
            "set aside: a key without an id: expected an object".into(),
            "2 keys have the id `es256`".into(),
            "1 usable key(s) without an id".into(),
        ]
    );
    for text in [GOOGLE, MICROSOFT, &set(&[public("es256")])] {
        assert_eq!(KeySet::parse(text).unwrap().warnings(), Vec::<String>::new());
    }
    // A key that is not used takes nobody's id.
    let set = KeySet::parse(&set(&[public("es256"), with(odd("use-enc"), json!({ "kid": "es256" }))])).unwrap();
    assert_eq!(set.warnings().len(), 1, "{:?}", set.warnings());
}

#[test]
fn gives_the_keys_that_may_have_made_a_signature() {
    let keys = [
        public("rs256"),
        with(public("rs256-next"), json!({ "alg": null })),
        with(public("es256"), json!({ "kid": "rs256" })),
        with(public("es384"), json!({ "kid": null })),
        with(public("eddsa"), json!({ "alg": null })),
        with(odd("alg-symmetric"), json!({ "kid": "rs256" })),
        with(odd("rsa-1024"), json!({ "alg": null })),
    ];
    let set = KeySet::parse(&set(&keys)).unwrap();
    let thumbprints: Vec<_> = set.verdicts().map(|verdict| verdict.thumbprint.clone()).collect();
    for (alg, kid, expected) in [
        ("RS256", None, &[0, 1][..]),
        ("RS256", Some("rs256"), &[0]),
        ("RS256", Some("rs256-next"), &[1]),
        ("PS256", None, &[1]),
        ("RS256", Some("RS256"), &[]),
        ("RS256", Some(""), &[]),
        ("ES256", None, &[2]),
        ("ES256", Some("rs256"), &[2]),
        ("ES384", None, &[3]),
        ("ES384", Some("es384"), &[]),
        ("EdDSA", None, &[4]),
        ("Ed25519", Some("eddsa"), &[4]),
        ("HS256", None, &[]),
        ("HS256", Some("rs256"), &[]),
        ("none", None, &[]),
        ("", None, &[]),
    ] {
        let found: Vec<_> = set.candidates(alg, kid).map(|(_, thumbprint)| Some(thumbprint.to_owned())).collect();
        let expected: Vec<_> = expected.iter().map(|at: &usize| thumbprints[*at].clone()).collect();
        assert_eq!(found, expected, "{alg} {kid:?}");
    }
    assert!(set.has("rs256") && set.has("eddsa") && !set.has("es384") && !set.has("rsa-1024") && !set.has(""));
}

/// None of it is a set with a usable key, and none of it makes a panic.
#[test]
fn pieces_of_json_are_refused() {
    let pieces =
        ["{", "}", "[", "]", ",", ":", "\"keys\"", "\"kty\"", "\"RSA\"", "\"\\", "\"", "null", "1e5", "-", " "];
    let texts = vec(proptest::sample::select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.concat());
    let property = |text: String| {
        prop_assert!(code(&text).is_some(), "{}", text);
        Ok(())
    };
    runner(24, 3_000).run(&texts, property).unwrap();
}
