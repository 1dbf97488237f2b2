use crate::{
    request::{BUILT_IN_MATRICES, Relation},
    snapshot::{Selection, View},
};

/// How much a view holds, for the status and the metrics.
pub(super) struct Counts {
    /// Each by its name, and what it is.
    pub each: [(&'static str, &'static str, u64); 10],
    /// Edges of each kind.
    pub relations: [(&'static str, u64); Relation::COUNT],
}

impl Counts {
    pub(super) fn of(view: &View) -> Self {
        let (directory, ties) = (&view.population.directory, &view.population.ties);
        let users =
            |selection: Selection<'_>| selection.of(&view.population.everyone).as_ref().len();
        let own_matrices =
            view.matrices.iter().filter(|it| !BUILT_IN_MATRICES.contains(&it.name.as_str()));
        let rules = view.rules.as_ref().map_or(0, |book| book.rules.len());
        Self {
            each: [
                ("users", "Users known", directory.len().into()),
                ("tags", "Tags known", view.tags.len() as u64),
                ("tag_sets", "Distinct tag sets of users", directory.classes() as u64),
                ("rules", "Rules", rules as u64),
                ("groups", "Groups", view.groups.len() as u64),
                ("matrices", "Matrices beyond the built-in ones", own_matrices.count() as u64),
                ("memberships", "Members of all groups", view.groups.memberships() as u64),
                ("conversations", "Conversations", ties.conversations()),
                ("banned", "Users who are banned", users(view.standings.banned())),
                ("silenced", "Users who are silenced", users(view.standings.silenced())),
            ],
            relations: std::array::from_fn(|at| {
                Relation::ALL.get(at).map_or(("", 0), |&it| (it.as_str(), ties.edges(it)))
            }),
        }
    }
}
