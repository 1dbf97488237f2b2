//! Conditions as reduced ordered binary decision diagrams, in which equivalent conditions are one node.
//!
//! Why our own: proofs take one operation (if-then-else), one variable order (that in which tags first
//! occur), and above all a bound on the work that yields an answer of its own. The crates that do this
//! well bring their own threads, allocators and error paths, each many times the size of this file, and
//! abort or grow where a proof has to be given up as undecided.
//!
//! Invariant: an answer is right or is [`BudgetExceededError`]; the work is bounded by [`Budget`].

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;

use crate::{
    request::{Condition, Toggle},
    snapshot::TagId,
};

/// The work budget is exhausted before the answer is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BudgetExceededError;

/// A work budget in steps; a step is one visit of a pair of nodes and takes about 100 ns.
#[derive(Clone, Debug)]
pub struct Budget {
    /// The steps for one question.
    pub per_question: u64,
    /// The steps left for all questions together.
    pub total: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { per_question: 400_000, total: 12_000_000 }
    }
}

impl Budget {
    /// Answers a question, and subtracts its cost. Once nothing is left, questions fail at once.
    ///
    /// # Errors
    /// Fails if the answer takes more steps than are left, or than one question may take.
    pub fn run<T>(
        &mut self,
        diagrams: &mut Diagrams,
        question: impl FnOnce(&mut Diagrams) -> Result<T, BudgetExceededError>,
    ) -> Result<T, BudgetExceededError> {
        let granted = self.per_question.min(self.total);
        diagrams.remaining_steps = granted;
        let answer = question(diagrams);
        self.total -= granted - diagrams.remaining_steps;
        answer
    }
}

/// A condition as a node of the [`Diagrams`] that it was built in. Two are equal if and only if their
/// conditions are equivalent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Diagram(u32);

impl Diagram {
    /// The condition that never holds.
    pub const NEVER: Self = Self(0);
    /// The condition that always holds.
    pub const ALWAYS: Self = Self(1);
}

/// A decision by one tag between two diagrams.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Node {
    /// The position of the tag in the order.
    tag: u32,
    without: Diagram,
    with: Diagram,
}

/// A store of diagrams over the same tags, each distinct one once.
#[derive(Default, Debug)]
pub struct Diagrams {
    /// The first two stand for [`Diagram::NEVER`] and [`Diagram::ALWAYS`].
    nodes: Vec<Node>,
    unique: HashMap<Node, Diagram, RandomState>,
    memo: HashMap<[Diagram; 3], Diagram, RandomState>,
    /// The tags in the order in which they first occurred.
    tags: Vec<TagId>,
    tag_order: HashMap<TagId, u32, RandomState>,
    /// The windows that occurred, which are variables as tags are.
    windows: Vec<Arc<str>>,
    remaining_steps: u64,
}

/// The number of tags on one path, at most: it keeps recursion within any thread's stack.
const MAX_DEPTH: u32 = 1_000;

/// The variable of the first window; those of tags are below it.
const FIRST_WINDOW: u32 = u32::MAX - 0x000f_ffff;

/// The position of leaves, below any tag.
const LEAF: u32 = u32::MAX;

impl Diagrams {
    /// Drops all diagrams, and keeps a moderate amount of memory for the next ones.
    pub fn clear(&mut self) {
        const WORTH_KEEPING: usize = 1_024;
        if self.memo.capacity().max(self.unique.capacity()) > WORTH_KEEPING {
            *self = Self::default();
            return;
        }
        self.nodes.clear();
        self.unique.clear();
        self.memo.clear();
        self.tags.clear();
        self.tag_order.clear();
        self.windows.clear();
    }

    /// The diagram of a condition.
    ///
    /// # Errors
    /// Fails if that takes more steps than are left.
    pub fn condition(
        &mut self,
        condition: &Condition<TagId>,
    ) -> Result<Diagram, BudgetExceededError> {
        let mut known = Ok(());
        condition.for_each_tag(&mut |tag| known = known.and(self.order_of_tag(*tag).map(drop)));
        known?;
        self.build_signed(condition, true)
    }

