//! Value that is made on one chain against a payment on Bitcoin, of which only the log of the other chain tells: the payment
//! looks like any other.

use std::fmt;

use alloy_primitives::{Address, B256};
use bitcoin::{OutPoint, Script, ScriptBuf, Txid};
use hansel_ledger::{Amount, Chain, Coin, Event, EvmTransaction, Movement, Origin};
use serde::{Deserialize, Serialize};

use super::{
    Bridges, Carrier, Certainty, Departure, Link, Payee, Place, Protocol, Search, sweep, tbtc, wbtc,
};

/// An event of another chain that names a payment on Bitcoin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The chain that logged it.
    pub chain: String,
    /// What it logged.
    pub event: Event,
    /// What the payment's script holds besides, where the event leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<B256>,
}

/// Where a protocol logs the payments against which it makes value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintLogs {
    /// The protocol.
    pub protocol: Protocol,
    /// The chain.
    pub chain: String,
    /// The contracts, ascending.
    pub contracts: Vec<Address>,
    /// The form of the event.
    pub form: B256,
}

/// A payment against which value is made, as an event names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backing {
    /// The transaction.
    pub txid: Txid,
    /// Its output; `None` where only the script is told.
    pub vout: Option<u32>,
    pub(super) protocol: Protocol,
    /// The scripts of which the output must have one.
    pub(super) scripts: Vec<ScriptBuf>,
    /// How much was paid, in satoshi.
    pub(super) paid: u64,
    pub(super) link: Link,
    pub(super) payee: Payee,
    pub(super) asset: String,
    pub(super) place: Place,
    /// What the other chain calls the payment, where its script may hold what the event does not tell.
    pub(super) key: Option<B256>,
    /// The chain of the payment.
    pub(super) home: String,
    pub(super) search: Search,
}

impl Backing {
    /// What leaves Bitcoin by an output of the transaction; `None` where it is not the one that the event names, by its
    /// index, its script and its value.
    pub fn departure(&self, vout: u32, value: u64, script: &Script) -> Option<Departure> {
        let fits = self.vout.is_none_or(|named| named == vout)
            && self.scripts.iter().any(|one| **one == *script)
            && value == self.paid;
        fits.then(|| Departure {
            protocol: self.protocol,
            link: self.link.clone(),
            carrier: Some(Carrier::Output(vout)),
            amount: Amount::from(value),
            place: self.place.clone(),
            payee: self.payee.clone(),
            refund_to: Vec::new(),
            payee_binds: true,
            asset: Some(self.asset.clone()),
            brings: None,
            least: None,
            only_said: false,
            certainty: Certainty::Shared,
            searches: self.searches(vout, script),
            parked: None,
        })
    }
}

impl Backing {
    /// How what was made is found: beside the payment's link, else by what spent the payment.
    fn searches(&self, vout: u32, script: &Script) -> Vec<Search> {
        let mut searches = vec![self.search.clone()];
        if let (
            Protocol::Tbtc,
            Search::Logs {
                chain,
                contracts,
                within,
                ..
            },
        ) = (self.protocol, &self.search)
        {
            searches.push(Search::Swept {
                chain: chain.clone(),
                home: self.home.clone(),
                output: OutPoint::new(self.txid, vout),
                script: script.to_owned(),
                contracts: contracts.clone(),
                form: sweep::SWEPT,
                within: *within,
            });
        }
        searches
    }
}

impl Bridges {
    /// Where value is made against payments on this Bitcoin chain.
    pub fn mint_logs(&self, home: &Chain) -> Vec<MintLogs> {
        let forms = [
            (Protocol::Tbtc, tbtc::REVEALED),
            (Protocol::Wbtc, wbtc::CONFIRMED),
        ];
        let mut all = Vec::new();
        for (protocol, form) in forms {
            for chain in self.chains_of(protocol) {
                if self.place(&chain, protocol, "BTC").chain() == Some(home) {
                    all.push(MintLogs {
                        protocol,
                        contracts: self.contracts(&chain, protocol),
                        chain,
                        form,
                    });
                }
            }
        }
        all
    }

    /// The payment that an event names; `None` where it is no such event, or of a contract that is not known.
    pub fn backing(&self, home: &Chain, told: &Told) -> Option<Backing> {
        let among = [Protocol::Tbtc, Protocol::Wbtc];
        let protocol = self.protocol_of(&told.chain, &told.event.address, &among)?;
        if self.place(&told.chain, protocol, "BTC").chain() != Some(home) {
            return None;
        }
        match protocol {
            Protocol::Tbtc => tbtc::backing(self, home, told),
            Protocol::Wbtc => wbtc::backing(self, home, told),
            _ => None,
        }
    }
}

/// The last making of one of a bridge's tokens for an account before an event of the same transaction.
pub(super) fn made<'a>(
    tx: &'a EvmTransaction,
    tokens: &[Address],
    to: Address,
    event: &Event,
) -> Option<&'a Movement> {
    let before = |movement: &&Movement| {
        let Coin::Token(token) = movement.coin else {
            return false;
        };
        let earlier = matches!(movement.origin, Origin::Log(index) if index < event.index);
        earlier && movement.from == token && movement.to == to && tokens.contains(&token)
    };
    tx.movements.iter().rev().find(before)
}

impl fmt::Display for MintLogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.protocol, self.chain)
    }
}
