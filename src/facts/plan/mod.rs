//! Planning: from a command to the records that it changes.
//!
//! Each command is planned on its own against the current state: the [`PlanContext`] and the
//! [`RecordSource`], which the caller keeps up to date with the changes of the commands before it in
//! the batch. What it reads and writes is collected in a [`ChangeBuffer`], so that the batch is
//! committed only if none of it has changed elsewhere. The records on which limits and invariants
//! depend are always read: those of both users, or of the group.

mod authorize;
mod change_buffer;
mod command_error;
mod context;
mod conversations;
mod draft;
mod file_line;
mod friend_requests;
mod friends;
mod groups;
mod hint;
mod membership;
mod outcome;
mod planned;
mod put_group;
mod put_user;
mod reason;
mod relations;
mod restrictions;
mod rules;
mod terms;
mod users;

pub use change_buffer::{ChangeBuffer, RecordChange};
pub use command_error::{CommandError, TextProblem};
pub use context::{
    Declarable, Declaration, PlanContext, PlanSettings, RecordSource, References, UserField,
};
pub use file_line::FileLine;
pub use hint::Hint;
pub use outcome::{CommandOutcome, FriendState};
pub use planned::{Authority, CommandSender, PlanError, PlannedCommand};
pub use reason::RefusalReason;

use super::{Command, FriendFields, Op, Patch};
use crate::request::{Moderation, Moment, Role};
use draft::Draft;
use planned::PlanResult;

/// Plans a command. If it is refused, the buffer holds what was read for it, and no change.
///
/// Costs what the records cost that it touches, independent of the number of records.
///
/// # Errors
/// If the command is refused, or a record can't be read.
pub fn plan<E>(
    batch: &mut ChangeBuffer,
    command: &Command,
    sender: &CommandSender,
    world: &dyn PlanContext,
    records: &dyn RecordSource<Error = E>,
) -> Result<PlannedCommand, PlanError<E>> {
    let mut draft = Draft::new(batch, world, records, sender, command.on_behalf.as_ref());
    authorize::check(&mut draft, &command.op)?;
    draft.terms = terms::resolve(&command.terms, world.now())?;
    let outcome = dispatch(&mut draft, &command.op)?;
    let changes = draft.commit_to_buffer();
    Ok(PlannedCommand {
        outcome: CommandOutcome { changed: !changes.is_empty(), ..outcome },
        changes,
    })
}

fn dispatch<E>(draft: &mut Draft<'_, E>, op: &Op) -> PlanResult<E> {
    match op {
        Op::PutUser { user, fields } => put_user::put(draft, user, fields),
        Op::DeleteUser { user, only_unused } => {
            users::delete(draft, user, only_unused.unwrap_or(false))
        }
        Op::AddTags { user, tags } => users::add_tags(draft, user, tags),
        Op::RemoveTags { user, tags } => users::remove_tags(draft, user, tags),
        Op::Ban { user } => users::moderate(draft, user, Moderation::Banned),
        Op::Silence { user } => users::moderate(draft, user, Moderation::Silenced),
        Op::Shadow { user } => users::moderate(draft, user, Moderation::Shadowed),
        Op::Reactivate { user } => users::moderate(draft, user, Moderation::None),
        Op::Block { from, to } => relations::block(draft, from, to),
        Op::Unblock { from, to } => relations::unblock(draft, from, to),
        Op::Relate { kind, from, to } => relations::relate(draft, *kind, from, to),
        Op::Unrelate { kind, from, to } => relations::unrelate(draft, *kind, from, to),
        Op::RequestFriend { from, to, both, fields } => {
            let wish = friend_requests::FriendshipOptions {
                both: both.unwrap_or(true),
                approved: false,
                force: false,
                fields,
            };
            friend_requests::befriend(draft, from, to, &wish)
        }
        Op::AddFriend { from, to, both, approved, force, fields } => {
            let until = draft.terms.until.map(Moment::from_millis);
            let fields = &FriendFields {
                until: until.map_or_else(|| fields.until.clone(), Patch::Set),
                ..FriendFields::clone(fields)
            };
            let wish = friend_requests::FriendshipOptions {
                both: both.unwrap_or(true),
                approved: approved.unwrap_or(false),
                force: force.unwrap_or(false),
                fields,
            };
            friend_requests::befriend(draft, from, to, &wish)
        }
        Op::AcceptFriend { from, to } => friend_requests::accept(draft, from, to),
        Op::RefuseFriend { from, to } => friend_requests::refuse(draft, from, to),
        Op::DeleteFriend { from, to, both } => {
            friends::delete(draft, from, to, both.unwrap_or(false))
        }
        Op::UpdateFriend { from, to, fields } => friends::update(draft, from, to, fields),
        Op::AddFriendList { user, list } => friends::add_list(draft, user, list),
        Op::DeleteFriendList { user, list } => friends::delete_list(draft, user, list),
        Op::PutGroup { group, fields } => put_group::put(draft, group, fields),
        Op::DeleteGroup { group } => groups::delete(draft, group),
        Op::AddMember { group, member } => groups::add_member(draft, group, member),
        Op::Join { group, member } => groups::join(draft, group, member),
        Op::RemoveMember { group, member } => groups::remove_member(draft, group, member),
        Op::AddAdmin { group, member } => groups::promote(draft, group, member, Role::Admin),
        Op::RemoveAdmin { group, member } => groups::demote(draft, group, member, Role::Admin),
        Op::AddSuperAdmin { group, member } => {
            groups::promote(draft, group, member, Role::SuperAdmin)
        }
        Op::RemoveSuperAdmin { group, member } => {
            groups::demote(draft, group, member, Role::SuperAdmin)
        }
        Op::MuteMember { group, member } => restrictions::mute(draft, group, member),
        Op::UnmuteMember { group, member } => restrictions::unmute(draft, group, member),
        Op::BanMember { group, member } => restrictions::ban(draft, group, member),
        Op::UnbanMember { group, member } => restrictions::unban(draft, group, member),
        Op::UpdateMetadata { group, field, value } => {
            groups::update_metadata(draft, group, field, value)
        }
        Op::UpdatePermissions { group, permission, value } => {
            groups::update_permissions(draft, group, permission, value)
        }
        Op::OpenConversation { users, since } => conversations::open(draft, users, *since),
        Op::CloseConversation { users } => conversations::close(draft, users),
        Op::PutRule { rule_id, condition, outcome, description, name } => {
            let texts =
                rules::RuleTexts { name: name.as_deref(), description: description.as_deref() };
            rules::put(draft, *rule_id, condition, outcome, texts)
        }
        Op::DeleteRule { rule_id } => rules::delete(draft, *rule_id),
    }
}
