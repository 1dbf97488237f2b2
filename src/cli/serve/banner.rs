//! The start banner: what is served, where, and a question to try.

use tracing::info;

use crate::{
    decide,
    live::{ReloadOutcome, ServedPolicy},
    request::{Action, Request},
    serve::TokenRegistry,
    snapshot::{UserNumber, View},
    wire::percent_encode,
};

/// The number of users among whom a pair is looked for that may start a chat.
const MAX_TRIED: u32 = 32;

/// Whether decisions over TCP take a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TokenUse {
    Required,
    Optional,
}

impl TokenUse {
    pub(super) fn of(tokens: &TokenRegistry) -> Self {
        if tokens.guards_decisions() { Self::Required } else { Self::Optional }
    }
}

/// Logs what a daemon serves, and where.
pub(super) fn log(served: &ServedPolicy, places: &[String], tokens: TokenUse) {
    let counts = served.view.counts();
    info!(
        version = env!("CARGO_PKG_VERSION"),
        commit = env!("BUILD_COMMIT"),
        revision = %served.revision,
        users = counts.users,
        rules = counts.rules,
        listening = %places.join(", "),
        "serving"
    );
    if let Some(place) = places.first() {
        info!("try: {}", question(&served.view, place, tokens));
    }
}

/// A command that requests a decision on two users of the policy, if possible one that allows.
fn question(view: &View, place: &str, tokens: TokenUse) -> String {
    let [subject, resource] = pair(view).map(|user| {
        user.map_or_else(String::new, |user| percent_encode(view.population.directory.id(user)))
    });
    let (curl, base) = match place.strip_prefix("unix:") {
        Some(path) => {
            let path = path.replace('\'', "'\\''");
            (format!("curl --unix-socket '{path}'"), "http://localhost")
        }
        None => ("curl".to_owned(), place),
    };
    if subject.is_empty() || resource.is_empty() {
        return format!("{curl} '{base}/v1/status'");
    }
    let action = Action::StartChat;
    let query = format!("subject={subject}&action={action}&resource={resource}");
    let is_socket = place.starts_with("unix:");
    let token = match tokens {
        TokenUse::Required if !is_socket => " -H 'Authorization: Bearer TOKEN'",
        TokenUse::Required | TokenUse::Optional => "",
    };
    format!("{curl} '{base}/v1/decide?{query}'{token}")
}

/// Two users, of which one may start a chat with the other where such are found.
fn pair(view: &View) -> [Option<UserNumber>; 2] {
    let directory = &view.population.directory;
    let users: Vec<UserNumber> = UserNumber::first(directory.len())
        .filter(|&user| view.population.everyone.contains(user))
        .take(MAX_TRIED as usize)
        .collect();
    let pairs = || users.iter().flat_map(|&a| users.iter().map(move |&b| [a, b]));
    let may = |&[a, b]: &[UserNumber; 2]| {
        let request = Request::new(directory.id(a), Action::StartChat, directory.id(b));
        a != b && decide::decide(view, &request).allow
    };
    let found = pairs().find(may).or_else(|| pairs().find(|[a, b]| a != b));
    found.map_or([None, None], |pair| pair.map(Some))
}

/// The state for a service manager in one line.
pub(super) fn status(served: &ServedPolicy, outcome: ReloadOutcome) -> String {
    let counts = served.view.counts();
    let (revision, users, rules) = (&served.revision, counts.users, counts.rules);
    let state = format!("serving revision {revision}: {users} users, {rules} rules");
    match outcome {
        ReloadOutcome::Refused => format!("{state}; the files have errors"),
        ReloadOutcome::Held => format!("{state}; the policy of the files is held"),
        _ => state,
    }
}
