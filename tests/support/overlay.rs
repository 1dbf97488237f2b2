use peerage::{
    compile,
    diagnostic::{Diagnostics, Report},
    policy,
    snapshot::View,
    source::{Notation, Source, Sources},
    syntax::{
        self,
        ast::{Group, Item, Matrix, Peers, Rule, Settings, Text, User},
        yaml,
    },
};
use serde_json::{Map, Value};

/// What is laid over a policy: sections as in its files. A record replaces the fields that it
/// gives, a section of settings the keys, and a rule those of the same id or name; whatever else
/// is given is added.
pub(super) type Given = Map<String, Value>;

/// The policy as it is with what is given.
pub(super) fn laid_over(policy: &Sources, given: &Given) -> Result<View, Report> {
    let text = Value::Object(given.clone()).to_string();
    // The name comes before all others, so that its statements do.
    let overlay = Source::new("(given)", Notation::Yaml, text.as_str());
    let files = policy
        .iter()
        .map(|(_, source)| Source::new(source.name.clone(), source.notation, source.bytes.clone()));
    let sources = Sources::new(std::iter::once(overlay).chain(files).collect());
    let first = sources.iter().next().map(|(id, source)| (id, source.name.as_str()));
    let (id, name) = first.unwrap();
    assert_eq!(name, "(given)");
    let given = yaml::parse(id, &text, &mut Diagnostics::default()).len();

    let mut problems = Diagnostics::default();
    let mut ast = syntax::parse(&sources, &mut problems);
    for bulk in std::mem::take(&mut ast.bulk) {
        bulk.users(&mut problems, &mut |user, _| ast.items.push(Item::User(user)));
    }
    let stated = ast.items.split_off(given);
    for item in stated {
        let kept = kept(item, &mut ast.items);
        ast.items.extend(kept);
    }
    let policy = policy::resolve(ast, &sources, None, &mut problems);
    if problems.has_errors() {
        return Err(Report::new(problems, &sources));
    }
    Ok(compile::compile(policy, None))
}

/// What stays of an item of the policy beside what is given, to which goes what a record that is
/// given leaves out.
fn kept<'s>(item: Item<'s>, given: &mut [Item<'s>]) -> Option<Item<'s>> {
    match item {
        Item::Rule(rule) => {
            let is_same = |it: &Item<'_>| matches!(it, Item::Rule(it) if same_rule(it, &rule));
            (!given.iter().any(is_same)).then_some(Item::Rule(rule))
        }
        Item::Word(word) => {
            let is_same =
                |it: &Item<'_>| matches!(it, Item::Word(it) if it.section == word.section);
            (!given.iter().any(is_same)).then_some(Item::Word(word))
        }
        Item::Settings(settings) => Some(Item::Settings(Box::new(without(*settings, given)))),
        Item::Peers(peers) => Some(Item::Peers(Box::new(peers_without(*peers, given)))),
        Item::User(user) => {
            let same = given.iter_mut().find_map(|it| match it {
                Item::User(it) if it.id.value == user.id.value => Some(it),
                _ => None,
            });
            let Some(same) = same else { return Some(Item::User(user)) };
            complete_user(same, user);
            None
        }
        Item::Group(group) => {
            let same = given.iter_mut().find_map(|it| match it {
                Item::Group(it) if it.id.value == group.id.value => Some(it),
                _ => None,
            });
            let Some(same) = same else { return Some(Item::Group(group)) };
            complete_group(same, *group);
            None
        }
        Item::Matrix(matrix) => {
            let same = given.iter_mut().find_map(|it| match it {
                Item::Matrix(it) if it.name.value == matrix.name.value => Some(it),
                _ => None,
            });
            let Some(same) = same else { return Some(Item::Matrix(matrix)) };
            complete_matrix(same, *matrix);
            None
        }
        Item::Tags(_)
        | Item::Rules(_)
        | Item::Conversation(_)
        | Item::Invariant(_)
        | Item::Lints(_) => Some(item),
    }
}

fn same_rule(given: &Rule<'_>, stated: &Rule<'_>) -> bool {
    let same = |one: &Option<Text<'_>>, other: &Option<Text<'_>>| match (one, other) {
        (Some(one), Some(other)) => one.value.eq_ignore_ascii_case(&other.value),
        _ => false,
    };
    let same_name = given.name.as_ref().map(|name| &name.value)
        == stated.name.as_ref().map(|name| &name.value)
        && given.name.is_some();
    same(&given.rule_id, &stated.rule_id) || same_name
}

fn without<'s>(mut stated: Settings<'s>, given: &[Item<'_>]) -> Settings<'s> {
    let given = given.iter().filter_map(|it| match it {
        Item::Settings(it) if it.section == stated.section => Some(it),
        _ => None,
    });
    for given in given {
        let is_given = |key: &Text<'_>| given.entries.iter().any(|it| it.key.value == key.value);
        stated.entries.retain(|entry| !is_given(&entry.key));
    }
    stated
}

fn peers_without<'s>(mut stated: Peers<'s>, given: &[Item<'_>]) -> Peers<'s> {
    for given in given {
        let Item::Peers(given) = given else { continue };
        if given.default.is_some() {
            stated.default = None;
        }
        if !given.modes.is_empty() {
            stated.modes.clear();
        }
    }
    stated
}

fn complete_user<'s>(given: &mut User<'s>, stated: User<'s>) {
    given.tags = given.tags.take().or(stated.tags);
    let Some(stated) = stated.more else { return };
    let (given, stated) = (given.more.get_or_insert_default(), *stated);
    if given.permissions.is_empty() {
        given.permissions = stated.permissions;
    }
    given.peers = given.peers.take().or(stated.peers);
    given.moderation = given.moderation.take().or(stated.moderation);
    given.approval = given.approval.take().or(stated.approval);
    given.contacts = given.contacts.take().or(stated.contacts);
    given.favorites = given.favorites.take().or(stated.favorites);
    given.paired = given.paired.take().or(stated.paired);
    given.blocked = given.blocked.take().or(stated.blocked);
    given.friends = given.friends.take().or(stated.friends);
}

fn complete_group<'s>(given: &mut Group<'s>, stated: Group<'s>) {
    given.matrix = given.matrix.take().or(stated.matrix);
    given.creator = given.creator.take().or(stated.creator);
    given.super_admins = given.super_admins.take().or(stated.super_admins);
    given.admins = given.admins.take().or(stated.admins);
    given.members = given.members.take().or(stated.members);
}

fn complete_matrix<'s>(given: &mut Matrix<'s>, stated: Matrix<'s>) {
    for permission in stated.permissions {
        if given.permissions.iter().all(|it| it.key.value != permission.key.value) {
            given.permissions.push(permission);
        }
    }
}
