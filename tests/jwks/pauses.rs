//! When a request is made again, how long the pauses are, and that all of it ends in time.

use crate::jwks::fixtures::{GOOGLE, set};
use crate::jwks::host::{Course, Scene, failed, later, ok, redirect, status};
use crate::seeds::runner;
use idp_janitor::jwks::effect::{Ended, FailureKind};
use idp_janitor::jwks::provider::Policy;
use proptest::collection::vec;
use proptest::prelude::*;

/// Every answer is that one, until time or patience is over.
fn always(scene: &Scene, code: u16) -> Course {
    scene.run_by(|_, at| (status(code), at))
}

#[test]
fn what_may_pass_is_asked_for_again_and_nothing_else() {
    for code in (100..600).filter(|code| !matches!(code, 200 | 301 | 302 | 303 | 307 | 308)) {
        let course = always(&Scene::new(), code);
        let again = matches!(code, 408 | 425 | 429 | 500 | 502 | 503 | 504);
        assert_eq!((course.failed(), course.fetches.len()), ("provider_status", if again { 4 } else { 1 }), "{code}");
        assert!(course.report().error.as_ref().unwrap().message.ends_with(&format!("status {code}")));
    }
    for (kind, code, fetches) in [
        (FailureKind::Network, "provider_unreachable", 4),
        (FailureKind::Timeout, "provider_timeout", 1),
        (FailureKind::TooLarge, "provider_too_large", 1),
        (FailureKind::Aborted, "aborted", 1),
    ] {
        let course = Scene::new().run_by(|_, at| (failed(kind), at));
        assert_eq!((course.failed(), course.fetches.len()), (code, fetches));
    }
    for body in ["", "<html>", "{}", &set(&[])] {
        let course = Scene::new().run([ok(body)]);
        assert!(course.failed().starts_with("key_set_"), "{body}");
    }
}

#[test]
fn a_later_answer_is_as_good_as_the_first() {
    let answers = [failed(FailureKind::Network), status(503), status(429), ok(GOOGLE)];
    let course = Scene::new().run(answers);
    assert_eq!((course.ended(), course.fetches.len(), course.waits.len()), (Ended::Refreshed, 4, 3));
    // Those for discovery are none the less.
    let document = r#"{"issuer":"https://id.test","jwks_uri":"https://id.test/keys"}"#;
    let answers = [status(503), status(503), ok(document), status(503), status(503)];
    let course = Scene::discovering("https://id.test").run(answers);
    assert_eq!((course.failed(), course.waits.len()), ("provider_status", 3));
}

#[test]
fn as_often_as_the_policy_says() {
    for retries in 0..=10 {
        let policy = Policy { retries, timeout_seconds: 600, ..Policy::default() };
        let course = always(&Scene { policy, ..Scene::new() }, 500);
        assert_eq!((course.waits.len(), course.fetches.len()), (retries as usize, retries as usize + 1));
    }
}

#[test]
fn pauses_double_and_half_of_each_is_chance() {
    let policy = Policy { retries: 6, timeout_seconds: 600, ..Policy::default() };
    let waits = |random: f64| always(&Scene { policy, random, ..Scene::new() }, 503).waits;
    assert_eq!(waits(0.0), [125, 250, 500, 1000, 2000, 4000]);
    assert_eq!(waits(1.0), [250, 500, 1000, 2000, 4000, 8000]);
    let property = |random: f64| {
        let waits = waits(random);
        prop_assert!(waits.is_sorted());
        for (at, wait) in waits.iter().enumerate() {
            let longest = 250 << at;
            prop_assert!((longest / 2..=longest).contains(wait), "{} of {}", wait, longest);
        }
        Ok(())
    };
    runner(31, 200).run(&(0.0..=1.0), property).unwrap();
}

#[test]
fn retry_after_is_honoured_where_it_is_longer() {
    for (text, random, pause) in [("0", 0.0, 125), ("1", 0.0, 1000), (" 7 ", 1.0, 7000), ("29", 1.0, 29_000)] {
        for code in [429, 503] {
            let course = Scene { random, ..Scene::new() }.run([later(code, text), ok(GOOGLE)]);
            assert_eq!((course.ended(), &course.waits[..]), (Ended::Refreshed, &[pause][..]), "{text}");
        }
    }
    // A date is not read, and who gives one means longer than a refresh takes.
    for text in ["Wed, 21 Oct 2026 07:28:00 GMT", "soon", "-5", "1.5", ""] {
        assert_eq!(Scene::new().run([later(503, text)]).failed(), "provider_status", "{text}");
    }
    // Where no answer is asked for again, none is asked for later.
    assert_eq!(Scene::new().run([later(404, "1")]).waits, Vec::<u64>::new());
}

