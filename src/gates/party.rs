use std::{borrow::Cow, fmt::Write as _};

use smallvec::SmallVec;

use crate::{
    request::{Properties, Role, Statement, Switch, User},
    snapshot::{Begun, Own, OwnCondition, Standing, TagId, TagsOf, View},
};

/// A user in a request, found in a view.
#[derive(Clone, Debug)]
pub struct Party<'r> {
    pub id: &'r str,
    /// His number; `None` if he is unknown.
    pub number: Option<u32>,
    /// Where he stands, what the request says of him included.
    pub(super) standing: Standing,
    given: Option<Box<Given>>,
}

/// What a request says of a user besides where he stands.
#[derive(Clone, Debug)]
struct Given {
    /// In order; they stand in for his own.
    tags: Option<SmallVec<[TagId; 8]>>,
    /// The role in the group.
    role: Option<Role>,
    /// The switches that it sets, and whether it sets the peers mode.
    switches: SmallVec<[Switch; 4]>,
    peers: bool,
}

impl<'r> Party<'r> {
    /// Looks the user up. Costs one look-up of the id; with properties, also the conditions of the
    /// policy's settings.
    #[inline]
    pub fn find(view: &View, user: &User<'r>) -> Self {
        Self::found(view, user, view.population.directory.begin(user.id))
    }

    /// As [`find`](Self::find), where `begun` is the look-up of his id.
    #[inline]
    pub fn found(view: &View, user: &User<'r>, begun: Begun) -> Self {
        let number = view.population.directory.found(user.id, begun);
        let standing = match number {
            Some(number) => view.population.directory.standing(number),
            None => view.standings.stranger(),
        };
        let party = Self { id: user.id, number, standing, given: None };
        match &user.properties {
            None => party,
            Some(given) => party.with(view, given),
        }
    }

    /// A known user as he is. Costs an access to memory.
    pub fn of(view: &'r View, number: u32) -> Self {
        let id = view.population.directory.id(number);
        let standing = view.population.directory.standing(number);
        Self { id, number: Some(number), standing, given: None }
    }

    #[cold]
    fn with(mut self, view: &View, given: &Properties<'_>) -> Self {
        let tags = given.tags.as_ref().map(|tags| {
            // A tag that the view doesn't know is no condition's: it can't change an answer.
            let mut tags: SmallVec<[TagId; 8]> =
                tags.iter().filter_map(|tag| view.tags.get(tag)).collect();
            tags.sort_unstable();
            tags.dedup();
            let has = |tag: &TagId| tags.contains(tag);
            self.standing = view.standing(self.number, &has).with_full(self.standing.is_full());
            tags
        });
        for &(switch, on) in &given.permissions {
            self.standing = self.standing.with_switch(switch, on);
        }
        if let Some(mode) = given.peers {
            self.standing = self.standing.with_peers(mode);
        }
        if let Some(state) = given.moderation {
            self.standing = self.standing.with_moderation(state);
        }
        let switches = given.permissions.iter().map(|&(switch, _)| switch).collect();
        let peers = given.peers.is_some();
        self.given = Some(Box::new(Given { tags, role: given.role, switches, peers }));
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
    pub fn tags<'s>(&'s self, view: &'s View) -> TagsOf<'s> {
        match (self.given_tags(), self.number) {
            (Some(given), _) => TagsOf::Many(given),
            (None, Some(number)) => view.population.directory.tags(number),
            (None, None) => TagsOf::NONE,
        }
    }

    /// His number, if his tags are those that the view holds of him.
    #[inline]
    pub(super) fn is_stored(&self) -> Option<u32> {
        if self.given_tags().is_some() { None } else { self.number }
    }

    /// Whether the request says nothing of him.
    #[inline]
    pub(super) fn is_as_stored(&self) -> bool {
        self.given.is_none()
    }

    #[inline]
    fn given_tags(&self) -> Option<&[TagId]> {
        self.given.as_ref()?.tags.as_deref()
    }

    /// The role in the group that the request says he has.
    #[inline]
    pub(super) fn role(&self) -> Option<Role> {
        self.given.as_ref()?.role
    }

    /// What the policy says of a switch, unless the request or his record says it for him.
    pub(super) fn asks_switch(&self, view: &View, switch: Switch) -> Option<Statement> {
        let (own, conditions) = self.own(view);
        let by_record = own.sets(switch) || conditions.iter().any(|(_, set, _)| *set == switch);
        let by_request = self.given.as_ref().is_some_and(|given| given.switches.contains(&switch));
        (!by_record && !by_request).then_some(Statement::Switch(switch))
    }

    /// What the policy says of his peers mode, unless the request or his record says it.
    pub(super) fn asks_peers(&self, view: &View) -> Option<Statement> {
        let by_request = self.given.as_ref().is_some_and(|given| given.peers);
        if by_request || self.own(view).0.sets_peers() {
            return None;
        }
        let has = self.has(view);
        let mode = view.settings.peers.modes.iter().position(|(when, _)| when.holds(&has));
        Some(mode.map_or(Statement::PeersDefault, Statement::PeersMode))
    }

    /// What the policy says of his approval, unless his record says it.
    pub(super) fn asks_approval(&self, view: &View) -> Option<Statement> {
        (!self.own(view).0.sets_approval()).then_some(Statement::DefaultApproval)
    }

    fn own<'v>(&self, view: &'v View) -> (Own, &'v [OwnCondition]) {
        self.number.map_or_else(Default::default, |number| view.population.own(number))
    }

    #[inline]
    pub(super) fn is(&self, other: &Party<'_>) -> bool {
        match (self.number, other.number) {
            (Some(one), Some(other)) => one == other,
            (None, None) => self.id == other.id,
            _ => false,
        }
    }

    pub(super) fn has<'s>(&'s self, view: &'s View) -> impl Fn(&TagId) -> bool + 's {
        let tags = self.tags(view);
        move |tag| tags.contains(*tag)
    }

    /// His tags as a list in brackets, for explanations.
    pub(super) fn tag_list(&self, view: &View) -> String {
        list(view, self.tags(view).iter())
    }

    /// `` `alice` ``, for explanations.
    pub(super) fn name(&self) -> String {
        format!("`{}`", self.id)
    }
}

/// Tags as `[A, B]`, in the order of their names; of many, the first.
pub(super) fn list(view: &View, tags: impl Iterator<Item = TagId>) -> String {
    let mut names: Vec<&str> = tags.map(|tag| view.tags.name(tag)).collect();
    names.sort_unstable();
    format!("[{}]", named(names.into_iter().map(Cow::Borrowed)))
}

/// Names as an explanation lists them: the first [`MOST_NAMED`], and how many more there are.
pub(super) fn named<'n>(names: impl ExactSizeIterator<Item = Cow<'n, str>>) -> String {
    let more = names.len().saturating_sub(MOST_NAMED);
    let mut text = names.take(MOST_NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        // Writing to a string can't fail.
        let _ = write!(text, " and {more} more");
    }
    text
}

/// How many rules or tags an explanation names of those that it speaks of.
pub const MOST_NAMED: usize = 20;
