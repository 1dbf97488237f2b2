//! The parts of an evaluation, and the request that they form.

use super::{
    messages,
    properties::{self, UserProperties},
    property_reader::{self, PropertyReader},
};
use crate::{
    decide::{Explanation, GateFinding},
    request::{
        Conversation, Decision, GateName, Group, QuestionPartsError, Reason, Request,
        RequestedAction, Resource, ResourceKind, UnknownWordError, User, check_id,
    },
    serve::{
        freshness::DecisionView,
        json::{JsonObject, JsonText},
        response::HttpError,
    },
};

/// The parts that an evaluation gives, each valid by itself.
#[derive(Debug)]
pub(super) struct EvaluationParts<'b> {
    pub subject: Option<EntityPart<'b>>,
    pub action: Option<ActionPart<'b>>,
    pub resource: Option<EntityPart<'b>>,
    pub context: Option<EvaluationContext>,
    /// The places of the ignored properties.
    ignored: Vec<String>,
}

/// A subject or a resource.
#[derive(Debug)]
pub(super) struct EntityPart<'b> {
    kind: ResourceKind,
    id: JsonText<'b>,
    /// The properties of a user.
    properties: Option<UserProperties<'b>>,
    /// The matrix of a group.
    matrix: Option<JsonText<'b>>,
}

/// An action, whose name may be unknown.
#[derive(Debug)]
pub(super) struct ActionPart<'b> {
    pub action: Result<RequestedAction, UnknownWordError>,
    member: Option<JsonText<'b>>,
    field: Option<JsonText<'b>>,
}

#[derive(Clone, Copy, Default, Debug)]
pub(super) struct EvaluationContext {
    pub explain: bool,
    pub conversation: Option<Conversation>,
}

/// The error of an evaluation that has no decision.
#[derive(Debug)]
pub(super) enum EvaluationError {
    /// It can't be decoded: 400.
    Malformed(HttpError),
    /// It is well formed, but no action applies to its parts. The standard has no such error: the decision
    /// is a denial.
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

/// A request, and the denial of a subject or a resource that can't exist.
#[derive(Debug)]
pub(super) struct EvaluationRequest<'q> {
    pub request: Request<'q>,
    /// The reason of the denial, if an id is invalid or a type is not a user's, whatever the policy allows
    /// for unknown users.
    pub unknown_entity: Option<Reason>,
}

/// A subject or a resource of a request.
#[derive(Debug)]
pub(super) struct NamedEntity<T> {
    pub entity: T,
    pub existence: Existence,
}

/// Whether an entity of a type and an id can exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Existence {
    Possible,
    /// The id is invalid, or the type is not a user's.
    Impossible,
}

impl<T> NamedEntity<T> {
    /// An entity that can exist.
    pub(super) fn possible(entity: T) -> Self {
        Self { entity, existence: Existence::Possible }
    }

    /// Whether the entity can exist.
    pub(super) fn can_exist(&self) -> bool {
        self.existence == Existence::Possible
    }
}

impl Existence {
    /// The existence of an entity whose id is `None` if it is invalid.
    fn of_id(id: Option<&str>) -> Self {
        if id.is_some() { Self::Possible } else { Self::Impossible }
    }
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

    /// The places of the ignored properties, including those of the defaults that apply.
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

    /// The request, in which each missing part is replaced by the default as a whole.
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
        let request =
            EvaluationRequest::new(subject.subject(), action, resource.resource(), context)?;
        Ok((request, context))
    }
}

impl<'q> EvaluationRequest<'q> {
    pub(super) fn new(
        subject: NamedEntity<User<'q>>,
        act: &'q ActionPart<'_>,
        resource: NamedEntity<Resource<'q>>,
        context: EvaluationContext,
    ) -> Result<Self, EvaluationError> {
        let asked = *act.action.as_ref()?;
        asked.action.check_kind(resource.entity.kind())?;
        let member = act.member()?.map(|member| {
            let id = possible_id(member);
            NamedEntity { entity: id.unwrap_or_default(), existence: Existence::of_id(id) }
        });
        let can_member_exist = member.as_ref().is_none_or(NamedEntity::can_exist);
        let unknown_entity = if !subject.can_exist() {
            Some(Reason::UnknownSubject)
        } else if !resource.can_exist() || !can_member_exist {
            Some(Reason::UnknownResource)
        } else {
            None
        };
        let request = Request {
            subject: subject.entity,
            action: asked.action,
            own_action: asked.own,
            resource: resource.entity,
            member: member.map(|member| member.entity.into()),
            field: act.field()?,
            conversation: context.conversation,
        };
        Ok(Self { request, unknown_entity })
    }

