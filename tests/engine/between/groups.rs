//! Groups that say who speaks, who joins, and who must be in them.

use super::{check, refused};

/// A group of each built-in matrix, and one of a matrix of the policy's own.
const GROUPS: &str = "
users:
  sue: { tags: [staff] }
  tea: { tags: [teacher] }
  tom: { tags: [teacher], moderation: banned }
  sil: { moderation: silenced }
  off: { permissions: { outgoing: false } }
  zoe: {}
groups:
  all: { creator: ann, admins: [bob], members: [cat, dan, sil], muted: [cat, bob], banned: [eve] }
  news: { matrix: announcements, creator: ann, admins: [bob], members: [cat] }
  hall: { matrix: open, creator: ann, admins: [bob], members: [cat, off], banned: [eve], muted: [zoe] }
  class: { matrix: open, creator: ann, members: [bob, cat], requires: hasTag(teacher) }
  late: { matrix: open, creator: ann, members: [bob, tea, tom], requires: hasTag(teacher) }
  club: { matrix: club, creator: ann, admins: [bob], members: [cat, dan] }
matrices:
  club:
    add_member: allow_if_admin
    remove_member: allow_if_admin
    update_metadata: allow
    add_admin: allow_if_super_admin
    remove_admin: allow_if_super_admin
    update_permissions: allow_if_super_admin
    send_message: any(allow_if_admin, hasTag(pupil))
    voice_call: deny
    video_call: allow_if_super_admin
    mute_member: allow
    ban_member: allow_if_super_admin
    join: hasTag(staff)
    leave: allow_if_admin
";

