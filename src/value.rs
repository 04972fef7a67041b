//! A value of any shape, as it comes from a host or out of JSON: a field of a record, a setting, or a whole answer.
//!
//! Everything is read into this one type first and from there into its own, by [`FromValue`]: what serde derives for each
//! type, with errors that can print anything, takes twice the wasm.

use crate::instant::Instant;
use crate::named::Named;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::fmt;

/// A value of any shape.
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
    /// Text.
    Text(String),
    /// Bytes, or an integer beyond 64 bits: something that nothing here reads.
    Other,
    /// Several values.
    List(Vec<Value>),
    /// Values by name.
    Map(Named<Value>),
}

/// A value that has not the shape that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Shape(String);

impl Shape {
    /// One that says what was expected.
    #[must_use]
    pub fn new(expected: &str) -> Self {
        Self(format!("expected {expected}"))
    }

    /// The same, of a member.
    #[must_use]
    pub fn of(self, name: &str) -> Self {
        Self(format!("`{name}`: {}", self.0))
    }
}

impl Value {
    /// Reads the value as something else.
    ///
    /// # Errors
    /// [`Shape`] where it is not of that shape.
    pub fn read<T: FromValue>(self) -> Result<T, Shape> {
        T::from_value(self)
    }
}

/// As it stands in a message.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Real(value) => write_real(f, *value),
            Self::Text(value) => write!(f, "`{value}`"),
            Self::Other => f.write_str("something else"),
            Self::List(_) => f.write_str("a list"),
            Self::Map(_) => f.write_str("an object"),
        }
    }
}

/// In thousandths at the finest: the standard way of writing a float takes a tenth of the wasm.
#[expect(clippy::cast_possible_truncation, reason = "saturates, in a message")]
fn write_real(f: &mut fmt::Formatter<'_>, value: f64) -> fmt::Result {
    if !value.is_finite() {
        return f.write_str("no finite number");
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let thousandths = (value.abs() * 1000.0) as i64;
    let text = format!("{sign}{}.{:03}", thousandths / 1000, thousandths % 1000);
    f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null | Self::Other => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Real(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(values) => values.serialize(serializer),
            Self::Map(values) => values.serialize(serializer),
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
    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }
    fn visit_bytes<E: de::Error>(self, _: &[u8]) -> Result<Value, E> {
        Ok(Value::Other)
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
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = Named::default();
        while let Some((name, value)) = map.next_entry::<Value, Value>()? {
            if let Value::Text(name) = name {
                values.insert(&name, value);
            }
        }
        Ok(Value::Map(values))
    }
}

/// What can be read out of a value.
pub trait FromValue: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// [`Shape`] where the value is not of that shape.
    fn from_value(value: Value) -> Result<Self, Shape>;
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, Shape> {
        Ok(value)
    }
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<Self, Shape> {
        if let Value::Text(text) = value { Ok(text) } else { Err(Shape::new("text")) }
    }
}

impl FromValue for bool {
    fn from_value(value: Value) -> Result<Self, Shape> {
        if let Value::Bool(value) = value { Ok(value) } else { Err(Shape::new("true or false")) }
    }
}

impl FromValue for u64 {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let number = if let Value::Int(number) = value { Self::try_from(number).ok() } else { None };
        number.ok_or_else(|| Shape::new("a whole number of 0 or more"))
    }
}

impl FromValue for u32 {
    fn from_value(value: Value) -> Result<Self, Shape> {
        Self::try_from(value.read::<u64>()?).map_err(|_| Shape::new("a smaller number"))
    }
}

impl FromValue for usize {
    fn from_value(value: Value) -> Result<Self, Shape> {
        Self::try_from(value.read::<u64>()?).map_err(|_| Shape::new("a smaller number"))
    }
}

impl FromValue for f64 {
    #[expect(clippy::cast_precision_loss, reason = "who asks for a float takes one")]
    fn from_value(value: Value) -> Result<Self, Shape> {
        match value {
            Value::Int(number) => Ok(number as Self),
            Value::Real(number) => Ok(number),
            _ => Err(Shape::new("a number")),
        }
    }
}

impl FromValue for Instant {
    fn from_value(value: Value) -> Result<Self, Shape> {
        Self::parse(&value.read::<String>()?).map_err(|_| Shape::new("an RFC 3339 instant"))
    }
}

/// Null is none.
impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, Shape> {
        if value == Value::Null { Ok(None) } else { value.read().map(Some) }
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let Value::List(values) = value else { return Err(Shape::new("a list")) };
        values.into_iter().map(Value::read).collect()
    }
}

impl<T: FromValue> FromValue for Named<T> {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let Value::Map(values) = value else { return Err(Shape::new("an object")) };
        let mut named = Self::default();
        for (name, value) in values.into_entries() {
            named.insert(&name, value.read().map_err(|shape| shape.of(&name))?);
        }
        Ok(named)
    }
}

