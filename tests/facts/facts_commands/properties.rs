//! Properties that hold after any sequence of commands.

use std::collections::BTreeSet;

use peerage::{
    facts::{Command, Op, PlanContext, Record},
    request::{Approval, Moderation, Relation, Role},
};
use proptest::{collection::vec, prelude::*};
use serde_json::json;

use crate::{
    facts_commands::any::{GROUPS, IDS, command},
    facts_commands::double::{Double, files},
};

const FRIENDS: usize = 3;
const BLOCKED: usize = 2;
const LISTS: usize = 2;
const MEMBERS: usize = 4;

fn world(ends: bool, approval: Approval) -> Double {
    let mut world = Double::new(files());
    let limits = &mut world.settings.limits;
    limits.friends = u32::try_from(FRIENDS).ok();
    limits.blocked = u32::try_from(BLOCKED).ok();
    limits.friend_lists = u32::try_from(LISTS).ok();
    limits.group_members = u32::try_from(MEMBERS).ok();
    world.settings.blocks_end_friendship = ends;
    world.settings.approval = approval;
    world.managers = BTreeSet::from(["ann".to_owned()]);
    let people = ["ann", "bob", "cat"].map(|id| json!({ "op": "put_user", "user": id }));
    assert!(world.run(&Command::decode(&people).unwrap()).changes.is_some());
    world
}

