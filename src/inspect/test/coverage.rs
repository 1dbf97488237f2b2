//! The coverage of a policy by the expectations of its tests.

use std::collections::BTreeSet;

use crate::{
    compile::StatementSpans,
    decide::TraceStep,
    request::{Approval, GateName, Moderation, PeersMode, Relation, StatementId, Switch, Toggle},
    snapshot::View,
    source::{PositionCursor, SourceId, Sources, Span},
};

/// The coverage of a policy by the expectations of its tests.
///
/// An expectation follows the trace of its decision: gate after gate, up to the closed one; an
/// expectation of a list follows the trace of each user or group on the list, not of the others.
/// Along the trace,
///
/// - a rule is reached if it opened the gate of rules: so no denial reaches one;
/// - a setting or a cell of a matrix is reached if a gate consulted it: a switch or a peers mode if
///   it applied to the user, instead of the user's record or the question; an audience if it applied
///   to the user who is reached; an entry of `blocks` if one of the two users blocks the other; a barrier
///   if the two meet its sides, or stand so to a member of the group; a limit if no gate was closed before;
/// - a gate is reached if it was closed in one decision and open in another one that it applies to.
///
/// What a test gives in place of the policy's statements reaches nothing of the policy. All rules,
/// cells and settings count that the policy states and decisions depend on, and the gates that can
/// be closed: known and self always, the others if the policy or a record makes them so.
#[derive(Debug)]
pub struct Coverage {
    /// The items in the order of the files, with the gates at the end.
    pub all: Vec<CoverageItem>,
}

/// An item that expectations may reach.
#[derive(Debug)]
pub struct CoverageItem {
    pub kind: CoverageKind,
    /// The path of the statement in the policy, or the name of the gate.
    pub name: String,
    /// The file, line and column, which count from 1; `None` for a gate.
    pub place: Option<(String, usize, usize)>,
    pub reached: bool,
    /// The part that is missing for an item that was reached in part.
    pub note: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CoverageKind {
    Rule,
    Cell,
    Switch,
    Gate,
}

impl CoverageKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Cell => "cell",
            Self::Switch => "switch",
            Self::Gate => "gate",
        }
    }
}

impl Coverage {
    pub fn total(&self) -> usize {
        self.all.len()
    }

    pub fn reached(&self) -> usize {
        self.all.iter().filter(|it| it.reached).count()
    }

    pub fn unreached(&self) -> impl Iterator<Item = &CoverageItem> {
        self.all.iter().filter(|it| !it.reached)
    }

    /// The share of reached items in percent; 100 if there are no items.
    pub fn percent(&self) -> f64 {
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        if self.total() == 0 { 100.0 } else { count(self.reached()) * 100.0 / count(self.total()) }
    }
}

/// The parts of a policy that were reached so far.
#[derive(Default, Debug)]
pub(super) struct CoverageRecorder {
    /// The places of the statements.
    places: BTreeSet<Span>,
    closed: BTreeSet<GateName>,
    passed: BTreeSet<GateName>,
}

