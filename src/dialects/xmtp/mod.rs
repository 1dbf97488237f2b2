//! XMTP's group calls as JSON over HTTP, named as in the SDKs: `POST /xmtp/groups/{groupId}/{call}`.
//!
//! The SDKs know who calls; here the call names him, as `caller`, and what he changes is changed in his
//! name, so that the gates decide. The one who sends it is the backend, with the admin token.
//!
//! An answer is `{"result": ...}` with what the SDK's call returns, or `{"error": {...}}` with the
//! permission that was missing.

mod arguments;
mod attempt;
mod calls;
mod create;
mod disappearing;
mod inboxes;
mod permission_update;
mod policy;
mod reads;
mod refused;
mod step;
mod writes;

use super::{
    Call, Dialect, Failure, House, Reply, Step, Unread,
    text::{Encoding, shown},
};
use crate::facts::Id;
use arguments::Arguments;
use refused::{Refused, Stop};

#[derive(Debug)]
pub struct Xmtp;

/// What is at a path.
#[derive(Debug)]
enum Place {
    Groups,
    Group(Id),
    Call(Id, calls::Call),
    Dms,
    Inbox(Id),
}

impl Dialect for Xmtp {
    fn name(&self) -> &'static str {
        "xmtp"
    }

    fn takes(&self, path: &str) -> bool {
        path.strip_prefix("/xmtp").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn refuse(&self, call: &Call<'_>, house: &dyn House) -> Option<Reply> {
        let refused = Refused::admission(call.admission(call.bearer(), house))?;
        Some(Reply { refuses_credential: true, ..refused.reply() })
    }

    fn answer(&self, call: &Call<'_>, house: &dyn House) -> Result<Step<Reply>, Unread> {
        if let Some(refused) = Refused::admission(call.admission(call.bearer(), house)) {
            return Ok(step::refused(&refused));
        }
        step::settled(answer(call, house))
    }

    fn failed(&self, failure: &Failure) -> Reply {
        Refused::from(failure).reply()
    }
}

fn answer(call: &Call<'_>, house: &dyn House) -> Result<Step<Reply>, Stop> {
    let place = Place::at(call.path)?;
    let methods = place.methods();
    if !methods.split(", ").any(|method| method == call.method) {
        return Err(Refused::method(methods).into());
    }
    let arguments = Arguments::of(call)?;
    match &place {
        Place::Groups => create::group(arguments, house),
        Place::Dms => create::dm(arguments, house),
        Place::Group(group) => reads::summary(group, arguments, house),
        Place::Call(group, calls::Call::Read(read)) => {
            reads::answer(*read, group, arguments, house)
        }
        Place::Call(group, calls::Call::Write(write)) => {
            writes::answer(*write, group, arguments, house)
        }
        Place::Inbox(inbox) if call.method == "PUT" => inboxes::put(inbox, arguments, house),
        Place::Inbox(inbox) => inboxes::get(inbox, arguments, house),
    }
}

impl Place {
    fn at(path: &str) -> Result<Self, Refused> {
        let parts: Vec<&str> = path.split('/').skip(2).collect();
        match *parts {
            ["groups"] => Ok(Self::Groups),
            ["groups", group] => Ok(Self::Group(id(group, "groupId")?)),
            ["groups", group, call] => match calls::Call::named(call) {
                Some(call) => Ok(Self::Call(id(group, "groupId")?, call)),
                None => Err(Refused::not_found(format!(
                    "there is no call `{}` of a group; they are named as in the SDKs, like isAdmin",
                    shown(call)
                ))),
            },
            ["dms"] => Ok(Self::Dms),
            ["inboxes", inbox] => Ok(Self::Inbox(id(inbox, "inboxId")?)),
            _ => Err(Refused::not_found(
                "there is nothing here; see /xmtp/groups, /xmtp/groups/{groupId}/{call}, /xmtp/dms and \
                 /xmtp/inboxes/{inboxId}",
            )),
        }
    }

    const fn methods(&self) -> &'static str {
        match self {
            Self::Groups | Self::Dms => "POST",
            Self::Group(_) => "GET, HEAD",
            Self::Call(_, call) => call.methods(),
            Self::Inbox(_) => "GET, HEAD, PUT",
        }
    }
}

/// An id in a path.
fn id(part: &str, at: &str) -> Result<Id, Refused> {
    let text = Encoding::PATH.decode(part.as_bytes());
    let text = text.map_err(|error| Refused::invalid(at, error.to_string()))?;
    Id::new(&text).map_err(|error| Refused::invalid(at, format!("`{at}`: {error}")))
}
