//! The algebra of user sets, against plain ordered sets.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by it")]

use std::collections::BTreeSet;

use peerage::snapshot::{Selection, UserNumber, UserSet};
use proptest::{collection::btree_set, prelude::*};

/// How many users there are: enough for sets to be kept as plain bitsets.
const USERS: u32 = 10_000;

type Plain = BTreeSet<UserNumber>;

fn config() -> ProptestConfig {
    ProptestConfig::with_cases(80)
}

/// Members few, many, or in runs.
fn members() -> impl Strategy<Value = Plain> {
    plain_members().prop_map(|users| users.into_iter().map(UserNumber).collect())
}

fn plain_members() -> impl Strategy<Value = BTreeSet<u32>> {
    let run = (0..USERS, 0..USERS / 2);
    let in_runs = proptest::collection::vec(run, 0..4).prop_map(|runs| {
        runs.into_iter().flat_map(|(from, len)| from..(from + len).min(USERS)).collect()
    });
    let thinned = (2..40_u32, 0..USERS)
        .prop_map(|(step, from)| (from..USERS).step_by(step as usize).collect::<BTreeSet<u32>>());
    prop_oneof![
        btree_set(0..USERS, 0..30),
        btree_set(USERS - 70..USERS, 0..70),
        in_runs,
        thinned,
        Just((0..USERS).collect()),
        // As good as no runs, so that it is kept as a plain bitset.
        any::<u32>().prop_map(|seed| {
            (0..USERS).filter(|user| (user ^ seed).wrapping_mul(0x9e37_79b9) >> 30 == 0).collect()
        }),
    ]
}

/// A set with its members, in whichever form.
fn set() -> impl Strategy<Value = (UserSet, Plain)> {
    (members(), 0..3).prop_map(|(plain, form)| {
        let set = match form {
            0 => plain.iter().copied().collect(),
            1 => UserSet::from_sorted(plain.iter().copied()),
            _ => plain.iter().copied().collect::<UserSet>().packed(USERS),
        };
        (set, plain)
    })
}

fn assert_is(set: &UserSet, plain: &Plain) {
    assert!(set.iter().eq(plain.iter().copied()));
    assert_eq!(set.len(), plain.len() as u64);
    assert_eq!(set.is_empty(), plain.is_empty());
    assert_eq!(*set, plain.iter().copied().collect::<UserSet>());
}

