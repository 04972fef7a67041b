//! An identity provider, and how its keys are refreshed and kept: settings, checked before anything is asked for.

use crate::error::Error;
use crate::value::{FromValue, Members, Shape, Value};

/// A provider whose signing keys are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its key, by which logs, caches and HIdP know it.
    pub key: String,
    /// Where its key set is. Without it, the discovery document of the issuer tells.
    pub jwks_uri: Option<String>,
    /// Its issuer.
    pub issuer: Option<String>,
}

/// How keys are refreshed and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Seconds that the refresh of one provider may take, retries included.
    pub timeout_seconds: u32,
    /// How often a request that failed for the moment is made again.
    pub retries: u32,
    /// Seconds that keys are fresh at least, whatever the provider says.
    pub min_fresh_seconds: u32,
    /// Seconds that keys are fresh at most, whatever the provider says.
    pub max_fresh_seconds: u32,
    /// Seconds after which keys that the provider has not confirmed are used no more.
    pub max_stale_seconds: u32,
    /// Seconds between two refreshes that readers ask for.
    pub cooldown_seconds: u32,
    /// How many providers are refreshed at once.
    pub concurrency: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            timeout_seconds: 30,
            retries: 3,
            min_fresh_seconds: 300,
            max_fresh_seconds: 86_400,
            max_stale_seconds: 7 * 86_400,
            cooldown_seconds: 60,
            concurrency: 6,
        }
    }
}

/// In camel case; what is absent has its default, or as much of it as the others leave room for.
impl FromValue for Policy {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        let mut take = |name: &str, default: u32| members.take::<Option<_>>(name).map(|given| given.unwrap_or(default));
        let default = Self::default();
        let max_stale_seconds = take("maxStaleSeconds", default.max_stale_seconds)?;
        let max_fresh_seconds = take("maxFreshSeconds", default.max_fresh_seconds.min(max_stale_seconds))?;
        Ok(Self {
            timeout_seconds: take("timeoutSeconds", default.timeout_seconds)?,
            retries: take("retries", default.retries)?,
            min_fresh_seconds: take("minFreshSeconds", default.min_fresh_seconds.min(max_fresh_seconds))?,
            max_fresh_seconds,
            max_stale_seconds,
            cooldown_seconds: take("cooldownSeconds", default.cooldown_seconds)?,
            concurrency: take("concurrency", default.concurrency)?,
        })
    }
}

impl Policy {
    /// Holds the settings against their ranges.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`]
    pub fn check(&self) -> Result<(), Error> {
        const YEAR: u32 = 366 * 86_400;
        for (name, value, least, most) in [
            ("timeoutSeconds", self.timeout_seconds, 1, 600),
            ("retries", self.retries, 0, 10),
            ("minFreshSeconds", self.min_fresh_seconds, 0, YEAR),
            ("maxFreshSeconds", self.max_fresh_seconds, self.min_fresh_seconds, YEAR),
            ("maxStaleSeconds", self.max_stale_seconds, self.max_fresh_seconds.max(1), YEAR),
            ("cooldownSeconds", self.cooldown_seconds, 1, 86_400),
            ("concurrency", self.concurrency, 1, 100),
        ] {
            if value < least || value > most {
                let expected = format!("from {least} to {most}");
                return Err(Error::InvalidSetting { name: name.into(), value: value.to_string(), expected });
            }
        }
        Ok(())
    }
}

/// In camel case.
impl FromValue for Provider {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        Ok(Self { key: members.take("key")?, jwks_uri: members.take("jwksUri")?, issuer: members.take("issuer")? })
    }
}

impl Provider {
    /// Holds the settings against what they may be.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`]
    pub fn check(&self) -> Result<(), Error> {
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if self.key.is_empty() || self.key.len() > 100 || !self.key.bytes().all(safe) {
            return Err(invalid("the key of a provider", &self.key, "1 to 100 letters, digits, and `-._~/`"));
        }
        let name = |setting: &str| format!("providers.{}.{setting}", self.key);
        if let Some(uri) = &self.jwks_uri {
            check_address(&name("jwksUri"), uri)?;
        }
        if let Some(issuer) = &self.issuer {
            check_address(&name("issuer"), issuer)?;
        }
        match (&self.jwks_uri, &self.issuer) {
            (None, None) => {
                Err(invalid(&name("jwksUri"), "absent", "there, or `issuer`, so that its keys can be found"))
            }
            (None, Some(issuer)) if issuer.contains(['{', '}', '?']) => {
                Err(invalid(&name("jwksUri"), "absent", "there: from such an issuer it cannot be discovered"))
            }
            _ => Ok(()),
        }
    }

    /// By what a stored key set is known to come from this provider as it is configured now.
    #[must_use]
    pub fn source(&self) -> &str {
        self.jwks_uri.as_deref().or(self.issuer.as_deref()).unwrap_or_default()
    }

    /// Where to begin: the key set, or the discovery document (OpenID Connect Discovery 1.0, section 4).
    #[must_use]
    pub fn start(&self) -> String {
        match (&self.jwks_uri, &self.issuer) {
            (Some(uri), _) => uri.clone(),
            (None, issuer) => {
                let issuer = issuer.as_deref().unwrap_or_default();
                format!("{}/.well-known/openid-configuration", issuer.strip_suffix('/').unwrap_or(issuer))
            }
        }
    }
}

/// Only https, with a host, without user name and fragment; the host has read it as a URL before.
fn check_address(name: &str, address: &str) -> Result<(), Error> {
    if is_https(address) && !address.contains('#') {
        return Ok(());
    }
    Err(invalid(name, address, "an https:// address without user name and fragment"))
}

/// The longest address, in bytes.
const LONGEST_ADDRESS: usize = 2048;

/// Whether text is an https address with a host and without a user name.
#[must_use]
pub fn is_https(address: &str) -> bool {
    let Some(rest) = address.strip_prefix("https://") else { return false };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let printable = address.bytes().all(|byte| byte.is_ascii_graphic());
    printable && address.len() <= LONGEST_ADDRESS && !authority.is_empty() && !authority.contains('@')
}

/// Host and port of an https address, in lower case, and no port where it is 443.
#[must_use]
pub fn origin(address: &str) -> Option<String> {
    let rest = address.strip_prefix("https://").filter(|_| is_https(address))?;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let authority = rest.get(..end)?.to_ascii_lowercase();
    Some(authority.strip_suffix(":443").map(str::to_owned).unwrap_or(authority))
}

fn invalid(name: &str, value: &str, expected: &str) -> Error {
    Error::InvalidSetting { name: name.into(), value: format!("`{value}`"), expected: expected.into() }
}
