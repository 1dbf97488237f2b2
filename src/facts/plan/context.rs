use serde_json::Value;
use uuid::Uuid;

use super::CommandError;
use crate::{
    facts::{PermissionKey, Record, RecordKey, UnixMillis, Version},
    request::{Approval, BlockMode, Decision, Limits, Relation, Request, Switch},
};

/// What is so now, as far as it is not a record: who is known, what files state, what a policy sets.
///
/// It is up to date with the commands that were planned before in the same batch, and as of the same
/// state as the [`RecordSource`].
pub trait PlanContext {
    /// Whether a file states the user, or a record made him.
    fn knows_user(&self, id: &str) -> bool;

    /// Whether a file states the group, or a record made it.
    fn knows_group(&self, id: &str) -> bool;

    /// What files state of this, if they do.
    fn declaration(&self, what: &Declarable<'_>) -> Option<Declaration>;

    /// How many friends a user has, by files and records; those count who are known. So also below.
    fn friend_count(&self, user: &str) -> usize;

    /// How many users he blocks, by files and records.
    fn blocked_count(&self, user: &str) -> usize;

    /// How many members a group has, by files and records.
    fn member_count(&self, group: &str) -> usize;

    /// How many of them are super admins.
    fn super_admin_count(&self, group: &str) -> usize;

    /// Where records name a user.
    fn references(&self, user: &str) -> References;

    /// The rule that has this name, whoever made it.
    fn rule_by_name(&self, name: &str) -> Option<Uuid>;

    fn settings(&self) -> PlanSettings;

    /// Whether a tag may be named.
    ///
    /// # Errors
    /// `invalid` if it has not the form that the policy's preset asks for; `unknown_tag`, saying which
    /// was likely meant.
    fn check_tag(&self, tag: &str) -> Result<(), CommandError>;

    /// Whether only files and administrators give this tag to users, or take it.
    fn is_protected_tag(&self, tag: &str) -> bool;

    /// Whether there is a matrix of this name.
    ///
    /// # Errors
    /// `unknown_matrix`, saying which there are.
    fn check_matrix(&self, name: &str) -> Result<(), CommandError>;

    /// The canonical text of a condition.
    ///
    /// # Errors
    /// `invalid_condition` or `unknown_tag`, saying what is wrong and where in the text.
    fn canonical_condition(&self, text: &str) -> Result<String, CommandError>;

    /// The canonical text of a value that a matrix may give to a permission.
    ///
    /// # Errors
    /// `invalid_value` or `unknown_tag`, saying what is wrong and where in the text.
    fn canonical_matrix_value(
        &self,
        permission: &PermissionKey,
        text: &str,
    ) -> Result<String, CommandError>;

    fn decide(&self, request: &Request<'_>) -> Decision;

    fn now(&self) -> UnixMillis;

    /// Another one each time.
    fn new_id(&self) -> Uuid;
}

/// The records there are, as of the same state as the [`PlanContext`] but without what the batch changed.
pub trait RecordSource {
    type Error;

    /// # Errors
    /// If it can't be read.
    fn get(&self, key: &RecordKey) -> Result<Option<(Version, Record)>, Self::Error>;
}

/// Something that a file may state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Declarable<'a> {
    User(&'a str),
    UserField(&'a str, UserField),
    /// A favorite that is stated is no contact that is stated.
    Edge(&'a str, Relation, &'a str),
    Group(&'a str),
    Matrix(&'a str),
    Creator(&'a str),
    /// A member of a group: the group, and the user.
    Member(&'a str, &'a str),
    /// In whatever order.
    Conversation(&'a str, &'a str),
    Rule(Uuid),
}

/// A field of a user that files state or don't, as one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserField {
    Tags,
    Peers,
    Switch(Switch),
    Moderation,
    Approval,
}

/// What files state.
#[derive(Clone, PartialEq, Debug)]
pub struct Declaration {
    pub place: FileLine,
    /// Of a field, what it is set to, as a record holds it, the tags in order and conditions in
    /// canonical text; of a member, his role; of others `null`.
    pub value: Value,
}

/// Where a file states something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileLine {
    pub file: String,
    /// From 1.
    pub line: usize,
}

/// Those whose records name a user, and conversations that he has, by records.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct References {
    /// Users who have an edge to him, or a request from him.
    pub users: Vec<String>,
    /// Groups that he is a member of or made.
    pub groups: Vec<String>,
    /// The others with whom he has a conversation.
    pub conversations: Vec<String>,
}

/// What a policy sets that commands heed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlanSettings {
    pub limits: Limits,
    /// What a user's approval is if nothing states it.
    pub approval: Approval,
    /// Whom a block stops from friendship.
    pub blocks: BlockMode,
    /// Whether a block ends a friendship, on both sides.
    pub blocks_end_friendship: bool,
}
