//! One line of a decision log.
//!
//! A line is a JSON object with these members; others are passed over:
//!
//! - `subject` (needed): the id of a user, or `{"type": "user", "id": ..., "properties": {...}}`;
//! - `action` (needed): its name, or `{"name": ..., "properties": {"member": ..., "field": ...}}`;
//! - `resource`: the id of what the action is done to before all else, or `{"type": ..., "id": ...,
//!   "properties": {...}}`; left out where it is done to nothing;
//! - `member` and `field`: in place of the properties of the action; the member as the subject is;
//! - `context`: of which `conversation` counts, `new` or `existing`;
//! - `decision` (needed): a boolean;
//! - `reason`: the code that was given for it.
//!
//! Properties are those of a request: `tags`, `peers`, `permissions`, `moderation`, `role`; of a
//! group, `matrix`.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::{
    request::{
        ActionName, Conversation, Decision, Moderation, PeersMode, Properties, QuestionParts,
        Reason, Request, RequestedAction, Resource, ResourceKind, Role, Switch, UnknownWordError,
        check_id,
    },
    snapshot::View,
    wire::{IdForm, write_decision},
};

/// A logged decision.
#[derive(Clone, Debug)]
pub struct LoggedDecision {
    subject: Value,
    pub action: ActionName,
    asked: RequestedAction,
    resource: Value,
    member: Value,
    field: Option<String>,
    conversation: Option<Conversation>,
    pub allow: bool,
    pub reason: Option<Reason>,
}

/// The flaw of a line, and the member that has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct LogLineError {
    pub(super) member: &'static str,
    pub(super) message: String,
}

fn wrong(member: &'static str, message: impl Into<String>) -> LogLineError {
    LogLineError { member, message: message.into() }
}

impl LoggedDecision {
    pub(super) fn read(view: &View, mut object: Map<String, Value>) -> Result<Self, LogLineError> {
        let action = object.remove("action").ok_or_else(|| missing("action"))?;
        let (name, mut given) = match action {
            Value::Object(mut action) => {
                let given = action.remove("properties");
                (action.remove("name"), given.unwrap_or(Value::Null))
            }
            name => (Some(name), Value::Null),
        };
        let name = name.as_ref().and_then(Value::as_str);
        let name = name.ok_or_else(|| wrong("action", "it is not a text"))?;
        let asked =
            view.requested_action(name).map_err(|error| wrong("action", error.to_string()))?;
        let action = view.action_name(asked);
        let mut text = |name: &'static str| {
            let value = object.remove(name).or_else(|| given.get_mut(name).map(Value::take));
            match value {
                None | Some(Value::Null) => Ok(None),
                Some(Value::String(text)) => Ok(Some(text)),
                Some(_) => Err(wrong(name, "it is not a text")),
            }
        };
        let field = text("field")?;
        let member = object.remove("member").or_else(|| given.get_mut("member").map(Value::take));
        let member = member.unwrap_or(Value::Null);
        let conversation = match object.get("context").and_then(|all| all.get("conversation")) {
            None | Some(Value::Null) => None,
            state => Some(word("conversation", state)?),
        };
        let allow = match object.get("decision") {
            Some(Value::Bool(allow)) => *allow,
            Some(_) => return Err(wrong("decision", "it is true or false")),
            None => return Err(missing("decision")),
        };
        let reason = match object.get("reason") {
            None | Some(Value::Null) => None,
            reason => Some(word("reason", reason)?),
        };
        let subject = object.remove("subject").ok_or_else(|| missing("subject"))?;
        let resource = object.remove("resource").unwrap_or(Value::Null);
        let record =
            Self { subject, action, asked, resource, member, field, conversation, allow, reason };
        record.request()?;
        Ok(record)
    }

    /// The request of the decision.
    pub(super) fn request(&self) -> Result<Request<'_>, LogLineError> {
        let (subject_type, subject) = entity("subject", &self.subject)?;
        if subject_type.is_some_and(|name| name != "user") {
            return Err(wrong("subject", "a subject is of type user"));
        }
        let (resource_type, resource) = entity("resource", &self.resource)?;
        let (member_type, member) = entity("member", &self.member)?;
        if member_type.is_some_and(|name| name != "user") {
            return Err(wrong("member", "a member is of type user"));
        }
        let parts = QuestionParts {
            subject,
            action: self.asked,
            resource_type,
            resource,
            member,
            field: self.field.as_deref(),
            conversation: self.conversation,
        };
        let mut request = parts.into_request().map_err(|misfit| {
            wrong(if misfit.part() == "subject" { "subject" } else { "action" }, misfit.to_string())
        })?;
        request.subject.properties = properties("subject", &self.subject)?;
        if let Some(member) = &mut request.member {
            member.properties = properties("member", &self.member)?;
        }
        match &mut request.resource {
            Resource::User(user) => user.properties = properties("resource", &self.resource)?,
            Resource::Group(group) => group.matrix = matrix(&self.resource)?,
            Resource::None => {}
        }
        Ok(request)
    }

    /// The ids of subject, resource and member, for people.
    pub(super) fn describe_parties(&self) -> String {
        let id = |value: &Value| match entity("", value) {
            Ok((_, Some(id))) => format!(" `{}`", id.escape_debug()),
            _ => String::new(),
        };
        let (subject, resource) = (id(&self.subject), id(&self.resource));
        format!("{}{resource}{}", subject.trim_start(), id(&self.member))
    }
}

