//! Lints about statements between two users: rule sets, barriers and audiences.

use std::collections::{HashMap, HashSet};

use crate::{
    diagnostic::{Code, Diagnostic},
    request::{
        ActionSet, EdgeDirection, NamesWindows as _, Relation, RelationCondition, Switch, Toggle,
    },
    snapshot::{CompiledBarrier, TagId, UserSet, View},
    source::Span,
    syntax::ast::{self, Item},
};

use super::{
    BudgetExceededError, Diagram, Diagrams, Linter, conditions::never_holds, unused::each_word,
    users_meeting_sometimes,
};

/// The one of two users who wants the action, as a relation condition reads it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanting {
    Owner,
    Other,
}

/// Lints that hold whatever users there are.
pub(super) fn lint(linter: &mut Linter<'_, '_>) {
    check_relations(linter);
    check_unused_audiences(linter);
    check_shut_actions(linter);
}

/// Lints about existing users.
pub(super) fn lint_users(linter: &mut Linter<'_, '_>) {
    check_barrier_sides(linter);
    check_closed_sets(linter);
}

/// The relation conditions of rules, by rule set and by the name of the rule, or else by their own text.
struct Betweens<'v> {
    by_rule: HashMap<(Option<&'v str>, String), &'v RelationCondition<TagId>>,
}

impl<'v> Betweens<'v> {
    fn of(view: &'v View) -> Self {
        let sets = view.rule_sets.iter().map(|set| (Some(&*set.name), &*set.book));
        let section = view.rules.as_deref().map(|book| (None, book));
        let rules = section
            .into_iter()
            .chain(sets)
            .flat_map(|(set, book)| book.rules.iter().map(move |rule| (set, rule)));
        let by_rule = rules.filter_map(|(set, rule)| {
            let between = rule.between.as_ref()?;
            let text = || between.map(&mut |tag| view.tags.name(*tag).to_owned()).to_string();
            Some(((set, Self::key(rule.name.as_deref(), text)), between))
        });
        Self { by_rule: by_rule.collect() }
    }

    fn key(name: Option<&str>, text: impl FnOnce() -> String) -> String {
        name.map_or_else(|| format!("text {}", text()), |name| format!("name {name}"))
    }

    /// The relation condition of a rule, with the place where it is written.
    fn get(
        &self,
        rule: &ast::Rule<'_>,
        set: Option<&str>,
    ) -> Option<(Span, &'v RelationCondition<TagId>)> {
        let between = rule.between.as_ref()?;
        let name = rule.name.as_ref().map(|name| &*name.value);
        let key = Self::key(name, || written_text(between));
        Some((between.span, *self.by_rule.get(&(set, key))?))
    }
}

/// The barrier with a name.
fn barrier_of<'v>(view: &'v View, name: &str) -> Option<&'v CompiledBarrier> {
    let all = &view.barriers.all;
    let at = all.binary_search_by(|it| it.barrier.name.as_str().cmp(name)).ok()?;
    all.get(at)
}

/// Reports relation conditions that never hold, and those that a user makes true alone.
fn check_relations(linter: &mut Linter<'_, '_>) {
    let view = linter.view;
    let betweens = Betweens::of(view);
    for item in linter.items {
        match item {
            Item::Rule(rule) => {
                if let Some((span, relation)) = betweens.get(rule, None) {
                    check_relation(linter, rule.span, span, relation, Wanting::Owner);
                }
            }
            Item::RuleSet(set) => {
                for rule in &set.rules {
                    if let Some((span, relation)) = betweens.get(rule, Some(&set.name.value)) {
                        check_relation(linter, rule.span, span, relation, Wanting::Owner);
                    }
                }
            }
            Item::Barrier(barrier) => {
                let Some(written) = &barrier.unless else { continue };
                let compiled = barrier_of(view, &barrier.name.value);
                if let Some(unless) = compiled.and_then(|it| it.barrier.unless.as_ref()) {
                    let place = barrier.name.span;
                    check_relation(linter, place, written.span, unless, Wanting::Owner);
                }
            }
            Item::Audience(audience) => {
                let number = view.settings.audiences.number(&audience.name.value);
                let compiled = number.and_then(|number| view.settings.audiences.get(number));
                if let Some(compiled) = compiled {
                    let (place, span) = (audience.name.span, audience.condition.span);
                    check_relation(linter, place, span, &compiled.condition, Wanting::Other);
                }
            }
            Item::Peers(peers) => {
                let modes = peers.modes.iter().map(|mode| &mode.mode);
                modes.chain(&peers.default).for_each(|mode| check_peers_audience(linter, mode));
            }
            _ => {}
        }
    }
}

