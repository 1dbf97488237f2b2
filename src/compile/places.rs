use std::collections::BTreeMap;

use crate::{
    policy,
    request::{Action, GroupPermission, Statement, Switch},
    source::Span,
    syntax::ast::{Item, Matrix, PermissionValue, SettingsSection},
};

/// Where a policy says what its decisions turn on. Kept apart from the view: no decision asks.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Places(BTreeMap<Statement, Span>);

impl Places {
    /// Where a statement stands; `None` if the policy does not make it.
    pub fn get(&self, statement: &Statement) -> Option<Span> {
        self.0.get(statement).copied()
    }

    /// All statements, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Statement, Span)> {
        self.0.iter().map(|(statement, &span)| (statement, span))
    }

    pub(super) fn of(items: &[Item<'_>]) -> Self {
        let mut places = Self::default();
        for item in items {
            match item {
                Item::Settings(settings) => {
                    for entry in &settings.entries {
                        let statement = setting(settings.section, &entry.key.value);
                        places.0.extend(statement.map(|it| (it, entry.key.span)));
                    }
                }
                Item::Peers(peers) => {
                    let default = peers.default.as_ref();
                    places.0.extend(default.map(|mode| (Statement::PeersDefault, mode.span)));
                    let modes = peers.modes.iter().enumerate();
                    places.0.extend(modes.map(|(at, it)| (Statement::PeersMode(at), it.when.span)));
                }
                Item::Matrix(matrix) => places.matrix(matrix),
                _ => {}
            }
        }
        places
    }

    fn matrix(&mut self, matrix: &Matrix<'_>) {
        for entry in &matrix.permissions {
            let Ok(permission) = entry.key.value.parse::<GroupPermission>() else { continue };
            let cell = |field: Option<&str>| Statement::Cell {
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

    pub(super) fn rules(&mut self, rules: &[policy::Rule]) {
        self.0.extend(rules.iter().map(|rule| (Statement::Rule(rule.id), rule.place)));
    }
}

/// The setting of this name, if there is one that decisions ask.
fn setting(section: SettingsSection, key: &str) -> Option<Statement> {
    match (section, key) {
        (SettingsSection::Moderation, "managers") => Some(Statement::Managers),
        (SettingsSection::Permissions, key) => key.parse::<Switch>().ok().map(Statement::Switch),
        (SettingsSection::Blocks, key) => key.parse::<Action>().ok().map(Statement::Blocks),
        (SettingsSection::Friendship, "default_approval") => Some(Statement::DefaultApproval),
        (SettingsSection::Limits, "friends") => Some(Statement::FriendsLimit),
        (SettingsSection::Limits, "group_members") => Some(Statement::GroupLimit),
        _ => None,
    }
}
