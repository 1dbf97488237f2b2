//! The policy being served: one view with its revision.

use std::{sync::Arc, time::SystemTime};

use crate::{compile::Declarations, snapshot::View};

/// A view as it is being served.
#[derive(Debug)]
pub struct ServedPolicy {
    pub view: View,
    /// The declarations of the files, which facts can't change; present if there are facts.
    pub declarations: Option<Arc<Declarations>>,
    /// The revision as text, since every response carries it.
    pub revision: String,
    /// When serving it began.
    pub since: SystemTime,
}

impl ServedPolicy {
    pub(super) fn new(view: View, declarations: Option<Arc<Declarations>>) -> Self {
        Self { revision: view.revision.to_string(), view, declarations, since: SystemTime::now() }
    }
}
