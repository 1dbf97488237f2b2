//! Outcomes of commands that were planned.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::request::text_enum;

/// The outcome of a planned command.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CommandOutcome {
    /// Whether it changed anything.
    pub changed: bool,
    /// The id of the rule that was put.
    pub rule_id: Option<Uuid>,
    /// The state of a friendship after a command that requests or answers it.
    pub state: Option<FriendState>,
}

text_enum! {
    /// The state of a friendship that was requested or answered.
    FriendState: "state" {
        Accepted = "accepted",
        /// The other user has not answered the request yet.
        Pending = "pending",
        Refused = "refused",
    }
}

impl CommandOutcome {
    /// The JSON of the native API.
    pub fn encode(&self) -> Value {
        let mut into = Map::new();
        into.insert("ok".to_owned(), true.into());
        into.insert("changed".to_owned(), self.changed.into());
        if let Some(id) = self.rule_id {
            into.insert("rule_id".to_owned(), id.to_string().into());
        }
        if let Some(state) = self.state {
            into.insert("state".to_owned(), state.as_str().into());
        }
        Value::Object(into)
    }
}

impl From<FriendState> for CommandOutcome {
    fn from(state: FriendState) -> Self {
        Self { state: Some(state), ..Self::default() }
    }
}
