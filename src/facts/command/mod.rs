//! Commands: requested changes of facts, from JSON and back.
//!
//! A command is well-formed, and no more: whether what it names exists, and may be changed, is
//! checked when it is planned.

mod codec;
mod element_terms;
mod error;
mod field_terms;
mod fields;
mod names;
mod restore;
mod terms;

pub use codec::{Nullable, Patch};
pub use error::CommandSyntaxError;
pub use field_terms::{FieldTerms, GroupFieldTerms};
pub use fields::{
    ByUser, FriendFields, GroupFields, PermissionKey, RequestFields, SwitchKey, UserFields,
};
pub use names::{Id, TagName};
pub use terms::{CommandEnd, CommandTerms, LONGEST_REASON};

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    facts::UnixMillis,
    request::{suggest, text_enum},
};
use codec::{CommandFields, FieldCodec, SyntaxErrors, ValueCodec, text_codec, type_error};
use element_terms::{take_group_terms, take_terms};
use field_terms::TakenTerms;

/// The greatest number of commands in a batch.
pub const MOST_COMMANDS: usize = 1000;

/// A requested change.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    pub op: Op,
    /// The acting user, who must be allowed to run the command; without one, the command is an
    /// administrator's.
    pub on_behalf: Option<Id>,
    /// The terms of what the command states, for the operations that take some.
    pub terms: CommandTerms,
}

text_enum! {
    /// A relation that one user sets alone.
    UnilateralRelation: "kind" {
        Contact = "contact",
        Favorite = "favorite",
        Pair = "pair",
    }
}

/// The two users of a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserPair(pub Id, pub Id);

/// Defines the operations, with their names and fields.
macro_rules! ops {
    ($($(#[$meta:meta])* $name:ident = $word:literal { $($field:ident: $kind:ty),+ $(,)? })+) => {
        /// An operation of a command.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Op {
            $($(#[$meta])* $name { $($field: $kind),+ },)+
        }

        impl Op {
            /// The names of all operations, in the order of the reference.
            pub const NAMES: &[&str] = &[$($word),+];

            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $word,)+
                }
            }

            /// Decodes the operation of this name, with all of its fields; `None` for an unknown
            /// name.
            fn decode(name: &str, from: &mut CommandFields<'_>) -> Option<Option<Self>> {
                match name {
                    $($word => {
                        $(let $field = <$kind as FieldCodec>::decode(from, stringify!($field));)+
                        let whole = || Some(Self::$name { $($field: $field?),+ });
                        Some(whole())
                    })+
                    _ => None,
                }
            }

            fn encode(&self, into: &mut Map<String, Value>) {
                match self {
                    $(Self::$name { $($field),+ } => {
                        $($field.encode(stringify!($field), into);)+
                    })+
                }
            }
        }
    };
}

ops! {
    /// Creates the user if they are not known.
    PutUser = "put_user" { user: Id, fields: Box<UserFields> }
    /// With `only_unused`, refused if more than attributes is known of the user.
    DeleteUser = "delete_user" { user: Id, only_unused: Option<bool> }
    AddTags = "add_tags" { user: Id, tags: BTreeSet<TagName> }
    RemoveTags = "remove_tags" { user: Id, tags: BTreeSet<TagName> }
    Ban = "ban" { user: Id }
    Silence = "silence" { user: Id }
    Shadow = "shadow" { user: Id }
    Reactivate = "reactivate" { user: Id }
    Block = "block" { from: Id, to: Id }
    Unblock = "unblock" { from: Id, to: Id }
    Relate = "relate" { kind: UnilateralRelation, from: Id, to: Id }
    Unrelate = "unrelate" { kind: UnilateralRelation, from: Id, to: Id }
    /// `both` defaults to true.
    RequestFriend = "request_friend" { from: Id, to: Id, both: Option<bool>, fields: Box<FriendFields> }
    /// `from` is the sender of the request, `to` the one who accepts it.
    AcceptFriend = "accept_friend" { from: Id, to: Id }
    /// `from` is the sender of the request, `to` the one who refuses it.
    RefuseFriend = "refuse_friend" { from: Id, to: Id }
    /// `both` defaults to true; `approved` skips approval, and `force` blocks too.
    AddFriend = "add_friend" {
        from: Id,
        to: Id,
        both: Option<bool>,
        approved: Option<bool>,
        force: Option<bool>,
        fields: Box<FriendFields>,
    }
    /// `both` defaults to false.
    DeleteFriend = "delete_friend" { from: Id, to: Id, both: Option<bool> }
    UpdateFriend = "update_friend" { from: Id, to: Id, fields: Box<FriendFields> }
    AddFriendList = "add_friend_list" { user: Id, list: String }
    DeleteFriendList = "delete_friend_list" { user: Id, list: String }
    /// Creates the group if it is not known.
    PutGroup = "put_group" { group: Id, fields: Box<GroupFields> }
    DeleteGroup = "delete_group" { group: Id }
    AddMember = "add_member" { group: Id, member: Id }
    /// Decided as the member's own, also where somebody else sends it.
    Join = "join" { group: Id, member: Id }
    RemoveMember = "remove_member" { group: Id, member: Id }
    AddAdmin = "add_admin" { group: Id, member: Id }
    RemoveAdmin = "remove_admin" { group: Id, member: Id }
    AddSuperAdmin = "add_super_admin" { group: Id, member: Id }
    RemoveSuperAdmin = "remove_super_admin" { group: Id, member: Id }
    MuteMember = "mute_member" { group: Id, member: Id }
    UnmuteMember = "unmute_member" { group: Id, member: Id }
    /// Removes the user from the group, too.
    BanMember = "ban_member" { group: Id, member: Id }
    UnbanMember = "unban_member" { group: Id, member: Id }
    /// `null` removes the field.
    UpdateMetadata = "update_metadata" { group: Id, field: String, value: Value }
    /// `null` removes the permission, so that the matrix decides.
    UpdatePermissions = "update_permissions" {
        group: Id, permission: PermissionKey, value: Nullable<String>,
    }
    OpenConversation = "open_conversation" { users: UserPair, since: Option<UnixMillis> }
    CloseConversation = "close_conversation" { users: UserPair }
    /// Creates or replaces the rule; without `rule_id`, creates one with a new id.
    PutRule = "put_rule" {
        rule_id: Option<Uuid>,
        condition: String,
        outcome: Vec<TagName>,
        description: Option<String>,
        name: Option<String>,
    }
    DeleteRule = "delete_rule" { rule_id: Uuid }
}

