//! Inboxes and the addresses that belong to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    arguments::{Arguments, IDENTIFIERS},
    attempt::{refusal_message, result_reply},
    error::{XmtpError, XmtpStop},
    steps,
};
use crate::{
    dialects::{Backend, Reply, Step},
    facts::{Id, Op, RefusalReason, UserFields, UserRecord, WriteOutcome},
    request::Reason,
    wire::excerpt,
};

/// The attribute of a user with the data for XMTP.
const ATTRIBUTE: &str = "xmtp";
const ADDRESSES: &str = "addresses";

/// The number of users that are read at a time.
const PAGE: usize = 200;

/// The maximum number of inboxes in the error of an ambiguous address.
const MAX_LISTED: usize = 10;

/// The names of the argument that lists addresses.
const ADDRESS_NAMES: [&str; 5] =
    ["addresses", "accountAddresses", "walletAddresses", IDENTIFIERS[0], IDENTIFIERS[1]];

/// Registers an inbox; addresses, if given, replace the registered ones.
pub(super) fn put(
    inbox: &Id,
    mut arguments: Arguments,
    backend: &dyn Backend,
) -> Result<Step<Reply>, XmtpStop> {
    let addresses = arguments.ids(&ADDRESS_NAMES)?;
    arguments.finish()?;
    let attributes = addresses.map(|addresses| {
        let addresses: Value = addresses.iter().map(|address| Value::from(&**address)).collect();
        BTreeMap::from([(ATTRIBUTE.to_owned(), Some(json!({ ADDRESSES: addresses })))])
    });
    let status = if backend.knows_user(inbox) { 200 } else { 201 };
    let fields = Box::new(UserFields { attributes, ..UserFields::default() });
    let inbox = inbox.clone();
    let commands = vec![Op::PutUser { user: inbox.clone(), fields }.into()];
    Ok(steps::write_all(commands, move |wrote, backend| match wrote {
        Ok(WriteOutcome::Applied { .. }) => Ok(result_reply(status, &inbox_json(&inbox, backend)?)),
        Ok(WriteOutcome::Refused { error: refusal, .. }) => {
            let status = match refusal.reason {
                RefusalReason::TooLong | RefusalReason::TooMany | RefusalReason::Invalid => 400,
                RefusalReason::Denied(_)
                | RefusalReason::StatedByFile
                | RefusalReason::UnknownTag
                | RefusalReason::ProtectedTag
                | RefusalReason::UnknownAudience
                | RefusalReason::UnknownMatrix
                | RefusalReason::UnknownRule
                | RefusalReason::BlockListFull
                | RefusalReason::FriendListsFull
                | RefusalReason::NotFriends
                | RefusalReason::NoRequest
                | RefusalReason::NoSuperAdmin
                | RefusalReason::GroupExists
                | RefusalReason::NameTaken
                | RefusalReason::InvalidCondition
                | RefusalReason::InvalidValue
                | RefusalReason::InUse
                | RefusalReason::NotApplied => 409,
            };
            Err(XmtpError::new(status, refusal.reason.as_str(), refusal_message(refusal)).into())
        }
        Err(not) => Err(XmtpError::from(not).into()),
    }))
}

pub(super) fn get(
    inbox: &Id,
    arguments: Arguments,
    backend: &dyn Backend,
) -> Result<Step<Reply>, XmtpStop> {
    arguments.finish()?;
    Ok(Step::Done(result_reply(200, &inbox_json(inbox, backend)?)))
}

fn inbox_json(inbox: &Id, backend: &dyn Backend) -> Result<Value, XmtpStop> {
    let Some(kept) = backend.user_record(inbox)? else {
        let message = format!("no inbox `{}` is known; register it with PUT", inbox.escape_debug());
        return Err(XmtpError::new(404, Reason::UnknownResource.as_str(), message).into());
    };
    Ok(json!({ "inboxId": &**inbox, "addresses": addresses(&kept.record, inbox) }))
}

/// The addresses of an inbox; its id, if none is registered.
pub(super) fn addresses(user: &UserRecord, id: &str) -> Vec<String> {
    let known: Vec<String> = registered(user).map(str::to_owned).collect();
    if known.is_empty() { vec![id.to_owned()] } else { known }
}

