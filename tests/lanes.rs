//! Several lanes at the same time, on a real database of each product: they do what one does, in whatever order; what stops
//! them loses nothing; and what fails is neither missed nor counted twice.
#![cfg(test)]

mod common;
#[path = "common/engines/mod.rs"]
mod engines;
#[path = "common/graph/mod.rs"]
mod graph;

#[path = "lanes/faults.rs"]
mod faults;
#[path = "lanes/order.rs"]
mod order;
