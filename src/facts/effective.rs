//! How things are: by files and records together.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{FileLine, GroupRecord, RuleRecord, SwitchSetting, UserRecord, Version};
use crate::request::{Approval, Moderation, PeersMode, Relation, Role, Switch};

/// A user as he is: by files and records together, and what only his record says.
#[derive(Clone, Debug)]
pub struct EffectiveUser {
    pub tags: Vec<String>,
    /// `None` if neither a file nor the record sets it; so also below.
    pub peers: Option<PeersMode>,
    pub permissions: BTreeMap<Switch, SwitchSetting>,
    pub moderation: Moderation,
    pub approval: Option<Approval>,
    /// The ids of those to whom he has each relation, in order; a favorite is a contact too.
    pub relations: Vec<(Relation, Vec<String>)>,
    /// The ids of the others.
    pub conversations: Vec<String>,
    pub groups: Vec<String>,
    pub record: UserRecord,
    /// Of his record; `None` if he has none.
    pub version: Option<Version>,
    pub stated: Option<DeclaredBy>,
}

/// What only a user's record says, and of which version it is; an empty one if he has none.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct VersionedUserRecord {
    pub record: UserRecord,
    pub version: Option<Version>,
    /// Whether it names friends who are not known now; they are left out.
    pub has_unknown_friends: bool,
}

/// A group as it is.
#[derive(Clone, Debug)]
pub struct EffectiveGroup {
    pub matrix: String,
    pub creator: Option<String>,
    /// Each member with his role, in the order of ids.
    pub members: Vec<(String, Role)>,
    pub record: GroupRecord,
    /// Of its record; `None` if it has none.
    pub version: Option<Version>,
    pub stated: Option<DeclaredBy>,
}

/// A rule, whoever made it.
#[derive(Clone, Debug)]
pub struct EffectiveRule {
    pub id: Uuid,
    /// A file's in canonical text, the API's as it was sent.
    pub rule: RuleRecord,
    pub stated: Option<DeclaredBy>,
}

/// Rules in the order of their ids.
#[derive(Clone, Debug)]
pub struct EffectiveRules {
    pub rules: Vec<EffectiveRule>,
    /// Whether they count: without a `rules` section in the policy, none does.
    pub in_force: bool,
}

/// Where a file states something, and which fields of it.
#[derive(Clone, Debug)]
pub struct DeclaredBy {
    pub place: FileLine,
    pub fields: Vec<String>,
}

/// The name of the list in which a user's record has those to whom he has a relation.
pub fn relation_list_name(relation: Relation) -> &'static str {
    match relation {
        Relation::Contact => "contacts",
        Relation::Favorite => "favorites",
        Relation::Pair => "paired",
        Relation::Block => "blocked",
        Relation::Friend => "friends",
    }
}
