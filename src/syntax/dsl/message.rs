//! Messages for tokens that the grammar did not expect.

use std::convert::Infallible;

use lalrpop_util::{ErrorRecovery, ParseError};

use crate::{
    diagnostic::{Code, Diagnostic},
    syntax::{
        ast::{Text, WordSection},
        dsl::{
            context::{AUDIENCE_MODE, Context, INVARIANTS, Within},
            sections::{ListField, ValueField},
            token::{End, Token},
        },
        idioms,
    },
};

pub(super) type Recovery<'s> = ErrorRecovery<usize, Token<'s>, Infallible>;
pub(super) type GrammarError<'s> = ParseError<usize, Token<'s>, Infallible>;

impl Context<'_> {
    fn unexpected(&self, within: Within, error: &GrammarError<'_>) {
        let found = unexpected_token(self, error);
        if !self.is_mended(found.start) {
            self.report(unexpected(self, within, error, &found));
        }
    }

    /// A statement or field that is given up.
    pub(super) fn broken<T>(&self, within: Within, recovery: &Recovery<'_>) -> Option<T> {
        self.unexpected(within, &recovery.error);
        self.lose_entry();
        None
    }

    /// A condition alone that can't be read.
    pub(super) fn failed(&self, error: &GrammarError<'_>) {
        self.unexpected(Within::Condition, error);
    }

    /// Whether the required word is at its place; reports it if not.
    pub(super) fn expect_word(&self, word: &str, found: &Text<'_>, hint: &str) -> bool {
        let is_there = found.value == word;
        if !is_there {
            let message = format!("expected `{word}`, found `{}`", display_text(&found.value));
            self.report(Diagnostic::error(Code::Syntax, found.span, message).hint(hint));
        }
        is_there
    }
}

/// The unexpected token and its span.
struct UnexpectedToken {
    start: usize,
    end: usize,
    what: String,
}

fn unexpected_token(cx: &Context<'_>, error: &GrammarError<'_>) -> UnexpectedToken {
    match error {
        GrammarError::UnrecognizedToken { token: (start, token, end), .. }
        | GrammarError::ExtraToken { token: (start, token, end) } => {
            let what = match token {
                Token::Semicolon(End::NextBegins) => "the next statement".to_owned(),
                Token::Semicolon(End::BlockEnds) => "the end of the block".to_owned(),
                Token::Semicolon(End::FileEnds) => "the end of the file".to_owned(),
                Token::Semicolon(End::GivenUp) => "something else".to_owned(),
                Token::String(_) => "a string".to_owned(),
                _ => format!("`{}`", display_text(cx.text.get(*start..*end).unwrap_or_default())),
            };
            UnexpectedToken { start: *start, end: *end, what }
        }
        GrammarError::UnrecognizedEof { location, .. }
        | GrammarError::InvalidToken { location } => UnexpectedToken {
            start: *location,
            end: *location,
            what: "the end of the condition".to_owned(),
        },
        GrammarError::User { error } => match *error {},
    }
}

