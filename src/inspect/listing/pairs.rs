//! The listing of what a policy says about two users: rule sets, audiences and barriers.

use std::fmt;

use serde::Serialize;

use super::{MemberListing, RuleListing};
use crate::{
    request::{
        Accepts, ActionDeclaration, ActionName, ActionSet, AudienceNumber, AudienceSlot, Toggle,
    },
    snapshot::{CompiledBarrier, OwnAudience, TagId, UserSet, View},
};

/// The statements about two users; those that the policy does not have are left out.
#[derive(Serialize, Debug)]
pub struct PairListing<'v> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rule_sets: Vec<RuleSetListing<'v>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<AudienceListing<'v>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepts: Vec<AcceptsListing<'v>>,
    /// The audiences that users' own records name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub own_audiences: Vec<OwnAudienceListing<'v>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub barriers: Vec<BarrierListing<'v>>,
    /// The actions that the policy declares.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionListing<'v>>,
}

/// An action that the policy declares.
#[derive(Serialize, Debug)]
pub struct ActionListing<'v> {
    pub name: &'v str,
    pub like: &'static str,
    /// The switch, as `true`, `false` or a condition.
    pub permission: String,
    pub blocks: &'static str,
    /// The users whose records set its switch.
    pub set_by_records: MemberListing<'v>,
}

/// A rule set with its rules.
#[derive(Serialize, Debug)]
pub struct RuleSetListing<'v> {
    pub name: &'v str,
    pub asked: &'static str,
    pub actions: Vec<ActionName>,
    pub rules: Vec<RuleListing<'v>>,
}

/// An audience that the policy defines.
#[derive(Serialize, Debug)]
pub struct AudienceListing<'v> {
    pub name: &'v str,
    pub condition: String,
}

/// From whom users accept an action.
#[derive(Serialize, Debug)]
pub struct AcceptsListing<'v> {
    pub action: ActionName,
    pub modes: Vec<AudienceModeListing<'v>>,
    pub default: &'v str,
    pub asked: &'static str,
    pub otherwise: &'static str,
}

/// The audience of users who meet a condition.
#[derive(Serialize, Debug)]
pub struct AudienceModeListing<'v> {
    pub when: String,
    pub audience: &'v str,
    pub locked: bool,
}

/// The users whose records name an audience for an action.
#[derive(Serialize, Debug)]
pub struct OwnAudienceListing<'v> {
    pub action: ActionName,
    pub audience: &'v str,
    pub users: MemberListing<'v>,
}

/// A barrier with the users of its sides.
#[derive(Serialize, Debug)]
pub struct BarrierListing<'v> {
    pub name: &'v str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'v str>,
    pub from: String,
    pub to: String,
    pub both_ways: bool,
    pub actions: Vec<ActionName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unless: Option<String>,
    pub groups: bool,
    /// The users who meet the first side.
    pub from_users: MemberListing<'v>,
    /// The users who meet the second side.
    pub to_users: MemberListing<'v>,
}

impl<'v> PairListing<'v> {
    pub(super) fn of(view: &'v View) -> Self {
        let settings = &view.settings;
        let rule_sets = view.rule_sets.iter().map(|set| RuleSetListing {
            name: &set.name,
            asked: set.asked.as_str(),
            actions: action_names(view, set.actions),
            rules: set.book.rules.iter().map(|rule| RuleListing::of(view, rule)).collect(),
        });
        let audiences = settings.audiences.own().iter().map(|audience| AudienceListing {
            name: &audience.name,
            condition: audience.condition.map(&mut |tag| view.tags.name(*tag)).to_string(),
        });
        let own = view.population.own_audiences.iter();
        let own = own.filter_map(|OwnAudience { slot, name, users }| {
            // Peers modes are listed as settings.
            let AudienceSlot::Action(action) = slot else { return None };
            let users = MemberListing::of(view, users);
            Some(OwnAudienceListing { action: action.clone(), audience: name, users })
        });
        Self {
            rule_sets: rule_sets.collect(),
            audiences: audiences.collect(),
            accepts: settings.accepts.iter().map(|entry| AcceptsListing::of(view, entry)).collect(),
            own_audiences: own.collect(),
            barriers: view.barriers.all.iter().map(|it| BarrierListing::of(view, it)).collect(),
            actions: settings.actions.iter().map(|(_, it)| ActionListing::of(view, it)).collect(),
        }
    }
}

