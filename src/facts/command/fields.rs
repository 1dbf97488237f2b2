//! Fields of users, groups and friends in commands.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    FieldTerms, GroupFieldTerms, Id, Patch, TagName,
    codec::{CommandFields, FieldCodec, SyntaxErrors, ValueCodec, text_codec, type_error},
    field_terms::TakenTerms,
};
use crate::{
    facts::{SwitchSetting, UnixMillis},
    request::{
        Action, ActionName, ActionSet, Approval, GroupPermission, Moderation, Moment, PeersMode,
        PeersSetting, Role, Switch, check_tag,
    },
};

/// Defines structures whose fields are among those of a command, or make an object of their own.
macro_rules! fields {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)+ })+) => {
        $(
            $(#[$meta])*
            #[derive(Clone, PartialEq, Default, Debug)]
            pub struct $name {
                $($(#[$field_meta])* pub $field: $kind,)+
            }

            impl FieldCodec for $name {
                fn decode(from: &mut CommandFields<'_>, _: &str) -> Option<Self> {
                    $(let $field = <$kind as FieldCodec>::decode(from, stringify!($field));)+
                    Some(Self { $($field: $field?,)+ })
                }

                fn encode(&self, _: &str, into: &mut Map<String, Value>) {
                    $(self.$field.encode(stringify!($field), into);)+
                }
            }

            impl FieldCodec for Box<$name> {
                fn decode(from: &mut CommandFields<'_>, name: &str) -> Option<Self> {
                    $name::decode(from, name).map(Self::new)
                }

                fn encode(&self, name: &str, into: &mut Map<String, Value>) {
                    self.as_ref().encode(name, into);
                }
            }
        )+
    };
}

fields! {
    /// The fields of a user: those of policy files, and more. What is given replaces what the API stated
    /// before: relations as whole lists, switches and attributes one by one.
    UserFields {
        tags: Patch<BTreeSet<TagName>>,
        /// A mode, or an audience by its name.
        peers: Patch<PeersSetting<String>>,
        permissions: Option<BTreeMap<SwitchKey, Option<SwitchSetting>>>,
        moderation: Patch<Moderation>,
        approval: Patch<Approval>,
        /// The names of audiences, by action; replaces all entries.
        accepts: Patch<BTreeMap<ActionName, String>>,
        attributes: Option<BTreeMap<String, Option<Value>>>,
        /// Merge patches (RFC 7396) of attributes: members that are not given stay.
        merge_attributes: Option<BTreeMap<String, Value>>,
        contacts: Option<BTreeSet<Id>>,
        favorites: Option<BTreeSet<Id>>,
        paired: Option<BTreeSet<Id>>,
        /// Each with the time of the block, or as a list of ids.
        blocked: Option<ByUser<Option<UnixMillis>>>,
        /// Each with the fields of the friend, or as a list of ids.
        friends: Option<ByUser<FriendFields>>,
        /// The pending friend requests, by sender.
        requests: Option<ByUser<RequestFields>>,
        friend_lists: Option<Vec<String>>,
        /// The terms of the moderation state and of elements of the lists above; after them.
        terms: FieldTerms,
    }

    /// The fields of a group: those of policy files, and more. What is given replaces what the API
    /// stated before: the members of a role as a whole list, permissions and metadata fields one by
    /// one.
    GroupFields {
        /// Whether the command is refused if the group exists.
        new: Option<bool>,
        matrix: Patch<String>,
        creator: Patch<Id>,
        super_admins: Option<BTreeSet<Id>>,
        admins: Option<BTreeSet<Id>>,
        members: Option<BTreeSet<Id>>,
        /// Users to add to the members.
        add_members: Option<BTreeSet<Id>>,
        /// The role of each of these users after that, `null` to remove the member; the others stay.
        roles: Option<BTreeMap<Id, Option<Role>>>,
        /// The user who added each member.
        added_by: Option<BTreeMap<Id, Id>>,
        /// The users who may not speak in the group, each with the time of the mute, or as a list of ids.
        muted: Option<ByUser<Option<UnixMillis>>>,
        /// Whether each of these users is muted after that; the others stay.
        mutes: Option<BTreeMap<Id, bool>>,
        /// The users who are neither added to the group nor join it, each with the time of the ban, or as a
        /// list of ids.
        banned: Option<ByUser<Option<UnixMillis>>>,
        /// The condition that someone in the group must meet.
        requires: Patch<String>,
        permissions: Option<BTreeMap<PermissionKey, Option<String>>>,
        metadata: Option<BTreeMap<String, Option<Value>>>,
        /// Merge patches (RFC 7396) of metadata fields: members that are not given stay.
        merge_metadata: Option<BTreeMap<String, Value>>,
        /// Merge patches of members' attributes; users who are not members have none.
        member_attributes: Option<BTreeMap<Id, BTreeMap<String, Value>>>,
        /// The terms of mutes and bans; after them.
        terms: GroupFieldTerms,
    }

    /// The fields of a friend.
    FriendFields {
        remark: Patch<String>,
        lists: Patch<BTreeSet<String>>,
        /// Lists to add the friend to.
        add_lists: Option<BTreeSet<String>>,
        source: Patch<String>,
        wording: Patch<String>,
        custom: Patch<BTreeMap<String, Option<Value>>>,
        /// The time since when they are friends; defaults to now.
        since: Option<UnixMillis>,
        /// The time at which the friendship ends.
        until: Patch<Moment>,
    }

    /// The fields of a pending friend request.
    RequestFields {
        both: Option<bool>,
        since: Option<UnixMillis>,
        remark: Patch<String>,
        lists: Patch<BTreeSet<String>>,
        source: Patch<String>,
        wording: Patch<String>,
        custom: Patch<BTreeMap<String, Option<Value>>>,
        until: Patch<Moment>,
    }
}

impl RequestFields {
    /// The fields of the friend that the sender's record will hold.
    pub(in crate::facts) fn friend(&self) -> FriendFields {
        FriendFields {
            remark: self.remark.clone(),
            lists: self.lists.clone(),
            add_lists: None,
            source: self.source.clone(),
            wording: self.wording.clone(),
            custom: self.custom.clone(),
            since: None,
            until: self.until.clone(),
        }
    }
}

/// Users, each with a value; a list of ids stands for default values.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct ByUser<T>(pub BTreeMap<Id, T>);

/// A switch: a built-in one, or that of a declared action by its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SwitchKey {
    BuiltIn(Switch),
    Declared(String),
}

impl SwitchKey {
    /// Whether there is such an action is for the policy to say.
    fn parse(text: &str) -> Result<Self, String> {
        text.parse::<Switch>().map(Self::BuiltIn).or_else(|unknown| match check_tag(text) {
            Ok(()) => Ok(Self::Declared(text.to_owned())),
            Err(_) => Err(unknown.to_string()),
        })
    }
}

impl std::fmt::Display for SwitchKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BuiltIn(switch) => switch.as_str(),
            Self::Declared(action) => action,
        })
    }
}

