//! The key fixtures as data; `tests/fixtures/make.ts` says how they were made.

use idp_janitor::jwks::key::{JudgedKey, judge};
use serde_json::{Map, Value as Json, json};

/// A set as Google serves it: two RSA keys.
pub const GOOGLE: &str = include_str!("../../fixtures/google.json");
/// A set as Microsoft serves it: three RSA keys with certificates, and members that nothing registers.
pub const MICROSOFT: &str = include_str!("../../fixtures/microsoft.json");

/// Members that are never kept or told, in the order of the RFCs that register them.
pub const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// Members that are kept.
pub const PUBLIC: [&str; 13] =
    ["kty", "use", "key_ops", "alg", "kid", "crv", "x", "y", "n", "e", "x5c", "x5t", "x5t#S256"];

/// Keys that no set should hold, by what is odd about them.
pub fn odd_keys() -> Map<String, Json> {
    members(include_str!("../../fixtures/odd-keys.json"), "keys")
}

/// An odd key.
pub fn odd(name: &str) -> Json {
    odd_keys()[name].clone()
}

/// The names of the keys with which tests sign.
pub fn names() -> Vec<String> {
    signing_keys().keys().cloned().collect()
}

/// A key with its private half.
pub fn private(name: &str) -> Json {
    signing_keys()[name].clone()
}

/// A key as its provider publishes it.
pub fn public(name: &str) -> Json {
    let mut key = private(name);
    key.as_object_mut().unwrap().retain(|member, _| !PRIVATE.contains(&member.as_str()));
    key
}

/// The examples of the RFCs.
pub fn rfc() -> Map<String, Json> {
    let Json::Object(members) = serde_json::from_str(include_str!("../../fixtures/rfc.json")).unwrap() else {
        panic!("no object")
    };
    members
}

/// A key with some members set to something else; a null takes a member away.
pub fn with(mut key: Json, changes: Json) -> Json {
    let Json::Object(changes) = changes else { panic!("no object") };
    for (name, value) in changes {
        if value.is_null() {
            key.as_object_mut().unwrap().remove(&name);
        } else {
            key[name] = value;
        }
    }
    key
}

/// The text of a set of such keys.
pub fn set(keys: &[Json]) -> String {
    json!({ "keys": keys }).to_string()
}

/// What is made of one key.
pub fn judged(key: &Json) -> JudgedKey {
    judge(serde_json::from_value(key.clone()).unwrap())
}

fn signing_keys() -> Map<String, Json> {
    members(include_str!("../../fixtures/keys.json"), "keys")
}

fn members(text: &str, name: &str) -> Map<String, Json> {
    let fixture: Json = serde_json::from_str(text).unwrap();
    fixture[name].as_object().unwrap().clone()
}
