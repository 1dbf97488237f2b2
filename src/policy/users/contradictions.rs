//! Friends of whom one blocks the other, where a block ends a friendship.

use std::collections::BTreeMap;

use super::{Roster, UserStatements};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    request::Relation,
    source::Span,
    syntax::{ast, bulk::BulkFile},
};

/// Where two users are said to block and to befriend each other.
#[derive(Default)]
struct ContradictionSites {
    block: Option<(Span, [String; 2])>,
    friendship: Option<Span>,
}

/// Reports each such pair once, at the entries that contradict each other. These are looked up in
/// all records again, as no place is kept for an entry; so it costs that only if there is a pair.
pub(super) fn find(
    roster: &Roster,
    stated: &UserStatements<'_, '_>,
    bulk: &[BulkFile<'_>],
    problems: &mut Diagnostics,
) {
    let mut pairs = pairs(roster);
    if pairs.is_empty() {
        return;
    }
    for user in stated.users {
        record_relations(user, &mut pairs);
    }
    for file in bulk {
        // What is wrong with the lines was reported before.
        file.users(&mut Diagnostics::default(), &mut |user, _| record_relations(&user, &mut pairs));
    }
    for places in pairs.into_values() {
        let Some((block, [from, to])) = places.block else { continue };
        let (from, to) = (from.escape_debug(), to.escape_debug());
        let message = format!("`{from}` blocks `{to}`, and they are friends");
        let problem = Diagnostic::error(Code::Contradiction, block, message)
            .hint("under this preset a block ends a friendship: remove one of the two");
        problems.push(match places.friendship {
            Some(friendship) => problem.related(friendship, "friends here"),
            None => problem,
        });
    }
}

fn pairs(roster: &Roster) -> BTreeMap<[String; 2], ContradictionSites> {
    let unordered = |&(one, other): &(u32, u32)| (one.min(other), one.max(other));
    let mut blocked: Vec<_> = roster.edges(Relation::Block).iter().map(unordered).collect();
    blocked.sort_unstable();
    let friends = roster.edges(Relation::Friend).iter().map(unordered);
    friends
        .filter(|pair| blocked.binary_search(pair).is_ok())
        .take(Diagnostics::MAX_KEPT)
        .map(|(one, other)| {
            (
                pair(roster.id(one as usize), roster.id(other as usize)),
                ContradictionSites::default(),
            )
        })
        .collect()
}

fn pair(one: &str, other: &str) -> [String; 2] {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    [first.to_owned(), second.to_owned()]
}

fn record_relations(user: &ast::User<'_>, pairs: &mut BTreeMap<[String; 2], ContradictionSites>) {
    let Some(more) = &user.more else { return };
    for other in more.blocked.iter().flat_map(|list| &list.value) {
        if let Some(places) = pairs.get_mut(&pair(&user.id.value, &other.value)) {
            let ids = [user.id.value.clone().into_owned(), other.value.clone().into_owned()];
            places.block.get_or_insert((other.span, ids));
        }
    }
    for other in more.friends.iter().flat_map(|list| &list.value) {
        if let Some(places) = pairs.get_mut(&pair(&user.id.value, &other.value)) {
            places.friendship.get_or_insert(other.span);
        }
    }
}
