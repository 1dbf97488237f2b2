//! Shadowed users: what silenced ones may not do, hidden, and nothing that administers.

use peerage::{
    decide::{decide, explain, reach, reached_by},
    request::{
        Action, Conversation, Decision, Obligation, Properties, Reason, Request, Resource,
        ResourceKind,
    },
    snapshot::View,
    source::{Notation, Sources},
};

use crate::worlds::view;

/// What everyone may do but for moderation: `s` manages and is a super admin of the group.
fn world(state: &str, more: &str) -> View {
    let user = format!("user s {{ tags: [m]; moderation: {state}; }} user o {{ tags: [m]; }}");
    let group = "matrix team { add_member: allow; remove_member: allow; update_metadata: allow; \
        add_admin: allow_if_admin; remove_admin: allow_if_admin; \
        update_permissions: allow_if_admin; } \
        group g { matrix: team; super_admins: [s, z]; members: [o]; } user z {} user new {}";
    let text = format!("moderation {{ managers: hasTag(m); }} {user} {group} {more}");
    view(&Sources::single("policy.peerage", Notation::Dsl, text), None)
}

fn ask(view: &View, action: Action, kind: ResourceKind) -> Decision {
    let resource = match kind {
        ResourceKind::None => Resource::None,
        ResourceKind::User => Resource::User("o".into()),
        ResourceKind::Group => Resource::Group("g".into()),
    };
    let member = if action == Action::AddMember { "new" } else { "o" };
    let request = Request {
        member: action.takes_member().then(|| member.into()),
        field: action.takes_field().then_some("name"),
        ..Request::with_resource("s", action, resource)
    };
    let decision = decide(view, &request);
    assert_eq!(explain(view, &request).decision, decision, "{action}");
    decision
}

#[test]
fn what_silenced_users_may_not_do_is_hidden_or_refused() {
    let [free, silenced, shadowed] = ["none", "silenced", "shadowed"].map(|state| world(state, ""));
    let refused = [
        Action::Ban,
        Action::Silence,
        Action::Shadow,
        Action::Reactivate,
        Action::AddMember,
        Action::RemoveMember,
        Action::UpdateMetadata,
        Action::AddAdmin,
        Action::RemoveAdmin,
        Action::AddSuperAdmin,
        Action::RemoveSuperAdmin,
        Action::UpdatePermissions,
        Action::MuteMember,
        Action::UnmuteMember,
        Action::BanMember,
        Action::UnbanMember,
    ];
    let mut hidden = 0;
    for &action in Action::ALL {
        for &kind in action.takes() {
            let as_usual = ask(&free, action, kind);
            let found = ask(&shadowed, action, kind);
            if ask(&silenced, action, kind).reason != Reason::Silenced {
                assert_eq!(found, as_usual, "{action}");
            } else if refused.contains(&action) {
                assert_eq!(found, Decision::denied(Reason::Silenced), "{action}");
            } else {
                assert_eq!(found.reason, as_usual.reason, "{action}");
                let obligations: Vec<Obligation> = found.obligations.iter().collect();
                assert_eq!(obligations == [Obligation::Hide], found.allow, "{action}");
                hidden += usize::from(found.allow);
            }
        }
    }
    assert!(hidden > 8, "{hidden}");
}

#[test]
fn obligations_stand_in_order() {
    let more = "user c { tags: [m]; approval: need_confirm; } \
        accepts send_message { default: contacts; otherwise: request; }";
    let view = world("shadowed", more);
    let cases = [
        (Action::FriendRequest, "c", "confirm, hide"),
        (Action::SendMessage, "c", "request, hide"),
        (Action::Read, "c", ""),
    ];
    for (action, other, expected) in cases {
        let decision = decide(&view, &Request::new("s", action, other));
        assert!(decision.allow, "{action}: {}", decision.reason);
        assert_eq!(decision.obligations.to_string(), expected, "{action}");
    }
}

#[test]
fn lists_hold_what_is_allowed_hidden() {
    let shadowed = world("shadowed", "");
    let request = Request::new("s", Action::SendMessage, "o");
    assert_eq!(reach(&shadowed, &request).ids().collect::<Vec<_>>(), ["new", "o", "z"]);
    assert!(reached_by(&shadowed, &request).ids().any(|id| id == "s"));
    let request = Request::new("s", Action::Ban, "o");
    assert_eq!(reach(&shadowed, &request).total(), 0);
    assert!(!reached_by(&shadowed, &request).ids().any(|id| id == "s"));
    assert_eq!(shadowed.counts().shadowed, 1);
    assert_eq!(shadowed.counts().silenced, 0);
}

#[test]
fn a_request_may_bring_the_state_along() {
    let view = world("none", "");
    let properties = Properties {
        moderation: Some(peerage::request::Moderation::Shadowed),
        ..Properties::default()
    };
    let mut request = Request::new("s", Action::VoiceCall, "o");
    request.subject.properties = Some(Box::new(properties));
    request.conversation = Some(Conversation::New);
    let decision = decide(&view, &request);
    assert!(decision.allow && decision.obligations.contains(Obligation::Hide));
}
