//! The options of AuthZEN's API.

use clap::{Args, ValueEnum};

use crate::serve::PropertyNames;

#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct AuthzenArgs {
    /// Whether AuthZEN's responses have a `context`, with the reason
    #[arg(long, value_enum, value_name = "WHETHER", default_value_t = ContextChoice::On)]
    authzen_context: ContextChoice,
    /// The properties of AuthZEN's requests that replace those of users and groups
    ///
    /// `all`: any `tags`, `peers`, `permissions`, `moderation`, `role`, `matrix`, `member` or `field` of
    /// peerage's types. `peerage`: only those in the object `peerage` of the properties, for callers that
    /// pass attributes of their own, such as an HR system's `role: admin`.
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = PropertiesChoice::All)]
    properties: PropertiesChoice,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum PropertiesChoice {
    All,
    Peerage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum ContextChoice {
    On,
    Off,
}

impl AuthzenArgs {
    pub(super) fn has_context(&self) -> bool {
        self.authzen_context == ContextChoice::On
    }

    pub(super) fn property_names(&self) -> PropertyNames {
        match self.properties {
            PropertiesChoice::All => PropertyNames::All,
            PropertiesChoice::Peerage => PropertyNames::Peerage,
        }
    }
}
