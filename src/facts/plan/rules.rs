//! Commands on rules.

use uuid::Uuid;

use super::{
    CommandError, CommandOutcome, Declarable, Hint, RefusalReason, draft::Draft,
    planned::PlanResult,
};
use crate::facts::{RuleRecord, TagName};

/// The limits of a rule's texts, in bytes.
const LONGEST_NAME: usize = 255;
const LONGEST_DESCRIPTION: usize = 10_000;
const LONGEST_CONDITION: usize = 65_536;

/// The greatest number of tags of an outcome.
const MOST_TAGS: usize = 1000;

/// The texts of a rule for its readers.
#[derive(Clone, Copy)]
pub(super) struct RuleTexts<'c> {
    pub(super) name: Option<&'c str>,
    pub(super) description: Option<&'c str>,
}

pub(super) fn put<E>(
    draft: &mut Draft<'_, E>,
    id: Option<Uuid>,
    condition: &str,
    outcome: &[TagName],
    texts: RuleTexts<'_>,
) -> PlanResult<E> {
    check_texts(texts)?;
    check_length("a condition", condition.len(), LONGEST_CONDITION)?;
    draft.context.canonical_condition(condition)?;
    check_outcome(draft, outcome)?;
    let id = id.unwrap_or_else(|| draft.context.new_id());
    draft.check_undeclared(&Declarable::Rule(id), &format!("the rule {id}"))?;
    if let Some(name) = texts.name {
        let taken = draft.context.rule_by_name(name).filter(|&other| other != id);
        if let Some(other) = taken {
            let problem = format!("rule {other} has the name `{name}` already");
            let error = CommandError::new(RefusalReason::NameTaken, problem);
            return Err(error.with_hint(Hint::ChooseAnotherRuleName).into());
        }
    }
    let rule = RuleRecord {
        name: texts.name.map(str::to_owned),
        description: texts.description.map(str::to_owned),
        condition: condition.to_owned(),
        outcome: outcome.iter().map(TagName::to_string).collect(),
    };
    draft.set_rule(id, Some(rule))?;
    Ok(CommandOutcome { rule_id: Some(id), ..CommandOutcome::default() })
}

pub(super) fn delete<E>(draft: &mut Draft<'_, E>, id: Uuid) -> PlanResult<E> {
    draft.check_undeclared(&Declarable::Rule(id), &format!("the rule {id}"))?;
    if !draft.has_rule(id)? {
        let message = format!("no rule {id} is known");
        return Err(CommandError::new(RefusalReason::UnknownRule, message).into());
    }
    draft.set_rule(id, None)?;
    Ok(CommandOutcome::default())
}

fn check_texts(texts: RuleTexts<'_>) -> Result<(), CommandError> {
    if let Some(name) = texts.name {
        check_length("a rule's name", name.len(), LONGEST_NAME)?;
        if name.is_empty() || name.chars().any(char::is_control) {
            let message = "a rule's name can't be empty or hold control characters";
            return Err(CommandError::new(RefusalReason::Invalid, message));
        }
    }
    if let Some(text) = texts.description {
        check_length("a rule's description", text.len(), LONGEST_DESCRIPTION)?;
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            let message = "a rule's description can't hold control characters";
            return Err(CommandError::new(RefusalReason::Invalid, message));
        }
    }
    Ok(())
}

fn check_outcome<E>(draft: &Draft<'_, E>, given: &[TagName]) -> Result<(), CommandError> {
    if given.is_empty() {
        let message = "a rule's outcome needs at least one tag";
        return Err(CommandError::new(RefusalReason::Invalid, message));
    }
    if given.len() > MOST_TAGS {
        let message =
            format!("an outcome can have at most {MOST_TAGS} tags; this has {}", given.len());
        return Err(CommandError::new(RefusalReason::TooMany, message));
    }
    given.iter().try_for_each(|tag| draft.context.check_tag(tag))
}

/// Checks a length; `what` begins the message.
///
/// # Errors
/// `too_long` if it is more than `most` bytes.
pub(super) fn check_length(what: &str, bytes: usize, most: usize) -> Result<(), CommandError> {
    if bytes <= most {
        return Ok(());
    }
    let message = format!("{what} can have at most {most} bytes; this has {bytes}");
    Err(CommandError::new(RefusalReason::TooLong, message))
}
