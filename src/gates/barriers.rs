//! The gate `barriers`: the barriers of the policy.

use super::{
    context::{GateContext, GateTarget},
    denial::DenialReason,
    gate::{Gate, GateScope},
    one_sided::OneSided,
    pair::PrincipalPair,
    pair_condition::PairCondition,
    principal::Principal,
    relation::{RelatedPair, RelationSide, related_users},
    requirements::Requirements,
};
use crate::{
    request::{Action, Barrier, Condition, Conversation, GateName, Reason, StatementId},
    snapshot::{CompiledBarrier, Selection, TagId, Tie, UserNumber, UserSet, View},
};

/// The gate `barriers`: closed if a barrier that concerns the action has the two users on its sides, and
/// nothing between them lifts it. Of `add_member` and `join`, also if it has who comes and one who is in the
/// group.
pub(super) struct BarriersGate;

impl BarriersGate {
    pub(super) const DENIALS: &'static [DenialReason] = &[DenialReason::of_nobody(Reason::Barrier)];
}

/// Whether a barrier concerns an action between users with a conversation in this state.
#[inline]
fn concerns(
    barrier: &Barrier<TagId>,
    context: &GateContext<'_>,
    conversation: Conversation,
) -> bool {
    context.is_among(barrier.actions)
        || conversation == Conversation::New
            && context.requirements.begins_conversation
            && barrier.actions.contains(Requirements::BEGINNING_ACTION)
}

