//! Terms that commands give: until when what they state is in force, and why.

use serde_json::{Map, Value};

use super::codec::{CommandFields, FieldCodec, SyntaxErrors, ValueCodec, text_codec, type_error};
use crate::request::Moment;

/// The terms of what a command states.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CommandTerms {
    pub end: Option<CommandEnd>,
    pub reason: Option<String>,
}

/// The end of what a command states.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommandEnd {
    /// `until`: a moment.
    Until(Moment),
    /// `for`: so many seconds after the command takes effect.
    After(u64),
}

/// The operations that take terms.
const WITH_TERMS: [&str; 9] = [
    "ban",
    "silence",
    "shadow",
    "block",
    "relate",
    "add_tags",
    "add_friend",
    "mute_member",
    "ban_member",
];

/// The greatest length of a reason, in bytes.
pub const LONGEST_REASON: usize = 1000;

impl CommandTerms {
    pub(super) fn is_taken_by(op: &str) -> bool {
        WITH_TERMS.contains(&op)
    }
}

impl FieldCodec for CommandTerms {
    fn decode(from: &mut CommandFields<'_>, _: &str) -> Option<Self> {
        let until: Option<Option<Moment>> = from.optional("until");
        let seconds: Option<Option<u64>> = from.optional("for");
        let reason: Option<Option<String>> = from.optional("reason");
        let (until, seconds, reason) = (until?, seconds?, reason?);
        if reason.as_ref().is_some_and(|text| text.len() > LONGEST_REASON) {
            let message = format!("a reason has at most {LONGEST_REASON} bytes");
            return from.errors.report("reason", message);
        }
        let end = match (until, seconds) {
            (Some(_), Some(_)) => {
                return from.errors.report("for", "`until` is given too; one of the two is enough");
            }
            (None, Some(0)) => return from.errors.report("for", "expected 1 or more seconds"),
            (Some(until), None) => Some(CommandEnd::Until(until)),
            (None, Some(seconds)) => Some(CommandEnd::After(seconds)),
            (None, None) => None,
        };
        Some(Self { end, reason })
    }

    fn encode(&self, _: &str, into: &mut Map<String, Value>) {
        match self.end {
            Some(CommandEnd::Until(until)) => until.encode("until", into),
            Some(CommandEnd::After(seconds)) => seconds.encode("for", into),
            None => {}
        }
        self.reason.encode("reason", into);
    }
}

text_codec! {
    Moment: "a time", str::parse::<Moment>;
}
