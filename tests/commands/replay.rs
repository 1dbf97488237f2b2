//! Replays of logged decisions: what is written is what is read, and no line is lost.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail by it"
)]

use std::io::{self, BufReader, Read};

use peerage::{
    decide::decide,
    inspect::replay::{Replay, format_line, replay},
    snapshot::View,
};
use proptest::prelude::*;

use crate::oracle::{BUILT_IN, Question, Resource, World};
use crate::worlds::{
    Chance,
    questions::{Subjects, request},
    text, view, world,
};

fn questions(world: &World, chance: &mut Chance, count: usize) -> Vec<Question> {
    let subjects = Subjects::of(world);
    let is_whole = |it: &Question| {
        let names = match &it.resource {
            Resource::None => true,
            Resource::User(user) => !user.id.is_empty(),
            // Of others the other policy may not know.
            Resource::Group { id, matrix } => {
                !id.is_empty() && matrix.iter().all(|name| BUILT_IN.contains(&name.as_str()))
            }
        };
        let has_field = it.field.is_some() || it.action != "update_metadata";
        let others = it.member.iter().all(|member| !member.id.is_empty());
        it.fits() && names && has_field && others && !it.subject.id.is_empty()
    };
    (0..count).map(|_| subjects.question(chance)).filter(is_whole).collect()
}

fn requested(view: &View, log: &[u8]) -> Replay {
    replay(view, log, 2).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// With all that a request can bring along: properties, members, fields, groups, conversations.
    #[test]
    fn what_is_written_is_read(world in world(), other in world(), seed: u64) {
        let chance = &mut Chance(seed);
        let here = view(&text::plain(&world), None);
        let questions = questions(&world, chance, 40);
        let ends = *chance.pick(&["\n", "\r\n", "\n\n"]);
        let mut log: String = questions
            .iter()
            .map(|it| format_line(&here, &request(it), decide(&here, &request(it))) + ends)
            .collect();
        if chance.percent(50) {
            // The last line needs no end.
            log.truncate(log.trim_end().len());
        }
        let same = requested(&here, log.as_bytes());
        prop_assert_eq!(same.decisions, questions.len() as u64);
        prop_assert!(same.mistakes.is_empty(), "{:?}\n{}", same.mistakes, log);
        prop_assert_eq!((same.changed, same.other_reasons, same.malformed), (0, 0, 0));
        prop_assert!(same.groups.is_empty());

        // Another policy, by the oracle.
        let there = view(&text::plain(&other), None);
        let found = requested(&there, log.as_bytes());
        let turned = |to: bool| questions.iter().filter(|it| {
            world.allows(it) != to && other.allows(it) == to
        }).count() as u64;
        prop_assert_eq!((found.opened, found.closed), (turned(true), turned(false)));
        prop_assert_eq!(found.changed, turned(true) + turned(false));
        prop_assert_eq!(found.groups.iter().map(|group| group.decisions).sum::<u64>(), found.changed);
        let others = questions.iter().filter(|it| {
            world.allows(it) == other.allows(it) && world.reason(it) != other.reason(it)
        });
        prop_assert_eq!(found.other_reasons, others.count() as u64);
        prop_assert!(found.groups.iter().all(|group| (1..=2).contains(&group.examples.len())));
        prop_assert!(found.groups.is_sorted_by(|one, next| one.decisions >= next.decisions));
    }
}

const GOOD: &str = r#"{"subject":"2","action":"read","resource":"10","decision":true}"#;

fn two() -> View {
    let sources = peerage::source::Sources::new(vec![peerage::source::Source::new(
        "p.peerage",
        peerage::source::Notation::Dsl,
        "user 2 {} user 10 {}",
    )]);
    view(&sources, None)
}

