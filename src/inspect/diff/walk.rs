use super::bits::{Bits, Sparse, count, without};

/// A class of users as it is counted: the tags by which it is reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf<'c> {
    pub(super) tags: &'c [u32],
    pub(super) class: u32,
}

/// For each leaf, how many of a set of users are in none of the sets of its tags.
///
/// Leaves come in the order of their tags. Those that begin alike share what is left of the set, and
/// where nobody is left, no leaf below is looked at singly; so the cost is mostly that of the tags
/// that few may be reached by.
pub(super) fn left_over(
    leaves: &[Leaf<'_>],
    set: &Bits,
    sets: &[Bits],
    tell: &mut impl FnMut(u32, u64),
) {
    walk(leaves, 0, set.sparse(), sets, tell);
}

fn walk(
    mut leaves: &[Leaf<'_>],
    mut depth: usize,
    mut left: Sparse,
    sets: &[Bits],
    tell: &mut impl FnMut(u32, u64),
) {
    // Goes on in the loop as long as all begin alike, so that it recurses only where they part.
    while !left.is_empty() {
        let ended = leaves.partition_point(|leaf| leaf.tags.len() <= depth);
        let (done, rest) = leaves.split_at(ended);
        if !done.is_empty() {
            let users = count(&left);
            done.iter().for_each(|leaf| tell(leaf.class, users));
        }
        let Some(tag) = rest.first().and_then(|leaf| leaf.tags.get(depth)).copied() else { return };
        let same = rest.partition_point(|leaf| leaf.tags.get(depth) == Some(&tag));
        if same == rest.len() {
            left = without(&left, set(sets, tag));
            (leaves, depth) = (rest, depth + 1);
            continue;
        }
        let mut rest = rest;
        while let Some(tag) = rest.first().and_then(|leaf| leaf.tags.get(depth)).copied() {
            let same = rest.partition_point(|leaf| leaf.tags.get(depth) == Some(&tag));
            let (alike, others) = rest.split_at(same);
            walk(alike, depth + 1, without(&left, set(sets, tag)), sets, tell);
            rest = others;
        }
        return;
    }
}

fn set(sets: &[Bits], tag: u32) -> &Bits {
    static NOBODY: Bits = Bits::NONE;
    sets.get(tag as usize).unwrap_or(&NOBODY)
}
