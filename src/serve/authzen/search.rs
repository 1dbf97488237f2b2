//! The three searches.

use std::sync::Arc;

use hyper::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    evaluation_parts::{
        ActionPart, EntityPart, EvaluationContext, EvaluationError, EvaluationRequest, NamedEntity,
        entity_kind, missing,
    },
    messages,
    paging::{PageInfo, PageWindow, TokenBinding},
    property_reader::{self, PropertyReader},
    verdict,
};
use crate::{
    decide::{self, ListCursor},
    live::ServedPolicy,
    request::{Action, ActionName, Request, Resource, ResourceKind},
    serve::{
        admission::Cancellation,
        app::App,
        freshness::DecisionView,
        handler::RequestContext,
        json::{self, JsonObject},
        list_stream::{self, Producer},
        response::{self, HttpError, HttpResponse},
    },
};

/// The matches of a search.
enum SearchMatches<T> {
    All(T),
    Nothing,
}

/// `POST /access/v1/search/subject`: the users who may do the action to the resource.
pub(in crate::serve) fn search_subject(cx: &RequestContext<'_>) -> Result<Producer, HttpError> {
    let RequestContext { app, served, decisions, request, cancellation } = *cx;
    let reading = PropertyReader::new(app, served);
    let searched = SearchResult::new(&request.body, decisions, "subject", &reading, |search| {
        let kind = target_kind(search.subject, "subject")?;
        let (action, resource) =
            (action(&reading, search.action)?, entity(&reading, search.resource, "resource")?);
        let context = context(search.context)?;
        let searched = NamedEntity::possible("".into());
        let evaluation = EvaluationRequest::new(searched, &action, resource.resource(), context)?;
        if kind != ResourceKind::User || evaluation.unknown_entity.is_some() {
            return Ok(SearchMatches::Nothing);
        }
        let users = || decide::reached_by(&served.view, &evaluation.request).cursor();
        Ok(SearchMatches::All(decisions.list(users)))
    })?;
    Ok(searched.list(app, served, USER, cancellation))
}

/// `POST /access/v1/search/resource`: the users or groups to which the subject may do the action.
pub(in crate::serve) fn search_resource(cx: &RequestContext<'_>) -> Result<Producer, HttpError> {
    let RequestContext { app, served, decisions, request, cancellation } = *cx;
    let mut searched_type = USER;
    let reading = PropertyReader::new(app, served);
    let searched = SearchResult::new(&request.body, decisions, "resource", &reading, |search| {
        let (subject, action) =
            (entity(&reading, search.subject, "subject")?, action(&reading, search.action)?);
        let kind = target_kind(search.resource, "resource")?;
        let context = context(search.context)?;
        let searched = match kind {
            ResourceKind::User => Resource::User("".into()),
            ResourceKind::Group => Resource::Group("".into()),
            ResourceKind::None => Resource::None,
        };
        let searched = NamedEntity::possible(searched);
        let evaluation = EvaluationRequest::new(subject.subject(), &action, searched, context)?;
        let all = match kind {
            _ if evaluation.unknown_entity.is_some() => return Ok(SearchMatches::Nothing),
            ResourceKind::User => {
                decisions.list(|| decide::reach(&served.view, &evaluation.request).cursor())
            }
            ResourceKind::Group => {
                searched_type = GROUP;
                let groups =
                    || decide::reachable_groups(&served.view, &evaluation.request).cursor();
                decisions.list(groups)
            }
            // No other resources are known.
            ResourceKind::None => return Ok(SearchMatches::Nothing),
        };
        Ok(SearchMatches::All(all))
    })?;
    Ok(searched.list(app, served, searched_type, cancellation))
}

