//! AST to sections, entries and fields, as YAML and JSON have them, with their comments.

use super::condition;
use crate::{
    source::Span,
    syntax::{
        ast::{
            Conversation, Demand, Expr, Group, Invariant, List, Matrix, Mode, Outcome, Peers,
            Permission, PermissionValue, Rule, Setting, Term, TermOf, Text, User, UserFields,
        },
        comments::{CommentMarker, PlacedComments, Region},
        terms,
    },
};

/// A value with its comments.
#[derive(Debug, Default)]
pub(super) struct TreeNode {
    pub(super) notes: PlacedComments,
    pub(super) value: TreeValue,
}

#[derive(Debug)]
pub(super) enum TreeValue {
    /// A text.
    Text(String),
    /// A value of a setting: a text, or a number, `true` or `false` if it is one of these.
    Setting(String),
    List(Vec<TreeNode>),
    Map(Vec<TreeField>),
}

pub(super) type TreeField = (String, TreeNode);

impl Default for TreeValue {
    fn default() -> Self {
        Self::Map(Vec::new())
    }
}

impl TreeNode {
    pub(super) fn new(value: TreeValue, mut part: Region) -> Self {
        part.gather();
        Self { notes: part.comments, value }
    }

    pub(super) fn bare(value: TreeValue) -> Self {
        Self { notes: PlacedComments::default(), value }
    }

    /// Whether comments stand within it, so that it needs lines of its own.
    pub(super) fn has_comments(&self) -> bool {
        let within = |node: &Self| !node.notes.is_empty() || node.has_comments();
        match &self.value {
            TreeValue::Text(_) | TreeValue::Setting(_) => false,
            TreeValue::List(items) => !self.notes.below.is_empty() || items.iter().any(within),
            TreeValue::Map(fields) => {
                !self.notes.below.is_empty() || fields.iter().any(|(_, node)| within(node))
            }
        }
    }
}

/// The value of a field, with the comments of the part that contains it.
pub(super) fn field(name: &str, value: TreeValue, at: Span, part: &mut Region) -> TreeField {
    (name.to_owned(), TreeNode::new(value, part.take(at)))
}

pub(super) fn text(name: &str, text: &Text<'_>, part: &mut Region) -> TreeField {
    field(name, TreeValue::Text(text.value.as_ref().to_owned()), text.span, part)
}

pub(super) fn texts(name: &str, list: &List<'_>, part: &mut Region) -> TreeField {
    field(name, list_value(list), list.span, part)
}

