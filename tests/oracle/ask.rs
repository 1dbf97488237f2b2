//! The oracle's answers to questions.

use super::{kinds, takes_member};

/// May the subject do this to the resource?
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) subject: Asked,
    pub(crate) action: &'static str,
    pub(crate) resource: Resource,
    pub(crate) member: Option<Asked>,
    pub(crate) field: Option<String>,
    pub(crate) conversation: Option<&'static str>,
}

/// A user in a question.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) given: Given,
}

/// What stands in for what the facts hold of a user.
#[derive(Clone, Default, Debug)]
pub(crate) struct Given {
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) peers: Option<&'static str>,
    pub(crate) permissions: Vec<(&'static str, bool)>,
    pub(crate) moderation: Option<&'static str>,
    pub(crate) role: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) enum Resource {
    None,
    User(Asked),
    /// `matrix` names the one that stands in for the group's own.
    Group {
        id: String,
        matrix: Option<String>,
    },
}

impl From<&str> for Asked {
    fn from(id: &str) -> Self {
        Self { id: id.into(), given: Given::default() }
    }
}

impl Question {
    pub(crate) fn new(subject: &str, action: &'static str, resource: &str) -> Self {
        Self::of(subject, action, Resource::User(resource.into()))
    }

    pub(crate) fn of(subject: &str, action: &'static str, resource: Resource) -> Self {
        let subject = subject.into();
        Self { subject, action, resource, member: None, field: None, conversation: None }
    }

    /// Whether it has all that the action takes; a field aside.
    pub(crate) fn fits(&self) -> bool {
        self.fits_like(self.action)
    }

    /// The same of an action that takes what a built-in one takes.
    pub(super) fn fits_like(&self, action: &str) -> bool {
        let kind = match self.resource {
            Resource::None => "none",
            Resource::User(_) => "user",
            Resource::Group { .. } => "group",
        };
        kinds(action).contains(&kind) && (!takes_member(action) || self.member.is_some())
    }

    /// The other user whom it is about, if its action is like this built-in one: the resource, or the
    /// member whom a group takes.
    pub(super) fn other_like(&self, action: &str) -> Option<&Asked> {
        match &self.resource {
            Resource::User(user) => Some(user),
            Resource::Group { .. } if takes_member(action) => self.member.as_ref(),
            _ => None,
        }
    }

    pub(super) fn is_in_group(&self) -> bool {
        matches!(self.resource, Resource::Group { .. })
    }
}
