//! The refresh of one provider's keys, as a state machine: what to ask for next, and what came of it.
//!
//! A failure changes nothing but the record of the last attempt (`Write` of an [`Attempt`]); the entry with the last good set
//! is not even written again, so that a refresh that another process has done meanwhile is not undone.

use crate::error::Error;
use crate::instant::Instant;
use crate::jwks::discovery::read_jwks_uri;
use crate::jwks::effect::{
    Answer, ClientReport, Effect, Ended, Failure, FailureKind, Fetch, FetchFailure, Outcome, Refreshed, Response, Write,
};
use crate::jwks::entry::{Attempt, CacheKeys, Entry, State};
use crate::jwks::freshness::{fresh_seconds, seconds};
use crate::jwks::json::{MOST_BYTES, shown};
use crate::jwks::provider::{Policy, Provider, is_https, origin};
use crate::jwks::set::{Difference, KeySet};

/// Redirects that are followed, within one origin.
const MOST_REDIRECTS: u32 = 5;
/// The first pause before a request is made again, in milliseconds; each further one is twice as long.
const FIRST_PAUSE_MS: f64 = 250.0;
/// The longest `ETag` that is sent back.
const LONGEST_ETAG: usize = 512;

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
