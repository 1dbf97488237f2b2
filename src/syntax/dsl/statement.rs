//! Rules, rule sets, barriers, audiences and windows, put together from what the grammar read.

use crate::{
    diagnostic::{Code, Diagnostic},
    syntax::{
        ast::{
            Accepts, AudienceMode, Barrier, BarrierDirection, Expr, ExprKind, Item, Outcome, Rule,
            RuleSet, Spanned, Text, Window,
        },
        dsl::{
            context::{AUDIENCE_MODE, Context},
            message::display_text,
            record::{Field, Given},
            sections::{ListField, ValueField},
        },
        idioms,
    },
};

/// A barrier without its fields.
#[derive(Debug)]
pub(super) struct BarrierHead<'s> {
    pub(super) name: Text<'s>,
    pub(super) direction: BarrierDirection,
    pub(super) from: Expr<'s>,
    pub(super) to: Expr<'s>,
    pub(super) description: Option<Text<'s>>,
}

impl Context<'_> {
    /// A rule up to its outcome; `keyword` is the place of its keyword.
    pub(super) fn rule_start<'s>(
        &self,
        description: Option<Text<'s>>,
        keyword: (usize, usize),
        (name, rule_id): (Option<Text<'s>>, Option<Text<'s>>),
        condition: Expr<'s>,
    ) -> Box<Rule<'s>> {
        let (from, to) = keyword;
        let span = name.as_ref().map_or_else(|| self.span(from, to), |name| name.span);
        let (outcome, between) = (None, None);
        Box::new(Rule { span, name, rule_id, condition, outcome, between, description })
    }

    /// The rule with this outcome; `None` if the outcome is a word that is no condition.
    pub(super) fn rule<'s>(
        &self,
        mut rule: Box<Rule<'s>>,
        outcome: Option<Outcome<'s>>,
        between: Option<Expr<'s>>,
    ) -> Option<Box<Rule<'s>>> {
        if let Some(Outcome::Condition(Expr { span, kind: ExprKind::Word(word) })) = &outcome
            && let Some(hint) = idioms::outcome_hint(word, "->")
        {
            let found = display_text(word);
            let message = format!("expected a list of tags or a condition, found `{found}`");
            self.report(Diagnostic::error(Code::Syntax, *span, message).hint(hint));
            self.lose_entry();
            return None;
        }
        rule.outcome = outcome;
        rule.between = between;
        Some(rule)
    }

    pub(super) fn begin_rule_set<'s>(&self, name: Text<'s>) -> RuleSet<'s> {
        self.given.borrow_mut().clear();
        let rules = self.begin_entries();
        let (asked, actions, description) = (None, None, None);
        RuleSet { name, asked, actions, rules, description, is_whole: true }
    }

    pub(super) fn rule_set_field<'s>(&self, set: &mut RuleSet<'s>, given: Given<'s>) {
        let Some(Spanned { value, span }) = given else { return };
        if !self.is_first(value.keyword(), span) {
            return;
        }
        match value {
            Field::Value(ValueField::Asked, asked) => set.asked = Some(asked),
            Field::List(ListField::Actions, actions) => set.actions = Some(actions),
            _ => {}
        }
    }

    /// The rule set at its end.
    pub(super) fn rule_set<'s>(
        &self,
        mut set: Box<RuleSet<'s>>,
        description: Option<Text<'s>>,
    ) -> Item<'s> {
        set.description = description;
        set.is_whole = self.is_whole();
        Item::RuleSet(set)
    }

    pub(super) fn barrier<'s>(
        &self,
        head: Box<BarrierHead<'s>>,
        fields: Vec<Given<'s>>,
    ) -> Item<'s> {
        let BarrierHead { name, direction, from, to, description } = *head;
        let (actions, unless, groups) = (None, None, None);
        let mut barrier =
            Barrier { name, direction, from, to, actions, unless, groups, description };
        self.given.borrow_mut().clear();
        for Spanned { value, span } in fields.into_iter().flatten() {
            if !self.is_first(value.keyword(), span) {
                continue;
            }
            match value {
                Field::List(ListField::Actions, actions) => barrier.actions = Some(actions),
                Field::Unless(unless) => barrier.unless = Some(*unless),
                Field::Value(ValueField::Groups, groups) => barrier.groups = Some(groups),
                _ => {}
            }
        }
        Item::Barrier(Box::new(barrier))
    }

    /// A window with these fields.
    pub(super) fn window<'s>(&self, name: Text<'s>, fields: Vec<Given<'s>>) -> Item<'s> {
        let is_whole = fields.iter().all(Option::is_some);
        let (days, from, to, zone, except) = (None, None, None, None, None);
        let mut window = Window { name, days, from, to, zone, except, is_whole };
        self.given.borrow_mut().clear();
        for Spanned { value, span } in fields.into_iter().flatten() {
            if !self.is_first(value.keyword(), span) {
                continue;
            }
            match value {
                Field::List(ListField::Days, days) => window.days = Some(days),
                Field::List(ListField::Except, dates) => window.except = Some(dates),
                Field::Value(ValueField::Opens, time) => window.from = Some(time),
                Field::Value(ValueField::Closes, time) => window.to = Some(time),
                Field::Value(ValueField::Zone, zone) => window.zone = Some(zone),
                _ => {}
            }
        }
        Item::Window(Box::new(window))
    }

    pub(super) fn begin_accepts<'s>(&self, action: Text<'s>) -> Accepts<'s> {
        self.given.borrow_mut().clear();
        let modes = self.begin_entries();
        let (default, asked, otherwise) = (None, None, None);
        Accepts { action, modes, default, asked, otherwise, is_whole: true }
    }

    pub(super) fn accepts_field<'s>(&self, accepts: &mut Accepts<'s>, given: Given<'s>) {
        let Some(Spanned { value, span }) = given else { return };
        let value = match value {
            Field::AudienceMode(mode) => return accepts.modes.push(*mode),
            value => value,
        };
        if !self.is_first(value.keyword(), span) {
            return;
        }
        match value {
            Field::Default(audience) => accepts.default = Some(audience),
            Field::Value(ValueField::Asked, asked) => accepts.asked = Some(asked),
            Field::Value(ValueField::Otherwise, otherwise) => accepts.otherwise = Some(otherwise),
            _ => {}
        }
    }

    /// The audience of those who meet a condition; all that may stand behind it is `locked`.
    pub(super) fn audience_mode<'s>(
        &self,
        when: Expr<'s>,
        audience: Text<'s>,
        locked: Option<Text<'s>>,
    ) -> Field<'s> {
        let locked = locked.filter(|word| self.expect_word("locked", word, AUDIENCE_MODE));
        let locked = locked.map(|word| Spanned::new("true".into(), word.span));
        Field::AudienceMode(Box::new(AudienceMode { when, audience, locked }))
    }
}
