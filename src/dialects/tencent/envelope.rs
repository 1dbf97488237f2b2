//! What answers look like: always status 200, the outcome in the body.

use serde_json::{Map, Value};

use super::codes::{Code, Family};
use crate::{
    dialects::{House, NotWritten, Reply, Step, Unread},
    facts::{Reason, Refusal},
};

/// The members of an answer, or of an item of one, in order.
pub(super) type Members = Map<String, Value>;

/// Why a call, or an item of a batch, comes to nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub(super) code: Code,
    /// `ErrorInfo`, or `ResultInfo` of an item.
    pub(super) info: String,
}

/// Why a call was not answered as it asks.
#[derive(Debug)]
pub(super) enum Stop {
    Fault(Fault),
    Unread(Unread),
}

/// What comes of a call.
pub(super) type Answered = Result<Step<Reply>, Stop>;

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Unread> for Stop {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

/// A fault is an answer, too.
pub(super) fn settled(answered: Answered) -> Result<Step<Reply>, Unread> {
    match answered {
        Ok(step) => Ok(step),
        Err(Stop::Fault(fault)) => Ok(Step::Done(fault.reply())),
        Err(Stop::Unread(unread)) => Err(unread),
    }
}

/// Looks things up: at once if that is quick, or else on a thread of its own.
pub(super) fn look(
    is_quick: bool,
    house: &dyn House,
    look: impl Fn(&dyn House) -> Answered + Send + Sync + 'static,
) -> Answered {
    if is_quick { look(house) } else { Ok(Step::gather(move |house| settled(look(house)))) }
}

impl Fault {
    pub(super) fn new(code: Code, info: impl Into<String>) -> Self {
        Self { code, info: info.into() }
    }

    /// With the name that the documentation has for it, of a call like `FriendAdd`.
    pub(super) fn named(code: Code, call: &str, name: &str) -> Self {
        Self::new(code, format!("Err_SNS_{call}_{name}"))
    }

    /// Of something that can't be carried out, for a reason that the call has no code of its own for.
    pub(super) fn refused(family: Family, refusal: &Refusal) -> Self {
        let code = match refusal.reason {
            Reason::UnknownSubject | Reason::UnknownResource => family.account(),
            Reason::StatedByFile => family.stated(),
            _ => family.parameter(),
        };
        Self::new(code, refusal.message.clone())
    }

    pub(super) fn not_written(family: Family, why: &NotWritten) -> Self {
        let code = match why {
            NotWritten::NoStore(_) => Code::Disabled,
            NotWritten::TooLarge(_) => family.parameter(),
            NotWritten::Contended(_) => family.conflict(),
            NotWritten::Unavailable(_) => family.internal(),
        };
        Self::new(code, why.to_string())
    }

    /// The answer to a call that comes to nothing as a whole.
    pub(super) fn reply(&self) -> Reply {
        Reply::json(
            200,
            &Value::Object(closed(Members::new(), "FAIL", self.code.number(), &self.info)),
        )
    }
}

/// The answer to a call that was carried out: these members, and the outcome.
pub(super) fn fine(members: Members) -> Reply {
    Reply::json(200, &Value::Object(closed(members, "OK", 0, "")))
}

fn closed(mut members: Members, status: &str, code: u32, info: &str) -> Members {
    members.insert("ActionStatus".to_owned(), status.into());
    members.insert("ErrorCode".to_owned(), code.into());
    members.insert("ErrorInfo".to_owned(), info.into());
    members.insert("ErrorDisplay".to_owned(), "".into());
    members
}

/// Members in this order.
pub(super) fn members<const N: usize>(each: [(&str, Value); N]) -> Members {
    each.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
