//! The roster: all users of a policy in columns.

use std::{collections::BTreeMap, sync::Arc};

use crate::request::{
    ActionName, Approval, DeclarationSite, DeclaredFields, Moderation, Moment, PeersSetting,
    Relation, RelationMap, Switch, Toggle,
};

/// All users with what is said of them, in columns: a million of them take some tens of bytes each.
/// Users are numbered as they were met.
#[derive(Debug, Default)]
pub struct Roster {
    pub key: [u8; 32],
    pub(super) ids: String,
    /// Where each id ends in `ids`.
    pub(super) ends: Vec<usize>,
    /// For each user, which of `sets`.
    pub(super) set_of: Vec<u32>,
    /// The distinct tag sets, one after the other; each is in order and without repetition.
    pub(super) sets: Vec<u32>,
    pub(super) set_ends: Vec<usize>,
    /// The names of the tags, by number, in the order in which they were met.
    pub(super) tags: Vec<String>,
    /// The settings of records, in no order; records that set nothing are left out.
    pub(super) overrides: Vec<(u32, UserOverrides)>,
    /// The edges of each relation, in no order.
    pub(super) edges: RelationMap<Vec<(u32, u32)>>,
    pub(super) conversations: Vec<(u32, u32)>,
    /// The files' statements about each user, as far as they are known.
    pub(super) stated: Vec<DeclaredFields>,
    /// Where each of the conversations is stated.
    pub(super) conversation_places: Vec<DeclarationSite>,
    /// Those who are no users, but whom facts name, in order.
    pub(super) unknown: Vec<u32>,
    /// The edges that facts add to those that files state, in no order.
    pub(super) added: RelationMap<Vec<(u32, u32)>>,
    /// The future ends of what files state.
    pub declared_ends: Vec<RosterEnd>,
    /// The users of whose records something ends, each with the moments.
    pub record_ends: Vec<(u32, Moment)>,
    /// The latest moment up to now at which something ended.
    pub last_end: Option<Moment>,
}

/// The end of something that files state of a user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RosterEnd {
    pub at: Moment,
    pub user: u32,
    pub of: RosterEndOf,
}

/// What ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RosterEndOf {
    /// A tag, by its number in the roster.
    Tag(u32),
    Moderation,
    Edge(Relation, u32),
}

/// The settings of a user's own record, which win over the policy's settings for all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserOverrides {
    pub moderation: Moderation,
    pub peers: Option<PeersSetting<String>>,
    pub approval: Option<Approval>,
    /// Each switch at most once.
    pub permissions: Vec<(Switch, Toggle<String>)>,
    /// The audience by action; `None` where the record states none.
    pub accepts: Option<BTreeMap<ActionName, String>>,
    /// The switches of declared actions that files state, each at most once.
    pub own_switches: Vec<(Arc<str>, Toggle<String>)>,
    /// Those that records of the API state and files do not.
    pub recorded_switches: Vec<(Arc<str>, Toggle<String>)>,
}

impl Default for UserOverrides {
    fn default() -> Self {
        let moderation = Moderation::None;
        Self {
            moderation,
            peers: None,
            approval: None,
            permissions: Vec::new(),
            accepts: None,
            own_switches: Vec::new(),
            recorded_switches: Vec::new(),
        }
    }
}

impl Roster {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The id of the user of this number.
    pub fn id(&self, user: usize) -> &str {
        text_at(&self.ids, &self.ends, user)
    }

    /// Which distinct tag set each user has.
    pub fn set_of(&self) -> &[u32] {
        &self.set_of
    }

    /// The distinct tag sets, as numbers of `tags`.
    pub fn sets(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        (0..self.set_ends.len()).map(|set| list_at(&self.sets, &self.set_ends, set))
    }

    /// The names of the tags that users have.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// The settings of records, each with its user.
    pub fn overrides(&self) -> &[(u32, UserOverrides)] {
        &self.overrides
    }

    /// The edges of a relation, some of them perhaps more than once.
    pub fn edges(&self, relation: Relation) -> &[(u32, u32)] {
        &self.edges[relation]
    }

    /// The files' statements about a user.
    pub fn stated(&self, user: usize) -> DeclaredFields {
        self.stated.get(user).copied().unwrap_or_default()
    }

    /// Where each of the conversations that files state is stated, in their order.
    pub fn conversation_places(&self) -> &[DeclarationSite] {
        &self.conversation_places
    }

    /// The edges of a relation that facts add.
    pub fn added(&self, relation: Relation) -> &[(u32, u32)] {
        &self.added[relation]
    }

    /// Whether the user exists, and is not only named by facts.
    pub fn is_known(&self, user: usize) -> bool {
        u32::try_from(user).is_ok_and(|user| self.unknown.binary_search(&user).is_err())
    }

    /// The pairs of users who have a conversation.
    pub fn conversations(&self) -> &[(u32, u32)] {
        &self.conversations
    }
}

pub(super) fn text_at<'t>(text: &'t str, ends: &[usize], at: usize) -> &'t str {
    let start = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(at).and_then(|&end| text.get(start..end)).unwrap_or_default()
}

pub(super) fn list_at<'l>(values: &'l [u32], ends: &[usize], at: usize) -> &'l [u32] {
    let start = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(at).and_then(|&end| values.get(start..end)).unwrap_or_default()
}
