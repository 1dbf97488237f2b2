//! The configuration of an etcd store.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

/// The configuration of an etcd store, from its address:
/// `etcd://[USER[:PASSWORD]@]HOST:PORT[,HOST:PORT...][/PREFIX][?OPTION=VALUE[&...]]`.
///
/// `etcds` instead of `etcd` speaks TLS, with the certificate authorities of the system. The options:
/// - `ca`: a file of certificate authorities to trust instead; speaks TLS;
/// - `cert` and `key`: the files of a client certificate; speak TLS;
/// - `password_file`: a file that holds the password, since others can read command lines;
/// - `connect_timeout`: how long one node may take to accept a connection, by default `2s`;
/// - `request_timeout`: how long a node may take to answer, by default `3s`.
///
/// Times are whole numbers with `ms` or `s`. In user, password and options, `%` and two hexadecimal
/// digits stand for a byte. All keys begin with the prefix and a slash, by default `peerage/`.
/// Fleets that share a cluster must use prefixes of which none begins with another.
#[derive(Clone, PartialEq, Eq)]
pub struct EtcdConfig {
    /// The `host:port` of each node, at least one.
    pub endpoints: Vec<String>,
    /// The prefix of all keys; ends with a slash.
    pub prefix: String,
    pub user: Option<EtcdUser>,
    /// `None` for plain text.
    pub tls: Option<EtcdTls>,
    pub connect_timeout: Duration,
    pub request_timeout: Duration,
}

/// The credentials of an etcd user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EtcdUser {
    pub name: String,
    pub password: EtcdPassword,
}

#[derive(Clone, PartialEq, Eq)]
pub enum EtcdPassword {
    Given(String),
    /// A file that is read at each connection, so that it may change. A line break at its end is ignored.
    File(PathBuf),
}

/// TLS files in PEM, which are read at each connection, so that they may change.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct EtcdTls {
    /// The certificate authorities; those of the system if it is `None`.
    pub ca: Option<PathBuf>,
    /// The client certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// The error for an address that is not one of an etcd store.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EtcdConfigError {
    #[error("the address of an etcd begins with `etcd://` or `etcds://`")]
    Scheme,
    #[error("`{0}` is not `host:port`")]
    Endpoint(String),
    #[error(
        "unknown option `{0}`; the options are ca, cert, key, password_file, connect_timeout and request_timeout"
    )]
    Option(String),
    #[error("the option `{0}` is given twice")]
    Twice(String),
    #[error("`{0}` is not a time: use a whole number above 0 with `ms` or `s`, as in `500ms`")]
    Time(String),
    #[error("`cert` and `key` must be given together")]
    HalfIdentity,
    #[error("a password needs a user, and is given either in the address or as `password_file`")]
    Password,
    #[error("a user needs a password: `user:password@` or `password_file`")]
    NoPassword,
    #[error("`{0}` holds a `%` without two hexadecimal digits of UTF-8 after it")]
    Escape(String),
}

const PREFIX: &str = "peerage/";
const CONNECT: Duration = Duration::from_secs(2);
const REQUEST: Duration = Duration::from_secs(3);

impl EtcdConfig {
    /// The beginnings of the address of an etcd store.
    pub const SCHEMES: [&str; 2] = ["etcd://", "etcds://"];

    /// The files that hold secrets: the password's and the key's.
    pub fn secrets(&self) -> impl Iterator<Item = &Path> {
        let password = self.user.iter().filter_map(|user| match &user.password {
            EtcdPassword::File(path) => Some(path.as_path()),
            EtcdPassword::Given(_) => None,
        });
        let identity = self.tls.iter().filter_map(|tls| tls.identity.as_ref());
        password.chain(identity.map(|(_, key)| key.as_path()))
    }
}

impl FromStr for EtcdConfig {
    type Err = EtcdConfigError;

