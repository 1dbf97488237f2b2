//! The questions of the native API: from a query, from headers, or as JSON objects.

use hyper::body::Bytes;
use serde::Deserialize;

use super::{
    json::{self, JsonObject, JsonText},
    query::QueryParams,
    response::HttpError,
};
use crate::{
    live::ServedPolicy,
    request::{
        Conversation, QuestionParts, QuestionPartsError, Request, ResourceKind, UnknownWordError,
        check_id,
    },
};

/// The fields of a question as they are sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuestionFields<'q> {
    pub(super) subject: Option<&'q str>,
    pub(super) action: Option<&'q str>,
    pub(super) resource: Option<&'q str>,
    pub(super) resource_type: Option<&'q str>,
    pub(super) member: Option<&'q str>,
    pub(super) field: Option<&'q str>,
    pub(super) conversation: Option<&'q str>,
}

/// A question as a JSON object, with the same fields as in a query.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuestionObject<'b> {
    #[serde(borrow)]
    subject: Option<JsonText<'b>>,
    #[serde(borrow)]
    action: Option<JsonText<'b>>,
    #[serde(borrow)]
    resource: Option<JsonText<'b>>,
    #[serde(borrow)]
    resource_type: Option<JsonText<'b>>,
    #[serde(borrow)]
    member: Option<JsonText<'b>>,
    #[serde(borrow)]
    field: Option<JsonText<'b>>,
    #[serde(borrow)]
    conversation: Option<JsonText<'b>>,
    /// Whether the answer shows every gate's verdict.
    pub(super) explain: Option<bool>,
}

/// The questions of a body.
#[derive(Debug)]
pub(super) enum QuestionBody<'b> {
    One(Box<QuestionObject<'b>>),
    Many(Vec<JsonObject<QuestionObject<'b>>>),
}

/// The most questions of one body.
pub(super) const MOST_QUESTIONS: usize = 1000;

impl<'b> QuestionBody<'b> {
    /// Reads a body: a question, or a list of them.
    ///
    /// # Errors
    /// 400 if it is neither, or a list of too many.
    pub(super) fn read(body: &'b Bytes) -> Result<Self, HttpError> {
        if body.trim_ascii_start().first() != Some(&b'[') {
            let JsonObject(question) = json::read(body, "a question")?;
            return Ok(Self::One(Box::new(question)));
        }
        let questions: Vec<_> = json::read(body, "a list of questions")?;
        if questions.len() > MOST_QUESTIONS {
            let found = questions.len();
            let message = format!("{found} questions; at most {MOST_QUESTIONS} in one request");
            return Err(HttpError::bad_request("body", message));
        }
        Ok(Self::Many(questions))
    }
}

impl QuestionObject<'_> {
    /// The fields of the question.
    pub(super) fn fields(&self) -> QuestionFields<'_> {
        fn text<'t>(field: Option<&'t JsonText<'_>>) -> Option<&'t str> {
            field.map(JsonText::as_str)
        }
        QuestionFields {
            subject: text(self.subject.as_ref()),
            action: text(self.action.as_ref()),
            resource: text(self.resource.as_ref()),
            resource_type: text(self.resource_type.as_ref()),
            member: text(self.member.as_ref()),
            field: text(self.field.as_ref()),
            conversation: text(self.conversation.as_ref()),
        }
    }

    /// The request that the question asks to decide.
    ///
    /// # Errors
    /// 400 if a field is missing, or does not fit the others.
    pub(super) fn request(&self, served: &ServedPolicy) -> Result<Request<'_>, HttpError> {
        let fields = self.fields();
        for (name, value) in [("subject", fields.subject), ("action", fields.action)] {
            if value.is_none() {
                let message = format!("the field `{name}` is missing");
                return Err(HttpError::bad_request(name, message));
            }
        }
        fields.parts(served)?.into_request().map_err(refusal)
    }
}

impl<'q> QuestionFields<'q> {
    pub(super) fn of_query(query: &'q QueryParams<'_>) -> Self {
        Self {
            subject: query.get("subject"),
            action: query.get("action"),
            resource: query.get("resource"),
            resource_type: query.get("resource_type"),
            member: query.get("member"),
            field: query.get("field"),
            conversation: query.get("conversation"),
        }
    }

    /// The fields, each checked by itself. An action that is not named is an unknown one.
    ///
    /// # Errors
    /// 400 if an id is one that no user or group could have, or a word is not known.
    pub(super) fn parts(self, served: &ServedPolicy) -> Result<QuestionParts<'q>, HttpError> {
        let subject = id("subject", self.subject)?;
        let action = self.action.unwrap_or_default();
        let action =
            served.view.requested_action(action).map_err(|error| unknown_word("action", &error))?;
        // The id of a resource that is neither a user nor a group may have any form.
        let is_free = self
            .resource_type
            .is_some_and(|name| ResourceKind::from_type_name(name) == ResourceKind::None);
        let resource = if is_free { self.resource } else { id("resource", self.resource)? };
        let member = if action.action.takes_member() { id("member", self.member)? } else { None };
        let conversation: Option<Conversation> = self
            .conversation
            .map(|word| word.parse().map_err(|error| unknown_word("conversation", &error)))
            .transpose()?;
        let Self { resource_type, field, .. } = self;
        Ok(QuestionParts { subject, action, resource_type, resource, member, field, conversation })
    }
}

/// The request of a query.
///
/// # Errors
/// 400 if a parameter is missing, or does not fit the others.
pub(super) fn parse_request<'q>(
    served: &ServedPolicy,
    query: &'q QueryParams<'_>,
) -> Result<Request<'q>, HttpError> {
    query.required("subject")?;
    parse_parts(served, query)?.into_request().map_err(refusal)
}

/// The parts of a query's question.
///
/// # Errors
/// 400 if the action is missing, or a parameter is not what it can be.
pub(super) fn parse_parts<'q>(
    served: &ServedPolicy,
    query: &'q QueryParams<'_>,
) -> Result<QuestionParts<'q>, HttpError> {
    id("subject", query.get("subject"))?;
    query.required("action")?;
    QuestionFields::of_query(query).parts(served)
}

/// An id; one that no user or group could have is an error.
fn id<'q>(name: &'static str, id: Option<&'q str>) -> Result<Option<&'q str>, HttpError> {
    id.map_or(Ok(()), check_id)
        .map_err(|error| HttpError::bad_request(name, format!("`{name}`: {error}")))?;
    Ok(id)
}

fn unknown_word(at: &str, error: &UnknownWordError) -> HttpError {
    HttpError::bad_request(at, error.to_string())
}

/// The error of parts that don't form a question.
pub(super) fn refusal(misfit: QuestionPartsError) -> HttpError {
    match (misfit.part(), misfit) {
        ("", _) => HttpError::bad_request("query", misfit.to_string()),
        (at, QuestionPartsError::WrongKind(_)) => {
            HttpError::bad_request(at, format!("`{at}`: {misfit}"))
        }
        (at, _) => HttpError::bad_request(at, misfit.to_string()),
    }
}
