//! What is refused before anything is touched: what would make a slice fail, or do something else than it says, however often
//! it is tried.

use crate::cascade::{Action, Cascade};
use crate::dialect::Dialect;
use crate::error::Error;
use crate::rule::Use;
use crate::schema::{Declared, ForeignKey, Schema};
use crate::work::Sweep;

/// Refuses a table that cannot be walked or judged.
///
/// # Errors
/// [`Error::NotThisSchema`] where a table or column is missing, [`Error::UnsupportedSchema`]
pub fn check_table(sweep: &Sweep, dialect: &dyn Dialect, schema: &Schema) -> Result<(), Error> {
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

/// Refuses a removal that could not be done, or not as it is told.
///
/// # Errors
/// [`Error::UnsupportedSchema`]
pub fn check_removal(sweep: &Sweep, cascade: &Cascade, dialect: &dyn Dialect, schema: &Schema) -> Result<(), Error> {
    check_left_out(sweep, dialect, schema)?;
    check_cascade(cascade, dialect, schema)?;
    check_trust(sweep, cascade, dialect, schema)
}

/// What goes along has to be found, and to be dealt with as is said.
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

/// The database must be trusted to show a role all rows, and to have foreign keys that are about the tables that they name and are
/// checked while others write; or a slice could remove what it should not, or miss what it should.
fn check_trust(sweep: &Sweep, cascade: &Cascade, dialect: &dyn Dialect, schema: &Schema) -> Result<(), Error> {
    let mut concerned: Vec<&str> = vec![&sweep.table];
    sweep.rule.visit_columns(&sweep.table, &mut |table, _, _| concerned.push(table));
    concerned.extend(cascade.edges.iter().map(|edge| edge.table.as_str()));
    for name in concerned {
        let Some(table) = schema.tables.get(name) else { continue };
        if table.hides_rows {
            return refuse(format!(
                "row level security may hide rows of `{name}`, or of a part of it, from this role (BYPASSRLS lets it see all)"
            ));
        }
        let is_keyed = || !table.foreign_keys.is_empty() || schema.references_to(name).next().is_some();
        if table.has_heirs && is_keyed() {
            return refuse(format!(
                "`{name}` is inherited from, and its foreign keys are not, so that they do not tell what belongs together"
            ));
        }
    }
    for table in cascade.deleted() {
        if let Some((child, key)) = schema.references_to(table).find(|(_, key)| key.of_part) {
            let key = key.name_in(child);
            return refuse(format!(
                "the foreign key `{key}` points at a part of `{table}` alone, which is not supported"
            ));
        }
    }
    check_absences(sweep, dialect, schema)
}

/// What is not there when a rule is asked may be there before the slice is over, which a foreign key alone keeps away: who adds
/// a row has to share a lock of the one that it points at.
fn check_absences(sweep: &Sweep, dialect: &dyn Dialect, schema: &Schema) -> Result<(), Error> {
    let mut result = Ok(());
    sweep.rule.visit_absences(&sweep.table, false, &mut |table, related| {
        let keys = schema.tables.get(&related.table).into_iter().flat_map(|table| &table.foreign_keys);
        let mut fitting = keys.filter(|key| {
            key.references == table && key.columns == related.columns && key.target == related.equal && !key.unchecked
        });
        if result.is_ok() && !(schema.enforces_keys && fitting.next().is_some()) {
            result = refuse(format!(
                "nothing keeps rows of `{table}` from going that come into use meanwhile: there is no foreign key from `{}.{}` to it \
                 that this role sees and the database checks",
                related.table,
                related.columns.join(",")
            ));
        }
    });
    if dialect.slices().skip_what_is_held() { result } else { Ok(()) }
}

fn refuse(what: String) -> Result<(), Error> {
    Err(Error::UnsupportedSchema { what })
}
