use super::properties;
use crate::{
    diagnostic::{Code, Diagnostic},
    syntax::{
        ast::{List, Spanned, Text},
        tests::{Answer, Expectation},
        yaml::{
            cursor::{Cursor, Stop},
            node::Node,
            read::{Expected, Fields, Given},
        },
    },
};

const EXPECTATION: Expected =
    Expected("an expectation", "write `{ subject: ..., action: ..., resource: ..., allow: true }`");
const ID: Expected = Expected("an id", "write it as text, in quotes if need be");
const WORD: Expected = Expected("a word", "write a single word");
const BOOL: Expected = Expected("`true` or `false`", "write `true` or `false`");
const CONTEXT: Expected =
    Expected("a mapping with `conversation`", "write `{ conversation: existing }`");

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
pub(super) fn read<'s>(cursor: &mut Cursor<'s, '_>) -> Result<Option<Expectation<'s>>, Stop> {
    let node = cursor.node()?;
    let Node::Mapping(opened) = node else {
        cursor.refuse::<()>(&node, EXPECTATION)?;
        return Ok(None);
    };
    let mut fields = Fields::new("field");
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
        answer: Answer::default(),
    };
    while let Some(key) = fields.next(cursor)? {
        let mut text = |expected| -> Result<Option<Text<'s>>, Stop> {
            let given = cursor.string(expected)?;
            refused |= matches!(given, Given::Refused);
            Ok(said(cursor, &key, given))
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

/// What a field says; one that is there and says nothing is reported, lest it be passed over.
fn said<'s, T>(cursor: &mut Cursor<'s, '_>, key: &Text<'s>, given: Given<T>) -> Option<T> {
    if matches!(given, Given::Nothing) {
        let message = format!("`{}` says nothing", key.value);
        cursor.problems.push(
            Diagnostic::error(Code::MissingField, key.span, message)
                .hint("give it a value, or leave it out"),
        );
    }
    given.value()
}

fn list<'s>(cursor: &mut Cursor<'s, '_>, key: &Text<'s>) -> Result<Option<List<'s>>, Stop> {
    let given = cursor.users()?;
    Ok(said(cursor, key, given))
}

/// `true` or `false`, as YAML 1.2 has them.
pub(super) fn boolean<'s>(
    cursor: &mut Cursor<'s, '_>,
    key: &Text<'s>,
) -> Result<Option<Spanned<bool>>, Stop> {
    match cursor.node()? {
        Node::Scalar(scalar) if scalar.is_bool() => {
            let value = scalar.value.eq_ignore_ascii_case("true");
            Ok(Some(Spanned::new(value, scalar.span)))
        }
        Node::Scalar(scalar) if scalar.is_null() => Ok(said(cursor, key, Given::Nothing)),
        other => Ok(cursor.refuse(&other, BOOL)?.value()),
    }
}

fn context<'s>(cursor: &mut Cursor<'s, '_>) -> Result<Option<Text<'s>>, Stop> {
    let mut conversation = None;
    if cursor.mapping(CONTEXT)?.value().is_some() {
        let mut fields = Fields::new("field");
        while let Some(key) = fields.next(cursor)? {
            match &*key.value {
                "conversation" => {
                    let given = cursor.string(WORD)?;
                    conversation = said(cursor, &key, given);
                }
                _ => cursor.unknown_field(&key, "`context`", &["conversation"])?,
            }
        }
    }
    Ok(conversation)
}
