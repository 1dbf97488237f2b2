//! Flip's Sync API: the rules of who may start a chat with whom, and the tags of users.
//!
//! Rules are read and written at once: no call is answered before it took effect. Each answer has an
//! id of its own, `flip-request-id`.

mod body;
mod condition;
mod fault;
mod path;
mod rules;
mod tags;
mod tokens;

pub use tokens::{InvalidTokens, Tokens};

use super::{Admission, Call, Dialect, Failure, House, Reply, Step, Unread};
use fault::Fault;
use path::Endpoint;
use tokens::Scope;

/// The API of Flip.
#[derive(Debug, Default)]
pub struct Flip {
    tokens: Option<Tokens>,
}

impl Flip {
    /// With tokens that may be shown besides the admin token, which has all scopes.
    pub fn new(tokens: Option<Tokens>) -> Self {
        Self { tokens }
    }

    fn step(&self, call: &Call<'_>, house: &dyn House) -> Result<Step<Reply>, Fault> {
        let (endpoint, method) = self.begin(call, house)?;
        endpoint.answer(method, call, house)
    }

    /// What is called, if the caller may.
    fn begin<'c>(
        &self,
        call: &Call<'c>,
        house: &dyn House,
    ) -> Result<(Endpoint<'c>, path::Method), Fault> {
        let endpoint = Endpoint::at(call.path)?;
        let (method, scope) = endpoint.method(call.method)?;
        self.admit(call, scope, house)?;
        Ok((endpoint, method))
    }

    /// Whether the caller has a scope.
    fn admit(&self, call: &Call<'_>, scope: Scope, house: &dyn House) -> Result<(), Fault> {
        let token = call.bearer();
        let admission = call.admission(token, house);
        let scopes = token.and_then(|token| self.tokens.as_ref()?.scopes(token));
        match (admission, scopes) {
            (Admission::Admitted, _) => Ok(()),
            (_, Some(scopes)) if scopes.has(scope) => Ok(()),
            (_, Some(_)) => Err(Fault::missing_scope(scope)),
            (Admission::Disabled, None) if self.tokens.is_none() => Err(Fault::disabled()),
            (_, None) => Err(Fault::unauthorized(token.is_some())),
        }
    }
}

impl Dialect for Flip {
    fn name(&self) -> &'static str {
        "flip"
    }

    fn takes(&self, path: &str) -> bool {
        path::is_below(path)
    }

    fn refuse(&self, call: &Call<'_>, house: &dyn House) -> Option<Reply> {
        self.begin(call, house).err().map(|fault| fault.reply())
    }

    fn caller(&self, call: &Call<'_>, house: &dyn House) -> String {
        match call.admission(call.bearer(), house) {
            _ if call.trusted => "socket",
            Admission::Admitted => "admin-token",
            _ => "flip-token",
        }
        .to_owned()
    }

    fn answer(&self, call: &Call<'_>, house: &dyn House) -> Result<Step<Reply>, Unread> {
        match self.step(call, house) {
            Ok(step) => Ok(step),
            Err(fault) => fault.answer(),
        }
    }

    fn failed(&self, failure: &Failure) -> Reply {
        Fault::from(failure).reply()
    }
}
