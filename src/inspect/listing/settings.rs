//! The listing of settings and of the states of users.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::{MemberListing, ordered_map::OrderedMap};
use crate::{
    request::{self, AudienceNumber, Condition, Moderation, PeersMode, Relation, Toggle},
    snapshot::{Selection, TagId, View},
};

type Words<V> = OrderedMap<&'static str, V>;

/// The settings of the policy, and the states of users under them.
#[derive(Serialize, Debug)]
pub struct SettingsListing<'v> {
    pub unknown_users: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managers: Option<SettingListing<'v>>,
    pub permissions: Words<SettingListing<'v>>,
    pub blocks: Words<&'static str>,
    pub peers: PeersListing<'v>,
    pub default_approval: &'static str,
    pub limits: Words<Option<u32>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub protected_tags: &'v [String],
    pub banned: MemberListing<'v>,
    pub silenced: MemberListing<'v>,
    pub shadowed: MemberListing<'v>,
    /// The users who accept no friend requests.
    pub refusing: MemberListing<'v>,
    /// The users whose friend list is full.
    pub full: MemberListing<'v>,
    /// The users of each peers mode.
    pub modes: Words<MemberListing<'v>>,
    /// The users of each audience that is a peers mode.
    #[serde(skip_serializing_if = "OrderedMap::is_empty")]
    pub peers_audiences: OrderedMap<&'v str, MemberListing<'v>>,
    /// The number of edges of each relation.
    pub relations: Words<u64>,
    pub conversations: u64,
}

/// A setting that depends on the user, with the users for whom it is on.
#[derive(Serialize, Debug)]
pub struct SettingListing<'v> {
    pub value: String,
    pub users: MemberListing<'v>,
    #[serde(skip)]
    others: MemberListing<'v>,
}

/// The peers modes of users whose records don't set one.
#[derive(Serialize, Debug)]
pub struct PeersListing<'v> {
    pub modes: Vec<PeersModeListing<'v>>,
    pub default: &'v str,
}

#[derive(Serialize, Debug)]
pub struct PeersModeListing<'v> {
    pub when: String,
    /// A mode, or the name of an audience.
    pub mode: &'v str,
}

