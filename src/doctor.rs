//! What a database has, what each job would do to it, and whether the role at hand may do it: told from the schema, before
//! anything is run.

use crate::dialect::{Dialect, Slices};
use crate::effect::{Answer, Effect, Failure, Outcome, Rows, Statement, Step};
use crate::error::{Error, flag_for};
use crate::jobs::JOBS;
use crate::plan::{Dependant, SweepPlan};
use crate::presets::Preset;
use crate::report::Report;
use crate::request::{Order, Request};
use crate::schema::{ColumnName, Schema};
use crate::sweep::journal::Journal;
use crate::sweep::prepare::{Prepared, prepare, tables, user_table};
use crate::work::Work;
use serde::Serialize;

/// What was found out about a database.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The database product and its version.
    pub server: String,
    /// Whose tables these are, as far as the schema shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The project's user table, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_table: Option<String>,
    /// The tables that jobs read or change.
    pub tables: Vec<TableFound>,
    /// Foreign keys of dependants by which no index finds rows.
    pub missing_indexes: Vec<MissingIndex>,
    /// Foreign keys that nothing says what to do with.
    pub unknown_references: Vec<UnknownReference>,
    /// Each job.
    pub jobs: Vec<JobVerdict>,
    /// Sentences about what a person should look at.
    pub warnings: Vec<String>,
}

/// A table that jobs read or change.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableFound {
    /// Its name.
    pub table: String,
    /// Its rows by the engine's estimate; `None` where there is none.
    pub rows: Option<u64>,
    /// The foreign keys that point at it and that jobs care for.
    pub foreign_keys: Vec<Dependant>,
}

/// A foreign key by which no index finds rows, so that every slice reads its whole table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MissingIndex {
    /// The table that points.
    pub table: String,
    /// By these columns.
    pub columns: Vec<String>,
    /// At this table.
    pub references: String,
    /// The statement that would add an index.
    pub statement: String,
}

/// A foreign key that nothing says what to do with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnknownReference {
    /// `table.column`
    pub column: String,
    /// The table that it points at.
    pub references: String,
    /// The setting to add, with `cascade` as an example.
    pub setting: String,
}

/// What a job would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobVerdict {
    /// Its name.
    pub job: String,
    /// Whether it would run.
    pub ready: bool,
    /// The code of the error that it would fail with, if it would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What it would do, or why it would not, in one sentence.
    pub verdict: String,
    /// Its sweeps, as its plan has them.
    pub sweeps: Vec<SweepPlan>,
    /// What the role may not do of what the job does.
    pub denied: Vec<String>,
    /// The warnings of its plan.
    pub warnings: Vec<String>,
}

/// The machine: reads the schema, and is done.
pub struct Examination {
    /// That of the request itself.
    order: Order,
    orders: Vec<Order>,
    dialect: &'static dyn Dialect,
    results: Vec<Rows>,
    begun: bool,
}

impl Examination {
    /// An examination by the settings of a request, whose job is not looked at.
    ///
    /// # Errors
    /// Whatever is wrong with the settings of any job; see [`Error`].
    pub fn new(request: &Request, dialect: &'static dyn Dialect) -> Result<Self, Error> {
        let orders = JOBS.iter().map(|job| {
            let request = Request { job: job.name.to_owned(), ..request.clone() };
            Order::read(&request, None)
        });
        Ok(Self {
            order: Order::read(request, None)?,
            orders: orders.collect::<Result<_, _>>()?,
            dialect,
            results: vec![],
            begun: false,
        })
    }

    /// The report of an examination whose store has failed: nothing has been done.
    #[must_use]
    pub fn fail(&self) -> Report {
        let work = Work { opening: String::new(), cutoff: None, sweeps: vec![], warnings: vec![] };
        Journal::default().report(&self.order, &work, None)
    }