    #[inline]
    pub(super) fn decide(&self, decisions: DecisionView<'_>) -> Decision {
        match self.unknown_entity {
            _ if decisions.denies() => Decision::STALE,
            Some(Reason::UnknownSubject) => Decision::denied(Reason::UnknownSubject),
            _ => self.apply_unknown_entity(decisions.decide(&self.request)),
        }
    }

    pub(super) fn explain(&self, decisions: DecisionView<'_>) -> Explanation {
        let explanation = decisions.explain(&self.request);
        if decisions.denies() {
            return explanation;
        }
        let decision = self.apply_unknown_entity(explanation.decision);
        if self.unknown_entity != Some(decision.reason) {
            return explanation;
        }
        // The other gates find nothing about an entity that can't exist.
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
        let (mut user_properties, mut matrix) = (None, None);
        match (kind, properties) {
            (ResourceKind::User, Some(properties)) => {
                user_properties = Some(UserProperties::read(reading, properties, at)?);
            }
            (ResourceKind::Group, Some(properties)) if !is_subject => {
                matrix = properties::matrix(reading, properties, at)?;
            }
            (_, properties) => property_reader::check_object(properties, at)?,
        }
        Ok(Self { kind, id, properties: user_properties, matrix })
    }

    /// The entity as a subject.
    pub(super) fn subject(&self) -> NamedEntity<User<'_>> {
        match self.kind {
            ResourceKind::User => self.user(),
            _ => NamedEntity { entity: "".into(), existence: Existence::Impossible },
        }
    }

    /// The entity as a resource.
    pub(super) fn resource(&self) -> NamedEntity<Resource<'_>> {
        match self.kind {
            ResourceKind::User => {
                let NamedEntity { entity, existence } = self.user();
                NamedEntity { entity: Resource::User(entity), existence }
            }
            ResourceKind::Group => {
                let matrix = self.matrix.as_ref().map(JsonText::as_str);
                let id = possible_id(self.id.as_str());
                let group = Group { id: id.unwrap_or_default(), matrix };
                NamedEntity { entity: Resource::Group(group), existence: Existence::of_id(id) }
            }
            ResourceKind::None => NamedEntity::possible(Resource::None),
        }
    }

    fn user(&self) -> NamedEntity<User<'_>> {
        let id = possible_id(self.id.as_str());
        let properties = self.properties.as_ref().map(|it| Box::new(it.properties()));
        let entity = User { id: id.unwrap_or_default(), properties };
        NamedEntity { entity, existence: Existence::of_id(id) }
    }
}

impl<'b> ActionPart<'b> {
    pub(super) fn read(
        reading: &PropertyReader<'_>,
        named: messages::AuthZenAction<'b>,
    ) -> Result<Self, HttpError> {
        let messages::AuthZenAction { name, properties } = named;
        let name = name.ok_or_else(|| no_member("action", "name"))?;
        let action = reading.served.view.requested_action(name.as_str());
        let (member, field) = match properties {
            Some(properties) => properties::action_parameters(
                reading,
                properties,
                action.as_ref().ok().map(|asked| asked.action),
            )?,
            None => (None, None),
        };
        Ok(Self { action, member, field })
    }

    /// The id of the member that the action is about, if any.
    fn member(&self) -> Result<Option<&str>, EvaluationError> {
        match (&self.action, &self.member) {
            (Ok(RequestedAction { action, .. }), None) if action.takes_member() => {
                Err(QuestionPartsError::MemberMissing(*action).into())
            }
            (_, member) => Ok(member.as_ref().map(JsonText::as_str)),
        }
    }

    fn field(&self) -> Result<Option<&str>, EvaluationError> {
        match (&self.action, &self.field) {
            (Ok(RequestedAction { action, .. }), None) if action.takes_field() => {
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

/// The kind of an entity by the name of its type; `at` is the place of the entity.
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

/// The text if it is a valid id.
fn possible_id(id: &str) -> Option<&str> {
    check_id(id).is_ok().then_some(id)
}
