//! `friend_check` and `black_list_check`: relations between a user and others.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

use super::{
    body::{MAX_ITEMS, json_error, unknown_account},
    codes::{CallFamily, TencentCode},
    envelope::TencentError,
};
use crate::{
    dialects::{Backend, Reply},
    request::{Relation, check_id},
    wire::{excerpt, json},
};

/// A check of a relation, with the words of its call.
pub(super) struct RelationCheck {
    /// The name of the list of results.
    items: &'static str,
    /// The name of the call in errors.
    call: &'static str,
    relation: Relation,
    single: &'static str,
    both: &'static str,
    found: RelationWords,
}

/// The words for who has whom in the list: A is `From_Account`, B is `To_Account`.
struct RelationWords {
    both_way: &'static str,
    a_with_b: &'static str,
    b_with_a: &'static str,
    none: &'static str,
}

pub(super) const FRIENDS: RelationCheck = RelationCheck {
    items: "InfoItem",
    call: "FriendCheck",
    relation: Relation::Friend,
    single: "CheckResult_Type_Single",
    both: "CheckResult_Type_Both",
    found: RelationWords {
        both_way: "CheckResult_Type_BothWay",
        a_with_b: "CheckResult_Type_AWithB",
        b_with_a: "CheckResult_Type_BWithA",
        none: "CheckResult_Type_NoRelation",
    },
};

pub(super) const BLACK_LIST: RelationCheck = RelationCheck {
    items: "BlackListCheckItem",
    call: "BlackListCheck",
    relation: Relation::Block,
    single: "BlackCheckResult_Type_Single",
    both: "BlackCheckResult_Type_Both",
    found: RelationWords {
        both_way: "BlackCheckResult_Type_BothWay",
        a_with_b: "BlackCheckResult_Type_AWithB",
        b_with_a: "BlackCheckResult_Type_BWithA",
        none: "BlackCheckResult_Type_NO",
    },
};

/// The body of a check, parsed without [`RequestFields`](super::body::RequestFields), since checks
/// are frequent.
#[derive(Deserialize)]
struct CheckRequest<'b> {
    #[serde(borrow, rename = "From_Account")]
    from: Option<BorrowedText<'b>>,
    #[serde(borrow, rename = "To_Account")]
    to: Option<Vec<BorrowedText<'b>>>,
    #[serde(borrow, rename = "CheckType")]
    mode: Option<BorrowedText<'b>>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct BorrowedText<'b>(#[serde(borrow)] Cow<'b, str>);

struct CheckReply<'a> {
    items: &'static str,
    found: Vec<CheckedAccount<'a>>,
    failed: Vec<&'a str>,
}

#[derive(Serialize)]
struct CheckedAccount<'a> {
    #[serde(rename = "To_Account")]
    to: &'a str,
    #[serde(rename = "Relation")]
    relation: &'static str,
    #[serde(rename = "ResultCode")]
    code: u32,
    #[serde(rename = "ResultInfo")]
    info: String,
}

impl RelationCheck {
    pub(super) fn answer(&self, body: &[u8], backend: &dyn Backend) -> Result<Reply, TencentError> {
        let request = parse(body)?;
        let bad = |message: String| TencentError::new(TencentCode::SnsParameter, message);
        let missing = |name: &str| bad(format!("`{name}` is missing"));
        let BorrowedText(from) = request.from.ok_or_else(|| missing("From_Account"))?;
        let to = request.to.ok_or_else(|| missing("To_Account"))?;
        let BorrowedText(mode) = request.mode.ok_or_else(|| missing("CheckType"))?;
        if to.is_empty() || to.len() > MAX_ITEMS {
            let message =
                format!("`To_Account` must have 1 to {MAX_ITEMS} elements, not {}", to.len());
            return Err(bad(message));
        }
        let both = if mode == self.both {
            true
        } else if mode == self.single {
            false
        } else {
            let mode = excerpt(&mode);
            let message =
                format!("`CheckType` must be {} or {}, not `{mode}`", self.single, self.both);
            return Err(bad(message));
        };
        check_id(&from).map_err(|why| bad(format!("`From_Account`: {why}")))?;
        if !backend.knows_user(&from) {
            return Err(unknown_account(CallFamily::Sns, "From_Account", &from));
        }
        let mut reply =
            CheckReply { items: self.items, found: Vec::with_capacity(to.len()), failed: vec![] };
        for BorrowedText(to) in &to {
            let item = match self.account_error(&from, to, backend) {
                None => {
                    let relation = self.relation_word(&from, to, both, backend);
                    CheckedAccount { to, relation, code: 0, info: String::new() }
                }
                Some(TencentError { code, info }) => {
                    reply.failed.push(to);
                    CheckedAccount { to, relation: self.found.none, code: code.number(), info }
                }
            };
            reply.found.push(item);
        }
        // Serializing strings and numbers into memory can't fail.
        let body = serde_json::to_vec(&reply).unwrap_or_default();
        Ok(Reply { content_type: "application/json", body, ..Reply::empty(200) })
    }

    /// The error of an account that can't be checked.
    fn account_error(&self, from: &str, to: &str, backend: &dyn Backend) -> Option<TencentError> {
        if check_id(to).is_err() {
            Some(TencentError::named(TencentCode::SnsParameter, self.call, "To_Account_Invalid"))
        } else if from == to {
            Some(TencentError::named(
                TencentCode::SnsParameter,
                self.call,
                "To_Account_Is_From_Account",
            ))
        } else if !backend.knows_user(to) {
            Some(TencentError::named(TencentCode::SnsAccount, self.call, "To_Account_Not_Exist"))
        } else {
            None
        }
    }

    fn relation_word(
        &self,
        from: &str,
        to: &str,
        both: bool,
        backend: &dyn Backend,
    ) -> &'static str {
        let there = backend.has_relation(from, self.relation, to);
        let back = both && backend.has_relation(to, self.relation, from);
        match (there, back) {
            (true, true) => self.found.both_way,
            (true, false) => self.found.a_with_b,
            (false, true) => self.found.b_with_a,
            (false, false) => self.found.none,
        }
    }
}

fn parse(body: &[u8]) -> Result<CheckRequest<'_>, TencentError> {
    // Serde would accept an array in place of the object, too.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(super::body::parse(body, CallFamily::Sns).err().unwrap_or_else(|| {
            TencentError::new(
                TencentCode::SnsParameter,
                "request body: expected an object, found an array",
            )
        }));
    }
    json::parse(body, "a check").map_err(|misread| json_error(body, CallFamily::Sns, &misread))
}

impl Serialize for CheckReply<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(self.items, &self.found)?;
        if !self.failed.is_empty() {
            map.serialize_entry("Fail_Account", &self.failed)?;
        }
        map.serialize_entry("ActionStatus", "OK")?;
        map.serialize_entry("ErrorCode", &0)?;
        map.serialize_entry("ErrorInfo", "")?;
        map.serialize_entry("ErrorDisplay", "")?;
        map.end()
    }
}
