//! The arguments that `decide` and `reach` share.

use clap::Args;

use crate::request::{Action, Conversation, InvalidIdError, QuestionParts, check_id};

/// What `decide` and `reach` ask alike.
#[derive(Args, Debug)]
pub(super) struct RequestArgs {
    /// Who wants to do it: the id of a user
    #[arg(long, short, value_name = "ID", value_parser = id)]
    subject: Option<String>,
    /// What the subject wants to do
    #[arg(long, short, default_value_t = Action::StartChat)]
    action: Action,
    /// To whom or what: the id of a user or a group
    #[arg(long, short, value_name = "ID")]
    resource: Option<String>,
    /// What the resource is: user, group, or anything for what is neither
    ///
    /// Without it, what the action is done to before all else.
    #[arg(long, value_name = "TYPE")]
    resource_type: Option<String>,
    /// Whom an action on a group is about
    #[arg(long, value_name = "ID", value_parser = id)]
    member: Option<String>,
    /// Which field of a group's metadata is to be changed
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// Whether the two talk already: new or existing
    ///
    /// Without it, what the policy says.
    #[arg(long, value_name = "STATE")]
    conversation: Option<Conversation>,
}

impl RequestArgs {
    pub(super) fn parts(&self) -> QuestionParts<'_> {
        QuestionParts {
            subject: self.subject.as_deref(),
            action: self.action,
            resource_type: self.resource_type.as_deref(),
            resource: self.resource.as_deref(),
            member: self.member.as_deref(),
            field: self.field.as_deref(),
            conversation: self.conversation,
        }
    }
}

fn id(text: &str) -> Result<String, InvalidIdError> {
    check_id(text).map(|()| text.to_owned())
}
