//! A table with a header: a user a line.

mod cells;
mod header;

use std::{borrow::Cow, cell::Cell, sync::LazyLock};

use super::{Line, condition, lines};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    request::Switch,
    source::{SourceId, Span},
    syntax::{
        ast::{Expr, ExprKind, List, Setting, Spanned, Text, User},
        keys::{self, SeenKeys},
        user_fields,
    },
};
use cells::{CsvCell, MOST_FIELDS};

/// The names of the columns that are known without the policy: the id, the fields of a record, and in place of
/// `permissions` a column for each switch. Those of actions come besides, in place of `accepts` and for
/// the switches of declared ones.
static COLUMNS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let is_column = |field: &&&str| !matches!(**field, "permissions" | "accepts");
    let fields = user_fields::FIELDS.iter().filter(is_column);
    let fields = ["id"].iter().chain(fields).map(|&field| field.to_owned());
    fields.chain(Switch::ALL.iter().map(|switch| format!("{PERMISSION}{switch}"))).collect()
});

/// The prefix of the columns that hold one permission each.
const PERMISSION: &str = "permissions.";

/// The prefix of the columns that hold the audience of one action each.
const ACCEPTS: &str = "accepts.";

pub(super) fn users<'s>(
    id: SourceId,
    bytes: &'s [u8],
    problems: &mut Diagnostics,
    each: &mut impl FnMut(User<'s>, &mut Diagnostics),
) {
    let mut header = None;
    // One list for all lines.
    let mut fields = Vec::new();
    lines(id, bytes, problems, |line, problems| {
        // Without a header nothing can be said of the lines.
        if matches!(header, Some(None)) {
            return;
        }
        let count = cells::read(line, &mut fields, problems);
        let Some(header) = &header else {
            header = Some(count.and_then(|count| Header::read(line, &fields, count, problems)));
            return;
        };
        let header = header.as_ref().zip(count);
        if let Some(user) =
            header.and_then(|(header, count)| header.user(line, &fields, count, problems))
        {
            each(user, problems);
        }
    });
    if header.is_none() {
        problems.push(header::missing(Span::new(id, 0, 0)));
    }
}

/// The content of a column.
enum Column<'s> {
    Id,
    Tags,
    Peers,
    Moderation,
    Approval,
    Contacts,
    Favorites,
    Paired,
    Blocked,
    Friends,
    Permission(Text<'s>),
    Accepts(Text<'s>),
    /// Nothing that could be used; it was reported.
    Refused,
}

impl<'s> Column<'s> {
    fn from_name(name: &Text<'s>) -> Option<Self> {
        Some(match &*name.value {
            "id" => Self::Id,
            "tags" => Self::Tags,
            "peers" => Self::Peers,
            "moderation" => Self::Moderation,
            "approval" => Self::Approval,
            "contacts" => Self::Contacts,
            "favorites" => Self::Favorites,
            "paired" => Self::Paired,
            "blocked" => Self::Blocked,
            "friends" => Self::Friends,
            // What is behind the dot is for the policy to know, which declares actions.
            _ => match (behind(PERMISSION, name), behind(ACCEPTS, name)) {
                (Some(switch), _) => Self::Permission(switch),
                (None, Some(action)) => Self::Accepts(action),
                (None, None) => return None,
            },
        })
    }
}

/// The name behind the prefix of a column, if it has the form of one.
fn behind<'s>(prefix: &str, column: &Text<'s>) -> Option<Text<'s>> {
    let key: Cow<'s, str> = match &column.value {
        Cow::Borrowed(name) => name.strip_prefix(prefix)?.into(),
        Cow::Owned(name) => name.strip_prefix(prefix)?.to_owned().into(),
    };
    if key.is_empty() || key.contains(char::is_whitespace) {
        return None;
    }
    let start = column.span.end().saturating_sub(key.len());
    Some(Spanned::new(key, Span::new(column.span.source, start, column.span.end())))
}

/// The contents of the columns, in their order.
struct Header<'s> {
    columns: Vec<Column<'s>>,
    /// Whether another separator of tags than blanks was reported: it would be in every line.
    has_reported: Cell<bool>,
}

