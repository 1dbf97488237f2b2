//! The gate `audience`: from whom the user who is reached accepts the action.

use super::{
    context::GateContext,
    denial::DenialReason,
    gate::{Gate, GateScope},
    one_sided::OneSided,
    pair::PrincipalPair,
    pair_condition::{PairCondition, PairSide},
    principal::Principal,
    relation::{RelatedPair, RelationSide, audience, related_users},
    requirements::{Requirements, RuleScope},
};
use crate::{
    request::{
        Accepts, ActionKey, Asked, AudienceNumber, Audiences, Conversation, GateName, Obligation,
        Otherwise, Reason, StatementId,
    },
    snapshot::{Selection, TagId, View},
};

/// The gate `audience`: closed unless the audience from whom the resource or `member` accepts the action, by
/// their record or by the policy, holds the subject.
pub(super) struct AudienceGate;

impl AudienceGate {
    pub(super) const DENIALS: &'static [DenialReason] =
        &[DenialReason::of_other(Reason::NotInAudience)];
}

/// The action by which a conversation begins.
const BEGINNING: ActionKey = ActionKey::BuiltIn(Requirements::BEGINNING_ACTION);

/// The audiences of a user for an action: the subject must be in each.
#[derive(Clone, Copy)]
struct UserAudiences<'v> {
    /// That of the user's record.
    own: Option<AudienceNumber>,
    /// The policy's entry for the action.
    entry: Option<&'v Accepts<TagId>>,
}

impl<'v> UserAudiences<'v> {
    #[inline]
    fn of(view: &'v View, action: ActionKey, user: &Principal<'_>) -> Self {
        let own = user.number.and_then(|number| view.own_audience(number, action));
        Self { own, entry: view.settings.accepts(action) }
    }

    /// The audiences that must hold the subject; at most two.
    #[inline]
    fn required(self, view: &View, user: &Principal<'_>) -> [Option<AudienceNumber>; 2] {
        let (by_policy, is_locked) = match self.entry {
            Some(entry) => entry.audience(&user.tag_predicate(view)),
            None => (Audiences::<TagId>::EVERYONE, false),
        };
        match self.own {
            None => [Some(by_policy), None],
            Some(own) if is_locked => [Some(own), Some(by_policy)],
            Some(own) => [Some(own), None],
        }
    }

    fn timing(self) -> Asked {
        self.entry.map_or(Asked::Always, |entry| entry.asked)
    }

    fn otherwise(self) -> Otherwise {
        self.entry.map_or(Otherwise::Deny, |entry| entry.otherwise)
    }
}

/// Whether the policy or a record names an audience at all.
#[inline]
fn has_audiences(view: &View) -> bool {
    !view.settings.accepts.is_empty() || !view.population.own_audiences.is_empty()
}

/// The actions whose audiences are asked in a conversation of this state: the action itself, the one that it is
/// like, and that by which it begins one.
#[inline]
fn evaluated_actions(
    context: &GateContext<'_>,
    conversation: Conversation,
) -> impl Iterator<Item = ActionKey> + use<> {
    let begins = context.requirements.begins_conversation
        && conversation == Conversation::New
        && context.action != Requirements::BEGINNING_ACTION;
    context.requested_keys().chain(begins.then_some(BEGINNING))
}

/// Whether the audience for one of the actions is asked.
#[inline]
fn is_evaluated(
    context: &GateContext<'_>,
    conversation: Conversation,
    audiences: UserAudiences<'_>,
) -> bool {
    audiences.timing() == Asked::Always
        || !context.requirements.begins_conversation
        || conversation == Conversation::New
}

/// The first action for which the pair is outside of an audience, with whether that closes the gate.
#[inline(never)]
fn first_outside(
    view: &View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
    otherwise: Otherwise,
) -> Option<ActionKey> {
    let other = pair.other.filter(|_| has_audiences(view) && !pair.is_exempt_self(context))?;
    if !context.involves_other_user() {
        return None;
    }
    let conversation = pair.conversation(context);
    let related = RelatedPair { owner: other, other: pair.subject, tie: pair.tie.reversed() };
    evaluated_actions(context, conversation).find(|&action| {
        let audiences = UserAudiences::of(view, action, other);
        audiences.otherwise() == otherwise
            && is_evaluated(context, conversation, audiences)
            && !is_inside(view, context, audiences, &related)
    })
}

/// Whether the subject is in the audiences of the one who is reached.
fn is_inside(
    view: &View,
    context: &GateContext<'_>,
    audiences: UserAudiences<'_>,
    related: &RelatedPair<'_, '_>,
) -> bool {
    let required = audiences.required(view, related.owner);
    let mut required = required.into_iter().flatten();
    required.all(|number| related.meets(view, context, audience(view, number)))
}

