//! Outcomes of commands that were planned.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::request::text_enum;

/// What came of a command that was planned.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CommandOutcome {
    /// Whether it changed anything.
    pub changed: bool,
    /// Of the rule that was put.
    pub rule_id: Option<Uuid>,
    /// What became of a friendship that was asked for.
    pub state: Option<FriendState>,
}

text_enum! {
    /// What became of a friendship that was asked for.
    FriendState: "state" {
        Accepted = "accepted",
        /// It waits for the answer of the one who was asked.
        Pending = "pending",
        Refused = "refused",
    }
}

impl CommandOutcome {
    /// As it is answered.
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
