//! Entity tags of lists: a list is the same for as long as the same view is served.

use std::{
    fmt::{self, Display},
    hash::{BuildHasher as _, RandomState},
};

use hyper::{
    HeaderMap,
    header::{HeaderValue, IF_NONE_MATCH},
};

use crate::live::Freshness;

/// The source of the entity tags of one process.
#[derive(Debug)]
pub(in crate::serve) struct EntityTag {
    /// A number that other processes do not have.
    process: u64,
}

impl Default for EntityTag {
    fn default() -> Self {
        Self { process: RandomState::new().hash_one(std::process::id()) }
    }
}

/// An entity tag.
struct Tag {
    process: u64,
    view: u64,
    freshness: Freshness,
}

impl Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process, view, freshness } = self;
        // A list from a stale view says so.
        let mark = match freshness {
            Freshness::Current => "",
            Freshness::Stale => "-stale",
            Freshness::Denied => "-denied",
        };
        write!(f, "\"{process:016x}-{view}{mark}\"")
    }
}

impl EntityTag {
    /// The entity tag of lists from a view, by its number and freshness.
    pub(in crate::serve) fn of_view(&self, view: u64, freshness: Freshness) -> Option<HeaderValue> {
        let tag = Tag { process: self.process, view, freshness }.to_string();
        HeaderValue::from_str(&tag).ok()
    }
}

/// Whether the caller has what an entity tag stands for already.
pub(in crate::serve) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let Ok(tag) = tag.to_str() else { return false };
    let lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    // Tags hold no commas: those that do are not ours.
    let mut known = lists.flat_map(|list| list.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_what_the_caller_knows() {
        let tags = EntityTag { process: 7 };
        let tag = |freshness| tags.of_view(3, freshness).unwrap();
        assert_eq!(tag(Freshness::Current), "\"0000000000000007-3\"");
        assert_ne!(tag(Freshness::Stale), tag(Freshness::Current));
        let cases = [
            ("\"0000000000000007-3\"", true),
            ("W/\"0000000000000007-3\"", true),
            ("\"a\", \"0000000000000007-3\"", true),
            ("*", true),
            ("\"0000000000000007-4\"", false),
            ("0000000000000007-3", false),
            ("", false),
        ];
        for (known, is) in cases {
            let headers = [(IF_NONE_MATCH, HeaderValue::from_static(known))];
            let headers: HeaderMap = headers.into_iter().collect();
            assert_eq!(is_known(&headers, &tag(Freshness::Current)), is, "{known}");
        }
    }
}
