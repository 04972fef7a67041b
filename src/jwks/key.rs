//! One key: may it be used to verify signatures, and if not, why.

use crate::jwks::curve::{P256, P384, P521, ShortCurve, is_ed25519_point};
use crate::jwks::json::shown;
use crate::value::{Members, Shape, Value};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The least modulus of an RSA key, in bits (RFC 7518, section 3.3).
const LEAST_RSA_BITS: usize = 2048;
/// The largest that is verified with: beyond it a single signature takes too long.
const MOST_RSA_BITS: usize = 16_384;
/// How much of a name that nobody knows stands in a message, in characters.
const SHOWN: usize = 40;
/// The longest key id, in bytes.
const LONGEST_KID: usize = 512;
/// Members that only the holder of a private or a shared key may know (RFC 7518, sections 6.2.2, 6.3.2 and 6.4; of keys of
/// type AKP, `priv`).
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// Why a key is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A `kty` that nothing here knows.
    UnsupportedType,
    /// A `crv` that nothing here verifies with.
    UnsupportedCurve,
    /// An `alg` that is none of signatures, or not one of such a key.
    UnsupportedAlgorithm,
    /// A `use` or `key_ops` other than for verifying signatures.
    UnsupportedUse,
    /// A shared secret: whoever can read it can sign.
    Symmetric,
    /// Its private half is in the set: whoever can read it can sign.
    Private,
    /// An RSA key that is too short, too long, or has an exponent below 3.
    Weak,
    /// A member is missing or cannot be read.
    Malformed,
    /// Its point is not on its curve, or of small order.
    OffCurve,
}

/// What is told about a key. Absent is what the key does not have or what cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verdict {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kty: Option<String>,
    /// The algorithm that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// Its curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// Its RFC 7638 thumbprint by SHA-256, in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<String>,
    /// Whether signatures are verified with it.
    pub usable: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Why not, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The public members of a key that RFC 7517 and RFC 7518 register; nothing else of a key is kept or passed on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PublicKey {
    /// Key type.
    pub kty: String,
    /// Public key use.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub use_: Option<String>,
    /// Key operations; absent in a key that was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_ops: Option<Vec<String>>,
    /// Algorithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// Key id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// X coordinate, or an Edwards point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Y coordinate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// RSA modulus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// RSA exponent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// X.509 chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x5c: Option<Vec<String>>,
    /// X.509 thumbprint by SHA-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x5t: Option<String>,
    /// X.509 thumbprint by SHA-256.
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub x5t_s256: Option<String>,
}

impl PublicKey {
    fn take(mut members: Members) -> Result<Self, Shape> {
        Ok(Self {
            kty: members.take::<Option<_>>("kty")?.unwrap_or_default(),
            use_: members.take("use")?,
            key_ops: members.take("key_ops")?,
            alg: members.take("alg")?,
            kid: members.take("kid")?,
            crv: members.take("crv")?,
            x: members.take("x")?,
            y: members.take("y")?,
            n: members.take("n")?,
            e: members.take("e")?,
            x5c: members.take("x5c")?,
            x5t: members.take("x5t")?,
            x5t_s256: members.take("x5t#S256")?,
        })
    }
}

/// A key with what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedKey {
    /// What is said of it.
    pub verdict: Verdict,
    /// The key itself, where it is usable.
    pub public: Option<PublicKey>,
}

type Refusal = (Reason, String);

