//! The access to Unix sockets as options give it: a mode and a group.

use std::{fs, str::FromStr};

use anyhow::{Context as _, Result};

use crate::serve::SocketAccess;

/// The file that lists the groups of this machine.
const GROUPS: &str = "/etc/group";

/// A file mode as an octal number: `0660`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FileMode(u32);

/// The error for a text that is not a mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected three octal digits for owner, group and others, as 0660")]
pub(super) struct FileModeError;

/// The name or number of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum GroupName {
    Number(u32),
    Name(String),
}

/// The error for a text that is not a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected the name or number of a group")]
pub(super) struct GroupNameError;

impl FromStr for FileMode {
    type Err = FileModeError;

    fn from_str(text: &str) -> std::result::Result<Self, FileModeError> {
        let is_octal = text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        if !is_octal || !(3..=4).contains(&text.len()) {
            return Err(FileModeError);
        }
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
        mode.map(Self).ok_or(FileModeError)
    }
}

impl FromStr for GroupName {
    type Err = GroupNameError;

    fn from_str(text: &str) -> std::result::Result<Self, GroupNameError> {
        if text.is_empty() || text.contains([':', ',', '\n']) {
            return Err(GroupNameError);
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self::Name(text.to_owned()));
        }
        // The highest number stands for no group.
        let number = text.parse().ok().filter(|number| *number != u32::MAX);
        number.map(Self::Number).ok_or(GroupNameError)
    }
}

impl GroupName {
    /// The number of the group.
    fn number(&self) -> Result<u32> {
        let name = match self {
            Self::Number(number) => return Ok(*number),
            Self::Name(name) => name,
        };
        let groups = fs::read_to_string(GROUPS)
            .with_context(|| format!("can't look the group `{name}` up in {GROUPS}"))?;
        let number = groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            let number = (fields.next() == Some(name)).then(|| fields.nth(1)).flatten();
            number?.parse().ok()
        });
        number.with_context(|| {
            format!("there is no group `{name}` in {GROUPS}; give --uds-group its number")
        })
    }
}

/// The access of a mode and a group. A group without a mode is given the rights of the owner.
pub(super) fn access(mode: Option<FileMode>, group: Option<&GroupName>) -> Result<SocketAccess> {
    let group = group.map(GroupName::number).transpose()?;
    let mode = mode.map(|FileMode(mode)| mode).or(group.map(|_| 0o660));
    Ok(SocketAccess { mode, group })
}
