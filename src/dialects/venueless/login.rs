//! Logins: by a token, or as a guest by a client id.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    PROFILE, Venueless, VenuelessResult, can_sign_in,
    error::{VenuelessError, refusal_message},
    frame::{Frame, text_or_number},
    guest, stored_user,
    token::{self, Claims},
    welcome::Welcome,
};
use crate::{
    dialects::{Backend, FrameResponse, GuestLimit, SocketSession, Step},
    facts::{Id, Op, Patch, RefusalReason, TagName, UserFields, WriteError, WriteOutcome},
    wire::json,
};

/// The maximum length of a `client_id` in bytes.
const LONGEST_CLIENT_ID: usize = 255;

impl Venueless {
    pub(super) fn authenticate(
        &self,
        session: &SocketSession,
        frame: &Frame,
        backend: &dyn Backend,
    ) -> VenuelessResult {
        let payload = frame.payload()?;
        let welcome = Welcome {
            world: session.endpoint.clone(),
            back: frame.back.clone(),
            shapes: self.shapes,
            expires: None,
        };
        // An invalid token is an error, even beside a `client_id`.
        if payload.has("token") {
            let token = payload.get("token").unwrap_or(&Value::Null);
            let Some(token) = token.as_str() else {
                let message = format!("`token` must be a string, not {}", json::kind(token));
                return Err(VenuelessError::new("auth.invalid_token")
                    .with_message(&message)
                    .into());
            };
            let claims = token::verify(token, &self.issuers, backend.now())?;
            let welcome = Welcome { expires: Some(claims.expires), ..welcome };
            return by_token(welcome, claims, backend);
        }
        let missing = || VenuelessError::new("auth.missing_id_or_token");
        let is_given = |client: &&Value| **client != "" && **client != 0;
        let client = payload.get("client_id").filter(is_given).ok_or_else(missing)?;
        let Some(client) = text_or_number(client) else {
            let message =
                format!("`client_id` must be a string or a number, not {}", json::kind(client));
            return Err(missing().with_message(&message).into());
        };
        if client.len() > LONGEST_CLIENT_ID {
            let message = format!("`client_id` has at most {LONGEST_CLIENT_ID} bytes");
            return Err(missing().with_message(&message).into());
        }
        if self.refuses_guests {
            return Err(VenuelessError::new("auth.missing_token").into());
        }
        by_client(welcome, &client, &*session.limit, backend)
    }
}

/// The tags of a user with these traits. Traits that are not valid tags are ignored; protected tags
/// stay as they are, since an issuer neither gives nor takes them.
fn tags_of(traits: &[String], has: &[String], backend: &dyn Backend) -> BTreeSet<TagName> {
    let is_open = |tag: &TagName| backend.allows_tag(tag) && !backend.protects_tag(tag);
    let given = traits.iter().filter_map(|one| TagName::new(one).ok()).filter(is_open);
    let kept =
        has.iter().filter(|tag| backend.protects_tag(tag)).filter_map(|tag| TagName::new(tag).ok());
    given.chain(kept).collect()
}

