//! A digest of what files state about users, by which an unchanged population is recognized.

use sha2::{Digest, Sha256};

use crate::{
    policy::{Sites, users::UserStatements},
    source::{Sources, Span},
    syntax::{
        ast::{Expr, ExprKind, List, Text, UserFields},
        bulk::BulkFile,
    },
};

/// A digest of what the files say about users. It may differ for files that say the same in other
/// words, never agree for files that say something else.
pub(super) fn digest_statements(
    stated: &UserStatements<'_, '_>,
    bulk: &[BulkFile<'_>],
    sources: &Sources,
) -> [u8; 32] {
    let mut key = KeyHasher(Sha256::new());
    let checks = &stated.checks;
    for limit in [checks.friends, checks.blocked] {
        key.count(limit.map_or(0, |limit| limit as usize + 1));
    }
    key.count(usize::from(checks.blocks_end_friendship));
    // Which audiences there are decides on whether records may name them.
    key.count(stated.audiences.own().len());
    stated.audiences.own().iter().for_each(|audience| key.part(audience.name.as_bytes()));
    // So do declared actions.
    key.count(stated.actions.iter().count());
    for (_, declared) in stated.actions.iter() {
        key.part(declared.name.as_bytes());
        key.count(declared.like.index());
    }
    key.count(stated.users.len());
    for user in stated.users {
        key.text(&user.id);
        key.position(user.id.span, stated.sites);
        key.list(user.tags.as_ref());
        key.count(usize::from(user.more.is_some()));
        if let Some(more) = &user.more {
            key.fields(more);
        }
    }
    key.count(stated.conversations.len());
    for conversation in stated.conversations {
        conversation.users.iter().for_each(|user| key.text(user));
        let [one, _] = &conversation.users;
        key.position(one.span, stated.sites);
    }
    for file in bulk {
        let Some(source) = sources.get(file.id) else { continue };
        key.part(&[source.notation as u8]);
        if stated.sites == Sites::Keep {
            key.count(file.id.0 as usize);
        }
        key.part(&source.digest());
    }
    key.0.finalize().into()
}

struct KeyHasher(Sha256);

impl KeyHasher {
    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_le_bytes());
    }

    fn position(&mut self, span: Span, sites: Sites) {
        if sites == Sites::Keep {
            self.count(span.source.0 as usize);
            self.count(span.start());
        }
    }

    fn part(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &Text<'_>) {
        self.part(text.value.as_bytes());
    }

    fn optional(&mut self, text: Option<&Text<'_>>) {
        self.count(usize::from(text.is_some()));
        text.into_iter().for_each(|text| self.text(text));
    }

    fn list(&mut self, list: Option<&List<'_>>) {
        let items = list.map_or(&[][..], |list| &list.value);
        self.count(items.len());
        items.iter().for_each(|item| self.text(item));
    }

    fn fields(&mut self, fields: &UserFields<'_>) {
        for word in [&fields.peers, &fields.moderation, &fields.approval] {
            self.optional(word.as_ref());
        }
        for settings in [&fields.permissions, &fields.accepts] {
            self.count(settings.len());
            for setting in settings {
                self.text(&setting.key);
                self.expr(&setting.value);
            }
        }
        let lists =
            [&fields.contacts, &fields.favorites, &fields.paired, &fields.blocked, &fields.friends];
        lists.into_iter().for_each(|list| self.list(list.as_ref()));
        self.count(fields.terms.len());
        for term in &fields.terms {
            self.count(term.of as usize);
            self.count(term.position);
            for text in [&term.until, &term.reason, &term.by] {
                self.optional(text.as_ref());
            }
        }
    }

    fn expr(&mut self, expr: &Expr<'_>) {
        match &expr.kind {
            ExprKind::Word(word) => {
                self.count(usize::MAX);
                self.part(word.as_bytes());
            }
            ExprKind::Call { name, arguments } => {
                self.count(arguments.len());
                self.text(name);
                arguments.iter().for_each(|argument| self.expr(argument));
            }
        }
    }
}