/// Judges one member of `keys`.
#[must_use]
pub fn judge(key: Value) -> JudgedKey {
    let members: Members = match key.read() {
        Ok(members) => members,
        Err(shape) => return refused(Verdict::default(), (Reason::Malformed, shape.to_string())),
    };
    let text = |name: &str| match members.get(name) {
        Some(Value::Text(text)) if text.len() <= LONGEST_KID => Some(text.clone()),
        _ => None,
    };
    let verdict =
        Verdict { kid: text("kid"), kty: text("kty"), alg: text("alg"), crv: text("crv"), ..Verdict::default() };
    let exposed = exposed(&members);
    // What is published of a secret is worse than whatever else is wrong with a key.
    let malformed = |why: String| exposed.clone().unwrap_or((Reason::Malformed, why));
    let mut key = match PublicKey::take(members) {
        Ok(key) => key,
        Err(shape) => return refused(verdict, malformed(shape.to_string())),
    };
    if key.kid.as_ref().is_some_and(|kid| kid.len() > LONGEST_KID) {
        return refused(verdict, malformed(format!("a `kid` of more than {LONGEST_KID} bytes")));
    }
    let judged = judge_members(&mut key);
    // The thumbprint of a shared secret would help to guess it.
    let thumbprint = (key.kty != "oct").then(|| thumbprint(&key)).flatten();
    let verdict = Verdict { thumbprint, ..verdict };
    match exposed.map_or(judged, Err) {
        Err(refusal) => refused(verdict, refusal),
        Ok(()) => {
            // They have been judged; and HIdP refuses a whole set over operations in a combination that it does not know.
            let public = Some(PublicKey { key_ops: None, ..key });
            JudgedKey { verdict: Verdict { usable: true, ..verdict }, public }
        }
    }
}

fn refused(verdict: Verdict, (reason, message): Refusal) -> JudgedKey {
    JudgedKey { verdict: Verdict { reason: Some(reason), message: Some(message), ..verdict }, public: None }
}

/// What of a private or shared key is there for all to read.
fn exposed(members: &Members) -> Option<Refusal> {
    if members.get("kty") == Some(&Value::Text("oct".into())) {
        return Some((Reason::Symmetric, "a symmetric key: whoever can read it can sign".into()));
    }
    let found: Vec<String> =
        PRIVATE.iter().filter(|name| members.get(name).is_some()).map(|n| format!("`{n}`")).collect();
    (!found.is_empty()).then(|| {
        let members = found.join(", ");
        (Reason::Private, format!("its private half is published ({members}): whoever can read it can sign"))
    })
}

fn judge_members(key: &mut PublicKey) -> Result<(), Refusal> {
    match key.kty.as_str() {
        "RSA" => judge_rsa(key)?,
        "EC" => judge_ec(key)?,
        "OKP" => judge_okp(key)?,
        "" => return Err(missing("kty")),
        other => return Err((Reason::UnsupportedType, format!("a key of type `{}`", shown(other, SHOWN)))),
    }
    judge_use(key)?;
    let known = algorithms(key);
    match &key.alg {
        Some(alg) if !known.contains(&alg.as_str()) => {
            let (alg, kty) = (shown(alg, SHOWN), &key.kty);
            Err((
                Reason::UnsupportedAlgorithm,
                format!("`{alg}` is no signature algorithm for such a key of type `{kty}`"),
            ))
        }
        _ => Ok(()),
    }
}

/// RFC 7517, sections 4.2 and 4.3: who says what a key is for does not mean it for anything else.
fn judge_use(key: &PublicKey) -> Result<(), Refusal> {
    if let Some(other) = key.use_.as_deref().filter(|name| *name != "sig") {
        return Err((Reason::UnsupportedUse, format!("its `use` is `{}`, not `sig`", shown(other, SHOWN))));
    }
    match &key.key_ops {
        Some(operations) if !operations.iter().any(|operation| operation == "verify") => {
            Err((Reason::UnsupportedUse, "its `key_ops` lack `verify`".into()))
        }
        _ => Ok(()),
    }
}

fn judge_rsa(key: &mut PublicKey) -> Result<(), Refusal> {
    let n = unsigned("n", &mut key.n)?;
    let e = unsigned("e", &mut key.e)?;
    let bits = bits(&n);
    if bits < LEAST_RSA_BITS {
        return Err((Reason::Weak, format!("RSA of {bits} bits; {LEAST_RSA_BITS} are the least")));
    }
    if bits > MOST_RSA_BITS {
        return Err((Reason::Weak, format!("RSA of {bits} bits; {MOST_RSA_BITS} are the most")));
    }
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    if !is_odd(&n) || !is_odd(&e) || e == [1] {
        return Err((Reason::Weak, "an RSA modulus or exponent that cannot be one".into()));
    }
    // Engines take exponents of at most 33 bits alike; 65537 is what everybody uses.
    if e.len() > 4 {
        return Err((Reason::Weak, "an RSA exponent of more than 32 bits".into()));
    }
    Ok(())
}

