//! Commands that a store refuses: the dialect as a daemon calls it, without one.

use peerage::{
    dialects::{Call, CallError, Dialect, Reply, Step, mesibo::Mesibo},
    facts::{BatchMode, WriteError, WriteResult},
};
use serde_json::{Value, json};

use super::assert_refusal;
use crate::dialects::everybody::Everybody;

/// The answer to a request whose commands come to this.
#[track_caller]
fn answer(request: &Value, wrote: &WriteResult) -> Value {
    let body = request.to_string();
    let call = Call {
        method: "POST",
        path: "/backend/",
        query: "",
        content_type: "application/json",
        authorization: None,
        trusted: true,
        body: body.as_bytes(),
    };
    let Step::Write(requested) = Mesibo.answer(&call, &Everybody).unwrap() else {
        panic!("{request} writes nothing");
    };
    assert!(!requested.commands.is_empty() && requested.mode == BatchMode::Atomic, "{request}");
    let Step::Done(reply) = (requested.then)(wrote, &Everybody).unwrap() else {
        panic!("{request} goes on");
    };
    reported(&reply)
}

#[track_caller]
fn reported(reply: &Reply) -> Value {
    assert_eq!((reply.status, reply.content_type), (200, "application/json"));
    serde_json::from_slice(&reply.body).unwrap()
}

#[test]
fn each_reason_has_an_error() {
    let why = || "the store is on fire".to_owned();
    for request in [
        json!({ "op": "useradd", "user": { "address": "1" } }),
        json!({ "op": "userset", "user": { "address": "1", "contact": { "address": "2", "block": true } } }),
        json!({ "op": "userdel", "user": { "address": "1" } }),
        json!({ "op": "groupadd", "group": { "name": "G" } }),
        json!({ "op": "groupset", "group": { "gid": 1, "name": "G" } }),
        json!({ "op": "groupeditmembers", "group": { "gid": 1, "members": { "m": "1" } } }),
        json!({ "op": "groupdel", "group": { "gid": 1 } }),
    ] {
        for (reason, error, code) in [
            (WriteError::Store(why()), "UNAVAILABLE", 503),
            (WriteError::Contended, "UNAVAILABLE", 503),
            (WriteError::TooLarge(why()), "TOOLARGE", 413),
            (WriteError::NoStore, "NOSTORE", 403),
        ] {
            let mut requested = request.clone();
            requested["id"] = 7.into();
            let message = reason.to_string();
            let reported = answer(&requested, &Err(reason));
            assert_refusal(&reported, error, code);
            assert_eq!((&reported["op"], &reported["id"]), (&request["op"], &json!(7)));
            assert_eq!(reported["message"], message);
        }
    }
}

#[test]
fn calls_that_never_come_to_an_answer() {
    for (failure, error, code) in [
        (CallError::Unavailable("the store is on fire".to_owned()), "UNAVAILABLE", 503),
        (CallError::TimedOut("it came too late".to_owned()), "LATE", 408),
        (CallError::Incomplete("it was cut short".to_owned()), "BADFORM", 400),
        (CallError::TooLarge(7), "TOOLARGE", 413),
    ] {
        let reported = reported(&Mesibo.render_error(&failure));
        assert_refusal(&reported, error, code);
        assert_eq!(reported["message"], failure.to_string());
    }
}
