//! The kinds of endpoints of a Bitcoin chain.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

/// What an endpoint speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndpointKind {
    /// Esplora's REST interface.
    Esplora,
    /// Bitcoin Core's JSON-RPC, and REST where it is switched on.
    Core,
    /// The Electrum protocol.
    Electrum,
}

impl EndpointKind {
    /// All kinds, in the order in which a recording of several is asked.
    pub const ALL: [Self; 3] = [Self::Esplora, Self::Core, Self::Electrum];

    /// The kind's name in arguments, configuration and recordings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Esplora => "esplora",
            Self::Core => "core",
            Self::Electrum => "electrum",
        }
    }

    /// The kind that a URL can only mean; `None` where it could mean several.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let has_api = || url.path().split('/').any(|part| part == "api");
        match (url.scheme(), url.port()) {
            ("tcp" | "ssl", _) => Some(Self::Electrum),
            // The RPC ports of main, test3, test4, signet and regtest networks.
            ("http", Some(8332 | 18_332 | 48_332 | 38_332 | 18_443)) => Some(Self::Core),
            ("http" | "https", _) if has_api() => Some(Self::Esplora),
            _ => None,
        }
    }

    pub(super) fn schemes(self) -> [&'static str; 2] {
        match self {
            Self::Esplora | Self::Core => ["http", "https"],
            Self::Electrum => ["tcp", "ssl"],
        }
    }
}

impl fmt::Display for EndpointKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EndpointKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|kind| kind.name() == text);
        named.ok_or(())
    }
}
