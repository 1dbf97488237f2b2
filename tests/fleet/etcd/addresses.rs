//! Addresses of etcd as they are written on the command line.

use std::{path::PathBuf, time::Duration};

use peerage::store::etcd::{EtcdConfig, EtcdConfigError, EtcdPassword, EtcdTls, EtcdUser};

fn read(address: &str) -> EtcdConfig {
    address.parse().unwrap_or_else(|error| panic!("{address}: {error}"))
}

#[test]
fn an_address_says_where_and_how() {
    let spec = read("etcd://localhost:2379");
    let plain = EtcdConfig {
        endpoints: vec!["localhost:2379".to_owned()],
        prefix: "peerage/".to_owned(),
        user: None,
        tls: None,
        connect_timeout: Duration::from_secs(2),
        request_timeout: Duration::from_secs(3),
    };
    assert_eq!(spec, plain);
    assert_eq!(read("etcd://localhost:2379/"), plain);

    let spec = read(
        "etcds://chat:p%40ss@[::1]:1,b:2,10.0.0.1:3/a/b/?ca=%2Fca&cert=/c&key=/k\
         &connect_timeout=250ms&request_timeout=10s",
    );
    let full = EtcdConfig {
        endpoints: ["[::1]:1", "b:2", "10.0.0.1:3"].map(str::to_owned).into(),
        prefix: "a/b/".to_owned(),
        user: Some(EtcdUser {
            name: "chat".to_owned(),
            password: EtcdPassword::Given("p@ss".to_owned()),
        }),
        tls: Some(EtcdTls { ca: Some("/ca".into()), identity: Some(("/c".into(), "/k".into())) }),
        connect_timeout: Duration::from_millis(250),
        request_timeout: Duration::from_secs(10),
    };
    assert_eq!(spec, full);
    for shown in [spec.to_string(), format!("{spec:?}"), format!("{:?}", spec.user)] {
        assert!(!shown.contains("p@ss") && !shown.contains("p%40ss"), "{shown}");
    }

    let spec = read("etcd://chat@a:1?password_file=/run/secret");
    let password = EtcdPassword::File(PathBuf::from("/run/secret"));
    assert_eq!(spec.user, Some(EtcdUser { name: "chat".to_owned(), password }));
    for (address, ca) in [("etcd://a:1?ca=/x", Some("/x".into())), ("etcds://a:1", None)] {
        assert_eq!(read(address).tls, Some(EtcdTls { ca, identity: None }), "{address}");
    }
}

#[test]
fn what_is_no_address_is_refused() {
    let text = str::to_owned;
    let cases = [
        ("http://a:1", EtcdConfigError::Scheme),
        ("etcd://", EtcdConfigError::Endpoint(text(""))),
        ("etcd://a", EtcdConfigError::Endpoint(text("a"))),
        ("etcd://a:1,", EtcdConfigError::Endpoint(text(""))),
        ("etcd://a:0", EtcdConfigError::Endpoint(text("a:0"))),
        ("etcd://a:70000", EtcdConfigError::Endpoint(text("a:70000"))),
        ("etcd://::1:7", EtcdConfigError::Endpoint(text("::1:7"))),
        ("etcd://a:1?tls=on", EtcdConfigError::Option(text("tls"))),
        ("etcd://a:1?ca=x&ca=y", EtcdConfigError::Twice(text("ca"))),
        ("etcd://a:1?cert=x", EtcdConfigError::HalfIdentity),
        ("etcd://a:1?key=x", EtcdConfigError::HalfIdentity),
        ("etcd://a:1?password_file=x", EtcdConfigError::Password),
        ("etcd://u:p@a:1?password_file=x", EtcdConfigError::Password),
        ("etcd://u@a:1", EtcdConfigError::NoPassword),
        ("etcd://u:%4@a:1", EtcdConfigError::Escape(text("%4"))),
        ("etcd://a:1?connect_timeout=5", EtcdConfigError::Time(text("5"))),
        ("etcd://a:1?request_timeout=0s", EtcdConfigError::Time(text("0s"))),
        ("etcd://a:1?request_timeout=-1s", EtcdConfigError::Time(text("-1s"))),
    ];
    for (address, error) in cases {
        assert_eq!(address.parse::<EtcdConfig>(), Err(error), "{address}");
    }
}
