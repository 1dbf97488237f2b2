use serde_json::{Map, Value};

use super::{
    edit::Edit,
    fault::{Error, Fault},
    part::Part,
    uid::Found,
};
use crate::{
    dialects::House,
    facts::{Bond, Id, Op},
    request::Relation,
};

/// How many contacts a request may edit.
const MOST: usize = 250;

/// What may be said of a contact.
const NAMES: [&str; 9] =
    ["address", "addr", "uid", "contact", "subscribe", "pair", "block", "favorite", "remove"];

/// What is said of a contact; what is not said stays.
#[derive(Clone, Copy, Debug)]
struct Flags {
    contact: Option<bool>,
    subscribe: Option<bool>,
    pair: Option<bool>,
    block: Option<bool>,
    favorite: Option<bool>,
}

/// Adds what `contact` and `contacts` of a user ask for: edges from him, which are facts, and
/// subscriptions, which are kept in `keep`.
pub(super) fn edit(
    user: &Part<'_>,
    from: &Id,
    (found, house): (&Found, &dyn House),
    edit: &mut Edit,
    keep: &mut Map<String, Value>,
) -> Result<(), Fault> {
    let mut parts = Vec::new();
    for name in ["contact", "contacts"] {
        match user.get(name) {
            None => {}
            Some(Value::Array(all)) => {
                for (at, one) in all.iter().enumerate() {
                    parts.push(Part::of(one, format!("{}[{at}]", user.path(name)))?);
                }
            }
            Some(one) => parts.push(Part::of(one, user.path(name))?),
        }
    }
    if parts.len() > MOST {
        let message = format!("a request edits {MOST} contacts at most, not {}", parts.len());
        return Err(Fault::at(Error::BadParam, &user.path("contact"), &message));
    }
    let mut subscriptions = Map::new();
    for part in &parts {
        if let Some(name) = part.fields.keys().find(|name| !NAMES.contains(&name.as_str())) {
            let message = format!("it is unknown of a contact; known: {}", NAMES.join(", "));
            return Err(Fault::at(Error::BadParam, &part.path(name), &message));
        }
        let to = found.who(part, house)?;
        let flags = Flags::of(part)?;
        let subscribed = flags.edit((from, &to), &part.path("address"), house, edit);
        if let Some(value) = subscribed {
            subscriptions.insert(to.to_string(), value);
        }
    }
    if !subscriptions.is_empty() {
        keep.insert("subscribe".to_owned(), Value::Object(subscriptions));
    }
    Ok(())
}

impl Flags {
    fn of(part: &Part<'_>) -> Result<Self, Fault> {
        let flags = Self {
            contact: part.flag("contact")?,
            subscribe: part.flag("subscribe")?,
            pair: part.flag("pair")?,
            block: part.flag("block")?,
            favorite: part.flag("favorite")?,
        };
        if (flags.contact, flags.favorite) == (Some(false), Some(true)) {
            let message = "a favorite is a contact: it can't be true while `contact` is false";
            return Err(Fault::at(Error::BadParam, &part.path("favorite"), message));
        }
        let goes = part.flag("remove")? == Some(true) && !flags.is_positive();
        Ok(if goes { flags.removed() } else { flags })
    }

    fn is_positive(self) -> bool {
        let positive = [self.contact, self.subscribe, self.pair, self.favorite];
        positive.contains(&Some(true))
    }

    /// The entry goes; a block stays, unless it is said otherwise.
    const fn removed(self) -> Self {
        Self {
            contact: Some(false),
            subscribe: Some(false),
            pair: Some(false),
            favorite: None,
            block: self.block,
        }
    }

    /// Adds the commands. What is to be kept of the subscription, if anything is said of it: who is
    /// a contact is subscribed to unless it is kept otherwise.
    fn edit(
        self,
        (from, to): (&Id, &Id),
        path: &str,
        house: &dyn House,
        edit: &mut Edit,
    ) -> Option<Value> {
        let is_favorite = || house.has(from, Relation::Favorite, to);
        let stays = match self.favorite {
            Some(true) => true,
            // Who is no favorite any more is a contact still.
            Some(false) => self.contact.is_none() && is_favorite(),
            None => false,
        };
        let contact = if stays { Some(true) } else { self.contact };
        let bonds = [
            (Bond::Contact, contact),
            (Bond::Favorite, self.favorite.filter(|_| contact != Some(false))),
            (Bond::Pair, self.pair),
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
        let is_contact = contact.unwrap_or_else(|| house.has(from, Relation::Contact, to));
        Some(if subscribe == is_contact { Value::Null } else { subscribe.into() })
    }
}
