use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    source::{Source, SourceId, Span},
};

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