fn unexpected(
    cx: &Context<'_>,
    within: Within,
    error: &GrammarError<'_>,
    found: &UnexpectedToken,
) -> Diagnostic {
    let UnexpectedToken { start, end, what } = found;
    let (token, expected) = parts(error);
    let lists = |name: &str| expected.iter().any(|terminal| terminal == name);
    // What may be said of an element, after it, is not what is most likely missing there.
    let is_after_element =
        matches!(within, Within::List(_) | Within::Value(_)) && (lists("\",\"") || lists("\";\""));
    let has = |name: &str| {
        lists(name) && !(is_after_element && ["word", "string", "\"rule_id\""].contains(&name))
    };
    let ends = matches!(token, Some(Token::Semicolon(_)) | None);
    let report = |code, message: String| Diagnostic::error(code, cx.span(*start, *end), message);

    if within == Within::Rule && ends && (has("\"->\"") || !has("\",\"") && has("\"[\"")) {
        return report(Code::MissingField, "the rule has no outcome".to_owned())
            .label("expected `->` and the tags that may be reached")
            .hint("write `-> [A, B]` after the condition");
    }
    let before = cx.text.get(..*start).unwrap_or_default().trim_end();
    if within == Within::Rule && before.ends_with("between") && has("word") && !has("\":\"") {
        let message = format!("expected a condition after `between`, found {what}");
        return report(Code::Syntax, message)
            .hint("write what is between the two users: `contact`, `sharesTag(team-*)`");
    }
    let after_colon = within == Within::Rule && has("\"rule_id\"") && !has("\":\"");
    if after_colon && !has("\")\"") && !has("\"]\"") && (ends || token == Some(&Token::Arrow)) {
        return report(Code::MissingField, "the rule has no condition".to_owned())
            .label("expected a condition before this")
            .hint("write a condition such as `hasTag(A)` or `any(hasTag(A), hasTag(B))`");
    }
    let wanted = expected_names(within, &has);
    let message = if wanted.is_empty() {
        format!("unexpected {what} after the condition")
    } else {
        format!("expected {wanted}, found {what}")
    };
    let diagnostic = report(Code::Syntax, message);
    let hint = name_with_blanks(within, &has, token, cx, *start)
        .or_else(|| hint(within, &has, token, (before, what)).map(str::to_owned));
    let hint = hint.or_else(|| needs_quotes(&has, cx.text, *start));
    match hint.or_else(|| hint_on_kind(within, &has, token, what)) {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

fn parts<'e, 's>(error: &'e GrammarError<'s>) -> (Option<&'e Token<'s>>, &'e [String]) {
    match error {
        GrammarError::UnrecognizedToken { token: (_, token, _), expected } => {
            (Some(token), expected)
        }
        GrammarError::UnrecognizedEof { expected, .. } => (None, expected),
        GrammarError::ExtraToken { token: (_, token, _) } => (Some(token), &[]),
        GrammarError::InvalidToken { .. } => (None, &[]),
        GrammarError::User { error } => match *error {},
    }
}

/// As the parser names them, and as people do.
const PUNCTUATION: [(&str, &str); 10] = [
    ("\":\"", "`:`"),
    ("\"(\"", "`(`"),
    ("\",\"", "`,`"),
    ("\")\"", "`)`"),
    ("\"]\"", "`]`"),
    ("\"{\"", "`{`"),
    ("\"}\"", "`}`"),
    ("\"->\"", "`->`"),
    ("\"<->\"", "`<->`"),
    ("\";\"", "`;`"),
];

/// The expected tokens in words of the language. The parser knows only kinds of tokens; what a name
/// would be the name of follows from what else could stand there.
fn expected_names(within: Within, has: &impl Fn(&str) -> bool) -> String {
    let mut wanted: Vec<&str> = Vec::new();
    if has("word") {
        wanted.push(expected_name(within, has));
    } else if has("\"[\"") {
        wanted.push(match within {
            Within::List(ListField::Actions) => "a list of actions, such as `[start_chat]`",
            Within::List(ListField::Days) => "a list of days, such as `[mon, tue]`",
            Within::List(ListField::Except) => "a list of dates, such as `[2026-12-24]`",
            Within::List(field) if field != ListField::Tags => {
                "a list of users, such as `[alice, bob]`"
            }
            _ => "a list of tags, such as `[A, B]`",
        });
    }
    if within == Within::Fields && has("\"}\"") {
        wanted.push("a field");
    }
    if matches!(within, Within::Mode | Within::AudienceMode) && has("\"default\"") {
        wanted.push("`default`");
    }
    // With a name before it, `rule_id` may stand in place of the `:`, but seldom does.
    if has("\"rule_id\"") && !has("word") && !has("\":\"") {
        wanted.push("`rule_id`");
    }
    wanted.extend(PUNCTUATION.iter().filter(|(name, _)| has(name)).map(|&(_, shown)| shown));
    match wanted.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

/// The kind of thing that an expected name would name.
fn expected_name(within: Within, has: &impl Fn(&str) -> bool) -> &'static str {
    let in_call = has("\")\"");
    let at_start = has("\"}\"");
    match within {
        Within::Condition | Within::Unless | Within::Requires => "a condition",
        Within::Tags | Within::Rules | Within::List(ListField::Tags) => "a tag",
        Within::List(ListField::Actions) | Within::Accepts | Within::Action => "an action",
        Within::List(ListField::Days) => "a day, such as `mon`",
        Within::List(ListField::Except) => "a date, such as `2026-12-24`",
        Within::List(_) | Within::Conversation | Within::Value(ValueField::Creator) => {
            "a user's id"
        }
        Within::Rule if has("\"]\"") => "a tag",
        Within::Rule if has("\"[\"") => "a list of tags, such as `[A, B]`, a condition",
        Within::AudienceMode => match (in_call || at_start, has("\";\"")) {
            (true, _) => "a condition",
            (false, true) => "`locked`",
            (false, false) => "an audience, such as `contacts`",
        },
        Within::Rule
        | Within::Entry
        | Within::Permission
        | Within::Mode
        | Within::Barrier
        | Within::Audience
            if in_call =>
        {
            "a condition"
        }
        Within::RuleSet => "the rule set's name",
        Within::Value(ValueField::Asked) => "`always` or `new`",
        Within::Value(ValueField::Otherwise) => "`deny` or `request`",
        Within::Value(ValueField::Groups) => "`true` or `false`",
        Within::Value(ValueField::Opens | ValueField::Closes) => {
            "a time of day, such as `\"08:00\"`"
        }
        Within::Value(ValueField::Zone) => "a time zone, such as `\"Europe/Berlin\"`",
        Within::Window => "the window's name",
        Within::Rule if has("\":\"") => "the rule's name",
        Within::Rule if has("\"rule_id\"") => "a condition, such as `hasTag(A)`",
        Within::Rule => "a UUID",
        Within::Word(WordSection::Preset) => "the name of a preset",
        Within::Word(WordSection::UnknownUsers) => "`deny` or `allow_defaults`",
        Within::Entry if at_start => "a key",
        Within::Permission if at_start => "a permission",
        Within::Entry | Within::Permission => "a value",
        Within::Mode if at_start => "a condition",
        Within::Mode | Within::Value(ValueField::Peers) => "a mode, such as `contacts`",
        Within::Value(ValueField::Moderation) => "`none`, `silenced` or `banned`",
        Within::Value(ValueField::Approval) => "`allow_any`, `need_confirm` or `deny_any`",
        Within::Invariant if in_call || has("\"(\"") => "a condition",
        Within::Invariant if has("\"->\"") => "`scope` or `conversation`",
        Within::Invariant | Within::Barrier | Within::Audience => "a name or a condition",
        Within::Matrix | Within::Value(ValueField::Matrix) => "the matrix's name",
        Within::User => "the user's id",
        Within::Group => "the group's id",
        Within::Section | Within::Fields | Within::Permissions | Within::OwnAccepts => "a name",
    }
}

/// The hint where a name goes on behind its first word: it needs quotes.
fn name_with_blanks(
    within: Within,
    has: &impl Fn(&str) -> bool,
    token: Option<&Token<'_>>,
    cx: &Context<'_>,
    at: usize,
) -> Option<String> {
    let (end, mark) = match within {
        Within::Rule | Within::Invariant | Within::Barrier | Within::Audience | Within::Action => {
            ("\":\"", ':')
        }
        Within::User
        | Within::Group
        | Within::Matrix
        | Within::RuleSet
        | Within::Accepts
        | Within::Window => ("\"{\"", '{'),
        _ => return None,
    };
    if !has(end) || !matches!(token, Some(Token::Word(_) | Token::Keyword(_) | Token::RuleId)) {
        return None;
    }
    let line = cx.text.get(..at)?.rfind('\n').map_or(0, |at| at + 1);
    let line = cx.text.get(line..)?.lines().next()?;
    let end = line
        .find([':', '{', '"', ';', '(', '['])
        .filter(|&at| line.get(at..).is_some_and(|rest| rest.starts_with(mark)))?;
    let (keyword, name) = line.get(..end)?.trim().split_once(char::is_whitespace)?;
    let name = name.trim_start();
    name.contains(char::is_whitespace).then(|| {
        format!("put a name with blanks in quotes: `{keyword} \"{}\"`", display_text(name))
    })
}

/// The hint where a tag or an id, in a list or in `hasTag()`, has a character that words don't have.
fn needs_quotes(has: &impl Fn(&str) -> bool, text: &str, at: usize) -> Option<String> {
    let marks = [':', '/', '=', '+', '.', '@'];
    let belongs = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || marks.contains(&c);
    let (before, after) = text.split_at_checked(at)?;
    let mark = after.chars().next().filter(|c| marks.contains(c))?;
    let begun = before.trim_end_matches(belongs);
    let in_list = has("\"]\"");
    let in_call = has("\")\"") && begun.trim_end().ends_with("hasTag(");
    let goes_on = begun.len() < before.len();
    // Behind a whole item a mark is no part of another.
    if !(in_list || in_call) || !(goes_on || has("word")) {
        return None;
    }
    let rest = after.len() - after.trim_start_matches(|c| belongs(c) || c == '*').len();
    let whole = text.get(begun.len()..at + rest)?;
    whole.contains(char::is_alphanumeric).then(|| {
        format!("write it in quotes, because of its `{mark}`: `\"{}\"`", display_text(whole))
    })
}

/// Hints for mistakes that come from other languages.
fn hint(
    within: Within,
    has: &impl Fn(&str) -> bool,
    token: Option<&Token<'_>>,
    (before, what): (&str, &str),
) -> Option<&'static str> {
    let conditions = matches!(
        within,
        Within::Rule
            | Within::Invariant
            | Within::Condition
            | Within::Barrier
            | Within::Unless
            | Within::Requires
            | Within::Audience
    );
    let after_condition = has("\"->\"") || within == Within::Condition && !has("word");
    match what {
        "`&`" | "`&&`" | "`and`" | "`AND`" if conditions => {
            Some("write `all(..., ...)` for conditions that must all be met")
        }
        "`|`" | "`||`" | "`or`" | "`OR`" if conditions => {
            Some("write `any(..., ...)` for conditions of which one must be met")
        }
        _ if conditions && what.starts_with("`!") => {
            Some("write `not(...)` for the opposite of a condition")
        }
        _ if conditions && before.ends_with("not") && matches!(token, Some(Token::Word(_))) => {
            Some("write `not(...)` around the condition: `not(hasTag(A))`")
        }
        "`*`" | "`'*'`" if conditions && (has("\"]\"") || has("\"[\"")) => Some(idioms::ALL_TAGS),
        "`*`" if conditions && has("word") => Some(idioms::EVERYONE),
        _ if within == Within::Barrier && has("\"<->\"") => {
            Some("write `<->` between the two conditions, or `->` for one direction")
        }
        "`->`" if within == Within::Rule && has("\";\"") => {
            Some("`between` stands behind the outcome: `rule: hasTag(A) -> [B] between friend;`")
        }
        "`=>`" | "`=`" | "`>`" | "`→`" if has("\"->\"") => {
            Some("write `->` between the condition and the outcome")
        }
        _ if token == Some(&Token::Comma)
            && within == Within::Rule
            && has("\"between\"")
            && !after_condition =>
        {
            Some("put a list in square brackets: `[A, B]`")
        }
        _ if token == Some(&Token::Comma) && after_condition => {
            Some("combine conditions with `all(..., ...)` or `any(..., ...)`")
        }
        _ if within == Within::Rules => {
            Some("write each rule as a statement of its own: `rule: hasTag(A) -> [B];`")
        }
        _ => None,
    }
}

/// The hint where a field has a value of another type than it takes, or the marks around it are
/// those of another field.
fn hint_on_kind(
    within: Within,
    has: &impl Fn(&str) -> bool,
    token: Option<&Token<'_>>,
    what: &str,
) -> Option<String> {
    let name = matches!(token, Some(Token::Word(_) | Token::String(_) | Token::RuleId));
    let opens = |bracket| what == bracket;
    let (in_list, in_call) = (has("\"]\""), has("\")\""));
    let value = has("word") && !in_list && !in_call && !has("\"}\"");
    let own = match within {
        Within::Invariant => INVARIANTS,
        Within::Conversation => "a conversation is between two users: `conversation alice, bob;`",
        _ if has("\"[\"") && !has("word") && name && within != Within::Rules => {
            return Some(match token {
                Some(Token::String(_)) => "put a list in square brackets".to_owned(),
                _ => format!("put a list in square brackets: `[{}]`", what.trim_matches('`')),
            });
        }
        Within::Barrier if opens("`[`") => {
            "a barrier is between two conditions: `hasTag(A) <-> hasTag(B)`"
        }
        Within::Value(ValueField::Opens | ValueField::Closes) if what == "`:`" => {
            "put a time in quotes: `from: \"08:00\"`"
        }
        Within::Value(ValueField::Zone) if what == "`/`" => {
            "put a time zone in quotes: `zone: \"Europe/Berlin\"`"
        }
        _ if value && opens("`[`") => "write one value, without brackets",
        _ if has("\"{\"") && !has("\":\"") && token == Some(&Token::Colon) => {
            "a block has no `:` before its `{`"
        }
        _ if has("\":\"") && !has("\"{\"") && opens("`{`") && within != Within::Rule => {
            "write `:` and a value in place of the block"
        }
        Within::Permission if value && opens("`{`") => "a block has no `:` before its `{`",
        Within::Word(_)
        | Within::Entry
        | Within::Value(_)
        | Within::Mode
        | Within::AudienceMode
        | Within::Unless
        | Within::Requires
            if value && opens("`{`") =>
        {
            "write a value in place of the block"
        }
        Within::List(_)
        | Within::Value(_)
        | Within::Entry
        | Within::Permission
        | Within::Mode
        | Within::AudienceMode
        | Within::Unless
        | Within::Requires
            if has("\";\"") && (name || token == Some(&Token::Comma)) =>
        {
            "fields end with `;`"
        }
        Within::AudienceMode if has("\":\"") => AUDIENCE_MODE,
        Within::Mode if has("\":\"") => "each condition has its mode: `hasTag(minor): contacts;`",
        Within::Entry | Within::Permission if has("\":\"") => {
            "each key has its value: `key: value;`"
        }
        _ => return None,
    };
    Some(own.to_owned())
}

/// A text of the author's, fit to stand in a message: on one line and not too long.
pub(super) fn display_text(text: &str) -> String {
    const MOST: usize = 60;
    let mut shown = String::new();
    for c in text.chars().take(MOST) {
        match c {
            '"' | '\'' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}
