//! Policies that are refused, each beside one that is not.

use super::refused;

#[test]
fn rules() {
    let rule = |text: &str| format!("rules: [{{ {text} }}]");
    for (says, bad, good) in [
        (
            "a rule has an outcome or a `between`",
            "condition: everyone",
            "condition: everyone, between: friend",
        ),
        (
            "roles are no relation",
            "condition: everyone, between: allow_if_admin",
            "condition: everyone, between: contact",
        ),
        (
            "`hasTag` in `between` is said by the sides already",
            "condition: everyone, between: hasTag(staff)",
            "condition: hasTag(staff), between: everyone",
        ),
        (
            "what is between two users is no condition on one",
            "condition: friend, outcome: everyone",
            "condition: everyone, outcome: everyone",
        ),
        (
            "nor is it an outcome",
            "condition: everyone, outcome: sharesGroup",
            "condition: everyone, between: sharesGroup",
        ),
        (
            "`inverse` takes a list of users",
            "condition: everyone, between: inverse(sharesGroup)",
            "condition: everyone, between: inverse(pair)",
        ),
        (
            "a matrix that there is not",
            "condition: everyone, between: sharesGroup(crew)",
            "condition: everyone, between: sharesGroup(team)",
        ),
        (
            "a relation that there is not",
            "condition: everyone, between: foe",
            "condition: everyone, between: favorite",
        ),
    ] {
        refused(says, &rule(bad), &rule(good));
    }
    let declared = "tags: [staff, team-a, pupil, class-1, class-2, parent]\n";
    refused(
        "a pattern that no declared tag matches",
        &format!("{declared}{}", rule("condition: everyone, between: sharesTag(squad-*)")),
        &format!("{declared}{}", rule("condition: everyone, between: sharesTag(team-*)")),
    );
}

#[test]
fn sets_and_barriers() {
    let all = "rules: [{ condition: everyone, outcome: everyone }]";
    for (says, bad, good) in [
        (
            "`rules` is the section",
            format!("rule_sets: {{ rules: {{ {all} }} }}"),
            format!("rule_sets: {{ other: {{ {all} }} }}"),
        ),
        (
            "an empty list of actions",
            format!("rule_sets: {{ a: {{ actions: [], {all} }} }}"),
            format!("rule_sets: {{ a: {{ actions: [start_chat], {all} }} }}"),
        ),
        (
            "an action that reaches nobody",
            format!("rule_sets: {{ a: {{ actions: [create_group], {all} }} }}"),
            format!("rule_sets: {{ a: {{ actions: [view_profile], {all} }} }}"),
        ),
        (
            "another time to be asked",
            format!("rule_sets: {{ a: {{ asked: never, {all} }} }}"),
            format!("rule_sets: {{ a: {{ asked: new, {all} }} }}"),
        ),
        (
            "a barrier has a name",
            "barriers: [{ between: [everyone, everyone] }]".to_owned(),
            "barriers: [{ name: a, between: [everyone, everyone] }]".to_owned(),
        ),
        (
            "two sides",
            "barriers: [{ name: a, between: [everyone] }]".to_owned(),
            "barriers: [{ name: a, between: [everyone, nobody] }]".to_owned(),
        ),
        (
            "`between`, or `from` and `to`",
            "barriers: [{ name: a, between: [everyone, everyone], from: everyone, to: everyone }]"
                .to_owned(),
            "barriers: [{ name: a, from: everyone, to: everyone }]".to_owned(),
        ),
        (
            "both of these",
            "barriers: [{ name: a, from: everyone }]".to_owned(),
            "barriers: [{ name: a, from: everyone, to: nobody }]".to_owned(),
        ),
        (
            "`join` can't be named",
            "barriers: [{ name: a, from: everyone, to: everyone, actions: [join] }]".to_owned(),
            "barriers: [{ name: a, from: everyone, to: everyone, actions: [add_member] }]"
                .to_owned(),
        ),
        (
            "`hasTag` in `unless`",
            "barriers: [{ name: a, from: everyone, to: everyone, unless: hasTag(staff) }]"
                .to_owned(),
            "barriers: [{ name: a, from: everyone, to: everyone, unless: sharesTag(staff) }]"
                .to_owned(),
        ),
    ] {
        refused(says, &bad, &good);
    }
}

#[test]
fn audiences_and_actions() {
    let lines: Vec<String> =
        (0..33).map(|number| format!("  a{number}: {{ like: send_message }}")).collect();
    let [most, more] = [32, 33].map(|count| format!("actions:\n{}", lines[..count].join("\n")));
    for (says, bad, good) in [
        (
            "audiences that name each other",
            "audiences: { one: \"any(friend, two)\", two: one }",
            "audiences: { one: \"any(friend, two)\", two: contacts }",
        ),
        (
            "an audience that there is not",
            "accepts: { start_chat: { default: chums } }",
            "accepts: { start_chat: { default: friends } }",
        ),
        (
            "an audience that there is not, in a record",
            "users: { zoe: { accepts: { start_chat: chums } } }",
            "users: { zoe: { accepts: { start_chat: friends } } }",
        ),
        ("a mode that there is not", "peers: { default: chums }", "peers: { default: friends }"),
        (
            "nobody asks for a friend request",
            "accepts: { friend_request: { default: contacts, otherwise: request } }",
            "accepts: { start_chat: { default: contacts, otherwise: request } }",
        ),
        (
            "nobody accepts what reaches nobody",
            "accepts: { create_group: { default: contacts } }",
            "accepts: { view_profile: { default: contacts } }",
        ),
        (
            "an action named like one of ours",
            "actions: { voice_call: { like: send_message } }",
            "actions: { voice_note: { like: send_message } }",
        ),
        (
            "like one that is not built in",
            "actions: { mention: { like: send_message }, shout: { like: mention } }",
            "actions: { mention: { like: send_message }, shout: { like: send_message } }",
        ),
        ("more than 32", &more, &most),
        (
            "a switch of an action that there is not",
            "permissions: { mention: false }",
            "actions: { mention: { like: post } }\npermissions: { mention: false }",
        ),
        (
            "a built-in audience by another meaning",
            "audiences: { contacts: friend }",
            "audiences: { chums: friend }",
        ),
    ] {
        refused(says, bad, good);
    }
}
