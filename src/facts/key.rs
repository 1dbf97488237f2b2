use std::{fmt, str::FromStr};

use uuid::Uuid;

/// What a record is of, and so where it is kept.
///
/// Its text is what stores order records by: a letter, a slash, and the id; ids hold no control
/// characters, so one may part two of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Key {
    User(String),
    Group(String),
    /// Of two users, the lesser id first.
    Conversation(String, String),
    Rule(Uuid),
    /// What came of a batch that was sent under this idempotency key.
    Once(String),
}

/// The kinds of records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    User,
    Group,
    Conversation,
    Rule,
    Once,
}

impl Kind {
    pub const ALL: [Self; 5] =
        [Self::User, Self::Group, Self::Conversation, Self::Rule, Self::Once];

    /// What the text of every key of this kind begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::User => "u/",
            Self::Group => "g/",
            Self::Conversation => "c/",
            Self::Rule => "r/",
            Self::Once => "k/",
        }
    }
}

/// What parts the two users of a conversation.
const BETWEEN: char = '\0';

impl Key {
    /// That of the conversation of two users, in whatever order.
    pub fn conversation(one: &str, other: &str) -> Self {
        let (one, other) = if one <= other { (one, other) } else { (other, one) };
        Self::Conversation(one.to_owned(), other.to_owned())
    }

    pub const fn kind(&self) -> Kind {
        match self {
            Self::User(_) => Kind::User,
            Self::Group(_) => Kind::Group,
            Self::Conversation(..) => Kind::Conversation,
            Self::Rule(_) => Kind::Rule,
            Self::Once(_) => Kind::Once,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().prefix())?;
        match self {
            Self::User(id) | Self::Group(id) | Self::Once(id) => f.write_str(id),
            Self::Conversation(one, other) => write!(f, "{one}{BETWEEN}{other}"),
            Self::Rule(id) => id.fmt(f),
        }
    }
}

/// A text that is no key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{}` is no key of a record", .0.escape_debug())]
pub struct NoKey(pub String);

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let no_key = || NoKey(text.to_owned());
        let of = |kind: Kind| Some((kind, text.strip_prefix(kind.prefix())?));
        let (kind, id) = Kind::ALL.into_iter().find_map(of).ok_or_else(no_key)?;
        Ok(match kind {
            Kind::User => Self::User(id.to_owned()),
            Kind::Group => Self::Group(id.to_owned()),
            Kind::Conversation => {
                let (one, other) = id.split_once(BETWEEN).ok_or_else(no_key)?;
                Self::conversation(one, other)
            }
            Kind::Rule => Self::Rule(id.parse().map_err(|_| no_key())?),
            Kind::Once => Self::Once(id.to_owned()),
        })
    }
}
