//! Diagnostics for policy authors: one type and its renderers.
//!
//! Invariant: it knows only `source`, and the comparison of names in `request`. A place is a field of a diagnostic, never a part of its text.

mod code;
mod github;
mod load_errors;
mod report;
mod sarif;
mod text;
mod window;

pub use code::Code;
pub use github::render_github;
pub use report::{LocatedDiagnostic, Report, SourceLocation};
pub use sarif::render_sarif;
pub use text::render_text;

pub use crate::request::{did_you_mean, suggest};
use crate::source::Span;

/// The severity of a diagnostic: an error keeps a policy from being compiled, a warning does not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    Error,
    Warning,
}

impl Severity {
    /// The stable text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A place in a file, with a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// One mistake. The message says what is wrong without its place, starts in lower case and has no
/// full stop; names that the author wrote are in backquotes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    /// The place; `None` only if no file is concerned, such as when none was found.
    pub primary: Option<Label>,
    /// Other places that help to understand it: where something was first defined.
    pub others: Vec<Label>,
    /// The correction, if one can be suggested.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: Some(Label { span, text: String::new() }),
            others: Vec::new(),
            hint: None,
        }
    }

    /// A warning at a place.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// An error that concerns no place in a file.
    pub fn global(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: None,
            others: Vec::new(),
            hint: None,
        }
    }

    /// Sets the text beside the caret.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(primary) = &mut self.primary {
            primary.text = text.into();
        }
        self
    }

    /// Adds a second place with a text.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.others.push(Label { span, text: text.into() });
        self
    }

    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(text.into());
        self
    }
}

/// The mistakes found so far. Keeps the first [`Diagnostics::MAX_KEPT`] and counts the rest, so that a
/// bulk file of nothing but mistakes can't fill the memory.
#[derive(Default, Debug)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    left_out: usize,
    left_out_errors: usize,
    errors: usize,
}

impl Diagnostics {
    /// The maximal number of kept diagnostics.
    pub const MAX_KEPT: usize = 10_000;

    /// The maximal length of a kept text in bytes: names in it may come from hostile files.
    const MAX_TEXT_LEN: usize = 1_000;

    pub fn push(&mut self, mut diagnostic: Diagnostic) {
        let error = usize::from(diagnostic.severity == Severity::Error);
        self.errors += error;
        if self.list.len() < Self::MAX_KEPT {
            let labels = diagnostic.primary.iter_mut().chain(&mut diagnostic.others);
            let texts = labels.map(|label| &mut label.text).chain(&mut diagnostic.hint);
            for text in texts.chain([&mut diagnostic.message]) {
                shorten(text, Self::MAX_TEXT_LEN);
            }
            self.list.push(diagnostic);
        } else {
            self.left_out += 1;
            self.left_out_errors += error;
        }
    }

    /// The number of errors and warnings.
    pub fn total(&self) -> usize {
        self.list.len() + self.left_out
    }

    /// The current state, for [`Self::rewind`].
    pub fn checkpoint(&self) -> Checkpoint {
        let Self { list, left_out, left_out_errors, errors } = self;
        Checkpoint {
            kept: list.len(),
            left_out: *left_out,
            left_out_errors: *left_out_errors,
            errors: *errors,
        }
    }

    /// Whether an error was found since the checkpoint.
    pub fn has_errors_since(&self, mark: &Checkpoint) -> bool {
        self.errors > mark.errors
    }

    /// Drops all diagnostics since the checkpoint: others replace them.
    pub fn rewind(&mut self, mark: &Checkpoint) {
        self.list.truncate(mark.kept);
        (self.left_out, self.left_out_errors) = (mark.left_out, mark.left_out_errors);
        self.errors = mark.errors;
    }

    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }

    pub fn errors(&self) -> usize {
        self.errors
    }

    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// The kept diagnostics in reading order, by file, place and code, those without a place first; and the
    /// number of the others.
    pub fn into_sorted(mut self) -> (Vec<Diagnostic>, usize) {
        self.list.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.primary.as_ref().map(|label| label.span), d.code);
            let place = |d: &Diagnostic| {
                d.primary.as_ref().map(|label| (label.span.source, label.span.start))
            };
            (place(a), key(a), &a.message).cmp(&(place(b), key(b), &b.message))
        });
        self.list.dedup();
        (self.list, self.left_out)
    }
}

/// The number of diagnostics at some time.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint {
    kept: usize,
    left_out: usize,
    left_out_errors: usize,
    errors: usize,
}

fn shorten(text: &mut String, most: usize) {
    if text.len() > most {
        let boundary = (0..=most).rfind(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(boundary);
        text.push('…');
        text.shrink_to_fit();
    }
}
