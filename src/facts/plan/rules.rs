use uuid::Uuid;

use super::{Done, Outcome, Reason, Refusal, Stated, draft::Draft};
use crate::facts::{Rule, Tag};

/// How long the texts of a rule may be, in bytes.
const LONGEST_NAME: usize = 255;
const LONGEST_DESCRIPTION: usize = 10_000;
const LONGEST_CONDITION: usize = 65_536;

/// How many tags an outcome may name.
const MOST_TAGS: usize = 1000;

/// What a rule says for people.
#[derive(Clone, Copy)]
pub(super) struct Texts<'c> {
    pub(super) name: Option<&'c str>,
    pub(super) description: Option<&'c str>,
}

pub(super) fn put<E>(
    draft: &mut Draft<'_, E>,
    id: Option<Uuid>,
    condition: &str,
    outcome: &[Tag],
    texts: Texts<'_>,
) -> Done<E> {
    check_texts(texts)?;
    within("a condition", condition.len(), LONGEST_CONDITION)?;
    draft.world.condition(condition)?;
    check_outcome(draft, outcome)?;
    let id = id.unwrap_or_else(|| draft.world.new_id());
    draft.not_stated(&Stated::Rule(id), &format!("the rule {id}"))?;
    if let Some(name) = texts.name {
        let taken = draft.world.rule_named(name).filter(|&other| other != id);
        if let Some(other) = taken {
            let message = format!("the rule {other} has the name `{name}`; choose another name");
            return Err(Refusal::new(Reason::NameTaken, message).into());
        }
    }
    let rule = Rule {
        name: texts.name.map(str::to_owned),
        description: texts.description.map(str::to_owned),
        condition: condition.to_owned(),
        outcome: outcome.iter().map(Tag::to_string).collect(),
    };
    draft.set_rule(id, Some(rule))?;
    Ok(Outcome { rule_id: Some(id), ..Outcome::default() })
}

pub(super) fn delete<E>(draft: &mut Draft<'_, E>, id: Uuid) -> Done<E> {
    draft.not_stated(&Stated::Rule(id), &format!("the rule {id}"))?;
    if !draft.has_rule(id)? {
        let message = format!("there is no rule {id}");
        return Err(Refusal::new(Reason::UnknownRule, message).into());
    }
    draft.set_rule(id, None)?;
    Ok(Outcome::default())
}

fn check_texts(texts: Texts<'_>) -> Result<(), Refusal> {
    if let Some(name) = texts.name {
        within("a rule's name", name.len(), LONGEST_NAME)?;
        if name.is_empty() || name.chars().any(char::is_control) {
            let message = "a rule's name can't be empty or hold control characters";
            return Err(Refusal::new(Reason::Invalid, message));
        }
    }
    if let Some(text) = texts.description {
        within("a rule's description", text.len(), LONGEST_DESCRIPTION)?;
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            let message = "a rule's description can't hold control characters";
            return Err(Refusal::new(Reason::Invalid, message));
        }
    }
    Ok(())
}

fn check_outcome<E>(draft: &Draft<'_, E>, given: &[Tag]) -> Result<(), Refusal> {
    if given.is_empty() {
        let message = "a rule's outcome needs at least one tag";
        return Err(Refusal::new(Reason::Invalid, message));
    }
    if given.len() > MOST_TAGS {
        let message = format!("an outcome has at most {MOST_TAGS} tags; this has {}", given.len());
        return Err(Refusal::new(Reason::TooMany, message));
    }
    given.iter().try_for_each(|tag| draft.world.tag(tag))
}

/// # Errors
/// `too_long` if something has more than `most` bytes.
pub(super) fn within(what: &str, bytes: usize, most: usize) -> Result<(), Refusal> {
    if bytes <= most {
        return Ok(());
    }
    let message = format!("{what} has at most {most} bytes; this has {bytes}");
    Err(Refusal::new(Reason::TooLong, message))
}
