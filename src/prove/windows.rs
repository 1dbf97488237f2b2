//! The windows that a policy's conditions name: each may be open or closed, so that invariants hold at all times.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    policy::Invariant,
    request::{Condition, During, NamesWindows, Windows},
    snapshot::{Selection, TagId, UserSet, View},
};

/// The names of the windows on which decisions between two users, or invariants, depend.
pub(super) struct NamedWindows(BTreeSet<Arc<str>>);

/// The states in which windows may be, besides that at the moment of the view.
pub(super) enum WindowStates {
    All(Vec<Windows>),
    /// More than are tried one by one.
    TooMany,
}

/// The number of windows whose states are tried one by one, at most.
const MOST_WINDOWS: usize = 6;

/// The number of users in all states together, at most: each takes set algebra over them.
const MOST_USERS: u64 = 1 << 26;

impl NamedWindows {
    pub(super) fn of(view: &View, invariants: &[Invariant]) -> Self {
        if view.windows.is_empty() {
            return Self(BTreeSet::new());
        }
        let mut names = view.windows_of_pairs();
        let mut add = |During { window, .. }: &mut During| {
            names.insert(Arc::clone(window));
        };
        for invariant in invariants {
            invariant.from.clone().for_each_window_mut(&mut add);
            invariant.to.clone().for_each_window_mut(&mut add);
        }
        Self(names)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether each of the windows is open in a view.
    pub(super) fn states(&self, view: &View) -> Vec<(Arc<str>, bool)> {
        let state = |name: &Arc<str>| (Arc::clone(name), view.windows.is_open(name) == Some(true));
        self.0.iter().map(state).collect()
    }

    /// All states of the windows but that of the view.
    pub(super) fn other_states(&self, view: &View) -> WindowStates {
        let count = self.0.len();
        let users = u64::from(view.population.directory.len());
        if count > MOST_WINDOWS || users << count > MOST_USERS {
            return WindowStates::TooMany;
        }
        let all = (0..1_u32 << count).map(|mask| {
            let open = |name: &Arc<str>| {
                let at = self.0.iter().position(|known| known == name);
                at.is_some_and(|at| mask >> at & 1 == 1)
            };
            let open: Vec<bool> = view
                .windows
                .iter()
                .map(
                    |(window, is)| {
                        if self.0.contains(&window.name) { open(&window.name) } else { is }
                    },
                )
                .collect();
            view.windows.with_open(open.into_iter())
        });
        WindowStates::All(all.filter(|windows| !windows.has_same_states(&view.windows)).collect())
    }
}

/// The users who meet a condition in some state of the windows that it names; everyone, where it names many. What
/// holds of existing users must not depend on the moment of the view.
pub(super) fn users_meeting_sometimes(view: &View, condition: &Condition<TagId>) -> UserSet {
    let mut names: Vec<Arc<str>> = Vec::new();
    condition.clone().for_each_window_mut(&mut |During { window, .. }| {
        if !names.contains(window) {
            names.push(Arc::clone(window));
        }
    });
    let population = &view.population;
    if names.is_empty() {
        return population.users_meeting(condition).into_owned();
    }
    if names.len() > MOST_WINDOWS {
        return population.everyone.clone();
    }
    let states = (0..1_u32 << names.len()).map(|mask| {
        let mut condition = condition.clone();
        condition.for_each_window_mut(&mut |During { window, is_open }| {
            let at = names.iter().position(|name| name == window);
            *is_open = at.is_some_and(|at| mask >> at & 1 == 1);
        });
        population.users_meeting(&condition).into_owned()
    });
    let states: Vec<UserSet> = states.collect();
    Selection::any(states.iter().map(Selection::from)).within(&population.everyone).into_owned()
}
