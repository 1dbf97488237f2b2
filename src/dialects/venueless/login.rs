use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::{
    Done, GUEST, PROFILE, Session, Venueless,
    frame::{Frame, Payload, kind, text_or_number},
    kept, may_sign_in,
    problem::Problem,
    token::{self, Claims},
    welcome::Welcome,
};
use crate::{
    dialects::{House, NotWritten, Step, Wrote, text::shown},
    facts::{Id, Op, Patch, Reason, Tag, UserFields},
};

/// How many bytes a `client_id` has at most.
const LONGEST_CLIENT_ID: usize = 255;

impl Venueless {
    pub(super) fn authenticate(&self, session: &Session, frame: &Frame, house: &dyn House) -> Done {
        let payload = frame.payload()?;
        let welcome =
            Welcome { world: session.world.clone(), back: frame.back.clone(), shapes: self.shapes };
        if let Some(token) = given(payload, "token") {
            let Some(token) = token.as_str() else {
                let message = format!("`token` must be a text, not {}", kind(token));
                return Err(Problem::of("auth.invalid_token").because(&message).into());
            };
            let claims = token::verify(token, &self.issuers, house.now())?;
            return by_token(welcome, claims, house);
        }
        let missing = || Problem::of("auth.missing_id_or_token");
        let client = given(payload, "client_id").ok_or_else(missing)?;
        let Some(client) = text_or_number(client) else {
            let message = format!("`client_id` must be a text or a number, not {}", kind(client));
            return Err(missing().because(&message).into());
        };
        if client.len() > LONGEST_CLIENT_ID {
            let message = format!("`client_id` has at most {LONGEST_CLIENT_ID} bytes");
            return Err(missing().because(&message).into());
        }
        if self.refuses_guests {
            return Err(Problem::of("auth.missing_token").into());
        }
        by_client(welcome, &client, house)
    }
}

/// A field that says something.
fn given<'f>(payload: Payload<'f>, name: &str) -> Option<&'f Value> {
    payload.get(name).filter(|&value| *value != "")
}

/// Who has a token is the user whom it names, made if there is none. His traits are his tags.
fn by_token(welcome: Welcome, claims: Claims, house: &dyn House) -> Done {
    let invalid = |message: String| Problem::of("auth.invalid_token").because(&message);
    let user = Id::new(&claims.uid)
        .map_err(|error| invalid(format!("the token's `uid` can't be an id: {error}")))?;
    let tag = |one: &String| {
        let shown = shown(one);
        Tag::new(one).map_err(|error| {
            invalid(format!("the token's trait `{shown}` can't be a tag: {error}"))
        })
    };
    let tags: BTreeSet<Tag> = claims.traits.iter().map(tag).collect::<Result<_, _>>()?;
    let is_known = house.knows_user(&user);
    if is_known && !may_sign_in(house, &user) {
        return Err(Problem::of("auth.denied").into());
    }
    let has = house.tags(&user).unwrap_or_default();
    let has_all = has.len() == tags.len() && has.iter().zip(&tags).all(|(one, tag)| **tag == **one);
    if !house.keeps_facts() {
        if has_all && may_sign_in(house, &user) {
            return welcome.greet(&user, house);
        }
        let message = if is_known {
            "the token's traits are not his tags, and can't be made so: start the daemon with --store"
        } else {
            NOT_MADE
        };
        return Err(Problem::of("auth.denied").because(&message).into());
    }
    // A profile counts at the first login only.
    let own = kept(house, &user)?;
    let profile = claims.profile.filter(|_| own.profile.is_none());
    let attributes = profile.map(|profile| attribute(PROFILE, Value::Object(profile)));
    if is_known && has_all && attributes.is_none() {
        return welcome.greet(&user, house);
    }
    let tags = if is_known && has_all { Patch::Keep } else { Patch::Set(tags) };
    let fields = Box::new(UserFields { tags, attributes, ..UserFields::default() });
    Ok(put(welcome, user, fields))
}

/// Who has no token is the guest that his browser always was. His id tells nobody the secret.
fn by_client(welcome: Welcome, client: &str, house: &dyn House) -> Done {
    let guests = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"peerage:venueless:client_id");
    let user = Id::new(&Uuid::new_v5(&guests, client.as_bytes()).to_string())
        .map_err(|error| Problem::of("auth.denied").because(&error))?;
    if house.knows_user(&user) {
        return welcome.greet(&user, house);
    }
    if !house.keeps_facts() {
        if may_sign_in(house, &user) {
            return welcome.greet(&user, house);
        }
        return Err(Problem::of("auth.denied").because(&NOT_MADE).into());
    }
    let attributes = Some(attribute(GUEST, true.into()));
    Ok(put(welcome, user, Box::new(UserFields { attributes, ..UserFields::default() })))
}

const NOT_MADE: &str = "he is not known, and can't be made: start the daemon with --store";

fn attribute(name: &str, value: Value) -> BTreeMap<String, Option<Value>> {
    BTreeMap::from([(name.to_owned(), Some(value))])
}

/// Makes or changes a user, and lets him in.
fn put(welcome: Welcome, user: Id, fields: Box<UserFields>) -> Step<super::Turn> {
    let op = Op::PutUser { user: user.clone(), fields: fields.clone() };
    Step::op(op, move |wrote, house| {
        let done = match wrote {
            Wrote::Done { .. } => welcome.greet(&user, house),
            // What a file says of his tags stays.
            Wrote::Refused { refusal, .. }
                if refusal.reason == Reason::StatedByFile && !fields.tags.is_kept() =>
            {
                if fields.attributes.is_none() {
                    welcome.greet(&user, house)
                } else {
                    let fields = UserFields { tags: Patch::Keep, ..(*fields).clone() };
                    Ok(put(welcome.clone(), user.clone(), Box::new(fields)))
                }
            }
            Wrote::Refused { refusal, .. } => {
                Err(Problem::of("auth.invalid_token").because(&refusal.message).into())
            }
            Wrote::Failed(why @ NotWritten::TooLarge(_)) => {
                Err(Problem::of("auth.invalid_token").because(why).into())
            }
            Wrote::Failed(why) => Err(Problem::not_written(why).into()),
        };
        welcome.back.finish(done)
    })
}
