use std::collections::BTreeMap;

use peerage::{
    request::{self, Action, Group, PeersMode, Request, Resource, ResourceKind, UnknownWord, User},
    snapshot::View,
};
use serde::Deserialize;

use super::expectation::Expectation;

/// What a list is of: the part of a question that is left open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Open {
    Nothing,
    Subject,
    Resource,
    Member,
    Group,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Context {
    conversation: Option<String>,
}

/// What stands in, in one question, for what the policy says.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Properties {
    tags: Option<Vec<String>>,
    peers: Option<String>,
    #[serde(default)]
    permissions: BTreeMap<String, bool>,
    moderation: Option<String>,
    /// Of the subject, in a group.
    role: Option<String>,
    /// Of a group.
    matrix: Option<String>,
}

impl Expectation {
    /// What is asked, and which part of it is left open.
    pub(super) fn question(&self, view: &View) -> Result<(Request<'_>, Open), String> {
        let action = self.action()?;
        let kind = self.kind()?;
        if !action.takes().contains(&kind) {
            return Err("the action can't be done to a resource of this type".into());
        }
        let open = self.open(action, kind)?;
        let is_group = kind == ResourceKind::Group;
        let given = |given: bool, takes: bool, what: &str| {
            let wrong = if takes { "is missing" } else { "says nothing here" };
            if given == takes { Ok(()) } else { Err(format!("`{what}` {wrong}")) }
        };
        let takes_member = action.takes_member() && open != Open::Member;
        given(self.member.is_some(), takes_member, "member")?;
        given(self.field.is_some(), action.takes_field(), "field")?;
        if self.context.conversation.is_some() {
            given(true, kind == ResourceKind::User, "context.conversation")?;
        }
        for (properties, of, what) in [
            (&self.subject_properties, &self.subject, "subject_properties"),
            (&self.resource_properties, &self.resource, "resource_properties"),
            (&self.member_properties, &self.member, "member_properties"),
        ] {
            given(properties.is_some(), properties.is_some() && of.is_some(), what)?;
        }
        let subject = user(self.subject.as_deref(), self.subject_properties.as_ref())?;
        if let Some(properties) = &self.subject_properties {
            given(properties.matrix.is_some(), false, "subject_properties.matrix")?;
            let has_role = properties.role.is_some();
            given(has_role, has_role && is_group, "subject_properties.role")?;
        }
        let conversation = self.context.conversation.as_deref().map(str::parse).transpose();
        let member = user(self.member.as_deref(), self.member_properties.as_ref())?;
        Ok((
            Request {
                subject: subject.unwrap_or_else(|| "".into()),
                action,
                resource: self.resource(view, kind)?,
                member,
                field: self.field.as_deref(),
                conversation: conversation.map_err(unknown)?,
            },
            open,
        ))
    }

    fn action(&self) -> Result<Action, String> {
        self.action.parse().map_err(unknown)
    }

    /// The kind of the resource, given or open.
    pub(super) fn kind(&self) -> Result<ResourceKind, String> {
        let takes = self.action()?.takes();
        Ok(match self.resource_type.as_deref() {
            Some("user") => ResourceKind::User,
            Some("group") => ResourceKind::Group,
            Some(_) => ResourceKind::None,
            None if self.resource.is_none()
                && self.reaches.is_none()
                && takes.contains(&ResourceKind::None) =>
            {
                ResourceKind::None
            }
            None => takes[0],
        })
    }

    fn open(&self, action: Action, kind: ResourceKind) -> Result<Open, String> {
        let has_resource = self.resource.is_some() || kind == ResourceKind::None;
        match (&self.subject, has_resource) {
            (None, true) => Ok(Open::Subject),
            (None, false) => Err("`subject` and `resource` are both missing".into()),
            (Some(_), true) if self.reaches.is_none() => Ok(Open::Nothing),
            (Some(_), true) if kind == ResourceKind::Group && action.takes_member() => {
                Ok(Open::Member)
            }
            (Some(_), true) => Err("`reaches` lists nothing here".into()),
            (Some(_), false) if self.reaches.is_none() => Err("`resource` is missing".into()),
            (Some(_), false) if kind == ResourceKind::Group => Ok(Open::Group),
            (Some(_), false) => Ok(Open::Resource),
        }
    }

    fn resource(&self, view: &View, kind: ResourceKind) -> Result<Resource<'_>, String> {
        let id = self.resource.as_deref().unwrap_or_default();
        let properties = self.resource_properties.as_ref();
        match kind {
            ResourceKind::None if self.resource.is_some() && self.resource_type.is_none() => {
                Err("`resource` says nothing without its type".into())
            }
            ResourceKind::None if properties.is_some() => {
                Err("`resource_properties` says nothing here".into())
            }
            ResourceKind::None => Ok(Resource::None),
            ResourceKind::User if properties.is_some_and(|of| of.matrix.is_some()) => {
                Err("a user has no matrix".into())
            }
            ResourceKind::User if properties.is_some_and(|of| of.role.is_some()) => {
                Err("`role` is a property of the subject".into())
            }
            ResourceKind::User => {
                Ok(Resource::User(user(Some(id), properties)?.unwrap_or_else(|| id.into())))
            }
            ResourceKind::Group => {
                let matrix = match properties {
                    None => None,
                    Some(Properties {
                        tags: None,
                        peers: None,
                        permissions,
                        moderation: None,
                        role: None,
                        matrix: Some(matrix),
                    }) if permissions.is_empty() => Some(matrix.as_str()),
                    Some(_) => return Err("a group has the property `matrix` only".into()),
                };
                if let Some(name) = matrix.filter(|name| view.matrix_number(name).is_none()) {
                    return Err(format!("there is no matrix `{name}`"));
                }
                Ok(Resource::Group(Group { id, matrix }))
            }
        }
    }
}

fn user<'a>(
    id: Option<&'a str>,
    properties: Option<&'a Properties>,
) -> Result<Option<User<'a>>, String> {
    let properties = properties.map(|given| given.of_user().map(Box::new)).transpose();
    let properties = properties.map_err(unknown)?;
    Ok(id.map(|id| User { id, properties }))
}

impl Properties {
    fn of_user(&self) -> Result<request::Properties<'_>, UnknownWord> {
        let permissions = self.permissions.iter().map(|(word, on)| Ok((word.parse()?, *on)));
        Ok(request::Properties {
            tags: self.tags.as_ref().map(|tags| tags.iter().map(String::as_str).collect()),
            peers: self.peers.as_deref().map(PeersMode::parse).transpose()?,
            permissions: permissions.collect::<Result<_, UnknownWord>>()?,
            moderation: self.moderation.as_deref().map(str::parse).transpose()?,
            role: self.role.as_deref().map(str::parse).transpose()?,
        })
    }
}

/// What is wrong with a word.
#[allow(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
pub(super) fn unknown(error: UnknownWord) -> String {
    error.to_string()
}
