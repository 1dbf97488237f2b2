use super::{Gate, Pair, Party, Scene};
use crate::{
    request::{GateName, PeersMode, Reason, Statement},
    snapshot::{Selection, Tie, UserSet, View},
};

/// Closed unless each of the two communicates with the other, by his own mode and his own list.
pub(super) struct Peers;

/// Those with whom someone in this mode communicates: everybody, or some of those he has ties with.
fn own_list<'v>(view: &View, who: &Party<'_>) -> Selection<'v> {
    match who.standing.peers() {
        PeersMode::All => Selection::everybody(),
        mode => tied(view, who, |_, tie| tie.admits(mode)),
    }
}

/// Those who communicate with someone, each by his own mode and list.
fn lists_of_others<'v>(view: &'v View, who: &Party<'_>) -> Selection<'v> {
    let listing = tied(view, who, |other, tie| {
        tie.reversed().admits(view.population.directory.standing(other).peers())
    });
    Selection::any([view.standings.in_mode(PeersMode::All), listing])
}

fn tied<'v>(view: &View, who: &Party<'_>, is: impl Fn(u32, Tie) -> bool) -> Selection<'v> {
    let row = who.number.into_iter().flat_map(|number| view.population.ties_of(number));
    row.filter(|&(other, tie)| is(other, tie)).map(|(other, _)| other).collect::<UserSet>().into()
}

/// Both sides of someone, and himself where the action is one that he may do to himself.
fn both<'v>(view: &'v View, scene: &Scene<'_>, who: &Party<'_>) -> Selection<'v> {
    let both = Selection::all([own_list(view, who), lists_of_others(view, who)]);
    Selection::any([both, super::rules::oneself_in_group(scene, who)])
}

impl Gate for Peers {
    fn name(&self) -> GateName {
        GateName::Peers
    }

    #[inline]
    fn check(&self, _: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
        let other = pair.other.filter(|_| scene.demands.peers)?;
        if pair.is_oneself_in_group(scene) {
            None
        } else if !pair.tie.admits(pair.subject.standing.peers()) {
            Some(Reason::PeersSubject)
        } else if !pair.tie.reversed().admits(other.standing.peers()) {
            Some(Reason::PeersResource)
        } else {
            None
        }
    }

    fn admits<'v>(&self, view: &'v View, scene: &Scene<'_>, subject: &Party<'_>) -> Selection<'v> {
        if scene.demands.peers { both(view, scene, subject) } else { Selection::everybody() }
    }

    fn admitted<'v>(
        &self,
        view: &'v View,
        scene: &Scene<'_>,
        other: Option<&Party<'_>>,
    ) -> Selection<'v> {
        match other {
            Some(other) if scene.demands.peers => both(view, scene, other),
            _ => Selection::everybody(),
        }
    }

    fn asks(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Vec<Statement>> {
        let is_asked = scene.demands.peers && !pair.is_oneself_in_group(scene);
        let other = pair.other.filter(|_| is_asked)?;
        let mut asked: Vec<Statement> = pair.subject.asks_peers(view).into_iter().collect();
        if pair.tie.admits(pair.subject.standing.peers()) {
            asked.extend(other.asks_peers(view));
        }
        Some(asked)
    }

    fn detail(&self, _: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> String {
        let Some(other) = pair.other.filter(|_| scene.demands.peers) else {
            return format!("peers modes don't concern {} here", scene.action);
        };
        if pair.is_oneself_in_group(scene) {
            return "peers modes are about others".to_owned();
        }
        let side = |who: &Party<'_>, other: &Party<'_>, tie: Tie| {
            let (mode, who, other) = (who.standing.peers(), who.id, other.id);
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
