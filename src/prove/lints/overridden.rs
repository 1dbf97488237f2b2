//! Settings that make no difference, as something else settles what they are about.

use crate::{
    diagnostic::{Code, Diagnostic},
    policy::Preset,
    request::{BlockMode, Limits, PeersMode, Settings, Switch, Toggle},
    snapshot::{Selection, UserSet},
    source::Span,
    syntax::ast::{Item, Setting, SettingsSection, WordSection},
};

use super::{BudgetExceededError, Diagram, Diagrams, Linter};

pub(super) fn lint(lints: &mut Linter<'_, '_>) {
    check_modes(lints);
    let preset = lints.items.iter().find_map(preset);
    for item in lints.items {
        match item {
            Item::Settings(section) => {
                for entry in &section.entries {
                    check_preset(lints, preset, section.section, entry);
                    if section.section == SettingsSection::Permissions {
                        check_switch(lints, entry);
                    }
                    if section.section == SettingsSection::Friendship {
                        check_approval(lints, entry);
                    }
                }
            }
            Item::Peers(peers) if every_user_sets(lints, users_setting_peers) => {
                warn_set_by_records(lints, peers.span, "`peers` has no effect today");
            }
            _ => {}
        }
    }
}

fn warn(lints: &mut Linter<'_, '_>, span: Span, message: String, label: &str, hint: &str) {
    let problem = Diagnostic::warning(Code::Overridden, span, message).label(label).hint(hint);
    lints.warn(span, problem);
}

fn warn_set_by_records(lints: &mut Linter<'_, '_>, span: Span, message: impl Into<String>) {
    let label = "the record of every user overrides it";
    warn(lints, span, message.into(), label, "remove it, or remove it from the records");
}

/// Whether there are users and these are all of them.
fn every_user_sets(lints: &Linter<'_, '_>, users: impl Fn(&Linter<'_, '_>) -> UserSet) -> bool {
    let all = lints.view.population.directory.len();
    all > 0 && users(lints).len() == u64::from(all)
}

fn users_setting_peers(lints: &Linter<'_, '_>) -> UserSet {
    let own = lints.view.population.all_overrides();
    own.filter(|(_, own)| own.sets_peers()).map(|(user, _)| user).collect()
}

fn users_setting_switch(lints: &Linter<'_, '_>, switch: Switch) -> UserSet {
    let population = &lints.view.population;
    let always = population.all_overrides().filter(|(_, own)| own.sets_switch(switch));
    let when = population.switch_conditions().filter(|(_, set, _)| *set == switch);
    always.map(|(user, _)| user).chain(when.map(|(user, ..)| *user)).collect()
}

/// A switch of which nothing is left: the record of each user sets it, or whomever it refuses is
/// refused by `outgoing` before.
fn check_switch(lints: &mut Linter<'_, '_>, entry: &Setting<'_>) {
    let Ok(switch) = entry.key.value.parse::<Switch>() else { return };
    let span = entry.key.span;
    if every_user_sets(lints, |lints| users_setting_switch(lints, switch)) {
        warn_set_by_records(lints, span, format!("`permissions.{switch}` has no effect today"));
        return;
    }
    // Calls in groups don't ask for `outgoing`.
    let follows = matches!(switch, Switch::StartChat | Switch::SendMessage | Switch::FriendRequest);
    let view = lints.view;
    let (outgoing, own) =
        (view.settings.permission(Switch::Outgoing), view.settings.permission(switch));
    let always = Toggle::Always(true);
    if !follows || *outgoing == always || *own == always {
        return;
    }
    let left = lints.query(|diagrams| {
        let (outgoing, own) = (diagrams.toggle(outgoing)?, diagrams.toggle(own)?);
        diagrams.difference(outgoing, own)
    });
    match left {
        Ok(Diagram::NEVER) => {
            let standings = &view.states;
            let refused = Selection::all([
                standings.with_switch_on(Switch::Outgoing),
                standings.with_switch_on(switch).complement(),
            ]);
            if refused.within(&view.population.everyone).is_empty() {
                let message = format!("`permissions.{switch}` makes no difference");
                let label = "`permissions.outgoing` already refuses everyone that it refuses";
                warn(lints, span, message, label, "remove it, or make one of the two narrower");
            }
        }
        Ok(_) => {}
        Err(BudgetExceededError) => {
            lints.report_undecided(
                span,
                span,
                "whether `permissions.outgoing` leaves anything to it",
            );
        }
    }
}

fn check_approval(lints: &mut Linter<'_, '_>, entry: &Setting<'_>) {
    let setting = |lints: &Linter<'_, '_>| -> UserSet {
        let own = lints.view.population.all_overrides();
        own.filter(|(_, own)| own.sets_approval()).map(|(user, _)| user).collect()
    };
    if every_user_sets(lints, setting) {
        let message = format!("`friendship.{}` has no effect today", entry.key.value);
        warn_set_by_records(lints, entry.key.span, message);
    }
}

