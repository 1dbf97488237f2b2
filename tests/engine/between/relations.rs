//! Relation conditions, each as the `between` of the one rule there is.

use super::{Case, check};

#[track_caller]
fn between(condition: &str, cases: &[Case<'_>]) {
    check(&format!("rules: [{{ condition: everyone, between: \"{condition}\" }}]"), cases);
}

#[test]
fn lists_of_either_user() {
    between(
        "friend",
        &[
            ("the other is in the owner's list", "eve start_chat _", "[ann, dan]"),
            ("a `between` is read from the subject", "dan start_chat eve", "no_rule"),
            ("who may reach someone is read from each of them", "_ start_chat dan", "[eve]"),
        ],
    );
    between(
        "inverse(friend)",
        &[
            ("the owner is in the other's list", "dan start_chat _", "[eve]"),
            ("and not the other in theirs", "eve start_chat _", "[ann]"),
        ],
    );
    between(
        "mutual(friend)",
        &[
            ("each is in the other's list", "eve start_chat _", "[ann]"),
            ("one is not enough", "dan start_chat eve", "no_rule"),
        ],
    );
    between("contact", &[("a favorite is a contact", "ann start_chat _", "[bob, cat]")]);
    between("favorite", &[("a contact is no favorite", "ann start_chat _", "[cat]")]);
    between("pair", &[("pairing is an edge", "ann start_chat _", "[dan]")]);
    between("inverse(pair)", &[("in its direction", "_ start_chat ann", "[dan]")]);
    between(
        "inverse(contact)",
        &[
            ("of the other's contacts", "ann start_chat _", "[dan]"),
            ("the other's favorites are contacts", "cat start_chat ann", "allowed"),
        ],
    );
    between("mutual(contact)", &[("neither alone", "ann start_chat dan", "no_rule")]);
}

#[test]
fn conversations() {
    between(
        "conversation",
        &[
            ("the two have one", "ann start_chat _", "[bob]"),
            ("read from either", "bob start_chat _", "[ann]"),
            (
                "`context.conversation` answers the atom too",
                "ann start_chat fay conversation=existing",
                "allowed",
            ),
            (
                "and takes away what the facts hold",
                "ann start_chat bob conversation=new",
                "no_rule",
            ),
            (
                "the facts answer for the member of a group",
                "ann add_member g member=bob",
                "allowed",
            ),
        ],
    );
}

#[test]
fn groups() {
    between(
        "sharesGroup",
        &[
            ("both are members of one group", "ann start_chat _", "[bob, fay]"),
            ("conversations of two apart", "dan start_chat bob", "no_rule"),
            ("of whatever other matrix", "cat start_chat _", "[dan]"),
            (
                "a role in a request puts nobody in a group",
                "eve add_member g member=bob role=member",
                "no_rule",
            ),
        ],
    );
    between(
        "sharesGroup(team)",
        &[
            ("of one that the matrix governs", "cat start_chat _", "[dan]"),
            ("and of no other", "ann start_chat bob", "no_rule"),
        ],
    );
    between(
        "sharesGroup(all_members)",
        &[("a group that names no matrix has `all_members`", "ann start_chat _", "[bob, fay]")],
    );
}

#[test]
fn tags() {
    between("sharesTag(class-1)", &[("both have one tag", "bob start_chat _", "[cat]")]);
    between(
        "sharesTag(class-*)",
        &[
            ("that begins with what stands before its `*`", "cat start_chat _", "[bob, dan]"),
            ("one and the same", "bob start_chat dan", "no_rule"),
            ("a tag in a request stands in", "fay start_chat dan tags=class-2", "allowed"),
            ("for those that the facts hold", "cat start_chat bob tags=class-2", "no_rule"),
        ],
    );
    between("sharesTag(class-)", &[("without a `*` it is a tag", "bob start_chat _", "[]")]);
    between(
        "not(sharesTag(class-*))",
        &[("its contrary", "bob start_chat _", "[ann, dan, eve, fay]")],
    );
}

#[test]
fn combinations() {
    between(
        "all(not(contact), any(sharesTag(class-*), sharesGroup))",
        &[
            ("conditions combine", "cat start_chat _", "[bob, dan]"),
            ("`not` takes away", "ann start_chat _", "[fay]"),
            ("both directions of reach agree", "_ start_chat fay", "[ann, bob]"),
        ],
    );
    between("everyone", &[("all two users", "fay start_chat eve", "allowed")]);
    between("nobody", &[("no two users", "fay start_chat eve", "no_rule")]);
}

#[test]
fn users_who_are_not_known() {
    let rules = "unknown_users: allow_defaults
rules:
  - { condition: everyone, between: \"any(friend, contact, sharesGroup, inverse(contact))\" }
  - { condition: everyone, between: sharesTag(class-*) }
  - { condition: hasTag(parent), outcome: not(hasTag(pupil)) }";
    check(
        rules,
        &[
            ("nothing is between them and anyone", "zed start_chat ann", "no_rule"),
            ("nor between anyone and them", "ann start_chat zed", "no_rule"),
            ("a request gives them tags", "zed start_chat bob tags=class-1", "allowed"),
            ("they meet what users without tags meet", "eve start_chat zed", "allowed"),
        ],
    );
    check(
        "unknown_users: allow_defaults\naccepts: { start_chat: { default: contacts } }",
        &[
            ("the policy's audience is theirs", "ann start_chat zed", "not_in_audience"),
            ("they are in nobody's list", "zed start_chat ann", "not_in_audience"),
        ],
    );
}
