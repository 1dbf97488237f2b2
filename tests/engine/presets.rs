//! The settings of each preset, as decisions show them.

#![allow(clippy::unwrap_used, reason = "a test may fail by it")]

use std::fmt::Write as _;

use peerage::{
    compile,
    decide::decide,
    request::{
        Action,
        BlockMode::{self, Off, OneWay, TwoWay},
        Reason, Request, Resource, ResourceKind,
    },
    snapshot::View,
    source::{LoadedSources, Notation, Sources},
};

/// What a preset sets that a decision can depend on.
struct Expected {
    preset: &'static str,
    /// Of `start_chat`, `send_message`, `voice_call`, `video_call`, `add_member`, `friend_request`.
    blocks: [BlockMode; 6],
    /// Whether a new chat needs a rule though the policy has no rules.
    needs_rules: bool,
    friends: Option<usize>,
    blocked: Option<usize>,
    group_members: Option<usize>,
}

const SIX: [Action; 6] = [
    Action::StartChat,
    Action::SendMessage,
    Action::VoiceCall,
    Action::VideoCall,
    Action::AddMember,
    Action::FriendRequest,
];

const DEFAULT: Expected = Expected {
    preset: "",
    blocks: [TwoWay, OneWay, OneWay, OneWay, TwoWay, TwoWay],
    needs_rules: false,
    friends: None,
    blocked: None,
    group_members: None,
};

const ALL: [Expected; 6] = [
    DEFAULT,
    Expected { preset: "preset: flip", blocks: [Off; 6], needs_rules: true, ..DEFAULT },
    Expected { preset: "preset: mesibo", blocks: [TwoWay; 6], ..DEFAULT },
    Expected {
        preset: "preset: venueless",
        blocks: [TwoWay, OneWay, OneWay, OneWay, TwoWay, TwoWay],
        ..DEFAULT
    },
    Expected { preset: "preset: xmtp", blocks: [Off; 6], group_members: Some(250), ..DEFAULT },
    Expected {
        preset: "preset: tencent",
        blocks: [OneWay, OneWay, OneWay, OneWay, TwoWay, TwoWay],
        friends: Some(3000),
        blocked: Some(1000),
        ..DEFAULT
    },
];

/// More than any preset allows.
const MANY: usize = 3001;

fn built(preset: &str, sections: &str) -> Result<View, String> {
    let text = format!("{preset}\n{sections}");
    let sources = Sources::single("policy.yaml", Notation::Yaml, text);
    let outcome = compile::build(&LoadedSources { sources, errors: Vec::new() }, None);
    outcome.view.ok_or_else(|| format!("{:?}", outcome.report))
}

fn why(view: &View, subject: &str, action: Action, other: &str) -> Reason {
    let request = Request::new(subject, action, other);
    decide(
        view,
        &if action == Action::AddMember {
            Request { member: Some(other.into()), ..Request::in_group(subject, action, "g") }
        } else {
            request
        },
    )
    .reason
}

const PAIR: &str =
    "users: { a: { blocked: [b] }, b: {} }\ngroups: { g: { creator: a, members: [b] } }";

#[test]
fn blocks_stop_whom_the_system_says() {
    // With a rule for everybody, rules say nothing about it.
    let rules = "rules: [{ condition: 'not(hasTag(x))', outcome: [y] }]";
    let pair = PAIR.replace("b: {}", "b: { tags: [y] }").replace("a: {", "a: { tags: [y],");
    for Expected { preset, blocks, .. } in ALL {
        let view = built(preset, &format!("{rules}\n{pair}")).unwrap();
        for (action, mode) in SIX.into_iter().zip(blocks) {
            // What begins a conversation is stopped as starting one is.
            let begins = !matches!(action, Action::AddMember | Action::FriendRequest);
            let mode = if begins && blocks[0] == TwoWay { TwoWay } else { mode };
            let forth = if mode == Off { Reason::Allowed } else { Reason::BlockedByResource };
            let back = if mode == TwoWay { Reason::BlockedBySubject } else { Reason::Allowed };
            assert_eq!(why(&view, "b", action, "a"), forth, "{preset}: {action}");
            assert_eq!(why(&view, "a", action, "b"), back, "{preset}: {action}");
        }
        let view = built(preset, &format!("{rules}\n{pair}\nconversations: [[a, b]]")).unwrap();
        for (action, mode) in SIX.into_iter().zip(blocks) {
            let forth = if mode == Off { Reason::Allowed } else { Reason::BlockedByResource };
            let back = if mode == TwoWay { Reason::BlockedBySubject } else { Reason::Allowed };
            assert_eq!(why(&view, "b", action, "a"), forth, "{preset}: {action} goes on");
            assert_eq!(why(&view, "a", action, "b"), back, "{preset}: {action} goes on");
        }
    }
}

