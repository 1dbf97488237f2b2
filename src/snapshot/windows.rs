//! The windows that compiled conditions name.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    CompiledMatrix, CompiledRule, GroupNumber, GroupRestrictions, GroupTable, Population, TagId,
    View, own_switches::OwnSwitches,
};
use crate::request::{Condition, During, MetadataGrants, NamesWindows, Toggle, Windows};

impl NamesWindows for CompiledRule {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        self.condition.for_each_window_mut(visit);
        self.outcome.for_each_window_mut(visit);
        self.between.for_each_window_mut(visit);
    }
}

impl NamesWindows for CompiledMatrix {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        let Self { name: _, base: _, is_of_two: _, permissions, metadata, declared } = self;
        permissions.iter_mut().for_each(|(_, value)| value.for_each_window_mut(visit));
        metadata.for_each_window_mut(visit);
        declared.iter_mut().for_each(|(_, value)| value.for_each_window_mut(visit));
    }
}

impl View {
    /// The names of all windows that conditions of the view name. Costs a look at each condition.
    pub fn named_windows(&self) -> BTreeSet<Arc<str>> {
        let mut names = self.windows_of_pairs();
        let mut add = |During { window, .. }: &mut During| {
            names.insert(Arc::clone(window));
        };
        for matrix in self.matrices.iter().chain(self.groups.own_matrices()) {
            matrix.clone().for_each_window_mut(&mut add);
        }
        let restrictions = self.groups.iter().filter_map(|(_, group)| group.restrictions);
        for requirement in restrictions.filter_map(GroupRestrictions::requires) {
            requirement.condition.clone().for_each_window_mut(&mut add);
        }
        names
    }

    /// The names of the windows on which decisions between two users depend.
    pub fn windows_of_pairs(&self) -> BTreeSet<Arc<str>> {
        let mut names = BTreeSet::new();
        let mut add = |During { window, .. }: &mut During| {
            names.insert(Arc::clone(window));
        };
        self.settings.map(&mut TagId::clone).for_each_window_mut(&mut add);
        for rule in self.rule_books().flat_map(|book| book.rules.iter()) {
            rule.condition.clone().for_each_window_mut(&mut add);
            rule.outcome.clone().for_each_window_mut(&mut add);
            rule.between.clone().for_each_window_mut(&mut add);
        }
        let conditions = self.population.switch_conditions().map(|(_, _, condition)| condition);
        for condition in conditions.chain(self.population.own_switches.conditions()) {
            condition.clone().for_each_window_mut(&mut add);
        }
        names
    }
}

impl CompiledRule {
    /// Whether the rule names a window that is in another state than the rule has it in.
    pub fn differs_in(&self, windows: &Windows) -> bool {
        windows.differ(&self.condition)
            || windows.differ(&self.outcome)
            || windows.differ(&self.between)
    }
}

impl CompiledMatrix {
    /// Opens and closes windows in a group's own matrix. A value that names a window which there is not denies.
    pub fn resolve_own(&mut self, windows: &Windows) {
        let Self { name: _, base: _, is_of_two: _, permissions, metadata, declared } = self;
        permissions.iter_mut().for_each(|(_, value)| windows.resolve_value(value));
        declared.iter_mut().for_each(|(_, value)| windows.resolve_value(value));
        if let Some(MetadataGrants { named, rest }) = metadata {
            named.iter_mut().for_each(|(_, value)| windows.resolve_value(value));
            windows.resolve_value(rest);
        }
    }
}

impl Population {
    /// The same users, in whose records' conditions these windows are open or closed; `None` if nothing changes.
    /// Costs a look at each conditional switch.
    #[must_use]
    pub fn with_windows(&self, windows: &Windows) -> Option<Self> {
        let is_other = |condition: &Condition<TagId>| {
            let mut resolved = condition.clone();
            windows.resolve_record(&mut resolved);
            resolved != *condition
        };
        let are_others = self.switch_conditions().any(|(_, _, condition)| is_other(condition))
            || self.own_switches.conditions().any(is_other);
        are_others.then(|| {
            let mut population = self.clone();
            let resolved = self.switch_conditions.iter().map(|those| {
                let mut those = those.to_vec();
                those.iter_mut().for_each(|(_, _, condition)| windows.resolve_record(condition));
                Arc::from(those)
            });
            population.switch_conditions = resolved.collect();
            population.own_switches = Arc::new(self.own_switches.with_windows(windows));
            population
        })
    }
}

impl OwnSwitches {
    fn with_windows(&self, windows: &Windows) -> Self {
        let mut all: Vec<_> = self.iter().cloned().collect();
        for own in &mut all {
            if let Toggle::When(condition) = &mut own.setting.toggle {
                windows.resolve_record(condition);
            }
        }
        Self::new(all)
    }
}

impl GroupTable {
    /// Opens and closes windows in the own matrices of groups, and in the conditions that they require. Returns the
    /// groups whose requirement changed. Costs a look at each of both.
    pub fn set_windows(&mut self, windows: &Windows) -> Vec<GroupNumber> {
        let others: Vec<(usize, CompiledMatrix)> = self
            .all_own_matrices()
            .filter_map(|(at, matrix)| {
                let mut resolved = matrix.clone();
                resolved.resolve_own(windows);
                (resolved != *matrix).then_some((at, resolved))
            })
            .collect();
        for (at, resolved) in others {
            self.update_own_matrix(at, |matrix| *matrix = resolved);
        }
        self.set_requirement_windows(windows)
    }
}
