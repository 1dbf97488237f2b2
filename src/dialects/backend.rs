//! The daemon as a dialect sees it: decisions, records and settings as of one revision.

use uuid::Uuid;

use crate::{
    facts::{
        EffectiveGroup, EffectiveRule, EffectiveRules, EffectiveUser, UnixMillis,
        VersionedUserRecord,
    },
    request::{
        Approval, Decision, GrantCondition, GroupPermission, Moderation, PeersSetting, Relation,
        Request, Role, Switch,
    },
    wire::AccessScope,
};

/// The daemon's state as a dialect may read it: that of one revision.
///
/// Methods that return no [`BackendError`] cost some look-ups in the view; the others read records
/// of the store, too.
pub trait Backend {
    /// The current time in milliseconds since 1970 in UTC.
    fn now(&self) -> UnixMillis;

    /// The result of showing a token for a call of this scope. The time does not depend on the known tokens.
    fn admission(&self, token: Option<&[u8]>, scope: AccessScope) -> Admission;

    /// Whether decisions take a token.
    fn guards_decisions(&self) -> bool;

    /// The name of a token, if the daemon knows it.
    fn token_name(&self, token: &[u8]) -> Option<String>;

    /// Whether the daemon has a store, so that facts can be written.
    fn has_store(&self) -> bool;

    /// The revision of the facts.
    fn revision(&self) -> u64;

    /// The decision of all gates on a request.
    fn decide(&self, request: &Request<'_>) -> Decision;

    fn knows_user(&self, id: &str) -> bool;

    fn knows_group(&self, id: &str) -> bool;

    /// The user's moderation state; `None` if the user is unknown.
    fn moderation(&self, user: &str) -> Option<Moderation>;

    /// The users with whom this user communicates, by the record or the policy; `None` if the user
    /// is unknown.
    fn peers(&self, user: &str) -> Option<PeersSetting<()>>;

    /// Whether a switch of the user is on, by the record or the policy; `None` if the user is
    /// unknown.
    fn is_on(&self, user: &str, switch: Switch) -> Option<bool>;

    /// The users who may become this user's friends, by files, the record or the policy's default;
    /// `None` if the user is unknown.
    fn approval(&self, user: &str) -> Option<Approval>;

    /// Whether one known user has a relation to another.
    fn has_relation(&self, from: &str, relation: Relation, to: &str) -> bool;

    /// The number of relations of a user to and from others, which is what
    /// [`related_users`](Self::related_users) costs; 0 if the user is unknown.
    fn relation_count(&self, user: &str) -> usize;

    /// The known users to whom a known user has a relation, in the order of ids. Costs all
    /// relations of the user.
    fn related_users(&self, user: &str, relation: Relation) -> Vec<String>;

    /// The tags of a user, in order; `None` if the user is unknown.
    fn tags(&self, user: &str) -> Option<Vec<String>>;

    /// Whether users can have a tag: one that the policy declares, or any if it declares none.
    fn allows_tag(&self, tag: &str) -> bool;

    /// Whether a tag is protected: only policy files and administrators give it to users, or take
    /// it away.
    fn protects_tag(&self, tag: &str) -> bool;

    /// The role of a user in a group; `None` if the user is no member, or one of the two is
    /// unknown.
    fn role(&self, group: &str, user: &str) -> Option<Role>;

    /// The members of a group with their roles, in the order of ids; `None` if the group is
    /// unknown.
    fn members(&self, group: &str) -> Option<Vec<(String, Role)>>;

    /// The condition for a permission in a group; for `update_metadata`, that of a field, where `*`
    /// is every field without a condition of its own. `None` if the group is unknown.
    fn permission(
        &self,
        group: &str,
        permission: GroupPermission,
        field: Option<&str>,
    ) -> Option<GrantCondition<String>>;

    /// The number of members of a group; `None` if the group is unknown.
    fn group_size(&self, group: &str) -> Option<usize>;

    /// The ids of at most `limit` users, in order, beginning after the id `after`.
    fn user_page(&self, after: Option<&str>, limit: usize) -> Vec<String>;

    /// The user's record without what files declare; `None` if the user is unknown. Costs reading
    /// the record.
    ///
    /// # Errors
    /// If the record can't be read.
    fn user_record(&self, user: &str) -> Result<Option<VersionedUserRecord>, BackendError>;

    /// The effective user, files and record merged; `None` if the user is unknown. Costs all
    /// relations of the user.
    ///
    /// # Errors
    /// If records can't be read.
    fn user(&self, id: &str) -> Result<Option<EffectiveUser>, BackendError>;

    /// The effective group, files and record merged; `None` if the group is unknown. Costs its
    /// members.
    ///
    /// # Errors
    /// If records can't be read.
    fn group(&self, id: &str) -> Result<Option<EffectiveGroup>, BackendError>;

    /// The rule of an id; `None` if there is none.
    ///
    /// # Errors
    /// If records can't be read.
    fn rule(&self, id: Uuid) -> Result<Option<EffectiveRule>, BackendError>;

    /// At most `limit` rules in the order of their ids, beginning after the id `after`. Costs the
    /// rules that it returns.
    ///
    /// # Errors
    /// If records can't be read.
    fn rule_page(&self, after: Option<Uuid>, limit: usize) -> Result<EffectiveRules, BackendError>;
}

/// The result of checking a caller's credential for what only administrators may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    Admitted,
    /// A wrong token was shown.
    Wrong,
    /// No token was shown.
    Missing,
    /// The token lacks the scope of the call.
    MissingScope(AccessScope),
    /// The daemon was started without tokens.
    Disabled,
}

/// The error of facts that can't be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BackendError {
    /// The served view is behind the store; a retry succeeds in a moment.
    #[error("the served view is behind the store; try again")]
    ViewBehind,
    #[error("{0}")]
    Failed(String),
}

impl Admission {
    /// The message for a caller who is not admitted; empty for one who is.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Admitted => "",
            Self::Wrong => "wrong token",
            Self::Missing => "the token is missing",
            Self::MissingScope(AccessScope::Decide) => "the token lacks the scope `decide`",
            Self::MissingScope(AccessScope::Read) => "the token lacks the scope `read`",
            Self::MissingScope(AccessScope::Write) => "the token lacks the scope `write`",
            Self::MissingScope(AccessScope::Reload) => "the token lacks the scope `reload`",
            Self::Disabled => {
                "access is disabled; start the daemon with --admin-token-file, and send the token, or \
                 with --admin-uds, and use that socket"
            }
        }
    }
}