/// Whether a barrier concerns an action in some conversation, and then whether only in new ones.
fn concerned_conversations(
    barrier: &Barrier<TagId>,
    context: &GateContext<'_>,
) -> Option<ConcernedConversations> {
    if context.is_among(barrier.actions) {
        Some(ConcernedConversations::All)
    } else if context.may_begin_conversation()
        && barrier.actions.contains(Requirements::BEGINNING_ACTION)
    {
        Some(ConcernedConversations::New)
    } else {
        None
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ConcernedConversations {
    All,
    New,
}

/// Whether a barrier stands from one user to another: the one meets the first side, the other the second,
/// and what is between them does not lift it.
fn stands(
    view: &View,
    context: &GateContext<'_>,
    barrier: &Barrier<TagId>,
    pair: &RelatedPair<'_, '_>,
) -> bool {
    barrier.from.holds(&pair.owner.tag_predicate(view))
        && barrier.to.holds(&pair.other.tag_predicate(view))
        && !barrier.unless.as_ref().is_some_and(|unless| pair.meets(view, context, unless))
}

/// Whether a barrier stands between two users, in the directions that it has.
fn stands_between(
    view: &View,
    context: &GateContext<'_>,
    barrier: &Barrier<TagId>,
    pair: &RelatedPair<'_, '_>,
    is_any_direction: bool,
) -> bool {
    let reversed = RelatedPair { owner: pair.other, other: pair.owner, tie: pair.tie.reversed() };
    stands(view, context, barrier, pair)
        || (barrier.is_both_ways || is_any_direction) && stands(view, context, barrier, &reversed)
}

/// The barriers that concern a pair of a subject and another user.
fn concerning<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> impl Iterator<Item = &'v CompiledBarrier> {
    let conversation = pair.conversation(context);
    view.barriers.all.iter().filter(move |it| concerns(&it.barrier, context, conversation))
}

/// The two users of a pair, unless they are one who acts on themself.
fn related<'p, 'r>(
    context: &GateContext<'_>,
    pair: &PrincipalPair<'p, 'r>,
) -> Option<RelatedPair<'p, 'r>> {
    let other = pair.other.filter(|_| !pair.is_exempt_self(context))?;
    Some(RelatedPair { owner: pair.subject, other, tie: pair.tie })
}

/// A group to which somebody is to be added, with the user who does it, if that is known: what the request
/// says of their tags holds for them as a member, too.
#[derive(Clone, Copy)]
struct JoinedGroup<'p, 'r> {
    subject: Option<&'p Principal<'r>>,
}

impl<'p, 'r> JoinedGroup<'p, 'r> {
    /// The subject, if this member is the subject and the request says something else of their tags.
    fn overridden(self, member: UserNumber) -> Option<&'p Principal<'r>> {
        let subject = self.subject.filter(|subject| subject.number == Some(member))?;
        subject.stored_number().is_none().then_some(subject)
    }

    /// Whether a member is on each side of a barrier.
    fn sides(self, view: &View, it: &CompiledBarrier, member: UserNumber) -> [bool; 2] {
        let CompiledBarrier { barrier, sides, .. } = it;
        match self.overridden(member) {
            Some(subject) => {
                let has = subject.tag_predicate(view);
                [&barrier.from, &barrier.to].map(|condition| condition.holds(&has))
            }
            None => sides.each_ref().map(|users| users.contains(member)),
        }
    }

    /// Whether a barrier stands between who is added and somebody who is in the group. Costs a look at the members
    /// only where something can lift the barrier.
    fn bars(
        self,
        view: &View,
        context: &GateContext<'_>,
        comer: &Principal<'_>,
        it: &CompiledBarrier,
    ) -> bool {
        is_of_groups(context, &it.barrier)
            && self.is_met_by_members(view, context, comer, it)
            && (it.barrier.unless.is_none()
                || self.first_barring(view, context, comer, it).is_some())
    }

    /// Whether who is added is on one side of a barrier, and somebody else who is in the group on the other.
    fn is_met_by_members(
        self,
        view: &View,
        context: &GateContext<'_>,
        comer: &Principal<'_>,
        it: &CompiledBarrier,
    ) -> bool {
        let GateTarget::Group(number, _) = context.target else { return false };
        let has = comer.tag_predicate(view);
        let (is_from, is_to) = (it.barrier.from.holds(&has), it.barrier.to.holds(&has));
        if !is_from && !is_to {
            return false;
        }
        let mut members = view.members_on_sides(number, it);
        let is_member = |user: UserNumber| {
            view.groups.get(number).is_some_and(|group| group.role(user).is_some())
        };
        let mut move_member = |member: UserNumber, now: [bool; 2]| {
            for ((count, side), is) in members.iter_mut().zip(&it.sides).zip(now) {
                let was = u32::from(side.contains(member));
                *count = count.saturating_add(u32::from(is)).saturating_sub(was);
            }
        };
        if let Some(comer) = comer.number.filter(|&comer| is_member(comer)) {
            move_member(comer, [false; 2]);
        }
        let subject = self.subject.and_then(|subject| subject.number);
        let subject = subject.filter(|&it| comer.number != Some(it) && is_member(it));
        if let Some(subject) = subject.filter(|&subject| self.overridden(subject).is_some()) {
            move_member(subject, self.sides(view, it, subject));
        }
        let [on_from, on_to] = members;
        is_from && on_to > 0 || is_to && on_from > 0
    }

    /// The first member of the group from whom a barrier keeps who is added. Costs a look at each member, if
    /// who is added is on a side.
    fn first_barring(
        self,
        view: &View,
        context: &GateContext<'_>,
        comer: &Principal<'_>,
        it: &CompiledBarrier,
    ) -> Option<UserNumber> {
        let barrier = &it.barrier;
        if !is_of_groups(context, barrier) {
            return None;
        }
        let has = comer.tag_predicate(view);
        let (is_from, is_to) = (barrier.from.holds(&has), barrier.to.holds(&has));
        if !is_from && !is_to {
            return None;
        }
        let members = context.group(view)?.members();
        let of_facts = context.with_conversations_of_facts();
        let mut others = members.filter(|&member| comer.number != Some(member));
        others.find(|&member| {
            let [member_is_from, member_is_to] = self.sides(view, it, member);
            if !(is_from && member_is_to || is_to && member_is_from) {
                return false;
            }
            let stored;
            let member = if let Some(subject) = self.overridden(member) {
                subject
            } else {
                stored = Principal::from_number(view, member);
                &stored
            };
            let tie = match (comer.number, member.number) {
                (Some(comer), Some(member)) => view.population.tie(comer, member),
                _ => Tie::NONE,
            };
            let pair = RelatedPair { owner: comer, other: member, tie };
            stands_between(view, &of_facts, barrier, &pair, true)
        })
    }

    /// The users whom a barrier keeps from who is in the group already. Costs a look at each member, and set
    /// algebra for each who is on a side of a barrier with an exception.
    fn barred<'v>(
        self,
        view: &'v View,
        context: &GateContext<'_>,
        it: &'v CompiledBarrier,
    ) -> Selection<'v> {
        let CompiledBarrier { barrier, sides: [from, to], .. } = it;
        let (true, Some(group)) = (is_of_groups(context, barrier), context.group(view)) else {
            return Selection::nobody();
        };
        let of_facts = context.with_conversations_of_facts();
        let members = group.members().map(|member| (member, self.sides(view, it, member)));
        if barrier.unless.is_some() {
            let concerned = members.filter(|(_, [is_from, is_to])| *is_from || *is_to);
            return Selection::any(concerned.map(|(member, _)| {
                let stored = Principal::from_number(view, member);
                let principal = self.overridden(member).unwrap_or(&stored);
                let barred = barred_users(view, &of_facts, principal, true, it, true);
                Selection::all([barred, only(member).complement()])
            }));
        }
        // A user on one side is barred by each member of the other, but for themself.
        let barred_by = |opposite: usize, side: &'v UserSet| {
            let is_opposite = |sides: &[bool; 2]| sides.get(opposite).is_some_and(|is| *is);
            let mut members = members.clone().filter(|(_, sides)| is_opposite(sides));
            match (members.next(), members.next()) {
                (None, _) => Selection::nobody(),
                (Some((member, _)), None) => {
                    Selection::all([Selection::from(side), only(member).complement()])
                }
                (Some(_), Some(_)) => Selection::from(side),
            }
        };
        Selection::any([barred_by(1, from), barred_by(0, to)])
    }
}

