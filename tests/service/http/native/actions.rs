//! Every action over the native endpoints: which reason, and who could.

use serde_json::{Value, json};

use crate::support::daemon::{Daemon, club, stores};

#[test]
fn decisions() {
    let daemon = Daemon::serve(club());
    let mut client = daemon.connect();
    for (query, reason) in [
        ("subject=ann&action=sign_in", "allowed"),
        ("subject=cat&action=sign_in", "allowed"),
        ("subject=dan&action=sign_in", "banned"),
        ("subject=zoe&action=sign_in", "unknown_subject"),
        ("subject=ann&action=sign_in&resource_type=session&resource=%07", "allowed"),
        ("subject=ann&action=list_users", "allowed"),
        ("subject=bob&action=list_users", "not_manager"),
        ("subject=ann&action=create_group", "allowed"),
        ("subject=bob&action=create_group", "permission_off"),
        ("subject=cat&action=create_group", "silenced"),
        ("subject=bob&action=post", "allowed"),
        ("subject=cat&action=post", "silenced"),
        ("subject=bob&action=post&resource_type=wall", "allowed"),
        ("subject=bob&action=post&resource_type=wall&resource=7", "allowed"),
        ("subject=bob&action=comment&resource=ann", "allowed"),
        ("subject=bob&action=comment&resource=bob", "self"),
        ("subject=bob&action=react&resource_type=group&resource=g1", "allowed"),
        ("subject=fay&action=react&resource_type=group&resource=g1", "not_member"),
        ("subject=gus&action=join&resource=g1", "invite_only"),
        ("subject=bob&action=join&resource=g1", "already_member"),
        ("subject=eve&action=mute_member&resource=g1&member=bob", "allowed"),
        ("subject=bob&action=mute_member&resource=g1&member=cat", "needs_admin"),
        ("subject=eve&action=ban_member&resource=g1&member=ann", "super_admin_protected"),
        ("subject=eve&action=unmute_member&resource=g1&member=gus", "not_member"),
        ("subject=cat&action=read&resource=ann", "allowed"),
        ("subject=cat&action=read&resource=cat", "allowed"),
        ("subject=fay&action=read&resource_type=group&resource=g1", "not_member"),
        ("subject=bob&action=view_profile&resource=bob", "allowed"),
        ("subject=bob&action=start_chat&resource=ann", "allowed"),
        ("subject=bob&action=start_chat&resource=cat", "no_rule"),
        ("subject=bob&action=start_chat&resource=cat&conversation=existing", "no_rule"),
        ("subject=bob&action=start_chat&resource=eve", "blocked_by_resource"),
        ("subject=eve&action=start_chat&resource=bob", "blocked_by_subject"),
        ("subject=eve&action=send_message&resource=bob", "blocked_by_subject"),
        ("subject=eve&action=send_message&resource=bob&conversation=existing", "allowed"),
        ("subject=bob&action=send_message&resource=cat", "allowed"),
        ("subject=bob&action=send_message&resource=cat&conversation=new", "no_rule"),
        ("subject=bob&action=send_message&resource=gus", "no_rule"),
        ("subject=bob&action=send_message&resource=gus&conversation=existing", "allowed"),
        ("subject=bob&action=send_message&resource=fay", "incoming_off"),
        ("subject=bob&action=send_message&resource=g1", "unknown_resource"),
        ("subject=bob&action=send_message&resource=g1&resource_type=group", "allowed"),
        ("subject=fay&action=send_message&resource=g1&resource_type=group", "not_member"),
        ("subject=bob&action=video_call&resource=ann", "permission_off"),
        ("subject=ann&action=video_call&resource=bob", "allowed"),
        ("subject=ann&action=friend_request&resource=gus", "requests_refused"),
        ("subject=bob&action=block&resource=ann", "allowed"),
        ("subject=bob&action=block&resource=bob", "self"),
        ("subject=ann&action=ban&resource=bob", "allowed"),
        ("subject=bob&action=ban&resource=ann", "not_manager"),
        ("subject=bob&action=leave&resource=g1", "allowed"),
        ("subject=ann&action=leave&resource=g1", "super_admin_protected"),
        ("subject=bob&action=leave&resource=g2", "last_member"),
        ("subject=bob&action=leave&resource=g9", "unknown_resource"),
        ("subject=eve&action=add_member&resource=g1&member=gus", "allowed"),
        ("subject=bob&action=add_member&resource=g1&member=ann", "needs_admin"),
        ("subject=bob&action=add_member&resource=g1&member=gus", "no_rule"),
        ("subject=eve&action=add_member&resource=g1&member=bob", "blocked_by_subject"),
        ("subject=eve&action=add_member&resource=g1&member=fay", "incoming_off"),
        ("subject=eve&action=add_member&resource=g1&member=zoe", "unknown_resource"),
        ("subject=eve&action=remove_member&resource=g1&member=bob", "allowed"),
        ("subject=eve&action=remove_member&resource=g1&member=ann", "super_admin_protected"),
        ("subject=bob&action=update_metadata&resource=g1&field=name", "allowed"),
        ("subject=bob&action=update_metadata&resource=g1&field=topic", "needs_admin"),
        ("subject=eve&action=update_metadata&resource=g1&field=_topic", "needs_super_admin"),
        ("subject=eve&action=update_permissions&resource=g1", "needs_super_admin"),
        ("subject=ann&action=update_permissions&resource=g1", "allowed"),
        ("subject=eve&action=add_super_admin&resource=g1&member=bob", "needs_super_admin"),
        ("subject=ann&action=remove_super_admin&resource=g1&member=ann", "last_super_admin"),
        // What an action takes no notice of changes nothing.
        ("subject=bob&action=leave&resource=g1&member=ann&field=name", "allowed"),
        ("subject=bob&action=leave&resource=g1&member=%07", "allowed"),
    ] {
        let answer = client.get(&format!("/v1/decide?{query}"));
        let decision = reason == "allowed";
        let expected = json!({ "decision": decision, "reason": reason });
        assert_eq!((answer.status, answer.json()), (200, expected), "{query}");
        let reported = client.get(&format!("/v1/decide?{query}&explain=true")).json();
        assert_eq!(
            (&reported["decision"], &reported["reason"]),
            (&json!(decision), &json!(reason))
        );
        assert_eq!(reported["gates"].as_array().unwrap().len(), 11, "{query}");
        let closed =
            reported["gates"].as_array().unwrap().iter().find(|gate| gate["open"] == false);
        let first = closed.map_or(&Value::Null, |gate| &gate["reason"]);
        assert_eq!(*first, if decision { Value::Null } else { json!(reason) }, "{query}");
        let answer = client.get(&format!("/v1/allow?{query}"));
        assert_eq!(answer.status, if decision { 204 } else { 403 }, "{query}");
        assert_eq!(answer.header("peerage-reason"), Some(reason), "{query}");
        assert_eq!(answer.header("peerage-obligations"), None, "{query}");
    }
}

