//! `portrait_set` and `portrait_get`: what a user says of himself, and who may become his friend.
//!
//! The allow type is the user's approval. The other tags are kept in an attribute, and mean nothing
//! more here; but for who is forbidden to send friend requests.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    body::{self, Fields},
    codes::{Code, Family},
    envelope::{Answered, Fault, Members, Stop, fine, look, members},
    fields::shown,
    items::{failures, result},
    paging::are_short,
};
use crate::{
    dialects::{House, Reply, Step, Unread, Wrote, text},
    facts::{Command, Id, Op, Patch, UserFields},
    request::Approval,
};

/// The attribute of a user that holds his profile.
pub(super) const ATTRIBUTE: &str = "tencent";

pub(super) const NICK: &str = "Tag_Profile_IM_Nick";
pub(super) const IMAGE: &str = "Tag_Profile_IM_Image";
const ALLOW_TYPE: &str = "Tag_Profile_IM_AllowType";
const ADMIN_FORBIDS: &str = "Tag_Profile_IM_AdminForbidType";
const FORBIDDEN: &str = "AdminForbid_Type_SendOut";

/// What the tags of custom fields begin with.
const CUSTOM: &str = "Tag_Profile_Custom_";

/// How long a value may be, in bytes.
pub(super) const LONGEST: usize = 500;

/// What a field's value may be.
enum Kind {
    Text,
    Number,
    /// One of these.
    Word(&'static [&'static str]),
    TextOrNumber,
}

/// The standard fields.
const TAGS: [(&str, Kind); 12] = [
    (NICK, Kind::Text),
    (
        "Tag_Profile_IM_Gender",
        Kind::Word(&["Gender_Type_Unknown", "Gender_Type_Female", "Gender_Type_Male"]),
    ),
    ("Tag_Profile_IM_BirthDay", Kind::Number),
    ("Tag_Profile_IM_Location", Kind::Text),
    ("Tag_Profile_IM_SelfSignature", Kind::Text),
    (
        ALLOW_TYPE,
        Kind::Word(&[
            "AllowType_Type_AllowAny",
            "AllowType_Type_NeedConfirm",
            "AllowType_Type_DenyAny",
        ]),
    ),
    ("Tag_Profile_IM_Language", Kind::Number),
    (IMAGE, Kind::Text),
    ("Tag_Profile_IM_MsgSettings", Kind::Number),
    (ADMIN_FORBIDS, Kind::Word(&["AdminForbid_Type_None", FORBIDDEN])),
    ("Tag_Profile_IM_Level", Kind::Number),
    ("Tag_Profile_IM_Role", Kind::Number),
];

const ALLOW_TYPES: [(&str, Approval); 3] = [
    ("AllowType_Type_AllowAny", Approval::AllowAny),
    ("AllowType_Type_NeedConfirm", Approval::NeedConfirm),
    ("AllowType_Type_DenyAny", Approval::DenyAny),
];

