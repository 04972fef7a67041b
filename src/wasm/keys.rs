//! The surface of the key side.

use super::convert::{parse, read, throwable, thrown, write};
use crate::error::Error;
use crate::instant::Instant;
use crate::jwks::effect::Outcome;
use crate::jwks::entry::{Attempt, CacheKeys, Entry};
use crate::jwks::key::Verdict;
use crate::jwks::provider::{Policy, Provider};
use crate::jwks::refresh::Refresh;
use crate::jwks::set::KeySet;
use crate::jwks::token::{Expected, TokenError, claims_hold, may_verify};
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"import type { CacheKeys, CorePolicy, CoreProvider, KeyEffect, KeyOutcome, StoredForm } from "../keys/effects.js";
import type { FailedAttempt, JudgedKeySet, KeyVerdict } from "../keys/report.js";"#;

/// The refresh of one provider's keys. Free it when it is over.
#[wasm_bindgen(js_name = Refresh)]
pub struct WasmRefresh(Refresh);

#[wasm_bindgen(js_class = Refresh)]
impl WasmRefresh {
    /// Begins a refresh; `previous` is the entry that the cache has. Throws `{ code, message }`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "CoreProvider")] provider: JsValue,
        #[wasm_bindgen(unchecked_param_type = "CorePolicy")] policy: JsValue,
        now: &str,
        previous: Option<String>,
    ) -> Result<Self, JsValue> {
        Refresh::new(read_provider(&provider)?, read_policy(&policy)?, instant(now)?, previous.as_deref())
            .map(Self)
            .map_err(|error| thrown(&error))
    }

    /// Takes in what came of the last effect and gives the next. Throws `{ code, message }`.
    #[wasm_bindgen(unchecked_return_type = "KeyEffect")]
    pub fn next(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "KeyOutcome")] outcome: JsValue,
    ) -> Result<JsValue, JsValue> {
        write(&self.0.next(read::<Outcome>(&outcome)?))
    }
}

/// The keys that the cache has of a provider.
#[wasm_bindgen(js_name = StoredKeys)]
pub struct WasmStoredKeys {
    entry: Entry,
    set: KeySet,
    policy: Policy,
}

/// A stored entry, with the verdicts on its keys.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoredForm<'a> {
    entry: &'a Entry,
    keys: Vec<&'a Verdict>,
    usable_until: Instant,
}

#[wasm_bindgen(js_class = StoredKeys)]
impl WasmStoredKeys {
    /// Reads an entry of this provider as it is configured now; nothing where it is none.
    pub fn read(
        text: &str,
        #[wasm_bindgen(unchecked_param_type = "CoreProvider")] provider: JsValue,
        #[wasm_bindgen(unchecked_param_type = "CorePolicy")] policy: JsValue,
    ) -> Result<Option<Self>, JsValue> {
        let policy = read_policy(&policy)?;
        Ok(Entry::read(text, &read_provider(&provider)?).map(|(entry, set)| Self { entry, set, policy }))
    }

    /// Whether they may be used at an instant, in milliseconds since 1970: `fresh`, `stale` or `too_old`.
    #[wasm_bindgen(unchecked_return_type = "\"fresh\" | \"stale\" | \"too_old\"")]
    pub fn state(&self, now: f64) -> String {
        self.entry.state(&self.policy, Instant::from_unix_millis(now)).name().into()
    }

    /// All that is known of them.
    #[wasm_bindgen(unchecked_return_type = "StoredForm")]
    pub fn form(&self) -> Result<JsValue, JsValue> {
        let usable_until = self.entry.usable_until(&self.policy);
        write(&StoredForm { entry: &self.entry, keys: self.set.verdicts().collect(), usable_until })
    }

    /// Whether there is a key of that id.
    pub fn has(&self, kid: &str) -> bool {
        self.set.has(kid)
    }

    /// The thumbprints of the keys that may have made a signature.
    pub fn candidates(&self, alg: &str, kid: Option<String>) -> Vec<String> {
        self.set.candidates(alg, kid.as_deref()).map(|(_, thumbprint)| thumbprint.to_owned()).collect()
    }

    /// The key of that thumbprint.
    #[wasm_bindgen(unchecked_return_type = "JsonWebKey")]
    pub fn key(&self, thumbprint: &str) -> Result<JsValue, JsValue> {
        write(&self.set.by_thumbprint(thumbprint))
    }
}

