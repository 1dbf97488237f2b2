use std::sync::Arc;

use hyper::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    paging::{Binding, Place, Window},
    question::{Act, Asked, Context, Problem, Thing, kind_of, missing},
    reading::{self, Reading},
    verdict, wire,
};
use crate::{
    decide::{self, Cursor},
    live::Served,
    request::{Action, Request, Resource, ResourceKind},
    serve::{
        admission::Abandoned,
        answer::{self, Answer, Refusal},
        json::{self, Object},
        listing::{self, Producer},
        route::App,
    },
};

/// What a search found.
enum Found<T> {
    All(T),
    Nothing,
}

/// `POST /access/v1/search/subject`: who may do it.
pub(in crate::serve) fn search_subject(
    app: &App,
    served: &Arc<Served>,
    body: &[u8],
    abandoned: &Abandoned,
) -> Result<Producer, Refusal> {
    let reading = Reading::new(app, served);
    let searched = Searched::new(body, ("subject", &reading), |search| {
        let kind = wanted(search.subject, "subject")?;
        let (action, resource) =
            (action(&reading, search.action)?, thing(&reading, search.resource, "resource")?);
        let context = context(search.context)?;
        let resource = (resource.kind(), resource.resource());
        let asked = Asked::new(("".into(), true), &action, resource, context)?;
        if kind != ResourceKind::User || asked.nobody.is_some() {
            return Ok(Found::Nothing);
        }
        Ok(Found::All(decide::reached_by(&served.view, &asked.request).cursor()))
    })?;
    Ok(searched.list(app, served, (USER, abandoned)))
}

/// `POST /access/v1/search/resource`: to which users it may be done, or in which groups.
pub(in crate::serve) fn search_resource(
    app: &App,
    served: &Arc<Served>,
    body: &[u8],
    abandoned: &Abandoned,
) -> Result<Producer, Refusal> {
    let mut entity = USER;
    let reading = Reading::new(app, served);
    let searched = Searched::new(body, ("resource", &reading), |search| {
        let (subject, action) =
            (thing(&reading, search.subject, "subject")?, action(&reading, search.action)?);
        let kind = wanted(search.resource, "resource")?;
        let context = context(search.context)?;
        let open = match kind {
            ResourceKind::User => Resource::User("".into()),
            ResourceKind::Group => Resource::Group("".into()),
            ResourceKind::None => Resource::None,
        };
        let asked = Asked::new(subject.subject(), &action, (kind, (open, true)), context)?;
        let all = match kind {
            _ if asked.nobody.is_some() => return Ok(Found::Nothing),
            ResourceKind::User => decide::reach(&served.view, &asked.request).cursor(),
            ResourceKind::Group => {
                entity = GROUP;
                decide::groups(&served.view, &asked.request).cursor()
            }
            // Of other things peerage knows none.
            ResourceKind::None => return Ok(Found::Nothing),
        };
        Ok(Found::All(all))
    })?;
    Ok(searched.list(app, served, (entity, abandoned)))
}

