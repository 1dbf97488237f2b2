//! `/openapi.json`: the description of the native API and AuthZEN's, for tools that make clients of it.

use hyper::{StatusCode, body::Bytes};

use super::{
    handler::RequestContext,
    response::{self, HttpError, HttpResponse},
};

/// The document, as OpenAPI 3.1 has it.
const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /openapi.json`.
#[expect(clippy::unnecessary_wraps, reason = "it is a handler like the others")]
pub(super) fn document(_: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    Ok(response::json_response(StatusCode::OK, Bytes::from_static(DOCUMENT.as_bytes())))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::DOCUMENT;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    found.push(to.clone());
                }
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn it_is_of_this_version_and_whole() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100);
        for to in found {
            let place = to.strip_prefix('#').expect("within the document");
            assert!(document.pointer(place).is_some(), "{to}");
        }
    }
}
