//! The effective state of a user, and the overrides of the user's record.

use crate::request::{Approval, Moderation, PeersMode, Switch};

/// A user's effective settings and moderation state, packed into two bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UserState(u16);

const MODERATION: u16 = 0b11;
const PEERS: u32 = 2;
const APPROVAL: u32 = 4;
const SWITCHES: u32 = 6;
const FULL: u16 = 1 << 14;

impl UserState {
    /// All switches off, and everything else at its default.
    pub const ALL_OFF: Self = Self(0);

    /// All switches on, and everything else at its default: nothing is denied.
    #[must_use]
    pub fn unrestricted() -> Self {
        Switch::ALL
            .iter()
            .fold(Self::ALL_OFF, |standing, &switch| standing.with_switch(switch, true))
    }

    #[inline]
    pub fn moderation(self) -> Moderation {
        match self.0 & MODERATION {
            0 => Moderation::None,
            1 => Moderation::Silenced,
            _ => Moderation::Banned,
        }
    }

    #[inline]
    pub fn peers(self) -> PeersMode {
        match self.0 >> PEERS & 0b11 {
            0 => PeersMode::All,
            1 => PeersMode::Paired,
            2 => PeersMode::Contacts,
            _ => PeersMode::Favorites,
        }
    }

    #[inline]
    pub fn approval(self) -> Approval {
        match self.0 >> APPROVAL & 0b11 {
            0 => Approval::AllowAny,
            1 => Approval::NeedConfirm,
            _ => Approval::DenyAny,
        }
    }

    /// Whether a switch is on.
    #[inline]
    pub fn is_on(self, switch: Switch) -> bool {
        self.0 >> (SWITCHES + switch as u32) & 1 == 1
    }

    /// Whether the friend list is full.
    #[inline]
    pub fn is_friend_list_full(self) -> bool {
        self.0 & FULL != 0
    }

    /// The state as bytes that differ for different states.
    pub fn to_bytes(self) -> [u8; 2] {
        self.0.to_le_bytes()
    }

    #[must_use]
    pub fn with_moderation(self, state: Moderation) -> Self {
        Self(self.0 & !MODERATION | state as u16)
    }

    #[must_use]
    pub fn with_peers(self, mode: PeersMode) -> Self {
        Self(self.0 & !(0b11 << PEERS) | (mode as u16) << PEERS)
    }

    #[must_use]
    pub fn with_approval(self, approval: Approval) -> Self {
        Self(self.0 & !(0b11 << APPROVAL) | (approval as u16) << APPROVAL)
    }

    #[must_use]
    pub fn with_switch(self, switch: Switch, on: bool) -> Self {
        let bit = 1 << (SWITCHES + switch as u32);
        Self(if on { self.0 | bit } else { self.0 & !bit })
    }

    #[must_use]
    pub fn with_friend_list_full(self, full: bool) -> Self {
        Self(if full { self.0 | FULL } else { self.0 & !FULL })
    }
}

/// The overrides of a user's record, which take precedence over the policy's settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordOverrides {
    values: UserState,
    /// One bit for each value that is set.
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
        Self { values: self.values.with_peers(mode), set: self.set | 1 << PEERS }
    }

    #[must_use]
    pub fn with_approval(self, approval: Approval) -> Self {
        Self { values: self.values.with_approval(approval), set: self.set | 1 << APPROVAL }
    }

    #[must_use]
    pub fn with_switch(self, switch: Switch, on: bool) -> Self {
        let set = self.set | 1 << (SWITCHES + switch as u32);
        Self { values: self.values.with_switch(switch, on), set }
    }

    /// Whether the record sets the switch.
    pub fn sets_switch(self, switch: Switch) -> bool {
        self.set >> (SWITCHES + switch as u32) & 1 == 1
    }

    /// Whether the record sets the peers mode.
    pub fn sets_peers(self) -> bool {
        self.set >> PEERS & 1 == 1
    }

    /// Whether the record sets the approval.
    pub fn sets_approval(self) -> bool {
        self.set >> APPROVAL & 1 == 1
    }

    pub fn moderation(self) -> Moderation {
        self.values.moderation()
    }

    /// The peers mode, if the record sets it.
    pub fn peers(self) -> Option<PeersMode> {
        self.sets_peers().then(|| self.values.peers())
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
        let mut standing = policy.with_moderation(self.values.moderation());
        if self.sets_peers() {
            standing = standing.with_peers(self.values.peers());
        }
        if self.sets_approval() {
            standing = standing.with_approval(self.values.approval());
        }
        let switches = self.set & 0xff << SWITCHES;
        UserState(standing.0 & !switches | self.values.0 & switches)
    }
}