#[test]
fn obligations() {
    let daemon = Daemon::serve(club());
    let query = "subject=ann&action=friend_request&resource=eve";
    let answer = daemon.get(&format!("/v1/decide?{query}"));
    assert_eq!(answer.text(), r#"{"decision":true,"reason":"allowed","obligations":["confirm"]}"#);
    let reported = daemon.get(&format!("/v1/decide?{query}&explain")).json();
    assert_eq!(reported["obligations"], json!(["confirm"]));
    let answer = daemon.get(&format!("/v1/allow?{query}"));
    assert_eq!((answer.status, answer.header("peerage-obligations")), (204, Some("confirm")));
}

#[test]
fn obligations_are_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    let users = "users: { hal: { moderation: shadowed }, eve: { approval: need_confirm } }";
    std::fs::write(&policy, users).unwrap();
    let daemon = Daemon::serve(&policy);
    let query = "subject=hal&action=friend_request&resource=eve";
    let answer = daemon.get(&format!("/v1/decide?{query}"));
    let obligations = r#""obligations":["confirm","hide"]"#;
    assert_eq!(answer.text(), format!(r#"{{"decision":true,"reason":"allowed",{obligations}}}"#));
    let answer = daemon.get(&format!("/v1/allow?{query}"));
    assert_eq!((answer.status, answer.header("peerage-obligations")), (204, Some("confirm, hide")));
}

#[test]
fn explanations_name_the_user() {
    let daemon = Daemon::serve(club());
    for (query, user) in [
        ("subject=dan&action=sign_in", json!("dan")),
        ("subject=bob&action=start_chat&resource=eve", json!("eve")),
        ("subject=bob&action=start_chat&resource=ann", Value::Null),
    ] {
        let reported = daemon.get(&format!("/v1/decide?{query}&explain=true")).json();
        assert_eq!(reported.get("user").cloned().unwrap_or_default(), user, "{query}");
    }
}

#[test]
fn lists() {
    let daemon = Daemon::serve(club());
    let mut client = daemon.connect();
    for (query, name, ids) in [
        ("subject=bob&action=start_chat", "users", &["ann"][..]),
        ("subject=bob&action=send_message", "users", &["ann", "cat"]),
        ("subject=bob&action=send_message&conversation=new", "users", &["ann"]),
        (
            "subject=bob&action=send_message&conversation=existing",
            "users",
            &["ann", "cat", "dan", "gus"],
        ),
        ("resource=ann&action=start_chat", "users", &["bob", "eve", "fay", "gus"]),
        ("subject=dan&action=start_chat", "users", &[]),
        ("subject=bob&action=post", "users", &["ann", "cat", "dan", "eve", "fay", "gus"]),
        ("action=post", "users", &["ann", "bob", "eve", "fay", "gus"]),
        ("action=post&resource_type=wall", "users", &["ann", "bob", "eve", "fay", "gus"]),
        (
            "action=post&resource_type=wall&resource=7",
            "users",
            &["ann", "bob", "eve", "fay", "gus"],
        ),
        ("action=create_group", "users", &["ann", "eve"]),
        ("action=list_users", "users", &["ann", "eve"]),
        ("action=sign_in", "users", &["ann", "bob", "cat", "eve", "fay", "gus"]),
        ("resource=g1&resource_type=group&action=send_message", "users", &["ann", "bob", "eve"]),
        ("resource=g1&action=update_permissions", "users", &["ann"]),
        ("resource=g1&action=update_metadata&field=name", "users", &["ann", "bob", "eve"]),
        ("resource=g1&action=update_metadata&field=topic", "users", &["ann", "eve"]),
        ("resource=g1&action=add_member&member=gus", "users", &["ann", "eve"]),
        ("resource=g1&action=leave", "users", &["bob", "cat", "eve"]),
        ("resource=g9&action=leave", "users", &[]),
        (
            "subject=eve&action=add_member&resource=g1",
            "users",
            &["ann", "cat", "dan", "eve", "gus"],
        ),
        ("subject=bob&action=add_member&resource=g1", "users", &[]),
        ("subject=bob&action=leave", "groups", &["g1"]),
        ("subject=bob&action=send_message&resource_type=group", "groups", &["g1", "g2"]),
        ("subject=zoe&action=send_message&resource_type=group", "groups", &[]),
        ("subject=ann&action=add_member&member=gus", "groups", &["g1"]),
        ("subject=bob&action=update_metadata&field=topic", "groups", &["g2"]),
    ] {
        let answer = client.get(&format!("/v1/reach?{query}"));
        let expected = json!({ name: ids, "total": ids.len(), "next": "" });
        assert_eq!((answer.status, answer.json()), (200, expected), "{query}");
        if let [first, _, ..] = ids {
            let page = client.get(&format!("/v1/reach?{query}&limit=1")).json();
            assert_eq!(page, json!({ name: [first], "total": ids.len(), "next": first }));
            let rest = client.get(&format!("/v1/reach?{query}&after={first}")).json();
            assert_eq!(rest[name], json!(ids[1..]), "{query}");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    for (query, at) in [
        ("subject=ann&action=sign_in&resource=7", "resource"),
        ("subject=ann&action=sign_in&resource=7&resource_type=user", "resource_type"),
        ("subject=ann&action=start_chat&resource=g1&resource_type=group", "resource_type"),
        ("subject=ann&action=start_chat&resource=7&resource_type=wall", "resource_type"),
        ("subject=ann&action=leave&resource=bob&resource_type=user", "resource_type"),
        ("subject=ann&action=leave&resource=bob&resource_type=", "resource_type"),
        ("subject=ann&action=leave", "resource"),
        ("subject=ann&action=post&resource_type=user", "resource"),
        ("subject=ann&action=send_message&resource_type=group", "resource"),
        ("subject=ann&action=add_member&resource=g1", "member"),
        ("subject=ann&action=add_member&resource=g1&member=", "member"),
        ("subject=ann&action=add_member&resource=g1&member=%07", "member"),
        ("subject=ann&action=update_metadata&resource=g1", "field"),
        ("subject=ann&action=send_message&resource=bob&conversation=old", "conversation"),
        ("subject=ann&action=send_message&resource=bob&conversation=", "conversation"),
        ("subject=ann&action=leave&resource=%07", "resource"),
    ] {
        for path in ["/v1/decide", "/v1/allow"] {
            assert_eq!(client.get(&format!("{path}?{query}")).refusal(400), at, "{query}");
        }
    }
    for (query, at) in [
        ("subject=ann&action=sign_in", "query"),
        ("subject=ann&action=start_chat&resource=bob", "query"),
        ("subject=ann&action=leave&resource=g1", "query"),
        ("subject=ann&action=add_member&resource=g1&member=bob", "query"),
        ("subject=ann&action=post&resource_type=wall", "query"),
        ("action=leave", "query"),
        ("action=start_chat", "query"),
        ("action=post&resource_type=user", "query"),
        ("action=sign_in&resource=7", "resource"),
        ("subject=ann&action=start_chat&resource_type=group", "resource_type"),
        ("subject=ann&action=add_member&resource_type=group", "member"),
        ("action=add_member&resource=g1", "member"),
        ("subject=ann&action=update_metadata", "field"),
        ("action=update_metadata&resource=g1", "field"),
        ("subject=ann&action=start_chat&conversation=old", "conversation"),
    ] {
        assert_eq!(client.get(&format!("/v1/reach?{query}")).refusal(400), at, "{query}");
    }
}
