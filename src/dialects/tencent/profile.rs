//! `portrait_set` and `portrait_get`: profiles of users, and who may become their friends.
//!
//! The allow type is the user's approval mode, and `AdminForbidType` keeps the user from sending
//! friend requests. The other tags are kept in an attribute and mean nothing to decisions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    batch::{failed_accounts, result_fields},
    body::{self, RequestFields},
    codes::{CallFamily, TencentCode},
    envelope::{
        ReplyFields, TencentError, TencentResult, read_or_defer, reply_fields, success_reply,
    },
    friend_fields::render_tags,
    paging::are_short,
};
use crate::{
    dialects::{Backend, BackendError, Reply, Step},
    facts::{Command, Id, Op, Patch, UserFields, WriteOutcome},
    request::Approval,
    wire::excerpt,
};

/// The attribute of a user that holds the profile.
pub(super) const ATTRIBUTE: &str = "tencent";

pub(super) const NICK: &str = "Tag_Profile_IM_Nick";
pub(super) const IMAGE: &str = "Tag_Profile_IM_Image";
const ALLOW_TYPE: &str = "Tag_Profile_IM_AllowType";
const ADMIN_FORBIDS: &str = "Tag_Profile_IM_AdminForbidType";
const FORBIDDEN: &str = "AdminForbid_Type_SendOut";

/// The prefix of the tags of custom fields.
const CUSTOM: &str = "Tag_Profile_Custom_";

/// The maximum length of a value in bytes.
pub(super) const LONGEST: usize = 500;

/// The type of a field's value.
enum ProfileFieldKind {
    Text,
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
    TextOrNumber,
}

/// The standard fields.
const TAGS: [(&str, ProfileFieldKind); 12] = [
    (NICK, ProfileFieldKind::Text),
    (
        "Tag_Profile_IM_Gender",
        ProfileFieldKind::Word(&["Gender_Type_Unknown", "Gender_Type_Female", "Gender_Type_Male"]),
    ),
    ("Tag_Profile_IM_BirthDay", ProfileFieldKind::Number),
    ("Tag_Profile_IM_Location", ProfileFieldKind::Text),
    ("Tag_Profile_IM_SelfSignature", ProfileFieldKind::Text),
    (
        ALLOW_TYPE,
        ProfileFieldKind::Word(&[
            "AllowType_Type_AllowAny",
            "AllowType_Type_NeedConfirm",
            "AllowType_Type_DenyAny",
        ]),
    ),
    ("Tag_Profile_IM_Language", ProfileFieldKind::Number),
    (IMAGE, ProfileFieldKind::Text),
    ("Tag_Profile_IM_MsgSettings", ProfileFieldKind::Number),
    (ADMIN_FORBIDS, ProfileFieldKind::Word(&["AdminForbid_Type_None", FORBIDDEN])),
    ("Tag_Profile_IM_Level", ProfileFieldKind::Number),
    ("Tag_Profile_IM_Role", ProfileFieldKind::Number),
];

const ALLOW_TYPES: [(&str, Approval); 3] = [
    ("AllowType_Type_AllowAny", Approval::AllowAny),
    ("AllowType_Type_NeedConfirm", Approval::NeedConfirm),
    ("AllowType_Type_DenyAny", Approval::DenyAny),
];

pub(super) fn set(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Profile)?;
    let user = fields.existing_account("From_Account", backend)?;
    let mut kept = ReplyFields::new();
    let mut put = UserFields::default();
    let mut seen = BTreeSet::new();
    for (at, item) in fields.required_list("ProfileItem")?.iter().enumerate() {
        let place = format!("ProfileItem[{at}]");
        let item = RequestFields::from_value(item, &place, CallFamily::Profile)?;
        let tag = item.required_text("Tag")?;
        let value = item.required("Value")?;
        check(&place, tag, value)?;
        if !seen.insert(tag.to_owned()) {
            return Err(item.value_error("Tag", "repeats a tag; give each tag once").into());
        }
        if tag == ALLOW_TYPE {
            let approval = ALLOW_TYPES.iter().find(|(word, _)| value == word);
            put.approval = approval.map_or(Patch::Keep, |(_, approval)| Patch::Set(*approval));
        } else {
            kept.insert(tag.to_owned(), value.clone());
        }
    }
    Ok(self::put(user, put, kept))
}

/// Writes the fields of a user, and answers with the result.
fn put(user: Id, mut fields: UserFields, kept: ReplyFields) -> Step<Reply> {
    if !kept.is_empty() {
        fields.merge_attributes = Some(BTreeMap::from([(ATTRIBUTE.to_owned(), kept.into())]));
    }
    // The first command is refused if the user is unknown; the second one would create the user.
    let ops = [
        Op::AddTags { user: user.clone(), tags: BTreeSet::new() },
        Op::PutUser { user, fields: Box::new(fields) },
    ];
    Step::write_all(ops.map(Command::from).into(), |wrote, _| {
        let reply = match wrote {
            Ok(WriteOutcome::Applied { .. }) => success_reply(ReplyFields::new()),
            Ok(WriteOutcome::Refused { error: refusal, .. }) => {
                TencentError::from_refusal(CallFamily::Profile, refusal).reply()
            }
            Err(why) => TencentError::from_write_error(CallFamily::Profile, why).reply(),
        };
        Ok(Step::Done(reply))
    })
}

