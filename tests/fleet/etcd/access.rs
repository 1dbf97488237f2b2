//! Access to etcd: users, passwords, TLS.

use std::{fs, path::Path, process::Command};

use peerage::store::{Store, StoreError, etcd::EtcdStore};
use tempfile::TempDir;

use crate::{
    etcd::member::Member,
    laws::conformance::commit,
    laws::sets::{all, set, user},
    support::cluster::Cluster,
};

fn refusal(address: &str) -> String {
    EtcdStore::open(address).unwrap().load(&mut |_| ()).unwrap_err().to_string()
}

#[test]
fn users_sign_in_with_a_password() {
    let mut cluster = Cluster::start(1);
    for args in ["user add root:secret", "user grant-role root root", "auth enable"] {
        cluster.done(&args.split(' ').collect::<Vec<_>>());
    }
    cluster.credentials = vec!["--user=root:secret".to_owned()];
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("password");
    let host = cluster.endpoint(0);
    let with_file = format!("etcd://root@{host}/facts?password_file={}", file.display());

    assert!(refusal(&with_file).contains("password"), "there is no such file yet");
    fs::write(&file, "wrong\n").unwrap();
    assert!(refusal(&with_file).contains("authentication failed"));
    assert!(refusal(&format!("etcd://{host}/facts")).contains("user name is empty"));
    fs::write(&file, "secret\n").unwrap();

    let member = Member::join(&with_file);
    let first = commit(&member, &[set(&user("ann"), None, Some("1"))])[0];
    let other = Member::join(&format!("etcd://root:s%65cret@{host}/facts"));
    assert_eq!(other.store().get(&user("ann")).unwrap().unwrap().version, first);

    // Tokens live in the memory of a node.
    cluster.kill(0);
    cluster.run(0);
    cluster.wait_until_healthy();
    let again = commit(&member, &[set(&user("ann"), Some(first), Some("2"))])[0];
    other.wait_for(again);
}

/// A certificate for the loopback, and its key.
fn certify(folder: &Path, name: &str, authority: Option<&str>) {
    let mut command = Command::new("openssl");
    command.current_dir(folder);
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    command.args(["-nodes", "-days", "2", "-subj", &format!("/CN={name}")]);
    command.args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")]);
    if let Some(authority) = authority {
        command.args(["-CA", &format!("{authority}.pem"), "-CAkey", &format!("{authority}.key")]);
        command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        command.args(["-addext", "subjectAltName=IP:127.0.0.1"]);
    }
    let made = command.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[test]
fn certificates_are_asked_for_on_both_sides() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    certify(folder.path(), "ours", None);
    certify(folder.path(), "theirs", None);
    certify(folder.path(), "node", Some("ours"));
    certify(folder.path(), "daemon", Some("ours"));
    let pem = |option: &str, name: &str| format!("--{option}={}", file(name));
    let cluster = Cluster::launch(
        1,
        "https",
        &[
            pem("cert-file", "node.pem"),
            pem("key-file", "node.key"),
            pem("trusted-ca-file", "ours.pem"),
            "--client-cert-auth".to_owned(),
        ],
        &[pem("cacert", "ours.pem"), pem("cert", "daemon.pem"), pem("key", "daemon.key")],
    );
    cluster.wait_until_healthy();
    let host = cluster.endpoint(0);
    let identity = format!("cert={}&key={}", file("daemon.pem"), file("daemon.key"));
    let options = "connect_timeout=500ms&request_timeout=1s";
    let with = |ca: &str| format!("etcds://{host}/facts?{options}&{identity}&ca={}", file(ca));

    let member = Member::join(&with("ours.pem"));
    let first = commit(&member, &[set(&user("ann"), None, Some("1"))])[0];
    assert_eq!(all(&EtcdStore::open(&with("ours.pem")).unwrap()).1[0].version, first);

    for refused in [
        with("theirs.pem"),
        format!("etcds://{host}/facts?{options}&{identity}"),
        format!("etcds://{host}/facts?{options}&ca={}", file("ours.pem")),
        format!("etcd://{host}/facts?{options}"),
    ] {
        let error = EtcdStore::open(&refused).unwrap().load(&mut |_| ()).unwrap_err();
        assert!(matches!(error, StoreError::Unreachable(_)), "{refused}: {error}");
    }
    assert!(refusal(&with("missing.pem")).contains("missing.pem"));
}
