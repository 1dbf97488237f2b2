//! Keys of records.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// The key of a record.
///
/// Stores order records by its text: a letter, a slash, and the id. Ids hold no control characters, so
/// that one may separate two of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RecordKey {
    User(String),
    Group(String),
    /// The two users of a conversation, the lesser id first.
    Conversation(String, String),
    Rule(Uuid),
    /// The result of a batch that was sent under this idempotency key.
    Idempotency(String),
}

/// The kinds of records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RecordKind {
    User,
    Group,
    Conversation,
    Rule,
    Idempotency,
}

impl RecordKind {
    pub const ALL: [Self; 5] =
        [Self::User, Self::Group, Self::Conversation, Self::Rule, Self::Idempotency];

    /// The beginning of the text of every key of this kind.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::User => "u/",
            Self::Group => "g/",
            Self::Conversation => "c/",
            Self::Rule => "r/",
            Self::Idempotency => "k/",
        }
    }
}

/// The separator of the two users of a conversation.
const SEPARATOR: char = '\0';

impl RecordKey {
    /// The key of the conversation of two users, given in either order.
    pub fn conversation(one: &str, other: &str) -> Self {
        let (one, other) = if one <= other { (one, other) } else { (other, one) };
        Self::Conversation(one.to_owned(), other.to_owned())
    }

    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::User(_) => RecordKind::User,
            Self::Group(_) => RecordKind::Group,
            Self::Conversation(..) => RecordKind::Conversation,
            Self::Rule(_) => RecordKind::Rule,
            Self::Idempotency(_) => RecordKind::Idempotency,
        }
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().prefix())?;
        match self {
            Self::User(id) | Self::Group(id) | Self::Idempotency(id) => f.write_str(id),
            Self::Conversation(one, other) => write!(f, "{one}{SEPARATOR}{other}"),
            Self::Rule(id) => id.fmt(f),
        }
    }
}

/// The error for a text that is not a key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{}` is not the key of a record", .0.escape_debug())]
pub struct InvalidRecordKeyError(pub String);

impl FromStr for RecordKey {
    type Err = InvalidRecordKeyError;

    fn from_str(text: &str) -> Result<Self, InvalidRecordKeyError> {
        let no_key = || InvalidRecordKeyError(text.to_owned());
        let of = |kind: RecordKind| Some((kind, text.strip_prefix(kind.prefix())?));
        let (kind, id) = RecordKind::ALL.into_iter().find_map(of).ok_or_else(no_key)?;
        Ok(match kind {
            RecordKind::User => Self::User(id.to_owned()),
            RecordKind::Group => Self::Group(id.to_owned()),
            RecordKind::Conversation => {
                let (one, other) = id.split_once(SEPARATOR).ok_or_else(no_key)?;
                if other.contains(SEPARATOR) {
                    return Err(no_key());
                }
                Self::conversation(one, other)
            }
            RecordKind::Rule => Self::Rule(id.parse().map_err(|_| no_key())?),
            RecordKind::Idempotency => Self::Idempotency(id.to_owned()),
        })
    }
}
