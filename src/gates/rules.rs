use std::borrow::Cow;

use super::{
    Gate, GateContext, Principal, PrincipalPair,
    context::GateTarget,
    principal::{render_names, render_tag_list},
    requirements::RuleScope,
};
use crate::{
    request::{Conversation, GateName, Reason, StatementId},
    snapshot::{CompiledRule, RuleBook, Selection, TagId, UserSet, View},
};

/// Open if the policy has no rules section, or if the resource or `member` has a tag whose users the
/// subject may reach. Existing conversations are no rule's business.
pub(super) struct RulesGate;

impl RulesGate {
    /// The rules, if they are asked about a pair.
    #[inline]
    fn applicable_rules<'v>(
        view: &'v View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<&'v RuleBook> {
        let book = view.rules.as_ref()?;
        let is_asked = match scene.requirements.rules {
            RuleScope::Never => false,
            RuleScope::Always => true,
            RuleScope::WhenNew => pair.conversation(scene) == Conversation::New,
        };
        (is_asked && !pair.is_self_in_group(scene)).then_some(book)
    }
}

impl Gate for RulesGate {
    fn name(&self) -> GateName {
        GateName::Rules
    }

    #[inline]
    fn check(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        let book = Self::applicable_rules(view, scene, pair)?;
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
        scene: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        let Some(book) = rules_for_list(view, scene) else { return Selection::everybody() };
        let tags = reachable_tags(view, book, subject);
        let reached = union(tags.into_iter().filter_map(|tag| view.population.members(tag)));
        with_exempt_users(view, scene, subject, reached)
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        let (Some(book), Some(other)) = (rules_for_list(view, scene), other) else {
            return Selection::everybody();
        };
        let reachers = union(other.tags(view).iter().filter_map(|tag| book.reachers(tag)));
        with_exempt_users(view, scene, other, reachers)
    }

    fn consulted(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        Self::applicable_rules(view, scene, pair)?;
        let opening = opening_rules(view, scene, pair);
        Some(opening.into_iter().map(|rule| StatementId::Rule(rule.id)).collect())
    }

    fn describe(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let (Some(resource), true) = (pair.other, scene.requirements.rules != RuleScope::Never)
        else {
            return format!("rules don't concern {} here", scene.action);
        };
        let Some(book) = &view.rules else {
            return "the policy has no rules section, so rules refuse nothing".to_owned();
        };
        if pair.is_self_in_group(scene) {
            return "rules are about others".to_owned();
        }
        if scene.requirements.rules == RuleScope::WhenNew
            && pair.conversation(scene) == Conversation::Existing
        {
            let who = if scene.conversation.is_some() { "the request" } else { "the facts" };
            return format!("the conversation exists already, by {who}; rules concern new ones");
        }
        let opening = opening_rules(view, scene, pair);
        if !opening.is_empty() {
            return format!(
                "opened by {}",
                render_names(opening.iter().map(|rule| rule_name(rule)))
            );
        }
        let has = |party: &Principal<'_>| format!("`{}` has {}", party.id, party.render_tags(view));
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

/// The rules, if a list has to do with them.
fn rules_for_list<'v>(view: &'v View, scene: &GateContext<'_>) -> Option<&'v RuleBook> {
    let is_asked = match scene.requirements.rules {
        RuleScope::Never => false,
        RuleScope::Always => true,
        RuleScope::WhenNew => scene.conversation != Some(Conversation::Existing),
    };
    view.rules.as_deref().filter(|_| is_asked)
}

/// With those about whom rules are not asked, though they are about others: those who have a
/// conversation with someone already, and himself in a group.
fn with_exempt_users<'v>(
    view: &View,
    scene: &GateContext<'_>,
    who: &Principal<'_>,
    users: Selection<'v>,
) -> Selection<'v> {
    let talking = if scene.requirements.rules == RuleScope::WhenNew {
        scene.conversation_partners(view, who)
    } else {
        UserSet::default()
    };
    Selection::any([users, talking.into(), self_in_group(scene, who)])
}

/// The user himself where the action is done in a group: there it may be done to oneself.
pub(super) fn self_in_group<'v>(scene: &GateContext<'_>, who: &Principal<'_>) -> Selection<'v> {
    let number = who.number.filter(|_| scene.target != GateTarget::User);
    number.into_iter().collect::<UserSet>().into()
}

/// The rules that let the subject reach the resource or `member`, in the order of their ids; none
/// where rules are not asked. Costs a look at each rule whose outcome names a tag of the resource.
pub fn opening_rules<'v>(
    view: &'v View,
    scene: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> Vec<&'v CompiledRule> {
    let (Some(book), Some(resource)) = (RulesGate::applicable_rules(view, scene, pair), pair.other)
    else {
        return Vec::new();
    };
    book.rules_naming_any(resource.tags(view).iter())
        .into_iter()
        .map(|(_, rule)| rule)
        .filter(|rule| is_met(rule, view, pair.subject))
        .collect()
}

/// The rules whose condition the subject meets, in the order of their ids. Costs a look at each
/// rule.
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
