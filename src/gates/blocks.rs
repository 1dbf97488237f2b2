//! The gate `blocks`: blocks between the two users.

use std::fmt::Write as _;

use super::{
    context::GateContext,
    denial::DenialReason,
    gate::{Gate, GateScope},
    one_sided::{ConversationBlocks, OneSided},
    pair::PrincipalPair,
    principal::Principal,
    requirements::Requirements,
    sets::users_with_tie,
};
use crate::{
    request::{ActionKey, BlockMode, Conversation, GateName, Reason, Relation, StatementId},
    snapshot::{Selection, Tie, View},
};

/// The gate `blocks`: closed while one of the two users blocks the other, as far as the policy's block
/// modes let that stop the action.
pub(super) struct BlocksGate;

impl BlocksGate {
    pub(super) const DENIALS: &'static [DenialReason] = &[
        DenialReason::of_other(Reason::BlockedByResource),
        DenialReason::of_subject(Reason::BlockedBySubject),
    ];
}

/// The reason why a tie, seen from the subject, closes the gate. Costs nothing more where it holds no
/// block, as most do.
#[inline]
fn denial(view: &View, context: &GateContext<'_>, tie: Tie) -> Option<Reason> {
    let (by_other, by_subject) = (tie.incoming(Relation::Block), tie.outgoing(Relation::Block));
    if !by_other && !by_subject {
        return None;
    }
    match context.block_mode(view, context.conversation_with_tie(tie)) {
        BlockMode::OneWay | BlockMode::TwoWay if by_other => Some(Reason::BlockedByResource),
        BlockMode::TwoWay => Some(Reason::BlockedBySubject),
        BlockMode::OneWay | BlockMode::Off => None,
    }
}

/// Everybody but the users whose tie with a principal closes the gate.
fn all_without_tie<'v>(
    view: &View,
    principal: &Principal<'_>,
    is_closed: impl Fn(Tie) -> bool,
) -> Selection<'v> {
    Selection::from(users_with_tie(view, principal, |_, tie| is_closed(tie))).complement()
}

impl Gate for BlocksGate {
    fn name(&self) -> GateName {
        GateName::Blocks
    }

    fn scope(&self) -> GateScope {
        GateScope::Pair
    }

    fn denials(&self) -> &'static [DenialReason] {
        Self::DENIALS
    }

    #[inline]
    fn check(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        denial(view, context, pair.tie).filter(|_| !pair.is_exempt_self(context))
    }

    #[inline]
    fn check_unrestricted(
        &self,
        _: &View,
        _: &GateContext<'_>,
        _: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        None
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        if !context.requirements.checks_blocks {
            return Selection::everybody();
        }
        all_without_tie(view, subject, |tie| denial(view, context, tie).is_some())
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        match other {
            Some(other) if context.requirements.checks_blocks => {
                all_without_tie(view, other, |tie| denial(view, context, tie.reversed()).is_some())
            }
            _ => Selection::everybody(),
        }
    }

    fn one_sided<'v>(&self, view: &'v View, context: &GateContext<'_>) -> OneSided<'v> {
        let untied = context.conversation_with_tie(Tie::NONE);
        let blocks = ConversationBlocks {
            existing: context.block_mode(view, Conversation::Existing),
            new: context.block_mode(view, untied),
        };
        OneSided { blocks, ..OneSided::default() }
    }

    fn consulted(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        pair.other
            .filter(|_| context.requirements.checks_blocks && !pair.is_exempt_self(context))?;
        // Without a block, the mode makes no difference.
        let is_blocked = pair.tie.outgoing(Relation::Block) || pair.tie.incoming(Relation::Block);
        let beginning =
            context.begins_conversation(pair.tie).then_some(Requirements::BEGINNING_ACTION);
        let actions = context.requested_keys().chain(beginning.map(ActionKey::BuiltIn));
        let names = actions.map(|action| view.settings.actions.name(action));
        Some(names.filter(|_| is_blocked).map(StatementId::Blocks).collect())
    }

    fn describe(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let Some(other) = pair.other.filter(|_| context.requirements.checks_blocks) else {
            return format!("blocks don't concern {} here", context.requested_name(view));
        };
        if pair.is_exempt_self(context) {
            return "blocks don't apply to oneself".to_owned();
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
        let mode = blocks.mode(context.action);
        let mut said = format!("{}; blocks.{} is {mode}", found.join(", "), context.action);
        if let Some(own) = context.own_declaration(view) {
            // Writing to a string can't fail.
            let _ = write!(said, ", blocks.{} {}", own.name, own.blocks);
        }
        if context.begins_conversation(pair.tie) {
            let (action, mode) =
                (Requirements::BEGINNING_ACTION, blocks.mode(Requirements::BEGINNING_ACTION));
            // Writing to a string can't fail.
            let _ = write!(said, ", and blocks.{action}, as it begins a conversation, {mode}");
        }
        said
    }
}
