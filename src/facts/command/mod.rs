//! Commands: what is asked to be changed, from JSON and back.
//!
//! What they name is of the right form, and nothing more is known of it: whether it is there, and
//! whether it may be changed, is found out when they are planned.

mod fields;
mod names;
mod part;
mod restore;

pub use fields::{ByUser, FriendFields, GroupFields, PermissionKey, RequestFields, UserFields};
pub use names::{Id, TagName};
pub use part::{Nullable, Patch};

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    facts::UnixMillis,
    request::{describe_choices, text_enum},
};
use part::{Fields, Part, Problems, Scalar, expected, texts};

/// How many commands a batch holds at most.
pub const MOST_COMMANDS: usize = 1000;

/// A change that is asked for.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    pub op: Op,
    /// On whose behalf: then it is decided first whether he may. Without, it is an administrator's.
    pub on_behalf: Option<Id>,
}

/// What is wrong with a field of a command that can't be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("command {index}: `{}`: {message}", .field.escape_debug())]
pub struct CommandSyntaxError {
    /// Which of the batch, from 0.
    pub index: usize,
    /// Empty if it is about all of it.
    pub field: String,
    pub message: String,
}

text_enum! {
    /// An edge that a user draws to another by himself.
    Bond: "kind" {
        Contact = "contact",
        Favorite = "favorite",
        Pair = "pair",
    }
}

/// The two users of a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserPair(pub Id, pub Id);

/// The operations: the name of each, and its fields.
macro_rules! ops {
    ($($(#[$meta:meta])* $name:ident = $word:literal { $($field:ident: $kind:ty),+ $(,)? })+) => {
        /// What is to be done.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Op {
            $($(#[$meta])* $name { $($field: $kind),+ },)+
        }

        impl Op {
            /// The names of all, in the order of the reference.
            pub const NAMES: &[&str] = &[$($word),+];

            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $word,)+
                }
            }

            /// Those that have this name take their fields, of which all are asked for; `None` for a
            /// name that there is none of.
            fn take(name: &str, from: &mut Fields<'_>) -> Option<Option<Self>> {
                match name {
                    $($word => {
                        $(let $field = <$kind as Part>::take(from, stringify!($field));)+
                        let whole = || Some(Self::$name { $($field: $field?),+ });
                        Some(whole())
                    })+
                    _ => None,
                }
            }

            fn give(&self, into: &mut Map<String, Value>) {
                match self {
                    $(Self::$name { $($field),+ } => {
                        $($field.give(stringify!($field), into);)+
                    })+
                }
            }
        }
    };
}

ops! {
    /// Makes the user if he isn't known.
    PutUser = "put_user" { user: Id, fields: Box<UserFields> }
    /// With `only_unused`, refused if more is known of the user than attributes.
    DeleteUser = "delete_user" { user: Id, only_unused: Option<bool> }
    AddTags = "add_tags" { user: Id, tags: BTreeSet<TagName> }
    RemoveTags = "remove_tags" { user: Id, tags: BTreeSet<TagName> }
    Ban = "ban" { user: Id }
    Silence = "silence" { user: Id }
    Reactivate = "reactivate" { user: Id }
    Block = "block" { from: Id, to: Id }
    Unblock = "unblock" { from: Id, to: Id }
    Relate = "relate" { kind: Bond, from: Id, to: Id }
    Unrelate = "unrelate" { kind: Bond, from: Id, to: Id }
    /// `both` is true unless said otherwise.
    RequestFriend = "request_friend" { from: Id, to: Id, both: Option<bool>, fields: Box<FriendFields> }
    /// `from` is the one who asked, `to` the one who accepts.
    AcceptFriend = "accept_friend" { from: Id, to: Id }
    /// `from` is the one who asked, `to` the one who refuses.
    RefuseFriend = "refuse_friend" { from: Id, to: Id }
    /// `both` is true unless said otherwise; `approved` passes over approval, and `force` over blocks
    /// too.
    AddFriend = "add_friend" {
        from: Id,
        to: Id,
        both: Option<bool>,
        approved: Option<bool>,
        force: Option<bool>,
        fields: Box<FriendFields>,
    }
    /// `both` is false unless said otherwise.
    DeleteFriend = "delete_friend" { from: Id, to: Id, both: Option<bool> }
    UpdateFriend = "update_friend" { from: Id, to: Id, fields: Box<FriendFields> }
    AddFriendList = "add_friend_list" { user: Id, list: String }
    DeleteFriendList = "delete_friend_list" { user: Id, list: String }
    /// Makes the group if it isn't known.
    PutGroup = "put_group" { group: Id, fields: Box<GroupFields> }
    DeleteGroup = "delete_group" { group: Id }
    AddMember = "add_member" { group: Id, member: Id }
    RemoveMember = "remove_member" { group: Id, member: Id }
    AddAdmin = "add_admin" { group: Id, member: Id }
    RemoveAdmin = "remove_admin" { group: Id, member: Id }
    AddSuperAdmin = "add_super_admin" { group: Id, member: Id }
    RemoveSuperAdmin = "remove_super_admin" { group: Id, member: Id }
    /// `null` removes the field.
    UpdateMetadata = "update_metadata" { group: Id, field: String, value: Value }
    /// `null` leaves it to the matrix again.
    UpdatePermissions = "update_permissions" {
        group: Id, permission: PermissionKey, value: Nullable<String>,
    }
    OpenConversation = "open_conversation" { users: UserPair, since: Option<UnixMillis> }
    CloseConversation = "close_conversation" { users: UserPair }
    /// Makes the rule, or puts another in its place; without `rule_id`, one is made.
    PutRule = "put_rule" {
        rule_id: Option<Uuid>,
        condition: String,
        outcome: Vec<TagName>,
        description: Option<String>,
        name: Option<String>,
    }
    DeleteRule = "delete_rule" { rule_id: Uuid }
}

