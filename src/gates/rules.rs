//! The gate `rules`: the rules of the policy.

use std::borrow::Cow;

use super::{
    context::GateContext,
    denial::DenialReason,
    gate::{Gate, GateScope},
    one_sided::OneSided,
    pair::PrincipalPair,
    pair_condition::PairCondition,
    principal::Principal,
    relation::{RelatedPair, RelationSide, related_users},
    render::{render_names, render_tag_list},
    requirements::{Requirements, RuleScope},
};
use crate::{
    request::{Asked, Conversation, GateName, Outcome, Reason, StatementId},
    snapshot::{
        CompiledRule, CompiledRuleSet, RuleBook, RuleTarget, Selection, TagId, UserSet, View,
    },
};

/// The gate `rules`: open if each rule set that concerns the action and is asked, the section `rules` among
/// them, has a rule that opens the pair.
pub(super) struct RulesGate;

impl RulesGate {
    pub(super) const DENIALS: &'static [DenialReason] = &[DenialReason::of_nobody(Reason::NoRule)];
}

/// A rule set as it concerns an action.
#[derive(Clone, Copy)]
struct ConcernedSet<'v> {
    /// The name; `None` for the section `rules`.
    name: Option<&'v str>,
    book: &'v RuleBook,
    scope: RuleScope,
}

/// The rule sets that concern the action in some conversation.
#[inline]
fn concerned_sets<'v>(
    view: &'v View,
    context: &GateContext<'_>,
) -> impl Iterator<Item = ConcernedSet<'v>> {
    let section = view.rules.as_deref();
    let section =
        section.map(|book| ConcernedSet { name: None, book, scope: context.requirements.rules });
    let context = *context;
    let others = view.rule_sets.iter().map(move |set| ConcernedSet {
        name: Some(&set.name),
        book: &set.book,
        scope: scope(set, &context),
    });
    section.into_iter().chain(others).filter(|set| set.scope != RuleScope::Never)
}

/// The conversations in which a rule set is asked of an action.
fn scope(set: &CompiledRuleSet, context: &GateContext<'_>) -> RuleScope {
    let looks_at_conversation = context.requirements.begins_conversation;
    if !context.involves_other_user() {
        RuleScope::Never
    } else if context.is_among(set.actions)
        && (set.asked == Asked::Always || !looks_at_conversation)
    {
        RuleScope::Always
    } else if looks_at_conversation
        && (context.is_among(set.actions) || set.actions.contains(Requirements::BEGINNING_ACTION))
    {
        RuleScope::WhenNew
    } else {
        RuleScope::Never
    }
}

/// The rule sets that are asked of a pair.
#[inline]
fn applicable_sets<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> impl Iterator<Item = ConcernedSet<'v>> {
    let (conversation, is_exempt) = (pair.conversation(context), pair.is_exempt_self(context));
    let is_asked = move |set: &ConcernedSet<'_>| {
        !is_exempt && (set.scope == RuleScope::Always || conversation == Conversation::New)
    };
    concerned_sets(view, context).filter(is_asked)
}

/// Whether a rule set that is asked of a pair has no rule that opens it.
#[inline(never)]
fn is_set_shut(
    view: &View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
    resource: &Principal<'_>,
) -> bool {
    applicable_sets(view, context, pair).any(|set| !opens(view, context, pair, resource, set.book))
}

/// Whether a rule of the book opens a pair.
#[inline]
fn opens(
    view: &View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
    resource: &Principal<'_>,
    book: &RuleBook,
) -> bool {
    let opens_plainly = match pair.subject.stored_number() {
        Some(number) => resource
            .tags(view)
            .any(|tag| book.reachers(tag).is_some_and(|users| users.contains(number))),
        None => book
            .rules_naming_any(resource.tags(view).iter())
            .iter()
            .any(|(_, rule)| is_met(rule, view, pair.subject)),
    };
    opens_plainly || !book.targets.is_empty() && opens_target(view, context, pair, resource, book)
}

