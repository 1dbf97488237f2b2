//! A large world, counted by hand: users who have nothing to do with each other differ by their tags
//! alone, so the pairs of two kinds come out alike, and the few blocks are put right one by one.

use std::{collections::BTreeMap, fmt::Write as _};

use peerage::{
    inspect::diff::{Diff, DiffDetail},
    source::{Notation, Source, Sources},
};

use crate::worlds::Chance;

const USERS: usize = 60_000;
const TAGS: u64 = 14;

/// Every so many users, one blocks the next.
const EACH: usize = 50;

const ACTIONS: [&str; 6] =
    ["read", "start_chat", "send_message", "voice_call", "video_call", "friend_request"];

/// Tags, a bit each.
type Set = u32;

/// A user who has all of some tags and none of others reaches those who have one of the last.
#[derive(Clone, Copy)]
struct Rule {
    all: Set,
    none: Set,
    outcome: Set,
}

struct Policy {
    rules: Vec<Rule>,
    /// Who has one of these tags has the switch off.
    outgoing_off: Set,
    incoming_off: Set,
    /// Who has one of these tags may make video calls.
    video: Set,
    /// Who has one of these tags may begin conversations; nobody has one yet.
    chat: Set,
    /// Whether a block stops calls both ways.
    two_way: bool,
}

fn some_tags(chance: &mut Chance, most: u64) -> Set {
    (0..chance.below(most + 1)).fold(0, |set, _| set | 1 << chance.below(TAGS))
}

fn rule(chance: &mut Chance) -> Rule {
    let all = some_tags(chance, 2) | 1 << chance.below(TAGS);
    Rule {
        all,
        none: some_tags(chance, 2) & !all,
        outcome: some_tags(chance, 2) | 1 << chance.below(TAGS),
    }
}

fn names(set: Set) -> Vec<String> {
    (0..TAGS).filter(|tag| set >> tag & 1 == 1).map(|tag| format!("t{tag}")).collect()
}

fn any(set: Set) -> String {
    let tags: Vec<String> = names(set).iter().map(|tag| format!("hasTag({tag})")).collect();
    format!("any({})", tags.join(", "))
}

impl Policy {
    fn text(&self) -> String {
        let mut text = format!(
            "permissions {{ outgoing: not({}); incoming: not({}); video_call: {}; start_chat: {}; }}\n",
            any(self.outgoing_off),
            any(self.incoming_off),
            any(self.video),
            any(self.chat)
        );
        let mode = if self.two_way { "two_way" } else { "one_way" };
        writeln!(text, "blocks {{ start_chat: one_way; voice_call: {mode}; }}").unwrap();
        for (number, rule) in self.rules.iter().enumerate() {
            let has = names(rule.all).into_iter().map(|tag| format!("hasTag({tag})"));
            let lacks = names(rule.none).into_iter().map(|tag| format!("not(hasTag({tag}))"));
            let parts: Vec<String> = has.chain(lacks).collect();
            let outcome = names(rule.outcome).join(", ");
            writeln!(text, "rule r{number}: all({}) -> [{outcome}];", parts.join(", ")).unwrap();
        }
        text
    }

    /// The tags that someone with these tags may reach.
    fn reaches(&self, tags: Set) -> Set {
        let is_met = |rule: &&Rule| tags & rule.all == rule.all && tags & rule.none == 0;
        self.rules.iter().filter(is_met).fold(0, |set, rule| set | rule.outcome)
    }

    fn allows(&self, action: &str, from: Set, reached: Set, to: Set) -> bool {
        match action {
            "read" => true,
            _ if from & self.outgoing_off != 0 || to & self.incoming_off != 0 => false,
            "friend_request" => true,
            "video_call" if from & self.video == 0 => false,
            "start_chat" | "send_message" | "voice_call" | "video_call"
                if from & self.chat == 0 =>
            {
                false
            }
            _ => reached & to != 0,
        }
    }

    /// Whether a block stops it: one of the subject's, or one of the other's.
    fn stops(&self, action: &str, by_subject: bool) -> bool {
        match action {
            "read" => false,
            "friend_request" => true,
            "voice_call" => !by_subject || self.two_way,
            _ => !by_subject,
        }
    }
}

