//! The vocabulary of tags, and the patterns of protected tags.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, did_you_mean},
    request::{During, InvalidTagError, ProtectedTags, TagForm},
    source::Span,
    syntax::{ast, idioms},
};

use super::windows;

/// The tags that a policy may name: any, until one is declared.
#[derive(Debug)]
pub(super) struct Vocabulary {
    form: TagForm,
    declared: BTreeMap<String, Span>,
    /// The tags of declarations that can't be tags, each reported where it is declared.
    invalid: BTreeSet<String>,
    /// Whether any tag is declared anywhere, even if only by mistake.
    is_closed: bool,
    /// How many more times an unknown tag may be compared with a declared one: what was meant is
    /// worth some work, but not all declared tags for each of a million mistakes.
    comparisons: Cell<usize>,
    /// The windows that there are; `None` if conditions may name any.
    windows: Option<BTreeMap<String, Span>>,
}

const MAX_COMPARISONS: usize = 5_000_000;

fn invalid_tag(tag: &ast::Text<'_>, error: &InvalidTagError) -> Diagnostic {
    let problem = Diagnostic::error(Code::InvalidTag, tag.span, error.to_string());
    match idioms::tag_hint(&tag.value) {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

impl Vocabulary {
    /// Gathers the `tags` sections of all files.
    pub(super) fn declare(
        sections: &[ast::List<'_>],
        form: TagForm,
        problems: &mut Diagnostics,
    ) -> Self {
        let mut declared = BTreeMap::new();
        let mut invalid = BTreeSet::new();
        for tag in sections.iter().flat_map(|section| &section.value) {
            if let Err(error) = form.check(&tag.value) {
                problems.push(invalid_tag(tag, &error));
                invalid.insert(tag.value.clone().into_owned());
                continue;
            }
            if let Some(&first) = declared.get(&*tag.value) {
                problems.push(
                    Diagnostic::error(
                        Code::DuplicateTag,
                        tag.span,
                        format!("the tag `{}` is declared twice", tag.value),
                    )
                    .related(first, "first declared here")
                    .hint("remove one of the two"),
                );
                continue;
            }
            declared.insert(tag.value.clone().into_owned(), tag.span);
        }
        let is_closed = sections.iter().any(|section| !section.value.is_empty());
        let comparisons = Cell::new(MAX_COMPARISONS);
        Self { form, declared, invalid, is_closed, comparisons, windows: None }
    }

    /// The same, with the windows that conditions may name.
    pub(super) fn with_windows(self, windows: BTreeMap<String, Span>) -> Self {
        Self { windows: Some(windows), ..self }
    }

    /// The window that a condition names. `None`, and why in `problems`, if there is none of that name.
    pub(super) fn bind_window(
        &self,
        name: &ast::Text<'_>,
        problems: &mut Diagnostics,
    ) -> Option<During> {
        match &self.windows {
            Some(known) if !known.contains_key(&*name.value) => {
                problems.push(windows::unknown(&name.value, name.span, known));
                return None;
            }
            None if TagForm::Any.check(&name.value).is_err() => {
                problems.push(windows::unknown(&name.value, name.span, &BTreeMap::new()));
                return None;
            }
            Some(_) | None => {}
        }
        Some(During::new(&*name.value))
    }

    /// The tag that a condition, an outcome or a user's record names. `None`, and why in `problems`,
    /// if its form is wrong or it is not declared; a form that is wrong where the tag is declared is
    /// reported there only.
    pub(super) fn bind(&self, tag: &ast::Text<'_>, problems: &mut Diagnostics) -> Option<String> {
        if let Err(error) = self.form.check(&tag.value) {
            if !self.invalid.contains(&*tag.value) {
                problems.push(invalid_tag(tag, &error));
            }
            return None;
        }
        if self.knows(&tag.value) {
            return Some(tag.value.clone().into_owned());
        }
        let message = format!("undeclared tag `{}`", tag.value);
        let problem = Diagnostic::error(Code::UndeclaredTag, tag.span, message);
        problems.push(match self.nearest(&tag.value) {
            Some(near) => problem
                .hint(format!("did you mean `{near}`?"))
                .related(self.declared.get(near).copied().unwrap_or(tag.span), "declared here"),
            None => problem.hint(format!("add `{}` to a `tags` section", tag.value)),
        });
        None
    }

    /// The declared tag that was most likely meant.
    fn nearest(&self, tag: &str) -> Option<&str> {
        let left = self.comparisons.get().checked_sub(self.declared.len())?;
        self.comparisons.set(left);
        did_you_mean(tag, self.declared.keys().map(String::as_str))
    }

    /// Whether a well-formed tag may be named.
    pub(super) fn knows(&self, tag: &str) -> bool {
        !self.is_closed || self.declared.contains_key(tag)
    }

    /// The tags that only files and administrators give or take: names, and what names begin with.
    pub(super) fn protected(
        &self,
        sections: &[ast::List<'_>],
        problems: &mut Diagnostics,
    ) -> ProtectedTags {
        let mut places: BTreeMap<&str, Span> = BTreeMap::new();
        for pattern in sections.iter().flat_map(|section| &section.value) {
            if !self.check_pattern(pattern, problems) {
                continue;
            }
            if let Some(&first) = places.get(&*pattern.value) {
                let message = format!("the tag `{}` is protected twice", pattern.value);
                problems.push(
                    Diagnostic::error(Code::DuplicateTag, pattern.span, message)
                        .related(first, "first protected here")
                        .hint("remove one of the two"),
                );
            } else {
                places.insert(&pattern.value, pattern.span);
            }
        }
        ProtectedTags::new(places.into_keys().map(str::to_owned).collect())
    }

    /// Whether a pattern is a tag, or the beginning of tags and a `*`; if not, the reason is reported.
    fn check_pattern(&self, pattern: &ast::Text<'_>, problems: &mut Diagnostics) -> bool {
        match pattern.value.strip_suffix('*') {
            Some("") => true,
            Some(start) => match self.form.check(start) {
                Ok(()) => true,
                Err(error) => {
                    let message = error.to_string();
                    problems.push(
                        Diagnostic::error(Code::InvalidTag, pattern.span, message)
                            .hint("write `*` only at the end of a pattern"),
                    );
                    false
                }
            },
            None => self.bind(pattern, problems).is_some(),
        }
    }

    /// The pattern of tags that two users share. `None`, and why in `problems`, if its form is wrong or it
    /// selects no declared tag.
    pub(super) fn shared_pattern(
        &self,
        pattern: &ast::Text<'_>,
        problems: &mut Diagnostics,
    ) -> Option<String> {
        if !self.check_pattern(pattern, problems) {
            return None;
        }
        let Some(start) = pattern.value.strip_suffix('*') else {
            return Some(pattern.value.clone().into_owned());
        };
        let is_matched = self
            .declared
            .range::<str, _>((std::ops::Bound::Included(start), std::ops::Bound::Unbounded))
            .next()
            .is_some_and(|(tag, _)| tag.starts_with(start));
        if self.is_closed && !is_matched {
            let message = format!("no declared tag begins with `{}`", start.escape_debug());
            problems.push(
                Diagnostic::error(Code::UnmatchedPattern, pattern.span, message)
                    .hint("add the tags to a `tags` section, or correct the pattern"),
            );
            return None;
        }
        Some(pattern.value.clone().into_owned())
    }

    pub(super) fn into_declared(self) -> Vec<String> {
        self.declared.into_keys().collect()
    }
}
