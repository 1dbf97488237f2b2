//! Policy files in canonical form: what they look like, that they say what they said before, and
//! that no comment is lost.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail by it"
)]

mod command;
pub(crate) mod items;

use std::{fs, path::Path};

use items::{policy, said, said_by_section};
use peerage::{
    diagnostic::Diagnostics,
    source::{Notation, Source, SourceId},
    syntax::{
        ast::Item,
        dsl,
        format::{FormatError, format},
        print::{self, Form},
        yaml,
    },
};
use proptest::prelude::*;

fn source(form: Form, text: &str) -> Source {
    let notation = match form {
        Form::Dsl => Notation::Dsl,
        Form::Yaml => Notation::Yaml,
        Form::Json => Notation::Json,
    };
    Source::new("policy", notation, text)
}

fn formatted(from: Form, text: &str, to: Form) -> Result<String, String> {
    format(&source(from, text), to).map_err(|refusal| match refusal {
        FormatError::Mistakes(problems) => format!("{:?}", problems.into_sorted().0),
        other => other.to_string(),
    })
}

fn parse(form: Form, text: &str) -> (Vec<Item<'_>>, Diagnostics) {
    let mut problems = Diagnostics::default();
    let items = match form {
        Form::Dsl => dsl::parse(SourceId(0), text, &mut problems),
        Form::Yaml | Form::Json => yaml::parse(SourceId(0), text, &mut problems),
    };
    (items, problems)
}

// === Cases ===

/// Each folder holds an `input` in one notation, and what becomes of it in both. `PEERAGE_BLESS=1`
/// writes the latter.
#[test]
fn cases() {
    let bless = std::env::var_os("PEERAGE_BLESS").is_some();
    let mut count = 0;
    for case in fs::read_dir("tests/language/format/cases").unwrap() {
        let case = case.unwrap().path();
        let (input, from) = input(&case);
        for (name, to) in [("output.peerage", Form::Dsl), ("output.yaml", Form::Yaml)] {
            let path = case.join(name);
            let text = formatted(from, &input, to).unwrap_or_else(|why| panic!("{path:?}: {why}"));
            if bless {
                fs::write(&path, &text).unwrap();
            }
            assert_eq!(text, fs::read_to_string(&path).unwrap(), "{path:?}");
            assert_eq!(formatted(to, &text, to).as_ref(), Ok(&text), "{path:?} stays as it is");
            count += 1;
        }
    }
    assert!(count >= 8);
}

fn input(case: &Path) -> (String, Form) {
    let dsl = case.join("input.peerage");
    if dsl.exists() {
        return (fs::read_to_string(dsl).unwrap(), Form::Dsl);
    }
    (fs::read_to_string(case.join("input.yaml")).unwrap(), Form::Yaml)
}

#[test]
fn line_ends_and_byte_order_marks_go() {
    let dsl = "\u{feff}/// One\r\n/// two.\r\nrule: a -> [b]; // c\r\n";
    let expected = "/// One\n/// two.\nrule: a -> [b]; // c\n";
    assert_eq!(formatted(Form::Dsl, dsl, Form::Dsl), Ok(expected.to_owned()));
    let yaml = "\u{feff}# c\r\ntags: [A]\r\n";
    assert_eq!(formatted(Form::Yaml, yaml, Form::Yaml), Ok("# c\ntags: [A]\n".to_owned()));
}

/// An empty file would be an error.
#[test]
fn a_file_without_statements_does_not_become_empty() {
    for form in [Form::Dsl, Form::Yaml] {
        assert_eq!(formatted(form, "\n\n", form), Ok("\n".to_owned()));
        assert_eq!(formatted(form, "", form), Ok(String::new()));
    }
    assert_eq!(formatted(Form::Yaml, "{}", Form::Dsl), Ok("\n".to_owned()));
    assert_eq!(formatted(Form::Yaml, "{}", Form::Json), Ok("{}\n".to_owned()));
    assert_eq!(formatted(Form::Dsl, "\n// a\n\n\n// b", Form::Yaml), Ok("# a\n\n# b\n".to_owned()));
}

#[test]
fn json_stays_json() {
    let text = r#"{"tags":["A","B\u00fc"],"permissions":{"create_group":true,"video_call":"hasTag(A)"},
        "limits":{"friends":3000},"users":{"1":{"tags":["A"]},"2":{}},
        "rules":[{"condition":"hasTag(A)","outcome":["B"]}]}"#;
    let expected = r#"{
  "tags": ["A", "Bü"],
  "permissions": { "create_group": true, "video_call": "hasTag(A)" },
  "limits": { "friends": 3000 },
  "users": {
    "1": { "tags": ["A"] },
    "2": {}
  },
  "rules": [
    {
      "condition": "hasTag(A)",
      "outcome": ["B"]
    }
  ]
}
"#;
    assert_eq!(formatted(Form::Yaml, text, Form::Json), Ok(expected.to_owned()));
    assert_eq!(formatted(Form::Json, expected, Form::Json), Ok(expected.to_owned()));
    let refused = formatted(Form::Yaml, "{} # why", Form::Json).unwrap_err();
    assert_eq!(refused, "JSON can't hold the file's comments");
}

