//! The backend API of mesibo: one path, with the operation and its result in the body.
//!
//! A request is translated to commands that take effect all or none. Data with a meaning for
//! decisions becomes facts: permissions and peers, contacts, pairs, blocks, members and their
//! roles. Other data is stored with the user, the group or the member, and returned as it was sent.

mod batch;
mod contacts;
mod error;
mod flags;
mod form;
mod groups;
mod ignored_fields;
mod members;
mod multipart;
mod params;
mod render;
mod request;
mod uid;
mod users;

use super::{Backend, BackendError, Call, CallError, Dialect, Reply, Step};
use batch::settle;
use error::{MesiboError, MesiboErrorCode, MesiboStop};
use request::MesiboRequest;
use uid::ResolvedNumbers;

use crate::{request::suggest, wire::excerpt};

/// The supported operations.
const OPS: &str = "useradd, userset, userget, usersget, userdel, usertoken, groupadd, groupset, groupget, \
                   groupdel, groupeditmembers, groupgetmembers";

/// The dialect of mesibo's backend API.
#[derive(Debug)]
pub struct Mesibo;

impl Dialect for Mesibo {
    fn name(&self) -> &'static str {
        "mesibo"
    }

    fn owns_path(&self, path: &str) -> bool {
        matches!(path, "/backend" | "/backend/" | "/api.php")
    }

    fn caller_label(&self, call: &Call<'_>, backend: &dyn Backend) -> String {
        request::caller_label(call, backend)
    }

    fn answer(&self, call: &Call<'_>, backend: &dyn Backend) -> Result<Step<Reply>, BackendError> {
        let request = match MesiboRequest::parse(call, backend) {
            Ok(request) => request,
            Err(rejected) => return Ok(Step::Done(rejected.reply())),
        };
        let numbers = uid::generated_numbers(&request.body);
        if numbers.is_empty() {
            return settle(&request, dispatch(&request, &ResolvedNumbers::default(), backend));
        }
        Ok(Step::blocking(move |backend| {
            settle(&request, dispatch(&request, &uid::resolve_numbers(&numbers, backend), backend))
        }))
    }

    fn render_error(&self, failure: &CallError) -> Reply {
        let error = match failure {
            CallError::TooLarge(_) => MesiboErrorCode::TooLarge,
            CallError::TimedOut(_) => MesiboErrorCode::Late,
            CallError::Incomplete(_) | CallError::Encoded(_) => MesiboErrorCode::BadForm,
            CallError::Unavailable(_) => MesiboErrorCode::Unavailable,
        };
        MesiboError::new(error, failure.to_string()).reply("", None)
    }
}

fn dispatch(
    request: &MesiboRequest,
    found: &ResolvedNumbers,
    backend: &dyn Backend,
) -> Result<Step<Reply>, MesiboStop> {
    match request.op.as_str() {
        "useradd" => users::add(request, found, backend),
        "userset" => users::set(request, found, backend),
        "userget" => users::get(request, found, backend),
        "usersget" => users::list(request, found, backend),
        "userdel" | "deluser" => users::delete(request, found, backend),
        "usertoken" => users::token(request, found, backend),
        "deltoken" => users::delete_token(request, found, backend),
        "groupadd" => groups::add(request, backend),
        "groupset" => groups::set(request, backend),
        "groupget" => groups::get(request, false, backend),
        "groupdel" => groups::delete(request),
        "groupeditmembers" => groups::edit_members(request, backend),
        "groupgetmembers" | "getmembers" => groups::get(request, true, backend),
        "message" => {
            let message =
                "peerage decides and does not send messages; send them by the chat server";
            Err(MesiboError::at(MesiboErrorCode::BadOp, "op", message).into())
        }
        other => {
            let message = format!(
                "unknown operation `{}`; {}",
                excerpt(other),
                suggest(other, OPS.split(", "))
            );
            Err(MesiboError::at(MesiboErrorCode::BadOp, "op", &message).into())
        }
    }
}
