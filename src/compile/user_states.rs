//! The states of all users under a policy.

use crate::{
    request::{Relation, Settings, Switch, Toggle},
    snapshot::{Population, StateIndex, TagId, UserNumber, UserState},
};

/// Computes the states of all users: the policy's settings, overridden by records.
///
/// Also returns the state of each user, or none if all have the common one. Costs set algebra for each
/// condition, and a pass over the users if their states differ.
pub(super) fn compile(
    settings: &Settings<TagId>,
    population: &Population,
) -> (StateIndex, Vec<UserState>) {
    let common = common_state(settings);
    let stranger = stranger_state(settings);
    let mut each = Vec::new();
    if states_differ(settings, population) {
        each = vec![common; population.directory.len() as usize];
        set_modes(&mut each, settings, population);
        set_switches(&mut each, settings, population);
        for (user, own) in population.all_overrides() {
            update(&mut each, user, |standing| own.apply_to(standing));
        }
        for (user, switch, condition) in population.switch_conditions() {
            let tags = population.directory.tags(*user);
            let on = condition.holds(&|tag| tags.contains(*tag));
            update(&mut each, *user, |standing| standing.with_switch(*switch, on));
        }
        set_full(&mut each, settings, population);
        for user in population.tombstones.iter() {
            update(&mut each, user, |_| common);
        }
        if each.iter().all(|&one| one == common) {
            each = Vec::new();
        }
    }
    (StateIndex::new(stranger, common, &each), each)
}

/// The state of a user who meets no condition.
fn common_state(settings: &Settings<TagId>) -> UserState {
    let standing = UserState::ALL_OFF
        .with_peers_setting(&settings.peers.default)
        .with_approval(settings.approval);
    Switch::ALL.iter().fold(standing, |standing, &switch| {
        let on = matches!(settings.permission(switch), Toggle::Always(true));
        standing.with_switch(switch, on)
    })
}

/// The state of a user without tags and record.
fn stranger_state(settings: &Settings<TagId>) -> UserState {
    let has_none = |_: &TagId| false;
    let standing = common_state(settings).with_peers_setting(&settings.peers.setting(&has_none));
    Switch::ALL.iter().fold(standing, |standing, &switch| {
        standing.with_switch(switch, settings.permission(switch).is_on(&has_none))
    })
}

fn states_differ(settings: &Settings<TagId>, population: &Population) -> bool {
    let has_conditions =
        settings.permissions.values().any(|toggle| matches!(toggle, Toggle::When(_)));
    let can_be_full = settings
        .limits
        .friends
        .is_some_and(|limit| limit == 0 || population.ties.edges(Relation::Friend) > 0);
    has_conditions
        || can_be_full
        || !settings.peers.modes.is_empty()
        || population.all_overrides().next().is_some()
        || population.switch_conditions().next().is_some()
}

fn update(each: &mut [UserState], user: UserNumber, change: impl FnOnce(UserState) -> UserState) {
    if let Some(standing) = each.get_mut(user.index()) {
        *standing = change(*standing);
    }
}

/// The first mode whose condition a user meets counts, so it is set last.
fn set_modes(each: &mut [UserState], settings: &Settings<TagId>, population: &Population) {
    for (when, mode) in settings.peers.modes.iter().rev() {
        for user in population.users_meeting(when).iter() {
            update(each, user, |standing| standing.with_peers_setting(mode));
        }
    }
}

fn set_switches(each: &mut [UserState], settings: &Settings<TagId>, population: &Population) {
    for &switch in Switch::ALL {
        if let Toggle::When(condition) = settings.permission(switch) {
            for user in population.users_meeting(condition).iter() {
                update(each, user, |standing| standing.with_switch(switch, true));
            }
        }
    }
}

fn set_full(each: &mut [UserState], settings: &Settings<TagId>, population: &Population) {
    let Some(limit) = settings.limits.friends else { return };
    let limit = limit as usize;
    for (user, standing) in (0..).map(UserNumber).zip(each) {
        let ties = population.ties_of(user);
        let is_full = limit == 0
            || ties.len() >= limit
                && ties.filter(|(_, tie)| tie.outgoing(Relation::Friend)).count() >= limit;
        *standing = standing.with_friend_list_full(is_full);
    }
}
