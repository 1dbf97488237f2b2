//! Batches: each item succeeds or fails by itself, and the call as a whole succeeds.

use serde_json::Value;

use super::{
    body::RequestFields,
    codes::{CallFamily, TencentCode},
    envelope::{ReplyFields, TencentError, refusal_message, reply_fields, success_reply},
};
use crate::{
    dialects::{Backend, BackendError, Reply, Step},
    facts::{
        Command, CommandError, CommandOutcome, FriendState, Id, Op, RefusalReason, WriteOutcome,
    },
    request::{Reason, Relation},
};

/// An account that a call names, and the operation on it.
pub(super) struct BatchItem {
    pub(super) account: String,
    pub(super) op: Result<Op, TencentError>,
}

/// The names in the errors of a call on a relationship.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallNames {
    /// The name of the call, as `FriendAdd`.
    pub(super) call: &'static str,
    /// The code and name for an account that is not in the friend list.
    pub(super) not_friend: (TencentCode, &'static str),
}

/// Reads a list of objects, each of which names a `To_Account`; one that does not fails the call,
/// since its result could not be reported. Other mistakes in an object are the item's own.
pub(super) fn parse_items(
    name: &str,
    list: &[Value],
    read_op: impl Fn(&RequestFields, &str) -> Result<Op, TencentError>,
) -> Result<Vec<BatchItem>, TencentError> {
    let read = |(at, value): (usize, &Value)| {
        let item = RequestFields::from_value(value, &format!("{name}[{at}]"), CallFamily::Sns)?;
        let to = item.required_text("To_Account")?.to_owned();
        Ok(BatchItem { op: read_op(&item, &to), account: to })
    };
    list.iter().enumerate().map(read).collect()
}

/// Writes the items, and answers with the result of each. `judge` returns the error of an outcome,
/// if it is one; `close` adds to the answer.
pub(super) fn run_batch(
    items: Vec<BatchItem>,
    backend: &dyn Backend,
    judge: impl Fn(&str, &Result<CommandOutcome, CommandError>, &dyn Backend) -> Option<TencentError>
    + Send
    + Sync
    + 'static,
    close: impl Fn(ReplyFields, &dyn Backend) -> Result<ReplyFields, BackendError>
    + Send
    + Sync
    + 'static,
) -> Result<Step<Reply>, BackendError> {
    let mut commands = Vec::new();
    let mut named = Vec::with_capacity(items.len());
    for BatchItem { account: to, op } in items {
        let fault = match op {
            Ok(op) => {
                commands.push(Command::from(op));
                None
            }
            Err(fault) => Some(fault),
        };
        named.push((to, fault));
    }
    let answer = move |outcomes: &[Result<CommandOutcome, CommandError>], backend: &dyn Backend| {
        let mut outcomes = outcomes.iter();
        let results = named.iter().map(|(to, fault)| {
            let judged = || judge(to, outcomes.next()?, backend);
            (to.as_str(), fault.clone().or_else(judged))
        });
        Ok(Step::Done(success_reply(close(results_of(results), backend)?)))
    };
    if commands.is_empty() {
        return answer(&[], backend);
    }
    Ok(Step::write_each(commands, move |wrote, backend| match wrote {
        Ok(WriteOutcome::Applied { outcomes, .. }) => answer(outcomes, backend),
        Ok(WriteOutcome::Refused { error: refusal, .. }) => {
            Ok(Step::Done(TencentError::from_refusal(CallFamily::Sns, refusal).reply()))
        }
        Err(why) => Ok(Step::Done(TencentError::from_write_error(CallFamily::Sns, why).reply())),
    }))
}

/// The `close` of calls whose answers have nothing more.
#[expect(clippy::unnecessary_wraps, reason = "as `run_batch` requires it")]
pub(super) fn unchanged(answer: ReplyFields, _: &dyn Backend) -> Result<ReplyFields, BackendError> {
    Ok(answer)
}

/// The members `ResultItem`, and `Fail_Account` if an item failed.
pub(super) fn results_of<'a>(
    results: impl IntoIterator<Item = (&'a str, Option<TencentError>)>,
) -> ReplyFields {
    let (mut items, mut failed) = (Vec::new(), Vec::new());
    for (to, fault) in results {
        if fault.is_some() {
            failed.push(Value::from(to));
        }
        let mut item = reply_fields([("To_Account", to.into())]);
        item.extend(result_fields(fault));
        items.push(Value::Object(item));
    }
    let mut all = reply_fields([("ResultItem", items.into())]);
    all.extend(failed_accounts(failed));
    all
}

/// The members `ResultCode` and `ResultInfo`.
pub(super) fn result_fields(fault: Option<TencentError>) -> ReplyFields {
    let (code, info) = fault.map_or((0, String::new()), |it| (it.code.number(), it.info));
    reply_fields([("ResultCode", code.into()), ("ResultInfo", info.into())])
}

/// The member `Fail_Account`, if an item failed.
pub(super) fn failed_accounts(failed: Vec<Value>) -> ReplyFields {
    if failed.is_empty() {
        ReplyFields::new()
    } else {
        reply_fields([("Fail_Account", failed.into())])
    }
}