/// The canonical text of an expression whose words are plain.
fn written_text(expr: &ast::Expr<'_>) -> String {
    match &expr.kind {
        ast::ExprKind::Word(word) => word.clone().into_owned(),
        ast::ExprKind::Call { name, arguments } => {
            let arguments: Vec<String> = arguments.iter().map(written_text).collect();
            format!("{}({})", name.value, arguments.join(", "))
        }
    }
}

fn check_relation(
    linter: &mut Linter<'_, '_>,
    statement: Span,
    span: Span,
    relation: &RelationCondition<TagId>,
    wanting: Wanting,
) {
    if matches!(relation, RelationCondition::Everyone | RelationCondition::Nobody) {
        return;
    }
    let holds_somewhere = linter.query(|diagrams| {
        let mut atoms = Vec::new();
        Ok(diagram(diagrams, relation, &mut atoms)? != Diagram::NEVER)
    });
    match holds_somewhere {
        Ok(true) => {}
        Ok(false) => {
            let problem = never_holds(span)
                .label("whatever is between two users, this does not hold")
                .hint("correct the condition, or remove the statement");
            linter.warn(statement, problem);
            return;
        }
        Err(BudgetExceededError) => {
            linter.report_undecided(statement, span, "whether this condition can hold");
            return;
        }
    }
    let who = match wanting {
        Wanting::Owner => "the one of the two who acts",
        Wanting::Other => "a user who wants to be in it",
    };
    check_self_opened(linter, (statement, span), relation, wanting, who);
}

/// Reports a relation condition that a user makes true alone: who it is, in words.
fn check_self_opened(
    linter: &mut Linter<'_, '_>,
    (statement, span): (Span, Span),
    relation: &RelationCondition<TagId>,
    wanting: Wanting,
    who: &str,
) {
    let alone = |atom: &RelationCondition<TagId>| is_made_alone(atom, wanting);
    let is_opened = |relation: &RelationCondition<TagId>| {
        !holds(relation, &|_| false) && holds(relation, &alone)
    };
    // Windows open and close, whatever the moment is now.
    let states = [true, false].map(|is_open| {
        let mut relation = relation.clone();
        relation.for_each_window_mut(&mut |during| during.is_open = is_open);
        relation
    });
    if !states.iter().any(is_opened) {
        return;
    }
    let problem = Diagnostic::warning(Code::SelfOpened, span, "a user can make this true alone")
        .label(format!("{who} adds the other to their own list"))
        .hint("ask for the list of the other user, for `mutual(...)`, or for `friend`");
    linter.warn(statement, problem);
}

/// Reports audiences that are peers modes by which users admit whom they like: a mode is read from the user whose
/// mode it is, for what they do themselves too.
fn check_peers_audience(linter: &mut Linter<'_, '_>, mode: &ast::Text<'_>) {
    let audiences = &linter.view.settings.audiences;
    let audience = audiences.own().iter().find(|it| it.name == mode.value);
    if let Some(audience) = audience {
        let place = (mode.span, mode.span);
        let who = "the user whose mode it is";
        check_self_opened(linter, place, &audience.condition, Wanting::Owner, who);
    }
}

