//! The wasm surface. It carries values across and decides nothing.

mod convert;
mod fetch;
mod keys;

use crate::checkpoint::Checkpoint;
use crate::effect::Outcome;
use crate::error::{Error, suggest};
use crate::jobs::{JOBS, describe};
use crate::named::Named;
use crate::request::{Order, Request};
use crate::rule::eval::Record;
use crate::run::Run;
use crate::select::select_stale;
use convert::{parse, read, read_rows, thrown, write};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"import type { CoreRequest, CoreStatement, Outcome, Step } from "../effects.js";
import type { Checkpoint, Report } from "../report.js";
import type { JobDescription } from "../janitor.js";
import type { Row } from "../store.js";"#;

/// A run in hand. Free it when it is over.
#[wasm_bindgen(js_name = Run)]
pub struct WasmRun(Run);

#[wasm_bindgen(js_class = Run)]
impl WasmRun {
    /// Begins a run on a store of that kind. Throws `{ code, message }`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "CoreRequest")] request: JsValue,
        store: &str,
        #[wasm_bindgen(unchecked_param_type = "Checkpoint | undefined")] checkpoint: JsValue,
    ) -> Result<Self, JsValue> {
        let checkpoint: Option<Checkpoint> =
            parse(&checkpoint).map_err(|error| thrown(&Error::InvalidCheckpoint { why: error.to_string() }))?;
        Run::new(&read_request(&request)?, store, checkpoint).map(Self).map_err(|error| thrown(&error))
    }

    /// Takes in what came of the last effect and gives the next. Throws `{ code, message }`.
    #[wasm_bindgen(unchecked_return_type = "Step")]
    pub fn next(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Outcome")] outcome: JsValue,
    ) -> Result<JsValue, JsValue> {
        let outcome: Outcome = match &self.0 {
            // Records may hold what JSON makes something else of.
            Run::Records(_) => read(&outcome)?,
            Run::Sql(_) | Run::Examination(_) => read_rows(&outcome)?,
        };
        self.0.next(outcome).map_err(|error| thrown(&error)).and_then(|step| write(&step))
    }

    /// Whether a record is stale still. Throws `{ code, message }`.
    #[wasm_bindgen(js_name = isStale)]
    pub fn is_stale(&self, #[wasm_bindgen(unchecked_param_type = "Row")] row: JsValue) -> Result<bool, JsValue> {
        let record: Record = read(&row)?;
        self.0.is_stale(&record).map_err(|error| thrown(&error))
    }

    /// What gives back the lease of a run that failed, as one atomic unit; empty where there is none.
    #[wasm_bindgen(unchecked_return_type = "readonly CoreStatement[]")]
    pub fn release(&self) -> Result<JsValue, JsValue> {
        write(&self.0.release())
    }

    /// The report of a run whose store has failed.
    #[wasm_bindgen(unchecked_return_type = "Report")]
    pub fn fail(&self) -> Result<JsValue, JsValue> {
        write(&self.0.fail())
    }
}

fn read_request(request: &JsValue) -> Result<Request, JsValue> {
    parse(request).map_err(|shape| {
        let expected = format!("of the documented types ({shape})");
        thrown(&Error::InvalidSetting { name: "options".into(), value: "of others".into(), expected })
    })
}

/// The positions of stale records, by table. Throws `{ code, message }`.
#[wasm_bindgen(js_name = selectStale, unchecked_return_type = "Record<string, number[]>")]
pub fn wasm_select_stale(
    #[wasm_bindgen(unchecked_param_type = "CoreRequest")] request: JsValue,
    #[wasm_bindgen(unchecked_param_type = "Record<string, readonly Row[]>")] tables: JsValue,
) -> Result<JsValue, JsValue> {
    let order = Order::read(&read_request(&request)?, None).map_err(|error| thrown(&error))?;
    let tables: Named<Vec<Record>> = read(&tables)?;
    select_stale(&order, &tables).map_err(|error| thrown(&error)).and_then(|selected| write(&selected))
}

/// Every job.
#[wasm_bindgen(js_name = listJobs, unchecked_return_type = "JobDescription[]")]
pub fn list_jobs() -> Result<JsValue, JsValue> {
    write(&JOBS.map(describe))
}

/// The candidate nearest to a misspelt name, if one is near.
#[wasm_bindgen(js_name = suggest)]
pub fn wasm_suggest(name: &str, candidates: Vec<String>) -> Option<String> {
    suggest(name, candidates.iter().map(String::as_str))
}
