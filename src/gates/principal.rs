//! A user of a request, resolved against a view.

use smallvec::SmallVec;

use super::render::render_tag_list;
use crate::{
    request::{Properties, Role, StatementId, Switch, UnknownUsers, User},
    snapshot::{
        PendingLookup, RecordOverrides, SwitchCondition, TagId, UserNumber, UserState, UserTags,
        View,
    },
};

/// A principal: a request's user resolved against a view, with what the request overrides.
#[derive(Clone, Debug)]
pub struct Principal<'r> {
    pub id: &'r str,
    /// The user's number; `None` if the user is unknown.
    pub number: Option<UserNumber>,
    /// The user's effective state, with the overrides of the request applied.
    pub(super) state: UserState,
    overrides: Option<Box<PrincipalOverrides>>,
    /// Whether the user's ties and groups are left out of account.
    is_stranger: bool,
}

/// The overrides of a request that are not part of the user's state, and which parts of it they set; or what a
/// comparison of policies takes for true.
#[derive(Clone, Debug)]
struct PrincipalOverrides {
    /// The tags in order, in place of the stored ones; tags that the view doesn't know are left out.
    tags: Option<SmallVec<[TagId; 8]>>,
    /// The role in the group.
    role: Option<Role>,
    /// The switches that the request sets.
    switches: SmallVec<[Switch; 4]>,
    /// Whether the request sets the peers mode.
    sets_peers: bool,
    /// The tags that the user is taken to share with the other.
    shared_tags: Option<SmallVec<[TagId; 4]>>,
}

impl<'r> Principal<'r> {
    /// Looks the user up. Costs one look-up of the id; with properties, also the conditions of the
    /// policy's settings.
    #[inline]
    pub fn resolve(view: &View, user: &User<'r>) -> Self {
        Self::from_lookup(view, user, view.population.directory.prefetch(user.id))
    }

    /// As [`resolve`](Self::resolve), with the look-up of the id begun before.
    #[inline]
    pub fn from_lookup(view: &View, user: &User<'r>, lookup: PendingLookup) -> Self {
        let number = view.population.directory.resolve(user.id, lookup);
        let state = match number {
            Some(number) => view.population.directory.state(number),
            None => view.states.unknown_user(),
        };
        let principal = Self { id: user.id, number, state, overrides: None, is_stranger: false };
        match &user.properties {
            None => principal,
            Some(properties) => principal.with_overrides(view, properties),
        }
    }

    /// A known user without overrides. Costs an access to memory.
    pub fn from_number(view: &'r View, number: UserNumber) -> Self {
        let id = view.population.directory.id(number);
        let state = view.population.directory.state(number);
        Self { id, number: Some(number), state, overrides: None, is_stranger: false }
    }

    /// A known user as one without ties and groups, so that lists are those of users who are strangers to
    /// them. Costs an access to memory.
    pub fn stranger(view: &'r View, number: UserNumber) -> Self {
        Self { is_stranger: true, ..Self::from_number(view, number) }
    }

    /// A known user as a stranger who shares these tags with the other user and no others, whatever tags the two
    /// have. Costs an access to memory and an allocation.
    pub fn sharing(view: &'r View, number: UserNumber, shared: &[TagId]) -> Self {
        let overrides = PrincipalOverrides {
            tags: None,
            role: None,
            switches: SmallVec::new(),
            sets_peers: false,
            shared_tags: Some(shared.into()),
        };
        Self { overrides: Some(Box::new(overrides)), ..Self::stranger(view, number) }
    }

