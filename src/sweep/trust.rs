//! What the database must be trusted with, or a slice could remove what it should not, or miss what it should: that a role sees
//! all rows, that foreign keys are about the tables that they name, and that they are checked while others write.

use crate::cascade::Cascade;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::schema::Schema;
use crate::work::Sweep;

/// Refuses a sweep that the database cannot be trusted with.
///
/// # Errors
/// [`Error::UnsupportedSchema`]
pub fn check_trust(sweep: &Sweep, cascade: &Cascade, dialect: &dyn Dialect, schema: &Schema) -> Result<(), Error> {
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
