//! Writes of one system's API, as the decisions and all other APIs see them.

use std::fs;

use serde_json::{Value, json};

use crate::{
    dialects::rig::{Rig, TOKEN, bearer},
    dialects::venueless::{ISSUERS, Socket, enter},
    support::client::Answer,
};

const POLICY: &str = "
moderation: { managers: hasTag(moderator) }
users: { ann: {}, bob: {}, cyd: {} }
";

const RULES: &str = "
rules: []
users: { ann: {}, bob: {} }
";

/// All that is asked of one daemon.
struct House(Rig);

impl House {
    fn serving(policy: &str) -> Self {
        let more = ["--dialect", "all", "--venueless-jwt-file", "{}/issuers"];
        Self(Rig::prepared(policy, &more, |folder| {
            fs::write(folder.path().join("issuers"), ISSUERS).unwrap();
        }))
    }

    #[track_caller]
    fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if method == "GET" { String::new() } else { body.to_string() };
        self.0.ask(method, path, &bearer(), body.as_bytes())
    }

    #[track_caller]
    fn mesibo(&self, mut request: Value) -> Value {
        request["token"] = TOKEN.into();
        let reported = self.json("POST", "/backend/", &request).json();
        assert_eq!(reported["result"], true, "{reported}");
        reported
    }

    #[track_caller]
    fn tencent(&self, command: &str, body: &Value) -> Value {
        let query = format!("sdkappid=1&identifier=administrator&usersig={TOKEN}&random=1");
        let reported = self.json("POST", &format!("/v4/{command}?{query}"), body).json();
        assert_eq!(reported["ActionStatus"], "OK", "{reported}");
        reported
    }

    /// The code of what comes of a call; empty if it is carried out.
    #[track_caller]
    fn xmtp(&self, path: &str, body: &Value) -> String {
        let reported = self.json("POST", &format!("/xmtp/groups{path}"), body).json();
        reported["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    fn result(&self, path: &str) -> Value {
        self.json("GET", &format!("/xmtp/groups{path}"), &Value::Null).json()["result"].clone()
    }

    #[track_caller]
    fn reason(&self, subject: &str, action: &str, resource: &str) -> String {
        self.0.decide(subject, action, resource).1
    }

    #[track_caller]
    fn enter(&self, user: &str, traits: &[&str]) -> (Socket, Value) {
        enter(&self.0, user, traits)
    }

    /// Whether ann blocks bob, as each tells it.
    #[track_caller]
    fn assert_blocked(&self, is: bool) {
        let reason = if is { "blocked_by_resource" } else { "allowed" };
        assert_eq!(self.reason("bob", "send_message", "ann"), reason);

        let user = self.mesibo(json!({ "op": "userget", "user": { "address": "ann" } }));
        let contacts = user["user"]["contacts"].as_array().unwrap();
        let blocks = |contact: &Value| contact["address"] == "bob" && contact["block"] == true;
        assert_eq!(contacts.iter().any(blocks), is, "{user}");

        let check = json!({
            "From_Account": "ann", "To_Account": ["bob"], "CheckType": "BlackCheckResult_Type_Single",
        });
        let reported = self.tencent("sns/black_list_check", &check);
        let relation = &reported["BlackListCheckItem"][0]["Relation"];
        let expected = if is { "BlackCheckResult_Type_AWithB" } else { "BlackCheckResult_Type_NO" };
        assert_eq!(relation, expected, "{reported}");

        let reported = self.enter("ann", &[]).0.ask(&json!(["user.list.blocked", 1, {}]));
        assert_eq!(reported[2].as_array().unwrap().len(), usize::from(is), "{reported}");

        let code =
            self.xmtp("/bobs/addMemberInboxIds", &json!({ "caller": "bob", "inboxIds": ["ann"] }));
        assert_eq!(code, if is { "blocked_by_resource" } else { "" });
        self.xmtp("/bobs/removeMemberInboxIds", &json!({ "caller": "bob", "inboxIds": ["ann"] }));
    }
}

#[test]
fn a_block_is_seen_by_all() {
    let house = House::serving(POLICY);
    assert_eq!(house.xmtp("", &json!({ "caller": "bob", "groupId": "bobs" })), "");
    house.assert_blocked(false);

    let both = json!({ "From_Account": "ann", "To_Account": ["bob"] });
    house.tencent("sns/black_list_add", &both);
    house.assert_blocked(true);
    house.tencent("sns/black_list_delete", &both);
    house.assert_blocked(false);

    for is in [true, false] {
        let contact = json!({ "address": "bob", "block": is });
        house.mesibo(json!({ "op": "userset", "user": { "address": "ann", "contact": contact } }));
        house.assert_blocked(is);
    }

    let (mut ann, _) = house.enter("ann", &[]);
    for (command, is) in [("user.block", true), ("user.unblock", false)] {
        assert_eq!(ann.ask(&json!([command, 1, { "id": "bob" }])), json!(["success", 1, {}]));
        house.assert_blocked(is);
    }
}

