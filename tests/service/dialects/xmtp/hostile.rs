//! Malformed and hostile calls of XMTP's.

use serde_json::json;

use crate::{
    dialects::hostile::attack,
    dialects::rig::{Rig, bearer},
    support::client::Answer,
};

const POLICY: &str = "preset: xmtp\nusers: { ann: {}, bob: {} }\n";

/// In the dialect's own form: what is wrong.
#[track_caller]
fn reported(sent: &[u8], answer: &Answer) {
    let shown = String::from_utf8_lossy(&sent[..sent.len().min(100)]).into_owned();
    let expected = if sent.len() > 1 << 20 { 413 } else { 400 };
    assert_eq!(answer.status, expected, "{shown}: {}", answer.text());
    let error = &answer.json()["error"];
    assert!(error["code"].is_string() && error["message"].is_string(), "{shown}: {error}");
}

#[test]
fn bodies_that_no_call_takes() {
    let rig = Rig::start(POLICY);
    let nested = |inner: &str, depth: usize| {
        let (open, close) = ("{\"any\":[".repeat(depth), "]}".repeat(depth));
        format!(r#"{{"caller":"ann","permissionPolicyOption":{open}{inner}{close}}}"#).into_bytes()
    };
    let wide =
        json!({ "caller": "ann", "permissionPolicyOption": { "any": vec!["allow"; 100_000] } });
    let many = json!({ "caller": "ann", "inboxIds": vec!["bob"; 1001], "addresses": ["bob"] });
    let long = json!({ "caller": "ann", "inboxId": "x".repeat(300) });
    let more = vec![
        nested("\"allow\"", 40),
        nested("\"allow\"", 60),
        wide.to_string().into_bytes(),
        many.to_string().into_bytes(),
        long.to_string().into_bytes(),
        br#"{"caller":["ann"],"inboxId":{}}"#.to_vec(),
        br#"{"caller":"","inboxId":"bob"}"#.to_vec(),
        br#"{"caller":"ann\u0000","inboxId":"bob"}"#.to_vec(),
    ];
    let body = br#"{"caller":"ann","groupId":"g","inboxIds":["bob"]}"#;
    assert_eq!(rig.ask("POST", "/xmtp/groups", &bearer(), body).status, 201);
    let calls = [
        "addAdmin",
        "addMemberInboxIds",
        "addMembers",
        "removeMembers",
        "updatePermission",
        "updateAddMemberPermission",
        "updateMetadata",
        "updateName",
        "updateMessageDisappearingSettings",
    ];
    let paths = calls.map(|call| format!("/xmtp/groups/g/{call}"));
    for path in paths.iter().map(String::as_str).chain(["/xmtp/groups", "/xmtp/dms"]) {
        attack(&rig, ("POST", path, &bearer()), &more, reported);
    }
    attack(&rig, ("POST", "/xmtp/groups/g/isAdmin", &bearer()), &[], reported);
    attack(&rig, ("PUT", "/xmtp/inboxes/ann", &bearer()), &more, |sent, answer| {
        // No arguments are needed there.
        let is_empty = sent.iter().all(u8::is_ascii_whitespace) || sent == b"{}";
        if !is_empty {
            reported(sent, answer);
        }
    });
}

#[test]
fn paths_and_methods_that_are_none() {
    let rig = Rig::start(POLICY);
    let long = format!("/xmtp/groups/{}", "x".repeat(5000));
    let paths = [
        "/xmtp",
        "/xmtp/",
        "/xmtp//",
        "/xmtp/groups/",
        "/xmtp/groups/g/",
        "/xmtp/groups/g/addadmin",
        "/xmtp/groups/%/isAdmin",
        "/xmtp/groups/%c3%28/isAdmin",
        "/xmtp/groups/../../v1/decide",
        "/xmtp/inboxes/",
        "/xmtp/inboxes/a/b",
        &long,
    ];
    for path in paths {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            let answer = rig.ask(method, path, &bearer(), b"");
            assert!(matches!(answer.status, 400 | 404 | 405), "{method} {path}: {}", answer.status);
            let error = answer.json()["error"].clone();
            assert!(error["code"].is_string(), "{method} {path}: {error}");
            assert_eq!(answer.status == 405, answer.header("allow").is_some(), "{method} {path}");
        }
    }
    // What only begins alike is not this system's.
    assert_eq!(rig.ask("GET", "/xmtpx", &bearer(), b"").status, 404);
    assert!(rig.ask("GET", "/xmtpx", &bearer(), b"").json()["error"]["code"].is_null());
}

