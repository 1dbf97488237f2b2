//! Numbers of users.
//!
//! mesibo gives every user a number besides his address; here it follows from the address alone. An
//! address that is a number, as phone numbers are, is its own; of another it is made by hashing, and
//! beyond all those.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    fault::{Error, Fault},
    part::{Part, as_id},
};
use crate::{dialects::House, facts::Id};

/// Where numbers that are made begin. They end below 2^53, so that every JSON parser holds them.
const MADE: u64 = 1 << 52;

/// How many users are looked at in one go.
const PAGE: usize = 10_000;

/// The number of the user at an address; the same on every daemon and for good.
pub(super) fn of(address: &str) -> u64 {
    if let Ok(number) = address.parse::<u64>()
        && number < MADE
        && number.to_string() == address
    {
        return number;
    }
    let digest = Sha256::digest(address.as_bytes());
    // 48 bits of it.
    MADE | digest.iter().take(6).fold(0, |number, &byte| (number << 8) | u64::from(byte))
}

/// The addresses of users whom a request names by their numbers.
#[derive(Clone, Default, Debug)]
pub(super) struct Found(BTreeMap<u64, Whose>);

/// Whose a made number is.
#[derive(Clone, Debug)]
enum Whose {
    One(String),
    /// Addresses that hash to the same.
    Several,
}

/// The made numbers by which a request names users.
pub(super) fn made(body: &Map<String, Value>) -> BTreeSet<u64> {
    let user = body.get("user").and_then(Value::as_object);
    let contacts = user.into_iter().flat_map(|user| [user.get("contact"), user.get("contacts")]);
    let contacts = contacts.flatten().flat_map(|contact| match contact {
        Value::Array(all) => all.iter().collect::<Vec<_>>(),
        one => vec![one],
    });
    let all = contacts.filter_map(Value::as_object).chain(user);
    let numbers = all.filter_map(|of| of.get("uid").and_then(Value::as_u64));
    numbers.filter(|&number| number >= MADE).collect()
}

/// Looks users up by made numbers. Costs a pass over all users.
pub(super) fn find(numbers: &BTreeSet<u64>, house: &dyn House) -> Found {
    let mut found = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let page = house.users(after.as_deref(), PAGE);
        for address in &page {
            let number = of(address);
            if numbers.contains(&number) {
                found
                    .entry(number)
                    .and_modify(|whose| *whose = Whose::Several)
                    .or_insert_with(|| Whose::One(address.clone()));
            }
        }
        match page.last() {
            Some(last) => after = Some(last.clone()),
            None => return Found(found),
        }
    }
}

impl Found {
    /// Who is meant by `address`, `addr` or `uid`; by a number only one who is known.
    pub(super) fn who(&self, part: &Part<'_>, house: &dyn House) -> Result<Id, Fault> {
        let uid = part.whole("uid")?;
        let Some((name, id)) = address(part)? else {
            let Some(uid) = uid else {
                return Err(Fault::missing(&part.path("address"), "the address of a user"));
            };
            let address = match self.0.get(&uid) {
                Some(Whose::One(address)) => address.clone(),
                Some(Whose::Several) => {
                    let message =
                        format!("several users have the number {uid}; name one by `address`");
                    return Err(Fault::at(Error::BadParam, &part.path("uid"), &message));
                }
                None => uid.to_string(),
            };
            return match Id::new(&address) {
                Ok(id) if house.knows_user(&id) => Ok(id),
                _ => {
                    let message =
                        format!("no user has the number {uid}; name the user by `address`");
                    Err(Fault::at(Error::NoUser, &part.path("uid"), &message))
                }
            };
        };
        match uid {
            Some(uid) if uid != of(&id) => {
                let message = format!("`{name}` is of the user whose number is {}", of(&id));
                Err(Fault::at(Error::BadParam, &part.path("uid"), &message))
            }
            _ => Ok(id),
        }
    }
}

/// What `address`, `addr` or both say, and which of them.
fn address(part: &Part<'_>) -> Result<Option<(&'static str, Id)>, Fault> {
    let mut found: Option<(&str, Id)> = None;
    for name in ["address", "addr"] {
        let Some(value) = part.get(name) else { continue };
        let id = as_id(value, &part.path(name))?;
        match &found {
            Some((other, known)) if *known != id => {
                let message = format!("it names another user than `{other}`; give one of them");
                return Err(Fault::at(Error::BadParam, &part.path(name), &message));
            }
            Some(_) => {}
            None => found = Some((name, id)),
        }
    }
    Ok(found)
}
