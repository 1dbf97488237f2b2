//! What comes of commands that a store does not take: as a daemon asks the dialect, without one.

use peerage::{
    dialects::{
        Admission, Call, Dialect, Failure, House, NotWritten, Reply, Step, Unread, Wrote,
        tencent::{Access, Tencent},
    },
    facts::{GroupTold, Kept, RuleTold, RulesTold, Since, UserTold},
    request::{Approval, Decision, Moderation, Relation, Request, Role},
};
use serde_json::Value;
use uuid::Uuid;

/// Everybody is known, each is a friend of each, and nothing is read.
struct Everybody;

impl House for Everybody {
    fn now(&self) -> Since {
        0
    }

    fn admission(&self, _: Option<&[u8]>) -> Admission {
        Admission::Admitted
    }

    fn keeps_facts(&self) -> bool {
        true
    }

    fn revision(&self) -> u64 {
        1
    }

    fn decide(&self, _: &Request<'_>) -> Decision {
        unimplemented!()
    }

    fn knows_user(&self, _: &str) -> bool {
        true
    }

    fn knows_group(&self, _: &str) -> bool {
        false
    }

    fn moderation(&self, _: &str) -> Option<Moderation> {
        None
    }

    fn approval(&self, _: &str) -> Option<Approval> {
        None
    }

    fn has(&self, _: &str, relation: Relation, _: &str) -> bool {
        relation == Relation::Friend
    }

    fn ties(&self, _: &str) -> usize {
        1
    }

    fn related(&self, _: &str, _: Relation) -> Vec<String> {
        vec!["bob".to_owned()]
    }

    fn tags(&self, _: &str) -> Option<Vec<String>> {
        None
    }

    fn role(&self, _: &str, _: &str) -> Option<Role> {
        None
    }

    fn members(&self, _: &str) -> Option<Vec<(String, Role)>> {
        None
    }

    fn users(&self, _: Option<&str>, _: usize) -> Vec<String> {
        Vec::new()
    }

    fn kept(&self, _: &str) -> Result<Option<Kept>, Unread> {
        Ok(Some(Kept::default()))
    }

    fn user(&self, _: &str) -> Result<Option<UserTold>, Unread> {
        Ok(None)
    }

    fn group(&self, _: &str) -> Result<Option<GroupTold>, Unread> {
        Ok(None)
    }

    fn rule(&self, _: Uuid) -> Result<Option<RuleTold>, Unread> {
        Ok(None)
    }

    fn rules(&self, _: Option<Uuid>, _: usize) -> Result<RulesTold, Unread> {
        Ok(RulesTold { rules: Vec::new(), in_force: false })
    }
}

fn tencent() -> Tencent {
    Tencent::new(Access::by_token(None, Vec::new()))
}

const ONE: &str = r#"{"From_Account":"alice","To_Account":["bob"],"GroupName":["a"],
    "AddFriendItem":[{"To_Account":"bob","AddSource":"AddSource_Type_Web"}],
    "UpdateItem":[{"To_Account":"bob","SnsItem":[{"Tag":"Tag_SNS_IM_Remark","Value":"x"}]}],
    "ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"x"}],"UserID":"alice","Accounts":["alice"],
    "DeleteItem":[{"UserID":"alice"}]}"#;

/// The code and the text of the answer to a call whose commands come to this.
#[track_caller]
fn answer(path: &str, wrote: &Wrote) -> (u64, String) {
    let call = Call {
        method: "POST",
        path,
        query: "",
        content_type: "application/json",
        authorization: None,
        trusted: true,
        body: ONE.as_bytes(),
    };
    let Step::Write(asked) = tencent().answer(&call, &Everybody).unwrap() else {
        panic!("{path} writes nothing");
    };
    assert!(!asked.commands.is_empty());
    let Step::Done(reply) = (asked.then)(wrote, &Everybody).unwrap() else {
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
            NotWritten::Unavailable(why()),
            NotWritten::Contended(why()),
            NotWritten::TooLarge(why()),
            NotWritten::NoStore(why()),
        ];
        for (reason, code) in reasons.into_iter().zip(codes) {
            assert_eq!(answer(path, &Wrote::Failed(reason)), (code, why()), "{path}");
        }
    }
}

#[test]
fn calls_that_never_come_to_an_answer() {
    let late = |failure: &Failure| failed(&tencent().failed(failure));
    assert_eq!(late(&Failure::Late("late".to_owned())), (60008, "late".to_owned()));
    assert_eq!(late(&Failure::Cut("cut".to_owned())), (60008, "cut".to_owned()));
    assert_eq!(late(&Failure::Unavailable("gone".to_owned())), (30006, "gone".to_owned()));
    assert_eq!(late(&Failure::TooLarge(7)).0, 60002);
}
