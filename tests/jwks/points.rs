//! Points on and off their curves, with the curve crates as a second judge.

use crate::jwks::fixtures::{judged, with};
use crate::seeds::runner;
use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::{SigningKey, VerifyingKey};
use idp_janitor::jwks::curve::{P256, P384, P521, ShortCurve, is_ed25519_point};
use idp_janitor::jwks::key::Reason;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

/// A curve as both judges know it.
struct Curve {
    name: &'static str,
    ours: &'static ShortCurve,
    /// The public key of a secret, 04 and both coordinates; none where the secret is none.
    point: fn(&[u8]) -> Option<Vec<u8>>,
    /// Whether the other judge takes 04 and both coordinates for a point.
    theirs: fn(&[u8]) -> bool,
}

static CURVES: [Curve; 3] = [
    Curve {
        name: "P-256",
        ours: &P256,
        point: |secret| {
            let secret = p256::SecretKey::from_slice(secret).ok()?;
            Some(secret.public_key().to_encoded_point(false).as_bytes().to_vec())
        },
        theirs: |point| p256::PublicKey::from_sec1_bytes(point).is_ok(),
    },
    Curve {
        name: "P-384",
        ours: &P384,
        point: |secret| {
            let secret = p384::SecretKey::from_slice(secret).ok()?;
            Some(secret.public_key().to_encoded_point(false).as_bytes().to_vec())
        },
        theirs: |point| p384::PublicKey::from_sec1_bytes(point).is_ok(),
    },
    Curve {
        name: "P-521",
        ours: &P521,
        point: |secret| {
            let secret = p521::SecretKey::from_slice(secret).ok()?;
            Some(secret.public_key().to_encoded_point(false).as_bytes().to_vec())
        },
        theirs: |point| p521::PublicKey::from_sec1_bytes(point).is_ok(),
    },
];

impl Curve {
    /// A secret from random bytes: below the order of the group, or nearly always so.
    fn secret(&self, bytes: &[u8]) -> Vec<u8> {
        let mut secret = bytes[..self.ours.bytes].to_vec();
        if self.ours.bytes == 66 {
            secret[0] &= 1;
        }
        secret
    }

    fn agrees_on(&self, point: &[u8], expected: bool) {
        let (x, y) = point[1..].split_at(self.ours.bytes);
        assert_eq!((self.theirs)(point), expected, "the other judge, {} {point:02x?}", self.name);
        assert_eq!(self.ours.holds(x, y), expected, "{} {point:02x?}", self.name);
        let text = Base64UrlUnpadded::encode_string;
        let key = json!({ "kty": "EC", "crv": self.name, "x": text(x), "y": text(y) });
        assert_eq!(judged(&key).verdict.reason, (!expected).then_some(Reason::OffCurve));
    }
}

#[test]
fn real_keys_are_on_their_curve_and_one_bit_beside_it_they_are_not() {
    for curve in &CURVES {
        let bits = 16 * curve.ours.bytes;
        let cases = (vec(any::<u8>(), 66), vec(0..bits, 4));
        let judged = runner(21, 16).run(&cases, |(random, flips)| {
            let Some(point) = (curve.point)(&curve.secret(&random)) else { return Ok(()) };
            curve.agrees_on(&point, true);
            for bit in flips {
                let mut beside = point.clone();
                beside[1 + bit / 8] ^= 1 << (bit % 8);
                curve.agrees_on(&beside, false);
            }
            Ok(())
        });
        judged.unwrap();
    }
}

/// A sum or a product of theirs overflows in other places than one of random numbers.
#[test]
fn points_of_small_and_large_secrets_are_on_their_curve() {
    for curve in &CURVES {
        for small in 1..=8 {
            let mut secret = vec![0; curve.ours.bytes];
            *secret.last_mut().unwrap() = small;
            curve.agrees_on(&(curve.point)(&secret).unwrap(), true);
        }
    }
}

