//! The gate `rules`: the rules of the policy.

use std::borrow::Cow;

use super::{
    context::GateContext,
    denial::DenialReason,
    gate::{Gate, GateScope},
    one_sided::OneSided,
    pair::PrincipalPair,
    principal::Principal,
    render::{render_names, render_tag_list},
    requirements::RuleScope,
};
use crate::{
    request::{Conversation, GateName, Reason, StatementId},
    snapshot::{CompiledRule, RuleBook, Selection, TagId, UserSet, View},
};

/// The gate `rules`: open if the policy has no rules section, or if the resource or `member` has a tag
/// that a rule lets the subject reach. Of most actions it is open in existing conversations too.
pub(super) struct RulesGate;

impl RulesGate {
    pub(super) const DENIALS: &'static [DenialReason] = &[DenialReason::of_nobody(Reason::NoRule)];
}

/// The rules, if they apply to a pair.
#[inline]
fn applicable_rules<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> Option<&'v RuleBook> {
    let book = view.rules.as_ref()?;
    let applies = match context.requirements.rules {
        RuleScope::Never => false,
        RuleScope::Always => true,
        RuleScope::WhenNew => pair.conversation(context) == Conversation::New,
    };
    (applies && !pair.is_self_in_group(context)).then_some(book)
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
        let book = applicable_rules(view, context, pair)?;
        let resource = pair.other?;
        let reaches = match pair.subject.stored_number() {
            Some(number) => resource
                .tags(view)
                .any(|tag| book.reachers(tag).is_some_and(|users| users.contains(number))),
            None => book
                .rules_naming_any(resource.tags(view).iter())
                .iter()
                .any(|(_, rule)| is_met(rule, view, pair.subject)),
        };
        (!reaches).then_some(Reason::NoRule)
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        let Some(book) = rules_for_list(view, context) else { return Selection::everybody() };
        let tags = reachable_tags(view, book, subject);
        let reached = union(tags.into_iter().filter_map(|tag| view.population.members(tag)));
        with_exempt_users(view, context, subject, reached)
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        let (Some(book), Some(other)) = (rules_for_list(view, context), other) else {
            return Selection::everybody();
        };
        let reachers = union(other.tags(view).iter().filter_map(|tag| book.reachers(tag)));
        with_exempt_users(view, context, other, reachers)
    }

    fn one_sided<'v>(&self, view: &'v View, context: &GateContext<'_>) -> OneSided<'v> {
        OneSided { rules: rules_for_list(view, context), ..OneSided::default() }
    }

    fn consulted(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        applicable_rules(view, context, pair)?;
        let opening = opening_rules(view, context, pair);
        Some(opening.into_iter().map(|rule| StatementId::Rule(rule.id)).collect())
    }

    fn describe(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let (Some(resource), true) = (pair.other, context.requirements.rules != RuleScope::Never)
        else {
            return format!("rules don't concern {} here", context.action);
        };
        let Some(book) = &view.rules else {
            return "the policy has no rules section, so rules refuse nothing".to_owned();
        };
        if pair.is_self_in_group(context) {
            return "rules don't apply to oneself".to_owned();
        }
        if context.requirements.rules == RuleScope::WhenNew
            && pair.conversation(context) == Conversation::Existing
        {
            let who = if context.conversation.is_some() { "the request" } else { "the facts" };
            return format!("the conversation exists already, by {who}; rules concern new ones");
        }
        let opening = opening_rules(view, context, pair);
        if !opening.is_empty() {
            return format!(
                "opened by {}",
                render_names(opening.iter().map(|rule| rule_name(rule)))
            );
        }
        let has = |user: &Principal<'_>| format!("`{}` has {}", user.id, user.render_tags(view));
        let reachable = reachable_tags(view, book, pair.subject);
        if reachable.is_empty() {
            return format!("{}, which meets the condition of no rule", has(pair.subject));
        }
        format!(
            "{}, whose rules lead to {}; {}",
            has(pair.subject),
            render_tag_list(view, reachable.iter().copied()),
            has(resource)
        )
    }
}

/// The rules, if they apply to users who have no conversation.
fn rules_for_list<'v>(view: &'v View, context: &GateContext<'_>) -> Option<&'v RuleBook> {
    let applies = match context.requirements.rules {
        RuleScope::Never => false,
        RuleScope::Always => true,
        RuleScope::WhenNew => context.conversation != Some(Conversation::Existing),
    };
    view.rules.as_deref().filter(|_| applies)
}

/// The users whom rules admit, with those to whom rules don't apply: users who have a conversation with
/// the principal already, and the principal in a group.
fn with_exempt_users<'v>(
    view: &View,
    context: &GateContext<'_>,
    principal: &Principal<'_>,
    users: Selection<'v>,
) -> Selection<'v> {
    let partners = if context.requirements.rules == RuleScope::WhenNew {
        context.conversation_partners(view, principal)
    } else {
        UserSet::default()
    };
    Selection::any([users, partners.into(), context.self_in_group(principal)])
}

/// The rules that let the subject reach the resource or `member`, in the order of their ids; empty
/// where rules don't apply. Costs a look at each rule whose outcome names a tag of the resource.
pub fn opening_rules<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> Vec<&'v CompiledRule> {
    let (Some(book), Some(resource)) = (applicable_rules(view, context, pair), pair.other) else {
        return Vec::new();
    };
    book.rules_naming_any(resource.tags(view).iter())
        .into_iter()
        .map(|(_, rule)| rule)
        .filter(|rule| is_met(rule, view, pair.subject))
        .collect()
}

/// The rules whose condition the subject meets, in the order of their ids. Costs a look at each rule.
fn met_rules<'v>(view: &'v View, subject: &Principal<'_>) -> Vec<&'v CompiledRule> {
    let rules = view.rules.iter().flat_map(|book| book.rules.iter());
    rules.map(|rule| &**rule).filter(|rule| is_met(rule, view, subject)).collect()
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
    let rules = met_rules(view, subject);
    let mut tags: Vec<TagId> = rules.iter().flat_map(|rule| &rule.outcome).copied().collect();
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
