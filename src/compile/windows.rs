//! The change of a view where windows open or close.

use std::sync::Arc;

use super::{barriers, rules, user_states};
use crate::{
    request::{Settings, Windows},
    snapshot::{Population, View},
};

/// Opens and closes windows in a view. Returns whether any of them is in another state than before.
///
/// What names none of those stays shared. Costs a look at each condition, and set algebra for those that name one;
/// a pass over the users if their switches or modes do.
pub(super) fn set_windows(view: &mut View, windows: Windows) -> bool {
    let is_same = view.windows.has_same_states(&windows);
    view.windows = Arc::new(windows);
    if is_same {
        return false;
    }
    let windows = Arc::clone(&view.windows);
    let has_barriers = windows.differ(&view.settings.barriers);
    let resolved = windows.differ(&*view.settings).then(|| {
        let mut settings = Settings::clone(&view.settings);
        windows.resolve(&mut settings);
        settings
    });
    let are_states_other = resolved.is_some();
    if let Some(settings) = resolved {
        view.settings = Arc::new(settings);
    }
    let population = view.population.with_windows(&windows);
    if are_states_other || population.is_some() {
        let population = population.map_or_else(|| Arc::clone(&view.population), Arc::new);
        set_states(view, population);
    }
    let population = Arc::clone(&view.population);
    if let Some(book) = &view.rules
        && let Some(book) = rules::with_windows(book, &view.tags, &population, &windows)
    {
        view.rules = Some(Arc::new(book));
    }
    let sets = view.rule_sets.iter().map(|set| {
        let book = rules::with_windows(&set.book, &view.tags, &population, &windows);
        let mut set = set.clone();
        set.book = book.map_or(set.book, Arc::new);
        set
    });
    view.rule_sets = sets.collect();
    if windows.differ(&view.matrices.to_vec()) {
        let mut matrices = view.matrices.to_vec();
        windows.resolve(&mut matrices);
        view.matrices = matrices.into();
    }
    view.set_group_windows(&windows);
    if has_barriers {
        view.barriers = Arc::new(barriers::compile(&view.settings.barriers, &population));
        // Others are on the sides of barriers now.
        view.set_groups(view.groups.clone());
    }
    true
}

/// The same view in which other windows are open.
pub(super) fn with_windows(view: &View, windows: Windows) -> View {
    let mut view = view.clone();
    set_windows(&mut view, windows);
    view
}

/// Sets the states of all users to those under the view's settings.
fn set_states(view: &mut View, population: Arc<Population>) {
    let (states, each) = user_states::compile(&view.settings, &population);
    view.population = if population.has_states(&states, &each) {
        population
    } else {
        Arc::new(Population::clone(&population).with_states(&states, &each))
    };
    view.states = states;
    view.managers = view.settings.managers.as_ref().map(|condition| {
        let users = view.population.users_meeting(condition).into_owned();
        users.packed(view.population.directory.len())
    });
    view.only_rules_restrict = view.states.is_unrestricted()
        && view.population.ties.is_empty()
        && view.settings.actions.is_empty();
}