#[test]
fn who_is_banned_is_so_everywhere() {
    let house = House::serving(POLICY);
    let assert_banned = |is: bool| {
        let reported = house.0.daemon.get("/v1/decide?subject=bob&action=sign_in").json();
        assert_eq!(reported["reason"], if is { "banned" } else { "allowed" });
        let user = house.mesibo(json!({ "op": "userget", "user": { "address": "bob" } }));
        assert_eq!(user["user"]["active"], !is, "{user}");
        let code =
            house.xmtp("", &json!({ "caller": "bob", "groupId": if is { "no" } else { "yes" } }));
        assert_eq!(code, if is { "banned" } else { "" });
        let answer = house.enter("bob", &[]).1;
        let reported = if is { &answer[1]["code"] } else { &answer[0] };
        assert_eq!(reported, if is { "auth.denied" } else { "authenticated" }, "{answer}");
    };
    let (mut moderator, _) = house.enter("boss", &["moderator"]);
    moderator.ask(&json!(["user.ban", 1, { "id": "bob" }]));
    assert_banned(true);
    house.mesibo(json!({ "op": "userset", "user": { "address": "bob", "active": true } }));
    assert_banned(false);

    let (mut bob, _) = house.enter("bob", &[]);
    house.mesibo(json!({ "op": "userset", "user": { "address": "bob", "active": false } }));
    assert_eq!(bob.next(), json!(["connection.reload", {}]), "by whatever API");
}

#[test]
fn tags_and_traits_are_one() {
    let house = House::serving(POLICY);
    house.enter("cyd", &["moderator"]);
    let tags = house.json("GET", "/sync/users/cyd/tags", &Value::Null).json();
    assert_eq!(tags["tags"], json!(["moderator"]));
    house.json("PUT", "/sync/users/cyd/tags", &json!({ "tags": [] }));
    let (mut cyd, _) = house.enter("cyd", &[]);
    let reported = cyd.ask(&json!(["user.ban", 1, { "id": "bob" }]));
    assert_eq!(reported[2]["code"], "auth.denied");
    house.json("PUT", "/sync/users/cyd/tags", &json!({ "tags": ["moderator"] }));
    let reported = cyd.ask(&json!(["user.ban", 1, { "id": "bob" }]));
    assert_eq!(reported, json!(["success", 1, {}]), "on a socket that was open before");
}

#[test]
fn a_rule_opens_what_others_do() {
    let house = House::serving(RULES);
    assert_eq!(house.xmtp("", &json!({ "caller": "ann", "groupId": "anns" })), "");
    let add = json!({ "caller": "ann", "inboxIds": ["bob"] });
    assert_eq!(house.xmtp("/anns/addMemberInboxIds", &add), "no_rule");
    for (user, tag) in [("ann", "Berlin"), ("bob", "Munich")] {
        house.json("PUT", &format!("/sync/users/{user}/tags"), &json!({ "tags": [tag] }));
    }
    assert_eq!(house.reason("ann", "start_chat", "bob"), "no_rule");
    let rule = json!({ "condition": "hasTag(Berlin)", "outcome": ["Munich"] });
    assert_eq!(house.json("POST", "/sync/interaction-rules", &rule).status, 201);
    assert_eq!(house.reason("ann", "start_chat", "bob"), "allowed");
    assert_eq!(house.reason("bob", "start_chat", "ann"), "no_rule");
    assert_eq!(house.xmtp("/anns/addMemberInboxIds", &add), "");
}

#[test]
fn a_group_has_the_same_members_in_all() {
    let house = House::serving(POLICY);
    let group = json!({ "caller": "ann", "groupId": "42", "inboxIds": ["bob"], "name": "All" });
    assert_eq!(house.xmtp("", &group), "");
    let reported = house.mesibo(json!({ "op": "groupget", "group": { "gid": 42 } }));
    assert_eq!(reported["group"]["name"], "All");
    let (_, welcome) = house.enter("bob", &[]);
    assert_eq!(welcome[1]["chat.channels"], json!([{ "id": "42" }]));

    let is_member = || house.0.in_group("cyd", "send_message", "42", "").1;
    assert_eq!(is_member(), "not_member");
    let add = json!({ "gid": 42, "members": { "m": "cyd" } });
    house.mesibo(json!({ "op": "groupeditmembers", "group": add }));
    assert_eq!(is_member(), "allowed");
    assert_eq!(house.result("/42/memberInboxIds"), json!(["ann", "bob", "cyd"]));
    house.xmtp("/42/removeMemberInboxIds", &json!({ "caller": "ann", "inboxIds": ["cyd"] }));
    let reported = house.mesibo(json!({ "op": "groupgetmembers", "group": { "gid": 42 } }));
    let members =
        reported["group"]["members"].as_array().or(reported["members"].as_array()).unwrap();
    assert_eq!(members.len(), 2, "{reported}");
}

