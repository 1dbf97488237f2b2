//! Whether two views answer alike, whatever they are made of.

use std::collections::{BTreeMap, BTreeSet};

use peerage::{
    decide::{allowed_actions, decide, explain, reach, reachable_groups, reached_by},
    request::{
        DeclarationSite, DeclaredField, Group as AskedGroup, Relation, Request, Resource, Switch,
        User as AskedUser,
    },
    snapshot::{UserNumber, View, ViewCounts},
};

use super::records;
use crate::{
    oracle::{ACTIONS, BUILT_IN, Group, User, World, kinds},
    worlds::{
        Chance,
        questions::{STRANGERS, Subjects, action, request},
    },
};

/// What a view is asked: all answers to a fixed and to a random part.
pub(crate) fn all(view: &View, matrices: &[String], seed: u64) -> Vec<String> {
    let chance = &mut Chance(seed);
    let mut said = Vec::new();
    let world = everyone(matrices);
    let subjects = Subjects::of(&world);
    for _ in 0..60 {
        let question = subjects.question(chance);
        let request = request(&question);
        let explanation = explain(view, &request);
        assert_eq!(explanation.decision, decide(view, &request));
        // In words, tags stand in the order of their numbers.
        let found: Vec<_> = explanation.findings.iter().map(|it| (it.gate, it.closed)).collect();
        let (rules, about) = (&explanation.rules, &explanation.concerned_user);
        said.push(format!(
            "{question:?}: {:?} {found:?} {rules:?} {about:?}",
            explanation.decision
        ));
        if question.fits() && chance.percent(25) {
            let list = reach(view, &request);
            let limit = 1 + chance.place(5);
            let mut pages = Vec::new();
            let mut after: Option<String> = None;
            loop {
                let page = list.page(after.as_deref(), limit);
                pages.extend(page.ids.iter().map(|id| (*id).to_owned()));
                let Some(next) = page.next else { break };
                after = Some(next.to_owned());
            }
            assert_eq!(pages, list.ids().collect::<Vec<_>>(), "{question:?}");
            assert!(pages.is_sorted());
            let by: Vec<&str> = reached_by(view, &request).ids().collect();
            said.push(format!("{question:?} reaches {pages:?}, is reached by {by:?}"));
            let open =
                Request { resource: Resource::Group(AskedGroup::from("")), ..request.clone() };
            said.push(format!("{question:?} in {:?}", reachable_groups(view, &open).ids()));
            said.push(format!("{question:?} and {:?}", allowed_actions(view, &request)));
        }
    }
    said.extend(pairs(view, chance));
    said
}

/// One action between users, for all pairs; the lists against the decisions.
fn pairs(view: &View, chance: &mut Chance) -> Vec<String> {
    let between: Vec<&str> =
        ACTIONS.into_iter().filter(|action| kinds(action).contains(&"user")).collect();
    let action = action(chance.pick::<&str>(&between));
    let ids: Vec<&str> = records::people().into_iter().chain(STRANGERS).collect();
    let known: BTreeSet<&str> =
        ids.iter().copied().filter(|id| view.population.directory.number(id).is_some()).collect();
    let mut said = Vec::new();
    let mut reached: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for &one in &ids {
        let mut open = Vec::new();
        for &other in &ids {
            let decision = decide(view, &Request::new(one, action, other));
            said.push(format!("{one} {action} {other}: {decision:?}"));
            if decision.allow {
                if known.contains(other) {
                    open.push(other);
                }
                if known.contains(one) {
                    reached.entry(other).or_default().push(one);
                }
            }
        }
        open.sort_unstable();
        let list: Vec<&str> = reach(view, &Request::new(one, action, "")).ids().collect();
        assert_eq!(list, open, "{one} {action}");
    }
    for &one in &ids {
        let mut open = reached.remove(one).unwrap_or_default();
        open.sort_unstable();
        let request = Request { subject: AskedUser::from(""), ..Request::new("", action, one) };
        let list: Vec<&str> = reached_by(view, &request).ids().collect();
        assert_eq!(list, open, "{action} {one}");
    }
    said
}

