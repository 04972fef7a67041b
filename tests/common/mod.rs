//! What the native tests share: requests as a host makes them, and a small host on SQLite.

#![allow(dead_code, reason = "each test crate uses a part of it")]

pub mod dump;
pub mod engine;
pub mod hidp;
pub mod host;
pub mod lanes;
pub mod memory;
pub mod people;
pub mod request;
pub mod seeds;
pub mod sqlite;
