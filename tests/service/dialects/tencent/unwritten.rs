//! Commands that a store refuses: the dialect as a daemon calls it, without one.

use peerage::{
    dialects::{
        Call, CallError, Dialect, Reply, Step,
        tencent::{Tencent, TencentAccess},
    },
    facts::{WriteError, WriteResult},
};
use serde_json::Value;

use crate::dialects::everybody::Everybody;

fn tencent() -> Tencent {
    Tencent::new(TencentAccess::with_admin_token(None, Vec::new()))
}

const ONE: &str = r#"{"From_Account":"alice","To_Account":["bob"],"GroupName":["a"],
    "AddFriendItem":[{"To_Account":"bob","AddSource":"AddSource_Type_Web"}],
    "UpdateItem":[{"To_Account":"bob","SnsItem":[{"Tag":"Tag_SNS_IM_Remark","Value":"x"}]}],
    "ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"x"}],"UserID":"alice","Accounts":["alice"],
    "DeleteItem":[{"UserID":"alice"}]}"#;

/// The code and the text of the answer to a call whose commands come to this.
#[track_caller]
fn answer(path: &str, wrote: &WriteResult) -> (u64, String) {
    let call = Call {
        method: "POST",
        path,
        query: "",
        content_type: "application/json",
        authorization: None,
        trusted: true,
        body: ONE.as_bytes(),
    };
    let Step::Write(requested) = tencent().answer(&call, &Everybody).unwrap() else {
        panic!("{path} writes nothing");
    };
    assert!(!requested.commands.is_empty());
    let Step::Done(reply) = (requested.then)(wrote, &Everybody).unwrap() else {
        panic!("{path} goes on");
    };
    failed(&reply)
}

#[track_caller]
fn failed(reply: &Reply) -> (u64, String) {
    assert_eq!((reply.status, reply.content_type), (200, "application/json"));
    super::failed(&serde_json::from_slice::<Value>(&reply.body).unwrap())
}

#[test]
fn each_reason_has_a_code_in_each_service() {
    let why = || "why".to_owned();
    let paths = [
        ("/v4/sns/friend_add", [30006, 30008, 30001, 60017]),
        ("/v4/sns/friend_import", [30006, 30008, 30001, 60017]),
        ("/v4/sns/friend_update", [30006, 30008, 30001, 60017]),
        ("/v4/sns/friend_delete", [30006, 30008, 30001, 60017]),
        ("/v4/sns/friend_delete_all", [30006, 30008, 30001, 60017]),
        ("/v4/sns/black_list_add", [30006, 30008, 30001, 60017]),
        ("/v4/sns/black_list_delete", [30006, 30008, 30001, 60017]),
        ("/v4/sns/group_add", [30006, 30008, 30001, 60017]),
        ("/v4/sns/group_delete", [30006, 30008, 30001, 60017]),
        ("/v4/profile/portrait_set", [40006, 40006, 40001, 60017]),
        ("/v4/im_open_login_svc/account_import", [70500, 70500, 70402, 60017]),
        ("/v4/im_open_login_svc/multiaccount_import", [70500, 70500, 70402, 60017]),
        ("/v4/im_open_login_svc/account_delete", [70500, 70500, 70402, 60017]),
    ];
    for (path, codes) in paths {
        let reasons = [
            WriteError::Store(why()),
            WriteError::Contended,
            WriteError::TooLarge(why()),
            WriteError::NoStore,
        ];
        for (reason, code) in reasons.into_iter().zip(codes) {
            let message = reason.to_string();
            assert_eq!(answer(path, &Err(reason)), (code, message), "{path}");
        }
    }
}

#[test]
fn calls_that_never_come_to_an_answer() {
    let late = |failure: &CallError| failed(&tencent().render_error(failure));
    assert_eq!(late(&CallError::TimedOut("late".to_owned())), (60008, "late".to_owned()));
    assert_eq!(late(&CallError::Incomplete("cut".to_owned())), (60008, "cut".to_owned()));
    assert_eq!(late(&CallError::Unavailable("gone".to_owned())), (30006, "gone".to_owned()));
    assert_eq!(late(&CallError::TooLarge(7)).0, 60002);
}