impl CoverageRecorder {
    /// Records the trace of a decision.
    pub(super) fn record(&mut self, steps: &[TraceStep], places: &StatementSpans) {
        for step in steps {
            let gates = if step.is_open { &mut self.passed } else { &mut self.closed };
            gates.insert(step.gate);
            self.places.extend(step.consulted.iter().filter_map(|statement| places.get(statement)));
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.places.extend(other.places);
        self.closed.extend(other.closed);
        self.passed.extend(other.passed);
    }

    /// The coverage of a policy by what was recorded.
    pub(super) fn coverage(
        &self,
        view: &View,
        places: &StatementSpans,
        sources: &Sources,
    ) -> Coverage {
        let mut statements: Vec<(Span, &StatementId)> =
            places.iter().map(|(statement, span)| (span, statement)).collect();
        statements.sort_by_key(|(span, _)| (span.source, span.start));
        let mut cursor: Option<(SourceId, PositionCursor<'_>)> = None;
        let mut all = Vec::new();
        for (span, statement) in statements {
            if cursor.as_ref().is_none_or(|(id, _)| *id != span.source) {
                let source = sources.get(span.source);
                cursor = source.map(|source| (span.source, PositionCursor::new(&source.bytes)));
            }
            let place = cursor.as_mut().zip(sources.get(span.source)).map(|((_, it), source)| {
                let position = it.position(span.start());
                (source.name.clone(), position.line, position.column)
            });
            all.push(CoverageItem {
                kind: kind(statement),
                name: name(statement, view),
                place,
                reached: self.places.contains(&span),
                note: None,
            });
        }
        all.extend(closable_gates(view).into_iter().map(|gate| self.gate(gate)));
        Coverage { all }
    }

    fn gate(&self, gate: GateName) -> CoverageItem {
        let note = match (self.closed.contains(&gate), self.passed.contains(&gate)) {
            (true, true) => None,
            (true, false) => Some("let nothing pass"),
            (false, true) => Some("closed nothing"),
            (false, false) => Some("was never evaluated"),
        };
        let name = gate.as_str().to_owned();
        CoverageItem { kind: CoverageKind::Gate, name, place: None, reached: note.is_none(), note }
    }
}

fn kind(statement: &StatementId) -> CoverageKind {
    match statement {
        StatementId::Rule(_) => CoverageKind::Rule,
        StatementId::Cell { .. } | StatementId::OwnCell { .. } => CoverageKind::Cell,
        StatementId::Managers
        | StatementId::Switch(_)
        | StatementId::OwnSwitch(_)
        | StatementId::Blocks(_)
        | StatementId::PeersMode(_)
        | StatementId::PeersDefault
        | StatementId::AudienceMode(..)
        | StatementId::AudienceDefault(_)
        | StatementId::Barrier(_)
        | StatementId::DefaultApproval
        | StatementId::FriendsLimit
        | StatementId::GroupLimit => CoverageKind::Switch,
    }
}

fn name(statement: &StatementId, view: &View) -> String {
    let StatementId::Rule(id) = statement else { return statement.to_string() };
    let rule = view.rule_books().find_map(|book| {
        let at = book.rules.binary_search_by_key(id, |rule| rule.id).ok()?;
        book.rules.get(at)
    });
    match rule {
        Some(rule) => match &rule.name {
            Some(name) => name.clone(),
            None => rule.condition.map(&mut |&tag| view.tags.name(tag)).to_string(),
        },
        None => id.to_string(),
    }
}

/// The gates that can be closed for a user. Costs a look at each user.
fn closable_gates(view: &View) -> Vec<GateName> {
    let directory = &view.population.directory;
    let some = |is: &dyn Fn(crate::snapshot::UserState) -> bool| {
        directory.numbers().any(|user| is(directory.state(user)))
    };
    let ties = &view.population.ties;
    let is_off =
        |state: crate::snapshot::UserState| Switch::ALL.iter().any(|&switch| !state.is_on(switch));
    let closes = |gate: GateName| match gate {
        GateName::Known | GateName::OneSelf => true,
        GateName::Moderation => {
            view.managers.is_some() || some(&|it| it.moderation() != Moderation::None)
        }
        GateName::Permissions => {
            let mut own = view.settings.actions.iter();
            some(&is_off)
                || own.any(|(_, it)| it.switch != Toggle::Always(true))
                || !view.population.own_switches.is_empty()
        }
        GateName::Blocks => ties.edges(Relation::Block) > 0,
        GateName::Peers => some(&|it| it.peers() != Some(PeersMode::All)),
        GateName::Audience => {
            !view.settings.accepts.is_empty() || !view.population.own_audiences.is_empty()
        }
        GateName::Barriers => !view.barriers.is_empty(),
        GateName::Rules => view.rule_books().next().is_some(),
        GateName::Friendship => {
            ties.edges(Relation::Friend) > 0
                || some(&|it| it.is_friend_list_full() || it.approval() == Approval::DenyAny)
        }
        GateName::Role => !view.groups.is_empty(),
    };
    GateName::ALL.iter().copied().filter(|&gate| closes(gate)).collect()
}
