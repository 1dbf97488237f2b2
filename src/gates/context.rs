//! A request resolved against a view, without its users.

use super::{
    principal::Principal,
    requirements::{Requirements, RoleRequirement, UNSUPPORTED},
    sets::users_with_tie,
};
use crate::{
    request::{
        Action, ActionDeclaration, ActionKey, ActionName, ActionSet, BlockMode, Conversation,
        DeclaredAction, Request, Resource, Role, Switch, UnknownUsers, User,
    },
    snapshot::{
        CompiledMatrix, GroupNumber, GroupView, MatrixNumber, Selection, TagId, Tie, UserSet, View,
    },
};

/// The matrix of a group of which nothing else is known.
const DEFAULT_MATRIX: &str = "all_members";

/// A request resolved against a view, without its users: the action, its target, and what the action
/// requires of the gates.
#[derive(Clone, Copy, Debug)]
pub struct GateContext<'r> {
    /// The action, or the one that `own` is like.
    pub action: Action,
    /// The requested action, if the policy declares it.
    pub(super) own: Option<DeclaredAction>,
    pub target: GateTarget,
    /// The matrix that the request gives in place of the group's.
    matrix_override: Option<MatrixNumber>,
    /// The id of the resource, if it is a group.
    pub(super) group_id: &'r str,
    pub(super) field: Option<&'r str>,
    pub(super) conversation: Option<Conversation>,
    pub(super) requirements: &'static Requirements,
}

/// What an action requires of two users, as far as [`OneSided`](super::OneSided) conditions don't tell it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PairRequirements(Requirements);

/// The resource of a request, resolved against a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GateTarget {
    /// Neither a user nor a group.
    NoResource,
    /// A user, known or not.
    User,
    /// A known group, and the matrix that governs it, if there is one.
    Group(GroupNumber, Option<MatrixNumber>),
    /// An unknown group that the request says is governed by this matrix.
    UnlistedGroup(MatrixNumber),
    /// An unknown group.
    UnknownGroup,
    /// A kind of resource that the action does not take, or a group with an unknown matrix.
    Unsupported,
}

impl<'r> GateContext<'r> {
    /// The context of a request. Costs a look-up of the group, if the request names one.
    #[inline]
    pub fn resolve(view: &View, request: &Request<'r>) -> Self {
        let kind = request.resource.kind();
        let named_matrix = match &request.resource {
            Resource::Group(group) => group.matrix.map(|name| view.matrix_number(name)),
            Resource::None | Resource::User(_) => None,
        };
        let is_matrix_unknown = named_matrix == Some(None);
        let requirements =
            Requirements::lookup(request.action, kind).filter(|_| !is_matrix_unknown);
        let requirements = requirements.filter(|_| is_declared(view, request));
        let matrix_override = named_matrix.flatten();
        let (target, group_id) = match &request.resource {
            _ if requirements.is_none() => (GateTarget::Unsupported, ""),
            Resource::None => (GateTarget::NoResource, ""),
            Resource::User(_) => (GateTarget::User, ""),
            Resource::Group(group) => {
                (GateTarget::from_group(view, group.id, matrix_override), group.id)
            }
        };
        Self {
            action: request.action,
            own: request.own_action,
            target,
            group_id,
            matrix_override,
            field: request.field,
            conversation: request.conversation,
            requirements: requirements.unwrap_or(&UNSUPPORTED),
        }
    }

    /// What the action requires of two users, besides the subject's switch for it.
    pub fn pair_requirements(&self) -> PairRequirements {
        PairRequirements(Requirements { subject_switch: None, ..*self.requirements })
    }

    /// What the request says of the conversation.
    pub fn conversation(&self) -> Option<Conversation> {
        self.conversation
    }

    /// The same without what the request says of a conversation, which is about its own two users.
    pub(super) fn with_conversations_of_facts(self) -> Self {
        Self { conversation: None, ..self }
    }

    /// The same in a conversation that exists.
    #[must_use]
    pub fn in_existing_conversation(self) -> Self {
        Self { conversation: Some(Conversation::Existing), ..self }
    }

