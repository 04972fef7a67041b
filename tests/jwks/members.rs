//! What of a key is kept, and that nothing secret of it ever is.

use crate::jwks::fixtures::{GOOGLE, MICROSOFT, PRIVATE, PUBLIC, judged, odd, odd_keys, public, set, with};
use crate::seeds::runner;
use idp_janitor::jwks::key::Reason;
use idp_janitor::jwks::set::KeySet;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::{Value as Json, json};

const MARKER: &str = "PRIVATE-7f3a";

/// The keys of the stored text.
fn stored(set: &KeySet) -> Vec<Json> {
    let stored: Json = serde_json::from_str(&set.to_json()).unwrap();
    assert_eq!(stored.as_object().unwrap().keys().collect::<Vec<_>>(), ["keys"]);
    stored["keys"].as_array().unwrap().clone()
}

#[test]
fn a_set_of_google_is_kept_whole() {
    let google: Json = serde_json::from_str(GOOGLE).unwrap();
    assert_eq!(json!(stored(&KeySet::parse(GOOGLE).unwrap())), google["keys"]);
}

#[test]
fn a_set_of_microsoft_is_kept_with_its_certificates_and_without_what_nothing_registers() {
    let microsoft: Json = serde_json::from_str(MICROSOFT).unwrap();
    let expected = microsoft["keys"].as_array().unwrap().clone();
    assert!(expected.iter().all(|key| key["x5c"].is_array() && key["issuer"].is_string()));
    let without = json!({ "issuer": null, "cloud_instance_name": null });
    let expected: Vec<Json> = expected.into_iter().map(|key| with(key, without.clone())).collect();
    assert_eq!(stored(&KeySet::parse(MICROSOFT).unwrap()), expected);
}

#[test]
fn every_registered_public_member_is_kept_but_for_operations() {
    let more = json!({
        "key_ops": ["verify", "encrypt"], "x5c": ["MIIB", "MIIC"], "x5t": "one", "x5t#S256": "two",
        "x5u": "https://id.test/certificate", "exp": 1, "iss": "x", "nested": { "d": MARKER },
    });
    for name in ["rs256", "es256", "eddsa"] {
        let key = with(public(name), more.clone());
        let kept = stored(&KeySet::parse(&set(std::slice::from_ref(&key))).unwrap());
        let expected = key
            .as_object()
            .unwrap()
            .iter()
            .filter(|(member, _)| PUBLIC.contains(&member.as_str()) && *member != "key_ops");
        assert_eq!(kept, [Json::Object(expected.map(|(member, value)| (member.clone(), value.clone())).collect())]);
    }
}

/// A key of any kind with any of the private members: none of it is in what is stored or told, and its key is not used.
#[test]
fn nothing_private_is_ever_stored_or_told() {
    let marked = select(vec![
        json!(MARKER),
        json!([MARKER]),
        json!([{ "r": MARKER, "d": MARKER, "t": MARKER }]),
        json!({ "d": MARKER }),
        json!(7),
        json!(""),
    ]);
    let hosts: Vec<Json> = ["rs256", "es256", "es384", "es512", "eddsa"]
        .map(public)
        .into_iter()
        .chain(odd_keys().into_iter().map(|(_, key)| key))
        .chain([json!({}), json!({ "kty": "oct" }), json!({ "kty": "new" })])
        .collect();
    let cases = (select(hosts), subsequence(PRIVATE.to_vec(), 0..=PRIVATE.len()), marked, any::<Index>());
    let property = |(mut key, members, value, at): (Json, Vec<&str>, Json, Index)| {
        for member in PRIVATE {
            key.as_object_mut().unwrap().remove(member);
        }
        for member in &members {
            key[*member] = value.clone();
        }
        let mut keys = vec![public("es256-next"), public("rs256-next")];
        keys.insert(at.index(3), key.clone());
        let set = KeySet::parse(&set(&keys)).unwrap();
        let told = set.verdicts().map(|verdict| serde_json::to_string(verdict).unwrap());
        for text in told.chain(set.warnings()).chain([set.to_json()]) {
            prop_assert!(!text.contains(MARKER), "{}", text);
        }
        for kept in stored(&set) {
            prop_assert!(kept.as_object().unwrap().keys().all(|member| PUBLIC.contains(&member.as_str())));
        }
        let verdict = judged(&key).verdict;
        if !members.is_empty() {
            let secret = matches!(verdict.reason, Some(Reason::Private | Reason::Symmetric));
            prop_assert!(secret && set.warnings()[0].starts_with("SECRET PUBLISHED"), "{:?}", set.warnings());
        }
        Ok(())
    };
    runner(23, 1_000).run(&cases, property).unwrap();
}

/// Regression: a member of another shape came first, and that a secret is published was not told.
#[test]
fn a_published_secret_is_told_whatever_else_is_wrong_with_its_key() {
    for (name, reason) in [("oct-secret", Reason::Symmetric), ("rsa-private", Reason::Private)] {
        for changes in [
            json!({ "kid": 5 }),
            json!({ "kid": "x".repeat(513) }),
            json!({ "alg": ["HS256"] }),
            json!({ "x5c": "MIIB" }),
            json!({ "n": 5 }),
            json!({ "use": "enc", "key_ops": [] }),
        ] {
            let set = KeySet::parse(&set(&[public("es256"), with(odd(name), changes.clone())])).unwrap();
            assert_eq!(set.verdicts().nth(1).unwrap().reason, Some(reason), "{name} {changes}");
            assert!(set.warnings()[0].starts_with("SECRET PUBLISHED"), "{name} {changes}: {:?}", set.warnings());
        }
    }
    // Whose type cannot be read may be anything, a shared secret included.
    for key in [json!({ "kty": ["oct"], "k": MARKER }), json!({ "k": MARKER }), json!({ "kty": "AKP", "priv": MARKER })]
    {
        assert_eq!(judged(&key).verdict.reason, Some(Reason::Private), "{key}");
    }
    // Nothing is published by nothing.
    let mut key = public("es256");
    key["d"] = Json::Null;
    assert!(judged(&key).verdict.usable);
}
