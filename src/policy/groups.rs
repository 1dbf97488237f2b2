//! Groups: their roles and matrices resolved and checked.

use std::collections::{BTreeMap, HashMap};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, suggest},
    request::{Condition, Moment, check_id},
    source::Span,
    syntax::ast::{self, List, Term, TermOf, Text},
};

use super::{
    expression::resolve_expression,
    matrices::{DEFAULT_MATRIX, Matrix},
    tags::Vocabulary,
    terms::{ElementEnd, element_end},
    users::{ResolvedUsers, unknown_user},
};

/// A group: who is what in it, by the ids of users in order, each once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyGroup {
    pub id: String,
    /// The name of the matrix that governs it.
    pub matrix: String,
    pub creator: Option<String>,
    pub super_admins: Vec<String>,
    pub admins: Vec<String>,
    /// All members, whatever their role.
    pub members: Vec<String>,
    /// The users who may not speak in it, members or not.
    pub muted: Vec<String>,
    /// The users who are neither added to it nor join it; none of them is a member.
    pub banned: Vec<String>,
    /// The condition that someone in it must meet.
    pub requires: Option<Condition<String>>,
    /// The ends to come of mutes and bans.
    pub ends: Vec<GroupEnd>,
}

/// The end of a mute or a ban that a file states.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupEnd {
    pub at: Moment,
    pub of: Restriction,
    pub user: String,
}

/// What a group does to a single user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restriction {
    Mute,
    Ban,
}

/// The declarations that groups are checked against.
pub(super) struct GroupChecks<'b> {
    pub(super) users: &'b ResolvedUsers<'b, 'b>,
    pub(super) matrices: &'b [Matrix],
    pub(super) vocabulary: &'b Vocabulary,
    /// How many members a group may have.
    pub(super) most_members: Option<u32>,
    /// The moment by which ends are judged.
    pub(super) now: Moment,
}

/// The groups that are right, in the order of their ids.
pub(super) fn resolve(
    written: &[ast::Group<'_>],
    bounds: &GroupChecks<'_>,
    problems: &mut Diagnostics,
) -> Vec<PolicyGroup> {
    let mut places: HashMap<&str, Span> = HashMap::new();
    let mut groups = Vec::new();
    for group in written {
        if let Err(error) = check_id(&group.id.value) {
            problems.push(Diagnostic::error(Code::InvalidId, group.id.span, error.to_string()));
        }
        let resolved = resolve_one(group, bounds, problems);
        if let Some(&first) = places.get(&*group.id.value) {
            let message = format!("the group `{}` is defined twice", group.id.value.escape_debug());
            problems.push(
                Diagnostic::error(Code::DuplicateGroup, group.id.span, message)
                    .related(first, "first defined here"),
            );
            continue;
        }
        places.insert(&group.id.value, group.id.span);
        groups.push(resolved);
    }
    groups.sort_by(|one, other| one.id.cmp(&other.id));
    groups
}

fn resolve_one(
    written: &ast::Group<'_>,
    bounds: &GroupChecks<'_>,
    problems: &mut Diagnostics,
) -> PolicyGroup {
    let id = written.id.value.clone().into_owned();
    let matrix = match &written.matrix {
        None => DEFAULT_MATRIX.to_owned(),
        Some(name) => {
            if bounds.matrices.iter().all(|matrix| matrix.name != name.value) {
                problems.push(unknown_matrix(name, bounds.matrices));
            }
            name.value.clone().into_owned()
        }
    };
    let creator = written.creator.as_ref().map(|creator| {
        bounds.check_user(creator, problems);
        creator.value.clone().into_owned()
    });
    let requires = written.requires.as_ref();
    let requires = requires.and_then(|it| resolve_expression(it, bounds.vocabulary, problems));
    let mut list = |list: Option<&List<'_>>| bounds.users(list, problems);
    let admins = list(written.admins.as_ref());
    let mut members = list(written.members.as_ref());
    let mut ends = Vec::new();
    let mut restricted = |named: &Option<List<'_>>, of, restriction| {
        let ended =
            bounds.ended(named.as_ref(), (&written.terms, of), restriction, &mut ends, problems);
        let mut users = bounds.users(named.as_ref(), problems);
        users.retain(|id| !ended.contains(id));
        users
    };
    let muted = restricted(&written.muted, TermOf::Muted, Restriction::Mute);
    let banned = restricted(&written.banned, TermOf::Banned, Restriction::Ban);
    let mut list = |list: Option<&List<'_>>| bounds.users(list, problems);
    let super_admins = match &written.super_admins {
        Some(said) => list(Some(said)),
        None => creator.iter().cloned().collect(),
    };
    members.extend(admins.iter().chain(&super_admins).cloned());
    members.sort_unstable();
    members.dedup();
    if let Some(limit) = bounds.most_members.filter(|&limit| members.len() > limit as usize) {
        let message = format!(
            "the group `{}` has too many members, {}; the limit is {limit}",
            id.escape_debug(),
            members.len()
        );
        problems.push(
            Diagnostic::error(Code::OverLimit, written.id.span, message)
                .hint("remove members, or raise `limits.group_members`"),
        );
    }
    check_banned(written, (&members, &banned), problems);
    PolicyGroup {
        id,
        matrix,
        creator,
        super_admins,
        admins,
        members,
        muted,
        banned,
        requires,
        ends,
    }
}

