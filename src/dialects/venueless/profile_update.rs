//! Changes of a user's profile and client state.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    CLIENT_STATE, PROFILE, UserCommand, VenuelessResult, error::VenuelessError, frame::broadcast,
    stored_user, welcome::own,
};
use crate::{
    dialects::{Notice, Step},
    facts::{Command, Id, Op, UserFields, WriteOutcome},
};

impl UserCommand<'_> {
    /// Changes the user's own profile or client state.
    pub(super) fn update(&self) -> VenuelessResult {
        self.edit(self.user.clone(), None)
    }

    /// Changes those of another user.
    pub(super) fn admin_update(&self) -> VenuelessResult {
        self.require_manager()?;
        let user = self.payload.user()?;
        if !self.backend.knows_user(&user) {
            return Err(VenuelessError::not_found().into());
        }
        self.edit(user, Some(self.user))
    }

    fn edit(&self, user: Id, on_behalf: Option<&Id>) -> VenuelessResult {
        let before = stored_user(self.backend, &user)?;
        let mut now = before.clone();
        let mut attributes = BTreeMap::new();
        if let Some(profile) = self.payload.object("profile")? {
            now.profile = Some(profile.clone());
            attributes.insert(PROFILE.to_owned(), Some(Value::Object(profile.clone())));
        }
        if self.payload.has("client_state") {
            now.client_state = self.payload.get("client_state").cloned();
            attributes.insert(CLIENT_STATE.to_owned(), now.client_state.clone());
        }
        if now == before {
            return Ok(Step::Done(self.back.success(&json!({}))));
        }
        let user_json = own(&user, &now, self.backend.moderation(&user));
        let notice =
            Notice::Updated { user: user.clone(), frame: broadcast("user.updated", &user_json) };
        let attributes = Some(attributes);
        let fields = Box::new(UserFields { attributes, ..UserFields::default() });
        // The first command is refused if the user is unknown; the second one would create the
        // user.
        let ops = [
            Op::AddTags { user: user.clone(), tags: BTreeSet::new() },
            Op::PutUser { user, fields },
        ];
        let commands = ops.map(|op| Command { on_behalf: on_behalf.cloned(), ..Command::from(op) });
        let back = self.back.clone();
        Ok(Step::write_all(commands.into(), move |wrote, _| {
            let turn = match wrote {
                Ok(WriteOutcome::Applied { .. }) => {
                    let mut turn = back.success(&json!({}));
                    turn.notices.push(notice.clone());
                    turn
                }
                Ok(WriteOutcome::Refused { error: refusal, .. }) => {
                    back.error(&VenuelessError::from_refusal("user.update", refusal))
                }
                Err(why) => back.error(&VenuelessError::from_write_error(why)),
            };
            Ok(Step::Done(turn))
        }))
    }
}
