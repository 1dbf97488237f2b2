//! Requests in all their forms: JSON, query, form, multipart form.

use serde_json::{Map, Value};

use super::{
    error::{MesiboError, MesiboErrorCode},
    form, ignored_fields, multipart,
};
use crate::{
    dialects::{Admission, Backend, Call, Reply},
    wire::{
        AccessScope, excerpt,
        json::{self, JsonError, StrictValue},
    },
};

/// A request, independent of the form in which it was sent.
#[derive(Clone, Debug)]
pub(super) struct MesiboRequest {
    /// The operation as it was sent; empty if it is missing.
    pub(super) op: String,
    /// The id that is returned with the answer.
    pub(super) id: Option<Value>,
    pub(super) body: Map<String, Value>,
    /// The ignored fields: paths, and names of parameters.
    ignored: Vec<String>,
}

/// A request that is rejected before its operation, with what is known of it.
pub(super) struct RejectedRequest {
    fault: Box<MesiboError>,
    op: String,
    id: Option<Value>,
}

impl From<MesiboError> for RejectedRequest {
    fn from(fault: MesiboError) -> Self {
        Self { fault: Box::new(fault), op: String::new(), id: None }
    }
}

impl RejectedRequest {
    pub(super) fn reply(self) -> Reply {
        self.fault.reply(&self.op, self.id.as_ref())
    }
}

impl MesiboRequest {
    /// Reads a request and checks that an administrator sent it.
    pub(super) fn parse(call: &Call<'_>, backend: &dyn Backend) -> Result<Self, RejectedRequest> {
        if !matches!(call.method, "GET" | "POST") {
            let message = "method not allowed; use POST, or GET with the parameters in the query";
            return Err(MesiboError::new(MesiboErrorCode::BadMethod, message).into());
        }
        let (mut body, mut ignored) = parse_body(call)?;
        let op = body.shift_remove("op");
        let id = body.shift_remove("id").filter(|id| !id.is_null());
        let token = body.shift_remove("token");
        let named = op.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        let shown_id = id.clone().filter(|id| id.is_i64() || id.is_u64());
        let reject = |fault: MesiboError| RejectedRequest {
            fault: Box::new(fault),
            op: named.clone(),
            id: shown_id.clone(),
        };
        check_admin(call, token.as_ref(), scope(&named), backend).map_err(reject)?;
        if id != shown_id {
            return Err(reject(MesiboError::parameter(
                MesiboErrorCode::BadParam,
                "id",
                "must be a whole number",
            )));
        }
        match op {
            Some(Value::String(op)) if !op.is_empty() => {
                ignored.extend(ignored_fields::find_ignored(&body));
                Ok(Self { op, id, body, ignored })
            }
            Some(Value::String(_)) | None => Err(reject(MesiboError::parameter(
                MesiboErrorCode::BadOp,
                "op",
                "is missing; give an operation",
            ))),
            Some(_) => Err(reject(MesiboError::parameter(
                MesiboErrorCode::BadOp,
                "op",
                "must be a string",
            ))),
        }
    }

    /// The answer to a request that succeeded; `about` comes first.
    pub(super) fn success_reply(&self, about: Vec<(&str, Value)>) -> Reply {
        let mut body: Map<String, Value> = Map::with_capacity(about.len() + 3);
        body.extend(about.into_iter().map(|(name, value)| (name.to_owned(), value)));
        body.insert("op".to_owned(), self.op.as_str().into());
        body.insert("result".to_owned(), true.into());
        if let Some(id) = &self.id {
            body.insert("id".to_owned(), id.clone());
        }
        if !self.ignored.is_empty() {
            body.insert("ignored".to_owned(), self.ignored.as_slice().into());
        }
        Reply::json(200, &Value::Object(body))
    }

    pub(super) fn error_reply(&self, fault: MesiboError) -> Reply {
        fault.reply(&self.op, self.id.as_ref())
    }
}

