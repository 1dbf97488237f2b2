//! Expectations of a test: a question and its answer.

use super::{
    properties,
    required::{boolean, required},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    syntax::{
        ast::{List, Spanned, Text},
        tests::{Expectation, ExpectationAnswer},
        yaml::{
            cursor::{YamlCursor, YamlError},
            node::Node,
            values::{ExpectedValue, FieldValue, MappingFields},
        },
    },
};

const EXPECTATION: ExpectedValue = ExpectedValue(
    "an expectation",
    "write `{ subject: ..., action: ..., resource: ..., allow: true }`",
);
const ID: ExpectedValue = ExpectedValue("an id", "write it as text, in quotes if need be");
const WORD: ExpectedValue = ExpectedValue("a word", "write a single word");
const CONTEXT: ExpectedValue =
    ExpectedValue("a mapping with `conversation`", "write `{ conversation: existing }`");

const FIELDS: &[&str] = &[
    "subject",
    "action",
    "resource",
    "resource_type",
    "member",
    "field",
    "context",
    "subject_properties",
    "resource_properties",
    "member_properties",
    "allow",
    "reason",
    "obligations",
    "reaches",
    "reached_by",
];

/// An expectation; one without an action is reported and left out.
pub(super) fn read<'s>(
    cursor: &mut YamlCursor<'s, '_>,
) -> Result<Option<Expectation<'s>>, YamlError> {
    let node = cursor.node()?;
    let Node::Mapping(opened) = node else {
        cursor.report_invalid::<()>(&node, EXPECTATION)?;
        return Ok(None);
    };
    let mut fields = MappingFields::new("field");
    let errors = cursor.problems.errors();
    let mut action = None;
    let mut refused = false;
    let mut read = Expectation {
        span: opened.span,
        is_partial: false,
        subject: None,
        action: Spanned::new("".into(), opened.span),
        resource: None,
        resource_type: None,
        member: None,
        field: None,
        conversation: None,
        subject_properties: None,
        resource_properties: None,
        member_properties: None,
        answer: ExpectationAnswer::default(),
    };
    while let Some(key) = fields.next(cursor)? {
        let mut text = |expected| -> Result<Option<Text<'s>>, YamlError> {
            let given = cursor.string(expected)?;
            refused |= matches!(given, FieldValue::Invalid);
            Ok(required(cursor, &key, given))
        };
        match &*key.value {
            "subject" => read.subject = text(ID)?,
            "action" => action = text(WORD)?,
            "resource" => read.resource = text(ID)?,
            "resource_type" => read.resource_type = text(WORD)?,
            "member" => read.member = text(ID)?,
            "field" => read.field = text(ID)?,
            "context" => read.conversation = context(cursor)?,
            "subject_properties" => read.subject_properties = properties::read(cursor, key.span)?,
            "resource_properties" => read.resource_properties = properties::read(cursor, key.span)?,
            "member_properties" => read.member_properties = properties::read(cursor, key.span)?,
            "allow" => read.answer.allow = boolean(cursor, &key)?,
            "reason" => read.answer.reason = text(WORD)?,
            "obligations" => read.answer.obligations = list(cursor, &key)?,
            "reaches" => read.answer.reaches = list(cursor, &key)?,
            "reached_by" => read.answer.reached_by = list(cursor, &key)?,
            _ => cursor.unknown_field(&key, "an expectation", FIELDS)?,
        }
    }
    read.span = fields.first().unwrap_or(opened.span);
    read.is_partial = cursor.problems.errors() > errors;
    if action.is_none() && !refused {
        cursor.problems.push(
            Diagnostic::error(Code::MissingField, read.span, "the expectation has no `action`")
                .hint("add `action: start_chat`, or another action"),
        );
    }
    Ok(action.map(|action| Expectation { action, ..read }))
}

fn list<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    key: &Text<'s>,
) -> Result<Option<List<'s>>, YamlError> {
    let given = cursor.users()?;
    Ok(required(cursor, key, given))
}

fn context<'s>(cursor: &mut YamlCursor<'s, '_>) -> Result<Option<Text<'s>>, YamlError> {
    let mut conversation = None;
    if cursor.mapping(CONTEXT)?.value().is_some() {
        let mut fields = MappingFields::new("field");
        while let Some(key) = fields.next(cursor)? {
            match &*key.value {
                "conversation" => {
                    let given = cursor.string(WORD)?;
                    conversation = required(cursor, &key, given);
                }
                _ => cursor.unknown_field(&key, "`context`", &["conversation"])?,
            }
        }
    }
    Ok(conversation)
}
