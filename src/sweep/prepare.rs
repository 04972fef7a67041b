//! From an order and a schema to the statements of every sweep. Whatever the database lacks, and whatever nobody has
//! said, is found out here, before anything is touched.

use super::statements::{Filling, Purpose, SliceStatement, Templates, Told, Writer, removable};
use super::trust::check_trust;
use crate::cascade::{Action, Cascade, Change, Source, declared};
use crate::dialect::{Dialect, Found, Held};
use crate::effect::{Ran, Statement};
use crate::error::{Error, suggest, unexpected};
use crate::plan::{Plan, PlannedStatement, SweepPlan, dependants};
use crate::request::Order;
use crate::rule::{Rule, Use};
use crate::schema::{Declared, ForeignKey, Part, Schema};
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
        check_schema(sweep, dialect, schema)?;
        let action = |table: &str, key: &ForeignKey| action(order, &user_table, table, key);
        let cascade = Cascade::plan(schema, &sweep.table, &sweep.rule, action)?;
        check_left_out(sweep, dialect, schema)?;
        check_cascade(&cascade, dialect, schema)?;
        check_trust(sweep, &cascade, dialect, schema)?;
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

/// What would make a slice fail, or do something else than it says, however often it is tried.
fn check_cascade(cascade: &Cascade, dialect: &dyn Dialect, schema: &Schema) -> Result<(), Error> {
    for edge in &cascade.edges {
        let name = edge.key.name_in(&edge.table);
        let refuse = |what: &str| Err(Error::UnsupportedSchema { what: format!("the foreign key `{name}` {what}") });
        if edge.key.columns.len() != edge.key.target.len() {
            return refuse("has another number of columns than what it references");
        }
        if edge.key.declared == Declared::SetSome && edge.action != Action::Cascade {
            return refuse(
                "sets only some of its columns on a deletion, which is not supported (onDelete says what else to do)",
            );
        }
        if dialect.slices().skip_what_is_held() && milder(edge.action, edge.key.declared) {
            return refuse(
                "is to do less than the database itself does on a deletion, and where others write meanwhile the database would do \
                 that first: change the key, or let it",
            );
        }
        for (column, target) in edge.key.columns.iter().zip(&edge.key.target) {
            let columns = (schema.column(&edge.table, column), schema.column(&edge.key.references, target));
            let (Ok(child), Ok(parent)) = columns else { return refuse("is about a column that is not there") };
            if !dialect.comparable(child, parent) {
                return refuse(&format!(
                    "is declared `{}`, and `{}.{target}`, which it references, `{}`, so that they may not compare as they should",
                    child.kind, edge.key.references, parent.kind
                ));
            }
            let nulls = edge.action == Action::SetNull || edge.action == Action::SetDefault && child.default.is_none();
            if nulls && child.not_null {
                return refuse("is to be set to NULL, and it is declared NOT NULL (onDelete says what else to do)");
            }
        }
    }
    for table in cascade.deleted() {
        if let Some(Err(why)) = schema.tables.get(table).map(|table| dialect.changeable(table)) {
            return Err(Error::UnsupportedSchema { what: format!("rows of `{table}` cannot be removed: {why}") });
        }
        let triggers = schema.tables.get(table).map(|table| table.triggers.as_slice()).unwrap_or_default();
        if let Some(trigger) = triggers.iter().find(|trigger| trigger.keeps_rows) {
            let what =
                format!("`{table}` has a trigger `{}` that can keep rows from going without an error", trigger.name);
            return Err(Error::UnsupportedSchema { what });
        }
    }
    Ok(())
}

/// A row that comes in between look and lock, by a key that the rule itself rules out, undoes the slice where the database checks
/// the key, and goes or lets go without anybody having asked where the database acts by itself.
fn check_left_out(sweep: &Sweep, dialect: &dyn Dialect, schema: &Schema) -> Result<(), Error> {
    let acts = |key: &ForeignKey| !matches!(key.declared, Declared::NoAction | Declared::Restrict);
    let left_out = |table: &str, key: &ForeignKey| sweep.rule.excludes_reference(table, &key.columns, &key.target);
    let found = schema.references_to(&sweep.table).find(|(table, key)| acts(key) && left_out(table, key));
    match found {
        Some((table, key)) if dialect.slices().skip_what_is_held() => {
            let name = key.name_in(table);
            let what = format!(
                "the foreign key `{name}` is declared to act on a deletion by itself, which would be done to rows that come in \
                 while others write: declare it NO ACTION"
            );
            Err(Error::UnsupportedSchema { what })
        }
        _ => Ok(()),
    }
}

/// Whether an action spares what the database itself would remove or unset.
fn milder(action: Action, declared: Declared) -> bool {
    match declared {
        Declared::Cascade => action != Action::Cascade,
        Declared::SetNull | Declared::SetDefault | Declared::SetSome => action == Action::Restrict,
        Declared::NoAction | Declared::Restrict => false,
    }
}

fn check_schema(sweep: &Sweep, dialect: &dyn Dialect, schema: &Schema) -> Result<(), Error> {
    let table = schema.table(&sweep.table)?;
    dialect
        .walkable(table)
        .map_err(|why| Error::UnsupportedSchema { what: format!("`{}` cannot be walked: {why}", sweep.table) })?;
    let mut result = Ok(());
    sweep.rule.visit_columns(&sweep.table, &mut |table, name, usage| {
        if result.is_ok() {
            result = schema.column(table, name).and_then(|column| {
                let lacking = match usage {
                    Use::Instant if !dialect.holds_instants(column) => "instants",
                    Use::Truth if !dialect.holds_truth(column) => "truth values",
                    _ => return Ok(()),
                };
                let kind = &column.kind;
                Err(Error::UnsupportedSchema {
                    what: format!(
                        "`{table}.{name}` is declared `{kind}`, which holds no {lacking} as Django stores them"
                    ),
                })
            });
        }
    });
    result
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