fn all(users: impl Fn(UserNumber) -> bool) -> Plain {
    UserNumber::first(USERS).filter(|&user| users(user)).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_form_is_no_part_of_the_meaning((set, plain) in set()) {
        assert_is(&set, &plain);
        let packed = set.clone().packed(USERS);
        assert_is(&packed, &plain);
        prop_assert_eq!(&packed, &set);
        prop_assert_eq!(&set, &packed);
        assert_is(&packed.clone().packed(USERS), &plain);
        prop_assert!(packed.memory() <= size_of::<UserSet>() + USERS as usize / 8 + 64);
        let numbers = (0..USERS + 20).chain([u32::MAX - 1, u32::MAX]);
        for user in numbers.map(UserNumber) {
            prop_assert_eq!(set.contains(user), plain.contains(&user));
            prop_assert_eq!(packed.contains(user), plain.contains(&user));
        }
    }

    #[test]
    fn other_sets_are_not_equal((one, plain) in set(), (other, others) in set()) {
        prop_assert_eq!(one == other, plain == others);
    }

    #[test]
    fn iteration_begins_anywhere((set, plain) in set(), from in 0..USERS + 10) {
        let packed = set.clone().packed(USERS);
        let some = plain.iter().copied().step_by(1 + plain.len() / 8);
        let beside = some.clone().map(|member| UserNumber(member.0 + 1));
        for from in some.chain(beside).chain([from, 0, USERS - 1, USERS, u32::MAX].map(UserNumber)) {
            prop_assert!(set.iter_from(from).eq(plain.range(from..).copied()));
            prop_assert!(packed.iter_from(from).eq(plain.range(from..).copied()));
        }
    }

    #[test]
    fn words_hold_the_members((set, plain) in set(), removed in 0..USERS) {
        let mut expected = vec![0_u64; (USERS as usize).div_ceil(64)];
        plain.iter().for_each(|user| expected[user.index() / 64] |= 1 << (user.0 % 64));
        let mut packed = set.clone().packed(USERS);
        prop_assert_eq!(&set.words(USERS), &expected);
        prop_assert_eq!(&packed.words(USERS), &expected);
        let is_in = !plain.contains(&UserNumber(removed));
        packed.apply_changes(&[(UserNumber(removed), is_in)], USERS);
        expected[removed as usize / 64] ^= 1 << (removed % 64);
        prop_assert_eq!(&packed.words(USERS), &expected);
    }

    #[test]
    fn sets_combine((a, x) in set(), (b, y) in set(), (c, z) in set()) {
        assert_is(&UserSet::union([&a, &b, &c]), &(&(&x | &y) | &z));
        assert_is(&UserSet::intersection([&a, &b, &c]), &(&(&x & &y) & &z));
        assert_is(&UserSet::union([&a]), &x);
        assert_is(&UserSet::intersection([&a]), &x);
        assert_is(&a.minus(&b), &(&x - &y));
        assert_is(&a.minus(&a), &Plain::new());
        let mut gathered = a.clone();
        gathered.insert_all(&b);
        assert_is(&gathered, &(&x | &y));
    }

    #[test]
    fn sets_change(
        (set, plain) in set(),
        batches in proptest::collection::vec(
            (0..USERS + 40, 1..400_u32, 1..60_u32, any::<u32>()), 1..8,
        ),
    ) {
        let (mut packed, mut plain) = (set.clone().packed(USERS), plain);
        let (mut set, mut kept) = (set, Vec::new());
        for (from, count, step, turns) in batches {
            kept.push((set.clone(), packed.clone(), plain.clone()));
            let users = (from..USERS + 40).step_by(step as usize).take(count as usize);
            let changes: Vec<(UserNumber, bool)> =
                users.map(|user| (UserNumber(user), turns >> (user % 32) & 1 == 1)).collect();
            for &(user, is_in) in &changes {
                if is_in { plain.insert(user) } else { plain.remove(&user) };
            }
            set.apply_changes(&changes, USERS + 40);
            packed.apply_changes(&changes, USERS + 40);
            let from = UserNumber(from);
            let single: Vec<(UserNumber, bool)> = vec![(from, turns % 2 == 0)];
            if turns % 2 == 0 { plain.insert(from) } else { plain.remove(&from) };
            set.apply_changes(&single, USERS + 40);
            packed.apply_changes(&single, USERS + 40);
            for set in [&set, &packed, &packed.clone().packed(USERS + 40)] {
                assert_is(set, &plain);
                for user in changes.iter().map(|&(user, _)| user).chain([UserNumber(0), from, UserNumber(USERS + 39)]) {
                    prop_assert_eq!(set.contains(user), plain.contains(&user));
                }
                prop_assert!(set.iter_from(from).eq(plain.range(from..).copied()));
            }
        }
        for (set, packed, plain) in kept {
            assert_is(&set, &plain);
            assert_is(&packed, &plain);
        }
    }

    #[test]
    fn selections_combine(
        sets in [set(), set(), set()], turned in any::<[bool; 3]>(), count in 0..=3_usize
    ) {
        let everyone = UserSet::first(USERS);
        let parts: Vec<(Selection<'_>, &Plain, bool)> = sets
            .iter()
            .zip(turned)
            .take(count)
            .map(|((set, plain), turned)| {
                let only = Selection::from(set);
                (if turned { only.complement() } else { only }, plain, turned)
            })
            .collect();
        let selects = |part: &(Selection<'_>, &Plain, bool), user| part.1.contains(&user) != part.2;
        let selections = || parts.iter().map(|part| part.0.clone());

        let each = all(|user| parts.iter().all(|part| selects(part, user)));
        let some = all(|user| parts.iter().any(|part| selects(part, user)));
        assert_is(&Selection::all(selections()).within(&everyone), &each);
        assert_is(&Selection::any(selections()).within(&everyone), &some);
        let not_some = Selection::any(selections()).complement();
        assert_is(&not_some.clone().within(&everyone), &all(|user| !some.contains(&user)));
        for user in UserNumber::first(USERS).step_by(97) {
            prop_assert_eq!(not_some.contains(user), !some.contains(&user));
        }
    }
}

#[test]
fn of_nothing() {
    assert_is(&UserSet::union([]), &Plain::new());
    assert_is(&UserSet::intersection([]), &Plain::new());
    assert_is(&UserSet::first(0), &Plain::new());
    assert_is(&UserSet::first(3), &Plain::from([0, 1, 2].map(UserNumber)));
    let unsorted = UserSet::from_sorted([3, 3, 1].map(UserNumber).into_iter());
    assert_is(&unsorted, &Plain::from([1, 3].map(UserNumber)));
    let everyone = UserSet::first(5);
    assert_is(&Selection::nobody().within(&everyone), &Plain::new());
    assert_is(&Selection::everybody().within(&everyone), &UserNumber::first(5).collect());
}

/// Who became a member alone and is taken out among hundreds is a member no longer, and the other
/// way about.
#[test]
fn a_change_is_taken_back_among_many() {
    for (packed, are_in) in [(UserSet::default(), true), (UserSet::first(USERS), false)] {
        let mut plain: Plain = packed.iter().collect();
        let mut set = packed.packed(USERS);
        let back = (UserNumber(7000), !are_in);
        let many: Vec<(UserNumber, bool)> =
            UserNumber::first(400).map(|user| (user, are_in)).chain([back]).collect();
        for changes in [vec![(UserNumber(7000), are_in)], many] {
            set.apply_changes(&changes, USERS);
            for (user, is_in) in changes {
                if is_in {
                    plain.insert(user)
                } else {
                    plain.remove(&user)
                };
            }
            assert_is(&set, &plain);
        }
    }
}

#[test]
fn many_scattered_users_are_kept_as_a_plain_bitset() {
    let scattered: UserSet = UserNumber::first(USERS).step_by(3).collect();
    assert_eq!(
        scattered.packed(USERS).memory(),
        size_of::<UserSet>() + USERS as usize / 8 + 1,
        "a byte for eight users"
    );
}

/// A packed set with one change after another takes no more memory than one that is packed at once
/// and as many changes as are kept beside it.
#[test]
fn changes_are_packed_when_there_are_many() {
    for step in [3, 1000] {
        let mut set = UserNumber::first(USERS).step_by(step).collect::<UserSet>().packed(USERS);
        let changed = (0..1500).map(|at| UserNumber(at * 6 + 1));
        for user in changed {
            set.apply_changes(&[(user, true)], USERS);
        }
        let kept = 256 * size_of::<(UserNumber, bool)>() + 2 * size_of::<UserSet>();
        let at_once = set.clone().packed(USERS).memory();
        assert!(set.memory() <= at_once + kept, "{} and {at_once}", set.memory());
    }
}

#[test]
fn the_form_follows_from_how_a_set_is_used() {
    let scattered =
        |count: usize| -> UserSet { UserNumber::first(USERS).step_by(3).take(count).collect() };
    let (few, many) = (scattered(2048), scattered(2049));
    let (packed_few, packed_many) = (few.clone().packed(USERS), many.clone().packed(USERS));
    assert_ne!(few.memory(), packed_few.memory());
    assert_ne!(many.memory(), packed_many.memory());
    assert_eq!(few.clone().packed_if_few(USERS).memory(), packed_few.memory());
    assert_eq!(many.clone().packed_if_few(USERS).memory(), many.memory());
    assert_eq!(many.clone().repacked(USERS).memory(), packed_many.memory());
    assert_eq!(packed_many.clone().unpacked().memory(), many.memory());
    assert_eq!(packed_many.unpacked(), many);
}