/// The request as JSON, and ignored parameters. The operation, the token and the id may be in the
/// query beside a body.
fn parse_body(call: &Call<'_>) -> Result<(Map<String, Value>, Vec<String>), MesiboError> {
    let query = parse_parameters(call.query.as_bytes())?;
    let start = call.body.iter().find(|byte| !byte.is_ascii_whitespace());
    // Clients send JSON with the content type of a form, which is the default of some HTTP clients.
    let is_form = is_content_type(call, "application/x-www-form-urlencoded")
        && !start.is_some_and(|byte| matches!(byte, b'{' | b'['));
    if call.body.is_empty() {
        return form::to_json(&query);
    }
    let is_multipart = is_content_type(call, "multipart/form-data");
    if is_form || is_multipart {
        let mut all = if is_multipart {
            multipart::parse_parameters(call.content_type, call.body)?
        } else {
            parse_parameters(call.body)?
        };
        let more = query.into_iter().filter(|(name, _)| all.iter().all(|(known, _)| known != name));
        let more: Vec<_> = more.collect();
        all.extend(more);
        return form::to_json(&all);
    }
    let StrictValue(value) =
        json::parse(call.body, "a request").map_err(|misread| MesiboError::from_json(&misread))?;
    let Value::Object(mut body) = value else {
        let (message, at) = ("request body must be an object".to_owned(), String::new());
        return Err(MesiboError::from_json(&JsonError { message, at, line_column: (1, 1) }));
    };
    let is_of_envelope = |(name, _): &(String, String)| matches!(&**name, "op" | "token" | "id");
    let (envelope, others): (Vec<_>, Vec<_>) = query.into_iter().partition(is_of_envelope);
    for (name, value) in form::to_json(&envelope)?.0 {
        body.entry(name).or_insert(value);
    }
    Ok((body, others.iter().map(|(name, _)| excerpt(name)).collect()))
}

fn parse_parameters(text: &[u8]) -> Result<Vec<(String, String)>, MesiboError> {
    if text.split(|&byte| byte == b'&').count() > form::MAX_PARAMETERS {
        let message = format!("more than {} parameters; send JSON", form::MAX_PARAMETERS);
        return Err(MesiboError::new(MesiboErrorCode::BadForm, message));
    }
    form::decode_parameters(text)
}

fn is_content_type(call: &Call<'_>, kind: &str) -> bool {
    let given = call.content_type.split(';').next().unwrap_or_default();
    given.trim().eq_ignore_ascii_case(kind)
}

/// The name of the token of a call, which the body may hold, for the audit log.
pub(super) fn caller_label(call: &Call<'_>, backend: &dyn Backend) -> String {
    let body = if call.trusted { None } else { parse_body(call).ok() };
    let token = body.and_then(|(mut body, _)| body.shift_remove("token"));
    let token = token.as_ref().and_then(Value::as_str).map(str::as_bytes);
    call.caller_label(token.or_else(|| call.bearer()), backend)
}

/// The scope that an operation takes.
fn scope(op: &str) -> AccessScope {
    match op {
        "userget" | "usersget" | "groupget" | "groupgetmembers" | "getmembers" => AccessScope::Read,
        _ => AccessScope::Write,
    }
}

/// # Errors
/// Unless an administrator sent the request, with `token` or the header of peerage's own API.
fn check_admin(
    call: &Call<'_>,
    token: Option<&Value>,
    scope: AccessScope,
    backend: &dyn Backend,
) -> Result<(), MesiboError> {
    let shown = token.and_then(Value::as_str).map(str::as_bytes).or_else(|| call.bearer());
    let admission = call.admission(shown, scope, backend);
    let error = match admission {
        Admission::Admitted => return Ok(()),
        Admission::Disabled => MesiboErrorCode::Disabled,
        Admission::Wrong | Admission::Missing | Admission::MissingScope(_) => {
            MesiboErrorCode::TokenBreach
        }
    };
    Err(MesiboError::at(error, "token", admission.message()))
}
