//! Property tests that draw the same cases every time and leave no files behind.

use proptest::test_runner::{Config, RngSeed, TestRunner};

/// A runner of so many cases. What it draws depends on `seed` alone.
pub fn runner(seed: u64, cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 1_000,
        ..Config::default()
    })
}
