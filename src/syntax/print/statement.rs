//! AST to statements of the DSL, with their comments.

use super::{
    doc::Doc,
    dsl::{PrintedStatement, StatementKind},
    names, relations,
    statement_parts::{block, field, list, simple, text, timed_list, timed_text},
    text::word,
};
use crate::syntax::{
    ast::{
        Conversation, Demand, Group, Invariant, Item, Matrix, Peers, Permission, PermissionValue,
        Setting, TermOf, User, UserFields,
    },
    comments::{CommentMarker, Region},
};

/// The statement of an item whose comments were read from a text of this notation.
pub(super) fn statement(
    item: &Item<'_>,
    mut part: Region,
    from: CommentMarker,
) -> PrintedStatement {
    let part = &mut part;
    let mut statement = match item {
        Item::Tags(tags) => simple("tags", Doc::list(tags)),
        Item::ProtectedTags(tags) => simple("protected_tags", Doc::list(tags)),
        Item::Rules(_) => {
            let none = Doc::Group { open: "[".to_owned(), items: Vec::new(), close: ']' };
            simple("rules", none)
        }
        Item::Rule(rule) => relations::rule(rule),
        Item::RuleSet(set) => relations::rule_set(set, part, from),
        Item::Barrier(barrier) => relations::barrier(barrier, part),
        Item::Audience(audience) => relations::audience(audience),
        Item::Accepts(accepts) => relations::accepts(accepts, part, from),
        Item::Action(action) => relations::action(action),
        Item::Window(window) => relations::window(window, part),
        Item::Word(section) => {
            simple(section.section.as_str(), Doc::Word(word(&section.value.value)))
        }
        Item::Settings(section) => {
            block(section.section.to_string(), settings(&section.entries, part))
        }
        Item::Peers(peers) => peers_statement(peers, part, from),
        Item::Matrix(matrix) => matrix_statement(matrix, part),
        Item::User(user) => user_statement(user, part),
        Item::Group(group) => group_statement(group, part),
        Item::Conversation(conversation) => conversation_statement(conversation),
        Item::Invariant(invariant) => invariant_statement(invariant),
        Item::Lints(lints) => {
            block("lints".to_owned(), vec![field("allow", Doc::list(lints), lints.span, part)])
        }
    };
    part.gather();
    statement.comments = std::mem::take(&mut part.comments);
    statement.kind = kind(item);
    statement
}

fn kind(item: &Item<'_>) -> StatementKind {
    match item {
        Item::Word(_)
        | Item::Settings(_)
        | Item::Peers(_)
        | Item::ProtectedTags(_)
        | Item::Lints(_) => StatementKind::Setting,
        Item::RuleSet(_) => StatementKind::RuleSet,
        Item::Barrier(_) => StatementKind::Barrier,
        Item::Audience(_) => StatementKind::Audience,
        Item::Accepts(_) => StatementKind::Accepts,
        Item::Action(_) => StatementKind::Action,
        Item::Window(_) => StatementKind::Window,
        Item::Tags(_) => StatementKind::Tags,
        Item::Rules(_) => StatementKind::Rules,
        Item::Rule(_) => StatementKind::Rule,
        Item::Matrix(_) => StatementKind::Matrix,
        Item::User(_) => StatementKind::User,
        Item::Group(_) => StatementKind::Group,
        Item::Conversation(_) => StatementKind::Conversation,
        Item::Invariant(_) => StatementKind::Invariant,
    }
}

fn settings(entries: &[Setting<'_>], part: &mut Region) -> Vec<PrintedStatement> {
    let setting = |entry: &Setting<'_>| {
        let doc = Doc::from_expr(&entry.value);
        field(&names::key(&entry.key.value, &doc), doc, entry.key.span, part)
    };
    entries.iter().map(setting).collect()
}

