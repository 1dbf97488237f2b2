//! Answer to a login: the user, the world and its channels.

use serde_json::{Map, Value, json};

use super::{
    ListShape, StoredUser, VenuelessResult, can_list_users, can_moderate, can_sign_in,
    error::VenuelessError,
    frame::ReplyTo,
    stored_user,
    users::{moderation_word, profile},
};
use crate::{
    dialects::{Backend, FrameResponse, SignedIn, Step},
    facts::{Id, UnixMillis},
    request::Moderation,
};

/// The data of the answer to a login.
#[derive(Clone, Debug)]
pub(super) struct Welcome {
    pub(super) world: String,
    pub(super) back: ReplyTo,
    pub(super) shapes: ListShape,
    /// The time at which the user's token expires.
    pub(super) expires: Option<UnixMillis>,
}

impl Welcome {
    /// # Errors
    /// If the user may not sign in.
    pub(super) fn greet(&self, user: &Id, backend: &dyn Backend) -> VenuelessResult {
        if !can_sign_in(backend, user) {
            return Err(VenuelessError::new("auth.denied").into());
        }
        let moderation = backend.moderation(user);
        let kept = stored_user(backend, user)?;
        let groups = backend.user(user)?.map(|effective| effective.groups).unwrap_or_default();
        let channels: Vec<Value> = groups.iter().map(|group| json!({ "id": group })).collect();
        let mut data = Map::new();
        data.insert("user.config".to_owned(), own(user, &kept, moderation));
        data.insert("world.config".to_owned(), self.world(user, moderation, backend));
        data.insert("chat.channels".to_owned(), channels.into());
        data.insert("chat.read_pointers".to_owned(), json!({}));
        if self.shapes == ListShape::Upstream {
            data.insert("chat.notification_counts".to_owned(), json!({}));
            data.insert("exhibition".to_owned(), json!({}));
            data.insert("announcements".to_owned(), json!([]));
        }
        let is_unlimited = can_moderate(backend, user);
        let user = user.clone();
        let signed_in = Some(SignedIn { user, moderation, expires: self.expires, is_unlimited });
        let reply = self.back.reply("authenticated", &Value::Object(data));
        Ok(Step::Done(FrameResponse { signed_in, ..reply }))
    }

    fn world(&self, user: &str, moderation: Option<Moderation>, backend: &dyn Backend) -> Value {
        let mut permissions = vec!["world:view"];
        if !matches!(moderation, Some(Moderation::Silenced)) {
            permissions.push("world:chat.direct");
        }
        if can_list_users(backend, user) {
            permissions.push("world:users.list");
        }
        if can_moderate(backend, user) {
            permissions.push("world:users.manage");
        }
        let traits = backend.tags(user).unwrap_or_default();
        json!({
            "world": { "id": self.world },
            "permissions": permissions,
            "traits": traits,
            "rooms": [],
        })
    }
}

/// The JSON form of a user for themselves.
pub(super) fn own(user: &str, kept: &StoredUser, moderation: Option<Moderation>) -> Value {
    let mut own = Map::new();
    own.insert("id".to_owned(), user.into());
    own.insert("profile".to_owned(), profile(kept));
    own.insert("moderation_state".to_owned(), moderation_word(moderation).into());
    if let Some(state) = &kept.client_state {
        own.insert("client_state".to_owned(), state.clone());
    }
    Value::Object(own)
}
