use std::{borrow::Cow, fmt::Write as _};

use smallvec::SmallVec;

use crate::{
    request::{Properties, Role, StatementId, Switch, User},
    snapshot::{
        PendingLookup, RecordOverrides, SwitchCondition, TagId, UserNumber, UserState, UserTags,
        View,
    },
};

/// A user in a request, found in a view.
#[derive(Clone, Debug)]
pub struct Principal<'r> {
    pub id: &'r str,
    /// His number; `None` if he is unknown.
    pub number: Option<UserNumber>,
    /// Where he stands, what the request says of him included.
    pub(super) state: UserState,
    overrides: Option<Box<PrincipalOverrides>>,
}

/// What a request says of a user besides where he stands.
#[derive(Clone, Debug)]
struct PrincipalOverrides {
    /// In order; they stand in for his own.
    tags: Option<SmallVec<[TagId; 8]>>,
    /// The role in the group.
    role: Option<Role>,
    /// The switches that it sets, and whether it sets the peers mode.
    switches: SmallVec<[Switch; 4]>,
    peers: bool,
}

impl<'r> Principal<'r> {
    /// Looks the user up. Costs one look-up of the id; with properties, also the conditions of the
    /// policy's settings.
    #[inline]
    pub fn resolve(view: &View, user: &User<'r>) -> Self {
        Self::from_lookup(view, user, view.population.directory.prefetch(user.id))
    }

    /// As [`find`](Self::resolve), where `begun` is the look-up of his id.
    #[inline]
    pub fn from_lookup(view: &View, user: &User<'r>, begun: PendingLookup) -> Self {
        let number = view.population.directory.resolve(user.id, begun);
        let standing = match number {
            Some(number) => view.population.directory.state(number),
            None => view.states.unknown_user(),
        };
        let party = Self { id: user.id, number, state: standing, overrides: None };
        match &user.properties {
            None => party,
            Some(given) => party.with_overrides(view, given),
        }
    }

    /// A known user as he is. Costs an access to memory.
    pub fn from_number(view: &'r View, number: UserNumber) -> Self {
        let id = view.population.directory.id(number);
        let standing = view.population.directory.state(number);
        Self { id, number: Some(number), state: standing, overrides: None }
    }

    #[cold]
    fn with_overrides(mut self, view: &View, given: &Properties<'_>) -> Self {
        let tags = given.tags.as_ref().map(|tags| {
            // A tag that the view doesn't know is no condition's: it can't change an answer.
            let mut tags: SmallVec<[TagId; 8]> =
                tags.iter().filter_map(|tag| view.tags.get(tag)).collect();
            tags.sort_unstable();
            tags.dedup();
            let has = |tag: &TagId| tags.contains(tag);
            self.state = view
                .state_with_tags(self.number, &has)
                .with_friend_list_full(self.state.is_friend_list_full());
            tags
        });
        for &(switch, on) in &given.permissions {
            self.state = self.state.with_switch(switch, on);
        }
        if let Some(mode) = given.peers {
            self.state = self.state.with_peers(mode);
        }
        if let Some(state) = given.moderation {
            self.state = self.state.with_moderation(state);
        }
        let switches = given.permissions.iter().map(|&(switch, _)| switch).collect();
        let peers = given.peers.is_some();
        self.overrides =
            Some(Box::new(PrincipalOverrides { tags, role: given.role, switches, peers }));
        self
    }

    /// Whether he is a known user, or treated as one.
    #[inline]
    pub(super) fn is_known(&self, view: &View) -> bool {
        self.number.is_some()
            || view.settings.unknown_users == crate::request::UnknownUsers::AllowDefaults
    }

    /// His tags in order: those that the request gives, or else his own.
    #[inline]
    pub fn tags<'s>(&'s self, view: &'s View) -> UserTags<'s> {
        match (self.override_tags(), self.number) {
            (Some(given), _) => UserTags::Spilled(given),
            (None, Some(number)) => view.population.directory.tags(number),
            (None, None) => UserTags::NONE,
        }
    }

