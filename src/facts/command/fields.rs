//! What is said of a user, a group, a friend or a rule.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    Id, Patch, TagName,
    part::{Fields, Part, Problems, Scalar, expected, texts},
};
use crate::{
    facts::{SwitchSetting, UnixMillis},
    request::{Approval, GroupPermission, Moderation, PeersMode, Role, Switch},
};

/// Structures whose fields stand among those of a command, or make an object.
macro_rules! fields {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)+ })+) => {
        $(
            $(#[$meta])*
            #[derive(Clone, PartialEq, Default, Debug)]
            pub struct $name {
                $($(#[$field_meta])* pub $field: $kind,)+
            }

            impl Part for $name {
                fn take(from: &mut Fields<'_>, _: &str) -> Option<Self> {
                    $(let $field = <$kind as Part>::take(from, stringify!($field));)+
                    Some(Self { $($field: $field?,)+ })
                }

                fn give(&self, _: &str, into: &mut Map<String, Value>) {
                    $(self.$field.give(stringify!($field), into);)+
                }
            }

            impl Part for Box<$name> {
                fn take(from: &mut Fields<'_>, name: &str) -> Option<Self> {
                    $name::take(from, name).map(Self::new)
                }

                fn give(&self, name: &str, into: &mut Map<String, Value>) {
                    self.as_ref().give(name, into);
                }
            }
        )+
    };
}

fields! {
    /// What is said of a user, as policy files say it and beyond. What is given replaces what the API
    /// stated before, edges as a whole lists; single switches and attributes each for itself.
    UserFields {
        tags: Patch<BTreeSet<TagName>>,
        peers: Patch<PeersMode>,
        permissions: Option<BTreeMap<Switch, Option<SwitchSetting>>>,
        moderation: Patch<Moderation>,
        approval: Patch<Approval>,
        attributes: Option<BTreeMap<String, Option<Value>>>,
        /// Attributes of which single members are given, after RFC 7396: the others stay.
        merge_attributes: Option<BTreeMap<String, Value>>,
        contacts: Option<BTreeSet<Id>>,
        favorites: Option<BTreeSet<Id>>,
        paired: Option<BTreeSet<Id>>,
        /// With the time since when, or as a list of ids.
        blocked: Option<ByUser<Option<UnixMillis>>>,
        /// With what he keeps of them, or as a list of ids.
        friends: Option<ByUser<FriendFields>>,
        /// Who waits for his answer.
        requests: Option<ByUser<RequestFields>>,
        friend_lists: Option<Vec<String>>,
    }

    /// What is said of a group, as policy files say it and beyond. What is given replaces what the
    /// API stated before, members of a role as a whole list; single permissions and fields of the
    /// metadata each for itself.
    GroupFields {
        /// Whether it must be made: then it is refused if there is such a group.
        new: Option<bool>,
        matrix: Patch<String>,
        creator: Patch<Id>,
        super_admins: Option<BTreeSet<Id>>,
        admins: Option<BTreeSet<Id>>,
        members: Option<BTreeSet<Id>>,
        /// Who is a member too, besides those there are.
        add_members: Option<BTreeSet<Id>>,
        /// What each of these is to be after that, no member if `null`; the others stay.
        roles: Option<BTreeMap<Id, Option<Role>>>,
        /// Who added whom.
        added_by: Option<BTreeMap<Id, Id>>,
        permissions: Option<BTreeMap<PermissionKey, Option<String>>>,
        metadata: Option<BTreeMap<String, Option<Value>>>,
        /// Fields of the metadata of which single members are given, after RFC 7396: the others stay.
        merge_metadata: Option<BTreeMap<String, Value>>,
        /// What is kept of whom as a member, merged likewise; of who is none, nothing is kept.
        member_attributes: Option<BTreeMap<Id, BTreeMap<String, Value>>>,
    }

    /// What a user keeps of a friend.
    FriendFields {
        remark: Patch<String>,
        lists: Patch<BTreeSet<String>>,
        /// Those in which he is to be besides.
        add_lists: Option<BTreeSet<String>>,
        source: Patch<String>,
        wording: Patch<String>,
        custom: Patch<BTreeMap<String, Option<Value>>>,
        /// Since when they are friends; now, if nothing is said.
        since: Option<UnixMillis>,
    }

    /// A friend request that waits.
    RequestFields {
        both: Option<bool>,
        since: Option<UnixMillis>,
        remark: Patch<String>,
        lists: Patch<BTreeSet<String>>,
        source: Patch<String>,
        wording: Patch<String>,
        custom: Patch<BTreeMap<String, Option<Value>>>,
    }
}

impl RequestFields {
    /// What the one who asked will keep of his friend.
    pub(in crate::facts) fn friend(&self) -> FriendFields {
        FriendFields {
            remark: self.remark.clone(),
            lists: self.lists.clone(),
            add_lists: None,
            source: self.source.clone(),
            wording: self.wording.clone(),
            custom: self.custom.clone(),
            since: None,
        }
    }
}

/// Users, with something of each; also read from a list of their ids.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct ByUser<T>(pub BTreeMap<Id, T>);

/// A permission of a group; of `update_metadata`, that for one field, `*` for those not named, or
/// for all. As a text: `update_metadata.FIELD`.
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
                Err(format!("`{permission}` has no fields; only `update_metadata` has"))
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

texts! {
    Moderation: "a moderation state", str::parse::<Moderation>;
    Approval: "an approval", str::parse::<Approval>;
    Switch: "a permission", str::parse::<Switch>;
    Role: "a role", str::parse::<Role>;
    PermissionKey: "a permission", PermissionKey::parse;
}

/// By its name or its number.
impl Scalar for PeersMode {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => return expected("a peers mode or its number", other, field, problems),
        };
        Self::parse(&text).map_or_else(|error| problems.tell(field, error.to_string()), Some)
    }

    fn write(&self) -> Value {
        self.as_str().into()
    }
}