/// Whether the user who wants the action can make an atom true without anybody else.
fn is_made_alone(atom: &RelationCondition<TagId>, wanting: Wanting) -> bool {
    let RelationCondition::Related(relation, direction) = atom else { return false };
    // A friendship takes the consent of the other, or their approval mode.
    let is_own_to_add = matches!(relation, Relation::Contact | Relation::Favorite | Relation::Pair);
    let is_own = match (direction, wanting) {
        (EdgeDirection::Own, Wanting::Owner) | (EdgeDirection::Inverse, Wanting::Other) => true,
        (EdgeDirection::Own, Wanting::Other)
        | (EdgeDirection::Inverse, Wanting::Owner)
        | (EdgeDirection::Mutual, _) => false,
    };
    is_own_to_add && is_own
}

/// Whether a relation condition holds where these of its atoms do.
fn holds(
    relation: &RelationCondition<TagId>,
    is: &impl Fn(&RelationCondition<TagId>) -> bool,
) -> bool {
    match relation {
        RelationCondition::Everyone => true,
        RelationCondition::Nobody => false,
        RelationCondition::During(during) => during.is_open,
        RelationCondition::Not(inner) => !holds(inner, is),
        RelationCondition::All(parts) => parts.iter().all(|part| holds(part, is)),
        RelationCondition::Any(parts) => parts.iter().any(|part| holds(part, is)),
        atom => is(atom),
    }
}

/// The diagram of a relation condition over its distinct atoms.
fn diagram<'r>(
    diagrams: &mut Diagrams,
    relation: &'r RelationCondition<TagId>,
    atoms: &mut Vec<&'r RelationCondition<TagId>>,
) -> Result<Diagram, BudgetExceededError> {
    match relation {
        RelationCondition::Everyone => Ok(Diagram::ALWAYS),
        RelationCondition::Nobody => Ok(Diagram::NEVER),
        RelationCondition::Not(inner) => {
            let inner = diagram(diagrams, inner, atoms)?;
            diagrams.not(inner)
        }
        RelationCondition::All(parts) => parts.iter().try_fold(Diagram::ALWAYS, |all, part| {
            let part = diagram(diagrams, part, atoms)?;
            diagrams.and(all, part)
        }),
        RelationCondition::Any(parts) => parts.iter().try_fold(Diagram::NEVER, |any, part| {
            let part = diagram(diagrams, part, atoms)?;
            diagrams.or(any, part)
        }),
        atom => {
            let at = atoms.iter().position(|known| *known == atom).unwrap_or_else(|| {
                atoms.push(atom);
                atoms.len() - 1
            });
            diagrams.tag(TagId(u32::try_from(at).map_err(|_| BudgetExceededError)?))
        }
    }
}

fn check_unused_audiences(linter: &mut Linter<'_, '_>) {
    let view = linter.view;
    let mut used: HashSet<String> = HashSet::new();
    for item in linter.items {
        match item {
            Item::Accepts(accepts) => {
                used.extend(accepts.default.iter().map(|name| name.value.to_string()));
                used.extend(accepts.modes.iter().map(|mode| mode.audience.value.to_string()));
            }
            Item::Audience(audience) => each_word(&audience.condition, &mut |word| {
                used.insert(word.to_owned());
            }),
            Item::Peers(peers) => {
                used.extend(peers.default.iter().map(|name| name.value.to_string()));
                used.extend(peers.modes.iter().map(|mode| mode.mode.value.to_string()));
            }
            _ => {}
        }
    }
    used.extend(view.population.own_audiences.iter().map(|it| it.name.clone()));
    for item in linter.items {
        let Item::Audience(audience) = item else { continue };
        let name = &audience.name;
        if !used.contains(&*name.value) {
            let message = format!("nobody uses the audience `{}`", name.value.escape_debug());
            let problem = Diagnostic::warning(Code::UnusedAudience, name.span, message)
                .label("defined but not used");
            linter.warn(name.span, problem);
        }
    }
}

