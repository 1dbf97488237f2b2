use super::{
    Scene,
    demands::{Asks, Demands, Refuses},
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
pub fn ends<'v>(view: &'v View, scene: &Scene<'_>) -> Ends<'v> {
    let (demands, standings) = (scene.demands, &view.standings);
    let mut subjects = Vec::new();
    let mut others = Vec::new();
    if demands.refuses != Refuses::Nobody {
        subjects.push(standings.banned().complement());
    }
    if demands.refuses == Refuses::BannedAndSilenced {
        subjects.push(standings.silenced().complement());
    }
    if demands.managers {
        subjects.push(view.managers.as_ref().map_or_else(Selection::nobody, Selection::from));
    }
    subjects.extend(scene.own_switches().map(|switch| standings.on(switch)));
    let beginners = if scene.may_begin() {
        standings.on(Demands::BEGINNING_SWITCH)
    } else {
        Selection::everybody()
    };
    if demands.incoming {
        others.push(standings.on(Switch::Incoming));
    }
    if demands.friendship {
        subjects.push(standings.full().complement());
        others.push(standings.full().complement());
        others.push(standings.refusing().complement());
    }
    let modes = &view.settings.blocks;
    let own = if demands.blocks { modes.mode(scene.action) } else { BlockMode::Off };
    let beginning = if scene.may_begin() { own.max(modes.mode(Demands::BEGINNING)) } else { own };
    let rules = match demands.rules {
        Asks::Never => false,
        Asks::Always => true,
        Asks::WhenNew => scene.conversation != Some(Conversation::Existing),
    };
    Ends {
        subjects: Selection::all(subjects),
        beginners,
        others: Selection::all(others),
        peers: demands.peers,
        rules,
        blocks: [own, beginning],
    }
}
