//! Random rules and random rows of a small schema, for the two readings of a rule to be held against each other.

pub mod moments;
pub mod rows;
pub mod rules;
pub mod tables;
