//! What must hold whatever is read: the bodies of the fuzz targets, which `tests/fuzz_targets.rs` runs, too.
//!
//! To look for more than that, with cargo-fuzz and a C++ compiler:
//! `cargo fuzz run --sanitizer none key_set -- -max_total_time=300`, or `token`, or `refresh`. It adds what it meets to
//! `corpus/`; keep what failed, and every test run has it.

use base64ct::{Base64UrlUnpadded, Encoding};
use idp_janitor::instant::Instant;
use idp_janitor::jwks::effect::{
    Answer, Effect, Ended, FailureKind, Fetch, FetchFailure, Outcome, Refreshed, Response,
};
use idp_janitor::jwks::entry::{Attempt, CacheKeys, Entry};
use idp_janitor::jwks::provider::{Policy, Provider};
use idp_janitor::jwks::refresh::Refresh;
use idp_janitor::jwks::set::KeySet;
use idp_janitor::jwks::token::{Expected, claims_hold, may_verify};
use serde_json::Value as Json;

/// All members that a stored key may have.
const PUBLIC: [&str; 13] = ["kty", "use", "key_ops", "alg", "kid", "crv", "x", "y", "n", "e", "x5c", "x5t", "x5t#S256"];

/// The text of a key set.
pub fn key_set(data: &[u8]) {
    let Ok(set) = std::str::from_utf8(data).map_err(drop).and_then(|text| KeySet::parse(text).map_err(drop)) else {
        return;
    };
    let stored = set.to_json();
    assert_public(&stored);
    let again = KeySet::parse(&stored).expect("what is stored can be read");
    assert_eq!(again.to_json(), stored);
    assert!(again.usable().eq(set.usable()) && again.verdicts().all(|verdict| verdict.usable));
    assert!(set.difference(Some(&set)).is_empty() && again.difference(Some(&set)).is_empty());
    assert_eq!(set.difference(None).added.is_empty(), set.usable().next().is_none());
    for verdict in set.verdicts() {
        assert_eq!(verdict.usable, verdict.reason.is_none() && verdict.message.is_none());
        assert!(!verdict.usable || verdict.thumbprint.is_some());
        assert!(verdict.kty.as_deref() != Some("oct") || verdict.thumbprint.is_none() && !verdict.usable);
    }
    assert!(set.warnings().iter().all(|warning| !warning.is_empty()));
}

/// A token, or the texts of its header and its claims in a line each.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    both_questions(text);
    if let Some((header, claims)) = text.split_once('\n') {
        let encoded = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        both_questions(&format!("{}.{}.c2ln", encoded(header), encoded(claims)));
    }
}

fn both_questions(token: &str) {
    let algorithms = ["RS256", "ES256", "EdDSA"].map(str::to_owned);
    if let Ok(signed) = may_verify(token, &algorithms) {
        let header = part(token, 0);
        assert!(algorithms.contains(&signed.alg) && header["alg"] == signed.alg.as_str());
        assert!(header.get("crit").is_none());
        assert_eq!(header.get("kid").and_then(Json::as_str), signed.kid.as_deref());
    }
    let now = 1_800_000_000.0;
    for (issuer, nonce) in [("https://id.test", Some("n-1")), ("https://login.test/{tenantid}/v2.0", None)] {
        let expected =
            Expected { issuer: issuer.into(), audience: vec!["client".into()], nonce: nonce.map(str::to_owned), now };
        if claims_hold(token, &expected).is_err() {
            continue;
        }
        let claims = part(token, 1);
        let tenant = claims["tid"].as_str().filter(|tid| !tid.is_empty()).unwrap_or("{tenantid}");
        assert_eq!(claims["iss"], issuer.replace("{tenantid}", tenant));
        assert!(claims["sub"].as_str().is_some_and(|sub| !sub.is_empty()));
        assert!(
            claims["aud"] == "client" || claims["aud"].as_array().is_some_and(|aud| aud.contains(&"client".into()))
        );
        assert!(claims["exp"].as_f64().is_some_and(|exp| exp > now - 60.0));
        assert!(claims["iat"].is_number());
        assert!(claims["nbf"].is_null() || claims["nbf"].as_f64().is_some_and(|nbf| nbf <= now));
        assert_eq!(claims["nonce"].as_str().unwrap_or_default(), nonce.unwrap_or_default());
    }
}

