use std::fmt::Write as _;

use super::{Gate, Pair, Party, Scene, demands::Demands};
use crate::{
    request::{BlockMode, GateName, Reason, Relation, Statement},
    snapshot::{Selection, Tie, UserSet, View},
};

/// Closed while one of the two blocks the other, as far as the policy lets blocks stop the action.
pub(super) struct Blocks;

/// Why what is between two users closes the gate, seen from the subject. Most have no block between
/// them, and then nothing else is looked at.
#[inline]
fn closed(view: &View, scene: &Scene<'_>, tie: Tie) -> Option<Reason> {
    let (by_other, by_subject) = (tie.back(Relation::Block), tie.to(Relation::Block));
    if !by_other && !by_subject {
        return None;
    }
    match scene.block_mode(view, tie) {
        BlockMode::OneWay | BlockMode::TwoWay if by_other => Some(Reason::BlockedByResource),
        BlockMode::TwoWay => Some(Reason::BlockedBySubject),
        BlockMode::OneWay | BlockMode::Off => None,
    }
}

/// Everybody but those with whom someone has a tie that closes the gate.
fn all_but<'v>(view: &View, who: &Party<'_>, is_shut: impl Fn(Tie) -> bool) -> Selection<'v> {
    let Some(number) = who.number else { return Selection::everybody() };
    let row = view.population.ties_of(number);
    let closed: UserSet = row.filter(|&(_, tie)| is_shut(tie)).map(|(user, _)| user).collect();
    Selection::from(closed).complement()
}

impl Gate for Blocks {
    fn name(&self) -> GateName {
        GateName::Blocks
    }

    #[inline]
    fn check(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
        closed(view, scene, pair.tie).filter(|_| !pair.is_oneself_in_group(scene))
    }

    fn admits<'v>(&self, view: &'v View, scene: &Scene<'_>, subject: &Party<'_>) -> Selection<'v> {
        if !scene.demands.blocks {
            return Selection::everybody();
        }
        all_but(view, subject, |tie| closed(view, scene, tie).is_some())
    }

    fn admitted<'v>(
        &self,
        view: &'v View,
        scene: &Scene<'_>,
        other: Option<&Party<'_>>,
    ) -> Selection<'v> {
        match other {
            Some(other) if scene.demands.blocks => {
                all_but(view, other, |tie| closed(view, scene, tie.reversed()).is_some())
            }
            _ => Selection::everybody(),
        }
    }

    fn asks(&self, _: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Vec<Statement>> {
        pair.other.filter(|_| scene.demands.blocks && !pair.is_oneself_in_group(scene))?;
        // Without a block, the mode makes no difference.
        let blocks = pair.tie.to(Relation::Block) || pair.tie.back(Relation::Block);
        let beginning = scene.begins(pair.tie).then_some(Demands::BEGINNING);
        let actions = [Some(scene.action), beginning].into_iter().flatten();
        Some(actions.filter(|_| blocks).map(Statement::Blocks).collect())
    }

    fn detail(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> String {
        let Some(other) = pair.other.filter(|_| scene.demands.blocks) else {
            return format!("blocks don't concern {} here", scene.action);
        };
        if pair.is_oneself_in_group(scene) {
            return "nobody blocks himself".to_owned();
        }
        let (subject, other) = (pair.subject.id, other.id);
        let mut found = Vec::new();
        if pair.tie.back(Relation::Block) {
            found.push(format!("`{other}` blocks `{subject}`"));
        }
        if pair.tie.to(Relation::Block) {
            found.push(format!("`{subject}` blocks `{other}`"));
        }
        if found.is_empty() {
            found.push(format!("neither `{subject}` nor `{other}` blocks the other"));
        }
        let blocks = &view.settings.blocks;
        let mode = blocks.mode(scene.action);
        let mut said = format!("{}; blocks.{} is {mode}", found.join(", "), scene.action);
        if scene.begins(pair.tie) {
            let (action, mode) = (Demands::BEGINNING, blocks.mode(Demands::BEGINNING));
            // Writing to a string can't fail.
            let _ = write!(said, ", and blocks.{action}, as it begins a conversation, {mode}");
        }
        said
    }
}