    #[cold]
    fn with_overrides(mut self, view: &View, properties: &Properties<'_>) -> Self {
        let tags = properties.tags.as_ref().map(|tags| {
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
        for &(switch, on) in &properties.permissions {
            self.state = self.state.with_switch(switch, on);
        }
        if let Some(mode) = properties.peers {
            self.state = self.state.with_peers(mode);
        }
        if let Some(state) = properties.moderation {
            self.state = self.state.with_moderation(state);
        }
        self.overrides = Some(Box::new(PrincipalOverrides {
            tags,
            role: properties.role,
            switches: properties.permissions.iter().map(|&(switch, _)| switch).collect(),
            sets_peers: properties.peers.is_some(),
            shared_tags: None,
        }));
        self
    }

    /// Whether the user is known, or treated as known by the policy.
    #[inline]
    pub(super) fn is_known(&self, view: &View) -> bool {
        self.number.is_some() || view.settings.unknown_users == UnknownUsers::AllowDefaults
    }

    /// The user's tags in order: the request's, or else the stored ones.
    #[inline]
    pub fn tags<'s>(&'s self, view: &'s View) -> UserTags<'s> {
        match (self.override_tags(), self.number) {
            (Some(tags), _) => UserTags::Spilled(tags),
            (None, Some(number)) => view.population.directory.tags(number),
            (None, None) => UserTags::NONE,
        }
    }

    /// The user's number, unless the request overrides their tags: what the view derived from stored
    /// tags holds for it.
    #[inline]
    pub(super) fn stored_number(&self) -> Option<UserNumber> {
        if self.override_tags().is_some() { None } else { self.number }
    }

    /// The number by which the user's ties and groups are found.
    #[inline]
    pub(super) fn tied_number(&self) -> Option<UserNumber> {
        if self.is_stranger { None } else { self.number }
    }

    /// The tags that the user is taken to share with the other, if not those that both have.
    #[inline]
    pub(super) fn assumed_shared_tags(&self) -> Option<&[TagId]> {
        self.overrides.as_ref()?.shared_tags.as_deref()
    }

    /// Whether the request overrides nothing of the user.
    #[inline]
    pub(super) fn has_no_overrides(&self) -> bool {
        self.overrides.is_none()
    }

    #[inline]
    fn override_tags(&self) -> Option<&[TagId]> {
        self.overrides.as_ref()?.tags.as_deref()
    }

    /// The role in the group that the request gives the user.
    #[inline]
    pub(super) fn role(&self) -> Option<Role> {
        self.overrides.as_ref()?.role
    }

    /// The policy's statement about a switch, unless the request or the user's record overrides it.
    pub(super) fn switch_statement(&self, view: &View, switch: Switch) -> Option<StatementId> {
        let (record, conditions) = self.record_overrides(view);
        let by_record =
            record.sets_switch(switch) || conditions.iter().any(|(_, set, _)| *set == switch);
        let by_request =
            self.overrides.as_ref().is_some_and(|request| request.switches.contains(&switch));
        (!by_record && !by_request).then_some(StatementId::Switch(switch))
    }

    /// The policy's statement about the user's peers mode, unless the request or the record overrides it.
    pub(super) fn peers_statement(&self, view: &View) -> Option<StatementId> {
        let by_request = self.overrides.as_ref().is_some_and(|request| request.sets_peers);
        if by_request || self.record_overrides(view).0.sets_peers() {
            return None;
        }
        let has = self.tag_predicate(view);
        let mode = view.settings.peers.modes.iter().position(|(when, _)| when.holds(&has));
        Some(mode.map_or(StatementId::PeersDefault, StatementId::PeersMode))
    }

    /// The policy's statement about the user's approval, unless the record overrides it.
    pub(super) fn approval_statement(&self, view: &View) -> Option<StatementId> {
        (!self.record_overrides(view).0.sets_approval()).then_some(StatementId::DefaultApproval)
    }

    /// The settings and conditional switches of the user's record.
    pub(super) fn record_overrides<'v>(
        &self,
        view: &'v View,
    ) -> (RecordOverrides, &'v [SwitchCondition]) {
        self.number.map_or_else(Default::default, |number| view.population.overrides(number))
    }

    /// Whether two principals are one user; unknown users are compared by their ids.
    #[inline]
    pub(super) fn is_same_user(&self, other: &Principal<'_>) -> bool {
        match (self.number, other.number) {
            (Some(one), Some(other)) => one == other,
            (None, None) => self.id == other.id,
            _ => false,
        }
    }

    /// A test whether the user has a tag, as conditions take it.
    pub(super) fn tag_predicate<'s>(&'s self, view: &'s View) -> impl Fn(&TagId) -> bool + 's {
        let tags = self.tags(view);
        move |tag| tags.contains(*tag)
    }

    /// The user's tags as a list in brackets, for explanations.
    pub(super) fn render_tags(&self, view: &View) -> String {
        render_tag_list(view, self.tags(view).iter())
    }

    /// The user's id in backticks, for explanations.
    pub(super) fn quoted_id(&self) -> String {
        format!("`{}`", self.id)
    }
}
