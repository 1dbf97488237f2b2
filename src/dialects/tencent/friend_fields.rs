//! The data kept of a friend: tags and their values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    batch::CallNames,
    body::RequestFields,
    codes::TencentCode,
    envelope::{TencentError, refusal_message, reply_fields},
};
use crate::{
    facts::{Friend, FriendFields, Patch},
    wire::excerpt,
};

pub(super) const GROUP: &str = "Tag_SNS_IM_Group";
pub(super) const REMARK: &str = "Tag_SNS_IM_Remark";
const SOURCE: &str = "Tag_SNS_IM_AddSource";
const WORDING: &str = "Tag_SNS_IM_AddWording";
const TIME: &str = "Tag_SNS_IM_AddTime";

/// The prefixes of the tags of custom fields, and of sources.
pub(super) const CUSTOM: &str = "Tag_SNS_Custom_";
const SOURCES: &str = "AddSource_Type_";

/// The kind of a tag, which determines the type of its value.
enum FieldKind {
    Group,
    Remark,
    Custom,
}

/// Reads the data of a friend to be added by `friend_add` or `friend_import`.
pub(super) fn parse_added(
    item: &RequestFields,
    names: CallNames,
    imports: bool,
) -> Result<FriendFields, TencentError> {
    let mut fields = FriendFields::default();
    let source = item.required_text("AddSource")?;
    if !source.starts_with(SOURCES) {
        return Err(item.value_error("AddSource", &format!("must begin with `{SOURCES}`")));
    }
    fields.source = Patch::Set(source.to_owned());
    fields.remark = patch(item.text("Remark")?);
    fields.wording = patch(item.text("AddWording")?);
    if item.has("GroupName") {
        let lists = match item.required("GroupName")? {
            // An empty name means no group.
            Value::String(name) if name.is_empty() => Vec::new(),
            Value::String(name) => vec![name.clone()],
            _ => item.texts("GroupName")?.unwrap_or_default(),
        };
        fields.lists = Patch::Set(lists.into_iter().collect());
    }
    if imports {
        // Remarks have no time here; the number is only validated.
        item.number("RemarkTime")?;
        let since = item.number("AddTime")?;
        fields.since = (since > 0).then(|| since.saturating_mul(1000));
        if let Some(custom) = item.list("CustomItem")? {
            let place = format!("{}CustomItem", item.path());
            let given = parse_tagged(custom, &place, names, &[CUSTOM])?;
            fields.custom = given.custom;
        }
    }
    checked(fields, names)
}

/// Reads `SnsItem`: the new values of a friend's tags.
pub(super) fn parse_updated(
    list: &[Value],
    place: &str,
    names: CallNames,
) -> Result<FriendFields, TencentError> {
    checked(parse_tagged(list, place, names, &[REMARK, GROUP, CUSTOM])?, names)
}

fn checked(fields: FriendFields, names: CallNames) -> Result<FriendFields, TencentError> {
    match fields.check() {
        Ok(()) => Ok(fields),
        Err(refusal) => Err(names.error_with_message(
            TencentCode::SnsParameter,
            "Parameter_Error",
            &refusal_message(&refusal),
        )),
    }
}

/// Reads tags with their values; the tags in `may`, or with such a prefix, are allowed.
fn parse_tagged(
    list: &[Value],
    place: &str,
    names: CallNames,
    may: &[&str],
) -> Result<FriendFields, TencentError> {
    let mut fields = FriendFields::default();
    let mut custom = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let wrong = |message: &str| {
        names.error_with_message(TencentCode::SnsParameter, "Parameter_Error", message)
    };
    for (at, item) in list.iter().enumerate() {
        let item = RequestFields::from_value(
            item,
            &format!("{place}[{at}]"),
            super::codes::CallFamily::Sns,
        )?;
        let tag = item.required_text("Tag")?;
        let shown = excerpt(tag);
        let kind = match tag {
            GROUP => FieldKind::Group,
            REMARK => FieldKind::Remark,
            custom if custom.starts_with(CUSTOM) => FieldKind::Custom,
            _ => return Err(wrong(&format!("the tag `{shown}` can't be set"))),
        };
        let is_open = match kind {
            FieldKind::Group => may.contains(&GROUP),
            FieldKind::Remark => may.contains(&REMARK),
            FieldKind::Custom => may.contains(&CUSTOM),
        };
        if !is_open {
            return Err(wrong(&format!("the tag `{shown}` can't be set here")));
        }
        if !seen.insert(tag.to_owned()) {
            return Err(wrong(&format!("the tag `{shown}` is given twice")));
        }
        item.required("Value")?;
        match kind {
            FieldKind::Group => {
                let lists = item.texts("Value")?.unwrap_or_default();
                fields.lists = Patch::Set(lists.into_iter().collect());
            }
            FieldKind::Remark => fields.remark = patch(item.text("Value")?),
            // Bytes are kept as Base64.
            FieldKind::Custom => {
                let value = item.text("Value")?.map(Value::from);
                custom.insert(tag.to_owned(), value);
            }
        }
    }
    if !custom.is_empty() {
        fields.custom = Patch::Set(custom);
    }
    Ok(fields)
}

fn patch(text: Option<&str>) -> Patch<String> {
    match text {
        None => Patch::Keep,
        Some("") => Patch::Remove,
        Some(text) => Patch::Set(text.to_owned()),
    }
}

/// The standard fields of a friend that are set, with their values.
pub(super) fn standard(friend: &Friend) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut put = |tag: &str, value: Option<Value>| {
        all.extend(value.map(|value| (tag.to_owned(), value)));
    };
    let source = friend.source.as_deref().map(|source| prefixed(source, SOURCES));
    put(SOURCE, source.map(Value::from));
    put(REMARK, friend.remark.clone().map(Value::from));
    let lists: Vec<&str> = friend.lists.iter().map(String::as_str).collect();
    put(GROUP, Some(lists).filter(|lists| !lists.is_empty()).map(Value::from));
    put(WORDING, friend.wording.clone().map(Value::from));
    // The time is in seconds. A friend whom only a file declares has none.
    put(TIME, Some(friend.since / 1000).filter(|&since| since > 0).map(Value::from));
    all
}

/// The custom fields of a friend that are set, with their values.
pub(super) fn custom(friend: &Friend) -> Vec<(String, Value)> {
    // The native API also accepts names without the prefix; if both are set, the full name wins.
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    let (whole, short): (Vec<_>, Vec<_>) =
        friend.custom.iter().partition(|(name, _)| name.starts_with(CUSTOM));
    for (name, value) in short.into_iter().chain(whole) {
        all.insert(prefixed(name, CUSTOM), value.clone());
    }
    all.into_iter().collect()
}

fn prefixed(keyword: &str, prefix: &str) -> String {
    if keyword.starts_with(prefix) { keyword.to_owned() } else { format!("{prefix}{keyword}") }
}

/// The JSON form of tags with their values.
pub(super) fn render_tags(all: Vec<(String, Value)>) -> Value {
    let item = |(tag, value): (String, Value)| {
        Value::Object(reply_fields([("Tag", tag.into()), ("Value", value)]))
    };
    all.into_iter().map(item).collect()
}
