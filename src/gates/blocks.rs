use std::fmt::Write as _;

use super::{Gate, GateContext, Principal, PrincipalPair, requirements::Requirements};
use crate::{
    request::{BlockMode, GateName, Reason, Relation, StatementId},
    snapshot::{Selection, Tie, UserSet, View},
};

/// Closed while one of the two blocks the other, as far as the policy lets blocks stop the action.
pub(super) struct BlocksGate;

/// Why what is between two users closes the gate, seen from the subject. Most have no block between
/// them, and then nothing else is looked at.
#[inline]
fn denial(view: &View, scene: &GateContext<'_>, tie: Tie) -> Option<Reason> {
    let (by_other, by_subject) = (tie.incoming(Relation::Block), tie.outgoing(Relation::Block));
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
fn all_without_tie<'v>(
    view: &View,
    who: &Principal<'_>,
    is_shut: impl Fn(Tie) -> bool,
) -> Selection<'v> {
    let Some(number) = who.number else { return Selection::everybody() };
    let row = view.population.ties_of(number);
    let closed: UserSet = row.filter(|&(_, tie)| is_shut(tie)).map(|(user, _)| user).collect();
    Selection::from(closed).complement()
}

impl Gate for BlocksGate {
    fn name(&self) -> GateName {
        GateName::Blocks
    }

    #[inline]
    fn check(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        denial(view, scene, pair.tie).filter(|_| !pair.is_self_in_group(scene))
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        if !scene.requirements.checks_blocks {
            return Selection::everybody();
        }
        all_without_tie(view, subject, |tie| denial(view, scene, tie).is_some())
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        match other {
            Some(other) if scene.requirements.checks_blocks => {
                all_without_tie(view, other, |tie| denial(view, scene, tie.reversed()).is_some())
            }
            _ => Selection::everybody(),
        }
    }

    fn consulted(
        &self,
        _: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        pair.other.filter(|_| scene.requirements.checks_blocks && !pair.is_self_in_group(scene))?;
        // Without a block, the mode makes no difference.
        let blocks = pair.tie.outgoing(Relation::Block) || pair.tie.incoming(Relation::Block);
        let beginning =
            scene.begins_conversation(pair.tie).then_some(Requirements::BEGINNING_ACTION);
        let actions = [Some(scene.action), beginning].into_iter().flatten();
        Some(actions.filter(|_| blocks).map(StatementId::Blocks).collect())
    }

    fn describe(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let Some(other) = pair.other.filter(|_| scene.requirements.checks_blocks) else {
            return format!("blocks don't concern {} here", scene.action);
        };
        if pair.is_self_in_group(scene) {
            return "nobody blocks himself".to_owned();
        }
        let (subject, other) = (pair.subject.id, other.id);
        let mut found = Vec::new();
        if pair.tie.incoming(Relation::Block) {
            found.push(format!("`{other}` blocks `{subject}`"));
        }
        if pair.tie.outgoing(Relation::Block) {
            found.push(format!("`{subject}` blocks `{other}`"));
        }
        if found.is_empty() {
            found.push(format!("neither `{subject}` nor `{other}` blocks the other"));
        }
        let blocks = &view.settings.blocks;
        let mode = blocks.mode(scene.action);
        let mut said = format!("{}; blocks.{} is {mode}", found.join(", "), scene.action);
        if scene.begins_conversation(pair.tie) {
            let (action, mode) =
                (Requirements::BEGINNING_ACTION, blocks.mode(Requirements::BEGINNING_ACTION));
            // Writing to a string can't fail.
            let _ = write!(said, ", and blocks.{action}, as it begins a conversation, {mode}");
        }
        said
    }
}
