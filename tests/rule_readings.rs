//! The two readings of a rule say the same, on a real database of each product: of random rows, the rendered condition
//! selects exactly those whose records satisfy the rule in memory, and a slice removes exactly those.
#![cfg(test)]

mod common;
#[path = "common/engines/mod.rs"]
mod engines;
#[path = "common/readings/mod.rs"]
mod readings;

#[path = "readings/both.rs"]
mod both;
#[path = "readings/slices.rs"]
mod slices;
#[path = "readings/unreadable.rs"]
mod unreadable;
