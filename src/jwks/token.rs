//! ID tokens: two questions, between which the host checks the signature.
//!
//! The checks are those of HIdP's `parse_id_token`, which follows OpenID Connect Basic, section 2.2.1.

use crate::jwks::json::{read_json, shown};
use crate::value::{FromValue, Members, Shape, Value};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;
use thiserror::Error;

/// The longest token that is read, in bytes.
const LONGEST_TOKEN: usize = 64 * 1024;
/// Seconds that a token is accepted after its end (HIdP: one minute).
const LEEWAY_SECONDS: f64 = 60.0;

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It is no signed token in compact form, or its header or claims cannot be read.
    #[error("the token cannot be read: {0}")]
    Malformed(String),
    /// Its algorithm is not among those that are allowed.
    #[error("the token is signed with `{0}`, which is not allowed")]
    Algorithm(String),
    /// A claim is missing or has not the value that it must have.
    #[error("the token's claims do not hold: {0}")]
    Claims(String),
    /// Its time is over.
    #[error("the token expired {0} s ago")]
    Expired(i64),
    /// Its time has not come.
    #[error("the token is not valid before {0} s from now")]
    NotYetValid(i64),
}

impl TokenError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "token_malformed",
            Self::Algorithm(_) => "token_algorithm",
            Self::Claims(_) => "token_claims",
            Self::Expired(_) => "token_expired",
            Self::NotYetValid(_) => "token_not_yet_valid",
        }
    }
}

/// What a token says of its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signed {
    /// The algorithm, one of those that are allowed.
    pub alg: String,
    /// The id of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
}

/// What the claims of a token are held against.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The issuer. `{tenantid}` in it stands for the token's own `tid`, as Microsoft has it.
    pub issuer: String,
    /// The client ids, one of which must be in `aud`.
    pub audience: Vec<String>,
    /// What was sent as `nonce`; where nothing was, the token must not have one.
    pub nonce: Option<String>,
    /// Seconds since 1970.
    pub now: f64,
}

/// Whether a token may be verified at all, and with which key. The embedded key, addresses and certificates of a header are
/// not looked at, and its algorithm only to be held against those that are allowed.
///
/// # Errors
/// [`TokenError`]
pub fn may_verify(token: &str, algorithms: &[String]) -> Result<Signed, TokenError> {
    let (header, _) = parts(token)?;
    let mut header = object(header).ok_or_else(|| malformed("its header is no JSON object"))?;
    // RFC 7515, section 4.1.11: extensions that must be understood. None is understood here.
    if header.has("crit") {
        return Err(malformed("its header has a `crit`, and no extension is understood"));
    }
    let in_header = |shape: Shape| malformed(format!("in its header, {shape}"));
    let alg = header.take::<String>("alg").map_err(in_header)?;
    let kid = header.take("kid").map_err(in_header)?;
    if algorithms.contains(&alg) {
        return Ok(Signed { alg, kid });
    }
    Err(TokenError::Algorithm(shown(&alg, 40)))
}

/// Whether the claims of a token hold. To be asked only of a token whose signature has been verified.
///
/// # Errors
/// [`TokenError`]
#[expect(clippy::cast_possible_truncation, reason = "seconds, in a message")]
pub fn claims_hold(token: &str, expected: &Expected) -> Result<(), TokenError> {
    let (_, claims) = parts(token)?;
    let claims = object(claims).ok_or_else(|| malformed("its claims are no JSON object"))?;
    let issuer = expected_issuer(&claims, &expected.issuer);
    if text(&claims, "iss")? != issuer {
        return Err(TokenError::Claims(format!("`iss` is not `{}`", shown(&issuer, 200))));
    }
    // OpenID Connect Core 1.0, section 2: never empty.
    if text(&claims, "sub")?.is_empty() {
        return Err(TokenError::Claims("`sub` is empty".into()));
    }
    if !is_for(&claims, &expected.audience) {
        return Err(TokenError::Claims("`aud` is missing or not this client".into()));
    }
    let end = seconds(&claims, "exp")?.ok_or_else(|| missing("exp"))?;
    seconds(&claims, "iat")?.ok_or_else(|| missing("iat"))?;
    // RFC 7519, section 4.1.4: on or after its end it is not accepted.
    if end <= expected.now - LEEWAY_SECONDS {
        return Err(TokenError::Expired((expected.now - end) as i64));
    }
    if let Some(start) = seconds(&claims, "nbf")?.filter(|start| *start > expected.now) {
        return Err(TokenError::NotYetValid((start - expected.now) as i64));
    }
    let nonce = read::<String>(&claims, "nonce")?.unwrap_or_default();
    match &expected.nonce {
        Some(sent) if nonce != *sent => Err(TokenError::Claims("`nonce` is not the one that was sent".into())),
        None if !nonce.is_empty() => Err(TokenError::Claims("there is a `nonce`, and none was sent".into())),
        _ => Ok(()),
    }
}

/// Header and claims, still encoded (RFC 7515, section 7.1).
fn parts(token: &str) -> Result<(&str, &str), TokenError> {
    if token.len() > LONGEST_TOKEN {
        return Err(malformed(format!("it has {} bytes, and {LONGEST_TOKEN} are the most", token.len())));
    }
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(claims), Some(_), None) => Ok((header, claims)),
        _ => Err(malformed("it has not three parts")),
    }
}

fn object(encoded: &str) -> Option<Members> {
    let text = String::from_utf8(Base64UrlUnpadded::decode_vec(encoded).ok()?).ok()?;
    read_json(&text).ok()?.read().ok()
}

/// Microsoft has an issuer for each tenant, and the token says of which tenant it is (HIdP's `get_issuer`).
fn expected_issuer(claims: &Members, issuer: &str) -> String {
    let template = issuer.split_once('{').and_then(|(before, rest)| Some((before, rest.strip_prefix("tenantid}")?)));
    match (claims.get("tid"), template) {
        (Some(Value::Text(tenant)), Some((before, after))) if !tenant.is_empty() => format!("{before}{tenant}{after}"),
        _ => issuer.to_owned(),
    }
}

/// RFC 7519, section 4.1.3: one audience, or several.
fn is_for(claims: &Members, audience: &[String]) -> bool {
    let is_ours = |value: &Value| matches!(value, Value::Text(one) if audience.contains(one));
    match claims.get("aud") {
        Some(Value::List(several)) => several.iter().any(is_ours),
        Some(one) => is_ours(one),
        None => false,
    }
}

fn text(claims: &Members, name: &str) -> Result<String, TokenError> {
    read(claims, name)?.ok_or_else(|| missing(name))
}

/// A NumericDate (RFC 7519, section 2).
fn seconds(claims: &Members, name: &str) -> Result<Option<f64>, TokenError> {
    read(claims, name)
}

fn read<T: FromValue>(claims: &Members, name: &str) -> Result<Option<T>, TokenError> {
    let value = claims.get(name).cloned().unwrap_or(Value::Null);
    value.read().map_err(|shape| TokenError::Claims(shape.of(name).to_string()))
}

fn missing(name: &str) -> TokenError {
    TokenError::Claims(format!("`{name}` is missing"))
}

fn malformed(why: impl Into<String>) -> TokenError {
    TokenError::Malformed(why.into())
}
