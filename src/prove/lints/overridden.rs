//! Lints about settings that make no difference, as something else overrides them.

use crate::{
    diagnostic::{Code, Diagnostic},
    policy::Preset,
    request::{AudienceNumber, PeersSetting, Settings, Switch, Toggle},
    snapshot::{Selection, UserSet},
    source::Span,
    syntax::ast::{Item, Setting, SettingsSection, WordSection},
};

use super::{BudgetExceededError, Diagram, Diagrams, Linter};

pub(super) fn lint(linter: &mut Linter<'_, '_>) {
    check_modes(linter);
    let preset = linter.items.iter().find_map(preset);
    for item in linter.items {
        match item {
            Item::Settings(section) => {
                for entry in &section.entries {
                    check_preset(linter, preset, section.section, entry);
                    match section.section {
                        SettingsSection::Permissions => check_switch(linter, entry),
                        SettingsSection::Friendship => check_approval(linter, entry),
                        // No record overrides these.
                        SettingsSection::Moderation
                        | SettingsSection::Blocks
                        | SettingsSection::Limits => {}
                    }
                }
            }
            Item::Peers(peers) if every_user_sets(linter, users_setting_peers) => {
                warn_set_by_records(linter, peers.span, "`peers` has no effect today");
            }
            Item::Tags(_)
            | Item::ProtectedTags(_)
            | Item::Rules(_)
            | Item::Rule(_)
            | Item::RuleSet(_)
            | Item::Barrier(_)
            | Item::Audience(_)
            | Item::Accepts(_)
            | Item::Action(_)
            | Item::Window(_)
            | Item::Word(_)
            | Item::Peers(_)
            | Item::Matrix(_)
            | Item::User(_)
            | Item::Group(_)
            | Item::Conversation(_)
            | Item::Invariant(_)
            | Item::Lints(_) => {}
        }
    }
}

fn warn(linter: &mut Linter<'_, '_>, span: Span, message: String, label: &str, hint: &str) {
    let problem = Diagnostic::warning(Code::Overridden, span, message).label(label).hint(hint);
    linter.warn(span, problem);
}

fn warn_set_by_records(linter: &mut Linter<'_, '_>, span: Span, message: impl Into<String>) {
    let label = "the record of every user overrides it";
    warn(linter, span, message.into(), label, "remove it, or remove it from the records");
}

/// Whether there are users, and the given ones are all of them.
fn every_user_sets(linter: &Linter<'_, '_>, users: impl Fn(&Linter<'_, '_>) -> UserSet) -> bool {
    let all = linter.view.population.directory.len();
    all > 0 && users(linter).len() == u64::from(all)
}

fn users_setting_peers(linter: &Linter<'_, '_>) -> UserSet {
    let overrides = linter.view.population.all_overrides();
    overrides.filter(|(_, overrides)| overrides.sets_peers()).map(|(user, _)| user).collect()
}

fn users_setting_switch(linter: &Linter<'_, '_>, switch: Switch) -> UserSet {
    let population = &linter.view.population;
    let always = population.all_overrides().filter(|(_, overrides)| overrides.sets_switch(switch));
    let when = population.switch_conditions().filter(|(_, set, _)| *set == switch);
    always.map(|(user, _)| user).chain(when.map(|(user, ..)| *user)).collect()
}

/// Reports a switch without effect: every user's record sets it, or `outgoing` refuses every user that it
/// refuses.
fn check_switch(linter: &mut Linter<'_, '_>, entry: &Setting<'_>) {
    let Ok(switch) = entry.key.value.parse::<Switch>() else { return };
    let span = entry.key.span;
    if every_user_sets(linter, |linter| users_setting_switch(linter, switch)) {
        warn_set_by_records(linter, span, format!("`permissions.{switch}` has no effect today"));
        return;
    }
    let requires_outgoing = match switch {
        Switch::StartChat | Switch::SendMessage | Switch::FriendRequest => true,
        // Calls in groups don't require `outgoing`.
        Switch::VoiceCall
        | Switch::VideoCall
        | Switch::Outgoing
        | Switch::Incoming
        | Switch::CreateGroup => false,
    };
    let view = linter.view;
    let (outgoing, allowed) =
        (view.settings.permission(Switch::Outgoing), view.settings.permission(switch));
    let always = Toggle::Always(true);
    if !requires_outgoing || *outgoing == always || *allowed == always {
        return;
    }
    let left = linter.query(|diagrams| {
        let (outgoing, allowed) = (diagrams.toggle(outgoing)?, diagrams.toggle(allowed)?);
        diagrams.difference(outgoing, allowed)
    });
    match left {
        Ok(Diagram::NEVER) => {
            let states = &view.states;
            let refused = Selection::all([
                states.with_switch_on(Switch::Outgoing),
                states.with_switch_on(switch).complement(),
            ]);
            if refused.within(&view.population.everyone).is_empty() {
                let message = format!("`permissions.{switch}` makes no difference");
                let label = "`permissions.outgoing` already refuses everyone that it refuses";
                warn(linter, span, message, label, "remove it, or make one of the two narrower");
            }
        }
        Ok(_) => {}
        Err(BudgetExceededError) => {
            linter.report_undecided(
                span,
                span,
                "whether `permissions.outgoing` leaves anything to it",
            );
        }
    }
}

