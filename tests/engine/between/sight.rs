//! Who sees whose profile, and so whom in the directory.

use super::check;

#[test]
fn profiles_are_open_where_nothing_names_them() {
    check(
        "peers: { default: contacts }
accepts: { start_chat: { default: nobody } }
barriers: [{ name: apart, between: [hasTag(pupil), hasTag(staff)] }]
rule_sets: { none: { rules: [] } }
users: { zoe: { blocked: [fay] } }",
        &[
            ("neither blocks", "fay view_profile zoe", "allowed"),
            ("nor barriers", "bob view_profile ann", "allowed"),
            ("nor sets", "bob view_profile eve", "allowed"),
            ("nor peers nor audiences of others", "fay view_profile eve", "allowed"),
        ],
    );
}

#[test]
fn profiles_are_shown_by_what_names_them() {
    check(
        "blocks: { view_profile: one_way }
accepts: { view_profile: { default: everyone, modes: [{ when: hasTag(pupil), audience: class }] } }
audiences:
  class: any(hasTag(staff), sharesTag(class-*))
users: { zoe: { blocked: [fay], accepts: { view_profile: contacts }, contacts: [ann] } }",
        &[
            ("a block mode", "fay view_profile zoe", "blocked_by_resource"),
            ("an audience", "fay view_profile bob", "not_in_audience"),
            ("that admits", "cat view_profile bob", "allowed"),
            ("of a record", "ann view_profile zoe", "allowed"),
            ("which others are outside of", "bob view_profile zoe", "not_in_audience"),
            ("one sees one's own", "zoe view_profile zoe", "allowed"),
            ("reach is the directory", "fay view_profile _", "[ann, eve, fay]"),
            ("and who sees someone", "_ view_profile bob", "[ann, bob, cat]"),
            ("reading is another action", "fay read bob", "allowed"),
        ],
    );
    check(
        "blocks: { view_profile: two_way }\nusers: { zoe: { blocked: [fay] } }",
        &[("in both directions", "zoe view_profile fay", "blocked_by_subject")],
    );
    check(
        "barriers:
  - { name: unseen, from: hasTag(pupil), to: hasTag(parent), actions: [view_profile], unless: inverse(friend) }
rule_sets:
  directory: { actions: [view_profile], rules: [{ condition: not(hasTag(parent)), outcome: everyone }, { condition: everyone, outcome: hasTag(staff) }] }",
        &[
            ("a barrier that names them", "bob view_profile eve", "barrier"),
            ("unless it is lifted", "dan view_profile eve", "allowed"),
            ("and nothing else", "bob start_chat eve", "allowed"),
            ("a set that names them", "eve view_profile bob", "no_rule"),
            ("whose rules open", "eve view_profile ann", "allowed"),
            ("one sees one's own", "eve view_profile eve", "allowed"),
            ("and no other than those", "eve view_profile _", "[ann, eve]"),
        ],
    );
}