    /// The diagram of a condition, or of its negation.
    ///
    /// Parts are joined from the last to the first, as joining a part whose tags precede all others
    /// takes one step. `not` is pushed down to the tags, as negating a diagram takes a step for each node.
    fn build_signed(
        &mut self,
        condition: &Condition<TagId>,
        is: bool,
    ) -> Result<Diagram, BudgetExceededError> {
        let mut parts = match condition {
            Condition::Everyone if is => return Ok(Diagram::ALWAYS),
            Condition::Nobody if !is => return Ok(Diagram::ALWAYS),
            Condition::Everyone | Condition::Nobody => return Ok(Diagram::NEVER),
            Condition::HasTag(tag) => {
                let tag = self.tag(*tag)?;
                return if is { Ok(tag) } else { self.not(tag) };
            }
            Condition::During(during) => {
                let window = self.window(&during.window)?;
                return if is { Ok(window) } else { self.not(window) };
            }
            Condition::Not(inner) => return self.build_signed(inner, !is),
            Condition::All(parts) | Condition::Any(parts) => parts.iter().rev(),
        };
        let is_all = matches!(condition, Condition::All(_)) == is;
        let start = if is_all { Diagram::ALWAYS } else { Diagram::NEVER };
        parts.try_fold(start, |joined, part| {
            let part = self.build_signed(part, is)?;
            if is_all { self.and(part, joined) } else { self.or(part, joined) }
        })
    }

    /// The diagram of a switch.
    ///
    /// # Errors
    /// As [`Diagrams::condition`].
    pub fn toggle(&mut self, toggle: &Toggle<TagId>) -> Result<Diagram, BudgetExceededError> {
        match toggle {
            Toggle::Always(true) => Ok(Diagram::ALWAYS),
            Toggle::Always(false) => Ok(Diagram::NEVER),
            Toggle::When(condition) => self.condition(condition),
        }
    }

    /// The diagram of the users with a tag.
    ///
    /// # Errors
    /// As [`Diagrams::condition`].
    pub fn tag(&mut self, tag: TagId) -> Result<Diagram, BudgetExceededError> {
        let tag = self.order_of_tag(tag)?;
        self.intern(Node { tag, without: Diagram::NEVER, with: Diagram::ALWAYS })
    }

    /// The diagram of the moments at which a window is open: it may be open or closed, whatever its state at the
    /// moment of a view.
    ///
    /// # Errors
    /// As [`Diagrams::condition`].
    pub fn window(&mut self, name: &Arc<str>) -> Result<Diagram, BudgetExceededError> {
        let at = self.windows.iter().position(|known| known == name).unwrap_or_else(|| {
            self.windows.push(Arc::clone(name));
            self.windows.len() - 1
        });
        let at = u32::try_from(at).ok().and_then(|at| FIRST_WINDOW.checked_add(at));
        self.tag(TagId(at.ok_or(BudgetExceededError)?))
    }

    /// Whether a variable is a window and no tag.
    pub fn is_window(tag: TagId) -> bool {
        tag.0 >= FIRST_WINDOW
    }

    /// The windows that the [example](Self::example) of a diagram depends on, with whether each is open. Costs one
    /// path from the root to a leaf.
    pub fn example_windows(&self, diagram: Diagram) -> Vec<(Arc<str>, bool)> {
        let mut states = Vec::new();
        self.follow(diagram, |node| node.without == Diagram::NEVER, &mut |tag, is_taken| {
            let at = tag.0.checked_sub(FIRST_WINDOW).and_then(|at| usize::try_from(at).ok());
            let name = at.and_then(|at| self.windows.get(at));
            states.extend(name.map(|name| (Arc::clone(name), is_taken)));
        });
        states
    }

    /// The position of a tag in the order: after all others, if it is new.
    fn order_of_tag(&mut self, tag: TagId) -> Result<u32, BudgetExceededError> {
        let next = u32::try_from(self.tags.len()).map_err(|_| BudgetExceededError)?;
        let place = *self.tag_order.entry(tag).or_insert(next);
        if place == next {
            self.tags.push(tag);
        }
        Ok(place)
    }

    /// The diagram of both conditions together.
    ///
    /// # Errors
    /// As [`Diagrams::condition`].
    pub fn and(&mut self, one: Diagram, other: Diagram) -> Result<Diagram, BudgetExceededError> {
        self.if_then_else([one, other, Diagram::NEVER], 0)
    }

