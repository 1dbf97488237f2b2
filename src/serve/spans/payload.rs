//! The JSON of OTLP in which spans are sent.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::RequestSpan;

/// The kind of spans that answer requests.
const SERVER: u8 = 2;

/// The code of a span that failed.
const ERROR: u8 = 2;

/// An `ExportTraceServiceRequest` in JSON.
pub(super) fn encode(spans: &[RequestSpan]) -> String {
    let resource = json!({
        "attributes": [
            text("service.name", "peerage"),
            text("service.version", env!("CARGO_PKG_VERSION")),
        ],
    });
    let spans: Vec<Value> = spans.iter().map(span_json).collect();
    let scope = json!({ "scope": { "name": "peerage" }, "spans": spans });
    json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [scope] }] }).to_string()
}

fn span_json(span: &RequestSpan) -> Value {
    let RequestSpan { context, method, route, status, started, took } = span;
    let name = match route {
        Some(route) => format!("{method} {route}"),
        None => method.clone(),
    };
    // 64-bit numbers are texts in the JSON of protocol buffers.
    let status_code = json!({ "intValue": status.to_string() });
    let mut attributes = vec![
        text("http.request.method", method),
        json!({ "key": "http.response.status_code", "value": status_code }),
    ];
    attributes.extend(route.as_ref().map(|route| text("http.route", route)));
    let mut span = json!({
        "traceId": context.trace.to_string(),
        "spanId": context.span.to_string(),
        "name": name,
        "kind": SERVER,
        "startTimeUnixNano": nanoseconds(*started),
        "endTimeUnixNano": nanoseconds(*started + *took),
        "attributes": attributes,
        "status": if *status >= 500 { json!({ "code": ERROR }) } else { json!({}) },
    });
    if let (Some(parent), Value::Object(members)) = (context.parent, &mut span) {
        members.insert("parentSpanId".to_owned(), json!(parent.to_string()));
    }
    span
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn nanoseconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}
