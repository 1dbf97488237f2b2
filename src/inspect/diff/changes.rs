//! The statements in which two policies differ.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use uuid::Uuid;

use crate::{
    request::{
        Accepts, Action, ActionDeclaration, ActionKey, ActionSet, Audiences, Barrier,
        DeclaredActions, Outcome, Peers, Reason, Settings, Toggle,
    },
    snapshot::{CompiledRule, CompiledRuleSet, View},
};

/// A part of a policy that changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyChange {
    pub part: PolicyPart,
    /// The previous content; `None` if the part did not exist.
    pub old: Option<String>,
    /// The new content; `None` if the part no longer exists.
    pub new: Option<String>,
}

/// A part of a policy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PolicyPart {
    /// The existence of the `rules` section.
    Rules,
    /// A rule, and its name if it has one.
    Rule(Uuid, Option<String>),
    /// A setting by its path in a policy, such as `permissions.outgoing`.
    Setting(String),
}

impl PolicyPart {
    /// The name of the part in messages.
    pub fn name(&self) -> String {
        match self {
            Self::Rules => "the rules section".to_owned(),
            Self::Rule(_, Some(name)) => format!("rule `{name}`"),
            Self::Rule(id, None) => format!("rule {id}"),
            Self::Setting(path) => format!("`{path}`"),
        }
    }
}

/// The differences of two policies without matrices: rules in the order of their ids, then
/// settings.
pub(super) fn changes(old: &View, new: &View) -> Vec<PolicyChange> {
    let mut changes = Vec::new();
    let has = |view: &View| view.rules.is_some().then(|| "present".to_owned());
    push(&mut changes, PolicyPart::Rules, has(old), has(new));
    let mut rules: BTreeMap<Uuid, [Option<(&CompiledRule, &View)>; 2]> = BTreeMap::new();
    for (at, view) in [old, new].into_iter().enumerate() {
        for rule in view.rule_books().flat_map(|book| book.rules.iter()) {
            if let Some(slot) = rules.entry(rule.id).or_default().get_mut(at) {
                *slot = Some((rule, view));
            }
        }
    }
    for (id, [before, after]) in rules {
        let name = after.or(before).and_then(|(rule, _)| rule.name.clone());
        let text = |(rule, view): (&CompiledRule, &View)| {
            let tag = |tag: &_| view.tags.name(*tag).to_owned();
            let mut text =
                format!("{} -> {}", rule.condition.map(&mut |id| tag(id)), outcome(rule, view));
            if let Some(between) = &rule.between {
                // Writing to a string can't fail.
                let _ = write!(text, " between {}", between.map(&mut |id| tag(id)));
            }
            text
        };
        push(&mut changes, PolicyPart::Rule(id, name), before.map(text), after.map(text));
    }
    declared_changes(&mut changes, old, new);
    window_changes(&mut changes, old, new);
    let [before, after] = [old, new].map(settings);
    for ((path, old), (_, new)) in before.into_iter().zip(after) {
        push(&mut changes, PolicyPart::Setting(path), old, new);
    }
    changes
}

/// The differences of what two policies say of the actions that either declares.
fn declared_changes(changes: &mut Vec<PolicyChange>, old: &View, new: &View) {
    let declared = [old, new].map(|view| {
        let settings = view.settings.map(&mut |tag| view.tags.name(*tag).to_owned());
        let said = settings.actions.iter().map(|(own, it)| {
            let ActionDeclaration { name, like, switch, blocks } = it;
            let switch = match switch {
                Toggle::Always(on) => on.to_string(),
                Toggle::When(condition) => condition.to_string(),
            };
            let entry = settings.accepts(ActionKey::Declared(own));
            let entry = entry.map(|entry| accepts_text(entry, &settings.audiences));
            let parts = [
                ("actions", Some(format!("like {like}"))),
                ("permissions", Some(switch)),
                ("blocks", Some(blocks.to_string())),
                ("accepts", entry),
            ];
            (name.to_string(), parts)
        });
        said.collect::<BTreeMap<_, _>>()
    });
    let [before, after] = &declared;
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let nothing = ["actions", "permissions", "blocks", "accepts"].map(|part| (part, None));
        let [old, new] = [before, after]
            .map(|declared| declared.get(name).cloned().unwrap_or_else(|| nothing.clone()));
        for ((part, old), (_, new)) in old.into_iter().zip(new) {
            push(changes, PolicyPart::Setting(format!("{part}.{name}")), old, new);
        }
    }
}

