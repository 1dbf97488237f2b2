//! The full listing of a compiled policy, for review and for snapshot tests.

mod groups;
mod ordered_map;
mod pairs;
mod settings;
mod windows;

use groups::{GroupListing, MatrixListing};
use pairs::PairListing;
use settings::SettingsListing;
use windows::WindowListing;

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

use serde::Serialize;

use crate::{
    request::Outcome,
    snapshot::{CompiledRule, TagId, UserSet, View},
};

/// The full and deterministic listing of a compiled policy, for review and for snapshot tests. Two
/// views of the same revision and moment have the same listing to the byte.
#[derive(Serialize, Debug)]
pub struct PolicyListing<'v> {
    pub digest: String,
    pub users: u32,
    /// The number of distinct tag sets of the users.
    pub tag_sets: usize,
    pub tags: Vec<TagListing<'v>>,
    /// The rules; `None` if the policy has no `rules` section.
    pub rules: Option<Vec<RuleListing<'v>>>,
    /// The other statements about two users.
    #[serde(flatten)]
    pub pairs: PairListing<'v>,
    pub settings: SettingsListing<'v>,
    /// The windows, as they are at the moment of the view.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowListing<'v>>,
    /// The policy's own matrices, and the built-in ones that govern groups.
    pub matrices: Vec<MatrixListing<'v>>,
    pub groups: Vec<GroupListing<'v>>,
}

/// A tag with the users who have it, and the users who may reach those.
#[derive(Serialize, Debug)]
pub struct TagListing<'v> {
    pub name: &'v str,
    pub declared: bool,
    pub members: MemberListing<'v>,
    /// The users who may reach the tag's users; `None` if the policy has no `rules` section.
    pub reachers: Option<MemberListing<'v>>,
}

/// A set of users: their number, and their ids if they are few.
#[derive(Serialize, Debug)]
pub struct MemberListing<'v> {
    pub count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<&'v str>>,
}

/// A rule with the sets of users that it selects.
#[derive(Serialize, Debug)]
pub struct RuleListing<'v> {
    pub rule_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'v str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'v str>,
    pub condition: String,
    pub outcome: OutcomeListing<'v>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<String>,
    /// The users who meet the condition.
    pub from: MemberListing<'v>,
    /// The users whom the outcome selects.
    pub to: MemberListing<'v>,
}

/// The outcome of a rule: tags by name, or a condition.
#[derive(Serialize, Debug)]
#[serde(untagged)]
pub enum OutcomeListing<'v> {
    Tags(Vec<&'v str>),
    Condition(String),
}

impl<'v> PolicyListing<'v> {
    /// The number of users up to which a set is listed by id.
    pub const FEW: u64 = 12;

    /// Lists a view. Costs set algebra for each rule.
    pub fn from_view(view: &'v View) -> Self {
        let members = |users: &UserSet| MemberListing::of(view, users);
        let tags = view.tags.sorted().into_iter().map(|(id, name)| TagListing {
            name,
            declared: view.declared_tags.contains(&id),
            members: view.population.members(id).map_or_else(MemberListing::none, members),
            reachers: view
                .rules
                .as_ref()
                .map(|book| book.reachers(id).map_or_else(MemberListing::none, members)),
        });
        Self {
            digest: view.revision.policy_hex(),
            users: view.population.directory.len(),
            tag_sets: view.population.directory.tag_set_count(),
            tags: tags.collect(),
            rules: view
                .rules
                .as_ref()
                .map(|book| book.rules.iter().map(|rule| RuleListing::of(view, rule)).collect()),
            pairs: PairListing::of(view),
            settings: SettingsListing::of(view),
            windows: WindowListing::all(view),
            matrices: MatrixListing::all(view),
            groups: view.groups.iter().map(|(_, group)| GroupListing::of(view, group)).collect(),
        }
    }
}