    /// The same action in another group.
    #[must_use]
    pub fn in_group(self, group: GroupNumber, view: &View) -> Self {
        let own = || view.groups.get(group).map(|group| group.matrix);
        match self.matrix_override.map(Some).or_else(own) {
            Some(matrix) if self.target != GateTarget::Unsupported => {
                Self { target: GateTarget::Group(group, matrix), ..self }
            }
            _ => self,
        }
    }

    /// The user whom the request is about besides its subject: the resource, if it is a user, or the
    /// `member`.
    #[inline]
    pub fn other_user<'q>(&self, request: &'q Request<'r>) -> Option<&'q User<'r>> {
        match &request.resource {
            Resource::User(user) => Some(user),
            Resource::Group(_) => request.member.as_ref().filter(|_| self.action.takes_member()),
            Resource::None => None,
        }
    }

    /// The group of the request, if it is known.
    #[inline]
    pub(super) fn group<'v>(&self, view: &'v View) -> Option<GroupView<'v>> {
        match self.target {
            GateTarget::Group(number, _) => view.groups.get(number),
            GateTarget::NoResource
            | GateTarget::User
            | GateTarget::UnlistedGroup(_)
            | GateTarget::UnknownGroup
            | GateTarget::Unsupported => None,
        }
    }

    /// The matrix that governs the group of the request.
    pub(super) fn matrix<'v>(&self, view: &'v View) -> Option<&'v CompiledMatrix> {
        match self.target {
            GateTarget::Group(_, matrix) => view.matrix(matrix?),
            GateTarget::UnlistedGroup(matrix) => view.matrix(matrix),
            GateTarget::UnknownGroup => {
                view.matrix(self.matrix_override.or_else(|| view.matrix_number(DEFAULT_MATRIX))?)
            }
            GateTarget::NoResource | GateTarget::User | GateTarget::Unsupported => None,
        }
    }

    /// Whether the resource is a group, known or not.
    pub(super) fn is_in_group(&self) -> bool {
        match self.target {
            GateTarget::Group(..) | GateTarget::UnlistedGroup(_) | GateTarget::UnknownGroup => true,
            GateTarget::NoResource | GateTarget::User | GateTarget::Unsupported => false,
        }
    }

    /// Whether the resource is a user.
    #[inline]
    pub(super) fn is_between_users(&self) -> bool {
        self.target == GateTarget::User
    }

    /// The principal's role in the group: the request's, or else the group's.
    pub(super) fn role(&self, view: &View, principal: &Principal<'_>) -> Option<Role> {
        principal.role().or_else(|| self.group(view)?.role(principal.number?))
    }

    /// Whether only members of a group are admitted, so that a list of groups needs no others.
    pub fn requires_membership(&self, subject: &Principal<'_>) -> bool {
        let admits_others =
            matches!(self.requirements.role, RoleRequirement::Nothing | RoleRequirement::Join);
        !admits_others && subject.role().is_none()
    }

    /// Whether the action begins a conversation between two users with this tie.
    #[inline]
    pub(super) fn begins_conversation(&self, tie: Tie) -> bool {
        self.requirements.begins_conversation
            && self.conversation_with_tie(tie) == Conversation::New
    }

    /// Whether the action can begin a conversation at all.
    pub(super) fn may_begin_conversation(&self) -> bool {
        self.requirements.begins_conversation && self.conversation != Some(Conversation::Existing)
    }

    /// Whether two users with this tie have a conversation; the request's word comes first.
    #[inline]
    pub(super) fn conversation_with_tie(&self, tie: Tie) -> Conversation {
        self.conversation.unwrap_or(if tie.is_conversation() {
            Conversation::Existing
        } else {
            Conversation::New
        })
    }

    /// The users with whom a principal has a conversation by their ties; nobody if the request states
    /// `conversation`.
    pub(super) fn conversation_partners(&self, view: &View, principal: &Principal<'_>) -> UserSet {
        if self.conversation.is_some() {
            return UserSet::default();
        }
        users_with_tie(view, principal, |_, tie| tie.is_conversation())
    }

    /// The subject's switches that the action requires, whatever the tie between the two.
    pub(super) fn subject_switches(&self) -> impl Iterator<Item = Switch> + use<> {
        let outgoing = self.requirements.requires_outgoing.then_some(Switch::Outgoing);
        outgoing.into_iter().chain(self.requirements.subject_switch)
    }

    /// The block mode between two users, depending on whether they have a conversation: the stricter of
    /// two modes where the action begins one.
    #[inline]
    pub(super) fn block_mode(&self, view: &View, conversation: Conversation) -> BlockMode {
        if !self.requirements.checks_blocks {
            return BlockMode::Off;
        }
        let blocks = &view.settings.blocks;
        let declared = self.own_declaration(view).map_or(BlockMode::Off, |own| own.blocks);
        let own = blocks.mode(self.action).max(declared);
        if self.requirements.begins_conversation && conversation == Conversation::New {
            own.max(blocks.mode(Requirements::BEGINNING_ACTION))
        } else {
            own
        }
    }

    /// The requested action of the two that a declared one has: its own, or the only one.
    pub(super) fn requested_name(&self, view: &View) -> ActionName {
        view.settings
            .actions
            .name(self.own.map_or(ActionKey::from(self.action), ActionKey::Declared))
    }

    /// What the policy says of the requested action itself, if it declares it.
    #[inline]
    pub(super) fn own_declaration<'v>(
        &self,
        view: &'v View,
    ) -> Option<&'v ActionDeclaration<TagId>> {
        view.settings.actions.get(self.own?)
    }

    /// Whether the requested action, or the one that it is like, is in a set.
    #[inline]
    pub(super) fn is_among(&self, actions: ActionSet) -> bool {
        actions.contains(self.action) || self.own.is_some_and(|own| actions.contains_declared(own))
    }

    /// The action that the requested one is like, and the requested one.
    #[inline]
    pub(super) fn requested_keys(&self) -> impl Iterator<Item = ActionKey> + use<> {
        let own = self.own.map(ActionKey::Declared);
        [Some(ActionKey::BuiltIn(self.action)), own].into_iter().flatten()
    }

    /// The principal where users may act on themselves: nothing between two users applies there.
    pub(super) fn exempt_self<'v>(&self, principal: &Principal<'_>) -> Selection<'v> {
        let may = !self.is_between_users() || self.requirements.allows_self;
        principal.number.filter(|_| may).into_iter().collect::<UserSet>().into()
    }

    /// Whether the action is about another user besides the subject.
    pub(super) fn involves_other_user(&self) -> bool {
        self.is_between_users() || self.action.takes_member()
    }
}

/// Whether the requested action is one that the policy declares as like the built-in one, or built in itself.
#[inline]
fn is_declared(view: &View, request: &Request<'_>) -> bool {
    request.own_action.is_none_or(|own| {
        view.settings.actions.get(own).is_some_and(|declared| declared.like == request.action)
    })
}

impl GateTarget {
    fn from_group(view: &View, id: &str, matrix_override: Option<MatrixNumber>) -> Self {
        match (view.groups.number(id), matrix_override) {
            (Some(number), matrix_override) => {
                let own = || view.groups.get(number).map(|group| group.matrix);
                let matrix = matrix_override.map(Some).or_else(own);
                matrix.map_or(Self::UnknownGroup, |matrix| Self::Group(number, matrix))
            }
            (None, Some(matrix)) if view.settings.unknown_users == UnknownUsers::AllowDefaults => {
                Self::UnlistedGroup(matrix)
            }
            (None, _) => Self::UnknownGroup,
        }
    }

    /// Whether the action can take place there at all.
    pub(super) fn is_known(self) -> bool {
        match self {
            Self::NoResource | Self::User | Self::Group(..) | Self::UnlistedGroup(_) => true,
            Self::UnknownGroup | Self::Unsupported => false,
        }
    }
}