fn users(tags: &[Set]) -> String {
    let mut text = String::new();
    for (user, &set) in tags.iter().enumerate() {
        let tags: Vec<String> = names(set).iter().map(|tag| format!("\"{tag}\"")).collect();
        write!(text, "{{\"id\":\"u{user}\",\"tags\":[{}]", tags.join(",")).unwrap();
        if user % EACH == 0 && user + 1 < USERS {
            write!(text, ",\"blocked\":[\"u{}\"]", user + 1).unwrap();
        }
        text.push_str("}\n");
    }
    text
}

/// Gained and lost.
fn count(old: &Policy, new: &Policy, action: &str, tags: &[Set]) -> (u64, u64) {
    let mut kinds: BTreeMap<Set, u64> = BTreeMap::new();
    tags.iter().for_each(|&set| *kinds.entry(set).or_default() += 1);
    let (mut gained, mut lost) = (0, 0);
    let mut tell = |before: bool, after: bool, pairs: u64| {
        gained += if after && !before { pairs } else { 0 };
        lost += if before && !after { pairs } else { 0 };
    };
    for (&from, &some) in &kinds {
        let reached = [old, new].map(|policy| policy.reaches(from));
        for (&to, &others) in &kinds {
            let pairs = some * (others - u64::from(from == to));
            let before = old.allows(action, from, reached[0], to);
            tell(before, new.allows(action, from, reached[1], to), pairs);
        }
    }
    // Blocked pairs were counted as if nothing were between them.
    let mut wrong = (0, 0);
    for user in (0..USERS - 1).step_by(EACH) {
        for (from, to, by_subject) in [(user, user + 1, true), (user + 1, user, false)] {
            let as_strangers = [old, new].map(|policy| {
                policy.allows(action, tags[from], policy.reaches(tags[from]), tags[to])
            });
            let stopped = [old, new].map(|policy| policy.stops(action, by_subject));
            let as_they_are = [0, 1].map(|side| as_strangers[side] && !stopped[side]);
            tell(as_they_are[0], as_they_are[1], 1);
            wrong.0 += u64::from(!as_strangers[0] && as_strangers[1]);
            wrong.1 += u64::from(as_strangers[0] && !as_strangers[1]);
        }
    }
    (gained - wrong.0, lost - wrong.1)
}

#[test]
fn a_large_world_kind_by_kind() {
    let chance = &mut Chance(11);
    let tags: Vec<Set> = (0..USERS).map(|_| some_tags(chance, 4)).collect();
    let rules: Vec<Rule> = (0..60).map(|_| rule(chance)).collect();
    let old = Policy {
        rules,
        outgoing_off: 0b1,
        incoming_off: 0b10,
        video: 0b1100,
        chat: 0b1011,
        two_way: false,
    };
    let some = |chance: &mut Chance| {
        let mut rules = old.rules.clone();
        rules.iter_mut().step_by(10).for_each(|changed| *changed = rule(chance));
        Policy { rules, ..old }
    };
    let switched = Policy {
        outgoing_off: 0b10_0001,
        incoming_off: 0b100_0000,
        video: 0b1_0100,
        chat: 0b10_0011,
        two_way: true,
        ..some(chance)
    };
    let all = Policy { rules: (0..60).map(|_| rule(chance)).collect(), ..old };
    for new in [some(chance), switched, all] {
        let sources = |policy: &Policy| {
            Sources::new(vec![
                Source::new("policy.peerage", Notation::Dsl, policy.text()),
                Source::new("users.ndjson", Notation::Ndjson, users(&tags)),
            ])
        };
        let views = super::pair(sources(&old), sources(&new));
        let detail = DiffDetail { isolation: false, witnesses: 0, ..DiffDetail::default() };
        let diff = Diff::compute(&views.old, &views.new, None, detail);
        assert!(diff.changed() > 0);
        for action in ACTIONS {
            let reported =
                diff.actions.iter().find(|reported| reported.action.as_str() == action).unwrap();
            assert_eq!(
                (reported.gained, reported.lost),
                count(&old, &new, action, &tags),
                "{action}"
            );
        }
    }
}
