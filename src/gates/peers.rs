//! The gate `peers`: the peers modes of both users.

use super::{
    context::GateContext,
    denial::DenialReason,
    gate::{Gate, GateScope},
    one_sided::{OneSided, UserCondition},
    pair::PrincipalPair,
    pair_condition::{PairCondition, PairSide},
    principal::Principal,
    relation::{RelatedPair, RelationSide, audience, related_users},
    sets::users_with_tie,
};
use crate::{
    request::{
        AudienceNumber, Condition, GateName, PeersMode, PeersSetting, Reason, RelationCondition,
        StatementId, Toggle,
    },
    snapshot::{Selection, TagId, Tie, View},
};

/// The gate `peers`: closed unless each of the two users communicates with the other, by their own
/// peers mode and their own list or audience.
pub(super) struct PeersGate;

impl PeersGate {
    pub(super) const DENIALS: &'static [DenialReason] = &[
        DenialReason::of_subject(Reason::PeersSubject),
        DenialReason::of_other(Reason::PeersResource),
    ];
}

/// Whether a user communicates with another by their own mode and list; `tie` is seen from the user.
#[inline]
fn communicates(
    view: &View,
    context: &GateContext<'_>,
    user: &Principal<'_>,
    other: &Principal<'_>,
    tie: Tie,
) -> bool {
    match user.state.peers() {
        Some(mode) => tie.admits(mode),
        None => is_in_own_audience(view, context, &RelatedPair { owner: user, other, tie }),
    }
}

/// Whether a user is in the audience that is the owner's peers mode.
#[cold]
fn is_in_own_audience(
    view: &View,
    context: &GateContext<'_>,
    related: &RelatedPair<'_, '_>,
) -> bool {
    related.meets(view, context, audience(view, own_audience(view, related.owner)))
}

/// The audience that is a principal's peers mode.
fn own_audience(view: &View, principal: &Principal<'_>) -> AudienceNumber {
    view.peers_audience(principal.number, &principal.tag_predicate(view))
}

/// The users with whom a principal communicates by their own mode and list.
fn users_on_own_list<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    principal: &Principal<'_>,
) -> Selection<'v> {
    match principal.state.peers() {
        Some(PeersMode::All) => Selection::everybody(),
        Some(mode) => users_with_tie(view, principal, |_, tie| tie.admits(mode)).into(),
        None => {
            let audience = audience(view, own_audience(view, principal));
            related_users(view, context, principal, RelationSide::Owner, audience)
        }
    }
}

/// The users who communicate with a principal, each by their own mode and list.
fn users_listing<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    principal: &Principal<'_>,
) -> Selection<'v> {
    let listing = users_with_tie(view, principal, |other, tie| {
        let mode = view.population.directory.state(other).peers();
        mode.is_some_and(|mode| tie.reversed().admits(mode))
    });
    let by_audience = view.peers_audiences().into_iter().map(|(number, users)| {
        let audience = audience(view, number);
        let holding = related_users(view, context, principal, RelationSide::Other, audience);
        Selection::all([users, holding])
    });
    let by_mode = [view.states.in_peers_mode(PeersMode::All), listing.into()];
    Selection::any(by_mode.into_iter().chain(by_audience))
}

/// The users with whom a principal communicates mutually, and the principal where users may act on
/// themselves.
fn mutual_peers<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    principal: &Principal<'_>,
) -> Selection<'v> {
    let mutual = Selection::all([
        users_on_own_list(view, context, principal),
        users_listing(view, context, principal),
    ]);
    Selection::any([mutual, context.exempt_self(principal)])
}

/// The condition on tags under which the policy sets a peers mode that passes a test: the first mode whose
/// condition a user meets applies.
fn has_mode(view: &View, test: impl Fn(PeersSetting<AudienceNumber>) -> bool) -> Toggle<TagId> {
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

/// The condition that the audiences of the policy's modes put on two users without records, read from one of
/// them.
fn audience_condition(view: &View, side: PairSide) -> PairCondition {
    let between = |setting: &PeersSetting<AudienceNumber>| match setting {
        // Ties are looked at besides.
        PeersSetting::Mode(_) => &RelationCondition::Everyone,
        PeersSetting::Audience(number) => audience(view, *number),
    };
    let peers = &view.settings.peers;
    let modes = peers.modes.iter().map(|(when, setting)| (when, between(setting)));
    PairCondition::first_met(modes, between(&peers.default), side)
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
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        let other = pair.other.filter(|_| context.requirements.checks_peers)?;
        let denial = if !communicates(view, context, pair.subject, other, pair.tie) {
            Reason::PeersSubject
        } else if !communicates(view, context, other, pair.subject, pair.tie.reversed()) {
            Reason::PeersResource
        } else {
            return None;
        };
        (!pair.is_exempt_self(context)).then_some(denial)
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
            users: Selection::any([
                view.states.in_peers_mode(PeersMode::All),
                view.states.in_peers_audience(),
            ]),
            tags: has_mode(view, |setting| setting.mode().is_none_or(|it| it == PeersMode::All)),
        };
        let communicates_with_some = UserCondition {
            users: view.states.in_peers_mode(PeersMode::Nobody).complement(),
            tags: has_mode(view, |setting| setting.mode() != Some(PeersMode::Nobody)),
        };
        let mut pairwise = Vec::new();
        if view.settings.peers.names_audiences() {
            let sides = [PairSide::Subject, PairSide::Other];
            pairwise.extend(sides.map(|side| audience_condition(view, side)));
        }
        OneSided {
            unrelated: vec![communicates_with_all],
            related: vec![communicates_with_some],
            reads_peers: true,
            pairwise,
            reads_own_audiences: view.has_own_peers_audiences(),
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
        if communicates(view, context, pair.subject, other, pair.tie) {
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
            let is_admitted = communicates(view, context, user, other, tie);
            let is = if is_admitted { "is" } else { "is not" };
            let Some(mode) = user.state.peers() else {
                let audience = view.settings.audiences.get(own_audience(view, user));
                let name = audience.map_or("", |audience| audience.name.as_str());
                let (user, other) = (user.id, other.id);
                return format!("`{user}` only with the audience `{name}`: `{other}` {is} in it");
            };
            let (user, other) = (user.id, other.id);
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
