//! The parts of a question, checked against each other and assembled into a request.

use thiserror::Error;

use super::{Action, Conversation, Request, RequestedAction, Resource, ResourceKind};

/// The parts of a question as they are given, before they are checked against each other.
#[derive(Clone, Copy, Debug)]
pub struct QuestionParts<'a> {
    pub subject: Option<&'a str>,
    pub action: RequestedAction,
    /// `user`, `group`, or any other text for a resource that is neither. Without it, the resource
    /// is of the first kind that the action takes.
    pub resource_type: Option<&'a str>,
    pub resource: Option<&'a str>,
    pub member: Option<&'a str>,
    pub field: Option<&'a str>,
    pub conversation: Option<Conversation>,
}

/// The part of a request that a list leaves open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wildcard {
    /// The users who may perform the action.
    Subject,
    /// The users on whom the action may be performed.
    Resource,
    /// The users whom the action may concern.
    Member,
    /// The groups in which the action may be performed.
    Group,
}

/// The flaw of parts that don't form a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum QuestionPartsError {
    #[error("`{0}` takes {resources}", resources = resources(*.0))]
    WrongKind(Action),
    #[error("`{0}` takes no resource, unless its `resource_type` is given")]
    NoResource(Action),
    #[error("`{0}` needs a `subject`")]
    NoSubject(Action),
    #[error("`{0}` needs a `resource`")]
    ResourceMissing(Action),
    #[error("`{0}` needs a `member`: whom it is about")]
    MemberMissing(Action),
    #[error("`{0}` needs a `field`: what is to be changed")]
    FieldMissing(Action),
    #[error(
        "give either `subject`, for whom they may reach, or `resource`, for who may reach them"
    )]
    AllOpen,
    #[error("nothing is left to list: leave out the `subject`, the `resource` or the `member`")]
    NothingOpen,
}

impl QuestionPartsError {
    /// The name of the part that the error concerns; empty if it concerns all of them.
    pub const fn part(self) -> &'static str {
        match self {
            Self::WrongKind(_) => "resource_type",
            Self::NoResource(_) | Self::ResourceMissing(_) => "resource",
            Self::NoSubject(_) => "subject",
            Self::MemberMissing(_) => "member",
            Self::FieldMissing(_) => "field",
            Self::AllOpen | Self::NothingOpen => "",
        }
    }
}

impl ResourceKind {
    /// The kind of a resource with this type name.
    pub fn from_type_name(name: &str) -> Self {
        match name {
            "user" => Self::User,
            "group" => Self::Group,
            _ => Self::None,
        }
    }
}

impl Action {
    /// Checks that the action applies to resources of this kind.
    ///
    /// # Errors
    /// If it does not.
    pub fn check_kind(self, kind: ResourceKind) -> Result<ResourceKind, QuestionPartsError> {
        if self.takes().contains(&kind) {
            Ok(kind)
        } else {
            Err(QuestionPartsError::WrongKind(self))
        }
    }
}

impl<'a> QuestionParts<'a> {
    /// The request whether the subject may perform the action.
    ///
    /// # Errors
    /// If a part is missing, or the action does not apply to the resource.
    pub fn into_request(self) -> Result<Request<'a>, QuestionPartsError> {
        let subject = self.subject.ok_or(QuestionPartsError::NoSubject(self.action.action))?;
        let resource = self.resource(self.kind()?)?;
        self.request(subject, resource, self.member()?)
    }

    /// The request of a list, and the part that it leaves open.
    ///
    /// # Errors
    /// If a part is missing that can't be left open, or no part is.
    pub fn into_list_request(self) -> Result<(Request<'a>, Wildcard), QuestionPartsError> {
        let kind = match (self.subject, self.resource, self.resource_type) {
            // A list of the subjects for no resource, not of the resources.
            (None, ..) | (.., Some(_)) => self.kind()?,
            (Some(_), ..) => self.default_kind(),
        };
        let (open, resource) = match (self.subject, self.resource) {
            (Some(_), None) => match kind {
                ResourceKind::User => (Wildcard::Resource, Resource::User("".into())),
                ResourceKind::Group => (Wildcard::Group, Resource::Group("".into())),
                ResourceKind::None => return Err(QuestionPartsError::NothingOpen),
            },
            (Some(_), Some(group)) => {
                let is_open = self.action.action.takes_member() && self.member.is_none();
                if kind != ResourceKind::Group || !is_open {
                    return Err(QuestionPartsError::NothingOpen);
                }
                (Wildcard::Member, Resource::Group(group.into()))
            }
            (None, resource) => {
                if resource.is_none() && kind != ResourceKind::None {
                    return Err(QuestionPartsError::AllOpen);
                }
                (Wildcard::Subject, self.resource(kind)?)
            }
        };
        let member = if open == Wildcard::Member { None } else { self.member()? };
        let request = self.request(self.subject.unwrap_or_default(), resource, member)?;
        Ok((request, open))
    }

    fn request(
        self,
        subject: &'a str,
        resource: Resource<'a>,
        member: Option<&'a str>,
    ) -> Result<Request<'a>, QuestionPartsError> {
        Ok(Request {
            member: member.map(Into::into),
            field: self.field()?,
            conversation: self.conversation,
            own_action: self.action.own,
            ..Request::with_resource(subject, self.action.action, resource)
        })
    }

    fn default_kind(self) -> ResourceKind {
        self.action.action.takes().first().copied().unwrap_or(ResourceKind::None)
    }

    fn kind(self) -> Result<ResourceKind, QuestionPartsError> {
        match (self.resource_type, self.resource) {
            (Some(name), _) => self.action.action.check_kind(ResourceKind::from_type_name(name)),
            (None, None) if self.action.action.takes().contains(&ResourceKind::None) => {
                Ok(ResourceKind::None)
            }
            (None, _) => Ok(self.default_kind()),
        }
    }

    fn resource(self, kind: ResourceKind) -> Result<Resource<'a>, QuestionPartsError> {
        match (kind, self.resource) {
            (ResourceKind::User, Some(id)) => Ok(Resource::User(id.into())),
            (ResourceKind::Group, Some(id)) => Ok(Resource::Group(id.into())),
            (ResourceKind::None, Some(_)) if self.resource_type.is_none() => {
                Err(QuestionPartsError::NoResource(self.action.action))
            }
            (ResourceKind::None, _) => Ok(Resource::None),
            (_, None) => Err(QuestionPartsError::ResourceMissing(self.action.action)),
        }
    }

    /// The member, if the action takes one; it is ignored for other actions.
    fn member(self) -> Result<Option<&'a str>, QuestionPartsError> {
        match self.member.filter(|_| self.action.action.takes_member()) {
            None if self.action.action.takes_member() => {
                Err(QuestionPartsError::MemberMissing(self.action.action))
            }
            member => Ok(member),
        }
    }

    fn field(self) -> Result<Option<&'a str>, QuestionPartsError> {
        match self.field.filter(|_| self.action.action.takes_field()) {
            None if self.action.action.takes_field() => {
                Err(QuestionPartsError::FieldMissing(self.action.action))
            }
            field => Ok(field),
        }
    }
}

fn resources(action: Action) -> &'static str {
    use ResourceKind::{Group, None, User};
    match action.takes() {
        [User] => "a resource of type user",
        [Group] => "a resource of type group",
        [User, Group] => "a resource of type user or group",
        [None] => "no resource of type user or group",
        _ => "any resource",
    }
}