/// Whether a rule with a condition as outcome, or with `between`, opens a pair.
#[inline(never)]
fn opens_target(
    view: &View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
    resource: &Principal<'_>,
    book: &RuleBook,
) -> bool {
    book.targets.any_candidate(resource.tags(view), |target| {
        is_reacher(view, pair.subject, target)
            && is_target_met(view, context, pair, resource, target)
    })
}

/// Whether the subject meets the condition of a rule of the target.
fn is_reacher(view: &View, subject: &Principal<'_>, target: &RuleTarget) -> bool {
    match subject.stored_number() {
        Some(number) => target.is_reached_by(number, &subject.tag_predicate(view)),
        None => target.is_reacher(&subject.tag_predicate(view)),
    }
}

/// Whether the resource, and what is between the two, are as the target says.
fn is_target_met(
    view: &View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
    resource: &Principal<'_>,
    target: &RuleTarget,
) -> bool {
    target.outcome.holds(&resource.tag_predicate(view))
        && target.between.as_ref().is_none_or(|between| {
            let pair = RelatedPair { owner: pair.subject, other: resource, tie: pair.tie };
            pair.meets(view, context, between)
        })
}

impl Gate for RulesGate {
    fn name(&self) -> GateName {
        GateName::Rules
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
        let resource = pair.other?;
        if view.speaks_of_pairs {
            return is_set_shut(view, context, pair, resource).then_some(Reason::NoRule);
        }
        let book = view.rules.as_deref()?;
        let is_asked = match context.requirements.rules {
            RuleScope::Never => false,
            RuleScope::Always => true,
            RuleScope::WhenNew => pair.conversation(context) == Conversation::New,
        };
        let is_shut = is_asked
            && !opens(view, context, pair, resource, book)
            && !pair.is_exempt_self(context);
        is_shut.then_some(Reason::NoRule)
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        Selection::all(listed_sets(view, context).map(|set| {
            let tags = reachable_tags(view, set.book, subject);
            let reached = union(tags.into_iter().filter_map(|tag| view.population.members(tag)));
            let targets = set.book.targets.all.iter();
            let targets =
                targets.filter(|target| is_reacher(view, subject, target)).map(|target| {
                    let others = target_users(view, target);
                    between(view, context, subject, RelationSide::Owner, target, others)
                });
            let reached = Selection::any([reached].into_iter().chain(targets));
            with_exempt_users(view, context, subject, set.scope, reached)
        }))
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        let Some(other) = other else { return Selection::everybody() };
        Selection::all(listed_sets(view, context).map(|set| {
            let tags = other.tags(view).iter();
            let reachers = union(tags.filter_map(|tag| set.book.reachers(tag)));
            let has = other.tag_predicate(view);
            let targets = set.book.targets.all.iter();
            let targets = targets.filter(|target| target.outcome.holds(&has)).map(|target| {
                let subjects = Selection::from(&target.reachers);
                between(view, context, other, RelationSide::Other, target, subjects)
            });
            let reachers = Selection::any([reachers].into_iter().chain(targets));
            with_exempt_users(view, context, other, set.scope, reachers)
        }))
    }

    fn one_sided<'v>(&self, view: &'v View, context: &GateContext<'_>) -> OneSided<'v> {
        let mut sets = listed_sets(view, context);
        let mut one_sided = OneSided::default();
        let Some(first) = sets.next() else { return one_sided };
        let is_plain = |set: &ConcernedSet<'_>| set.name.is_none() && set.book.targets.is_empty();
        if is_plain(&first) {
            one_sided.rules = Some(first.book);
        } else {
            one_sided.pairwise.push(PairCondition::opened_by(first.book));
        }
        one_sided.pairwise.extend(sets.map(|set| PairCondition::opened_by(set.book)));
        one_sided
    }