/// Reports entries of `accepts` for actions that a switch of the policy shuts.
fn check_shut_actions(linter: &mut Linter<'_, '_>) {
    let settings = &linter.view.settings;
    let is_shut = |switch: Switch| *settings.permission(switch) == Toggle::Always(false);
    for item in linter.items {
        let Item::Accepts(accepts) = item else { continue };
        let Ok(asked) = settings.actions.resolve(&accepts.action.value) else { continue };
        let action = &accepts.action.value;
        let like = asked.action.as_str().parse::<Switch>().ok();
        let of_reaching = ActionSet::REACHING.contains(asked.action);
        let both = [Switch::Outgoing, Switch::Incoming].map(|it| of_reaching.then_some(it));
        let switches = both.into_iter().chain([like]);
        let shut = switches.flatten().find(|&switch| is_shut(switch));
        let declared = asked.own.and_then(|own| settings.actions.get(own));
        let own = declared.filter(|it| it.switch == Toggle::Always(false));
        let shut = shut.map(Switch::as_str).or(own.map(|it| &*it.name));
        let Some(switch) = shut else { continue };
        let message = format!("`permissions.{switch}` shuts `{action}`, whatever users accept");
        let problem = Diagnostic::warning(Code::ShutAction, accepts.action.span, message)
            .label("this is of use only to users whose records turn the switch on");
        linter.warn(accepts.action.span, problem);
    }
}

fn check_barrier_sides(linter: &mut Linter<'_, '_>) {
    let view = linter.view;
    for item in linter.items {
        let Item::Barrier(barrier) = item else { continue };
        let compiled = barrier_of(view, &barrier.name.value);
        let Some(CompiledBarrier { barrier: stated, .. }) = compiled else { continue };
        let sides = [&stated.from, &stated.to].map(|side| users_meeting_sometimes(view, side));
        let [from, to] = &sides;
        let place = barrier.name.span;
        for (side, expr) in [(from, &barrier.from), (to, &barrier.to)] {
            if side.is_empty() {
                let problem = Diagnostic::warning(
                    Code::BarrierSides,
                    expr.span,
                    "the barrier keeps nobody apart today",
                )
                .label("no user is on this side");
                linter.warn(place, problem);
            }
        }
        let both = UserSet::intersection([from, to]);
        let is_timed = stated.from.names_windows() || stated.to.names_windows();
        if !both.is_empty() && !is_timed {
            let ids = both.iter().take(5).map(|user| view.population.directory.id(user));
            let ids: Vec<String> = ids.map(|id| format!("`{}`", id.escape_debug())).collect();
            let more = if both.len() > 5 { ", ..." } else { "" };
            let message = match both.len() {
                1 => "1 user is on both sides of the barrier".to_owned(),
                count => format!("{count} users are on both sides of the barrier"),
            };
            let problem = Diagnostic::warning(Code::BarrierSides, place, message)
                .label(if barrier.unless.is_some() {
                    "it stands between them and everybody on either side, unless it is lifted"
                } else {
                    "they are kept from everybody on either side, and from each other"
                })
                .hint(format!("{}{more}", ids.join(", ")));
            linter.warn(place, problem);
        }
    }
}

/// Reports rule sets of which no rule opens anything among the existing users.
fn check_closed_sets(linter: &mut Linter<'_, '_>) {
    let view = linter.view;
    for item in linter.items {
        let Item::RuleSet(set) = item else { continue };
        let Some(book) = view.rules_of(Some(&set.name.value)) else { continue };
        // A set that opens at some time is not closed.
        if book.rules.iter().any(|rule| rule.names_windows()) {
            continue;
        }
        let lists = view.tags.iter().any(|(tag, _)| {
            let (members, reachers) = (view.population.members(tag), book.reachers(tag));
            members.is_some_and(|it| !it.is_empty()) && reachers.is_some_and(|it| !it.is_empty())
        });
        let targets = book.targets.all.iter().any(|target| {
            let has_others = view.population.directory.numbers().any(|user| {
                let tags = view.population.directory.tags(user);
                target.outcome.holds(&|tag| tags.contains(*tag))
            });
            !target.reachers.is_empty() && has_others
        });
        if !lists && !targets {
            let message = format!("the rule set `{}` opens nothing", set.name.value.escape_debug());
            let problem = Diagnostic::warning(Code::ClosedSet, set.name.span, message)
                .label("so the actions that it concerns are closed to everybody");
            linter.warn(set.name.span, problem);
        }
    }
}
