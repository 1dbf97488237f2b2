//! Random statements of all kinds, with texts that notations stumble over.

#![allow(dead_code, reason = "no test needs all of it")]
#![allow(clippy::unwrap_used, clippy::string_slice, reason = "a test may fail by it")]

use std::{borrow::Cow, collections::BTreeSet};

use peerage::{
    source::{SourceId, Span},
    syntax::ast::{
        Accepts, ActionDeclaration, Audience, AudienceMode, Barrier, BarrierDirection,
        Conversation, Demand, Expr, ExprKind, Group, Invariant, Item, List, Matrix, Mode, Outcome,
        Peers, Permission, PermissionValue, Rule, RuleSet, Setting, Settings, SettingsSection,
        Spanned, Term, TermOf, Text, User, UserFields, Window, Word, WordSection,
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select};

const TRICKY: &[&str] = &[
    "",
    " ",
    "007",
    "1.5",
    "1e3",
    "0x1F",
    "-5",
    "-",
    "--",
    "---",
    "--- a",
    "...",
    "-a",
    "- a",
    "?",
    "? a",
    "?a",
    ":",
    ": b",
    ":b",
    "a:",
    "a:b",
    "a: b",
    "#",
    "#x",
    "x #y",
    "x#y",
    "true",
    "True",
    "FALSE",
    "null",
    "Null",
    "~",
    "<<",
    "=",
    "*",
    "*a",
    "&a",
    "!t",
    "%d",
    "@e",
    "`f`",
    "|",
    ">",
    "a,b",
    "a, b",
    "[x]",
    "{y}",
    "x]",
    "\"",
    "\"q\"",
    "'",
    "'s'",
    "it's",
    "\"it's\"",
    "\\",
    "a\\b",
    "\t",
    "a\tb",
    "a\nb",
    "\n",
    "a\r\nb",
    "\r",
    "\u{0}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{feff}a",
    "\u{1f600}",
    "\u{fffe}",
    "é",
    "Ünal",
    "日本",
    "default",
    "tags",
    "rules",
    "rule",
    "user",
    "users",
    "group",
    "peers",
    "permissions",
    "matrix",
    "rule_id",
    "preset",
    "friends",
    "moderation",
    "conversation",
    "rule_set",
    "barrier",
    "audience",
    "accepts",
    "action",
    "between",
    "unless",
    "asked",
    "otherwise",
    "locked",
    "team-*",
    "everyone",
    "<->",
    "a<->b",
    "//",
    "/// a",
    "a // b",
    "yes",
    "no",
    "on",
    "a b",
    " a",
    "a ",
    "alice@example.com",
    "x;y",
    "a->b",
    "->",
];

pub(crate) fn nowhere() -> Span {
    Span::new(SourceId(0), 0, 0)
}

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned::new(value, nowhere())
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_-]{1,8}",
        select(vec!["tags", "rule_id", "any", "default", "user", "between", "action", "asked"])
            .prop_map(str::to_owned)
    ]
}

fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => word(),
        3 => select(TRICKY).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
        1 => ".{0,6}",
        1 => "[a-z]{20,60}",
    ]
}

fn text() -> impl Strategy<Value = Text<'static>> {
    string().prop_map(|text| spanned(Cow::Owned(text)))
}

fn list() -> impl Strategy<Value = List<'static>> {
    vec(text(), 0..5).prop_map(spanned)
}

fn expr() -> impl Strategy<Value = Expr<'static>> {
    let leaf = text().prop_map(|text| ExprKind::Word(text.value));
    leaf.prop_map(|kind| Expr { span: nowhere(), kind }).prop_recursive(4, 20, 4, |inner| {
        (word(), vec(inner, 0..4)).prop_map(|(name, arguments)| Expr {
            span: nowhere(),
            kind: ExprKind::Call { name: spanned(Cow::Owned(name)), arguments },
        })
    })
}

/// A description; one of `///` can't hold a NUL.
fn description() -> impl Strategy<Value = Option<Text<'static>>> {
    let line = prop_oneof![
        "[ -~]{0,12}",
        "\\PC{0,8}",
        "/{0,3} ?[a-z]{0,3}",
        "[a-z]{1,5}\r",
        "#? [a-z: ]{0,9}"
    ];
    option::of(vec(line, 1..4))
        .prop_map(|lines| lines.map(|lines| spanned(Cow::Owned(lines.join("\n")))))
}

