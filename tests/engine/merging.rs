//! Files over records: a field that a file declares counts as declared, and the record's value returns
//! when the file no longer declares it, each field by itself.

#![allow(clippy::unwrap_used, reason = "a test may fail by it")]

use std::sync::Arc;

use peerage::{
    compile::{self, BuildOutput, Declarations, ShadowedFact},
    facts::{GroupRecord, Member, Record, RecordChange, RecordKey, SwitchSetting, UserRecord},
    request::{Moderation, PeersSetting, Role, Switch},
    snapshot::View,
    source::{LoadedSources, Notation, Source, Sources},
};

use super::following::Store;

/// The fields of a user, as a file writes each, and as the view then shows it.
const FIELDS: [(&str, &str, &str); 6] = [
    ("tags", "tags: [file]", "tags [file]"),
    ("peers", "peers: contacts", "peers Some(Contacts)"),
    ("moderation", "moderation: silenced", "moderation Silenced"),
    ("approval", "approval: need_confirm", "approval Some(NeedConfirm)"),
    ("permissions.outgoing", "permissions: { outgoing: false }", "outgoing false"),
    ("permissions.incoming", "permissions: { incoming: hasTag(file) }", "incoming hasTag(file)"),
];

fn record() -> UserRecord {
    let when = |text: &str| SwitchSetting::When(text.to_owned());
    UserRecord {
        tags: Some(["record".to_owned()].into()),
        peers: Some(PeersSetting::from_word("paired".to_owned())),
        moderation: Some(Moderation::Banned),
        approval: Some("deny_any".parse().unwrap()),
        permissions: [
            (Switch::Outgoing, when("hasTag(record)")),
            (Switch::Incoming, when("hasTag(x)")),
        ]
        .into(),
        ..UserRecord::default()
    }
}

/// What the record sets, as the view shows it.
const RECORDED: [&str; 6] = [
    "tags [record]",
    "peers Some(Paired)",
    "moderation Banned",
    "approval Some(DenyAny)",
    "outgoing hasTag(record)",
    "incoming hasTag(x)",
];

fn files(user: &str) -> LoadedSources {
    let text = format!("tags: [file, record, x]\nusers:\n  ann: {{ {user} }}\n");
    LoadedSources::from(Sources::new(vec![Source::new("policy.yaml", Notation::Yaml, text)]))
}

fn parts(output: BuildOutput) -> (View, Arc<Declarations>) {
    assert_eq!(output.report.errors, 0, "{:?}", output.report.diagnostics);
    (output.view.unwrap(), output.declarations.unwrap())
}

fn shown(view: &View) -> Vec<String> {
    let population = &view.population;
    let user = population.directory.number("ann").unwrap();
    let (own, conditions) = population.overrides(user);
    let switch = |switch: Switch| {
        let condition = conditions.iter().find(|(_, set, _)| *set == switch);
        let condition =
            condition.map(|(.., when)| when.map(&mut |tag| view.tags.name(*tag)).to_string());
        let on = own.switch(switch).map(|on| on.to_string());
        format!("{switch} {}", condition.or(on).unwrap_or_default())
    };
    let tags: Vec<&str> =
        population.directory.tags(user).iter().map(|tag| view.tags.name(tag)).collect();
    vec![
        format!("tags [{}]", tags.join(", ")),
        format!("peers {:?}", own.peers()),
        format!("moderation {:?}", own.moderation()),
        format!("approval {:?}", own.approval()),
        switch(Switch::Outgoing),
        switch(Switch::Incoming),
    ]
}

