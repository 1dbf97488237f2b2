//! Schemas of the sections of a policy.

use serde_json::{Map, Value, json};

use super::{
    super::{invariants::SCOPES, matrices::built_in, presets::Preset, settings::keys},
    by_word, describe, fields, nullable, object, one_of,
    parts::{NAME, TAG, TEXT, approval, list, name, require, with_declared_actions},
    reference, with_default,
};
use crate::{
    diagnostic::Code,
    request::{
        Action, Approval, BlockMode, Conversation, GroupPermission, PeersMode, ResourceKind,
        Switch, UnknownUsers,
    },
    syntax::ast::{SettingsSection, WordSection},
};

/// All sections but those about what is between two users.
pub(super) fn all() -> Map<String, Value> {
    fields([
        (
            "tags",
            nullable(list(
                "The tags that there are. Once one is declared, others are errors.",
                "tag",
            )),
        ),
        (
            "protected_tags",
            nullable(json!({
                "description": "The tags that only policy files and administrators give to users or \
                    take from them.",
                "type": "array",
                "items": reference("protected_tag"),
            })),
        ),
        ("rules", rules()),
        (WordSection::Preset.as_str(), one_of(describe::PRESET, Preset::ALL, Preset::as_str)),
        (
            WordSection::UnknownUsers.as_str(),
            with_default(
                one_of(describe::UNKNOWN_USERS, UnknownUsers::ALL, UnknownUsers::as_str),
                UnknownUsers::Deny.as_str(),
            ),
        ),
        (
            SettingsSection::Moderation.as_str(),
            settings("Moderation.", SettingsSection::Moderation),
        ),
        (SettingsSection::Permissions.as_str(), permissions()),
        (
            SettingsSection::Blocks.as_str(),
            settings("Whom blocks stop, by action.", SettingsSection::Blocks),
        ),
        ("peers", peers()),
        (
            SettingsSection::Friendship.as_str(),
            settings("How friends are made.", SettingsSection::Friendship),
        ),
        (
            SettingsSection::Limits.as_str(),
            settings("How many there may be.", SettingsSection::Limits),
        ),
        ("matrices", matrices()),
        ("invariants", invariants()),
        ("lints", lints()),
        ("users", by_id("The users that there are.", "user")),
        ("groups", by_id("The groups that there are.", "group")),
        ("conversations", conversations()),
    ])
}

fn rules() -> Value {
    nullable(json!({
        "description": "Who may start a chat with whom. If there is this section, even an empty one, \
            a chat needs a rule.",
        "type": "array",
        "items": rule(),
    }))
}

/// A rule of the section or of a rule set.
pub(super) fn rule() -> Value {
    let tags = json!({ "type": "array", "items": reference("tag"), "minItems": 1 });
    let outcome = json!({
        "description": "Whom they may reach: users who have at least one of these tags, or who meet this \
            condition; everyone, if nothing is said and there is `between`.",
        "anyOf": [tags, reference("condition")],
    });
    let between = json!({
        "$ref": "#/definitions/relation",
        "description": "What must be between the two, read from the user who meets the condition.",
    });
    let text = |about: &str| json!({ "description": about, "type": TEXT });
    let rule_id = json!({
        "description": "A UUID; without one, it is derived from the name, or from the content.",
        "type": "string",
        "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
    });
    let mut rule = object(
        "Who meets the condition may reach whom the outcome says.",
        fields([
            ("name", name("What it is called; unlike other rules.")),
            ("condition", reference("condition")),
            ("outcome", outcome),
            ("between", between),
            ("description", text("Why there is such a rule.")),
            ("rule_id", rule_id),
        ]),
    );
    require(&mut rule, &["condition"]);
    if let Some(of) = rule.as_object_mut() {
        let forms = json!([{ "required": ["outcome"] }, { "required": ["between"] }]);
        of.insert("anyOf".to_owned(), forms);
    }
    rule
}

/// A section of settings, each a word, a number or a condition.
fn settings(about: &str, section: SettingsSection) -> Value {
    let one = |_: &str| match section {
        SettingsSection::Moderation => {
            json!({ "$ref": "#/definitions/condition", "description": describe::MANAGERS })
        }
        SettingsSection::Permissions => reference("switch"),
        SettingsSection::Blocks => one_of(describe::BLOCK_MODE, BlockMode::ALL, BlockMode::as_str),
        SettingsSection::Friendship => with_default(approval(), Approval::AllowAny.as_str()),
        SettingsSection::Limits => json!({
            "description": "A whole number, or `none`.",
            "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": u32::MAX },
                { "enum": ["none"] },
            ],
        }),
    };
    let keys = keys(section).into_iter().map(|key| (key.to_owned(), one(key)));
    let mut section_of = object(about, keys.collect());
    if section == SettingsSection::Blocks {
        section_of = with_declared_actions(section_of, one(""));
    }
    nullable(section_of)
}

