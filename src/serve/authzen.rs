//! OpenID AuthZEN Authorization API 1.0: access evaluation.

use std::{borrow::Cow, fmt, marker::PhantomData};

use hyper::{StatusCode, header::HeaderName};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Value, json};

use super::{
    answer::{self, Answer, Refusal},
    native,
    route::App,
};
use crate::{
    decide,
    live::Served,
    request::{Action, Properties, Request, Resource, User, check_tag},
};

/// A caller's own name for a request; it comes back with the answer.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The body of an access evaluation. Members that the standard doesn't name are passed over, as it
/// demands.
#[derive(Deserialize)]
struct Evaluation<'b> {
    #[serde(borrow)]
    subject: Object<Entity<'b>>,
    #[serde(borrow)]
    action: Object<Named<'b>>,
    #[serde(borrow)]
    resource: Object<Entity<'b>>,
    context: Option<Object<Context>>,
}

/// A JSON object and nothing else: left alone, serde would take an array in its place.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

#[derive(Deserialize)]
struct Entity<'b> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'b, str>,
    #[serde(borrow)]
    id: Cow<'b, str>,
    #[serde(borrow)]
    properties: Option<Object<Given<'b>>>,
}

#[derive(Deserialize)]
struct Given<'b> {
    #[serde(borrow)]
    tags: Option<Vec<Cow<'b, str>>>,
}

#[derive(Deserialize)]
struct Named<'b> {
    #[serde(borrow)]
    name: Cow<'b, str>,
}

#[derive(Deserialize)]
struct Context {
    explain: Option<bool>,
    conversation: Option<String>,
}

/// `POST /access/v1/evaluation`. A denial is an answer like any other: 200 and `false`.
pub(super) fn evaluation(app: &App, served: &Served, body: &[u8]) -> Result<Answer, Refusal> {
    let Object(evaluation): Object<Evaluation<'_>> =
        serde_json::from_str(text(body)?).map_err(|error| malformed(&error))?;
    let context = evaluation.context.map(|Object(context)| context);
    let explain = context.as_ref().and_then(|context| context.explain);
    if let Some(word) = context.as_ref().and_then(|context| context.conversation.as_deref())
        && !matches!(word, "new" | "existing")
    {
        return Err(Refusal::bad("context.conversation", "`conversation` is new or existing"));
    }
    let subject = user(&evaluation.subject.0, "subject")?;
    let resource = user(&evaluation.resource.0, "resource")?;
    let action = match evaluation.action.0.name.parse::<Action>() {
        Ok(action) => action,
        // The standard knows no such error: what can't be judged is not permitted.
        Err(error) => return Ok(refused(&error.to_string())),
    };
    let request = Request {
        subject,
        action,
        resource: Resource::User(resource),
        member: None,
        field: None,
        conversation: None,
    };
    if explain == Some(true) {
        let explanation = decide::explain(&served.view, &request);
        app.metrics.count_decision(explanation.decision);
        let mut context = native::explained(&explanation);
        if let Value::Object(context) = &mut context {
            context.remove("decision");
        }
        let body = json!({ "decision": explanation.decision.allow, "context": context });
        return Ok(answer::json_answer(StatusCode::OK, body.to_string()));
    }
    let decision = decide::decide(&served.view, &request);
    app.metrics.count_decision(decision);
    let body = format!(
        r#"{{"decision":{},"context":{{"reason":"{}"}}}}"#,
        decision.allow, decision.reason
    );
    Ok(answer::json_answer(StatusCode::OK, body))
}

/// The user whom an entity names. One of another type is no user whom peerage knows: it gets the
/// empty id, which no user has, and so is refused as unknown.
fn user<'b>(entity: &'b Entity<'_>, at: &str) -> Result<User<'b>, Refusal> {
    let id = if entity.kind == "user" { &*entity.id } else { "" };
    let tags = entity.properties.as_ref().and_then(|Object(properties)| properties.tags.as_ref());
    for (number, tag) in tags.into_iter().flatten().enumerate() {
        check_tag(tag).map_err(|error| {
            Refusal::bad(format!("{at}.properties.tags[{number}]"), error.to_string())
        })?;
    }
    let tags = tags.map(|tags| tags.iter().map(|tag| &**tag).collect());
    let properties =
        tags.map(|tags| Box::new(Properties { tags: Some(tags), ..Properties::default() }));
    Ok(User { id, properties })
}

/// The body as text, all of it: the parser would not look at what it passes over.
fn text(body: &[u8]) -> Result<&str, Refusal> {
    str::from_utf8(body).map_err(|error| {
        Refusal::bad(format!("byte {}", error.valid_up_to() + 1), "the body is not UTF-8")
    })
}

fn refused(message: &str) -> Answer {
    let error = json!({ "status": 400, "message": message });
    let body = json!({ "decision": false, "context": { "error": error } });
    answer::json_answer(StatusCode::OK, body.to_string())
}

fn malformed(error: &serde_json::Error) -> Refusal {
    let at = format!("line {}, column {}", error.line(), error.column());
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text);
    Refusal::bad(at, format!("the body is no access evaluation: {message}"))
}