/// The texts before and after an id in a result that is a user.
const USER: (&str, &str) = (r#"{"type":"user","id":"#, "}");
/// The texts before and after an id in a result that is a group.
const GROUP: (&str, &str) = (r#"{"type":"group","id":"#, "}");

/// `POST /access/v1/search/action`: the actions that the subject may do to the resource.
pub(in crate::serve) fn search_action(cx: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    let RequestContext { app, served, decisions, request, .. } = *cx;
    let reading = PropertyReader::new(app, served);
    let searched = SearchResult::new(&request.body, decisions, "action", &reading, |search| {
        let (subject, resource) = (
            entity(&reading, search.subject, "subject")?,
            entity(&reading, search.resource, "resource")?,
        );
        let context = context(search.context)?;
        let (subject, resource) = (subject.subject(), resource.resource());
        if !subject.can_exist() || !resource.can_exist() || decisions.denies() {
            return Ok(SearchMatches::Nothing);
        }
        let request = Request {
            subject: subject.entity,
            // Ignored: the action is what is searched.
            action: Action::SignIn,
            own_action: None,
            resource: resource.entity,
            member: None,
            field: None,
            conversation: context.conversation,
        };
        let mut actions = decide::allowed_actions(&served.view, &request);
        // Actions without a resource are left out, though an evaluation of them has to name one.
        actions.retain(|asked| asked.action.takes() != [ResourceKind::None]);
        let names = actions.into_iter().map(|asked| served.view.action_name(asked));
        Ok(SearchMatches::All(names.collect::<Vec<_>>()))
    })?;
    let (limit, after) = searched.bounds();
    let actions = match &searched.found {
        SearchMatches::All(actions) => actions.as_slice(),
        SearchMatches::Nothing => &[],
    };
    let names = actions.iter().map(ActionName::as_str);
    let is_before = |name: &&str| after.is_some_and(|after| *name != after);
    let mut rest = names.skip_while(is_before).skip(usize::from(after.is_some()));
    let names: Vec<&str> = rest.by_ref().take(limit).collect();
    let next = rest.next().and_then(|_| names.last().copied());
    let size = ResultCount { count: names.len(), total: actions.len() as u64 };
    let mut body = searched.head(app, size, next);
    let results: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    let results = results.iter().map(Value::to_string).collect::<Vec<_>>().join(",");
    body.push_str(&results);
    body.push_str(END);
    Ok(response::json_response(StatusCode::OK, body))
}

/// The context of a response: the error of the search, the ignored properties, and staleness.
fn result_context(
    error: Option<Value>,
    decisions: DecisionView<'_>,
    reading: &PropertyReader<'_>,
) -> Option<Value> {
    let ignored = Some(reading.take_ignored()).filter(|places| !places.is_empty());
    let stale = decisions.is_stale().then_some(Value::Bool(true));
    let ignored = ignored.map(|places| json!(places));
    let members = [("error", error), ("ignored", ignored), ("stale", stale)];
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let members: Map<String, Value> = members.collect();
    (!members.is_empty()).then_some(Value::Object(members))
}

/// A search, its matches, and the requested page of them.
struct SearchResult<T> {
    found: SearchMatches<T>,
    binding: TokenBinding,
    window: PageWindow,
    /// The error of a search whose parts do not fit together, the ignored properties, and staleness.
    context: Option<Value>,
}

/// The fields before the results. The page comes first, as the standard recommends.
#[derive(Serialize)]
struct ResultHead {
    page: PageInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Value>,
}

/// The number of results on a page, and of all.
#[derive(Clone, Copy)]
struct ResultCount {
    count: usize,
    total: u64,
}

/// The text after the results.
const END: &str = "]}";

impl<T> SearchResult<T> {
    /// Searches for the part that `of` names.
    fn new(
        body: &[u8],
        decisions: DecisionView<'_>,
        of: &'static str,
        reading: &PropertyReader<'_>,
        find: impl FnOnce(&messages::SearchRequest<'_>) -> Result<SearchMatches<T>, EvaluationError>,
    ) -> Result<Self, HttpError> {
        let JsonObject(mut search): JsonObject<messages::SearchRequest<'_>> =
            json::read(body, "a search")?;
        let page = search.page.take().map(|JsonObject(page)| page);
        let (found, error) = match find(&search) {
            Ok(found) => (found, None),
            Err(EvaluationError::Malformed(refusal)) => return Err(refusal),
            // No evaluation of it would be a permit.
            Err(EvaluationError::NotApplicable(message)) => {
                (SearchMatches::Nothing, Some(verdict::error_json(None, &message)))
            }
        };
        let parts = [
            ("subject", search.subject),
            ("action", search.action.filter(|_| of != "action")),
            ("resource", search.resource),
            ("context", search.context),
        ];
        let binding = TokenBinding::new(of, &parts);
        let window = binding.window(page)?;
        Ok(Self { found, binding, window, context: result_context(error, decisions, reading) })
    }

    /// The largest number of results, and the result after which they begin.
    fn bounds(&self) -> (usize, Option<&str>) {
        let limit = self.window.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let after = Some(&*self.window.after).filter(|after| !after.is_empty());
        (limit.unwrap_or(usize::MAX), after)
    }

    /// The response up to its results.
    fn head(
        &self,
        app: &App,
        ResultCount { count, total }: ResultCount,
        next: Option<&str>,
    ) -> String {
        let next = match self.window.limit {
            // An empty page is followed by the same one.
            Some(0) if total > 0 => Some(&*self.window.after),
            _ => next,
        };
        let limit = self.window.limit.unwrap_or(u64::MAX);
        let token = next.map(|next| self.binding.token(limit, next));
        let head = ResultHead {
            page: PageInfo { next_token: token.unwrap_or_default(), count, total },
            context: self.context.clone().filter(|_| app.options.authzen_context),
        };
        let mut text = serde_json::to_string(&head).unwrap_or_default();
        // The results are members of the same object.
        text.pop();
        text.push_str(r#","results":["#);
        text
    }
}

impl SearchResult<ListCursor> {
    /// The response; each id is written between two texts.
    fn list(
        self,
        app: &App,
        served: &Arc<ServedPolicy>,
        around: (&'static str, &'static str),
        cancellation: &Cancellation,
    ) -> Producer {
        let SearchMatches::All(all) = &self.found else {
            let text = self.head(app, ResultCount { count: 0, total: 0 }, None) + END;
            return Box::new(move |part| {
                part.extend_from_slice(text.as_bytes());
                false
            });
        };
        let (limit, after) = self.bounds();
        let cursor = all.clone().page(&served.view, after, limit);
        // The count is written before the results.
        let mut ahead = cursor.clone();
        let mut count = 0;
        loop {
            let some = ahead.take(&served.view, AHEAD, |_| ());
            count += some;
            if some == 0 || cancellation.is_cancelled() {
                break;
            }
        }
        let size = ResultCount { count, total: cursor.total() };
        let head = self.head(app, size, ahead.next_after(&served.view));
        list_stream::id_list(served, cursor, head, around, |_| END.to_owned())
    }
}

/// The number of results that are counted between two checks for cancellation.
const AHEAD: usize = 10_000;

/// The kind of the searched entities.
fn target_kind(raw: Option<&RawValue>, at: &str) -> Result<ResourceKind, HttpError> {
    let JsonObject(target): JsonObject<messages::SearchTarget<'_>> =
        property_reader::parse_raw(required(raw, at)?, at)?;
    property_reader::check_object(target.properties, at)?;
    entity_kind(target.kind.as_ref(), at)
}

fn entity<'b>(
    reading: &PropertyReader<'_>,
    raw: Option<&'b RawValue>,
    at: &str,
) -> Result<EntityPart<'b>, HttpError> {
    let JsonObject(entity): JsonObject<messages::AuthZenEntity<'b>> =
        property_reader::parse_raw(required(raw, at)?, at)?;
    EntityPart::read(reading, entity, at)
}

fn action<'b>(
    reading: &PropertyReader<'_>,
    raw: Option<&'b RawValue>,
) -> Result<ActionPart<'b>, HttpError> {
    let JsonObject(named): JsonObject<messages::AuthZenAction<'_>> =
        property_reader::parse_raw(required(raw, "action")?, "action")?;
    ActionPart::read(reading, named)
}

fn context(raw: Option<&RawValue>) -> Result<EvaluationContext, HttpError> {
    let Some(raw) = raw else { return Ok(EvaluationContext::default()) };
    let JsonObject(context): JsonObject<messages::AuthZenContext<'_>> =
        property_reader::parse_raw(raw, "context")?;
    EvaluationContext::read(&context)
}

fn required<'b>(raw: Option<&'b RawValue>, at: &str) -> Result<&'b RawValue, HttpError> {
    raw.ok_or_else(|| missing(at))
}
