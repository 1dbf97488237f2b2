//! The questions of expectations, read into requests.

use super::vocabulary::{parse_word, unknown_word};
use crate::{
    diagnostic::{Code, Diagnostic},
    request::{
        self, Action, Conversation, Group, Moderation, PeersMode, Request, RequestedAction,
        Resource, ResourceKind, Role, Switch, User, Wildcard,
    },
    snapshot::View,
    source::Span,
    syntax::{
        ast::Text,
        tests::{Expectation, ExpectationProperties},
    },
};

/// The question of an expectation.
#[derive(Debug)]
pub(super) struct TestQuestion<'e> {
    pub(super) request: Request<'e>,
    /// The part that a list leaves open; `None` for a decision.
    pub(super) open: Option<Wildcard>,
}

/// A reader of the question of one expectation.
struct Reader<'e, 's, 'p> {
    expected: &'e Expectation<'s>,
    action: Action,
    asked: RequestedAction,
    kind: ResourceKind,
    problems: &'p mut Vec<Diagnostic>,
}

impl<'e> TestQuestion<'e> {
    /// Reads the question. `None`, with the reasons added to `problems`, if it is invalid or a part
    /// of it has no effect: nobody should believe that such a part is tested.
    pub(super) fn resolve(
        expected: &'e Expectation<'_>,
        view: &View,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let asked = match view.requested_action(&expected.action.value) {
            Ok(asked) => asked,
            Err(unknown) => {
                let known: Vec<&str> = unknown.known.split(", ").collect();
                problems.push(unknown_word("action", &expected.action, &known));
                return None;
            }
        };
        let action = asked.action;
        let kind = kind(expected, action);
        let before = problems.len();
        let mut reader = Reader { expected, action, asked, kind, problems };
        if let Err(misfit) = action.check_kind(kind) {
            let given = expected.resource_type.as_ref().unwrap_or(&expected.action);
            reader.wrong(given.span, misfit.to_string());
            return None;
        }
        let open = reader.open()?;
        reader.check_parts(open);
        let question = reader.question(view, open);
        (problems.len() == before).then_some(question)
    }

    /// The request about one id that is on the list or might be.
    pub(super) fn with_listed<'q>(&'q self, id: &'q str) -> Request<'q> {
        let mut request: Request<'q> = self.request.clone();
        match self.open {
            Some(Wildcard::Subject) => request.subject = id.into(),
            Some(Wildcard::Resource) => request.resource = Resource::User(id.into()),
            Some(Wildcard::Group) => request.resource = Resource::Group(id.into()),
            Some(Wildcard::Member) => request.member = Some(id.into()),
            None => {}
        }
        request
    }
}

/// The kind of the resource, given or open.
pub(super) fn kind(expected: &Expectation<'_>, action: Action) -> ResourceKind {
    let takes = action.takes();
    match &expected.resource_type {
        Some(name) => ResourceKind::from_type_name(&name.value),
        None if expected.resource.is_none()
            && expected.answer.reaches.is_none()
            && takes.contains(&ResourceKind::None) =>
        {
            ResourceKind::None
        }
        None => takes.first().copied().unwrap_or(ResourceKind::None),
    }
}

impl<'e> Reader<'e, '_, '_> {
    fn wrong(&mut self, span: Span, message: impl Into<String>) {
        self.problems.push(Diagnostic::error(Code::Misfit, span, message));
    }

    /// The part that is left open; the outer `None` if the question is invalid.
    #[expect(clippy::option_option, reason = "no question, or one with nothing open")]
    fn open(&mut self) -> Option<Option<Wildcard>> {
        let expected = self.expected;
        let has_resource = expected.resource.is_some() || self.kind == ResourceKind::None;
        let reaches = expected.answer.reaches.as_ref();
        match (&expected.subject, has_resource, reaches) {
            (None, true, _) => return Some(Some(Wildcard::Subject)),
            (Some(_), true, None) => return Some(None),
            (Some(_), false, Some(_)) if self.kind == ResourceKind::Group => {
                return Some(Some(Wildcard::Group));
            }
            (Some(_), false, Some(_)) => return Some(Some(Wildcard::Resource)),
            (Some(_), true, Some(_))
                if self.kind == ResourceKind::Group && self.action.takes_member() =>
            {
                return Some(Some(Wildcard::Member));
            }
            (None, false, _) => {
                self.wrong(expected.span, "`subject` and `resource` are both missing");
            }
            (Some(_), true, Some(list)) => {
                self.wrong(list.span, "`reaches` has nothing to list: the resource is given");
            }
            (Some(_), false, None) => {
                self.wrong(expected.span, "`resource` is missing");
            }
        }
        None
    }

