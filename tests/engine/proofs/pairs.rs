//! Invariants of policies that say something about two users together.

use std::fmt::Write as _;

use peerage::{
    compile::build_with_lints,
    diagnostic::Code,
    source::{LoadedSources, Notation, Source, Sources},
};
use proptest::{prelude::*, sample::select};

use crate::oracle::{Asked, Question, Resource};
use crate::worlds::{WorldShape, shaped, text};

/// A policy whose invariant holds, or the words that its report has.
struct Case {
    says: &'static str,
    policy: &'static str,
    invariant: &'static str,
    /// Empty where it holds.
    reported: &'static [&'static str],
}

const SCHOOL: &str = "
tags: [pupil, staff, class-1, class-2];
rule_set \"someone of staff\" {
  rule: hasTag(staff) -> everyone;
  rule: everyone -> hasTag(staff);
  rule: hasTag(pupil) -> hasTag(pupil) between sharesTag(class-*);
}
";

const BANK: &str = "
tags: [research, trading, compliance];
barrier walls: hasTag(research) <-> hasTag(trading) { unless: mutual(pair); }
";

const STRICT_BANK: &str = "
tags: [research, trading, compliance];
barrier walls: hasTag(research) <-> hasTag(trading);
";

const SHOP: &str = "
tags: [buyer, seller];
audience known: any(contact, sharesGroup);
accepts start_chat { hasTag(buyer): known locked; hasTag(seller): everyone; default: nobody; }
accepts video_call { default: contacts; otherwise: request; }
";

const LASTING: &str = "
tags: [pupil, guest];
rule_set begun { asked: new; actions: [send_message]; }
barrier calls: hasTag(pupil) -> hasTag(guest) { actions: [voice_call]; unless: conversation; }
accepts send_message { default: nobody; asked: new; }
";

