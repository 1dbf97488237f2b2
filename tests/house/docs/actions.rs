//! The table of actions and gates, compared with the gates where a single reason decides.

use std::collections::BTreeSet;

use peerage::{
    decide::explain,
    request::{Action, Conversation, GateName, Reason, Request, Resource, ResourceKind},
    snapshot::View,
    source::Notation,
};

use crate::{
    docs::compiled,
    docs::pages::{table, words},
};

/// A row of the table.
struct Row {
    actions: Vec<Action>,
    kinds: &'static [ResourceKind],
    refused: &'static str,
    switches: &'static str,
    blocks: &'static str,
    peers: &'static str,
    rules: &'static str,
    and: &'static str,
}

fn rows() -> Vec<Row> {
    let rows = table("| action | resource |").into_iter().map(|row| {
        use ResourceKind::{Group, None, User};
        let [actions, resource, refused, switches, blocks, peers, rules, and] = row[..] else {
            panic!("{row:?}")
        };
        let kinds: &[ResourceKind] = match resource {
            "none" => &[None],
            "user" => &[User],
            "group" => &[Group],
            "none, user" => &[None, User],
            other => panic!("{other}"),
        };
        let actions = words(actions).into_iter().map(|word| word.parse().unwrap()).collect();
        Row { actions, kinds, refused, switches, blocks, peers, rules, and }
    });
    rows.collect()
}

#[test]
fn every_action_is_in_the_table_once() {
    let mut shown = BTreeSet::new();
    for row in rows() {
        for action in &row.actions {
            for kind in row.kinds {
                assert!(shown.insert((action.as_str(), *kind)), "{action} {kind:?}");
            }
        }
    }
    let taken = Action::ALL
        .iter()
        .flat_map(|action| action.takes().iter().map(|kind| (action.as_str(), *kind)));
    assert_eq!(shown, taken.collect());
}

/// `s` may do anything, to `o` and in the group `g`; the statements close one way.
fn world(statements: &str) -> View {
    let defaults = [
        ("moderation {", "moderation { managers: hasTag(m); }"),
        ("user s ", "user s { tags: [m]; }"),
        ("user o ", "user o {}"),
        (
            "matrix free ",
            "matrix free { join: allow; add_member: allow; remove_member: allow; update_metadata: \
          allow; add_admin: allow; remove_admin: allow; update_permissions: allow; }",
        ),
        ("group g ", "group g { matrix: free; super_admins: [s, z]; members: [o]; }"),
    ];
    let missing = defaults.iter().filter(|(start, _)| !statements.contains(start));
    let text: Vec<&str> = missing.map(|&(_, statement)| statement).collect();
    compiled(Notation::Dsl, &format!("user z {{}}\n{}\n{statements}", text.join("\n")))
}

/// What a gate says of an action.
fn says(
    view: &View,
    gate: GateName,
    (action, kind): (Action, ResourceKind),
    conversation: Conversation,
) -> Option<Reason> {
    let resource = match kind {
        ResourceKind::None => Resource::None,
        ResourceKind::User => Resource::User("o".into()),
        ResourceKind::Group => Resource::Group("g".into()),
    };
    let request = Request {
        member: action.takes_member().then(|| "o".into()),
        field: action.takes_field().then_some("name"),
        conversation: Some(conversation),
        ..Request::with_resource("s", action, resource)
    };
    let explanation = explain(view, &request);
    let finding = explanation.findings.into_iter().find(|finding| finding.gate == gate);
    finding.unwrap().closed
}

/// What a row says of whether a gate closes.
type Said = fn(&Row) -> bool;