#[test]
fn what_can_not_be_said_is_refused() {
    let twice = formatted(Form::Dsl, "user a {} user a { tags: [B]; }", Form::Yaml).unwrap_err();
    assert!(twice.starts_with("written as YAML, the file could not be read back: "), "{twice}");
    let nul = "rules: [{ condition: a, outcome: [], description: \"\\0\" }]";
    let nul = formatted(Form::Yaml, nul, Form::Dsl).unwrap_err();
    assert!(
        nul.starts_with("written as a `.peerage` file, the file could not be read back: "),
        "{nul}"
    );
    assert!(formatted(Form::Dsl, "rule: a -> ;", Form::Dsl).is_err());
    assert!(matches!(
        format(&Source::new("a.csv", Notation::Csv, "id,tags"), Form::Yaml),
        Err(FormatError::Bulk)
    ));
}

// === Random statements ===

fn assert_says(form: Form, text: &str, items: &[Item<'_>]) -> Result<(), TestCaseError> {
    let (read, problems) = parse(form, text);
    prop_assert_eq!(problems.into_sorted().0, vec![], "{}", text);
    prop_assert_eq!(said_by_section(&read), said_by_section(items), "{}", text);
    if form == Form::Dsl {
        prop_assert_eq!(said(&read), said(items), "{}", text);
    }
    Ok(())
}

/// Puts comments into a text, at line ends and on lines of their own.
fn with_comments(text: &str, marker: &str, at: &[(prop::sample::Index, u8)]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (number, (place, kind)) in at.iter().enumerate() {
        let line = place.index(lines.len() + 1);
        let indent = " ".repeat(usize::from(kind % 4) * 2);
        let comment = format!("{marker} c{number}");
        match lines.get_mut(line) {
            Some(line) if kind % 3 == 0 && !line.contains(marker) => {
                line.extend([" ", &comment]);
            }
            _ => lines.insert(line, format!("{indent}{comment}")),
        }
        if kind % 5 == 0 {
            lines.insert(line, String::new());
        }
    }
    lines.join("\n") + "\n"
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn what_is_printed_says_the_same(items in policy()) {
        assert_says(Form::Dsl, &print::dsl(&items), &items)?;
        assert_says(Form::Yaml, &print::yaml(&items), &items)?;
        assert_says(Form::Json, &print::json(&items), &items)?;
    }

    #[test]
    fn notations_convert_into_each_other(items in policy()) {
        let dsl = print::dsl(&items);
        let yaml = formatted(Form::Dsl, &dsl, Form::Yaml).map_err(TestCaseError::fail)?;
        let again = formatted(Form::Yaml, &yaml, Form::Dsl).map_err(TestCaseError::fail)?;
        let (read, _) = parse(Form::Dsl, &again);
        prop_assert_eq!(said_by_section(&read), said_by_section(&items));
        prop_assert_eq!(formatted(Form::Dsl, &again, Form::Yaml), Ok(yaml));
    }

    #[test]
    fn canonical_form_stays(items in policy()) {
        for (form, text) in [
            (Form::Dsl, print::dsl(&items)),
            (Form::Yaml, print::yaml(&items)),
            (Form::Json, print::json(&items)),
        ] {
            prop_assert_eq!(formatted(form, &text, form), Ok(text));
        }
    }

    // That each comment is kept is held by `format` itself: it refuses otherwise.
    #[test]
    fn comments_stay(
        items in policy(),
        at in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..12),
    ) {
        // In a text of several lines, what looks like a comment is none.
        let mut items = items;
        for item in &mut items {
            if let Item::Rule(rule) = item {
                rule.description = None;
            }
        }
        for (form, marker, text) in
            [(Form::Dsl, "//", print::dsl(&items)), (Form::Yaml, "#", print::yaml(&items))]
        {
            if form == Form::Yaml && (text.contains("|\n") || text.contains("|-\n")) {
                continue;
            }
            let text = with_comments(&text, marker, &at);
            for to in [Form::Dsl, Form::Yaml] {
                let once = formatted(form, &text, to)
                    .map_err(|why| TestCaseError::fail(format!("{why}\n{text}")))?;
                let twice = formatted(to, &once, to);
                prop_assert_eq!(twice.as_ref(), Ok(&once), "{}", &text);
                let back = formatted(to, &once, form).map_err(TestCaseError::fail)?;
                prop_assert_eq!(formatted(form, &back, form), Ok(back));
            }
        }
    }
}
