use serde_json::{Map, Value, json};

use super::{Asked, Done, Own, Shapes, Turn, kept, manages, problem::Problem};
use crate::{
    dialects::{House, Step, Unread},
    request::{Moderation, Relation},
};

/// How many users are fetched at once; of more, the first ones are.
const MOST_FETCHED: usize = 100;

/// How many bytes of users a list holds at most.
const LARGEST_LIST: usize = 16 << 20;

/// How many users of all are looked through at a time.
const PAGE: usize = 1000;

impl Asked<'_> {
    pub(super) fn fetch(&self) -> Done {
        let sight = self.sight();
        if let Some(mut ids) = self.payload.users("ids")? {
            ids.truncate(MOST_FETCHED);
            let mut people = People::default();
            people.add_all(ids, sight, self.house)?;
            return Ok(Step::Done(self.back.success(&people.by_id())));
        }
        if self.payload.get("id").is_none() {
            // No user has an id of that system here.
            if self.payload.users("pretalx_ids")?.is_some() {
                return Ok(Step::Done(self.back.success(&json!({}))));
            }
            let message = "`id`, or `ids`, is missing: it says which users";
            return Err(Problem::malformed(&message).into());
        }
        let id = self.payload.user()?;
        let user = object(self.house, &id, sight)?.ok_or_else(Problem::not_found)?;
        Ok(Step::Done(self.back.success(&user)))
    }

    pub(super) fn list(&self) -> Done {
        self.must_list()?;
        let (ids, sight) = (self.payload.users("ids")?, self.sight());
        let (back, shapes) = (self.back.clone(), self.shapes);
        Ok(Step::gather(move |house| {
            let mut people = People::default();
            let is_whole = match &ids {
                Some(ids) => people.add_all(ids.clone(), sight, house)?,
                None => people.add_everyone(sight, house)?,
            };
            Ok(Step::Done(match (is_whole, shapes) {
                (false, _) => back.error(&too_large()),
                (true, Shapes::Documented) => back.success(&people.by_id()),
                (true, Shapes::Upstream) => back.success(&json!({ "results": people.by_name() })),
            }))
        }))
    }

    pub(super) fn list_blocked(&self) -> Done {
        let ids = self.house.related(self.user, Relation::Block);
        let few = ids.len() <= MOST_FETCHED;
        let (back, shapes, sight) = (self.back.clone(), self.shapes, self.sight());
        let list = move |house: &dyn House| -> Result<Step<Turn>, Unread> {
            let mut people = People::default();
            Ok(Step::Done(match (people.add_all(ids.clone(), sight, house)?, shapes) {
                (false, _) => back.error(&too_large()),
                (true, Shapes::Documented) => back.success(&Value::Array(people.in_order())),
                (true, Shapes::Upstream) => back.success(&json!({ "users": people.in_order() })),
            }))
        };
        if few { Ok(list(self.house)?) } else { Ok(Step::gather(list)) }
    }

    fn sight(&self) -> Sight {
        if manages(self.house, self.user) { Sight::Manager } else { Sight::Other }
    }
}

/// Who looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// He sees the moderation state too.
    Manager,
    Other,
}

/// Users that were found, in the order in which they were.
#[derive(Default)]
struct People {
    found: Vec<(String, Value)>,
    bytes: usize,
}

impl People {
    /// Adds those who are known. Whether it holds them all: it may grow too large.
    fn add_all(
        &mut self,
        ids: Vec<String>,
        sight: Sight,
        house: &dyn House,
    ) -> Result<bool, Unread> {
        for id in ids {
            let Some(user) = object(house, &id, sight)? else { continue };
            self.bytes += user.to_string().len() + id.len();
            if self.bytes > LARGEST_LIST {
                return Ok(false);
            }
            self.found.push((id, user));
        }
        Ok(true)
    }

    fn add_everyone(&mut self, sight: Sight, house: &dyn House) -> Result<bool, Unread> {
        let mut last: Option<String> = None;
        loop {
            let page = house.users(last.as_deref(), PAGE);
            let is_last = page.len() < PAGE;
            last = page.last().cloned();
            if !self.add_all(page, sight, house)? {
                return Ok(false);
            }
            if is_last {
                return Ok(true);
            }
        }
    }

    fn by_id(self) -> Value {
        Value::Object(self.found.into_iter().collect())
    }

    fn in_order(self) -> Vec<Value> {
        self.found.into_iter().map(|(_, user)| user).collect()
    }

    /// In the order of the names that they show.
    fn by_name(mut self) -> Vec<Value> {
        let name = |user: &Value| {
            user.pointer("/profile/display_name").and_then(Value::as_str).map(str::to_lowercase)
        };
        self.found.sort_by_cached_key(|(_, user)| name(user).unwrap_or_default());
        self.in_order()
    }
}

fn too_large() -> Problem {
    let message = "these are too many users for one frame: ask for some of them with `ids`";
    Problem::of("user.list_too_large").because(&message)
}

/// A user, as others see him; `None` if he is not known.
fn object(house: &dyn House, id: &str, sight: Sight) -> Result<Option<Value>, Unread> {
    if !house.knows_user(id) {
        return Ok(None);
    }
    let mut user = Map::new();
    user.insert("id".to_owned(), id.into());
    user.insert("profile".to_owned(), profile(&kept(house, id)?));
    if sight == Sight::Manager {
        user.insert("moderation_state".to_owned(), state(house.moderation(id)).into());
    }
    Ok(Some(Value::Object(user)))
}

/// The profile that is kept of a user.
pub(super) fn profile(kept: &Own) -> Value {
    Value::Object(kept.profile.clone().unwrap_or_default())
}

/// What Venueless calls a state.
pub(super) fn state(moderation: Option<Moderation>) -> &'static str {
    match moderation {
        None | Some(Moderation::None) => "",
        Some(Moderation::Silenced) => "silenced",
        Some(Moderation::Banned) => "banned",
    }
}
