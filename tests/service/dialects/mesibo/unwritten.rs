//! What comes of commands that a store does not take: as a daemon asks the dialect, without one.

use peerage::dialects::{Call, Dialect, Failure, NotWritten, Reply, Step, Wrote, mesibo::Mesibo};
use serde_json::{Value, json};

use super::assert_refusal;
use crate::dialects::everybody::Everybody;

/// The answer to a request whose commands come to this.
#[track_caller]
fn answer(request: &Value, wrote: &Wrote) -> Value {
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
    let Step::Write(asked) = Mesibo.answer(&call, &Everybody).unwrap() else {
        panic!("{request} writes nothing");
    };
    assert!(!asked.commands.is_empty() && !asked.each, "{request}");
    let Step::Done(reply) = (asked.then)(wrote, &Everybody).unwrap() else {
        panic!("{request} goes on");
    };
    told(&reply)
}

#[track_caller]
fn told(reply: &Reply) -> Value {
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
            (NotWritten::Unavailable(why()), "UNAVAILABLE", 503),
            (NotWritten::Contended(why()), "UNAVAILABLE", 503),
            (NotWritten::TooLarge(why()), "TOOLARGE", 413),
            (NotWritten::NoStore(why()), "NOSTORE", 403),
        ] {
            let mut asked = request.clone();
            asked["id"] = 7.into();
            let told = answer(&asked, &Wrote::Failed(reason));
            assert_refusal(&told, error, code);
            assert_eq!((&told["op"], &told["id"]), (&request["op"], &json!(7)));
            assert_eq!(told["message"], why());
        }
    }
}

#[test]
fn calls_that_never_come_to_an_answer() {
    for (failure, error, code) in [
        (Failure::Unavailable("the store is on fire".to_owned()), "UNAVAILABLE", 503),
        (Failure::Late("it came too late".to_owned()), "LATE", 408),
        (Failure::Cut("it was cut short".to_owned()), "BADFORM", 400),
        (Failure::TooLarge(7), "TOOLARGE", 413),
    ] {
        let told = told(&Mesibo.failed(&failure));
        assert_refusal(&told, error, code);
        assert_eq!(told["message"], failure.to_string());
    }
}
