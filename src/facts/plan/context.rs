//! The state that commands are planned against.

use serde_json::Value;
use uuid::Uuid;

use super::{command_error::CommandError, file_line::FileLine};
use crate::{
    facts::{PermissionKey, Record, RecordKey, UnixMillis, Version},
    request::{Approval, BlockMode, Decision, Limits, Relation, Request, Switch},
};

/// The state that commands are planned against, records aside: the known users and groups, what files
/// state, what the policy sets.
///
/// It includes the changes of the commands that were planned before in the same batch, and is of the
/// same revision as the [`RecordSource`].
pub trait PlanContext {
    /// Whether a file states the user, or the API created them.
    fn knows_user(&self, id: &str) -> bool;

    /// Whether a file states the group, or the API created it.
    fn knows_group(&self, id: &str) -> bool;

    /// The declaration of this in a policy file, if there is one.
    fn declaration(&self, what: &Declarable<'_>) -> Option<Declaration>;

    /// The number of a user's friends, by files and records; only known users count, here and below.
    fn friend_count(&self, user: &str) -> usize;

    /// The number of users whom a user blocks, by files and records.
    fn blocked_count(&self, user: &str) -> usize;

    /// The number of a group's members, by files and records.
    fn member_count(&self, group: &str) -> usize;

    /// The number of a group's super admins, by files and records.
    fn super_admin_count(&self, group: &str) -> usize;

    /// Whether a user may come to a group: it requires nobody in it, somebody in it meets the condition, or
    /// the user does.
    fn meets_requirement(&self, group: &str, user: &str) -> bool;

    /// Whether a user is the only one in a group who meets the condition that someone there must meet.
    fn is_last_required(&self, group: &str, user: &str) -> bool;

    /// The records that name a user.
    fn references(&self, user: &str) -> References;

    /// The rule of this name, of a file or the API.
    fn rule_by_name(&self, name: &str) -> Option<Uuid>;

    fn settings(&self) -> PlanSettings;

    /// Checks a tag.
    ///
    /// # Errors
    /// `invalid` if it does not have the form that the policy's preset requires; `unknown_tag` if it
    /// is not declared.
    fn check_tag(&self, tag: &str) -> Result<(), CommandError>;

    /// Whether only policy files and administrators give this tag to users, or take it away.
    fn is_protected_tag(&self, tag: &str) -> bool;

    /// Checks the name of a matrix.
    ///
    /// # Errors
    /// `unknown_matrix`, with the known ones as a hint.
    fn check_matrix(&self, name: &str) -> Result<(), CommandError>;

    /// Checks the name of a declared action.
    ///
    /// # Errors
    /// `invalid`, with the known ones and the built-in switches as a hint.
    fn check_declared_action(&self, name: &str) -> Result<(), CommandError>;

    /// Checks the name of a declared action that users accept from audiences.
    ///
    /// # Errors
    /// `invalid`, with the actions that there are as a hint.
    fn check_accepted_action(&self, name: &str) -> Result<(), CommandError>;

    /// Checks the name of an audience.
    ///
    /// # Errors
    /// `unknown_audience`, with the known ones as a hint.
    fn check_audience(&self, name: &str) -> Result<(), CommandError>;

    /// Checks the name of an audience that is to be a peers mode.
    ///
    /// # Errors
    /// `unknown_audience`, with the known modes and audiences as a hint.
    fn check_peers_audience(&self, name: &str) -> Result<(), CommandError>;

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

    /// A new id, greater than those before.
    fn new_id(&self) -> Uuid;
}

/// A source of records, of the same revision as the [`PlanContext`] but without the batch's changes.
pub trait RecordSource {
    type Error;

    /// The record of this key and its version, if there is one.
    ///
    /// # Errors
    /// If it can't be read.
    fn get(&self, key: &RecordKey) -> Result<Option<(Version, Record)>, Self::Error>;
}

/// An item that a policy file may declare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Declarable<'a> {
    User(&'a str),
    UserField(&'a str, UserField),
    /// A user's switch of a declared action, by the name of the action.
    OwnSwitch(&'a str, &'a str),
    /// A relation of one user to another. A declared favorite is not a declared contact.
    Edge(&'a str, Relation, &'a str),
    Group(&'a str),
    Matrix(&'a str),
    Creator(&'a str),
    /// A member of a group: the group, and the user.
    Member(&'a str, &'a str),
    /// A mute in a group: the group, and the user.
    GroupMute(&'a str, &'a str),
    /// A ban from a group: the group, and the user.
    GroupBan(&'a str, &'a str),
    /// The condition that someone in a group must meet.
    Requirement(&'a str),
    /// A conversation of two users, in either order.
    Conversation(&'a str, &'a str),
    Rule(Uuid),
}

/// A field of a user that a policy file states as a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserField {
    Tags,
    Peers,
    Switch(Switch),
    Moderation,
    Approval,
    Accepts,
}

/// A declaration in a policy file: the value and the place.
#[derive(Clone, PartialEq, Debug)]
pub struct Declaration {
    pub place: FileLine,
    /// The value of a field as a record holds it, with tags in order and conditions in canonical
    /// text; the role of a member; `null` for everything else.
    pub value: Value,
}

/// The references to a user in records.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct References {
    /// Users who have a relation to the user, or a pending request from them.
    pub users: Vec<String>,
    /// Groups of which the user is a member or the creator, or which mute or ban them.
    pub groups: Vec<String>,
    /// The other users of the user's conversations.
    pub conversations: Vec<String>,
}

/// The settings of a policy that commands depend on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlanSettings {
    pub limits: Limits,
    /// The default approval, for users whose file and record set none.
    pub approval: Approval,
    /// Which blocks prevent friendships.
    pub blocks: BlockMode,
    /// Whether a block ends a friendship on both sides.
    pub blocks_end_friendship: bool,
}
