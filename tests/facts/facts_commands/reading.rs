//! The errors of malformed commands.

use peerage::facts::{Command, CommandSyntaxError, MOST_COMMANDS};
use serde_json::{Value, json};

fn reported(batch: &Value) -> Vec<(usize, String, String)> {
    let reported = |CommandSyntaxError { index, field, message }| (index, field, message);
    Command::decode(batch.as_array().unwrap()).unwrap_err().into_iter().map(reported).collect()
}

#[test]
fn all_that_is_wrong_is_reported_at_once() {
    let batch = json!([
        { "op": "ban", "user": "ann" },
        { "op": "bann", "user": "ann" },
        { "op": "block", "from": "", "frm": 1, "as": 7 },
        7,
        { "user": "ann" },
        { "op": 1 },
        { "op": "put_user", "user": "ann", "tags": ["a b", 1], "peers": 4, "permissions": { "f ly": true, "outgoing": 1 },
          "moderation": "gone", "approval": 1, "accepts": { "f ly": "contacts", "ban": "contacts", "start_chat": 1, "voice_call": null }, "contacts": "bob", "friends": { "bob": { "since": -1, "nick": "x" }, "": {} },
          "blocked": { "bob": "x" }, "requests": 1, "friend_lists": [1], "attributes": [], "merge_attributes": 1 },
        { "op": "put_group", "group": "g", "creator": "\u{7}", "permissions": { "add_member.x": "allow", "sing": "deny", "update_metadata.": "deny" }, "member_attributes": { "ann": 1, "": {} } },
        { "op": "open_conversation", "users": ["ann"] },
        { "op": "put_rule", "rule_id": "7", "condition": 1 },
        { "op": "relate", "kind": "friend", "from": "a", "to": "b" },
        { "op": "add_friend", "from": "a", "to": "b", "both": "yes", "custom": { "A": null }, "remark": 1, "lists": [null] },
        { "op": "update_permissions", "group": "g", "permission": "add_member" },
    ]);
    let reported = reported(&batch);
    let fields: Vec<(usize, &str)> =
        reported.iter().map(|(index, field, _)| (*index, field.as_str())).collect();
    let expected = [
        (1, "op"),
        (2, "from"),
        (2, "to"),
        (2, "as"),
        (2, "frm"),
        (3, ""),
        (4, "op"),
        (5, "op"),
        (6, "tags[0]"),
        (6, "tags[1]"),
        (6, "peers"),
        (6, "permissions.f ly"),
        (6, "permissions.outgoing"),
        (6, "moderation"),
        (6, "approval"),
        (6, "accepts.f ly"),
        (6, "accepts.ban"),
        (6, "accepts.start_chat"),
        (6, "accepts.voice_call"),
        (6, "attributes"),
        (6, "merge_attributes"),
        (6, "contacts"),
        (6, "blocked.bob"),
        (6, "friends.bob.since"),
        (6, "friends.bob.nick"),
        (6, "friends."),
        (6, "requests"),
        (6, "friend_lists[0]"),
        (7, "creator"),
        (7, "permissions.add_member.x"),
        (7, "permissions.sing"),
        (7, "permissions.update_metadata."),
        (7, "member_attributes.ann"),
        (7, "member_attributes."),
        (8, "users"),
        (9, "rule_id"),
        (9, "condition"),
        (9, "outcome"),
        (10, "kind"),
        (11, "both"),
        (11, "remark"),
        (11, "lists[0]"),
        (12, "value"),
    ];
    assert_eq!(fields, expected);
    let says = |index: usize, field: &str| {
        let found = reported.iter().find(|(at, name, _)| (*at, name.as_str()) == (index, field));
        found.unwrap().2.as_str()
    };
    assert_eq!(says(1, "op"), "unknown op `bann`; did you mean `ban`?");
    assert_eq!(says(2, "to"), "required field is missing");
    assert_eq!(says(2, "frm"), "unknown field; did you mean `from`?");
    assert_eq!(says(3, ""), "expected an object with `op`, found a number");
    assert_eq!(says(8, "users"), "expected two users, found 1");
    assert_eq!(says(9, "rule_id"), "`7` is not a UUID");
    assert_eq!(
        says(10, "kind"),
        "unknown kind `friend`; expected one of `contact`, `favorite`, `pair`"
    );
}

#[test]
fn a_batch_has_an_end() {
    let ban = json!({ "op": "ban", "user": "ann" });
    let batch = vec![ban; MOST_COMMANDS + 1];
    assert_eq!(Command::decode(&batch[..MOST_COMMANDS]).unwrap().len(), MOST_COMMANDS);
    let reported = reported(&batch.into());
    assert_eq!(
        reported,
        [(
            MOST_COMMANDS,
            String::new(),
            "a batch can have at most 1000 commands; this has 1001".into()
        )]
    );
}

#[test]
fn peers_are_read_by_name_and_by_number() {
    for (given, read) in [
        (json!(0), "all"),
        (json!("1"), "paired"),
        (json!("contacts"), "contacts"),
        (json!("close"), "close"),
    ] {
        let command = json!({ "op": "put_user", "user": "ann", "peers": given });
        let command = Command::decode(&[command]).unwrap().remove(0);
        assert_eq!(command.encode()["peers"], read);
    }
}
