//! Work that is done when it is its turn, and the answers where there is no room for it.

use std::sync::Arc;

use hyper::{StatusCode, body::Bytes, header::RETRY_AFTER};
use tokio::task::JoinError;

use super::{
    admin,
    admission::{Abandoned, Class},
    answer::{self, Answer, REVISION, Refusal},
    audit::Caller,
    authzen,
    endpoint::Ask,
    peer::Peer,
    route::{App, stamp},
};
use crate::live::Served;

impl App {
    /// Decides what a body asks: at once if that is little, else when it is its turn.
    pub(super) async fn ask(
        self: &Arc<Self>,
        (path, ask): (&'static str, Ask),
        bytes: Bytes,
        peer: &Peer,
    ) -> Answer {
        let Some(class) = authzen::class(&bytes) else {
            return self.on_served(|served| ask(self, served, &bytes, &Abandoned::NEVER));
        };
        let work = move |app: &Self, served: &Served, abandoned: &Abandoned| {
            ask(app, served, &bytes, abandoned)
        };
        self.gather((class, path), peer, work).await
    }

    /// The answer to a request for which there is no room now.
    pub(super) fn shed(&self, route: &str) -> Answer {
        self.metrics.count_shed(route);
        busy()
    }

    /// Works on a thread for what takes long, when it is its turn.
    pub(super) async fn gather(
        self: &Arc<Self>,
        (class, route): (Class, &str),
        peer: &Peer,
        make: impl FnOnce(&Self, &Served, &Abandoned) -> Result<Answer, Refusal> + Send + 'static,
    ) -> Answer {
        let Some(permit) = self.admission.admit(class, peer).await else {
            return self.shed(route);
        };
        let abandoned = Abandoned::new();
        let _abandon = abandoned.on_drop();
        let app = Arc::clone(self);
        let work = move || {
            let served = app.live.served();
            let mut answer =
                make(&app, &served, &abandoned).unwrap_or_else(|refusal| refusal.answer());
            if !answer.headers().contains_key(REVISION) {
                stamp(&mut answer, &served.revision);
            }
            answer
        };
        match self.admission.run(&permit, work).await {
            Some(working) => working.await.unwrap_or_else(|error| unanswered(&error)),
            None => stopping(),
        }
    }

    /// Reloads on a thread of its own; stamped with what is served afterwards.
    pub(super) async fn reload(
        self: &Arc<Self>,
        (route, peer): (&str, &Peer),
        forced: bool,
        by: Caller,
    ) -> Answer {
        let Some(permit) = self.admission.admit(Class::Reload, peer).await else {
            return self.shed(route);
        };
        let app = Arc::clone(self);
        match self.admission.run(&permit, move || admin::reload(&app, forced, &by)).await {
            Some(reloading) => reloading.await.unwrap_or_else(|error| unanswered(&error)),
            None => stopping(),
        }
    }
}

fn stopping() -> Answer {
    unavailable("the daemon is stopping")
}

/// Of work that ended without an answer.
pub(super) fn unanswered(error: &JoinError) -> Answer {
    if error.is_panic() {
        tracing::error!(%error, "a request could not be answered");
        return unavailable("it can't be answered, by a mistake in peerage itself");
    }
    stopping()
}

fn unavailable(message: &str) -> Answer {
    Refusal {
        status: StatusCode::SERVICE_UNAVAILABLE,
        message: message.to_owned(),
        at: String::new(),
    }
    .answer()
}

/// For now there is no room.
fn busy() -> Answer {
    let message = "too many requests of this kind are under way; try again after a moment";
    let mut answer = unavailable(message);
    answer.headers_mut().insert(RETRY_AFTER, answer::retry_after());
    answer
}
