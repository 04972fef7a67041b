//! Tokens that are really signed, and the second judge of them: the crate `jsonwebtoken`.

use super::fixtures::{private, public};
use super::tokens::encoded;
use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, decode};
use serde_json::Value as Json;

/// A fixture that signs, as the other judge takes it.
pub struct Signer {
    /// What it signs by.
    pub alg: Algorithm,
    signs: EncodingKey,
    verifies: DecodingKey,
}

impl Signer {
    /// By the name of its key.
    pub fn new(name: &str, alg: Algorithm) -> Self {
        let jwk: Jwk = serde_json::from_value(public(name)).unwrap();
        let key = private(name);
        let signs = match alg {
            Algorithm::RS256 | Algorithm::PS256 => EncodingKey::from_rsa_der(&pkcs1(&key)),
            Algorithm::EdDSA => EncodingKey::from_ed_der(&pkcs8(&[ED25519], &sequence(0x04, &[&member(&key, "d")]))),
            _ => {
                let curve = if alg == Algorithm::ES256 { P256 } else { P384 };
                // RFC 5915, section 3.
                let secret = sequence(0x30, &[&[2, 1, 1], &sequence(0x04, &[&member(&key, "d")])]);
                EncodingKey::from_ec_der(&pkcs8(&[EC, curve], &secret))
            }
        };
        Self { alg, signs, verifies: DecodingKey::from_jwk(&jwk).unwrap() }
    }

    /// A token of any texts with a signature that is good.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encoded(header), encoded(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.signs, self.alg).unwrap();
        format!("{message}.{signature}")
    }

    /// Whether the other judge accepts a token.
    pub fn accepts(&self, token: &str, validation: &Validation) -> bool {
        decode::<Json>(token, &self.verifies, validation).is_ok()
    }
}

const EC: &[u8] = &[0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x06, 5, 0x2b, 0x81, 4, 0, 34];
const ED25519: &[u8] = &[0x06, 3, 0x2b, 0x65, 0x70];

/// RFC 5208, section 5.
fn pkcs8(algorithm: &[&[u8]], key: &[u8]) -> Vec<u8> {
    sequence(0x30, &[&[2, 1, 0], &sequence(0x30, algorithm), &sequence(0x04, &[key])])
}

/// RFC 8017, section A.1.2.
fn pkcs1(key: &Json) -> Vec<u8> {
    let numbers = ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map(|name| {
        let number = member(key, name);
        // One whose first bit is set would be negative.
        let sign: &[u8] = if number[0] < 0x80 { &[] } else { &[0] };
        sequence(0x02, &[sign, &number])
    });
    let parts: Vec<&[u8]> = [&[2, 1, 0][..]].into_iter().chain(numbers.iter().map(Vec::as_slice)).collect();
    sequence(0x30, &parts)
}

fn member(key: &Json, name: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(key[name].as_str().unwrap()).unwrap()
}

/// Parts one after another, with a tag and their length (X.690, section 8.1).
fn sequence(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [.., high, low] = content.len().to_be_bytes();
    let length: &[u8] = match content.len() {
        0..128 => &[low],
        128..256 => &[0x81, low],
        _ => &[0x82, high, low],
    };
    [&[tag], length, &content].concat()
}
