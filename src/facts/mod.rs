//! What changes while the daemon runs: records, commands, change sets.
//!
//! A fact is a record under a [`Key`]: a user, a group, a conversation, a rule made over the API. A
//! command is planned against the records there are into the records to write; what was read on the
//! way is noted with its version, so that a store commits the [`ChangeSet`] only if nothing of it has
//! changed since.
//!
//! A record holds what the API owns and nothing of what policy files state; the two are put together
//! when a view is compiled.
//!
//! Invariant: knows of `request` only. It reads no clock and no store: both are given.

mod change;
mod command;
mod key;
pub mod line;
mod plan;
mod record;
mod told;

pub use change::{ChangeSet, Read, Version, Write};
pub use command::{
    Bond, Command, FriendFields, GroupFields, Id, MOST_COMMANDS, Malformed, Named, Needed, Op,
    Patch, Permission, RequestFields, Tag, Two, UserFields,
};
pub use key::{Key, Kind, NoKey};
pub use plan::{
    Around, Authority, Batch, Change, Failure, FriendState, Outcome, Place, Planned, Reason,
    Records, Refusal, Settings, Spot, Stated, Statement, UserField, World, plan,
};
pub use record::{
    Conversation, Damaged, Friend, Group, Member, Once, Record, Request, Rule, Setting, Since, User,
};
pub use told::{GroupTold, Kept, RuleTold, RulesTold, StatedBy, UserTold, list_name};
