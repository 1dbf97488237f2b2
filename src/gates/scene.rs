use super::{
    Party,
    demands::{Demands, UNFIT},
};
use crate::{
    request::{Action, BlockMode, Conversation, Request, Resource, Role, Switch, User},
    snapshot::{Group, GroupNumber, Matrix, MatrixNumber, Tie, UserSet, View},
};

/// The matrix of groups of which nothing else is known.
const USUAL: &str = "all_members";

/// What is to be done and where: a request but for its users.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'r> {
    pub action: Action,
    pub place: Place,
    /// The matrix that the request gives.
    given: Option<MatrixNumber>,
    /// The id of the resource, if it is a group.
    pub(super) group_id: &'r str,
    pub(super) field: Option<&'r str>,
    pub(super) conversation: Option<Conversation>,
    pub(super) demands: &'static Demands,
}

/// Where something is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Nowhere in particular.
    Anywhere,
    /// Between the subject and a user.
    User,
    /// In a group, and under this matrix.
    Group(GroupNumber, MatrixNumber),
    /// In a group of which nothing is known but that this matrix governs it.
    Unlisted(MatrixNumber),
    /// In a group that is not known.
    UnknownGroup,
    /// The action can't be done to this kind of resource, or under a matrix that there is not.
    Unfit,
}

/// Who does it to whom.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'p, 'r> {
    pub subject: &'p Party<'r>,
    /// The resource, if it is a user, or the `member`.
    pub other: Option<&'p Party<'r>>,
    /// What is between the two, seen from the subject.
    pub(super) tie: Tie,
}

impl<'r> Scene<'r> {
    /// Finds where a request takes place. Costs a look-up of the group, if it names one.
    #[inline]
    pub fn set(view: &View, request: &Request<'r>) -> Self {
        let kind = request.resource.kind();
        let given = match &request.resource {
            Resource::Group(group) => group.matrix.map(|name| view.matrix_number(name)),
            _ => None,
        };
        let demands = Demands::of(request.action, kind).filter(|_| given != Some(None));
        let given = given.flatten();
        let (place, group_id) = match &request.resource {
            _ if demands.is_none() => (Place::Unfit, ""),
            Resource::None => (Place::Anywhere, ""),
            Resource::User(_) => (Place::User, ""),
            Resource::Group(group) => (Place::of_group(view, group.id, given), group.id),
        };
        Self {
            action: request.action,
            place,
            group_id,
            given,
            field: request.field,
            conversation: request.conversation,
            demands: demands.unwrap_or(&UNFIT),
        }
    }

    /// The same in another group.
    #[must_use]
    pub fn moved(self, group: GroupNumber, view: &View) -> Self {
        let own = || view.groups.get(group).map(|group| group.matrix);
        match self.given.or_else(own) {
            Some(matrix) if self.place != Place::Unfit => {
                Self { place: Place::Group(group, matrix), ..self }
            }
            _ => self,
        }
    }