pub(super) fn set(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Profile)?;
    let user = fields.known("From_Account", house)?;
    let mut kept = Members::new();
    let mut put = UserFields::default();
    let mut seen = BTreeSet::new();
    for (at, item) in fields.items("ProfileItem")?.iter().enumerate() {
        let place = format!("ProfileItem[{at}]");
        let item = Fields::of(item, &place, Family::Profile)?;
        let tag = item.needed("Tag")?;
        let value = item.value("Value")?;
        check(&place, tag, value)?;
        if !seen.insert(tag.to_owned()) {
            return Err(item.bad("Tag", "this tag is there twice").into());
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

/// Writes what is said of a user; the answer says whether it was.
fn put(user: Id, mut fields: UserFields, kept: Members) -> Step<Reply> {
    if !kept.is_empty() {
        fields.merge_attributes = Some(BTreeMap::from([(ATTRIBUTE.to_owned(), kept.into())]));
    }
    // The first one sees that he is still known: the other would make him.
    let ops = [
        Op::AddTags { user: user.clone(), tags: BTreeSet::new() },
        Op::PutUser { user, fields: Box::new(fields) },
    ];
    Step::write(ops.map(Command::from).into(), |wrote, _| {
        let reply = match wrote {
            Wrote::Done { .. } => fine(Members::new()),
            Wrote::Refused { refusal, .. } => Fault::refused(Family::Profile, refusal).reply(),
            Wrote::Failed(why) => Fault::not_written(Family::Profile, why).reply(),
        };
        Ok(Step::Done(reply))
    })
}

fn check(place: &str, tag: &str, value: &Value) -> Result<(), Fault> {
    let shown = text::shown(tag);
    let kind = match TAGS.iter().find(|(known, _)| *known == tag) {
        Some((_, kind)) => kind,
        None if is_custom(tag) => &Kind::TextOrNumber,
        None => {
            return Err(Fault::new(
                Code::ProfileTag,
                format!("`{place}.Tag`: there is no field `{shown}`"),
            ));
        }
    };
    let wrong = |code, what: &str| {
        Err(Fault::new(code, format!("`{place}.Value`: `{shown}` takes {what}")))
    };
    match (kind, value) {
        (Kind::Text | Kind::TextOrNumber, Value::String(text)) if text.len() <= LONGEST => Ok(()),
        (Kind::Text | Kind::TextOrNumber, Value::String(_)) => {
            wrong(Code::ProfileTooLong, &format!("at most {LONGEST} bytes"))
        }
        (Kind::Number | Kind::TextOrNumber, Value::Number(number)) if number.is_u64() => Ok(()),
        (Kind::Word(words), Value::String(text)) if words.contains(&text.as_str()) => Ok(()),
        (Kind::Word(words), Value::String(_)) => {
            wrong(Code::ProfileValue, &format!("one of {}", words.join(", ")))
        }
        (Kind::Text | Kind::Word(_), _) => wrong(Code::ProfileType, "a text"),
        (Kind::Number, _) => wrong(Code::ProfileType, "a number, 0 or more"),
        (Kind::TextOrNumber, _) => wrong(Code::ProfileType, "a text, or a number, 0 or more"),
    }
}

/// After the beginning, there are letters, digits and underscores.
fn is_custom(tag: &str) -> bool {
    tag.strip_prefix(CUSTOM).is_some_and(|keyword| {
        let is_plain = keyword.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        !keyword.is_empty() && keyword.len() <= 8 && is_plain
    })
}

/// Whether an administrator forbids a user to send friend requests.
pub(super) fn forbids_requests(house: &dyn House, user: &Id) -> Result<bool, Unread> {
    let kept = house.kept(user)?.unwrap_or_default();
    let profile = kept.user.attributes.get(ATTRIBUTE);
    Ok(profile.and_then(|profile| profile.get(ADMIN_FORBIDS)).is_some_and(|it| it == FORBIDDEN))
}

/// The fields that there are of a user, with their values.
pub(super) fn values(house: &dyn House, user: &str) -> Result<Vec<(String, Value)>, Unread> {
    let approval = house.approval(user).unwrap_or(Approval::AllowAny);
    let word = ALLOW_TYPES.iter().find(|(_, known)| *known == approval);
    let mut all: Vec<(String, Value)> =
        word.iter().map(|(word, _)| (ALLOW_TYPE.to_owned(), (*word).into())).collect();
    let kept = house.kept(user)?.unwrap_or_default();
    if let Some(Value::Object(profile)) = kept.user.attributes.get(ATTRIBUTE) {
        all.extend(profile.iter().map(|(tag, value)| (tag.clone(), value.clone())));
    }
    Ok(all)
}

pub(super) fn get(body: &[u8], house: &dyn House) -> Answered {
    let fields = body::read(body, Family::Profile)?;
    let accounts = fields.accounts("To_Account")?;
    let tags = fields.texts("TagList")?.filter(|tags| !tags.is_empty());
    look(are_short(house, &accounts), house, move |house| told(house, &accounts, tags.as_deref()))
}

fn told(house: &dyn House, accounts: &[String], tags: Option<&[String]>) -> Answered {
    let (mut items, mut failed) = (Vec::with_capacity(accounts.len()), Vec::new());
    for to in accounts {
        let (mut found, mut fault) = (Vec::new(), None);
        if house.knows_user(to) {
            found = values(house, to).map_err(Stop::Unread)?;
            found.retain(|(tag, _)| tags.is_none_or(|tags| tags.contains(tag)));
        } else {
            fault =
                Some(Fault::new(Code::ProfileAccount, "Err_Profile_PortraitGet_Account_Not_Exist"));
            failed.push(to.as_str().into());
        }
        let item = [("To_Account", to.as_str().into()), ("ProfileItem", shown(found))];
        let mut item = members(item);
        item.extend(result(fault));
        items.push(Value::Object(item));
    }
    let mut all = members([("UserProfileItem", items.into())]);
    all.extend(failures(failed));
    Ok(Step::Done(fine(all)))
}
