//! What the cache keeps of a provider: its last good key set, and apart from it the last attempt that failed.

use crate::instant::Instant;
use crate::jwks::json::{MOST_BYTES, read_json, read_json_within};
use crate::jwks::provider::{Policy, Provider};
use crate::jwks::set::KeySet;
use crate::value::{FromValue, Members, Shape, Value};
use serde::Serialize;

/// The form of entries that is written and read.
const VERSION: u32 = 1;
/// How far the clock of whoever wrote an entry may be ahead of ours.
const CLOCK_SKEW_MS: i64 = 3_600_000;

/// Under which keys the cache keeps what belongs to a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CacheKeys {
    /// The [`Entry`].
    pub entry: String,
    /// The last failed [`Attempt`].
    pub attempt: String,
    /// There while readers may not ask for a refresh.
    pub cooldown: String,
}

impl CacheKeys {
    /// Those of a provider.
    #[must_use]
    pub fn of(provider: &str) -> Self {
        let of = |kind: &str| format!("idp-janitor:{kind}:{provider}");
        Self { entry: of("keys"), attempt: of("attempt"), cooldown: of("cooldown") }
    }
}

/// A good key set as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The form of this entry.
    pub version: u32,
    /// The address or issuer that the provider was configured with.
    pub source: String,
    /// Where the set was found.
    pub uri: String,
    /// The usable keys, as text.
    pub key_set: String,
    /// When the provider gave it.
    pub fetched_at: Instant,
    /// When the provider last said that it holds.
    pub checked_at: Instant,
    /// Until when it need not be asked again.
    pub fresh_until: Instant,
    /// What the provider calls this version of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// When.
    pub at: Instant,
    /// The stable code of the failure.
    pub code: String,
    /// The failure, for a person.
    pub message: String,
}

/// Whether an entry may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The provider said not long ago that it holds.
    Fresh,
    /// The provider should be asked again; until then it is used.
    Stale,
    /// The provider has not confirmed it for too long: it is used no more.
    TooOld,
}

impl State {
    /// Its name for the host.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::TooOld => "too_old",
        }
    }
}

impl FromValue for Entry {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        Ok(Self {
            version: members.take("version")?,
            source: members.take("source")?,
            uri: members.take("uri")?,
            key_set: members.take("keySet")?,
            fetched_at: members.take("fetchedAt")?,
            checked_at: members.take("checkedAt")?,
            fresh_until: members.take("freshUntil")?,
            etag: members.take("etag")?,
        })
    }
}

impl FromValue for Attempt {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        Ok(Self { at: members.take("at")?, code: members.take("code")?, message: members.take("message")? })
    }
}

impl Entry {
    /// Reads an entry of this provider as it is configured now, and judges its keys anew.
    #[must_use]
    pub fn read(text: &str, provider: &Provider) -> Option<(Self, KeySet)> {
        // A set inside of an entry is text inside of text: every quotation mark of it takes two bytes.
        let entry: Self = read_json_within(text, 3 * MOST_BYTES).ok()?.read().ok()?;
        let ours = entry.version == VERSION && entry.source == provider.source();
        let set = KeySet::parse(&entry.key_set).ok()?;
        // As it was judged just now, not as somebody put it there.
        ours.then(|| (Self { key_set: set.to_json(), ..entry }, set))
    }

    /// An entry for a set that the provider gave just now.
    #[must_use]
    pub fn new(provider: &Provider, uri: &str, set: &KeySet, now: Instant, fresh_until: Instant) -> Self {
        Self {
            version: VERSION,
            source: provider.source().into(),
            uri: uri.into(),
            key_set: set.to_json(),
            fetched_at: now,
            checked_at: now,
            fresh_until,
            etag: None,
        }
    }

    /// Whether it may be used. One that comes from the future would never grow old, so it is as good as too old.
    #[must_use]
    pub fn state(&self, policy: &Policy, now: Instant) -> State {
        let ahead = self.checked_at.millis_since(now) > CLOCK_SKEW_MS;
        if ahead || now >= self.usable_until(policy) {
            State::TooOld
        } else if now >= self.fresh_until {
            State::Stale
        } else {
            State::Fresh
        }
    }

    /// Until when it may be used if the provider cannot be asked.
    #[must_use]
    pub fn usable_until(&self, policy: &Policy) -> Instant {
        self.checked_at.plus_millis(i64::from(policy.max_stale_seconds) * 1000)
    }

    /// As it is kept.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Attempt {
    /// Reads an attempt.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        read_json(text).ok()?.read().ok()
    }

    /// As it is kept.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