/// The windows that the two policies define otherwise. What depends on them may differ at other moments than that of
/// the views alone.
fn window_changes(changes: &mut Vec<PolicyChange>, old: &View, new: &View) {
    let [before, after] = [old, new].map(|view| {
        let texts = view.windows.iter().map(|(window, _)| (&*window.name, window.to_string()));
        texts.collect::<BTreeMap<_, _>>()
    });
    let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    for name in names {
        let part = PolicyPart::Setting(format!("windows.{name}"));
        push(changes, part, before.get(name).cloned(), after.get(name).cloned());
    }
}

fn push(
    changes: &mut Vec<PolicyChange>,
    part: PolicyPart,
    old: Option<String>,
    new: Option<String>,
) {
    if old != new {
        changes.push(PolicyChange { part, old, new });
    }
}

/// All settings by path, in a fixed order.
fn settings(view: &View) -> Vec<(String, Option<String>)> {
    let Settings {
        unknown_users,
        managers,
        permissions,
        blocks,
        peers: Peers { modes, default },
        approval,
        limits,
        // Both are the preset's.
        blocks_end_friendship: _,
        tag_form: _,
        protected_tags,
        audiences,
        accepts,
        barriers,
        actions,
    } = view.settings.map(&mut |tag| view.tags.name(*tag).to_owned());
    let mut all = vec![
        ("unknown_users".to_owned(), Some(unknown_users.to_string())),
        ("protected_tags".to_owned(), list(protected_tags.patterns())),
        ("moderation.managers".to_owned(), managers.as_ref().map(ToString::to_string)),
    ];
    for (switch, toggle) in permissions.iter() {
        let value = match toggle {
            Toggle::Always(on) => on.to_string(),
            Toggle::When(condition) => condition.to_string(),
        };
        all.push((format!("permissions.{switch}"), Some(value)));
    }
    for (action, mode) in blocks.iter() {
        all.push((format!("blocks.{action}"), Some(mode.to_string())));
    }
    let modes = modes.iter().map(|(when, mode)| format!("{when}: {}", audiences.peers_name(*mode)));
    let modes: Vec<String> = modes.collect();
    all.push(("peers.modes".to_owned(), Some(modes.join("; ")).filter(|text| !text.is_empty())));
    all.push(("peers.default".to_owned(), Some(audiences.peers_name(default).to_owned())));
    all.push(("friendship.default_approval".to_owned(), Some(approval.to_string())));
    all.push(("audiences".to_owned(), audiences_text(&audiences)));
    for action in ActionSet::BETWEEN_USERS.built_in() {
        let key = ActionKey::BuiltIn(action);
        let entry = accepts.iter().find(|entry| entry.action == key);
        let entry = entry.map(|entry| accepts_text(entry, &audiences));
        all.push((format!("accepts.{action}"), entry));
    }
    let barriers: Vec<String> = barriers.iter().map(|it| barrier_text(it, &actions)).collect();
    all.push(("barriers".to_owned(), Some(barriers.join("; ")).filter(|text| !text.is_empty())));
    let sets: Vec<String> = view.rule_sets.iter().map(|it| rule_set_text(it, view)).collect();
    all.push(("rule_sets".to_owned(), Some(sets.join("; ")).filter(|text| !text.is_empty())));
    for (name, limit) in limits.iter() {
        all.push((format!("limits.{name}"), limit.map(|limit| limit.to_string())));
    }
    all
}

/// The outcome of a rule, tags in the order of their names.
fn outcome(rule: &CompiledRule, view: &View) -> Outcome<String> {
    let mut outcome = rule.outcome.map(&mut |tag| view.tags.name(*tag).to_owned());
    if let Outcome::Tags(tags) = &mut outcome {
        tags.sort_unstable();
    }
    outcome
}

fn audiences_text(audiences: &Audiences<String>) -> Option<String> {
    let own = audiences.own().iter().map(|it| format!("{}: {}", it.name, it.condition));
    let own: Vec<String> = own.collect();
    (!own.is_empty()).then(|| own.join("; "))
}

fn accepts_text(entry: &Accepts<String>, audiences: &Audiences<String>) -> String {
    let name = |number| audiences.get(number).map_or("", |it| it.name.as_str());
    let mut text = String::new();
    for mode in &entry.modes {
        let locked = if mode.is_locked { " locked" } else { "" };
        // Writing to a string can't fail.
        let _ = write!(text, "{}: {}{locked}; ", mode.when, name(mode.audience));
    }
    let Accepts { action: _, modes: _, default, asked, otherwise } = entry;
    let _ = write!(text, "default: {}; asked: {asked}; otherwise: {otherwise}", name(*default));
    text
}

