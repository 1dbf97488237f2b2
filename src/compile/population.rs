//! The compilation of a roster to a population.

use std::sync::Arc;

use crate::{
    policy::{self, Roster, RosterEndOf},
    request::{AudienceSlot, PeersSetting, Relation, Toggle},
    snapshot::{
        DirectoryEntry, EndIndex, EndOf, OwnSetting, OwnSwitch, Population, PopulationParts,
        RecordOverrides, ScheduledEnd, SwitchCondition, TagId, Tags, Tie, UserNumber,
    },
};

use super::digest;

/// Compiles a roster to a population, and returns its tags, numbered in the order of their names: those
/// that users have or that their records name. Costs a sort of the ids and of the ties.
pub(super) fn compile(roster: &Roster) -> (Population, Tags) {
    let mut order: Vec<usize> = (0..roster.len()).collect();
    order.sort_unstable_by_key(|&user| roster.id(user));
    let mut tags = number_tags(roster);
    let rank: Vec<TagId> = roster.tags().iter().map(|name| tags.intern(name)).collect();

    let classes = classes(roster, &rank);
    let class = |user: usize| roster.set_of().get(user).map(|&set| set as usize);
    let users = order.iter().map(|&user| DirectoryEntry {
        id: roster.id(user),
        class: class(user),
        is_known: roster.is_known(user),
    });
    let mut numbers = vec![UserNumber(0); roster.len()];
    for (new, &old) in (0..).map(UserNumber).zip(&order) {
        if let Some(slot) = numbers.get_mut(old) {
            *slot = new;
        }
    }
    let number_of = |old: u32| {
        let number = numbers.get(old as usize).copied();
        debug_assert!(number.is_some(), "a roster refers to its own users only");
        number
    };
    let (own, own_conditions) = overrides(roster, &mut tags, number_of);
    let own_switches = own_switches(roster, &mut tags, number_of);
    let declared_ends = roster.declared_ends.iter().filter_map(|end| {
        let of = match end.of {
            RosterEndOf::Tag(tag) => EndOf::Tag(*rank.get(tag as usize)?),
            RosterEndOf::Moderation => EndOf::Moderation,
            RosterEndOf::Edge(relation, other) => EndOf::Edge(relation, number_of(other)?),
        };
        Some(ScheduledEnd { at: end.at, user: number_of(end.user)?, of })
    });
    let record_ends = roster.record_ends.iter().filter_map(|&(user, at)| {
        Some(ScheduledEnd { at, user: number_of(user)?, of: EndOf::Record })
    });
    let ends = [EndIndex::new(declared_ends), EndIndex::new(record_ends)];
    let mut population = Population::new(PopulationParts {
        ends,
        last_end: roster.last_end,
        users,
        classes: &classes,
        tags: tags.len(),
        overrides: own,
        switch_conditions: own_conditions,
        own_audiences: own_audiences(roster, number_of),
        own_switches,
        declared_fields: order.iter().map(|&user| roster.stated(user)).collect(),
        ties: ties(roster, number_of),
        key: roster.key,
    });
    population.digest = digest::population(&population, &tags);
    (population, tags)
}

/// Numbers all tags of users and of their records, in the order of their names.
fn number_tags(roster: &Roster) -> Tags {
    let mut names: Vec<&str> = roster.tags().iter().map(String::as_str).collect();
    for (_, toggle) in roster.overrides().iter().flat_map(|(_, own)| &own.permissions) {
        if let Toggle::When(condition) = toggle {
            condition.for_each_tag(&mut |tag| names.push(tag));
        }
    }
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(Box::from).collect()
}

/// The distinct tag sets, their tags by rank and in order.
fn classes(roster: &Roster, rank: &[TagId]) -> Vec<Vec<TagId>> {
    let bound = |set: &[u32]| {
        let mut tags: Vec<TagId> =
            set.iter().filter_map(|&tag| rank.get(tag as usize)).copied().collect();
        tags.sort_unstable();
        tags
    };
    roster.sets().map(bound).collect()
}