/// A key set that was judged.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Judged<'a> {
    keys: Vec<&'a Verdict>,
    warnings: Vec<String>,
    key_set: String,
}

/// Reads and judges the text of a key set. Throws `{ code, message }`.
#[wasm_bindgen(js_name = parseKeySet, unchecked_return_type = "JudgedKeySet")]
pub fn parse_key_set(text: &str) -> Result<JsValue, JsValue> {
    let set = KeySet::parse(text).map_err(|error| throwable(error.code(), &error.to_string()))?;
    write(&Judged { keys: set.verdicts().collect(), warnings: set.warnings(), key_set: set.to_json() })
}

/// Holds a provider against what it may be. Throws `{ code, message }`.
#[wasm_bindgen(js_name = checkProvider)]
pub fn check_provider(#[wasm_bindgen(unchecked_param_type = "CoreProvider")] provider: JsValue) -> Result<(), JsValue> {
    read_provider(&provider)?.check().map_err(|error| thrown(&error))
}

/// Holds the policy against what it may be. Throws `{ code, message }`.
#[wasm_bindgen(js_name = checkPolicy)]
pub fn check_policy(#[wasm_bindgen(unchecked_param_type = "CorePolicy")] policy: JsValue) -> Result<(), JsValue> {
    read_policy(&policy)?.check().map_err(|error| thrown(&error))
}

/// Under which keys the cache keeps what belongs to a provider.
#[wasm_bindgen(js_name = cacheKeys, unchecked_return_type = "CacheKeys")]
pub fn cache_keys(provider: &str) -> Result<JsValue, JsValue> {
    write(&CacheKeys::of(provider))
}

/// Reads the record of an attempt that failed.
#[wasm_bindgen(js_name = readAttempt, unchecked_return_type = "FailedAttempt | undefined")]
pub fn read_attempt(text: &str) -> Result<JsValue, JsValue> {
    Attempt::read(text).map_or(Ok(JsValue::UNDEFINED), |attempt| write(&attempt))
}

/// What tokens of a provider are held against.
#[wasm_bindgen(js_name = TokenRules)]
pub struct WasmTokenRules {
    algorithms: Vec<String>,
    issuer: String,
}

#[wasm_bindgen(js_class = TokenRules)]
impl WasmTokenRules {
    /// Those of a provider: the algorithms that it may sign with, and its issuer.
    #[wasm_bindgen(constructor)]
    pub fn new(algorithms: Vec<String>, issuer: String) -> Self {
        Self { algorithms, issuer }
    }

    /// Whether a token may be verified, and with which key. Throws `{ code, message }`.
    #[wasm_bindgen(js_name = mayVerify, unchecked_return_type = "{ alg: string; kid?: string }")]
    pub fn may_verify(&self, token: &str) -> Result<JsValue, JsValue> {
        may_verify(token, &self.algorithms).map_err(|error| refused(&error)).and_then(|signed| write(&signed))
    }

    /// Whether the claims of a token hold whose signature has been verified; `now` in seconds since 1970. Throws
    /// `{ code, message }`.
    #[wasm_bindgen(js_name = claimsHold)]
    pub fn claims_hold(
        &self,
        token: &str,
        audience: Vec<String>,
        nonce: Option<String>,
        now: f64,
    ) -> Result<(), JsValue> {
        let expected = Expected { issuer: self.issuer.clone(), audience, nonce, now };
        claims_hold(token, &expected).map_err(|error| refused(&error))
    }
}

fn refused(error: &TokenError) -> JsValue {
    throwable(error.code(), &error.to_string())
}

fn read_provider(provider: &JsValue) -> Result<Provider, JsValue> {
    parse::<Provider>(provider).map_err(|shape| invalid("a provider", &shape.to_string()))
}

fn read_policy(policy: &JsValue) -> Result<Policy, JsValue> {
    parse::<Policy>(policy).map_err(|shape| invalid("an option of keys", &shape.to_string()))
}

fn invalid(name: &str, shape: &str) -> JsValue {
    throwable("invalid_setting", &format!("{name} is not as documented: {shape}"))
}

fn instant(text: &str) -> Result<Instant, JsValue> {
    Instant::parse(text).map_err(|error: Error| thrown(&error))
}
