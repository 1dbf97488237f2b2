//! Tencent IM: `POST /v4/sns/{command}` and the calls that it needs.
//!
//! Friends, blocklists and friend groups of accounts, which are users of peerage. Answers always
//! have status 200; the result of a call is in the body.

mod accounts;
mod add;
mod auth;
mod batch;
mod blacklist;
mod body;
mod check;
mod codes;
mod envelope;
mod friend_fields;
mod friends;
mod groups;
mod lists;
mod paging;
mod profile;
mod query;
mod user_sig;

pub use auth::TencentAccess;

use super::{Backend, BackendError, Call, CallError, Dialect, Reply, Step};
use crate::wire::AccessScope;
use codes::{CallFamily, TencentCode};
use envelope::{TencentError, TencentResult, settle};

/// The prefix of all paths.
const ROOT: &str = "/v4/";

#[derive(Debug)]
pub struct Tencent {
    access: TencentAccess,
}

/// The handler of a command.
type Handler = fn(&[u8], &dyn Backend) -> TencentResult;

impl Tencent {
    pub const fn new(access: TencentAccess) -> Self {
        Self { access }
    }

    fn respond(&self, call: &Call<'_>, backend: &dyn Backend) -> TencentResult {
        let (family, handler) = handler(call.path);
        self.access.check(call, (family, scope(call.path)), backend)?;
        let Some(handler) = handler else {
            let message = "unknown command; see the chapter on Tencent IM for the supported ones";
            return Err(TencentError::new(TencentCode::Resource, message).into());
        };
        if call.method != "POST" {
            return Err(TencentError::new(TencentCode::Http, "method not allowed; use POST").into());
        }
        handler(call.body, backend)
    }
}

impl Dialect for Tencent {
    fn name(&self) -> &'static str {
        "tencent"
    }

    fn owns_path(&self, path: &str) -> bool {
        path.starts_with(ROOT)
    }

    fn refuse_early(&self, call: &Call<'_>, backend: &dyn Backend) -> Option<Reply> {
        let (family, _) = handler(call.path);
        let fault = self.access.check(call, (family, scope(call.path)), backend).err()?;
        let refuses_credential = fault.code.refuses_credential();
        Some(Reply { refuses_credential, ..fault.reply() })
    }

    fn caller_label(&self, call: &Call<'_>, backend: &dyn Backend) -> String {
        if call.trusted { "socket".to_owned() } else { self.access.credential(call, backend) }
    }

    fn answer(&self, call: &Call<'_>, backend: &dyn Backend) -> Result<Step<Reply>, BackendError> {
        settle(self.respond(call, backend))
    }

    fn render_error(&self, failure: &CallError) -> Reply {
        let code = match failure {
            CallError::TooLarge(_) | CallError::Encoded(_) => TencentCode::Http,
            CallError::TimedOut(_) | CallError::Incomplete(_) => TencentCode::Timeout,
            CallError::Unavailable(_) => TencentCode::SnsInternal,
        };
        TencentError::new(code, failure.to_string()).reply()
    }
}

fn handler(path: &str) -> (CallFamily, Option<Handler>) {
    let rest = path.strip_prefix(ROOT).unwrap_or_default();
    let (service, command) = rest.split_once('/').unwrap_or((rest, ""));
    match service {
        "sns" => (CallFamily::Sns, sns(command)),
        "profile" => (CallFamily::Profile, profile(command)),
        "im_open_login_svc" => (CallFamily::Accounts, account(command)),
        _ => (CallFamily::None, None),
    }
}

/// The commands that change nothing.
const READS: [&str; 9] = [
    "friend_check",
    "friend_get",
    "friend_get_all",
    "friend_get_list",
    "black_list_get",
    "black_list_check",
    "group_get",
    "portrait_get",
    "account_check",
];

/// The scope that a command takes of a token.
fn scope(path: &str) -> AccessScope {
    let command = path.rsplit('/').next().unwrap_or_default();
    if READS.contains(&command) { AccessScope::Read } else { AccessScope::Write }
}

fn sns(command: &str) -> Option<Handler> {
    Some(match command {
        "friend_add" => add::add,
        "friend_import" => add::import,
        "friend_update" => friends::update,
        "friend_delete" => friends::delete,
        "friend_delete_all" => friends::delete_all,
        "friend_check" => |body, backend| Ok(Step::Done(check::FRIENDS.answer(body, backend)?)),
        "friend_get" | "friend_get_all" => lists::get,
        "friend_get_list" => lists::get_list,
        "black_list_add" => blacklist::add,
        "black_list_delete" => blacklist::delete,
        "black_list_get" => blacklist::get,
        "black_list_check" => {
            |body, backend| Ok(Step::Done(check::BLACK_LIST.answer(body, backend)?))
        }
        "group_add" => groups::add,
        "group_delete" => groups::delete,
        "group_get" => groups::get,
        _ => return None,
    })
}

fn profile(command: &str) -> Option<Handler> {
    Some(match command {
        "portrait_set" => profile::set,
        "portrait_get" => profile::get,
        _ => return None,
    })
}

fn account(command: &str) -> Option<Handler> {
    Some(match command {
        "account_import" => accounts::import,
        "multiaccount_import" => accounts::import_all,
        "account_delete" => accounts::delete,
        "account_check" => accounts::check,
        _ => return None,
    })
}
