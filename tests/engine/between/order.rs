//! The gates in their order: the first that is closed gives the reason.

use super::check;

const EVERYTHING: &str = "
audiences: { nobody_here: nobody }
accepts: { start_chat: { default: nobody_here }, add_member: { default: nobody }, friend_request: { default: nobody } }
barriers: [{ name: all, between: [everyone, everyone] }]
rules: []
friendship: { default_approval: deny_any }
users:
  zoe: { blocked: [fay, out], peers: nobody }
  yan: { peers: nobody }
  out: { permissions: { outgoing: false } }
";

#[test]
fn gates_stand_in_their_order() {
    check(
        EVERYTHING,
        &[
            ("known comes first", "ann start_chat who", "unknown_resource"),
            ("then self", "ann start_chat ann", "self"),
            ("permissions before blocks", "out start_chat zoe", "outgoing_off"),
            ("blocks before peers", "fay start_chat zoe", "blocked_by_resource"),
            ("peers before audiences", "fay start_chat yan", "peers_resource"),
            ("audiences before barriers", "fay start_chat ann", "not_in_audience"),
            ("of friend requests too", "fay friend_request ann", "not_in_audience"),
            ("and in groups", "fay add_member g member=eve", "not_in_audience"),
        ],
    );
    let unheard =
        EVERYTHING.replace("accepts: {", "accepts: { view_profile: { default: everyone } }\n#");
    check(
        &unheard,
        &[
            ("barriers before rules", "fay start_chat ann", "barrier"),
            ("before friendship", "fay friend_request ann", "barrier"),
            ("before roles", "eve add_member g member=dan", "barrier"),
        ],
    );
    check(
        "rules: []\nrule_sets: { requests: { actions: [friend_request], rules: [] } }
friendship: { default_approval: deny_any }",
        &[
            ("rules before friendship", "fay friend_request ann", "no_rule"),
            ("rules before roles", "eve add_member g member=dan", "no_rule"),
        ],
    );
}