#[test]
fn gates_ask_what_the_table_says() {
    use GateName::{Blocks, Friendship, Moderation, Peers, Permissions, Role, Rules};
    let switches_off = "user s { tags: [m]; permissions { start_chat: false; send_message: false; \
        voice_call: false; video_call: false; friend_request: false; create_group: false; } }";
    let two_way = "blocks { start_chat: two_way; send_message: two_way; voice_call: two_way; \
        video_call: two_way; add_member: two_way; friend_request: two_way; }";
    let start_chat_off = "user s { tags: [m]; permissions { start_chat: false; } }";
    let cases: [(&str, GateName, Reason, Said); 17] = [
        ("user s { tags: [m]; moderation: banned; }", Moderation, Reason::Banned, |row| {
            row.refused.starts_with("banned")
        }),
        ("user s { tags: [m]; moderation: silenced; }", Moderation, Reason::Silenced, |row| {
            row.refused.contains("silenced")
        }),
        ("user s { tags: [m]; moderation: shadowed; }", Moderation, Reason::Silenced, |row| {
            row.refused.ends_with("shadowed")
        }),
        ("user s {}", Moderation, Reason::NotManager, |row| row.and == "a manager"),
        ("user s { permissions { outgoing: false; } }", Permissions, Reason::OutgoingOff, |row| {
            row.switches.contains("`outgoing`")
        }),
        (switches_off, Permissions, Reason::PermissionOff, |row| row.switches.contains("own")),
        ("user o { permissions { incoming: false; } }", Permissions, Reason::IncomingOff, |row| {
            row.switches.contains("`incoming`")
        }),
        ("user o { blocked: [s]; }", Blocks, Reason::BlockedByResource, |row| row.blocks == "yes"),
        (start_chat_off, Permissions, Reason::PermissionOff, |row| {
            row.switches.contains("`start_chat`") || row.actions == [Action::StartChat]
        }),
        (two_way, Blocks, Reason::BlockedBySubject, |row| row.blocks == "yes"),
        ("user s { peers: paired; }", Peers, Reason::PeersSubject, |row| row.peers == "yes"),
        ("user o { peers: contacts; }", Peers, Reason::PeersResource, |row| row.peers == "yes"),
        ("rules: [];", Rules, Reason::NoRule, |row| !row.rules.is_empty()),
        ("user o { approval: deny_any; }", Friendship, Reason::RequestsRefused, |row| {
            row.and == "friendship"
        }),
        (
            "group g { matrix: free; super_admins: [z]; members: [o]; }",
            Role,
            Reason::NotMember,
            |row| row.kinds == [ResourceKind::Group] && !row.and.starts_with("not a member"),
        ),
        (
            "group g { matrix: dm; super_admins: [z]; members: [o, s]; }",
            Role,
            Reason::DeniedByMatrix,
            |row| row.and.starts_with("matrix"),
        ),
        (
            "group g { matrix: free; super_admins: [z]; members: [o, s]; }",
            Role,
            Reason::NeedsSuperAdmin,
            |row| row.and == "a super admin",
        ),
    ];
    let rows = rows();
    for (statements, gate, reason, closes) in cases {
        let blocked =
            if statements == two_way { "user s { tags: [m]; blocked: [o]; }" } else { "" };
        let view = world(&format!("{statements}\n{blocked}"));
        for row in &rows {
            for (&action, &kind) in row
                .actions
                .iter()
                .flat_map(|action| row.kinds.iter().map(move |kind| (action, kind)))
            {
                let said = says(&view, gate, (action, kind), Conversation::New);
                assert_eq!(
                    said == Some(reason),
                    closes(row),
                    "{action} {kind:?} {said:?} {reason}"
                );
                if reason == Reason::NoRule {
                    let said = says(&view, gate, (action, kind), Conversation::Existing);
                    assert_eq!(said == Some(reason), row.rules == "yes", "{action} {kind:?}");
                }
            }
        }
    }
    let full = world("limits { group_members: 3; }");
    let without = "group g { matrix: free; super_admins: [z]; members: [o]; }";
    let full_without = world(&format!("limits {{ group_members: 2; }}\n{without}"));
    for row in &rows {
        for &action in row.actions.iter().filter(|_| row.kinds == [ResourceKind::Group]) {
            let view = if action == Action::Join { &full_without } else { &full };
            let said = says(view, Role, (action, ResourceKind::Group), Conversation::New);
            let is_full = said == Some(Reason::GroupFull);
            assert_eq!(is_full, row.and.ends_with("group size"), "{action} {said:?}");
            let keeps = said == Some(Reason::SuperAdminProtected);
            assert_eq!(keeps, row.and.contains("neither a super admin"), "{action} {said:?}");
        }
    }
}