impl CallNames {
    /// The account that an item names, if it exists and is not the owner of the list.
    pub(super) fn account(
        self,
        from: &Id,
        to: &str,
        backend: &dyn Backend,
    ) -> Result<Id, TencentError> {
        let Ok(id) = Id::new(to) else {
            return Err(self.error(TencentCode::SnsParameter, "To_Account_Invalid"));
        };
        if id == *from {
            Err(self.error(TencentCode::SnsParameter, "To_Account_Is_From_Account"))
        } else if backend.knows_user(&id) {
            Ok(id)
        } else {
            Err(self.error(TencentCode::SnsAccount, "To_Account_Not_Exist"))
        }
    }

    pub(super) fn error(self, code: TencentCode, name: &str) -> TencentError {
        TencentError::named(code, self.call, name)
    }

    /// A named error, followed by a message.
    pub(super) fn error_with_message(
        self,
        code: TencentCode,
        name: &str,
        message: &str,
    ) -> TencentError {
        let TencentError { code, info } = self.error(code, name);
        TencentError::new(code, format!("{info}: {message}"))
    }

    /// The error for a refused command on the list of `from`.
    fn refusal_error(
        self,
        (from, to): (&str, &str),
        refusal: &CommandError,
        backend: &dyn Backend,
    ) -> TencentError {
        let is_own_list = refusal.full_list_owner.as_deref() == Some(from);
        let (code, name) = match refusal.reason {
            RefusalReason::Denied(reason) => match reason {
                Reason::UnknownSubject => (TencentCode::SnsAccount, "From_Account_Not_Exist"),
                Reason::UnknownResource => (TencentCode::SnsAccount, "To_Account_Not_Exist"),
                Reason::OneSelf => (TencentCode::SnsParameter, "To_Account_Is_From_Account"),
                Reason::AlreadyFriends => (TencentCode::SnsParameter, "Friend_Exist"),
                Reason::RequestsRefused => (TencentCode::Denied, "Friend_Allow_Type_Forbid"),
                Reason::BlockedBySubject => (TencentCode::InOwnBlackList, "Peer_In_My_Black_List"),
                // The user's own block list comes first.
                Reason::BlockedByResource if backend.has_relation(from, Relation::Block, to) => {
                    (TencentCode::InOwnBlackList, "Peer_In_My_Black_List")
                }
                Reason::BlockedByResource => {
                    (TencentCode::InTheirBlackList, "Me_In_Peer_Black_List")
                }
                Reason::FriendListFull if is_own_list => {
                    (TencentCode::OwnFriendsFull, "My_Friend_Num_Exceed_Threshold")
                }
                Reason::FriendListFull => {
                    (TencentCode::TheirFriendsFull, "Peer_Friend_Num_Exceed_Threshold")
                }
                Reason::Allowed
                | Reason::Banned
                | Reason::Silenced
                | Reason::NotManager
                | Reason::OutgoingOff
                | Reason::IncomingOff
                | Reason::PermissionOff
                | Reason::PeersSubject
                | Reason::PeersResource
                | Reason::NotInAudience
                | Reason::Barrier
                | Reason::NoRule
                | Reason::BannedFromGroup
                | Reason::AlreadyMember
                | Reason::NotMember
                | Reason::Muted
                | Reason::InviteOnly
                | Reason::RequiredMemberMissing
                | Reason::LastRequiredMember
                | Reason::NeedsAdmin
                | Reason::NeedsSuperAdmin
                | Reason::DeniedByMatrix
                | Reason::SuperAdminProtected
                | Reason::LastSuperAdmin
                | Reason::LastMember
                | Reason::GroupFull
                | Reason::Stale => return self.unnamed_error("Parameter_Error", refusal),
            },
            RefusalReason::NotFriends => self.not_friend,
            RefusalReason::FriendListsFull => {
                (TencentCode::FriendGroupsFull, "Group_Num_Exceed_Threshold")
            }
            RefusalReason::BlockListFull => {
                (TencentCode::BlackListFull, "Black_Num_Exceed_Threshold")
            }
            RefusalReason::StatedByFile => return self.unnamed_error("Stated_By_File", refusal),
            RefusalReason::UnknownTag
            | RefusalReason::ProtectedTag
            | RefusalReason::UnknownAudience
            | RefusalReason::UnknownMatrix
            | RefusalReason::UnknownRule
            | RefusalReason::NoRequest
            | RefusalReason::NoSuperAdmin
            | RefusalReason::GroupExists
            | RefusalReason::NameTaken
            | RefusalReason::InvalidCondition
            | RefusalReason::InvalidValue
            | RefusalReason::TooLong
            | RefusalReason::TooMany
            | RefusalReason::Invalid
            | RefusalReason::InUse
            | RefusalReason::NotApplied => return self.unnamed_error("Parameter_Error", refusal),
        };
        self.error(code, name)
    }

    /// The error for a refusal that Tencent has no code of its own for, with its message.
    fn unnamed_error(self, name: &str, refusal: &CommandError) -> TencentError {
        self.error_with_message(TencentCode::SnsParameter, name, &refusal_message(refusal))
    }

    /// The error for an outcome, if it is one. A pending request is an error: it makes no friend
    /// yet.
    pub(super) fn outcome_error(
        self,
        (from, to): (&str, &str),
        outcome: &Result<CommandOutcome, CommandError>,
        backend: &dyn Backend,
    ) -> Option<TencentError> {
        match outcome {
            Err(refusal) => Some(self.refusal_error((from, to), refusal, backend)),
            Ok(CommandOutcome { state: Some(FriendState::Pending), .. }) => {
                Some(self.error(TencentCode::Pending, "Need_Confirm"))
            }
            Ok(_) => None,
        }
    }
}