#[test]
fn a_pause_that_time_does_not_allow_for_is_not_begun() {
    for (text, takes_ms, waits) in [
        ("29", 10.0, true),
        ("30", 10.0, false),
        ("29", 1000.0, false),
        ("120", 10.0, false),
        ("99999999999", 10.0, false),
    ] {
        let scene = Scene { takes_ms, ..Scene::new() };
        let course = scene.run_by(|_, at| (later(503, text), at));
        assert_eq!((course.failed(), !course.waits.is_empty()), ("provider_status", waits), "{text} {takes_ms}");
    }
}

#[test]
fn time_is_over_to_the_millisecond() {
    let policy = Policy { timeout_seconds: 5, ..Policy::default() };
    for (took_ms, left) in
        [(0.0, Some(5000)), (4998.5, Some(1)), (4999.0, Some(1)), (4999.5, None), (5000.0, None), (9e9, None)]
    {
        let scene = Scene { policy, takes_ms: 0.0, ..Scene::new() };
        let mut first = true;
        let course = scene.run_by(|_, at| {
            let answer = if first { redirect(302, "https://id.test/next") } else { ok(GOOGLE) };
            let took = if first { took_ms } else { at };
            first = false;
            (answer, took)
        });
        assert_eq!(course.fetches.get(1).map(|(fetch, _)| fetch.timeout_ms), left, "{took_ms}");
        match left {
            Some(_) => assert_eq!(course.ended(), Ended::Refreshed),
            None => assert_eq!(course.failed(), "provider_timeout"),
        }
    }
    // An answer that has come is taken, however late.
    let late = Scene { policy, ..Scene::new() }.run_by(|_, _| (ok(GOOGLE), 60_000.0));
    assert_eq!(late.ended(), Ended::Refreshed);
}

/// Every request has the time that is left and no more, and none begins without any; a clock that goes back gives none.
#[test]
fn no_request_begins_without_time() {
    let answers = vec((0_u8..4, 0.0..8000.0_f64), 1..30);
    let property = |(answers, timeout_seconds, random): (Vec<(u8, f64)>, u32, f64)| {
        let policy = Policy { timeout_seconds, retries: 10, ..Policy::default() };
        let mut answers = answers.into_iter().cycle();
        let course = Scene { policy, random, takes_ms: 0.0, ..Scene::new() }.run_by(|_, at| {
            let (kind, took) = answers.next().unwrap();
            let answer = match kind {
                0 => redirect(302, "https://id.test/keys"),
                1 => later(503, "1"),
                2 => failed(FailureKind::Network),
                _ => status(500),
            };
            (answer, at + took)
        });
        let whole = f64::from(timeout_seconds) * 1000.0;
        for (fetch, at) in &course.fetches {
            #[expect(clippy::cast_precision_loss, reason = "seconds")]
            let timeout = fetch.timeout_ms as f64;
            prop_assert!(
                timeout >= 1.0 && timeout <= whole - at && timeout > whole - at - 1.0,
                "{} at {}",
                timeout,
                at
            );
        }
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let waited = course.waits.iter().sum::<u64>() as f64;
        prop_assert!(waited < whole);
        prop_assert!(
            ["provider_status", "provider_timeout", "provider_unreachable", "provider_redirect"]
                .contains(&course.failed())
        );
        Ok(())
    };
    runner(32, 500).run(&(answers, 1_u32..60, 0.0..=1.0), property).unwrap();
}

#[test]
fn a_clock_that_goes_back_gives_no_time() {
    use idp_janitor::jwks::effect::{Answer, Effect, Outcome};
    use idp_janitor::jwks::refresh::Refresh;
    let scene = Scene::new();
    let mut refresh = Refresh::new(scene.provider.clone(), scene.policy, scene.now(), None).unwrap();
    let mut timeout = |answer: Answer, elapsed_ms: f64| match refresh.next(Outcome { answer, elapsed_ms, random: 0.0 })
    {
        Effect::Fetch(fetch) => fetch.timeout_ms,
        other => panic!("{other:?}"),
    };
    assert_eq!(timeout(Answer::Began, -5.0), 30_000);
    assert_eq!(timeout(redirect(302, "https://id.test/1"), 20_000.0), 10_000);
    assert_eq!(timeout(redirect(302, "https://id.test/2"), 3.0), 10_000);
    assert_eq!(timeout(redirect(302, "https://id.test/3"), f64::NAN), 10_000);
    assert_eq!(timeout(redirect(302, "https://id.test/4"), 29_999.0), 1);
}
