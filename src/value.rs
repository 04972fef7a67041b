//! A value of any shape, as it comes from a host: a field of a record, a setting, or a whole answer.
//!
//! Everything that crosses is read into this one type first and from there into its own: reading each type straight
//! from JavaScript, with errors that can print anything, takes a third of the wasm.

use crate::named::Named;
use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{
    self, Deserialize, DeserializeOwned, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
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

impl Value {
    /// Reads the value as something else.
    ///
    /// # Errors
    /// [`Shape`] where it is not of that shape.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, Shape> {
        T::deserialize(self)
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

impl<'de> Deserializer<'de> for Value {
    type Error = Shape;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Int(value) => visitor.visit_i64(value),
            Self::Real(value) => visitor.visit_f64(value),
            Self::Text(value) => visitor.visit_string(value),
            Self::Other => visitor.visit_bytes(&[]),
            Self::List(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter())),
            Self::Map(values) => visitor.visit_map(MapDeserializer::new(values.into_entries())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        match self {
            Self::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Shape> {
        match self {
            Self::Text(name) => visitor.visit_enum(name.into_deserializer()),
            Self::Map(values) => {
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(values.into_entries())))
            }
            _ => Err(Shape("expected one of several".into())),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Shape> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl de::Error for Shape {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}"))
    }
    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

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

    #[derive(Debug, PartialEq, Deserialize)]
    struct Shaped {
        name: String,
        #[serde(default)]
        count: Option<u32>,
        kind: Kind,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Kind {
        Plain,
        Sized(i64),
    }

    #[test]
    fn is_read_as_something_else() {
        let shaped = |name: &str, count, kind| Shaped { name: name.into(), count, kind };
        for (json, expected) in [
            (r#"{"name": "a", "kind": "Plain"}"#, shaped("a", None, Kind::Plain)),
            (r#"{"name": "a", "kind": "Plain", "count": null}"#, shaped("a", None, Kind::Plain)),
            (r#"{"name": "", "kind": {"Sized": -3}, "count": 4, "more": [1]}"#, shaped("", Some(4), Kind::Sized(-3))),
        ] {
            assert_eq!(parse(json).read::<Shaped>().unwrap(), expected);
        }
        assert_eq!(
            parse(r#"{"b": [1, "x", null], "a": {"c": 1.5}}"#).read::<Value>().unwrap(),
            parse(r#"{"a": {"c": 1.5}, "b": [1, "x", null]}"#)
        );
    }

    #[test]
    fn says_what_was_expected() {
        for (json, message) in [
            ("{}", "missing field `name`"),
            ("[]", "invalid length 0, expected struct Shaped with 3 elements"),
            ("3", "expected struct Shaped"),
            (r#"{"name": 3, "kind": "Plain"}"#, "expected a string"),
            (r#"{"name": "a", "kind": 3}"#, "expected one of several"),
            (r#"{"name": "a", "kind": "Plane"}"#, "unknown variant `Plane`, expected `Plain` or `Sized`"),
            (r#"{"name": "a", "kind": "Plain", "count": -1}"#, "expected u32"),
            (r#"{"name": "a", "kind": "Plain", "count": 4294967296}"#, "expected u32"),
        ] {
            assert_eq!(parse(json).read::<Shaped>().unwrap_err().to_string(), message, "{json}");
        }
    }

    #[test]
    fn is_written_as_it_was_read() {
        for json in ["null", "true", "-5", "1.5", "\"x\"", "[1,[]]", r#"{"a":{"b":null},"c":false}"#] {
            assert_eq!(serde_json::to_string(&parse(json)).unwrap(), json);
        }
        assert_eq!(serde_json::to_string(&Value::Other).unwrap(), "null");
    }
}