#[test]
fn each_field_of_a_file_shadows_that_of_the_record() {
    let mut store = Store::default();
    store.put(RecordKey::User("ann".to_owned()), Some(Record::User(Box::new(record()))));
    let bare = parts(compile::build_with_records(&files(""), &store).unwrap());
    assert_eq!(shown(&bare.0), RECORDED);
    assert_eq!(bare.1.shadowed, []);
    for (at, (name, declared, effective)) in FIELDS.into_iter().enumerate() {
        let mut expected = RECORDED;
        for (place, shown) in expected.iter_mut().enumerate() {
            if place == at {
                *shown = effective;
            }
        }
        let shadowed = [ShadowedFact::User("ann".to_owned(), name.to_owned())];

        // Built at once.
        let (view, declarations) =
            parts(compile::build_with_records(&files(declared), &store).unwrap());
        assert_eq!(shown(&view), expected, "{name}");
        assert_eq!(declarations.shadowed, shadowed, "{name}");

        // By a reload of files that newly declare it, and of files that no longer do.
        let (view, declarations) =
            parts(compile::rebuild(&files(declared), &bare.0, &bare.1, &store).unwrap());
        assert_eq!(shown(&view), expected, "{name}");
        assert_eq!(declarations.shadowed, shadowed, "{name}");
        let (again, declarations) =
            parts(compile::rebuild(&files(""), &view, &declarations, &store).unwrap());
        assert_eq!(shown(&again), RECORDED, "{name}");
        assert_eq!(declarations.shadowed, [], "{name}");

        // By a record that comes after the files.
        let (mut view, declarations) =
            parts(compile::build_with_records(&files(declared), &Store::default()).unwrap());
        let change = RecordChange {
            key: RecordKey::User("ann".to_owned()),
            old: None,
            new: Some(Arc::new(Record::User(Box::new(record())))),
        };
        compile::apply_records(&mut view, &declarations, &[change]);
        assert_eq!(shown(&view), expected, "{name}");
    }
}

#[test]
fn a_declared_group_shadows_all_but_the_members_that_the_file_leaves_out() {
    let files = |group: &str| {
        let text = format!("users: {{ ann: {{}}, bob: {{}}, cid: {{}} }}\n{group}");
        LoadedSources::from(Sources::new(vec![Source::new("policy.yaml", Notation::Yaml, text)]))
    };
    let group = GroupRecord {
        created: true,
        matrix: Some("dm".to_owned()),
        creator: Some("cid".to_owned()),
        members: ["ann", "bob", "cid"]
            .map(|id| (id.to_owned(), Member::new(Role::Member)))
            .into_iter()
            .collect(),
        permissions: [("join".to_owned(), "deny".to_owned())].into(),
        ..GroupRecord::default()
    };
    let mut store = Store::default();
    store.put(RecordKey::Group("club".to_owned()), Some(Record::Group(Box::new(group))));
    let declared = "groups: { club: { creator: ann, admins: [bob] } }\n";
    let (view, declarations) =
        parts(compile::build_with_records(&files(declared), &store).unwrap());
    let club = view.groups.get(view.groups.number("club").unwrap()).unwrap();
    let id = |user| view.population.directory.id(user);
    let roles: Vec<_> = club.members().map(|user| (id(user), club.role(user).unwrap())).collect();
    let expected = [("ann", Role::SuperAdmin), ("bob", Role::Admin), ("cid", Role::Member)];
    assert_eq!(roles, expected);
    assert_eq!(club.creator.map(id), Some("ann"));
    assert_eq!(view.matrix(club.matrix.unwrap()).unwrap().name, "all_members");
    let field = |name| ShadowedFact::Group("club".to_owned(), name);
    let member = |id: &str| ShadowedFact::Member("club".to_owned(), id.to_owned());
    let expected =
        [field("creator"), field("matrix"), field("permissions"), member("ann"), member("bob")];
    assert_eq!(declarations.shadowed, expected);
    // The file lets go of the group: it is the record's again.
    let (view, declarations) =
        parts(compile::rebuild(&files(""), &view, &declarations, &store).unwrap());
    let club = view.groups.get(view.groups.number("club").unwrap()).unwrap();
    assert!(club.members().all(|user| club.role(user) == Some(Role::Member)));
    assert_eq!(declarations.shadowed, []);
}
