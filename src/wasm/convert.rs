//! Values across the boundary.

use crate::error::Error;
use crate::named::Named;
use crate::value::{Shape, Value};
use js_sys::{Array, Object};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};

/// What is thrown at the host.
#[derive(Serialize)]
struct Thrown<'a> {
    code: &'a str,
    message: &'a str,
}

/// An error as the host catches it.
pub fn thrown(error: &Error) -> JsValue {
    throwable(error.code(), &error.to_string())
}

/// Reads what the host gave.
///
/// # Errors
/// What to throw where it is of another shape.
pub fn read<T: DeserializeOwned>(value: &JsValue) -> Result<T, JsValue> {
    parse(value).map_err(|shape| throwable("internal", &format!("a value of an unexpected shape: {shape}")))
}

/// Reads what the host gave, leaving it to the caller what to throw.
///
/// # Errors
/// [`Shape`] where it is of another shape.
pub fn parse<T: DeserializeOwned>(value: &JsValue) -> Result<T, Shape> {
    from_js(value).read()
}

/// Makes what the host gets.
///
/// # Errors
/// What to throw where it cannot be made: a number beyond 2^53.
pub fn write<T: Serialize>(value: &T) -> Result<JsValue, JsValue> {
    value.serialize(&Serializer::json_compatible()).map_err(JsValue::from)
}

fn throwable(code: &str, message: &str) -> JsValue {
    write(&Thrown { code, message }).unwrap_or_else(|error| error)
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
