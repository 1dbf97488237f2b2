//! The API that Synapse's module synapse-http-antispam calls: `POST /matrix/antispam/{callback}`.
//!
//! Each call is one decision. A status of 200 allows; any other denies, and Synapse passes the error on to the
//! client. So everything that can't be read is an error, and nothing is allowed by accident.
//!
//! Users are known by their Matrix ids, and rooms are groups with the room's id.

mod arguments;
mod callback;
mod error;
mod event;
mod question;
mod room;

use super::{Admission, Backend, BackendError, Call, CallError, Dialect, Reply, Step};
use crate::wire::{AccessScope, excerpt};
use arguments::CallbackArguments;
use callback::Callback;
use error::{MatrixError, MatrixStop};

/// The dialect of synapse-http-antispam.
#[derive(Debug)]
pub struct MatrixAntispam;

/// The part of the path before a callback's name.
const BASE: &str = "/matrix/antispam";

impl Dialect for MatrixAntispam {
    fn name(&self) -> &'static str {
        "matrix"
    }

    fn owns_path(&self, path: &str) -> bool {
        path.strip_prefix("/matrix").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn refuse_early(&self, call: &Call<'_>, backend: &dyn Backend) -> Option<Reply> {
        admit(call, backend).err().map(|error| error.reply())
    }

    fn answer(&self, call: &Call<'_>, backend: &dyn Backend) -> Result<Step<Reply>, BackendError> {
        Step::settle(respond(call, backend), |error| error.reply())
    }

    fn render_error(&self, failure: &CallError) -> Reply {
        MatrixError::from(failure).reply()
    }
}

/// Checks the caller, the method and the path, none of which needs the body.
fn admit(call: &Call<'_>, backend: &dyn Backend) -> Result<Callback, MatrixError> {
    // Decisions need a token where a listed one has the scope for them, as in the native API.
    if backend.guards_decisions() {
        match call.admission(call.bearer(), AccessScope::Decide, backend) {
            Admission::Admitted => {}
            refused => return Err(MatrixError::not_admitted(refused)),
        }
    }
    let name = call.path.strip_prefix(BASE).and_then(|rest| rest.strip_prefix('/'));
    let Some(callback) = name.and_then(Callback::from_name) else {
        let message = format!(
            "not found: {}; callbacks are at {BASE}/{{callback}}, such as {BASE}/user_may_invite",
            excerpt(call.path)
        );
        return Err(MatrixError::not_found(message));
    };
    if call.method == "POST" { Ok(callback) } else { Err(MatrixError::method_not_allowed()) }
}

fn respond(call: &Call<'_>, backend: &dyn Backend) -> Result<Step<Reply>, MatrixStop> {
    let callback = admit(call, backend)?;
    let arguments = CallbackArguments::parse(call.body)?;
    Ok(Step::Done(callback.answer(&arguments, backend)?))
}
