//! From what came over the wire to a request.

use super::{
    messages,
    properties::{self, UserProperties},
    property_reader::{self, PropertyReader},
};
use crate::{
    decide::{self, Explanation, GateFinding},
    live::ServedPolicy,
    request::{
        Action, Conversation, Decision, GateName, Group, QuestionPartsError, Reason, Request,
        Resource, ResourceKind, UnknownWordError, User, check_id,
    },
    serve::{
        json::{JsonObject, JsonText},
        response::HttpError,
    },
};

/// The parts of an evaluation that are there, each without mistakes in itself.
#[derive(Debug)]
pub(super) struct EvaluationParts<'b> {
    pub subject: Option<EntityPart<'b>>,
    pub action: Option<ActionPart<'b>>,
    pub resource: Option<EntityPart<'b>>,
    pub context: Option<EvaluationContext>,
    /// Where the properties stand that were passed over.
    ignored: Vec<String>,
}

/// A subject or a resource.
#[derive(Debug)]
pub(super) struct EntityPart<'b> {
    kind: ResourceKind,
    id: JsonText<'b>,
    /// What is said of a user.
    properties: Option<UserProperties<'b>>,
    /// The matrix that is said to be a group's.
    matrix: Option<JsonText<'b>>,
}

/// An action, which may be none of ours.
#[derive(Debug)]
pub(super) struct ActionPart<'b> {
    pub action: Result<Action, UnknownWordError>,
    member: Option<JsonText<'b>>,
    field: Option<JsonText<'b>>,
}

#[derive(Clone, Copy, Default, Debug)]
pub(super) struct EvaluationContext {
    pub explain: bool,
    pub conversation: Option<Conversation>,
}

/// Why there is no decision.
#[derive(Debug)]
pub(super) enum EvaluationError {
    /// It can't be read: 400.
    Malformed(HttpError),
    /// It can be read, and nothing that peerage could judge. The standard knows no such error: what
    /// can't be judged is not permitted.
    NotApplicable(String),
}

impl From<HttpError> for EvaluationError {
    fn from(refusal: HttpError) -> Self {
        Self::Malformed(refusal)
    }
}

impl From<QuestionPartsError> for EvaluationError {
    fn from(misfit: QuestionPartsError) -> Self {
        Self::NotApplicable(misfit.to_string())
    }
}

impl From<&UnknownWordError> for EvaluationError {
    fn from(unknown: &UnknownWordError) -> Self {
        Self::NotApplicable(unknown.to_string())
    }
}

/// A request that names someone who is nobody, perhaps.
#[derive(Debug)]
pub(super) struct EvaluationRequest<'q> {
    pub request: Request<'q>,
    /// What a text says that could be no one's id, or a type that is no user's: nobody is meant,
    /// whatever the policy makes of users whom it doesn't know.
    pub unknown_entity: Option<Reason>,
}

impl<'b> EvaluationParts<'b> {
    pub(super) fn read(
        reading: &PropertyReader<'_>,
        evaluation: messages::Evaluation<'b>,
    ) -> Result<Self, HttpError> {
        let messages::Evaluation { subject, action, resource, context } = evaluation;
        let thing = |it, at| EntityPart::read(reading, it, at);
        Ok(Self {
            subject: subject.map(|JsonObject(it)| thing(it, "subject")).transpose()?,
            action: action.map(|JsonObject(it)| ActionPart::read(reading, it)).transpose()?,
            resource: resource.map(|JsonObject(it)| thing(it, "resource")).transpose()?,
            context: context.map(|JsonObject(it)| EvaluationContext::read(&it)).transpose()?,
            ignored: reading.take_ignored(),
        })
    }

    /// Where the properties stand that were passed over, those of the defaults that count too.
    pub(super) fn ignored(&self, defaults: Option<&EvaluationParts<'_>>) -> Vec<String> {
        let mut ignored = self.ignored.clone();
        let Some(defaults) = defaults else { return ignored };
        ignored.extend_from_slice(&defaults.ignored);
        // Each entity is replaced as a whole.
        let is_replaced = |place: &str| match place.split('.').next() {
            Some("subject") => self.subject.is_some(),
            Some("action") => self.action.is_some(),
            _ => self.resource.is_some(),
        };
        let mut count = 0;
        ignored.retain(|place| {
            count += 1;
            count <= self.ignored.len() || !is_replaced(place)
        });
        ignored
    }

