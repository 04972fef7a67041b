//! A second judge of tokens: the crate `jsonwebtoken`, set up to ask for the same. Where one of both accepts what the other
//! refuses, it is for a reason that stands here.
#![cfg(test)]

#[path = "common/jwks/mod.rs"]
mod jwks;
#[path = "common/seeds.rs"]
mod seeds;

use idp_janitor::jwks::token::{claims_hold, may_verify};
use jsonwebtoken::{Algorithm, Validation, get_current_timestamp};
use jwks::fixtures::with;
use jwks::signing::Signer;
use jwks::tokens::{claims_at, expected_at};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use seeds::runner;
use serde_json::{Value as Json, json};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Whether it is a member of the header, and its name.
type Member = (bool, &'static str);

/// Why the judges may differ.
struct Difference {
    what: &'static str,
    /// Whether it is us who accept.
    we_accept: bool,
    /// Whether it is so for that header, these claims and that time.
    applies: fn(&Json, &Json, f64) -> bool,
    /// Changes to a header and to claims that show it; times are in seconds from now.
    example: fn(i64) -> (Json, Json),
}

static DIFFERENCES: [Difference; 10] = [
    Difference {
        what: "an extension that must be understood is ignored by them",
        we_accept: false,
        applies: |header, _, _| header.get("crit").is_some(),
        example: |_| (json!({ "crit": ["exp"] }), json!({})),
    },
    Difference {
        what: "several issuers are accepted by them",
        we_accept: false,
        applies: |_, claims, _| claims["iss"].is_array(),
        example: |_| (json!({}), json!({ "iss": ["https://evil.test", "https://id.test"] })),
    },
    Difference {
        what: "the time of issue is not asked for by them",
        we_accept: false,
        applies: |_, claims, _| !claims["iat"].is_number(),
        example: |_| (json!({}), json!({ "iat": null })),
    },
    Difference {
        what: "an empty subject is accepted by them",
        we_accept: false,
        applies: |_, claims, _| claims["sub"] == "",
        example: |_| (json!({}), json!({ "sub": "" })),
    },
    Difference {
        what: "the nonce is not known to them",
        we_accept: false,
        applies: |_, claims, _| claims["nonce"] != "n-1",
        example: |_| (json!({}), json!({ "nonce": "n-2" })),
    },
    Difference {
        what: "a token may begin a minute early with them",
        we_accept: false,
        applies: |_, claims, now| claims["nbf"].as_f64().is_some_and(|nbf| nbf > now && nbf <= now + 61.0),
        example: |now| (json!({}), json!({ "nbf": now + 30 })),
    },
    Difference {
        what: "whole numbers from 2^63 to 2^64 are read by them",
        we_accept: false,
        applies: |_, claims, _| {
            ["exp", "nbf", "iat"].iter().any(|name| claims[*name].is_u64() && !claims[*name].is_i64())
        },
        example: |_| (json!({}), json!({ "exp": u64::MAX })),
    },
    Difference {
        what: "times below zero and beyond 2^64 are read by us",
        we_accept: true,
        applies: |_, claims, _| {
            let beyond =
                |name: &str| claims[name].as_f64().is_some_and(|at| !(0.0..18_446_744_073_709_551_615.0).contains(&at));
            beyond("exp") || beyond("nbf")
        },
        example: |_| (json!({}), json!({ "nbf": -1 })),
    },
    Difference {
        what: "what else is in the audience does not matter to us",
        we_accept: true,
        applies: |_, claims, _| claims["aud"].as_array().is_some_and(|several| !several.iter().all(Json::is_string)),
        example: |_| (json!({}), json!({ "aud": ["client", 7] })),
    },
    Difference {
        what: "what else is in the header does not matter to us",
        we_accept: true,
        applies: |header, _, _| {
            let text = ["typ", "cty", "jku", "x5u", "x5t", "x5t#S256", "url", "nonce"];
            let text = text.iter().any(|name| header.get(*name).is_some_and(|value| !value.is_string()));
            text || header.get("jwk").is_some() || header.get("x5c").is_some()
        },
        example: |_| (json!({ "typ": 7 }), json!({})),
    },
];

fn signers() -> [Signer; 4] {
    [
        Signer::new("rs256", Algorithm::RS256),
        Signer::new("es256", Algorithm::ES256),
        Signer::new("es384", Algorithm::ES384),
        Signer::new("eddsa", Algorithm::EdDSA),
    ]
}

fn name(alg: Algorithm) -> String {
    format!("{alg:?}")
}

fn now() -> i64 {
    get_current_timestamp().try_into().unwrap()
}

fn header(signer: &Signer) -> Json {
    json!({ "alg": name(signer.alg), "kid": "one", "typ": "JWT" })
}

fn claims(now: i64) -> Json {
    with(claims_at(now), json!({ "nbf": now - 30 }))
}

/// Whether we accept a token whose signature is good.
#[expect(clippy::cast_precision_loss, reason = "a clock")]
fn we_accept(signer: &Signer, token: &str, now: i64) -> bool {
    may_verify(token, &[name(signer.alg)]).is_ok() && claims_hold(token, &expected_at(now as f64)).is_ok()
}

/// Whether they do, by the settings that are nearest to ours.
fn they_accept(signer: &Signer, token: &str) -> bool {
    let mut validation = Validation::new(signer.alg);
    validation.set_issuer(&["https://id.test"]);
    validation.set_audience(&["client", "other client"]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    (validation.leeway, validation.validate_nbf) = (60, true);
    signer.accepts(token, &validation)
}

#[test]
fn both_accept_what_is_good_and_refuse_what_is_not() {
    let now = now();
    for signer in &signers() {
        let token = signer.sign(&header(signer).to_string(), &claims(now).to_string());
        assert!(we_accept(signer, &token, now) && they_accept(signer, &token), "{:?}", signer.alg);
        for changes in [
            json!({ "exp": now - 70 }),
            json!({ "exp": null }),
            json!({ "exp": "1" }),
            json!({ "nbf": now + 90 }),
            json!({ "nbf": "1" }),
            json!({ "iss": "https://id.test/" }),
            json!({ "aud": ["somebody"] }),
            json!({ "aud": [] }),
            json!({ "aud": null }),
            json!({ "sub": 7 }),
        ] {
            let token = signer.sign(&header(signer).to_string(), &with(claims(now), changes.clone()).to_string());
            assert!(!we_accept(signer, &token, now) && !they_accept(signer, &token), "{:?} {changes}", signer.alg);
            if signer.alg == Algorithm::RS256 {
                // Slow, and claims are claims.
                break;
            }
        }
    }
}

/// The list says nothing that is not so.
#[test]
fn every_difference_has_an_example() {
    let signer = Signer::new("eddsa", Algorithm::EdDSA);
    let now = now();
    for Difference { what, we_accept: ours, applies, example } in &DIFFERENCES {
        let (in_header, in_claims) = example(now);
        let (header, claims) = (with(header(&signer), in_header), with(claims(now), in_claims));
        #[expect(clippy::cast_precision_loss, reason = "a clock")]
        let now_f64 = now as f64;
        assert!(applies(&header, &claims, now_f64), "{what}");
        let token = signer.sign(&header.to_string(), &claims.to_string());
        assert_eq!((we_accept(&signer, &token, now), they_accept(&signer, &token)), (*ours, !ours), "{what}");
    }
}

/// Header and claims with a member of another value, or with a character of their text lost, doubled or another; signed
/// anew, so that both judges see what is in them.
#[test]
fn they_differ_for_no_other_reason() {
    // By the fastest: claims are claims.
    let signer = &Signer::new("eddsa", Algorithm::EdDSA);
    let values = select(vec![
        json!(null),
        json!(""),
        json!("client"),
        json!("https://id.test"),
        json!("n-1"),
        json!("RS256"),
        json!("none"),
        json!(["https://id.test"]),
        json!(["client"]),
        json!(["client", 7]),
        json!([]),
        json!({}),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(i64::MAX),
        json!("1"),
    ]);
    let members = ["iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "tid", "azp"].map(|name| (false, name));
    let in_header = ["alg", "kid", "typ", "crit", "jwk", "jku", "x5c", "cty", "b64"].map(|name| (true, name));
    let members = select([members, in_header].concat());
    let shapes = proptest::collection::vec((members, values), 0..3);
    let characters = proptest::option::of((
        any::<bool>(),
        any::<Index>(),
        select("\"\\:,{}[]0129.-eEau \u{1}é".chars().collect::<Vec<_>>()),
        0..3_u8,
    ));
    let seen = RefCell::new((BTreeSet::new(), 0_u32));
    let property = |(shapes, characters): (Vec<(Member, Json)>, Option<_>)| {
        let now = now();
        let (mut header, mut claims) = (header(signer), claims(now));
        for ((in_header, member), value) in shapes {
            let object = if in_header { &mut header } else { &mut claims };
            *object = with(object.take(), json!({ member: value }));
        }
        let mut texts = [header.to_string(), claims.to_string()];
        if let Some((which, at, character, how)) = characters {
            let text = &mut texts[usize::from(which)];
            let at: usize = Index::index(&at, text.len());
            match how {
                0 => drop(text.remove(at)),
                1 => text.insert(at, character),
                _ => text.replace_range(at..=at, &character.to_string()),
            }
        }
        let token = signer.sign(&texts[0], &texts[1]);
        let (ours, theirs) = (we_accept(signer, &token, now), they_accept(signer, &token));
        if ours == theirs {
            seen.borrow_mut().1 += u32::from(ours);
            return Ok(());
        }
        // Both read JSON of some kind, or they would not differ.
        let [header, claims] = texts.each_ref().map(|text| serde_json::from_str::<Json>(text).unwrap());
        #[expect(clippy::cast_precision_loss, reason = "a clock")]
        let now = now as f64;
        let mut known =
            DIFFERENCES.iter().filter(|known| known.we_accept == ours && (known.applies)(&header, &claims, now));
        let reason = known.next().map(|known| known.what);
        prop_assert!(reason.is_some(), "we: {}, they: {}; {} {}", ours, theirs, texts[0], texts[1]);
        seen.borrow_mut().0.extend(reason);
        Ok(())
    };
    runner(51, 800).run(&(shapes, characters), property).unwrap();
    let (reasons, accepted) = seen.into_inner();
    assert!(reasons.len() >= 7 && accepted > 100, "{accepted} accepted by both, and {reasons:?}");
}

/// Nothing but the signature tells them apart: the other judge refuses every token of which a letter is another, and we
/// tell of none of them that it is signed by something else than it is.
#[test]
fn no_letter_of_a_token_can_be_another() {
    let signers = [Signer::new("es256", Algorithm::ES256), Signer::new("eddsa", Algorithm::EdDSA)];
    let letters =
        select("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=".chars().collect::<Vec<_>>());
    let property = |(signer, at, letter): (Index, Index, char)| {
        let signer = &signers[signer.index(2)];
        let whole = signer.sign(&header(signer).to_string(), &claims(now()).to_string());
        let mut token = whole.clone();
        let at = at.index(token.len());
        token.replace_range(at..=at, &letter.to_string());
        prop_assert_eq!(they_accept(signer, &token), token == whole, "{}", token);
        let signed = may_verify(&token, &[name(signer.alg)]);
        prop_assert!(signed.is_err() || signed.unwrap().alg == name(signer.alg));
        Ok(())
    };
    runner(52, 100).run(&(any::<Index>(), any::<Index>(), letters), property).unwrap();
}
