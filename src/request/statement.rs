//! Identifiers of the statements of a policy that decisions depend on.

use std::fmt;

use uuid::Uuid;

use super::{Action, GroupPermission, Switch};

/// The identifier of a statement of a policy that decisions can depend on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StatementId {
    Rule(Uuid),
    /// `moderation.managers`.
    Managers,
    Switch(Switch),
    /// The block mode of the action.
    Blocks(Action),
    /// The mode of users who meet a condition, by its index in the list.
    PeersMode(usize),
    PeersDefault,
    /// The audience of users who meet a condition, by its index in the list.
    AudienceMode(Action, usize),
    /// The audience of users who meet no condition of the list.
    AudienceDefault(Action),
    /// A barrier by its name.
    Barrier(String),
    DefaultApproval,
    /// `limits.friends`.
    FriendsLimit,
    /// `limits.group_members`.
    GroupLimit,
    /// The condition of a permission in the groups that a matrix governs.
    Cell {
        matrix: String,
        permission: GroupPermission,
        /// The field of the metadata; `*` stands for those that are not named.
        field: Option<String>,
    },
}

/// The path of the statement as a policy writes it, key by key.
impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(id) => write!(f, "rule {id}"),
            Self::Managers => f.write_str("moderation.managers"),
            Self::Switch(switch) => write!(f, "permissions.{switch}"),
            Self::Blocks(action) => write!(f, "blocks.{action}"),
            Self::PeersMode(at) => write!(f, "peers.modes[{at}]"),
            Self::PeersDefault => f.write_str("peers.default"),
            Self::AudienceMode(action, at) => write!(f, "accepts.{action}.modes[{at}]"),
            Self::AudienceDefault(action) => write!(f, "accepts.{action}.default"),
            Self::Barrier(name) => write!(f, "barriers.{name}"),
            Self::DefaultApproval => f.write_str("friendship.default_approval"),
            Self::FriendsLimit => f.write_str("limits.friends"),
            Self::GroupLimit => f.write_str("limits.group_members"),
            Self::Cell { matrix, permission, field: None } => {
                write!(f, "matrices.{matrix}.{permission}")
            }
            Self::Cell { matrix, permission, field: Some(field) } => {
                write!(f, "matrices.{matrix}.{permission}.{field}")
            }
        }
    }
}
