use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use serde_json::{Value, json};

use super::{Code, Located, Place, Report};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What files below the root are relative to; who reads the log knows where that is.
const ROOT: &str = "%SRCROOT%";

/// The report in SARIF 2.1.0, which code scanning and editors read. `root` is the folder of the
/// repository; files below it are named from there.
pub fn sarif(report: &Report, root: &Path) -> Value {
    let codes: BTreeSet<Code> = report.diagnostics.iter().map(|found| found.code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let results = report.diagnostics.iter().map(|found| result(found, &codes, root));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "peerage",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|&code| rule(code)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                ROOT: { "description": { "text": "The folder in which peerage was called." } },
            },
            "results": results.collect::<Vec<_>>(),
            "properties": { "leftOut": report.left_out },
        }],
    })
}

/// What a code means.
fn rule(code: Code) -> Value {
    json!({ "id": code.as_str(), "shortDescription": { "text": code.meaning() } })
}

fn result(found: &Located, codes: &[Code], root: &Path) -> Value {
    let mut text = found.message.clone();
    for more in found.place.iter().map(|place| &place.label).chain(&found.hint) {
        if !more.is_empty() {
            text.push('\n');
            text.push_str(more);
        }
    }
    let mut result = json!({
        "ruleId": found.code.as_str(),
        "ruleIndex": codes.binary_search(&found.code).unwrap_or_default(),
        "level": found.severity.as_str(),
        "message": { "text": text },
        "locations": found.place.iter().map(|place| location(place, root)).collect::<Vec<_>>(),
    });
    let related = found.others.iter().enumerate().map(|(at, place)| {
        let mut related = location(place, root);
        if let Some(fields) = related.as_object_mut() {
            fields.insert("id".to_owned(), at.into());
            fields.insert("message".to_owned(), json!({ "text": place.label }));
        }
        related
    });
    let related: Vec<Value> = related.collect();
    if let (Some(fields), false) = (result.as_object_mut(), related.is_empty()) {
        fields.insert("relatedLocations".to_owned(), related.into());
    }
    result
}

fn location(place: &Place, root: &Path) -> Value {
    let path = place.path_from(root);
    let artifact = if path.starts_with('/') {
        json!({ "uri": format!("file://{}", encoded(&path)) })
    } else {
        json!({ "uri": encoded(&path), "uriBaseId": ROOT })
    };
    json!({ "physicalLocation": {
        "artifactLocation": artifact,
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        },
    } })
}

/// A path as a URI has it.
fn encoded(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
