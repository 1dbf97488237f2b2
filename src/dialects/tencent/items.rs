//! Batches: each item is for itself, and the call as a whole is fine whatever becomes of them.

use serde_json::Value;

use super::{
    body::Fields,
    codes::{Code, Family},
    envelope::{Fault, Members, fine, members},
};
use crate::{
    dialects::{House, Reply, Step, Unread, Wrote},
    facts::{Command, FriendState, Id, Op, Outcome, Reason, Refusal},
    request::Relation,
};

/// An account that a call names, and what is to be done about it.
pub(super) struct Item {
    pub(super) to: String,
    pub(super) todo: Result<Op, Fault>,
}

/// What names of errors have in their midst, for a call on a relationship.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    /// `FriendAdd`
    pub(super) call: &'static str,
    /// Of one who was to be in the friend list.
    pub(super) not_friend: (Code, &'static str),
}

/// Reads a list of objects each of which names a `To_Account`; without it, there is nobody of whom to
/// tell what became of it. What else is wrong with one is its own.
pub(super) fn items(
    name: &str,
    list: &[Value],
    todo: impl Fn(&Fields, &str) -> Result<Op, Fault>,
) -> Result<Vec<Item>, Fault> {
    let read = |(at, value): (usize, &Value)| {
        let item = Fields::of(value, &format!("{name}[{at}]"), Family::Sns)?;
        let to = item.needed("To_Account")?.to_owned();
        Ok(Item { todo: todo(&item, &to), to })
    };
    list.iter().enumerate().map(read).collect()
}

/// Carries the items out, and answers what became of each. `judge` tells from what came of an item
/// whether it is an error; `close` adds to the answer.
pub(super) fn carry_out(
    items: Vec<Item>,
    house: &dyn House,
    judge: impl Fn(&str, &Result<Outcome, Refusal>, &dyn House) -> Option<Fault> + Send + Sync + 'static,
    close: impl Fn(Members, &dyn House) -> Result<Members, Unread> + Send + Sync + 'static,
) -> Result<Step<Reply>, Unread> {
    let mut commands = Vec::new();
    let mut named = Vec::with_capacity(items.len());
    for Item { to, todo } in items {
        let fault = match todo {
            Ok(op) => {
                commands.push(Command::from(op));
                None
            }
            Err(fault) => Some(fault),
        };
        named.push((to, fault));
    }
    let answer = move |outcomes: &[Result<Outcome, Refusal>], house: &dyn House| {
        let mut outcomes = outcomes.iter();
        let results = named.iter().map(|(to, fault)| {
            let judged = || judge(to, outcomes.next()?, house);
            (to.as_str(), fault.clone().or_else(judged))
        });
        Ok(Step::Done(fine(close(results_of(results), house)?)))
    };
    if commands.is_empty() {
        return answer(&[], house);
    }
    Ok(Step::each(commands, move |wrote, house| match wrote {
        Wrote::Done { outcomes, .. } => answer(outcomes, house),
        Wrote::Refused { refusal, .. } => {
            Ok(Step::Done(Fault::refused(Family::Sns, refusal).reply()))
        }
        Wrote::Failed(why) => Ok(Step::Done(Fault::not_written(Family::Sns, why).reply())),
    }))
}

/// Of answers to which nothing is to be added.
#[expect(clippy::unnecessary_wraps, reason = "as `carry_out` asks for it")]
pub(super) fn as_it_is(answer: Members, _: &dyn House) -> Result<Members, Unread> {
    Ok(answer)
}

/// `ResultItem`, and `Fail_Account` if there is any.
pub(super) fn results_of<'a>(
    results: impl IntoIterator<Item = (&'a str, Option<Fault>)>,
) -> Members {
    let (mut items, mut failed) = (Vec::new(), Vec::new());
    for (to, fault) in results {
        if fault.is_some() {
            failed.push(Value::from(to));
        }
        let mut item = members([("To_Account", to.into())]);
        item.extend(result(fault));
        items.push(Value::Object(item));
    }
    let mut all = members([("ResultItem", items.into())]);
    all.extend(failures(failed));
    all
}

