//! Forms of the type `multipart/form-data`.

use serde_json::{Value, json};

use super::{POLICY, assert_refusal, reported};
use crate::dialects::rig::{Rig, TOKEN};

/// A form of these parts, each with its headers and its value.
fn form(boundary: &str, parts: &[(&str, &str)]) -> Vec<u8> {
    let part =
        |(headers, value): &(&str, &str)| format!("--{boundary}\r\n{headers}\r\n\r\n{value}\r\n");
    let parts: String = parts.iter().map(part).collect();
    format!("{parts}--{boundary}--\r\n").into_bytes()
}

#[track_caller]
fn send(rig: &Rig, content_type: &str, body: &[u8]) -> Value {
    let headers = format!("Content-Type: {content_type}\r\n");
    reported(&rig.ask("POST", "/backend/", &headers, body))
}

fn named(name: &str) -> String {
    format!("Content-Disposition: form-data; name=\"{name}\"")
}

#[test]
fn a_form_in_parts_is_taken_as_any_form() {
    let rig = Rig::start(POLICY);
    let token = named("token");
    let boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW";
    let body = form(
        boundary,
        &[
            (&named("op"), "useradd"),
            (&token, TOKEN),
            (
                "content-disposition: FORM-DATA; name=addr\r\nContent-Type: text/plain; charset=utf-8",
                "J\u{fc}rgen & --x\r\n",
            ),
            (&format!("X-Other: 1\r\n{}", named("name")), ""),
            (&format!("{}\r\nContent-Transfer-Encoding: 8bit", named("video_call")), "0"),
            (&named("calls"), "0"),
        ],
    );
    for content_type in [
        format!("multipart/form-data; boundary={boundary}"),
        format!("Multipart/Form-Data; charset=utf-8; Boundary=\"{boundary}\""),
    ] {
        let reported = send(&rig, &content_type, &body);
        assert_eq!(reported["error"], "BADPARAM", "an id has no line break: {reported}");
        let body = String::from_utf8(body.clone()).unwrap().replace("--x\r\n\r\n", "--x\r\n");
        let reported = send(&rig, &content_type, body.as_bytes());
        assert_eq!(
            (&reported["result"], &reported["ignored"]),
            (&json!(true), &json!(["calls"])),
            "{reported}"
        );
        assert_eq!(reported["user"]["address"], "Jürgen & --x");
    }
    assert_eq!(rig.decide("J%C3%BCrgen%20%26%20--x", "video_call", "x").1, "unknown_resource");
    // Some of it may stand in the query.
    let body = form("x", &[(&named("addr"), "2")]);
    let path = format!("/api.php?op=useradd&token={TOKEN}");
    let headers = "Content-Type: multipart/form-data; boundary=x\r\n";
    let reported = reported(&rig.ask("POST", &path, headers, &body));
    assert_eq!(reported["user"], json!({ "uid": 2, "address": "2" }), "{reported}");
}

#[test]
fn what_is_no_such_form_is_refused() {
    let rig = Rig::start(POLICY);
    let (op, token, addr) = (named("op"), named("token"), named("addr"));
    let good = [(op.as_str(), "useradd"), (token.as_str(), TOKEN), (addr.as_str(), "1")];
    let with = |more: (&str, &str)| form("x", &[&good[..], &[more]].concat());
    let many: Vec<String> = (0..70).map(|at| named(&at.to_string())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
    let whole = form("x", &good);
    let text = String::from_utf8(whole.clone()).unwrap();
    let plain = "multipart/form-data; boundary=x";
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    for (content_type, body, part) in [
        ("multipart/form-data", whole.clone(), "`boundary`"),
        ("multipart/form-data; boundary=", whole.clone(), "`boundary`"),
        (&*long, whole.clone(), "`boundary`"),
        ("multipart/form-data; boundary=y", whole.clone(), "does not begin"),
        (plain, format!("preamble\r\n{text}").into_bytes(), "does not begin"),
        (plain, text.replace("--x--", "").into_bytes(), "closing boundary is missing"),
        (plain, text.replace("\r\n", "\n").into_bytes(), "not followed by a line break"),
        (plain, with(("Content-Type: text/plain", "1")), "no name"),
        (plain, with(("Content-Disposition: form-data", "1")), "no name"),
        (plain, with(("Content-Disposition: attachment; name=\"a\"", "1")), "not `form-data`"),
        (plain, with(("nonsense", "1")), "without `:`"),
        (plain, with((&format!("{}; filename=\"a\"", named("profile")), "1")), "a file"),
        (plain, with((&format!("{}\r\n{}", named("a"), named("b")), "1")), "two names"),
        (plain, with((&format!("{}\r\nContent-Type: image/png", named("a")), "1")), "image/png"),
        (
            plain,
            with((&format!("{}\r\nContent-Transfer-Encoding: base64", named("a")), "1")),
            "base64",
        ),
        (
            plain,
            with((&format!("{}\r\nX: {}", named("a"), "x".repeat(5000)), "1")),
            "headers of a part",
        ),
        (plain, with((&addr, "2")), "twice"),
        (plain, form("x", &many), "64 parameters"),
        (plain, with((&named("user[address]"), "2")), "can't be given in a form"),
        (plain, b"--x\r\n\r\n\r\n--x--".to_vec(), "headers of a part"),
        (plain, b"--x\r\n--x--".to_vec(), "closing boundary is missing"),
        (plain, b"--x\r\n".to_vec(), "closing boundary is missing"),
        (plain, [b"--x\r\n", addr.as_bytes(), b"\r\n\r\n\xff\r\n--x--"].concat(), "UTF-8"),
    ] {
        let reported = send(&rig, content_type, &body);
        assert_refusal(&reported, "BADFORM", 400);
        let message = reported["message"].as_str().unwrap();
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_refusal(&send(&rig, plain, b"--x--"), "TOKENBREACH", 401);
    // However it is cut, it is refused, or says less than it did.
    for end in 0..whole.len() {
        let reported = send(&rig, plain, whole.get(..end).unwrap());
        assert_eq!(
            reported["result"],
            end + 2 >= whole.len(),
            "{end} of {}: {reported}",
            whole.len()
        );
    }
}