fn decoded(batch: &[serde_json::Value]) -> Vec<Command> {
    Command::decode(batch).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// What holds whatever was done.
fn check_invariants(world: &Double) {
    for id in IDS {
        let user = world.user(id);
        assert!(world.friend_count(id) <= FRIENDS && world.blocked_count(id) <= BLOCKED, "{id}");
        assert!(user.friend_lists.len() <= LISTS, "{id}");
        assert!(
            world.record(&peerage::facts::RecordKey::User(id.to_owned())).is_none()
                || !user.is_empty()
        );
        let edges = Relation::ALL.iter().flat_map(|&relation| user.edges(relation));
        for other in edges.chain(user.requests.keys().map(String::as_str)) {
            assert!(other != id && world.knows_user(other), "{id} has {other}");
        }
        for friend in user.friends.values() {
            assert!(friend.lists.iter().all(|list| user.friend_lists.contains(list)), "{id}");
        }
    }
    for group in GROUPS {
        let roles = world.roles(group);
        let is_stated = world.files.groups.contains_key(group);
        let matrix = world.group(group).matrix;
        let may_do_without = matrix.is_some_and(|matrix| ["dm", "admins_only"].contains(&&*matrix));
        let has_super_admin = roles.values().any(|&role| role == Role::SuperAdmin);
        assert!(roles.len() <= MEMBERS, "{group}");
        assert!(
            roles.is_empty() || has_super_admin || is_stated || may_do_without,
            "{group}: {roles:?}"
        );
        assert!(world.group(group).members.keys().all(|member| world.knows_user(member)));
        let mut banned = world.group(group).banned.into_keys();
        assert!(banned.all(|user| !roles.contains_key(&user)), "{group}: {roles:?}");
    }
}

/// What holds between what was and what is, by what was done.
fn check_step(before: &Double, after: &Double, command: &Command) {
    if let Op::Silence { user } = &command.op {
        let was = before.moderation(user);
        let expected = if was == Moderation::Banned { was } else { Moderation::Silenced };
        assert_eq!(after.moderation(user), expected);
    }
    if let Op::AddFriend { from, to, both: Some(true), force: Some(true), .. } = &command.op {
        assert!(after.edges(from, Relation::Friend).contains(&**to));
        assert!(after.edges(to, Relation::Friend).contains(&**from));
    }
    if let (Op::Block { from, to }, true) = (&command.op, after.settings.blocks_end_friendship) {
        let blocked = before.edges(from, Relation::Block).contains(&**to);
        assert!(blocked || !after.edges(from, Relation::Friend).contains(&**to));
        assert!(blocked || !after.edges(to, Relation::Friend).contains(&**from));
    }
    for id in IDS {
        let (was, is) = (before.files.users.get(id), after.files.users.get(id));
        assert_eq!(was, is, "commands change no files");
    }
}

fn config() -> ProptestConfig {
    ProptestConfig::with_cases(400)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn limits_and_invariants_hold(
        commands in vec(command(), 1..40),
        ends in any::<bool>(),
        approval in prop_oneof![Just(Approval::AllowAny), Just(Approval::NeedConfirm)],
    ) {
        let mut world = world(ends, approval);
        for command in decoded(&commands) {
            let before = world.clone();
            let ran = world.run(std::slice::from_ref(&command));
            check_invariants(&world);
            if ran.changes.is_some() {
                check_step(&before, &world, &command);
            } else {
                prop_assert_eq!(&before.committed, &world.committed);
            }
        }
    }

    #[test]
    fn commands_say_the_same_when_they_are_written_and_read_again(
        batches in vec(vec(command(), 1..6), 1..8),
    ) {
        let mut world = world(true, Approval::AllowAny);
        let mut again = world.clone();
        for batch in batches {
            let commands = decoded(&batch);
            let encoded: Vec<_> = commands.iter().map(Command::encode).collect();
            let read = decoded(&encoded);
            prop_assert_eq!(&read, &commands);
            let (ran, ran_again) = (world.run(&commands), again.run(&read));
            prop_assert_eq!(ran.outcomes, ran_again.outcomes);
            prop_assert_eq!(ran.changes, ran_again.changes);
            for (key, (_, record)) in &world.committed {
                let bytes = record.encode();
                prop_assert_eq!(&Record::decode(key.kind(), &bytes).unwrap(), record);
            }
        }
    }

    #[test]
    fn records_are_made_anew_from_commands(commands in vec(command(), 1..40)) {
        let mut world = world(true, Approval::NeedConfirm);
        for command in decoded(&commands) {
            world.run(&[command]);
        }
        let mut again = Double::new(files());
        again.settings = world.settings;
        let stages: Vec<_> = world
            .committed
            .iter()
            .map(|(key, (_, record))| Command::restore_commands(key, record))
            .collect();
        for stage in 0..3 {
            for command in stages.iter().filter_map(|stages| stages[stage].as_ref()) {
                let ran = again.run(std::slice::from_ref(command));
                prop_assert!(ran.changes.is_some(), "{command:?}: {:?}", ran.outcomes);
            }
        }
        let kept = |world: &Double| {
            let each = world.committed.iter();
            each.map(|(key, (_, record))| (key.clone(), record.clone())).collect::<Vec<_>>()
        };
        prop_assert_eq!(kept(&again), kept(&world));
    }

    #[test]
    fn a_batch_comes_to_the_same_as_its_commands_one_by_one(batch in vec(command(), 1..12)) {
        let mut whole = world(true, Approval::NeedConfirm);
        let mut single = whole.clone();
        let commands = decoded(&batch);
        if whole.run(&commands).changes.is_some() {
            for command in &commands {
                prop_assert!(single.run(std::slice::from_ref(command)).changes.is_some());
            }
            let kept = |world: &Double| {
                let strip = |(key, (_, record)): (&_, &(_, Record))| (format!("{key:?}"), timeless(record));
                world.committed.iter().map(strip).collect::<Vec<_>>()
            };
            prop_assert_eq!(kept(&whole), kept(&single));
        }
    }
}

/// A record without the times in it.
fn timeless(record: &Record) -> String {
    let mut record = record.clone();
    if let Record::User(user) = &mut record {
        user.blocked.values_mut().for_each(|since| *since = 0);
        user.friends.values_mut().for_each(|friend| friend.since = 0);
        for request in user.requests.values_mut() {
            request.since = 0;
        }
    }
    if let Record::Group(group) = &mut record {
        let restrictions = group.muted.values_mut().chain(group.banned.values_mut());
        restrictions.for_each(|restriction| restriction.since = 0);
    }
    if let Record::Conversation(conversation) = &mut record {
        conversation.since = 0;
    }
    format!("{record:?}")
}