/// The conversations in which the audience for one of the actions closes the gate.
fn scope(
    context: &GateContext<'_>,
    action: ActionKey,
    entry: Option<&Accepts<TagId>>,
) -> RuleScope {
    let is_requested = context.requested_keys().any(|key| key == action);
    let looks_at_conversation = context.requirements.begins_conversation;
    let is_asked_always = entry.is_none_or(|entry| entry.asked == Asked::Always);
    if entry.is_some_and(|entry| entry.otherwise == Otherwise::Request) {
        RuleScope::Never
    } else if is_requested && (is_asked_always || !looks_at_conversation) {
        RuleScope::Always
    } else if context.conversation == Some(Conversation::Existing) {
        RuleScope::Never
    } else {
        RuleScope::WhenNew
    }
}

/// The actions whose audiences are asked in some conversation, for lists.
fn listed_actions(context: &GateContext<'_>) -> impl Iterator<Item = ActionKey> + use<> {
    context.requested_keys().chain(context.may_begin_conversation().then_some(BEGINNING))
}

/// The users admitted for one of the actions, with those to whom its audience does not apply: users who
/// have a conversation with the principal already, and the principal where users may act on themselves.
fn with_exempt_users<'v>(
    view: &View,
    context: &GateContext<'_>,
    principal: &Principal<'_>,
    scope: RuleScope,
    users: impl FnOnce() -> Selection<'v>,
) -> Selection<'v> {
    let partners = match scope {
        RuleScope::Never => return Selection::everybody(),
        RuleScope::WhenNew => context.conversation_partners(view, principal).into(),
        RuleScope::Always => Selection::nobody(),
    };
    Selection::any([users(), partners, context.exempt_self(principal)])
}

/// The users whose audience for an action holds the subject. Costs set algebra for each mode of the policy's
/// entry and for each audience that records name.
fn users_accepting<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    action: ActionKey,
    subject: &Principal<'_>,
) -> Selection<'v> {
    let holding = |number: AudienceNumber| {
        related_users(view, context, subject, RelationSide::Other, audience(view, number))
    };
    let entry = view.settings.accepts(action);
    let by_policy = entry.map_or_else(Selection::everybody, |entry| {
        let (modes, rest) = mode_users(view, entry);
        let of_modes = entry.modes.iter().zip(modes);
        let of_modes = of_modes
            .map(|(mode, users)| Selection::all([users, holding(mode.audience)]))
            .collect::<Vec<_>>();
        let of_rest = Selection::all([rest, holding(entry.default)]);
        Selection::any(of_modes.into_iter().chain([of_rest]))
    });
    let mut owners = Vec::new();
    let mut by_record = Vec::new();
    for (users, number) in view.own_audiences(action) {
        owners.push(Selection::from(users));
        by_record.push(Selection::all([Selection::from(users), holding(number)]));
    }
    if owners.is_empty() {
        return by_policy;
    }
    let locked = entry.map_or_else(Selection::nobody, |entry| {
        let (modes, _) = mode_users(view, entry);
        let locked = entry.modes.iter().zip(modes).filter(|(mode, _)| mode.is_locked);
        Selection::any(locked.map(|(_, users)| users))
    });
    let bound = Selection::any([Selection::any(owners).complement(), locked]);
    // Whom their record does not name an audience, and whom the policy's binds, must be reached by the
    // policy's; who has one of their own must be reached by that.
    let by_record = Selection::any(by_record);
    let owners =
        Selection::any(view.own_audiences(action).map(|(users, _)| Selection::from(users)));
    Selection::all([
        Selection::any([bound.complement(), by_policy]),
        Selection::any([owners.complement(), by_record]),
    ])
}

/// The users of each mode of an entry, and those of none.
fn mode_users<'v>(view: &'v View, entry: &Accepts<TagId>) -> (Vec<Selection<'v>>, Selection<'v>) {
    let mut rest = Selection::everybody();
    let mut modes = Vec::with_capacity(entry.modes.len());
    for mode in &entry.modes {
        let users = view.population.selection(&mode.when);
        modes.push(Selection::all([rest.clone(), users.clone()]));
        rest = Selection::all([rest, users.complement()]);
    }
    (modes, rest)
}

/// The condition that an entry puts on two users without records.
fn condition(view: &View, entry: &Accepts<TagId>) -> PairCondition {
    let modes = entry.modes.iter().map(|mode| (&mode.when, audience(view, mode.audience)));
    PairCondition::first_met(modes, audience(view, entry.default), PairSide::Other)
}

