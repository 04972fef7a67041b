//! Requests and checkpoints, made of JSON and read in as the wasm surface reads them.

use idp_janitor::checkpoint::Checkpoint;
use idp_janitor::request::{Order, Request};
use idp_janitor::value::{FromValue, Value};
use serde_json::{Value as Json, json};

/// The clock of every test that does not say otherwise.
pub const NOW: &str = "2026-01-31T03:00:00Z";

/// JSON as a value of the core's.
pub fn value(json: Json) -> Value {
    serde_json::from_value(json).unwrap()
}

/// JSON as whatever the core reads out of it.
pub fn read<T: FromValue>(json: Json) -> T {
    value(json).read().unwrap()
}

/// A request of a job by [`NOW`], with further properties.
pub fn request(job: &str, more: Json) -> Request {
    let mut request = json!({ "job": job, "preset": "hidp", "clock": NOW });
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    read(request)
}

/// The order of a request that has nothing wrong with it.
pub fn order(job: &str, more: Json) -> Order {
    Order::read(&request(job, more), None).unwrap()
}

/// A checkpoint as the next run gets it: written out and read in again.
pub fn carried(checkpoint: &Checkpoint) -> Checkpoint {
    let text = serde_json::to_string(checkpoint).unwrap();
    read(serde_json::from_str(&text).unwrap())
}
