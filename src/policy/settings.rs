//! Settings: what the sections set for all users, over the preset.

use std::collections::HashMap;

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    request::{
        Approval, AudienceNumber, Audiences, BlockMode, BlockableAction, DeclaredActions, EVERYONE,
        LimitKind, NOBODY, PeersMode, PeersSetting, Settings, Switch, TagForm, Toggle,
        UnknownUsers,
    },
    source::Span,
    syntax::ast::{self, Expr, ExprKind, SettingsSection, Text, WordSection},
};

use super::{
    expression::resolve_expression,
    presets::Preset,
    suggestions::{self, expect_word, parse_word},
    tags::Vocabulary,
};

/// The sections that set something for all users, as they were written.
#[derive(Default)]
pub(super) struct SettingsStatements<'s> {
    pub(super) words: Vec<ast::Word<'s>>,
    pub(super) sections: Vec<ast::Settings<'s>>,
    pub(super) peers: Vec<ast::Peers<'s>>,
}

impl SettingsStatements<'_> {
    /// Which texts are tags: the preset says it, of which that is known before all else is read.
    pub(super) fn tag_form(&self) -> TagForm {
        let mut presets = self.words.iter().filter(|word| word.section == WordSection::Preset);
        let preset = presets.next().and_then(|word| word.value.value.parse::<Preset>().ok());
        preset.map_or_else(TagForm::default, |preset| preset.settings().tag_form)
    }
}

/// The values that they set over the preset's.
pub(super) fn resolve(
    written: &SettingsStatements<'_>,
    vocabulary: &Vocabulary,
    actions: DeclaredActions<String>,
    problems: &mut Diagnostics,
) -> (Option<Preset>, Settings<String>) {
    let mut stated = FirstSettings::default();
    let preset = preset(written, &mut stated, problems);
    let mut settings = preset.map_or_else(Settings::default, Preset::settings);
    settings.actions = actions;
    for section in written.words.iter().filter(|word| word.section == WordSection::UnknownUsers) {
        let known = UnknownUsers::ALL.iter().map(|word| word.as_str());
        let found = parse_word("treatment of unknown users", &section.value, known, problems);
        if stated.is_first("unknown_users", section.span, problems) {
            settings.unknown_users = found.unwrap_or(settings.unknown_users);
        }
    }
    for section in &written.sections {
        for setting in &section.entries {
            let mut reader = Reader { vocabulary, problems };
            reader.set(section.section, setting, &mut settings, &mut stated);
        }
    }
    (preset, settings)
}

/// The peers modes that they set over the preset's. The audiences of `settings` are known.
pub(super) fn resolve_peers(
    written: &SettingsStatements<'_>,
    settings: &mut Settings<String>,
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) {
    let mut stated = FirstSettings::default();
    for peers in &written.peers {
        set_peers(peers, settings, &mut stated, vocabulary, problems);
    }
}

fn preset(
    written: &SettingsStatements<'_>,
    stated: &mut FirstSettings,
    problems: &mut Diagnostics,
) -> Option<Preset> {
    let mut preset = None;
    for section in written.words.iter().filter(|word| word.section == WordSection::Preset) {
        let known = Preset::ALL.iter().map(|preset| preset.as_str());
        let found = parse_word("preset", &section.value, known, problems);
        if stated.is_first("preset", section.span, problems) {
            preset = found;
        }
    }
    preset
}

/// The settings met before, with their spans.
#[derive(Default)]
struct FirstSettings(HashMap<String, Span>);

impl FirstSettings {
    /// Whether a setting was not set before; if it was, that is a problem.
    fn is_first(&mut self, setting: &str, span: Span, problems: &mut Diagnostics) -> bool {
        let Some(&first) = self.0.get(setting) else {
            self.0.insert(setting.to_owned(), span);
            return true;
        };
        problems.push(
            Diagnostic::error(Code::DuplicateSetting, span, format!("`{setting}` is set twice"))
                .related(first, "first set here")
                .hint("remove one of the two"),
        );
        false
    }
}

enum Limit {
    None,
    Most(u32),
}

/// Reads the values of single settings.
struct Reader<'r> {
    vocabulary: &'r Vocabulary,
    problems: &'r mut Diagnostics,
}