    fn from_str(text: &str) -> Result<Self, EtcdConfigError> {
        let [plain, secure] = Self::SCHEMES;
        let (rest, is_secure) = match (text.strip_prefix(plain), text.strip_prefix(secure)) {
            (Some(rest), _) => (rest, false),
            (None, Some(rest)) => (rest, true),
            (None, None) => return Err(EtcdConfigError::Scheme),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let options = EtcdUrlOptions::read(query)?;
        let mut tls = is_secure.then(EtcdTls::default);
        if let Some(ca) = options.ca {
            tls.get_or_insert_default().ca = Some(ca.into());
        }
        match (options.cert, options.key) {
            (Some(cert), Some(key)) => {
                tls.get_or_insert_default().identity = Some((cert.into(), key.into()));
            }
            (None, None) => {}
            _ => return Err(EtcdConfigError::HalfIdentity),
        }
        Ok(Self {
            endpoints: hosts.split(',').map(endpoint).collect::<Result<_, _>>()?,
            prefix: prefix(path),
            user: parse_user(user, options.password_file)?,
            tls,
            connect_timeout: options.connect_timeout.unwrap_or(CONNECT),
            request_timeout: options.request_timeout.unwrap_or(REQUEST),
        })
    }
}

#[derive(Default)]
struct EtcdUrlOptions {
    ca: Option<String>,
    cert: Option<String>,
    key: Option<String>,
    password_file: Option<String>,
    connect_timeout: Option<Duration>,
    request_timeout: Option<Duration>,
}

impl EtcdUrlOptions {
    fn read(query: &str) -> Result<Self, EtcdConfigError> {
        let mut options = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = unescape(value)?;
            let is_twice = match name {
                "ca" => options.ca.replace(value).is_some(),
                "cert" => options.cert.replace(value).is_some(),
                "key" => options.key.replace(value).is_some(),
                "password_file" => options.password_file.replace(value).is_some(),
                "connect_timeout" => options.connect_timeout.replace(time(&value)?).is_some(),
                "request_timeout" => options.request_timeout.replace(time(&value)?).is_some(),
                _ => return Err(EtcdConfigError::Option(name.to_owned())),
            };
            if is_twice {
                return Err(EtcdConfigError::Twice(name.to_owned()));
            }
        }
        Ok(options)
    }
}

fn endpoint(text: &str) -> Result<String, EtcdConfigError> {
    let wrong = || EtcdConfigError::Endpoint(text.to_owned());
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let is_v6 = host.starts_with('[') && host.ends_with(']');
    let is_host = !host.is_empty() && (is_v6 || !host.contains([':', '[', ']']));
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    if is_host && is_port { Ok(text.to_owned()) } else { Err(wrong()) }
}

fn prefix(path: &str) -> String {
    match path.trim_end_matches('/') {
        "" => PREFIX.to_owned(),
        path => format!("{path}/"),
    }
}

fn parse_user(
    user: Option<&str>,
    file: Option<String>,
) -> Result<Option<EtcdUser>, EtcdConfigError> {
    let Some(user) = user else {
        return if file.is_some() { Err(EtcdConfigError::Password) } else { Ok(None) };
    };
    let (name, given) = match user.split_once(':') {
        Some((name, password)) => (name, Some(unescape(password)?)),
        None => (user, None),
    };
    let password = match (given, file) {
        (Some(password), None) => EtcdPassword::Given(password),
        (None, Some(file)) => EtcdPassword::File(file.into()),
        (None, None) => return Err(EtcdConfigError::NoPassword),
        (Some(_), Some(_)) => return Err(EtcdConfigError::Password),
    };
    Ok(Some(EtcdUser { name: unescape(name)?, password }))
}

fn time(text: &str) -> Result<Duration, EtcdConfigError> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').unwrap_or(""), 1000),
    };
    match number.parse::<u32>() {
        Ok(number) if number > 0 => Ok(Duration::from_millis(u64::from(number) * unit)),
        _ => Err(EtcdConfigError::Time(text.to_owned())),
    }
}

fn unescape(text: &str) -> Result<String, EtcdConfigError> {
    let wrong = || EtcdConfigError::Escape(text.to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(*rest.next()?).to_digit(16);
            let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
            bytes.extend(u8::try_from(high * 16 + low));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// The address without the password, for logs and errors.
impl fmt::Display for EtcdConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [plain, secure] = Self::SCHEMES;
        f.write_str(if self.tls.is_some() { secure } else { plain })?;
        if let Some(user) = &self.user {
            write!(f, "{}@", user.name)?;
        }
        write!(f, "{}/{}", self.endpoints.join(","), self.prefix)
    }
}

impl fmt::Debug for EtcdPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("Given"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

impl fmt::Debug for EtcdConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spec({self})")
    }
}
