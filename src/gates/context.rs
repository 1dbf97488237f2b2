use super::{
    Principal,
    requirements::{Requirements, UNSUPPORTED},
};
use crate::{
    request::{Action, BlockMode, Conversation, Request, Resource, Role, Switch, User},
    snapshot::{CompiledMatrix, GroupNumber, GroupView, MatrixNumber, Tie, UserSet, View},
};

/// The matrix of groups of which nothing else is known.
const DEFAULT_MATRIX: &str = "all_members";

/// What is to be done and where: a request but for its users.
#[derive(Clone, Copy, Debug)]
pub struct GateContext<'r> {
    pub action: Action,
    pub target: GateTarget,
    /// The matrix that the request gives.
    matrix_override: Option<MatrixNumber>,
    /// The id of the resource, if it is a group.
    pub(super) group_id: &'r str,
    pub(super) field: Option<&'r str>,
    pub(super) conversation: Option<Conversation>,
    pub(super) requirements: &'static Requirements,
}

/// Where something is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GateTarget {
    /// Nowhere in particular.
    NoResource,
    /// Between the subject and a user.
    User,
    /// In a group, and under this matrix.
    Group(GroupNumber, MatrixNumber),
    /// In a group of which nothing is known but that this matrix governs it.
    UnlistedGroup(MatrixNumber),
    /// In a group that is not known.
    UnknownGroup,
    /// The action can't be done to this kind of resource, or under a matrix that there is not.
    Unsupported,
}

/// Who does it to whom.
#[derive(Clone, Copy, Debug)]
pub struct PrincipalPair<'p, 'r> {
    pub subject: &'p Principal<'r>,
    /// The resource, if it is a user, or the `member`.
    pub other: Option<&'p Principal<'r>>,
    /// What is between the two, seen from the subject.
    pub(super) tie: Tie,
}

impl<'r> GateContext<'r> {
    /// Finds where a request takes place. Costs a look-up of the group, if it names one.
    #[inline]
    pub fn resolve(view: &View, request: &Request<'r>) -> Self {
        let kind = request.resource.kind();
        let given = match &request.resource {
            Resource::Group(group) => group.matrix.map(|name| view.matrix_number(name)),
            _ => None,
        };
        let demands = Requirements::lookup(request.action, kind).filter(|_| given != Some(None));
        let given = given.flatten();
        let (place, group_id) = match &request.resource {
            _ if demands.is_none() => (GateTarget::Unsupported, ""),
            Resource::None => (GateTarget::NoResource, ""),
            Resource::User(_) => (GateTarget::User, ""),
            Resource::Group(group) => (GateTarget::from_group(view, group.id, given), group.id),
        };
        Self {
            action: request.action,
            target: place,
            group_id,
            matrix_override: given,
            field: request.field,
            conversation: request.conversation,
            requirements: demands.unwrap_or(&UNSUPPORTED),
        }
    }

    /// The same in another group.
    #[must_use]
    pub fn in_group(self, group: GroupNumber, view: &View) -> Self {
        let own = || view.groups.get(group).map(|group| group.matrix);
        match self.matrix_override.or_else(own) {
            Some(matrix) if self.target != GateTarget::Unsupported => {
                Self { target: GateTarget::Group(group, matrix), ..self }
            }
            _ => self,
        }
    }

