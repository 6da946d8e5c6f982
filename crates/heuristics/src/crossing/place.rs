//! Where value goes: a chain that this version reads, or one of which only the name is known.

use std::fmt;

use alloy_primitives::Address;
use bitcoin::{Address as BitcoinAddress, Network, ScriptBuf};
use hansel_ledger::{Chain, Family};

use super::Payee;

/// A chain that value goes to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A chain of the configuration.
    Chain(Chain),
    /// A chain that is not configured, in the protocol's words, made printable.
    Elsewhere(String),
}

impl Place {
    /// The chain, where it is configured.
    pub fn chain(&self) -> Option<&Chain> {
        match self {
            Self::Chain(chain) => Some(chain),
            Self::Elsewhere(_) => None,
        }
    }

    /// A script as an address of the place.
    pub(super) fn spell(&self, script: &ScriptBuf) -> String {
        let network = self.chain().and_then(Chain::network);
        let address = network.and_then(|network| BitcoinAddress::from_script(script, network).ok());
        address.map_or_else(|| script.to_hex_string(), |address| address.to_string())
    }

    /// Reads an address as the place spells them.
    pub(super) fn payee(&self, text: &str) -> Payee {
        if text.is_empty() {
            return Payee::Unknown;
        }
        let read = match self {
            Self::Chain(chain) => match chain.family() {
                Family::Bitcoin(network) => script(text, *network).map(Payee::Script),
                Family::Evm(_) => account(text).map(Payee::Account),
            },
            Self::Elsewhere(_) => None,
        };
        read.unwrap_or_else(|| Payee::Other(printable(text)))
    }
}

fn script(text: &str, network: Network) -> Option<ScriptBuf> {
    let address: BitcoinAddress<_> = text.parse().ok()?;
    let address = address.require_network(network).ok()?;
    Some(address.script_pubkey())
}

/// An account in any case: memos are often written without regard to checksums.
fn account(text: &str) -> Option<Address> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))?;
    (digits.len() == 40).then(|| digits.parse().ok()).flatten()
}

/// Text of a chain without anything that could steer a terminal or a page, and not too long.
pub(super) fn printable(text: &str) -> String {
    let safe = |c: char| c.is_ascii_graphic() && !"<>&\"'`\\".contains(c) || c == ' ';
    let mut shown: String = text
        .chars()
        .take(120)
        .map(|c| if safe(c) { c } else { '\u{fffd}' })
        .collect();
    if text.chars().nth(120).is_some() {
        shown.push_str("...");
    }
    shown
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(chain) => write!(f, "{chain}"),
            Self::Elsewhere(name) => f.write_str(name),
        }
    }
}
