//! Inboxes and the addresses that belong to them.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{
    arguments::{Arguments, IDENTIFIERS},
    attempt::result,
    refused::{Refused, Stop},
    step,
};
use crate::{
    dialects::{House, Reply, Step, Wrote, text::shown},
    facts::{Id, Op, Reason, User, UserFields},
};

/// The attribute of a user that holds what is kept for XMTP.
const ATTRIBUTE: &str = "xmtp";
const ADDRESSES: &str = "addresses";

/// How many users are read at a time.
const PAGE: usize = 200;

/// How many inboxes are told that have one address.
const MOST_TOLD: usize = 10;

/// What SDKs call the argument that lists addresses.
const ADDRESS_NAMES: [&str; 5] =
    ["addresses", "accountAddresses", "walletAddresses", IDENTIFIERS[0], IDENTIFIERS[1]];

/// Registers an inbox, with its addresses in place of those that it had if some are given.
pub(super) fn put(
    inbox: &Id,
    mut arguments: Arguments,
    house: &dyn House,
) -> Result<Step<Reply>, Stop> {
    let addresses = arguments.ids(&ADDRESS_NAMES)?;
    arguments.finish()?;
    let attributes = addresses.map(|addresses| {
        let addresses: Value = addresses.iter().map(|address| Value::from(&**address)).collect();
        BTreeMap::from([(ATTRIBUTE.to_owned(), Some(json!({ ADDRESSES: addresses })))])
    });
    let status = if house.knows_user(inbox) { 200 } else { 201 };
    let fields = Box::new(UserFields { attributes, ..UserFields::default() });
    let inbox = inbox.clone();
    let commands = vec![Op::PutUser { user: inbox.clone(), fields }.into()];
    Ok(step::write(commands, move |wrote, house| match wrote {
        Wrote::Done { .. } => Ok(result(status, &told(&inbox, house)?)),
        Wrote::Refused { refusal, .. } => {
            let status = match refusal.reason {
                Reason::TooLong | Reason::TooMany | Reason::Invalid => 400,
                _ => 409,
            };
            Err(Refused::new(status, refusal.reason.as_str(), &*refusal.message).into())
        }
        Wrote::Failed(not) => Err(Refused::from(not).into()),
    }))
}

pub(super) fn get(
    inbox: &Id,
    arguments: Arguments,
    house: &dyn House,
) -> Result<Step<Reply>, Stop> {
    arguments.finish()?;
    Ok(Step::Done(result(200, &told(inbox, house)?)))
}

fn told(inbox: &Id, house: &dyn House) -> Result<Value, Stop> {
    let Some(kept) = house.kept(inbox)? else {
        let message = format!("no inbox `{}` is known; register it with PUT", inbox.escape_debug());
        return Err(Refused::new(404, Reason::UnknownResource.as_str(), message).into());
    };
    Ok(json!({ "inboxId": &**inbox, "addresses": addresses(&kept.user, inbox) }))
}

/// The addresses of an inbox; its id, if none are known.
pub(super) fn addresses(user: &User, id: &str) -> Vec<String> {
    let known: Vec<String> = registered(user).map(str::to_owned).collect();
    if known.is_empty() { vec![id.to_owned()] } else { known }
}

fn registered(user: &User) -> impl Iterator<Item = &str> {
    let addresses = user.attributes.get(ATTRIBUTE).and_then(|kept| kept.get(ADDRESSES));
    addresses.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The addresses that a call names.
pub(super) fn named(arguments: &mut Arguments) -> Result<Option<Vec<Id>>, Refused> {
    arguments.ids(&ADDRESS_NAMES)
}

/// Goes on with the inboxes of these addresses, in order. One that is the id of a user is that user's;
/// if there are others, all users are passed over once.
pub(super) fn resolved(
    addresses: Vec<Id>,
    house: &dyn House,
    then: impl Fn(Vec<Id>, &dyn House) -> Result<Step<Reply>, Stop> + Send + Sync + 'static,
) -> Result<Step<Reply>, Stop> {
    if addresses.iter().all(|address| house.knows_user(address)) {
        return then(addresses, house);
    }
    // Without regard to case, since hexadecimal ones are written in either.
    let unknown = addresses.iter().filter(|address| !house.knows_user(address));
    let found = unknown.map(|address| (address.to_ascii_lowercase(), Vec::new())).collect();
    Ok(look_on(None, found, Arc::new(Sought { addresses, then: Box::new(then) })))
}

/// Addresses, and how to go on with their inboxes.
struct Sought {
    addresses: Vec<Id>,
    then: Box<Then>,
}

type Then = dyn Fn(Vec<Id>, &dyn House) -> Result<Step<Reply>, Stop> + Send + Sync;

/// The inboxes that have an address, by what it is in lower case.
type Found = BTreeMap<String, Vec<String>>;

/// Looks through the users that come after one: a page at a time, each as it is then, so that what is
/// written meanwhile keeps back one page and not all.
fn look_on(after: Option<String>, found: Found, sought: Arc<Sought>) -> Step<Reply> {
    step::gather(move |house| {
        let users = house.users(after.as_deref(), PAGE);
        let mut found = found.clone();
        for id in &users {
            let Some(kept) = house.kept(id)? else { continue };
            for address in registered(&kept.user) {
                if let Some(inboxes) = found.get_mut(&address.to_ascii_lowercase())
                    && inboxes.len() < MOST_TOLD
                    && !inboxes.contains(id)
                {
                    inboxes.push(id.clone());
                }
            }
        }
        match users.last() {
            Some(last) if users.len() == PAGE => {
                Ok(look_on(Some(last.clone()), found, Arc::clone(&sought)))
            }
            _ => (sought.then)(inboxes_of(&sought.addresses, &found, house)?, house),
        }
    })
}

fn inboxes_of(addresses: &[Id], found: &Found, house: &dyn House) -> Result<Vec<Id>, Refused> {
    let inbox = |address: &Id| {
        if house.knows_user(address) {
            return Ok(address.clone());
        }
        let inboxes = found.get(&address.to_ascii_lowercase());
        one_of(address, inboxes.map_or(&[][..], Vec::as_slice))
    };
    addresses.iter().map(inbox).collect()
}

/// # Errors
/// If no inbox has the address, or more than one has.
fn one_of(address: &str, inboxes: &[String]) -> Result<Id, Refused> {
    let shown = shown(address);
    match inboxes {
        [inbox] => Id::new(inbox).map_err(|error| Refused::invalid("addresses", error.to_string())),
        [] => {
            let message = format!(
                "no inbox has the address `{shown}`; register it with PUT /xmtp/inboxes/{{inboxId}}"
            );
            let refused = Refused::new(404, Reason::UnknownResource.as_str(), message);
            Err(refused.with("address", address))
        }
        inboxes => {
            let message =
                format!("several inboxes have the address `{shown}`; name the inbox by its id");
            let refused = Refused::new(409, "ambiguous_address", message);
            Err(refused.with("address", address).with("inboxIds", inboxes))
        }
    }
}
