//! The options of listeners: addresses, sockets, and what is answered there.

use std::{collections::HashSet, path::PathBuf};

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{
    access_args::AccessArgs,
    listen_address::{self, DEFAULT_ADDRESS, ListenAddress},
    socket_activation::InheritedSockets,
    socket_args::{self, FileMode, GroupName},
};
use crate::{
    cli::Output,
    serve::{AllowMap, AllowStatus, HostName, ListenerRole, Listeners, PublicUrl},
};

#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct ListenArgs {
    /// Listen on this address; may be given several times
    ///
    /// Without --listen and --uds, it is 127.0.0.1:7411. localhost:7411 means the loopback addresses, :7411
    /// all addresses. Port 0 takes any free port.
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<ListenAddress>,
    /// Listen on this address for administrators; may be given several times
    ///
    /// Facts, reloads, backups, the status and the metrics are answered there, and no longer at --listen and
    /// --uds. Decisions are answered there too.
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Vec<ListenAddress>,
    /// Let --listen name addresses that other machines can reach, though decisions need no token
    ///
    /// Everyone who can reach them can request decisions and list users.
    #[arg(long)]
    insecure_listen: bool,
    /// Accept this host name in requests to loopback addresses; may be given several times
    ///
    /// An address, localhost, a name that ends in .localhost and the host of --public-url are always
    /// accepted. Other hosts are refused there, against DNS rebinding by pages in a browser. Unix sockets
    /// and other addresses accept any host.
    #[arg(long = "host", value_name = "NAME")]
    pub(super) hosts: Vec<HostName>,
    /// The status with which /v1/allow allows: 200 for proxies that accept no other
    #[arg(long, value_name = "STATUS", default_value = "204")]
    pub(super) allow_status: AllowStatus,
    /// Where the parts of a question stand in requests to /v1/allow; may be given several times
    ///
    /// Parts are separated by blanks, as `uri=/rooms/{resource} subject=header:X-User action=const:read`. A part
    /// comes from a header (header:NAME), the query (query:NAME), a constant (const:VALUE) or a segment of the
    /// path. The first map whose uri matches the path of the original request is used; what none matches, or
    /// lacks a part, is denied.
    #[arg(long = "allow-map", value_name = "MAP")]
    pub(super) allow_maps: Vec<AllowMap>,
    /// Listen on a Unix socket; may be given several times
    #[arg(long, value_name = "PATH")]
    uds: Vec<PathBuf>,
    /// The mode of the files of --uds: who may connect, as 0660
    ///
    /// By default it is that of the umask, and 0660 with --uds-group.
    #[arg(long, value_name = "MODE", requires = "uds")]
    uds_mode: Option<FileMode>,
    /// The group of the files of --uds
    #[arg(long, value_name = "NAME|GID", requires = "uds")]
    uds_group: Option<GroupName>,
    /// The URL at which AuthZEN's clients reach the daemon, such as that of a proxy
    ///
    /// AuthZEN's metadata name the endpoints below it, with its path. By default it is the first address
    /// that the daemon listens on.
    #[arg(long, value_name = "URL")]
    pub(super) public_url: Option<PublicUrl>,
}

impl ListenArgs {
    /// Refuses addresses that other machines reach, unless that is meant.
    /// Callers are known by their tokens or certificates if the daemon `is_guarded`.
    pub(super) fn check(
        &self,
        inherited: &InheritedSockets,
        is_guarded: bool,
        has_tls: bool,
    ) -> Result<()> {
        if is_guarded {
            return Ok(());
        }
        let is_meant = self.insecure_listen || has_tls;
        let named = self.listen.iter().chain(&self.admin_listen).copied();
        listen_address::check(named.chain(inherited.addresses()), is_meant)
    }

    /// Binds all sockets besides those that were handed over, and prints their addresses, a line each. Returns
    /// these, too.
    pub(super) async fn bind(
        &self,
        inherited: InheritedSockets,
        access: &AccessArgs,
        scheme: &str,
        output: &Output,
    ) -> Result<(Listeners, Vec<String>)> {
        let mut listeners = Listeners::default();
        let default = DEFAULT_ADDRESS.parse::<ListenAddress>()?;
        let is_default =
            self.listen.is_empty() && self.uds.is_empty() && !inherited.have_decisions();
        let mut places = inherited.listen(&mut listeners, scheme)?;
        for address in self.listen.iter().chain(is_default.then_some(&default)) {
            let bound = address.bind(&mut listeners, ListenerRole::Decision)?;
            places.extend(bound.iter().map(|bound| format!("{scheme}://{bound}")));
        }
        let socket_access = socket_args::access(self.uds_mode, self.uds_group.as_ref())?;
        for path in &self.uds {
            listeners.unix(path.clone(), socket_access).await?;
            places.push(format!("unix:{}", path.display()));
        }
        for path in &access.admin_uds {
            listeners.admin(path.clone()).await?;
            places.push(format!("unix:{} for administrators", path.display()));
        }
        for address in &self.admin_listen {
            let bound = address.bind(&mut listeners, ListenerRole::Admin)?;
            places
                .extend(bound.iter().map(|bound| format!("{scheme}://{bound} for administrators")));
        }
        // One that is both handed over and named is printed once.
        let mut known = HashSet::new();
        places.retain(|place| known.insert(place.clone()));
        // An address is printed once it is bound.
        for place in &places {
            let line = if output.is_json() {
                json!({ "listening": place }).to_string()
            } else {
                format!("listening on {place}")
            };
            output.result(&(line + "\n"))?;
        }
        Ok((listeners, places))
    }
}
