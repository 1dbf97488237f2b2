//! Lists of users, and single ones.

use serde_json::{Map, Value, json};

use super::{
    ListShape, StoredUser, UserCommand, VenuelessResult, can_list_users, error::VenuelessError,
    stored_user,
};
use crate::{
    dialects::{Backend, BackendError, FrameResponse, Step},
    request::{Moderation, Relation},
};

/// The maximum number of users in one answer; longer lists are cut.
const MAX_FETCHED: usize = 100;

/// The maximum size of a list of users in bytes.
const MAX_LIST_BYTES: usize = 16 << 20;

/// The number of users that are read at a time.
const PAGE: usize = 1000;

impl UserCommand<'_> {
    pub(super) fn fetch(&self) -> VenuelessResult {
        let sight = self.visibility();
        if let Some(mut ids) = self.payload.users("ids")? {
            ids.truncate(MAX_FETCHED);
            let mut people = UserList::default();
            people.add_all(ids, sight, self.backend)?;
            return Ok(Step::Done(self.back.success(&people.by_id())));
        }
        if self.payload.get("id").is_none() {
            // No user has an id of such a system here.
            if self.payload.users("pretalx_ids")?.is_some() {
                return Ok(Step::Done(self.back.success(&json!({}))));
            }
            let message = "`id`, or `ids`, is missing: it says which users";
            return Err(VenuelessError::malformed(&message).into());
        }
        let id = self.payload.user()?;
        let user = user_json(self.backend, &id, sight)?.ok_or_else(VenuelessError::not_found)?;
        Ok(Step::Done(self.back.success(&user)))
    }

    pub(super) fn list(&self) -> VenuelessResult {
        self.require_lister()?;
        let (ids, sight) = (self.payload.users("ids")?, self.visibility());
        let (back, shapes) = (self.back.clone(), self.shapes);
        Ok(Step::blocking(move |backend| {
            let mut people = UserList::default();
            let is_whole = match &ids {
                Some(ids) => people.add_all(ids.clone(), sight, backend)?,
                None => people.add_everyone(sight, backend)?,
            };
            Ok(Step::Done(match (is_whole, shapes) {
                (false, _) => back.error(&too_large()),
                (true, ListShape::Documented) => back.success(&people.by_id()),
                (true, ListShape::Upstream) => {
                    back.success(&json!({ "results": people.by_name() }))
                }
            }))
        }))
    }

    pub(super) fn list_blocked(&self) -> VenuelessResult {
        let ids = self.backend.related_users(self.user, Relation::Block);
        let few = ids.len() <= MAX_FETCHED;
        let (back, shapes, sight) = (self.back.clone(), self.shapes, self.visibility());
        let list = move |backend: &dyn Backend| -> Result<Step<FrameResponse>, BackendError> {
            let mut people = UserList::default();
            Ok(Step::Done(match (people.add_all(ids.clone(), sight, backend)?, shapes) {
                (false, _) => back.error(&too_large()),
                (true, ListShape::Documented) => back.success(&Value::Array(people.in_order())),
                (true, ListShape::Upstream) => back.success(&json!({ "users": people.in_order() })),
            }))
        };
        if few { Ok(list(self.backend)?) } else { Ok(Step::blocking(list)) }
    }

    fn visibility(&self) -> Visibility {
        if can_list_users(self.backend, self.user) {
            Visibility::Manager
        } else {
            Visibility::Other
        }
    }
}

/// The viewer of a user.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Visibility {
    /// A manager, who sees moderation states too.
    Manager,
    Other,
}

/// A list of users, in the order in which they were found.
#[derive(Default)]
struct UserList {
    users: Vec<(String, Value)>,
    bytes: usize,
}

impl UserList {
    /// Adds the known users of a page. Returns whether all fit in the list.
    fn add_all(
        &mut self,
        ids: Vec<String>,
        sight: Visibility,
        backend: &dyn Backend,
    ) -> Result<bool, BackendError> {
        for id in ids {
            let Some(user) = user_json(backend, &id, sight)? else { continue };
            self.bytes += user.to_string().len() + id.len();
            if self.bytes > MAX_LIST_BYTES {
                return Ok(false);
            }
            self.users.push((id, user));
        }
        Ok(true)
    }

    fn add_everyone(
        &mut self,
        sight: Visibility,
        backend: &dyn Backend,
    ) -> Result<bool, BackendError> {
        let mut last: Option<String> = None;
        loop {
            let page = backend.user_page(last.as_deref(), PAGE);
            let is_last = page.len() < PAGE;
            last = page.last().cloned();
            if !self.add_all(page, sight, backend)? {
                return Ok(false);
            }
            if is_last {
                return Ok(true);
            }
        }
    }

    fn by_id(self) -> Value {
        Value::Object(self.users.into_iter().collect())
    }

    fn in_order(self) -> Vec<Value> {
        self.users.into_iter().map(|(_, user)| user).collect()
    }

    /// Sorts the users by their display names.
    fn by_name(mut self) -> Vec<Value> {
        let name = |user: &Value| {
            user.pointer("/profile/display_name").and_then(Value::as_str).map(str::to_lowercase)
        };
        self.users.sort_by_cached_key(|(_, user)| name(user).unwrap_or_default());
        self.in_order()
    }
}

fn too_large() -> VenuelessError {
    let message = "too many users for one frame; request some of them with `ids`";
    VenuelessError::new("user.list_too_large").with_message(&message)
}

/// The JSON form of a user, as others see them; `None` if the user is unknown.
fn user_json(
    backend: &dyn Backend,
    id: &str,
    sight: Visibility,
) -> Result<Option<Value>, BackendError> {
    if !backend.knows_user(id) {
        return Ok(None);
    }
    let mut user = Map::new();
    user.insert("id".to_owned(), id.into());
    user.insert("profile".to_owned(), profile(&stored_user(backend, id)?));
    if sight == Visibility::Manager {
        user.insert("moderation_state".to_owned(), moderation_word(backend.moderation(id)).into());
    }
    Ok(Some(Value::Object(user)))
}

/// The stored profile of a user.
pub(super) fn profile(kept: &StoredUser) -> Value {
    Value::Object(kept.profile.clone().unwrap_or_default())
}

/// Venueless's name of a moderation state.
pub(super) fn moderation_word(moderation: Option<Moderation>) -> &'static str {
    match moderation {
        // Of shadowed users it has no state, and they don't learn that they are.
        None | Some(Moderation::None | Moderation::Shadowed) => "",
        Some(Moderation::Silenced) => "silenced",
        Some(Moderation::Banned) => "banned",
    }
}
