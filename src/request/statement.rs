//! Identifiers of the statements of a policy that decisions depend on.

use std::fmt;

use uuid::Uuid;

use std::sync::Arc;

use super::{ActionName, GroupPermission, Switch};

/// The identifier of a statement of a policy that decisions can depend on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StatementId {
    Rule(Uuid),
    /// `moderation.managers`.
    Managers,
    Switch(Switch),
    /// The switch of an action that the policy declares.
    OwnSwitch(Arc<str>),
    /// The block mode of the action.
    Blocks(ActionName),
    /// The mode of users who meet a condition, by its index in the list.
    PeersMode(usize),
    PeersDefault,
    /// The audience of users who meet a condition, by its index in the list.
    AudienceMode(ActionName, usize),
    /// The audience of users who meet no condition of the list.
    AudienceDefault(ActionName),
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
    /// The condition of a declared action in the groups that a matrix governs.
    OwnCell {
        matrix: String,
        action: Arc<str>,
    },
}

/// The path of the statement as a policy writes it, key by key.
impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(id) => write!(f, "rule {id}"),
            Self::Managers => f.write_str("moderation.managers"),
            Self::Switch(switch) => write!(f, "permissions.{switch}"),
            Self::OwnSwitch(action) => write!(f, "permissions.{action}"),
            Self::OwnCell { matrix, action } => write!(f, "matrices.{matrix}.{action}"),
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