fn check_approval(linter: &mut Linter<'_, '_>, entry: &Setting<'_>) {
    let setting = |linter: &Linter<'_, '_>| -> UserSet {
        let overrides = linter.view.population.all_overrides();
        overrides.filter(|(_, overrides)| overrides.sets_approval()).map(|(user, _)| user).collect()
    };
    if every_user_sets(linter, setting) {
        let message = format!("`friendship.{}` has no effect today", entry.key.value);
        warn_set_by_records(linter, entry.key.span, message);
    }
}

/// Reports peers modes without effect. The first mode whose condition a user meets applies, so that a mode
/// may never apply, or set what those after it would set as well; and so may the default.
fn check_modes(linter: &mut Linter<'_, '_>) {
    let peers = &linter.view.settings.peers;
    let (mut places, mut default) = (Vec::new(), None);
    for item in linter.items {
        let Item::Peers(peers) = item else { continue };
        places.extend(peers.modes.iter().map(|mode| mode.when.span));
        default = default.or(peers.default.as_ref().map(|default| default.span));
    }
    if places.len() != peers.modes.len() || places.is_empty() {
        return;
    }
    let mut diagrams = Diagrams::default();
    // For each mode the users who meet it, and those of them who meet none before it.
    let found = linter.budget.run(&mut diagrams, |diagrams| {
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
            linter.report_undecided(span, span, "whether each mode can apply");
        }
        return;
    };
    for (at, (&span, &(meeting, coming, mode))) in places.iter().zip(&all).enumerate() {
        if meeting == Diagram::NEVER {
            // Reported as a condition.
            continue;
        }
        if coming == Diagram::NEVER {
            let message = "this mode never applies".to_owned();
            let label = "every user who meets this meets a condition before it";
            warn(linter, span, message, label, "remove it, or put it before the others");
            continue;
        }
        let after = all.get(at + 1..).unwrap_or_default();
        let same = linter.budget.run(&mut diagrams, |diagrams| {
            gets_the_same(diagrams, coming, mode, after, peers.default)
        });
        match same {
            Ok(true) => {
                let message = "this mode makes no difference".to_owned();
                let mode = linter.view.settings.audiences.peers_name(mode);
                let label = format!("without it, all who meet this would have `{mode}` as well");
                warn(linter, span, message, &label, "remove it");
            }
            Ok(false) => {}
            Err(BudgetExceededError) => {
                linter.report_undecided(span, span, "whether this mode makes a difference");
            }
        }
    }
    if let (Diagram::NEVER, Some(span)) = (left, default) {
        let message = "the default mode never applies".to_owned();
        warn(linter, span, message, "every user meets a condition of `modes`", "remove it");
    }
}

/// Whether the users to whom a mode applies would get the same mode without it.
fn gets_the_same(
    diagrams: &mut Diagrams,
    coming: Diagram,
    mode: PeersSetting<AudienceNumber>,
    after: &[(Diagram, Diagram, PeersSetting<AudienceNumber>)],
    default: PeersSetting<AudienceNumber>,
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

/// Reports a setting that the preset sets to the same value already. Repeating a default is no mistake.
fn check_preset(
    linter: &mut Linter<'_, '_>,
    preset: Option<Preset>,
    section: SettingsSection,
    entry: &Setting<'_>,
) {
    let Some(preset) = preset else { return };
    let (usual, set) = (Settings::<String>::default(), preset.settings());
    let key = &entry.key.value;
    let settings = &linter.view.settings;
    let is_restated = match section {
        SettingsSection::Blocks => {
            let Ok(action) = key.parse() else { return };
            let mode = settings.blocks.mode(action);
            mode == set.blocks.mode(action) && mode != usual.blocks.mode(action)
        }
        SettingsSection::Limits => {
            let Ok(kind) = key.parse() else { return };
            let limit = settings.limits.get(kind);
            limit == set.limits.get(kind) && limit != usual.limits.get(kind)
        }
        SettingsSection::Moderation
        | SettingsSection::Permissions
        | SettingsSection::Friendship => return,
    };
    if is_restated {
        let message = format!("`{section}.{key}` makes no difference");
        let label = format!("the preset `{}` sets it so", preset.as_str());
        warn(linter, entry.key.span, message, &label, "remove it");
    }
}
