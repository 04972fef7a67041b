//! The removal from one table: its statements, the pace of its slices, the bounds of a run, and the state machine that
//! drives them. Nothing here knows a job, a clock or a database.

pub mod bounds;
pub mod journal;
pub mod lane;
pub mod pace;
pub mod prepare;
pub mod records;
pub mod refusals;
pub mod retry;
pub mod row_lease;
pub mod sql;
pub mod statements;
pub mod views;
pub mod walk;
