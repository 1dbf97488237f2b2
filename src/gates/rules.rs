use std::borrow::Cow;

use super::{Gate, Party, list};
use crate::{
    request::{GateName, Reason},
    snapshot::{Rule, RuleBook, Selection, TagId, UserSet, View},
};

/// Open if the policy has no rules section, or if the resource has a tag whose users the subject
/// may reach.
pub(super) struct Rules;

impl Gate for Rules {
    fn name(&self) -> GateName {
        GateName::Rules
    }

    #[inline]
    fn check(&self, view: &View, subject: &Party<'_>, resource: &Party<'_>) -> Option<Reason> {
        let Some(book) = &view.rules else { return None };
        let reaches = match subject.is_stored() {
            Some(number) => resource
                .tags(view)
                .iter()
                .any(|&tag| book.reachers(tag).is_some_and(|users| users.contains(number))),
            None => book
                .naming_any(resource.tags(view))
                .iter()
                .any(|(_, rule)| is_met(rule, view, subject)),
        };
        (!reaches).then_some(Reason::NoRule)
    }

    fn admits<'v>(&self, view: &'v View, subject: &Party<'_>) -> Selection<'v> {
        let Some(book) = &view.rules else { return Selection::everybody() };
        let tags = reachable_tags(view, book, subject);
        union(tags.into_iter().filter_map(|tag| view.population.members(tag)))
    }

    fn admitted<'v>(&self, view: &'v View, resource: &Party<'_>) -> Selection<'v> {
        let Some(book) = &view.rules else { return Selection::everybody() };
        union(resource.tags(view).iter().filter_map(|&tag| book.reachers(tag)))
    }

    fn detail(&self, view: &View, subject: &Party<'_>, resource: &Party<'_>) -> String {
        let Some(book) = &view.rules else {
            return "the policy has no rules section, so rules refuse nothing".to_owned();
        };
        let opening = opening_rules(view, subject, resource);
        if !opening.is_empty() {
            let names: Vec<_> = opening.iter().map(|rule| rule_name(rule)).collect();
            return format!("opened by {}", names.join(", "));
        }
        let has = |party: &Party<'_>| format!("`{}` has {}", party.id, party.tag_list(view));
        let reachable = reachable_tags(view, book, subject);
        if reachable.is_empty() {
            return format!("{}, which meets the condition of no rule", has(subject));
        }
        format!(
            "{}, whose rules lead to {}; {}",
            has(subject),
            list(view, &reachable),
            has(resource)
        )
    }
}

/// The rules that let the subject reach the resource, in the order of their ids. Costs a look at
/// each rule whose outcome names a tag of the resource.
pub fn opening_rules<'v>(
    view: &'v View,
    subject: &Party<'_>,
    resource: &Party<'_>,
) -> Vec<&'v Rule> {
    let Some(book) = &view.rules else { return Vec::new() };
    book.naming_any(resource.tags(view))
        .into_iter()
        .map(|(_, rule)| rule)
        .filter(|rule| is_met(rule, view, subject))
        .collect()
}

/// The rules whose condition the subject meets, in the order of their ids. Costs a look at each
/// rule.
fn met_rules<'v>(view: &'v View, subject: &Party<'_>) -> Vec<&'v Rule> {
    let rules = view.rules.iter().flat_map(|book| &book.rules);
    rules.filter(|rule| is_met(rule, view, subject)).collect()
}

fn is_met(rule: &Rule, view: &View, subject: &Party<'_>) -> bool {
    let tags = subject.tags(view);
    rule.condition.holds(&|tag| tags.contains(tag))
}

/// The tags whose users the subject may reach.
fn reachable_tags(view: &View, book: &RuleBook, subject: &Party<'_>) -> Vec<TagId> {
    if let Some(number) = subject.is_stored() {
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

fn rule_name(rule: &Rule) -> Cow<'_, str> {
    match &rule.name {
        Some(name) => Cow::Owned(format!("`{name}`")),
        None => Cow::Owned(rule.id.to_string()),
    }
}
