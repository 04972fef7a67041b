//! Property tests that draw the same cases every time and leave no files behind.

#![allow(dead_code, reason = "each test crate uses a part of it")]

use proptest::test_runner::{Config, RngSeed, TestRunner};

/// A runner of so many cases. What it draws depends on `seed` alone.
pub fn runner(seed: u64, cases: u32) -> TestRunner {
    shrinking(seed, cases, 1_000)
}

/// The same for cases of which each takes long: a failing one is not made much smaller.
pub fn heavy_runner(seed: u64, cases: u32) -> TestRunner {
    shrinking(seed, cases, 20)
}

fn shrinking(seed: u64, cases: u32, max_shrink_iters: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters,
        ..Config::default()
    })
}
