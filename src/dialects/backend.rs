//! The daemon as a dialect sees it: decisions, records and settings as of one revision.

use uuid::Uuid;

use crate::{
    facts::{
        EffectiveGroup, EffectiveRule, EffectiveRules, EffectiveUser, UnixMillis,
        VersionedUserRecord,
    },
    request::{
        Approval, Decision, GrantCondition, GroupPermission, Moderation, PeersMode, Relation,
        Request, Role, Switch,
    },
};

/// What a dialect may ask of the daemon: what is so, as of one revision.
///
/// What only asks the view costs some look-ups; what returns [`BackendError`] reads records too.
pub trait Backend {
    /// Milliseconds since 1970 in UTC.
    fn now(&self) -> UnixMillis;

    /// Whether the admin token is shown. Takes as long for a wrong one as for a right one of its
    /// length.
    fn admission(&self, token: Option<&[u8]>) -> Admission;

    /// Whether facts can be written at all.
    fn has_store(&self) -> bool;

    /// The revision of the facts.
    fn revision(&self) -> u64;

    /// Walks the gates.
    fn decide(&self, request: &Request<'_>) -> Decision;

    fn knows_user(&self, id: &str) -> bool;

    fn knows_group(&self, id: &str) -> bool;

    /// `None` if he is not known.
    fn moderation(&self, user: &str) -> Option<Moderation>;

    /// With whom a user communicates, by his record or the policy; `None` if he is not known.
    fn peers(&self, user: &str) -> Option<PeersMode>;

    /// Whether a switch of a user is on, by his record or the policy; `None` if he is not known.
    fn is_on(&self, user: &str, switch: Switch) -> Option<bool>;

    /// Who may become his friend, by files, records or the policy's default; `None` if he is not known.
    fn approval(&self, user: &str) -> Option<Approval>;

    /// Whether there is this edge between two users who are known.
    fn has_relation(&self, from: &str, relation: Relation, to: &str) -> bool;

    /// How many there are between whom and a user there is an edge, either way: what
    /// [`related`](Self::related_users) costs. 0 if he is not known.
    fn relation_count(&self, user: &str) -> usize;

    /// Those to whom a user who is known has this relation and who are known, in the order of ids.
    /// Costs what is between him and others.
    fn related_users(&self, user: &str, relation: Relation) -> Vec<String>;

    /// The tags of a user, in order; `None` if he is not known.
    fn tags(&self, user: &str) -> Option<Vec<String>>;

    /// Whether users can have a tag: one that the policy declares, or any where it declares none.
    fn allows_tag(&self, tag: &str) -> bool;

    /// Whether only policy files and administrators give this tag to users, or take it.
    fn protects_tag(&self, tag: &str) -> bool;

    /// What a user is in a group; `None` if he is no member, or one of the two is not known.
    fn role(&self, group: &str, user: &str) -> Option<Role>;

    /// Each member of a group with his role, in the order of ids; `None` if it is not known.
    fn members(&self, group: &str) -> Option<Vec<(String, Role)>>;

    /// Who has a permission in a group; of `update_metadata`, that for a field, which is `*` for those
    /// that are not named. `None` if the group is not known.
    fn permission(
        &self,
        group: &str,
        permission: GroupPermission,
        field: Option<&str>,
    ) -> Option<GrantCondition<String>>;

    /// How many members a group has; `None` if it is not known.
    fn group_size(&self, group: &str) -> Option<usize>;

    /// The ids of users in order, those alone that come after `after`, `limit` at most.
    fn user_page(&self, after: Option<&str>, limit: usize) -> Vec<String>;

    /// What only a user's record says; `None` if he is not known. Costs his record.
    ///
    /// # Errors
    /// If it can't be read.
    fn user_record(&self, user: &str) -> Result<Option<VersionedUserRecord>, BackendError>;

    /// A user; `None` if he is not known. Costs what is between him and others.
    ///
    /// # Errors
    /// If records can't be read.
    fn user(&self, id: &str) -> Result<Option<EffectiveUser>, BackendError>;

    /// A group; `None` if it is not known. Costs its members.
    ///
    /// # Errors
    /// If records can't be read.
    fn group(&self, id: &str) -> Result<Option<EffectiveGroup>, BackendError>;

    /// A rule; `None` if there is none of this id.
    ///
    /// # Errors
    /// If records can't be read.
    fn rule(&self, id: Uuid) -> Result<Option<EffectiveRule>, BackendError>;

    /// Rules in the order of their ids, those alone that come after `after`, `limit` at most. Costs
    /// what it tells.
    ///
    /// # Errors
    /// If records can't be read.
    fn rule_page(&self, after: Option<Uuid>, limit: usize) -> Result<EffectiveRules, BackendError>;
}

/// Whether an administrator asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    Admitted,
    /// It is another token.
    Wrong,
    /// No token was shown.
    Missing,
    /// There is no admin token: the daemon was started without.
    Disabled,
}

/// Why something can't be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BackendError {
    /// What is served must first follow what is kept: in a moment.
    #[error("what is served has not followed yet; try again")]
    ViewBehind,
    #[error("{0}")]
    Failed(String),
}

impl Admission {
    /// What to tell who is not admitted.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Admitted => "",
            Self::Wrong => "this is not the admin token",
            Self::Missing => "the admin token is missing",
            Self::Disabled => {
                "nobody may do this here: start the daemon with --admin-token-file, and send the token, or \
                 with --admin-uds, and use that socket"
            }
        }
    }
}