/// A field that is a block of settings; `None` without any.
fn settings_block(
    head: &str,
    entries: &[Setting<'_>],
    part: &mut Region,
) -> Option<PrintedStatement> {
    let mut own = part.take(entries.first()?.key.span);
    let fields = settings(entries, &mut own);
    own.gather();
    Some(PrintedStatement { comments: own.comments, ..block(head.to_owned(), fields) })
}

fn peers_statement(peers: &Peers<'_>, part: &mut Region, from: CommentMarker) -> PrintedStatement {
    let mut fields = Vec::new();
    // In YAML the modes are a list in a field of its own.
    let mut list = match (from, peers.modes.first()) {
        (CommentMarker::Hash, Some(first)) => Some(part.take(first.when.span)),
        _ => None,
    };
    for mode in &peers.modes {
        let part = list.as_mut().unwrap_or(part);
        let doc = Doc::Word(word(&mode.mode.value));
        fields.push(field(&names::mode(&mode.when, &doc, &["default"]), doc, mode.when.span, part));
    }
    if let (Some(mut list), Some(first)) = (list, fields.first_mut()) {
        list.gather();
        list.comments.raise();
        first.comments.precede(list.comments.above);
    }
    if let Some(default) = &peers.default {
        fields.push(field("default", Doc::Word(word(&default.value)), default.span, part));
    }
    block("peers".to_owned(), fields)
}

fn matrix_statement(matrix: &Matrix<'_>, part: &mut Region) -> PrintedStatement {
    let of_permission = |permission: &Permission<'_>| match &permission.value {
        PermissionValue::One(value) => {
            let doc = Doc::from_expr(value);
            field(&names::key(&permission.key.value, &doc), doc, permission.key.span, part)
        }
        PermissionValue::ByField(values) => {
            let mut own = part.take(permission.key.span);
            let fields = settings(values, &mut own);
            own.gather();
            PrintedStatement {
                comments: own.comments,
                ..block(names::name(&permission.key.value), fields)
            }
        }
    };
    let fields = matrix.permissions.iter().map(of_permission).collect();
    block(format!("matrix {}", word(&matrix.name.value)), fields)
}

fn user_statement(user: &User<'_>, part: &mut Region) -> PrintedStatement {
    let mut fields = Vec::new();
    let terms = user.more.as_ref().map_or(&[][..], |more| &more.terms);
    let tags = user.tags.as_ref();
    fields.extend(timed_list("tags", tags, (terms, TermOf::Tags), part));
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
        fields.extend(text("peers", peers.as_ref(), part));
        fields.extend(settings_block("permissions", permissions, part));
        let state = moderation.as_ref();
        fields.extend(timed_text("moderation", state, (terms, TermOf::Moderation), part));
        fields.extend(text("approval", approval.as_ref(), part));
        fields.extend(timed_list("contacts", contacts.as_ref(), (terms, TermOf::Contacts), part));
        fields.extend(timed_list(
            "favorites",
            favorites.as_ref(),
            (terms, TermOf::Favorites),
            part,
        ));
        fields.extend(timed_list("paired", paired.as_ref(), (terms, TermOf::Paired), part));
        fields.extend(timed_list("blocked", blocked.as_ref(), (terms, TermOf::Blocked), part));
        fields.extend(timed_list("friends", friends.as_ref(), (terms, TermOf::Friends), part));
        fields.extend(settings_block("accepts", accepts, part));
    }
    block(format!("user {}", word(&user.id.value)), fields)
}

fn group_statement(group: &Group<'_>, part: &mut Region) -> PrintedStatement {
    let Group {
        id,
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
    let mut fields = Vec::new();
    fields.extend(text("matrix", matrix.as_ref(), part));
    fields.extend(text("creator", creator.as_ref(), part));
    fields.extend(list("super_admins", super_admins.as_ref(), part));
    fields.extend(list("admins", admins.as_ref(), part));
    fields.extend(list("members", members.as_ref(), part));
    fields.extend(timed_list("muted", muted.as_ref(), (terms, TermOf::Muted), part));
    fields.extend(timed_list("banned", banned.as_ref(), (terms, TermOf::Banned), part));
    let requires = requires.as_ref();
    fields.extend(requires.map(|it| field("requires", Doc::from_expr(it), it.span, part)));
    block(format!("group {}", word(&id.value)), fields)
}

fn conversation_statement(conversation: &Conversation<'_>) -> PrintedStatement {
    let [one, other] = &conversation.users;
    let head = format!("conversation {}, {}", word(&one.value), word(&other.value));
    PrintedStatement { head, ..PrintedStatement::default() }
}

fn invariant_statement(invariant: &Invariant<'_>) -> PrintedStatement {
    let Invariant { span: _, demand, name, action, from, to, scope, conversation, description } =
        invariant;
    let mut head = demand.as_str().to_owned();
    let to = Doc::from_expr(to);
    let mut parts = Vec::new();
    if *demand == Demand::Every {
        parts.push(("", Doc::before_word(from)));
        parts.extend([(" reaches ", to), (" by ", Doc::Word(word(&action.value)))]);
    } else {
        head.extend([" ", &word(&action.value)]);
        parts.extend([("", Doc::from_expr(from)), (" -> ", to)]);
    }
    if let Some(name) = name {
        head.extend([" ", &word(&name.value)]);
    }
    parts.extend(scope.as_ref().map(|scope| (" scope ", Doc::Word(word(&scope.value)))));
    let conversation = conversation.as_ref().map(|it| Doc::Word(word(&it.value)));
    parts.extend(conversation.map(|it| (" conversation ", it)));
    let description = description.as_ref().map(|text| text.value.as_ref().to_owned());
    PrintedStatement { description, ..simple(&head, Doc::Chain(parts)) }
}
