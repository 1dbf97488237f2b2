//! The arguments that `decide` and `reach` share.

use clap::Args;

use crate::{
    request::{Action, Conversation, InvalidIdError, QuestionParts, UnknownWordError, check_id},
    snapshot::View,
};

/// The request of `decide` and `reach`.
#[derive(Args, Debug)]
pub(super) struct RequestArgs {
    /// The acting user's id
    #[arg(long, short, value_name = "ID", value_parser = id)]
    subject: Option<String>,
    /// The action
    #[arg(long, short, default_value = Action::StartChat.as_str())]
    action: String,
    /// The id of the user or group to which it is done
    #[arg(long, short, value_name = "ID")]
    resource: Option<String>,
    /// The type of the resource: user, group, or any other word for something else
    ///
    /// By default a user where the action takes one.
    #[arg(long, value_name = "TYPE")]
    resource_type: Option<String>,
    /// The member whom an action on a group concerns
    #[arg(long, value_name = "ID", value_parser = id)]
    member: Option<String>,
    /// The field of the group's metadata to change
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// Whether the conversation is new or existing
    ///
    /// Without it, as the policy has it.
    #[arg(long, value_name = "STATE")]
    conversation: Option<Conversation>,
}

impl RequestArgs {
    /// Whether the action is a built-in one, so that the request can be checked without a policy.
    pub(super) fn is_built_in(&self) -> bool {
        self.action.parse::<Action>().is_ok()
    }

    /// The parts of the request under a policy, or without one.
    pub(super) fn parts(&self, view: Option<&View>) -> Result<QuestionParts<'_>, UnknownWordError> {
        let action = match view {
            Some(view) => view.requested_action(&self.action)?,
            None => self.action.parse::<Action>()?.into(),
        };
        Ok(QuestionParts {
            subject: self.subject.as_deref(),
            action,
            resource_type: self.resource_type.as_deref(),
            resource: self.resource.as_deref(),
            member: self.member.as_deref(),
            field: self.field.as_deref(),
            conversation: self.conversation,
        })
    }
}

fn id(text: &str) -> Result<String, InvalidIdError> {
    check_id(text).map(|()| text.to_owned())
}