    /// The user whom the request is about besides its subject.
    #[inline]
    pub fn other<'q>(&self, request: &'q Request<'r>) -> Option<&'q User<'r>> {
        match &request.resource {
            Resource::User(user) => Some(user),
            Resource::Group(_) if self.action.takes_member() => request.member.as_ref(),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn group<'v>(&self, view: &'v View) -> Option<Group<'v>> {
        match self.place {
            Place::Group(number, _) => view.groups.get(number),
            _ => None,
        }
    }

    pub(super) fn matrix<'v>(&self, view: &'v View) -> Option<&'v Matrix> {
        match self.place {
            Place::Group(_, matrix) | Place::Unlisted(matrix) => view.matrix(matrix),
            Place::UnknownGroup => view.matrix(self.given.or_else(|| view.matrix_number(USUAL))?),
            _ => None,
        }
    }

    pub(super) fn is_in_group(&self) -> bool {
        matches!(self.place, Place::Group(..) | Place::Unlisted(_) | Place::UnknownGroup)
    }

    /// What someone is in the group: as the request says, or else as the group has it.
    pub(super) fn role(&self, view: &View, who: &Party<'_>) -> Option<Role> {
        who.role().or_else(|| self.group(view)?.role(who.number?))
    }

    /// Whether only members of a group may do it there, so that no other group need be looked at.
    pub fn is_for_members(&self, subject: &Party<'_>) -> bool {
        self.demands.role != super::demands::Needs::Nothing && subject.role().is_none()
    }

    /// Whether the action begins a conversation between two users between whom this is.
    #[inline]
    pub(super) fn begins(&self, tie: Tie) -> bool {
        self.demands.begins && self.conversation_of(tie) == Conversation::New
    }

    /// Whether the action can begin a conversation at all.
    pub(super) fn may_begin(&self) -> bool {
        self.demands.begins && self.conversation != Some(Conversation::Existing)
    }

    /// Whether two users have a conversation, as the request says or else what is between them.
    #[inline]
    pub(super) fn conversation_of(&self, tie: Tie) -> Conversation {
        self.conversation.unwrap_or(if tie.is_conversation() {
            Conversation::Existing
        } else {
            Conversation::New
        })
    }

    /// With whom a user has a conversation already, where the facts tell it and not the request.
    pub(super) fn talking_with(&self, view: &View, who: &Party<'_>) -> UserSet {
        let number = who.number.filter(|_| self.conversation.is_none());
        number
            .into_iter()
            .flat_map(|number| view.population.ties_of(number))
            .filter(|(_, tie)| tie.is_conversation())
            .map(|(other, _)| other)
            .collect()
    }

    /// The switches of the subject that must be on for what may be done whatever is between the two;
    /// where it begins a conversation, another one must be.
    pub(super) fn own_switches(&self) -> impl Iterator<Item = Switch> + use<> {
        let outgoing = self.demands.outgoing.then_some(Switch::Outgoing);
        outgoing.into_iter().chain(self.demands.own)
    }

    /// The same where this is between the two.
    pub(super) fn switches(&self, tie: Tie) -> impl Iterator<Item = Switch> + use<> {
        let beginning = self.begins(tie).then_some(Demands::BEGINNING_SWITCH);
        self.own_switches().chain(beginning)
    }

    /// Whom a block stops where this is between the two: where it begins a conversation, the stricter
    /// of two modes counts.
    #[inline]
    pub(super) fn block_mode(&self, view: &View, tie: Tie) -> BlockMode {
        if !self.demands.blocks {
            return BlockMode::Off;
        }
        let blocks = &view.settings.blocks;
        let own = blocks.mode(self.action);
        if self.begins(tie) { own.max(blocks.mode(Demands::BEGINNING)) } else { own }
    }

    /// Whether the action is about another user, so that there is something between two.
    pub(super) fn has_other(&self) -> bool {
        self.place == Place::User || self.action.takes_member()
    }
}

impl Place {
    fn of_group(view: &View, id: &str, given: Option<MatrixNumber>) -> Self {
        let found = view.groups.number(id);
        match (found, given) {
            (Some(number), given) => {
                let own = || view.groups.get(number).map(|group| group.matrix);
                given.or_else(own).map_or(Self::UnknownGroup, |matrix| Self::Group(number, matrix))
            }
            (None, Some(matrix))
                if view.settings.unknown_users == crate::request::UnknownUsers::AllowDefaults =>
            {
                Self::Unlisted(matrix)
            }
            (None, _) => Self::UnknownGroup,
        }
    }

    /// Whether there is such a place.
    pub(super) fn is_known(self) -> bool {
        !matches!(self, Self::UnknownGroup | Self::Unfit)
    }
}

impl<'p, 'r> Pair<'p, 'r> {
    /// Looks up what is between the two, if the action is one that it matters to: one search in the
    /// shorter of their rows.
    #[inline]
    pub fn new(
        view: &View,
        scene: &Scene<'_>,
        subject: &'p Party<'r>,
        other: Option<&'p Party<'r>>,
    ) -> Self {
        let numbers = other.and_then(|other| Some((subject.number?, other.number?)));
        let tie = match numbers {
            Some((one, other)) if !view.is_plain && scene.demands.look_at_ties() => {
                view.population.tie(one, other)
            }
            _ => Tie::NONE,
        };
        Self { subject, other, tie }
    }

    /// Two users, and what is to be taken to be between them.
    pub fn tied(subject: &'p Party<'r>, other: &'p Party<'r>, tie: Tie) -> Self {
        Self { subject, other: Some(other), tie }
    }

    /// Whether the request says nothing of either of them.
    #[inline]
    pub(super) fn is_as_stored(&self) -> bool {
        self.subject.is_as_stored() && self.other.is_none_or(Party::is_as_stored)
    }

    /// Whether someone does it to himself in a group, of which blocks, peers and rules say nothing.
    #[inline]
    pub(super) fn is_oneself_in_group(&self, scene: &Scene<'_>) -> bool {
        scene.place != Place::User && self.other.is_some_and(|other| other.is(self.subject))
    }

    /// Whether the two have a conversation, as the request says or else the facts.
    #[inline]
    pub(super) fn conversation(&self, scene: &Scene<'_>) -> Conversation {
        scene.conversation_of(self.tie)
    }
}
