use super::{
    GateContext,
    requirements::{ModerationBar, Requirements, RuleScope},
};
use crate::{
    request::{BlockMode, Conversation, Switch},
    snapshot::{Selection, View},
};

/// What the gates say of two users apart from each other, as sets: what is left is what is between
/// the two, and the rules.
#[derive(Debug)]
pub struct Ends<'v> {
    /// Who may do it at all.
    pub subjects: Selection<'v>,
    /// Who of them may do it to someone with whom they have no conversation.
    pub beginners: Selection<'v>,
    /// To whom it may be done at all.
    pub others: Selection<'v>,
    /// Whether the peers modes of both matter.
    pub peers: bool,
    /// Whether rules are asked of users who have no conversation.
    pub rules: bool,
    /// Whom a block stops, and whom where no conversation is there yet.
    pub blocks: [BlockMode; 2],
}

/// Both sides of an action, of known users. Costs set algebra.
pub fn ends<'v>(view: &'v View, scene: &GateContext<'_>) -> Ends<'v> {
    let (demands, standings) = (scene.requirements, &view.states);
    let mut subjects = Vec::new();
    let mut others = Vec::new();
    if demands.moderation != ModerationBar::Nobody {
        subjects.push(standings.banned().complement());
    }
    if demands.moderation == ModerationBar::BannedAndSilenced {
        subjects.push(standings.silenced().complement());
    }
    if demands.requires_manager {
        subjects.push(view.managers.as_ref().map_or_else(Selection::nobody, Selection::from));
    }
    subjects.extend(scene.subject_switches().map(|switch| standings.with_switch_on(switch)));
    let beginners = if scene.may_begin_conversation() {
        standings.with_switch_on(Requirements::BEGINNING_SWITCH)
    } else {
        Selection::everybody()
    };
    if demands.requires_incoming {
        others.push(standings.with_switch_on(Switch::Incoming));
    }
    if demands.checks_friendship {
        subjects.push(standings.with_full_friend_list().complement());
        others.push(standings.with_full_friend_list().complement());
        others.push(standings.refusing_requests().complement());
    }
    let modes = &view.settings.blocks;
    let own = if demands.checks_blocks { modes.mode(scene.action) } else { BlockMode::Off };
    let beginning = if scene.may_begin_conversation() {
        own.max(modes.mode(Requirements::BEGINNING_ACTION))
    } else {
        own
    };
    let rules = match demands.rules {
        RuleScope::Never => false,
        RuleScope::Always => true,
        RuleScope::WhenNew => scene.conversation != Some(Conversation::Existing),
    };
    Ends {
        subjects: Selection::all(subjects),
        beginners,
        others: Selection::all(others),
        peers: demands.checks_peers,
        rules,
        blocks: [own, beginning],
    }
}
