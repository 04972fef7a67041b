//! What the tests of the key side share: the fixtures, and a host that refreshes keys by a fake clock.

#![allow(dead_code, reason = "each test crate uses a part of it")]

pub mod fixtures;
pub mod host;
pub mod signing;
pub mod tokens;
