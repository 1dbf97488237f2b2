//! Commands that make a record anew.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Command, FriendFields, GroupFields, Id, Named, Op, Patch, Permission, RequestFields, Tag, Two,
    UserFields,
};
use crate::{
    facts::{Friend, Group, Key, Record, Request, User},
    request::Role,
};

impl Command {
    /// How many stages there are in which records are made anew.
    pub const STAGES: usize = 3;

    /// What makes a record anew where there is none, in stages: that of each record may only be done
    /// when the stage before is done for all, since it names others or undoes what they say.
    ///
    /// A user or group whom a file stated, and states no more, becomes one of the API's.
    pub fn restoring(key: &Key, record: &Record) -> [Option<Self>; Self::STAGES] {
        let op = |op: Op| Some(Self::from(op));
        match (key, record) {
            (Key::User(id), Record::User(user)) => {
                let Ok(id) = Id::new(id) else { return [None, None, None] };
                user_stages(user)
                    .map(|fields| op(Op::PutUser { user: id.clone(), fields: Box::new(fields) }))
            }
            (Key::Group(id), Record::Group(group)) => {
                let fields = Box::new(group_fields(group));
                [None, None, Id::new(id).ok().and_then(|group| op(Op::PutGroup { group, fields }))]
            }
            (Key::Conversation(one, other), Record::Conversation(conversation)) => {
                let since = Some(conversation.since);
                let users = Id::new(one).ok().zip(Id::new(other).ok());
                let users = users.map(|(one, other)| Two(one, other));
                [None, None, users.and_then(|users| op(Op::OpenConversation { users, since }))]
            }
            (Key::Rule(id), Record::Rule(rule)) => {
                let put = Op::PutRule {
                    rule_id: Some(*id),
                    condition: rule.condition.clone(),
                    outcome: tags(&rule.outcome),
                    description: rule.description.clone(),
                    name: rule.name.clone(),
                };
                [op(put), None, None]
            }
            _ => [None, None, None],
        }
    }
}

/// What a user is by himself; his edges; and last friends, since new blocks may end friendships.
fn user_stages(user: &User) -> [UserFields; Command::STAGES] {
    let himself = UserFields {
        tags: user.tags.as_ref().map_or(Patch::Keep, |all| Patch::Set(tags(all))),
        peers: patch(user.peers.as_ref()),
        permissions: Some(some_each(&user.permissions)),
        moderation: patch(user.moderation.as_ref()),
        approval: patch(user.approval.as_ref()),
        attributes: Some(some_each(&user.attributes)),
        friend_lists: Some(user.friend_lists.clone()),
        ..UserFields::default()
    };
    let edges = UserFields {
        contacts: Some(ids(&user.contacts)),
        favorites: Some(ids(&user.favorites)),
        paired: Some(ids(&user.paired)),
        blocked: Some(named(&user.blocked, |&since| Some(since))),
        ..UserFields::default()
    };
    let friends = UserFields {
        friends: Some(named(&user.friends, friend)),
        requests: Some(named(&user.requests, request)),
        ..UserFields::default()
    };
    [himself, edges, friends]
}

fn group_fields(group: &Group) -> GroupFields {
    let of = |role: Role| {
        let members = group.members.iter().filter(move |(_, member)| member.role == role);
        Some(ids(members.map(|(id, _)| id)))
    };
    let by = |(id, member): (&String, &crate::facts::Member)| {
        Id::new(id).ok().zip(Id::new(member.by.as_deref()?).ok())
    };
    let kept = |(id, member): (&String, &crate::facts::Member)| {
        Some((Id::new(id).ok()?, member.attributes.clone())).filter(|(_, kept)| !kept.is_empty())
    };
    let permission = |(key, value): (&String, &String)| {
        Some((Permission::parse(key).ok()?, Some(value.clone())))
    };
    GroupFields {
        new: None,
        matrix: patch(group.matrix.as_ref()),
        creator: patch(group.creator.as_deref().and_then(|id| Id::new(id).ok()).as_ref()),
        super_admins: of(Role::SuperAdmin),
        admins: of(Role::Admin),
        members: of(Role::Member),
        add_members: None,
        roles: None,
        added_by: Some(group.members.iter().filter_map(by).collect()),
        permissions: Some(group.permissions.iter().filter_map(permission).collect()),
        metadata: Some(some_each(&group.metadata)),
        merge_metadata: None,
        member_attributes: Some(group.members.iter().filter_map(kept).collect()),
    }
}

fn friend(friend: &Friend) -> FriendFields {
    FriendFields {
        remark: patch(friend.remark.as_ref()),
        lists: Patch::Set(friend.lists.clone()),
        add_lists: None,
        source: patch(friend.source.as_ref()),
        wording: patch(friend.wording.as_ref()),
        custom: Patch::Set(some_each(&friend.custom)),
        since: Some(friend.since),
    }
}

fn request(request: &Request) -> RequestFields {
    let FriendFields { remark, lists, source, wording, custom, .. } = friend(&request.friend);
    let (both, since) = (Some(request.both), Some(request.since));
    RequestFields { both, since, remark, lists, source, wording, custom }
}

fn patch<T: Clone>(value: Option<&T>) -> Patch<T> {
    value.map_or(Patch::Keep, |value| Patch::Set(value.clone()))
}

fn some_each<K: Clone + Ord, V: Clone>(values: &BTreeMap<K, V>) -> BTreeMap<K, Option<V>> {
    values.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect()
}

fn tags<'t, T: FromIterator<Tag>>(texts: impl IntoIterator<Item = &'t String>) -> T {
    texts.into_iter().filter_map(|tag| Tag::new(tag).ok()).collect()
}

fn ids<'i>(texts: impl IntoIterator<Item = &'i String>) -> BTreeSet<Id> {
    texts.into_iter().filter_map(|id| Id::new(id).ok()).collect()
}

fn named<V, T>(values: &BTreeMap<String, V>, of: impl Fn(&V) -> T) -> Named<T> {
    let each = values.iter().filter_map(|(id, value)| Some((Id::new(id).ok()?, of(value))));
    Named(each.collect())
}
