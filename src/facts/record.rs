use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RecordKind;
use crate::request::{Approval, GroupPermission, Moderation, PeersMode, Relation, Role, Switch};

/// What the API owns of one thing.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    User(Box<UserRecord>),
    Group(Box<GroupRecord>),
    Conversation(ConversationRecord),
    Rule(RuleRecord),
    Idempotency(IdempotencyRecord),
}

/// A user, in what no policy file states of him.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserRecord {
    /// Whether the API made him: else he is a user only while a policy file states him.
    #[serde(skip_serializing_if = "is_false")]
    pub created: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peers: Option<PeersMode>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub permissions: BTreeMap<Switch, SwitchSetting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation: Option<Moderation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// What decisions don't ask: names, pictures, what a dialect keeps.
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
    /// Who asked to be his friend and waits for his answer.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<String, PendingRequest>,
    /// The named lists into which he sorts his friends, in the order in which he made them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub friend_lists: Vec<String>,
}

/// Milliseconds since 1970 in UTC.
pub type UnixMillis = u64;

/// What a switch is set to: on or off, or on for who meets a condition, in canonical text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SwitchSetting {
    Always(bool),
    When(String),
}

/// What one user keeps of a friend.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Friend {
    pub since: UnixMillis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// The names of the lists he is in.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub lists: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wording: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, Value>,
}

/// A friend request that waits for an answer: what the one who asked gave along.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PendingRequest {
    pub since: UnixMillis,
    /// Whether both are to have each other as a friend, or only the one who asked.
    pub both: bool,
    /// What the one who asked will keep of his friend.
    pub friend: Friend,
}

/// A group, in what no policy file states of it.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupRecord {
    /// Whether the API made it: else it is a group only while a policy file states it.
    #[serde(skip_serializing_if = "is_false")]
    pub created: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matrix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, Member>,
    /// Single permissions over those of the matrix, in canonical text; one of `update_metadata`
    /// stands for a field that it names after a dot.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub permissions: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
}

/// What a member of a group is there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub role: Role,
    /// Who added him.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What decisions don't ask: what a dialect keeps of him there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Value>,
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
    /// As it was sent.
    pub condition: String,
    /// As it was sent: in its order, and a tag as often as it was named.
    pub outcome: Vec<String>,
}

/// What came of a batch that was sent under an idempotency key.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdempotencyRecord {
    /// A digest of what was sent.
    pub sent: String,
    pub at: UnixMillis,
    /// The outcomes that were answered.
    pub outcomes: Value,
}

/// A record that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("a damaged record: {0}")]
pub struct RecordDecodeError(#[from] serde_json::Error);

impl Record {
    /// The bytes that a store keeps: JSON.
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

    /// A record of this kind from the bytes that a store kept.
    ///
    /// # Errors
    /// If they are none.
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
    /// Someone whom nobody in particular added.
    pub const fn new(role: Role) -> Self {
        Self { role, by: None, attributes: BTreeMap::new() }
    }
}

impl UserRecord {
    /// Whether nothing is left of it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it says nothing but that the API made the user, and attributes.
    pub fn is_unused(&self) -> bool {
        let Self { created, attributes, .. } = self;
        let (created, attributes) = (*created, attributes.clone());
        *self == Self { created, attributes, ..Self::default() }
    }

    /// Those to whom he has this relation. A favorite is a contact too, but stands among the
    /// favorites alone.
    pub fn edges(&self, relation: Relation) -> Box<dyn Iterator<Item = &str> + '_> {
        match relation {
            Relation::Contact => Box::new(self.contacts.iter().map(String::as_str)),
            Relation::Favorite => Box::new(self.favorites.iter().map(String::as_str)),
            Relation::Pair => Box::new(self.paired.iter().map(String::as_str)),
            Relation::Block => Box::new(self.blocked.keys().map(String::as_str)),
            Relation::Friend => Box::new(self.friends.keys().map(String::as_str)),
        }
    }

    /// Whether he has this relation to another.
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_false(value: &bool) -> bool {
    !*value
}