/// Of modes the first that a user meets counts: so one may never have its turn, or give what comes
/// after it would give as well; and so may the default.
fn check_modes(lints: &mut Linter<'_, '_>) {
    let peers = &lints.view.settings.peers;
    let (mut places, mut default) = (Vec::new(), None);
    for item in lints.items {
        let Item::Peers(peers) = item else { continue };
        places.extend(peers.modes.iter().map(|mode| mode.when.span));
        default = default.or(peers.default.as_ref().map(|default| default.span));
    }
    if places.len() != peers.modes.len() || places.is_empty() {
        return;
    }
    let mut diagrams = Diagrams::default();
    // Those who come to each, and those who meet it of all.
    let found = lints.effort.run(&mut diagrams, |diagrams| {
        let mut left = Diagram::ALWAYS;
        let mut all = Vec::new();
        for (when, mode) in &peers.modes {
            let meeting = diagrams.condition(when)?;
            all.push((meeting, diagrams.and(left, meeting)?, *mode));
            left = diagrams.difference(left, meeting)?;
        }
        Ok((all, left))
    });
    let Ok((all, left)) = found else {
        if let Some(span) = places.last().copied() {
            lints.report_undecided(span, span, "whether each mode can apply");
        }
        return;
    };
    for (at, (&span, &(meeting, coming, mode))) in places.iter().zip(&all).enumerate() {
        if meeting == Diagram::NEVER {
            // Told as a condition.
            continue;
        }
        if coming == Diagram::NEVER {
            let message = "this mode never applies".to_owned();
            let label = "every user who meets this meets a condition before it";
            warn(lints, span, message, label, "remove it, or put it before the others");
            continue;
        }
        let after = all.get(at + 1..).unwrap_or_default();
        let same = lints.effort.run(&mut diagrams, |diagrams| {
            gets_the_same(diagrams, coming, mode, after, peers.default)
        });
        match same {
            Ok(true) => {
                let message = "this mode makes no difference".to_owned();
                let label = format!("without it, all who meet this would have `{mode}` as well");
                warn(lints, span, message, &label, "remove it");
            }
            Ok(false) => {}
            Err(BudgetExceededError) => {
                lints.report_undecided(span, span, "whether this mode makes a difference")
            }
        }
    }
    if let (Diagram::NEVER, Some(span)) = (left, default) {
        let message = "the default mode never applies".to_owned();
        warn(lints, span, message, "every user meets a condition of `modes`", "remove it");
    }
}

/// Whether those who come to a mode would get the same from what comes after it.
fn gets_the_same(
    diagrams: &mut Diagrams,
    coming: Diagram,
    mode: PeersMode,
    after: &[(Diagram, Diagram, PeersMode)],
    default: PeersMode,
) -> Result<bool, BudgetExceededError> {
    let mut left = coming;
    for &(meeting, _, other) in after {
        if other != mode && diagrams.and(left, meeting)? != Diagram::NEVER {
            return Ok(false);
        }
        left = diagrams.difference(left, meeting)?;
    }
    Ok(left == Diagram::NEVER || default == mode)
}

fn preset(item: &Item<'_>) -> Option<Preset> {
    match item {
        Item::Word(word) if word.section == WordSection::Preset => word.value.value.parse().ok(),
        _ => None,
    }
}

/// What the preset sets so already. Of what nobody set before, saying it again is no mistake.
fn check_preset(
    lints: &mut Linter<'_, '_>,
    preset: Option<Preset>,
    section: SettingsSection,
    entry: &Setting<'_>,
) {
    let Some(preset) = preset else { return };
    let (usual, set) = (Settings::default(), preset.settings());
    let (name, key) = match section {
        SettingsSection::Blocks => ("blocks", &entry.key.value),
        SettingsSection::Limits => ("limits", &entry.key.value),
        _ => return,
    };
    let is_restated = if section == SettingsSection::Blocks {
        let mode = |of: &Settings<String>| -> Option<BlockMode> {
            Some(of.blocks.mode(key.parse().ok()?))
        };
        let now = key.parse().ok().map(|action| lints.view.settings.blocks.mode(action));
        now == mode(&set) && mode(&set) != mode(&usual)
    } else {
        let limit = |of: &Limits| match &**key {
            "friends" => of.friends,
            "blocked" => of.blocked,
            "friend_lists" => of.friend_lists,
            _ => of.group_members,
        };
        let now = limit(&lints.view.settings.limits);
        now == limit(&set.limits) && now != limit(&usual.limits)
    };
    if is_restated {
        let message = format!("`{name}.{key}` makes no difference");
        let label = format!("the preset `{}` sets it so", preset.as_str());
        warn(lints, entry.key.span, message, &label, "remove it");
    }
}
