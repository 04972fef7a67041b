//! Whatever a provider answers, and in whatever order: the refresh ends, and what it writes can be used.

use crate::jwks::fixtures::{GOOGLE, MICROSOFT, PUBLIC, odd_keys, public, set};
use crate::jwks::host::{ATTEMPT, ENTRY, Scene, failed, later, ok, redirect, status, tagged};
use crate::seeds::runner;
use idp_janitor::jwks::effect::{Answer, Ended, FailureKind};
use idp_janitor::jwks::entry::Entry;
use idp_janitor::jwks::provider::Policy;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value as Json;
use std::cell::Cell;

const ISSUER: &str = "https://id.test";

fn bodies() -> Vec<String> {
    let odd: Vec<Json> = odd_keys().into_iter().map(|(_, key)| key).collect();
    let one_good: Vec<Json> = odd.iter().cloned().chain([public("es256")]).collect();
    let document = |uri: &str| format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{uri}"}}"#);
    vec![
        GOOGLE.into(),
        MICROSOFT.into(),
        set(&[public("es256"), public("eddsa")]),
        set(&one_good),
        set(&odd[..5]),
        set(&[]),
        document("https://id.test/keys"),
        document("https://keys.test/"),
        document("http://id.test/keys"),
        "<html>".into(),
        String::new(),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    let body = select(bodies());
    let locations = ["https://id.test/keys", "https://id.test/2", "https://keys.test/", "http://id.test/", "x"];
    let good = select(vec![GOOGLE.to_owned(), MICROSOFT.into()]);
    prop_oneof![
        12 => good.prop_map(|body| tagged(body, "\"1\"")),
        4 => body.clone().prop_map(ok),
        4 => (body, select(vec!["\"1\"", "\"2\"", "\r\n", ""])).prop_map(|(body, etag)| tagged(body, etag)),
        3 => Just(status(304)),
        4 => select(vec![0_u16, 204, 404, 429, 500, 503, 65_535]).prop_map(status),
        2 => (select(vec![429_u16, 503]), select(vec!["0", "2", "900", "x"])).prop_map(|(code, text)| later(code, text)),
        4 => (select(vec![301_u16, 302, 307, 308]), select(locations.to_vec()))
            .prop_map(|(code, location)| redirect(code, location)),
        1 => select(vec![FailureKind::Timeout, FailureKind::TooLarge, FailureKind::Aborted]).prop_map(failed),
        3 => Just(failed(FailureKind::Network)),
    ]
}

/// Several refreshes, one after another, each with the entry that the last good one wrote.
#[test]
fn every_refresh_ends_and_writes_an_entry_of_usable_keys_or_the_attempt_alone() {
    let passes = vec((vec((answers(), 0.0..9000.0_f64), 1..12), 0.0..=1.0), 1..4);
    let cases = (any::<bool>(), 0..=10_u32, passes, option::of(0..700_000_000_i64));
    let outcomes = [const { Cell::new(0_u32) }; 3];
    let property = |(discovers, retries, passes, later_ms): (bool, u32, Vec<(Vec<_>, f64)>, Option<i64>)| {
        let mut scene = if discovers { Scene::discovering(ISSUER) } else { Scene::new() };
        scene.policy = Policy { retries, ..Policy::default() };
        for (answers, random) in passes {
            (scene.random, scene.takes_ms) = (random, 0.0);
            let had = scene.previous.as_deref().map(|text| Entry::read(text, &scene.provider).unwrap().0);
            let mut answers = answers.into_iter().cycle();
            let course = scene.run_by(|_, at| {
                let (answer, took) = answers.next().unwrap();
                (answer, at + took)
            });
            // Once, again after each pause, and five redirects on either way.
            prop_assert!(course.waits.len() <= retries as usize);
            let most = course.waits.len() + if discovers { 12 } else { 6 };
            prop_assert!(course.fetches.len() <= most, "{} of {}", course.fetches.len(), most);
            prop_assert!(course.fetches.iter().all(|(fetch, _)| fetch.timeout_ms > 0));
            prop_assert!(course.fetches.iter().all(|(fetch, _)| fetch.url.starts_with("https://")));
            for etag in course.etags().into_iter().flatten() {
                prop_assert!(had.as_ref().is_some_and(|entry| entry.etag.as_deref() == Some(etag)));
            }
            outcomes[course.ended() as usize].update(|count| count + 1);
            if course.ended() == Ended::Failed {
                course.failed();
                prop_assert_eq!(&course.end.write.key, ATTEMPT);
                scene.later_ms += 600_000;
                continue;
            }
            prop_assert_eq!((&course.end.write.key[..], &course.report().error), (ENTRY, &None));
            let (entry, kept) = Entry::read(&course.end.write.value, &scene.provider).unwrap();
            prop_assert!(kept.usable().count() > 0);
            // As it lies in the cache: reading it judges it anew.
            let written: Json = serde_json::from_str(&course.end.write.value).unwrap();
            prop_assert_eq!(written["keySet"].as_str(), Some(&kept.to_json()[..]));
            prop_assert_eq!(course.end.publish.as_ref(), Some(&entry.key_set));
            prop_assert!(entry.fetched_at <= entry.checked_at && entry.checked_at <= entry.fresh_until);
            let text: Json = serde_json::from_str(&entry.key_set).unwrap();
            let mut members = text["keys"].as_array().unwrap().iter().flat_map(|key| key.as_object().unwrap().keys());
            prop_assert!(members.all(|member| PUBLIC.contains(&member.as_str())));
            if let Some(had) = had {
                let same = course.ended() == Ended::Unchanged;
                prop_assert_eq!(same, had.fetched_at == entry.fetched_at, "{:?}", course.report());
            }
            #[expect(clippy::cast_possible_truncation, reason = "minutes")]
            let ended_ms = scene.later_ms + course.took_ms as i64;
            scene = scene.after(&course, ended_ms + 1 + later_ms.unwrap_or_default());
        }
        Ok(())
    };
    runner(34, 1_500).run(&cases, property).unwrap();
    assert!(outcomes.iter().all(|count| count.get() > 50), "{outcomes:?}");
}
