//! The reading of a rule on records in memory.

use super::{Related, Rule};
use crate::error::Error;
use crate::instant::Instant;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// A field of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Real(f64),
    /// Text; instants are RFC 3339 or Django's own text.
    Text(String),
    /// Something that no rule reads.
    Other,
}

/// The fields of a record by name.
pub type Record = BTreeMap<String, Value>;

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

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null | Self::Other => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Real(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Other, Value::Int))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Real(value))
    }
    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }
    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }
    fn visit_bytes<E: de::Error>(self, _: &[u8]) -> Result<Value, E> {
        Ok(Value::Other)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Real(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "`{value}`"),
            Self::Other => f.write_str("something else"),
        }
    }
}
