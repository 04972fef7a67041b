//! From an order and a schema to the statements of every sweep. Whatever the database lacks, and whatever nobody has
//! said, is found out here, before anything is touched.

use super::refusals::{check_removal, check_table};
use super::statements::{Filling, Purpose, SliceStatement, Templates, Told, Writer, removable};
use crate::cascade::{Action, Cascade, Change, Source, declared};
use crate::dialect::{Dialect, Found, Held};
use crate::effect::{Ran, Statement};
use crate::error::{Error, suggest, unexpected};
use crate::plan::{Plan, PlannedStatement, SweepPlan, dependants};
use crate::request::Order;
use crate::rule::Rule;
use crate::schema::{ForeignKey, Part, Schema};
use crate::work::{Sweep, Work};

/// A sweep, or one part of its table, ready to run.
pub struct Prepared {
    cascade: Cascade,
    /// Its statements.
    pub templates: Templates,
    /// Whether each stale row must have a slice of its own, because what goes with it can change the rule for others.
    pub one_by_one: bool,
}

impl Prepared {
    /// The table that it is about.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.cascade.root
    }

    /// What goes along.
    #[must_use]
    pub fn cascade(&self) -> &Cascade {
        &self.cascade
    }

    /// The tables that it changes, and whether it updates their rows instead of removing them.
    pub fn changed(&self) -> impl Iterator<Item = (&str, bool)> {
        self.cascade.order.iter().map(|change| match change {
            Change::Delete { table } => (table.as_str(), false),
            Change::Unset { edge, .. } => (edge.table.as_str(), true),
        })
    }

    /// Whether rows of its own table let go of ones that go. On PostgreSQL a row that is changed is somewhere else afterwards.
    #[must_use]
    pub fn moves_its_own(&self) -> bool {
        self.changed().any(|(table, updates)| updates && table == self.table())
    }

    /// The tables whose rows it locks before it judges or removes them.
    #[must_use]
    pub fn locked(&self) -> Vec<&str> {
        let judged = self.templates.slice.judged.iter().map(String::as_str);
        std::iter::once(self.table()).chain(judged).collect()
    }

    /// How many statements a slice has, the dialect's own included.
    #[must_use]
    pub fn slice_statements(&self, dialect: &dyn Dialect) -> usize {
        dialect.prelude(0.0).len() + self.templates.slice.statements.len() + dialect.epilogue().len()
    }

    /// One slice, which aims at a duration.
    #[must_use]
    pub fn slice(&self, dialect: &dyn Dialect, slice_ms: f64, filling: &Filling) -> Vec<Statement> {
        let plain = |sql: String| Statement { sql, params: vec![] };
        let statements = self.templates.slice.statements.iter();
        let epilogue = dialect.epilogue().iter().map(|sql| plain((*sql).to_owned()));
        let prelude = dialect.prelude(slice_ms).into_iter().map(plain);
        prelude.chain(statements.map(|statement| statement.template.fill(dialect, filling))).chain(epilogue).collect()
    }

    /// What a slice did.
    ///
    /// # Errors
    /// [`Error::UnexpectedAnswer`] where the results do not tell it.
    pub fn outcome(&self, dialect: &dyn Dialect, results: &[Ran]) -> Result<SliceOutcome, Error> {
        let first = dialect.prelude(0.0).len();
        let told = |told: Told| match told {
            Told::Changes { statement } => results.get(first + statement).map(|ran| ran.changes),
            Told::Column { statement, column } => {
                let row = results.get(first + statement).and_then(|ran| ran.rows.first());
                row.and_then(|row| row.get(column)).and_then(|cell| cell.count().ok())
            }
        };
        let unexpected = || unexpected("what each part of a slice did");
        let mut outcome = SliceOutcome { found: None, leased: true, own: 0, dependants: Vec::new() };
        if let Some(statement) = self.templates.slice.found {
            let row = results.get(first + statement).and_then(|ran| ran.rows.first()).ok_or_else(unexpected)?;
            outcome.found = Some(Found::read(&vec![row.iter().take(Found::COLUMNS).cloned().collect()])?);
        }
        if let Some(lease) = self.templates.slice.lease {
            outcome.leased = told(lease).ok_or_else(unexpected)? == 1;
        }
        for tally in &self.templates.slice.tallies {
            let rows = told(tally.told).ok_or_else(unexpected)?;
            if tally.purpose == Purpose::Delete && tally.table == self.cascade.root {
                outcome.own += rows;
            } else {
                outcome.dependants.push((tally.purpose, tally.table.clone(), rows));
            }
        }
        Ok(outcome)
    }
}