/// A list whose elements may have terms; one that has is a mapping.
fn timed_texts(
    name: &str,
    list: &List<'_>,
    terms: (&[Term<'_>], TermOf),
    part: &mut Region,
) -> TreeField {
    let (terms, of) = terms;
    let element =
        |(at, text): (usize, &Text<'_>)| TreeNode::bare(timed_value(text, terms, (of, at)));
    let value = TreeValue::List(list.value.iter().enumerate().map(element).collect());
    field(name, value, list.span, part)
}

fn timed_value(text: &Text<'_>, terms: &[Term<'_>], (of, at): (TermOf, usize)) -> TreeValue {
    let name = TreeValue::Text(text.value.as_ref().to_owned());
    let Some(term) = terms::find(terms, of, at) else { return name };
    let entry = |(key, value): (&str, &Text<'_>)| {
        (key.to_owned(), TreeNode::bare(TreeValue::Text(value.value.as_ref().to_owned())))
    };
    let mut fields = vec![(of.name_key().to_owned(), TreeNode::bare(name))];
    fields.extend(term.entries().map(entry));
    TreeValue::Map(fields)
}

pub(super) fn list_value(list: &List<'_>) -> TreeValue {
    let text = |text: &Text<'_>| TreeNode::bare(TreeValue::Text(text.value.as_ref().to_owned()));
    TreeValue::List(list.value.iter().map(text).collect())
}

pub(super) fn expr_field(name: &str, expr: &Expr<'_>, part: &mut Region) -> TreeField {
    field(name, TreeValue::Setting(condition(expr)), expr.span, part)
}

pub(super) fn settings(entries: &[Setting<'_>], part: &mut Region) -> Vec<TreeField> {
    let setting = |entry: &Setting<'_>| {
        let value = TreeValue::Setting(condition(&entry.value));
        field(&entry.key.value, value, entry.key.span, part)
    };
    entries.iter().map(setting).collect()
}

/// A field that is a mapping of settings; `None` without any.
fn settings_field(name: &str, entries: &[Setting<'_>], part: &mut Region) -> Option<TreeField> {
    let mut own = part.take(entries.first()?.key.span);
    let entries = TreeValue::Map(settings(entries, &mut own));
    Some((name.to_owned(), TreeNode::new(entries, own)))
}

pub(super) fn rule(rule: &Rule<'_>, mut part: Region) -> TreeNode {
    let Rule { span: _, name, rule_id, condition, outcome, between, description } = rule;
    let within = &mut part;
    let mut fields = Vec::new();
    fields.extend(name.as_ref().map(|name| text("name", name, within)));
    fields.extend(rule_id.as_ref().map(|id| text("rule_id", id, within)));
    fields.push(expr_field("condition", condition, within));
    fields.extend(outcome.as_ref().map(|outcome| match outcome {
        Outcome::Tags(tags) => texts("outcome", tags, within),
        Outcome::Condition(condition) => expr_field("outcome", condition, within),
    }));
    fields.extend(between.as_ref().map(|it| expr_field("between", it, within)));
    fields.extend(description.as_ref().map(|it| text("description", it, within)));
    TreeNode::new(TreeValue::Map(fields), part)
}

pub(super) fn invariant(invariant: &Invariant<'_>, mut part: Region) -> TreeNode {
    let Invariant { span: _, demand, name, action, from, to, scope, conversation, description } =
        invariant;
    let within = &mut part;
    let mut fields = Vec::new();
    fields.extend(name.as_ref().map(|name| text("name", name, within)));
    if *demand == Demand::Every {
        fields.push(expr_field(demand.as_str(), from, within));
        fields.push(expr_field("reaches", to, within));
        fields.push(text("by", action, within));
    } else {
        fields.push(text(demand.as_str(), action, within));
        fields.push(expr_field("from", from, within));
        fields.push(expr_field("to", to, within));
    }
    fields.extend(scope.as_ref().map(|it| text("scope", it, within)));
    fields.extend(conversation.as_ref().map(|it| text("conversation", it, within)));
    fields.extend(description.as_ref().map(|it| text("description", it, within)));
    TreeNode::new(TreeValue::Map(fields), part)
}

/// The default mode and the others.
pub(super) fn peers(peers: &Peers<'_>, part: &mut Region, from: CommentMarker) -> Vec<TreeField> {
    let mut fields = Vec::new();
    fields.extend(peers.default.as_ref().map(|default| text("default", default, part)));
    if let Some(first) = peers.modes.first() {
        // In the DSL the modes stand beside the default.
        let mut own = match from {
            CommentMarker::Hash => part.take(first.when.span),
            CommentMarker::Slashes => Region::default(),
        };
        let list = if from == CommentMarker::Hash { &mut own } else { part };
        let modes = peers.modes.iter().map(|it| mode(it, list, from)).collect();
        fields.push(("modes".to_owned(), TreeNode::new(TreeValue::List(modes), own)));
    }
    fields
}

fn mode(mode: &Mode<'_>, list: &mut Region, from: CommentMarker) -> TreeNode {
    let mut own = list.take(mode.when.span);
    let fields = match from {
        CommentMarker::Hash => {
            vec![expr_field("when", &mode.when, &mut own), text("mode", &mode.mode, &mut own)]
        }
        CommentMarker::Slashes => vec![
            ("when".to_owned(), TreeNode::bare(TreeValue::Setting(condition(&mode.when)))),
            (
                "mode".to_owned(),
                TreeNode::bare(TreeValue::Text(mode.mode.value.as_ref().to_owned())),
            ),
        ],
    };
    TreeNode::new(TreeValue::Map(fields), own)
}

pub(super) fn matrix(matrix: &Matrix<'_>, mut part: Region) -> TreeNode {
    let permission = |permission: &Permission<'_>| {
        let Permission { key, value } = permission;
        let mut own = part.take(key.span);
        let value = match value {
            PermissionValue::One(value) => TreeValue::Setting(condition(value)),
            PermissionValue::ByField(fields) => TreeValue::Map(settings(fields, &mut own)),
        };
        (key.value.as_ref().to_owned(), TreeNode::new(value, own))
    };
    let permissions = matrix.permissions.iter().map(permission).collect();
    TreeNode::new(TreeValue::Map(permissions), part)
}

pub(super) fn user(user: &User<'_>, mut part: Region) -> TreeNode {
    let within = &mut part;
    let mut fields = Vec::new();
    let terms = user.more.as_ref().map_or(&[][..], |more| &more.terms);
    let tags = user.tags.as_ref();
    fields.extend(tags.map(|tags| timed_texts("tags", tags, (terms, TermOf::Tags), within)));
    if let Some(more) = &user.more {
        let UserFields {
            peers,
            accepts,
            permissions,
            moderation,
            approval,
            contacts,
            favorites,
            paired,
            blocked,
            friends,
            terms,
        } = &**more;
        let terms = |of| (&**terms, of);
        fields.extend(peers.as_ref().map(|it| text("peers", it, within)));
        fields.extend(settings_field("permissions", permissions, within));
        fields.extend(moderation.as_ref().map(|it| {
            let (terms, of) = terms(TermOf::Moderation);
            field("moderation", timed_value(it, terms, (of, 0)), it.span, within)
        }));
        fields.extend(approval.as_ref().map(|it| text("approval", it, within)));
        let list = contacts.as_ref();
        fields.extend(list.map(|it| timed_texts("contacts", it, terms(TermOf::Contacts), within)));
        let list = favorites.as_ref();
        fields
            .extend(list.map(|it| timed_texts("favorites", it, terms(TermOf::Favorites), within)));
        let list = paired.as_ref();
        fields.extend(list.map(|it| timed_texts("paired", it, terms(TermOf::Paired), within)));
        let list = blocked.as_ref();
        fields.extend(list.map(|it| timed_texts("blocked", it, terms(TermOf::Blocked), within)));
        let list = friends.as_ref();
        fields.extend(list.map(|it| timed_texts("friends", it, terms(TermOf::Friends), within)));
        fields.extend(settings_field("accepts", accepts, within));
    }
    TreeNode::new(TreeValue::Map(fields), part)
}

pub(super) fn group(group: &Group<'_>, mut part: Region) -> TreeNode {
    let Group {
        id: _,
        matrix,
        creator,
        super_admins,
        admins,
        members,
        muted,
        banned,
        requires,
        terms,
    } = group;
    let terms = |of| (&**terms, of);
    let within = &mut part;
    let mut fields = Vec::new();
    fields.extend(matrix.as_ref().map(|it| text("matrix", it, within)));
    fields.extend(creator.as_ref().map(|it| text("creator", it, within)));
    fields.extend(super_admins.as_ref().map(|it| texts("super_admins", it, within)));
    fields.extend(admins.as_ref().map(|it| texts("admins", it, within)));
    fields.extend(members.as_ref().map(|it| texts("members", it, within)));
    let list = muted.as_ref();
    fields.extend(list.map(|it| timed_texts("muted", it, terms(TermOf::Muted), within)));
    let list = banned.as_ref();
    fields.extend(list.map(|it| timed_texts("banned", it, terms(TermOf::Banned), within)));
    fields.extend(requires.as_ref().map(|it| expr_field("requires", it, within)));
    TreeNode::new(TreeValue::Map(fields), part)
}

pub(super) fn conversation(conversation: &Conversation<'_>, part: Region) -> TreeNode {
    let text = |text: &Text<'_>| TreeNode::bare(TreeValue::Text(text.value.as_ref().to_owned()));
    TreeNode::new(TreeValue::List(conversation.users.iter().map(text).collect()), part)
}