/// A condition that is no list of tags whose brackets were forgotten.
fn outcome_condition() -> impl Strategy<Value = Expr<'static>> {
    prop_oneof![
        select(&["everyone", "nobody"][..])
            .prop_map(|word| Expr { span: nowhere(), kind: ExprKind::Word(word.into()) }),
        (word(), vec(expr(), 0..3)).prop_map(|(name, arguments)| Expr {
            span: nowhere(),
            kind: ExprKind::Call { name: spanned(Cow::Owned(name)), arguments },
        }),
    ]
}

fn rule() -> impl Strategy<Value = Rule<'static>> {
    let outcome = || {
        prop_oneof![
            list().prop_map(Outcome::Tags),
            outcome_condition().prop_map(Outcome::Condition)
        ]
    };
    let reached = prop_oneof![
        3 => outcome().prop_map(|it| (Some(it), None)),
        1 => (outcome(), expr()).prop_map(|(it, between)| (Some(it), Some(between))),
        1 => expr().prop_map(|between| (None, Some(between))),
    ];
    (option::of(text()), option::of(text()), expr(), reached, description()).prop_map(
        |(name, rule_id, condition, (outcome, between), description)| {
            let span = nowhere();
            Rule { span, name, rule_id, condition, outcome, between, description }
        },
    )
}

fn rule_set() -> impl Strategy<Value = RuleSet<'static>> {
    (text(), option::of(text()), option::of(list()), vec(rule(), 0..4), description()).prop_map(
        |(name, asked, actions, rules, description)| RuleSet {
            name,
            asked,
            actions,
            rules,
            description,
            is_whole: true,
        },
    )
}

fn barrier() -> impl Strategy<Value = Item<'static>> {
    let direction = select(&[BarrierDirection::OneWay, BarrierDirection::BothWays][..]);
    let block = (option::of(list()), option::of(expr()), option::of(text()));
    (text(), direction, expr(), expr(), block, description()).prop_map(
        |(name, direction, from, to, (actions, unless, groups), description)| {
            let barrier =
                Barrier { name, direction, from, to, actions, unless, groups, description };
            Item::Barrier(Box::new(barrier))
        },
    )
}

fn audience() -> impl Strategy<Value = Audience<'static>> {
    (text(), expr()).prop_map(|(name, condition)| Audience { name, condition })
}

fn accepts() -> impl Strategy<Value = Accepts<'static>> {
    let mode = (expr(), text(), any::<bool>()).prop_map(|(when, audience, is_locked)| {
        let locked = is_locked.then(|| spanned("true".into()));
        AudienceMode { when, audience, locked }
    });
    let words = || option::of(text());
    (text(), vec(mode, 0..3), words(), words(), words()).prop_map(
        |(action, modes, default, asked, otherwise)| Accepts {
            action,
            modes,
            default,
            asked,
            otherwise,
            is_whole: true,
        },
    )
}

fn action() -> impl Strategy<Value = ActionDeclaration<'static>> {
    (text(), text()).prop_map(|(name, like)| ActionDeclaration { name, like })
}

fn window() -> impl Strategy<Value = Window<'static>> {
    let [days, except] = [(); 2].map(|()| option::of(list()));
    let [from, to, zone] = [(); 3].map(|()| option::of(text()));
    (text(), days, from, to, zone, except).prop_map(|(name, days, from, to, zone, except)| Window {
        name,
        days,
        from,
        to,
        zone,
        except,
        is_whole: true,
    })
}

/// Statements about what is between two users, actions and windows.
fn relations() -> impl Strategy<Value = Vec<Item<'static>>> {
    let all = (
        vec(rule_set(), 0..3),
        vec(barrier(), 0..3),
        vec(audience(), 0..3),
        vec(accepts(), 0..3),
        vec(action(), 0..3),
        vec(window(), 0..3),
    );
    all.prop_map(|(sets, barriers, audiences, accepts, actions, windows)| {
        let sets = distinct(sets, |it| it.name.value.to_string());
        let audiences = distinct(audiences, |it| it.name.value.to_string());
        let accepts = distinct(accepts, |it| it.action.value.to_string());
        let actions = distinct(actions, |it| it.name.value.to_string());
        let sets = sets.into_iter().map(|it| Item::RuleSet(Box::new(it)));
        let audiences = audiences.into_iter().map(|it| Item::Audience(Box::new(it)));
        let accepts = accepts.into_iter().map(|it| Item::Accepts(Box::new(it)));
        let windows = distinct(windows, |it| it.name.value.to_string());
        let actions = actions.into_iter().map(|it| Item::Action(Box::new(it)));
        let windows = windows.into_iter().map(|it| Item::Window(Box::new(it)));
        let all = sets.chain(barriers).chain(audiences).chain(accepts).chain(actions);
        all.chain(windows).collect()
    })
}