/// The members of an object, taken out one by one. Those that are null are as good as absent.
#[derive(Debug)]
pub struct Members(Named<Value>);

impl FromValue for Members {
    fn from_value(value: Value) -> Result<Self, Shape> {
        value.read().map(Self)
    }
}

impl Members {
    /// Takes a member out; an `Option` where it may be absent.
    ///
    /// # Errors
    /// [`Shape`] where it is not of that shape.
    pub fn take<T: FromValue>(&mut self, name: &str) -> Result<T, Shape> {
        let value = self.0.get_mut(name).map_or(Value::Null, |value| std::mem::replace(value, Value::Null));
        value.read().map_err(|shape| shape.of(name))
    }

    /// Looks at a member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| **value != Value::Null)
    }

    /// Whether a member is there, null or not.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn stands_in_messages() {
        for (json, text) in [
            ("null", "null"),
            ("true", "true"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("18446744073709551615", "something else"),
            ("1.5", "1.5"),
            ("-0.25", "-0.25"),
            ("1e300", "9223372036854775.807"),
            ("\"two words\"", "`two words`"),
            ("[1, 2]", "a list"),
            ("{}", "an object"),
        ] {
            assert_eq!(parse(json).to_string(), text);
        }
        assert_eq!(Value::Real(f64::NAN).to_string(), "no finite number");
    }

    /// Regression: the zeros of the fraction were cut off, and its point was left.
    #[test]
    fn stands_in_messages_without_a_lonely_point() {
        for (number, text) in
            [(2.0, "2"), (-10.0, "-10"), (0.000_4, "0"), (9_007_199_254_740_992.0, "9007199254740992")]
        {
            assert_eq!(Value::Real(number).to_string(), text);
        }
    }

    #[derive(Debug, PartialEq)]
    struct Shaped {
        name: String,
        count: Option<u32>,
        names: Named<Vec<f64>>,
    }

    impl FromValue for Shaped {
        fn from_value(value: Value) -> Result<Self, Shape> {
            let mut members: Members = value.read()?;
            Ok(Self { name: members.take("name")?, count: members.take("count")?, names: members.take("names")? })
        }
    }

    #[test]
    fn is_read_as_something_else() {
        let mut names = Named::default();
        names.insert("a", vec![1.0, -2.5]);
        for (json, count) in [
            (r#"{"name": "x", "names": {"a": [1, -2.5]}}"#, None),
            (r#"{"name": "x", "names": {"a": [1, -2.5]}, "count": null}"#, None),
            (r#"{"name": "x", "names": {"a": [1, -2.5]}, "count": 4294967295, "more": []}"#, Some(u32::MAX)),
        ] {
            assert_eq!(parse(json).read(), Ok(Shaped { name: "x".into(), count, names: names.clone() }));
        }
    }

    #[test]
    fn says_what_was_expected() {
        for (json, message) in [
            ("[]", "expected an object"),
            ("{}", "`name`: expected text"),
            (r#"{"name": 3}"#, "`name`: expected text"),
            (r#"{"name": "a"}"#, "`names`: expected an object"),
            (r#"{"name": "a", "names": {"b": 1}}"#, "`names`: `b`: expected a list"),
            (r#"{"name": "a", "names": {"b": ["1"]}}"#, "`names`: `b`: expected a number"),
            (r#"{"name": "a", "count": -1}"#, "`count`: expected a whole number of 0 or more"),
            (r#"{"name": "a", "count": 1.5}"#, "`count`: expected a whole number of 0 or more"),
            (r#"{"name": "a", "count": 4294967296}"#, "`count`: expected a smaller number"),
        ] {
            assert_eq!(parse(json).read::<Shaped>().unwrap_err().to_string(), message, "{json}");
        }
        assert_eq!(parse("1").read::<bool>().unwrap_err().to_string(), "expected true or false");
        assert_eq!(parse("\"now\"").read::<Instant>().unwrap_err().to_string(), "expected an RFC 3339 instant");
    }

    #[test]
    fn tells_null_from_absent() {
        let mut members: Members = parse(r#"{"a": null, "b": 1}"#).read().unwrap();
        assert!(members.has("a") && members.get("a").is_none() && !members.has("c"));
        assert_eq!(members.get("b"), Some(&Value::Int(1)));
        assert_eq!(members.take::<u64>("b"), Ok(1));
    }

    #[test]
    fn is_written_as_it_was_read() {
        for json in ["null", "true", "-5", "1.5", "\"x\"", "[1,[]]", r#"{"a":{"b":null},"c":false}"#] {
            assert_eq!(serde_json::to_string(&parse(json)).unwrap(), json);
        }
        assert_eq!(serde_json::to_string(&Value::Other).unwrap(), "null");
    }
}
