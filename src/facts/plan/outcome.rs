use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::FileLine;
use crate::request::{self, text_enum};

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

/// Why a command can't be carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct CommandError {
    pub reason: Reason,
    /// What is wrong and what to do about it.
    pub message: String,
    /// Where a file states what the command would change.
    pub place: Option<FileLine>,
    /// Where a text of the command is wrong.
    pub text_problem: Option<Box<TextProblem>>,
    /// Whose list it is that is full.
    pub full_list_owner: Option<Box<str>>,
}

/// What is first wrong with a text, and where in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextProblem {
    /// What is wrong, without where.
    pub message: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line, and one below it with a caret.
    pub shown: String,
}

text_enum! {
    /// Why a command can't be carried out. The codes are stable.
    Reason: "reason" {
        UnknownSubject = "unknown_subject",
        UnknownResource = "unknown_resource",
        OneSelf = "self",
        Banned = "banned",
        Silenced = "silenced",
        NotManager = "not_manager",
        OutgoingOff = "outgoing_off",
        IncomingOff = "incoming_off",
        PermissionOff = "permission_off",
        BlockedByResource = "blocked_by_resource",
        BlockedBySubject = "blocked_by_subject",
        PeersSubject = "peers_subject",
        PeersResource = "peers_resource",
        NoRule = "no_rule",
        AlreadyFriends = "already_friends",
        RequestsRefused = "requests_refused",
        FriendListFull = "friend_list_full",
        NotMember = "not_member",
        NeedsAdmin = "needs_admin",
        NeedsSuperAdmin = "needs_super_admin",
        DeniedByMatrix = "denied_by_matrix",
        SuperAdminProtected = "super_admin_protected",
        LastSuperAdmin = "last_super_admin",
        LastMember = "last_member",
        GroupFull = "group_full",
        /// A policy file states it.
        StatedByFile = "stated_by_file",
        UnknownTag = "unknown_tag",
        /// Only policy files and administrators give or take it.
        ProtectedTag = "protected_tag",
        UnknownMatrix = "unknown_matrix",
        UnknownRule = "unknown_rule",
        BlockListFull = "block_list_full",
        FriendListsFull = "friend_lists_full",
        NotFriends = "not_friends",
        /// Nobody asked for the friendship that is accepted or refused.
        NoRequest = "no_request",
        /// A group would have members, but no super admin.
        NoSuperAdmin = "no_super_admin",
        /// The group that was to be made is there.
        GroupExists = "group_exists",
        /// Another rule has the name.
        NameTaken = "name_taken",
        InvalidCondition = "invalid_condition",
        InvalidValue = "invalid_value",
        TooLong = "too_long",
        TooMany = "too_many",
        /// A text is not of the form that it must have.
        Invalid = "invalid",
        /// The user who was to be deleted if unused is not.
        InUse = "in_use",
        /// Another command of the batch was refused.
        NotApplied = "not_applied",
    }
}

/// That of a decision to deny.
impl From<request::Reason> for Reason {
    fn from(reason: request::Reason) -> Self {
        // Each has the same code here; that none is missing is tested.
        reason.as_str().parse().unwrap_or(Self::Invalid)
    }
}

impl CommandError {
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            place: None,
            text_problem: None,
            full_list_owner: None,
        }
    }

    /// The same, with where in a text it is.
    #[must_use]
    pub fn with_text_problem(self, spot: Option<TextProblem>) -> Self {
        Self { text_problem: spot.map(Box::new), ..self }
    }

    /// Of what a file states at this place; `what` begins the message.
    pub(super) fn declared_in_file(what: &str, place: FileLine) -> Self {
        let message = format!("{what} is stated in {}:{}; change it there", place.file, place.line);
        Self { place: Some(place), ..Self::new(Reason::StatedByFile, message) }
    }

    /// Of a list that is full.
    pub(super) fn list_full(reason: Reason, whose: &str, message: String) -> Self {
        Self { full_list_owner: Some(whose.into()), ..Self::new(reason, message) }
    }

    /// Of a command that was fine, but another of its batch was not.
    pub fn not_applied() -> Self {
        Self::new(Reason::NotApplied, "another command of the batch was refused")
    }

    /// As it is answered.
    pub fn encode(&self) -> Value {
        let mut into = Map::new();
        into.insert("ok".to_owned(), false.into());
        into.insert("reason".to_owned(), self.reason.as_str().into());
        into.insert("message".to_owned(), self.message.as_str().into());
        if let Some(FileLine { file, line }) = &self.place {
            into.insert("place".to_owned(), json!({ "file": file, "line": line }));
        }
        Value::Object(into)
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
