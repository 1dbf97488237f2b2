//! Guests: users who have nothing but a `client_id`, made at their first login.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use serde_json::Value;
use uuid::Uuid;

use crate::facts::{Command, Id, Op, UnixMillis, UserFields, UserRecord};

/// The attributes that say that a user is a guest, and when they were last here.
const GUEST: &str = "venueless.guest";
const SEEN: &str = "venueless.seen";

/// How many guests there may be.
pub trait GuestLimit: Debug + Send + Sync {
    /// Takes a place for a guest who is about to be made. Asked again about the same login, it takes
    /// no other.
    ///
    /// # Errors
    /// If there is none.
    fn admit(&self) -> Result<(), GuestLimitError>;
}

/// Why no guest is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GuestLimitError {
    #[error("there are {0} guests, the most there may be; log in with a token, or try again later")]
    Full(usize),
    #[error(
        "{0} guests a minute may come from one address; log in with a token, or try again in a minute"
    )]
    TooFast(u32),
}

/// Any number of guests.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoGuestLimit;

impl GuestLimit for NoGuestLimit {
    fn admit(&self) -> Result<(), GuestLimitError> {
        Ok(())
    }
}

/// What is kept of a guest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guest {
    /// When they were last here; `None` if that was not noted.
    pub last_seen: Option<UnixMillis>,
    /// Whether nothing is kept but a profile. What others keep of them is not looked at.
    pub is_bare: bool,
}

impl Guest {
    /// The guest that a user's record holds, if it is one.
    pub fn from_record(user: &UserRecord) -> Option<Self> {
        (user.attributes.get(GUEST) == Some(&Value::Bool(true))).then(|| Self {
            last_seen: user.attributes.get(SEEN).and_then(Value::as_u64),
            is_bare: user.is_unused()
                && user.attributes.keys().all(|name| name.starts_with("venueless.")),
        })
    }
}

/// The id of the guest of a `client_id`: nobody who sees it can log in by it.
pub(super) fn guest_id(client: &str) -> Result<Id, String> {
    let guests = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"peerage:venueless:client_id");
    let id = Uuid::new_v5(&guests, client.as_bytes()).to_string();
    Id::new(&id).map_err(|error| error.to_string())
}

/// Whether an id has the form of a guest's, so that others' records need not be read.
pub fn is_guest_id(id: &str) -> bool {
    id.len() == 36 && id.as_bytes().get(14) == Some(&b'5') && Uuid::try_parse(id).is_ok()
}

/// The attributes of a guest who is here now.
pub(super) fn attributes(now: UnixMillis) -> BTreeMap<String, Option<Value>> {
    BTreeMap::from([(GUEST.to_owned(), Some(true.into())), (SEEN.to_owned(), Some(now.into()))])
}

/// Notes that a guest is here now: commands that take effect together, or not if the guest is gone.
///
/// # Errors
/// If the text is no id.
pub fn record_visit(id: &str, now: UnixMillis) -> Result<[Command; 2], String> {
    let attributes = Some(BTreeMap::from([(SEEN.to_owned(), Some(now.into()))]));
    let fields = Box::new(UserFields { attributes, ..UserFields::default() });
    let user = Id::new(id).map_err(|error| error.to_string())?;
    let must_be_known = Op::AddTags { user: user.clone(), tags: BTreeSet::new() };
    Ok([must_be_known.into(), Op::PutUser { user, fields }.into()])
}

/// Deletes a guest of whom nothing is known but a profile.
///
/// # Errors
/// If the text is no id.
pub fn delete_guest(id: &str) -> Result<Command, String> {
    let user = Id::new(id).map_err(|error| error.to_string())?;
    Ok(Op::DeleteUser { user, only_unused: Some(true) }.into())
}