/// The overrides of records, in the order of the users.
fn overrides(
    roster: &Roster,
    tags: &mut Tags,
    number_of: impl Fn(u32) -> Option<UserNumber>,
) -> (Vec<(UserNumber, RecordOverrides)>, Vec<SwitchCondition>) {
    let (mut all, mut conditions) = (Vec::new(), Vec::new());
    for (user, said) in roster.overrides() {
        let Some(user) = number_of(*user) else { continue };
        let own = unconditional_overrides(said);
        for (switch, toggle) in &said.permissions {
            if let Toggle::When(condition) = toggle {
                conditions.push((user, *switch, condition.map(&mut |tag| tags.intern(tag))));
            }
        }
        if !own.is_empty() {
            all.push((user, own));
        }
    }
    all.sort_unstable_by_key(|&(user, _)| user);
    conditions.sort_unstable_by_key(|&(user, switch, _)| (user, switch));
    (all, conditions)
}

/// The audiences that records name.
fn own_audiences(
    roster: &Roster,
    number_of: impl Fn(u32) -> Option<UserNumber>,
) -> Vec<(UserNumber, AudienceSlot, String)> {
    let own = roster.overrides().iter();
    let own = own.filter_map(|(user, own)| Some((number_of(*user)?, own)));
    own.flat_map(|(user, own)| {
        let peers = own.peers.as_ref().and_then(PeersSetting::audience);
        let peers = peers.map(|name| (AudienceSlot::Peers, name));
        let accepts = own.accepts.iter().flatten();
        let accepts = accepts.map(|(action, name)| (AudienceSlot::Action(action.clone()), name));
        peers.into_iter().chain(accepts).map(move |(slot, name)| (user, slot, name.clone()))
    })
    .collect()
}

/// The switches of declared actions that records set.
fn own_switches(
    roster: &Roster,
    tags: &mut Tags,
    number_of: impl Fn(u32) -> Option<UserNumber>,
) -> Vec<OwnSwitch> {
    let mut all = Vec::new();
    for (user, said) in roster.overrides() {
        let Some(user) = number_of(*user) else { continue };
        let declared = said.own_switches.iter().map(|it| (it, true));
        let recorded = said.recorded_switches.iter().map(|it| (it, false));
        for ((action, toggle), is_declared) in declared.chain(recorded) {
            let toggle = toggle.map(&mut |tag| tags.intern(tag));
            let setting = OwnSetting { toggle, is_declared };
            all.push(OwnSwitch { action: Arc::clone(action), user, setting });
        }
    }
    all
}

/// The overrides of a record, without conditions.
fn unconditional_overrides(said: &policy::UserOverrides) -> RecordOverrides {
    let mut own = RecordOverrides::default().with_moderation(said.moderation);
    if let Some(setting) = &said.peers {
        own = own.with_peers_setting(setting);
    }
    if let Some(approval) = said.approval {
        own = own.with_approval(approval);
    }
    for (switch, toggle) in &said.permissions {
        if let Toggle::Always(on) = toggle {
            own = own.with_switch(*switch, *on);
        }
    }
    own
}

/// The ties of users: those that files declare first, then those that facts add.
fn ties(
    roster: &Roster,
    number_of: impl Fn(u32) -> Option<UserNumber> + Copy,
) -> impl Iterator<Item = (UserNumber, UserNumber, Tie)> + Clone {
    let relations = Relation::ALL.iter().flat_map(|&relation| {
        let edges = |tie: fn(Relation) -> Tie| match relation {
            // A favorite is a contact.
            Relation::Favorite => {
                tie(Relation::Favorite).union(Tie::from_relation(Relation::Contact))
            }
            other => tie(other),
        };
        let (stated, added) = (edges(Tie::from_declared), edges(Tie::from_relation));
        let stated = roster.edges(relation).iter().map(move |&(from, to)| (from, to, stated));
        let added = roster.added(relation).iter().map(move |&(from, to)| (from, to, added));
        stated.chain(added)
    });
    let conversations =
        roster.conversations().iter().map(|&(one, other)| (one, other, Tie::CONVERSATION));
    let all = relations.chain(conversations);
    all.filter_map(move |(one, other, tie)| Some((number_of(one)?, number_of(other)?, tie)))
}
