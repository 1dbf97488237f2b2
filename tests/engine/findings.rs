//! The findings of each gate: the words, the statements consulted, and the user concerned.

use std::fmt::Write as _;

use peerage::{
    decide::{
        ListCursor, MAX_RULES, PairEvaluator, decide, explain, reach, reachable_groups, trace,
    },
    gates::{GATES, GateScope},
    request::{
        Action, BlockMode, Conversation, GateName, Group, Moderation, PeersMode, Properties,
        Request, Resource, Role, Switch, User,
    },
    snapshot::View,
    source::{Notation, Sources},
};

use crate::worlds;

const POLICY: &str = "
moderation { managers: hasTag(staff); }
permissions { start_chat: not(hasTag(minor)); }
blocks { send_message: one_way; start_chat: two_way; }
peers { hasTag(shy): contacts; default: all; }
friendship { default_approval: need_confirm; }
limits { friends: 1; group_members: 2; }
rule open: hasTag(staff) -> [staff, guest];
rule again: hasTag(staff) -> [guest];
matrix team {
  add_member: hasTag(staff);
  remove_member: allow_if_admin;
  update_metadata { name: allow; *: allow_if_admin; }
}
user ann { tags: [staff]; }
user bob { tags: [guest]; friends: [cat]; }
user cat { tags: [guest]; blocked: [ann]; approval: deny_any; friends: [bob]; }
user dan { tags: [minor, guest]; permissions { outgoing: false; incoming: false; video_call: hasTag(guest); } }
user eve { tags: [shy, staff]; peers: favorites; moderation: silenced; blocked: [cat]; }
user fay { tags: [shy, guest]; approval: allow_any; moderation: banned; friends: [ann]; }
user gus { tags: [staff]; permissions { incoming: false; } friends: [bob]; }
user hal { tags: [minor]; friends: [dan]; }
user ivy { tags: [shy]; }
user jim { tags: [staff]; permissions { video_call: hasTag(staff); } }
group full { matrix: team; super_admins: [ann]; members: [bob]; }
group open { matrix: team; super_admins: [ann]; }
group pair { matrix: dm; members: [cat]; }
conversation ann, bob;
";

fn view(policy: &str) -> View {
    worlds::view(&Sources::single("p.peerage", Notation::Dsl, policy), None)
}

/// The findings of the gates about a request, those of gates that say nothing of it left out.
fn findings(view: &View, request: &Request<'_>) -> String {
    let explanation = explain(view, request);
    assert_eq!(explanation.decision, decide(view, request), "{request:?}");
    let mut text = format!("{}", explanation.decision.reason);
    if let Some(user) = &explanation.concerned_user {
        let _ = write!(text, " ({user})");
    }
    let _ = writeln!(text, ", {} rules", explanation.rules.len());
    for finding in &explanation.findings {
        let closed = finding.closed.map(|reason| format!(" [{reason}]")).unwrap_or_default();
        let _ = writeln!(text, "  {}{closed}: {}", finding.gate, finding.detail);
    }
    for step in trace(view, request) {
        let consulted: Vec<String> = step.consulted.iter().map(ToString::to_string).collect();
        let is = if step.is_open { "open" } else { "closed" };
        let _ = writeln!(text, "  {is} {}: {}", step.gate, consulted.join(", "));
    }
    text
}

fn with<'a>(id: &'a str, properties: Properties<'a>) -> User<'a> {
    User { id, properties: Some(Box::new(properties)) }
}

#[test]
fn of_two_users() {
    use Action::{
        Ban, FriendRequest, SendMessage, SignIn, StartChat, VideoCall, ViewProfile, VoiceCall,
    };
    let view = view(POLICY);
    let mut text = String::new();
    for (subject, action, other) in [
        ("ann", SendMessage, "cat"),
        ("cat", SendMessage, "ann"),
        ("eve", SendMessage, "cat"),
        ("cat", SendMessage, "eve"),
        ("ann", SendMessage, "bob"),
        ("ann", StartChat, "bob"),
        ("ann", StartChat, "hal"),
        ("bob", FriendRequest, "cat"),
        ("ann", FriendRequest, "cat"),
        ("ann", FriendRequest, "hal"),
        ("hal", FriendRequest, "ann"),
        ("ann", FriendRequest, "fay"),
        ("ann", ViewProfile, "ann"),
        ("zoe", ViewProfile, "zoe"),
        ("ann", ViewProfile, "zoe"),
        ("fay", Ban, "bob"),
        ("eve", Ban, "bob"),
        ("ann", Ban, "bob"),
        ("bob", Ban, "ann"),
        ("ann", StartChat, "eve"),
        ("eve", StartChat, "fay"),
        ("dan", VideoCall, "bob"),
        ("dan", StartChat, "gus"),
        ("hal", VoiceCall, "gus"),
        ("gus", FriendRequest, "bob"),
        ("jim", FriendRequest, "cat"),
        ("ivy", StartChat, "bob"),
        ("jim", VideoCall, "bob"),
    ] {
        let request = Request::new(subject, action, other);
        let _ = writeln!(text, "{subject} {action} {other}: {}", findings(&view, &request));
    }
    let sign_in = Request::with_resource("eve", SignIn, Resource::None);
    let _ = writeln!(text, "eve sign_in: {}", findings(&view, &sign_in));
    insta::assert_snapshot!("findings-of-two-users", text);
}