impl Reader<'_> {
    fn set(
        &mut self,
        section: SettingsSection,
        setting: &ast::Setting<'_>,
        settings: &mut Settings<String>,
        stated: &mut FirstSettings,
    ) {
        let (key, value) = (&setting.key, &setting.value);
        let place = format!("{section}.{}", key.value.escape_debug());
        if !self.check_key(section, key, &settings.actions) {
            return;
        }
        let is_first = stated.is_first(&place, key.span, self.problems);
        match section {
            SettingsSection::Moderation => {
                let managers = resolve_expression(value, self.vocabulary, self.problems);
                if is_first {
                    settings.managers = managers;
                }
            }
            SettingsSection::Permissions => {
                let toggle = toggle(value, self.vocabulary, self.problems);
                let switch: Option<Switch> = key.value.parse().ok();
                if let (None, Some(toggle), true) = (switch, &toggle, is_first) {
                    let own = settings.actions.number(&key.value);
                    if let Some(declared) = own.and_then(|own| settings.actions.get_mut(own)) {
                        declared.switch = toggle.clone();
                    }
                }
                if let (Some(switch), Some(toggle), true) = (switch, toggle, is_first) {
                    settings.permissions[switch] = toggle;
                }
            }
            SettingsSection::Blocks => {
                let known = || BlockMode::ALL.iter().map(|mode| mode.as_str());
                let mode = expect_word("a block mode", value, known(), self.problems)
                    .and_then(|mode| parse_word("block mode", &mode, known(), self.problems));
                if let (Ok(action), Some(mode), true) =
                    (key.value.parse::<BlockableAction>(), mode, is_first)
                {
                    settings.blocks = settings.blocks.with(action, mode);
                } else if let (Some(own), Some(mode), true) =
                    (settings.actions.number(&key.value), mode, is_first)
                    && let Some(declared) = settings.actions.get_mut(own)
                {
                    declared.blocks = mode;
                }
            }
            SettingsSection::Friendship => {
                let known = Approval::ALL.iter().map(|word| word.as_str());
                let approval = expect_word("an approval", value, known, self.problems)
                    .and_then(|text| approval(&text, self.problems));
                if let (Some(approval), true) = (approval, is_first) {
                    settings.approval = approval;
                }
            }
            SettingsSection::Limits => {
                let limit = match self.limit(value) {
                    Some(Limit::Most(count)) => Some(count),
                    Some(Limit::None) => None,
                    None => return,
                };
                if let (Ok(kind), true) = (key.value.parse::<LimitKind>(), is_first) {
                    settings.limits.set(kind, limit);
                }
            }
        }
    }

    /// Whether a section has this key; if not, says which it has.
    fn check_key(
        &mut self,
        section: SettingsSection,
        key: &Text<'_>,
        actions: &DeclaredActions<String>,
    ) -> bool {
        let mut known: Vec<&str> = keys(section);
        known.extend(declared_keys(section, actions));
        let is_known = known.contains(&&*key.value);
        if !is_known {
            self.problems.push(match section {
                SettingsSection::Blocks => unknown_block_action(key, &known, actions),
                SettingsSection::Moderation
                | SettingsSection::Permissions
                | SettingsSection::Friendship
                | SettingsSection::Limits => {
                    suggestions::unknown_key(&format!("`{section}`"), key, known.into_iter())
                }
            });
        }
        is_known
    }

    /// A number, or `none` for no limit.
    fn limit(&mut self, value: &Expr<'_>) -> Option<Limit> {
        let text = expect_word("a number or `none`", value, std::iter::empty(), self.problems)?;
        if text.value == "none" {
            return Some(Limit::None);
        }
        let is_number = !text.value.is_empty() && text.value.bytes().all(|b| b.is_ascii_digit());
        let number = text.value.parse().ok().filter(|_| is_number);
        if number.is_none() {
            let message = format!("`{}` is not a limit", text.value.escape_debug());
            self.problems.push(
                Diagnostic::error(Code::InvalidLimit, text.span, message)
                    .hint("a limit is a whole number up to 4294967295, or `none`"),
            );
        }
        number.map(Limit::Most)
    }
}

