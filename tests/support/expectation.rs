use peerage::{
    decide::{decide, groups, reach, reached_by},
    request::{Obligation, Reason, Request, ResourceKind, UnknownUsers},
    snapshot::View,
};
use serde::Deserialize;

use super::question::{Context, Open, Properties, unknown};

/// What a test expects: a question, or one of whose parts is left open, and its answer.
///
/// The names are those of the HTTP interface.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Expectation {
    pub(super) subject: Option<String>,
    pub(super) action: String,
    pub(super) resource: Option<String>,
    /// `user`, `group`, or the name of what is neither; else the first kind that the action takes.
    pub(super) resource_type: Option<String>,
    pub(super) member: Option<String>,
    pub(super) field: Option<String>,
    #[serde(default)]
    pub(super) context: Context,
    pub(super) subject_properties: Option<Properties>,
    pub(super) resource_properties: Option<Properties>,
    pub(super) member_properties: Option<Properties>,
    allow: Option<bool>,
    reason: Option<String>,
    /// All that an allow comes with.
    obligations: Option<Vec<String>>,
    /// Everyone to whom the subject may do it: exactly these users; or groups, if it is done to one;
    /// or members-to-be, if the group is given.
    pub(super) reaches: Option<Vec<String>>,
    /// Everyone who may do it: exactly these users.
    pub(super) reached_by: Option<Vec<String>>,
}

impl Expectation {
    pub(super) fn check(&self, view: &View) -> Result<(), String> {
        let (request, open) = self.question(view).map_err(|problem| self.told(&problem))?;
        let judges = self.allow.is_some() || self.reason.is_some() || self.obligations.is_some();
        let met = match (open, &self.reaches, &self.reached_by) {
            (Open::Nothing, None, None) if judges => self.judge(view, &request),
            (Open::Group, Some(expected), None) if !judges => {
                self.list(view, groups(view, &request).ids().iter().copied(), expected)
            }
            (Open::Resource | Open::Member, Some(expected), None) if !judges => {
                self.list(view, reach(view, &request).ids(), expected)
            }
            (Open::Subject, None, Some(expected)) if !judges => {
                self.list(view, reached_by(view, &request).ids(), expected)
            }
            _ => Err("expects `allow`, `reason` or `obligations` of a whole question; `reaches` \
                      without the resource or the member; or `reached_by` without the subject"
                .into()),
        };
        met.map_err(|problem| self.told(&problem))
    }

    fn judge(&self, view: &View, request: &Request<'_>) -> Result<(), String> {
        let reason: Option<Reason> =
            self.reason.as_ref().map(|word| word.parse().map_err(unknown)).transpose()?;
        let obligations: Option<Vec<Obligation>> = self
            .obligations
            .as_ref()
            .map(|words| words.iter().map(|word| word.parse().map_err(unknown)).collect())
            .transpose()?;
        let decision = decide(view, request);
        if reason.is_none() {
            // Else a misspelled id would be denied as expected.
            self.check_known(view)?;
        }
        let found: Vec<Obligation> = decision.obligation.into_iter().collect();
        let is_right = self.allow.is_none_or(|allow| allow == decision.allow)
            && reason.is_none_or(|reason| reason == decision.reason)
            && obligations.is_none_or(|obligations| obligations == found);
        if is_right {
            return Ok(());
        }
        Err(format!("is allow {}, {}, obligations {found:?}", decision.allow, decision.reason))
    }

    fn list<'v>(
        &self,
        view: &View,
        found: impl Iterator<Item = &'v str>,
        expected: &[String],
    ) -> Result<(), String> {
        self.check_known(view)?;
        let found: Vec<&str> = found.collect();
        let mut expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        expected.sort_unstable();
        if found == expected { Ok(()) } else { Err(format!("is {found:?}, not {expected:?}")) }
    }

    /// Whether all who are named are known, so far as that matters.
    fn check_known(&self, view: &View) -> Result<(), String> {
        if view.settings.unknown_users == UnknownUsers::AllowDefaults {
            return Ok(());
        }
        let is_user = |id: &String| view.population.directory.number(id).is_some();
        let is_known = |id: &String| match self.kind() {
            Ok(ResourceKind::User) => is_user(id),
            Ok(ResourceKind::Group) => view.groups.number(id).is_some(),
            _ => true,
        };
        let users = [&self.subject, &self.member].into_iter().flatten();
        let mut strangers =
            users.filter(|id| !is_user(id)).chain(self.resource.iter().filter(|id| !is_known(id)));
        match strangers.next() {
            Some(id) => Err(format!("`{id}` is unknown; if that is meant, expect the reason")),
            None => Ok(()),
        }
    }

    /// A problem, with the question that it is about.
    fn told(&self, problem: &str) -> String {
        let parts = [
            ("subject", &self.subject),
            ("resource", &self.resource),
            ("member", &self.member),
            ("field", &self.field),
        ];
        let parts = parts
            .iter()
            .filter_map(|(name, part)| part.as_ref().map(|part| format!("{name} {part}")));
        let parts: Vec<String> = std::iter::once(self.action.clone()).chain(parts).collect();
        format!("{}: {problem}", parts.join(", "))
    }
}