    /// Takes in what came of the last effect and says what to do next.
    ///
    /// # Errors
    /// [`Error::UnexpectedAnswer`] where the answer is not that to what was asked, [`Error::InvalidSetting`] for settings
    /// that name what the database does not have, and what reading a schema refuses.
    pub fn next(&mut self, outcome: Outcome) -> Result<Step, Error> {
        let (queries, more) = (self.dialect.schema_queries(), self.dialect.examination_queries());
        match &outcome.answer {
            // Asked last, and no more than a name: some hosted databases do not tell their version.
            Answer::Failed(Failure::Other | Failure::Denied)
                if !more.is_empty() && self.results.len() + 1 == queries.len() + more.len() =>
            {
                self.results.push(vec![]);
            }
            Answer::Failed(_) => return Ok(Step { effect: Effect::Fail, progress: None }),
            _ if self.begun => self.results.push(outcome.answer.rows()?),
            _ => {}
        }
        self.begun = true;
        let effect = match queries.iter().chain(more).nth(self.results.len()) {
            Some(query) => Effect::Query(Statement { sql: (*query).to_owned(), params: vec![] }),
            None => {
                let (of_schema, of_more) = self.results.split_at(queries.len().min(self.results.len()));
                let mut schema = self.dialect.schema(of_schema)?;
                self.dialect.examined(&mut schema, of_more)?;
                Effect::Examined(Box::new(examine(&self.orders, self.dialect, &schema)?))
            }
        };
        Ok(Step { effect, progress: None })
    }
}

/// What a schema tells about jobs.
///
/// # Errors
/// [`Error::InvalidSetting`] for settings that name what the database does not have.
pub fn examine(orders: &[Order], dialect: &dyn Dialect, schema: &Schema) -> Result<Diagnosis, Error> {
    let mut diagnosis = Diagnosis {
        server: schema.server.clone(),
        product: orders.first().and_then(|order| product(order.preset, schema)),
        user_table: orders.first().and_then(|order| user_table(order, schema).ok()).filter(|name| !name.is_empty()),
        tables: vec![],
        missing_indexes: vec![],
        unknown_references: vec![],
        jobs: vec![],
        warnings: vec![],
    };
    for order in orders {
        let mut verdict = JobVerdict {
            job: order.job.name.to_owned(),
            ready: false,
            code: None,
            verdict: String::new(),
            sweeps: vec![],
            denied: vec![],
            warnings: vec![],
        };
        match prepare(order, dialect, schema) {
            Ok((work, prepared, plan)) => {
                for table in tables(&work, &prepared) {
                    diagnosis.add_table(schema, table);
                    verdict.add_right(schema, "SELECT", table);
                }
                for sweep in &prepared {
                    diagnosis.add_keys(dialect, schema, sweep);
                    verdict.add_denied(dialect, schema, sweep);
                }
                verdict.ready = verdict.denied.is_empty();
                verdict.code = (!verdict.ready).then_some("store_denied");
                verdict.verdict = sentence(&plan.sweeps, &verdict.denied);
                verdict.sweeps = plan.sweeps;
                verdict.warnings = plan.warnings;
            }
            // A setting that names what is not there is wrong for every job, and says nothing of the database.
            Err(error @ Error::InvalidSetting { .. }) => return Err(error),
            Err(error) => {
                if let Error::UnknownReferences { columns } = &error {
                    diagnosis.add_unknown(schema, columns);
                }
                verdict.code = Some(error.code());
                verdict.verdict = error.to_string();
            }
        }
        diagnosis.jobs.push(verdict);
    }
    diagnosis.tables.sort_by(|one, other| one.table.cmp(&other.table));
    Ok(diagnosis)
}

impl Diagnosis {
    fn add_table(&mut self, schema: &Schema, table: &str) {
        if self.tables.iter().all(|known| known.table != table) {
            let rows = schema.tables.get(table).and_then(|table| table.rows);
            self.tables.push(TableFound { table: table.to_owned(), rows, foreign_keys: vec![] });
        }
    }