impl<'v> SettingsListing<'v> {
    pub(super) fn of(view: &'v View) -> Self {
        let request::Settings {
            unknown_users,
            managers,
            permissions,
            blocks,
            peers: request::Peers { modes, default },
            approval,
            limits,
            // Both are the preset's.
            blocks_end_friendship: _,
            tag_form: _,
            protected_tags,
            // Listed as statements about two users.
            audiences,
            accepts: _,
            barriers: _,
            actions: _,
        } = &*view.settings;
        let (states, ties) = (&view.states, &view.population.ties);
        let members = |users: Selection<'_>| {
            MemberListing::of(view, &users.within(&view.population.everyone))
        };
        let set = |value: String, users: Selection<'_>| SettingListing {
            value,
            users: members(users.borrowed()),
            others: members(users.complement()),
        };
        let condition = |condition: &Condition<TagId>| {
            condition.map(&mut |&tag| view.tags.name(tag)).to_string()
        };
        let value = |toggle: &Toggle<TagId>| match toggle {
            Toggle::Always(on) => on.to_string(),
            Toggle::When(when) => condition(when),
        };
        let managers = managers.as_ref().zip(view.managers.as_ref());
        Self {
            unknown_users: unknown_users.as_str(),
            managers: managers.map(|(who, users)| set(condition(who), users.into())),
            permissions: permissions
                .iter()
                .map(|(switch, toggle)| {
                    (switch.as_str(), set(value(toggle), states.with_switch_on(switch)))
                })
                .collect(),
            blocks: blocks.iter().map(|(action, mode)| (action.as_str(), mode.as_str())).collect(),
            peers: PeersListing {
                modes: modes
                    .iter()
                    .map(|(when, mode)| PeersModeListing {
                        when: condition(when),
                        mode: audiences.peers_name(*mode),
                    })
                    .collect(),
                default: audiences.peers_name(*default),
            },
            default_approval: approval.as_str(),
            limits: limits.iter().map(|(kind, limit)| (kind.as_str(), limit)).collect(),
            protected_tags: protected_tags.patterns(),
            banned: members(states.banned()),
            silenced: members(states.silenced()),
            shadowed: members(states.shadowed()),
            refusing: members(states.refusing_requests()),
            full: members(states.with_full_friend_list()),
            modes: PeersMode::ALL
                .iter()
                .map(|&mode| (mode.as_str(), members(states.in_peers_mode(mode))))
                .collect(),
            peers_audiences: peers_audiences(view),
            relations: Relation::ALL.iter().map(|&it| (it.as_str(), ties.edges(it))).collect(),
            conversations: ties.conversations(),
        }
    }

    /// The settings that differ from the defaults without a preset.
    fn lines(&self) -> Vec<String> {
        let default = request::Settings::<TagId>::default();
        let mut lines = Vec::new();
        if self.unknown_users != default.unknown_users.as_str() {
            lines.push(format!("unknown_users: {}", self.unknown_users));
        }
        if let Some(SettingListing { value, users, .. }) = &self.managers {
            lines.push(format!("moderation.managers: {value}, met by {users}"));
        }
        let switches = self.permissions.0.iter().filter(|(_, set)| !set.is_on_for_all());
        lines.extend(switches.map(|(name, set)| format!("permissions.{name}: {set}")));
        for ((name, mode), (_, usual)) in self.blocks.0.iter().zip(default.blocks.iter()) {
            if *mode != usual.as_str() {
                lines.push(format!("blocks.{name}: {mode}"));
            }
        }
        let modes = self.peers.modes.iter();
        lines.extend(
            modes.map(|PeersModeListing { when, mode }| format!("peers: {mode} for {when}")),
        );
        if self.peers.default != PeersMode::All.as_str() {
            lines.push(format!("peers.default: {}", self.peers.default));
        }
        if self.default_approval != default.approval.as_str() {
            lines.push(format!("friendship.default_approval: {}", self.default_approval));
        }
        let limits = self.limits.0.iter();
        let limits = limits.filter_map(|(name, limit)| limit.map(|limit| (name, limit)));
        lines.extend(limits.map(|(name, limit)| format!("limits.{name}: {limit}")));
        if !self.protected_tags.is_empty() {
            lines.push(format!("protected_tags: {}", self.protected_tags.join(", ")));
        }
        lines
    }

    /// The states in which some users differ.
    fn some(&self) -> Vec<String> {
        let sets = [
            (Moderation::Banned.as_str(), &self.banned),
            (Moderation::Silenced.as_str(), &self.silenced),
            (Moderation::Shadowed.as_str(), &self.shadowed),
            ("approval deny_any", &self.refusing),
            ("friend list full", &self.full),
        ];
        let sets = sets.into_iter().map(|(name, users)| (name.to_owned(), users));
        let modes = self.modes.0.iter().filter(|(mode, _)| *mode != PeersMode::All.as_str());
        let modes = modes.map(|(mode, users)| (format!("peers {mode}"), users));
        let audiences = self.peers_audiences.0.iter();
        let audiences = audiences.map(|(name, users)| (format!("peers {name}"), users));
        let sets = sets.chain(modes).chain(audiences).filter(|(_, users)| users.count > 0);
        sets.map(|(name, users)| format!("{name}: {users}")).collect()
    }

    fn between(&self) -> Vec<String> {
        let counts = self.relations.0.iter().copied();
        let counts = counts.chain([("conversations", self.conversations)]);
        let counts = counts.filter(|&(_, count)| count > 0);
        counts.map(|(name, count)| format!("{name}: {count}")).collect()
    }
}

/// The users of each audience that is a peers mode, by the name of the audience.
fn peers_audiences(view: &View) -> OrderedMap<&str, MemberListing<'_>> {
    let all = view.peers_audiences();
    let users_of = |number: AudienceNumber| {
        let users = all.iter().filter(|(it, _)| *it == number).map(|(_, users)| users.clone());
        MemberListing::of(view, &Selection::any(users).within(&view.population.everyone))
    };
    let mut names: BTreeMap<&str, AudienceNumber> = BTreeMap::new();
    for (number, _) in &all {
        let audience = view.settings.audiences.get(*number);
        names.extend(audience.map(|audience| (audience.name.as_str(), *number)));
    }
    let listed = names.into_iter().map(|(name, number)| (name, users_of(number)));
    OrderedMap(listed.filter(|(_, users)| users.count > 0).collect())
}

/// The human-readable form: settings that differ from the defaults, and counts.
impl fmt::Display for SettingsListing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let section = |f: &mut fmt::Formatter<'_>, title: &str, lines: &[String]| {
            if !lines.is_empty() {
                writeln!(f, "\n{title}")?;
            }
            lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
        };
        section(f, "settings that differ from the defaults", &self.lines())?;
        section(f, "what holds for some users", &self.some())?;
        section(f, "between users", &self.between())
    }
}

impl SettingListing<'_> {
    fn is_on_for_all(&self) -> bool {
        self.value == "true" && self.others.count == 0
    }
}

/// A switch: its value, and the smaller of the sets for whom it is on and off.
impl fmt::Display for SettingListing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value)?;
        if self.value == "false" && self.users.count == 0 {
            // The value says it all.
            Ok(())
        } else if self.others.count < self.users.count {
            write!(f, ", off for {}", self.others)
        } else {
            write!(f, ", on for {}", self.users)
        }
    }
}
