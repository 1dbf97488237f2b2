//! What the gates ask of each of two users alone.

use super::{
    GateContext,
    requirements::{ModerationBar, RuleScope},
};
use crate::{
    request::{Approval, Condition, PeersMode, Switch, Toggle},
    snapshot::{RuleBook, Selection, TagId, Tie, UserSet, View},
};

/// Between whom an action is allowed where there is nothing between the two: a subject may do it to
/// another user if he is one of these, the other is one of those, and the rules, if there are any to
/// ask, let him reach a tag of the other.
#[derive(Debug)]
pub struct Sides<'v, T> {
    pub subjects: T,
    pub others: T,
    pub rules: Option<&'v RuleBook>,
}

/// Of the users there are. Costs the copy of a set at most.
pub(super) fn strangers<'v>(view: &'v View, scene: &GateContext<'_>) -> Sides<'v, Selection<'v>> {
    let (demands, standings) = (scene.requirements, &view.states);
    let mut subjects = Vec::new();
    let mut others = Vec::new();
    match demands.moderation {
        ModerationBar::Nobody => {}
        ModerationBar::Banned => subjects.push(standings.banned().complement()),
        ModerationBar::BannedAndSilenced => {
            subjects.push(standings.banned().complement());
            subjects.push(standings.silenced().complement());
        }
    }
    if demands.requires_manager {
        let managers = view.managers.as_ref();
        subjects.push(managers.map_or_else(Selection::nobody, Selection::from));
    }
    subjects.extend(
        scene.subject_switches_with_tie(Tie::NONE).map(|switch| standings.with_switch_on(switch)),
    );
    if demands.requires_incoming {
        others.push(standings.with_switch_on(Switch::Incoming));
    }
    if demands.checks_peers {
        subjects.push(standings.in_peers_mode(PeersMode::All));
        others.push(standings.in_peers_mode(PeersMode::All));
    }
    if demands.checks_friendship {
        subjects.push(standings.with_full_friend_list().complement());
        others.push(standings.with_full_friend_list().complement());
        others.push(standings.refusing_requests().complement());
    }
    let rules = asked(view, scene);
    Sides { subjects: Selection::all(subjects), others: Selection::all(others), rules }
}

/// Of all users there may be, who have any tags, no records, and nothing between them: what their
/// tags must meet.
pub(super) fn by_tags<'v>(
    view: &'v View,
    scene: &GateContext<'_>,
) -> Sides<'v, Vec<Toggle<TagId>>> {
    let (demands, settings) = (scene.requirements, &view.settings);
    let mut subjects = Vec::new();
    let mut others = Vec::new();
    if demands.requires_manager {
        let managers = settings.managers.clone();
        subjects.push(managers.map_or(Toggle::Always(false), Toggle::When));
    }
    let own = scene.subject_switches_with_tie(Tie::NONE);
    subjects.extend(own.map(|switch| settings.permission(switch).clone()));
    if demands.requires_incoming {
        others.push(settings.permission(Switch::Incoming).clone());
    }
    if demands.checks_peers {
        let all = communicates_with_all(view);
        subjects.push(all.clone());
        others.push(all);
    }
    if demands.checks_friendship {
        let takes_any = Toggle::Always(settings.limits.friends != Some(0));
        subjects.push(takes_any.clone());
        others.push(takes_any);
        others.push(Toggle::Always(settings.approval != Approval::DenyAny));
    }
    Sides { subjects, others, rules: asked(view, scene) }
}

/// The rules, if they are asked about users who have no conversation.
fn asked<'v>(view: &'v View, scene: &GateContext<'_>) -> Option<&'v RuleBook> {
    view.rules.as_deref().filter(|_| scene.requirements.rules != RuleScope::Never)
}

/// Whether the policy sets the mode of a user to all: the first condition that he meets counts.
fn communicates_with_all(view: &View) -> Toggle<TagId> {
    let peers = &view.settings.peers;
    let rest = Toggle::Always(peers.default == PeersMode::All);
    peers.modes.iter().rev().fold(rest, |rest, (when, mode)| {
        let (when, is_all) = (when.clone(), *mode == PeersMode::All);
        match rest {
            Toggle::Always(on) if on == is_all => Toggle::Always(on),
            Toggle::Always(_) if is_all => Toggle::When(when),
            Toggle::Always(_) => Toggle::When(Condition::Not(Box::new(when))),
            Toggle::When(rest) if is_all => Toggle::When(Condition::Any(vec![when, rest])),
            Toggle::When(rest) => {
                Toggle::When(Condition::All(vec![Condition::Not(Box::new(when)), rest]))
            }
        }
    })
}

impl Sides<'_, Selection<'_>> {
    /// Those of some users who may be subjects, and those of others who may be the other.
    pub fn of(&self, from: &UserSet, to: &UserSet) -> (UserSet, UserSet) {
        let able = Selection::all([self.subjects.borrowed(), Selection::from(from)]);
        let open = Selection::all([self.others.borrowed(), Selection::from(to)]);
        (able.within(from).into_owned(), open.within(to).into_owned())
    }
}
