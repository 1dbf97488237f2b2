//! Commands that restore a record.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ByUser, Command, FieldTerms, FriendFields, GroupFieldTerms, GroupFields, Id, Op, Patch,
    PermissionKey, RequestFields, SwitchKey, TagName, UserFields, UserPair,
};
use crate::{
    facts::{
        Friend, GroupRecord, GroupRestriction, ListTerms, PendingRequest, Record, RecordKey,
        SwitchSetting, Terms, UserRecord,
    },
    request::{Moment, Role, UserList},
};

impl Command {
    /// The number of stages in which records are restored.
    pub const STAGES: usize = 3;

    /// The commands that restore a record where there is none, by stage. A stage may begin when the one
    /// before is done for all records, since it names others or undoes what they say.
    ///
    /// A user or group that a file stated and no longer states becomes one of the API.
    pub fn restore_commands(key: &RecordKey, record: &Record) -> [Option<Self>; Self::STAGES] {
        let op = |op: Op| Some(Self::from(op));
        match (key, record) {
            (RecordKey::User(id), Record::User(user)) => {
                let Ok(id) = Id::new(id) else { return [None, None, None] };
                user_stages(user)
                    .map(|fields| op(Op::PutUser { user: id.clone(), fields: Box::new(fields) }))
            }
            (RecordKey::Group(id), Record::Group(group)) => {
                let fields = Box::new(group_fields(group));
                [None, None, Id::new(id).ok().and_then(|group| op(Op::PutGroup { group, fields }))]
            }
            (RecordKey::Conversation(one, other), Record::Conversation(conversation)) => {
                let since = Some(conversation.since);
                let users = Id::new(one).ok().zip(Id::new(other).ok());
                let users = users.map(|(one, other)| UserPair(one, other));
                [None, None, users.and_then(|users| op(Op::OpenConversation { users, since }))]
            }
            (RecordKey::Rule(id), Record::Rule(rule)) => {
                let put = Op::PutRule {
                    rule_id: Some(*id),
                    condition: rule.condition.clone(),
                    outcome: parse_tags(&rule.outcome),
                    description: rule.description.clone(),
                    name: rule.name.clone(),
                };
                [op(put), None, None]
            }
            _ => [None, None, None],
        }
    }
}

/// A user's own fields; then the relations; and last the friends, since new blocks may end friendships.
fn user_stages(user: &UserRecord) -> [UserFields; Command::STAGES] {
    let fields = UserFields {
        tags: user.tags.as_ref().map_or(Patch::Keep, |all| Patch::Set(parse_tags(all))),
        peers: to_patch(user.peers.as_ref()),
        permissions: Some(switches(user)),
        moderation: to_patch(user.moderation.as_ref()),
        approval: to_patch(user.approval.as_ref()),
        accepts: to_patch(Some(&user.accepts).filter(|accepts| !accepts.is_empty())),
        attributes: Some(to_assignments(&user.attributes)),
        friend_lists: Some(user.friend_lists.clone()),
        terms: FieldTerms {
            lists: list_terms(user, |list| list == UserList::Tags),
            moderation: user.moderation_terms.as_deref().cloned().unwrap_or_default(),
        },
        ..UserFields::default()
    };
    let edges = UserFields {
        contacts: Some(parse_ids(&user.contacts)),
        favorites: Some(parse_ids(&user.favorites)),
        paired: Some(parse_ids(&user.paired)),
        blocked: Some(by_user(&user.blocked, |&since| Some(since))),
        terms: FieldTerms {
            lists: list_terms(user, |list| list != UserList::Tags),
            ..FieldTerms::default()
        },
        ..UserFields::default()
    };
    let friends = UserFields {
        friends: Some(by_user(&user.friends, friend_fields)),
        requests: Some(by_user(&user.requests, request_fields)),
        ..UserFields::default()
    };
    [fields, edges, friends]
}

/// The terms of elements of some lists.
fn list_terms(user: &UserRecord, is_one: impl Fn(UserList) -> bool) -> ListTerms {
    let lists = user.terms.iter().filter(|(list, _)| is_one(**list));
    lists.map(|(&list, terms)| (list, terms.clone())).collect()
}