fn permissions() -> Value {
    let one = |switch| {
        let about = describe::switch(switch);
        with_default(json!({ "$ref": "#/definitions/switch", "description": about }), true)
    };
    let about = "The switches of users whose records say nothing of them; all are on by default.";
    let switches = object(about, by_word(Switch::ALL, Switch::as_str, one));
    nullable(with_declared_actions(switches, reference("switch")))
}

fn peers() -> Value {
    let mut mode = object(
        "The mode of users who meet a condition.",
        fields([("when", reference("condition")), ("mode", reference("peers"))]),
    );
    require(&mut mode, &["when", "mode"]);
    let modes = json!({
        "description": "The first whose condition a user meets counts.",
        "type": "array",
        "items": mode,
    });
    nullable(object(
        "With whom users communicate whose records say nothing of it.",
        fields([
            ("default", with_default(reference("peers"), PeersMode::All.as_str())),
            ("modes", modes),
        ]),
    ))
}

fn matrices() -> Value {
    let built_in: Vec<String> = built_in().into_iter().map(|matrix| matrix.name).collect();
    let one = |permission| {
        let about = describe::permission(permission);
        if permission != GroupPermission::UpdateMetadata {
            return json!({ "$ref": "#/definitions/value", "description": about });
        }
        let by_field = json!({ "type": "object", "additionalProperties": reference("value") });
        json!({ "description": about, "anyOf": [reference("value"), by_field] })
    };
    let about = "Who may do what in the groups that it governs. What is left out is denied.";
    let permissions = by_word(GroupPermission::ALL, GroupPermission::as_str, one);
    nullable(json!({
        "description": "Tables of group permissions by name, beside the built-in ones.",
        "type": "object",
        "propertyNames": { "pattern": NAME, "not": { "enum": built_in } },
        "additionalProperties": nullable(with_declared_actions(
            object(about, permissions),
            reference("value"),
        )),
    }))
}

fn invariants() -> Value {
    let takes_user = |action: &Action| {
        action.takes().contains(&ResourceKind::User) || *action == Action::AddMember
    };
    let actions: Vec<Action> = Action::ALL.iter().copied().filter(takes_user).collect();
    let known: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
    let others: Vec<&str> =
        Action::ALL.iter().map(|it| it.as_str()).filter(|it| !known.contains(it)).collect();
    // Others may be declared.
    let action = |about: &str| {
        let declared = json!({ "pattern": TAG, "not": { "enum": others } });
        json!({ "description": about, "type": "string", "anyOf": [{ "enum": known }, declared] })
    };
    let scope = json!({
        "description": "Whether it must hold of all users that there may be (all, if nothing is said), \
            or only of those that there are (population).",
        "enum": SCOPES.map(|(name, _)| name),
        "default": "all",
    });
    let conversation = json!({
        "description": "Whether the conversation of the two is taken to exist already (existing).",
        "enum": [Conversation::Existing.as_str()],
    });
    let text = json!({ "description": "Why it must hold.", "type": TEXT });
    let mut invariant = object(
        "`never` or `always` with `from` and `to`, or `every` with `reaches` and `by`.",
        fields([
            ("name", name("What it is called; unlike other invariants.")),
            ("never", action("Nobody of `from` may do it to anybody of `to`.")),
            ("always", action("Everybody of `from` may do it to everybody of `to`.")),
            ("from", reference("condition")),
            ("to", reference("condition")),
            ("every", reference("condition")),
            ("reaches", reference("condition")),
            ("by", action("Everybody of `every` may do it to somebody of `reaches`.")),
            ("scope", scope),
            ("conversation", conversation),
            ("description", text),
        ]),
    );
    let forms = [["never", "from", "to"], ["always", "from", "to"], ["every", "reaches", "by"]];
    let forms: Vec<Value> = forms.iter().map(|form| json!({ "required": form })).collect();
    if let Some(fields) = invariant.as_object_mut() {
        fields.insert("oneOf".to_owned(), forms.into());
    }
    nullable(json!({
        "description": "What must hold whatever the rest of the policy says.",
        "type": "array",
        "items": invariant,
    }))
}

fn lints() -> Value {
    let code = one_of("The code of a lint.", Code::LINTS, Code::as_str);
    let allow = json!({ "description": "Lints to keep silent.", "type": "array", "items": code });
    nullable(object("What `check` warns of.", fields([("allow", allow)])))
}

fn by_id(about: &str, record: &str) -> Value {
    nullable(json!({
        "description": about,
        "type": "object",
        "propertyNames": { "pattern": NAME },
        "additionalProperties": reference(record),
    }))
}

fn conversations() -> Value {
    nullable(json!({
        "description": "Who talks with whom already; rules don't concern them.",
        "type": "array",
        "items": { "type": "array", "items": reference("id"), "minItems": 2, "maxItems": 2 },
    }))
}
