//! Audiences as peers modes, and the users whose mode each is.

use super::{Selection, TagId, UserNumber, View};
use crate::request::{AudienceNumber, AudienceSlot, Audiences, PeersSetting};

impl View {
    /// The audience that is a user's peers mode by their record: nobody, if the policy does not have it.
    fn own_peers_audience(&self, user: UserNumber) -> Option<AudienceNumber> {
        let name = self.population.own_audiences.get(user, &AudienceSlot::Peers)?;
        Some(self.audience_number(name))
    }

    /// Whether the peers mode of some record is an audience.
    pub fn has_own_peers_audiences(&self) -> bool {
        !self.population.own_audiences.of_slot(&AudienceSlot::Peers).is_empty()
    }

    /// The audience that is a user's peers mode by their record or else by the policy; nobody, if it is none.
    /// `has` tells whether the user has a tag.
    pub fn peers_audience(
        &self,
        user: Option<UserNumber>,
        has: &impl Fn(&TagId) -> bool,
    ) -> AudienceNumber {
        let own = user.and_then(|user| self.own_peers_audience(user));
        own.or_else(|| self.settings.peers.setting(has).audience().copied())
            .unwrap_or(Audiences::<TagId>::NOBODY)
    }

    /// The audiences that are peers modes of users, each with the users whose mode it is; an audience may be
    /// there several times. Costs set algebra for each mode of the policy and each audience of records.
    pub fn peers_audiences(&self) -> Vec<(AudienceNumber, Selection<'_>)> {
        if !self.states.may_have_peers_audiences() {
            return Vec::new();
        }
        let own = self.population.own_audiences.of_slot(&AudienceSlot::Peers).iter();
        let mut all: Vec<(AudienceNumber, Selection<'_>)> =
            own.map(|it| (self.audience_number(&it.name), Selection::from(&it.users))).collect();
        let owners = Selection::any(all.iter().map(|(_, users)| users.clone()));
        let mut rest = Selection::all([self.states.in_peers_audience(), owners.complement()]);
        for (when, setting) in &self.settings.peers.modes {
            let users = self.population.selection(when);
            if let PeersSetting::Audience(number) = setting {
                all.push((*number, Selection::all([rest.clone(), users.clone()])));
            }
            rest = Selection::all([rest, users.complement()]);
        }
        if let PeersSetting::Audience(number) = self.settings.peers.default {
            all.push((number, rest));
        }
        all
    }
}
