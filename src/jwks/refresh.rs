//! The refresh of one provider's keys, as a state machine: what to ask for next, and what came of it.
//!
//! A failure changes nothing but the record of the last attempt (`Write` of an [`Attempt`]); the entry with the last good set
//! is not even written again, so that a refresh that another process has done meanwhile is not undone.

use crate::error::Error;
use crate::instant::Instant;
use crate::jwks::discovery::read_jwks_uri;
use crate::jwks::entry::{Attempt, CacheKeys, Entry, State};
use crate::jwks::error::KeySetError;
use crate::jwks::freshness::{fresh_seconds, seconds};
use crate::jwks::json::{MOST_BYTES, shown};
use crate::jwks::key::Verdict;
use crate::jwks::provider::{Policy, Provider, is_https, origin};
use crate::jwks::set::{Difference, KeySet};
use crate::value::{FromValue, Members, Shape, Value};
use serde::Serialize;

/// Redirects that are followed, within one origin.
const MOST_REDIRECTS: u32 = 5;
/// The first pause before a request is made again, in milliseconds; each further one is twice as long.
const FIRST_PAUSE_MS: f64 = 250.0;
/// The longest `ETag` that is sent back.
const LONGEST_ETAG: usize = 512;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Discovery,
    KeySet,
}

/// The refresh of one provider's keys.
pub struct Refresh {
    provider: Provider,
    policy: Policy,
    began: Instant,
    previous: Option<(Entry, KeySet)>,
    wanted: Wanted,
    url: String,
    redirects: u32,
    retries: u32,
    elapsed_ms: f64,
}

impl Refresh {
    /// A refresh that has not begun. `previous` is the entry that the cache has.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`]
    pub fn new(provider: Provider, policy: Policy, now: Instant, previous: Option<&str>) -> Result<Self, Error> {
        provider.check()?;
        policy.check()?;
        let previous = previous.and_then(|text| Entry::read(text, &provider));
        let wanted = if provider.jwks_uri.is_some() { Wanted::KeySet } else { Wanted::Discovery };
        let url = provider.start();
        Ok(Self { provider, policy, began: now, previous, wanted, url, redirects: 0, retries: 0, elapsed_ms: 0.0 })
    }

    /// What to do next.
    pub fn next(&mut self, outcome: Outcome) -> Effect {
        self.elapsed_ms = outcome.elapsed_ms.max(self.elapsed_ms);
        let step = match outcome.answer {
            Answer::Began | Answer::Waited => self.fetch(),
            Answer::Response(response) => self.read(&response, outcome.random),
            Answer::Failed(failure) => self.missed(&failure, outcome.random),
        };
        step.unwrap_or_else(|failure| self.fail(failure))
    }

    fn fetch(&self) -> Result<Effect, Failure> {
        let timeout_ms = self.left_ms();
        if timeout_ms == 0 {
            return Err(self.timed_out());
        }
        let etag = self.known_tag().map(str::to_owned);
        Ok(Effect::Fetch(Fetch { url: self.url.clone(), etag, timeout_ms, max_bytes: MOST_BYTES }))
    }

    /// The tag of the set that the cache has, if it is one of this address and stands for that set alone.
    fn known_tag(&self) -> Option<&str> {
        let (entry, _) = self.previous.as_ref().filter(|(entry, _)| entry.uri == self.url)?;
        entry.etag.as_deref().filter(|tag| is_entity_tag(tag) && self.wanted == Wanted::KeySet)
    }