/// A permission of a group. For `update_metadata`, that of one field, or `*` for those not named, or
/// without a field for all; as a text, `update_metadata.FIELD`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PermissionKey {
    pub permission: GroupPermission,
    pub field: Option<String>,
}

impl PermissionKey {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (word, field) = match text.split_once('.') {
            Some((word, field)) => (word, Some(field)),
            None => (text, None),
        };
        let permission: GroupPermission =
            word.parse().map_err(|error: crate::request::UnknownWordError| error.to_string())?;
        match field {
            Some(_) if permission != GroupPermission::UpdateMetadata => {
                Err(format!("only `update_metadata` has fields, not `{permission}`"))
            }
            Some(field) if field.is_empty() || field.chars().any(char::is_control) => {
                Err("a field's name can't be empty or hold control characters".to_owned())
            }
            field => Ok(Self { permission, field: field.map(str::to_owned) }),
        }
    }
}

impl std::fmt::Display for PermissionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = crate::facts::GroupRecord::permission_key(self.permission, self.field.as_deref());
        f.write_str(&key)
    }
}

/// An action that users accept from audiences.
fn parse_accepted_action(text: &str) -> Result<ActionName, String> {
    let action = match text.parse::<Action>() {
        Ok(action) => action,
        // Whether there is such an action is for the policy to say.
        Err(_) if check_tag(text).is_ok() => return Ok(ActionName::Declared(text.into())),
        Err(unknown) => return Err(unknown.to_string()),
    };
    if ActionSet::BETWEEN_USERS.contains(action) {
        Ok(action.into())
    } else {
        let names: Vec<&str> = ActionSet::BETWEEN_USERS.built_in().map(Action::as_str).collect();
        Err(format!("`{action}` reaches no other user; use one of {}", names.join(", ")))
    }
}