    /// Checks that each given part belongs to the question.
    fn check_parts(&mut self, open: Option<Wildcard>) {
        let expected = self.expected;
        let takes_member = self.action.takes_member() && open != Some(Wildcard::Member);
        self.check_given(expected.member.as_ref(), takes_member, "member");
        self.check_given(expected.field.as_ref(), self.action.takes_field(), "field");
        if self.kind != ResourceKind::User
            && let Some(word) = &expected.conversation
        {
            self.wrong(word.span, "`conversation` has no effect here: it is between two users");
        }
        for (properties, of, what) in [
            (&expected.subject_properties, &expected.subject, "subject"),
            (&expected.resource_properties, &expected.resource, "resource"),
            (&expected.member_properties, &expected.member, "member"),
        ] {
            if let (Some(properties), None) = (properties, of) {
                let message = format!("`{what}_properties` has no effect without `{what}`");
                self.wrong(properties.span, message);
            }
        }
        if self.kind == ResourceKind::None
            && let (Some(resource), None) = (&expected.resource, &expected.resource_type)
        {
            let message = format!("`{}` takes no resource, unless its type is given", self.action);
            self.wrong(resource.span, message);
        }
    }

    fn check_given(&mut self, given: Option<&Text<'_>>, takes: bool, what: &str) {
        match given {
            None if takes => {
                self.wrong(self.expected.span, format!("`{}` needs a `{what}`", self.action));
            }
            Some(given) if !takes => {
                self.wrong(given.span, format!("`{what}` has no effect here"));
            }
            _ => {}
        }
    }

    fn question(&mut self, view: &View, open: Option<Wildcard>) -> TestQuestion<'e> {
        let expected = self.expected;
        let conversation = expected
            .conversation
            .as_ref()
            .and_then(|text| parse_word("conversation", text, Conversation::ALL, self.problems));
        let subject = self.user(expected.subject.as_ref(), expected.subject_properties.as_ref());
        if let Some(ExpectationProperties { role: Some(role), .. }) = &expected.subject_properties
            && self.kind != ResourceKind::Group
        {
            self.wrong(role.span, "`role` has no effect here: the resource is not a group");
        }
        for other in [&expected.resource_properties, &expected.member_properties] {
            if let Some(ExpectationProperties { role: Some(role), .. }) = other {
                self.wrong(role.span, "`role` is a property of the subject");
            }
        }
        let member = self.user(expected.member.as_ref(), expected.member_properties.as_ref());
        let request = Request {
            subject: subject.unwrap_or_else(|| "".into()),
            action: self.action,
            own_action: self.asked.own,
            resource: self.resource(view),
            member,
            field: expected.field.as_ref().map(|field| &*field.value),
            conversation,
        };
        TestQuestion { request, open }
    }

    fn resource(&mut self, view: &View) -> Resource<'e> {
        let id = self.expected.resource.as_ref();
        let properties = self.expected.resource_properties.as_ref();
        match self.kind {
            ResourceKind::None => {
                if let Some(properties) = properties {
                    self.wrong(properties.span, "`resource_properties` has no effect here");
                }
                Resource::None
            }
            ResourceKind::User => {
                Resource::User(self.user(id, properties).unwrap_or_else(|| "".into()))
            }
            ResourceKind::Group => Resource::Group(Group {
                id: id.map_or("", |id| &id.value),
                matrix: properties.and_then(|properties| self.matrix(properties, view)),
            }),
        }
    }

    fn matrix(&mut self, given: &'e ExpectationProperties<'_>, view: &View) -> Option<&'e str> {
        let is_of_user = given.tags.is_some()
            || given.peers.is_some()
            || !given.permissions.is_empty()
            || given.moderation.is_some();
        let Some(matrix) = given.matrix.as_ref().filter(|_| !is_of_user) else {
            self.wrong(given.span, "a group has the property `matrix` and no other");
            return None;
        };
        if view.matrix_number(&matrix.value).is_none() {
            let names: Vec<&str> = view.matrices.iter().map(|matrix| &*matrix.name).collect();
            let problem = unknown_word("matrix", matrix, &names);
            self.problems.push(Diagnostic { code: Code::UnknownMatrix, ..problem });
        }
        Some(&matrix.value)
    }

    fn user(
        &mut self,
        id: Option<&'e Text<'_>>,
        given: Option<&'e ExpectationProperties<'_>>,
    ) -> Option<User<'e>> {
        let properties = given.map(|given| Box::new(self.properties(given)));
        id.map(|id| User { id: &id.value, properties })
    }

    fn properties(&mut self, given: &'e ExpectationProperties<'_>) -> request::Properties<'e> {
        if let Some(matrix) = &given.matrix {
            self.wrong(matrix.span, "a user has no matrix");
        }
        let peers = given.peers.as_ref().and_then(|text| {
            let mode = PeersMode::parse(&text.value).ok();
            if mode.is_none() {
                self.problems.push(unknown_word("peers mode", text, PeersMode::ALL));
            }
            mode
        });
        let problems = &mut *self.problems;
        let permissions = given.permissions.iter().filter_map(|(text, on)| {
            parse_word("permission", text, Switch::ALL, problems).map(|switch| (switch, *on))
        });
        let permissions = permissions.collect();
        let moderation = given.moderation.as_ref();
        let role = given.role.as_ref();
        request::Properties {
            tags: given
                .tags
                .as_ref()
                .map(|tags| tags.value.iter().map(|tag| &*tag.value).collect()),
            peers,
            permissions,
            moderation: moderation.and_then(|text| {
                parse_word("moderation state", text, Moderation::ALL, self.problems)
            }),
            role: role.and_then(|text| parse_word("role", text, Role::ALL, self.problems)),
        }
    }
}