impl<'v> RuleListing<'v> {
    fn of(view: &'v View, rule: &'v CompiledRule) -> Self {
        let name = |tag: &TagId| view.tags.name(*tag);
        let to = match &rule.outcome {
            Outcome::Tags(tags) => {
                UserSet::union(tags.iter().filter_map(|&tag| view.population.members(tag)))
            }
            Outcome::Condition(condition) => view.population.users_meeting(condition).into_owned(),
        };
        Self {
            rule_id: rule.id.to_string(),
            name: rule.name.as_deref(),
            description: rule.description.as_deref(),
            condition: rule.condition.map(&mut |tag| view.tags.name(*tag)).to_string(),
            outcome: match &rule.outcome {
                Outcome::Tags(tags) => OutcomeListing::Tags(tags.iter().map(name).collect()),
                Outcome::Condition(condition) => {
                    OutcomeListing::Condition(condition.map(&mut |tag| name(tag)).to_string())
                }
            },
            between: rule
                .between
                .as_ref()
                .map(|between| between.map(&mut |tag| name(tag)).to_string()),
            from: MemberListing::of(view, &view.population.users_meeting(&rule.condition)),
            to: MemberListing::of(view, &to),
        }
    }
}

impl<'v> MemberListing<'v> {
    fn of(view: &'v View, users: &UserSet) -> Self {
        let count = users.len();
        let names = || users.iter().map(|user| view.population.directory.id(user)).collect();
        Self { count, users: (count <= PolicyListing::FEW).then(names) }
    }

    fn none() -> Self {
        Self { count: 0, users: Some(Vec::new()) }
    }
}

impl fmt::Display for MemberListing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count)?;
        match &self.users {
            Some(users) if !users.is_empty() => {
                let users: Vec<_> = users.iter().map(|id| listed(id)).collect();
                write!(f, " {{{}}}", users.join(", "))
            }
            _ => Ok(()),
        }
    }
}

/// The listing in human-readable form.
impl fmt::Display for PolicyListing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "policy {}", self.digest)?;
        writeln!(
            f,
            "{}, {}",
            count(self.users.into(), "user"),
            count(self.tag_sets as u64, "distinct tag set")
        )?;

        writeln!(f, "\n{}", count(self.tags.len() as u64, "tag"))?;
        for tag in &self.tags {
            let declared = if tag.declared { " (declared)" } else { "" };
            writeln!(f, "  {}{declared}", tag.name)?;
            writeln!(f, "    members  {}", tag.members)?;
            if let Some(reachers) = &tag.reachers {
                writeln!(f, "    reachers {reachers}")?;
            }
        }

        let Some(rules) = &self.rules else {
            writeln!(f, "\nno rules section: rules refuse nothing")?;
            return self.write_rest(f);
        };
        writeln!(f, "\n{}", count(rules.len() as u64, "rule"))?;
        rules.iter().try_for_each(|rule| write!(f, "{rule}"))?;
        self.write_rest(f)
    }
}

impl PolicyListing<'_> {
    fn write_rest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.pairs)?;
        write!(f, "{}", self.settings)?;
        if !self.windows.is_empty() {
            writeln!(f, "\n{}", count(self.windows.len() as u64, "window"))?;
        }
        self.windows.iter().try_for_each(|window| write!(f, "{window}"))?;
        if !self.matrices.is_empty() {
            writeln!(f, "\nmatrices")?;
        }
        self.matrices.iter().try_for_each(|matrix| write!(f, "{matrix}"))?;
        if self.groups.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{}", count(self.groups.len() as u64, "group"))?;
        self.groups.iter().try_for_each(|group| write!(f, "{group}"))
    }
}

impl fmt::Display for RuleListing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut head = format!("  {}", self.rule_id);
        if let Some(name) = self.name {
            // Writing to a string can't fail.
            let _ = write!(head, " {name}");
        }
        writeln!(f, "{head}")?;
        for line in self.description.into_iter().flat_map(str::lines) {
            writeln!(f, "    /// {line}")?;
        }
        write!(f, "    {} -> ", self.condition)?;
        match &self.outcome {
            OutcomeListing::Tags(tags) => write!(f, "[{}]", tags.join(", "))?,
            OutcomeListing::Condition(condition) => write!(f, "{condition}")?,
        }
        if let Some(between) = &self.between {
            write!(f, " between {between}")?;
        }
        writeln!(f)?;
        writeln!(f, "    from {}", self.from)?;
        writeln!(f, "    to   {}", self.to)
    }
}

/// An id in a list; in quotes if it is ambiguous without them.
fn listed(id: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !c.is_whitespace() && !matches!(c, ',' | '{' | '}' | '"');
    if id.chars().all(is_plain) { Cow::Borrowed(id) } else { Cow::Owned(format!("{id:?}")) }
}

fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