texts! {
    Bond: "a kind", str::parse::<Bond>;
}

impl Scalar for UserPair {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        let ids: Vec<Id> = Vec::read(value, field, problems)?;
        match <[Id; 2]>::try_from(ids) {
            Ok([one, other]) => Some(Self(one, other)),
            Err(ids) => problems.tell(field, format!("it takes two users, not {}", ids.len())),
        }
    }

    fn write(&self) -> Value {
        [&self.0, &self.1].into_iter().map(Scalar::write).collect()
    }
}

impl Command {
    /// All commands of a batch.
    ///
    /// # Errors
    /// All that is wrong with all of them.
    pub fn decode(batch: &[Value]) -> Result<Vec<Self>, Vec<CommandSyntaxError>> {
        if batch.len() > MOST_COMMANDS {
            let message = format!("a batch has at most {MOST_COMMANDS}; this has {}", batch.len());
            return Err(vec![CommandSyntaxError {
                index: MOST_COMMANDS,
                field: String::new(),
                message,
            }]);
        }
        let mut problems = Problems { index: 0, found: Vec::new() };
        let mut commands = Vec::with_capacity(batch.len());
        for (index, value) in batch.iter().enumerate() {
            problems.index = index;
            commands.extend(Self::read(value, &mut problems));
        }
        if problems.found.is_empty() { Ok(commands) } else { Err(problems.found) }
    }

    fn read(value: &Value, problems: &mut Problems) -> Option<Self> {
        let Value::Object(given) = value else {
            return expected("an object with `op`", value, "", problems);
        };
        let op = match given.get("op") {
            None => return problems.tell("op", "it is missing"),
            Some(op) => String::read(op, "op", problems)?,
        };
        let asked = vec!["op".to_owned()];
        let mut fields = Fields { given, asked, problems };
        let Some(read) = Op::take(&op, &mut fields) else {
            let found: String = op.chars().take(64).collect();
            let known = describe_choices(&found, Op::NAMES.iter().copied());
            let message = format!("unknown op `{}`; {known}", found.escape_debug());
            return problems.tell("op", message);
        };
        let on_behalf = fields.optional("as");
        fields.rest();
        Some(Self { op: read?, on_behalf: on_behalf? })
    }

    /// As it is decoded.
    pub fn encode(&self) -> Value {
        let mut into = Map::new();
        into.insert("op".to_owned(), self.op.name().into());
        self.op.give(&mut into);
        self.on_behalf.give("as", &mut into);
        Value::Object(into)
    }
}

/// An administrator's.
impl From<Op> for Command {
    fn from(op: Op) -> Self {
        Self { op, on_behalf: None }
    }
}
