//! The reading of a rule on records in memory.

use super::{Related, Rule};
use crate::error::Error;
use crate::instant::Instant;
use crate::named::Named;
use crate::value::Value;

/// The fields of a record by name.
pub type Record = Named<Value>;

/// Where the records of other tables are.
pub trait Relations {
    /// The records of a table whose columns equal the keys, position by position.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] where a record lacks one of the columns.
    fn matching(&self, table: &str, columns: &[String], keys: &[Key]) -> Result<Vec<&Record>, Error>;
}

/// A value by which rows are related: integers and texts of the same digits are the same key, as they are to SQLite.
pub type Key = String;

/// Whether a record of `table` satisfies a rule.
///
/// # Errors
/// [`Error::InvalidRecord`] where the record lacks a field that the rule reads (a missing field is not a NULL: what is
/// unknown must not make a record stale), or where the field is of a kind that cannot be read.
pub fn satisfies(rule: &Rule, table: &str, record: &Record, relations: &impl Relations) -> Result<bool, Error> {
    match rule {
        Rule::All(rules) => {
            for rule in rules {
                if !satisfies(rule, table, record, relations)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Rule::Any(rules) => {
            for rule in rules {
                if satisfies(rule, table, record, relations)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Rule::Not(rule) => Ok(!satisfies(rule, table, record, relations)?),
        Rule::IsNull(column) => Ok(*field(table, record, column)? == Value::Null),
        Rule::IsTrue(column) => Ok(matches!(field(table, record, column)?, Value::Bool(true) | Value::Int(1))),
        Rule::Before(column, limit) => Ok(instant(table, record, column)?.is_some_and(|instant| instant < *limit)),
        Rule::NotAfter(column, limit) => Ok(instant(table, record, column)?.is_some_and(|instant| instant <= *limit)),
        Rule::Exists(related) => exists(related, table, record, relations),
        Rule::Within(_) => Err(invalid(table, "its place in a walk is not known".to_owned())),
    }
}

/// The keys by which a record's columns relate to others; `None` where one of them is NULL.
///
/// # Errors
/// [`Error::InvalidRecord`] where the record lacks one of the columns, or has something in it that cannot be a key.
pub fn keys(table: &str, record: &Record, columns: &[String]) -> Result<Option<Vec<Key>>, Error> {
    let mut keys = Vec::with_capacity(columns.len());
    for column in columns {
        match field(table, record, column)? {
            Value::Int(number) => keys.push(number.to_string()),
            Value::Text(text) => keys.push(text.clone()),
            Value::Null => return Ok(None),
            // A number rounded beyond 2^53 would relate to nothing, and make stale what is not.
            other => {
                return Err(invalid(
                    table,
                    format!("its `{column}` is {other}, which cannot be a key (beyond 2^53: a BigInt or text)"),
                ));
            }
        }
    }
    Ok(Some(keys))
}

fn exists(related: &Related, table: &str, record: &Record, relations: &impl Relations) -> Result<bool, Error> {
    let Some(keys) = keys(table, record, &related.equal)? else { return Ok(false) };
    for other in relations.matching(&related.table, &related.columns, &keys)? {
        if satisfies(&related.satisfying, &related.table, other, relations)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn field<'a>(table: &str, record: &'a Record, column: &str) -> Result<&'a Value, Error> {
    record.get(column).ok_or_else(|| invalid(table, format!("it has no `{column}` (NULL is `null`)")))
}

fn instant(table: &str, record: &Record, column: &str) -> Result<Option<Instant>, Error> {
    match field(table, record, column)? {
        Value::Null => Ok(None),
        Value::Text(text) => Instant::parse_stored(text)
            .map(Some)
            .ok_or_else(|| invalid(table, format!("its `{column}` is `{text}`, which is no instant"))),
        _ => Err(invalid(table, format!("its `{column}` is no instant"))),
    }
}

fn invalid(collection: &str, why: String) -> Error {
    Error::InvalidRecord { collection: collection.to_owned(), why }
}