#[test]
fn a_new_chat_needs_a_rule_in_one_system() {
    for Expected { preset, needs_rules, .. } in ALL {
        let pair = PAIR.replace("{ blocked: [b] }", "{}");
        let view = built(preset, &pair).unwrap();
        for action in SIX {
            let is_asked = needs_rules && action != Action::FriendRequest;
            let reason = if is_asked { Reason::NoRule } else { Reason::Allowed };
            assert_eq!(why(&view, "a", action, "b"), reason, "{preset}: {action}");
        }
        let view = built(preset, &format!("{pair}\nconversations: [[a, b]]")).unwrap();
        let reason = if needs_rules { Reason::NoRule } else { Reason::Allowed };
        assert_eq!(why(&view, "a", Action::StartChat, "b"), reason, "{preset}");
        assert_eq!(why(&view, "a", Action::AddMember, "b"), reason, "{preset}");
        for action in [Action::SendMessage, Action::VoiceCall, Action::VideoCall, Action::React] {
            assert_eq!(why(&view, "b", action, "a"), Reason::Allowed, "{preset}: {action}");
        }
        let view = built(preset, &format!("{pair}\nrules: []")).unwrap();
        assert_eq!(why(&view, "a", Action::StartChat, "b"), Reason::NoRule, "{preset}");
    }
}

/// So many users, and one who has a list of them.
fn crowd(list: &str, length: usize) -> String {
    let mut users = format!("users:\n  a: {{ {list}: [");
    (0..length).for_each(|user| write!(users, "u{user},").unwrap());
    users.push_str("] }\n  z: {}\n");
    (0..MANY).for_each(|user| writeln!(users, "  u{user}: {{}}").unwrap());
    users
}

#[test]
fn friend_lists_are_as_long_as_the_system_says() {
    for Expected { preset, friends, .. } in ALL {
        let view = |length| built(preset, &crowd("friends", length));
        let request = |length| why(&view(length).unwrap(), "z", Action::FriendRequest, "a");
        let Some(limit) = friends else {
            assert_eq!(request(MANY), Reason::Allowed, "{preset}");
            continue;
        };
        assert_eq!(request(limit - 1), Reason::Allowed, "{preset}");
        assert_eq!(request(limit), Reason::FriendListFull, "{preset}");
        assert!(view(limit + 1).unwrap_err().contains("the limit is"), "{preset}");
    }
}

#[test]
fn blocklists_are_as_long_as_the_system_says() {
    for Expected { preset, blocked, .. } in ALL {
        let view = |length| built(preset, &crowd("blocked", length));
        assert!(view(blocked.unwrap_or(MANY)).is_ok(), "{preset}");
        if let Some(limit) = blocked {
            assert!(view(limit + 1).unwrap_err().contains("the limit is"), "{preset}");
        }
    }
}

#[test]
fn groups_are_as_large_as_the_system_says() {
    for Expected { preset, group_members, .. } in ALL {
        let view = |members: usize| {
            let mut group = "groups:\n  g: { creator: a, members: [".to_owned();
            (1..members).for_each(|user| write!(group, "u{user},").unwrap());
            built(preset, &format!("{}{group}] }}", crowd("contacts", 0)))
        };
        // The subject adds themselves, of which rules say nothing.
        let add = |members| why(&view(members).unwrap(), "a", Action::AddMember, "a");
        let Some(limit) = group_members else {
            assert_eq!(add(MANY), Reason::Allowed, "{preset}");
            continue;
        };
        assert_eq!(add(limit - 1), Reason::Allowed, "{preset}");
        assert_eq!(add(limit), Reason::GroupFull, "{preset}");
        assert!(view(limit + 1).unwrap_err().contains("the limit is"), "{preset}");
    }
}

