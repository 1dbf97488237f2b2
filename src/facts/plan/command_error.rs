//! Errors of commands that can't be carried out.

use std::fmt;

use serde_json::{Map, Value, json};

use super::{file_line::FileLine, hint::Hint, reason::RefusalReason};

/// An error of a command that can't be carried out: the reason, and what is known beside it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandError {
    pub reason: RefusalReason,
    /// The problem, without the hint.
    pub problem: String,
    pub hint: Option<Hint>,
    /// The declaration in a policy file that the command would change.
    pub place: Option<FileLine>,
    /// The first problem of a text of the command.
    pub text_problem: Option<Box<TextProblem>>,
    /// The user whose list is full.
    pub full_list_owner: Option<Box<str>>,
    /// Whether the `until` of the command is past, so that the command is malformed.
    pub ends_in_past: bool,
}

/// The first problem of a text, and where in the text it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextProblem {
    /// The problem, without its place.
    pub message: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line, and one below it with a caret.
    pub shown: String,
}

impl CommandError {
    pub fn new(reason: impl Into<RefusalReason>, problem: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            problem: problem.into(),
            hint: None,
            place: None,
            text_problem: None,
            full_list_owner: None,
            ends_in_past: false,
        }
    }

    /// Adds a hint at what to do about the problem.
    #[must_use]
    pub fn with_hint(self, hint: Hint) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// Adds the place of the problem in a text of the command.
    #[must_use]
    pub fn with_text_problem(self, problem: Option<TextProblem>) -> Self {
        Self { text_problem: problem.map(Box::new), ..self }
    }

    /// The error for something that a policy file states; `label` begins the message.
    pub(super) fn declared_in_file(label: &str, place: FileLine) -> Self {
        let problem = format!("{label} is stated in {}:{}", place.file, place.line);
        let error = Self::new(RefusalReason::StatedByFile, problem);
        Self { place: Some(place), ..error.with_hint(Hint::ChangePolicyFile) }
    }

    /// Adds the user whose list is full.
    pub(super) fn of_list_of(self, owner: &str) -> Self {
        Self { full_list_owner: Some(owner.into()), ..self }
    }

    /// The error for a command that was fine, in a batch of which another was refused.
    pub fn not_applied() -> Self {
        Self::new(RefusalReason::NotApplied, "another command of the batch was refused")
    }

    /// The problem and the hint, the latter as `render` words it.
    pub fn message_with<T: fmt::Display>(&self, render: impl FnOnce(&Hint) -> T) -> String {
        match &self.hint {
            Some(hint) => format!("{}; {}", self.problem, render(hint)),
            None => self.problem.clone(),
        }
    }

    /// The problem and the hint in the words of the native API.
    pub fn message(&self) -> String {
        self.message_with(Hint::native)
    }

    /// The JSON of the native API.
    pub fn encode(&self) -> Value {
        let mut into = Map::new();
        into.insert("ok".to_owned(), false.into());
        into.insert("reason".to_owned(), self.reason.as_str().into());
        into.insert("message".to_owned(), self.message().into());
        if let Some(FileLine { file, line }) = &self.place {
            into.insert("place".to_owned(), json!({ "file": file, "line": line }));
        }
        Value::Object(into)
    }
}

impl std::error::Error for CommandError {}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message())
    }
}