impl<'v> ActionListing<'v> {
    fn of(view: &'v View, declared: &'v ActionDeclaration<TagId>) -> Self {
        let set = view.population.own_switches.of_action(&declared.name);
        let set: UserSet = set.map(|it| it.user).collect();
        Self {
            name: &declared.name,
            like: declared.like.as_str(),
            permission: match &declared.switch {
                Toggle::Always(on) => on.to_string(),
                Toggle::When(condition) => {
                    condition.map(&mut |tag| view.tags.name(*tag)).to_string()
                }
            },
            blocks: declared.blocks.as_str(),
            set_by_records: MemberListing::of(view, &set),
        }
    }
}

impl<'v> AcceptsListing<'v> {
    fn of(view: &'v View, entry: &Accepts<TagId>) -> Self {
        let name = |number: AudienceNumber| {
            view.settings.audiences.get(number).map_or("", |audience| audience.name.as_str())
        };
        let modes = entry.modes.iter().map(|mode| AudienceModeListing {
            when: mode.when.map(&mut |tag| view.tags.name(*tag)).to_string(),
            audience: name(mode.audience),
            locked: mode.is_locked,
        });
        Self {
            action: view.action_name(entry.action),
            modes: modes.collect(),
            default: name(entry.default),
            asked: entry.asked.as_str(),
            otherwise: entry.otherwise.as_str(),
        }
    }
}

impl<'v> BarrierListing<'v> {
    fn of(view: &'v View, it: &'v CompiledBarrier) -> Self {
        let CompiledBarrier { barrier, sides: [from, to], .. } = it;
        let mut name = |tag: &TagId| view.tags.name(*tag);
        Self {
            name: &barrier.name,
            description: barrier.description.as_deref(),
            from: barrier.from.map(&mut name).to_string(),
            to: barrier.to.map(&mut name).to_string(),
            both_ways: barrier.is_both_ways,
            actions: action_names(view, barrier.actions),
            unless: barrier.unless.as_ref().map(|unless| unless.map(&mut name).to_string()),
            groups: barrier.in_groups,
            from_users: MemberListing::of(view, from),
            to_users: MemberListing::of(view, to),
        }
    }
}

fn action_names(view: &View, actions: ActionSet) -> Vec<ActionName> {
    actions.iter().map(|action| view.action_name(action)).collect()
}

fn joined(actions: &[ActionName]) -> String {
    actions.iter().map(ActionName::as_str).collect::<Vec<_>>().join(", ")
}

/// The human-readable form.
impl fmt::Display for PairListing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for set in &self.rule_sets {
            let RuleSetListing { name, asked, actions, rules } = set;
            writeln!(f, "\nrule set {name}, asked {asked} of {}", joined(actions))?;
            rules.iter().try_for_each(|rule| write!(f, "{rule}"))?;
        }
        if !self.audiences.is_empty() {
            writeln!(f, "\naudiences")?;
        }
        for AudienceListing { name, condition } in &self.audiences {
            writeln!(f, "  {name}: {condition}")?;
        }
        if !self.accepts.is_empty() || !self.own_audiences.is_empty() {
            writeln!(f, "\naccepted from")?;
        }
        for AcceptsListing { action, modes, default, asked, otherwise } in &self.accepts {
            for AudienceModeListing { when, audience, locked } in modes {
                let locked = if *locked { ", locked" } else { "" };
                writeln!(f, "  {action}: {audience} for {when}{locked}")?;
            }
            writeln!(f, "  {action}: {default}, asked {asked}, otherwise {otherwise}")?;
        }
        for OwnAudienceListing { action, audience, users } in &self.own_audiences {
            writeln!(f, "  {action}: {audience} by their records for {users}")?;
        }
        if !self.barriers.is_empty() {
            writeln!(f, "\nbarriers")?;
        }
        self.barriers.iter().try_for_each(|barrier| write!(f, "{barrier}"))?;
        if !self.actions.is_empty() {
            writeln!(f, "\nactions")?;
        }
        for ActionListing { name, like, permission, blocks, set_by_records } in &self.actions {
            writeln!(f, "  {name}: like {like}, permission {permission}, blocks {blocks}")?;
            if set_by_records.count > 0 {
                writeln!(f, "    set by their records for {set_by_records}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for BarrierListing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = if self.both_ways { "<->" } else { "->" };
        writeln!(f, "  {}", self.name)?;
        for line in self.description.into_iter().flat_map(str::lines) {
            writeln!(f, "    /// {line}")?;
        }
        writeln!(f, "    {} {arrow} {}", self.from, self.to)?;
        writeln!(f, "    of {}", joined(&self.actions))?;
        if let Some(unless) = &self.unless {
            writeln!(f, "    unless {unless}")?;
        }
        if !self.groups {
            writeln!(f, "    not in groups")?;
        }
        writeln!(f, "    from {}", self.from_users)?;
        writeln!(f, "    to   {}", self.to_users)
    }
}
