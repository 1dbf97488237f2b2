use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    dialects::{NotWritten, Unread},
    facts::{Reason, Refusal},
};

/// Why a command is not carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Problem {
    code: Cow<'static, str>,
    /// What is wrong and what to do about it, where the code does not say it.
    message: Option<String>,
}

/// Why there is no answer but an error.
#[derive(Debug)]
pub(super) enum Stop {
    Problem(Problem),
    Unread(Unread),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Unread> for Stop {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

impl Problem {
    pub(super) fn of(code: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.into(), message: None }
    }

    /// Whether it refuses what somebody showed to sign in.
    pub(super) fn is_of_credential(&self) -> bool {
        matches!(&*self.code, "auth.invalid_token" | "auth.expired_token")
    }

    pub(super) fn because(self, message: &impl ToString) -> Self {
        Self { message: Some(message.to_string()), ..self }
    }

    /// Of a frame, or of what it holds.
    pub(super) fn malformed(message: &impl ToString) -> Self {
        Self::of("protocol.invalid_message").because(message)
    }

    /// Of what only some may do.
    pub(super) fn denied() -> Self {
        Self::of("auth.denied").because(&"Permission denied.")
    }

    pub(super) fn not_found() -> Self {
        Self::of("user.not_found")
    }

    /// Of doing it to oneself; `command` is what it is called.
    pub(super) fn oneself(command: &str) -> Self {
        Self::of(format!("{command}.self"))
    }

    /// That of a refusal of what a command asked for.
    pub(super) fn refused(command: &str, refusal: &Refusal) -> Self {
        match refusal.reason {
            Reason::OneSelf => Self::oneself(command),
            Reason::UnknownResource | Reason::UnknownSubject => Self::not_found(),
            Reason::Banned | Reason::Silenced | Reason::NotManager => Self::denied(),
            reason => Self::of(format!("user.{reason}")).because(&refusal.message),
        }
    }

    pub(super) fn not_written(why: &NotWritten) -> Self {
        let code = match why {
            NotWritten::NoStore(_) => "server.no_store",
            NotWritten::TooLarge(_) => "user.too_long",
            NotWritten::Contended(_) | NotWritten::Unavailable(_) => "server.unavailable",
        };
        Self::of(code).because(why)
    }

    /// As it stands in a frame.
    pub(super) fn encode(&self) -> Value {
        let mut into = Map::new();
        into.insert("code".to_owned(), self.code.as_ref().into());
        if let Some(message) = &self.message {
            into.insert("message".to_owned(), message.as_str().into());
        }
        Value::Object(into)
    }
}
