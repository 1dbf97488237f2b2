//! Defaults: those of settings, the presets of the five systems, built-in matrices.

/// The matrices that every policy has.
pub(crate) const BUILT_IN: [&str; 6] =
    ["all_members", "admins_only", "announcements", "creator_only", "dm", "open"];

/// Whom a block stops from an action, where the policy does not say it.
pub(super) fn block_mode(preset: Option<&str>, action: &str) -> &'static str {
    let default = match action {
        "start_chat" | "add_member" | "friend_request" => "two_way",
        _ => "one_way",
    };
    match preset {
        Some("flip" | "xmtp") => "off",
        Some("mesibo") => "two_way",
        Some("tencent") if action == "start_chat" => "one_way",
        // Of these, venueless and tencent say what holds without a preset.
        _ => default,
    }
}

/// How many there may be, where the policy does not say it.
pub(super) fn limit(preset: Option<&str>, name: &str) -> Option<usize> {
    match (preset, name) {
        (Some("xmtp"), "group_members") => Some(250),
        (Some("tencent"), "friends") => Some(3000),
        (Some("tencent"), "blocked") => Some(1000),
        (Some("tencent"), "friend_lists") => Some(32),
        _ => None,
    }
}

/// Whether a block ends the friendship of the two.
pub(super) fn blocks_end_friendships(preset: Option<&str>) -> bool {
    preset == Some("tencent")
}

/// Whether a policy without a `rules` section has rules.
pub(super) fn has_rules(preset: Option<&str>) -> bool {
    preset == Some("flip")
}

/// Who may do something under a built-in matrix; a field goes with `update_metadata`. Nothing for a cell that
/// it leaves out.
pub(super) fn built_in(matrix: &str, permission: &str, field: &str) -> Option<&'static str> {
    let is_speech = ["send_message", "voice_call", "video_call"].contains(&permission);
    let optional =
        is_speech || ["leave", "join", "mute_member", "ban_member"].contains(&permission);
    Some(match (matrix, permission) {
        (_, "update_metadata") => metadata(matrix, field),
        // The two of a conversation may speak in it.
        ("dm", _) if is_speech => return None,
        ("dm", _) => "deny",
        ("announcements", _) if is_speech => "allow_if_admin",
        ("open", "join") => "allow",
        _ if optional => return None,
        ("all_members" | "open", "add_member") => "allow",
        ("all_members" | "open", "remove_member")
        | ("admins_only" | "announcements", "add_member" | "remove_member") => "allow_if_admin",
        _ => "allow_if_super_admin",
    })
}

fn metadata(matrix: &str, field: &str) -> &'static str {
    let is_shown =
        ["group_name", "description", "group_image_url_square", "app_data"].contains(&field);
    let is_of_messages = ["message_disappear_from_ns", "message_disappear_in_ns"].contains(&field);
    let is_version = field == "minimum_supported_protocol_version";
    match matrix {
        "dm" if is_of_messages => "allow",
        "dm" => "deny",
        "all_members" | "open" if is_shown => "allow",
        _ if is_version => "allow_if_super_admin",
        _ => "allow_if_admin",
    }
}
