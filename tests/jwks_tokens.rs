//! The two questions about a token: may it be verified, and do its claims hold.
#![cfg(test)]

#[path = "common/jwks/mod.rs"]
mod jwks;
#[path = "common/seeds.rs"]
mod seeds;

use idp_janitor::jwks::token::{Expected, Signed, TokenError, claims_hold, may_verify};
use jwks::fixtures::with;
use jwks::tokens::{NOW, claims_at, encoded, expected_at, header, of};
use proptest::prelude::*;
use seeds::runner;
use serde_json::{Value as Json, json};

fn algorithms() -> Vec<String> {
    ["RS256", "ES256"].map(str::to_owned).to_vec()
}

fn verifiable(header: impl AsRef<[u8]>) -> Result<Signed, &'static str> {
    may_verify(&of(header, "{}"), &algorithms()).map_err(|error| error.code())
}

#[expect(clippy::cast_precision_loss, reason = "a clock")]
fn expected() -> Expected {
    expected_at(NOW as f64)
}

/// How claims are refused, if they are.
fn refused(claims: impl AsRef<[u8]>, expected: &Expected) -> Option<&'static str> {
    claims_hold(&of("{}", claims), expected).err().map(|error| error.code())
}

/// How claims are refused that differ so from those that hold; a null takes one away.
fn changed(changes: Json) -> Option<&'static str> {
    refused(with(claims_at(NOW), changes).to_string(), &expected())
}

