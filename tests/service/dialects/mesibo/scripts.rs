//! Requests as they are printed, and the answers to them.

use super::POLICY;
use crate::{dialects::replay::replay, dialects::rig::Rig};

#[test]
fn the_document() {
    replay(&Rig::start(POLICY), "mesibo/document.yaml");
}

#[test]
fn the_envelope() {
    replay(&Rig::start(POLICY), "mesibo/envelope.yaml");
}

#[test]
fn users() {
    replay(&Rig::start(POLICY), "mesibo/users.yaml");
}

#[test]
fn permissions_and_what_is_ignored() {
    replay(&Rig::start(POLICY), "mesibo/ignored.yaml");
}

#[test]
fn groups() {
    replay(&Rig::start(POLICY), "mesibo/groups.yaml");
}
