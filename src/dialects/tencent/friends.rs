//! `friend_update`, `friend_delete` and `friend_delete_all`: what becomes of friends.

use super::{
    body::{self, Fields},
    codes::{Code, Family},
    envelope::{Answered, Fault, Members, fine},
    fields,
    items::{Item, Names, as_it_is, carry_out, items},
};
use crate::{
    dialects::{House, Step, Wrote},
    facts::{Command, Id, Op, Outcome, Reason, Refusal},
    request::Relation,
};

const UPDATE: Names =
    Names { call: "FriendUpdate", not_friend: (Code::SnsParameter, "Friend_Not_Exist") };
const DELETE: Names =
    Names { call: "FriendDelete", not_friend: (Code::SnsParameter, "Not_Friend") };

pub(super) fn update(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Sns)?;
    let from = fields.known("From_Account", house)?;
    let todo = |item: &Fields, to: &str| {
        let list = item.list("SnsItem")?.filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| item.bad("SnsItem", "it is missing or empty"))?;
        let fields = fields::updated(list, &format!("{}SnsItem", item.place()), UPDATE)?;
        let to = UPDATE.account(&from, to, house)?;
        Ok(Op::UpdateFriend { from: from.clone(), to, fields: Box::new(fields) })
    };
    let items = items("UpdateItem", fields.items("UpdateItem")?, todo)?;
    Ok(carry_out(items, house, judge(UPDATE, from), as_it_is)?)
}

pub(super) fn delete(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Sns)?;
    let from = fields.known("From_Account", house)?;
    let both = both_sides(&fields)?;
    let item = |to: String| {
        let todo = DELETE.account(&from, &to, house).map(|to| delete_friend(&from, to, both));
        Item { to, todo }
    };
    let items = fields.accounts("To_Account")?.into_iter().map(item).collect();
    Ok(carry_out(items, house, judge(DELETE, from.clone()), as_it_is)?)
}

pub(super) fn delete_all(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Sns)?;
    let from = fields.known("From_Account", house)?;
    let both = both_sides(&fields)?;
    let friends = house.related(&from, Relation::Friend);
    let friends = friends.iter().filter_map(|to| Id::new(to).ok());
    let commands: Vec<Command> = friends.map(|to| delete_friend(&from, to, both).into()).collect();
    if commands.is_empty() {
        return Ok(Step::Done(fine(Members::new())));
    }
    Ok(Step::each(commands, |wrote, _| {
        let fault = match wrote {
            // One whom somebody else deleted meanwhile is gone as well.
            Wrote::Done { outcomes, .. } => outcomes
                .iter()
                .filter_map(|outcome| outcome.as_ref().err())
                .find(|refusal| refusal.reason != Reason::NotFriends)
                .map(|refusal| Fault {
                    info: format!("not all could be deleted: {}", refusal.message),
                    ..Fault::refused(Family::Sns, refusal)
                }),
            Wrote::Refused { refusal, .. } => Some(Fault::refused(Family::Sns, refusal)),
            Wrote::Failed(why) => Some(Fault::not_written(Family::Sns, why)),
        };
        Ok(Step::Done(fault.map_or_else(|| fine(Members::new()), |fault| fault.reply())))
    }))
}

/// From whose list friends are to go: one way, unless both are asked for.
fn both_sides(fields: &Fields) -> Result<bool, Fault> {
    let types = [("Delete_Type_Single", false), ("Delete_Type_Both", true)];
    Ok(fields.word("DeleteType", &types)?.unwrap_or(false))
}

fn delete_friend(from: &Id, to: Id, both: bool) -> Op {
    Op::DeleteFriend { from: from.clone(), to, both: Some(both) }
}

fn judge(
    names: Names,
    from: Id,
) -> impl Fn(&str, &Result<Outcome, Refusal>, &dyn House) -> Option<Fault> {
    move |to, outcome, house| names.judged((&from, to), outcome, house)
}
