//! The effective state of a user, and the overrides of the user's record.

use super::bit_field::BitField;
use crate::request::{Approval, Moderation, PeersMode, PeersSetting, Switch};

/// A user's effective settings and moderation state, packed into two bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct UserState(u16);

const MODERATION: BitField = BitField::values(Moderation::COUNT);
/// The peers mode, or one more value for an audience.
const PEERS: BitField = BitField::values(PeersMode::COUNT + 1).above(MODERATION);
#[expect(clippy::cast_possible_truncation, reason = "`BitField` has at most 16 bits")]
const PEERS_AUDIENCE: u16 = PeersMode::COUNT as u16;
const APPROVAL: BitField = BitField::values(Approval::COUNT).above(PEERS);
const SWITCHES: BitField = BitField::flags(Switch::COUNT).above(APPROVAL);
const FRIEND_LIST: BitField = BitField::flags(1).above(SWITCHES);

impl UserState {
    /// All switches off, and everything else at its default.
    pub const ALL_OFF: Self = Self(0);

    /// All switches on, and everything else at its default: nothing is denied.
    pub const UNRESTRICTED: Self = Self(SWITCHES.mask());

    #[inline]
    pub fn moderation(self) -> Moderation {
        Moderation::from_index(MODERATION.get(self.0).into()).unwrap_or(Moderation::Banned)
    }

    /// The peers mode; `None` if it is an audience.
    #[inline]
    pub fn peers(self) -> Option<PeersMode> {
        PeersMode::from_index(PEERS.get(self.0).into())
    }

    #[inline]
    pub fn approval(self) -> Approval {
        Approval::from_index(APPROVAL.get(self.0).into()).unwrap_or(Approval::DenyAny)
    }

    /// Whether a switch is on.
    #[inline]
    pub fn is_on(self, switch: Switch) -> bool {
        self.0 & SWITCHES.flag(switch.index()) != 0
    }

    /// Whether the friend list is full.
    #[inline]
    pub fn is_friend_list_full(self) -> bool {
        self.0 & FRIEND_LIST.mask() != 0
    }

    /// The state as bytes that differ for different states.
    pub fn to_bytes(self) -> [u8; 2] {
        self.0.to_le_bytes()
    }

    #[must_use]
    pub fn with_moderation(self, state: Moderation) -> Self {
        Self(MODERATION.set(self.0, state as u16))
    }

    #[must_use]
    pub fn with_peers(self, mode: PeersMode) -> Self {
        Self(PEERS.set(self.0, mode as u16))
    }

    /// The state with an audience as the peers mode, whichever it is.
    #[must_use]
    pub fn with_peers_audience(self) -> Self {
        Self(PEERS.set(self.0, PEERS_AUDIENCE))
    }

    #[must_use]
    pub fn with_peers_setting<A>(self, setting: &PeersSetting<A>) -> Self {
        match setting {
            PeersSetting::Mode(mode) => self.with_peers(*mode),
            PeersSetting::Audience(_) => self.with_peers_audience(),
        }
    }

    #[must_use]
    pub fn with_approval(self, approval: Approval) -> Self {
        Self(APPROVAL.set(self.0, approval as u16))
    }

    #[must_use]
    pub fn with_switch(self, switch: Switch, on: bool) -> Self {
        let flag = SWITCHES.flag(switch.index());
        Self(if on { self.0 | flag } else { self.0 & !flag })
    }

    #[must_use]
    pub fn with_friend_list_full(self, full: bool) -> Self {
        Self(FRIEND_LIST.set(self.0, u16::from(full)))
    }
}

/// The overrides of a user's record, which take precedence over the policy's settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordOverrides {
    values: UserState,
    /// One flag for each value that is set: the lowest bit of its field.
    set: u16,
}

impl Default for RecordOverrides {
    fn default() -> Self {
        Self { values: UserState::ALL_OFF, set: 0 }
    }
}

impl RecordOverrides {
    #[must_use]
    pub fn with_moderation(self, state: Moderation) -> Self {
        Self { values: self.values.with_moderation(state), ..self }
    }

    #[must_use]
    pub fn with_peers(self, mode: PeersMode) -> Self {
        Self { values: self.values.with_peers(mode), set: self.set | PEERS.flag(0) }
    }

    /// The overrides with a peers setting; which audience it is stands elsewhere.
    #[must_use]
    pub fn with_peers_setting<A>(self, setting: &PeersSetting<A>) -> Self {
        Self { values: self.values.with_peers_setting(setting), set: self.set | PEERS.flag(0) }
    }

    #[must_use]
    pub fn with_approval(self, approval: Approval) -> Self {
        Self { values: self.values.with_approval(approval), set: self.set | APPROVAL.flag(0) }
    }

    #[must_use]
    pub fn with_switch(self, switch: Switch, on: bool) -> Self {
        let set = self.set | SWITCHES.flag(switch.index());
        Self { values: self.values.with_switch(switch, on), set }
    }

    /// Whether the record sets the switch.
    pub fn sets_switch(self, switch: Switch) -> bool {
        self.set & SWITCHES.flag(switch.index()) != 0
    }

    /// Whether the record sets the peers mode, or an audience as one.
    pub fn sets_peers(self) -> bool {
        self.set & PEERS.flag(0) != 0
    }

    /// Whether the record sets the approval.
    pub fn sets_approval(self) -> bool {
        self.set & APPROVAL.flag(0) != 0
    }

    pub fn moderation(self) -> Moderation {
        self.values.moderation()
    }

    /// The peers mode, if the record sets it and it is no audience.
    pub fn peers(self) -> Option<PeersMode> {
        self.values.peers().filter(|_| self.sets_peers())
    }

    /// The approval, if the record sets it.
    pub fn approval(self) -> Option<Approval> {
        self.sets_approval().then(|| self.values.approval())
    }

    /// The value of a switch, if the record sets it.
    pub fn switch(self, switch: Switch) -> Option<bool> {
        self.sets_switch(switch).then(|| self.values.is_on(switch))
    }

    /// The overrides as bytes that differ for different overrides.
    pub fn to_bytes(self) -> [u8; 4] {
        let ([a, b], [c, d]) = (self.values.0.to_le_bytes(), self.set.to_le_bytes());
        [a, b, c, d]
    }

    /// Whether the record sets nothing.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// The state with these overrides, from the state by the policy alone.
    #[must_use]
    pub fn apply_to(self, policy: UserState) -> UserState {
        let mut state = policy.with_moderation(self.values.moderation());
        if self.sets_peers() {
            state = UserState(PEERS.set(state.0, PEERS.get(self.values.0)));
        }
        if self.sets_approval() {
            state = state.with_approval(self.values.approval());
        }
        let switches = self.set & SWITCHES.mask();
        UserState(state.0 & !switches | self.values.0 & switches)
    }
}
