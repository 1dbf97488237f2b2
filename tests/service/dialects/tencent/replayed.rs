//! Sequences of calls with their answers, as data, from the documentation.

use super::rig;
use crate::dialects::replay::replay;

#[test]
fn the_life_of_a_relationship_chain() {
    replay(&rig(), "tencent/chain.yaml");
}

#[test]
fn what_the_document_leaves_unclear_is_answered_clearly() {
    replay(&rig(), "tencent/unclear.yaml");
}
