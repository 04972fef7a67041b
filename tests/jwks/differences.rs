//! How one set differs from another, and that what is stored is the same set again.

use crate::jwks::fixtures::{names, odd_keys, public, set, with};
use crate::seeds::runner;
use idp_janitor::jwks::set::{Difference, KeySet};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};

fn parse(keys: &[Json]) -> KeySet {
    KeySet::parse(&set(keys)).unwrap()
}

fn difference(added: &[&str], removed: &[&str], changed: &[&str]) -> Difference {
    let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    Difference { added: owned(added), removed: owned(removed), changed: owned(changed) }
}

#[test]
fn ids_come_go_and_change_hands() {
    let key = |name: &str, kid: &str| with(public(name), json!({ "kid": kid }));
    let nameless = |name: &str| with(public(name), json!({ "kid": null }));
    let print = |name: &str| parse(&[public(name)]).verdicts().next().unwrap().thumbprint.clone().unwrap();
    let (es256, es384) = (print("es256"), print("es384"));
    let odd = odd_keys();
    for (what, before, now, expected) in [
        ("nothing", vec![key("es256", "a")], vec![key("es256", "a")], difference(&[], &[], &[])),
        (
            "their order",
            vec![key("es256", "a"), key("es384", "b")],
            vec![key("es384", "b"), key("es256", "a")],
            difference(&[], &[], &[]),
        ),
        ("a rotation", vec![key("es256", "a")], vec![key("es384", "b")], difference(&["b"], &["a"], &[])),
        (
            "an overlap",
            vec![key("es256", "a")],
            vec![key("es256", "a"), key("es384", "b")],
            difference(&["b"], &[], &[]),
        ),
        ("another key, same id", vec![key("es256", "a")], vec![key("es384", "a")], difference(&[], &[], &["a"])),
        ("another id, same key", vec![key("es256", "a")], vec![key("es256", "b")], difference(&["b"], &["a"], &[])),
        (
            "a second key under an id",
            vec![key("es256", "a")],
            vec![key("es256", "a"), key("es384", "a")],
            difference(&[], &[], &["a"]),
        ),
        (
            "two keys under an id, in another order",
            vec![key("es256", "a"), key("es384", "a")],
            vec![key("es384", "a"), key("es256", "a")],
            difference(&[], &[], &[]),
        ),
        (
            "one of two keys under an id",
            vec![key("es256", "a"), key("es384", "a")],
            vec![key("es256", "a"), key("es512", "a")],
            difference(&[], &[], &["a"]),
        ),
        ("keys without id", vec![nameless("es256")], vec![nameless("es384")], difference(&[&es384], &[&es256], &[])),
        ("a key without id stays", vec![nameless("es256")], vec![nameless("es256")], difference(&[], &[], &[])),
        ("an id is given", vec![nameless("es256")], vec![key("es256", "a")], difference(&["a"], &[&es256], &[])),
        (
            "a key that is not used",
            vec![key("es256", "a")],
            vec![key("es256", "a"), odd["use-enc"].clone(), odd["rsa-private"].clone()],
            difference(&[], &[], &[]),
        ),
        (
            "a key that is used no more",
            vec![key("es256", "a"), key("rs256", "b")],
            vec![key("es256", "a"), with(public("rs256"), json!({ "kid": "b", "use": "enc" }))],
            difference(&[], &["b"], &[]),
        ),
        (
            "several",
            vec![key("es256", "c"), key("es384", "b"), key("es512", "a")],
            vec![key("eddsa", "c"), key("rs256", "y"), key("es512", "a"), key("es384", "x")],
            difference(&["x", "y"], &["b"], &["c"]),
        ),
    ] {
        assert_eq!(parse(&now).difference(Some(&parse(&before))), expected, "{what}");
    }
    let first = parse(&[key("es256", "a"), nameless("es384")]);
    let mut all = [es384.as_str(), "a"];
    all.sort_unstable();
    assert_eq!(first.difference(None), difference(&all, &[], &[]));
}

/// A set of anything with one usable key at least.
fn sets() -> impl Strategy<Value = Vec<Json>> {
    let odd = odd_keys().into_iter().map(|(_, key)| key);
    let mut pool: Vec<Json> = names().iter().map(|name| public(name)).chain(odd).collect();
    let more = json!({ "key_ops": ["verify"], "x5c": ["\"\\\u{0}é"], "x5t": "", "issuer": "x", "kid": "\u{1b}\"" });
    pool.extend(["rs256", "es512"].map(|name| with(public(name), more.clone())));
    let (usable, kids) = (select(vec!["rs256", "es256", "eddsa"]), select(vec![json!(null), json!("a"), json!("b")]));
    (vec((select(pool), kids, any::<bool>()), 0..8), usable, any::<prop::sample::Index>()).prop_map(
        |(keys, usable, at)| {
            let renamed = |(key, kid, rename)| if rename { with(key, json!({ "kid": kid })) } else { key };
            let mut keys: Vec<Json> = keys.into_iter().map(renamed).collect();
            keys.insert(at.index(keys.len() + 1), public(usable));
            keys
        },
    )
}

#[test]
fn what_is_stored_is_the_same_set_again() {
    let property = |keys: Vec<Json>| {
        let set = parse(&keys);
        let text = set.to_json();
        let again = KeySet::parse(&text).unwrap();
        prop_assert_eq!(again.to_json(), text);
        prop_assert_eq!(again.usable().collect::<Vec<_>>(), set.usable().collect::<Vec<_>>());
        prop_assert!(again.verdicts().all(|verdict| verdict.usable));
        prop_assert!(again.difference(Some(&set)).is_empty() && set.difference(Some(&again)).is_empty());
        let usable: Vec<_> = set.verdicts().filter(|verdict| verdict.usable).cloned().collect();
        prop_assert_eq!(again.verdicts().cloned().collect::<Vec<_>>(), usable);
        Ok(())
    };
    runner(25, 400).run(&sets(), property).unwrap();
}

/// What came is what went, seen from the other side.
#[test]
fn a_difference_has_two_sides() {
    let property = |(one, other): (Vec<Json>, Vec<Json>)| {
        let (one, other) = (parse(&one), parse(&other));
        let (there, back) = (one.difference(Some(&other)), other.difference(Some(&one)));
        prop_assert_eq!(&there.added, &back.removed);
        prop_assert_eq!(&there.removed, &back.added);
        prop_assert_eq!(&there.changed, &back.changed);
        let lists = [there.added, there.removed, there.changed];
        prop_assert!(lists.iter().all(|ids| ids.is_sorted()), "{:?}", lists);
        Ok(())
    };
    runner(26, 300).run(&(sets(), sets()), property).unwrap();
}
