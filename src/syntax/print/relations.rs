//! Rules, rule sets, barriers, audiences, actions and windows as statements of the DSL, with their comments.

use super::{
    doc::Doc,
    dsl::{PrintedStatement, StatementBody},
    names,
    statement_parts::{block, field, list, simple, text},
    text::word,
};
use crate::syntax::{
    ast::{
        Accepts, ActionDeclaration, Audience, AudienceMode, Barrier, BarrierDirection, Outcome,
        Rule, RuleSet, Window,
    },
    comments::{CommentMarker, Region},
};

pub(super) fn rule(rule: &Rule<'_>) -> PrintedStatement {
    let mut head = "rule".to_owned();
    if let Some(name) = &rule.name {
        head.extend([" ", &word(&name.value)]);
    }
    match &rule.rule_id {
        // There the bare word would be the keyword.
        Some(id) if id.value == "rule_id" => head.push_str(" rule_id \"rule_id\""),
        Some(id) => head.extend([" rule_id ", &word(&id.value)]),
        None => {}
    }
    let condition = match &rule.outcome {
        Some(_) => Doc::from_expr(&rule.condition),
        None => Doc::before_word(&rule.condition),
    };
    let mut parts = vec![("", condition)];
    parts.extend(rule.outcome.as_ref().map(|outcome| {
        let outcome = match outcome {
            Outcome::Tags(tags) => Doc::list(tags),
            Outcome::Condition(condition) => Doc::from_expr(condition),
        };
        (" -> ", outcome)
    }));
    parts.extend(rule.between.as_ref().map(|it| (" between ", Doc::from_expr(it))));
    let description = rule.description.as_ref().map(|text| text.value.as_ref().to_owned());
    PrintedStatement { description, ..simple(&head, Doc::Chain(parts)) }
}

pub(super) fn rule_set(
    set: &RuleSet<'_>,
    part: &mut Region,
    from: CommentMarker,
) -> PrintedStatement {
    let RuleSet { name, asked, actions, rules, description, is_whole: _ } = set;
    let mut fields = Vec::new();
    fields.extend(text("asked", asked.as_ref(), part));
    fields.extend(list("actions", actions.as_ref(), part));
    // In YAML the rules are a list in a field of its own.
    let mut within = match (from, rules.first()) {
        (CommentMarker::Hash, Some(first)) => Some(part.take(first.span)),
        _ => None,
    };
    let before = fields.len();
    for rule in rules {
        let mut own = within.as_mut().unwrap_or(part).take(rule.span);
        own.gather();
        fields.push(PrintedStatement { comments: own.comments, ..self::rule(rule) });
    }
    if let (Some(mut within), Some(first)) = (within, fields.get_mut(before)) {
        within.gather();
        within.comments.raise();
        first.comments.precede(within.comments.above);
    }
    let description = description.as_ref().map(|text| text.value.as_ref().to_owned());
    PrintedStatement { description, ..block(format!("rule_set {}", word(&name.value)), fields) }
}

pub(super) fn barrier(barrier: &Barrier<'_>, part: &mut Region) -> PrintedStatement {
    let Barrier { name, direction, from, to, actions, unless, groups, description } = barrier;
    let arrow = match direction {
        BarrierDirection::OneWay => " -> ",
        BarrierDirection::BothWays => " <-> ",
    };
    let sides = Doc::Chain(vec![("", Doc::from_expr(from)), (arrow, Doc::from_expr(to))]);
    let mut fields = Vec::new();
    fields.extend(list("actions", actions.as_ref(), part));
    fields.extend(unless.as_ref().map(|it| field("unless", Doc::from_expr(it), it.span, part)));
    fields.extend(text("groups", groups.as_ref(), part));
    let value = if fields.is_empty() {
        StatementBody::Doc(sides)
    } else {
        StatementBody::DocBlock(sides, fields)
    };
    PrintedStatement {
        head: format!("barrier {}", word(&name.value)),
        value,
        description: description.as_ref().map(|text| text.value.as_ref().to_owned()),
        ..PrintedStatement::default()
    }
}

pub(super) fn audience(audience: &Audience<'_>) -> PrintedStatement {
    let Audience { name, condition } = audience;
    simple(&format!("audience {}", word(&name.value)), Doc::from_expr(condition))
}

pub(super) fn accepts(
    accepts: &Accepts<'_>,
    part: &mut Region,
    from: CommentMarker,
) -> PrintedStatement {
    let Accepts { action, modes, default, asked, otherwise, is_whole: _ } = accepts;
    let mut fields = Vec::new();
    let mut within = match (from, modes.first()) {
        (CommentMarker::Hash, Some(first)) => Some(part.take(first.when.span)),
        _ => None,
    };
    for AudienceMode { when, audience, locked } in modes {
        let part = within.as_mut().unwrap_or(part);
        let lock = if locked.is_some() { " locked" } else { "" };
        let doc = Doc::Word(format!("{}{lock}", word(&audience.value)));
        fields.push(field(
            &names::mode(when, &doc, &["default", "asked", "otherwise"]),
            doc,
            when.span,
            part,
        ));
    }
    if let (Some(mut within), Some(first)) = (within, fields.first_mut()) {
        within.gather();
        within.comments.raise();
        first.comments.precede(within.comments.above);
    }
    fields.extend(text("default", default.as_ref(), part));
    fields.extend(text("otherwise", otherwise.as_ref(), part));
    fields.extend(text("asked", asked.as_ref(), part));
    block(format!("accepts {}", word(&action.value)), fields)
}

pub(super) fn action(action: &ActionDeclaration<'_>) -> PrintedStatement {
    let ActionDeclaration { name, like } = action;
    simple(&format!("action {}", word(&name.value)), Doc::Word(word(&like.value)))
}

pub(super) fn window(window: &Window<'_>, part: &mut Region) -> PrintedStatement {
    let Window { name, days, from, to, zone, except, is_whole: _ } = window;
    let mut fields = Vec::new();
    fields.extend(list("days", days.as_ref(), part));
    fields.extend(text("from", from.as_ref(), part));
    fields.extend(text("to", to.as_ref(), part));
    fields.extend(text("zone", zone.as_ref(), part));
    fields.extend(list("except", except.as_ref(), part));
    block(format!("window {}", word(&name.value)), fields)
}