/// Whether a barrier stands between who comes to the group and its members. One that concerns `add_member`
/// concerns `join`.
fn is_of_groups(context: &GateContext<'_>, barrier: &Barrier<TagId>) -> bool {
    let is_concerned = match context.action {
        Action::AddMember => context.is_among(barrier.actions),
        Action::Join => barrier.actions.contains(Action::AddMember),
        _ => false,
    };
    barrier.in_groups && is_concerned
}

/// Who comes to the group, if it is about that: the `member` who is added, or the subject who joins.
#[inline]
fn comer<'p, 'r>(
    context: &GateContext<'_>,
    pair: &PrincipalPair<'p, 'r>,
) -> Option<&'p Principal<'r>> {
    if context.action == Action::Join { Some(pair.subject) } else { pair.other }
}

/// The users from whom a barrier keeps a principal, who stands on this side of what is asked.
fn barred_users<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    principal: &Principal<'_>,
    is_subject: bool,
    it: &'v CompiledBarrier,
    is_any_direction: bool,
) -> Selection<'v> {
    let CompiledBarrier { barrier, sides: [from, to], .. } = it;
    let has = principal.tag_predicate(view);
    let (is_from, is_to) = (barrier.from.holds(&has), barrier.to.holds(&has));
    let is_two_way = barrier.is_both_ways || is_any_direction;
    let unlifted = |users: &'v UserSet, side: RelationSide| {
        let users = Selection::from(users);
        match &barrier.unless {
            None => users,
            Some(unless) => {
                let lifted = related_users(view, context, principal, side, unless);
                Selection::all([users, lifted.complement()])
            }
        }
    };
    let forth = (is_from && (is_subject || is_two_way)).then(|| unlifted(to, RelationSide::Owner));
    let back = (is_to && (!is_subject || is_two_way)).then(|| unlifted(from, RelationSide::Other));
    Selection::any(forth.into_iter().chain(back))
}