/// What stands around an id in a result.
const USER: (&str, &str) = (r#"{"type":"user","id":"#, "}");
const GROUP: (&str, &str) = (r#"{"type":"group","id":"#, "}");

/// `POST /access/v1/search/action`: what the subject may do to the resource.
pub(in crate::serve) fn search_action(
    app: &App,
    served: &Served,
    body: &[u8],
    _: &Abandoned,
) -> Result<Answer, Refusal> {
    let reading = Reading::new(app, served);
    let searched = Searched::new(body, ("action", &reading), |search| {
        let (subject, resource) = (
            thing(&reading, search.subject, "subject")?,
            thing(&reading, search.resource, "resource")?,
        );
        let context = context(search.context)?;
        let (subject, is_somebody) = subject.subject();
        let (resource, is_something) = resource.resource();
        if !is_somebody || !is_something {
            return Ok(Found::Nothing);
        }
        let request = Request {
            subject,
            // It is the one that is left open.
            action: Action::SignIn,
            resource,
            member: None,
            field: None,
            conversation: context.conversation,
        };
        let mut actions = decide::actions(&served.view, &request);
        // What takes no resource is not done to one, though an evaluation has to name some.
        actions.retain(|action| action.takes() != [ResourceKind::None]);
        Ok(Found::All(actions))
    })?;
    let (limit, after) = searched.bounds();
    let actions = match &searched.found {
        Found::All(actions) => actions.as_slice(),
        Found::Nothing => &[],
    };
    let names = actions.iter().map(|action| action.as_str());
    let is_before = |name: &&str| after.is_some_and(|after| *name != after);
    let mut rest = names.skip_while(is_before).skip(usize::from(after.is_some()));
    let names: Vec<&str> = rest.by_ref().take(limit).collect();
    let next = rest.next().and_then(|_| names.last().copied());
    let mut body = searched.head(app, (names.len(), actions.len() as u64), next);
    let results: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    let results = results.iter().map(Value::to_string).collect::<Vec<_>>().join(",");
    body.push_str(&results);
    body.push_str(END);
    Ok(answer::json_answer(StatusCode::OK, body))
}

/// What is wrong with what was asked, and what was passed over in it.
fn context_of(error: Option<Value>, reading: &Reading<'_>) -> Option<Value> {
    let ignored = Some(reading.take_ignored()).filter(|places| !places.is_empty());
    let members = [("error", error), ("ignored", ignored.map(|places| json!(places)))];
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let members: Map<String, Value> = members.collect();
    (!members.is_empty()).then_some(Value::Object(members))
}

/// A search, what it found, and which part of that is asked for.
struct Searched<T> {
    found: Found<T>,
    binding: Binding,
    window: Window,
    /// Why it found nothing, if it does not fit together, and what was passed over in it.
    context: Option<Value>,
}

/// What comes before the results. What programs that page look at first comes first, as the standard
/// recommends.
#[derive(Serialize)]
struct Head {
    page: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Value>,
}

/// What comes after the results.
const END: &str = "]}";

impl<T> Searched<T> {
    /// Searches; `of` says what.
    fn new(
        body: &[u8],
        (of, reading): (&'static str, &Reading<'_>),
        find: impl FnOnce(&wire::Search<'_>) -> Result<Found<T>, Problem>,
    ) -> Result<Self, Refusal> {
        let Object(mut search): Object<wire::Search<'_>> = json::read(body, "a search")?;
        let page = search.page.take().map(|Object(page)| page);
        let (found, error) = match find(&search) {
            Ok(found) => (found, None),
            Err(Problem::Malformed(refusal)) => return Err(refusal),
            // An evaluation of it would never be a permit.
            Err(Problem::Unfit(message)) => (Found::Nothing, Some(verdict::error("", &message))),
        };
        let parts = [
            ("subject", search.subject),
            ("action", search.action.filter(|_| of != "action")),
            ("resource", search.resource),
            ("context", search.context),
        ];
        let binding = Binding::new(of, &parts);
        let window = binding.window(page)?;
        Ok(Self { found, binding, window, context: context_of(error, reading) })
    }

    /// How many results are asked for at most, and after which.
    fn bounds(&self) -> (usize, Option<&str>) {
        let limit = self.window.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let after = Some(&*self.window.after).filter(|after| !after.is_empty());
        (limit.unwrap_or(usize::MAX), after)
    }

    /// An answer up to its results, of which it has so many, of so many in all.
    fn head(&self, app: &App, (count, total): (usize, u64), next: Option<&str>) -> String {
        let next = match self.window.limit {
            // Nothing was shown, so what comes next is the same.
            Some(0) if total > 0 => Some(&*self.window.after),
            _ => next,
        };
        let limit = self.window.limit.unwrap_or(u64::MAX);
        let token = next.map(|next| self.binding.token(limit, next));
        let head = Head {
            page: Place { next_token: token.unwrap_or_default(), count, total },
            context: self.context.clone().filter(|_| app.options.authzen_context),
        };
        let mut text = serde_json::to_string(&head).unwrap_or_default();
        // The results are members of the same object.
        text.pop();
        text.push_str(r#","results":["#);
        text
    }
}

impl Searched<Cursor> {
    /// The answer, of results that each stand between two texts.
    fn list(
        self,
        app: &App,
        served: &Arc<Served>,
        (around, abandoned): ((&'static str, &'static str), &Abandoned),
    ) -> Producer {
        let Found::All(all) = &self.found else {
            let text = self.head(app, (0, 0), None) + END;
            return Box::new(move |part| {
                part.extend_from_slice(text.as_bytes());
                false
            });
        };
        let (limit, after) = self.bounds();
        let cursor = all.clone().page(&served.view, after, limit);
        // How many there are stands before them.
        let mut ahead = cursor.clone();
        let mut count = 0;
        loop {
            let some = ahead.take(&served.view, AHEAD, |_| ());
            count += some;
            if some == 0 || abandoned.is_set() {
                break;
            }
        }
        let head = self.head(app, (count, cursor.total()), ahead.next(&served.view));
        listing::ids(served, cursor, head, around, |_| END.to_owned())
    }
}

/// How many results are counted between two looks whether anyone still waits for them.
const AHEAD: usize = 10_000;

/// The type of what is searched.
fn wanted(raw: Option<&RawValue>, at: &str) -> Result<ResourceKind, Refusal> {
    let Object(wanted): Object<wire::Wanted<'_>> = reading::read(given(raw, at)?, at)?;
    reading::check(wanted.properties, at)?;
    kind_of(wanted.kind.as_ref(), at)
}

fn thing<'b>(
    reading: &Reading<'_>,
    raw: Option<&'b RawValue>,
    at: &str,
) -> Result<Thing<'b>, Refusal> {
    let Object(entity): Object<wire::Entity<'b>> = reading::read(given(raw, at)?, at)?;
    Thing::read(reading, entity, at)
}

fn action<'b>(reading: &Reading<'_>, raw: Option<&'b RawValue>) -> Result<Act<'b>, Refusal> {
    let Object(named): Object<wire::Named<'_>> = reading::read(given(raw, "action")?, "action")?;
    Act::read(reading, named)
}

fn context(raw: Option<&RawValue>) -> Result<Context, Refusal> {
    let Some(raw) = raw else { return Ok(Context::default()) };
    let Object(context): Object<wire::Context<'_>> = reading::read(raw, "context")?;
    Context::read(&context)
}

fn given<'b>(raw: Option<&'b RawValue>, at: &str) -> Result<&'b RawValue, Refusal> {
    raw.ok_or_else(|| missing(at))
}
