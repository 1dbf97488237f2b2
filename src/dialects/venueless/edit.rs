use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    Asked, Done, Notice, frame::broadcast, kept, login::attribute, people::profile,
    problem::Problem,
};
use crate::{
    dialects::{Step, Wrote},
    facts::{Command, Id, Op, UserFields},
};

impl Asked<'_> {
    /// Changes oneself.
    pub(super) fn update(&self) -> Done {
        self.edit(self.user.clone(), None)
    }

    /// Changes another.
    pub(super) fn admin_update(&self) -> Done {
        self.must_manage()?;
        let user = self.payload.user()?;
        if !self.house.knows_user(&user) {
            return Err(Problem::not_found().into());
        }
        self.edit(user, Some(self.user))
    }

    fn edit(&self, user: Id, on_behalf: Option<&Id>) -> Done {
        let mut now = kept(self.house, &user)?;
        let before = now.clone();
        if let Some(profile) = self.payload.object("profile")? {
            now.insert("profile".to_owned(), Value::Object(profile.clone()));
        }
        if self.payload.has("client_state") {
            match self.payload.get("client_state") {
                Some(state) => drop(now.insert("client_state".to_owned(), state.clone())),
                None => drop(now.remove("client_state")),
            }
        }
        if now == before {
            return Ok(Step::Done(self.back.success(&json!({}))));
        }
        let notice = Notice::Updated { user: user.clone(), frame: updated(&user, &now) };
        let attributes = Some(attribute(now));
        let fields = Box::new(UserFields { attributes, ..UserFields::default() });
        // The first one sees that he is still known: the other would make him.
        let ops = [
            Op::AddTags { user: user.clone(), tags: BTreeSet::new() },
            Op::PutUser { user, fields },
        ];
        let commands = ops.map(|op| Command { op, on_behalf: on_behalf.cloned() });
        let back = self.back.clone();
        Ok(Step::write(commands.into(), move |wrote, _| {
            let turn = match wrote {
                Wrote::Done { .. } => {
                    let mut turn = back.success(&json!({}));
                    turn.notices.push(notice.clone());
                    turn
                }
                Wrote::Refused { refusal, .. } => {
                    back.error(&Problem::refused("user.update", refusal))
                }
                Wrote::Failed(why) => back.error(&Problem::not_written(why)),
            };
            Ok(Step::Done(turn))
        }))
    }
}

/// What a user's other sockets are told of him.
fn updated(user: &str, kept: &Map<String, Value>) -> String {
    broadcast("user.updated", &json!({ "id": user, "profile": profile(kept) }))
}