fn check(place: &str, tag: &str, value: &Value) -> Result<(), TencentError> {
    let shown = excerpt(tag);
    let kind = match TAGS.iter().find(|(known, _)| *known == tag) {
        Some((_, kind)) => kind,
        None if is_custom(tag) => &ProfileFieldKind::TextOrNumber,
        None => {
            return Err(TencentError::new(
                TencentCode::ProfileTag,
                format!("`{place}.Tag`: unknown field `{shown}`"),
            ));
        }
    };
    let wrong = |code, what: &str| {
        Err(TencentError::new(code, format!("`{place}.Value`: `{shown}` takes {what}")))
    };
    match (kind, value) {
        (ProfileFieldKind::Text | ProfileFieldKind::TextOrNumber, Value::String(text))
            if text.len() <= LONGEST =>
        {
            Ok(())
        }
        (ProfileFieldKind::Text | ProfileFieldKind::TextOrNumber, Value::String(_)) => {
            wrong(TencentCode::ProfileTooLong, &format!("at most {LONGEST} bytes"))
        }
        (ProfileFieldKind::Number | ProfileFieldKind::TextOrNumber, Value::Number(number))
            if number.is_u64() =>
        {
            Ok(())
        }
        (ProfileFieldKind::Word(words), Value::String(text)) if words.contains(&text.as_str()) => {
            Ok(())
        }
        (ProfileFieldKind::Word(words), Value::String(_)) => {
            wrong(TencentCode::ProfileValue, &format!("one of {}", words.join(", ")))
        }
        (ProfileFieldKind::Text | ProfileFieldKind::Word(_), _) => {
            wrong(TencentCode::ProfileType, "a string")
        }
        (ProfileFieldKind::Number, _) => wrong(TencentCode::ProfileType, "a number, 0 or more"),
        (ProfileFieldKind::TextOrNumber, _) => {
            wrong(TencentCode::ProfileType, "a string, or a number, 0 or more")
        }
    }
}

/// Whether a tag is one of a custom field: the prefix, then 1 to 8 letters, digits and underscores.
fn is_custom(tag: &str) -> bool {
    tag.strip_prefix(CUSTOM).is_some_and(|keyword| {
        let is_plain = keyword.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        !keyword.is_empty() && keyword.len() <= 8 && is_plain
    })
}

/// Whether an administrator forbids a user to send friend requests.
pub(super) fn forbids_requests(backend: &dyn Backend, user: &Id) -> Result<bool, BackendError> {
    let kept = backend.user_record(user)?.unwrap_or_default();
    let profile = kept.record.attributes.get(ATTRIBUTE);
    Ok(profile.and_then(|profile| profile.get(ADMIN_FORBIDS)).is_some_and(|it| it == FORBIDDEN))
}

/// The fields of a user that are set, with their values.
pub(super) fn values(
    backend: &dyn Backend,
    user: &str,
) -> Result<Vec<(String, Value)>, BackendError> {
    let approval = backend.approval(user).unwrap_or(Approval::AllowAny);
    let word = ALLOW_TYPES.iter().find(|(_, known)| *known == approval);
    let mut all: Vec<(String, Value)> =
        word.iter().map(|(word, _)| (ALLOW_TYPE.to_owned(), (*word).into())).collect();
    let kept = backend.user_record(user)?.unwrap_or_default();
    if let Some(Value::Object(profile)) = kept.record.attributes.get(ATTRIBUTE) {
        all.extend(profile.iter().map(|(tag, value)| (tag.clone(), value.clone())));
    }
    Ok(all)
}

pub(super) fn get(body: &[u8], backend: &dyn Backend) -> TencentResult {
    let fields = body::parse(body, CallFamily::Profile)?;
    let accounts = fields.accounts("To_Account")?;
    let tags = fields.texts("TagList")?.filter(|tags| !tags.is_empty());
    read_or_defer(are_short(backend, &accounts), backend, move |backend| {
        render_profiles(backend, &accounts, tags.as_deref())
    })
}

fn render_profiles(
    backend: &dyn Backend,
    accounts: &[String],
    tags: Option<&[String]>,
) -> TencentResult {
    let (mut items, mut failed) = (Vec::with_capacity(accounts.len()), Vec::new());
    for to in accounts {
        let (mut found, mut fault) = (Vec::new(), None);
        if backend.knows_user(to) {
            found = values(backend, to)?;
            found.retain(|(tag, _)| tags.is_none_or(|tags| tags.contains(tag)));
        } else {
            fault = Some(TencentError::new(
                TencentCode::ProfileAccount,
                "Err_Profile_PortraitGet_Account_Not_Exist",
            ));
            failed.push(to.as_str().into());
        }
        let item = [("To_Account", to.as_str().into()), ("ProfileItem", render_tags(found))];
        let mut item = reply_fields(item);
        item.extend(result_fields(fault));
        items.push(Value::Object(item));
    }
    let mut all = reply_fields([("UserProfileItem", items.into())]);
    all.extend(failed_accounts(failed));
    Ok(Step::Done(success_reply(all)))
}
