//! Rows of conditions, outcomes and rule sets.

use crate::surfaces::{
    Cell::{Is, Not},
    Makes, Row,
};

const SCHOOL: &str = "
users:
  pia: { tags: [pupil] }
  sam: { tags: [staff] }
  zoe: { tags: [pupil] }
";

const CLOSED: &str = "a rule that is gone allows less";

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "`everyone` as a condition",
        world: SCHOOL,
        with: "
rules:
  - { name: staff write, condition: hasTag(staff), outcome: [pupil] }
  - { name: to staff, condition: everyone, outcome: [staff] }
",
        without: "rules: [{ name: staff write, condition: hasTag(staff), outcome: [pupil] }]",
        dsl: "rule \"to staff\": everyone -> [staff];",
        compiled: "everyone -> [staff]",
        mistake: ("condition: everyone", "condition: true", "wrong-type"),
        schema_finds: Is(()),
        lint: Is((
            "rules: [{ condition: 'any(everyone, hasTag(staff))', outcome: [staff] }]",
            "always-holds",
        )),
        allowed: ("pia start_chat sam", &[]),
        refused: ("pia start_chat zoe", "no_rule"),
        makes: Makes::Allowed,
        explained: "`to staff`",
        covered: Is("to staff"),
        diff: Is((0, 2, "rule `to staff`")),
        invariant: Is("{ always: start_chat, from: hasTag(pupil), to: hasTag(staff) }"),
        held: Not(CLOSED),
        reaches: &["sam"],
        reached_by: &["pia", "zoe"],
        matrix: Is(()),
    },
    Row {
        name: "`nobody` as a condition",
        world: SCHOOL,
        with: "permissions: { voice_call: nobody }",
        without: "",
        dsl: "permissions { voice_call: nobody; }",
        compiled: "permissions.voice_call: false",
        mistake: ("voice_call: nobody", "voice_call: nobdy", "wrong-type"),
        schema_finds: Is(()),
        lint: Is(("permissions: { voice_call: 'all(nobody, hasTag(staff))' }", "never-holds")),
        allowed: ("pia start_chat sam", &[]),
        refused: ("pia voice_call sam", "permission_off"),
        makes: Makes::Refused,
        explained: "voice_call of `pia` is off",
        covered: Is("permissions.voice_call"),
        diff: Is((6, 0, "`permissions.voice_call`")),
        invariant: Is("{ never: voice_call, from: everyone, to: hasTag(staff) }"),
        held: Is("permissions"),
        reaches: &[],
        reached_by: &[],
        matrix: Is(()),
    },
    Row {
        name: "a window in a condition",
        world: SCHOOL,
        with: "
windows: { lessons: { from: '00:00', to: '24:00', zone: UTC } }
permissions: { voice_call: not(during(lessons)) }
",
        without: "",
        dsl: "permissions { voice_call: not(during(lessons)); }",
        compiled: "permissions.voice_call: not(during(lessons))",
        mistake: ("during(lessons)", "during(lesson)", "unknown-window"),
        schema_finds: Not("a schema does not know the names of windows"),
        lint: Not("a window may be open or closed, so neither is a mistake"),
        allowed: ("pia start_chat sam", &[]),
        refused: ("pia voice_call sam", "permission_off"),
        makes: Makes::Refused,
        explained: "voice_call of `pia` is off",
        covered: Is("permissions.voice_call"),
        diff: Is((6, 0, "`permissions.voice_call`")),
        invariant: Not("an invariant holds at all times, and the window may be closed"),
        held: Is("permissions"),
        reaches: &[],
        reached_by: &[],
        matrix: Is(()),
    },
    Row {
        name: "an outcome that is a condition",
        world: SCHOOL,
        with: "
rules:
  - { name: staff write, condition: hasTag(staff), outcome: [pupil] }
  - { name: out of class, condition: hasTag(pupil), outcome: not(hasTag(pupil)) }
",
        without: "rules: [{ name: staff write, condition: hasTag(staff), outcome: [pupil] }]",
        dsl: "rule \"out of class\": hasTag(pupil) -> not(hasTag(pupil));",
        compiled: "hasTag(pupil) -> not(hasTag(pupil))",
        mistake: ("outcome: not(hasTag(pupil))", "outcome: ['*']", "invalid-tag"),
        schema_finds: Is(()),
        lint: Is((
            "rules: [{ condition: hasTag(pupil), outcome: 'all(hasTag(staff), not(hasTag(staff)))' }]",
            "dead-always",
        )),
        allowed: ("pia start_chat sam", &[]),
        refused: ("pia start_chat zoe", "no_rule"),
        makes: Makes::Allowed,
        explained: "`out of class`",
        covered: Is("out of class"),
        diff: Is((0, 2, "rule `out of class`")),
        invariant: Is("{ always: start_chat, from: hasTag(pupil), to: not(hasTag(pupil)) }"),
        held: Not(CLOSED),
        reaches: &["sam"],
        reached_by: &["pia", "zoe"],
        matrix: Is(()),
    },
    Row {
        name: "a rule set",
        world: SCHOOL,
        with: "
rule_sets:
  someone of staff:
    rules:
      - { name: staff write, condition: hasTag(staff), outcome: everyone }
      - { name: to staff, condition: everyone, outcome: hasTag(staff) }
",
        without: "",
        dsl: "rule_set \"someone of staff\" {",
        compiled: "rule set someone of staff, asked always of start_chat,",
        mistake: ("someone of staff", "rules", "duplicate-rule-set"),
        schema_finds: Is(()),
        lint: Is(("rule_sets: { none of staff: { rules: [] } }", "closed-set")),
        allowed: ("pia start_chat sam", &[]),
        refused: ("pia send_message zoe conversation=existing", "no_rule"),
        makes: Makes::Refused,
        explained: "`someone of staff`",
        covered: Not("a set allows by its rules, which are the ones that count"),
        diff: Is((2, 0, "`rule_sets`")),
        invariant: Is("{ never: send_message, from: not(hasTag(staff)), to: not(hasTag(staff)) }"),
        held: Is("rule_sets"),
        reaches: &["sam"],
        reached_by: &["sam"],
        matrix: Is(()),
    },
    Row {
        name: "a rule set that is asked of new conversations",
        world: SCHOOL,
        with: "
rule_sets:
  to staff:
    asked: new
    rules: [{ condition: everyone, outcome: hasTag(staff) }]
",
        without: "
rule_sets:
  to staff:
    rules: [{ condition: everyone, outcome: hasTag(staff) }]
",
        dsl: "asked: new;",
        compiled: "rule set to staff, asked new of start_chat,",
        mistake: ("asked: new", "asked: newly", "unknown-word"),
        schema_finds: Is(()),
        lint: Not("a rule set opens the same whenever it is asked"),
        allowed: ("pia send_message zoe conversation=existing", &[]),
        refused: ("pia start_chat zoe", "no_rule"),
        makes: Makes::Allowed,
        explained: "rules concern new ones",
        covered: Not("a set that is not asked looks at none of its rules"),
        diff: Not("no conversation exists in this world"),
        invariant: Is(
            "{ always: send_message, from: hasTag(pupil), to: hasTag(pupil), conversation: existing }",
        ),
        held: Not("a set that is asked more often refuses more"),
        reaches: &["sam", "zoe"],
        reached_by: &["pia", "sam"],
        matrix: Is(()),
    },
    Row {
        name: "a rule set of some actions",
        world: SCHOOL,
        with: "
rule_sets:
  to staff:
    actions: [voice_call]
    rules: [{ condition: everyone, outcome: hasTag(staff) }]
",
        without: "
rule_sets:
  to staff:
    rules: [{ condition: everyone, outcome: hasTag(staff) }]
",
        dsl: "actions: [voice_call];",
        compiled: "rule set to staff, asked always of voice_call\n",
        mistake: ("[voice_call]", "[]", "empty-actions"),
        schema_finds: Is(()),
        lint: Not("a rule set opens the same of whatever actions it is asked"),
        allowed: ("pia start_chat zoe", &[]),
        refused: ("pia voice_call zoe", "no_rule"),
        makes: Makes::Allowed,
        explained: "no rule set concerns start_chat here",
        covered: Not("a set that does not concern the action looks at none of its rules"),
        diff: Is((0, 4, "`rule_sets`")),
        invariant: Is("{ always: start_chat, from: hasTag(pupil), to: hasTag(pupil) }"),
        held: Not("a set of more actions refuses more"),
        reaches: &["sam", "zoe"],
        reached_by: &["pia", "sam"],
        matrix: Is(()),
    },
];