/// The users from whom a barrier keeps a principal, except those whose conversation it does not concern,
/// and the principal where users may act on themselves.
fn barred_pairs<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    principal: &Principal<'_>,
    is_subject: bool,
    it: &'v CompiledBarrier,
) -> Selection<'v> {
    let Some(concerned) = concerned_conversations(&it.barrier, context) else {
        return Selection::nobody();
    };
    let barred = barred_users(view, context, principal, is_subject, it, false);
    let mut exempt = vec![context.exempt_self(principal)];
    if concerned == ConcernedConversations::New {
        exempt.push(context.conversation_partners(view, principal).into());
    }
    Selection::all([barred, Selection::any(exempt).complement()])
}

fn only<'v>(user: UserNumber) -> Selection<'v> {
    [user].into_iter().collect::<UserSet>().into()
}

/// The condition under which a barrier stands between a subject and another user without records.
fn condition(barrier: &Barrier<TagId>) -> PairCondition {
    let unless = |read: fn(_) -> PairCondition| {
        barrier.unless.iter().map(move |unless| read(unless.clone()).negate())
    };
    let side = |one: &Condition<TagId>, two: &Condition<TagId>, unlifted: Vec<PairCondition>| {
        let mut parts =
            vec![PairCondition::Subject(one.clone()), PairCondition::Other(two.clone())];
        parts.extend(unlifted);
        PairCondition::All(parts)
    };
    let forth = side(&barrier.from, &barrier.to, unless(PairCondition::FromSubject).collect());
    if !barrier.is_both_ways {
        return forth;
    }
    let back = side(&barrier.to, &barrier.from, unless(PairCondition::FromOther).collect());
    PairCondition::Any(vec![forth, back])
}

/// Whether a barrier stands between the two, or between who comes to a group and its members.
#[inline(never)]
fn is_closed(view: &View, context: &GateContext<'_>, pair: &PrincipalPair<'_, '_>) -> bool {
    let Some(other) = comer(context, pair) else { return false };
    let conversation = pair.conversation(context);
    let related = related(context, pair);
    let group = JoinedGroup { subject: Some(pair.subject) };
    view.barriers.any_candidate(other.tags(view), |it| {
        let stands_here =
            |pair: &RelatedPair<'_, '_>| stands_between(view, context, &it.barrier, pair, false);
        concerns(&it.barrier, context, conversation) && related.as_ref().is_some_and(stands_here)
            || group.bars(view, context, other, it)
    })
}

/// The barrier that keeps who comes from somebody in the group, in words; `None` without one.
fn describe_group(
    view: &View,
    context: &GateContext<'_>,
    subject: &Principal<'_>,
    comer: &Principal<'_>,
) -> Option<String> {
    let group = JoinedGroup { subject: Some(subject) };
    let mut all = view.barriers.all.iter();
    let (it, member) =
        all.find_map(|it| Some((it, group.first_barring(view, context, comer, it)?)))?;
    let member = view.population.directory.id(member);
    Some(format!(
        "the barrier `{}` keeps `{}` and `{member}`, who is in the group, apart",
        it.barrier.name, comer.id
    ))
}

impl Gate for BarriersGate {
    fn name(&self) -> GateName {
        GateName::Barriers
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
        (view.speaks_of_pairs && is_closed(view, context, pair)).then_some(Reason::Barrier)
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        if !context.involves_other_user() {
            return Selection::everybody();
        }
        let group = JoinedGroup { subject: Some(subject) };
        let barred = view.barriers.all.iter().map(|it| {
            let between = barred_pairs(view, context, subject, true, it);
            Selection::any([between, group.barred(view, context, it)])
        });
        Selection::any(barred).complement()
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        let group = JoinedGroup { subject: None };
        if context.action == Action::Join {
            let barred = view.barriers.all.iter().map(|it| group.barred(view, context, it));
            return Selection::any(barred).complement();
        }
        let Some(other) = other else { return Selection::everybody() };
        let barred = view.barriers.all.iter().map(|it| {
            if group.bars(view, context, other, it) {
                return Selection::everybody();
            }
            barred_pairs(view, context, other, false, it)
        });
        Selection::any(barred).complement()
    }