/// The line that logs a decision, without the line break.
pub fn format_line(view: &View, request: &Request<'_>, decision: Decision) -> String {
    let mut line = vec![b'{'];
    let action = view.action_name(request.requested());
    write_decision(&mut line, &action, request, decision, IdForm::Plain);
    line.push(b'}');
    String::from_utf8_lossy(&line).into_owned()
}

fn missing(member: &'static str) -> LogLineError {
    wrong("", format!("`{member}` is missing"))
}

fn word<T: FromStr>(member: &'static str, value: Option<&Value>) -> Result<T, LogLineError>
where
    T::Err: ToString,
{
    let text = value.and_then(Value::as_str).ok_or_else(|| wrong(member, "it is not a text"))?;
    text.parse().map_err(|error: T::Err| wrong(member, error.to_string()))
}

/// The type and the id of a user, a group, or another resource.
fn entity<'v>(
    member: &'static str,
    value: &'v Value,
) -> Result<(Option<&'v str>, Option<&'v str>), LogLineError> {
    let (kind, id) = match value {
        Value::Null => return Ok((None, None)),
        Value::String(id) => (None, id.as_str()),
        Value::Object(object) => {
            let text = |name: &str| object.get(name).and_then(Value::as_str);
            let id = text("id").ok_or_else(|| wrong(member, "it has no `id`"))?;
            (text("type"), id)
        }
        _ => return Err(wrong(member, "it is neither an id nor an object")),
    };
    let is_free = kind.is_some_and(|kind| ResourceKind::from_type_name(kind) == ResourceKind::None);
    if !is_free {
        check_id(id).map_err(|error| wrong(member, error.to_string()))?;
    }
    Ok((kind, Some(id)))
}

fn properties<'v>(
    member: &'static str,
    value: &'v Value,
) -> Result<Option<Box<Properties<'v>>>, LogLineError> {
    let Some(Value::Object(given)) = value.get("properties") else { return Ok(None) };
    let mut read = Properties::default();
    for (name, value) in given {
        match name.as_str() {
            "tags" => {
                let tags = value
                    .as_array()
                    .and_then(|tags| tags.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
                read.tags = Some(tags.ok_or_else(|| wrong(member, "`tags` is a list of texts"))?);
            }
            "peers" => {
                let number = value.as_u64().map(|number| number.to_string());
                let text = number.as_deref().or(value.as_str()).unwrap_or_default();
                read.peers =
                    Some(PeersMode::parse(text).map_err(|error| wrong(member, error.to_string()))?);
            }
            "permissions" => {
                let Value::Object(switches) = value else {
                    return Err(wrong(member, "`permissions` is an object"));
                };
                for (switch, on) in switches {
                    let switch: Switch = switch
                        .parse()
                        .map_err(|error: UnknownWordError| wrong(member, error.to_string()))?;
                    let on = on.as_bool().ok_or_else(|| wrong(member, "a switch is a boolean"))?;
                    read.permissions.push((switch, on));
                }
            }
            "moderation" => read.moderation = Some(word::<Moderation>(member, Some(value))?),
            "role" => read.role = Some(word::<Role>(member, Some(value))?),
            _ => {}
        }
    }
    Ok((read != Properties::default()).then(|| Box::new(read)))
}

fn matrix(resource: &Value) -> Result<Option<&str>, LogLineError> {
    match resource.get("properties").and_then(|given| given.get("matrix")) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => Ok(Some(name)),
        Some(_) => Err(wrong("resource", "`matrix` is a text")),
    }
}