    fn consulted(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        pair.other?;
        applicable_sets(view, context, pair).next()?;
        let opening = opening_rules(view, context, pair);
        Some(opening.into_iter().map(|rule| StatementId::Rule(rule.id)).collect())
    }

    fn describe(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let has_section = context.requirements.rules != RuleScope::Never;
        let is_concerned = concerned_sets(view, context).next().is_some();
        let Some(resource) = pair.other.filter(|_| has_section || is_concerned) else {
            return format!("rules don't concern {} here", context.requested_name(view));
        };
        if !is_concerned && !view.rule_sets.is_empty() {
            return format!("no rule set concerns {} here", context.requested_name(view));
        }
        if !is_concerned {
            return "the policy has no rules section, so rules refuse nothing".to_owned();
        }
        if pair.is_exempt_self(context) {
            return "rules don't apply to oneself".to_owned();
        }
        let asked: Vec<ConcernedSet<'_>> = applicable_sets(view, context, pair).collect();
        if asked.is_empty() {
            let who = if context.conversation.is_some() { "the request" } else { "the facts" };
            return format!("the conversation exists already, by {who}; rules concern new ones");
        }
        let shut = asked.iter().find(|set| !opens(view, context, pair, resource, set.book));
        if let Some(set) = shut {
            return describe_shut(view, pair.subject, resource, set);
        }
        let opened = asked.iter().map(|set| {
            let opening = opening_rules_of(view, context, pair, resource, set.book);
            let names = render_names(opening.iter().map(|rule| rule_name(rule)));
            match set.name {
                Some(name) => format!("`{name}` opened by {names}"),
                None => format!("opened by {names}"),
            }
        });
        opened.collect::<Vec<_>>().join("; ")
    }
}

/// Why no rule of a set opens a pair.
fn describe_shut(
    view: &View,
    subject: &Principal<'_>,
    resource: &Principal<'_>,
    set: &ConcernedSet<'_>,
) -> String {
    let of_set = set.name.map_or_else(String::new, |name| format!("`{name}`: "));
    let has = |user: &Principal<'_>| format!("`{}` has {}", user.id, user.render_tags(view));
    if set.book.rules.is_empty() {
        return format!("{of_set}there is no rule, so nothing is opened");
    }
    let reachable = reachable_tags(view, set.book, subject);
    // Of rules with a condition as outcome, those which the resource meets lack what is between the two.
    let is_target = |target: &RuleTarget| {
        is_reacher(view, subject, target) && target.outcome.holds(&resource.tag_predicate(view))
    };
    let targets = set.book.targets.all.iter().filter(|target| is_target(target));
    let names: Vec<Cow<'_, str>> = targets
        .flat_map(|target| &target.rules)
        .filter(|rule| is_met(rule, view, subject))
        .map(|rule| rule_name(rule))
        .collect();
    if !set.book.rules.iter().any(|rule| is_met(rule, view, subject)) {
        return format!("{of_set}{}, which meets the condition of no rule", has(subject));
    }
    if reachable.is_empty() && names.is_empty() {
        return format!(
            "{of_set}{}, which meets the outcome of none of the rules of `{}`",
            has(resource),
            subject.id
        );
    }
    if names.is_empty() {
        return format!(
            "{of_set}{}, whose rules lead to {}; {}",
            has(subject),
            render_tag_list(view, reachable.iter().copied()),
            has(resource)
        );
    }
    let lists = if reachable.is_empty() {
        String::new()
    } else {
        format!("lead to {}, and those of ", render_tag_list(view, reachable.iter().copied()))
    };
    format!(
        "{of_set}{}, whose rules {lists}{} ask for more than there is between the two; {}",
        has(subject),
        render_names(names.into_iter()),
        has(resource)
    )
}

/// The rule sets that apply to users who have no conversation.
fn listed_sets<'v>(
    view: &'v View,
    context: &GateContext<'_>,
) -> impl Iterator<Item = ConcernedSet<'v>> {
    let exists = context.conversation == Some(Conversation::Existing);
    concerned_sets(view, context).filter(move |set| !exists || set.scope == RuleScope::Always)
}

