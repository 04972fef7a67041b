//! Selection without a store, for whoever holds the records already.

use crate::error::Error;
use crate::named::Named;
use crate::request::Order;
use crate::rule::eval::{Record, satisfies};
use crate::sweep::records::rules;
use crate::sweep::views::Views;

/// The name under which records of a job's only table may be given.
pub const ONLY_TABLE: &str = "*";

/// The positions of the stale records in each of the job's own tables, in their order: those that a whole run would
/// remove, the later sweeps knowing what the earlier ones take. `tables` holds the records by table; a job about one
/// table alone may have them under [`ONLY_TABLE`].
///
/// # Errors
/// [`Error::InvalidRecord`] for a record that cannot be judged, [`Error::NotThisSchema`] where the records of a table
/// that the job asks about are not given.
pub fn select_stale(order: &Order, tables: &Named<Vec<Record>>) -> Result<Named<Vec<u32>>, Error> {
    let work = order.work(order.user_table.as_deref().unwrap_or(ONLY_TABLE))?;
    let records = |table: &str| {
        let only = if work.sweeps.iter().all(|sweep| sweep.table == table) { tables.get(ONLY_TABLE) } else { None };
        tables.get(table).or(only).ok_or_else(|| Error::NotThisSchema {
            what: format!("the records of `{table}` are not given (an empty list, if there are none)"),
        })
    };
    let mut stale: Named<Vec<bool>> = Named::default();
    for (sweep, rule) in work.sweeps.iter().zip(rules(&work, true)) {
        let mut views = Views::for_rule(&rule, &sweep.table);
        for collection in views.collections() {
            for record in records(&collection)? {
                views.add(&collection, record)?;
            }
        }
        let records = records(&sweep.table)?;
        let stale = stale.entry(&sweep.table);
        stale.resize(records.len(), false);
        for (stale, record) in stale.iter_mut().zip(records) {
            *stale |= satisfies(&rule, &sweep.table, record, &views)?;
        }
    }
    let mut selected = Named::default();
    for (table, stale) in stale.iter() {
        let positions = (0u32..).zip(stale).filter(|(_, stale)| **stale).map(|(at, _)| at);
        selected.insert(table, positions.collect());
    }
    Ok(selected)
}
