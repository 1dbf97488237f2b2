//! From what came over the wire to a request.

use super::{
    properties::{self, Given},
    reading::{self, Reading},
    wire,
};
use crate::{
    decide::{self, Explanation, Finding},
    live::Served,
    request::{
        Action, Conversation, Decision, GateName, Group, Misfit, Reason, Request, Resource,
        ResourceKind, UnknownWord, User, check_id,
    },
    serve::{
        answer::Refusal,
        json::{Object, Text},
    },
};

/// The parts of an evaluation that are there, each without mistakes in itself.
#[derive(Debug)]
pub(super) struct Question<'b> {
    pub subject: Option<Thing<'b>>,
    pub action: Option<Act<'b>>,
    pub resource: Option<Thing<'b>>,
    pub context: Option<Context>,
    /// Where the properties stand that were passed over.
    ignored: Vec<String>,
}

/// A subject or a resource.
#[derive(Debug)]
pub(super) struct Thing<'b> {
    kind: ResourceKind,
    id: Text<'b>,
    /// What is said of a user.
    given: Option<Given<'b>>,
    /// The matrix that is said to be a group's.
    matrix: Option<Text<'b>>,
}

/// An action, which may be none of ours.
#[derive(Debug)]
pub(super) struct Act<'b> {
    pub action: Result<Action, UnknownWord>,
    member: Option<Text<'b>>,
    field: Option<Text<'b>>,
}

#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Context {
    pub explain: bool,
    pub conversation: Option<Conversation>,
}

/// Why there is no decision.
#[derive(Debug)]
pub(super) enum Problem {
    /// It can't be read: 400.
    Malformed(Refusal),
    /// It can be read, and nothing that peerage could judge. The standard knows no such error: what
    /// can't be judged is not permitted.
    Unfit(String),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Malformed(refusal)
    }
}

impl From<Misfit> for Problem {
    fn from(misfit: Misfit) -> Self {
        Self::Unfit(misfit.to_string())
    }
}

impl From<&UnknownWord> for Problem {
    fn from(unknown: &UnknownWord) -> Self {
        Self::Unfit(unknown.to_string())
    }
}

/// A request that names someone who is nobody, perhaps.
#[derive(Debug)]
pub(super) struct Asked<'q> {
    pub request: Request<'q>,
    /// What a text says that could be no one's id, or a type that is no user's: nobody is meant,
    /// whatever the policy makes of users whom it doesn't know.
    pub nobody: Option<Reason>,
}

impl<'b> Question<'b> {
    pub(super) fn read(
        reading: &Reading<'_>,
        evaluation: wire::Evaluation<'b>,
    ) -> Result<Self, Refusal> {
        let wire::Evaluation { subject, action, resource, context } = evaluation;
        let thing = |it, at| Thing::read(reading, it, at);
        Ok(Self {
            subject: subject.map(|Object(it)| thing(it, "subject")).transpose()?,
            action: action.map(|Object(it)| Act::read(reading, it)).transpose()?,
            resource: resource.map(|Object(it)| thing(it, "resource")).transpose()?,
            context: context.map(|Object(it)| Context::read(&it)).transpose()?,
            ignored: reading.take_ignored(),
        })
    }

    /// Where the properties stand that were passed over, those of the defaults that count too.
    pub(super) fn ignored(&self, defaults: Option<&Question<'_>>) -> Vec<String> {
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
    pub(super) fn over<'q>(
        &'q self,
        defaults: Option<&'q Question<'q>>,
    ) -> Result<(Asked<'q>, Context), Problem> {
        let subject = self.subject.as_ref().or(defaults.and_then(|it| it.subject.as_ref()));
        let action = self.action.as_ref().or(defaults.and_then(|it| it.action.as_ref()));
        let resource = self.resource.as_ref().or(defaults.and_then(|it| it.resource.as_ref()));
        let context = self.context.or(defaults.and_then(|it| it.context)).unwrap_or_default();
        let subject = subject.ok_or_else(|| missing("subject"))?;
        let action = action.ok_or_else(|| missing("action"))?;
        let resource = resource.ok_or_else(|| missing("resource"))?;
        let resource = (resource.kind, resource.resource());
        let asked = Asked::new(subject.subject(), action, resource, context)?;
        Ok((asked, context))
    }
}