#[track_caller]
fn grouped(policy: &str, cases: &[super::Case<'_>]) {
    check(&format!("{GROUPS}{policy}"), cases);
}

#[test]
fn cells_that_are_left_out_let_members_speak_and_admins_mute() {
    grouped(
        "",
        &[
            ("members send", "dan send_message all type=group", "allowed"),
            ("and call", "dan voice_call all type=group", "allowed"),
            ("and leave", "dan leave all type=group", "allowed"),
            ("admins mute", "bob mute_member all member=dan type=group", "allowed"),
            ("members don't", "dan mute_member all member=cat type=group", "needs_admin"),
            ("nor unmute", "dan unmute_member all member=cat type=group", "needs_admin"),
            ("admins ban", "bob ban_member all member=dan type=group", "allowed"),
            ("members don't", "dan ban_member all member=cat type=group", "needs_admin"),
            ("nor unban", "dan unban_member all member=eve type=group", "needs_admin"),
            ("nobody joins", "zoe join all type=group", "invite_only"),
            ("only members post", "zoe post all type=group", "not_member"),
            ("those do", "dan post all type=group", "allowed"),
        ],
    );
}

#[test]
fn matrices_say_who_speaks() {
    grouped(
        "actions:
  raise_hand: { like: send_message }
  applaud: { like: post }",
        &[
            ("announcements", "cat send_message news type=group", "needs_admin"),
            ("of calls too", "cat voice_call news type=group", "needs_admin"),
            ("both of them", "cat video_call news type=group", "needs_admin"),
            ("are for admins", "bob send_message news type=group", "allowed"),
            ("posts have no cell", "cat post news type=group", "allowed"),
            ("like a message", "cat raise_hand news type=group", "needs_admin"),
            ("like a post", "cat applaud news type=group", "allowed"),
            ("a condition over tags", "cat send_message club type=group", "allowed"),
            ("or roles", "bob send_message club type=group", "allowed"),
            ("a bare deny", "bob voice_call club type=group", "denied_by_matrix"),
            ("a bare role", "bob video_call club type=group", "needs_super_admin"),
            ("who mutes", "cat mute_member club member=dan type=group", "allowed"),
            ("and unmutes", "cat unmute_member club member=dan type=group", "allowed"),
            ("who bans", "bob ban_member club member=dan type=group", "needs_super_admin"),
            ("and unbans", "bob unban_member club member=zoe type=group", "needs_super_admin"),
            ("who leaves", "dan leave club type=group", "needs_admin"),
            ("whose list", "_ send_message club type=group", "[ann, bob, cat, dan]"),
            ("whose list", "_ send_message news type=group", "[ann, bob]"),
        ],
    );
}

#[test]
fn conversations_of_two_are_not_left_joined_or_moderated() {
    grouped(
        "",
        &[
            ("not left", "dan leave d type=group", "denied_by_matrix"),
            ("before anything else", "bob leave d type=group", "denied_by_matrix"),
            ("nor joined", "zoe join d type=group", "invite_only"),
            ("nobody is muted", "dan mute_member d member=dan type=group", "denied_by_matrix"),
            ("or banned", "dan ban_member d member=cat type=group", "denied_by_matrix"),
            ("but spoken in", "dan send_message d type=group", "allowed"),
        ],
    );
}

#[test]
fn who_joins_is_no_member_and_not_banned() {
    grouped(
        "actions:
  enter: { like: join }",
        &[
            ("an open group", "zoe join hall type=group", "allowed"),
            ("like it", "zoe enter hall type=group", "allowed"),
            ("a member", "cat join hall type=group", "already_member"),
            ("like it", "cat enter hall type=group", "already_member"),
            ("one by the request", "zoe join hall type=group role=member", "already_member"),
            ("who is banned from it", "eve join hall type=group", "banned_from_group"),
            (
                "and is added by nobody",
                "ann add_member hall member=eve type=group",
                "banned_from_group",
            ),
            (
                "whatever the matrix says",
                "cat add_member all member=eve type=group",
                "banned_from_group",
            ),
            ("others are", "cat add_member all member=zoe type=group", "allowed"),
            ("a mute does not matter", "zoe join hall type=group", "allowed"),
            ("the silenced", "sil join hall type=group", "silenced"),
            ("a banned user", "tom join hall type=group", "banned"),
            ("by tags", "sue join club type=group", "allowed"),
            ("without them", "zoe join club type=group", "denied_by_matrix"),
            ("those of the request", "zoe join club type=group tags=staff", "allowed"),
            ("a list of who may", "_ join club type=group", "[sue]"),
            ("and of groups", "sue join - type=group", "[club, hall, late]"),
        ],
    );
    check(
        "users: { odd: { permissions: { outgoing: false } } }
groups: { hall: { matrix: open } }",
        &[("`outgoing`", "odd join hall type=group", "outgoing_off")],
    );
    grouped(
        "limits: { group_members: 6 }",
        &[
            ("not yet full", "zoe join hall type=group", "allowed"),
            ("nor here", "ann add_member all member=zoe type=group", "allowed"),
        ],
    );
    grouped(
        "limits: { group_members: 5 }",
        &[
            ("not yet full", "zoe join hall type=group", "allowed"),
            ("full", "ann add_member all member=zoe type=group", "group_full"),
        ],
    );
}

#[test]
fn what_is_done_to_a_member_is_done_to_one() {
    let mut cases = Vec::new();
    for action in ["remove_member", "mute_member", "unmute_member", "add_admin", "remove_admin"] {
        cases.push(("a stranger", format!("ann {action} all member=zoe type=group"), "not_member"));
    }
    for action in ["add_super_admin", "remove_super_admin"] {
        cases.push(("a stranger", format!("ann {action} all member=zoe type=group"), "not_member"));
        // What is said of the member comes before what the subject may.
        cases.push(("at first", format!("dan {action} all member=zoe type=group"), "not_member"));
    }
    for action in ["ban_member", "unban_member"] {
        cases.push(("anyone", format!("ann {action} all member=zoe type=group"), "allowed"));
    }
    for action in ["remove_member", "mute_member", "ban_member"] {
        let question = format!("ann {action} all member=ann type=group");
        cases.push(("not a super admin", question, "super_admin_protected"));
    }
    cases.push((
        "who may be unmuted",
        "bob unmute_member all member=ann type=group".into(),
        "allowed",
    ));
    for action in ["mute_member", "ban_member"] {
        let question = format!("bob {action} all member=bob type=group");
        cases.push(("an admin", question, "needs_super_admin"));
        cases.push((
            "by a super admin",
            format!("ann {action} all member=bob type=group"),
            "allowed",
        ));
        let question = format!("cat {action} club member=bob type=group");
        cases.push(("before the matrix", question, "needs_super_admin"));
    }
    cases.push((
        "admins remove admins",
        "bob remove_member all member=bob type=group".into(),
        "allowed",
    ));
    cases.push(("a list", "bob mute_member all type=group".into(), "[cat, dan, sil]"));
    cases.push((
        "of a super admin",
        "ann mute_member all type=group".into(),
        "[bob, cat, dan, sil]",
    ));
    cases.push(("and of who may", "_ mute_member all member=bob type=group".into(), "[ann]"));
    let cases: Vec<super::Case<'_>> =
        cases.iter().map(|(says, question, answer)| (*says, question.as_str(), *answer)).collect();
    grouped("", &cases);
}

#[test]
fn who_is_muted_does_not_speak() {
    grouped(
        "actions:
  raise_hand: { like: send_message }
  applaud: { like: react }
  invite: { like: add_member }",
        &[
            ("messages", "cat send_message all type=group", "muted"),
            ("calls", "cat voice_call all type=group", "muted"),
            ("calls", "cat video_call all type=group", "muted"),
            ("posts", "cat post all type=group", "muted"),
            ("comments", "cat comment all type=group", "muted"),
            ("reactions", "cat react all type=group", "muted"),
            ("what is like these", "cat raise_hand all type=group", "muted"),
            ("what is like these", "cat applaud all type=group", "muted"),
            ("an admin too", "bob send_message all type=group", "muted"),
            ("who reads", "cat read all type=group", "allowed"),
            ("and adds", "cat add_member all member=zoe type=group", "allowed"),
            ("and leaves", "cat leave all type=group", "allowed"),
            ("in this group", "cat send_message hall type=group", "allowed"),
            ("not as a stranger", "zoe send_message hall type=group", "not_member"),
            ("whatever role is given", "zoe send_message hall type=group role=admin", "muted"),
            ("a list", "_ send_message all type=group", "[ann, dan]"),
            ("of groups", "cat send_message - type=group", "[club, hall, t]"),
        ],
    );
}

#[test]
fn groups_require_somebody() {
    grouped(
        "",
        &[
            (
                "nobody speaks without",
                "bob send_message class type=group",
                "required_member_missing",
            ),
            ("not in calls", "bob voice_call class type=group", "required_member_missing"),
            ("nor in posts", "ann post class type=group", "required_member_missing"),
            ("but reads", "bob read class type=group", "allowed"),
            ("others don't join", "zoe join class type=group", "required_member_missing"),
            ("one who meets it does", "tea join class type=group", "allowed"),
            ("by the request, too", "zoe join class type=group tags=teacher", "allowed"),
            (
                "others are not added",
                "bob add_member class member=zoe type=group",
                "required_member_missing",
            ),
            ("one who meets it is", "bob add_member class member=tea type=group", "allowed"),
            ("members leave", "bob leave class type=group", "allowed"),
            ("and are removed", "ann remove_member class member=bob type=group", "allowed"),
            ("with one, all speak", "bob send_message late type=group", "allowed"),
            ("and others come", "zoe join late type=group", "allowed"),
            ("and are added", "bob add_member late member=zoe type=group", "allowed"),
            ("the last stays", "tea leave late type=group", "last_required_member"),
            (
                "is not removed",
                "ann remove_member late member=tea type=group",
                "last_required_member",
            ),
            ("nor banned", "ann ban_member late member=tea type=group", "last_required_member"),
            (
                "a banned one does not count",
                "ann remove_member late member=tom type=group",
                "allowed",
            ),
            (
                "nor do tags of the request",
                "bob send_message class type=group tags=teacher",
                "required_member_missing",
            ),
            ("a list of who joins", "_ join class type=group", "[tea]"),
            ("of whom to add", "bob add_member class type=group", "[tea, tom]"),
            ("of whom to remove", "ann remove_member late type=group", "[bob, tom]"),
            ("of who leaves", "_ leave late type=group", "[bob, tom]"),
        ],
    );
    check(
        "users: { tea: { tags: [teacher] }, two: { tags: [teacher] } }
groups: { pair: { matrix: open, creator: ann, members: [tea, two], requires: hasTag(teacher) } }",
        &[("of two, one leaves", "tea leave pair type=group", "allowed")],
    );
}

#[test]
fn gates_of_a_group_stand_in_order() {
    check(
        "users: { tea: { tags: [teacher] }, zoe: {} }
groups:
  strict: { matrix: strict, creator: ann, admins: [bob], members: [cat, tea], muted: [cat], banned: [eve],
            requires: hasTag(nobody) }
  full: { matrix: open, creator: ann, members: [bob], requires: hasTag(teacher) }
  last: { matrix: open, creator: tea, requires: hasTag(teacher) }
limits: { group_members: 6 }
matrices:
  strict:
    add_member: deny
    remove_member: deny
    update_metadata: deny
    add_admin: deny
    remove_admin: deny
    update_permissions: deny
    send_message: deny
    mute_member: deny
    ban_member: deny
    leave: deny",
        &[
            ("a ban before the matrix", "ann add_member strict member=eve type=group", "banned_from_group"),
            ("and before an invitation", "eve join strict type=group", "banned_from_group"),
            ("a mute too", "cat send_message strict type=group", "muted"),
            ("the matrix before who is required", "bob send_message strict type=group", "denied_by_matrix"),
            ("and before a bare deny", "zoe join strict type=group", "invite_only"),
            ("membership before protection", "ann mute_member strict member=zoe type=group", "not_member"),
            ("protection before the matrix", "ann mute_member strict member=ann type=group", "super_admin_protected"),
            ("needs before the matrix", "bob ban_member strict member=bob type=group", "needs_super_admin"),
            ("the matrix at the end", "ann ban_member strict member=bob type=group", "denied_by_matrix"),
            ("a role after the member", "cat add_super_admin strict member=bob type=group", "needs_super_admin"),
            ("the last super admin", "ann remove_super_admin strict member=ann type=group", "last_super_admin"),
            ("leaving: the matrix first", "ann leave strict type=group", "denied_by_matrix"),
            ("then the last member", "tea leave last type=group", "last_member"),
        ],
    );
    check(
        "users: { tea: { tags: [teacher] }, zoe: {} }
groups:
  led: { matrix: open, creator: tea, members: [bob], requires: hasTag(teacher) }
  run: { matrix: open, creator: ann, members: [bob], requires: hasTag(teacher) }
limits: { group_members: 6 }",
        &[
            ("then the last one required", "tea leave led type=group", "last_required_member"),
            ("then super admins", "ann leave run type=group", "super_admin_protected"),
        ],
    );
    check(
        "users: { tea: { tags: [teacher] }, zoe: {} }
limits: { group_members: 5 }
groups: { tight: { matrix: open, creator: ann, members: [bob, cat, dan, eve], requires: hasTag(teacher) } }",
        &[
            ("who is required before the size", "zoe join tight type=group", "required_member_missing"),
            ("the size at the end", "tea join tight type=group", "group_full"),
        ],
    );
}

#[test]
fn barriers_keep_those_who_join_from_those_who_are_there() {
    grouped(
        "barriers:
  - { name: apart, from: hasTag(teacher), to: hasTag(pupil), actions: [add_member] }
  - { name: elsewhere, between: [hasTag(staff), hasTag(pupil)], actions: [add_member], groups: false }
  - { name: of chats, between: [hasTag(parent), hasTag(pupil)], actions: [start_chat] }",
        &[
            ("one direction, in either order", "tea join hall type=group", "barrier"),
            ("`groups: false`", "sue join hall type=group", "allowed"),
            ("other actions", "eve join class type=group", "required_member_missing"),
            ("by the request", "zoe join hall type=group tags=teacher", "barrier"),
            ("a list", "_ join hall type=group", "[dan, fay, sue, zoe]"),
        ],
    );
    let barrier =
        "barriers: [{ name: b, between: [hasTag(staff), hasTag(pupil)], actions: [ACTION] }]";
    refused(
        "`join` can't be named",
        &barrier.replace("ACTION", "join"),
        &barrier.replace("ACTION", "add_member"),
    );
}

#[test]
fn mistakes_in_groups_are_errors() {
    let matrix = "matrices: { m: { add_member: deny, remove_member: deny, update_metadata: deny, \
        add_admin: deny, remove_admin: deny, update_permissions: deny, join: VALUE } }";
    for role in
        ["allow_if_admin", "any(hasTag(staff), allow_if_super_admin)", "not(allow_if_admin)"]
    {
        refused(
            "a role in `join`",
            &matrix.replace("VALUE", role),
            &matrix.replace("VALUE", "allow"),
        );
    }
    let own = format!(
        "actions: {{ enter: {{ like: join }} }}\n{}",
        matrix.replace("VALUE", "deny, enter: OWN")
    );
    refused(
        "of an action like it",
        &own.replace("OWN", "allow_if_admin"),
        &own.replace("OWN", "hasTag(staff)"),
    );
    for place in ["members: [bob]", "admins: [bob]", "super_admins: [bob]", "creator: bob"] {
        let group = format!("groups: {{ h: {{ {place}, banned: [USER] }} }}");
        refused(
            "banned and in the group",
            &group.replace("USER", "bob"),
            &group.replace("USER", "cat"),
        );
    }
    refused(
        "who is muted is known",
        "groups: { h: { muted: [nobody-there] } }",
        "groups: { h: { muted: [ann] } }",
    );
    refused(
        "a matrix can't have the name of a built-in one",
        "matrices: { announcements: { add_member: deny } }",
        "matrices: { announcement: { add_member: deny } }",
    );
}
