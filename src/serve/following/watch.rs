//! `/v1/watch`: standing questions, answered when their answers change.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use hyper::{
    HeaderMap, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};

use super::{
    feed::{ChangeFollower, FeedEvent, StreamKind},
    standing::StandingQuestions,
};
use crate::{
    live::ViewChanges,
    serve::{
        admission::{Permit, WorkClass},
        app::{App, stamp_revision},
        blocking::WorkPlace,
        connection::Connection,
        freshness::DecisionView,
        handler::{ResponseFuture, RouteRequest},
        query::QueryParams,
        response::{HttpError, HttpResponse},
        response_body::ResponseBody,
    },
};

const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// The time between two looks whether the view is still fresh.
const LOOK: Duration = Duration::from_millis(500);

/// The most questions that are asked again on the thread of requests; more of them are asked in the background.
const FEW: usize = 256;

/// The number of questions that are asked from one view: a view that is replaced is not held for longer.
const CHUNK: u32 = 4096;

/// `POST /v1/watch`: the answers to the questions of the body, at first and then whenever one turns out otherwise.
pub(in crate::serve) fn watch(app: Arc<App>, request: RouteRequest) -> ResponseFuture {
    Box::pin(async move { start(&app, request).await.unwrap_or_else(|error| error.response()) })
}

async fn start(app: &Arc<App>, request: RouteRequest) -> Result<HttpResponse, HttpError> {
    QueryParams::parse(request.query(), &[])?;
    let RouteRequest { route, head, body, connection, .. } = request;
    let place = WorkPlace { class: WorkClass::Watch, route, peer: &connection.peer };
    // Followed from before the first answers, so that no change is missed in between.
    let (follower, stream) = app.feed.follower(StreamKind::Answers);
    let work = move |app: &Arc<App>, _: &_| {
        let served = app.live.served();
        let questions = StandingQuestions::read(&body, &served)?;
        Ok::<_, HttpError>((questions, served.revision.clone(), served.number))
    };
    let (read, permit) = match app.run_admitted(place, work).await {
        Ok(done) => done,
        Err(error) => return Ok(error.response()),
    };
    let (questions, revision, view) = read?;
    let peer = Arc::clone(&connection.peer);
    let watcher = Watcher {
        app: Arc::clone(app),
        headers: head.headers,
        connection,
        permit,
        questions: Some(questions),
        seen: view,
        follower,
    };
    tokio::spawn(async move {
        let _watch = peer.watch();
        watcher.run().await;
    });
    let mut response = Response::new(ResponseBody::Stream(stream));
    *response.status_mut() = StatusCode::OK;
    stamp_revision(&mut response, &revision, view);
    response.headers_mut().insert(CONTENT_TYPE, NDJSON);
    Ok(response)
}

/// A caller with standing questions.
struct Watcher {
    app: Arc<App>,
    /// What the caller showed, and where.
    headers: HeaderMap,
    connection: Connection,
    /// Held for as long as the caller watches.
    permit: Permit,
    /// The questions; `None` only while another thread asks them, and after it failed.
    questions: Option<StandingQuestions>,
    /// The number of the view up to which changes were followed.
    seen: u64,
    follower: ChangeFollower,
}

/// The caller is gone or may not watch any more, or the daemon stops.
struct Ended;

impl Watcher {
    async fn run(mut self) {
        let _ = self.answer().await;
        self.follower.end().await;
    }

    async fn answer(&mut self) -> Result<(), Ended> {
        let mut denies = self.denies();
        self.ask_all().await?;
        loop {
            if self.denies() != denies {
                denies = !denies;
                self.ask_all().await?;
            }
            self.ask_changed().await?;
            let event = self.follower.next(LOOK).await;
            let may_go_on = self.app.still_admits(&self.headers, self.connection.listener);
            if event == FeedEvent::Ended || !may_go_on {
                return Err(Ended);
            }
        }
    }

    /// Whether all is denied, since what is served is too old.
    fn denies(&self) -> bool {
        let served = self.app.live.served();
        DecisionView::new(&served, self.app.live.staleness().freshness()).denies()
    }

    /// Asks the questions that the changes since the last look concern.
    async fn ask_changed(&mut self) -> Result<(), Ended> {
        let changes = match self.app.live.changes_since(self.seen) {
            ViewChanges::All(changes) => changes,
            ViewChanges::Unknown(last) => {
                self.seen = last;
                return self.ask_all().await;
            }
        };
        let Some(last) = changes.last() else { return Ok(()) };
        self.seen = last.number;
        let Some(questions) = &self.questions else { return Err(Ended) };
        let mut numbers = BTreeSet::new();
        for change in &changes {
            if change.concerned.is_all() {
                return self.ask_all().await;
            }
            numbers.extend(questions.concerned(change));
        }
        if numbers.len() > FEW {
            return self.ask(numbers.into_iter().collect()).await;
        }
        let part = ask(&self.app, self.questions.as_mut(), numbers);
        self.send(part).await
    }

    async fn ask_all(&mut self) -> Result<(), Ended> {
        let all = self.questions.as_ref().map_or(0, StandingQuestions::len);
        let all = u32::try_from(all).unwrap_or(u32::MAX);
        let mut from = 0;
        while from < all {
            let to = all.min(from.saturating_add(CHUNK));
            self.ask((from..to).collect()).await?;
            from = to;
        }
        Ok(())
    }

    /// Asks some of the questions on a thread of lower priority.
    async fn ask(&mut self, numbers: Vec<u32>) -> Result<(), Ended> {
        let (app, mut questions) = (Arc::clone(&self.app), self.questions.take());
        let work = move || {
            let part = ask(&app, questions.as_mut(), numbers);
            (questions, part)
        };
        let (questions, part) = self.app.run(&self.permit, work).await.map_err(|_| Ended)?;
        self.questions = questions;
        self.send(part).await
    }

    async fn send(&mut self, part: Vec<u8>) -> Result<(), Ended> {
        if self.follower.send(part).await { Ok(()) } else { Err(Ended) }
    }
}

/// Asks questions of the view that is served now; returns the lines of those that turn out otherwise.
fn ask(
    app: &App,
    questions: Option<&mut StandingQuestions>,
    numbers: impl IntoIterator<Item = u32>,
) -> Vec<u8> {
    let mut part = Vec::new();
    if let Some(questions) = questions {
        let served = app.live.served();
        let decisions = DecisionView::new(&served, app.live.staleness().freshness());
        questions.ask(numbers, &served, decisions, &mut part);
    }
    part
}
