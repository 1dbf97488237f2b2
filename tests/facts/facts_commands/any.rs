//! Any command about a few users and groups.

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Map, Value, json};

/// The last of them is made by some command, or never.
pub(crate) const IDS: [&str; 7] = ["ann", "bob", "cat", "fay", "fred", "fritz", "zoe"];
pub(crate) const GROUPS: [&str; 3] = ["g", "staff", "open"];

fn id() -> impl Strategy<Value = Value> {
    select(&IDS[..]).prop_map(Value::from)
}

fn group() -> impl Strategy<Value = Value> {
    select(&GROUPS[..]).prop_map(Value::from)
}

fn ids() -> impl Strategy<Value = Value> {
    subsequence(&IDS[..6], 0..4).prop_map(|ids| json!(ids))
}

fn text() -> impl Strategy<Value = Value> {
    select(&["a", "b", "ü", ""][..]).prop_map(Value::from)
}

fn tags() -> impl Strategy<Value = Value> {
    subsequence(&["Berlin", "Munich", "premium"][..], 0..3).prop_map(|tags| json!(tags))
}

/// Some of the fields, each with some value.
fn fields(
    each: Vec<(&'static str, BoxedStrategy<Value>)>,
) -> impl Strategy<Value = Map<String, Value>> {
    let each: Vec<_> = each
        .into_iter()
        .map(|(name, value)| option::of(value).prop_map(move |value| Some((name, value?))))
        .collect();
    each.prop_map(|found| {
        found.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).collect()
    })
}

fn or_null(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    prop_oneof![3 => value, 1 => Just(Value::Null)].boxed()
}

fn friend() -> impl Strategy<Value = Map<String, Value>> {
    let custom = btree_map(select(&["A", "B"][..]), or_null(text()), 0..3);
    fields(vec![
        ("remark", or_null(text())),
        ("lists", or_null(vec(select(&["l", "m", "n"][..]), 0..3).prop_map(|lists| json!(lists)))),
        ("source", or_null(Just(json!("Web")))),
        ("wording", or_null(text())),
        ("custom", or_null(custom.prop_map(|custom| json!(custom)))),
    ])
}

fn friends() -> impl Strategy<Value = Value> {
    let named = btree_map(select(&IDS[..6]), friend(), 0..3);
    prop_oneof![ids(), named.prop_map(|named| json!(named))]
}

fn user() -> impl Strategy<Value = Map<String, Value>> {
    let switches = btree_map(
        select(&["outgoing", "incoming", "mention"][..]),
        select(vec![json!(true), json!(null), json!("hasTag(Berlin)")]),
        0..3,
    );
    fields(vec![
        ("tags", or_null(tags())),
        ("peers", or_null(select(vec![json!("all"), json!(3), json!("close")]))),
        ("permissions", switches.prop_map(|switches| json!(switches)).boxed()),
        (
            "moderation",
            or_null(select(vec![
                json!("silenced"),
                json!("shadowed"),
                json!("banned"),
                json!("none"),
            ])),
        ),
        ("approval", or_null(select(vec![json!("need_confirm"), json!("deny_any")]))),
        (
            "accepts",
            or_null(select(vec![
                json!({}),
                json!({ "start_chat": "contacts", "add_member": "nobody" }),
                json!({ "start_chat": "close" }),
            ])),
        ),
        (
            "attributes",
            btree_map(text().prop_map(|t| t.to_string()), or_null(text()), 0..2)
                .prop_map(|attributes| json!(attributes))
                .boxed(),
        ),
        ("merge_attributes", patches().prop_map(|patches| json!(patches)).boxed()),
        ("contacts", ids().boxed()),
        ("favorites", ids().boxed()),
        ("paired", ids().boxed()),
        ("blocked", ids().boxed()),
        ("friends", friends().boxed()),
        ("requests", friends().boxed()),
        ("friend_lists", vec(select(&["l", "m", "n"][..]), 0..3).prop_map(|l| json!(l)).boxed()),
    ])
}

fn patches() -> impl Strategy<Value = Map<String, Value>> {
    let values =
        vec![json!(1), json!(null), json!({ "a": null }), json!({ "a": 1, "b": { "c": null } })];
    btree_map(select(&["a", "b"][..]), select(values), 0..3).prop_map(|patches| {
        patches.into_iter().map(|(name, patch)| (name.to_owned(), patch)).collect()
    })
}

fn put_group() -> impl Strategy<Value = Map<String, Value>> {
    let permissions = btree_map(
        select(&["add_member", "update_metadata.a", "update_metadata"][..]),
        or_null(Just(json!("allow"))),
        0..2,
    );
    let metadata = btree_map(select(&["a", "b"][..]), or_null(text()), 0..3);
    let role = select(vec![json!("member"), json!("admin"), json!("super_admin")]);
    let roles = btree_map(select(&IDS[..6]), or_null(role), 0..3);
    fields(vec![
        ("matrix", or_null(select(vec![json!("team"), json!("dm"), json!("admins_only")]))),
        ("creator", or_null(id())),
        ("super_admins", ids().boxed()),
        ("admins", ids().boxed()),
        ("members", ids().boxed()),
        ("add_members", ids().boxed()),
        ("muted", ids().boxed()),
        ("banned", ids().boxed()),
        ("requires", or_null(select(vec![json!("hasTag( Berlin )"), json!("hasTag(premium)")]))),
        ("new", select(vec![json!(true), json!(false)]).boxed()),
        ("roles", roles.prop_map(|roles| json!(roles)).boxed()),
        ("permissions", permissions.prop_map(|permissions| json!(permissions)).boxed()),
        ("metadata", metadata.prop_map(|metadata| json!(metadata)).boxed()),
        ("merge_metadata", patches().prop_map(|patches| json!(patches)).boxed()),
        (
            "member_attributes",
            btree_map(select(&IDS[..6]), patches(), 0..3).prop_map(|kept| json!(kept)).boxed(),
        ),
    ])
}

