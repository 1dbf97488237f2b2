//! Records, as stores keep them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ListTerms, RecordKind, ReplacedState, Terms, UnixMillis};
use crate::request::{
    ActionName, Approval, GroupPermission, Moderation, PeersSetting, Relation, Role, Switch,
};

/// A record: what the API owns of one user, group, conversation or rule.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    User(Box<UserRecord>),
    Group(Box<GroupRecord>),
    Conversation(ConversationRecord),
    Rule(RuleRecord),
    Idempotency(IdempotencyRecord),
}

/// A user's record: all that no policy file states of the user.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserRecord {
    /// Whether the API created the user; otherwise they exist only while a policy file states them.
    #[serde(skip_serializing_if = "is_false")]
    pub created: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peers: Option<PeersSetting<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub permissions: BTreeMap<Switch, SwitchSetting>,
    /// The switches of declared actions, by the names of the actions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub own_permissions: BTreeMap<String, SwitchSetting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation: Option<Moderation>,
    /// The terms of the moderation state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation_terms: Option<Box<Terms>>,
    /// The moderation states that come back one after the other, from the last, when the present one ends. Each
    /// ends later than those after it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced_moderation: Vec<ReplacedState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// The audiences from whom the user accepts actions, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub accepts: BTreeMap<ActionName, String>,
    /// Data that decisions don't use: names, pictures, data of a dialect.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub contacts: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub favorites: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub paired: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub blocked: BTreeMap<String, UnixMillis>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub friends: BTreeMap<String, Friend>,
    /// The friend requests to the user that are pending, by the user who sent them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<String, PendingRequest>,
    /// The named lists into which the user sorts their friends, in the order of their creation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub friend_lists: Vec<String>,
    /// The terms of elements of the lists above; those of friends are in their entries.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub terms: ListTerms,
}

/// The setting of a switch: on or off, or on for users who meet a condition, in canonical text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SwitchSetting {
    Always(bool),
    When(String),
}

/// An entry of a user's friend list.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Friend {
    pub since: UnixMillis,
    /// The moment at which the friendship ends; `None` if it does not end by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// The names of the friend lists that the friend is in.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub lists: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wording: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, Value>,
}

/// A pending friend request, with what its sender supplied.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PendingRequest {
    pub since: UnixMillis,
    /// Whether both users become friends of each other, or the other only a friend of the sender.
    pub both: bool,
    /// The entry that the sender's friend list will get.
    pub friend: Friend,
}

/// A group's record: all that no policy file states of the group.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupRecord {
    /// Whether the API created the group; otherwise it exists only while a policy file states it.
    #[serde(skip_serializing_if = "is_false")]
    pub created: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matrix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, Member>,
    /// The users who may not speak in the group, members or not.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub muted: BTreeMap<String, GroupRestriction>,
    /// The users who are neither added to the group nor join it; none of them is a member.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub banned: BTreeMap<String, GroupRestriction>,
    /// The condition that someone in the group must meet, in canonical text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires: Option<String>,
    /// Single permissions that override those of the matrix, in canonical text; the key of one for a
    /// metadata field is `update_metadata.FIELD`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub permissions: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
}

/// A member of a group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub role: Role,
    /// The user who added the member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Data of a dialect about the member, which decisions don't use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Value>,
}

/// A mute, or a ban from a group.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupRestriction {
    pub since: UnixMillis,
    #[serde(skip_serializing_if = "Terms::is_empty")]
    pub terms: Terms,
}

/// An existing conversation.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConversationRecord {
    pub since: UnixMillis,
}

/// A rule made over the API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The condition as it was sent.
    pub condition: String,
    /// The tags as they were sent, in order and with repetitions.
    pub outcome: Vec<String>,
}

/// The result of a batch that was sent under an idempotency key.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdempotencyRecord {
    /// A digest of the request body.
    pub sent: String,
    pub at: UnixMillis,
    /// The outcomes in the response.
    pub outcomes: Value,
}