/// The users whom the outcome of a target selects.
fn target_users<'v>(view: &'v View, target: &RuleTarget) -> Selection<'v> {
    match &target.outcome {
        Outcome::Tags(tags) => union(tags.iter().filter_map(|&tag| view.population.members(tag))),
        Outcome::Condition(condition) => view.population.selection(condition),
    }
}

/// Those of some users between whom and a principal is what the target asks for.
fn between<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    principal: &Principal<'_>,
    side: RelationSide,
    target: &RuleTarget,
    users: Selection<'v>,
) -> Selection<'v> {
    let Some(between) = &target.between else { return users };
    Selection::all([users, related_users(view, context, principal, side, between)])
}

/// The users whom rules admit, with those to whom rules don't apply: users who have a conversation with
/// the principal already, and the principal where users may act on themselves.
fn with_exempt_users<'v>(
    view: &View,
    context: &GateContext<'_>,
    principal: &Principal<'_>,
    scope: RuleScope,
    users: Selection<'v>,
) -> Selection<'v> {
    let partners = match scope {
        RuleScope::WhenNew => context.conversation_partners(view, principal),
        RuleScope::Never | RuleScope::Always => UserSet::default(),
    };
    Selection::any([users, partners.into(), context.exempt_self(principal)])
}

/// The rules that let the subject reach the resource or `member`, by rule set, each in the order of their
/// ids; empty where rules don't apply. Costs a look at each rule whose outcome names a tag of the resource, and
/// at each whose outcome is a condition.
pub fn opening_rules<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> Vec<&'v CompiledRule> {
    let Some(resource) = pair.other else { return Vec::new() };
    applicable_sets(view, context, pair)
        .flat_map(|set| opening_rules_of(view, context, pair, resource, set.book))
        .collect()
}

/// The rules of a book that open a pair, in the order of their ids.
fn opening_rules_of<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
    resource: &Principal<'_>,
    book: &'v RuleBook,
) -> Vec<&'v CompiledRule> {
    let plain = book.rules_naming_any(resource.tags(view).iter()).into_iter().map(|(_, rule)| rule);
    let targets = book.targets.all.iter();
    let targets = targets.filter(|target| is_target_met(view, context, pair, resource, target));
    let of_targets = targets.flat_map(|target| &target.rules).map(|rule| &**rule);
    let mut opening: Vec<&CompiledRule> =
        plain.chain(of_targets).filter(|rule| is_met(rule, view, pair.subject)).collect();
    opening.sort_unstable_by_key(|rule| rule.id);
    opening
}

fn is_met(rule: &CompiledRule, view: &View, subject: &Principal<'_>) -> bool {
    let tags = subject.tags(view);
    rule.condition.holds(&|tag| tags.contains(*tag))
}

/// The tags whose users the subject may reach.
fn reachable_tags(view: &View, book: &RuleBook, subject: &Principal<'_>) -> Vec<TagId> {
    if let Some(number) = subject.stored_number() {
        let tags = view.tags.iter().map(|(tag, _)| tag);
        return tags
            .filter(|&tag| book.reachers(tag).is_some_and(|users| users.contains(number)))
            .collect();
    }
    let met = book.rules.iter().filter(|rule| is_met(rule, view, subject));
    let mut tags: Vec<TagId> = met.flat_map(|rule| rule.listed_tags()).copied().collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

fn union<'v>(sets: impl Iterator<Item = &'v UserSet>) -> Selection<'v> {
    Selection::any(sets.map(Selection::from))
}

fn rule_name(rule: &CompiledRule) -> Cow<'_, str> {
    match &rule.name {
        Some(name) => Cow::Owned(format!("`{name}`")),
        None => Cow::Owned(rule.id.to_string()),
    }
}