fn invariant() -> impl Strategy<Value = Item<'static>> {
    let demand = select(&[Demand::Never, Demand::Always, Demand::Every][..]);
    let clauses = (option::of(text()), option::of(text()), description());
    (demand, option::of(text()), text(), expr(), expr(), clauses).prop_map(
        |(demand, name, action, from, to, (scope, conversation, description))| {
            let span = nowhere();
            let invariant = Invariant {
                span,
                demand,
                name,
                action,
                from,
                to,
                scope,
                conversation,
                description,
            };
            Item::Invariant(Box::new(invariant))
        },
    )
}

/// Entries whose keys differ, as they have to.
fn distinct<T>(entries: Vec<T>, key: impl Fn(&T) -> String) -> Vec<T> {
    let mut seen = BTreeSet::new();
    entries.into_iter().filter(|entry| seen.insert(key(entry))).collect()
}

fn settings() -> impl Strategy<Value = Vec<Setting<'static>>> {
    let setting = (text(), expr()).prop_map(|(key, value)| Setting { key, value });
    vec(setting, 0..4).prop_map(|all| distinct(all, |setting| setting.key.value.to_string()))
}

fn section(section: SettingsSection) -> impl Strategy<Value = Item<'static>> {
    settings().prop_map(move |entries| {
        Item::Settings(Box::new(Settings { section, span: nowhere(), entries }))
    })
}

fn single(section: WordSection) -> impl Strategy<Value = Item<'static>> {
    text().prop_map(move |value| Item::Word(Box::new(Word { section, span: nowhere(), value })))
}

fn peers() -> impl Strategy<Value = Item<'static>> {
    let mode = (expr(), text()).prop_map(|(when, mode)| Mode { when, mode });
    (option::of(text()), vec(mode, 0..3)).prop_map(|(default, modes)| {
        Item::Peers(Box::new(Peers { span: nowhere(), default, modes }))
    })
}

fn matrix() -> impl Strategy<Value = Matrix<'static>> {
    let value = prop_oneof![
        expr().prop_map(PermissionValue::One),
        settings().prop_map(PermissionValue::ByField)
    ];
    let permission = (text(), value).prop_map(|(key, value)| Permission { key, value });
    (text(), vec(permission, 0..4)).prop_map(|(name, permissions)| {
        let permissions = distinct(permissions, |it| it.key.value.to_string());
        Matrix { name, permissions, is_whole: true }
    })
}

fn fields() -> impl Strategy<Value = UserFields<'static>> {
    let words = || option::of(text());
    let lists = || option::weighted(0.3, list());
    let lists = (lists(), lists(), lists(), lists(), lists());
    (words(), settings(), words(), words(), lists, settings()).prop_map(
        |(peers, permissions, moderation, approval, lists, accepts)| {
            let (contacts, favorites, paired, blocked, friends) = lists;
            UserFields {
                peers,
                permissions,
                moderation,
                approval,
                contacts,
                favorites,
                paired,
                blocked,
                friends,
                accepts,
                terms: Vec::new(),
            }
        },
    )
}

/// Terms of some of the elements, as bits of a number say.
fn terms(lists: &[(TermOf, Option<usize>)], bits: u64) -> Vec<Term<'static>> {
    let mut bits = bits;
    let mut next = || {
        bits = bits.rotate_left(7).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        bits >> 61 == 0
    };
    let mut all = Vec::new();
    for &(of, length) in lists {
        for position in 0..length.unwrap_or(0) {
            let said =
                |is: bool, text: &'static str| is.then(|| Spanned::new(text.into(), nowhere()));
            let has_author =
                matches!(of, TermOf::Moderation | TermOf::Blocked | TermOf::Muted | TermOf::Banned);
            let until = said(next(), "2030-01-02T03:04:05Z");
            let reason = said(has_author && next(), "a \"reason\": no # comment");
            let by = said(has_author && next(), "al ice");
            if until.is_some() || reason.is_some() || by.is_some() {
                all.push(Term { of, position, span: nowhere(), until, reason, by });
            }
        }
    }
    all
}

fn user() -> impl Strategy<Value = User<'static>> {
    let more =
        fields().prop_map(|fields| (fields != UserFields::default()).then(|| Box::new(fields)));
    let more = prop_oneof![Just(None), more];
    (text(), option::of(list()), more, any::<u64>()).prop_map(|(id, tags, mut more, bits)| {
        let length = |list: &Option<List<'_>>| list.as_ref().map(|list| list.value.len());
        let mut lists = vec![(TermOf::Tags, length(&tags))];
        if let Some(more) = &more {
            lists.extend([
                (TermOf::Moderation, more.moderation.as_ref().map(|_| 1)),
                (TermOf::Contacts, length(&more.contacts)),
                (TermOf::Favorites, length(&more.favorites)),
                (TermOf::Paired, length(&more.paired)),
                (TermOf::Blocked, length(&more.blocked)),
                (TermOf::Friends, length(&more.friends)),
            ]);
        }
        let terms = terms(&lists, bits);
        if !terms.is_empty() {
            more.get_or_insert_default().terms = terms;
        }
        User { id, tags, more }
    })
}

