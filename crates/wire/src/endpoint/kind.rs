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
    /// Blockscout's index of an EVM chain, which gives hints to an RPC endpoint and answers nothing itself.
    Blockscout,
    /// Etherscan's index of EVM chains (v2), likewise.
    Etherscan,
}

impl EndpointKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Esplora,
        Self::Core,
        Self::Electrum,
        Self::Rpc,
        Self::Blockscout,
        Self::Etherscan,
    ];

    /// The kind's name in arguments, configuration and recordings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Esplora => "esplora",
            Self::Core => "core",
            Self::Electrum => "electrum",
            Self::Rpc => "rpc",
            Self::Blockscout => "blockscout",
            Self::Etherscan => "etherscan",
        }
    }

    /// True for an index that only gives hints to endpoints of another kind. It is never guessed from a URL.
    pub fn gives_hints(self) -> bool {
        matches!(self, Self::Blockscout | Self::Etherscan)
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
            Self::Esplora | Self::Core | Self::Blockscout | Self::Etherscan => &["http", "https"],
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
