//! Flags of group members: roles, permissions and rights, by their names and as bits of mesibo's
//! numbers.

use serde_json::{Map, Value};

use super::{
    error::{MesiboError, MesiboErrorCode},
    params::{Params, parse_flag, type_error},
};
use crate::request::Role;

/// The permissions of a member: name, whether the member has it by default, and bit.
pub(super) const MEMBER_PERMISSIONS: [(&str, bool, u64); 8] = [
    (SEND, true, 0x1),
    ("recv", true, 0x2),
    ("pub", true, 0x4),
    ("sub", true, 0x8),
    ("list", true, 0x10),
    ("record", false, 0x20),
    (ADMIN, false, 0x1000),
    ("noselfdelete", false, 0x2000),
];

/// The rights of a group's admins, and their bits.
pub(super) const ADMIN_RIGHTS: [(&str, u64); 10] = [
    ("modify", 0x1),
    ("adduser", 0x10),
    ("remuser", 0x20),
    ("addadmin", 0x40),
    ("remadmin", 0x80),
    ("remowner", 0x100),
    ("remgroup", 0x200),
    ("callcontrol", 0x400),
    ("hangup", 0x800),
    (OWNER.0, OWNER.1),
];

const SEND: &str = "send";
const ADMIN: &str = "admin";
const OWNER: (&str, u64) = ("owner", 0x1000);

/// The rights any of which makes a member an admin.
const MANAGING_BITS: u64 = 0x3f1;

/// The rights of an admin for whom none are stored.
const DEFAULT_ADMIN_BITS: u64 = 0x31;

/// The bits of rights and of permissions that have names.
const NAMED_RIGHT_BITS: u64 = 0x1ff1;
const NAMED_PERMISSION_BITS: u64 = 0x303f;

/// The flag of a group in which members send who are selected, by a permission of their own.
const SELECTED_SEND_BIT: u64 = 0x1;

/// The requested changes of members' flags.
#[derive(Clone, Default, Debug)]
pub(super) struct FlagChanges {
    /// Whether the members may send, if that is said.
    pub(super) sends: Option<bool>,
    /// The permissions by name; `null` where the default applies, so that nothing is stored.
    may: Map<String, Value>,
    /// Whether the members become admins.
    is_admin: Option<bool>,
    /// The bits of the rights that are named, and of those that are granted.
    rights: Option<(u64, u64)>,
    /// Unknown fields of the rights.
    more: Map<String, Value>,
    /// The bits of the members' flags that have no name.
    bits: Option<u64>,
}

/// The current state of a member.
#[derive(Clone, Default, Debug)]
pub(super) struct MemberState {
    pub(super) role: Option<Role>,
    /// The member's attributes in the group's record.
    pub(super) kept: Map<String, Value>,
    /// Whether a file declares the member, of whom no record can hold attributes then.
    pub(super) is_declared: bool,
}

impl FlagChanges {
    /// Reads `permissions`, `admin` and `flags` of members.
    pub(super) fn parse(members: &Params<'_>) -> Result<Self, MesiboError> {
        let mut wanted = Self::default();
        members.one_of(&["flags", "flag"])?;
        for name in ["flags", "flag"] {
            if let Some(bits) = members.integer(name)? {
                MEMBER_PERMISSIONS
                    .iter()
                    .for_each(|&(name, _, bit)| wanted.set(name, bits & bit != 0));
                wanted.bits = Some(bits & !NAMED_PERMISSION_BITS);
            }
        }
        if let Some(permissions) = members.object("permissions")? {
            for (name, value) in permissions.fields.iter().filter(|(_, value)| !value.is_null()) {
                if MEMBER_PERMISSIONS.iter().any(|(known, _, _)| known == name) {
                    let wrong = || type_error(&permissions.path(name), "true or false", value);
                    wanted.set(name, parse_flag(value).ok_or_else(wrong)?);
                } else {
                    wanted.may.insert(name.clone(), value.clone());
                }
            }
        }
        match members.get("admin") {
            None => {}
            Some(Value::Object(rights)) => {
                let path = members.path("admin");
                wanted.parse_rights(&Params { path, fields: rights })?;
            }
            Some(value) => {
                let what = "an object of rights, or their bits as a number";
                let wrong = || type_error(&members.path("admin"), what, value);
                wanted.rights = Some((u64::MAX, value.as_u64().ok_or_else(wrong)?));
            }
        }
        Ok(wanted)
    }

    fn set(&mut self, name: &str, is: bool) {
        if name == ADMIN {
            self.is_admin = Some(is);
        } else if name == SEND {
            // Stored in any case: where members send who are selected, it matters that it was said.
            self.sends = Some(is);
            self.may.insert(name.to_owned(), is.into());
        } else {
            let default =
                MEMBER_PERMISSIONS.iter().any(|&(known, default, _)| known == name && default);
            let value = if is == default { Value::Null } else { is.into() };
            self.may.insert(name.to_owned(), value);
        }
    }

    fn parse_rights(&mut self, rights: &Params<'_>) -> Result<(), MesiboError> {
        let (mut said, mut given) = (0, 0);
        if let Some(bits) = rights.integer("flags")? {
            (said, given) = (u64::MAX, bits);
        }
        for (name, value) in rights.fields.iter().filter(|(name, _)| *name != "flags") {
            match ADMIN_RIGHTS.iter().find(|(known, _)| known == name) {
                Some((_, bit)) => {
                    let Some(is) = rights.flag(name)? else { continue };
                    said |= bit;
                    given = if is { given | bit } else { given & !bit };
                }
                None => drop(self.more.insert(name.clone(), value.clone())),
            }
        }
        if self.is_admin == Some(false) && given & MANAGING_BITS != 0 {
            let message =
                "gives rights to a member who is not an admin by `permissions.admin` or `flags`";
            return Err(MesiboError::parameter(MesiboErrorCode::BadParam, &rights.path, message));
        }
        self.rights = Some((said, given));
        Ok(())
    }

