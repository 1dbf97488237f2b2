use hyper::StatusCode;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    paging::{Binding, Place},
    question::{Act, Asked, Context, Problem, Thing, kind_of, missing},
    reading::{self, Reading},
    verdict, wire,
};
use crate::{
    decide::{self, Groups, Page, Reach},
    live::Served,
    request::{Action, Request, Resource, ResourceKind},
    serve::{
        answer::{self, Answer, Refusal},
        json::{self, Object},
        route::App,
    },
};

/// What a search found.
enum Found<'v> {
    Users(Reach<'v>),
    Groups(Groups<'v>),
    Actions(Vec<Action>),
    Nothing,
}

/// `POST /access/v1/search/subject`: who may do it.
pub(in crate::serve) fn search_subject(
    app: &App,
    served: &Served,
    body: &[u8],
) -> Result<Answer, Refusal> {
    let reading = Reading::new(app, served);
    answer(app, body, ("subject", &reading), |search| {
        let kind = wanted(search.subject, "subject")?;
        let (action, resource) =
            (action(&reading, search.action)?, thing(&reading, search.resource, "resource")?);
        let context = context(search.context)?;
        let resource = (resource.kind(), resource.resource());
        let asked = Asked::new(("".into(), true), &action, resource, context)?;
        if kind != ResourceKind::User || asked.nobody.is_some() {
            return Ok(Found::Nothing);
        }
        Ok(Found::Users(decide::reached_by(&served.view, &asked.request)))
    })
}

/// `POST /access/v1/search/resource`: to which users it may be done, or in which groups.
pub(in crate::serve) fn search_resource(
    app: &App,
    served: &Served,
    body: &[u8],
) -> Result<Answer, Refusal> {
    let reading = Reading::new(app, served);
    answer(app, body, ("resource", &reading), |search| {
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
        Ok(match kind {
            _ if asked.nobody.is_some() => Found::Nothing,
            ResourceKind::User => Found::Users(decide::reach(&served.view, &asked.request)),
            ResourceKind::Group => Found::Groups(decide::groups(&served.view, &asked.request)),
            // Of other things peerage knows none.
            ResourceKind::None => Found::Nothing,
        })
    })
}

/// `POST /access/v1/search/action`: what the subject may do to the resource.
pub(in crate::serve) fn search_action(
    app: &App,
    served: &Served,
    body: &[u8],
) -> Result<Answer, Refusal> {
    let reading = Reading::new(app, served);
    answer(app, body, ("action", &reading), |search| {
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
        Ok(Found::Actions(actions))
    })
}

/// Answers one page of what is found; `of` says what is searched.
fn answer<'v>(
    app: &App,
    body: &[u8],
    (of, reading): (&'static str, &Reading<'_>),
    find: impl FnOnce(&wire::Search<'_>) -> Result<Found<'v>, Problem>,
) -> Result<Answer, Refusal> {
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
    let limit = window.limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let after = Some(&*window.after).filter(|after| !after.is_empty());
    let page = found.page(after, limit);
    let next = match window.limit {
        // Nothing was shown, so what comes next is the same.
        Some(0) if page.total > 0 => Some(&*window.after),
        _ => page.next,
    };
    let token = next.map(|next| binding.token(window.limit.unwrap_or(u64::MAX), next));
    let context = context_of(error, reading).filter(|_| app.options.authzen_context);
    let answer = Answered {
        page: Place {
            next_token: token.unwrap_or_default(),
            count: page.ids.len(),
            total: page.total,
        },
        context,
        results: Entities { kind: found.kind(), ids: &page.ids },
    };
    Ok(answer::json_answer(StatusCode::OK, answer::to_json(&answer)?))
}

/// What is wrong with what was asked, and what was passed over in it.
fn context_of(error: Option<Value>, reading: &Reading<'_>) -> Option<Value> {
    let ignored = Some(reading.take_ignored()).filter(|places| !places.is_empty());
    let members = [("error", error), ("ignored", ignored.map(|places| json!(places)))];
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let members: Map<String, Value> = members.collect();
    (!members.is_empty()).then_some(Value::Object(members))
}

/// A page of results. What programs that page look at first comes first, as the standard
/// recommends.
#[derive(Serialize)]
struct Answered<'v> {
    page: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Value>,
    results: Entities<'v>,
}

/// Entities of one kind.
struct Entities<'v> {
    /// `None` for actions.
    kind: Option<&'static str>,
    ids: &'v [&'v str],
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entity<'v> {
    Typed {
        #[serde(rename = "type")]
        kind: &'static str,
        id: &'v str,
    },
    Named {
        name: &'v str,
    },
}

impl Serialize for Entities<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.ids.iter().map(|id| match self.kind {
            Some(kind) => Entity::Typed { kind, id },
            None => Entity::Named { name: id },
        }))
    }
}

impl Found<'_> {
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Users(_) => Some("user"),
            Self::Groups(_) => Some("group"),
            Self::Actions(_) | Self::Nothing => None,
        }
    }

    fn page(&self, after: Option<&str>, limit: usize) -> Page<'_> {
        match self {
            Self::Users(users) => users.page(after, limit),
            Self::Groups(groups) => groups.page(after, limit),
            Self::Actions(actions) => {
                let names = actions.iter().map(|action| action.as_str());
                let is_before = |name: &&str| after.is_some_and(|after| *name != after);
                let mut rest = names.skip_while(is_before).skip(usize::from(after.is_some()));
                let ids: Vec<&str> = rest.by_ref().take(limit).collect();
                let next = rest.next().and_then(|_| ids.last().copied());
                Page { ids, total: actions.len() as u64, next }
            }
            Self::Nothing => Page { ids: Vec::new(), total: 0, next: None },
        }
    }
}

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