fn judge_ec(key: &PublicKey) -> Result<(), Refusal> {
    let Some(name) = &key.crv else { return Err(missing("crv")) };
    let curve: &ShortCurve = match name.as_str() {
        "P-256" => &P256,
        "P-384" => &P384,
        "P-521" => &P521,
        other => return Err((Reason::UnsupportedCurve, format!("a key on the curve `{}`", shown(other, SHOWN)))),
    };
    let (x, y) = (octets("x", &key.x, curve.bytes)?, octets("y", &key.y, curve.bytes)?);
    if curve.holds(&x, &y) { Ok(()) } else { Err((Reason::OffCurve, format!("its point is not on {name}"))) }
}

fn judge_okp(key: &PublicKey) -> Result<(), Refusal> {
    match key.crv.as_deref() {
        None => Err(missing("crv")),
        Some("Ed25519") => {
            let point = octets("x", &key.x, 32)?;
            if is_ed25519_point(&point) {
                Ok(())
            } else {
                Err((Reason::OffCurve, "its point is not on Ed25519, or of small order".into()))
            }
        }
        Some(other) => Err((Reason::UnsupportedCurve, format!("a key on the curve `{}`", shown(other, SHOWN)))),
    }
}

/// The signature algorithms that a key can be used with (RFC 7518, section 3.1; RFC 8037, section 3.1; RFC 9864).
#[must_use]
pub fn algorithms(key: &PublicKey) -> &'static [&'static str] {
    match (key.kty.as_str(), key.crv.as_deref()) {
        ("RSA", _) => &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
        ("EC", Some("P-256")) => &["ES256"],
        ("EC", Some("P-384")) => &["ES384"],
        ("EC", Some("P-521")) => &["ES512"],
        ("OKP", Some("Ed25519")) => &["EdDSA", "Ed25519"],
        _ => &[],
    }
}

/// RFC 7638: the required members in the order of their names, hashed.
fn thumbprint(key: &PublicKey) -> Option<String> {
    let member = |value: &Option<String>| value.clone().filter(|text| text.bytes().all(is_base64url));
    let crv = key.crv.as_deref().filter(|crv| crv.bytes().all(is_base64url));
    let text = match key.kty.as_str() {
        "RSA" => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, member(&key.e)?, member(&key.n)?),
        "EC" => format!(r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#, crv?, member(&key.x)?, member(&key.y)?),
        "OKP" => format!(r#"{{"crv":"{}","kty":"OKP","x":"{}"}}"#, crv?, member(&key.x)?),
        _ => return None,
    };
    Some(Base64UrlUnpadded::encode_string(&Sha256::digest(text)))
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// A number (RFC 7518, section 2, Base64urlUInt). Some producers put zeros before it, which the RFC forbids and which
/// harm nobody: they are taken away, so that one key has one thumbprint.
fn unsigned(name: &str, member: &mut Option<String>) -> Result<Vec<u8>, Refusal> {
    let mut bytes = decoded(name, member)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    if zeros > 0 {
        bytes.drain(..zeros);
        *member = Some(Base64UrlUnpadded::encode_string(&bytes));
    }
    if bytes.is_empty() { Err((Reason::Malformed, format!("its `{name}` is zero"))) } else { Ok(bytes) }
}

fn octets(name: &str, member: &Option<String>, length: usize) -> Result<Vec<u8>, Refusal> {
    let bytes = decoded(name, member)?;
    if bytes.len() == length {
        return Ok(bytes);
    }
    Err((Reason::Malformed, format!("its `{name}` has {} bytes, not {length}", bytes.len())))
}

fn decoded(name: &str, member: &Option<String>) -> Result<Vec<u8>, Refusal> {
    let Some(text) = member else { return Err(missing(name)) };
    Base64UrlUnpadded::decode_vec(text).map_err(|_| (Reason::Malformed, format!("its `{name}` is no base64url")))
}

fn missing(name: &str) -> Refusal {
    (Reason::Malformed, format!("it has no `{name}`"))
}

fn bits(number: &[u8]) -> usize {
    let zeros = number.first().map_or(0, |byte| byte.leading_zeros() as usize);
    number.len() * 8 - zeros
}