/// A part of a token that was accepted.
fn part(token: &str, at: usize) -> Json {
    assert_eq!(token.split('.').count(), 3);
    let bytes = Base64UrlUnpadded::decode_vec(token.split('.').nth(at).unwrap_or_default()).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// A refresh in lines of fields between tabs. The first one has `keys` or `discovery`, the number of retries, and the entry
/// that the cache has; each further one answers a request: a status or a kind of failure, the milliseconds that it took,
/// `Location`, `ETag`, `Cache-Control`, `Age`, `Retry-After`, and the body.
pub fn refresh(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n').map(|line| line.split('\t').collect::<Vec<_>>());
    let first = lines.next().unwrap_or_default();
    let field = |line: &[&str], at: usize| line.get(at).filter(|text| !text.is_empty()).map(|text| (*text).to_owned());
    let discovers = first.first() == Some(&"discovery");
    let retries = field(&first, 1).and_then(|text| text.parse().ok()).filter(|retries| *retries <= 10).unwrap_or(3);
    let provider = Provider {
        key: "test".into(),
        jwks_uri: (!discovers).then(|| "https://id.test/keys".into()),
        issuer: Some("https://id.test".into()),
    };
    let policy = Policy { retries, ..Policy::default() };
    let now = Instant::parse("2026-01-31T03:00:00Z").expect("an instant");
    let previous = field(&first, 2);
    let mut refresh = Refresh::new(provider.clone(), policy, now, previous.as_deref()).expect("settings");

    let (mut elapsed_ms, mut fetches, mut waits) = (0.0_f64, 0, 0);
    let mut answer = Answer::Began;
    // As far into its range as time has come: chance enough.
    let end = loop {
        let random = (elapsed_ms / 7.0).fract();
        match refresh.next(Outcome { answer, elapsed_ms, random }) {
            Effect::Done(end) => break end,
            Effect::Wait(ms) => {
                waits += 1;
                elapsed_ms += float(ms);
                answer = Answer::Waited;
            }
            Effect::Fetch(fetch) => {
                fetches += 1;
                check_fetch(&fetch, elapsed_ms);
                // The tag is one of keys, and the first answer is a document.
                assert!(!discovers || fetches > 1 || fetch.etag.is_none());
                let line = lines.next().unwrap_or_default();
                elapsed_ms += field(&line, 1).and_then(|text| text.parse::<u32>().ok()).map_or(0.0, f64::from);
                answer = read_answer(|at| field(&line, at));
            }
        }
        assert!(waits <= retries && fetches <= 1 + waits + 5 + if discovers { 6 } else { 0 }, "it does not end");
    };
    check_end(&end, &provider);
}

fn read_answer(field: impl Fn(usize) -> Option<String>) -> Answer {
    let kind = match field(0).as_deref().unwrap_or("network") {
        "network" => FailureKind::Network,
        "timeout" => FailureKind::Timeout,
        "too_large" => FailureKind::TooLarge,
        "aborted" => FailureKind::Aborted,
        status => {
            return Answer::Response(Response {
                status: status.parse().unwrap_or(200),
                location: field(2),
                etag: field(3),
                cache_control: field(4),
                age: field(5),
                retry_after: field(6),
                body: field(7),
            });
        }
    };
    Answer::Failed(FetchFailure { kind, message: field(7).unwrap_or_default() })
}

fn check_fetch(fetch: &Fetch, elapsed_ms: f64) {
    assert!(fetch.url.starts_with("https://") && fetch.url.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(fetch.timeout_ms > 0 && float(fetch.timeout_ms) <= 30_000.0 - elapsed_ms);
    assert!(fetch.etag.iter().all(|etag| etag.bytes().all(|byte| byte.is_ascii_graphic())));
}

fn check_end(end: &Refreshed, provider: &Provider) {
    let keys = CacheKeys::of(&provider.key);
    let Refreshed { report, write, publish } = end;
    assert!(report.keys.iter().any(|key| key.usable) || report.outcome == Ended::Failed);
    if report.outcome == Ended::Failed {
        assert!(write.key == keys.attempt && publish.is_none() && report.error.is_some());
        assert!(Attempt::read(&write.value).is_some());
        return;
    }
    assert!(write.key == keys.entry && report.error.is_none());
    let (entry, set) = Entry::read(&write.value, provider).expect("an entry");
    assert_eq!(publish.as_ref(), Some(&set.to_json()));
    // As it lies in the cache: reading it judges it anew.
    let written: Json = serde_json::from_str(&write.value).expect("JSON");
    assert_eq!(written["keySet"].as_str(), publish.as_deref());
    assert_public(&entry.key_set);
    assert!(entry.checked_at <= entry.fresh_until);
}

#[expect(clippy::cast_precision_loss, reason = "minutes at most")]
fn float(ms: u64) -> f64 {
    ms as f64
}

/// Fails if anything but registered public members stands in a stored set.
fn assert_public(stored: &str) {
    let stored: Json = serde_json::from_str(stored).expect("JSON");
    let keys = stored["keys"].as_array().expect("a list");
    assert!(!keys.is_empty() && stored.as_object().is_some_and(|set| set.len() == 1));
    for key in keys {
        assert!(key.as_object().is_some_and(|key| key.keys().all(|member| PUBLIC.contains(&member.as_str()))));
    }
}
