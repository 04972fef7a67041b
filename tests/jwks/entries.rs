//! What the cache keeps: read back as it was written, and used for as long as it may be.

use crate::jwks::fixtures::{GOOGLE, MICROSOFT, public, set, with};
use crate::jwks::host::{NOW, Scene};
use crate::seeds::runner;
use idp_janitor::instant::Instant;
use idp_janitor::jwks::entry::{Attempt, CacheKeys, Entry, State};
use idp_janitor::jwks::provider::Policy;
use idp_janitor::jwks::set::KeySet;
use proptest::prelude::*;
use serde_json::json;

fn now() -> Instant {
    Instant::parse(NOW).unwrap()
}

/// An entry that the provider confirmed just now, fresh for so many seconds.
fn entry(fresh_seconds: i64) -> Entry {
    let set = KeySet::parse(GOOGLE).unwrap();
    let fresh_until = now().plus_millis(fresh_seconds * 1000);
    Entry::new(&Scene::new().provider, "https://id.test/keys", &set, now(), fresh_until)
}

#[test]
fn lie_under_keys_of_their_own() {
    let CacheKeys { entry, attempt, cooldown } = CacheKeys::of("google");
    assert_eq!(entry, "idp-janitor:keys:google");
    assert_eq!(attempt, "idp-janitor:attempt:google");
    assert_eq!(cooldown, "idp-janitor:cooldown:google");
}

#[test]
fn are_read_as_they_were_written() {
    let provider = Scene::new().provider;
    let odd_texts = json!({ "kid": "\u{0}\n\"\\é\u{1f511}", "x5c": ["\"", "\\\\"] });
    for text in [GOOGLE, MICROSOFT, &set(&[with(public("rs256"), odd_texts), public("eddsa")])] {
        let set = KeySet::parse(text).unwrap();
        for etag in [None, Some("W/\"\\\n\u{1}\"".to_owned())] {
            let entry = Entry { etag, key_set: set.to_json(), ..entry(300) };
            let (read, judged) = Entry::read(&entry.to_json(), &provider).unwrap();
            assert_eq!((read, judged.to_json()), (entry, set.to_json()));
        }
    }
}

/// A set of the most bytes, all of them such that text within text takes two for one.
#[test]
fn are_read_also_where_they_are_as_large_as_can_be() {
    let key = |filler: usize| with(public("es256"), json!({ "x5c": ["\"".repeat(filler)] }));
    let most = (1_usize << 20).next_multiple_of(2) - set(&[key(0)]).len();
    let text = set(&[key(most / 2)]);
    assert!((1 << 20) - text.len() < 2, "{}", text.len());
    let entry = Entry { key_set: KeySet::parse(&text).unwrap().to_json(), ..entry(300) };
    let written = entry.to_json();
    assert!(written.len() > 1 << 21);
    assert_eq!(Entry::read(&written, &Scene::new().provider).unwrap().0, entry);
}

#[test]
fn garbage_is_none() {
    let provider = Scene::new().provider;
    let whole = entry(300).to_json();
    let (read_entry, read_attempt) = (|text: &str| Entry::read(text, &provider).is_some(), Attempt::read);
    for text in ["", "null", "{}", "[]", "\u{0}", "gAJ9", "{\"at\":1}", GOOGLE] {
        assert!(!read_entry(text) && read_attempt(text).is_none(), "{text}");
    }
    let attempt = Attempt { at: now(), code: "x".into(), message: "\"y\"\n".into() };
    assert_eq!(Attempt::read(&attempt.to_json()), Some(attempt.clone()));
    assert!(Attempt::read(&whole).is_none() && !read_entry(&attempt.to_json()));
    // Whatever byte is lost or another: it is read as some entry, or not at all.
    let cases = (any::<prop::sample::Index>(), 0_u8..128);
    let property = |(at, byte): (prop::sample::Index, u8)| {
        let mut bytes = whole.clone().into_bytes();
        bytes.truncate(at.index(bytes.len()));
        prop_assert!(!read_entry(std::str::from_utf8(&bytes).unwrap()));
        let mut bytes = whole.clone().into_bytes();
        *at.get_mut(&mut bytes) = byte;
        let text = String::from_utf8(bytes).unwrap();
        if let Some((entry, set)) = Entry::read(&text, &provider) {
            prop_assert!(set.usable().count() > 0 && entry.source == "https://id.test/keys");
        }
        Ok(())
    };
    runner(33, 500).run(&cases, property).unwrap();
}

#[test]
fn are_fresh_then_stale_then_too_old_to_the_millisecond() {
    let policy = Policy { max_stale_seconds: 3600, max_fresh_seconds: 3600, ..Policy::default() };
    let at = |entry: &Entry, millis: i64| entry.state(&policy, now().plus_millis(millis));
    for (fresh, later_ms, expected) in [
        (300, 0, State::Fresh),
        (300, 299_999, State::Fresh),
        (300, 300_000, State::Stale),
        (300, 3_599_999, State::Stale),
        (300, 3_600_000, State::TooOld),
        (300, i64::from(u32::MAX), State::TooOld),
        (0, 0, State::Stale),
        (3600, 3_599_999, State::Fresh),
        (3600, 3_600_000, State::TooOld),
        // Whatever an entry says of itself: too old is too old.
        (99_999, 3_600_000, State::TooOld),
        // From the future: within an hour the clocks differ, beyond it nothing can be said.
        (300, -1, State::Fresh),
        (300, -3_600_000, State::Fresh),
        (300, -3_600_001, State::TooOld),
        (300, -99_999_999_999, State::TooOld),
    ] {
        assert_eq!(at(&entry(fresh), later_ms), expected, "{fresh} {later_ms}");
    }
    assert_eq!(entry(300).usable_until(&policy), now().plus_millis(3_600_000));
}