    fn one_sided<'v>(&self, view: &'v View, context: &GateContext<'_>) -> OneSided<'v> {
        if !context.involves_other_user() {
            return OneSided::default();
        }
        let untied = context.conversation_with_tie(Tie::NONE);
        let concerning = view.barriers.all.iter().map(|it| &it.barrier);
        let concerning = concerning.filter(|barrier| concerns(barrier, context, untied));
        let pairwise = concerning.map(|barrier| condition(barrier).negate()).collect();
        OneSided { pairwise, ..OneSided::default() }
    }

    fn consulted(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        let comer = comer(context, pair)?;
        let other = pair.other.filter(|_| context.involves_other_user());
        if other.is_none() && context.action != Action::Join {
            return None;
        }
        if view.barriers.is_empty() {
            return None;
        }
        let group = JoinedGroup { subject: Some(pair.subject) };
        let is_consulted = |it: &&CompiledBarrier| {
            let barrier = &it.barrier;
            let meet = |one: &Principal<'_>, two: &Principal<'_>| {
                barrier.from.holds(&one.tag_predicate(view))
                    && barrier.to.holds(&two.tag_predicate(view))
            };
            let is_between = other.is_some_and(|other| {
                meet(pair.subject, other) || barrier.is_both_ways && meet(other, pair.subject)
            });
            concerns(barrier, context, pair.conversation(context))
                && !pair.is_exempt_self(context)
                && is_between
                || group.bars(view, context, comer, it)
        };
        let consulted = view.barriers.all.iter().filter(is_consulted);
        Some(consulted.map(|it| StatementId::Barrier(it.barrier.name.clone())).collect())
    }

    fn describe(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        if view.barriers.is_empty() {
            return "the policy has no barriers".to_owned();
        }
        if context.action == Action::Join {
            return describe_group(view, context, pair.subject, pair.subject)
                .unwrap_or_else(|| format!("no barrier keeps `{}` out", pair.subject.id));
        }
        let Some(other) = pair.other.filter(|_| context.involves_other_user()) else {
            return format!("barriers don't concern {} here", context.requested_name(view));
        };
        let related = related(context, pair);
        let standing = concerning(view, context, pair).find(|it| {
            related
                .as_ref()
                .is_some_and(|pair| stands_between(view, context, &it.barrier, pair, false))
        });
        if let Some(it) = standing {
            return format!(
                "the barrier `{}` keeps `{}` and `{}` apart",
                it.barrier.name, pair.subject.id, other.id
            );
        }
        if let Some(said) = describe_group(view, context, pair.subject, other) {
            return said;
        }
        if concerning(view, context, pair).next().is_none() {
            return format!("no barrier concerns {} here", context.requested_name(view));
        }
        let lifted = concerning(view, context, pair).find_map(|it| {
            let related = related.as_ref()?;
            let sides = |one: &Principal<'_>, two: &Principal<'_>| {
                it.barrier.from.holds(&one.tag_predicate(view))
                    && it.barrier.to.holds(&two.tag_predicate(view))
            };
            let is_between = sides(related.owner, related.other)
                || it.barrier.is_both_ways && sides(related.other, related.owner);
            let unless = it.barrier.unless.as_ref().filter(|_| is_between)?;
            Some((it, unless.map(&mut |tag| view.tags.name(*tag))))
        });
        let (subject, other) = (pair.subject.id, other.id);
        match lifted {
            Some((it, unless)) => format!(
                "the barrier `{}` does not keep `{subject}` and `{other}` apart, because of its `unless`, {unless}",
                it.barrier.name
            ),
            None => format!("no barrier keeps `{subject}` and `{other}` apart"),
        }
    }
}