/// Each between two good lines, which must count.
#[test]
fn a_line_that_is_none_is_reported_and_hides_no_other() {
    let endless = format!("{{\"subject\":\"{}\"}}", "x".repeat(3 << 20));
    let deep = "[".repeat(100_000);
    let cases: [(&[u8], &str); 20] = [
        (b"{", "invalid JSON: unexpected end within an object"),
        (b"nothing", "invalid JSON: expected `true`, `false` or `null`"),
        (b"[]", "expected an object, found an array"),
        (b"{} {}", "invalid JSON: unexpected text after the value"),
        (b"{\"subject\":\"\xff\"}", "the line is not valid UTF-8"),
        (deep.as_bytes(), "expected an object, found an array"),
        (endless.as_bytes(), "the line exceeds 1048576 bytes"),
        (br#"{"action":"read","resource":"10","decision":true}"#, "`subject` is missing"),
        (br#"{"subject":"2","resource":"10","decision":true}"#, "`action` is missing"),
        (br#"{"subject":"2","action":"read","resource":"10"}"#, "`decision` is missing"),
        (br#"{"subject":"2","action":"read","decision":true}"#, "`action`: "),
        (br#"{"subject":"2","action":"wave","resource":"10","decision":true}"#, "`action`: "),
        (br#"{"subject":2,"action":"read","resource":"10","decision":true}"#, "`subject`: "),
        (br#"{"subject":"","action":"read","resource":"10","decision":true}"#, "`subject`: "),
        (br#"{"subject":"2","action":"read","resource":"10","decision":"yes"}"#, "`decision`: "),
        (br#"{"subject":"2","action":"read","resource":"10","decision":true,"reason":"mood"}"#, "`reason`: "),
        (br#"{"subject":"2","action":"add_member","resource":"g","decision":true}"#, "`action`: "),
        (br#"{"subject":"2","action":"add_member","resource":"g","member":{"type":"group","id":"h"},"decision":true}"#, "`member`: "),
        (br#"{"subject":{"type":"user","id":"2","properties":{"peers":"some"}},"action":"read","resource":"10","decision":true}"#, "`subject`: "),
        (br#"{"subject":"2","action":"read","resource":"10","decision":true,"context":{"conversation":"old"}}"#, "`conversation`: "),
    ];
    let people = two();
    for (bad, message) in cases {
        for end in ["\n", "\r\n"] {
            let log = [GOOD.as_bytes(), b"\n", bad, end.as_bytes(), GOOD.as_bytes()].concat();
            let found = requested(&people, &log);
            let shown = String::from_utf8_lossy(&bad[..bad.len().min(200)]);
            assert_eq!((found.decisions, found.malformed, found.changed), (2, 1, 0), "{shown}");
            assert_eq!(found.mistakes[0].line, 2, "{shown}");
            assert!(
                found.mistakes[0].message.starts_with(message),
                "{shown}: {:?}",
                found.mistakes
            );
        }
    }
    for (log, decisions) in [("", 0), ("\n\r\n  \n", 0), (GOOD, 1)] {
        let found = requested(&people, log.as_bytes());
        assert_eq!((found.decisions, found.malformed), (decisions, 0), "{log:?}");
    }
    // Of many mistakes, all are counted and the first told.
    let found = requested(&people, "x\n".repeat(1_000).as_bytes());
    assert_eq!((found.malformed, found.mistakes.len()), (1_000, 100));
}

/// The same bytes over and over, as a pipe hands them on.
struct Endless {
    text: Vec<u8>,
    at: usize,
    left: usize,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let rest = &self.text[self.at..];
        let count = rest.len().min(into.len()).min(7_919);
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        if self.at == self.text.len() && self.left > 0 {
            (self.at, self.left) = (0, self.left - 1);
        }
        Ok(count)
    }
}

/// A log is never held whole.
#[test]
fn a_long_log_is_read_line_by_line() {
    let bad = GOOD.replace("true", "false");
    let text = format!("{GOOD}\n{bad}\nx\n").into_bytes();
    let log = Endless { text, at: 0, left: 99_999 };
    let found = replay(&two(), BufReader::new(log), 3).unwrap();
    assert_eq!((found.decisions, found.changed, found.malformed), (200_000, 100_000, 100_000));
    assert_eq!((found.opened, found.closed), (100_000, 0));
    assert_eq!((found.groups[0].examples.len(), found.mistakes.len()), (3, 100));
    assert_eq!(found.mistakes[99].line, 300);
}