    /// Whether the changes concern the members' role.
    pub(super) const fn changes_role(&self) -> bool {
        self.is_admin.is_some() || self.rights.is_some()
    }

    /// The new role of a member, if the changes concern it, and the patch of the member's
    /// attributes.
    pub(super) fn apply_to(&self, now: &MemberState) -> (Option<Role>, Map<String, Value>) {
        let mut keep = Map::new();
        if !self.may.is_empty() {
            let mut may = self.may.clone();
            if now.is_declared && self.sends == Some(true) {
                may.insert(SEND.to_owned(), Value::Null);
            }
            keep.insert("permissions".to_owned(), Value::Object(may));
        }
        if let Some(bits) = self.bits {
            keep.insert("bits".to_owned(), bits_or_none(bits));
        }
        if !self.changes_role() {
            return (None, keep);
        }
        let (said, given) = self.rights.unwrap_or_default();
        let mut rights = (right_bits(now.role, &now.kept) & !said) | (given & said);
        if self.is_admin == Some(false) {
            rights &= !MANAGING_BITS;
        }
        let role = if rights & OWNER.1 != 0 {
            Role::SuperAdmin
        } else if rights & MANAGING_BITS != 0 || self.is_admin == Some(true) {
            Role::Admin
        } else {
            Role::Member
        };
        let mut admin = self.more.clone();
        for (name, bit) in ADMIN_RIGHTS.into_iter().filter(|&(_, bit)| bit != OWNER.1) {
            let value = if rights & bit == 0 { Value::Null } else { true.into() };
            admin.insert(name.to_owned(), value);
        }
        admin.insert("bits".to_owned(), bits_or_none(rights & !NAMED_RIGHT_BITS));
        keep.insert("admin".to_owned(), Value::Object(admin));
        (Some(role), keep)
    }
}

/// Whether only selected members and those who manage a group send there, by its flags.
pub(super) fn is_broadcast(flags: Option<&Value>) -> bool {
    let flags = match flags {
        Some(Value::String(text)) => text.trim().parse().ok(),
        other => other.and_then(Value::as_u64),
    };
    flags.is_some_and(|flags| flags & SELECTED_SEND_BIT != 0)
}

impl MemberState {
    /// Whether the member may send, if that was said.
    pub(super) fn sends(&self) -> Option<bool> {
        self.kept.get("permissions")?.get(SEND)?.as_bool()
    }
}

/// Whether a member does not speak in a group, by what is said of them, or else by the group's flags.
pub(super) fn is_muted(sends: Option<bool>, role: Option<Role>, is_broadcast: bool) -> bool {
    let is_plain = matches!(role, None | Some(Role::Member));
    sends.map_or(is_broadcast && is_plain, |sends| !sends)
}

fn bits_or_none(bits: u64) -> Value {
    if bits == 0 { Value::Null } else { bits.into() }
}

/// The bits of a member's rights, by the role and the stored attributes.
fn right_bits(role: Option<Role>, kept: &Map<String, Value>) -> u64 {
    let admin = kept.get("admin");
    let said = |name: &str| admin.and_then(|admin| admin.get(name));
    let bits = said("bits").and_then(Value::as_u64).unwrap_or_default();
    let all = ADMIN_RIGHTS.iter().filter(|(name, _)| said(name) == Some(&Value::Bool(true)));
    let all = all.fold(bits, |all, (_, bit)| all | bit) & !OWNER.1;
    match role {
        Some(Role::SuperAdmin) => all | OWNER.1,
        Some(Role::Admin) if all & MANAGING_BITS == 0 => all | DEFAULT_ADMIN_BITS,
        Some(Role::Admin) => all,
        Some(Role::Member) | None => all & !MANAGING_BITS,
    }
}

/// The JSON form of a member's flags.
pub(super) fn render_flags(role: Role, kept: &Map<String, Value>) -> Map<String, Value> {
    let said = kept.get("permissions").and_then(Value::as_object);
    let mut bits = kept.get("bits").and_then(Value::as_u64).unwrap_or_default();
    let mut permissions = Map::new();
    for (name, default, bit) in MEMBER_PERMISSIONS {
        let is = if name == ADMIN {
            role != Role::Member
        } else {
            said.and_then(|said| said.get(name)).and_then(Value::as_bool).unwrap_or(default)
        };
        if is {
            bits |= bit;
        }
        if is || default {
            permissions.insert(name.to_owned(), is.into());
        }
    }
    for (name, value) in said.into_iter().flatten() {
        permissions.entry(name.clone()).or_insert_with(|| value.clone());
    }
    let mut rendered = Map::new();
    rendered.insert("flags".to_owned(), bits.into());
    rendered.insert("permissions".to_owned(), Value::Object(permissions));
    let rights = right_bits(Some(role), kept);
    let mut admin = Map::new();
    if rights != 0 {
        admin.insert("flags".to_owned(), rights.into());
    }
    for (name, _) in ADMIN_RIGHTS.into_iter().filter(|(_, bit)| rights & bit != 0) {
        admin.insert(name.to_owned(), true.into());
    }
    for (name, value) in kept.get("admin").and_then(Value::as_object).into_iter().flatten() {
        let is_known = name == "bits" || ADMIN_RIGHTS.iter().any(|(known, _)| known == name);
        if !is_known {
            admin.insert(name.clone(), value.clone());
        }
    }
    if !admin.is_empty() {
        rendered.insert("admin".to_owned(), Value::Object(admin));
    }
    rendered
}