#[test]
fn values_that_are_too_long() {
    let rig = Rig::start(POLICY);
    let body = br#"{"caller":"ann","groupId":"g"}"#;
    assert_eq!(rig.ask("POST", "/xmtp/groups", &bearer(), body).status, 201);
    for (call, most) in [
        ("updateName", 100),
        ("updateDescription", 1000),
        ("updateImageUrl", 2048),
        ("updateAppData", 8192),
    ] {
        for (length, status) in [(most, 200), (most + 1, 400)] {
            let name = match call {
                "updateName" => "groupName",
                "updateDescription" => "description",
                "updateImageUrl" => "imageUrl",
                _ => "appData",
            };
            let body = json!({ "caller": "ann", name: "x".repeat(length) }).to_string();
            let path = format!("/xmtp/groups/g/{call}");
            let answer = rig.ask("POST", &path, &bearer(), body.as_bytes());
            assert_eq!(answer.status, status, "{call} {length}: {}", answer.text());
            if status == 400 {
                assert_eq!(answer.json()["error"]["code"], "too_long");
            }
        }
    }
    let body = json!({ "caller": "ann", "groupId": "h", "name": "x".repeat(101) }).to_string();
    assert_eq!(rig.ask("POST", "/xmtp/groups", &bearer(), body.as_bytes()).status, 400);
    let addresses = vec!["x".repeat(200); 100];
    let body = json!({ "addresses": addresses }).to_string();
    let answer = rig.ask("PUT", "/xmtp/inboxes/ann", &bearer(), body.as_bytes());
    assert_eq!((answer.status, answer.json()["error"]["code"].clone()), (400, "too_long".into()));
}

#[test]
fn names_that_are_too_long_or_too_many() {
    let rig = Rig::start(POLICY);
    let body = br#"{"caller":"ann","groupId":"g"}"#;
    assert_eq!(rig.ask("POST", "/xmtp/groups", &bearer(), body).status, 201);
    // A megabyte of arguments is refused at once, not looked through for each.
    let many: Vec<String> = (0..90_000).map(|at| format!("\"{at:x}\":1")).collect();
    let many = format!("{{{}}}", many.join(","));
    let set = format!("{{\"caller\":\"ann\",\"permissionPolicySet\":{many}}}");
    for (path, body) in [("/xmtp/groups/g/isAdmin", &many), ("/xmtp/groups", &set)] {
        let answer = rig.ask("POST", path, &bearer(), body.as_bytes());
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("more than 64 arguments"), "{}", answer.text());
    }
    let query: Vec<String> = (0..100).map(|at| format!("{at}=1")).collect();
    let path = format!("/xmtp/groups/g/isAdmin?{}", query.join("&"));
    assert_eq!(rig.ask("GET", &path, &bearer(), b"").status, 400);
    for (length, status) in [(255, 200), (256, 400), (100_000, 400)] {
        let body = json!({ "caller": "ann", "field": "x".repeat(length), "value": "" }).to_string();
        let answer = rig.ask("POST", "/xmtp/groups/g/updateMetadata", &bearer(), body.as_bytes());
        assert_eq!(answer.status, status, "{length}");
        assert!(answer.body.len() < 1000, "it is not told in full");
    }
}
