//! The group calls of XMTP as JSON over HTTP, named as in the SDKs: `POST
//! /xmtp/groups/{groupId}/{call}`.
//!
//! The SDKs know the caller. Here, the backend sends each call with the admin token, and names as
//! `caller` the user on whose behalf it acts, so that the gates decide.
//!
//! An answer is `{"result": ...}` with what the SDK's call returns, or `{"error": {...}}` with the
//! permission that was missing.

mod arguments;
mod attempt;
mod calls;
mod create;
mod disappearing;
mod error;
mod inboxes;
mod permission_update;
mod policy;
mod reads;
mod steps;
mod writes;

use super::{Admission, Backend, BackendError, Call, CallError, Dialect, Reply, Step};
use crate::{
    facts::Id,
    wire::{AccessScope, PercentEncoding, excerpt},
};
use arguments::Arguments;
use error::{XmtpError, XmtpStop};

#[derive(Debug)]
pub struct Xmtp;

/// The endpoint of a path.
#[derive(Debug)]
enum XmtpPath {
    Groups,
    Group(Id),
    Call(Id, calls::GroupCall),
    Dms,
    Inbox(Id),
}

impl Dialect for Xmtp {
    fn name(&self) -> &'static str {
        "xmtp"
    }

    fn owns_path(&self, path: &str) -> bool {
        path.strip_prefix("/xmtp").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn refuse_early(&self, call: &Call<'_>, backend: &dyn Backend) -> Option<Reply> {
        let refused = XmtpError::from_admission(admission(call, backend))?;
        Some(Reply { refuses_credential: true, ..refused.reply() })
    }

    fn answer(&self, call: &Call<'_>, backend: &dyn Backend) -> Result<Step<Reply>, BackendError> {
        if let Some(refused) = XmtpError::from_admission(admission(call, backend)) {
            return Ok(steps::error_step(&refused));
        }
        steps::settle(answer(call, backend))
    }

    fn render_error(&self, failure: &CallError) -> Reply {
        XmtpError::from(failure).reply()
    }
}

/// The admission of a call by its token. What can't be found is a read.
fn admission(call: &Call<'_>, backend: &dyn Backend) -> Admission {
    let scope = match XmtpPath::parse(call.path) {
        Ok(XmtpPath::Groups | XmtpPath::Dms | XmtpPath::Call(_, calls::GroupCall::Write(_))) => {
            AccessScope::Write
        }
        Ok(XmtpPath::Inbox(_)) if call.method == "PUT" => AccessScope::Write,
        _ => AccessScope::Read,
    };
    call.admission(call.bearer(), scope, backend)
}

fn answer(call: &Call<'_>, backend: &dyn Backend) -> Result<Step<Reply>, XmtpStop> {
    let place = XmtpPath::parse(call.path)?;
    let methods = place.methods();
    if !methods.split(", ").any(|method| method == call.method) {
        return Err(XmtpError::method_not_allowed(methods).into());
    }
    let arguments = Arguments::from_call(call)?;
    match &place {
        XmtpPath::Groups => create::group(arguments, backend),
        XmtpPath::Dms => create::dm(arguments, backend),
        XmtpPath::Group(group) => reads::summary(group, arguments, backend),
        XmtpPath::Call(group, calls::GroupCall::Read(read)) => {
            reads::answer(*read, group, arguments, backend)
        }
        XmtpPath::Call(group, calls::GroupCall::Write(write)) => {
            writes::answer(*write, group, arguments, backend)
        }
        XmtpPath::Inbox(inbox) if call.method == "PUT" => inboxes::put(inbox, arguments, backend),
        XmtpPath::Inbox(inbox) => inboxes::get(inbox, arguments, backend),
    }
}

impl XmtpPath {
    fn parse(path: &str) -> Result<Self, XmtpError> {
        let parts: Vec<&str> = path.split('/').skip(2).collect();
        match *parts {
            ["groups"] => Ok(Self::Groups),
            ["groups", group] => Ok(Self::Group(id(group, "groupId")?)),
            ["groups", group, call] => match calls::GroupCall::from_name(call) {
                Some(call) => Ok(Self::Call(id(group, "groupId")?, call)),
                None => Err(XmtpError::not_found(format!(
                    "unknown call of a group `{}`; calls have the names of the SDKs, like isAdmin",
                    excerpt(call)
                ))),
            },
            ["dms"] => Ok(Self::Dms),
            ["inboxes", inbox] => Ok(Self::Inbox(id(inbox, "inboxId")?)),
            _ => Err(XmtpError::not_found(
                "not found; see /xmtp/groups, /xmtp/groups/{groupId}/{call}, /xmtp/dms and \
                 /xmtp/inboxes/{inboxId}",
            )),
        }
    }

    const fn methods(&self) -> &'static str {
        match self {
            Self::Groups | Self::Dms => "POST",
            Self::Group(_) => "GET, HEAD",
            Self::Call(_, call) => call.methods(),
            Self::Inbox(_) => "GET, HEAD, PUT",
        }
    }
}

/// An id in a path.
fn id(part: &str, at: &str) -> Result<Id, XmtpError> {
    let text = PercentEncoding::Path.decode(part.as_bytes());
    let text = text.map_err(|error| XmtpError::invalid(at, error.to_string()))?;
    Id::new(&text).map_err(|error| XmtpError::invalid(at, format!("`{at}`: {error}")))
}
