//! Facts: what changes while the daemon runs, as records, commands and change sets.
//!
//! A fact is a record under a [`RecordKey`]: a user, a group, a conversation, or a rule made over the
//! API. Planning a command turns the stored records into the records to write, and notes the version
//! of each record that it reads, so that a store commits the [`ChangeSet`] only if none of them has
//! changed since.
//!
//! A record holds what the API owns and nothing of what policy files state; the two are merged when a
//! view is compiled.
//!
//! Invariant: knows of `request` only. It reads no clock and no store: both are passed in.

mod change;
mod command;
mod effective;
pub mod export_line;
mod history;
mod history_page;
mod key;
mod plan;
mod record;
mod record_terms;
mod terms;
mod write;

pub use change::{ChangeSet, RecordRead, RecordWrite, Version};
pub use command::{
    ByUser, Command, CommandEnd, CommandSyntaxError, CommandTerms, FieldTerms, FriendFields,
    GroupFieldTerms, GroupFields, Id, LONGEST_REASON, MOST_COMMANDS, Nullable, Op, Patch,
    PermissionKey, RequestFields, SwitchKey, TagName, UnilateralRelation, UserFields, UserPair,
};
pub use effective::{
    DeclaredBy, EffectiveGroup, EffectiveRule, EffectiveRules, EffectiveTerms, EffectiveUser,
    VersionedUserRecord, relation_list_name,
};
pub use history::{HistoryEntry, HistoryId, HistoryRecord, InvalidHistoryIdError};
pub use history_page::{HistoryFilter, HistoryPage, HistoryQuery, StoredHistory};
pub use key::{InvalidRecordKeyError, RecordKey, RecordKind};
pub use plan::{
    Authority, ChangeBuffer, CommandError, CommandOutcome, CommandSender, Declarable, Declaration,
    FileLine, FriendState, Hint, PlanContext, PlanError, PlanSettings, PlannedCommand,
    RecordChange, RecordSource, References, RefusalReason, TextProblem, UserField, plan,
};
pub use record::{
    ConversationRecord, Friend, GroupRecord, GroupRestriction, IdempotencyRecord, Member,
    PendingRequest, Record, RecordDecodeError, RuleRecord, SwitchSetting, UserRecord,
};
pub use terms::{ListTerms, ReplacedState, Terms, UnixMillis};
pub use write::{BatchMode, WriteError, WriteErrorKind, WriteOutcome, WriteResult, encode_outcome};
