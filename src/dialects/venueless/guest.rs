//! Guests: users with only a `client_id`, created at their first login.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::Venueless;
use crate::{
    dialects::{Guest, GuestAccounts},
    facts::{Command, Id, Op, UnixMillis, UserFields, UserRecord},
};

/// The attributes that mark a user as a guest, and hold the time of their last visit.
const GUEST: &str = "venueless.guest";
const SEEN: &str = "venueless.seen";

/// The id of the guest with a `client_id`: a hash, so that others who see it can't log in with it.
pub(super) fn guest_id(client: &str) -> Result<Id, String> {
    let guests = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"peerage:venueless:client_id");
    let id = Uuid::new_v5(&guests, client.as_bytes()).to_string();
    Id::new(&id).map_err(|error| error.to_string())
}

/// The attributes of a guest who visits now.
pub(super) fn attributes(now: UnixMillis) -> BTreeMap<String, Option<Value>> {
    BTreeMap::from([(GUEST.to_owned(), Some(true.into())), (SEEN.to_owned(), Some(now.into()))])
}

impl GuestAccounts for Venueless {
    fn is_guest_id(&self, id: &str) -> bool {
        id.len() == 36 && id.as_bytes().get(14) == Some(&b'5') && Uuid::try_parse(id).is_ok()
    }

    fn guest(&self, record: &UserRecord) -> Option<Guest> {
        let is_guest = record.attributes.get(GUEST) == Some(&Value::Bool(true));
        is_guest.then(|| Guest {
            last_seen: record.attributes.get(SEEN).and_then(Value::as_u64),
            is_bare: record.is_unused()
                && record.attributes.keys().all(|name| name.starts_with("venueless.")),
        })
    }

    fn record_visit(&self, id: &str, now: UnixMillis) -> Result<[Command; 2], String> {
        let attributes = Some(BTreeMap::from([(SEEN.to_owned(), Some(now.into()))]));
        let fields = Box::new(UserFields { attributes, ..UserFields::default() });
        let user = Id::new(id).map_err(|error| error.to_string())?;
        let must_be_known = Op::AddTags { user: user.clone(), tags: BTreeSet::new() };
        Ok([must_be_known.into(), Op::PutUser { user, fields }.into()])
    }

    fn delete_guest(&self, id: &str) -> Result<Command, String> {
        let user = Id::new(id).map_err(|error| error.to_string())?;
        Ok(Op::DeleteUser { user, only_unused: Some(true) }.into())
    }
}
