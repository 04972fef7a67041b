//! Random graphs of foreign keys: drawn, built as real tables with rows, and removed from by a model in memory.

#![allow(dead_code, reason = "each test crate uses a part of it")]

pub mod checks;
pub mod database;
pub mod model;
pub mod spec;
