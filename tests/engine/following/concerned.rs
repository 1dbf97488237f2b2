//! Every answer that a change turns is one that the change is said to concern.

use peerage::{
    compile,
    decide::decide,
    facts::RecordChange,
    request::{Request, Resource},
    snapshot::{Concerned, View},
};
use proptest::prelude::*;

use super::{SHAPE, Store, cases, config, records::Changes, start};
use crate::worlds::{
    Chance,
    questions::{Subjects, request},
    shaped, text,
};

/// Asserts that whatever is answered otherwise is concerned.
pub(super) fn assert_concerned(
    before: &View,
    after: &View,
    concerned: &Concerned,
    request: &Request<'_>,
) {
    let (was, is) = (decide(before, request), decide(after, request));
    if was == is || concerned.is_all() {
        return;
    }
    let is_named = |id: &str| concerned.users().contains(id);
    let is_concerned = is_named(request.subject.id)
        || request.member.as_ref().is_some_and(|member| is_named(member.id))
        || match &request.resource {
            Resource::User(user) => is_named(user.id),
            Resource::Group(group) => concerned.groups().contains(group.id),
            Resource::None => false,
        };
    assert!(is_concerned, "{request:?}: {was:?}, then {is:?}, but {concerned:?}");
}

proptest! {
    #![proptest_config(config(cases(150)))]

    #[test]
    fn what_changes_is_concerned(world in shaped(SHAPE), seed in any::<u64>()) {
        let chance = &mut Chance(seed);
        let sources = text::scattered(&world, seed);
        let mut store = Store::default();
        let (mut view, basis) = start(&sources, &store);
        let (changes, subjects) = (Changes::of(&world), Subjects::of(&world));
        for _ in 0..8 {
            let before = view.clone();
            let batch: Vec<RecordChange> =
                (0..=chance.below(2)).map(|_| changes.next(&mut store, chance)).collect();
            compile::apply_records(&mut view, &basis, &batch);
            let concerned = compile::concerned_by_records(&before, &view, &batch);
            for _ in 0..100 {
                let question = subjects.question(chance);
                assert_concerned(&before, &view, &concerned, &request(&question));
            }
        }
    }
}
