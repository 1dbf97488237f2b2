//! The vocabulary of decisions: requests, settings, and the decisions themselves.
//!
//! Invariant: knows of nothing else in this crate.

mod action;
mod action_set;
mod condition;
mod decision;
mod declared;
mod declared_action;
mod during;
mod enum_map;
mod group;
mod ids;
mod moment;
mod pair_statements;
mod peers;
mod question;
mod relation_condition;
mod rule_source;
mod section;
mod setting;
mod settings;
mod statement;
mod suggest;
mod text_enum;
mod window;
mod windows;

pub use action::{Action, ResourceKind};
pub use action_set::ActionSet;
pub use condition::{Condition, EVERYONE, NOBODY};
pub use decision::{Decision, GateName, Obligation, Obligations, Reason};
pub use declared::{DeclarationSite, DeclaredField, DeclaredFields};
pub use declared_action::{
    ActionDeclaration, ActionKey, ActionName, DeclaredAction, DeclaredActions, RequestedAction,
};
pub use during::{DURING, During, NamesWindows};
pub use enum_map::{EnumMap, Enumeration};
pub use group::{
    BUILT_IN_MATRICES, DM_MATRIX, Grant, GrantCondition, GroupPermission, MetadataGrants,
    PermissionMap, Role,
};
pub use ids::{
    InvalidIdError, InvalidTagError, ProtectedTags, TAG_ALPHABET, TagForm, check_id, check_tag,
};
pub use moment::{InvalidMomentError, Moment};
pub use pair_statements::{
    Accepts, Asked, Audience, AudienceMode, AudienceNumber, Audiences, Barrier, Otherwise, Outcome,
};
pub use peers::{AudienceSlot, PeersSetting};
pub use question::{QuestionParts, QuestionPartsError, Wildcard};
pub use relation_condition::{
    CONDITION_RELATIONS, EdgeDirection, RelationCondition, SHARES_GROUP, TagPattern,
};
pub use rule_source::RuleSource;
pub use section::{Section, SectionSet};
pub use setting::{
    Approval, BlockMode, BlockableAction, BlockableActionMap, Conversation, LimitKind, Moderation,
    PeersMode, Relation, RelationMap, Switch, SwitchMap, Toggle, UnknownUsers, UserList,
};
pub use settings::{Blocks, Limits, Peers, Settings};
pub use statement::StatementId;
pub use suggest::{did_you_mean, suggest};
pub use text_enum::UnknownWordError;
pub(crate) use text_enum::text_enum;
pub use window::{Day, InvalidTimeError, Window, WindowDate, WindowTime, Zone, zone_names};
pub use windows::Windows;

/// A request: may the subject perform the action on the resource?
///
/// A list leaves one of its parties open; the value in that place is ignored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request<'a> {
    pub subject: User<'a>,
    /// The action, or the one that [`own_action`](Self::own_action) is like.
    pub action: Action,
    /// The requested action, if it is one that the policy declares; it must be like `action`.
    pub own_action: Option<DeclaredAction>,
    pub resource: Resource<'a>,
    /// The user whom an action on a group concerns, if it [takes](Action::takes_member) a member.
    pub member: Option<User<'a>>,
    /// The field of a group's metadata, if the action [takes](Action::takes_field) one.
    pub field: Option<&'a str>,
    /// The state of the conversation between the two; `None` to take it from the facts.
    pub conversation: Option<Conversation>,
}

/// The resource of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resource<'a> {
    /// No resource, or one that is neither a user nor a group.
    None,
    User(User<'a>),
    Group(Group<'a>),
}

/// A user in a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User<'a> {
    pub id: &'a str,
    /// The properties that replace the facts about this user in this request.
    pub properties: Option<Box<Properties<'a>>>,
}

/// Properties that replace the facts about a user in one request; `None` replaces nothing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Properties<'a> {
    pub tags: Option<Vec<&'a str>>,
    pub peers: Option<PeersMode>,
    /// The switches that are overridden.
    pub permissions: Vec<(Switch, bool)>,
    pub moderation: Option<Moderation>,
    /// The role of the subject in the group.
    pub role: Option<Role>,
}

/// A group in a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group<'a> {
    pub id: &'a str,
    /// The name of the matrix that replaces the group's own.
    pub matrix: Option<&'a str>,
}

impl<'a> From<&'a str> for User<'a> {
    fn from(id: &'a str) -> Self {
        Self { id, properties: None }
    }
}

impl<'a> From<&'a str> for Group<'a> {
    fn from(id: &'a str) -> Self {
        Self { id, matrix: None }
    }
}

impl<'a> Request<'a> {
    /// A request about two users without properties, the common kind.
    pub fn new(subject: &'a str, action: Action, resource: &'a str) -> Self {
        Self::with_resource(subject, action, Resource::User(resource.into()))
    }

    /// A request about a user and a group.
    pub fn in_group(subject: &'a str, action: Action, group: &'a str) -> Self {
        Self::with_resource(subject, action, Resource::Group(group.into()))
    }

    /// A request about any resource.
    pub fn with_resource(subject: &'a str, action: Action, resource: Resource<'a>) -> Self {
        let subject = subject.into();
        Self {
            subject,
            action,
            own_action: None,
            resource,
            member: None,
            field: None,
            conversation: None,
        }
    }

    /// The action that is requested.
    pub fn requested(&self) -> RequestedAction {
        RequestedAction { action: self.action, own: self.own_action }
    }

    /// The same request for another action.
    #[must_use]
    pub fn with_action(self, requested: RequestedAction) -> Self {
        Self { action: requested.action, own_action: requested.own, ..self }
    }
}

impl Resource<'_> {
    pub fn kind(&self) -> ResourceKind {
        match self {
            Self::None => ResourceKind::None,
            Self::User(_) => ResourceKind::User,
            Self::Group(_) => ResourceKind::Group,
        }
    }
}
