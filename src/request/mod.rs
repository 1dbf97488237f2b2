//! The vocabulary: who asks, to do what, with whom, and what the answer is.
//!
//! Invariant: knows of nothing else in this crate.

mod action;
mod condition;
mod decision;
mod declared;
mod group;
mod ids;
mod question;
mod rule_source;
mod section;
mod setting;
mod settings;
mod statement;
mod suggest;
mod text_enum;

pub use action::{Action, ResourceKind};
pub use condition::Condition;
pub use decision::{Decision, GateName, Obligation, Reason};
pub use declared::{DeclarationSite, DeclaredField, DeclaredFields};
pub use group::{
    BUILT_IN_MATRICES, DM_MATRIX, Grant, GrantCondition, GroupPermission, MetadataGrants, Role,
};
pub use ids::{
    InvalidIdError, InvalidTagError, ProtectedTags, TAG_ALPHABET, TagForm, check_id, check_tag,
};
pub use question::{QuestionParts, QuestionPartsError, Wildcard};
pub use rule_source::RuleSource;
pub use section::{Section, SectionSet};
pub use setting::{
    Approval, BlockMode, Conversation, Moderation, PeersMode, Relation, Switch, Toggle,
    UnknownUsers,
};
pub use settings::{Blocks, Limits, Peers, Settings};
pub use statement::StatementId;
pub use suggest::did_you_mean;
pub(crate) use text_enum::words;
pub use text_enum::{UnknownWord, describe_choices};

/// A question: may the subject do this to the resource?
///
/// A list leaves one of its parties open: whoever stands in that place is passed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request<'a> {
    pub subject: User<'a>,
    pub action: Action,
    pub resource: Resource<'a>,
    /// Whom an action on a group is about, if it [takes](Action::takes_member) someone.
    pub member: Option<User<'a>>,
    /// Which field of a group's metadata, if the action [takes](Action::takes_field) one.
    pub field: Option<&'a str>,
    /// Whether the two talk already; `None` if the facts are to say it.
    pub conversation: Option<Conversation>,
}

/// To what something is done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resource<'a> {
    /// Nothing, or something that is neither a user nor a group.
    None,
    User(User<'a>),
    Group(Group<'a>),
}

/// A user in a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User<'a> {
    pub id: &'a str,
    /// What the request says of him in place of what the facts hold.
    pub properties: Option<Box<Properties<'a>>>,
}

/// What stands in, in one request, for what the facts hold of a user; `None` stands in for nothing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Properties<'a> {
    pub tags: Option<Vec<&'a str>>,
    pub peers: Option<PeersMode>,
    /// The switches that are given.
    pub permissions: Vec<(Switch, bool)>,
    pub moderation: Option<Moderation>,
    /// What the subject is in the group.
    pub role: Option<Role>,
}

/// A group in a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group<'a> {
    pub id: &'a str,
    /// The name of the matrix that stands in for the group's own.
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
    /// A question about two users without properties, the common kind.
    pub fn new(subject: &'a str, action: Action, resource: &'a str) -> Self {
        Self::with_resource(subject, action, Resource::User(resource.into()))
    }

    /// A question about a user and a group.
    pub fn in_group(subject: &'a str, action: Action, group: &'a str) -> Self {
        Self::with_resource(subject, action, Resource::Group(group.into()))
    }

    /// A question about anything.
    pub fn with_resource(subject: &'a str, action: Action, resource: Resource<'a>) -> Self {
        let subject = subject.into();
        Self { subject, action, resource, member: None, field: None, conversation: None }
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