/// What a slice did.
pub struct SliceOutcome {
    /// What it has found, where it finds what it removes.
    pub found: Option<Found>,
    /// Whether the lease was held still; nothing was done if not.
    pub leased: bool,
    /// Rows of its own table that went.
    pub own: u64,
    /// Rows of dependants that went or let go.
    pub dependants: Vec<(Purpose, String, u64)>,
}

/// Prepares every sweep of an order, and tells the plan.
///
/// # Errors
/// [`Error::NotThisSchema`] where a table or column of the job is missing, [`Error::UnsupportedSchema`],
/// [`Error::UnknownReferences`], [`Error::CascadeCycle`], and [`Error::InvalidSetting`] for settings that name what the
/// database does not have.
pub fn prepare(order: &Order, dialect: &dyn Dialect, schema: &Schema) -> Result<(Work, Vec<Prepared>, Plan), Error> {
    check_settings(order, schema)?;
    let user_table = user_table(order, schema)?;
    let mut work = order.work(&user_table)?;
    if work.sweeps.iter().any(|sweep| sweep.table.is_empty()) {
        let (table, column) = order.preset.user_reference;
        let hidden = if schema.warnings.is_empty() { "" } else { ", or none that this role is shown" };
        let what = format!(
            "there is no foreign key `{table}.{column}`{hidden}, that tells the user table (userTable sets it)"
        );
        // A table that is there without its key, or whose keys are hidden from the role, is no sign of another product.
        let is_there = schema.tables.get(table).is_some();
        return Err(if is_there { Error::UnsupportedSchema { what } } else { Error::NotThisSchema { what } });
    }
    let mut plan = Plan {
        job: order.job.name.to_owned(),
        now: order.now,
        cutoff: work.cutoff,
        opening: work.opening.clone(),
        sweeps: vec![],
        warnings: work.warnings.clone(),
    };
    plan.warnings.extend(schema.warnings.iter().cloned());
    if !schema.enforces_keys {
        plan.warnings.push(
            "foreign keys are not enforced on this connection, so rows can be left that point at what has gone".into(),
        );
    }
    let mut prepared: Vec<Prepared> = Vec::new();
    let mut sweeps: Vec<Sweep> = Vec::new();
    let mut earlier: Vec<(Cascade, Rule)> = Vec::new();
    for sweep in &work.sweeps {
        check_table(sweep, dialect, schema)?;
        let action = |table: &str, key: &ForeignKey| action(order, &user_table, table, key);
        let cascade = Cascade::plan(schema, &sweep.table, &sweep.rule, action)?;
        check_removal(sweep, &cascade, dialect, schema)?;
        // In a real run, what earlier sweeps took is gone; in a dry run, it has to be thought away.
        let gone = |table: &str| {
            let ways: Vec<Rule> =
                earlier.iter().filter_map(|(cascade, rule)| cascade.doomed(table, rule, None)).collect();
            (order.dry_run && !ways.is_empty()).then_some(Rule::Any(ways))
        };
        let stale = sweep.rule.once_gone(&sweep.table, &gone);
        let restricted = cascade.restricted().relations_once_gone(&gone);
        let parts = &schema.table(&sweep.table)?.parts;
        let walks: Vec<Option<&Part>> = if parts.is_empty() { vec![None] } else { parts.iter().map(Some).collect() };
        let one_by_one = cascade.disturbs(&sweep.rule);
        warn(&mut plan.warnings, schema, &cascade, one_by_one);
        let leased = held(order, dialect).map(|held| (order.job.name, held));
        for (at, part) in walks.into_iter().enumerate() {
            let (stale, restricted) = (&stale, &restricted);
            let ledger = order.ledger.as_deref().filter(|_| !order.dry_run);
            let writer = Writer { dialect, schema, cascade: &cascade, part, leased, ledger, stale, restricted };
            let templates = writer.write(&gone);
            if at == 0 {
                plan.sweeps.push(SweepPlan {
                    table: sweep.table.clone(),
                    dependants: dependants(&cascade),
                    statements: planned(&sweep.table, dialect, &templates),
                });
            }
            sweeps.push(sweep.clone());
            prepared.push(Prepared { cascade: cascade.clone(), templates, one_by_one });
        }
        earlier.push((cascade.clone(), removable(&stale, &restricted)));
    }
    // Each part of a table is a sweep of its own.
    work.sweeps = sweeps;
    Ok((work, prepared, plan))
}

