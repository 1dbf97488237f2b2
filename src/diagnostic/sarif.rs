//! SARIF 2.1.0 logs of reports, for code scanning.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use serde_json::{Value, json};

use super::{Code, LocatedDiagnostic, Report, SourceLocation};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The address of the crate's documentation once it is published; there is no other home page.
const HOME: &str = "https://docs.rs/peerage";

/// The base of relative paths, which the reader of the log knows.
const ROOT: &str = "%SRCROOT%";

/// The report in SARIF 2.1.0, which code scanning and editors read. `root` is the folder of the
/// repository; files below it are named from there.
pub fn render_sarif(report: &Report, root: &Path) -> Value {
    let codes: BTreeSet<Code> = report.diagnostics.iter().map(|found| found.code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let results = report.diagnostics.iter().map(|found| result(found, &codes, root));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "peerage",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": HOME,
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

/// The rule of a code, with its meaning and help: GitHub shows the help beside each finding.
fn rule(code: Code) -> Value {
    let meaning = code.meaning();
    let mut help = format!(
        "{meaning}\n\nEach finding names its place and, where one is known, the correction."
    );
    let mut markdown = format!("**{code}**: {help}");
    if Code::LINTS.contains(&code) {
        let once = format!("`# allow: {code}` (in a `.peerage` file `// allow: {code}`)");
        let all = format!("`lints: {{ allow: [{code}] }}`");
        let silence = format!(
            "\n\nIf it is meant: {once} at the end of the line or in the line above it silences it \
             there, {all} in the whole policy."
        );
        markdown.push_str(&silence);
        help.push_str(&silence.replace('`', "\""));
    }
    json!({
        "id": code.as_str(),
        "name": name(code),
        "shortDescription": { "text": meaning },
        "fullDescription": { "text": meaning },
        "help": { "text": help, "markdown": markdown },
        "helpUri": format!("{HOME}#{code}"),
    })
}

/// The code as SARIF wants names: `UnusedTag`.
fn name(code: Code) -> String {
    let words = code.as_str().split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    });
    words.collect()
}

fn result(found: &LocatedDiagnostic, codes: &[Code], root: &Path) -> Value {
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

fn location(place: &SourceLocation, root: &Path) -> Value {
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
