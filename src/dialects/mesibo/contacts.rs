//! Contacts of a user: contact, favorite, pair, block and subscription.

use serde_json::{Map, Value};

use super::{
    batch::CommandBatch,
    error::{MesiboError, MesiboErrorCode},
    params::Params,
    uid::ResolvedNumbers,
};
use crate::{
    dialects::Backend,
    facts::{Id, Op, UnilateralRelation},
    request::Relation,
};

/// The maximum number of contacts that a request may edit.
const MAX_CONTACTS: usize = 250;

/// The fields of a contact.
const CONTACT_FIELDS: [&str; 9] =
    ["address", "addr", "uid", "contact", "subscribe", "pair", "block", "favorite", "remove"];

/// The new flags of a contact; those that are `None` stay as they are.
#[derive(Clone, Copy, Debug)]
struct ContactFlags {
    contact: Option<bool>,
    subscribe: Option<bool>,
    pair: Option<bool>,
    block: Option<bool>,
    favorite: Option<bool>,
}

/// Adds the edits in `contact` and `contacts` of a user: commands for relations of the user, and
/// subscriptions, which go into the attributes in `keep`.
pub(super) fn push_edits(
    user: &Params<'_>,
    from: &Id,
    (found, backend): (&ResolvedNumbers, &dyn Backend),
    edit: &mut CommandBatch,
    keep: &mut Map<String, Value>,
) -> Result<(), MesiboError> {
    let mut parts = Vec::new();
    for name in ["contact", "contacts"] {
        match user.get(name) {
            None => {}
            Some(Value::Array(all)) => {
                for (at, one) in all.iter().enumerate() {
                    parts.push(Params::from_value(one, format!("{}[{at}]", user.path(name)))?);
                }
            }
            Some(one) => parts.push(Params::from_value(one, user.path(name))?),
        }
    }
    if parts.len() > MAX_CONTACTS {
        let message =
            format!("the request edits {} contacts; the limit is {MAX_CONTACTS}", parts.len());
        return Err(MesiboError::at(MesiboErrorCode::BadParam, &user.path("contact"), &message));
    }
    let mut subscriptions = Map::new();
    for part in &parts {
        if let Some(name) = part.fields.keys().find(|name| !CONTACT_FIELDS.contains(&name.as_str()))
        {
            let message =
                format!("is unknown in a contact; use one of {}", CONTACT_FIELDS.join(", "));
            return Err(MesiboError::parameter(
                MesiboErrorCode::BadParam,
                &part.path(name),
                &message,
            ));
        }
        let to = found.resolve_user(part, backend)?;
        let flags = ContactFlags::parse(part)?;
        let subscribed = flags.edit((from, &to), &part.path("address"), backend, edit);
        if let Some(value) = subscribed {
            subscriptions.insert(to.to_string(), value);
        }
    }
    if !subscriptions.is_empty() {
        keep.insert("subscribe".to_owned(), Value::Object(subscriptions));
    }
    Ok(())
}

impl ContactFlags {
    fn parse(part: &Params<'_>) -> Result<Self, MesiboError> {
        let flags = Self {
            contact: part.flag("contact")?,
            subscribe: part.flag("subscribe")?,
            pair: part.flag("pair")?,
            block: part.flag("block")?,
            favorite: part.flag("favorite")?,
        };
        if (flags.contact, flags.favorite) == (Some(false), Some(true)) {
            let message = "can't be true while `contact` is false";
            return Err(MesiboError::parameter(
                MesiboErrorCode::BadParam,
                &part.path("favorite"),
                message,
            ));
        }
        let is_removed = part.flag("remove")? == Some(true) && !flags.adds_anything();
        Ok(if is_removed { flags.with_removal() } else { flags })
    }

    fn adds_anything(self) -> bool {
        let positive = [self.contact, self.subscribe, self.pair, self.favorite];
        positive.contains(&Some(true))
    }

    /// The flags that remove the contact; a block stays, unless `block` is given.
    const fn with_removal(self) -> Self {
        Self {
            contact: Some(false),
            subscribe: Some(false),
            pair: Some(false),
            favorite: None,
            block: self.block,
        }
    }

    /// Adds the commands. Returns the subscription to store, if one is given: only where it differs
    /// from the default, which is that contacts are subscribed to.
    fn edit(
        self,
        (from, to): (&Id, &Id),
        path: &str,
        backend: &dyn Backend,
        edit: &mut CommandBatch,
    ) -> Option<Value> {
        let is_favorite = || backend.has_relation(from, Relation::Favorite, to);
        let stays = match self.favorite {
            Some(true) => true,
            // A former favorite is still a contact.
            Some(false) => self.contact.is_none() && is_favorite(),
            None => false,
        };
        let contact = if stays { Some(true) } else { self.contact };
        let bonds = [
            (UnilateralRelation::Contact, contact),
            (UnilateralRelation::Favorite, self.favorite.filter(|_| contact != Some(false))),
            (UnilateralRelation::Pair, self.pair),
        ];
        for (kind, is) in bonds {
            let (from, to) = (from.clone(), to.clone());
            match is {
                Some(true) => edit.push(Op::Relate { kind, from, to }, path),
                Some(false) => edit.push(Op::Unrelate { kind, from, to }, path),
                None => {}
            }
        }
        let (one, other) = (from.clone(), to.clone());
        match self.block {
            Some(true) => edit.push(Op::Block { from: one, to: other }, path),
            Some(false) => edit.push(Op::Unblock { from: one, to: other }, path),
            None => {}
        }
        let subscribe = self.subscribe?;
        let is_contact =
            contact.unwrap_or_else(|| backend.has_relation(from, Relation::Contact, to));
        Some(if subscribe == is_contact { Value::Null } else { subscribe.into() })
    }
}