impl<'q> Asked<'q> {
    pub(super) fn new(
        (subject, is_somebody): (User<'q>, bool),
        act: &'q Act<'_>,
        (kind, (resource, is_something)): (ResourceKind, (Resource<'q>, bool)),
        context: Context,
    ) -> Result<Self, Problem> {
        let action = *act.action.as_ref()?;
        action.check_kind(kind)?;
        let (member, is_some_member) = match act.member()? {
            Some(member) => {
                let id = somebody(member);
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
        Ok(Self { request, nobody })
    }

    #[inline]
    pub(super) fn decide(&self, served: &Served) -> Decision {
        match self.nobody {
            Some(Reason::UnknownSubject) => Decision::denied(Reason::UnknownSubject),
            _ => self.unless_nobody(decide::decide(&served.view, &self.request)),
        }
    }

    pub(super) fn explain(&self, served: &Served) -> Explanation {
        let explanation = decide::explain(&served.view, &self.request);
        let decision = self.unless_nobody(explanation.decision);
        if self.nobody != Some(decision.reason) {
            return explanation;
        }
        // Of nobody the other gates have nothing to say.
        let known = Finding {
            gate: GateName::Known,
            closed: Some(decision.reason),
            detail: "the request names someone of a type or id that nobody can have".to_owned(),
        };
        Explanation {
            decision,
            findings: vec![known],
            rules: Vec::new(),
            more_rules: 0,
            about: None,
        }
    }

    fn unless_nobody(&self, decision: Decision) -> Decision {
        match self.nobody {
            Some(reason) if decision.reason != Reason::UnknownSubject => Decision::denied(reason),
            _ => decision,
        }
    }
}

impl<'b> Thing<'b> {
    pub(super) fn read(
        reading: &Reading<'_>,
        entity: wire::Entity<'b>,
        at: &str,
    ) -> Result<Self, Refusal> {
        let wire::Entity { kind, id, properties } = entity;
        let kind = kind_of(kind.as_ref(), at)?;
        let id = id.ok_or_else(|| no_member(at, "id"))?;
        let is_subject = at == "subject";
        let (mut given, mut matrix) = (None, None);
        match (kind, properties) {
            (ResourceKind::User, Some(properties)) => {
                given = Some(Given::read(reading, properties, at)?);
            }
            (ResourceKind::Group, Some(properties)) if !is_subject => {
                matrix = properties::matrix(reading, properties, at)?;
            }
            (_, properties) => reading::check(properties, at)?,
        }
        Ok(Self { kind, id, given, matrix })
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
                let matrix = self.matrix.as_ref().map(Text::as_str);
                let id = somebody(self.id.as_str());
                (Resource::Group(Group { id: id.unwrap_or_default(), matrix }), id.is_some())
            }
            ResourceKind::None => (Resource::None, true),
        }
    }

    fn user(&self) -> (User<'_>, bool) {
        let id = somebody(self.id.as_str());
        let properties = self.given.as_ref().map(|given| Box::new(given.properties()));
        (User { id: id.unwrap_or_default(), properties }, id.is_some())
    }
}

impl<'b> Act<'b> {
    pub(super) fn read(reading: &Reading<'_>, named: wire::Named<'b>) -> Result<Self, Refusal> {
        let wire::Named { name, properties } = named;
        let name = name.ok_or_else(|| no_member("action", "name"))?;
        let action = name.as_str().parse::<Action>();
        let (member, field) = match properties {
            Some(properties) => {
                properties::of_action(reading, properties, action.as_ref().ok().copied())?
            }
            None => (None, None),
        };
        Ok(Self { action, member, field })
    }

    /// Whom it is about, if it is about someone.
    fn member(&self) -> Result<Option<&str>, Problem> {
        match (&self.action, &self.member) {
            (Ok(action), None) if action.takes_member() => {
                Err(Misfit::MemberMissing(*action).into())
            }
            (_, member) => Ok(member.as_ref().map(Text::as_str)),
        }
    }

    fn field(&self) -> Result<Option<&str>, Problem> {
        match (&self.action, &self.field) {
            (Ok(action), None) if action.takes_field() => Err(Misfit::FieldMissing(*action).into()),
            (_, field) => Ok(field.as_ref().map(Text::as_str)),
        }
    }
}

impl Context {
    pub(super) fn read(context: &wire::Context<'_>) -> Result<Self, Refusal> {
        let conversation = context.conversation.as_ref().map(|word| {
            let word = word.as_str().parse();
            word.map_err(|error: UnknownWord| {
                Refusal::bad("context.conversation", error.to_string())
            })
        });
        let conversation = conversation.transpose()?;
        Ok(Self { explain: context.explain == Some(true), conversation })
    }
}

/// The kind of what is called this; `at` says where the type should be.
pub(super) fn kind_of(name: Option<&Text<'_>>, at: &str) -> Result<ResourceKind, Refusal> {
    let name = name.ok_or_else(|| no_member(at, "type"))?;
    Ok(ResourceKind::of_type(name.as_str()))
}

pub(super) fn missing(part: &str) -> Refusal {
    Refusal::bad(part, format!("the `{part}` is missing"))
}

fn no_member(at: &str, name: &str) -> Refusal {
    Refusal::bad(format!("{at}.{name}"), format!("the {at} has no `{name}`"))
}

/// A text that may be an id.
fn somebody(id: &str) -> Option<&str> {
    check_id(id).is_ok().then_some(id)
}
