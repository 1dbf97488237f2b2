//! The suite of all stores, run on etcd.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{etcd::member::Member, support::cluster::Cluster};

/// Makes members, each under a prefix of its own.
fn apart(cluster: &Cluster) -> impl Fn() -> Box<dyn crate::laws::conformance::Harness> {
    let next = AtomicUsize::new(0);
    move || {
        let prefix = format!("tries/{}", next.fetch_add(1, Ordering::Relaxed));
        Box::new(Member::join(&cluster.store(&prefix)))
    }
}

#[test]
fn it_does_what_every_store_does() {
    crate::laws::conformance::check(&apart(&Cluster::start(1)));
}

#[test]
fn it_holds_what_a_map_would() {
    crate::laws::model::check(&apart(&Cluster::start(1)), 6);
}
