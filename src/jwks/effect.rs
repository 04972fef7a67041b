//! What crosses between a refresh and its host, as plain data. `js/keys/effects.ts` has the same types.

use crate::instant::Instant;
use crate::jwks::error::KeySetError;
use crate::jwks::key::Verdict;
use crate::value::{FromValue, Members, Shape, Value};
use serde::Serialize;

/// What the host is to do next.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Make a request.
    Fetch(Fetch),
    /// Wait so many milliseconds.
    Wait(u64),
    /// Nothing more: keep what is to be kept.
    Done(Box<Refreshed>),
}

/// A GET request, whose redirects are not followed and whose body is read only of an answer with status 200.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fetch {
    /// Where.
    pub url: String,
    /// `If-None-Match`, if a set is there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Milliseconds for all of it, the body included.
    pub timeout_ms: u64,
    /// The most bytes of a body that are read, after decompression.
    pub max_bytes: usize,
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet: the refresh begins.
    Began,
    /// An answer with any status.
    Response(Response),
    /// No answer, or not all of it.
    Failed(FetchFailure),
    /// The time is over.
    Waited,
}

/// An answer of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// Its status; 0 where a browser hides a redirect.
    pub status: u16,
    /// `Location`, made absolute by the host.
    pub location: Option<String>,
    /// `ETag`
    pub etag: Option<String>,
    /// `Cache-Control`
    pub cache_control: Option<String>,
    /// `Age`
    pub age: Option<String>,
    /// `Retry-After`
    pub retry_after: Option<String>,
    /// The body, of status 200 only.
    pub body: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchFailure {
    /// Of what kind it is.
    pub kind: FailureKind,
    /// What the host's `fetch` says.
    pub message: String,
}

/// Kinds of failed requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// No connection, or a broken one.
    Network,
    /// The time was over.
    Timeout,
    /// The body was longer than allowed.
    TooLarge,
    /// The host wanted it to end.
    Aborted,
}

/// An answer, with what the core cannot know by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What came of the effect.
    pub answer: Answer,
    /// Milliseconds since the refresh began.
    pub elapsed_ms: f64,
    /// A random number from 0 to 1, for the length of a pause.
    pub random: f64,
}

impl FromValue for Outcome {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        Ok(Self {
            answer: members.take("answer")?,
            elapsed_ms: members.take("elapsedMs")?,
            random: members.take("random")?,
        })
    }
}

/// `"began"`, `"waited"`, `{ response }` or `{ failed }`.
impl FromValue for Answer {
    fn from_value(value: Value) -> Result<Self, Shape> {
        match &value {
            Value::Text(name) if name == "began" => return Ok(Self::Began),
            Value::Text(name) if name == "waited" => return Ok(Self::Waited),
            _ => {}
        }
        let mut members: Members = value.read()?;
        if members.has("response") {
            return members.take("response").map(Self::Response);
        }
        members.take("failed").map(Self::Failed)
    }
}

impl FromValue for FetchFailure {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        let kind = match members.take::<String>("kind")?.as_str() {
            "timeout" => FailureKind::Timeout,
            "too_large" => FailureKind::TooLarge,
            "aborted" => FailureKind::Aborted,
            _ => FailureKind::Network,
        };
        Ok(Self { kind, message: members.take("message")? })
    }
}

impl FromValue for Response {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        Ok(Self {
            status: u16::try_from(members.take::<u32>("status")?).map_err(|_| Shape::new("a status"))?,
            location: members.take("location")?,
            etag: members.take("etag")?,
            cache_control: members.take("cacheControl")?,
            age: members.take("age")?,
            retry_after: members.take("retryAfter")?,
            body: members.take("body")?,
        })
    }
}

/// How a refresh ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The provider gave other keys, or the first ones.
    Refreshed,
    /// The provider has the keys that it had.
    Unchanged,
    /// The keys are what they were before.
    Failed,
}

/// What failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The stable code.
    pub code: &'static str,
    /// One line for a person.
    pub message: String,
}

impl Failure {
    /// A failure with a code and a line for a person.
    #[must_use]
    pub fn new(code: &'static str, message: String) -> Self {
        Self { code, message }
    }
}

impl From<KeySetError> for Failure {
    fn from(error: KeySetError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// What is told about the refresh of one provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientReport {
    /// The provider's key.
    pub client: String,
    /// Where its keys are, or its discovery document where that is as far as it came.
    pub uri: String,
    /// How it ended.
    pub outcome: Ended,
    /// The keys that are kept now, and those that were set aside.
    pub keys: Vec<Verdict>,
    /// Ids of keys that were not there before.
    pub added: Vec<String>,
    /// Ids of keys that are there no more.
    pub removed: Vec<String>,
    /// Ids that stand for another key than before, or for another algorithm.
    pub changed: Vec<String>,
    /// Until when the provider need not be asked again; absent without keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_until: Option<Instant>,
    /// Until when the keys are used if the provider cannot be asked; absent without keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usable_until: Option<Instant>,
    /// What failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// A value for the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Write {
    /// Its key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Seconds that it is kept.
    pub ttl_seconds: u32,
}

/// The end of a refresh: what to tell, and what to keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refreshed {
    /// What to tell.
    pub report: ClientReport,
    /// What the cache is to keep.
    pub write: Write,
    /// The key set as other products read it; absent after a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish: Option<String>,
}