/// Logs in the user that a token names, and creates an unknown one. Traits become tags.
fn by_token(welcome: Welcome, claims: Claims, backend: &dyn Backend) -> VenuelessResult {
    let invalid =
        |message: String| VenuelessError::new("auth.invalid_token").with_message(&message);
    let user = Id::new(&claims.uid)
        .map_err(|error| invalid(format!("the token's `uid` can't be an id: {error}")))?;
    let has = backend.tags(&user).unwrap_or_default();
    let tags = tags_of(&claims.traits, &has, backend);
    let is_known = backend.knows_user(&user);
    if is_known && !can_sign_in(backend, &user) {
        return Err(VenuelessError::new("auth.denied").into());
    }
    let has_all = has.len() == tags.len() && has.iter().zip(&tags).all(|(one, tag)| **tag == **one);
    if !backend.has_store() {
        if has_all && can_sign_in(backend, &user) {
            return welcome.greet(&user, backend);
        }
        let message = if is_known {
            "the token's traits are not their tags, and can't be made so: start the daemon with --store"
        } else {
            NOT_MADE
        };
        return Err(VenuelessError::new("auth.denied").with_message(&message).into());
    }
    // The profile of a token is used only at the first login.
    let own = stored_user(backend, &user)?;
    let profile = claims.profile.filter(|_| own.profile.is_none());
    let attributes = profile.map(|profile| attribute(PROFILE, Value::Object(profile)));
    if is_known && has_all && attributes.is_none() {
        return welcome.greet(&user, backend);
    }
    let tags = if is_known && has_all { Patch::Keep } else { Patch::Set(tags) };
    let fields = Box::new(UserFields { tags, attributes, ..UserFields::default() });
    Ok(put(welcome, user, fields))
}

/// Logs in the guest of a client id, and creates an unknown one.
fn by_client(
    welcome: Welcome,
    client: &str,
    limit: &dyn GuestLimit,
    backend: &dyn Backend,
) -> VenuelessResult {
    let user = guest::guest_id(client)
        .map_err(|error| VenuelessError::new("auth.denied").with_message(&error))?;
    if backend.knows_user(&user) {
        return welcome.greet(&user, backend);
    }
    if !backend.has_store() {
        if can_sign_in(backend, &user) {
            return welcome.greet(&user, backend);
        }
        return Err(VenuelessError::new("auth.denied").with_message(&NOT_MADE).into());
    }
    limit.admit().map_err(|why| VenuelessError::new("auth.too_many_guests").with_message(&why))?;
    let attributes = Some(guest::attributes(backend.now()));
    Ok(put(welcome, user, Box::new(UserFields { attributes, ..UserFields::default() })))
}

const NOT_MADE: &str = "this user is not known, and can't be made: start the daemon with --store";

fn attribute(name: &str, value: Value) -> BTreeMap<String, Option<Value>> {
    BTreeMap::from([(name.to_owned(), Some(value))])
}

/// Creates or changes a user, and welcomes them.
fn put(welcome: Welcome, user: Id, fields: Box<UserFields>) -> Step<FrameResponse> {
    let op = Op::PutUser { user: user.clone(), fields: fields.clone() };
    Step::write_op(op, move |wrote, backend| {
        let done = match wrote {
            Ok(WriteOutcome::Applied { .. }) => welcome.greet(&user, backend),
            // The tags can't be replaced where a file declares them or they are protected; the user
            // keeps them.
            Ok(WriteOutcome::Refused { error: refusal, .. })
                if matches!(
                    refusal.reason,
                    RefusalReason::StatedByFile | RefusalReason::ProtectedTag
                ) && !fields.tags.is_keep() =>
            {
                if fields.attributes.is_none() {
                    welcome.greet(&user, backend)
                } else {
                    let fields = UserFields { tags: Patch::Keep, ..(*fields).clone() };
                    Ok(put(welcome.clone(), user.clone(), Box::new(fields)))
                }
            }
            // The policy has changed since the traits were checked.
            Ok(WriteOutcome::Refused { error: refusal, .. })
                if refusal.reason == RefusalReason::UnknownTag =>
            {
                Err(VenuelessError::new("server.unavailable")
                    .with_message(&refusal_message(refusal))
                    .into())
            }
            Ok(WriteOutcome::Refused { error: refusal, .. }) => {
                Err(VenuelessError::new("auth.invalid_token")
                    .with_message(&refusal_message(refusal))
                    .into())
            }
            Err(why @ WriteError::TooLarge(_)) => {
                Err(VenuelessError::new("auth.invalid_token").with_message(why).into())
            }
            Err(why) => Err(VenuelessError::from_write_error(why).into()),
        };
        welcome.back.settle(done)
    })
}