text_codec! {
    UnilateralRelation: "a kind", str::parse::<UnilateralRelation>;
}

impl ValueCodec for UserPair {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        let ids: Vec<Id> = Vec::from_json(value, field, errors)?;
        match <[Id; 2]>::try_from(ids) {
            Ok([one, other]) => Some(Self(one, other)),
            Err(ids) => errors.report(field, format!("expected two users, found {}", ids.len())),
        }
    }

    fn to_json(&self) -> Value {
        [&self.0, &self.1].into_iter().map(ValueCodec::to_json).collect()
    }
}

impl Command {
    /// Decodes the commands of a batch.
    ///
    /// # Errors
    /// All errors of all commands.
    pub fn decode(batch: &[Value]) -> Result<Vec<Self>, Vec<CommandSyntaxError>> {
        if batch.len() > MOST_COMMANDS {
            let message = format!(
                "a batch can have at most {MOST_COMMANDS} commands; this has {}",
                batch.len()
            );
            return Err(vec![CommandSyntaxError {
                index: MOST_COMMANDS,
                field: String::new(),
                message,
            }]);
        }
        let mut errors = SyntaxErrors { index: 0, found: Vec::new() };
        let mut commands = Vec::with_capacity(batch.len());
        for (index, value) in batch.iter().enumerate() {
            errors.index = index;
            commands.extend(Self::from_json(value, &mut errors));
        }
        if errors.found.is_empty() { Ok(commands) } else { Err(errors.found) }
    }

    fn from_json(value: &Value, errors: &mut SyntaxErrors) -> Option<Self> {
        let Value::Object(given) = value else {
            return type_error("an object with `op`", value, "", errors);
        };
        let op = match given.get("op") {
            None => return errors.report("op", "required field is missing"),
            Some(op) => String::from_json(op, "op", errors)?,
        };
        let known = vec!["op".to_owned()];
        let (mut without_terms, mut terms) = (None, TakenTerms::default());
        if op == "put_user" || op == "put_group" {
            let mut fields = given.clone();
            if op == "put_user" {
                terms.user = take_terms(&mut fields, errors);
            } else {
                terms.group = take_group_terms(&mut fields, errors);
            }
            without_terms = Some(fields);
        }
        let object = without_terms.as_ref().unwrap_or(given);
        let mut fields = CommandFields { object, known, errors, terms };
        let Some(read) = Op::decode(&op, &mut fields) else {
            let found: String = op.chars().take(64).collect();
            let known = suggest(&found, Op::NAMES.iter().copied());
            let message = format!("unknown op `{}`; {known}", found.escape_debug());
            return errors.report("op", message);
        };
        let on_behalf = fields.optional("as");
        let terms = if CommandTerms::is_taken_by(&op) {
            CommandTerms::decode(&mut fields, "")
        } else {
            Some(CommandTerms::default())
        };
        fields.reject_unknown();
        Some(Self { op: read?, on_behalf: on_behalf?, terms: terms? })
    }

    /// Encodes the command as [`decode`](Self::decode) reads it.
    pub fn encode(&self) -> Value {
        let mut into = Map::new();
        into.insert("op".to_owned(), self.op.name().into());
        self.op.encode(&mut into);
        self.terms.encode("", &mut into);
        self.on_behalf.encode("as", &mut into);
        Value::Object(into)
    }
}

/// A command of an administrator.
impl From<Op> for Command {
    fn from(op: Op) -> Self {
        Self { op, on_behalf: None, terms: CommandTerms::default() }
    }
}
