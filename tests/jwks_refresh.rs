//! The refresh of keys: what it asks for, what it makes of the answers, and that a failure touches nothing.
#![cfg(test)]

#[path = "common/jwks/mod.rs"]
mod jwks;
#[path = "common/seeds.rs"]
mod seeds;

#[path = "jwks/answers.rs"]
mod answers;
#[path = "jwks/discovery.rs"]
mod discovery;
#[path = "jwks/entries.rs"]
mod entries;
#[path = "jwks/failures.rs"]
mod failures;
#[path = "jwks/pauses.rs"]
mod pauses;
#[path = "jwks/redirects.rs"]
mod redirects;
#[path = "jwks/sequences.rs"]
mod sequences;
