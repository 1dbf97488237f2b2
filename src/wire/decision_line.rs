//! The members of a logged decision, written without a tree of JSON values.

use std::io::Write as _;

use sha2::{Digest, Sha256};

use crate::request::{
    ActionName, Decision, Group, Properties, Request, Resource, ResourceKind, User,
};

/// The form of ids in a decision log.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum IdForm {
    /// The ids themselves.
    #[default]
    Plain,
    /// `sha256:` and the first 16 bytes of the id's SHA-256 in hexadecimal.
    Hashed,
}

/// The number of bytes of a hash that are kept: so many that no two ids share them.
const HASH_BYTES: usize = 16;

/// Appends the members of a decision: `"subject":...` up to `"obligations":...`, without braces. The request
/// is written such that it can be read again and decided; `action` is the name of its action.
pub fn write_decision(
    line: &mut Vec<u8>,
    action: &ActionName,
    request: &Request<'_>,
    decision: Decision,
    ids: IdForm,
) {
    let mut writer = LineBuffer { line, ids };
    writer.raw("\"subject\":");
    writer.user(&request.subject, false);
    writer.member("action", action.as_str());
    match &request.resource {
        Resource::None if request.action.takes().len() > 1 => {
            writer.raw(r#","resource":{"type":"none","id":""}"#);
        }
        Resource::None => {}
        Resource::User(user) => {
            let is_default = request.action.takes().first() == Some(&ResourceKind::User);
            writer.raw(",\"resource\":");
            writer.user(user, !is_default);
        }
        Resource::Group(Group { id, matrix }) => {
            writer.raw(r#","resource":{"type":"group","id":"#);
            writer.id(id);
            if let Some(matrix) = matrix {
                writer.raw(r#","properties":{"matrix":"#);
                writer.text(matrix);
                writer.raw("}");
            }
            writer.raw("}");
        }
    }
    if let Some(member) = &request.member {
        writer.raw(",\"member\":");
        writer.user(member, false);
    }
    if let Some(field) = request.field {
        writer.member("field", field);
    }
    if let Some(conversation) = request.conversation {
        writer.raw(r#","context":{"conversation":""#);
        writer.raw(conversation.as_str());
        writer.raw(r#""}"#);
    }
    writer.raw(if decision.allow { r#","decision":true"# } else { r#","decision":false"# });
    writer.member("reason", decision.reason.as_str());
    for (at, obligation) in decision.obligations.iter().enumerate() {
        writer.raw(if at == 0 { r#","obligations":[""# } else { r#"",""# });
        writer.raw(obligation.as_str());
    }
    if !decision.obligations.is_empty() {
        writer.raw(r#""]"#);
    }
}

/// Appends a text as JSON.
pub fn write_json_text(line: &mut Vec<u8>, text: &str) {
    // Writing to a vector can't fail.
    let _ = serde_json::to_writer(line, text);
}

struct LineBuffer<'l> {
    line: &'l mut Vec<u8>,
    ids: IdForm,
}

impl LineBuffer<'_> {
    fn raw(&mut self, text: &str) {
        self.line.extend_from_slice(text.as_bytes());
    }

    fn text(&mut self, text: &str) {
        write_json_text(self.line, text);
    }

    /// A further member whose value is a text.
    fn member(&mut self, name: &str, text: &str) {
        self.raw(",\"");
        self.raw(name);
        self.raw("\":");
        self.text(text);
    }

    fn id(&mut self, id: &str) {
        match self.ids {
            IdForm::Plain => self.text(id),
            IdForm::Hashed => {
                self.raw("\"sha256:");
                for byte in Sha256::digest(id.as_bytes()).iter().take(HASH_BYTES) {
                    // Writing to a vector can't fail.
                    let _ = write!(self.line, "{byte:02x}");
                }
                self.raw("\"");
            }
        }
    }

    /// A user: the id alone unless there is more to say.
    fn user(&mut self, user: &User<'_>, with_type: bool) {
        if user.properties.is_none() && !with_type {
            return self.id(user.id);
        }
        self.raw(r#"{"type":"user","id":"#);
        self.id(user.id);
        if let Some(properties) = &user.properties {
            self.raw(",\"properties\":{");
            self.properties(properties);
            self.raw("}");
        }
        self.raw("}");
    }

    fn properties(&mut self, properties: &Properties<'_>) {
        let start = self.line.len();
        let Properties { tags, peers, permissions, moderation, role } = properties;
        if let Some(tags) = tags {
            self.raw(",\"tags\":");
            let _ = serde_json::to_writer(&mut *self.line, tags);
        }
        if let Some(peers) = peers {
            self.member("peers", peers.as_str());
        }
        if !permissions.is_empty() {
            self.raw(",\"permissions\":{");
            for (number, (switch, is_on)) in permissions.iter().enumerate() {
                let comma = if number > 0 { "," } else { "" };
                let _ = write!(self.line, "{comma}\"{switch}\":{is_on}");
            }
            self.raw("}");
        }
        if let Some(moderation) = moderation {
            self.member("moderation", moderation.as_str());
        }
        if let Some(role) = role {
            self.member("role", role.as_str());
        }
        // Each member begins with a comma, the first one too.
        if self.line.len() > start {
            self.line.remove(start);
        }
    }
}
