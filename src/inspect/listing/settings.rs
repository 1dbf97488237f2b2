use std::fmt::{self, Display};

use serde::Serialize;

use super::Members;
use crate::{
    request::{Approval, Blocks, Condition, PeersMode, Relation, Switch, Toggle},
    snapshot::{Selection, TagId, View},
};

/// What the policy sets, and what that and the users' records come to.
#[derive(Serialize, Debug)]
pub struct Settings<'v> {
    pub unknown_users: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managers: Option<Set<'v>>,
    pub permissions: Vec<Set<'v>>,
    pub blocks: Vec<Word>,
    pub peers: Vec<Word>,
    /// Who communicates in which mode.
    pub modes: Vec<Set<'v>>,
    pub default_approval: &'static str,
    pub limits: Vec<Word>,
    pub banned: Members<'v>,
    pub silenced: Members<'v>,
    /// Who takes no friend requests.
    pub refusing: Members<'v>,
    /// Whose friend list is full.
    pub full: Members<'v>,
    /// How many edges there are of each relation.
    pub relations: Vec<Word>,
    pub conversations: u64,
}

/// A setting and whom it holds for.
#[derive(Serialize, Debug)]
pub struct Set<'v> {
    pub name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    pub users: Members<'v>,
}

/// A setting by itself.
#[derive(Serialize, Debug)]
pub struct Word {
    pub name: String,
    pub value: String,
}

impl Word {
    fn new(name: &dyn Display, value: &dyn Display) -> Self {
        Self { name: name.to_string(), value: value.to_string() }
    }
}

impl<'v> Settings<'v> {
    pub(super) fn of(view: &'v View) -> Self {
        let settings = &view.settings;
        let standings = &view.standings;
        let members =
            |users: Selection<'_>| Members::of(view, &users.of(&view.population.everyone));
        let condition = |condition: &Condition<TagId>| {
            condition.map(&mut |&tag| view.tags.name(tag)).to_string()
        };
        let managers = settings.managers.as_ref().zip(view.managers.as_ref());
        let modes = settings.peers.modes.iter();
        let limits = &settings.limits;
        let limit = |name: &str, limit: Option<u32>| {
            Word::new(&name, &limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string()))
        };
        Self {
            unknown_users: settings.unknown_users.as_str(),
            managers: managers.map(|(who, users)| Set {
                name: "managers",
                value: Some(condition(who)),
                users: Members::of(view, users),
            }),
            permissions: Switch::ALL
                .iter()
                .map(|&switch| Set {
                    name: switch.as_str(),
                    value: Some(match settings.permission(switch) {
                        Toggle::Always(on) => on.to_string(),
                        Toggle::When(when) => condition(when),
                    }),
                    users: members(standings.on(switch)),
                })
                .collect(),
            blocks: Blocks::ACTIONS
                .iter()
                .map(|&action| Word::new(&action, &settings.blocks.mode(action)))
                .collect(),
            peers: modes
                .map(|(when, mode)| Word::new(&condition(when), mode))
                .chain([Word::new(&"default", &settings.peers.default)])
                .collect(),
            modes: PeersMode::ALL
                .iter()
                .map(|&mode| Set {
                    name: mode.as_str(),
                    value: None,
                    users: members(standings.in_mode(mode)),
                })
                .collect(),
            default_approval: settings.approval.as_str(),
            limits: vec![
                limit("friends", limits.friends),
                limit("blocked", limits.blocked),
                limit("friend_lists", limits.friend_lists),
                limit("group_members", limits.group_members),
            ],
            banned: members(standings.banned()),
            silenced: members(standings.silenced()),
            refusing: members(standings.refusing()),
            full: members(standings.full()),
            relations: Relation::ALL
                .iter()
                .map(|&relation| Word::new(&relation, &view.population.ties.edges(relation)))
                .collect(),
            conversations: view.population.ties.conversations(),
        }
    }
}

impl fmt::Display for Settings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nsettings")?;
        writeln!(f, "  unknown_users: {}", self.unknown_users)?;
        if let Some(managers) = &self.managers {
            writeln!(f, "  moderation.managers: {managers}")?;
        }
        for set in &self.permissions {
            writeln!(f, "  permissions.{}: {set}", set.name)?;
        }
        for word in &self.blocks {
            writeln!(f, "  blocks.{}: {}", word.name, word.value)?;
        }
        for word in &self.peers {
            writeln!(f, "  peers.{}: {}", word.name, word.value)?;
        }
        for set in self.modes.iter().filter(|set| set.users.count > 0) {
            writeln!(f, "    {}: {}", set.name, set.users)?;
        }
        writeln!(f, "  friendship.default_approval: {}", self.default_approval)?;
        for word in self.limits.iter().filter(|word| word.value != "none") {
            writeln!(f, "  limits.{}: {}", word.name, word.value)?;
        }
        let sets = [
            ("banned", &self.banned),
            ("silenced", &self.silenced),
            (Approval::DenyAny.as_str(), &self.refusing),
            ("friend list full", &self.full),
        ];
        for (name, users) in sets.into_iter().filter(|(_, users)| users.count > 0) {
            writeln!(f, "  {name}: {users}")?;
        }
        for word in self.relations.iter().filter(|word| word.value != "0") {
            writeln!(f, "  {} edges: {}", word.name, word.value)?;
        }
        if self.conversations > 0 {
            writeln!(f, "  conversations: {}", self.conversations)?;
        }
        Ok(())
    }
}

impl fmt::Display for Set<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            // Of a switch that is on or off for all, nothing more is to be said.
            Some(value) if value == "true" && self.users.others == 0 => f.write_str(value),
            Some(value) if value == "false" && self.users.count == 0 => f.write_str(value),
            Some(value) => write!(f, "{value}, on for {}", self.users),
            None => write!(f, "{}", self.users),
        }
    }
}
