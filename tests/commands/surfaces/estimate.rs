//! The difference that `sharesGroup` makes where it makes too many pairs to judge each of them.

use std::fmt::Write as _;

use peerage::{
    compile::build_versions,
    inspect::diff::{Diff, DiffDetail},
    source::{LoadedSources, Notation, Sources},
};

/// A rule by shared groups, and users of whom every other one is a pupil, in groups of 100.
fn policy(rule: &str) -> LoadedSources {
    let mut text = format!("rule_set s {{ actions: [start_chat]; {rule} }}\n");
    for group in 0..6 {
        let ids: Vec<String> = (0..100).map(|at| format!("u{}", group * 100 + at)).collect();
        for (at, id) in ids.iter().enumerate() {
            let tag = if at % 2 == 0 { "pupil" } else { "parent" };
            writeln!(text, "user {id} {{ tags: [{tag}]; }}").unwrap();
        }
        let (creator, members) = (&ids[0], ids[1..].join(", "));
        writeln!(text, "group g{group} {{ creator: {creator}; members: [{members}]; }}").unwrap();
    }
    Sources::single("p.peerage", Notation::Dsl, text).into()
}

#[test]
fn an_estimate_says_so_and_is_about_right() {
    let rule = "rule: hasTag(pupil) between sharesGroup;";
    let views = build_versions(&policy(rule), &policy(""), None).views.unwrap();
    let of = |group_pairs: u64| {
        let detail = DiffDetail { group_pairs, ..DiffDetail::default() };
        let diff = Diff::compute(&views.old, &views.new, None, detail);
        (diff.totals(), diff)
    };
    let ([gained, lost], exact) = of(DiffDetail::GROUP_PAIRS);
    // `start_chat`, and what begins a conversation.
    assert_eq!((gained, lost, exact.is_estimate()), (0, 4 * 6 * 50 * 99, false));
    assert!(exact.summary().starts_with("0 pairs gained"), "{}", exact.summary());
    assert!(!exact.to_markdown().contains("estimate"), "{}", exact.to_markdown());

    let ([gained, estimated], diff) = of(10_000);
    assert_eq!((gained, diff.is_estimate()), (0, true));
    assert!(estimated.abs_diff(lost) < lost / 5, "{estimated} of {lost}");
    assert!(diff.summary().starts_with("about 0 pairs gained"), "{}", diff.summary());
    assert!(diff.to_markdown().contains("these are estimates"), "{}", diff.to_markdown());
    let json = diff.to_json(&views.new);
    assert_eq!(
        (&json["estimate"], &json["actions"]["start_chat"]["estimate"]),
        (&true.into(), &true.into())
    );
    assert_eq!(json["actions"]["read"]["estimate"], false);
}
