use std::collections::BTreeMap;

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, did_you_mean},
    request::check_tag,
    source::Span,
    syntax::ast,
};

/// The tags that a policy may name: any, until one is declared.
#[derive(Debug)]
pub struct Vocabulary {
    declared: BTreeMap<String, Span>,
    /// Whether any declaration stands anywhere, even one of nothing or of mistakes only.
    is_closed: bool,
}

impl Vocabulary {
    /// Gathers the `tags` sections of all files.
    pub(super) fn declare(sections: &[ast::List<'_>], problems: &mut Diagnostics) -> Self {
        let mut declared = BTreeMap::new();
        for tag in sections.iter().flat_map(|section| &section.value) {
            if let Err(error) = check_tag(&tag.value) {
                problems.push(Diagnostic::error(Code::InvalidTag, tag.span, error.to_string()));
                continue;
            }
            if let Some(&first) = declared.get(&*tag.value) {
                problems.push(
                    Diagnostic::error(
                        Code::DuplicateTag,
                        tag.span,
                        format!("the tag `{}` is declared twice", tag.value),
                    )
                    .also(first, "first declared here")
                    .hint("remove one of the two"),
                );
                continue;
            }
            declared.insert(tag.value.clone().into_owned(), tag.span);
        }
        Self { declared, is_closed: !sections.is_empty() }
    }

    /// A vocabulary in which every well-formed tag may be named, as for conditions in requests.
    pub fn open() -> Self {
        Self { declared: BTreeMap::new(), is_closed: false }
    }

    /// The tag that stands in a condition, an outcome or a user's record.
    ///
    /// # Errors
    /// Says what is wrong with it: its form, or that it is not declared.
    pub fn bind(&self, tag: &ast::Text<'_>) -> Result<String, Diagnostic> {
        if let Err(error) = check_tag(&tag.value) {
            return Err(Diagnostic::error(Code::InvalidTag, tag.span, error.to_string()));
        }
        if self.knows(&tag.value) {
            return Ok(tag.value.clone().into_owned());
        }
        let message = format!("no tag `{}` is declared", tag.value);
        let problem = Diagnostic::error(Code::UndeclaredTag, tag.span, message);
        let near = did_you_mean(&tag.value, self.declared.keys().map(String::as_str));
        Err(match near {
            Some(near) => problem
                .hint(format!("did you mean `{near}`?"))
                .also(self.declared.get(near).copied().unwrap_or(tag.span), "declared here"),
            None => problem.hint(format!("add `{}` to a `tags` section", tag.value)),
        })
    }

    /// Whether a well-formed tag may be named.
    pub(super) fn knows(&self, tag: &str) -> bool {
        !self.is_closed || self.declared.contains_key(tag)
    }

    pub(super) fn into_declared(self) -> Vec<String> {
        self.declared.into_keys().collect()
    }
}
