//! ID tokens, well made and otherwise.

use base64ct::{Base64UrlUnpadded, Encoding};
use idp_janitor::jwks::token::Expected;
use serde_json::{Value as Json, json};

/// The clock of tokens, in seconds since 1970.
pub const NOW: i64 = 1_800_000_000;

/// Any text as a part of a token.
pub fn encoded(text: impl AsRef<[u8]>) -> String {
    Base64UrlUnpadded::encode_string(text.as_ref())
}

/// A token of such texts, with a signature that nobody made.
pub fn of(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    format!("{}.{}.c2lnbmF0dXJl", encoded(header), encoded(claims))
}

/// A header that may be verified.
pub fn header() -> Json {
    json!({ "alg": "RS256", "kid": "one", "typ": "JWT" })
}

/// Claims that hold at such a time.
pub fn claims_at(now: i64) -> Json {
    json!({
        "iss": "https://id.test", "sub": "somebody", "aud": "client", "exp": now + 600, "iat": now - 5, "nonce": "n-1",
    })
}

/// What such claims are held against.
pub fn expected_at(now: f64) -> Expected {
    Expected {
        issuer: "https://id.test".into(),
        audience: vec!["client".into(), "other client".into()],
        nonce: Some("n-1".into()),
        now,
    }
}
