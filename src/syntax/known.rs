use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::ast::Text,
};

/// A name that is none of those that are known in its place, told as `lead` and the name; the hint
/// has those that are known, and which of them is most like it.
pub(super) fn unknown(code: Code, lead: &str, name: &Text<'_>, known: &[&str]) -> Diagnostic {
    let problem = Diagnostic::error(code, name.span, format!("{lead} {}", quoted(&name.value)));
    let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    problem.hint(match nearest(&name.value, known) {
        Some(near) => format!("did you mean `{near}`? known: {list}"),
        None => format!("known: {list}"),
    })
}

/// The key of a field that was given before; the first one counts.
pub(super) fn repeated(code: Code, what: &str, again: &Text<'_>, first: Span) -> Diagnostic {
    let message = format!("the {what} {} is given twice", quoted(&again.value));
    Diagnostic::error(code, again.span, message)
        .also(first, "first given here")
        .hint("remove one of them, or merge the two")
}

/// The known name that is most like it, if one is like it at all.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let head: String = name.chars().take(64).flat_map(char::to_lowercase).collect();
    let like = |known: &str| strsim::jaro_winkler(&head, known);
    let best = known.iter().copied().max_by(|a, b| like(a).total_cmp(&like(b)))?;
    (like(best) > 0.8).then_some(best)
}

/// A text of the author in backquotes: on one line, and cut if it is long.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let head: String = text.chars().take(MOST).collect();
    let more = if head.len() < text.len() { "..." } else { "" };
    format!("`{}{more}`", head.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'"))
}
