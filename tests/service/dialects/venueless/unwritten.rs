//! Commands that a store refuses: the dialect as a daemon calls it, without one.

use std::sync::Arc;

use peerage::{
    dialects::{
        CallError, FrameResponse, NoGuestLimit, SocketDialect as _, Step, venueless::Venueless,
    },
    facts::{BatchMode, Id, WriteError, WriteResult},
};
use serde_json::{Value, json};

use crate::dialects::everybody::Everybody;

fn why() -> String {
    "the store is on fire".to_owned()
}

/// What is answered to a frame whose commands come to this; nobody else is reported, and nobody let in.
#[track_caller]
fn answer(user: Option<&str>, frame: &Value, wrote: &WriteResult) -> Value {
    let venueless = Venueless::default();
    let mut session = venueless.open("sample", Arc::new(NoGuestLimit)).unwrap();
    session.user = user.map(|user| Id::new(user).unwrap());
    let house = Everybody;
    let Step::Write(requested) = venueless.respond(&session, &frame.to_string(), &house).unwrap()
    else {
        panic!("{frame} writes nothing");
    };
    assert!(!requested.commands.is_empty() && requested.mode == BatchMode::Atomic, "{frame}");
    let Step::Done(turn) = (requested.then)(wrote, &house).unwrap() else {
        panic!("{frame} goes on");
    };
    let FrameResponse { reply, notices, signed_in, closes: ends, .. } = turn;
    assert_eq!((notices.len(), signed_in, ends), (0, None, false), "{frame}");
    serde_json::from_str(&reply).unwrap()
}

#[test]
fn each_reason_has_a_code() {
    for (reason, code) in [
        (WriteError::Store(why()), "server.unavailable"),
        (WriteError::Contended, "server.unavailable"),
        (WriteError::TooLarge(why()), "user.too_long"),
        (WriteError::NoStore, "server.no_store"),
    ] {
        let expected = json!(["error", 7, { "code": code, "message": reason.to_string() }]);
        let wrote = Err(reason);
        for (command, payload) in [
            ("user.ban", json!({ "id": "bob" })),
            ("user.silence", json!({ "id": "bob" })),
            ("user.reactivate", json!({ "id": "bob" })),
            ("user.delete", json!({ "id": "bob" })),
            ("user.block", json!({ "id": "bob" })),
            ("user.unblock", json!({ "id": "bob" })),
            ("user.update", json!({ "profile": { "a": 1 } })),
            ("user.admin.update", json!({ "id": "bob", "client_state": 1 })),
        ] {
            let frame = json!([command, 7, payload]);
            assert_eq!(answer(Some("alice"), &frame, &wrote), expected, "{frame}");
        }
    }
}

#[test]
fn a_frame_that_never_comes_to_an_answer() {
    let failed =
        |text: &str| Venueless::default().error_frame(text, &CallError::Unavailable(why()));
    let error = format!(r#"{{"code":"server.unavailable","message":"{}"}}"#, why());
    assert_eq!(failed(r#"["user.ban", 1.0, {}]"#), format!(r#"["error",1.0,{error}]"#));
    assert_eq!(failed(r#"["user.ban", {}]"#), format!(r#"["error",{error}]"#));
}
