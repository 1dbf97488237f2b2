//! The listing of windows.

use std::fmt;

use serde::Serialize;

use crate::{request::Day, snapshot::View};

/// A window, and whether it is open at the moment of the view.
#[derive(Serialize, Debug)]
pub struct WindowListing<'v> {
    pub name: &'v str,
    /// The days on which it opens; `None` for every day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<&'static str>>,
    pub from: String,
    pub to: String,
    pub zone: &'v str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
    pub open: bool,
    /// When it opens or closes next; `None` if it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    #[serde(skip)]
    text: String,
}

impl<'v> WindowListing<'v> {
    /// The windows in the order of their names.
    pub(super) fn all(view: &'v View) -> Vec<Self> {
        let listing = view.windows.iter().map(|(window, open)| Self {
            name: &window.name,
            days: (window.days.len() < Day::COUNT)
                .then(|| window.days.iter().map(|day| day.as_str()).collect()),
            from: window.from.to_string(),
            to: window.to.to_string(),
            zone: window.zone.name(),
            except: window.except.iter().map(ToString::to_string).collect(),
            open,
            until: window.next_edge(view.at).map(|edge| edge.to_string()),
            text: window.to_string(),
        });
        listing.collect()
    }
}

impl fmt::Display for WindowListing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {} {}", self.name, self.text)?;
        let state = if self.open { "open" } else { "closed" };
        match &self.until {
            Some(until) => writeln!(f, "    {state} until {until}"),
            None => writeln!(f, "    {state}"),
        }
    }
}
