//! The fields of a user that a file may declare and a record may set.

use std::{borrow::Cow, collections::BTreeMap, fmt::Display, sync::Arc};

use crate::{
    facts::{SwitchSetting, UserRecord},
    policy::{self, UserOverrides},
    request::{
        ActionName, Approval, AudienceSlot, DeclaredField, DeclaredFields, Moderation,
        PeersSetting, Switch, SwitchMap, Toggle,
    },
    snapshot::{OverridesChange, OwnSetting, Population, RecordOverrides, TagId, UserNumber},
};

/// The fields of a user, each `None` where nothing sets it, over tags of type `T`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct UserFieldValues<T> {
    /// In order.
    pub(crate) tags: Option<Vec<T>>,
    pub(crate) peers: Option<PeersSetting<String>>,
    pub(crate) moderation: Option<Moderation>,
    pub(crate) approval: Option<Approval>,
    pub(crate) permissions: SwitchMap<Option<Toggle<T>>>,
    /// The names of audiences, by action.
    pub(crate) accepts: Option<BTreeMap<ActionName, String>>,
    /// The switches of declared actions.
    pub(crate) own_switches: BTreeMap<Arc<str>, OwnSetting<T>>,
}

/// Whether there is such a user: a file declares them, or the API created them.
pub(crate) fn user_exists(declared: DeclaredFields, record: &UserRecord) -> bool {
    declared.contains(DeclaredField::Itself) || record.created
}

/// The names of the fields that files declare of a user.
pub(crate) fn declared_user_fields(declared: DeclaredFields) -> impl Iterator<Item = String> {
    let fields: Vec<DeclaredField> =
        UserFieldValues::<TagId>::default().each().map(|(field, _)| field).collect();
    fields.into_iter().filter(move |&field| declared.contains(field)).map(user_field_name)
}

/// The name of a field, as records and the API have it.
pub(crate) fn user_field_name(field: DeclaredField) -> String {
    match field {
        DeclaredField::Itself => "user".to_owned(),
        DeclaredField::Tags => "tags".to_owned(),
        DeclaredField::Peers => "peers".to_owned(),
        DeclaredField::Moderation => "moderation".to_owned(),
        DeclaredField::Approval => "approval".to_owned(),
        DeclaredField::Accepts => "accepts".to_owned(),
        DeclaredField::Permission(switch) => format!("permissions.{switch}"),
    }
}

/// The setting of a switch as records hold it, conditions in canonical text.
pub(crate) fn switch_setting<T: Display>(toggle: &Toggle<T>) -> SwitchSetting {
    match toggle {
        Toggle::Always(on) => SwitchSetting::Always(*on),
        Toggle::When(condition) => SwitchSetting::When(condition.to_string()),
    }
}

/// The setting of a switch by a record. Records hold checked texts only; one that can't be parsed
/// refuses.
fn toggle(setting: &SwitchSetting) -> Toggle<String> {
    match setting {
        SwitchSetting::Always(on) => Toggle::Always(*on),
        SwitchSetting::When(text) => {
            policy::parse_condition(text).map_or(Toggle::Always(false), Toggle::When)
        }
    }
}

impl<T> Default for UserFieldValues<T> {
    fn default() -> Self {
        Self {
            tags: None,
            peers: None,
            moderation: None,
            approval: None,
            permissions: SwitchMap::default(),
            accepts: None,
            own_switches: BTreeMap::new(),
        }
    }
}

impl<T> UserFieldValues<T> {
    /// The effective fields: those that files declare as `declared` has them, the others as the record
    /// has them.
    pub(crate) fn merge(declared: Self, fields: DeclaredFields, recorded: Self) -> Self {
        let Self { tags, peers, moderation, approval, mut permissions, accepts, own_switches } =
            recorded;
        // What a file states of one action, a record does not change; others it may.
        let mut merged = declared.own_switches;
        merged.retain(|_, setting| setting.is_declared);
        for (action, setting) in own_switches {
            merged.entry(action).or_insert(setting);
        }
        let mut declared_permissions = declared.permissions;
        for (switch, setting) in permissions.iter_mut() {
            let field = DeclaredField::Permission(switch);
            *setting = pick(fields, field, declared_permissions[switch].take(), setting.take());
        }
        Self {
            tags: pick(fields, DeclaredField::Tags, declared.tags, tags),
            peers: pick(fields, DeclaredField::Peers, declared.peers, peers),
            moderation: pick(fields, DeclaredField::Moderation, declared.moderation, moderation),
            approval: pick(fields, DeclaredField::Approval, declared.approval, approval),
            permissions,
            accepts: pick(fields, DeclaredField::Accepts, declared.accepts, accepts),
            own_switches: merged,
        }
    }

