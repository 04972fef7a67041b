//! Signing keys of identity providers: judged, refreshed, kept, and used to verify tokens.

pub mod curve;
pub mod discovery;
pub mod effect;
pub mod entry;
pub mod error;
pub mod freshness;
pub mod json;
pub mod key;
pub mod provider;
pub mod refresh;
pub mod set;
pub mod token;
