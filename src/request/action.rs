use std::{fmt, str::FromStr};

use thiserror::Error;

/// What a subject wants to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// Start a new direct chat with a user.
    StartChat,
}

impl Action {
    /// Every action, in the order of the reference.
    pub const ALL: &[Self] = &[Self::StartChat];

    /// The name on the wire and in policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StartChat => "start_chat",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no action's.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("unknown action `{}`; known: {}", .0.escape_debug(), known())]
pub struct UnknownAction(pub String);

fn known() -> String {
    Action::ALL.iter().map(|action| action.as_str()).collect::<Vec<_>>().join(", ")
}

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(name: &str) -> Result<Self, UnknownAction> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.as_str() == name)
            .ok_or_else(|| UnknownAction(name.chars().take(64).collect()))
    }
}
