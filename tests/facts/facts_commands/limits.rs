//! Limits at their edges: how many, and how many bytes.

use peerage::{
    facts::{Command, MOST_COMMANDS, RefusalReason},
    request,
};
use serde_json::{Value, json};

use crate::facts_commands::double::{Double, files};

fn world() -> Double {
    let mut world = Double::new(files());
    let limits = &mut world.settings.limits;
    limits.friends = Some(3000);
    limits.blocked = Some(1000);
    limits.friend_lists = Some(32);
    limits.group_members = Some(250);
    world
}

/// The reason why a batch is refused; nothing, if it isn't.
fn refused(world: &mut Double, commands: &[Value]) -> Option<String> {
    let ran = world.run(&Command::decode(commands).unwrap());
    let reasons = ran.outcomes.iter().filter_map(|outcome| outcome["reason"].as_str());
    reasons.filter(|&reason| reason != "not_applied").map(str::to_owned).next()
}

fn crowd(world: &mut Double, many: usize) {
    for from in (0..many).step_by(MOST_COMMANDS) {
        let ids = from..many.min(from + MOST_COMMANDS);
        let put = |id| json!({ "op": "put_user", "user": format!("u{id}") });
        assert_eq!(refused(world, &ids.map(put).collect::<Vec<_>>()), None);
    }
}

#[test]
fn so_many_and_no_more() {
    let mut world = world();
    crowd(&mut world, 3002);
    let ids = |many| (1..=many).map(|id| format!("u{id}")).collect::<Vec<_>>();
    let put = |field: &str, ids: Vec<String>| json!({ "op": "put_user", "user": "u0", field: ids });
    for (most, field, reason) in
        [(3000, "friends", "friend_list_full"), (1000, "blocked", "block_list_full")]
    {
        let over = refused(&mut world, &[put(field, ids(most + 1))]);
        assert_eq!(over.as_deref(), Some(reason));
        assert_eq!(refused(&mut world, &[put(field, ids(most))]), None);
    }
    let befriend = json!({ "op": "add_friend", "from": "u0", "to": "u3001", "force": true });
    assert_eq!(refused(&mut world, &[befriend]).as_deref(), Some("friend_list_full"));
    let befriended = json!({ "op": "add_friend", "from": "u3001", "to": "u0", "force": true });
    assert_eq!(refused(&mut world, &[befriended]).as_deref(), Some("friend_list_full"));
    let block = json!({ "op": "block", "from": "u0", "to": "u3001" });
    assert_eq!(refused(&mut world, &[block]).as_deref(), Some("block_list_full"));

    let lists: Vec<String> = (0..33).map(|list| format!("l{list}")).collect();
    let add = |list: &String| json!({ "op": "add_friend_list", "user": "u1", "list": list });
    let all: Vec<Value> = lists.iter().map(add).collect();
    assert_eq!(refused(&mut world, &all).as_deref(), Some("friend_lists_full"));
    assert_eq!(refused(&mut world, &all[..32]), None);

    let put = json!({ "op": "put_group", "group": "g", "creator": "u0", "members": ids(249) });
    assert_eq!(refused(&mut world, &[put]), None);
    let add = json!({ "op": "add_member", "group": "g", "member": "u250" });
    assert_eq!(refused(&mut world, &[add]).as_deref(), Some("group_full"));
}

type Make<'m> = &'m dyn Fn(Value) -> Value;

#[test]
fn so_long_and_no_longer() {
    let mut world = world();
    crowd(&mut world, 2);
    let made = json!({ "op": "put_group", "group": "g" });
    let friends = json!({ "op": "add_friend", "from": "u0", "to": "u1", "force": true });
    assert_eq!(refused(&mut world, &[made, friends]), None);
    let friend = |field: &str, value: Value| json!({ "op": "update_friend", "from": "u0", "to": "u1", field: value });
    let metadata = |field: &str, value: Value| json!({ "op": "update_metadata", "group": "g", "field": field, "value": value });
    let rule = |field: &str, value: Value| {
        json!({ "op": "put_rule", "rule_id": "00000000-0000-0000-0000-000000000001",
                "condition": "hasTag(Berlin)", "outcome": ["Berlin"], field: value })
    };
    let list = |name: Value| json!({ "op": "add_friend_list", "user": "u0", "list": name });
    // An umlaut has two bytes, which distinguishes bytes from characters.
    let cases: [(usize, Make<'_>); 11] = [
        (96, &|text| friend("remark", text)),
        (256, &|text| friend("wording", text)),
        (500, &|text| friend("custom", json!({ "Test": text }))),
        (30, &|text| friend("lists", json!([text]))),
        (30, &|text| list(text)),
        (100, &|text| metadata("group_name", text)),
        (1000, &|text| metadata("description", text)),
        (2048, &|text| metadata("group_image_url_square", text)),
        (8192, &|text| metadata("app_data", text)),
        (10_000, &|text| rule("description", text)),
        (16_382, &|text| json!({ "op": "put_user", "user": "u0", "attributes": { "a": text } })),
    ];
    for (most, make) in cases {
        let fits = "ü".repeat(most / 2);
        assert_eq!(refused(&mut world, &[make(fits.clone().into())]), None, "{most}");
        let over = make((fits + "x").into());
        assert_eq!(refused(&mut world, &[over]).as_deref(), Some("too_long"), "{most}");
    }
    for (bytes, reason) in [(255, None), (256, Some("too_long"))] {
        let name = "x".repeat(bytes);
        assert_eq!(refused(&mut world, &[rule("name", name.clone().into())]).as_deref(), reason);
        assert_eq!(refused(&mut world, &[metadata(&name, 1.into())]).as_deref(), reason);
    }
    let keys = |many| (0..many).map(|key| (format!("k{key}"), json!(1))).collect();
    for (many, reason) in [(255, None), (256, Some("too_many"))] {
        let keys: serde_json::Map<String, Value> = keys(many);
        let put = json!({ "op": "put_user", "user": "u0", "attributes": keys });
        assert_eq!(refused(&mut world, &[put]).as_deref(), reason, "beside the one there is");
    }
}

#[test]
fn every_reason_of_a_decision_is_one_of_a_refusal() {
    for &reason in request::Reason::ALL {
        if reason != request::Reason::Allowed {
            assert_eq!(RefusalReason::from(reason).as_str(), reason.as_str());
        }
    }
}