    /// His number, if his tags are those that the view holds of him.
    #[inline]
    pub(super) fn stored_number(&self) -> Option<UserNumber> {
        if self.override_tags().is_some() { None } else { self.number }
    }

    /// Whether the request says nothing of him.
    #[inline]
    pub(super) fn has_no_overrides(&self) -> bool {
        self.overrides.is_none()
    }

    #[inline]
    fn override_tags(&self) -> Option<&[TagId]> {
        self.overrides.as_ref()?.tags.as_deref()
    }

    /// The role in the group that the request says he has.
    #[inline]
    pub(super) fn role(&self) -> Option<Role> {
        self.overrides.as_ref()?.role
    }

    /// What the policy says of a switch, unless the request or his record says it for him.
    pub(super) fn switch_statement(&self, view: &View, switch: Switch) -> Option<StatementId> {
        let (own, conditions) = self.record_overrides(view);
        let by_record =
            own.sets_switch(switch) || conditions.iter().any(|(_, set, _)| *set == switch);
        let by_request =
            self.overrides.as_ref().is_some_and(|given| given.switches.contains(&switch));
        (!by_record && !by_request).then_some(StatementId::Switch(switch))
    }

    /// What the policy says of his peers mode, unless the request or his record says it.
    pub(super) fn peers_statement(&self, view: &View) -> Option<StatementId> {
        let by_request = self.overrides.as_ref().is_some_and(|given| given.peers);
        if by_request || self.record_overrides(view).0.sets_peers() {
            return None;
        }
        let has = self.tag_predicate(view);
        let mode = view.settings.peers.modes.iter().position(|(when, _)| when.holds(&has));
        Some(mode.map_or(StatementId::PeersDefault, StatementId::PeersMode))
    }

    /// What the policy says of his approval, unless his record says it.
    pub(super) fn approval_statement(&self, view: &View) -> Option<StatementId> {
        (!self.record_overrides(view).0.sets_approval()).then_some(StatementId::DefaultApproval)
    }

    fn record_overrides<'v>(&self, view: &'v View) -> (RecordOverrides, &'v [SwitchCondition]) {
        self.number.map_or_else(Default::default, |number| view.population.overrides(number))
    }

    #[inline]
    pub(super) fn is_same_user(&self, other: &Principal<'_>) -> bool {
        match (self.number, other.number) {
            (Some(one), Some(other)) => one == other,
            (None, None) => self.id == other.id,
            _ => false,
        }
    }

    pub(super) fn tag_predicate<'s>(&'s self, view: &'s View) -> impl Fn(&TagId) -> bool + 's {
        let tags = self.tags(view);
        move |tag| tags.contains(*tag)
    }

    /// His tags as a list in brackets, for explanations.
    pub(super) fn render_tags(&self, view: &View) -> String {
        render_tag_list(view, self.tags(view).iter())
    }

    /// `` `alice` ``, for explanations.
    pub(super) fn quoted_id(&self) -> String {
        format!("`{}`", self.id)
    }
}

/// Tags as `[A, B]`, in the order of their names; of many, the first.
pub(super) fn render_tag_list(view: &View, tags: impl Iterator<Item = TagId>) -> String {
    let mut names: Vec<&str> = tags.map(|tag| view.tags.name(tag)).collect();
    names.sort_unstable();
    format!("[{}]", render_names(names.into_iter().map(Cow::Borrowed)))
}

/// Names as an explanation lists them: the first [`MAX_NAMED`], and how many more there are.
pub(super) fn render_names<'n>(names: impl ExactSizeIterator<Item = Cow<'n, str>>) -> String {
    let more = names.len().saturating_sub(MAX_NAMED);
    let mut text = names.take(MAX_NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        // Writing to a string can't fail.
        let _ = write!(text, " and {more} more");
    }
    text
}

/// How many rules or tags an explanation names of those that it speaks of.
pub const MAX_NAMED: usize = 20;
