//! Names and descriptions, checked for what both notations can represent.

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    syntax::ast::Text,
};

/// A name that both notations can hold: 1 to 255 bytes without control characters. `whose` begins
/// what is said of another one.
pub(super) fn check_name(
    whose: &str,
    written: &Text<'_>,
    problems: &mut Diagnostics,
) -> Option<String> {
    let message = match written.value.chars().find(|c| c.is_control()) {
        Some(c) => control_character(whose, c),
        None if written.value.is_empty() => format!("{whose} can't be empty"),
        None if written.value.len() > 255 => {
            format!("{whose} has at most 255 bytes; this one has {}", written.value.len())
        }
        None => return Some(written.value.clone().into_owned()),
    };
    problems.push(Diagnostic::error(Code::InvalidText, written.span, message));
    None
}

/// A text that both notations can hold: without control characters but line breaks and tabs.
pub(super) fn check_description(
    whose: &str,
    written: &Text<'_>,
    problems: &mut Diagnostics,
) -> Option<String> {
    let is_refused = |c: &char| c.is_control() && !matches!(c, '\n' | '\t');
    let Some(c) = written.value.chars().find(is_refused) else {
        return Some(written.value.clone().into_owned());
    };
    problems.push(Diagnostic::error(Code::InvalidText, written.span, control_character(whose, c)));
    None
}

fn control_character(whose: &str, c: char) -> String {
    format!("{whose} can't hold the control character U+{:04X}", c as u32)
}