/// An action that has no block mode, though it may be another's name.
fn unknown_block_action(
    key: &Text<'_>,
    known: &[&str],
    actions: &DeclaredActions<String>,
) -> Diagnostic {
    let problem = suggestions::unknown_key("`blocks`", key, known.iter().copied());
    match actions.resolve(&key.value) {
        Ok(_) => {
            Diagnostic { message: format!("`blocks` does not apply to `{}`", key.value), ..problem }
        }
        Err(_) => problem,
    }
}

/// The keys that a section may have for declared actions.
fn declared_keys(
    section: SettingsSection,
    actions: &DeclaredActions<String>,
) -> impl Iterator<Item = &str> {
    let names = actions.iter().map(move |(_, declared)| match section {
        SettingsSection::Permissions => Some(&*declared.name),
        SettingsSection::Blocks => declared.like.blockable().map(|_| &*declared.name),
        SettingsSection::Moderation | SettingsSection::Friendship | SettingsSection::Limits => None,
    });
    names.flatten()
}

/// The keys that a section may have in every policy.
pub(super) fn keys(section: SettingsSection) -> Vec<&'static str> {
    match section {
        SettingsSection::Moderation => vec!["managers"],
        SettingsSection::Permissions => Switch::ALL.iter().map(|switch| switch.as_str()).collect(),
        SettingsSection::Blocks => {
            BlockableAction::ALL.iter().map(|action| action.as_str()).collect()
        }
        SettingsSection::Friendship => vec!["default_approval"],
        SettingsSection::Limits => LimitKind::ALL.iter().map(|limit| limit.as_str()).collect(),
    }
}

/// `true`, `false` or a condition; `everyone` and `nobody` are the same as `true` and `false`.
pub(super) fn toggle(
    value: &Expr<'_>,
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) -> Option<Toggle<String>> {
    match &value.kind {
        ExprKind::Word(word) if *word == "true" => Some(Toggle::Always(true)),
        ExprKind::Word(word) if *word == "false" => Some(Toggle::Always(false)),
        ExprKind::Word(word) if *word == EVERYONE => Some(Toggle::Always(true)),
        ExprKind::Word(word) if *word == NOBODY => Some(Toggle::Always(false)),
        ExprKind::Word(word) => {
            problems.push(suggestions::word_instead_of_condition(
                "`true`, `false` or a condition",
                word,
                value.span,
            ));
            None
        }
        ExprKind::Call { .. } => resolve_expression(value, vocabulary, problems).map(Toggle::When),
    }
}

pub(super) fn approval(text: &Text<'_>, problems: &mut Diagnostics) -> Option<Approval> {
    parse_word("approval", text, Approval::ALL.iter().map(|word| word.as_str()), problems)
}

/// A peers mode by its name or number, or an audience of the policy by its name.
pub(super) fn peers_setting(
    text: &Text<'_>,
    audiences: &Audiences<String>,
    problems: &mut Diagnostics,
) -> Option<PeersSetting<AudienceNumber>> {
    let mode = PeersMode::parse(&text.value).ok().map(PeersSetting::Mode);
    let audience = || audiences.peers_audience(&text.value).map(PeersSetting::Audience);
    let setting = mode.or_else(audience);
    if setting.is_none() {
        let written = text.value.escape_debug().to_string();
        let known = audiences.peers_words();
        problems.push(suggestions::unknown_word("peers mode", &written, text.span, known));
    }
    setting
}

fn set_peers(
    peers: &ast::Peers<'_>,
    settings: &mut Settings<String>,
    stated: &mut FirstSettings,
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) {
    if let Some(default) = &peers.default {
        let mode = peers_setting(default, &settings.audiences, problems);
        if stated.is_first("peers.default", default.span, problems) {
            settings.peers.default = mode.unwrap_or(settings.peers.default);
        }
    }
    let mut modes = Vec::new();
    for mode in &peers.modes {
        let when = resolve_expression(&mode.when, vocabulary, problems);
        let word = peers_setting(&mode.mode, &settings.audiences, problems);
        modes.extend(when.zip(word));
    }
    // The first that a user meets counts, so their order must not depend on that of files.
    if let Some(first) = peers.modes.first()
        && stated.is_first("peers.modes", first.when.span, problems)
    {
        settings.peers.modes = modes;
    }
}
