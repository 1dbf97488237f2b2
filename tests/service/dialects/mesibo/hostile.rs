//! Whatever else may be sent.

use serde_json::{Value, json};

use super::{JSON, POLICY, add, ask, reported};
use crate::{
    dialects::hostile::attack,
    dialects::rig::{Rig, TOKEN, bearer},
    support::client::Answer,
};

/// An answer in the system's own form: an error, or that it was done.
#[track_caller]
fn in_form(answer: &Answer) -> Value {
    let reported = reported(answer);
    let fields: Vec<&str> = ["op", "error", "message"]
        .into_iter()
        .filter(|field| reported[field].is_string())
        .collect();
    if reported["result"] != true {
        assert_eq!(reported["result"], false);
        assert_eq!(fields, ["op", "error", "message"], "{reported}");
        assert!(reported["code"].is_u64(), "{reported}");
    }
    reported
}

#[test]
fn no_body_breaks_it() {
    let rig = Rig::start(POLICY);
    let types = [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain",
        "",
    ];
    for kind in types {
        let headers = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: {kind}\r\n");
        attack(&rig, ("POST", "/backend/", &headers), &[], |body, answer| {
            let reported = in_form(answer);
            assert_eq!(reported["result"], false, "{:?}", String::from_utf8_lossy(body));
        });
    }
}

/// Every operation and every field with values of all kinds.
fn bodies() -> Vec<Value> {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("x".repeat(300)),
        json!("\u{0}"),
        json!("1,2,,1"),
        json!(","),
        json!([]),
        json!([[]]),
        json!([null]),
        json!({}),
        json!({ "": {} }),
        json!({ "a": { "b": [{}] } }),
        json!(vec![1; 2000]),
        json!("9".repeat(255)),
        json!("\u{202e}"),
        json!("%"),
        json!("*"),
    ];
    let ops = [
        "useradd",
        "userset",
        "userget",
        "usersget",
        "userdel",
        "usertoken",
        "deltoken",
        "deluser",
        "groupadd",
        "groupset",
        "groupget",
        "groupdel",
        "groupeditmembers",
        "groupgetmembers",
        "getmembers",
        "message",
        "",
    ];
    let mut bodies = Vec::new();
    for value in &values {
        for op in ops {
            bodies.push(json!({ "op": op, "user": value, "group": value, "count": value }));
            bodies
                .push(json!({ "op": op, "user": { "address": value }, "group": { "gid": value } }));
        }
        bodies.push(json!({ "op": value, "id": value }));
        for name in [
            "uid",
            "active",
            "name",
            "permissions",
            "contact",
            "contacts",
            "token",
            "profile",
            "flags",
            "flag",
        ] {
            bodies.push(json!({ "op": "useradd", "user": { "address": "1", name: value } }));
        }
        for name in ["incoming", "outgoing", "peers", "other"] {
            bodies.push(json!({ "op": "useradd", "user": { "address": "1", "permissions": { name: value } } }));
        }
        for name in [
            "address",
            "addr",
            "uid",
            "contact",
            "subscribe",
            "pair",
            "block",
            "favorite",
            "remove",
            "other",
        ] {
            bodies.push(json!({ "op": "useradd", "user": { "address": "1", "contact": { "address": "2", name: value } } }));
        }
        for name in ["name", "flags", "active", "expiry", "members", "delete", "call", "count"] {
            bodies.push(json!({ "op": "groupadd", "group": { name: value } }));
        }
        for name in ["m", "permissions", "admin", "flags", "remove", "other"] {
            bodies.push(
                json!({ "op": "groupadd", "group": { "members": { "m": "1", name: value } } }),
            );
            bodies.push(json!({ "op": "groupeditmembers", "group": { "gid": 4, "members": { "m": "1", name: value } } }));
        }
        for name in ["owner", "flags", "adduser", "other"] {
            bodies.push(json!({ "op": "groupadd", "group": { "members": { "m": "1", "admin": { name: value } } } }));
        }
    }
    bodies
}

#[test]
fn no_value_breaks_it() {
    let rig = Rig::start(POLICY);
    add(&rig, &["1", "2"]);
    let mut client = rig.daemon.connect();
    for body in bodies() {
        in_form(&client.ask("POST", "/backend/", &bearer(), body.to_string().as_bytes()));
    }
    assert_eq!(rig.daemon.get("/healthz").status, 200);
}

#[test]
fn no_query_breaks_it() {
    let rig = Rig::start(POLICY);
    let long = "x".repeat(5000);
    let queries = [
        "",
        "=",
        "&",
        "&&=&",
        "op",
        "op=",
        "=op",
        "op=%",
        "op=%f",
        "op=%zz",
        "op=%00",
        "op=useradd&addr=%ff",
        "op=useradd&addr=%ed%a0%80",
        "op=useradd&uid=99999999999999999999",
        "op=useradd&uid=-1",
        "op=groupadd&gid=%00",
        "op=useradd&addr=+",
        "op=+useradd&addr=1",
        "op[]=useradd",
        &long,
    ];
    for query in queries {
        for path in ["/backend/", "/api.php"] {
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
                let answer = rig.ask(method, &format!("{path}?{query}"), &bearer(), b"");
                let reported = in_form(&answer);
                assert_eq!(
                    reported["error"] == "BADMETHOD",
                    !["GET", "POST"].contains(&method),
                    "{reported}"
                );
            }
        }
    }
    let many = vec!["a=1"; 10_000].join("&");
    let answer = rig.ask(
        "POST",
        "/api.php",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        many.as_bytes(),
    );
    assert_eq!(in_form(&answer)["error"], "BADFORM");
}

#[test]
fn the_place_is_reported_of_what_is_no_text() {
    let rig = Rig::start(POLICY);
    let place = |body: &[u8]| {
        let reported = in_form(&rig.ask("POST", "/backend/", JSON, body));
        assert_eq!((&reported["error"], &reported["code"]), (&json!("BADJSON"), &json!(400)));
        (reported["line"].as_u64().unwrap(), reported["column"].as_u64().unwrap())
    };
    assert_eq!(place(b"{\n \"a\": \"\xff\" }"), (2, 8));
    assert_eq!(place(b"{\n\n \"a\": \"\\ud800\" }"), (3, 8));
    assert_eq!(place(format!("\n{}", "[".repeat(500)).as_bytes()), (2, 129));
    assert_eq!(place(b"{"), (1, 1));
    assert_eq!(place(b"{} {}"), (1, 4));
}

#[test]
fn what_is_too_large_is_said_in_the_body() {
    let rig = Rig::start(POLICY);
    let reported = in_form(&rig.ask("POST", "/backend/", JSON, &vec![b' '; (1 << 20) + 1]));
    assert_eq!((&reported["error"], &reported["code"]), (&json!("TOOLARGE"), &json!(413)));
    add(&rig, &["1"]);
    assert_eq!(ask(&rig, json!({ "op": "userget", "user": { "address": "1" } }))["result"], true);
}