    /// The request, in which the defaults take the place of what is missing: each as a whole.
    pub(super) fn resolve<'q>(
        &'q self,
        defaults: Option<&'q EvaluationParts<'q>>,
    ) -> Result<(EvaluationRequest<'q>, EvaluationContext), EvaluationError> {
        let subject = self.subject.as_ref().or(defaults.and_then(|it| it.subject.as_ref()));
        let action = self.action.as_ref().or(defaults.and_then(|it| it.action.as_ref()));
        let resource = self.resource.as_ref().or(defaults.and_then(|it| it.resource.as_ref()));
        let context = self.context.or(defaults.and_then(|it| it.context)).unwrap_or_default();
        let subject = subject.ok_or_else(|| missing("subject"))?;
        let action = action.ok_or_else(|| missing("action"))?;
        let resource = resource.ok_or_else(|| missing("resource"))?;
        let resource = (resource.kind, resource.resource());
        let asked = EvaluationRequest::new(subject.subject(), action, resource, context)?;
        Ok((asked, context))
    }
}

impl<'q> EvaluationRequest<'q> {
    pub(super) fn new(
        (subject, is_somebody): (User<'q>, bool),
        act: &'q ActionPart<'_>,
        (kind, (resource, is_something)): (ResourceKind, (Resource<'q>, bool)),
        context: EvaluationContext,
    ) -> Result<Self, EvaluationError> {
        let action = *act.action.as_ref()?;
        action.check_kind(kind)?;
        let (member, is_some_member) = match act.member()? {
            Some(member) => {
                let id = possible_id(member);
                (Some(id.unwrap_or_default().into()), id.is_some())
            }
            None => (None, true),
        };
        let nobody = match (is_somebody, is_something && is_some_member) {
            (false, _) => Some(Reason::UnknownSubject),
            (_, false) => Some(Reason::UnknownResource),
            _ => None,
        };
        let (field, conversation) = (act.field()?, context.conversation);
        let request = Request { subject, action, resource, member, field, conversation };
        Ok(Self { request, unknown_entity: nobody })
    }

    #[inline]
    pub(super) fn decide(&self, served: &ServedPolicy) -> Decision {
        match self.unknown_entity {
            Some(Reason::UnknownSubject) => Decision::denied(Reason::UnknownSubject),
            _ => self.apply_unknown_entity(decide::decide(&served.view, &self.request)),
        }
    }

    pub(super) fn explain(&self, served: &ServedPolicy) -> Explanation {
        let explanation = decide::explain(&served.view, &self.request);
        let decision = self.apply_unknown_entity(explanation.decision);
        if self.unknown_entity != Some(decision.reason) {
            return explanation;
        }
        // Of nobody the other gates have nothing to say.
        let known = GateFinding {
            gate: GateName::Known,
            closed: Some(decision.reason),
            detail: "the request names someone of a type or id that nobody can have".to_owned(),
        };
        Explanation {
            decision,
            findings: vec![known],
            rules: Vec::new(),
            more_rules: 0,
            concerned_user: None,
        }
    }

    fn apply_unknown_entity(&self, decision: Decision) -> Decision {
        match self.unknown_entity {
            Some(reason) if decision.reason != Reason::UnknownSubject => Decision::denied(reason),
            _ => decision,
        }
    }
}

impl<'b> EntityPart<'b> {
    pub(super) fn read(
        reading: &PropertyReader<'_>,
        entity: messages::AuthZenEntity<'b>,
        at: &str,
    ) -> Result<Self, HttpError> {
        let messages::AuthZenEntity { kind, id, properties } = entity;
        let kind = entity_kind(kind.as_ref(), at)?;
        let id = id.ok_or_else(|| no_member(at, "id"))?;
        let is_subject = at == "subject";
        let (mut given, mut matrix) = (None, None);
        match (kind, properties) {
            (ResourceKind::User, Some(properties)) => {
                given = Some(UserProperties::read(reading, properties, at)?);
            }
            (ResourceKind::Group, Some(properties)) if !is_subject => {
                matrix = properties::matrix(reading, properties, at)?;
            }
            (_, properties) => property_reader::check_object(properties, at)?,
        }
        Ok(Self { kind, id, properties: given, matrix })
    }

    pub(super) fn kind(&self) -> ResourceKind {
        self.kind
    }

    /// The user that it is as a subject, and whether it may be anybody.
    pub(super) fn subject(&self) -> (User<'_>, bool) {
        match self.kind {
            ResourceKind::User => self.user(),
            _ => ("".into(), false),
        }
    }

    /// What it is as a resource, and whether it may be anything.
    pub(super) fn resource(&self) -> (Resource<'_>, bool) {
        match self.kind {
            ResourceKind::User => {
                let (user, is_somebody) = self.user();
                (Resource::User(user), is_somebody)
            }
            ResourceKind::Group => {
                let matrix = self.matrix.as_ref().map(JsonText::as_str);
                let id = possible_id(self.id.as_str());
                (Resource::Group(Group { id: id.unwrap_or_default(), matrix }), id.is_some())
            }
            ResourceKind::None => (Resource::None, true),
        }
    }

    fn user(&self) -> (User<'_>, bool) {
        let id = possible_id(self.id.as_str());
        let properties = self.properties.as_ref().map(|given| Box::new(given.properties()));
        (User { id: id.unwrap_or_default(), properties }, id.is_some())
    }
}

impl<'b> ActionPart<'b> {
    pub(super) fn read(
        reading: &PropertyReader<'_>,
        named: messages::AuthZenAction<'b>,
    ) -> Result<Self, HttpError> {
        let messages::AuthZenAction { name, properties } = named;
        let name = name.ok_or_else(|| no_member("action", "name"))?;
        let action = name.as_str().parse::<Action>();
        let (member, field) = match properties {
            Some(properties) => {
                properties::action_parameters(reading, properties, action.as_ref().ok().copied())?
            }
            None => (None, None),
        };
        Ok(Self { action, member, field })
    }

    /// Whom it is about, if it is about someone.
    fn member(&self) -> Result<Option<&str>, EvaluationError> {
        match (&self.action, &self.member) {
            (Ok(action), None) if action.takes_member() => {
                Err(QuestionPartsError::MemberMissing(*action).into())
            }
            (_, member) => Ok(member.as_ref().map(JsonText::as_str)),
        }
    }

    fn field(&self) -> Result<Option<&str>, EvaluationError> {
        match (&self.action, &self.field) {
            (Ok(action), None) if action.takes_field() => {
                Err(QuestionPartsError::FieldMissing(*action).into())
            }
            (_, field) => Ok(field.as_ref().map(JsonText::as_str)),
        }
    }
}

impl EvaluationContext {
    pub(super) fn read(context: &messages::AuthZenContext<'_>) -> Result<Self, HttpError> {
        let conversation = context.conversation.as_ref().map(|word| {
            let word = word.as_str().parse();
            word.map_err(|error: UnknownWordError| {
                HttpError::bad_request("context.conversation", error.to_string())
            })
        });
        let conversation = conversation.transpose()?;
        Ok(Self { explain: context.explain == Some(true), conversation })
    }
}

/// The kind of what is called this; `at` says where the type should be.
pub(super) fn entity_kind(
    name: Option<&JsonText<'_>>,
    at: &str,
) -> Result<ResourceKind, HttpError> {
    let name = name.ok_or_else(|| no_member(at, "type"))?;
    Ok(ResourceKind::from_type_name(name.as_str()))
}

pub(super) fn missing(part: &str) -> HttpError {
    HttpError::bad_request(part, format!("the `{part}` is missing"))
}

fn no_member(at: &str, name: &str) -> HttpError {
    HttpError::bad_request(format!("{at}.{name}"), format!("the {at} has no `{name}`"))
}

/// A text that may be an id.
fn possible_id(id: &str) -> Option<&str> {
    check_id(id).is_ok().then_some(id)
}
