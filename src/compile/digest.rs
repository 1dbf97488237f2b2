use sha2::{Digest, Sha256};

use crate::{policy::Rule, snapshot::Directory};

/// Feeds texts to a digest so that no two sequences of them are fed alike.
struct Feed(Sha256);

impl Feed {
    fn of(kind: &str) -> Self {
        let mut feed = Self(Sha256::new());
        feed.text(kind);
        feed
    }

    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text);
    }

    fn maybe(&mut self, text: Option<&str>) {
        self.count(usize::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// The digest of who there is: ids in order, each with its tags in order.
pub(super) fn population(directory: &Directory, names: &[String]) -> [u8; 32] {
    let mut feed = Feed::of("population 1");
    feed.count(directory.len() as usize);
    for user in 0..directory.len() {
        feed.text(directory.id(user));
        let tags = directory.tags(user);
        feed.count(tags.len());
        for name in tags.iter().filter_map(|tag| names.get(tag.index())) {
            feed.text(name);
        }
    }
    feed.finish()
}

/// The digest of a whole policy: of what it says, whatever the notation, the spelling and the
/// order of files.
pub(super) fn policy(population: &[u8; 32], tags: &[String], rules: Option<&[Rule]>) -> [u8; 32] {
    let mut feed = Feed::of("policy 1");
    feed.0.update(population);
    feed.count(tags.len());
    tags.iter().for_each(|tag| feed.text(tag));
    feed.count(usize::from(rules.is_some()));
    feed.count(rules.map_or(0, <[Rule]>::len));
    for rule in rules.unwrap_or_default() {
        feed.text(&rule.id.to_string());
        feed.maybe(rule.name.as_deref());
        feed.maybe(rule.description.as_deref());
        feed.text(&rule.condition.to_string());
        feed.count(rule.outcome.len());
        rule.outcome.iter().for_each(|tag| feed.text(tag));
    }
    feed.finish()
}

/// The digest of a set of conditions, given in order of their texts and without repetition.
pub(super) fn conditions(texts: &[&str]) -> [u8; 32] {
    let mut feed = Feed::of("conditions 1");
    texts.iter().for_each(|text| feed.text(text));
    feed.finish()
}
