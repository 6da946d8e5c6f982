//! The kinds of endpoints.

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
    /// JSON-RPC of a node of an EVM chain, over HTTP, WebSocket or a local socket.
    Rpc,
}

impl EndpointKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Esplora, Self::Core, Self::Electrum, Self::Rpc];

    /// The kind's name in arguments, configuration and recordings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Esplora => "esplora",
            Self::Core => "core",
            Self::Electrum => "electrum",
            Self::Rpc => "rpc",
        }
    }

    /// The kind that a URL can only mean; `None` where it could mean several.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let has_api = || url.path().split('/').any(|part| part == "api");
        match (url.scheme(), url.port()) {
            ("tcp" | "ssl", _) => Some(Self::Electrum),
            ("ws" | "wss" | "ipc", _) | ("http", Some(8545)) => Some(Self::Rpc),
            // The RPC ports of main, test3, test4, signet and regtest networks.
            ("http", Some(8332 | 18_332 | 48_332 | 38_332 | 18_443)) => Some(Self::Core),
            ("http" | "https", _) if has_api() => Some(Self::Esplora),
            _ => None,
        }
    }

    pub(super) fn schemes(self) -> &'static [&'static str] {
        match self {
            Self::Esplora | Self::Core => &["http", "https"],
            Self::Electrum => &["tcp", "ssl"],
            Self::Rpc => &["http", "https", "ws", "wss", "ipc"],
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
