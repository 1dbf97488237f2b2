use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{cluster::Cluster, conformance, member::Member, model};

/// Makes members, each under a prefix of its own.
fn apart(cluster: &Cluster) -> impl Fn() -> Box<dyn conformance::Harness> {
    let next = AtomicUsize::new(0);
    move || {
        let prefix = format!("tries/{}", next.fetch_add(1, Ordering::Relaxed));
        Box::new(Member::join(&cluster.store(&prefix)))
    }
}

#[test]
fn it_does_what_every_store_does() {
    conformance::check(&apart(&Cluster::start(1)));
}

#[test]
fn it_holds_what_a_map_would() {
    model::check(&apart(&Cluster::start(1)), 6);
}
