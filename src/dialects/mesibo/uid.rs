//! Numbers of users, which mesibo has beside their addresses.
//!
//! Here the number is computed from the address. An address that is a number, like a phone number,
//! is its own number; any other address has a hash, greater than all phone numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    error::{MesiboError, MesiboErrorCode},
    params::{Params, parse_id},
};
use crate::{dialects::Backend, facts::Id};

/// The least generated number. All are below 2^53, so that every JSON parser represents them
/// exactly.
const FIRST_GENERATED: u64 = 1 << 52;

/// The number of users that are read at a time.
const PAGE: usize = 10_000;

/// The number of the user at an address: the same on every daemon, and stable.
pub(super) fn user_number(address: &str) -> u64 {
    if let Ok(number) = address.parse::<u64>()
        && number < FIRST_GENERATED
        && number.to_string() == address
    {
        return number;
    }
    let digest = Sha256::digest(address.as_bytes());
    // The hash is 48 bits of the digest.
    FIRST_GENERATED | digest.iter().take(6).fold(0, |number, &byte| (number << 8) | u64::from(byte))
}

/// The number of a user as JSON.
pub(super) fn number_json(address: &str) -> Value {
    user_number(address).into()
}

/// The addresses of users whom a request names by their numbers.
#[derive(Clone, Default, Debug)]
pub(super) struct ResolvedNumbers(BTreeMap<u64, NumberOwner>);

/// The owner of a generated number.
#[derive(Clone, Debug)]
enum NumberOwner {
    One(String),
    /// Several addresses have the same hash.
    Several,
}

/// The generated numbers by which a request names users.
pub(super) fn generated_numbers(body: &Map<String, Value>) -> BTreeSet<u64> {
    let user = body.get("user").and_then(Value::as_object);
    let contacts = user.into_iter().flat_map(|user| [user.get("contact"), user.get("contacts")]);
    let contacts = contacts.flatten().flat_map(|contact| match contact {
        Value::Array(all) => all.iter().collect::<Vec<_>>(),
        one => vec![one],
    });
    let all = contacts.filter_map(Value::as_object).chain(user);
    let numbers = all.filter_map(|of| of.get("uid").and_then(Value::as_u64));
    numbers.filter(|&number| number >= FIRST_GENERATED).collect()
}

/// Looks up users by generated numbers. Costs a pass over all users.
pub(super) fn resolve_numbers(numbers: &BTreeSet<u64>, backend: &dyn Backend) -> ResolvedNumbers {
    let mut found = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let page = backend.user_page(after.as_deref(), PAGE);
        for address in &page {
            let number = user_number(address);
            if numbers.contains(&number) {
                found
                    .entry(number)
                    .and_modify(|whose| *whose = NumberOwner::Several)
                    .or_insert_with(|| NumberOwner::One(address.clone()));
            }
        }
        match page.last() {
            Some(last) => after = Some(last.clone()),
            None => return ResolvedNumbers(found),
        }
    }
}

impl ResolvedNumbers {
    /// The user that `address`, `addr` or `uid` names; a number must be that of a known user.
    pub(super) fn resolve_user(
        &self,
        part: &Params<'_>,
        backend: &dyn Backend,
    ) -> Result<Id, MesiboError> {
        let uid = part.integer("uid")?;
        let Some((name, id)) = parse_address(part)? else {
            let Some(uid) = uid else {
                return Err(MesiboError::missing(&part.path("address"), "the address of a user"));
            };
            let address = match self.0.get(&uid) {
                Some(NumberOwner::One(address)) => address.clone(),
                Some(NumberOwner::Several) => {
                    let message =
                        format!("several users have the number {uid}; name one by `address`");
                    return Err(MesiboError::at(
                        MesiboErrorCode::BadParam,
                        &part.path("uid"),
                        &message,
                    ));
                }
                None => uid.to_string(),
            };
            return match Id::new(&address) {
                Ok(id) if backend.knows_user(&id) => Ok(id),
                _ => {
                    let message =
                        format!("no user has the number {uid}; name the user by `address`");
                    Err(MesiboError::at(MesiboErrorCode::NoUser, &part.path("uid"), &message))
                }
            };
        };
        match uid {
            Some(uid) if uid != user_number(&id) => {
                let message =
                    format!("must be {}, the number of the user at `{name}`", user_number(&id));
                Err(MesiboError::parameter(MesiboErrorCode::BadParam, &part.path("uid"), &message))
            }
            _ => Ok(id),
        }
    }
}

/// The address in `address` or `addr`, with the name that was used.
fn parse_address(part: &Params<'_>) -> Result<Option<(&'static str, Id)>, MesiboError> {
    let mut found: Option<(&str, Id)> = None;
    for name in ["address", "addr"] {
        let Some(value) = part.get(name) else { continue };
        let id = parse_id(value, &part.path(name))?;
        match &found {
            Some((other, known)) if *known != id => {
                let message = format!("names another user than `{other}`; give one of them");
                return Err(MesiboError::parameter(
                    MesiboErrorCode::BadParam,
                    &part.path(name),
                    &message,
                ));
            }
            Some(_) => {}
            None => found = Some((name, id)),
        }
    }
    Ok(found)
}
