//! A network of its own between some places, each of which can be cut off from the others.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test takes a part of it, and may fail by it"
)]

use std::{process::Command, sync::atomic::{AtomicUsize, Ordering}};

use super::cluster::Place;

/// Goes with this. Nothing of it is reached from outside but by Unix sockets.
#[derive(Debug)]
pub struct Network {
    /// That of the switch, and one for each place.
    namespaces: Vec<String>,
}

impl Network {
    /// `None` if the system lets nobody make one who is not root.
    pub fn between(places: usize) -> Option<Self> {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("peerage-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let network =
            Self { namespaces: (0..=places).map(|at| format!("{name}-{at}")).collect() };
        let switch = &network.namespaces[0];
        let mut made = ip(&["netns", "add", switch])
            && ip(&["-n", switch, "link", "add", "bridge", "type", "bridge"])
            && ip(&["-n", switch, "addr", "add", "10.77.0.254/24", "dev", "bridge"])
            && ip(&["-n", switch, "link", "set", "bridge", "up"]);
        for (at, namespace) in network.namespaces.iter().enumerate().skip(1) {
            let (plug, address) = (format!("plug{at}"), format!("10.77.0.{at}/24"));
            made = made
                && ip(&["netns", "add", namespace])
                && ip(&["-n", switch, "link", "add", &plug, "type", "veth", "peer", "name", "eth0",
                    "netns", namespace])
                && ip(&["-n", switch, "link", "set", &plug, "master", "bridge", "up"])
                && ip(&["-n", namespace, "addr", "add", &address, "dev", "eth0"])
                && ip(&["-n", namespace, "link", "set", "eth0", "up"])
                && ip(&["-n", namespace, "link", "set", "lo", "up"]);
        }
        made.then_some(network)
    }

    fn within(namespace: &str) -> Vec<String> {
        ["ip", "netns", "exec", namespace].map(str::to_owned).to_vec()
    }

    /// What runs a command at a place.
    pub fn at(&self, place: usize) -> Place {
        Place {
            host: format!("10.77.0.{}", place + 1),
            within: Self::within(&self.namespaces[place + 1]),
        }
    }

    /// What runs a command where all places are reached that are not cut off.
    pub fn middle(&self) -> Vec<String> {
        Self::within(&self.namespaces[0])
    }

    /// What is sent to it and by it is lost.
    #[track_caller]
    pub fn cut(&self, place: usize) {
        self.plug(place, "down");
    }

    #[track_caller]
    pub fn mend(&self, place: usize) {
        self.plug(place, "up");
    }

    #[track_caller]
    fn plug(&self, place: usize, state: &str) {
        let plug = format!("plug{}", place + 1);
        assert!(ip(&["-n", &self.namespaces[0], "link", "set", &plug, state]));
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for namespace in &self.namespaces {
            ip(&["netns", "del", namespace]);
        }
    }
}

fn ip(args: &[&str]) -> bool {
    Command::new("ip").args(args).output().is_ok_and(|output| output.status.success())
}