#[test]
fn a_block_ends_a_friendship_in_one_system() {
    let both = "users: { a: { friends: [b], blocked: [b] }, b: {} }";
    let other = "users: { a: { blocked: [b] }, b: { friends: [a] } }";
    for Expected { preset, .. } in ALL {
        let is_tencent = preset.ends_with("tencent");
        assert_eq!(built(preset, both).is_err(), is_tencent, "{preset}");
        assert_eq!(built(preset, other).is_err(), is_tencent, "{preset}");
    }
}

#[test]
fn everything_else_is_open_in_all_systems() {
    for Expected { preset, needs_rules, .. } in ALL {
        let pair = PAIR.replace("{ blocked: [b] }", "{}");
        let view = built(preset, &pair).unwrap();
        let ask = |subject, action, other| why(&view, subject, action, other);
        for &action in Action::ALL.iter().filter(|action| !action.takes_member()) {
            let request = match action.takes()[0] {
                ResourceKind::User => Request::new("a", action, "b"),
                ResourceKind::Group => Request::in_group("a", action, "g"),
                ResourceKind::None => Request::with_resource("a", action, Resource::None),
            };
            let request = Request { field: action.takes_field().then_some("f"), ..request };
            let expected = match action {
                Action::Ban
                | Action::Silence
                | Action::Shadow
                | Action::Reactivate
                | Action::ListUsers => Reason::NotManager,
                Action::Leave => Reason::SuperAdminProtected,
                Action::Join => Reason::AlreadyMember,
                action
                    if SIX.contains(&action) && needs_rules && action != Action::FriendRequest =>
                {
                    Reason::NoRule
                }
                _ => Reason::Allowed,
            };
            let decision = decide(&view, &request);
            assert_eq!(decision.reason, expected, "{preset}: {action}");
            assert!(decision.obligations.is_empty(), "{preset}: {action}");
        }
        assert_eq!(ask("z", Action::StartChat, "b"), Reason::UnknownSubject, "{preset}");
        assert_eq!(ask("a", Action::StartChat, "z"), Reason::UnknownResource, "{preset}");
    }
}

#[test]
fn a_policy_overrides_what_its_preset_sets() {
    let more = "blocks: { send_message: off }\nlimits: { friends: 1, group_members: 2 }\n\
                permissions: { voice_call: false }\npeers: { default: paired }\n\
                friendship: { default_approval: deny_any }";
    let people = "users: { a: { paired: [b], blocked: [b] }, b: { paired: [a], peers: all }, c: {} }\n\
                  groups: { g: { creator: a, members: [b] } }\nconversations: [[a, b]]";
    for Expected { preset, .. } in ALL {
        let view = built(preset, &format!("{more}\n{people}")).unwrap();
        let ask = |subject, action, other| why(&view, subject, action, other);
        assert_eq!(ask("b", Action::SendMessage, "a"), Reason::Allowed, "{preset}");
        assert_eq!(ask("b", Action::VoiceCall, "a"), Reason::PermissionOff, "{preset}");
        assert_eq!(ask("b", Action::SendMessage, "c"), Reason::PeersResource, "{preset}");
        assert_eq!(ask("b", Action::FriendRequest, "c"), Reason::RequestsRefused, "{preset}");
        assert_eq!(ask("a", Action::AddMember, "a"), Reason::GroupFull, "{preset}");
    }
}

/// What a policy can't set itself counts too: two policies of different meaning have two digests.
#[test]
fn what_only_a_preset_sets_is_in_the_digest() {
    let digest = |preset: &str, sections: &str| built(preset, sections).unwrap().revision.policy;
    let off = "blocks: { start_chat: off, send_message: off, voice_call: off, video_call: off, \
               add_member: off, friend_request: off }";
    let xmtp = format!("{off}\nlimits: {{ group_members: 250 }}");
    assert_eq!(digest("preset: xmtp", &xmtp), digest("", &xmtp), "it sets nothing else");
    let tencent = "blocks: { start_chat: one_way }\n\
                   limits: { friends: 3000, blocked: 1000, friend_lists: 32 }";
    assert_ne!(digest("preset: tencent", tencent), digest("", tencent), "blocks end friendship");
    let flip = format!("{off}\nrules: []");
    assert_ne!(digest("preset: flip", &flip), digest("", &flip), "tags are of few characters");
    assert_ne!(digest("", "protected_tags: [a]"), digest("", ""));
    assert_ne!(digest("", "protected_tags: [a]"), digest("", "protected_tags: ['a*']"));
}
