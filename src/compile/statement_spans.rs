//! The spans of a policy's statements, kept apart from the view: no decision needs them.

use std::collections::BTreeMap;

use crate::{
    policy,
    request::{Action, ActionName, BlockableAction, GroupPermission, LimitKind, StatementId},
    source::Span,
    syntax::ast::{Accepts, Item, Matrix, PermissionValue, SettingsSection},
};

/// The spans of the statements that decisions depend on.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct StatementSpans(BTreeMap<StatementId, Span>);

impl StatementSpans {
    /// The span of a statement; `None` if the policy does not make it.
    pub fn get(&self, statement: &StatementId) -> Option<Span> {
        self.0.get(statement).copied()
    }

    /// All statements, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&StatementId, Span)> {
        self.0.iter().map(|(statement, &span)| (statement, span))
    }

    pub(super) fn from_items(items: &[Item<'_>]) -> Self {
        let mut spans = Self::default();
        for item in items {
            match item {
                Item::Settings(settings) => {
                    for entry in &settings.entries {
                        let statement = setting_statement(settings.section, &entry.key.value);
                        spans.0.extend(statement.map(|it| (it, entry.key.span)));
                    }
                }
                Item::Peers(peers) => {
                    let default = peers.default.as_ref();
                    spans.0.extend(default.map(|mode| (StatementId::PeersDefault, mode.span)));
                    let modes = peers.modes.iter().enumerate();
                    spans
                        .0
                        .extend(modes.map(|(at, it)| (StatementId::PeersMode(at), it.when.span)));
                }
                Item::Matrix(matrix) => spans.add_matrix(matrix),
                Item::Accepts(accepts) => spans.add_accepts(accepts),
                Item::Barrier(barrier) => {
                    let statement = StatementId::Barrier(barrier.name.value.clone().into_owned());
                    spans.0.insert(statement, barrier.name.span);
                }
                // Rules are added once they have ids; the others are about facts, or no decision
                // depends on them.
                Item::Tags(_)
                | Item::ProtectedTags(_)
                | Item::Rules(_)
                | Item::Rule(_)
                | Item::RuleSet(_)
                | Item::Audience(_)
                | Item::Action(_)
                | Item::Window(_)
                | Item::Word(_)
                | Item::User(_)
                | Item::Group(_)
                | Item::Conversation(_)
                | Item::Invariant(_)
                | Item::Lints(_) => {}
            }
        }
        spans
    }

    fn add_matrix(&mut self, matrix: &Matrix<'_>) {
        for entry in &matrix.permissions {
            let Ok(permission) = entry.key.value.parse::<GroupPermission>() else {
                let statement = StatementId::OwnCell {
                    matrix: matrix.name.value.clone().into_owned(),
                    action: (&*entry.key.value).into(),
                };
                self.0.insert(statement, entry.key.span);
                continue;
            };
            let cell = |field: Option<&str>| StatementId::Cell {
                matrix: matrix.name.value.clone().into_owned(),
                permission,
                field: field.map(str::to_owned),
            };
            match &entry.value {
                PermissionValue::ByField(fields) => {
                    let fields = fields.iter();
                    let cells = fields.map(|it| (cell(Some(&it.key.value)), it.key.span));
                    self.0.extend(cells);
                }
                // One value is that of all fields.
                PermissionValue::One(_) => {
                    let is_of_fields = permission == GroupPermission::UpdateMetadata;
                    self.0.insert(cell(is_of_fields.then_some("*")), entry.key.span);
                }
            }
        }
    }

    fn add_accepts(&mut self, accepts: &Accepts<'_>) {
        let action = &accepts.action.value;
        let built_in = action.parse::<Action>().map(ActionName::from);
        let action = built_in.unwrap_or_else(|_| ActionName::Declared((&**action).into()));
        let modes = accepts.modes.iter().enumerate();
        let mode = |at| StatementId::AudienceMode(action.clone(), at);
        self.0.extend(modes.map(|(at, it)| (mode(at), it.when.span)));
        let default = accepts.default.as_ref();
        self.0.extend(default.map(|it| (StatementId::AudienceDefault(action.clone()), it.span)));
    }

    /// Adds the rules of `rules` or of a rule set.
    pub(super) fn add_rules(&mut self, rules: &[policy::Rule]) {
        let spans = rules.iter().filter_map(|rule| Some((StatementId::Rule(rule.id), rule.place?)));
        self.0.extend(spans);
    }
}

/// The statement that a setting makes; `None` if no decision depends on it. Keys that are not built in are
/// declared actions.
fn setting_statement(section: SettingsSection, key: &str) -> Option<StatementId> {
    match section {
        SettingsSection::Moderation => (key == "managers").then_some(StatementId::Managers),
        SettingsSection::Permissions => Some(match key.parse() {
            Ok(switch) => StatementId::Switch(switch),
            Err(_) => StatementId::OwnSwitch(key.into()),
        }),
        SettingsSection::Blocks => {
            let built_in = key.parse::<BlockableAction>().map(BlockableAction::action);
            let name = built_in.map_or_else(|_| ActionName::Declared(key.into()), Into::into);
            Some(StatementId::Blocks(name))
        }
        SettingsSection::Friendship => {
            (key == "default_approval").then_some(StatementId::DefaultApproval)
        }
        SettingsSection::Limits => match key.parse().ok()? {
            LimitKind::Friends => Some(StatementId::FriendsLimit),
            LimitKind::GroupMembers => Some(StatementId::GroupLimit),
            LimitKind::Blocked | LimitKind::FriendLists => None,
        },
    }
}
