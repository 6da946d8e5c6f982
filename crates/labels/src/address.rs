//! Chains and addresses as sources spell them, and the one spelling by which they are found again.

use hansel_ledger::{Chain, Subject};

use crate::place::{Reason, quoted};

/// What a source may write for every EVM chain at once, as fits an account whose key is the same on all of them.
pub(crate) const ALL_EVM: &str = "evm";

const LONGEST_NETWORK: usize = 40;
/// An uncompressed public key in hexadecimal digits.
pub(crate) const LONGEST_ADDRESS: usize = 130;

/// Short names of chains in TagPacks and OFAC's list, in lower case.
const SHORT_NAMES: [(&str, &str); 12] = [
    ("btc", "bitcoin"),
    ("xbt", "bitcoin"),
    ("eth", "ethereum"),
    ("arb", "arbitrum"),
    ("bnb", "bnb"),
    ("bsc", "bnb"),
    ("base", "base"),
    ("op", "optimism"),
    ("matic", "polygon"),
    ("pol", "polygon"),
    ("avax", "avalanche"),
    ("evm", ALL_EVM),
];

/// What a source's name of a chain means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Network<'a> {
    /// A chain that this version reads.
    One(&'a Chain),
    /// Every EVM chain; holds one of them, by whose rules addresses are spelt.
    AllEvm(&'a Chain),
    /// A chain that this version does not read.
    Unread,
}

impl<'a> Network<'a> {
    /// Reads a chain's name or short name in any case; anything that could be the name of a chain is one.
    pub(crate) fn parse(text: &str, chains: &'a [Chain]) -> Result<Self, Reason> {
        let lower = text.trim().to_ascii_lowercase();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_. ".contains(&b);
        if lower.is_empty() || lower.len() > LONGEST_NETWORK || !lower.bytes().all(plain) {
            return Err(Reason::Network(quoted(text)));
        }
        let by_name = |name: &str| chains.iter().find(|chain| chain.name() == name);
        if let Some(chain) = by_name(&lower) {
            return Ok(Self::One(chain));
        }
        let name = SHORT_NAMES.iter().find(|(short, _)| *short == lower);
        match name.map(|(_, name)| *name) {
            Some(ALL_EVM) => {
                let evm = chains.iter().find(|chain| chain.evm().is_some());
                Ok(evm.map_or(Self::Unread, Self::AllEvm))
            }
            Some(name) => Ok(by_name(name).map_or(Self::Unread, Self::One)),
            None => Ok(Self::Unread),
        }
    }

    /// The chain's name in labels; `None` for one that is not read.
    pub(crate) fn name(&self) -> Option<&'a str> {
        match self {
            Self::One(chain) => Some(chain.name()),
            Self::AllEvm(_) => Some(ALL_EVM),
            Self::Unread => None,
        }
    }

    /// The address as it is kept and shown, its checksum checked; `None` on a chain that is not read.
    pub(crate) fn address(&self, text: &str) -> Result<Option<String>, Reason> {
        let (Self::One(chain) | Self::AllEvm(chain)) = self else {
            return Ok(None);
        };
        match Subject::parse(text, chain) {
            Ok(Subject::Script { text, .. }) => Ok(Some(text)),
            Ok(Subject::Account(address)) => Ok(Some(address.to_string())),
            Ok(_) => Err(Reason::Address(format!(
                "`{}` is not an address but a transaction",
                quoted(text)
            ))),
            Err(error) => Err(Reason::Address(error.to_string())),
        }
    }
}

/// The short name that GraphSense's own tools use for a chain; the chain's name where they have none.
pub(crate) fn short_name(network: &str) -> &str {
    match network {
        "bitcoin" => "BTC",
        "ethereum" => "ETH",
        other => other,
    }
}

/// An address in the spelling by which it is looked up, without allocating.
pub(crate) struct Sought {
    bytes: [u8; LONGEST_ADDRESS],
    length: usize,
}

impl Sought {
    /// `None` for what is longer than any address.
    pub(crate) fn new(address: &str) -> Option<Self> {
        let given = address.as_bytes();
        let mut bytes = [0; LONGEST_ADDRESS];
        bytes.get_mut(..given.len())?.copy_from_slice(given);
        // Base58 begins with 1, 2, 3, m or n and tells cases apart; hexadecimal digits and Bech32 do not.
        if given.first().is_some_and(|first| b"0bBtT".contains(first)) {
            bytes.make_ascii_lowercase();
        }
        Some(Self {
            bytes,
            length: given.len(),
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// True for the form of EVM addresses.
    pub(crate) fn is_evm(&self) -> bool {
        self.length == 42 && self.bytes.starts_with(b"0x")
    }

    /// True where `kept`, an address as it is kept, is this one.
    pub(crate) fn is(&self, kept: &str) -> bool {
        Self::new(kept).is_some_and(|kept| kept.bytes() == self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_matters_in_base58_only() {
        let same = |a: &str, b: &str| Sought::new(a).unwrap().is(b);
        assert!(same(
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
        ));
        assert!(same(
            "0X28C6C06298D514DB089934071355E5743BF21D60",
            "0x28C6c06298d514Db089934071355E5743bf21d60"
        ));
        assert!(!same(
            "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P",
            "1b6rjrfjtxwey36scs5zofgmmdv2kdzw7p"
        ));
        assert!(Sought::new(&"0".repeat(131)).is_none());
        assert!(Sought::new("").is_some_and(|none| none.bytes().is_empty()));
    }
}
