//! The gate `peers`: the peers modes of both users.

use super::{
    context::GateContext,
    denial::DenialReason,
    gate::{Gate, GateScope},
    one_sided::{OneSided, UserCondition},
    pair::PrincipalPair,
    principal::Principal,
    sets::users_with_tie,
};
use crate::{
    request::{Condition, GateName, PeersMode, Reason, StatementId, Toggle},
    snapshot::{Selection, TagId, Tie, View},
};

/// The gate `peers`: closed unless each of the two users communicates with the other, by their own
/// peers mode and their own list.
pub(super) struct PeersGate;

impl PeersGate {
    pub(super) const DENIALS: &'static [DenialReason] = &[
        DenialReason::of_subject(Reason::PeersSubject),
        DenialReason::of_other(Reason::PeersResource),
    ];
}

/// The users with whom a principal communicates by their own mode and list.
fn users_on_own_list<'v>(view: &View, principal: &Principal<'_>) -> Selection<'v> {
    match principal.state.peers() {
        PeersMode::All => Selection::everybody(),
        mode => users_with_tie(view, principal, |_, tie| tie.admits(mode)).into(),
    }
}

/// The users who communicate with a principal, each by their own mode and list.
fn users_listing<'v>(view: &'v View, principal: &Principal<'_>) -> Selection<'v> {
    let listing = users_with_tie(view, principal, |other, tie| {
        tie.reversed().admits(view.population.directory.state(other).peers())
    });
    Selection::any([view.states.in_peers_mode(PeersMode::All), listing.into()])
}

/// The users with whom a principal communicates mutually, and the principal where users may act on
/// themselves.
fn mutual_peers<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    principal: &Principal<'_>,
) -> Selection<'v> {
    let mutual =
        Selection::all([users_on_own_list(view, principal), users_listing(view, principal)]);
    Selection::any([mutual, context.exempt_self(principal)])
}

/// The condition on tags under which the policy sets a peers mode that passes a test: the first mode whose
/// condition a user meets applies.
fn has_mode(view: &View, test: impl Fn(PeersMode) -> bool) -> Toggle<TagId> {
    let peers = &view.settings.peers;
    let rest = Toggle::Always(test(peers.default));
    peers.modes.iter().rev().fold(rest, |rest, (when, mode)| {
        let (when, passes) = (when.clone(), test(*mode));
        match rest {
            Toggle::Always(on) if on == passes => Toggle::Always(on),
            Toggle::Always(_) if passes => Toggle::When(when),
            Toggle::Always(_) => Toggle::When(Condition::Not(Box::new(when))),
            Toggle::When(rest) if passes => Toggle::When(Condition::Any(vec![when, rest])),
            Toggle::When(rest) => {
                Toggle::When(Condition::All(vec![Condition::Not(Box::new(when)), rest]))
            }
        }
    })
}

impl Gate for PeersGate {
    fn name(&self) -> GateName {
        GateName::Peers
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
        _: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        let other = pair.other.filter(|_| context.requirements.checks_peers)?;
        if pair.is_exempt_self(context) {
            None
        } else if !pair.tie.admits(pair.subject.state.peers()) {
            Some(Reason::PeersSubject)
        } else if !pair.tie.reversed().admits(other.state.peers()) {
            Some(Reason::PeersResource)
        } else {
            None
        }
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
        if context.requirements.checks_peers {
            mutual_peers(view, context, subject)
        } else {
            Selection::everybody()
        }
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        match other {
            Some(other) if context.requirements.checks_peers => mutual_peers(view, context, other),
            _ => Selection::everybody(),
        }
    }

    fn one_sided<'v>(&self, view: &'v View, context: &GateContext<'_>) -> OneSided<'v> {
        if !context.requirements.checks_peers {
            return OneSided::default();
        }
        let communicates_with_all = UserCondition {
            users: view.states.in_peers_mode(PeersMode::All),
            tags: has_mode(view, |mode| mode == PeersMode::All),
        };
        let communicates_with_some = UserCondition {
            users: view.states.in_peers_mode(PeersMode::Nobody).complement(),
            tags: has_mode(view, |mode| mode != PeersMode::Nobody),
        };
        OneSided {
            unrelated: vec![communicates_with_all],
            related: vec![communicates_with_some],
            reads_peers: true,
            ..OneSided::default()
        }
    }

    fn consulted(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        let applies = context.requirements.checks_peers && !pair.is_exempt_self(context);
        let other = pair.other.filter(|_| applies)?;
        let mut consulted: Vec<StatementId> =
            pair.subject.peers_statement(view).into_iter().collect();
        if pair.tie.admits(pair.subject.state.peers()) {
            consulted.extend(other.peers_statement(view));
        }
        Some(consulted)
    }

    fn describe(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let Some(other) = pair.other.filter(|_| context.requirements.checks_peers) else {
            return format!("peers modes don't concern {} here", context.requested_name(view));
        };
        if pair.is_exempt_self(context) {
            return "peers modes don't apply to oneself".to_owned();
        }
        let side = |user: &Principal<'_>, other: &Principal<'_>, tie: Tie| {
            let (mode, user, other) = (user.state.peers(), user.id, other.id);
            let is = if tie.admits(mode) { "is" } else { "is not" };
            match mode {
                PeersMode::All => format!("`{user}` communicates with all"),
                PeersMode::Paired => format!("`{user}` only with paired users: `{other}` {is} one"),
                PeersMode::Contacts => format!("`{user}` only with contacts: `{other}` {is} one"),
                PeersMode::Favorites => {
                    format!("`{user}` only with favorites: `{other}` {is} one")
                }
                PeersMode::Friends => format!("`{user}` only with friends: `{other}` {is} one"),
                PeersMode::Nobody => format!("`{user}` communicates with nobody"),
            }
        };
        let one = side(pair.subject, other, pair.tie);
        format!("{one}; {}", side(other, pair.subject, pair.tie.reversed()))
    }
}
