//! Windows and `during`: what is read of them in both notations, and what is reported.

use std::fmt::Write as _;

use peerage::{
    compile,
    diagnostic::render_text,
    source::{LoadedSources, Notation, Sources},
};

use crate::support::listing;

const YAML: &str = "\
windows:
  school:
    { days: [mon, tue], from: \"08:00\", to: 15:30, zone: Europe/Berlin, except: [2026-12-24] }
  night: { from: \"22:00\", to: \"06:00\", zone: UTC }
permissions: { outgoing: not(during(night)) }
";

const DSL: &str = "\
window school {
  days: [mon, tue]; from: \"08:00\"; to: \"15:30\"; zone: \"Europe/Berlin\"; except: [2026-12-24];
}
window night { from: \"22:00\"; to: \"06:00\"; zone: UTC; }
permissions { outgoing: not(during(night)); }
";

#[test]
fn windows_are_read_in_both_notations() {
    for (name, file, text) in [("yaml", "policy.yaml", YAML), ("dsl", "policy.peerage", DSL)] {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => true }, {
            insta::assert_snapshot!(name, listing::list(file, text.as_bytes()));
        });
    }
}

/// What is wrong in each policy, as `check` says it.
#[test]
fn mistakes_are_reported_with_hints() {
    const BODIES: &[&str] = &[
        "window a { from: \"08:00\"; to: \"08:00\"; zone: UTC; }",
        "window a { from: \"8:00\"; to: \"24:01\"; zone: UTC; except: [2026-02-30, tomorrow, 2026-12-24, 2026-12-24]; }",
        "window a { days: [mon, tue, mon, monday]; from: \"08:00\"; to: \"09:00\"; zone: \"Europe/Berlim\"; }",
        "window a { from: \"08:00\"; to: \"09:00\"; zone: Berlin; }",
        "window a { from: \"08:00\"; to: \"09:00\"; zone: \"europe/berlin\"; }",
        "window a { from: \"08:00\"; to: \"09:00\"; zone: Nowhere; days: []; }",
        "window a { }",
        "window a { from: 08:00; to: \"09:00\"; zone: Europe/Berlin; }",
        "window a { from: \"08:00\"; to: \"09:00\"; zone: UTC; }\nwindow a { from: \"08:00\"; to: \"10:00\"; zone: UTC; }",
        "window \"a b\" { from: \"08:00\"; to: \"09:00\"; zone: UTC; }",
        "window school { from: \"08:00\"; to: \"09:00\"; zone: UTC; }\nrule: during(scool) -> [a];",
        "window school { from: \"08:00\"; to: \"09:00\"; zone: UTC; }\nrule: during(weekend) -> [a];",
        "rule: during(school) -> [a];",
        "rule: during() -> [a];\nrule: during(a, b) -> [a];\nrule: during(hasTag(a)) -> [a];\nrule: durin(a) -> [a];",
        "audience a: during(school);\nmatrix m { add_member: during(school); }\nbarrier b: hasTag(a) <-> hasTag(b) { unless: during(school); }",
        "window a { from: \"08:00\"; to: \"09:00\"; zone: UTC; }",
    ];
    let mut reported = String::new();
    for body in BODIES {
        let sources = Sources::single("policy.peerage", Notation::Dsl, *body);
        let outcome = compile::build_with_lints(&LoadedSources::from(sources));
        write!(reported, "{body}\n=====\n{}\n", render_text(&outcome.report, false)).unwrap();
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => true }, {
        insta::assert_snapshot!("mistakes", reported);
    });
}
