//! Keys and sets of them: what is used, what is set aside and why, and what of it is kept.
#![cfg(test)]

#[path = "common/jwks/mod.rs"]
mod jwks;
#[path = "common/seeds.rs"]
mod seeds;

#[path = "jwks/differences.rs"]
mod differences;
#[path = "jwks/members.rs"]
mod members;
#[path = "jwks/points.rs"]
mod points;
#[path = "jwks/sets.rs"]
mod sets;
#[path = "jwks/thumbprints.rs"]
mod thumbprints;
#[path = "jwks/verdicts.rs"]
mod verdicts;
