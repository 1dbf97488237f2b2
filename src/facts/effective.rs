//! Effective users, groups and rules: policy files and records merged.

use std::{collections::BTreeMap, sync::Arc};

use uuid::Uuid;

use super::{
    FileLine, GroupRecord, ListTerms, RuleRecord, SwitchSetting, Terms, UserRecord, Version,
};
use crate::request::{ActionName, Approval, Moderation, PeersSetting, Relation, Role, Switch};

/// The effective user: declarations merged with the record, and what only the record says.
#[derive(Clone, Debug)]
pub struct EffectiveUser {
    pub tags: Vec<String>,
    /// `None` if neither a file nor the record sets it; likewise below.
    pub peers: Option<PeersSetting<String>>,
    pub permissions: BTreeMap<Switch, SwitchSetting>,
    pub moderation: Moderation,
    pub approval: Option<Approval>,
    /// The names of the audiences from whom the user accepts actions.
    pub accepts: BTreeMap<ActionName, String>,
    /// The switches of declared actions.
    pub own_permissions: BTreeMap<Arc<str>, SwitchSetting>,
    /// The ids of the users to whom the user has each relation, in order; a favorite is a contact too.
    pub relations: Vec<(Relation, Vec<String>)>,
    /// The ids of the other users.
    pub conversations: Vec<String>,
    pub groups: Vec<String>,
    pub terms: EffectiveTerms,
    pub record: UserRecord,
    /// The version of the record; `None` if there is none.
    pub version: Option<Version>,
    /// The declaration in a policy file; `None` without one.
    pub declared_by: Option<DeclaredBy>,
}

/// The terms of the effective moderation state and of elements of effective lists; of those that files declare the
/// end alone.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct EffectiveTerms {
    pub moderation: Terms,
    pub lists: ListTerms,
}

/// A user's record and its version; an empty record if there is none.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct VersionedUserRecord {
    pub record: UserRecord,
    pub version: Option<Version>,
    /// Whether the record names friends who are not known now; they are left out.
    pub has_unknown_friends: bool,
}

/// The effective group: the declaration merged with the record.
#[derive(Clone, Debug)]
pub struct EffectiveGroup {
    pub matrix: String,
    pub creator: Option<String>,
    /// Each member and their role, in the order of ids.
    pub members: Vec<(String, Role)>,
    /// The users who may not speak in it, in the order of ids.
    pub muted: Vec<String>,
    /// The users who are neither added to it nor join it, in the order of ids.
    pub banned: Vec<String>,
    /// The condition that someone in it must meet, in canonical text.
    pub requires: Option<String>,
    pub record: GroupRecord,
    /// The version of the record; `None` if there is none.
    pub version: Option<Version>,
    /// The declaration in a policy file; `None` without one.
    pub declared_by: Option<DeclaredBy>,
}

/// A rule of a policy file or of the API.
#[derive(Clone, Debug)]
pub struct EffectiveRule {
    pub id: Uuid,
    /// The rule: that of a file in canonical text, that of the API as it was sent.
    pub rule: RuleRecord,
    /// The declaration in a policy file; `None` without one.
    pub declared_by: Option<DeclaredBy>,
}

/// A page of rules, in the order of their ids.
#[derive(Clone, Debug)]
pub struct EffectiveRules {
    pub rules: Vec<EffectiveRule>,
    /// Whether rules are in force: without a `rules` section in the policy, none is.
    pub in_force: bool,
}

/// The place of a declaration in a policy file, and the fields that it states.
#[derive(Clone, Debug)]
pub struct DeclaredBy {
    pub place: FileLine,
    pub fields: Vec<String>,
}

/// The name of the list of a user's record that holds this relation.
pub fn relation_list_name(relation: Relation) -> &'static str {
    match relation {
        Relation::Contact => "contacts",
        Relation::Favorite => "favorites",
        Relation::Pair => "paired",
        Relation::Block => "blocked",
        Relation::Friend => "friends",
    }
}
