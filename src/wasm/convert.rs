//! Values across the boundary.

use crate::error::Error;
use crate::named::Named;
use crate::value::{FromValue, Shape, Value};
use js_sys::{Array, JSON, Object};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};

/// What is thrown at the host.
#[derive(Serialize)]
struct Thrown<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    setting: Option<&'a str>,
}

/// An error as the host catches it.
pub fn thrown(error: &Error) -> JsValue {
    throw(&Thrown { code: error.code(), message: &error.to_string(), setting: error.setting() })
}

/// Reads what the host gave.
///
/// # Errors
/// What to throw where it is of another shape.
pub fn read<T: FromValue>(value: &JsValue) -> Result<T, JsValue> {
    parse(value).map_err(shaped)
}

/// Reads what the host gave, of which most is rows, by way of its JSON: to look at each cell through the boundary takes several
/// times as long. What JSON cannot say, a bigint, is looked at.
///
/// # Errors
/// What to throw where it is of another shape.
pub fn read_rows<T: FromValue>(value: &JsValue) -> Result<T, JsValue> {
    let text = JSON::stringify(value).ok().map(String::from);
    match text.and_then(|text| serde_json::from_str::<Value>(&text).ok()) {
        Some(value) => value.read().map_err(shaped),
        None => read(value),
    }
}

/// Reads what the host gave, leaving it to the caller what to throw.
///
/// # Errors
/// [`Shape`] where it is of another shape.
pub fn parse<T: FromValue>(value: &JsValue) -> Result<T, Shape> {
    from_js(value).read()
}

/// Makes what the host gets.
///
/// # Errors
/// What to throw where it cannot be made: a number beyond 2^53.
pub fn write<T: Serialize>(value: &T) -> Result<JsValue, JsValue> {
    value.serialize(&Serializer::json_compatible()).map_err(JsValue::from)
}

pub fn throwable(code: &str, message: &str) -> JsValue {
    throw(&Thrown { code, message, setting: None })
}

fn throw(thrown: &Thrown) -> JsValue {
    write(thrown).unwrap_or_else(|error| error)
}

/// What to throw at a value of an unexpected shape.
pub fn shaped(shape: Shape) -> JsValue {
    throwable("internal", &format!("a value of an unexpected shape: {shape}"))
}

fn from_js(value: &JsValue) -> Value {
    if value.is_null() || value.is_undefined() {
        return Value::Null;
    }
    if let Some(value) = value.as_bool() {
        return Value::Bool(value);
    }
    if let Some(value) = value.as_f64() {
        return from_number(value);
    }
    if let Some(value) = value.as_string() {
        return Value::Text(value);
    }
    if value.is_bigint() {
        return i64::try_from(value.clone()).map_or(Value::Other, Value::Int);
    }
    if let Some(values) = value.dyn_ref::<Array>() {
        return Value::List(values.iter().map(|value| from_js(&value)).collect());
    }
    match value.dyn_ref::<Object>() {
        Some(object) if is_plain(object) => {
            let mut named = Named::default();
            for entry in Object::entries(object).iter() {
                let entry: Array = entry.unchecked_into();
                if let Some(name) = entry.get(0).as_string() {
                    named.insert(&name, from_js(&entry.get(1)));
                }
            }
            Value::Map(named)
        }
        _ => Value::Other,
    }
}

/// Bytes have entries, too, but nobody reads them here.
fn is_plain(object: &Object) -> bool {
    !object.is_instance_of::<js_sys::Uint8Array>() && !object.is_instance_of::<js_sys::ArrayBuffer>()
}

/// A whole number that a float holds exactly is meant as one; beyond 2^53 it may have been rounded on its way.
#[expect(clippy::cast_possible_truncation, reason = "within 2^53")]
fn from_number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_991.0;
    if value.fract() == 0.0 && value.abs() <= EXACT { Value::Int(value as i64) } else { Value::Real(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use js_sys::{BigInt, Uint8Array};
    use wasm_bindgen_test::wasm_bindgen_test;

    fn parsed(json: &str) -> Value {
        from_js(&JSON::parse(json).unwrap())
    }

    #[wasm_bindgen_test]
    fn reads_what_json_can_say() {
        let value = parsed(r#"{"a": null, "b": [true, 1, -2.5, "x"], "c": {}}"#);
        let Value::Map(map) = value else { panic!("{value:?}") };
        assert_eq!(map.get("a"), Some(&Value::Null));
        let list = vec![Value::Bool(true), Value::Int(1), Value::Real(-2.5), Value::Text("x".into())];
        assert_eq!(map.get("b"), Some(&Value::List(list)));
        assert_eq!(map.get("c"), Some(&Value::Map(Named::default())));
    }

    #[wasm_bindgen_test]
    fn reads_integers_exactly_or_not_at_all() {
        let bigint = |text: &str| from_js(&BigInt::new(&text.into()).unwrap());
        assert_eq!(bigint("9007199254740993"), Value::Int(9_007_199_254_740_993));
        assert_eq!(bigint("-9223372036854775808"), Value::Int(i64::MIN));
        assert_eq!(bigint("9223372036854775808"), Value::Other);
        assert_eq!(parsed("9007199254740991"), Value::Int(9_007_199_254_740_991));
        // As a number it may have been another one.
        assert_eq!(parsed("9007199254740992"), Value::Real(9_007_199_254_740_992.0));
    }

    #[wasm_bindgen_test]
    fn reads_what_is_no_data_as_something_else() {
        assert_eq!(from_js(&JsValue::UNDEFINED), Value::Null);
        assert_eq!(from_js(&Uint8Array::new_with_length(3)), Value::Other);
        assert_eq!(from_js(&JsValue::symbol(None)), Value::Other);
    }

    #[wasm_bindgen_test]
    fn throws_plain_objects() {
        let error = thrown(&Error::UnknownPreset { name: "x".into(), known: "`hidp`".into() });
        let text = JSON::stringify(&error).unwrap();
        assert_eq!(text, r#"{"code":"unknown_preset","message":"there is no preset `x`; the presets are `hidp`"}"#);
    }

    #[wasm_bindgen_test]
    fn refuses_numbers_that_a_float_cannot_hold() {
        assert!(write(&u64::MAX).is_err());
        assert_eq!(write(&9_007_199_254_740_991_u64).unwrap().as_f64(), Some(9_007_199_254_740_991.0));
    }
}