/// `ResultCode` and `ResultInfo`.
pub(super) fn result(fault: Option<Fault>) -> Members {
    let (code, info) = fault.map_or((0, String::new()), |it| (it.code.number(), it.info));
    members([("ResultCode", code.into()), ("ResultInfo", info.into())])
}

/// `Fail_Account`, if there is any.
pub(super) fn failures(failed: Vec<Value>) -> Members {
    if failed.is_empty() { Members::new() } else { members([("Fail_Account", failed.into())]) }
}

impl Names {
    /// The account that an item names, if it exists and is another than the one whose list it is.
    pub(super) fn account(self, from: &Id, to: &str, house: &dyn House) -> Result<Id, Fault> {
        let Ok(id) = Id::new(to) else {
            return Err(self.fault(Code::SnsParameter, "To_Account_Invalid"));
        };
        if id == *from {
            Err(self.fault(Code::SnsParameter, "To_Account_Is_From_Account"))
        } else if house.knows_user(&id) {
            Ok(id)
        } else {
            Err(self.fault(Code::SnsAccount, "To_Account_Not_Exist"))
        }
    }

    pub(super) fn fault(self, code: Code, name: &str) -> Fault {
        Fault::named(code, self.call, name)
    }

    /// The same with what is wrong and what to do about it.
    pub(super) fn told(self, code: Code, name: &str, message: &str) -> Fault {
        let Fault { code, info } = self.fault(code, name);
        Fault::new(code, format!("{info}: {message}"))
    }

    /// What it means that a command on the list of `from` was refused.
    fn refused(self, (from, to): (&str, &str), refusal: &Refusal, house: &dyn House) -> Fault {
        let own = refusal.whose.as_deref() == Some(from);
        let (code, name) = match refusal.reason {
            Reason::UnknownSubject => (Code::SnsAccount, "From_Account_Not_Exist"),
            Reason::UnknownResource => (Code::SnsAccount, "To_Account_Not_Exist"),
            Reason::OneSelf => (Code::SnsParameter, "To_Account_Is_From_Account"),
            Reason::AlreadyFriends => (Code::SnsParameter, "Friend_Exist"),
            Reason::NotFriends => self.not_friend,
            Reason::RequestsRefused => (Code::Denied, "Friend_Allow_Type_Forbid"),
            Reason::BlockedBySubject => (Code::InOwnBlackList, "Peer_In_My_Black_List"),
            // One's own blocklist is told of first.
            Reason::BlockedByResource if house.has(from, Relation::Block, to) => {
                (Code::InOwnBlackList, "Peer_In_My_Black_List")
            }
            Reason::BlockedByResource => (Code::InTheirBlackList, "Me_In_Peer_Black_List"),
            Reason::FriendListFull if own => {
                (Code::OwnFriendsFull, "My_Friend_Num_Exceed_Threshold")
            }
            Reason::FriendListFull => (Code::TheirFriendsFull, "Peer_Friend_Num_Exceed_Threshold"),
            Reason::FriendListsFull => (Code::FriendGroupsFull, "Group_Num_Exceed_Threshold"),
            Reason::BlockListFull => (Code::BlackListFull, "Black_Num_Exceed_Threshold"),
            Reason::StatedByFile => {
                return self.told(Code::SnsParameter, "Stated_By_File", &refusal.message);
            }
            _ => return self.told(Code::SnsParameter, "Parameter_Error", &refusal.message),
        };
        self.fault(code, name)
    }

    /// The same of what came of it. A request that waits for an answer is no friend yet.
    pub(super) fn judged(
        self,
        (from, to): (&str, &str),
        outcome: &Result<Outcome, Refusal>,
        house: &dyn House,
    ) -> Option<Fault> {
        match outcome {
            Err(refusal) => Some(self.refused((from, to), refusal, house)),
            Ok(Outcome { state: Some(FriendState::Pending), .. }) => {
                Some(self.fault(Code::Pending, "Need_Confirm"))
            }
            Ok(_) => None,
        }
    }
}