fn rule_id() -> BoxedStrategy<Value> {
    let ids = ["00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000f11e"];
    select(ids.to_vec()).prop_map(Value::from).boxed()
}

fn with(op: &'static str, more: Map<String, Value>, given: Value) -> Map<String, Value> {
    let Value::Object(given) = given else { return more };
    let mut all: Map<String, Value> = [("op".to_owned(), op.into())].into_iter().collect();
    all.extend(given);
    all.extend(more);
    all
}

/// A command as it is sent.
pub(crate) fn command() -> impl Strategy<Value = Value> {
    let one = (select(&["delete_user", "ban", "silence", "shadow", "reactivate"][..]), id())
        .prop_map(|(op, user)| with(op, Map::new(), json!({ "user": user })));
    let tagged = (select(&["add_tags", "remove_tags"][..]), id(), tags())
        .prop_map(|(op, user, tags)| with(op, Map::new(), json!({ "user": user, "tags": tags })));
    let two = (
        select(&["block", "unblock", "accept_friend", "refuse_friend", "delete_friend"][..]),
        id(),
        id(),
    )
        .prop_map(|(op, from, to)| with(op, Map::new(), json!({ "from": from, "to": to })));
    let kinds = select(&["contact", "favorite", "pair"][..]);
    let bond = (select(&["relate", "unrelate"][..]), kinds, id(), id()).prop_map(
        |(op, kind, from, to)| {
            with(op, Map::new(), json!({ "kind": kind, "from": from, "to": to }))
        },
    );
    let requested = select(&["request_friend", "update_friend"][..]);
    let requested = (requested, id(), id(), friend())
        .prop_map(|(op, from, to, friend)| with(op, friend, json!({ "from": from, "to": to })));
    let added = (id(), id(), any::<[bool; 3]>(), friend()).prop_map(
        |(from, to, [both, approved, force], friend)| {
            let given = json!({
                "from": from, "to": to, "both": both, "approved": approved, "force": force,
                "add_lists": if approved { vec!["m"] } else { vec![] },
            });
            with("add_friend", friend, given)
        },
    );
    let list = (select(&["add_friend_list", "delete_friend_list"][..]), id(), text())
        .prop_map(|(op, user, list)| with(op, Map::new(), json!({ "user": user, "list": list })));
    let put_user =
        (id(), user()).prop_map(|(id, user)| with("put_user", user, json!({ "user": id })));
    let put_group =
        (group(), put_group()).prop_map(|(id, put)| with("put_group", put, json!({ "group": id })));
    let ops = [
        "add_member",
        "remove_member",
        "add_admin",
        "remove_admin",
        "add_super_admin",
        "remove_super_admin",
        "join",
        "mute_member",
        "unmute_member",
        "ban_member",
        "unban_member",
    ];
    let member = (select(ops.to_vec()), group(), id()).prop_map(|(op, group, member)| {
        with(op, Map::new(), json!({ "group": group, "member": member }))
    });
    let reported = (group(), or_null(text()), any::<bool>()).prop_map(|(group, value, field)| {
        if field {
            with(
                "update_metadata",
                Map::new(),
                json!({ "group": group, "field": "a", "value": value }),
            )
        } else {
            let given = json!({ "group": group, "permission": "add_member", "value": value });
            with("update_permissions", Map::new(), given)
        }
    });
    let deleted =
        group().prop_map(|group| with("delete_group", Map::new(), json!({ "group": group })));
    let talk = (select(&["open_conversation", "close_conversation"][..]), id(), id())
        .prop_map(|(op, one, other)| with(op, Map::new(), json!({ "users": [one, other] })));
    let named = fields(vec![
        ("rule_id", rule_id()),
        ("name", text().boxed()),
        ("description", text().boxed()),
    ]);
    let rule = (named, tags()).prop_map(|(named, outcome)| {
        with("put_rule", named, json!({ "condition": "hasTag( Berlin )", "outcome": outcome }))
    });
    let unruled =
        rule_id().prop_map(|id| with("delete_rule", Map::new(), json!({ "rule_id": id })));
    let op = prop_oneof![
        2 => one, 1 => tagged, 4 => two, 1 => bond, 3 => requested, 4 => added, 1 => list, 3 => put_user,
        3 => put_group, 5 => member, 1 => reported, 1 => deleted, 1 => talk, 1 => rule, 1 => unruled,
    ];
    (op, option::weighted(0.2, id())).prop_map(|(mut op, on_behalf)| {
        if let Some(id) = on_behalf {
            op.insert("as".to_owned(), id);
        }
        Value::Object(op)
    })
}
