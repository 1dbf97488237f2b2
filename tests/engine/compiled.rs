//! The listings of compiled policies, as people review them. `INSTA_UPDATE=always cargo test --test
//! engine compiled` writes the snapshots again.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by it")]

use std::{fmt::Write as _, fs};

use peerage::{
    compile,
    inspect::PolicyListing,
    request::BUILT_IN_MATRICES,
    snapshot::View,
    source::{self, LoadedSources, Notation, Sources},
};

fn view(loaded: &LoadedSources) -> View {
    let outcome = compile::build(loaded, None);
    assert!(outcome.report.diagnostics.is_empty(), "{:?}", outcome.report);
    outcome.view.unwrap()
}

/// A listing for people and one for programs, in one text.
fn compiled(loaded: &LoadedSources) -> String {
    let view = view(loaded);
    let listing = PolicyListing::from_view(&view);
    format!("{listing}\n{}", serde_json::to_string_pretty(&listing).unwrap())
}

/// A listing for people.
fn of(text: &str) -> String {
    let sources = Sources::single("policy.peerage", Notation::Dsl, text);
    PolicyListing::from_view(&view(&sources.into())).to_string()
}

fn assert_reads(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

const USERS: &str = "
    user alice { tags: [staff, Berlin]; }
    user bob { tags: [staff]; }
    user carol { tags: [guest]; }
    user dave { tags: []; }
    user erin {}
";

#[test]
fn stores() {
    assert_reads("stores", &compiled(&source::load(&["policies/stores"])));
}

#[test]
fn nothing() {
    assert_reads("nothing", &compiled(&Sources::default().into()));
}

/// One policy with every section, in both notations.
#[test]
fn all_sections() {
    let yaml = fs::read("tests/engine/compiled/all.yaml").unwrap();
    let dsl = fs::read("tests/engine/compiled/all.peerage").unwrap();
    let yaml = compiled(&Sources::single("all.yaml", Notation::Yaml, yaml).into());
    let dsl = compiled(&Sources::single("all.peerage", Notation::Dsl, dsl).into());
    assert_reads("all-sections", &yaml);
    assert_eq!(dsl, yaml);
}

#[test]
fn every_policy_has_the_built_in_matrices() {
    let view = view(&Sources::default().into());
    let names: Vec<&str> = view.matrices.iter().map(|matrix| matrix.name.as_str()).collect();
    assert_eq!(names, BUILT_IN_MATRICES);
}

/// Settings of a preset are listed where they differ from the default.
#[test]
fn presets() {
    for (preset, line) in [
        ("flip", "  blocks.friend_request: off\n"),
        ("mesibo", "  blocks.send_message: two_way\n"),
        ("xmtp", "  limits.group_members: 250\n"),
        ("tencent", "  blocks.start_chat: one_way\n"),
    ] {
        let listing = of(&format!("preset: {preset};"));
        let (_, settings) = listing.split_once("\nsettings that differ").unwrap();
        assert!(settings.contains(line), "{listing}");
    }
    let venueless = of("preset: venueless; rules: [];");
    assert!(!venueless.contains("settings that differ"), "{venueless}");
}

#[test]
fn ids_that_would_blur_a_list() {
    let users = r#"user "a, b" { tags: [t]; } user "{c}" { tags: [t]; } user a { tags: [t]; }"#;
    assert!(of(users).contains("members  3 {a, \"a, b\", \"{c}\"}"), "{}", of(users));
}

#[test]
fn no_rules_section() {
    assert_reads("no-rules-section", &of(USERS));
}

#[test]
fn an_empty_rules_section() {
    assert_reads("empty-rules-section", &of(&format!("rules: []; {USERS}")));
}

#[test]
fn combined_conditions() {
    let rules = "
        rule: not(hasTag(guest)) -> [staff];
        rule hosts: all(hasTag(staff), not(any(hasTag(guest), hasTag(Berlin)))) -> [guest, staff];
        /// Two lines
        /// of reasons.
        rule \"a dead end\": hasTag(nobody) -> [no-one];
        rule everyone: any(hasTag(staff), not(hasTag(staff))) -> [Berlin];
    ";
    assert_reads("combined-conditions", &of(&format!("{rules}{USERS}")));
}

#[test]
fn declared_tags_that_nobody_has() {
    assert_reads(
        "declared-tags",
        &of("tags: [b, a, unused]; rules: []; user 1 { tags: [a]; } user 2 { tags: [b, a, b]; }"),
    );
}

/// Sets of up to [`Listing::FEW`] users are listed by name, larger ones counted.
#[test]
fn many_users() {
    let mut text = String::from("rule: hasTag(few) -> [many]; rule: hasTag(many) -> [few];\n");
    for user in 0..=PolicyListing::FEW {
        let few = if user < PolicyListing::FEW { "few, " } else { "" };
        writeln!(text, "user u{user} {{ tags: [{few}many]; }}").unwrap();
    }
    assert_reads("many-users", &of(&text));
}
