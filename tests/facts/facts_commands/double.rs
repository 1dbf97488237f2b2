//! A plain interpreter of records with a few facts that files state: the world that commands are
//! planned in.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

use peerage::{
    facts::{
        Authority, ChangeBuffer, ChangeSet, Command, CommandError, CommandSender, Declarable,
        Declaration, FileLine, GroupRecord, Member, PermissionKey, PlanContext, PlanError,
        PlanSettings, Record, RecordKey, RecordSource, References, RefusalReason, SwitchSetting,
        UnixMillis, UserField, UserRecord, Version, plan,
    },
    request::{
        self, Action, Approval, BlockMode, Decision, Limits, Moderation, Relation, Request,
        Resource, Role,
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

/// What files state: users and groups as records would hold them.
#[derive(Clone, Default)]
pub(crate) struct Files {
    pub(crate) users: BTreeMap<String, UserRecord>,
    pub(crate) groups: BTreeMap<String, GroupRecord>,
    pub(crate) conversations: BTreeSet<RecordKey>,
    pub(crate) rules: BTreeMap<Uuid, String>,
}

#[derive(Clone)]
pub(crate) struct Double {
    pub(crate) files: Files,
    pub(crate) settings: PlanSettings,
    pub(crate) declared: BTreeSet<String>,
    /// The tags that are protected, and whose word commands are.
    pub(crate) protected: BTreeSet<String>,
    pub(crate) sender: CommandSender,
    pub(crate) managers: BTreeSet<String>,
    /// What is denied, by the subject, the action and what it is about.
    pub(crate) denied: BTreeMap<(String, Action, String), request::Reason>,
    /// The obligations with which everything else is allowed.
    pub(crate) obligations: Vec<request::Obligation>,
    pub(crate) committed: BTreeMap<RecordKey, (Version, Record)>,
    pub(crate) revision: u64,
    /// With what the batch changed so far.
    working: BTreeMap<RecordKey, Record>,
    ids: Cell<u128>,
    now: Cell<UnixMillis>,
}

/// The records as they were committed.
struct Committed(BTreeMap<RecordKey, (Version, Record)>);

impl RecordSource for Committed {
    type Error = Infallible;

    fn get(&self, key: &RecordKey) -> Result<Option<(Version, Record)>, Infallible> {
        Ok(self.0.get(key).cloned())
    }
}

/// What came of a batch.
pub(crate) struct Ran {
    /// Of every command, as it is answered.
    pub(crate) outcomes: Vec<Value>,
    pub(crate) changes: Option<ChangeSet>,
}

impl Double {
    pub(crate) fn new(files: Files) -> Self {
        Self {
            files,
            settings: PlanSettings {
                limits: Limits::default(),
                approval: Approval::AllowAny,
                blocks: BlockMode::TwoWay,
                blocks_end_friendship: false,
            },
            declared: ["Berlin", "Munich", "premium"].map(str::to_owned).into(),
            protected: BTreeSet::new(),
            sender: CommandSender::new(Authority::Administrator, "admin-token"),
            managers: BTreeSet::new(),
            denied: BTreeMap::new(),
            obligations: Vec::new(),
            committed: BTreeMap::new(),
            revision: 0,
            working: BTreeMap::new(),
            ids: Cell::new(0),
            now: Cell::new(1000),
        }
    }

    /// Plans a batch and commits it, if all of it can be.
    pub(crate) fn run(&mut self, commands: &[Command]) -> Ran {
        let records = Committed(self.committed.clone());
        let before = self.working.clone();
        let mut batch = ChangeBuffer::default();
        let mut outcomes = Vec::new();
        for (at, command) in commands.iter().enumerate() {
            match plan(&mut batch, command, &self.sender, self, &records) {
                Ok(planned) => {
                    assert_eq!(planned.outcome.changed, !planned.changes.is_empty());
                    for change in planned.changes {
                        assert_eq!(change.old.as_deref(), self.working.get(&change.key));
                        assert_ne!(change.old, change.new);
                        match change.new {
                            Some(record) => self.working.insert(change.key, (*record).clone()),
                            None => self.working.remove(&change.key),
                        };
                    }
                    outcomes.push(planned.outcome.encode());
                }
                Err(PlanError::RecordUnreadable(never)) => match never {},
                Err(PlanError::Refused(refusal)) => {
                    self.working = before;
                    let applied = |other| if other == at { &refusal } else { &NOT };
                    let all = (0..commands.len()).map(|other| applied(other).encode());
                    return Ran { outcomes: all.collect(), changes: None };
                }
            }
        }
        let changes = batch.into_change_set();
        self.commit(&changes);
        Ran { outcomes, changes: Some(changes) }
    }

    fn commit(&mut self, changes: &ChangeSet) {
        let read: BTreeSet<&RecordKey> = changes.reads.iter().map(|read| &read.key).collect();
        assert_eq!(read.len(), changes.reads.len(), "each key is read once");
        for read in &changes.reads {
            assert_eq!(read.version, self.committed.get(&read.key).map(|(version, _)| *version));
        }
        self.revision += u64::from(!changes.is_empty());
        for write in &changes.writes {
            assert!(read.contains(&write.key), "all that is written was read");
            match &write.record {
                Some(record) => {
                    let entry = (self.revision, record.clone());
                    assert_ne!(
                        self.committed.insert(write.key.clone(), entry.clone()),
                        Some(entry)
                    );
                }
                None => assert!(self.committed.remove(&write.key).is_some()),
            }
        }
        let now: BTreeMap<RecordKey, Record> =
            self.committed.iter().map(|(key, (_, record))| (key.clone(), record.clone())).collect();
        assert_eq!(now, self.working, "the changes of the commands are what is written");
        self.now.set(self.now.get() + 1);
    }

    pub(crate) fn record(&self, key: &RecordKey) -> Option<&Record> {
        self.working.get(key)
    }

    pub(crate) fn user(&self, id: &str) -> UserRecord {
        match self.working.get(&RecordKey::User(id.to_owned())) {
            Some(Record::User(user)) => (**user).clone(),
            _ => UserRecord::default(),
        }
    }

    pub(crate) fn group(&self, id: &str) -> GroupRecord {
        match self.working.get(&RecordKey::Group(id.to_owned())) {
            Some(Record::Group(group)) => (**group).clone(),
            _ => GroupRecord::default(),
        }
    }

    /// Those to whom a user has this edge, by files and records.
    pub(crate) fn edges(&self, user: &str, relation: Relation) -> BTreeSet<String> {
        let stated = self.files.users.get(user).cloned().unwrap_or_default();
        let recorded = self.user(user);
        let is_stated = |other: &str| stated.edges(relation).any(|known| known == other);
        let both = stated.edges(relation).chain(recorded.edges(relation));
        both.filter(|other| self.knows_user(other))
            .filter(|other| {
                relation != Relation::Friend || !is_stated(other) || !self.is_ended(user, other)
            })
            .map(str::to_owned)
            .collect()
    }

    /// Whether a friendship of these two that files state counts as ended.
    fn is_ended(&self, one: &str, other: &str) -> bool {
        let blocks = |from: &str, to: &str| {
            let stated =
                self.files.users.get(from).is_some_and(|user| user.has_edge(Relation::Block, to));
            stated || self.user(from).has_edge(Relation::Block, to)
        };
        self.settings.blocks_end_friendship && (blocks(one, other) || blocks(other, one))
    }

    /// All members of a group and what they are, by files and records.
    pub(crate) fn roles(&self, group: &str) -> BTreeMap<String, Role> {
        let stated = self.files.groups.get(group).cloned().unwrap_or_default().members;
        let mut all = self.group(group).members;
        all.extend(stated);
        let known = all.into_iter().filter(|(user, _)| self.knows_user(user));
        known.map(|(user, member)| (user, member.role)).collect()
    }

    pub(crate) fn moderation(&self, user: &str) -> Moderation {
        let stated = self.files.users.get(user).and_then(|user| user.moderation);
        stated.or(self.user(user).moderation).unwrap_or(Moderation::None)
    }

    /// Whether a user has the one tag that a group requires; conditions here name no more.
    fn qualifies(&self, group: &str, user: &str) -> bool {
        let stated = self.files.groups.get(group).and_then(|group| group.requires.clone());
        let requires = stated.or(self.group(group).requires).unwrap_or_default();
        let tag = requires.trim_start_matches("hasTag(").trim_end_matches(')');
        let stated = self.files.users.get(user).and_then(|user| user.tags.clone());
        let tags = stated.or(self.user(user).tags).unwrap_or_default();
        tags.contains(tag) && self.moderation(user) != Moderation::Banned
    }

    /// The members whom a group requires; `None` if it requires nobody.
    fn qualified(&self, group: &str) -> Option<Vec<String>> {
        let stated = self.files.groups.get(group).and_then(|group| group.requires.clone());
        stated.or(self.group(group).requires)?;
        let all = self.roles(group).into_keys();
        Some(all.filter(|member| self.qualifies(group, member)).collect())
    }

    fn value(&self, what: &Declarable<'_>) -> Option<Value> {
        let user = |id: &str| self.files.users.get(id);
        let group = |id: &str| self.files.groups.get(id);
        match *what {
            Declarable::User(id) => user(id).map(|_| Value::Null),
            Declarable::UserField(id, field) => {
                let user = user(id)?;
                match field {
                    UserField::Tags => user.tags.as_ref().map(|tags| json!(tags)),
                    UserField::Peers => user.peers.as_ref().map(|peers| json!(peers)),
                    UserField::Switch(switch) => {
                        user.permissions.get(&switch).map(|set| json!(set))
                    }
                    UserField::Moderation => user.moderation.map(|state| json!(state)),
                    UserField::Approval => user.approval.map(|approval| json!(approval)),
                    UserField::Accepts => (!user.accepts.is_empty()).then(|| json!(user.accepts)),
                }
            }
            Declarable::OwnSwitch(id, action) => {
                user(id)?.own_permissions.get(action).map(|set| json!(set))
            }
            Declarable::Edge(from, relation, to) => {
                let is_there = user(from)?.edges(relation).any(|other| other == to);
                is_there.then_some(Value::Null)
            }
            Declarable::Group(id) => group(id).map(|_| Value::Null),
            Declarable::Matrix(id) => group(id)?.matrix.as_ref().map(|matrix| json!(matrix)),
            Declarable::Creator(id) => group(id)?.creator.as_ref().map(|creator| json!(creator)),
            Declarable::Member(id, user) => {
                group(id)?.members.get(user).map(|member: &Member| json!(member.role))
            }
            Declarable::GroupMute(id, user) => {
                group(id)?.muted.contains_key(user).then_some(Value::Null)
            }
            Declarable::GroupBan(id, user) => {
                group(id)?.banned.contains_key(user).then_some(Value::Null)
            }
            Declarable::Requirement(id) => group(id)?.requires.as_ref().map(|text| json!(text)),
            Declarable::Conversation(one, other) => {
                let key = RecordKey::conversation(one, other);
                self.files.conversations.contains(&key).then_some(Value::Null)
            }
            Declarable::Rule(id) => self.files.rules.get(&id).map(|_| Value::Null),
        }
    }
}

static NOT: std::sync::LazyLock<CommandError> = std::sync::LazyLock::new(CommandError::not_applied);

impl PlanContext for Double {
    fn knows_user(&self, id: &str) -> bool {
        self.files.users.contains_key(id) || self.user(id).created
    }

    fn knows_group(&self, id: &str) -> bool {
        self.files.groups.contains_key(id) || self.group(id).created
    }

    fn declaration(&self, what: &Declarable<'_>) -> Option<Declaration> {
        let place = FileLine { file: "policy.yaml".to_owned(), line: 7 };
        self.value(what).map(|value| Declaration { place, value })
    }

    fn friend_count(&self, user: &str) -> usize {
        self.edges(user, Relation::Friend).len()
    }

    fn blocked_count(&self, user: &str) -> usize {
        self.edges(user, Relation::Block).len()
    }

    fn member_count(&self, group: &str) -> usize {
        self.roles(group).len()
    }

    fn super_admin_count(&self, group: &str) -> usize {
        self.roles(group).values().filter(|&&role| role == Role::SuperAdmin).count()
    }

    fn meets_requirement(&self, group: &str, user: &str) -> bool {
        let is_met = self.qualified(group).is_none_or(|all| !all.is_empty());
        is_met || self.qualifies(group, user)
    }

    fn is_last_required(&self, group: &str, user: &str) -> bool {
        self.qualified(group).is_some_and(|all| all == [user])
    }

    fn references(&self, id: &str) -> References {
        let mut around = References::default();
        for (key, record) in &self.working {
            match (key, record) {
                (RecordKey::User(other), Record::User(user)) => {
                    let edges = Relation::ALL.iter().flat_map(|relation| user.edges(*relation));
                    if edges.chain(user.requests.keys().map(String::as_str)).any(|to| to == id) {
                        around.users.push(other.clone());
                    }
                }
                (RecordKey::Group(name), Record::Group(group))
                    if group.members.contains_key(id)
                        || group.muted.contains_key(id)
                        || group.banned.contains_key(id)
                        || group.creator.as_deref() == Some(id) =>
                {
                    around.groups.push(name.clone());
                }
                (RecordKey::Conversation(one, other), _) if one == id => {
                    around.conversations.push(other.clone());
                }
                (RecordKey::Conversation(other, one), _) if one == id => {
                    around.conversations.push(other.clone());
                }
                _ => {}
            }
        }
        around
    }

    fn rule_by_name(&self, name: &str) -> Option<Uuid> {
        let stated = self.files.rules.iter().find(|(_, other)| *other == name).map(|(id, _)| *id);
        let recorded = || {
            self.working.iter().find_map(|(key, record)| match (key, record) {
                (RecordKey::Rule(id), Record::Rule(rule)) if rule.name.as_deref() == Some(name) => {
                    Some(*id)
                }
                _ => None,
            })
        };
        stated.or_else(recorded)
    }

    fn settings(&self) -> PlanSettings {
        self.settings
    }

    fn check_tag(&self, tag: &str) -> Result<(), CommandError> {
        if self.declared.contains(tag) {
            return Ok(());
        }
        Err(CommandError::new(
            RefusalReason::UnknownTag,
            format!("no tag `{tag}`; did you mean `Munich`?"),
        ))
    }

    fn is_protected_tag(&self, tag: &str) -> bool {
        self.protected.contains(tag)
    }

    fn check_matrix(&self, name: &str) -> Result<(), CommandError> {
        if ["all_members", "admins_only", "dm", "team"].contains(&name) {
            return Ok(());
        }
        Err(CommandError::new(RefusalReason::UnknownMatrix, format!("no matrix `{name}`")))
    }

    fn check_declared_action(&self, name: &str) -> Result<(), CommandError> {
        if name == "mention" {
            return Ok(());
        }
        Err(CommandError::new(RefusalReason::Invalid, format!("no permission `{name}`")))
    }

    fn check_accepted_action(&self, name: &str) -> Result<(), CommandError> {
        self.check_declared_action(name)
    }

    fn check_audience(&self, name: &str) -> Result<(), CommandError> {
        if ["everyone", "contacts", "nobody", "close"].contains(&name) {
            return Ok(());
        }
        let problem = format!("no audience `{name}`");
        Err(CommandError::new(RefusalReason::UnknownAudience, problem))
    }

    fn check_peers_audience(&self, name: &str) -> Result<(), CommandError> {
        if name == "close" {
            return Ok(());
        }
        let problem = format!("no audience `{name}`");
        Err(CommandError::new(RefusalReason::UnknownAudience, problem))
    }

    fn canonical_condition(&self, text: &str) -> Result<String, CommandError> {
        let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let tag = bare.strip_prefix("hasTag(").and_then(|rest| rest.strip_suffix(')'));
        let Some(tag) = tag else {
            return Err(CommandError::new(RefusalReason::InvalidCondition, "expected hasTag"));
        };
        self.check_tag(tag)?;
        Ok(bare)
    }

    fn canonical_matrix_value(
        &self,
        _: &PermissionKey,
        text: &str,
    ) -> Result<String, CommandError> {
        let bare = text.trim();
        match bare.parse::<request::Grant>() {
            Ok(_) => Ok(bare.to_owned()),
            Err(error) => Err(CommandError::new(RefusalReason::InvalidValue, error.to_string())),
        }
    }

    fn decide(&self, request: &Request<'_>) -> Decision {
        let subject = request.subject.id;
        let about = match &request.resource {
            Resource::None => "",
            Resource::User(user) => user.id,
            Resource::Group(group) => group.id,
        };
        let manages = matches!(
            request.action,
            Action::Ban | Action::Silence | Action::Shadow | Action::Reactivate | Action::ListUsers
        );
        assert_eq!(request.action.takes_member(), request.member.is_some());
        assert_eq!(request.action.takes_field(), request.field.is_some());
        assert!(request.action.takes().contains(&request.resource.kind()));
        let denied = self.denied.get(&(subject.to_owned(), request.action, about.to_owned()));
        if !self.knows_user(subject) {
            Decision::denied(request::Reason::UnknownSubject)
        } else if self.moderation(subject) == Moderation::Banned {
            Decision::denied(request::Reason::Banned)
        } else if manages && !self.managers.contains(subject) {
            Decision::denied(request::Reason::NotManager)
        } else {
            let obligations = self.obligations.iter().copied().collect();
            let allowed = Decision { obligations, ..Decision::ALLOWED };
            denied.map_or(allowed, |&reason| Decision::denied(reason))
        }
    }

    fn now(&self) -> UnixMillis {
        self.now.get()
    }

    fn new_id(&self) -> Uuid {
        self.ids.set(self.ids.get() + 1);
        Uuid::from_u128(self.ids.get())
    }
}

/// The files of the cases: `fay` and `fred` are friends, and `fay` has all that can be stated.
pub(crate) fn files() -> Files {
    let set = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect::<BTreeSet<String>>();
    let fay = UserRecord {
        tags: Some(set(&["Berlin"])),
        peers: Some(request::PeersSetting::Mode(request::PeersMode::Contacts)),
        permissions: [(request::Switch::Incoming, SwitchSetting::Always(false))].into(),
        own_permissions: [("mention".to_owned(), SwitchSetting::Always(false))].into(),
        moderation: Some(Moderation::Silenced),
        approval: Some(Approval::NeedConfirm),
        accepts: [(Action::StartChat.into(), "contacts".to_owned())].into(),
        contacts: set(&["fred"]),
        favorites: set(&["fritz"]),
        paired: set(&["fred"]),
        blocked: [("fritz".to_owned(), 0)].into(),
        friends: [("fred".to_owned(), peerage::facts::Friend::default())].into(),
        ..UserRecord::default()
    };
    let fred = UserRecord {
        friends: [("fay".to_owned(), peerage::facts::Friend::default())].into(),
        ..UserRecord::default()
    };
    let member = Member::new;
    let staff = GroupRecord {
        matrix: Some("team".to_owned()),
        creator: Some("fay".to_owned()),
        members: [
            ("fay".to_owned(), member(Role::SuperAdmin)),
            ("fred".to_owned(), member(Role::Member)),
        ]
        .into(),
        ..GroupRecord::default()
    };
    let users = [("fay", fay), ("fred", fred), ("fritz", UserRecord::default())];
    Files {
        users: users.map(|(id, user)| (id.to_owned(), user)).into(),
        groups: [("staff".to_owned(), staff), ("open".to_owned(), GroupRecord::default())].into(),
        conversations: [RecordKey::conversation("fay", "fred")].into(),
        rules: [(Uuid::from_u128(0xf11e), "headquarters".to_owned())].into(),
    }
}