/// Reports the users whom a group bans and who are in it; both lists are in order.
fn check_banned(
    written: &ast::Group<'_>,
    (members, bans): (&[String], &[String]),
    problems: &mut Diagnostics,
) {
    let is_member = |id: &str| members.binary_search_by(|it| it.as_str().cmp(id)).is_ok();
    let lists = [&written.super_admins, &written.admins, &written.members];
    for banned in written.banned.iter().flat_map(|list| &list.value) {
        let is_banned = bans.iter().any(|id| *id == banned.value);
        if !is_banned || !is_member(&banned.value) {
            continue;
        }
        let mut places = lists.iter().filter_map(|list| list.as_ref()).flat_map(|it| &it.value);
        let place = places.find(|it| it.value == banned.value).or(written.creator.as_ref());
        let message = format!(
            "the group `{}` bans `{}`, who is in it",
            written.id.value.escape_debug(),
            banned.value.escape_debug()
        );
        let mut problem = Diagnostic::error(Code::Contradiction, banned.span, message);
        if let Some(place) = place {
            problem = problem.related(place.span, "in the group by this");
        }
        problems.push(problem.hint("remove one of the two"));
    }
}

impl GroupChecks<'_> {
    fn check_user(&self, id: &Text<'_>, problems: &mut Diagnostics) {
        if !self.users.knows(&id.value) {
            problems.push(unknown_user(
                &id.value,
                id.span,
                self.users.nearest(&id.value).as_deref(),
            ));
        }
    }

    /// The users of a list whose entries had ended; notes the ends that are to come.
    fn ended(
        &self,
        named: Option<&List<'_>>,
        (terms, of): (&[Term<'_>], TermOf),
        restriction: Restriction,
        ends: &mut Vec<GroupEnd>,
        problems: &mut Diagnostics,
    ) -> Vec<String> {
        let Some(named) = named.filter(|_| !terms.is_empty()) else { return Vec::new() };
        // Of a user who is named more than once, the latest end counts.
        let mut latest: BTreeMap<&str, Moment> = BTreeMap::new();
        for (position, id) in named.value.iter().enumerate() {
            let at = match element_end(terms, (of, position), self.now, problems) {
                ElementEnd::Never => Moment::MAX,
                ElementEnd::At(at) | ElementEnd::Ended(at) => at,
            };
            let before = latest.entry(&id.value).or_default();
            *before = at.max(*before);
        }
        let mut ended = Vec::new();
        for (id, at) in latest {
            let user = id.to_owned();
            if at <= self.now {
                ended.push(user);
            } else if at != Moment::MAX {
                ends.push(GroupEnd { at, of: restriction, user });
            }
        }
        ended
    }

    /// The users whom a list names, in order and each once.
    fn users(&self, list: Option<&List<'_>>, problems: &mut Diagnostics) -> Vec<String> {
        let mut users: Vec<(&str, Span)> = Vec::new();
        for id in list.iter().flat_map(|list| &list.value) {
            self.check_user(id, problems);
            users.push((&id.value, id.span));
        }
        // Stable, so that the first of two entries stays the first.
        users.sort_by_key(|&(id, _)| id);
        for pair in users.windows(2) {
            if let [(one, first), (other, again)] = pair
                && one == other
            {
                let message = format!("`{}` is named twice in this list", one.escape_debug());
                problems.push(
                    Diagnostic::warning(Code::RepeatedEntry, *again, message)
                        .related(*first, "first named here"),
                );
            }
        }
        users.dedup_by_key(|(id, _)| *id);
        users.into_iter().map(|(id, _)| id.to_owned()).collect()
    }
}

fn unknown_matrix(name: &Text<'_>, matrices: &[Matrix]) -> Diagnostic {
    let message = format!("unknown matrix `{}`", name.value.escape_debug());
    let known = matrices.iter().map(|matrix| matrix.name.as_str());
    Diagnostic::error(Code::UnknownMatrix, name.span, message).hint(suggest(&name.value, known))
}
