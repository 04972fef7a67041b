//! What a job would do, told from the schema alone.

use crate::cascade::{Action, Cascade, Change, Source};
use crate::instant::Instant;
use serde::Serialize;

/// What a job would do on a database.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The job's name.
    pub job: String,
    /// The instant to judge by.
    pub now: Instant,
    /// The instant before which a row is stale, for jobs that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutoff: Option<Instant>,
    /// What the job removes, in one sentence.
    pub opening: String,
    /// The sweeps in order.
    pub sweeps: Vec<SweepPlan>,
    /// Sentences about what a person should look at.
    pub warnings: Vec<String>,
}

/// The removal from one table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepPlan {
    /// The table.
    pub table: String,
    /// The foreign keys that it cares for.
    pub dependants: Vec<Dependant>,
    /// The statements, the finding one first.
    pub statements: Vec<PlannedStatement>,
}

/// A foreign key that a removal cares for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependant {
    /// The table that points.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that it points at.
    pub references: String,
    /// What happens to its rows.
    pub on_delete: Action,
    /// Who says so.
    pub source: Source,
}

/// A statement of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedStatement {
    /// What it does.
    pub purpose: &'static str,
    /// The table that it does it to.
    pub table: String,
    /// Its text.
    pub sql: String,
}

/// The dependants of a removal: what restricts it, and then the others in the order of their changes.
#[must_use]
pub fn dependants(cascade: &Cascade) -> Vec<Dependant> {
    let restricting = cascade.edges.iter().filter(|edge| edge.action == Action::Restrict);
    let changed = cascade.order.iter().flat_map(|change| match change {
        Change::Unset { edge, .. } => vec![edge],
        Change::Delete { table } => cascade.cascades_from(table).collect(),
    });
    restricting
        .chain(changed)
        .map(|edge| Dependant {
            table: edge.table.clone(),
            columns: edge.key.columns.clone(),
            references: edge.key.references.clone(),
            on_delete: edge.action,
            source: edge.source,
        })
        .collect()
}