#[test]
fn tells_the_algorithm_and_the_key() {
    let signed = |alg: &str, kid: Option<&str>| Ok(Signed { alg: alg.into(), kid: kid.map(str::to_owned) });
    for (header, expected) in [
        (header(), signed("RS256", Some("one"))),
        (json!({ "alg": "ES256" }), signed("ES256", None)),
        (json!({ "alg": "ES256", "kid": null }), signed("ES256", None)),
        (json!({ "alg": "ES256", "kid": "" }), signed("ES256", Some(""))),
        // Whatever else a header brings is not looked at: keys, addresses, types.
        (
            with(header(), json!({ "jku": "https://evil.test", "x5u": 1, "jwk": {}, "typ": 7 })),
            signed("RS256", Some("one")),
        ),
        (json!({ "alg": "none" }), Err("token_algorithm")),
        (json!({ "alg": "None", "kid": "one" }), Err("token_algorithm")),
        (json!({ "alg": "" }), Err("token_algorithm")),
        // With the public key of an RSA pair as the secret, which everybody has.
        (json!({ "alg": "HS256", "kid": "one" }), Err("token_algorithm")),
        (json!({ "alg": "rs256" }), Err("token_algorithm")),
        (json!({ "alg": "RS256 " }), Err("token_algorithm")),
        (json!({ "alg": "PS256" }), Err("token_algorithm")),
        (json!({}), Err("token_malformed")),
        (json!({ "alg": null }), Err("token_malformed")),
        (json!({ "alg": 256 }), Err("token_malformed")),
        (json!({ "alg": ["RS256"] }), Err("token_malformed")),
        (with(header(), json!({ "kid": 1 })), Err("token_malformed")),
        (with(header(), json!({ "kid": ["one"] })), Err("token_malformed")),
        (with(header(), json!({ "kid": { "kid": "one" } })), Err("token_malformed")),
        (with(header(), json!({ "kid": true })), Err("token_malformed")),
        (with(header(), json!({ "crit": ["exp"] })), Err("token_malformed")),
        (with(header(), json!({ "crit": ["b64"], "b64": false })), Err("token_malformed")),
        (with(header(), json!({ "crit": [] })), Err("token_malformed")),
    ] {
        assert_eq!(verifiable(header.to_string()), expected, "{header}");
    }
    assert_eq!(verifiable(r#"{"alg":"RS256","crit":null}"#), Err("token_malformed"));
    // Of members of one name the last counts, as in JavaScript: what is told is what the host will verify by.
    assert_eq!(verifiable(r#"{"alg":"none","alg":"RS256"}"#), signed("RS256", None));
    assert_eq!(verifiable(r#"{"alg":"RS256","alg":"none"}"#), Err("token_algorithm"));
    // No algorithm at all is allowed by no list.
    assert_eq!(may_verify(&of(header().to_string(), "{}"), &[]).unwrap_err().code(), "token_algorithm");
}

#[test]
fn an_algorithm_is_told_shortened() {
    let error = may_verify(&of(json!({ "alg": "x".repeat(5000) }).to_string(), "{}"), &algorithms());
    assert_eq!(error, Err(TokenError::Algorithm("x".repeat(40))));
}

#[test]
fn a_token_has_three_parts_of_base64url() {
    let head = with(header(), json!({ "kid": "ones" })).to_string();
    let (head, body) = (encoded(head), encoded(claims_at(NOW).to_string()));
    assert_eq!(head.len() % 4, 2, "there is something to be padded");
    let whole = [format!("{head}.{body}.c2ln"), format!("{head}.{body}.")];
    for token in whole {
        assert!(may_verify(&token, &algorithms()).is_ok() && claims_hold(&token, &expected()).is_ok(), "{token}");
    }
    for token in [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        head.clone(),
        format!("{head}.{body}"),
        format!("{head}.{body}.c2ln."),
        format!("{head}.{body}.c2ln.more"),
        format!("{head}.{body}.c2ln.more.more"),
        format!("{head}{body}.c2ln"),
    ] {
        let refused = "the token cannot be read: ";
        for error in [may_verify(&token, &algorithms()).unwrap_err(), claims_hold(&token, &expected()).unwrap_err()] {
            assert!(error.to_string().starts_with(refused) && error.code() == "token_malformed", "{token}: {error}");
        }
    }
    let standard = |part: &str| part.replace('-', "+").replace('_', "/");
    let unicode = encoded(r#"{"alg":"RS256","kid":"~~~???"}"#);
    assert_ne!(standard(&unicode), unicode);
    for part in [
        format!("{head}="),
        format!("{head}=="),
        format!(" {head}"),
        format!("{head}\n"),
        format!("{head}A"),
        format!("{}!", &head[1..]),
        standard(&unicode),
        encoded([b'{', b'"', 0xff, b'"', b':', b'1', b'}']),
        encoded("{\"alg\":\"RS256\""),
        encoded("[]"),
        encoded("null"),
        encoded("\"RS256\""),
        encoded("\u{feff}{\"alg\":\"RS256\"}"),
        encoded("{\"alg\":\"RS256\"} x"),
        encoded(format!("{{\"alg\":\"RS256\",\"a\":{}1{}}}", "[".repeat(16), "]".repeat(16))),
    ] {
        let error = may_verify(&format!("{part}.{body}.c2ln"), &algorithms()).unwrap_err();
        assert_eq!(error.code(), "token_malformed", "{part}");
        let error = claims_hold(&format!("{head}.{part}.c2ln"), &expected()).unwrap_err();
        assert_eq!(error.code(), "token_malformed", "{part}");
    }
}

#[test]
fn a_token_has_64_kib_at_most() {
    let whole = of(header().to_string(), claims_at(NOW).to_string());
    let long = |bytes: usize| format!("{whole}{}", "A".repeat(bytes - whole.len()));
    assert!(may_verify(&long(65_536), &algorithms()).is_ok() && claims_hold(&long(65_536), &expected()).is_ok());
    for error in
        [may_verify(&long(65_537), &algorithms()).unwrap_err(), claims_hold(&long(65_537), &expected()).unwrap_err()]
    {
        assert_eq!(error, TokenError::Malformed("it has 65537 bytes, and 65536 are the most".into()));
    }
}

#[test]
fn claims_hold_that_are_as_they_must_be() {
    assert_eq!(changed(json!({})), None);
    assert_eq!(changed(json!({ "more": [1], "azp": 5, "tid": 5, "amr": null })), None);
}

#[test]
fn the_issuer_is_exact() {
    for iss in [
        json!(null),
        json!(""),
        json!("https://id.test/"),
        json!("https://ID.test"),
        json!("http://id.test"),
        json!("https://id.test\u{0}"),
        json!(" https://id.test"),
        json!(["https://id.test"]),
        json!({ "iss": "https://id.test" }),
        json!(1),
        json!(true),
    ] {
        assert_eq!(changed(json!({ "iss": iss })), Some("token_claims"), "{iss}");
    }
}

#[test]
fn a_tenant_stands_for_itself_in_an_issuer_that_asks_for_it() {
    let template = Expected { issuer: "https://login.test/{tenantid}/v2.0".into(), ..expected() };
    let of = |iss: &str, tid: Json| with(claims_at(NOW), json!({ "iss": iss, "tid": tid })).to_string();
    let one = "https://login.test/one/v2.0";
    for (iss, tid, holds) in [
        (one, json!("one"), true),
        (one, json!("two"), false),
        (one, json!("ONE"), false),
        (one, json!(null), false),
        (one, json!(""), false),
        (one, json!(["one"]), false),
        (one, json!(1), false),
        ("https://login.test//v2.0", json!(""), false),
        ("https://login.test/null/v2.0", json!(null), false),
        ("https://login.test/{tenantid}/v2.0", json!("one"), false),
    ] {
        let refusal = (!holds).then_some("token_claims");
        assert_eq!(refused(of(iss, tid.clone()), &template), refusal, "{iss} {tid}");
    }
    // Elsewhere a tenant changes nothing.
    assert_eq!(refused(of("https://id.test", json!("one")), &expected()), None);
}

#[test]
fn the_subject_is_text_and_not_empty() {
    for sub in [json!(null), json!(""), json!(7), json!(["somebody"]), json!(false), json!({})] {
        assert_eq!(changed(json!({ "sub": sub })), Some("token_claims"), "{sub}");
    }
    assert_eq!(changed(json!({ "sub": " " })), None);
}

#[test]
fn this_client_is_in_the_audience() {
    for (aud, holds) in [
        (json!("client"), true),
        (json!("other client"), true),
        (json!(["client"]), true),
        (json!(["somebody", "client"]), true),
        (json!([7, null, ["x"], "client"]), true),
        (json!(null), false),
        (json!(""), false),
        (json!("Client"), false),
        (json!("client "), false),
        (json!("somebody"), false),
        (json!("client,somebody"), false),
        (json!([]), false),
        (json!([[]]), false),
        (json!([["client"]]), false),
        (json!(["somebody"]), false),
        (json!({ "client": "client" }), false),
        (json!(7), false),
        (json!(true), false),
    ] {
        assert_eq!(changed(json!({ "aud": aud })), (!holds).then_some("token_claims"), "{aud}");
    }
    // Who expects nobody accepts nothing.
    for aud in [json!("client"), json!([]), json!(""), json!([""])] {
        let nobody = Expected { audience: vec![], ..expected() };
        let claims = with(claims_at(NOW), json!({ "aud": aud })).to_string();
        assert_eq!(refused(claims, &nobody), Some("token_claims"), "{aud}");
    }
}

/// Some of these numbers are none that `serde_json` would write.
fn with_number(claim: &str, number: &str) -> String {
    let claims = with(claims_at(NOW), json!({ claim: "NUMBER" })).to_string();
    claims.replace("\"NUMBER\"", number)
}

#[test]
fn the_end_has_a_minute_of_leeway() {
    let now = 1_800_000_000_i64;
    for (exp, expected_code) in [
        (now.to_string(), None),
        ((now - 59).to_string(), None),
        (format!("{}.001", now - 60), None),
        (format!("{}.0", now - 60), Some("token_expired")),
        ((now - 60).to_string(), Some("token_expired")),
        (format!("{}.999", now - 61), Some("token_expired")),
        ("0".into(), Some("token_expired")),
        ("-0.0".into(), Some("token_expired")),
        ("-1".into(), Some("token_expired")),
        ("-1e300".into(), Some("token_expired")),
        ("1e-300".into(), Some("token_expired")),
        ("1.8e9".into(), None),
        ("18e8".into(), None),
        ("9007199254740993".into(), None),
        ("9223372036854775807".into(), None),
        ("1e300".into(), None),
        // Beyond 64 bits it is a float to the reader; between 63 and 64 it is nothing that is read.
        ("9223372036854775808".into(), Some("token_claims")),
        ("18446744073709551615".into(), Some("token_claims")),
        ("18446744073709551616".into(), None),
        ("1e309".into(), Some("token_malformed")),
        ("-1e309".into(), Some("token_malformed")),
        ("1e99999999999".into(), Some("token_malformed")),
        ("0x7fffffff".into(), Some("token_malformed")),
        ("1800000600.".into(), Some("token_malformed")),
        ("01800000600".into(), Some("token_malformed")),
        ("NaN".into(), Some("token_malformed")),
        ("Infinity".into(), Some("token_malformed")),
        ("null".into(), Some("token_claims")),
        ("true".into(), Some("token_claims")),
        ("\"1800000600\"".into(), Some("token_claims")),
        ("[1800000600]".into(), Some("token_claims")),
        ("{}".into(), Some("token_claims")),
    ] {
        assert_eq!(refused(with_number("exp", &exp), &expected()), expected_code, "{exp}");
    }
    // The clock has fractions, too.
    let at = |now: f64| refused(claims_at(NOW).to_string(), &Expected { now, ..expected() });
    let end = 1_800_000_600.0;
    assert_eq!(
        (at(end + 59.999), at(end + 60.0), at(end + 60.001)),
        (None, Some("token_expired"), Some("token_expired"))
    );
    let error = claims_hold(&of("{}", with_number("exp", "-1e300")), &expected()).unwrap_err();
    assert_eq!(error, TokenError::Expired(i64::MAX));
    let error = claims_hold(&of("{}", with_number("exp", "1799999900")), &expected()).unwrap_err();
    assert_eq!(error.to_string(), "the token expired 100 s ago");
}

#[test]
fn the_beginning_has_no_leeway() {
    for (nbf, expected_code) in [
        ("1800000000", None),
        ("1800000000.0", None),
        ("1799999999.999", None),
        ("1800000000.001", Some("token_not_yet_valid")),
        ("1800000001", Some("token_not_yet_valid")),
        ("1e300", Some("token_not_yet_valid")),
        ("-1e300", None),
        ("null", None),
        ("9223372036854775808", Some("token_claims")),
        ("\"1\"", Some("token_claims")),
        ("false", Some("token_claims")),
        ("[]", Some("token_claims")),
        ("1e309", Some("token_malformed")),
    ] {
        assert_eq!(refused(with_number("nbf", nbf), &expected()), expected_code, "{nbf}");
    }
    let error = claims_hold(&of("{}", with_number("nbf", "1800000100")), &expected()).unwrap_err();
    assert_eq!(error.to_string(), "the token is not valid before 100 s from now");
}

#[test]
fn the_issue_has_a_time_whatever_it_is() {
    for (iat, expected_code) in [
        ("0", None),
        ("-1.5", None),
        // As HIdP has it: a provider whose clock is ahead is none the worse.
        ("1800009999", None),
        ("1e300", None),
        ("null", Some("token_claims")),
        ("\"1800000000\"", Some("token_claims")),
        ("true", Some("token_claims")),
        ("[]", Some("token_claims")),
    ] {
        assert_eq!(refused(with_number("iat", iat), &expected()), expected_code, "{iat}");
    }
}

#[test]
fn the_nonce_is_the_one_that_was_sent() {
    let with_nonce = |sent: Option<&str>, nonce: Json| {
        let expected = Expected { nonce: sent.map(str::to_owned), ..expected() };
        refused(with(claims_at(NOW), json!({ "nonce": nonce })).to_string(), &expected)
    };
    for (sent, nonce, holds) in [
        (Some("n-1"), json!("n-1"), true),
        (Some("n-1"), json!("n-2"), false),
        (Some("n-1"), json!("N-1"), false),
        (Some("n-1"), json!("n-1 "), false),
        (Some("n-1"), json!(""), false),
        (Some("n-1"), json!(null), false),
        (Some("n-1"), json!(["n-1"]), false),
        (Some("1"), json!(1), false),
        (None, json!(null), true),
        (None, json!(""), true),
        (None, json!("n-1"), false),
        (None, json!(0), false),
        (None, json!(false), false),
    ] {
        assert_eq!(with_nonce(sent, nonce.clone()), (!holds).then_some("token_claims"), "{sent:?} {nonce}");
    }
}

/// What is wrong first is told: never the time of a token that is somebody else's.
#[test]
fn whose_a_token_is_goes_before_its_time() {
    for wrong in [json!({ "iss": "x" }), json!({ "sub": "" }), json!({ "aud": "x" })] {
        let mut claims = with(claims_at(NOW), wrong);
        claims["exp"] = json!(0);
        assert_eq!(refused(claims.to_string(), &expected()), Some("token_claims"), "{claims}");
    }
    assert_eq!(changed(json!({ "exp": 0, "nonce": "x" })), Some("token_expired"));
}

#[test]
fn no_text_makes_a_panic() {
    let base64url = "[A-Za-z0-9_=+/ -]{0,40}";
    let json =
        "(\\{\"(alg|exp|iss|aud|sub)\":(\"RS256\"|1e[0-9]{1,4}|-?[0-9]{1,25}|\\[\\]|null)\\}|[\\[\\]{}\",:0-9]{0,20})";
    let texts = (any::<String>(), base64url, json, 0..6_usize);
    let property = |(any, base64url, json, dots): (String, String, String, usize)| {
        let parts = [any, base64url, encoded(&json), encoded(&json), String::new(), "x".into()];
        for token in [parts[..=dots].join("."), of(&json, &json), of("{\"alg\":\"RS256\"}", &json)] {
            let verifiable = may_verify(&token, &algorithms());
            prop_assert!(verifiable.is_err() || token.split('.').count() == 3);
            // None of these has all claims.
            prop_assert!(claims_hold(&token, &expected()).is_err());
        }
        Ok(())
    };
    runner(41, 2_000).run(&texts, property).unwrap();
}
