//! Idioms of other languages, and their spelling here.

/// How to select everyone, where a condition is wanted.
pub const EVERYONE: &str = "write `everyone` for all users";

/// How to select nobody, where a condition is wanted.
pub const NOBODY: &str = "write `nobody` for no user";

/// How to let all users be reached.
pub const ALL_TAGS: &str =
    "for an outcome, write `everyone` without brackets: all users may be reached";

/// How to deny something.
pub const DENY: &str = "rules only allow: what no rule allows is denied, and no rule takes away what another \
     allows; leave the rule out, narrow the condition of those that allow it: \
     `all(hasTag(A), not(hasTag(B)))`, or keep users apart by a barrier";

/// Words of other languages for everyone, or for a condition that always holds.
pub fn is_everyone(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "*",
        "all",
        "always",
        "any",
        "anybody",
        "anyone",
        "everybody",
        "everyone",
        "on",
        "true",
        "yes",
        "allow",
        "enabled",
        "1",
    ];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Words of other languages for nobody, or for a condition that never holds.
pub fn is_nobody(word: &str) -> bool {
    const WORDS: &[&str] =
        &["false", "never", "no", "nobody", "none", "off", "deny", "disabled", "0", "null"];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// The hint for a tag that is not well-formed.
pub fn tag_hint(text: &str) -> Option<String> {
    if is_everyone(text) {
        return Some(ALL_TAGS.to_owned());
    }
    let separators = [',', ';', '|', '/'];
    let parts = |separator: &[char]| {
        let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
        parts.map(quoted_part).collect::<Vec<_>>().join(", ")
    };
    if text.contains(separators) {
        Some(format!("write several tags as a list: `[{}]`", parts(&separators)))
    } else if text.trim().contains(char::is_whitespace) {
        let joined = text.split_whitespace().collect::<Vec<_>>().join("_");
        Some(format!("a tag has no blanks: write `{}`", joined.escape_debug()))
    } else {
        None
    }
}

fn quoted_part(part: &str) -> String {
    part.chars().take(60).collect::<String>().escape_debug().to_string()
}

/// The hint for a word in the place of an outcome, which follows `lead`; `None` if the word is an outcome.
pub(super) fn outcome_hint(word: &str, lead: &str) -> Option<String> {
    const RELATIONS: &[&str] =
        &["friend", "contact", "favorite", "pair", "conversation", "sharesGroup"];
    let shown = quoted_part(word);
    match word {
        "everyone" | "nobody" => None,
        _ if RELATIONS.contains(&word) => Some(format!(
            "write `{lead} [{shown}]` for users with a tag; what is between two users goes to \
             `between`"
        )),
        _ if is_everyone(word) => Some(format!("write `{lead} everyone` for all users")),
        _ if is_nobody(word) => Some(format!("write `{lead} nobody` for no user")),
        _ => Some(format!("put a list in square brackets: `[{shown}]`")),
    }
}

/// The hint where a rule has a field, or a policy a section, of this name.
pub(super) fn denial_hint(name: &str) -> Option<&'static str> {
    const NAMES: &[&str] = &[
        "barrier",
        "barriers",
        "denials",
        "denied",
        "denies",
        "deny",
        "disallow",
        "effect",
        "exclude",
        "except",
        "forbid",
        "forbidden",
        "never_allow",
        "unless",
    ];
    NAMES.contains(&name).then_some(DENY)
}

/// The hint where a section of this name is expected.
pub(super) fn section_hint(name: &str) -> Option<&'static str> {
    match name {
        "allow" | "allows" | "policies" | "policy" | "permit" => {
            Some("write what is allowed in `rules`")
        }
        "barrier" | "barriers" => None,
        _ => denial_hint(name),
    }
}

/// The comment marker of another language at the start of a text.
pub(super) fn foreign_comment(text: &str) -> bool {
    text.starts_with("//") || text.starts_with("/*")
}