/// Whoever takes a coordinate modulo the prime takes one key under several texts.
#[test]
fn coordinates_are_below_the_prime() {
    // p - 1, p and p + 1 of P-521 fit into its bytes; so do x + p and y + p of any point.
    let mut prime = vec![0xff; 66];
    prime[0] = 1;
    let plus_prime = |number: &[u8]| {
        // p = 2^521 - 1
        let mut sum = number.to_vec();
        sum[0] += 2;
        for byte in sum.iter_mut().rev() {
            let (less, borrow) = byte.overflowing_sub(1);
            *byte = less;
            if !borrow {
                break;
            }
        }
        sum
    };
    let curve = &CURVES[2];
    let mut secret = vec![0; 66];
    secret[65] = 1;
    let point = (curve.point)(&secret).unwrap();
    let (x, y) = point[1..].split_at(66);
    for (x, y) in [(plus_prime(x), y.to_vec()), (x.to_vec(), plus_prime(y)), (prime, y.to_vec())] {
        curve.agrees_on(&[&[4], x.as_slice(), y.as_slice()].concat(), false);
    }
    for curve in &CURVES {
        curve.agrees_on(&[&[4][..], &vec![0xff; 2 * curve.ours.bytes]].concat(), false);
        curve.agrees_on(&[&[4][..], &vec![0; 2 * curve.ours.bytes]].concat(), false);
    }
}

/// RFC 8032, section 5.1.3: y is below the prime. The other judge takes y modulo the prime.
fn is_canonical(encoded: &[u8; 32]) -> bool {
    let mut y = *encoded;
    y[31] &= 0x7f;
    y[31] != 0x7f || y[1..31].iter().any(|byte| *byte != 0xff) || y[0] < 0xed
}

fn ed25519_agrees_on(encoded: [u8; 32]) {
    let theirs = VerifyingKey::from_bytes(&encoded).is_ok_and(|key| !key.is_weak()) && is_canonical(&encoded);
    assert_eq!(is_ed25519_point(&encoded), theirs, "{encoded:02x?}");
}

#[test]
fn ed25519_keys_are_points_and_half_of_all_other_bytes_are_not() {
    let mut points = 0_u32;
    let bytes = any::<[u8; 32]>();
    let judged = runner(22, 100).run(&bytes, |random| {
        ed25519_agrees_on(random);
        let key = SigningKey::from_bytes(&random).verifying_key().to_bytes();
        assert!(is_ed25519_point(&key), "{key:02x?}");
        Ok(())
    });
    judged.unwrap();
    for first in 0..=255 {
        let mut encoded = [9; 32];
        encoded[0] = first;
        ed25519_agrees_on(encoded);
        points += u32::from(is_ed25519_point(&encoded));
    }
    assert!((96..160).contains(&points), "{points} of 256");
}

#[test]
fn ed25519_is_exact_around_zero_and_around_its_prime() {
    for near in [0x00, 0xff] {
        for first in 0..=255 {
            for last in [near & 0x7f, near | 0x80] {
                let mut encoded = [near; 32];
                (encoded[0], encoded[31]) = (first, last);
                ed25519_agrees_on(encoded);
            }
        }
    }
}

/// Every encoding of the eight points of small order, those included that RFC 8032 does not allow. With such a key one
/// signature is good for many messages.
#[test]
fn points_of_small_order_are_refused_in_every_encoding() {
    for (hex, canonical) in [
        ("0100000000000000000000000000000000000000000000000000000000000000", true),
        ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", true),
        ("0000000000000000000000000000000000000000000000000000000000000000", true),
        ("0000000000000000000000000000000000000000000000000000000000000080", true),
        ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", true),
        ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", true),
        ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", true),
        ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", true),
        ("0100000000000000000000000000000000000000000000000000000000000080", true),
        ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", true),
        ("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false),
        ("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false),
        ("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false),
        ("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false),
    ] {
        let bytes: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
        let encoded: [u8; 32] = bytes.try_into().unwrap();
        assert_eq!(is_canonical(&encoded), canonical, "{hex}");
        assert!(VerifyingKey::from_bytes(&encoded).is_ok_and(|key| key.is_weak()), "{hex} is what it is said to be");
        assert!(!is_ed25519_point(&encoded), "{hex}");
        let key = json!({ "kty": "OKP", "crv": "Ed25519" });
        let key = with(key, json!({ "x": Base64UrlUnpadded::encode_string(&encoded) }));
        assert_eq!(judged(&key).verdict.reason, Some(Reason::OffCurve), "{hex}");
    }
}