    /// The diagram of either condition.
    ///
    /// # Errors
    /// As [`Diagrams::condition`].
    pub fn or(&mut self, one: Diagram, other: Diagram) -> Result<Diagram, BudgetExceededError> {
        self.if_then_else([one, Diagram::ALWAYS, other], 0)
    }

    /// The diagram of the negated condition.
    ///
    /// # Errors
    /// As [`Diagrams::condition`].
    pub fn not(&mut self, one: Diagram) -> Result<Diagram, BudgetExceededError> {
        self.if_then_else([one, Diagram::NEVER, Diagram::ALWAYS], 0)
    }

    /// The diagram of the users who meet the first condition and not the second.
    ///
    /// # Errors
    /// As [`Diagrams::condition`].
    pub fn difference(
        &mut self,
        one: Diagram,
        other: Diagram,
    ) -> Result<Diagram, BudgetExceededError> {
        self.if_then_else([other, Diagram::NEVER, one], 0)
    }

    /// A tag set that meets the condition, taking a tag only where the path requires it; `None` if there
    /// is none. Costs one path from the root to a leaf.
    pub fn example(&self, diagram: Diagram) -> Option<Vec<TagId>> {
        self.walk(diagram, |node| node.without == Diagram::NEVER)
    }

    /// A tag set that meets the condition, taking each tag of the path that it can; `None` if there is
    /// none. Costs one path from the root to a leaf.
    pub fn large_example(&self, diagram: Diagram) -> Option<Vec<TagId>> {
        self.walk(diagram, |node| node.with != Diagram::NEVER)
    }

    /// The tags that are taken on a path to [`Diagram::ALWAYS`].
    fn walk(&self, diagram: Diagram, takes: impl Fn(&Node) -> bool) -> Option<Vec<TagId>> {
        let mut tags = Vec::new();
        let is_met = self.follow(diagram, takes, &mut |tag, is_taken| {
            tags.extend(Some(tag).filter(|&tag| is_taken && !Self::is_window(tag)));
        });
        is_met.then_some(tags)
    }

    /// Follows a path to [`Diagram::ALWAYS`], and visits each variable on it with whether it is taken. Whether there
    /// is such a path: every node but one leads there.
    fn follow(
        &self,
        diagram: Diagram,
        takes: impl Fn(&Node) -> bool,
        visit: &mut dyn FnMut(TagId, bool),
    ) -> bool {
        let mut at = diagram;
        while at != Diagram::ALWAYS {
            let node = self.nodes.get(at.0 as usize).filter(|_| at != Diagram::NEVER);
            let Some(node) = node else { return false };
            let is_taken = takes(node);
            if let Some(&tag) = self.tags.get(node.tag as usize) {
                visit(tag, is_taken);
            }
            at = if is_taken { node.with } else { node.without };
        }
        true
    }

    /// The tag sets of all paths that meet the condition: every tag set that meets it includes one of them.
    ///
    /// # Errors
    /// Fails if there are more than `most`.
    pub fn paths(
        &self,
        diagram: Diagram,
        most: usize,
    ) -> Result<Vec<Vec<TagId>>, BudgetExceededError> {
        let mut found = Vec::new();
        let mut waiting = vec![(diagram, Vec::new())];
        let mut steps = 0;
        while let Some((at, tags)) = waiting.pop() {
            steps += 1;
            if steps > most * 64 || found.len() > most {
                return Err(BudgetExceededError);
            }
            match at {
                Diagram::NEVER => {}
                Diagram::ALWAYS => found.push(tags),
                Diagram(number) => {
                    let Some(node) = self.nodes.get(number as usize) else { continue };
                    let mut with: Vec<TagId> = tags.clone();
                    with.extend(self.tags.get(node.tag as usize));
                    waiting.push((node.with, with));
                    waiting.push((node.without, tags));
                }
            }
        }
        Ok(found)
    }

    /// The diagram of what holds for some choice of certain tags.
    ///
    /// # Errors
    /// As [`Diagrams::condition`].
    pub fn exists(
        &mut self,
        diagram: Diagram,
        is_chosen: &impl Fn(TagId) -> bool,
    ) -> Result<Diagram, BudgetExceededError> {
        let mut known = HashMap::default();
        self.project(diagram, is_chosen, &mut known, 0)
    }