    /// Only those fields that files declare.
    pub(crate) fn declared_part(self, fields: DeclaredFields) -> Self {
        Self::merge(self, fields, Self::default())
    }

    /// The fields that are set here and declared by files, which shadow them.
    pub(crate) fn shadowed_by(
        &self,
        fields: DeclaredFields,
    ) -> impl Iterator<Item = DeclaredField> {
        let shadowed =
            move |&(field, is_set): &(DeclaredField, bool)| is_set && fields.contains(field);
        self.each().filter(shadowed).map(|(field, _)| field)
    }

    /// The setting of a switch.
    pub(crate) fn permission(&self, switch: Switch) -> Option<&Toggle<T>> {
        self.permissions[switch].as_ref()
    }

    /// The switches that are set.
    pub(crate) fn set_permissions(&self) -> impl Iterator<Item = (Switch, &Toggle<T>)> {
        self.permissions.iter().filter_map(|(switch, setting)| Some((switch, setting.as_ref()?)))
    }

    /// The same fields over other tags.
    pub(crate) fn map<U: Ord>(&self, tag: &mut impl FnMut(&T) -> U) -> UserFieldValues<U> {
        let Self { tags, peers, moderation, approval, permissions, accepts, own_switches } = self;
        let tags = tags.as_ref().map(|tags| {
            let mut tags: Vec<U> = tags.iter().map(&mut *tag).collect();
            tags.sort_unstable();
            tags
        });
        UserFieldValues {
            tags,
            peers: peers.clone(),
            moderation: *moderation,
            approval: *approval,
            permissions: permissions.map(|setting| setting.as_ref().map(|toggle| toggle.map(tag))),
            accepts: accepts.clone(),
            own_switches: own_switches
                .iter()
                .map(|(action, OwnSetting { toggle, is_declared })| {
                    let setting = OwnSetting { toggle: toggle.map(tag), is_declared: *is_declared };
                    (Arc::clone(action), setting)
                })
                .collect(),
        }
    }

    /// Each field, and whether it is set.
    fn each(&self) -> impl Iterator<Item = (DeclaredField, bool)> {
        let Self { tags, peers, moderation, approval, permissions, accepts, own_switches: _ } =
            self;
        let whole = [
            (DeclaredField::Tags, tags.is_some()),
            (DeclaredField::Peers, peers.is_some()),
            (DeclaredField::Moderation, moderation.is_some()),
            (DeclaredField::Approval, approval.is_some()),
            (DeclaredField::Accepts, accepts.is_some()),
        ];
        let switches = permissions
            .iter()
            .map(|(switch, setting)| (DeclaredField::Permission(switch), setting.is_some()));
        whole.into_iter().chain(switches)
    }
}

fn pick<V>(
    fields: DeclaredFields,
    field: DeclaredField,
    declared: Option<V>,
    recorded: Option<V>,
) -> Option<V> {
    if fields.contains(field) { declared } else { recorded }
}

// === impl UserFieldValues: records and files ===

impl<'r> UserFieldValues<Cow<'r, str>> {
    /// The fields that a record sets.
    pub(crate) fn from_record(record: &'r UserRecord) -> Self {
        let UserRecord {
            created: _,
            tags,
            peers,
            permissions,
            own_permissions,
            moderation,
            approval,
            accepts,
            attributes: _,
            contacts: _,
            favorites: _,
            paired: _,
            blocked: _,
            friends: _,
            requests: _,
            friend_lists: _,
            moderation_terms: _,
            replaced_moderation: _,
            terms: _,
        } = record;
        let tags = tags.as_ref();
        Self {
            tags: tags.map(|tags| tags.iter().map(|tag| Cow::Borrowed(tag.as_str())).collect()),
            peers: peers.clone(),
            moderation: *moderation,
            approval: *approval,
            permissions: SwitchMap::from_fn(|switch| {
                let setting = permissions.get(&switch)?;
                Some(toggle(setting).map(&mut |tag| Cow::Owned(tag.clone())))
            }),
            accepts: (!accepts.is_empty()).then(|| {
                let entries = accepts.iter();
                entries.map(|(action, name)| (action.clone(), name.clone())).collect()
            }),
            own_switches: own_permissions
                .iter()
                .map(|(action, setting)| {
                    let toggle = toggle(setting).map(&mut |tag| Cow::Owned(tag.clone()));
                    (Arc::from(action.as_str()), OwnSetting { toggle, is_declared: false })
                })
                .collect(),
        }
    }

