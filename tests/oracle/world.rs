//! The oracle's world: users, groups, rules and settings.

use std::collections::BTreeMap;

use super::{
    between::Between,
    moments::Ends,
    windows::Window,
    words::{Condition, Rule, Toggle, Value},
};

/// A policy, with who there is.
#[derive(Clone, Default, Debug)]
pub(crate) struct World {
    /// The tags that are declared; `None` if the policy declares none.
    pub(crate) declared: Option<Vec<String>>,
    /// `None` if the policy has no rules section.
    pub(crate) rules: Option<Vec<Rule>>,
    pub(crate) between: Between,
    pub(crate) settings: Settings,
    pub(crate) matrices: BTreeMap<String, Matrix>,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) conversations: Vec<[String; 2]>,
    pub(crate) windows: BTreeMap<&'static str, Window>,
}

/// What a policy says for all users. What is left out is the preset's, or else the default.
#[derive(Clone, Default, Debug)]
pub(crate) struct Settings {
    pub(crate) preset: Option<&'static str>,
    pub(crate) unknown_users: Option<&'static str>,
    pub(crate) managers: Option<Condition>,
    pub(crate) permissions: BTreeMap<&'static str, Toggle>,
    /// The mode by action.
    pub(crate) blocks: BTreeMap<&'static str, &'static str>,
    pub(crate) peers: Option<&'static str>,
    /// The first that a user meets counts.
    pub(crate) modes: Vec<(Condition, &'static str)>,
    pub(crate) default_approval: Option<&'static str>,
    pub(crate) limits: BTreeMap<&'static str, usize>,
}

/// Who may do what in the groups that it governs.
#[derive(Clone, Default, Debug)]
pub(crate) struct Matrix {
    /// All permissions but `update_metadata`, those of declared actions among them.
    pub(crate) permissions: BTreeMap<&'static str, Value>,
    pub(crate) update_metadata: Option<Fields>,
}

#[derive(Clone, Debug)]
pub(crate) enum Fields {
    One(Value),
    /// `*` stands for the fields that are not named.
    Named(BTreeMap<String, Value>),
}

/// A user's record. A list may be empty because nothing is said.
#[derive(Clone, Default, Debug)]
pub(crate) struct User {
    /// `None` if the policy states no tags.
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) peers: Option<&'static str>,
    pub(crate) permissions: BTreeMap<&'static str, Toggle>,
    pub(crate) moderation: Option<&'static str>,
    pub(crate) approval: Option<&'static str>,
    /// The audience by action.
    pub(crate) accepts: BTreeMap<&'static str, &'static str>,
    pub(crate) contacts: Vec<String>,
    pub(crate) favorites: Vec<String>,
    pub(crate) paired: Vec<String>,
    pub(crate) blocked: Vec<String>,
    pub(crate) friends: Vec<String>,
    pub(crate) ends: Ends,
}

#[derive(Clone, Default, Debug)]
pub(crate) struct Group {
    pub(crate) matrix: Option<String>,
    pub(crate) creator: Option<String>,
    /// `None` if nothing is said: then it is the creator.
    pub(crate) super_admins: Option<Vec<String>>,
    pub(crate) admins: Vec<String>,
    pub(crate) members: Vec<String>,
    pub(crate) muted: Vec<String>,
    /// Nobody who is in it.
    pub(crate) banned: Vec<String>,
    /// Whom one must be like who is in it.
    pub(crate) requires: Option<Condition>,
    pub(crate) ends: Ends,
}