    fn read(&mut self, response: &Response, random: f64) -> Result<Effect, Failure> {
        match (response.status, self.wanted) {
            (200, Wanted::Discovery) => {
                let issuer = self.provider.issuer.clone().unwrap_or_default();
                self.url = read_jwks_uri(response.body.as_deref().unwrap_or_default(), &issuer)?;
                self.wanted = Wanted::KeySet;
                self.redirects = 0;
                self.fetch()
            }
            (200, Wanted::KeySet) => self.take(response),
            (304, Wanted::KeySet) if self.known_tag().is_some() => self.confirm(response),
            (0 | 301 | 302 | 303 | 307 | 308, _) => self.redirect(response.location.as_deref()),
            (status, _) => {
                let failure = Failure::new("provider_status", format!("{} answered with status {status}", self.url));
                let for_the_moment = matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504);
                let asked_for = match response.retry_after.as_deref() {
                    None => Some(0),
                    // A date is not read: who gives one means longer than a refresh takes.
                    Some(text) => seconds(text.trim()),
                };
                match asked_for.filter(|_| for_the_moment) {
                    Some(seconds) => self.again(failure, random, seconds),
                    None => Err(failure),
                }
            }
        }
    }

    /// Within one origin a redirect changes nothing about who answers; elsewhere it would.
    fn redirect(&mut self, location: Option<&str>) -> Result<Effect, Failure> {
        let refused = |why: String| Failure::new("provider_redirect", format!("{} redirects {why}", self.url));
        let Some(location) = location else { return Err(refused("to an address that is not told".into())) };
        let shown = shown(location, 200);
        if !is_https(location) {
            return Err(refused(format!("to `{shown}`, which is no https:// address")));
        }
        if origin(location) != origin(&self.url) {
            return Err(refused(format!("to `{shown}`, which is another origin")));
        }
        if self.redirects == MOST_REDIRECTS {
            return Err(refused(format!("more than {MOST_REDIRECTS} times")));
        }
        self.redirects += 1;
        self.url = location.to_owned();
        self.fetch()
    }

    fn missed(&mut self, failure: &FetchFailure, random: f64) -> Result<Effect, Failure> {
        let url = &self.url;
        match failure.kind {
            FailureKind::Timeout => Err(self.timed_out()),
            FailureKind::TooLarge => {
                Err(Failure::new("provider_too_large", format!("{url} answered with more than {MOST_BYTES} bytes")))
            }
            FailureKind::Aborted => Err(Failure::new("aborted", format!("the refresh from {url} was aborted"))),
            FailureKind::Network => {
                let message = format!("{url} could not be reached: {}", failure.message);
                self.again(Failure::new("provider_unreachable", message), random, 0)
            }
        }
    }

    /// Waits and asks again, if that can help within the time.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a pause is short and positive")]
    fn again(&mut self, failure: Failure, random: f64, asked_for: u32) -> Result<Effect, Failure> {
        // Half of it at random, so that those who failed together do not come back together.
        let longest = FIRST_PAUSE_MS * f64::from(1_u32 << self.retries.min(16));
        let pause = longest * (0.5 + random / 2.0);
        let pause = pause.max(f64::from(asked_for) * 1000.0) as u64;
        if self.retries == self.policy.retries || pause >= self.left_ms() {
            return Err(failure);
        }
        self.retries += 1;
        Ok(Effect::Wait(pause))
    }

    fn take(&mut self, response: &Response) -> Result<Effect, Failure> {
        let set = KeySet::parse(response.body.as_deref().unwrap_or_default())?;
        let mut entry = Entry::new(&self.provider, &self.url, &set, self.now(), self.fresh_until(response));
        // A 304 would not say again what has to be said of such keys, nor bring back those that were set aside.
        entry.etag = response.etag.clone().filter(|_| set.warnings().is_empty());
        let before = self.previous.take();
        let difference = set.difference(before.as_ref().map(|(_, set)| set));
        let same = difference.is_empty();
        if let Some((before, _)) = before.filter(|_| same) {
            entry.fetched_at = before.fetched_at;
        }
        Ok(self.keep(entry, &set, difference, if same { Ended::Unchanged } else { Ended::Refreshed }))
    }

    fn confirm(&mut self, response: &Response) -> Result<Effect, Failure> {
        let nothing = || {
            Failure::new("internal", "a set was confirmed that is not there; this is a defect of idp-janitor".into())
        };
        let (mut entry, set) = self.previous.take().ok_or_else(nothing)?;
        entry.checked_at = self.now();
        entry.fresh_until = self.fresh_until(response);
        Ok(self.keep(entry, &set, Difference::default(), Ended::Unchanged))
    }

    fn keep(&self, entry: Entry, set: &KeySet, difference: Difference, outcome: Ended) -> Effect {
        let Difference { added, removed, changed } = difference;
        let report = ClientReport {
            client: self.provider.key.clone(),
            uri: self.url.clone(),
            outcome,
            keys: set.verdicts().cloned().collect(),
            added,
            removed,
            changed,
            fresh_until: Some(entry.fresh_until),
            usable_until: Some(entry.usable_until(&self.policy)),
            error: None,
            warnings: set.warnings(),
        };
        let write = self.write(CacheKeys::of(&self.provider.key).entry, entry.to_json());
        Effect::Done(Box::new(Refreshed { report, write, publish: Some(entry.key_set) }))
    }

    fn fail(&self, failure: Failure) -> Effect {
        let at = self.now();
        let usable = self.previous.as_ref().filter(|(entry, _)| entry.state(&self.policy, at) != State::TooOld);
        let until = usable.map(|(entry, _)| entry.usable_until(&self.policy));
        let warning = match until {
            Some(until) => format!("the keys of before stay and are used until {until}"),
            None => "there are no keys from before that could be used: tokens of this provider are refused".into(),
        };
        let attempt = Attempt { at, code: failure.code.into(), message: failure.message.clone() };
        let report = ClientReport {
            client: self.provider.key.clone(),
            uri: self.url.clone(),
            outcome: Ended::Failed,
            keys: usable.map(|(_, set)| set.verdicts().cloned().collect()).unwrap_or_default(),
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
            fresh_until: usable.map(|(entry, _)| entry.fresh_until),
            usable_until: until,
            error: Some(failure),
            warnings: vec![warning],
        };
        let write = self.write(CacheKeys::of(&self.provider.key).attempt, attempt.to_json());
        Effect::Done(Box::new(Refreshed { report, write, publish: None }))
    }

    fn write(&self, key: String, value: String) -> Write {
        Write { key, value, ttl_seconds: self.policy.max_stale_seconds }
    }

    fn timed_out(&self) -> Failure {
        let seconds = self.policy.timeout_seconds;
        Failure::new("provider_timeout", format!("{} gave no whole answer within {seconds} s", self.url))
    }

    fn fresh_until(&self, response: &Response) -> Instant {
        let seconds = fresh_seconds(&self.policy, response.cache_control.as_deref(), response.age.as_deref());
        self.now().plus_millis(i64::from(seconds) * 1000)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a refresh takes minutes at most")]
    fn now(&self) -> Instant {
        self.began.plus_millis(self.elapsed_ms as i64)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates at zero")]
    fn left_ms(&self) -> u64 {
        (f64::from(self.policy.timeout_seconds) * 1000.0 - self.elapsed_ms) as u64
    }
}

/// RFC 9110, section 8.8.3. An asterisk in its place would stand for any set, several tags for several.
fn is_entity_tag(tag: &str) -> bool {
    let opaque = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    tag.len() <= LONGEST_ETAG && opaque.is_some_and(|text| text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x7e)))
}
