use super::{Gate, GateContext, Principal, PrincipalPair};
use crate::{
    request::{GateName, PeersMode, Reason, StatementId},
    snapshot::{Selection, Tie, UserNumber, UserSet, View},
};

/// Closed unless each of the two communicates with the other, by his own mode and his own list.
pub(super) struct PeersGate;

/// Those with whom someone in this mode communicates: everybody, or some of those he has ties with.
fn users_on_own_list<'v>(view: &View, who: &Principal<'_>) -> Selection<'v> {
    match who.state.peers() {
        PeersMode::All => Selection::everybody(),
        mode => users_with_tie(view, who, |_, tie| tie.admits(mode)),
    }
}

/// Those who communicate with someone, each by his own mode and list.
fn users_listing<'v>(view: &'v View, who: &Principal<'_>) -> Selection<'v> {
    let listing = users_with_tie(view, who, |other, tie| {
        tie.reversed().admits(view.population.directory.state(other).peers())
    });
    Selection::any([view.states.in_peers_mode(PeersMode::All), listing])
}

fn users_with_tie<'v>(
    view: &View,
    who: &Principal<'_>,
    is: impl Fn(UserNumber, Tie) -> bool,
) -> Selection<'v> {
    let row = who.number.into_iter().flat_map(|number| view.population.ties_of(number));
    row.filter(|&(other, tie)| is(other, tie)).map(|(other, _)| other).collect::<UserSet>().into()
}

/// Both sides of someone, and himself where the action is one that he may do to himself.
fn mutual_peers<'v>(view: &'v View, scene: &GateContext<'_>, who: &Principal<'_>) -> Selection<'v> {
    let both = Selection::all([users_on_own_list(view, who), users_listing(view, who)]);
    Selection::any([both, super::rules::self_in_group(scene, who)])
}

impl Gate for PeersGate {
    fn name(&self) -> GateName {
        GateName::Peers
    }

    #[inline]
    fn check(
        &self,
        _: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        let other = pair.other.filter(|_| scene.requirements.checks_peers)?;
        if pair.is_self_in_group(scene) {
            None
        } else if !pair.tie.admits(pair.subject.state.peers()) {
            Some(Reason::PeersSubject)
        } else if !pair.tie.reversed().admits(other.state.peers()) {
            Some(Reason::PeersResource)
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
        if scene.requirements.checks_peers {
            mutual_peers(view, scene, subject)
        } else {
            Selection::everybody()
        }
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        match other {
            Some(other) if scene.requirements.checks_peers => mutual_peers(view, scene, other),
            _ => Selection::everybody(),
        }
    }

    fn consulted(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        let is_asked = scene.requirements.checks_peers && !pair.is_self_in_group(scene);
        let other = pair.other.filter(|_| is_asked)?;
        let mut asked: Vec<StatementId> = pair.subject.peers_statement(view).into_iter().collect();
        if pair.tie.admits(pair.subject.state.peers()) {
            asked.extend(other.peers_statement(view));
        }
        Some(asked)
    }

    fn describe(&self, _: &View, scene: &GateContext<'_>, pair: &PrincipalPair<'_, '_>) -> String {
        let Some(other) = pair.other.filter(|_| scene.requirements.checks_peers) else {
            return format!("peers modes don't concern {} here", scene.action);
        };
        if pair.is_self_in_group(scene) {
            return "peers modes are about others".to_owned();
        }
        let side = |who: &Principal<'_>, other: &Principal<'_>, tie: Tie| {
            let (mode, who, other) = (who.state.peers(), who.id, other.id);
            let is = if tie.admits(mode) { "is" } else { "is not" };
            match mode {
                PeersMode::All => format!("`{who}` communicates with all"),
                PeersMode::Paired => format!("`{who}` only with paired users: `{other}` {is} one"),
                PeersMode::Contacts => format!("`{who}` only with contacts: `{other}` {is} one"),
                PeersMode::Favorites => format!("`{who}` only with favorites: `{other}` {is} one"),
            }
        };
        let one = side(pair.subject, other, pair.tie);
        format!("{one}; {}", side(other, pair.subject, pair.tie.reversed()))
    }
}