    fn project(
        &mut self,
        diagram: Diagram,
        is_chosen: &impl Fn(TagId) -> bool,
        known: &mut HashMap<Diagram, Diagram, RandomState>,
        depth: u32,
    ) -> Result<Diagram, BudgetExceededError> {
        let Some(&Node { tag, without, with }) = self.inner_node(diagram) else {
            return Ok(diagram);
        };
        if let Some(&projected) = known.get(&diagram) {
            return Ok(projected);
        }
        if depth > MAX_DEPTH {
            return Err(BudgetExceededError);
        }
        let without = self.project(without, is_chosen, known, depth + 1)?;
        let with = self.project(with, is_chosen, known, depth + 1)?;
        let is_chosen_here = self.tags.get(tag as usize).is_some_and(|&tag| is_chosen(tag));
        let projected = if is_chosen_here {
            self.or(without, with)?
        } else {
            self.intern(Node { tag, without, with })?
        };
        known.insert(diagram, projected);
        Ok(projected)
    }

    /// The diagram of if-then-else: the second part where the first holds, and else the third.
    fn if_then_else(
        &mut self,
        parts: [Diagram; 3],
        depth: u32,
    ) -> Result<Diagram, BudgetExceededError> {
        let [when, then, or] = parts;
        match (when, then, or) {
            (Diagram::ALWAYS, _, _) => return Ok(then),
            (Diagram::NEVER, _, _) => return Ok(or),
            (_, Diagram::ALWAYS, Diagram::NEVER) => return Ok(when),
            _ if then == or => return Ok(then),
            _ => {}
        }
        if let Some(&known) = self.memo.get(&parts) {
            return Ok(known);
        }
        self.remaining_steps = self.remaining_steps.checked_sub(1).ok_or(BudgetExceededError)?;
        if depth > MAX_DEPTH {
            return Err(BudgetExceededError);
        }
        let tag = parts.iter().map(|&part| self.top_tag(part)).min().unwrap_or(LEAF);
        let without =
            self.if_then_else(parts.map(|part| self.cofactor(part, tag, false)), depth + 1)?;
        let with =
            self.if_then_else(parts.map(|part| self.cofactor(part, tag, true)), depth + 1)?;
        let chosen = self.intern(Node { tag, without, with })?;
        self.memo.insert(parts, chosen);
        Ok(chosen)
    }

    /// The position of a diagram's first tag.
    fn top_tag(&self, diagram: Diagram) -> u32 {
        self.inner_node(diagram).map_or(LEAF, |node| node.tag)
    }

    /// The diagram that remains once a tag is known to be present or absent; no tag of the diagram
    /// precedes it.
    fn cofactor(&self, diagram: Diagram, tag: u32, is_present: bool) -> Diagram {
        match self.inner_node(diagram) {
            Some(node) if node.tag == tag => {
                if is_present {
                    node.with
                } else {
                    node.without
                }
            }
            _ => diagram,
        }
    }

    /// The node of a diagram that is no leaf.
    fn inner_node(&self, diagram: Diagram) -> Option<&Node> {
        self.nodes.get(diagram.0 as usize).filter(|node| node.tag != LEAF)
    }

    /// The diagram of a node: the existing one, or a new one.
    fn intern(&mut self, node: Node) -> Result<Diagram, BudgetExceededError> {
        if node.without == node.with {
            return Ok(node.with);
        }
        if self.nodes.is_empty() {
            let leaf = |leaf| Node { tag: LEAF, without: leaf, with: leaf };
            self.nodes.extend([leaf(Diagram::NEVER), leaf(Diagram::ALWAYS)]);
        }
        if let Some(&known) = self.unique.get(&node) {
            return Ok(known);
        }
        let number = u32::try_from(self.nodes.len()).map_err(|_| BudgetExceededError)?;
        self.remaining_steps = self.remaining_steps.checked_sub(1).ok_or(BudgetExceededError)?;
        self.nodes.push(node);
        self.unique.insert(node, Diagram(number));
        Ok(Diagram(number))
    }
}