/// A window, which may be open or closed at any time.
const BREAKS: &str = "
tags: [pupil, staff];
window pause { from: \"10:00\"; to: \"10:15\"; zone: \"Europe/Berlin\"; }
rule: all(hasTag(pupil), during(pause)) -> [pupil];
rule: all(hasTag(staff), during(pause)) -> all(hasTag(pupil), not(during(pause)));
";

const CASES: &[Case] = &[
    Case {
        says: "a window may be open",
        policy: BREAKS,
        invariant: "never start_chat: hasTag(pupil) -> hasTag(pupil);",
        reported: &["the tags [pupil] may start a chat", ", while `pause` is open"],
    },
    Case {
        says: "a window may be closed",
        policy: BREAKS,
        invariant: "always start_chat: hasTag(pupil) -> hasTag(pupil);",
        reported: &["may not start a chat", ", while `pause` is closed"],
    },
    Case {
        says: "someone must be reached at any time",
        policy: BREAKS,
        invariant: "every: hasTag(pupil) reaches hasTag(pupil) by start_chat;",
        reported: &["nobody who meets hasTag(pupil), while `pause` is closed"],
    },
    Case {
        says: "an invariant may be about a window",
        policy: BREAKS,
        invariant: "never start_chat: all(hasTag(pupil), not(during(pause))) -> hasTag(pupil);",
        reported: &[],
    },
    Case {
        says: "what holds while a window is open is demanded while it is open",
        policy: BREAKS,
        invariant: "always start_chat: all(hasTag(pupil), during(pause)) -> hasTag(pupil);",
        reported: &[],
    },
    Case {
        says: "a window is open for both of two users or for neither",
        policy: BREAKS,
        invariant: "never start_chat: all(hasTag(staff), not(hasTag(pupil))) -> hasTag(pupil);",
        reported: &[],
    },
    Case {
        says: "nobody opens a barrier",
        policy: STRICT_BANK,
        invariant: "never start_chat: hasTag(research) -> hasTag(trading);",
        reported: &[],
    },
    Case {
        says: "a barrier stands for those who are added, too",
        policy: STRICT_BANK,
        invariant: "never add_member: hasTag(trading) -> hasTag(research);",
        reported: &[],
    },
    Case {
        says: "what lifts a barrier may be there",
        policy: BANK,
        invariant: "never start_chat: hasTag(research) -> hasTag(trading);",
        reported: &["the tags [research]", "the tags [trading]", "pair and inverse(pair)"],
    },
    Case {
        says: "for `always`, nothing is between the two",
        policy: BANK,
        invariant: "always start_chat: hasTag(compliance) -> hasTag(trading);",
        reported: &["may not start a chat"],
    },
    Case {
        says: "those outside of both sides are free",
        policy: BANK,
        invariant: "always start_chat: all(hasTag(compliance), not(any(hasTag(research), hasTag(trading)))) -> everyone;",
        reported: &[],
    },
    Case {
        says: "a tag of a class may be shared",
        policy: SCHOOL,
        invariant: "never send_message: hasTag(pupil) -> all(hasTag(pupil), not(hasTag(staff)));",
        reported: &["sharesTag(class-*)"],
    },
    Case {
        says: "two who name no class that they share have a member of staff between them",
        policy: SCHOOL,
        invariant: "never send_message: all(hasTag(pupil), not(hasTag(staff)), not(hasTag(class-1)), not(hasTag(class-2))) -> not(hasTag(staff));",
        reported: &[],
    },
    Case {
        says: "staff may always write",
        policy: SCHOOL,
        invariant: "always send_message: hasTag(staff) -> everyone;",
        reported: &[],
    },
    Case {
        says: "everybody reaches somebody of staff",
        policy: SCHOOL,
        invariant: "every: everyone reaches hasTag(staff) by send_message;",
        reported: &[],
    },
    Case {
        says: "a pupil without a class reaches no pupil",
        policy: SCHOOL,
        invariant: "every: hasTag(pupil) reaches all(hasTag(pupil), not(hasTag(staff))) by send_message;",
        reported: &["may send a message to nobody"],
    },
    Case {
        says: "who is known may be let in",
        policy: SHOP,
        invariant: "never start_chat: hasTag(seller) -> hasTag(buyer);",
        reported: &["between the two is sharesGroup"],
    },
    Case {
        says: "an audience of nobody is never open",
        policy: SHOP,
        invariant: "never start_chat: hasTag(seller) -> not(any(hasTag(buyer), hasTag(seller)));",
        reported: &[],
    },
    Case {
        says: "a message that begins a chat passes its audience",
        policy: SHOP,
        invariant: "never send_message: hasTag(seller) -> not(any(hasTag(buyer), hasTag(seller)));",
        reported: &[],
    },
    Case {
        says: "a request closes nothing",
        policy: SHOP,
        invariant: "always video_call: hasTag(buyer) -> all(hasTag(seller), not(hasTag(buyer)));",
        reported: &[],
    },
    Case {
        says: "a set that is asked of new conversations refuses no existing one",
        policy: LASTING,
        invariant: "always send_message: hasTag(pupil) -> hasTag(pupil) conversation existing;",
        reported: &[],
    },
    Case {
        says: "but a new one",
        policy: LASTING,
        invariant: "always send_message: hasTag(pupil) -> hasTag(pupil);",
        reported: &["may not send a message"],
    },
    Case {
        says: "and one that is asked always refuses both",
        policy: SCHOOL,
        invariant: "always send_message: hasTag(pupil) -> hasTag(pupil) conversation existing;",
        reported: &["may not send a message"],
    },
    Case {
        says: "a conversation that exists meets the atom",
        policy: LASTING,
        invariant: "never voice_call: hasTag(pupil) -> hasTag(guest) conversation existing;",
        reported: &["may start a voice call"],
    },
    Case {
        says: "which a new one does not",
        policy: LASTING,
        invariant: "never voice_call: hasTag(pupil) -> hasTag(guest);",
        reported: &[],
    },
    Case {
        says: "what is asked of new ones does not close existing ones",
        policy: LASTING,
        invariant: "never send_message: hasTag(guest) -> hasTag(pupil) conversation existing;",
        reported: &["may send a message"],
    },
    Case {
        says: "for `always`, nobody is known",
        policy: SHOP,
        invariant: "always start_chat: hasTag(seller) -> hasTag(buyer);",
        reported: &["may not start a chat"],
    },
];

fn report(policy: &str) -> Vec<(Code, String)> {
    let sources = Sources::single("policy.peerage", Notation::Dsl, policy);
    let report = build_with_lints(&LoadedSources::from(sources)).report;
    let text = |found: &peerage::LocatedDiagnostic| (found.code, format!("{found:?}"));
    report.diagnostics.iter().map(text).collect()
}

#[test]
fn of_all_possible_users() {
    let mut wrong = String::new();
    for Case { says, policy, invariant, reported } in CASES {
        let found = report(&format!("{policy}\n{invariant}\n"));
        let mut broken = found.iter().filter(|(code, _)| *code != Code::UnusedTag);
        let is_right = match broken.next() {
            None => reported.is_empty(),
            Some((code, text)) => {
                *code == Code::BrokenInvariant
                    && !reported.is_empty()
                    && reported.iter().all(|words| text.contains(words))
            }
        };
        if !is_right {
            writeln!(wrong, "{says}: {invariant}\n  {found:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The pairs that break an invariant are counted by what each subject reaches: with ties and groups, and once
/// for all who have neither.
#[test]
fn of_existing_users_are_counted() {
    let people = "
user s { tags: [staff]; }
user a1 { tags: [pupil, class-1]; }
user a2 { tags: [pupil, class-1]; }
user a3 { tags: [pupil, class-1]; contacts: [b1]; }
user b1 { tags: [pupil, class-2]; }
user b2 { tags: [pupil]; }
";
    let count = |invariant: &str| {
        let found = report(&format!("{SCHOOL}{people}{invariant}"));
        let broken = found.into_iter().find(|(code, _)| *code == Code::BrokenInvariant);
        broken.map_or_else(String::new, |(_, text)| text)
    };
    let pupils = "never send_message: hasTag(pupil) -> hasTag(pupil) scope population;";
    assert!(count(pupils).contains("6 pairs break it"), "{}", count(pupils));
    let staff = "always send_message: hasTag(staff) -> hasTag(pupil) scope population;";
    assert_eq!(count(staff), "");
    let lonely = "every: hasTag(pupil) reaches hasTag(pupil) by send_message scope population;";
    assert!(count(lonely).contains("2 users break it"), "{}", count(lonely));
    let always = "always send_message: hasTag(pupil) -> hasTag(pupil) scope population;";
    assert!(count(always).contains("14 pairs break it"), "{}", count(always));
}

/// The built-in actions that invariants of shaped worlds are about, besides those that the worlds declare.
const ASKED: [&str; 6] =
    ["start_chat", "send_message", "video_call", "friend_request", "view_profile", "add_member"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// What a policy says of two users, whatever it is: an invariant is broken by exactly the pairs that the
    /// oracle opens.
    #[test]
    fn of_existing_users_are_those_of_the_oracle(
        world in shaped(WorldShape::ALL),
        number: usize,
        demand in select(&["never", "always"][..]),
        is_existing: bool,
    ) {
        let declared = world.between.actions.keys().copied();
        let declared = declared.filter(|action| world.kinds(action).contains(&"user"));
        let actions: Vec<&'static str> = ASKED.into_iter().chain(declared).collect();
        let action = actions[number % actions.len()];
        let ids: Vec<&str> = world.users.keys().map(String::as_str).collect();
        let mut open = 0;
        for &one in &ids {
            for &other in ids.iter().filter(|&&other| other != one) {
                let question = if action == "add_member" {
                    let group = Resource::Group { id: String::new(), matrix: None };
                    let member = Some(Asked::from(other));
                    Question { member, ..Question::of(one, action, group) }
                } else {
                    Question::new(one, action, other)
                };
                let conversation = is_existing.then_some("existing");
                let question = Question { conversation, ..question };
                open += usize::from(world.is_open_between(&question));
            }
        }
        let all = ids.len() * ids.len().saturating_sub(1);
        let breaking = if demand == "never" { open } else { all - open };
        let clause = if is_existing { " conversation existing" } else { "" };
        let invariant =
            format!("{demand} {action}: everyone -> everyone scope population{clause};");
        let invariant = Source::new("invariant.peerage", Notation::Dsl, invariant);
        let files = text::plain(&world);
        let files = files.iter().map(|(_, source)| source.clone()).chain([invariant]);
        let report = build_with_lints(&LoadedSources::from(Sources::new(files.collect()))).report;
        let broken = report.diagnostics.iter().find(|found| found.code == Code::BrokenInvariant);
        let label = broken.and_then(|found| found.place.as_ref()).map(|place| format!("{place:?}"));
        match breaking {
            0 => prop_assert!(label.is_none(), "{:?}", label),
            1 => prop_assert!(label.as_deref().is_some_and(|it| it.contains("\"1 pair breaks it")), "{:?}", label),
            count => {
                let says = format!("\"{count} pairs break it");
                prop_assert!(label.as_deref().is_some_and(|it| it.contains(&says)), "{}: {:?}", says, label);
            }
        }
    }
}
