//! The statements and users that lints look at.

use crate::{
    diagnostic::Diagnostics,
    source::Sources,
    syntax::{
        ast::{ExprKind, Item, User},
        bulk::BulkFile,
    },
};

/// The statements for lints: records, which may be many, only if they hold conditions or their ids may
/// be confusable.
pub(super) fn lintable_items<'s>(items: &[Item<'s>]) -> Vec<Item<'s>> {
    let is_lintable = |item: &&Item<'_>| match item {
        // An ASCII id is confusable with no other.
        Item::User(user) if !user.id.value.is_ascii() => true,
        Item::Group(group) if !group.id.value.is_ascii() || group.requires.is_some() => true,
        Item::User(user) => {
            let mut switches = user.more.iter().flat_map(|more| &more.permissions);
            switches.any(|setting| matches!(setting.value.kind, ExprKind::Call { .. }))
        }
        Item::Group(_) | Item::Conversation(_) => false,
        Item::Tags(_)
        | Item::ProtectedTags(_)
        | Item::Rules(_)
        | Item::Rule(_)
        | Item::RuleSet(_)
        | Item::Barrier(_)
        | Item::Audience(_)
        | Item::Accepts(_)
        | Item::Action(_)
        | Item::Window(_)
        | Item::Word(_)
        | Item::Settings(_)
        | Item::Peers(_)
        | Item::Matrix(_)
        | Item::Invariant(_)
        | Item::Lints(_) => true,
    };
    items.iter().filter(is_lintable).cloned().collect()
}

/// Visits the users among the statements, and all those of bulk files, which are read again.
pub(super) fn visit_users(
    statements: &[Item<'_>],
    sources: &Sources,
    visit: &mut dyn FnMut(&User<'_>),
) {
    for item in statements {
        if let Item::User(user) = item {
            visit(user);
        }
    }
    for (id, source) in sources.iter().filter(|(_, source)| source.notation.is_bulk()) {
        // Errors in the lines were reported before.
        let bulk = BulkFile::new(id, source);
        bulk.users(&mut Diagnostics::default(), &mut |user, _| visit(&user));
    }
}
