use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    source::{Source, SourceId, Span},
};

/// Whether a file has no bytes, which is a problem: nobody says nothing by that, and where a policy
/// says nothing, everything is allowed.
pub(super) fn is_empty(id: SourceId, source: &Source, problems: &mut Diagnostics) -> bool {
    let is_empty = source.bytes.is_empty() && !source.is_left_out;
    if is_empty {
        problems.push(
            Diagnostic::error(Code::EmptyFile, Span::new(id, 0, 0), "the file has 0 bytes").hint(
                "was it emptied, or is it still to be written? remove it if nothing is meant",
            ),
        );
    }
    is_empty
}

/// What is said of a file that was read without finding anything in it.
pub(super) fn no_statement(id: SourceId) -> Diagnostic {
    Diagnostic::warning(Code::NoStatement, Span::new(id, 0, 0), "the file states nothing")
        .hint("is something missing? remove the file if nothing is meant")
}

/// The text of a file, without a byte order mark's effect on places; `None`, and a problem, if it
/// is no text.
pub(super) fn of<'s>(
    id: SourceId,
    source: &'s Source,
    problems: &mut Diagnostics,
) -> Option<&'s str> {
    let text = match std::str::from_utf8(&source.bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let span = Span::new(id, at, at + error.error_len().unwrap_or(1));
            problems.push(
                Diagnostic::error(Code::InvalidUtf8, span, "the file is not UTF-8")
                    .label("this byte begins no character")
                    .hint("save the file as UTF-8"),
            );
            return None;
        }
    };
    if let Some(at) = source.bytes.iter().position(|&byte| byte == 0) {
        let span = Span::new(id, at, at + 1);
        problems.push(
            Diagnostic::error(Code::NulByte, span, "the file holds a NUL byte")
                .hint("a policy is plain text; was a binary file given this name?"),
        );
        return None;
    }
    Some(text)
}
