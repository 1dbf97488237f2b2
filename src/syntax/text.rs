//! The text of a file, decoded and checked before it is parsed.

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    source::{Source, SourceId, Span},
};

/// Whether a file has no bytes, which is a problem: nobody says nothing by that, and where a policy
/// says nothing, everything is allowed.
pub(super) fn report_empty(id: SourceId, source: &Source, problems: &mut Diagnostics) -> bool {
    let is_empty = source.bytes.is_empty() && !source.is_unread;
    if is_empty {
        problems.push(
            Diagnostic::error(Code::EmptyFile, Span::new(id, 0, 0), "the file is empty")
                .hint("write the policy, or remove the file"),
        );
    }
    is_empty
}

/// What is said of a file that was read without finding anything in it.
pub(super) fn no_statement(id: SourceId) -> Diagnostic {
    Diagnostic::warning(Code::NoStatement, Span::new(id, 0, 0), "the file has no statements")
        .hint("add a statement, or remove the file")
}

/// The text of a file, without a byte order mark's effect on places; `None`, and a problem, if it
/// is no text.
pub(super) fn decode<'s>(
    id: SourceId,
    source: &'s Source,
    problems: &mut Diagnostics,
) -> Option<&'s str> {
    if let Some(problem) = other_encoding(id, &source.bytes) {
        problems.push(problem);
        return None;
    }
    let text = match std::str::from_utf8(&source.bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let span = Span::new(id, at, at + error.error_len().unwrap_or(1));
            problems.push(
                Diagnostic::error(Code::InvalidUtf8, span, "the file is not UTF-8")
                    .label("invalid byte")
                    .hint("save the file as UTF-8"),
            );
            return None;
        }
    };
    if let Some(at) = source.bytes.iter().position(|&byte| byte == 0) {
        let span = Span::new(id, at, at + 1);
        problems.push(
            Diagnostic::error(Code::NulByte, span, "the file contains a NUL byte")
                .hint("a policy is plain text; check that the file is not a binary file"),
        );
        return None;
    }
    Some(text)
}

/// What is to be said of a file that is UTF-16, as some editors and spreadsheets write it, and nothing
/// else then: as UTF-8 all of it would be wrong.
pub(super) fn other_encoding(id: SourceId, bytes: &[u8]) -> Option<Diagnostic> {
    let name = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
        _ if has_halves(bytes, 0) => "UTF-16LE",
        _ if has_halves(bytes, 1) => "UTF-16BE",
        _ => return None,
    };
    let message = "the file is UTF-16, not UTF-8";
    let problem =
        Diagnostic::error(Code::InvalidUtf8, Span::new(id, 0, bytes.len().min(2)), message);
    Some(problem.hint(format!(
        "save the file as UTF-8, or convert it: `iconv -f {name} -t UTF-8 FILE > NEW`"
    )))
}

/// Whether the beginning has text in every second byte, from the first or the second, and NUL in the
/// others.
fn has_halves(bytes: &[u8], text: usize) -> bool {
    const LOOKED_AT: usize = 32;
    let head = bytes.get(..LOOKED_AT.min(bytes.len() & !1)).unwrap_or_default();
    let mut halves = head.iter().enumerate();
    head.len() >= 4 && halves.all(|(at, &byte)| (byte == 0) == (at % 2 != text))
}