    /// The user whom the request is about besides its subject.
    #[inline]
    pub fn other_user<'q>(&self, request: &'q Request<'r>) -> Option<&'q User<'r>> {
        match &request.resource {
            Resource::User(user) => Some(user),
            Resource::Group(_) if self.action.takes_member() => request.member.as_ref(),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn group<'v>(&self, view: &'v View) -> Option<GroupView<'v>> {
        match self.target {
            GateTarget::Group(number, _) => view.groups.get(number),
            _ => None,
        }
    }

    pub(super) fn matrix<'v>(&self, view: &'v View) -> Option<&'v CompiledMatrix> {
        match self.target {
            GateTarget::Group(_, matrix) | GateTarget::UnlistedGroup(matrix) => view.matrix(matrix),
            GateTarget::UnknownGroup => {
                view.matrix(self.matrix_override.or_else(|| view.matrix_number(DEFAULT_MATRIX))?)
            }
            _ => None,
        }
    }

    pub(super) fn is_in_group(&self) -> bool {
        matches!(
            self.target,
            GateTarget::Group(..) | GateTarget::UnlistedGroup(_) | GateTarget::UnknownGroup
        )
    }

    /// What someone is in the group: as the request says, or else as the group has it.
    pub(super) fn role(&self, view: &View, who: &Principal<'_>) -> Option<Role> {
        who.role().or_else(|| self.group(view)?.role(who.number?))
    }

    /// Whether only members of a group may do it there, so that no other group need be looked at.
    pub fn requires_membership(&self, subject: &Principal<'_>) -> bool {
        self.requirements.role != super::requirements::RoleRequirement::Nothing
            && subject.role().is_none()
    }

    /// Whether the action begins a conversation between two users between whom this is.
    #[inline]
    pub(super) fn begins_conversation(&self, tie: Tie) -> bool {
        self.requirements.begins_conversation
            && self.conversation_with_tie(tie) == Conversation::New
    }

    /// Whether the action can begin a conversation at all.
    pub(super) fn may_begin_conversation(&self) -> bool {
        self.requirements.begins_conversation && self.conversation != Some(Conversation::Existing)
    }

    /// Whether two users have a conversation, as the request says or else what is between them.
    #[inline]
    pub(super) fn conversation_with_tie(&self, tie: Tie) -> Conversation {
        self.conversation.unwrap_or(if tie.is_conversation() {
            Conversation::Existing
        } else {
            Conversation::New
        })
    }

    /// With whom a user has a conversation already, where the facts tell it and not the request.
    pub(super) fn conversation_partners(&self, view: &View, who: &Principal<'_>) -> UserSet {
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
    pub(super) fn subject_switches(&self) -> impl Iterator<Item = Switch> + use<> {
        let outgoing = self.requirements.requires_outgoing.then_some(Switch::Outgoing);
        outgoing.into_iter().chain(self.requirements.subject_switch)
    }

    /// The same where this is between the two.
    pub(super) fn subject_switches_with_tie(
        &self,
        tie: Tie,
    ) -> impl Iterator<Item = Switch> + use<> {
        let beginning = self.begins_conversation(tie).then_some(Requirements::BEGINNING_SWITCH);
        self.subject_switches().chain(beginning)
    }

    /// Whom a block stops where this is between the two: where it begins a conversation, the stricter
    /// of two modes counts.
    #[inline]
    pub(super) fn block_mode(&self, view: &View, tie: Tie) -> BlockMode {
        if !self.requirements.checks_blocks {
            return BlockMode::Off;
        }
        let blocks = &view.settings.blocks;
        let own = blocks.mode(self.action);
        if self.begins_conversation(tie) {
            own.max(blocks.mode(Requirements::BEGINNING_ACTION))
        } else {
            own
        }
    }

    /// Whether the action is about another user, so that there is something between two.
    pub(super) fn involves_other_user(&self) -> bool {
        self.target == GateTarget::User || self.action.takes_member()
    }
}

impl GateTarget {
    fn from_group(view: &View, id: &str, given: Option<MatrixNumber>) -> Self {
        let found = view.groups.number(id);
        match (found, given) {
            (Some(number), given) => {
                let own = || view.groups.get(number).map(|group| group.matrix);
                given.or_else(own).map_or(Self::UnknownGroup, |matrix| Self::Group(number, matrix))
            }
            (None, Some(matrix))
                if view.settings.unknown_users == crate::request::UnknownUsers::AllowDefaults =>
            {
                Self::UnlistedGroup(matrix)
            }
            (None, _) => Self::UnknownGroup,
        }
    }

    /// Whether there is such a place.
    pub(super) fn is_known(self) -> bool {
        !matches!(self, Self::UnknownGroup | Self::Unsupported)
    }
}

impl<'p, 'r> PrincipalPair<'p, 'r> {
    /// Looks up what is between the two, if the action is one that it matters to: one search in the
    /// shorter of their rows.
    #[inline]
    pub fn new(
        view: &View,
        scene: &GateContext<'_>,
        subject: &'p Principal<'r>,
        other: Option<&'p Principal<'r>>,
    ) -> Self {
        let numbers = other.and_then(|other| Some((subject.number?, other.number?)));
        let tie = match numbers {
            Some((one, other))
                if !view.only_rules_restrict && scene.requirements.depends_on_ties() =>
            {
                view.population.tie(one, other)
            }
            _ => Tie::NONE,
        };
        Self { subject, other, tie }
    }

    /// Two users, and what is to be taken to be between them.
    pub fn with_tie(subject: &'p Principal<'r>, other: &'p Principal<'r>, tie: Tie) -> Self {
        Self { subject, other: Some(other), tie }
    }

    /// Whether the request says nothing of either of them.
    #[inline]
    pub(super) fn has_no_overrides(&self) -> bool {
        self.subject.has_no_overrides() && self.other.is_none_or(Principal::has_no_overrides)
    }

    /// Whether someone does it to himself in a group, of which blocks, peers and rules say nothing.
    #[inline]
    pub(super) fn is_self_in_group(&self, scene: &GateContext<'_>) -> bool {
        scene.target != GateTarget::User
            && self.other.is_some_and(|other| other.is_same_user(self.subject))
    }

    /// Whether the two have a conversation, as the request says or else the facts.
    #[inline]
    pub(super) fn conversation(&self, scene: &GateContext<'_>) -> Conversation {
        scene.conversation_with_tie(self.tie)
    }
}