impl Scalar for SwitchSetting {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        match value {
            Value::Bool(is) => Some(Self::Always(*is)),
            Value::String(text) => Some(Self::When(text.clone())),
            other => expected("true, false or a condition", other, field, problems),
        }
    }

    fn write(&self) -> Value {
        match self {
            Self::Always(is) => (*is).into(),
            Self::When(condition) => condition.as_str().into(),
        }
    }
}

impl<T: Default + ByUserValue> Scalar for ByUser<T> {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        match value {
            Value::Array(_) => {
                let ids: Vec<Id> = Vec::read(value, field, problems)?;
                Some(Self(ids.into_iter().map(|id| (id, T::default())).collect()))
            }
            Value::Object(_) => {
                let entries: BTreeMap<Id, ByUserEntry<T>> = BTreeMap::read(value, field, problems)?;
                Some(Self(
                    entries.into_iter().map(|(id, ByUserEntry(value))| (id, value)).collect(),
                ))
            }
            other => expected("a list or an object of users", other, field, problems),
        }
    }

    fn write(&self) -> Value {
        if self.0.values().all(|entry| *entry == T::default()) {
            return self.0.keys().map(Scalar::write).collect();
        }
        Value::Object(self.0.iter().map(|(id, entry)| (id.to_string(), entry.write())).collect())
    }
}

/// What is said of each of several users.
pub(super) trait ByUserValue: PartialEq + Sized {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self>;

    fn write(&self) -> Value;
}

struct ByUserEntry<T>(T);

impl<T: ByUserValue> Scalar for ByUserEntry<T> {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        T::read(value, field, problems).map(Self)
    }

    fn write(&self) -> Value {
        self.0.write()
    }
}

impl ByUserValue for Option<UnixMillis> {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        UnixMillis::read(value, field, problems).map(Some)
    }

    fn write(&self) -> Value {
        self.unwrap_or_default().into()
    }
}

/// As an object of its own.
fn read_object<T: Part>(value: &Value, field: &str, problems: &mut Problems) -> Option<T> {
    let Value::Object(given) = value else {
        return expected("an object", value, field, problems);
    };
    let mut inner = Problems { index: problems.index, found: Vec::new() };
    let mut fields = Fields { given, asked: Vec::new(), problems: &mut inner };
    let part = T::take(&mut fields, "");
    fields.rest();
    let is_fine = inner.found.is_empty();
    for problem in inner.found {
        problems.tell::<()>(&format!("{field}.{}", problem.field), problem.message);
    }
    part.filter(|_| is_fine)
}

fn write_object(part: &impl Part) -> Value {
    let mut into = Map::new();
    part.give("", &mut into);
    Value::Object(into)
}

impl ByUserValue for FriendFields {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        read_object(value, field, problems)
    }

    fn write(&self) -> Value {
        write_object(self)
    }
}

impl ByUserValue for RequestFields {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        read_object(value, field, problems)
    }

    fn write(&self) -> Value {
        write_object(self)
    }
}
