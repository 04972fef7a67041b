//! A host that refreshes keys as `js/keys/refresh.ts` does: it asks for what it is told to ask for, by a fake clock.

use idp_janitor::instant::Instant;
use idp_janitor::jwks::effect::{
    Answer, ClientReport, Effect, Ended, FailureKind, Fetch, FetchFailure, Outcome, Refreshed, Response,
};
use idp_janitor::jwks::entry::{Attempt, Entry};
use idp_janitor::jwks::provider::{Policy, Provider};
use idp_janitor::jwks::refresh::Refresh;

/// The clock of every refresh.
pub const NOW: &str = "2026-01-31T03:00:00Z";
/// Where the keys of the provider are.
pub const URI: &str = "https://id.test/keys";
/// Under which keys the cache has what belongs to it.
pub const ENTRY: &str = "idp-janitor:keys:test";
/// Where a failed attempt is kept.
pub const ATTEMPT: &str = "idp-janitor:attempt:test";

/// A refresh to be.
#[derive(Debug, Clone)]
pub struct Scene {
    pub provider: Provider,
    pub policy: Policy,
    /// What the cache has.
    pub previous: Option<String>,
    /// How long each answer takes.
    pub takes_ms: f64,
    /// What chance gives.
    pub random: f64,
    /// How much later than [`NOW`] it begins.
    pub later_ms: i64,
}

/// How a refresh went.
#[derive(Debug, Clone)]
pub struct Course {
    /// What was asked for, and when.
    pub fetches: Vec<(Fetch, f64)>,
    /// For how long the host waited.
    pub waits: Vec<u64>,
    /// How long it took.
    pub took_ms: f64,
    /// What came of it.
    pub end: Refreshed,
}

impl Scene {
    /// A provider whose address is known, and an empty cache. An answer takes 10 ms.
    pub fn new() -> Self {
        let provider = Provider { key: "test".into(), jwks_uri: Some(URI.into()), issuer: None };
        Self { provider, policy: Policy::default(), previous: None, takes_ms: 10.0, random: 0.5, later_ms: 0 }
    }

    /// A provider that is to be discovered.
    pub fn discovering(issuer: &str) -> Self {
        let provider = Provider { key: "test".into(), jwks_uri: None, issuer: Some(issuer.into()) };
        Self { provider, ..Self::new() }
    }

    /// The same with the cache as a refresh left it, so many milliseconds after [`NOW`].
    pub fn after(self, course: &Course, later_ms: i64) -> Self {
        assert_eq!(course.end.write.key, ENTRY, "{:?}", course.end.report.error);
        Self { previous: Some(course.end.write.value.clone()), later_ms, ..self }
    }

    /// When it begins.
    pub fn now(&self) -> Instant {
        Instant::parse(NOW).unwrap().plus_millis(self.later_ms)
    }

    /// Refreshes with these answers, which must be as many as are asked for.
    pub fn run(&self, answers: impl IntoIterator<Item = Answer>) -> Course {
        let mut answers = answers.into_iter();
        let course = self.run_by(|fetch, at| (answers.next().unwrap_or_else(|| panic!("{fetch:?} at {at}")), at));
        assert_eq!(answers.next(), None, "more answers than were asked for");
        course
    }

    /// Refreshes with answers that depend on what is asked for, and that take so much of the time as they say: they
    /// arrive at that millisecond, or when time is over.
    pub fn run_by(&self, mut answer: impl FnMut(&Fetch, f64) -> (Answer, f64)) -> Course {
        let mut refresh =
            Refresh::new(self.provider.clone(), self.policy, self.now(), self.previous.as_deref()).unwrap();
        let (mut fetches, mut waits) = (Vec::new(), Vec::new());
        let mut elapsed_ms = 0.0;
        let mut came = Answer::Began;
        loop {
            match refresh.next(Outcome { answer: came, elapsed_ms, random: self.random }) {
                Effect::Done(end) => return Course { fetches, waits, took_ms: elapsed_ms, end: *end },
                Effect::Wait(ms) => {
                    waits.push(ms);
                    #[expect(clippy::cast_precision_loss, reason = "seconds")]
                    let pause = ms as f64;
                    elapsed_ms += pause;
                    came = Answer::Waited;
                }
                Effect::Fetch(fetch) => {
                    let at;
                    (came, at) = answer(&fetch, elapsed_ms);
                    fetches.push((fetch, elapsed_ms));
                    elapsed_ms = at.max(elapsed_ms) + self.takes_ms;
                }
            }
            assert!(fetches.len() + waits.len() < 100, "the refresh never ends");
        }
    }
}

impl Course {
    /// What is told.
    pub fn report(&self) -> &ClientReport {
        &self.end.report
    }

    /// How it ended.
    pub fn ended(&self) -> Ended {
        self.end.report.outcome
    }

    /// The entry that was written.
    pub fn entry(&self, scene: &Scene) -> Entry {
        assert_eq!(self.end.write.key, ENTRY, "{:?}", self.end.report.error);
        Entry::read(&self.end.write.value, &scene.provider).unwrap().0
    }

    /// The code of a failure, after which nothing but the attempt is written.
    pub fn failed(&self) -> &'static str {
        let report = self.report();
        assert_eq!((report.outcome, self.end.write.key.as_str()), (Ended::Failed, ATTEMPT));
        assert_eq!(self.end.publish, None);
        assert!(report.added.is_empty() && report.removed.is_empty() && report.changed.is_empty());
        let error = report.error.as_ref().unwrap();
        let attempt = Attempt::read(&self.end.write.value).unwrap();
        assert_eq!((attempt.code.as_str(), &attempt.message), (error.code, &error.message));
        error.code
    }

    /// The addresses that were asked.
    pub fn urls(&self) -> Vec<&str> {
        self.fetches.iter().map(|(fetch, _)| fetch.url.as_str()).collect()
    }

    /// The tags that were sent.
    pub fn etags(&self) -> Vec<Option<&str>> {
        self.fetches.iter().map(|(fetch, _)| fetch.etag.as_deref()).collect()
    }
}

/// An answer with a body.
pub fn ok(body: impl Into<String>) -> Answer {
    Answer::Response(Response { status: 200, body: Some(body.into()), ..Response::default() })
}

/// An answer with a body and a tag.
pub fn tagged(body: impl Into<String>, etag: &str) -> Answer {
    let (body, etag) = (Some(body.into()), Some(etag.into()));
    Answer::Response(Response { status: 200, body, etag, ..Response::default() })
}

/// An answer without a body.
pub fn status(status: u16) -> Answer {
    Answer::Response(Response { status, ..Response::default() })
}

/// A redirect, as the host tells it.
pub fn redirect(status: u16, location: &str) -> Answer {
    Answer::Response(Response { status, location: Some(location.into()), ..Response::default() })
}

/// An answer of a server that wants to be left alone.
pub fn later(status: u16, retry_after: &str) -> Answer {
    Answer::Response(Response { status, retry_after: Some(retry_after.into()), ..Response::default() })
}

/// No answer.
pub fn failed(kind: FailureKind) -> Answer {
    Answer::Failed(FetchFailure { kind, message: "as the host says".into() })
}