impl Gate for AudienceGate {
    fn name(&self) -> GateName {
        GateName::Audience
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
        if !view.speaks_of_pairs {
            return None;
        }
        first_outside(view, context, pair, Otherwise::Deny).map(|_| Reason::NotInAudience)
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        if !has_audiences(view) || !context.involves_other_user() {
            return Selection::everybody();
        }
        Selection::all(listed_actions(context).map(|action| {
            let scope = scope(context, action, view.settings.accepts(action));
            with_exempt_users(view, context, subject, scope, || {
                users_accepting(view, context, action, subject)
            })
        }))
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        let Some(other) = other.filter(|_| has_audiences(view) && context.involves_other_user())
        else {
            return Selection::everybody();
        };
        Selection::all(listed_actions(context).map(|action| {
            let audiences = UserAudiences::of(view, action, other);
            let scope = scope(context, action, audiences.entry);
            with_exempt_users(view, context, other, scope, || {
                let required = audiences.required(view, other).into_iter().flatten();
                Selection::all(required.map(|number| {
                    let condition = audience(view, number);
                    related_users(view, context, other, RelationSide::Owner, condition)
                }))
            })
        }))
    }

    fn one_sided<'v>(&self, view: &'v View, context: &GateContext<'_>) -> OneSided<'v> {
        if !context.involves_other_user() {
            return OneSided::default();
        }
        let entries = listed_actions(context).filter_map(|action| view.settings.accepts(action));
        let closing =
            entries.filter(|entry| scope(context, entry.action, Some(entry)) != RuleScope::Never);
        let pairwise = closing.map(|entry| condition(view, entry)).collect();
        OneSided {
            pairwise,
            reads_own_audiences: !view.population.own_audiences.is_empty(),
            ..OneSided::default()
        }
    }

    fn consulted(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        let other = pair.other.filter(|_| {
            has_audiences(view) && context.involves_other_user() && !pair.is_exempt_self(context)
        })?;
        let conversation = pair.conversation(context);
        let mut consulted = Vec::new();
        for action in evaluated_actions(context, conversation) {
            let audiences = UserAudiences::of(view, action, other);
            let Some(entry) = audiences.entry else { continue };
            if !is_evaluated(context, conversation, audiences) {
                continue;
            }
            let has = other.tag_predicate(view);
            let mode = entry.modes.iter().position(|mode| mode.when.holds(&has));
            let is_locked = mode.and_then(|at| entry.modes.get(at)).is_some_and(|it| it.is_locked);
            if audiences.own.is_none() || is_locked {
                consulted.push(match mode {
                    Some(at) => StatementId::AudienceMode(view.settings.actions.name(action), at),
                    None => StatementId::AudienceDefault(view.settings.actions.name(action)),
                });
            }
        }
        Some(consulted)
    }

    fn describe(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let Some(other) = pair.other.filter(|_| context.involves_other_user()) else {
            return format!("audiences don't concern {} here", context.requested_name(view));
        };
        if !has_audiences(view) {
            return "the policy has no audiences".to_owned();
        }
        if pair.is_exempt_self(context) {
            return "audiences don't apply to oneself".to_owned();
        }
        let conversation = pair.conversation(context);
        let related = RelatedPair { owner: other, other: pair.subject, tie: pair.tie.reversed() };
        let asks = self.check(view, context, pair).is_none()
            && self.obligation(view, context, pair).is_some();
        let said = evaluated_actions(context, conversation).map(|action| {
            let audiences = UserAudiences::of(view, action, other);
            let action = view.settings.actions.name(action);
            if !is_evaluated(context, conversation, audiences) {
                return format!(
                    "the conversation exists already; accepts.{action} is asked of new ones"
                );
            }
            let required = audiences.required(view, other).into_iter().flatten();
            let names = required.map(|number| {
                let name = view.settings.audiences.get(number).map_or("", |it| it.name.as_str());
                let is_in = related.meets(view, context, audience(view, number));
                format!(
                    "`{name}`, {} `{}`",
                    if is_in { "which holds" } else { "which does not hold" },
                    pair.subject.id
                )
            });
            let names: Vec<String> = names.collect();
            let by = if audiences.own.is_some() { " by their record" } else { "" };
            format!("`{}` accepts {action}{by} from {}", other.id, names.join(", and from "))
        });
        let asks = asks.then(|| "so this is a request".to_owned());
        let said = said.chain(asks);
        said.collect::<Vec<_>>().join("; ")
    }

    #[inline]
    fn obligation(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Obligation> {
        if !view.speaks_of_pairs {
            return None;
        }
        first_outside(view, context, pair, Otherwise::Request)?;
        let is_new = !context.requirements.begins_conversation
            || pair.conversation(context) == Conversation::New;
        (context.action.is_requestable() && is_new).then_some(Obligation::Request)
    }
}
