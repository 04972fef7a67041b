//! Housekeeping for identity stores, as a core that only decides.
//!
//! Nothing in this crate reads a clock, opens a connection or waits: a job is a state machine that says what to do
//! next and is told what came of it. The host, in TypeScript, does it. See ARCHITECTURE.md.

pub mod cascade;
pub mod checkpoint;
pub mod dialect;
pub mod digest;
pub mod doctor;
pub mod effect;
pub mod error;
pub mod instant;
pub mod jobs;
pub mod jwks;
pub mod named;
pub mod plan;
pub mod presets;
pub mod report;
pub mod request;
pub mod rule;
pub mod run;
pub mod schema;
pub mod select;
pub mod sweep;
pub mod value;
#[cfg(target_arch = "wasm32")]
mod wasm;
pub mod work;