fn registered(user: &UserRecord) -> impl Iterator<Item = &str> {
    let addresses = user.attributes.get(ATTRIBUTE).and_then(|kept| kept.get(ADDRESSES));
    addresses.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The addresses that a call names.
pub(super) fn named_addresses(arguments: &mut Arguments) -> Result<Option<Vec<Id>>, XmtpError> {
    arguments.ids(&ADDRESS_NAMES)
}

/// Continues with the inboxes of these addresses, in order. An address that is the id of a user is
/// that user's; for the others, all users are searched once.
pub(super) fn resolve_addresses(
    addresses: Vec<Id>,
    backend: &dyn Backend,
    then: impl Fn(Vec<Id>, &dyn Backend) -> Result<Step<Reply>, XmtpStop> + Send + Sync + 'static,
) -> Result<Step<Reply>, XmtpStop> {
    if addresses.iter().all(|address| backend.knows_user(address)) {
        return then(addresses, backend);
    }
    // The search ignores case, since hexadecimal addresses are written in either.
    let unknown = addresses.iter().filter(|address| !backend.knows_user(address));
    let found = unknown.map(|address| (address.to_ascii_lowercase(), Vec::new())).collect();
    Ok(search_from(None, found, Arc::new(AddressSearch { addresses, then: Box::new(then) })))
}

/// A search for the inboxes of addresses, and its continuation.
struct AddressSearch {
    addresses: Vec<Id>,
    then: Box<InboxContinuation>,
}

type InboxContinuation =
    dyn Fn(Vec<Id>, &dyn Backend) -> Result<Step<Reply>, XmtpStop> + Send + Sync;

/// The inboxes by address in lower case.
type InboxesByAddress = BTreeMap<String, Vec<String>>;

/// Searches the users after an id, one page in each step: so a concurrent write only repeats the
/// current page.
fn search_from(
    after: Option<String>,
    found: InboxesByAddress,
    search: Arc<AddressSearch>,
) -> Step<Reply> {
    steps::blocking(move |backend| {
        let users = backend.user_page(after.as_deref(), PAGE);
        let mut found = found.clone();
        for id in &users {
            let Some(kept) = backend.user_record(id)? else { continue };
            for address in registered(&kept.record) {
                if let Some(inboxes) = found.get_mut(&address.to_ascii_lowercase())
                    && inboxes.len() < MAX_LISTED
                    && !inboxes.contains(id)
                {
                    inboxes.push(id.clone());
                }
            }
        }
        match users.last() {
            Some(last) if users.len() == PAGE => {
                Ok(search_from(Some(last.clone()), found, Arc::clone(&search)))
            }
            _ => (search.then)(inboxes_of(&search.addresses, &found, backend)?, backend),
        }
    })
}

fn inboxes_of(
    addresses: &[Id],
    found: &InboxesByAddress,
    backend: &dyn Backend,
) -> Result<Vec<Id>, XmtpError> {
    let inbox = |address: &Id| {
        if backend.knows_user(address) {
            return Ok(address.clone());
        }
        let inboxes = found.get(&address.to_ascii_lowercase());
        single_inbox(address, inboxes.map_or(&[][..], Vec::as_slice))
    };
    addresses.iter().map(inbox).collect()
}

/// # Errors
/// If no inbox or more than one has the address.
fn single_inbox(address: &str, inboxes: &[String]) -> Result<Id, XmtpError> {
    let shown = excerpt(address);
    match inboxes {
        [inbox] => {
            Id::new(inbox).map_err(|error| XmtpError::invalid("addresses", error.to_string()))
        }
        [] => {
            let message = format!(
                "no inbox has the address `{shown}`; register it with PUT /xmtp/inboxes/{{inboxId}}"
            );
            let refused = XmtpError::new(404, Reason::UnknownResource.as_str(), message);
            Err(refused.with("address", address))
        }
        inboxes => {
            let message =
                format!("several inboxes have the address `{shown}`; name the inbox by its id");
            let refused = XmtpError::new(409, "ambiguous_address", message);
            Err(refused.with("address", address).with("inboxIds", inboxes))
        }
    }
}

/// Removes repetitions from a list.
pub(super) fn deduplicate(inboxes: &mut Vec<Id>) {
    let mut seen = BTreeSet::new();
    inboxes.retain(|inbox| seen.insert(inbox.clone()));
}
