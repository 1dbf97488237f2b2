//! mesibo's backend API: one path, an operation by name, and the outcome in the body.
//!
//! What a request asks for comes to commands that take effect all or none. What means something to
//! decisions becomes facts: permissions and peers, contacts, pairs, blocks, members and their roles.
//! What doesn't is kept with the user, the group or the member, and answered as it was sent.

mod asked;
mod contacts;
mod edit;
mod fault;
mod flags;
mod form;
mod groups;
mod ignored;
mod members;
mod multipart;
mod part;
mod told;
mod uid;
mod users;

use super::{Call, Dialect, Failure, House, Reply, Step, Unread, text::shown};
use asked::Asked;
use edit::settled;
use fault::{Error, Fault, Stop};
use uid::Found;

use crate::request::choices;

/// The operations there are.
const OPS: &str = "useradd, userset, userget, usersget, userdel, usertoken, groupadd, groupset, groupget, \
                   groupdel, groupeditmembers, groupgetmembers";

/// mesibo's backend API.
#[derive(Debug)]
pub struct Mesibo;

impl Dialect for Mesibo {
    fn name(&self) -> &'static str {
        "mesibo"
    }

    fn takes(&self, path: &str) -> bool {
        matches!(path, "/backend" | "/backend/" | "/api.php")
    }

    fn answer(&self, call: &Call<'_>, house: &dyn House) -> Result<Step<Reply>, Unread> {
        let asked = match Asked::read(call, house) {
            Ok(asked) => asked,
            Err(turned) => return Ok(Step::Done(turned.reply())),
        };
        let numbers = uid::made(&asked.body);
        if numbers.is_empty() {
            return settled(&asked, taken(&asked, &Found::default(), house));
        }
        Ok(Step::gather(move |house| {
            settled(&asked, taken(&asked, &uid::find(&numbers, house), house))
        }))
    }

    fn failed(&self, failure: &Failure) -> Reply {
        let error = match failure {
            Failure::TooLarge(_) => Error::TooLarge,
            Failure::Late(_) => Error::Late,
            Failure::Cut(_) | Failure::Encoded(_) => Error::BadForm,
            Failure::Unavailable(_) => Error::Unavailable,
        };
        Fault::new(error, failure.to_string()).reply("", None)
    }
}

fn taken(asked: &Asked, found: &Found, house: &dyn House) -> Result<Step<Reply>, Stop> {
    match asked.op.as_str() {
        "useradd" => users::add(asked, found, house),
        "userset" => users::set(asked, found, house),
        "userget" => users::get(asked, found, house),
        "usersget" => users::list(asked, found, house),
        "userdel" | "deluser" => users::delete(asked, found, house),
        "usertoken" => users::token(asked, found, house),
        "deltoken" => users::delete_token(asked, found, house),
        "groupadd" => groups::add(asked, house),
        "groupset" => groups::set(asked, house),
        "groupget" => groups::get(asked, false, house),
        "groupdel" => groups::delete(asked),
        "groupeditmembers" => groups::edit_members(asked, house),
        "groupgetmembers" | "getmembers" => groups::get(asked, true, house),
        "message" => {
            let message =
                "peerage says who may write to whom and sends nothing; send it by the chat server";
            Err(Fault::at(Error::BadOp, "op", message).into())
        }
        other => {
            let message =
                format!("there is no `{}`; {}", shown(other), choices(other, OPS.split(", ")));
            Err(Fault::at(Error::BadOp, "op", &message).into())
        }
    }
}