    /// The fields that files declare, without tags.
    pub(crate) fn from_roster(overrides: UserOverrides) -> Self {
        let UserOverrides {
            moderation,
            peers,
            approval,
            permissions,
            accepts,
            own_switches,
            recorded_switches: _,
        } = overrides;
        let moderation = Some(moderation);
        let mut fields = Self { peers, moderation, approval, accepts, ..Self::default() };
        for (action, toggle) in own_switches {
            let toggle = toggle.map(&mut |tag| Cow::Owned(tag.clone()));
            fields.own_switches.insert(action, OwnSetting { toggle, is_declared: true });
        }
        for (switch, toggle) in permissions {
            fields.permissions[switch] = Some(toggle.map(&mut |tag| Cow::Owned(tag.clone())));
        }
        fields
    }

    /// The overrides of a roster, without tags.
    pub(crate) fn to_roster(&self) -> UserOverrides {
        let Self { tags: _, peers, moderation, approval, permissions: _, accepts, own_switches } =
            self;
        let switches = |is_declared: bool| {
            let those = own_switches.iter().filter(move |(_, it)| it.is_declared == is_declared);
            let text = |tag: &Cow<'_, str>| tag.clone().into_owned();
            those
                .map(|(action, it)| (Arc::clone(action), it.toggle.map(&mut |tag| text(tag))))
                .collect()
        };
        let permissions = self.set_permissions();
        UserOverrides {
            moderation: moderation.unwrap_or(Moderation::None),
            peers: peers.clone(),
            approval: *approval,
            permissions: permissions
                .map(|(switch, toggle)| (switch, toggle.map(&mut |tag| tag.clone().into_owned())))
                .collect(),
            accepts: accepts.clone(),
            own_switches: switches(true),
            recorded_switches: switches(false),
        }
    }
}

// === impl UserFieldValues: views ===

impl UserFieldValues<TagId> {
    /// The effective fields of a user as a view holds them.
    pub(crate) fn from_population(population: &Population, user: UserNumber) -> Self {
        let (own, conditions) = population.overrides(user);
        let (mut peers, mut accepts) = (own.peers().map(PeersSetting::Mode), BTreeMap::new());
        for (slot, name) in population.own_audiences.of_user(user) {
            match slot {
                AudienceSlot::Peers => peers = Some(PeersSetting::Audience(name.to_owned())),
                AudienceSlot::Action(action) => {
                    accepts.insert(action.clone(), name.to_owned());
                }
            }
        }
        let own_switches = population.own_switches.of_user(user);
        let own_switches =
            own_switches.map(|it| (Arc::clone(&it.action), it.setting.clone())).collect();
        let mut permissions = SwitchMap::from_fn(|switch| own.switch(switch).map(Toggle::Always));
        for &(_, switch, ref condition) in conditions {
            permissions[switch] = Some(Toggle::When(condition.clone()));
        }
        Self {
            tags: Some(population.directory.tags(user).iter().collect()),
            peers,
            moderation: Some(own.moderation()),
            approval: own.approval(),
            permissions,
            accepts: Some(accepts).filter(|accepts| !accepts.is_empty()),
            own_switches,
        }
    }

    /// The tags and overrides that a view is to hold.
    pub(crate) fn into_changes(self) -> (Vec<TagId>, OverridesChange) {
        let Self { tags, peers, moderation, approval, mut permissions, accepts, own_switches } =
            self;
        let mut own =
            RecordOverrides::default().with_moderation(moderation.unwrap_or(Moderation::None));
        if let Some(setting) = &peers {
            own = own.with_peers_setting(setting);
        }
        if let Some(approval) = approval {
            own = own.with_approval(approval);
        }
        let mut conditions = Vec::new();
        for (switch, setting) in permissions.iter_mut() {
            match setting.take() {
                None => {}
                Some(Toggle::Always(on)) => own = own.with_switch(switch, on),
                Some(Toggle::When(condition)) => conditions.push((switch, condition)),
            }
        }
        let mut audiences = Vec::new();
        if let Some(PeersSetting::Audience(name)) = peers {
            audiences.push((AudienceSlot::Peers, name));
        }
        let accepts = accepts.unwrap_or_default().into_iter();
        audiences.extend(accepts.map(|(action, name)| (AudienceSlot::Action(action), name)));
        let switches = own_switches.into_iter().collect();
        (tags.unwrap_or_default(), OverridesChange { own, conditions, audiences, switches })
    }
}
