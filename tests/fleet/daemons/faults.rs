//! Nodes and daemons that are killed, fall silent, and are cut off, while many write.

use crate::{
    daemons::fleet::{DAEMONS, Fleet, survives},
    support::cluster::{Cluster, wait_for},
    support::network::Network,
};

pub(crate) const POLICY: &str = include_str!("../../facts/durability/policy.yaml");

/// Other rules, so that a reload changes something.
const OTHER: &str = "
blocks: { send_message: one_way, start_chat: one_way, friend_request: 'off' }
moderation: { managers: hasTag(boss) }
";

#[test]
fn daemons_are_killed_and_policies_change() {
    let fleet = Fleet::start(POLICY);
    survives("daemons killed, policies changed", &fleet, |progress| {
        for at in 0..DAEMONS {
            fleet.write_policy(if at % 2 == 0 { OTHER } else { POLICY });
            progress.wait_for_more(30);
            fleet.kill(at);
            progress.wait_for_more(30);
            fleet.run(at);
        }
        fleet.write_policy(POLICY);
        progress.wait_for_more(50);
        // All read it again, whether or not they heard of it yet.
        for at in 0..DAEMONS {
            assert_eq!(fleet.client(at).post("/v1/reload", b"").status, 200);
        }
    });
}

#[test]
fn the_leader_is_killed() {
    let fleet = Fleet::start(POLICY);
    survives("leader killed", &fleet, |progress| {
        for _ in 0..2 {
            let mut cluster = fleet.cluster.lock().unwrap();
            let leader = cluster.leader();
            cluster.kill(leader);
            progress.wait_for_more(40);
            cluster.run(leader);
        }
    });
}

#[test]
fn all_nodes_are_killed() {
    let fleet = Fleet::start(POLICY);
    survives("all killed", &fleet, |progress| {
        for _ in 0..2 {
            let mut cluster = fleet.cluster.lock().unwrap();
            (0..cluster.len()).for_each(|at| cluster.kill(at));
            (0..cluster.len()).for_each(|at| cluster.run(at));
            progress.wait_for_more(40);
        }
    });
}

#[test]
fn nodes_fall_silent() {
    let fleet = Fleet::start(POLICY);
    survives("silent", &fleet, |progress| {
        let cluster = fleet.cluster.lock().unwrap();
        let leader = cluster.leader();
        cluster.pause(leader);
        progress.wait_for_more(40);
        cluster.resume(leader);
        progress.wait_for_more(20);
        // Without a majority.
        cluster.pause(0);
        cluster.pause(1);
        wait_for("a refusal", || {
            let body = br#"{"commands":[{"op":"put_user","user":"probe"}]}"#;
            (fleet.client(0).post("/v1/facts", body).status == 503).then_some(())
        });
        cluster.resume(0);
        cluster.resume(1);
        progress.wait_for_more(40);
    });
}

/// A node and the daemon beside it are cut off from all others, the leader first: what is lost in
/// between is neither told to be there nor told not to be.
#[test]
fn a_partition() {
    let Some(network) = Network::between(DAEMONS) else {
        println!("only root may part networks: silent nodes stand for it");
        return;
    };
    let places: Vec<_> = (0..DAEMONS).map(|at| network.at(at)).collect();
    let within = places.iter().map(|place| place.within.clone()).collect();
    let cluster = Cluster::placed(places, network.middle());
    let fleet = Fleet::placed(POLICY, cluster, within);
    survives("partition", &fleet, |progress| {
        let leader = fleet.cluster.lock().unwrap().leader();
        for at in [leader, (leader + 1) % DAEMONS] {
            network.cut(at);
            progress.wait_for_more(40);
            network.mend(at);
            progress.wait_for_more(20);
        }
    });
}
