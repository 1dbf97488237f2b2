//! The backend API of mesibo: one path, an operation by name, and the outcome in the body.
//!
//! What a request asks for comes to commands that take effect all or none. What means something to
//! decisions becomes facts: permissions and peers, contacts, pairs, blocks, members and their roles.
//! What doesn't is kept with the user, the group or the member, and answered as it was sent.

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

/// The operations there are.
const OPS: &str = "useradd, userset, userget, usersget, userdel, usertoken, groupadd, groupset, groupget, \
                   groupdel, groupeditmembers, groupgetmembers";

/// mesibo's backend API.
#[derive(Debug)]
pub struct Mesibo;

impl Dialect for Mesibo {
    fn name(&self) -> &'static str {
        "mesibo"
    }

    fn owns_path(&self, path: &str) -> bool {
        matches!(path, "/backend" | "/backend/" | "/api.php")
    }

    fn answer(&self, call: &Call<'_>, backend: &dyn Backend) -> Result<Step<Reply>, BackendError> {
        let asked = match MesiboRequest::parse(call, backend) {
            Ok(asked) => asked,
            Err(turned) => return Ok(Step::Done(turned.reply())),
        };
        let numbers = uid::generated_numbers(&asked.body);
        if numbers.is_empty() {
            return settle(&asked, dispatch(&asked, &ResolvedNumbers::default(), backend));
        }
        Ok(Step::blocking(move |backend| {
            settle(&asked, dispatch(&asked, &uid::resolve_numbers(&numbers, backend), backend))
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
    asked: &MesiboRequest,
    found: &ResolvedNumbers,
    backend: &dyn Backend,
) -> Result<Step<Reply>, MesiboStop> {
    match asked.op.as_str() {
        "useradd" => users::add(asked, found, backend),
        "userset" => users::set(asked, found, backend),
        "userget" => users::get(asked, found, backend),
        "usersget" => users::list(asked, found, backend),
        "userdel" | "deluser" => users::delete(asked, found, backend),
        "usertoken" => users::token(asked, found, backend),
        "deltoken" => users::delete_token(asked, found, backend),
        "groupadd" => groups::add(asked, backend),
        "groupset" => groups::set(asked, backend),
        "groupget" => groups::get(asked, false, backend),
        "groupdel" => groups::delete(asked),
        "groupeditmembers" => groups::edit_members(asked, backend),
        "groupgetmembers" | "getmembers" => groups::get(asked, true, backend),
        "message" => {
            let message =
                "peerage says who may write to whom and sends nothing; send it by the chat server";
            Err(MesiboError::at(MesiboErrorCode::BadOp, "op", message).into())
        }
        other => {
            let message =
                format!("there is no `{}`; {}", excerpt(other), suggest(other, OPS.split(", ")));
            Err(MesiboError::at(MesiboErrorCode::BadOp, "op", &message).into())
        }
    }
}
