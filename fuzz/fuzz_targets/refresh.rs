//! Fuzzes answers of providers.
#![no_main]

#[path = "../checks.rs"]
#[allow(dead_code, reason = "each target uses a part of it")]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::refresh(data));
