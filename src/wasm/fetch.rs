//! Requests by gloo-net, where the host brings no `fetch` of its own.

use gloo_net::http::Request;
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, RequestRedirect, Response};

/// Makes a GET request and gives the answer, its body unread. What is in the headers has been checked: gloo-net panics on
/// a line break there.
#[wasm_bindgen(js_name = fetchKeys)]
pub async fn fetch_keys(url: String, etag: Option<String>, signal: AbortSignal) -> Result<Response, JsError> {
    // "error" would say more, and is refused by workerd.
    let redirect = RequestRedirect::Manual;
    let mut request =
        Request::get(&url).header("Accept", "application/json").redirect(redirect).abort_signal(Some(&signal));
    if let Some(etag) = &etag {
        request = request.header("If-None-Match", etag);
    }
    let response = request.send().await.map_err(|error| JsError::new(&error.to_string()))?;
    Ok(response.into())
}
