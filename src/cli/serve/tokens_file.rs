//! The file of tokens: names, digests and scopes.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, Result, anyhow};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, LocatedDiagnostic, Report},
    request::suggest,
    serve::AccessToken,
    source::{Notation, Source, SourceId, Sources, Span},
    syntax::{
        self,
        yaml::{FlatEntry, FlatRecord},
    },
    wire::{AccessScope, AccessScopes},
};

/// The key of the list, and the fields of a token.
const LIST: &str = "tokens";
const FIELDS: &[&str] = &["name", "sha256", "scopes"];

/// The greatest length of a name, and the greatest number of tokens.
const MAX_NAME: usize = 64;
const MAX_TOKENS: usize = 1000;

/// Reads a file of tokens.
///
/// # Errors
/// If it can't be read, or has mistakes, each with its place.
pub(super) fn read(path: &Path) -> Result<Vec<AccessToken>> {
    let bytes =
        fs::read(path).with_context(|| format!("can't read the tokens in `{}`", path.display()))?;
    let sources = Sources::single(&path.to_string_lossy(), Notation::Yaml, bytes);
    let (mut tokens, mut problems) = (Vec::new(), Diagnostics::default());
    for file in sources.iter() {
        let records = syntax::parse_records(file, ("a token", LIST, FIELDS), &mut problems);
        tokens = token_list(file, &records, &mut problems);
    }
    let report = Report::new(problems, &sources);
    if report.errors == 0 {
        return Ok(tokens);
    }
    // The lines themselves are not shown: a token may be there by mistake.
    let lines: Vec<String> = report.diagnostics.iter().map(line).collect();
    Err(anyhow!("the tokens file has mistakes:\n{}", lines.join("\n")))
}

fn line(problem: &LocatedDiagnostic) -> String {
    let place = problem.place.as_ref();
    let place =
        place.map_or_else(String::new, |at| format!("{}:{}:{}: ", at.file, at.line, at.column));
    let hint = problem.hint.as_ref().map_or_else(String::new, |hint| format!("; help: {hint}"));
    format!("{place}{}{hint}", problem.message)
}

fn token_list(
    (id, _): (SourceId, &Source),
    records: &[FlatRecord<'_>],
    problems: &mut Diagnostics,
) -> Vec<AccessToken> {
    let mut names = BTreeSet::new();
    let mut tokens: Vec<AccessToken> = Vec::new();
    if records.is_empty() && !problems.has_errors() {
        let message = "the file lists no token";
        let place = Span::new(id, 0, 0);
        let hint = "write `tokens: [{ name: NAME, sha256: HEX, scopes: [decide] }]`";
        problems.push(Diagnostic::error(Code::MissingField, place, message).hint(hint));
    }
    if let Some(record) = records.get(MAX_TOKENS) {
        let message = format!("there are more than {MAX_TOKENS} tokens");
        problems.push(Diagnostic::error(Code::InvalidOption, record.span, message));
    }
    for record in records {
        let Some(token) = token(record, problems) else { continue };
        if !names.insert(token.name.clone()) {
            let message = format!("another token is named `{}`", token.name);
            problems.push(Diagnostic::error(Code::InvalidOption, record.span, message));
        } else if tokens.iter().any(|other| other.digest == token.digest) {
            let message = "another entry has the same token";
            problems.push(Diagnostic::error(Code::InvalidOption, record.span, message));
        } else {
            tokens.push(token);
        }
    }
    tokens
}

fn token(record: &FlatRecord<'_>, problems: &mut Diagnostics) -> Option<AccessToken> {
    let name = single(record, "name", problems).filter(|(name, span)| {
        let is_name = (1..=MAX_NAME).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:@/".contains(&byte));
        if !is_name {
            let message = format!(
                "the name of a token has up to {MAX_NAME} letters, digits, `-`, `_`, `.`, `:`, `@` and `/`"
            );
            problems.push(Diagnostic::error(Code::InvalidOption, *span, message));
        }
        is_name
    });
    let digest = single(record, "sha256", problems).and_then(|(digest, span)| {
        let digest = digest.parse();
        if digest.is_err() {
            let message = "`sha256` is not the SHA-256 of a token in 64 hexadecimal digits";
            let hint = "get it by `printf %s TOKEN | sha256sum`";
            problems.push(Diagnostic::error(Code::InvalidOption, span, message).hint(hint));
        }
        digest.ok()
    });
    let scopes = field(record, "scopes", problems).and_then(|entry| scopes(entry, problems));
    let ((name, _), digest, scopes) = (name?, digest?, scopes?);
    Some(AccessToken { name: name.into(), digest, scopes })
}

fn scopes(entry: &FlatEntry<'_>, problems: &mut Diagnostics) -> Option<AccessScopes> {
    let known = AccessScope::ALL.map(AccessScope::as_str);
    let mut found = Some(Vec::new());
    for text in &entry.values {
        let scope = AccessScope::from_name(&text.value);
        if scope.is_none() {
            let message = format!(
                "there is no scope `{}`; {}",
                text.value.escape_debug(),
                suggest(&text.value, known)
            );
            problems.push(Diagnostic::error(Code::InvalidOption, text.span, message));
        }
        found = found.zip(scope).map(|(mut scopes, scope): (Vec<AccessScope>, _)| {
            scopes.push(scope);
            scopes
        });
    }
    if entry.values.is_empty() {
        let span = entry.list.unwrap_or(entry.key.span);
        let message = format!("the token has no scope; add some of {}", known.join(", "));
        problems.push(Diagnostic::error(Code::InvalidOption, span, message));
        return None;
    }
    found.map(|scopes| scopes.into_iter().collect())
}

fn field<'r, 's>(
    record: &'r FlatRecord<'s>,
    name: &str,
    problems: &mut Diagnostics,
) -> Option<&'r FlatEntry<'s>> {
    let found = record.entries.iter().find(|entry| entry.key.value == name);
    if found.is_none() {
        let message = format!("the token has no `{name}`");
        problems.push(Diagnostic::error(Code::MissingField, record.span, message));
    }
    found
}

/// The single value of a field.
fn single<'r>(
    record: &'r FlatRecord<'_>,
    name: &str,
    problems: &mut Diagnostics,
) -> Option<(&'r str, Span)> {
    let entry = field(record, name, problems)?;
    match (&*entry.values, entry.list) {
        ([value], None) => Some((&*value.value, value.span)),
        (_, list) => {
            let message = format!("`{name}` takes one value");
            let span = list.unwrap_or(entry.key.span);
            problems.push(Diagnostic::error(Code::WrongType, span, message));
            None
        }
    }
}
