//! The Sync API of Flip: rules of who may start a chat with whom, and the tags of users.
//!
//! Writes are answered once they have taken effect. Each reply has an id of its own,
//! `flip-request-id`.

mod body;
mod condition;
mod error;
mod path;
mod rules;
mod tags;
mod tokens;

pub use tokens::{FlipTokens, FlipTokensError};

use super::{Admission, Backend, BackendError, Call, CallError, Dialect, Reply, Step};
use error::{FlipError, FlipStop};
use path::FlipEndpoint;
use tokens::TokenScope;

/// The dialect of Flip's Sync API.
#[derive(Debug, Default)]
pub struct Flip {
    tokens: Option<FlipTokens>,
}

impl Flip {
    /// The dialect with tokens beside the admin token, which has all scopes.
    pub fn new(tokens: Option<FlipTokens>) -> Self {
        Self { tokens }
    }

    fn respond(&self, call: &Call<'_>, backend: &dyn Backend) -> Result<Step<Reply>, FlipStop> {
        let (endpoint, method) = self.authorize(call, backend)?;
        endpoint.answer(method, call, backend)
    }

    /// The endpoint and method of a call, if its token has the scope.
    fn authorize<'c>(
        &self,
        call: &Call<'c>,
        backend: &dyn Backend,
    ) -> Result<(FlipEndpoint<'c>, path::FlipMethod), FlipError> {
        let endpoint = FlipEndpoint::parse(call.path)?;
        let (method, scope) = endpoint.method_and_scope(call.method)?;
        self.admit(call, scope, backend)?;
        Ok((endpoint, method))
    }

    /// Checks that the caller has a scope.
    fn admit(
        &self,
        call: &Call<'_>,
        scope: TokenScope,
        backend: &dyn Backend,
    ) -> Result<(), FlipError> {
        let token = call.bearer();
        let admission = call.admission(token, scope.access(), backend);
        let scopes = token.and_then(|token| self.tokens.as_ref()?.scopes(token));
        match (admission, scopes) {
            (Admission::Admitted, _) => Ok(()),
            (_, Some(scopes)) if scopes.allows(scope) => Ok(()),
            (_, Some(_)) => Err(FlipError::missing_scope(scope.as_str())),
            (Admission::MissingScope(scope), None) => Err(FlipError::missing_scope(scope.as_str())),
            (Admission::Disabled, None) if self.tokens.is_none() => Err(FlipError::disabled()),
            (_, None) => Err(FlipError::unauthorized(token.is_some())),
        }
    }
}

impl Dialect for Flip {
    fn name(&self) -> &'static str {
        "flip"
    }

    fn owns_path(&self, path: &str) -> bool {
        path::is_sync_path(path)
    }

    fn refuse_early(&self, call: &Call<'_>, backend: &dyn Backend) -> Option<Reply> {
        self.authorize(call, backend).err().map(|fault| fault.reply())
    }

    fn caller_label(&self, call: &Call<'_>, backend: &dyn Backend) -> String {
        if call.trusted {
            return "socket".to_owned();
        }
        let name = call.bearer().and_then(|token| backend.token_name(token));
        name.unwrap_or_else(|| "flip-token".to_owned())
    }

    fn answer(&self, call: &Call<'_>, backend: &dyn Backend) -> Result<Step<Reply>, BackendError> {
        Step::settle(self.respond(call, backend), |error| error.reply())
    }

    fn render_error(&self, failure: &CallError) -> Reply {
        FlipError::from(failure).reply()
    }
}
