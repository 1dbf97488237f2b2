//! The memory footprint of a view by what it is spent on.

use super::{Population, View};
use crate::request::Relation;

/// The memory footprint of a view in bytes, approximately.
#[derive(Clone, Copy, Debug)]
pub struct Footprint {
    /// The whole view.
    pub view: usize,
    /// The text of users' ids.
    pub ids: usize,
    /// The rows of ties: relations and conversations.
    pub relations: usize,
    /// Groups and their members.
    pub groups: usize,
    users: u32,
    edges: u64,
}

impl Footprint {
    pub(super) fn from_view(view: &View) -> Self {
        let Population { directory, ties, .. } = &*view.population;
        // A favorite is also a contact, but one edge.
        let relations = Relation::ALL.iter().filter(|&&relation| relation != Relation::Favorite);
        let relations: u64 = relations.map(|&relation| ties.edges(relation)).sum();
        Self {
            view: view.memory(),
            ids: directory.id_bytes(),
            relations: ties.memory(),
            groups: view.groups.memory(),
            users: u32::try_from(view.population.everyone.len()).unwrap_or(u32::MAX),
            edges: relations + ties.conversations(),
        }
    }

    /// The bytes per user: everything but the text of ids, relations and groups, divided by the
    /// number of users; `None` without users. Tags, rules and settings are included.
    pub fn per_user(&self) -> Option<f64> {
        let rest = self.view.saturating_sub(self.ids + self.relations + self.groups);
        ratio(rest, self.users.into())
    }

    /// The bytes per relation or conversation; `None` if there are none. Each stands in the rows of
    /// both users.
    pub fn per_relation(&self) -> Option<f64> {
        ratio(self.relations, self.edges)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a tenth of a byte is precise enough")]
fn ratio(bytes: usize, of: u64) -> Option<f64> {
    (of > 0).then(|| (bytes as f64 * 10.0 / of as f64).round() / 10.0)
}
