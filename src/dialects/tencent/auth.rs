//! Authentication of callers: administrators of the app.

use super::{
    codes::{CallFamily, TencentCode},
    envelope::TencentError,
    query::TencentQuery,
    user_sig::SigVerifier,
};
use crate::{
    dialects::{Admission, Backend, Call},
    wire::{AccessScope, Secret},
};

/// The default administrator, which every app has.
const ADMINISTRATOR: &str = "administrator";

/// The administrator in the documentation's examples.
const EXAMPLE: &str = "admin";

/// The configuration of how callers authenticate as administrators.
#[derive(Debug)]
pub struct TencentAccess {
    /// The verifier of signatures; without it, callers send the admin token in their place.
    verifier: Option<SigVerifier>,
    sdkappid: Option<u64>,
    admins: Vec<String>,
}

impl TencentAccess {
    /// Access by signatures with the secret key of this app. `admins` are the identifiers of its
    /// administrators; if empty, the default one.
    pub fn with_key(key: Secret, sdkappid: u64, admins: Vec<String>) -> Self {
        let admins = or_default(admins, &[ADMINISTRATOR]);
        Self { verifier: Some(SigVerifier::new(key)), sdkappid: Some(sdkappid), admins }
    }

    /// Access by the admin token. The `sdkappid` of a call is checked only if one is given here.
    pub fn with_admin_token(sdkappid: Option<u64>, admins: Vec<String>) -> Self {
        // The admin token is valid under both usual identifiers.
        let admins = or_default(admins, &[ADMINISTRATOR, EXAMPLE]);
        Self { verifier: None, sdkappid, admins }
    }

    /// Checks that a call comes from an administrator of the app.
    pub(super) fn check(
        &self,
        call: &Call<'_>,
        (family, scope): (CallFamily, AccessScope),
        backend: &dyn Backend,
    ) -> Result<(), TencentError> {
        let query = TencentQuery::parse(call.query)?;
        if call.trusted {
            return Ok(());
        }
        match &self.verifier {
            Some(verifier) => check_signed(verifier, &query, backend)?,
            None => check_token(call, &query, scope, backend)?,
        }
        if let Some(wrong) =
            query.sdkappid.filter(|&id| self.sdkappid.is_some_and(|expected| expected != id))
        {
            let message = format!("`sdkappid` is {wrong}, which is not this app");
            return Err(TencentError::new(family.app(), message));
        }
        match &query.identifier {
            Some(identifier) if !self.admins.iter().any(|admin| admin == identifier) => {
                let message = format!(
                    "`identifier`: `{}` is not an administrator of the app; add it with --tencent-admin",
                    identifier.chars().take(300).collect::<String>().escape_debug()
                );
                Err(TencentError::new(family.not_admin(), message))
            }
            _ => Ok(()),
        }
    }
}

impl TencentAccess {
    /// The kind of credential of a call: the token, or the signature of an identifier.
    pub(super) fn credential(&self, call: &Call<'_>, backend: &dyn Backend) -> String {
        let query = TencentQuery::parse(call.query).ok();
        if self.verifier.is_none() {
            let token = query.as_ref().and_then(|query| shown_token(call, query));
            return call.caller_label(token, backend);
        }
        match query.and_then(|query| query.identifier) {
            Some(identifier) => format!("usersig:{identifier}"),
            None => "usersig".to_owned(),
        }
    }
}

fn or_default(admins: Vec<String>, usual: &[&str]) -> Vec<String> {
    if admins.is_empty() { usual.iter().map(|&name| name.to_owned()).collect() } else { admins }
}

/// Checks that the key made the signature, for the `identifier` and `sdkappid` of the query.
fn check_signed(
    verifier: &SigVerifier,
    query: &TencentQuery<'_>,
    backend: &dyn Backend,
) -> Result<(), TencentError> {
    let missing = |code, name: &str| {
        TencentError::new(code, format!("`{name}` is missing or empty in the query"))
    };
    let usersig =
        query.usersig.as_deref().ok_or_else(|| missing(TencentCode::SigEmpty, "usersig"))?;
    let identifier =
        query.identifier.as_deref().ok_or_else(|| missing(TencentCode::Signature, "identifier"))?;
    let sdkappid = query.sdkappid.ok_or_else(|| missing(TencentCode::AppMissing, "sdkappid"))?;
    let ticket = verifier.verify(usersig, backend.now())?;
    if ticket.identifier != identifier {
        let message = format!(
            "the usersig is for `{}`, not for the `identifier` of the query",
            ticket.identifier_excerpt()
        );
        return Err(TencentError::new(TencentCode::SigIdentifier, message));
    }
    if ticket.sdkappid != sdkappid {
        let message = format!(
            "the usersig is for the app {}, not for the `sdkappid` of the query",
            ticket.sdkappid
        );
        return Err(TencentError::new(TencentCode::SigApp, message));
    }
    Ok(())
}

/// The token of a call: in the place of the signature, or in the usual header.
fn shown_token<'a>(call: &'a Call<'_>, query: &'a TencentQuery<'_>) -> Option<&'a [u8]> {
    query.usersig.as_deref().map(str::as_bytes).or_else(|| call.bearer())
}

/// Checks the admin token, which is sent as the signature or in the usual header.
fn check_token(
    call: &Call<'_>,
    query: &TencentQuery<'_>,
    scope: AccessScope,
    backend: &dyn Backend,
) -> Result<(), TencentError> {
    let admission = call.admission(shown_token(call, query), scope, backend);
    let (code, hint) = match admission {
        Admission::Admitted => return Ok(()),
        Admission::Missing => (
            TencentCode::SigEmpty,
            ": send it as `usersig`, or start the daemon with --tencent-key-file",
        ),
        Admission::Wrong => (TencentCode::SigInvalid, ""),
        Admission::MissingScope(_) | Admission::Disabled => (TencentCode::Disabled, ""),
    };
    Err(TencentError::new(code, format!("{}{hint}", admission.message())))
}
