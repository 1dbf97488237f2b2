//! The messages of the standard. Unknown fields are ignored, as it demands; required ones are checked
//! later, since they depend on the endpoint.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::serve::json::{JsonObject, JsonText};

/// An access evaluation: a body, or an item of one.
#[derive(Deserialize, Debug)]
pub(super) struct Evaluation<'b> {
    #[serde(borrow)]
    pub subject: Option<JsonObject<AuthZenEntity<'b>>>,
    #[serde(borrow)]
    pub action: Option<JsonObject<AuthZenAction<'b>>>,
    #[serde(borrow)]
    pub resource: Option<JsonObject<AuthZenEntity<'b>>>,
    #[serde(borrow)]
    pub context: Option<JsonObject<AuthZenContext<'b>>>,
}

/// Access evaluations: the defaults for all, and each evaluation.
#[derive(Deserialize, Debug)]
pub(super) struct EvaluationBatch<'b> {
    #[serde(borrow)]
    pub subject: Option<JsonObject<AuthZenEntity<'b>>>,
    #[serde(borrow)]
    pub action: Option<JsonObject<AuthZenAction<'b>>>,
    #[serde(borrow)]
    pub resource: Option<JsonObject<AuthZenEntity<'b>>>,
    #[serde(borrow)]
    pub context: Option<JsonObject<AuthZenContext<'b>>>,
    /// Not decoded, so that an error in one does not affect the others.
    #[serde(borrow)]
    pub evaluations: Option<Vec<&'b RawValue>>,
    #[serde(borrow)]
    pub options: Option<JsonObject<EvaluationOptions<'b>>>,
}

#[derive(Deserialize, Debug)]
pub(super) struct EvaluationOptions<'b> {
    #[serde(borrow)]
    pub evaluations_semantic: Option<JsonText<'b>>,
}

/// A subject or a resource.
#[derive(Deserialize, Debug)]
pub(super) struct AuthZenEntity<'b> {
    #[serde(borrow, rename = "type")]
    pub kind: Option<JsonText<'b>>,
    #[serde(borrow)]
    pub id: Option<JsonText<'b>>,
    /// Not decoded, since their meaning depends on the type.
    #[serde(borrow)]
    pub properties: Option<&'b RawValue>,
}

/// A subject or a resource that is searched. Its `id` is ignored.
#[derive(Deserialize, Debug)]
pub(super) struct SearchTarget<'b> {
    #[serde(borrow, rename = "type")]
    pub kind: Option<JsonText<'b>>,
    /// Ignored, but they must be an object.
    #[serde(borrow)]
    pub properties: Option<&'b RawValue>,
}

/// An action.
#[derive(Deserialize, Debug)]
pub(super) struct AuthZenAction<'b> {
    #[serde(borrow)]
    pub name: Option<JsonText<'b>>,
    /// Not decoded, since their meaning depends on the action.
    #[serde(borrow)]
    pub properties: Option<&'b RawValue>,
}

#[derive(Deserialize, Debug)]
pub(super) struct AuthZenContext<'b> {
    pub explain: Option<bool>,
    #[serde(borrow)]
    pub conversation: Option<JsonText<'b>>,
}

/// A search whose parts are not decoded: the token of the next page is bound to their text.
#[derive(Deserialize, Debug)]
pub(super) struct SearchRequest<'b> {
    #[serde(borrow)]
    pub subject: Option<&'b RawValue>,
    #[serde(borrow)]
    pub action: Option<&'b RawValue>,
    #[serde(borrow)]
    pub resource: Option<&'b RawValue>,
    #[serde(borrow)]
    pub context: Option<&'b RawValue>,
    #[serde(borrow)]
    pub page: Option<JsonObject<SearchPage<'b>>>,
}

#[derive(Deserialize, Debug)]
pub(super) struct SearchPage<'b> {
    #[serde(borrow)]
    pub token: Option<JsonText<'b>>,
    pub limit: Option<u64>,
}