fn barrier_text(barrier: &Barrier<String>, actions: &DeclaredActions<String>) -> String {
    let arrow = if barrier.is_both_ways { "<->" } else { "->" };
    let mut text = format!(
        "{}: {} {arrow} {} of {}",
        barrier.name,
        barrier.from,
        barrier.to,
        actions_text(barrier.actions, actions)
    );
    if let Some(unless) = &barrier.unless {
        // Writing to a string can't fail.
        let _ = write!(text, " unless {unless}");
    }
    if !barrier.in_groups {
        text.push_str(", not in groups");
    }
    text
}

fn rule_set_text(set: &CompiledRuleSet, view: &View) -> String {
    format!(
        "{}: asked {} of {}",
        set.name,
        set.asked,
        actions_text(set.actions, &view.settings.actions)
    )
}

fn actions_text<T>(actions: ActionSet, declared: &DeclaredActions<T>) -> String {
    let names: Vec<String> =
        actions.iter().map(|action| declared.name(action).to_string()).collect();
    format!("[{}]", names.join(", "))
}

fn list(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| format!("[{}]", texts.join(", ")))
}

/// Whether the setting at this path can cause a denial for this reason of the action with a name, which is, or
/// is like, a built-in one.
pub(super) fn can_cause(path: &str, reason: Reason, name: &str, action: Action) -> bool {
    let is_of = |of: &str| {
        of == name
            || of == action.as_str()
            || begins_conversation(action) && of == Action::StartChat.as_str()
    };
    // A window may stand in any condition.
    if path.starts_with("windows.") {
        return reason != Reason::Allowed;
    }
    match reason {
        Reason::OutgoingOff => path == "permissions.outgoing",
        Reason::IncomingOff => path == "permissions.incoming",
        Reason::PermissionOff => path.strip_prefix("permissions.").is_some_and(is_of),
        Reason::BlockedByResource | Reason::BlockedBySubject => {
            path.strip_prefix("blocks.").is_some_and(is_of)
        }
        Reason::PeersSubject | Reason::PeersResource => path.starts_with("peers."),
        Reason::NotInAudience => {
            path == "audiences" || path.strip_prefix("accepts.").is_some_and(is_of)
        }
        Reason::Barrier => path == "barriers",
        Reason::NoRule => path == "rule_sets",
        Reason::RequestsRefused => path == "friendship.default_approval",
        Reason::FriendListFull => path == "limits.friends",
        Reason::NotManager => path == "moderation.managers",
        // No setting alone causes these between two users.
        Reason::Allowed
        | Reason::UnknownSubject
        | Reason::UnknownResource
        | Reason::OneSelf
        | Reason::Banned
        | Reason::Silenced
        | Reason::AlreadyFriends
        | Reason::BannedFromGroup
        | Reason::AlreadyMember
        | Reason::NotMember
        | Reason::Muted
        | Reason::InviteOnly
        | Reason::RequiredMemberMissing
        | Reason::LastRequiredMember
        | Reason::NeedsAdmin
        | Reason::NeedsSuperAdmin
        | Reason::DeniedByMatrix
        | Reason::SuperAdminProtected
        | Reason::LastSuperAdmin
        | Reason::LastMember
        | Reason::GroupFull
        | Reason::Stale => false,
    }
}

/// Whether the action may begin a conversation, so that the settings of `start_chat` apply too.
fn begins_conversation(action: Action) -> bool {
    match action {
        Action::SendMessage | Action::VoiceCall | Action::VideoCall => true,
        Action::SignIn
        | Action::Read
        | Action::ViewProfile
        | Action::Post
        | Action::Comment
        | Action::React
        | Action::StartChat
        | Action::FriendRequest
        | Action::Block
        | Action::Unblock
        | Action::Ban
        | Action::Silence
        | Action::Shadow
        | Action::Reactivate
        | Action::ListUsers
        | Action::CreateGroup
        | Action::AddMember
        | Action::RemoveMember
        | Action::UpdateMetadata
        | Action::AddAdmin
        | Action::RemoveAdmin
        | Action::AddSuperAdmin
        | Action::RemoveSuperAdmin
        | Action::UpdatePermissions
        | Action::Join
        | Action::MuteMember
        | Action::UnmuteMember
        | Action::BanMember
        | Action::UnbanMember
        | Action::Leave => false,
    }
}
