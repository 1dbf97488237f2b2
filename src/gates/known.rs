use super::{Gate, Pair, Party, Scene, scene::Place};
use crate::{
    request::{GateName, Reason, Statement},
    snapshot::{Selection, View},
};

/// Closed for subjects, resources and members who are not known.
pub(super) struct Known;

impl Gate for Known {
    fn name(&self) -> GateName {
        GateName::Known
    }

    #[inline]
    fn check(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
        if !pair.subject.is_known(view) {
            Some(Reason::UnknownSubject)
        } else if !scene.place.is_known() || !is_known(view, scene, pair.other) {
            Some(Reason::UnknownResource)
        } else {
            None
        }
    }

    fn admits<'v>(&self, view: &'v View, scene: &Scene<'_>, subject: &Party<'_>) -> Selection<'v> {
        users_if(view, subject.is_known(view) && scene.place.is_known())
    }

    fn admitted<'v>(
        &self,
        view: &'v View,
        scene: &Scene<'_>,
        other: Option<&Party<'_>>,
    ) -> Selection<'v> {
        users_if(view, scene.place.is_known() && is_known(view, scene, other))
    }

    fn asks(&self, _: &View, _: &Scene<'_>, _: &Pair<'_, '_>) -> Option<Vec<Statement>> {
        Some(Vec::new())
    }

    fn detail(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> String {
        let mut unknown: Vec<String> = Vec::new();
        let users = [Some(pair.subject), pair.other].into_iter().flatten();
        for user in users.clone().filter(|user| !user.is_known(view)) {
            let said = format!("`{}` is no known user", user.id);
            if !unknown.contains(&said) {
                unknown.push(said);
            }
        }
        match scene.place {
            Place::UnknownGroup => unknown.push(format!("`{}` is no known group", scene.group_id)),
            Place::Unfit => {
                unknown.push(format!("{} can't be done to this resource", scene.action));
            }
            _ => {}
        }
        if scene.has_other() && pair.other.is_none() && scene.place.is_known() {
            unknown.push(format!("{} needs a `member`", scene.action));
        }
        if !unknown.is_empty() {
            return unknown.join("; ");
        }
        let mut known: Vec<String> = users.map(Party::name).collect();
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
fn users_if(view: &View, open: bool) -> Selection<'_> {
    if open { Selection::from(&view.population.gone).complement() } else { Selection::nobody() }
}

/// Whether the user whom the action is about is known, if it is about one.
#[inline]
fn is_known(view: &View, scene: &Scene<'_>, other: Option<&Party<'_>>) -> bool {
    match other {
        Some(other) => other.is_known(view),
        None => !scene.has_other(),
    }
}
