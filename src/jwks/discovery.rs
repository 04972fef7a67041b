//! The discovery document of an issuer (OpenID Connect Discovery 1.0, section 4).

use crate::jwks::effect::Failure;
use crate::jwks::json::{read_json, shown};
use crate::jwks::provider::is_https;
use crate::value::Value;

/// Reads the address of the key set out of the discovery document of an issuer.
///
/// # Errors
/// `discovery_malformed` for a document without a usable `jwks_uri`, `discovery_issuer` for one of another issuer: it must
/// be the same, character by character (section 4.3).
pub fn read_jwks_uri(document: &str, issuer: &str) -> Result<String, Failure> {
    let malformed = |why: &str| Failure::new("discovery_malformed", format!("the discovery document {why}"));
    let Ok(Value::Map(members)) = read_json(document) else { return Err(malformed("is no JSON object")) };
    let Some(Value::Text(found)) = members.get("issuer") else { return Err(malformed("has no `issuer`")) };
    if found != issuer {
        let found = shown(found, 200);
        let message = format!("the discovery document is that of `{found}`, not of `{issuer}`");
        return Err(Failure::new("discovery_issuer", message));
    }
    match members.get("jwks_uri") {
        Some(Value::Text(uri)) if is_https(uri) => Ok(uri.clone()),
        Some(_) => Err(malformed("has a `jwks_uri` that is no https:// address")),
        None => Err(malformed("has no `jwks_uri`")),
    }
}