/// What a view holds, told without the numbers that it gives to what it holds.
pub(crate) fn held(view: &View) -> Vec<String> {
    let (population, directory) = (&view.population, &view.population.directory);
    let mut said = Vec::new();
    let ViewCounts { tag_sets, users, tags, rules, groups, matrices, memberships, .. } =
        view.counts();
    said.push(format!("{users} {tags} {tag_sets} {rules} {groups} {matrices} {memberships}"));
    let ViewCounts { conversations, banned, silenced, shadowed, relations, .. } = view.counts();
    said.push(format!("{conversations} {banned} {silenced} {shadowed} {relations:?}"));
    said.push(format!("{:?} {:?}", view.only_rules_restrict, view.states.is_unrestricted()));
    let names = |ids: &mut dyn Iterator<Item = UserNumber>| -> Vec<String> {
        let mut names: Vec<String> = ids.map(|user| directory.id(user).to_owned()).collect();
        names.sort();
        names
    };
    said.push(format!("everyone {:?}", names(&mut population.everyone.iter())));
    if let Some(managers) = &view.managers {
        said.push(format!("managers {:?}", names(&mut managers.iter())));
    }
    for (tag, name) in view.tags.sorted() {
        let members = population.members(tag).map(|set| names(&mut set.iter()));
        let reachers = view.rules.as_ref().and_then(|book| book.reachers(tag));
        let reachers = reachers.map(|set| names(&mut set.iter())).unwrap_or_default();
        let rules = view.rules.as_ref().map_or(0, |book| book.rules_naming(tag).len());
        let members = members.unwrap_or_default();
        if !members.is_empty() || rules > 0 {
            said.push(format!("{name}: {members:?} {reachers:?} {rules}"));
        }
    }
    if let Some(book) = &view.rules {
        for rule in book.rules.iter() {
            let when = rule.condition.map(&mut |tag| view.tags.name(*tag));
            let outcome: Vec<&str> =
                rule.outcome.tags().iter().map(|tag| view.tags.name(*tag)).collect();
            said.push(format!("{} {when} {outcome:?} {:?}", rule.id, rule.description));
        }
    }
    let lists = [
        view.states.banned(),
        view.states.silenced(),
        view.states.shadowed(),
        view.states.refusing_requests(),
        view.states.with_full_friend_list(),
    ];
    let switches = Switch::ALL.iter().map(|&switch| view.states.with_switch_on(switch));
    for selection in lists.into_iter().chain(switches) {
        said.push(format!("{:?}", names(&mut selection.within(&population.everyone).iter())));
    }
    for id in records::people() {
        said.push(user(view, id));
    }
    for (number, group) in view.groups.iter() {
        let members = names(&mut group.members());
        let supers = names(&mut group.super_admins());
        let admins = names(&mut group.admins());
        let creator = group.creator.map(|user| directory.id(user));
        let matrix = group.matrix.and_then(|number| view.matrix(number)).map(|matrix| {
            let name = |tag: &peerage::snapshot::TagId| view.tags.name(*tag).to_owned();
            let metadata = matrix.metadata.as_ref();
            let fields = metadata.map(|fields| fields.map(&mut |value| value.map(&mut { name })));
            let each = matrix.permissions.map(|value| value.map(&mut { name }));
            format!("{} {each:?} {fields:?}", matrix.name)
        });
        assert_eq!(view.groups.number(group.id), Some(number));
        said.push(format!("{} {members:?} {supers:?} {admins:?} {creator:?} {matrix:?}", group.id));
    }
    said
}

fn user(view: &View, id: &str) -> String {
    let population = &view.population;
    let directory = &population.directory;
    let Some(user) = directory.number_or_tombstone(id) else { return format!("{id}: nobody") };
    let mut ties: Vec<String> = population
        .ties_of(user)
        .map(|(other, tie)| {
            let of = population.tie(other, user);
            assert_eq!(population.tie(user, other).to_bytes(), tie.to_bytes());
            assert_eq!(of.to_bytes(), tie.reversed().to_bytes());
            let stated: Vec<bool> = Relation::ALL.iter().map(|&it| tie.is_declared(it)).collect();
            format!("{} {:?} {stated:?}", directory.id(other), tie.to_bytes())
        })
        .collect();
    ties.sort();
    let Some(user) = directory.number(id) else {
        // Who is named by nothing is as good as nobody.
        return if ties.is_empty() { format!("{id}: nobody") } else { format!("{id}: {ties:?}") };
    };
    let mut tags: Vec<&str> = directory.tags(user).iter().map(|tag| view.tags.name(tag)).collect();
    tags.sort_unstable();
    let (own, conditions) = population.overrides(user);
    let conditions: Vec<String> = conditions
        .iter()
        .map(|(_, switch, when)| format!("{switch} {}", when.map(&mut |tag| view.tags.name(*tag))))
        .collect();
    let stated = population.declared_fields(user);
    let place = if stated.contains(DeclaredField::Itself) {
        stated.site()
    } else {
        DeclarationSite::default()
    };
    let groups: Vec<&str> = view
        .groups
        .groups_of(user)
        .into_iter()
        .map(|group| view.groups.get(group).map_or("", |it| it.id))
        .collect();
    let standing = directory.state(user);
    format!(
        "{id}: {tags:?} {own:?} {conditions:?} {stated:?} {place:?} {ties:?} {groups:?} {standing:?}"
    )
}

/// All who may be there, to ask of.
fn everyone(matrices: &[String]) -> World {
    let everybody: Vec<String> = records::people().into_iter().map(String::from).collect();
    let group = |id: &str| {
        let members = everybody.clone();
        (id.to_owned(), Group { members, ..Group::default() })
    };
    World {
        users: everybody.iter().map(|id| (id.clone(), User::default())).collect(),
        groups: records::groups().into_iter().map(group).collect(),
        matrices: matrices
            .iter()
            .filter(|name| !BUILT_IN.contains(&name.as_str()))
            .map(|name| (name.clone(), crate::oracle::Matrix::default()))
            .collect(),
        ..World::default()
    }
}