fn group() -> impl Strategy<Value = Group<'static>> {
    let lists = || option::of(list());
    let people = (lists(), lists(), lists());
    let restrictions = (lists(), lists(), option::of(expr()));
    (text(), option::of(text()), option::of(text()), people, restrictions, any::<u64>()).prop_map(
        |(id, matrix, creator, people, (muted, banned, requires), bits)| {
            let length = |list: &Option<List<'_>>| list.as_ref().map(|list| list.value.len());
            let lists = [(TermOf::Muted, length(&muted)), (TermOf::Banned, length(&banned))];
            Group {
                id,
                matrix,
                creator,
                super_admins: people.0,
                admins: people.1,
                members: people.2,
                terms: terms(&lists, bits),
                muted,
                banned,
                requires,
            }
        },
    )
}

fn conversation() -> impl Strategy<Value = Item<'static>> {
    (text(), text())
        .prop_map(|(one, other)| Item::Conversation(Box::new(Conversation { users: [one, other] })))
}

/// The statements of one file, as an author may have ordered them.
pub(crate) fn policy() -> impl Strategy<Value = Vec<Item<'static>>> {
    let words = WordSection::ALL.iter().map(|&section| single(section).boxed());
    let settings = SettingsSection::ALL.iter().map(|&name| section(name).boxed());
    let others = [
        list().prop_map(Item::Tags).boxed(),
        peers().boxed(),
        Just(Item::Rules(nowhere())).boxed(),
        list().prop_map(Item::Lints).boxed(),
        list().prop_map(Item::ProtectedTags).boxed(),
    ];
    let sections: Vec<_> =
        words.chain(settings).chain(others).map(|section| option::weighted(0.3, section)).collect();
    let sections =
        sections.prop_map(|sections| sections.into_iter().flatten().collect::<Vec<Item<'_>>>());
    let entries = (
        vec(rule(), 0..3),
        vec(matrix(), 0..3),
        vec(user(), 0..4),
        vec(group(), 0..3),
        vec(conversation(), 0..2),
        vec(invariant(), 0..3),
        relations(),
    );
    let entries = entries.prop_map(
        |(rules, matrices, users, groups, conversations, invariants, relations)| {
            let rules = rules.into_iter().map(|rule| Item::Rule(Box::new(rule)));
            let matrices = distinct(matrices, |it| it.name.value.to_string());
            let users = distinct(users, |it| it.id.value.to_string());
            let groups = distinct(groups, |it| it.id.value.to_string());
            let matrices = matrices.into_iter().map(|it| Item::Matrix(Box::new(it)));
            let users = users.into_iter().map(Item::User);
            let groups = groups.into_iter().map(|it| Item::Group(Box::new(it)));
            let all = rules.chain(matrices).chain(users).chain(groups);
            all.chain(conversations).chain(invariants).chain(relations).collect::<Vec<_>>()
        },
    );
    (sections, entries)
        .prop_map(|(mut items, entries)| {
            items.extend(entries);
            items
        })
        .prop_shuffle()
}

/// What items say, each as a text that is without spans.
pub(crate) fn said(items: &[Item<'_>]) -> Vec<String> {
    items.iter().map(|item| without_spans(&format!("{item:?}"))).collect()
}

/// The same, independent of the order of sections and of whether a section is stated where its
/// entries are.
pub(crate) fn said_by_section(items: &[Item<'_>]) -> Vec<String> {
    let mut said = said(items);
    let has_rules = items.iter().any(|item| matches!(item, Item::Rules(_) | Item::Rule(_)));
    said.retain(|text| !text.starts_with("Rules("));
    said.extend(has_rules.then(|| "Rules(".to_owned()));
    // The variant, and for settings which; the sort is stable.
    let section = |text: &String| {
        let end = text.find('(').unwrap_or(text.len());
        let which = text
            .find("section: ")
            .filter(|_| text.starts_with("Word") || text.starts_with("Settings"));
        (text[..end].to_owned(), which.map(|at| text[at..].split(',').next().unwrap().to_owned()))
    };
    said.sort_by_key(section);
    said
}

fn without_spans(text: &str) -> String {
    let mut parts = text.split("Span { source: SourceId(0), len: ");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    kept
}
