//! Random graphs of foreign keys: drawn, built as real tables with rows, and removed from by a model in memory.

pub mod database;
pub mod model;
pub mod spec;
