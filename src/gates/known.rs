use super::{Gate, GateContext, Principal, PrincipalPair, context::GateTarget};
use crate::{
    request::{GateName, Reason, StatementId},
    snapshot::{Selection, View},
};

/// Closed for subjects, resources and members who are not known.
pub(super) struct KnownGate;

impl Gate for KnownGate {
    fn name(&self) -> GateName {
        GateName::Known
    }

    #[inline]
    fn check(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        if !pair.subject.is_known(view) {
            Some(Reason::UnknownSubject)
        } else if !scene.target.is_known() || !is_other_known(view, scene, pair.other) {
            Some(Reason::UnknownResource)
        } else {
            None
        }
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        known_users_if(view, subject.is_known(view) && scene.target.is_known())
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        known_users_if(view, scene.target.is_known() && is_other_known(view, scene, other))
    }

    fn consulted(
        &self,
        _: &View,
        _: &GateContext<'_>,
        _: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        Some(Vec::new())
    }

    fn describe(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let mut unknown: Vec<String> = Vec::new();
        let users = [Some(pair.subject), pair.other].into_iter().flatten();
        for user in users.clone().filter(|user| !user.is_known(view)) {
            let said = format!("`{}` is no known user", user.id);
            if !unknown.contains(&said) {
                unknown.push(said);
            }
        }
        match scene.target {
            GateTarget::UnknownGroup => {
                unknown.push(format!("`{}` is no known group", scene.group_id))
            }
            GateTarget::Unsupported => {
                unknown.push(format!("{} can't be done to this resource", scene.action));
            }
            _ => {}
        }
        if scene.involves_other_user() && pair.other.is_none() && scene.target.is_known() {
            unknown.push(format!("{} needs a `member`", scene.action));
        }
        if !unknown.is_empty() {
            return unknown.join("; ");
        }
        let mut known: Vec<String> = users.map(Principal::quoted_id).collect();
        known.dedup();
        let all_listed =
            [Some(pair.subject), pair.other].into_iter().flatten().all(|u| u.number.is_some());
        match (known.as_slice(), all_listed) {
            ([only], true) => format!("{only} is a user"),
            ([only], false) => format!("{only} is not listed, and treated as a user"),
            (all, true) => format!("{} are users", all.join(" and ")),
            (all, false) => {
                format!("{} are treated as users, listed or not", all.join(" and "))
            }
        }
    }
}

/// All users, if the gate is open, and else nobody.
fn known_users_if(view: &View, open: bool) -> Selection<'_> {
    if open {
        Selection::from(&view.population.tombstones).complement()
    } else {
        Selection::nobody()
    }
}

/// Whether the user whom the action is about is known, if it is about one.
#[inline]
fn is_other_known(view: &View, scene: &GateContext<'_>, other: Option<&Principal<'_>>) -> bool {
    match other {
        Some(other) => other.is_known(view),
        None => !scene.involves_other_user(),
    }
}
