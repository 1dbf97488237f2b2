//! Rules whose outcome is a condition, and sets of rules.

use super::check;

#[test]
fn outcomes() {
    check(
        "rules:
  - { condition: everyone, outcome: hasTag(staff) }
  - { condition: hasTag(pupil), outcome: not(hasTag(pupil)), between: sharesGroup }
  - { condition: hasTag(parent), between: friend }",
        &[
            ("`everyone` is a condition", "fay start_chat ann", "allowed"),
            ("the resource must meet the outcome", "fay start_chat bob", "no_rule"),
            ("condition, outcome and `between` hold", "bob start_chat fay", "allowed"),
            ("what is between them is missing", "cat start_chat fay", "no_rule"),
            ("the outcome is missing", "cat start_chat dan", "no_rule"),
            ("without an outcome it is everyone", "eve start_chat dan", "allowed"),
            ("the subject still meets the condition", "ann start_chat eve", "no_rule"),
            ("lists read outcomes", "bob start_chat _", "[ann, fay]"),
            ("in both directions", "_ start_chat ann", "[bob, cat, dan, eve, fay]"),
        ],
    );
    check(
        "rules: [{ condition: nobody, outcome: everyone }, { condition: everyone, outcome: nobody }]",
        &[("nobody meets `nobody`", "ann start_chat bob", "no_rule")],
    );
    check(
        "rules: [{ condition: hasTag(staff), outcome: everyone }]",
        &[
            ("`rules` never touches an existing conversation", "bob send_message ann", "allowed"),
            ("a new one it does", "bob send_message ann conversation=new", "no_rule"),
            ("`start_chat` is new always", "bob start_chat ann", "no_rule"),
            ("`rules` is not asked of friend requests", "bob friend_request ann", "allowed"),
        ],
    );
}

#[test]
fn sets_are_asked_besides() {
    check(
        "rule_sets:
  someone of staff:
    rules:
      - { condition: hasTag(staff), outcome: everyone }
      - { condition: everyone, outcome: hasTag(staff) }
  calls:
    asked: new
    actions: [voice_call]
    rules: [{ condition: hasTag(staff), outcome: everyone }]",
        &[
            ("a set holds a rule that opens", "bob send_message ann", "allowed"),
            ("sets are asked always", "bob send_message cat conversation=existing", "no_rule"),
            ("of all that reaches another user", "bob friend_request cat", "no_rule"),
            ("of calls", "bob video_call cat conversation=existing", "no_rule"),
            ("of who adds whom", "bob add_member g member=cat", "no_rule"),
            ("which it opens", "ann add_member g member=cat", "allowed"),
            ("not of oneself in a group", "bob add_member g member=bob", "allowed"),
            ("not of profiles", "bob view_profile cat", "allowed"),
            ("posts are no rule's business", "bob post cat", "allowed"),
            ("nor are messages to a group", "bob send_message g type=group", "allowed"),
            ("each set must open", "bob voice_call ann conversation=new", "no_rule"),
            (
                "`new` looks at the conversation",
                "bob voice_call ann conversation=existing",
                "allowed",
            ),
            ("a list meets all of them", "_ voice_call fay", "[ann]"),
            ("and one where one is asked", "bob video_call _", "[ann]"),
        ],
    );
}

#[test]
fn sets_and_actions() {
    check(
        "rule_sets: { nothing: { rules: [] } }",
        &[
            ("an empty set opens nothing", "ann start_chat bob", "no_rule"),
            ("what reaches nobody is not its concern", "ann sign_in -", "allowed"),
        ],
    );
    check(
        "rule_sets: { first: { actions: [start_chat], rules: [{ condition: hasTag(staff), outcome: everyone }] } }",
        &[
            ("a message begins a conversation", "bob send_message cat", "no_rule"),
            ("so does a call", "bob voice_call cat conversation=new", "no_rule"),
            ("an existing one is begun", "bob send_message cat conversation=existing", "allowed"),
            ("other actions are not named", "bob friend_request cat", "allowed"),
        ],
    );
    check(
        "rule_sets:
  first:
    asked: new
    actions: [start_chat, friend_request, add_member]
    rules: [{ condition: hasTag(staff), outcome: everyone }]",
        &[
            ("`start_chat` is new always", "bob start_chat cat conversation=existing", "no_rule"),
            ("friend requests are", "bob friend_request cat conversation=existing", "no_rule"),
            ("so is who adds whom", "bob add_member g member=cat", "no_rule"),
        ],
    );
    check(
        "rules: [{ condition: everyone, outcome: [pupil] }]
rule_sets: { pupils: { rules: [{ condition: hasTag(pupil), outcome: everyone }] } }",
        &[
            ("`rules` and a set both open", "bob start_chat cat", "allowed"),
            ("`rules` alone does not do", "fay start_chat cat", "no_rule"),
            ("a set alone does not do", "bob start_chat ann", "no_rule"),
            ("lists meet both", "bob start_chat _", "[cat, dan]"),
        ],
    );
    check(
        "preset: flip\nrule_sets: { all: { rules: [{ condition: everyone, outcome: everyone }] } }",
        &[("a preset's `rules` is a set of its own", "ann start_chat bob", "no_rule")],
    );
}