fn group_fields(group: &GroupRecord) -> GroupFields {
    let of = |role: Role| {
        let members = group.members.iter().filter(move |(_, member)| member.role == role);
        Some(parse_ids(members.map(|(id, _)| id)))
    };
    let by = |(id, member): (&String, &crate::facts::Member)| {
        Id::new(id).ok().zip(Id::new(member.by.as_deref()?).ok())
    };
    let kept = |(id, member): (&String, &crate::facts::Member)| {
        Some((Id::new(id).ok()?, member.attributes.clone())).filter(|(_, kept)| !kept.is_empty())
    };
    let permission = |(key, value): (&String, &String)| {
        Some((PermissionKey::parse(key).ok()?, Some(value.clone())))
    };
    GroupFields {
        new: None,
        matrix: to_patch(group.matrix.as_ref()),
        creator: to_patch(group.creator.as_deref().and_then(|id| Id::new(id).ok()).as_ref()),
        super_admins: of(Role::SuperAdmin),
        admins: of(Role::Admin),
        members: of(Role::Member),
        add_members: None,
        roles: None,
        added_by: Some(group.members.iter().filter_map(by).collect()),
        mutes: None,
        muted: Some(by_user(&group.muted, |it| Some(it.since))),
        banned: Some(by_user(&group.banned, |it| Some(it.since))),
        requires: to_patch(group.requires.as_ref()),
        permissions: Some(group.permissions.iter().filter_map(permission).collect()),
        metadata: Some(to_assignments(&group.metadata)),
        merge_metadata: None,
        member_attributes: Some(group.members.iter().filter_map(kept).collect()),
        terms: GroupFieldTerms { muted: terms(&group.muted), banned: terms(&group.banned) },
    }
}

/// The terms of mutes or bans, without those of none.
fn terms(all: &BTreeMap<String, GroupRestriction>) -> BTreeMap<String, Terms> {
    let all = all.iter().filter(|(_, it)| !it.terms.is_empty());
    all.map(|(id, it)| (id.clone(), it.terms.clone())).collect()
}

fn friend_fields(friend: &Friend) -> FriendFields {
    FriendFields {
        remark: to_patch(friend.remark.as_ref()),
        lists: Patch::Set(friend.lists.clone()),
        add_lists: None,
        source: to_patch(friend.source.as_ref()),
        wording: to_patch(friend.wording.as_ref()),
        custom: Patch::Set(to_assignments(&friend.custom)),
        since: Some(friend.since),
        until: to_patch(friend.until.map(Moment::from_millis).as_ref()),
    }
}

fn request_fields(request: &PendingRequest) -> RequestFields {
    let FriendFields { remark, lists, source, wording, custom, until, .. } =
        friend_fields(&request.friend);
    let (both, since) = (Some(request.both), Some(request.since));
    RequestFields { both, since, remark, lists, source, wording, custom, until }
}

fn to_patch<T: Clone>(value: Option<&T>) -> Patch<T> {
    value.map_or(Patch::Keep, |value| Patch::Set(value.clone()))
}

/// All switches of a record, those of declared actions too.
fn switches(user: &UserRecord) -> BTreeMap<SwitchKey, Option<SwitchSetting>> {
    let built_in = user.permissions.iter();
    let built_in = built_in.map(|(&switch, to)| (SwitchKey::BuiltIn(switch), Some(to.clone())));
    let own = user.own_permissions.iter();
    let own = own.map(|(action, to)| (SwitchKey::Declared(action.clone()), Some(to.clone())));
    built_in.chain(own).collect()
}

fn to_assignments<K: Clone + Ord, V: Clone>(values: &BTreeMap<K, V>) -> BTreeMap<K, Option<V>> {
    values.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect()
}

fn parse_tags<'t, T: FromIterator<TagName>>(text_codec: impl IntoIterator<Item = &'t String>) -> T {
    text_codec.into_iter().filter_map(|tag| TagName::new(tag).ok()).collect()
}

fn parse_ids<'i>(text_codec: impl IntoIterator<Item = &'i String>) -> BTreeSet<Id> {
    text_codec.into_iter().filter_map(|id| Id::new(id).ok()).collect()
}

fn by_user<V, T>(values: &BTreeMap<String, V>, of: impl Fn(&V) -> T) -> ByUser<T> {
    let each = values.iter().filter_map(|(id, value)| Some((Id::new(id).ok()?, of(value))));
    ByUser(each.collect())
}