#[test]
fn peers_and_approval_hold_for_all() {
    let house = House::serving(POLICY);
    assert_eq!(house.xmtp("", &json!({ "caller": "bob", "groupId": "bobs" })), "");
    let add = json!({ "caller": "bob", "inboxIds": ["ann"] });
    let ann = json!({ "address": "ann", "permissions": { "peers": 2 } });
    house.mesibo(json!({ "op": "userset", "user": ann }));
    assert_eq!(house.reason("bob", "start_chat", "ann"), "peers_resource");
    assert_eq!(house.xmtp("/bobs/addMemberInboxIds", &add), "peers_resource");
    let contact = json!({ "address": "bob", "contact": true });
    house.mesibo(json!({ "op": "userset", "user": { "address": "ann", "contact": contact } }));
    assert_eq!(house.reason("bob", "start_chat", "ann"), "allowed");
    assert_eq!(house.xmtp("/bobs/addMemberInboxIds", &add), "");

    let item = json!({ "Tag": "Tag_Profile_IM_AllowType", "Value": "AllowType_Type_DenyAny" });
    let deny = json!({ "From_Account": "ann", "ProfileItem": [item] });
    house.tencent("profile/portrait_set", &deny);
    assert_eq!(house.reason("bob", "friend_request", "ann"), "requests_refused");
    let item = json!({ "To_Account": "ann", "AddSource": "AddSource_Type_Web" });
    let add = json!({ "From_Account": "bob", "AddFriendItem": [item], "ForceAddFlags": 1 });
    house.tencent("sns/friend_add", &add);
    assert_eq!(house.reason("bob", "friend_request", "ann"), "already_friends");
}

#[test]
fn calls_and_sockets_are_counted() {
    let house = House::serving(POLICY);
    let (_first, _) = house.enter("ann", &[]);
    let (_second, _) = house.enter("bob", &[]);
    for name in ["one", "two"] {
        house.mesibo(json!({ "op": "useradd", "user": { "address": name } }));
    }
    assert_eq!(house.json("GET", "/sync/nothing", &Value::Null).status, 404);
    let text = house.0.daemon.get("/metrics").text().to_owned();
    for line in [
        "peerage_dialect_calls_total{dialect=\"mesibo\"} 2",
        "peerage_dialect_calls_total{dialect=\"flip\"} 1",
        "peerage_dialect_calls_total{dialect=\"xmtp\"} 0",
        "peerage_sockets 2",
    ] {
        assert!(text.lines().any(|it| it == line), "no {line} in {text}");
    }
}

#[test]
fn what_is_kept_can_be_read_again_however_deep() {
    let house = House::serving(POLICY);
    let (mut ann, _) = house.enter("ann", &[]);
    for depth in 60..128 {
        let deep = "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
        let user = format!(r#"{{"address":"bob","x":{deep}}}"#);
        let members = format!(r#"{{"m":"bob","x":{deep}}}"#);
        let group = format!(r#"{{"gid":{depth},"x":{deep},"members":{members}}}"#);
        for request in [
            format!(r#"{{"op":"userset","token":"{TOKEN}","user":{user}}}"#),
            format!(r#"{{"op":"groupadd","token":"{TOKEN}","group":{group}}}"#),
        ] {
            let reported = house.0.ask("POST", "/backend/", &bearer(), request.as_bytes()).json();
            assert_eq!(reported["result"], depth <= 63, "{depth} {reported}");
        }
        ann.send_text(&format!(r#"["user.update",1,{{"profile":{deep}}}]"#));
        let reported = ann.next();
        assert_eq!(
            reported[0],
            if depth <= 64 { "success" } else { "error" },
            "{depth} {reported}"
        );
        let command = format!(r#"{{"op":"put_user","user":"cyd","attributes":{{"x":{deep}}}}}"#);
        let batch = format!(r#"{{"commands":[{command}]}}"#);
        let status = house.0.ask("POST", "/v1/facts", &bearer(), batch.as_bytes()).status;
        assert!(if depth <= 64 { status == 200 } else { [400, 409].contains(&status) }, "{depth}");
    }
    for path in ["users/ann", "users/bob", "users/cyd", "groups/63"] {
        let answer = house.json("GET", &format!("/v1/facts/{path}"), &Value::Null);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}
