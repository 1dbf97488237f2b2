use std::borrow::Cow;

use super::{
    Gate, Pair, Party, Scene,
    demands::Asks,
    party::{list, named},
    scene::Place,
};
use crate::{
    request::{Conversation, GateName, Reason, Statement},
    snapshot::{Rule, RuleBook, Selection, TagId, UserSet, View},
};

/// Open if the policy has no rules section, or if the resource or `member` has a tag whose users the
/// subject may reach. Existing conversations are no rule's business.
pub(super) struct Rules;

impl Rules {
    /// The rules, if they are asked about a pair.
    #[inline]
    fn asked<'v>(view: &'v View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<&'v RuleBook> {
        let book = view.rules.as_ref()?;
        let is_asked = match scene.demands.rules {
            Asks::Never => false,
            Asks::Always => true,
            Asks::WhenNew => pair.conversation(scene) == Conversation::New,
        };
        (is_asked && !pair.is_oneself_in_group(scene)).then_some(book)
    }
}

impl Gate for Rules {
    fn name(&self) -> GateName {
        GateName::Rules
    }

    #[inline]
    fn check(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
        let book = Self::asked(view, scene, pair)?;
        let resource = pair.other?;
        let reaches = match pair.subject.is_stored() {
            Some(number) => resource
                .tags(view)
                .any(|tag| book.reachers(tag).is_some_and(|users| users.contains(number))),
            None => book
                .naming_any(resource.tags(view).iter())
                .iter()
                .any(|(_, rule)| is_met(rule, view, pair.subject)),
        };
        (!reaches).then_some(Reason::NoRule)
    }

    fn admits<'v>(&self, view: &'v View, scene: &Scene<'_>, subject: &Party<'_>) -> Selection<'v> {
        let Some(book) = listed(view, scene) else { return Selection::everybody() };
        let tags = reachable_tags(view, book, subject);
        let reached = union(tags.into_iter().filter_map(|tag| view.population.members(tag)));
        with_exempt(view, scene, subject, reached)
    }

    fn admitted<'v>(
        &self,
        view: &'v View,
        scene: &Scene<'_>,
        other: Option<&Party<'_>>,
    ) -> Selection<'v> {
        let (Some(book), Some(other)) = (listed(view, scene), other) else {
            return Selection::everybody();
        };
        let reachers = union(other.tags(view).iter().filter_map(|tag| book.reachers(tag)));
        with_exempt(view, scene, other, reachers)
    }

    fn asks(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Vec<Statement>> {
        Self::asked(view, scene, pair)?;
        let opening = opening_rules(view, scene, pair);
        Some(opening.into_iter().map(|rule| Statement::Rule(rule.id)).collect())
    }

    fn detail(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> String {
        let (Some(resource), true) = (pair.other, scene.demands.rules != Asks::Never) else {
            return format!("rules don't concern {} here", scene.action);
        };
        let Some(book) = &view.rules else {
            return "the policy has no rules section, so rules refuse nothing".to_owned();
        };
        if pair.is_oneself_in_group(scene) {
            return "rules are about others".to_owned();
        }
        if scene.demands.rules == Asks::WhenNew
            && pair.conversation(scene) == Conversation::Existing
        {
            let who = if scene.conversation.is_some() { "the request" } else { "the facts" };
            return format!("the conversation exists already, by {who}; rules concern new ones");
        }
        let opening = opening_rules(view, scene, pair);
        if !opening.is_empty() {
            return format!("opened by {}", named(opening.iter().map(|rule| rule_name(rule))));
        }
        let has = |party: &Party<'_>| format!("`{}` has {}", party.id, party.tag_list(view));
        let reachable = reachable_tags(view, book, pair.subject);
        if reachable.is_empty() {
            return format!("{}, which meets the condition of no rule", has(pair.subject));
        }
        format!(
            "{}, whose rules lead to {}; {}",
            has(pair.subject),
            list(view, reachable.iter().copied()),
            has(resource)
        )
    }
}

/// The rules, if a list has to do with them.
fn listed<'v>(view: &'v View, scene: &Scene<'_>) -> Option<&'v RuleBook> {
    let is_asked = match scene.demands.rules {
        Asks::Never => false,
        Asks::Always => true,
        Asks::WhenNew => scene.conversation != Some(Conversation::Existing),
    };
    view.rules.as_deref().filter(|_| is_asked)
}

/// With those about whom rules are not asked, though they are about others: those who have a
/// conversation with someone already, and himself in a group.
fn with_exempt<'v>(
    view: &View,
    scene: &Scene<'_>,
    who: &Party<'_>,
    users: Selection<'v>,
) -> Selection<'v> {
    let talking = if scene.demands.rules == Asks::WhenNew {
        scene.talking_with(view, who)
    } else {
        UserSet::default()
    };
    Selection::any([users, talking.into(), oneself_in_group(scene, who)])
}

/// The user himself where the action is done in a group: there it may be done to oneself.
pub(super) fn oneself_in_group<'v>(scene: &Scene<'_>, who: &Party<'_>) -> Selection<'v> {
    let number = who.number.filter(|_| scene.place != Place::User);
    number.into_iter().collect::<UserSet>().into()
}

/// The rules that let the subject reach the resource or `member`, in the order of their ids; none
/// where rules are not asked. Costs a look at each rule whose outcome names a tag of the resource.
pub fn opening_rules<'v>(view: &'v View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Vec<&'v Rule> {
    let (Some(book), Some(resource)) = (Rules::asked(view, scene, pair), pair.other) else {
        return Vec::new();
    };
    book.naming_any(resource.tags(view).iter())
        .into_iter()
        .map(|(_, rule)| rule)
        .filter(|rule| is_met(rule, view, pair.subject))
        .collect()
}

/// The rules whose condition the subject meets, in the order of their ids. Costs a look at each
/// rule.
fn met_rules<'v>(view: &'v View, subject: &Party<'_>) -> Vec<&'v Rule> {
    let rules = view.rules.iter().flat_map(|book| book.rules.iter());
    rules.map(|rule| &**rule).filter(|rule| is_met(rule, view, subject)).collect()
}

fn is_met(rule: &Rule, view: &View, subject: &Party<'_>) -> bool {
    let tags = subject.tags(view);
    rule.condition.holds(&|tag| tags.contains(*tag))
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
