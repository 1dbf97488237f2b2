//! The settings and relations of a user's record, checked.

use std::collections::BTreeMap;

use super::{RosterEnd, RosterEndOf, UserOverrides, collector::UserCollector};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    policy::{
        actions,
        audiences::{audience_number, audience_word},
        settings::{approval, peers_setting, toggle},
        suggestions::{parse_word, unknown_key},
    },
    request::{
        ActionKey, ActionName, DeclaredAction, Moderation, PeersSetting, Relation, Switch,
        SwitchMap,
    },
    source::Span,
    syntax::ast::{self, TermOf},
};

impl UserCollector<'_> {
    /// Reads the settings and relations of a user, who has no number if they could not be defined.
    pub(super) fn record(
        &mut self,
        id: &ast::Text<'_>,
        number: Option<u32>,
        fields: &ast::UserFields<'_>,
        ends: &mut Vec<RosterEnd>,
        problems: &mut Diagnostics,
    ) {
        let mut own = self.overrides(fields, problems);
        let state = (TermOf::Moderation, 0);
        let of = RosterEndOf::Moderation;
        if self.has_ended(&fields.terms, state, of, ends, problems) {
            own.moderation = Moderation::None;
            self.forget_moderation(number);
        }
        if let (Some(number), true) = (number, own != UserOverrides::default()) {
            self.roster.overrides.push((number, own));
        }
        let lists = [
            (Relation::Contact, &fields.contacts, TermOf::Contacts, None),
            (Relation::Favorite, &fields.favorites, TermOf::Favorites, None),
            (Relation::Pair, &fields.paired, TermOf::Paired, None),
            (Relation::Block, &fields.blocked, TermOf::Blocked, self.checks.blocked),
            (Relation::Friend, &fields.friends, TermOf::Friends, self.checks.friends),
        ];
        for (relation, list, of, limit) in lists {
            let Some(list) = list else { continue };
            let named = (list, &*fields.terms, of);
            let count = self.add_relations(number, id, relation, named, ends, problems);
            if let Some(limit) = limit.filter(|&limit| count > limit as usize) {
                let excess = list.value.get(limit as usize).map_or(list.span, |entry| entry.span);
                problems.push(over_limit(id, relation, count, limit, excess));
            }
        }
    }

    fn overrides(&self, fields: &ast::UserFields<'_>, problems: &mut Diagnostics) -> UserOverrides {
        let mut own = UserOverrides::default();
        if let Some(state) = &fields.moderation {
            let known = Moderation::ALL.iter().map(|state| state.as_str());
            own.moderation =
                parse_word("moderation state", state, known, problems).unwrap_or(Moderation::None);
        }
        let peers = fields.peers.as_ref();
        let peers =
            peers.and_then(|word| Some((word, peers_setting(word, self.audiences, problems)?)));
        own.peers = peers.map(|(word, setting)| match setting {
            PeersSetting::Mode(mode) => PeersSetting::Mode(mode),
            PeersSetting::Audience(_) => PeersSetting::Audience(word.value.to_string()),
        });
        own.approval = fields.approval.as_ref().and_then(|text| approval(text, problems));
        let mut first = SwitchMap::<Option<Span>>::default();
        let mut first_declared = BTreeMap::new();
        for setting in &fields.permissions {
            let Ok(switch) = setting.key.value.parse::<Switch>() else {
                if let Some(action) = self.actions.number(&setting.key.value) {
                    self.own_switch(action, setting, &mut first_declared, &mut own, problems);
                    continue;
                }
                if !self.reported_keys.borrow_mut().insert(setting.key.span) {
                    continue;
                }
                let declared = self.actions.iter().map(|(_, action)| &*action.name);
                let known = Switch::ALL.iter().map(|switch| switch.as_str()).chain(declared);
                problems.push(unknown_key("`permissions`", &setting.key, known));
                continue;
            };
            let toggle = toggle(&setting.value, self.vocabulary, problems);
            if let Some(first) = first[switch] {
                let message = format!("`{switch}` is set twice");
                problems.push(
                    Diagnostic::error(Code::DuplicateSetting, setting.key.span, message)
                        .related(first, "first set here"),
                );
                continue;
            }
            first[switch] = Some(setting.key.span);
            own.permissions.extend(toggle.map(|toggle| (switch, toggle)));
        }
        own.accepts = self.accepts(&fields.accepts, problems);
        own
    }

    /// Reads the switch of a declared action.
    fn own_switch(
        &self,
        action: DeclaredAction,
        setting: &ast::Setting<'_>,
        first: &mut BTreeMap<DeclaredAction, Span>,
        own: &mut UserOverrides,
        problems: &mut Diagnostics,
    ) {
        let toggle = toggle(&setting.value, self.vocabulary, problems);
        if let Some(&first) = first.get(&action) {
            let message = format!("`{}` is set twice", setting.key.value);
            problems.push(
                Diagnostic::error(Code::DuplicateSetting, setting.key.span, message)
                    .related(first, "first set here"),
            );
            return;
        }
        first.insert(action, setting.key.span);
        if let (ActionName::Declared(name), Some(toggle)) =
            (self.actions.name(ActionKey::Declared(action)), toggle)
        {
            own.own_switches.push((name, toggle));
        }
    }

    /// The audiences of a record by action; `None` if it states none.
    fn accepts(
        &self,
        written: &[ast::Setting<'_>],
        problems: &mut Diagnostics,
    ) -> Option<BTreeMap<ActionName, String>> {
        let mut accepts = BTreeMap::new();
        let mut first: BTreeMap<ActionKey, Span> = BTreeMap::new();
        for entry in written {
            let is_reported = self.reported_keys.borrow().contains(&entry.key.span);
            let action = if is_reported {
                None
            } else {
                actions::action(&entry.key, self.actions, problems)
            };
            if action.is_none() {
                self.reported_keys.borrow_mut().insert(entry.key.span);
            }
            let audience = audience_word(&entry.value, problems)
                .filter(|name| audience_number(name, self.audiences, problems).is_some());
            let (Some(action), Some(audience)) = (action, audience) else { continue };
            if let Some(&first) = first.get(&action) {
                let message = format!("`{}` is set twice", entry.key.value);
                problems.push(
                    Diagnostic::error(Code::DuplicateSetting, entry.key.span, message)
                        .related(first, "first set here"),
                );
                continue;
            }
            first.insert(action, entry.key.span);
            accepts.insert(self.actions.name(action), audience.value.into_owned());
        }
        (!written.is_empty()).then_some(accepts)
    }
}

fn over_limit(
    id: &ast::Text<'_>,
    relation: Relation,
    count: usize,
    limit: u32,
    excess: Span,
) -> Diagnostic {
    let id = id.value.escape_debug();
    let (message, name) = match relation {
        Relation::Block => (format!("`{id}` blocks too many users"), "blocked"),
        Relation::Contact | Relation::Favorite | Relation::Pair | Relation::Friend => {
            (format!("`{id}` has too many friends"), "friends")
        }
    };
    let message = format!("{message}, {count}; the limit is {limit}");
    Diagnostic::error(Code::OverLimit, excess, message)
        .hint(format!("shorten the list, or raise `limits.{name}`"))
}
