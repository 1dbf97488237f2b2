//! The gate `known`: whether the ids of a request are known.

use super::{
    context::{GateContext, GateTarget},
    denial::DenialReason,
    gate::{Gate, GateScope},
    one_sided::OneSided,
    pair::PrincipalPair,
    principal::Principal,
};
use crate::{
    request::{GateName, Reason, StatementId},
    snapshot::{Selection, View},
};

/// The gate `known`: closed for subjects, resources and members that are unknown.
pub(super) struct KnownGate;

impl KnownGate {
    pub(super) const DENIALS: &'static [DenialReason] = &[
        DenialReason::of_subject(Reason::UnknownSubject),
        DenialReason::new(Reason::UnknownResource, |view, _, pair| {
            pair.other.filter(|other| !other.is_known(view)).map(|other| other.id)
        }),
    ];
}

impl Gate for KnownGate {
    fn name(&self) -> GateName {
        GateName::Known
    }

    fn scope(&self) -> GateScope {
        GateScope::Request
    }

    fn denials(&self) -> &'static [DenialReason] {
        Self::DENIALS
    }

    #[inline]
    fn check(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        if !pair.subject.is_known(view) {
            Some(Reason::UnknownSubject)
        } else if !context.target.is_known() || !is_other_known(view, context, pair.other) {
            Some(Reason::UnknownResource)
        } else {
            None
        }
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        known_users_if(view, subject.is_known(view) && context.target.is_known())
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        known_users_if(view, context.target.is_known() && is_other_known(view, context, other))
    }

    fn one_sided<'v>(&self, _: &'v View, _: &GateContext<'_>) -> OneSided<'v> {
        OneSided::default()
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
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        let mut unknown: Vec<String> = Vec::new();
        let users = [Some(pair.subject), pair.other].into_iter().flatten();
        for user in users.clone().filter(|user| !user.is_known(view)) {
            let said = format!("`{}` is not a known user", user.id);
            if !unknown.contains(&said) {
                unknown.push(said);
            }
        }
        match context.target {
            GateTarget::UnknownGroup => {
                unknown.push(format!("`{}` is not a known group", context.group_id));
            }
            GateTarget::Unsupported => {
                unknown.push(format!(
                    "{} can't be done to this resource",
                    context.requested_name(view)
                ));
            }
            GateTarget::NoResource
            | GateTarget::User
            | GateTarget::Group(..)
            | GateTarget::UnlistedGroup(_) => {}
        }
        if context.involves_other_user() && pair.other.is_none() && context.target.is_known() {
            unknown.push(format!("{} needs a `member`", context.requested_name(view)));
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

/// All known users if the gate is open, and else nobody.
fn known_users_if(view: &View, is_open: bool) -> Selection<'_> {
    if is_open {
        Selection::from(&view.population.tombstones).complement()
    } else {
        Selection::nobody()
    }
}

/// Whether the other user is known, if the action is about one.
#[inline]
fn is_other_known(view: &View, context: &GateContext<'_>, other: Option<&Principal<'_>>) -> bool {
    match other {
        Some(other) => other.is_known(view),
        None => !context.involves_other_user(),
    }
}
