use super::{Gate, Pair, Party, Scene};
use crate::{
    request::{BlockMode, GateName, Reason, Relation, Statement},
    snapshot::{Selection, Tie, UserSet, View},
};

/// Closed while one of the two blocks the other, as far as the policy lets blocks stop the action.
pub(super) struct Blocks;

/// Whom a block stops from the action here.
#[inline]
fn mode(view: &View, scene: &Scene<'_>) -> BlockMode {
    if scene.demands.blocks { view.settings.blocks.mode(scene.action) } else { BlockMode::Off }
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
        let mode = mode(view, scene);
        if mode == BlockMode::Off || pair.is_oneself_in_group(scene) {
            None
        } else if pair.tie.back(Relation::Block) {
            Some(Reason::BlockedByResource)
        } else if mode == BlockMode::TwoWay && pair.tie.to(Relation::Block) {
            Some(Reason::BlockedBySubject)
        } else {
            None
        }
    }

    fn admits<'v>(&self, view: &'v View, scene: &Scene<'_>, subject: &Party<'_>) -> Selection<'v> {
        match mode(view, scene) {
            BlockMode::Off => Selection::everybody(),
            BlockMode::OneWay => all_but(view, subject, |tie| tie.back(Relation::Block)),
            BlockMode::TwoWay => {
                all_but(view, subject, |tie| tie.back(Relation::Block) || tie.to(Relation::Block))
            }
        }
    }

    fn admitted<'v>(
        &self,
        view: &'v View,
        scene: &Scene<'_>,
        other: Option<&Party<'_>>,
    ) -> Selection<'v> {
        let Some(other) = other else { return Selection::everybody() };
        match mode(view, scene) {
            BlockMode::Off => Selection::everybody(),
            BlockMode::OneWay => all_but(view, other, |tie| tie.to(Relation::Block)),
            BlockMode::TwoWay => {
                all_but(view, other, |tie| tie.to(Relation::Block) || tie.back(Relation::Block))
            }
        }
    }

    fn asks(&self, _: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Vec<Statement>> {
        pair.other.filter(|_| scene.demands.blocks && !pair.is_oneself_in_group(scene))?;
        // Without a block, the mode makes no difference.
        let blocks = pair.tie.to(Relation::Block) || pair.tie.back(Relation::Block);
        Some(if blocks { vec![Statement::Blocks(scene.action)] } else { Vec::new() })
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
        let mode = view.settings.blocks.mode(scene.action);
        format!("{}; blocks.{} is {mode}", found.join(", "), scene.action)
    }
}