#[test]
fn of_requests_with_properties() {
    let view = view(POLICY);
    let mut text = String::new();
    let tags =
        |tags: &[&'static str]| Properties { tags: Some(tags.to_vec()), ..Properties::default() };
    let of = |subject: User<'static>, action: Action, other: &'static str| Request {
        subject,
        ..Request::new("", action, other)
    };
    let requests = [
        of(with("bob", tags(&["staff", "staff", "new"])), Action::StartChat, "hal"),
        of(with("bob", tags(&["staff"])), Action::Ban, "hal"),
        of(with("ann", tags(&["guest"])), Action::Ban, "hal"),
        of(with("hal", tags(&["staff"])), Action::FriendRequest, "ann"),
        of(
            with("ann", Properties { peers: Some(PeersMode::All), ..Properties::default() }),
            Action::StartChat,
            "bob",
        ),
        of(
            with(
                "ann",
                Properties {
                    permissions: vec![(Switch::StartChat, true)],
                    ..Properties::default()
                },
            ),
            Action::StartChat,
            "bob",
        ),
        of(
            with(
                "ann",
                Properties { moderation: Some(Moderation::Silenced), ..Properties::default() },
            ),
            Action::StartChat,
            "bob",
        ),
        Request {
            conversation: Some(Conversation::Existing),
            ..Request::new("bob", Action::SendMessage, "gus")
        },
        Request {
            conversation: Some(Conversation::New),
            ..Request::new("ann", Action::SendMessage, "bob")
        },
        Request {
            conversation: Some(Conversation::Existing),
            ..Request::new("hal", Action::SendMessage, "bob")
        },
    ];
    for request in requests {
        let _ = writeln!(text, "{request:?}: {}", findings(&view, &request));
    }
    insta::assert_snapshot!("findings-of-properties", text);
}

#[test]
fn of_groups() {
    use Action::{AddMember, Leave, RemoveMember, RemoveSuperAdmin, SendMessage, UpdateMetadata};
    let view = view(POLICY);
    let mut text = String::new();
    let admin = Properties { role: Some(Role::Admin), ..Properties::default() };
    for (subject, action, group, member, field) in [
        ("ann", AddMember, "full", Some("cat"), None),
        ("ann", AddMember, "open", Some("bob"), None),
        ("ann", AddMember, "open", None, None),
        ("bob", AddMember, "full", Some("gus"), None),
        ("hal", AddMember, "full", Some("bob"), None),
        ("gus", AddMember, "open", Some("gus"), None),
        ("bob", RemoveMember, "full", Some("ann"), None),
        ("ann", RemoveMember, "full", Some("bob"), None),
        ("ann", RemoveSuperAdmin, "full", Some("ann"), None),
        ("ann", RemoveSuperAdmin, "full", Some("bob"), None),
        ("bob", UpdateMetadata, "full", None, Some("name")),
        ("bob", UpdateMetadata, "full", None, Some("topic")),
        ("ann", UpdateMetadata, "full", None, Some("_hidden")),
        ("bob", UpdateMetadata, "nowhere", None, Some("name")),
        ("bob", AddMember, "nowhere", Some("cat"), None),
        ("bob", AddMember, "nowhere", Some("zoe"), None),
        ("cat", Leave, "pair", None, None),
        ("ann", Leave, "open", None, None),
        ("bob", Leave, "full", None, None),
        ("bob", SendMessage, "full", None, None),
        ("bob", AddMember, "open", Some("bob"), None),
        ("jim", AddMember, "full", Some("jim"), None),
    ] {
        let request = Request {
            member: member.map(User::from),
            field,
            ..Request::in_group(subject, action, group)
        };
        let _ = writeln!(
            text,
            "{subject} {action} {group} {} {}: {}",
            member.unwrap_or("-"),
            field.unwrap_or("-"),
            findings(&view, &request)
        );
    }
    for matrix in ["team", "teem"] {
        let group = Group { id: "full", matrix: Some(matrix) };
        let request = Request {
            subject: with("bob", admin.clone()),
            field: Some("topic"),
            ..Request::with_resource("", UpdateMetadata, Resource::Group(group))
        };
        let _ = writeln!(text, "an admin, {matrix}: {}", findings(&view, &request));
    }
    let unlisted = Request {
        subject: with("bob", admin),
        ..Request::with_resource(
            "",
            SendMessage,
            Resource::Group(Group { id: "nowhere", matrix: Some("team") }),
        )
    };
    let _ = writeln!(text, "an unlisted group: {}", findings(&view, &unlisted));
    insta::assert_snapshot!("findings-of-groups", text);
}

#[test]
fn unknown_users_are_compared_by_their_ids() {
    let view = view("unknown_users: allow_defaults; user ann { }");
    for (subject, other, reason) in
        [("x", "x", "self"), ("x", "y", "allowed"), ("x", "ann", "allowed")]
    {
        let decision = decide(&view, &Request::new(subject, Action::StartChat, other));
        assert_eq!(decision.reason.as_str(), reason, "{subject} {other}");
    }
    let explained = explain(&view, &Request::new("x", Action::ViewProfile, "x"));
    assert_eq!(explained.findings[0].detail, "`x` is not listed, and treated as a user");
}

#[test]
fn an_explanation_names_so_many_rules_and_counts_the_rest() {
    for more in [0, 1, 5] {
        let mut policy = "user ann { tags: [A]; } user bob { tags: [A]; blocked: [cat]; } user cat { tags: [A]; }".to_owned();
        for rule in 0..MAX_RULES + more {
            let _ = write!(policy, "rule r{rule}: any(hasTag(A), hasTag(B{rule})) -> [A];");
        }
        let view = view(&policy);
        let explained = explain(&view, &Request::new("ann", Action::StartChat, "bob"));
        assert_eq!((explained.rules.len(), explained.more_rules), (MAX_RULES, more));
        let words =
            &explained.findings.iter().find(|it| it.gate == GateName::Rules).unwrap().detail;
        let expected = if more == 0 { None } else { Some(format!(" and {more} more")) };
        assert_eq!(words.find(" and ").map(|at| words[at..].to_owned()), expected);
        // A denial names none, though rules open.
        let denied = explain(&view, &Request::new("cat", Action::StartChat, "bob"));
        assert_eq!((denied.rules.len(), denied.more_rules), (0, 0));
    }
}

#[test]
fn an_evaluator_asks_the_gates_of_pairs_alone() {
    let view = view(POLICY);
    let number = |id: &str| view.population.directory.number(id).unwrap();
    let evaluator = PairEvaluator::new(&view, Action::SendMessage, None);
    let gates: Vec<GateName> = GATES
        .iter()
        .filter(|gate| gate.scope() == GateScope::Pair)
        .map(|gate| gate.name())
        .collect();
    for other in [Some(number("bob")), None] {
        let explained = evaluator.explain(number("ann"), other);
        assert!(explained.findings.iter().map(|finding| finding.gate).eq(gates.iter().copied()));
    }
    assert!(!gates.contains(&GateName::Known) && !gates.contains(&GateName::Role));
    let one_sided = evaluator.one_sided();
    assert!(one_sided.reads_peers);
    assert_eq!(one_sided.blocks.existing, BlockMode::OneWay);
    assert_eq!(one_sided.blocks.new, BlockMode::TwoWay);
    assert!(!PairEvaluator::new(&view, Action::Ban, None).one_sided().reads_peers);
}

#[test]
fn lists_are_read_page_by_page() {
    let groups: Vec<String> =
        (0..7).map(|at| format!("group g{at} {{ members: [u0]; }} user u{at} {{ }}")).collect();
    let view = view(&groups.concat());
    let request = Request::in_group("u0", Action::Read, "");
    let reach = reach(&view, &Request::new("u0", Action::Read, ""));
    let reachable = reachable_groups(&view, &request);
    let cursors = [
        (reachable.clone().cursor(), ["g0", "g1", "g2", "g3", "g4", "g5", "g6"]),
        (ListCursor::all_groups(&view), ["g0", "g1", "g2", "g3", "g4", "g5", "g6"]),
        (reach.clone().cursor(), ["u0", "u1", "u2", "u3", "u4", "u5", "u6"]),
        (ListCursor::all_users(&view), ["u0", "u1", "u2", "u3", "u4", "u5", "u6"]),
    ];
    for (start, ids) in cursors {
        let read = |cursor: &mut ListCursor, most: usize| {
            let mut found = Vec::new();
            let count = cursor.take(&view, most, |id| found.push(id));
            assert_eq!(count, found.len());
            found
        };
        assert_eq!(start.total(), 7);
        let mut cursor = start.clone();
        assert_eq!(cursor.next_after(&view), None, "nothing is read yet");
        assert_eq!(read(&mut cursor, 3), ids[..3]);
        assert_eq!(cursor.next_after(&view), Some(ids[2]));
        assert_eq!(read(&mut cursor, 3), ids[3..6]);
        assert_eq!(read(&mut cursor, 3), ids[6..]);
        assert_eq!(cursor.next_after(&view), None, "nothing follows");
        assert!(read(&mut cursor, 3).is_empty());

        let mut page = start.clone().page(&view, Some(ids[1]), 3);
        assert_eq!(read(&mut page, 2), ids[2..4]);
        assert_eq!(read(&mut page, 2), ids[4..5], "the page ends");
        assert!(read(&mut page, 2).is_empty());
        assert_eq!(page.next_after(&view), Some(ids[4]));
        let mut last = start.page(&view, Some(ids[3]), 3);
        assert_eq!(read(&mut last, 9), ids[4..]);
        assert_eq!(last.next_after(&view), None);
    }
    for limit in 1..8 {
        let (users, groups) = (reach.page(Some("u1"), limit), reachable.page(Some("g1"), limit));
        assert_eq!((users.total, groups.total), (7, 7));
        assert_eq!(users.ids, ["u2", "u3", "u4", "u5", "u6"][..limit.min(5)]);
        assert_eq!(groups.ids, ["g2", "g3", "g4", "g5", "g6"][..limit.min(5)]);
        let last = (limit < 5).then(|| (users.ids[limit - 1], groups.ids[limit - 1]));
        assert_eq!((users.next, groups.next), (last.map(|it| it.0), last.map(|it| it.1)));
    }
}

#[test]
fn groups_are_listed_with_the_role_and_the_matrix_of_the_request() {
    let view = view(POLICY);
    let admin = Properties { role: Some(Role::Admin), ..Properties::default() };
    let listed = |subject: User<'static>, action, matrix: Option<&'static str>| {
        let resource = Resource::Group(Group { id: "", matrix });
        let request = Request {
            subject,
            field: Some("topic"),
            ..Request::with_resource("", action, resource)
        };
        reachable_groups(&view, &request).ids().iter().map(|&id| id.to_owned()).collect::<Vec<_>>()
    };
    assert!(listed("hal".into(), Action::SendMessage, None).is_empty());
    assert_eq!(listed(with("hal", admin), Action::SendMessage, None), ["full", "open", "pair"]);
    assert!(listed("bob".into(), Action::UpdateMetadata, None).is_empty());
    assert_eq!(
        listed("bob".into(), Action::UpdateMetadata, Some("all_members")),
        Vec::<String>::new()
    );
    assert!(listed("bob".into(), Action::SendMessage, Some("teem")).is_empty());
    assert_eq!(listed("ann".into(), Action::Leave, Some("team")), Vec::<String>::new());
    assert_eq!(listed("bob".into(), Action::Leave, None), ["full"]);
    assert!(listed("bob".into(), Action::Leave, Some("dm")).is_empty());
}

#[test]
fn nobody_moderates_under_a_policy_without_managers() {
    let view = view("user ann { } user bob { }");
    for action in [Action::Ban, Action::Silence, Action::Reactivate] {
        let decision = decide(&view, &Request::new("ann", action, "bob"));
        assert_eq!(decision.reason.as_str(), "not_manager", "{action}");
    }
}

#[test]
fn a_limit_of_no_friends_holds_for_users_without_a_record() {
    for (limit, is_on) in [("0", false), ("1", true)] {
        let view = view(&format!("limits {{ friends: {limit}; }} user ann {{ }}"));
        let one_sided = PairEvaluator::new(&view, Action::FriendRequest, None).one_sided();
        for condition in [&one_sided.subjects, &one_sided.others] {
            assert_eq!(condition.iter().all(|it| it.tags.is_on(&|_| false)), is_on, "{limit}");
        }
    }
}
