//! Peers settings: with whom a user communicates, by a mode or by an audience.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ActionName, Audiences, PeersMode, pair_statements::AudienceNumber};

/// With whom a user communicates: by a peers mode, or by an audience of the policy, read from the user. `A` is
/// the audience: its name in records, its number in policies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeersSetting<A> {
    Mode(PeersMode),
    Audience(A),
}

/// The setting of a user's record that names an audience, in the order of listings.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AudienceSlot {
    /// The peers mode.
    Peers,
    /// The entry of `accepts` for an action.
    Action(ActionName),
}

impl<A> PeersSetting<A> {
    /// The mode; `None` if it is an audience.
    pub fn mode(&self) -> Option<PeersMode> {
        match self {
            Self::Mode(mode) => Some(*mode),
            Self::Audience(_) => None,
        }
    }

    /// The audience; `None` if it is a mode.
    pub fn audience(&self) -> Option<&A> {
        match self {
            Self::Mode(_) => None,
            Self::Audience(audience) => Some(audience),
        }
    }
}

impl PeersSetting<String> {
    /// The setting that a word stands for in records: a mode by its name, or else an audience.
    pub fn from_word(word: String) -> Self {
        word.parse().map_or_else(|_| Self::Audience(word), Self::Mode)
    }

    /// The name of the mode or the audience.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Mode(mode) => mode.as_str(),
            Self::Audience(name) => name,
        }
    }
}

impl fmt::Display for PeersSetting<String> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for PeersSetting<String> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PeersSetting<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from_word)
    }
}

impl AudienceSlot {
    /// The name of the setting: `peers`, or the action.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Peers => "peers",
            Self::Action(action) => action.as_str(),
        }
    }
}

impl<T> Audiences<T> {
    /// The name of a peers setting of the same policy; empty for an audience that it does not have.
    pub fn peers_name(&self, setting: PeersSetting<AudienceNumber>) -> &str {
        match setting {
            PeersSetting::Mode(mode) => mode.as_str(),
            PeersSetting::Audience(number) => self.get(number).map_or("", |it| it.name.as_str()),
        }
    }

    /// The number of an audience that can be a peers mode: one that the policy defines. The built-in ones are
    /// modes already.
    pub fn peers_audience(&self, name: &str) -> Option<AudienceNumber> {
        self.number(name).filter(|number| usize::from(number.0) >= Self::BUILT_IN)
    }

    /// The words for peers settings: the modes, and the audiences that the policy defines.
    pub fn peers_words(&self) -> impl Iterator<Item = &str> {
        let modes = PeersMode::ALL.iter().map(|mode| mode.as_str());
        modes.chain(self.own().iter().map(|audience| audience.name.as_str()))
    }
}