text_codec! {
    ActionName: "an action", parse_accepted_action;
    Moderation: "a moderation state", str::parse::<Moderation>;
    Approval: "an approval", str::parse::<Approval>;
    SwitchKey: "a permission", SwitchKey::parse;
    Role: "a role", str::parse::<Role>;
    PermissionKey: "a permission", PermissionKey::parse;
}

/// A peers mode is decoded from its name or its number; every other text names an audience.
impl ValueCodec for PeersSetting<String> {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        match value {
            Value::String(text) => Some(
                PeersMode::parse(text).map_or_else(|_| Self::Audience(text.clone()), Self::Mode),
            ),
            Value::Number(number) => match PeersMode::parse(&number.to_string()) {
                Ok(mode) => Some(Self::Mode(mode)),
                Err(error) => errors.report(field, error.to_string()),
            },
            other => type_error("a peers mode or its number", other, field, errors),
        }
    }

    fn to_json(&self) -> Value {
        self.as_str().into()
    }
}

impl ValueCodec for SwitchSetting {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        match value {
            Value::Bool(is) => Some(Self::Always(*is)),
            Value::String(text) => Some(Self::When(text.clone())),
            other => type_error("true, false or a condition", other, field, errors),
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Always(is) => (*is).into(),
            Self::When(condition) => condition.as_str().into(),
        }
    }
}

impl<T: Default + ByUserValue> ValueCodec for ByUser<T> {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        match value {
            Value::Array(_) => {
                let ids: Vec<Id> = Vec::from_json(value, field, errors)?;
                Some(Self(ids.into_iter().map(|id| (id, T::default())).collect()))
            }
            Value::Object(_) => {
                let entries: BTreeMap<Id, ByUserEntry<T>> =
                    BTreeMap::from_json(value, field, errors)?;
                Some(Self(
                    entries.into_iter().map(|(id, ByUserEntry(value))| (id, value)).collect(),
                ))
            }
            other => type_error("a list or an object of users", other, field, errors),
        }
    }

    fn to_json(&self) -> Value {
        if self.0.values().all(|entry| *entry == T::default()) {
            return self.0.keys().map(ValueCodec::to_json).collect();
        }
        Value::Object(self.0.iter().map(|(id, entry)| (id.to_string(), entry.to_json())).collect())
    }
}

/// A codec of the value that goes with each of several users.
pub(super) trait ByUserValue: PartialEq + Sized {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self>;

    fn to_json(&self) -> Value;
}

struct ByUserEntry<T>(T);

impl<T: ByUserValue> ValueCodec for ByUserEntry<T> {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        T::from_json(value, field, errors).map(Self)
    }

    fn to_json(&self) -> Value {
        self.0.to_json()
    }
}

impl ByUserValue for Option<UnixMillis> {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        UnixMillis::from_json(value, field, errors).map(Some)
    }

    fn to_json(&self) -> Value {
        self.unwrap_or_default().into()
    }
}

/// Decodes fields from an object of their own.
fn read_object<T: FieldCodec>(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<T> {
    let Value::Object(given) = value else {
        return type_error("an object", value, field, errors);
    };
    let mut inner = SyntaxErrors { index: errors.index, found: Vec::new() };
    let mut fields = CommandFields {
        object: given,
        known: Vec::new(),
        errors: &mut inner,
        terms: TakenTerms::default(),
    };
    let part = T::decode(&mut fields, "");
    fields.reject_unknown();
    let is_fine = inner.found.is_empty();
    for problem in inner.found {
        errors.report::<()>(&format!("{field}.{}", problem.field), problem.message);
    }
    part.filter(|_| is_fine)
}

fn write_object(part: &impl FieldCodec) -> Value {
    let mut into = Map::new();
    part.encode("", &mut into);
    Value::Object(into)
}

impl ByUserValue for FriendFields {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        read_object(value, field, errors)
    }

    fn to_json(&self) -> Value {
        write_object(self)
    }
}

impl ByUserValue for RequestFields {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        read_object(value, field, errors)
    }

    fn to_json(&self) -> Value {
        write_object(self)
    }
}