    fn add_keys(&mut self, dialect: &dyn Dialect, schema: &Schema, sweep: &Prepared) {
        for edge in &sweep.cascade().edges {
            let (columns, references) = (&edge.key.columns, &edge.key.references);
            let dependant = Dependant {
                table: edge.table.clone(),
                columns: columns.clone(),
                references: references.clone(),
                on_delete: edge.action,
                source: edge.source,
            };
            if let Some(table) = self.tables.iter_mut().find(|table| table.table == *references)
                && !table.foreign_keys.contains(&dependant)
            {
                table.foreign_keys.push(dependant);
            }
            let known = self.missing_indexes.iter().any(|index| index.table == edge.table && index.columns == *columns);
            if !known && !schema.has_index(&edge.table, columns) {
                self.missing_indexes.push(MissingIndex {
                    table: edge.table.clone(),
                    columns: columns.clone(),
                    references: references.clone(),
                    statement: dialect.create_index(schema, &edge.table, columns),
                });
            }
        }
    }

    fn add_unknown(&mut self, schema: &Schema, columns: &[ColumnName]) {
        for name in columns {
            let column = name.to_string();
            let keys = schema.tables.get(&name.table).map(|table| table.foreign_keys.as_slice()).unwrap_or_default();
            let key = keys.iter().find(|key| key.name_in(&name.table) == *name);
            if self.unknown_references.iter().all(|known| known.column != column) {
                self.unknown_references.push(UnknownReference {
                    references: key.map(|key| key.references.clone()).unwrap_or_default(),
                    setting: flag_for(&column),
                    column,
                });
            }
        }
    }
}

impl JobVerdict {
    /// Notes a right that is needed, if the role has it not.
    fn add_right(&mut self, schema: &Schema, right: &str, table: &str) {
        let denied = schema.tables.get(table).is_some_and(|table| table.denied.iter().any(|denied| denied == right));
        let text = format!("{right} on `{table}`");
        if denied && !self.denied.contains(&text) {
            self.denied.push(text);
        }
    }

    /// What a slice does needs these rights: what is locked needs `UPDATE`, where rows are locked.
    fn add_denied(&mut self, dialect: &dyn Dialect, schema: &Schema, sweep: &Prepared) {
        let locks = dialect.slices() != Slices::Repeated;
        let mut needed: Vec<(&str, &str)> = Vec::new();
        for (table, updates) in sweep.changed() {
            needed.push((if updates { "UPDATE" } else { "DELETE" }, table));
        }
        if locks {
            needed.extend(sweep.locked().into_iter().map(|table| ("UPDATE", table)));
        }
        for (right, table) in needed {
            self.add_right(schema, right, table);
        }
        for right in &schema.denied {
            if !self.denied.contains(right) {
                self.denied.push(right.clone());
            }
        }
    }
}

fn sentence(sweeps: &[SweepPlan], denied: &[String]) -> String {
    let tables: Vec<String> = sweeps.iter().map(|sweep| format!("`{}`", sweep.table)).collect();
    let dependants: usize = sweeps.iter().map(|sweep| sweep.dependants.len()).sum();
    let what = format!("walks {} and cares for {dependants} foreign key(s) to rows that go", tables.join(", "));
    if denied.is_empty() { what } else { format!("{what}; the role may not: {}", denied.join(", ")) }
}

/// What the signs of a preset say of a schema.
fn product(preset: &Preset, schema: &Schema) -> Option<String> {
    let found = preset.signs.iter().filter(|sign| {
        schema.tables.get(sign.table).is_some_and(|table| {
            sign.column.is_none_or(|column| table.columns.iter().any(|known| known.name == column))
        })
    });
    // Of each product, the last sign says most.
    let mut products: Vec<(&str, &str)> = Vec::new();
    for sign in found {
        match products.iter_mut().find(|(product, _)| *product == sign.product) {
            Some(known) => known.1 = sign.version,
            None => products.push((sign.product, sign.version)),
        }
    }
    let named: Vec<String> = products.iter().map(|(product, version)| format!("{product} {version}")).collect();
    (!named.is_empty()).then(|| named.join(", "))
}
