//! The counts of pairs of strangers whose decision changes where a policy says something about two users together.

use std::collections::HashMap;

use super::{
    bitset::BitSet,
    classes::PolicySide,
    count::{GAINED, LOST, Lanes, PairCounts, in_parallel},
    openings::{Opening, Openings},
    pairwise::PairwiseComparison,
    walk::ClassLeaf,
};

/// The number of columns of which the users are told apart at a time.
const COLUMNS: usize = 32;

/// The openings that change something only together with the users whom rules reach.
const BY_RULES: [Openings; 5] = [
    Openings { old: Opening::Shut, new: Opening::ByRules },
    Openings { old: Opening::ByRules, new: Opening::Shut },
    Openings { old: Opening::Open, new: Opening::ByRules },
    Openings { old: Opening::ByRules, new: Opening::Open },
    Openings { old: Opening::ByRules, new: Opening::ByRules },
];

impl PairwiseComparison<'_, '_> {
    /// Counts all pairs as if no users had ties, groups or shared tags, those of a user with themself included.
    pub(super) fn count_strangers(&self, counts: &mut PairCounts) {
        let columns = self.changing_columns();
        let mut column_of = vec![None; self.others.len()];
        for (at, (_, kinds)) in (0_u32..).zip(&columns) {
            for &kind in kinds {
                column_of.get_mut(kind as usize).into_iter().for_each(|of| *of = Some(at));
            }
        }
        let leaves = self.leaves_by_column(&column_of, columns.len());
        for (columns, leaves) in columns.chunks(COLUMNS).zip(leaves.chunks(COLUMNS)) {
            if self.user_classes.is_late() {
                break;
            }
            let lanes = in_parallel(columns.len(), &|at| {
                columns.get(at).map(|(column, _)| self.lanes(column))
            });
            for (lanes, leaves) in lanes.iter().flatten().zip(leaves) {
                counts.add_lanes(lanes, leaves, self.user_classes);
            }
        }
    }

    /// The columns of openings in which something can change, without what can't, and the kinds of others of each.
    fn changing_columns(&self) -> Vec<(Vec<Openings>, Vec<u32>)> {
        let rules_differ = !self.user_classes.rules_are_the_same();
        let may_change = |openings: &Openings| {
            openings.old != openings.new || openings.old == Opening::ByRules && rules_differ
        };
        let mut columns: HashMap<Vec<Openings>, Vec<u32>> = HashMap::new();
        for (mut column, kinds) in self.table.columns() {
            column.iter_mut().filter(|it| !may_change(it)).for_each(|it| *it = Openings::SHUT);
            if column.iter().any(may_change) {
                columns.entry(column).or_default().extend(kinds);
            }
        }
        columns.into_iter().collect()
    }

    /// The classes of the users of the kinds of each column, in the order of their ranks.
    fn leaves_by_column(
        &self,
        column_of: &[Option<u32>],
        columns: usize,
    ) -> Vec<Vec<ClassLeaf<'_>>> {
        let mut place = vec![0_u32; self.user_classes.classes.len()];
        for (at, &class) in (0..).zip(&self.user_classes.order) {
            place.get_mut(class as usize).into_iter().for_each(|place| *place = at);
        }
        let of_user = |(user, kind): (_, u32)| {
            let column = column_of.get(kind as usize).copied().flatten()?;
            let place = place.get(self.user_classes.class_number(user) as usize)?;
            Some((column, *place))
        };
        let mut users: Vec<(u32, u32)> = self.others.numbers().filter_map(of_user).collect();
        users.sort_unstable();
        let mut leaves = vec![Vec::new(); columns];
        for alike in users.chunk_by(|one, other| one == other) {
            let leaf = alike.first().and_then(|&(column, place)| {
                let &class = self.user_classes.order.get(place as usize)?;
                let ranks = &self.user_classes.class(class)?.ranks;
                Some((column, ClassLeaf { ranks, class, users: i64::try_from(alike.len()).ok()? }))
            });
            if let Some((column, leaf)) = leaf
                && let Some(leaves) = leaves.get_mut(column as usize)
            {
                leaves.push(leaf);
            }
        }
        leaves
    }

    /// The terms to count for each user of the kinds with a column of openings.
    fn lanes(&self, column: &[Openings]) -> Lanes {
        let mut lanes = Lanes::none();
        for (openings, kind) in column.iter().zip(&self.subjects.kinds) {
            if let (false, Some(direction)) =
                (openings.depends_on_rules(), openings.direction(|_| false))
                && let Some(plain) = lanes.plain.get_mut(direction)
            {
                *plain += i64::from(kind.users);
            }
        }
        let [come, go, closed, opened, both] = self.subjects_by_rules(column);
        if let Some(users) = come {
            lanes.reaching(GAINED, users, PolicySide::New);
        }
        if let Some(users) = go {
            lanes.reaching(LOST, users, PolicySide::Old);
        }
        if let Some(users) = closed {
            lanes.left.push((LOST, 1, PolicySide::New, users));
        }
        if let Some(users) = opened {
            lanes.left.push((GAINED, 1, PolicySide::Old, users));
        }
        lanes.apart = both.map(|users| users.and(&self.user_classes.differ));
        lanes
    }

    /// The subjects whose kinds have each of the openings [`BY_RULES`] in a column; `None` where no kind has them.
    /// Costs a look at each user.
    fn subjects_by_rules(&self, column: &[Openings]) -> [Option<BitSet>; 5] {
        let mut sets = BY_RULES.map(|openings| {
            column.contains(&openings).then(|| BitSet::nobody(self.user_classes.users))
        });
        if sets.iter().all(Option::is_none) {
            return sets;
        }
        let codes: Vec<usize> = column
            .iter()
            .map(|it| BY_RULES.iter().position(|other| other == it).unwrap_or(BY_RULES.len()))
            .collect();
        for (user, kind) in self.subjects.numbers() {
            let code = codes.get(kind as usize).copied().unwrap_or(BY_RULES.len());
            if let Some(Some(set)) = sets.get_mut(code) {
                set.insert(user);
            }
        }
        sets
    }
}
