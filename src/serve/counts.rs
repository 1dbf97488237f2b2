//! The counts of the served policy and facts, for the status and the metrics.

use crate::live::ServedPolicy;
use crate::request::Relation;

/// The counts, each with its name and description.
pub(super) fn counts(served: &ServedPolicy) -> [(&'static str, &'static str, u64); 11] {
    let counts = served.view.counts();
    [
        ("users", "Users known", counts.users),
        ("tags", "Tags known", counts.tags),
        ("tag_sets", "Distinct tag sets of users", counts.tag_sets),
        ("rules", "Rules", counts.rules),
        ("groups", "Groups", counts.groups),
        ("matrices", "Matrices beyond the built-in ones", counts.matrices),
        ("memberships", "Members of all groups", counts.memberships),
        ("conversations", "Conversations", counts.conversations),
        ("banned", "Users who are banned", counts.banned),
        ("silenced", "Users who are silenced", counts.silenced),
        ("shadowed", "Users whose writing nobody else is shown", counts.shadowed),
    ]
}

/// The number of relations of each kind.
pub(super) fn relations(served: &ServedPolicy) -> impl Iterator<Item = (&'static str, u64)> {
    let relations = served.view.counts().relations;
    Relation::ALL.iter().map(move |&relation| (relation.as_str(), relations[relation]))
}