impl<'s> Header<'s> {
    fn read(
        line: Line<'s>,
        fields: &[CsvCell<'s>],
        count: usize,
        problems: &mut Diagnostics,
    ) -> Option<Self> {
        if !fields.iter().any(|field| header::is_column(field.text.trim())) {
            problems.push(header::not_found(line));
            return None;
        }
        if count > MOST_FIELDS {
            let message = format!(
                "the header has {count} columns; a table of users has at most {MOST_FIELDS}"
            );
            let problem = Diagnostic::error(Code::InvalidRecord, line.whole(), message);
            problems.push(problem.hint("begin with the line `id,tags`"));
            return None;
        }
        let mut names = SeenKeys::default();
        let mut columns = Vec::new();
        let mut strange = header::UnknownColumns::default();
        for field in fields {
            let name = field.trimmed(line).unwrap_or_else(|| field.text(line));
            let name = strange.in_small_letters(name);
            let first = names.add(&name);
            let column = if first.is_none() { Column::from_name(&name) } else { None };
            if let Some(first) = first {
                problems.push(keys::duplicate_key(Code::DuplicateKey, "column", &name, first));
            } else if column.is_none() {
                strange.add(name);
            }
            columns.push(column.unwrap_or(Column::Refused));
        }
        let has_id = columns.iter().any(|column| matches!(column, Column::Id));
        let has_tags = columns.iter().any(|column| matches!(column, Column::Tags));
        strange.report(line, has_id, has_tags, problems);
        (has_id && has_tags).then_some(Self { columns, has_reported: Cell::new(false) })
    }

    /// The user of a line, who has what its fields say; one that is empty says nothing.
    fn user(
        &self,
        line: Line<'s>,
        fields: &[CsvCell<'s>],
        count: usize,
        problems: &mut Diagnostics,
    ) -> Option<User<'s>> {
        if count != self.columns.len() {
            problems.push(self.wrong_cell_count(line, fields, count));
            return None;
        }
        let mut user = User { id: Spanned::new("".into(), line.whole()), tags: None, more: None };
        for (column, field) in self.columns.iter().zip(fields) {
            match column {
                Column::Id => user.id = field.text(line),
                Column::Tags => user.tags = self.tags(field, line, problems),
                Column::Peers => user.set_field(|more| &mut more.peers, field.trimmed(line)),
                Column::Moderation => {
                    user.set_field(|more| &mut more.moderation, field.trimmed(line));
                }
                Column::Approval => user.set_field(|more| &mut more.approval, field.trimmed(line)),
                Column::Contacts => user.set_field(|more| &mut more.contacts, field.words(line)),
                Column::Favorites => user.set_field(|more| &mut more.favorites, field.words(line)),
                Column::Paired => user.set_field(|more| &mut more.paired, field.words(line)),
                Column::Blocked => user.set_field(|more| &mut more.blocked, field.words(line)),
                Column::Friends => user.set_field(|more| &mut more.friends, field.words(line)),
                Column::Permission(key) => {
                    let value = field.trimmed(line);
                    if let Some(value) = value.and_then(|text| condition(text, problems)) {
                        let setting = Setting { key: key.clone(), value };
                        user.more.get_or_insert_default().permissions.push(setting);
                    }
                }
                Column::Accepts(key) => {
                    if let Some(Spanned { value, span }) = field.trimmed(line) {
                        let value = Expr { span, kind: ExprKind::Word(value) };
                        let setting = Setting { key: key.clone(), value };
                        user.more.get_or_insert_default().accepts.push(setting);
                    }
                }
                Column::Refused => {}
            }
        }
        Some(user)
    }

    /// The tags of a cell, which blanks separate.
    fn tags(
        &self,
        field: &CsvCell<'s>,
        line: Line<'_>,
        problems: &mut Diagnostics,
    ) -> Option<List<'s>> {
        let words = field.words(line)?;
        let separators = [',', ';', '|'];
        if !field.text.contains(separators) {
            return Some(words);
        }
        if !self.has_reported.replace(true) {
            let blanks = field.text.replace(separators, " ");
            let shown = blanks.split_whitespace().collect::<Vec<_>>().join(" ");
            let message = "the tags of a cell must be separated by blanks";
            let problem = Diagnostic::error(Code::InvalidTag, words.span, message);
            problems
                .push(problem.hint(format!("write {}, here and elsewhere", keys::quoted(&shown))));
        }
        None
    }

    fn wrong_cell_count(&self, line: Line<'_>, fields: &[CsvCell<'_>], found: usize) -> Diagnostic {
        let columns = self.columns.len();
        let count = if found == 1 { "1 field".into() } else { format!("{found} fields") };
        let message = format!("the line has {count}, but the header has {columns}");
        let span = fields
            .get(columns)
            .map_or(line.whole(), |extra| line.span(extra.place.start, line.text.len()));
        Diagnostic::error(Code::InvalidRecord, span, message).hint(if found > columns {
            "put a field that holds a comma in quotes; separate tags with spaces"
        } else {
            "write a comma for each empty field"
        })
    }
}