/// The error for bytes that are not a record.
#[derive(Debug, thiserror::Error)]
#[error("{suspicion}: {0}", suspicion = suspicion(.0))]
pub struct RecordDecodeError(#[from] serde_json::Error);

/// What may be wrong with a record: JSON of another shape may also be that of a later version.
fn suspicion(error: &serde_json::Error) -> &'static str {
    if error.is_data() { "damaged, or written by a newer peerage" } else { "damaged" }
}

impl RecordDecodeError {
    /// The parser's error.
    pub const fn cause(&self) -> &serde_json::Error {
        &self.0
    }
}

impl Record {
    /// Encodes the record as a store keeps it: as JSON.
    pub fn encode(&self) -> Vec<u8> {
        let encoded = match self {
            Self::User(user) => serde_json::to_vec(user),
            Self::Group(group) => serde_json::to_vec(group),
            Self::Conversation(conversation) => serde_json::to_vec(conversation),
            Self::Rule(rule) => serde_json::to_vec(rule),
            Self::Idempotency(once) => serde_json::to_vec(once),
        };
        // Maps by strings and plain values: nothing in them can fail.
        encoded.unwrap_or_default()
    }

    /// Decodes a record of this kind from the bytes of a store.
    ///
    /// # Errors
    /// If the bytes are not such a record.
    pub fn decode(kind: RecordKind, bytes: &[u8]) -> Result<Self, RecordDecodeError> {
        Ok(match kind {
            RecordKind::User => Self::User(Box::new(serde_json::from_slice(bytes)?)),
            RecordKind::Group => Self::Group(Box::new(serde_json::from_slice(bytes)?)),
            RecordKind::Conversation => Self::Conversation(serde_json::from_slice(bytes)?),
            RecordKind::Rule => Self::Rule(serde_json::from_slice(bytes)?),
            RecordKind::Idempotency => Self::Idempotency(serde_json::from_slice(bytes)?),
        })
    }
}

impl Member {
    /// A member of this role, added by an unknown user.
    pub const fn new(role: Role) -> Self {
        Self { role, by: None, attributes: BTreeMap::new() }
    }
}

impl UserRecord {
    /// Whether the record holds nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the record holds only attributes, and that the API created the user.
    pub fn is_unused(&self) -> bool {
        let Self { created, attributes, .. } = self;
        let (created, attributes) = (*created, attributes.clone());
        *self == Self { created, attributes, ..Self::default() }
    }

    /// The users to whom the user has this relation. A favorite is a contact too, but is listed among
    /// the favorites only.
    pub fn edges(&self, relation: Relation) -> Box<dyn Iterator<Item = &str> + '_> {
        match relation {
            Relation::Contact => Box::new(self.contacts.iter().map(String::as_str)),
            Relation::Favorite => Box::new(self.favorites.iter().map(String::as_str)),
            Relation::Pair => Box::new(self.paired.iter().map(String::as_str)),
            Relation::Block => Box::new(self.blocked.keys().map(String::as_str)),
            Relation::Friend => Box::new(self.friends.keys().map(String::as_str)),
        }
    }

    /// Whether the user has this relation to another.
    pub fn has_edge(&self, relation: Relation, other: &str) -> bool {
        match relation {
            Relation::Contact => self.contacts.contains(other),
            Relation::Favorite => self.favorites.contains(other),
            Relation::Pair => self.paired.contains(other),
            Relation::Block => self.blocked.contains_key(other),
            Relation::Friend => self.friends.contains_key(other),
        }
    }
}

impl GroupRecord {
    /// The key in `permissions` of a permission, or of a field of `update_metadata`.
    pub fn permission_key(permission: GroupPermission, field: Option<&str>) -> String {
        match field {
            Some(field) => format!("{permission}.{field}"),
            None => permission.to_string(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde requires")]
fn is_false(value: &bool) -> bool {
    !*value
}
