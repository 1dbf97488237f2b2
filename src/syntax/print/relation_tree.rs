//! Rule sets, barriers, audiences, actions and windows as YAML and JSON have them, with their comments.

use super::{
    condition,
    tree::{TreeField, TreeNode, TreeValue, expr_field, field, rule, text, texts},
};
use crate::syntax::{
    ast::{
        Accepts, ActionDeclaration, Audience, AudienceMode, Barrier, BarrierDirection, RuleSet,
        Text, Window,
    },
    comments::{CommentMarker, Region},
};

pub(super) fn rule_set(set: &RuleSet<'_>, mut part: Region, from: CommentMarker) -> TreeNode {
    let RuleSet { name: _, asked, actions, rules, description, is_whole: _ } = set;
    let within = &mut part;
    let mut fields = Vec::new();
    fields.extend(asked.as_ref().map(|it| text("asked", it, within)));
    fields.extend(actions.as_ref().map(|it| texts("actions", it, within)));
    if let Some(first) = rules.first() {
        // In the DSL the rules stand beside the other fields.
        let mut own = match from {
            CommentMarker::Hash => within.take(first.span),
            CommentMarker::Slashes => Region::default(),
        };
        let list = if from == CommentMarker::Hash { &mut own } else { &mut *within };
        let rules = rules.iter().map(|it| rule(it, list.take(it.span))).collect();
        fields.push(("rules".to_owned(), TreeNode::new(TreeValue::List(rules), own)));
    }
    fields.extend(description.as_ref().map(|it| text("description", it, within)));
    TreeNode::new(TreeValue::Map(fields), part)
}

pub(super) fn barrier(barrier: &Barrier<'_>, mut part: Region) -> TreeNode {
    let Barrier { name, direction, from, to, actions, unless, groups, description } = barrier;
    let within = &mut part;
    let mut fields = vec![text("name", name, within)];
    match direction {
        BarrierDirection::OneWay => {
            fields.push(expr_field("from", from, within));
            fields.push(expr_field("to", to, within));
        }
        BarrierDirection::BothWays => {
            let side = |side| TreeNode::bare(TreeValue::Setting(condition(side)));
            let sides = TreeValue::List([from, to].map(side).into());
            fields.push(field("between", sides, from.span, within));
        }
    }
    fields.extend(actions.as_ref().map(|it| texts("actions", it, within)));
    fields.extend(unless.as_ref().map(|it| expr_field("unless", it, within)));
    fields.extend(groups.as_ref().map(|it| setting("groups", it, within)));
    fields.extend(description.as_ref().map(|it| text("description", it, within)));
    TreeNode::new(TreeValue::Map(fields), part)
}

pub(super) fn audience(audience: &Audience<'_>, part: Region) -> TreeNode {
    let Audience { name: _, condition: meaning } = audience;
    TreeNode::new(TreeValue::Setting(condition(meaning)), part)
}

pub(super) fn accepts(accepts: &Accepts<'_>, mut part: Region, from: CommentMarker) -> TreeNode {
    let Accepts { action: _, modes, default, asked, otherwise, is_whole: _ } = accepts;
    let within = &mut part;
    let mut fields = Vec::new();
    fields.extend(default.as_ref().map(|it| text("default", it, within)));
    if let Some(first) = modes.first() {
        let mut own = match from {
            CommentMarker::Hash => within.take(first.when.span),
            CommentMarker::Slashes => Region::default(),
        };
        let list = if from == CommentMarker::Hash { &mut own } else { &mut *within };
        let modes = modes.iter().map(|it| mode(it, list.take(it.when.span))).collect();
        fields.push(("modes".to_owned(), TreeNode::new(TreeValue::List(modes), own)));
    }
    fields.extend(otherwise.as_ref().map(|it| text("otherwise", it, within)));
    fields.extend(asked.as_ref().map(|it| text("asked", it, within)));
    TreeNode::new(TreeValue::Map(fields), part)
}

fn mode(mode: &AudienceMode<'_>, part: Region) -> TreeNode {
    let AudienceMode { when, audience, locked } = mode;
    let mut fields = vec![
        ("when".to_owned(), TreeNode::bare(TreeValue::Setting(condition(when)))),
        (
            "audience".to_owned(),
            TreeNode::bare(TreeValue::Text(audience.value.as_ref().to_owned())),
        ),
    ];
    fields.extend(locked.as_ref().map(|it| {
        ("locked".to_owned(), TreeNode::bare(TreeValue::Setting(it.value.as_ref().to_owned())))
    }));
    TreeNode::new(TreeValue::Map(fields), part)
}

pub(super) fn action(action: &ActionDeclaration<'_>, mut part: Region) -> TreeNode {
    let ActionDeclaration { name: _, like } = action;
    let fields = vec![text("like", like, &mut part)];
    TreeNode::new(TreeValue::Map(fields), part)
}

pub(super) fn window(window: &Window<'_>, mut part: Region) -> TreeNode {
    let Window { name: _, days, from, to, zone, except, is_whole: _ } = window;
    let within = &mut part;
    let mut fields = Vec::new();
    fields.extend(days.as_ref().map(|it| texts("days", it, within)));
    fields.extend(from.as_ref().map(|it| text("from", it, within)));
    fields.extend(to.as_ref().map(|it| text("to", it, within)));
    fields.extend(zone.as_ref().map(|it| text("zone", it, within)));
    fields.extend(except.as_ref().map(|it| texts("except", it, within)));
    TreeNode::new(TreeValue::Map(fields), part)
}

/// A text that is true or false where it can be.
fn setting(name: &str, text: &Text<'_>, part: &mut Region) -> TreeField {
    field(name, TreeValue::Setting(text.value.as_ref().to_owned()), text.span, part)
}