/// How each slice asks whether the lease is held still, if it is to.
fn held(order: &Order, dialect: &dyn Dialect) -> Option<Held> {
    if order.dry_run {
        return None;
    }
    if order.session {
        return dialect.lease(order.job.name).map(|lease| lease.held);
    }
    order.row_lease.as_ref().and_then(|_| dialect.lease_rows()?.held)
}

/// The tables that a job reads or changes, each once.
#[must_use]
pub fn tables<'a>(work: &'a Work, prepared: &'a [Prepared]) -> Vec<&'a str> {
    let mut tables: Vec<&str> = Vec::new();
    let mut add = |table: &'a str| {
        if !tables.contains(&table) {
            tables.push(table);
        }
    };
    for (sweep, prepared) in work.sweeps.iter().zip(prepared) {
        add(&sweep.table);
        sweep.rule.visit_columns(&sweep.table, &mut |table, _, _| add(table));
        for edge in &prepared.cascade.edges {
            add(&edge.table);
        }
    }
    tables
}

/// The project's user table: the one that is set, else the one that the preset's own table references. Empty where there
/// is none, which concerns only the jobs that are about users.
///
/// # Errors
/// [`Error::InvalidSetting`] where the one that is set is not there.
pub fn user_table(order: &Order, schema: &Schema) -> Result<String, Error> {
    let (table, column) = order.preset.user_reference;
    match &order.user_table {
        Some(name) if schema.tables.get(name).is_some() => Ok(name.clone()),
        Some(name) => Err(Error::InvalidSetting {
            name: "userTable".into(),
            value: format!("`{name}`"),
            expected: format!("the name of a table of this database{}", hint(name, schema.tables.names())),
        }),
        None => Ok(schema.referenced_by(table, column).unwrap_or_default().to_owned()),
    }
}

fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    suggest(name, known).map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

fn action(order: &Order, user_table: &str, table: &str, key: &ForeignKey) -> Option<(Action, Source)> {
    let set = order.on_delete.get(&key.name_in(table).to_string()).map(|action| (*action, Source::Settings));
    set.or_else(|| declared(key).map(|action| (action, Source::Database)))
        .or_else(|| order.preset.on_delete(user_table, table, key).map(|action| (action, Source::Preset)))
}

/// A setting for a key that is not there is a misspelt one, and the key that was meant would go by another rule.
fn check_settings(order: &Order, schema: &Schema) -> Result<(), Error> {
    let keys =
        schema.tables.iter().flat_map(|(name, table)| table.foreign_keys.iter().map(move |key| key.name_in(name)));
    let known: Vec<String> = keys.map(|key| key.to_string()).collect();
    for column in order.on_delete.names() {
        if !known.iter().any(|known| known == column) {
            let hint = hint(column, known.iter().map(String::as_str));
            return Err(Error::InvalidSetting {
                name: format!("onDelete.{column}"),
                value: "about another column".into(),
                expected: format!("about a foreign key of this database, as `table.column`{hint}"),
            });
        }
    }
    Ok(())
}

fn warn(warnings: &mut Vec<String>, schema: &Schema, cascade: &Cascade, one_by_one: bool) {
    for table in cascade.deleted() {
        for trigger in schema.tables.get(table).into_iter().flat_map(|table| &table.triggers) {
            let warning = format!("`{table}` has a trigger `{}`; what it does is not in the counts", trigger.name);
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }
    for edge in cascade.edges.iter().filter(|edge| edge.key.unchecked) {
        let key = edge.key.name_in(&edge.table);
        warnings.push(format!(
            "the database does not check the foreign key `{key}`, so rows can be left that point at what has gone"
        ));
    }
    if one_by_one {
        warnings.push(format!(
            "what goes with a row of `{}` can hold others of it back, or set them free: they are removed one at a time, and a \
             real run can remove other rows than its dry run tells",
            cascade.root
        ));
    }
}

fn planned(root: &str, dialect: &dyn Dialect, templates: &Templates) -> Vec<PlannedStatement> {
    let find = PlannedStatement { purpose: "find", table: root.to_owned(), sql: templates.find.shown(dialect) };
    let slice = templates.slice.statements.iter().map(|SliceStatement { purpose, table, template }| PlannedStatement {
        purpose: purpose.name(),
        table: table.clone(),
        sql: template.shown(dialect),
    });
    std::iter::once(find).chain(slice).collect()
}
