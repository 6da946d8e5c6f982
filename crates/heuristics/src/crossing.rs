//! Value that leaves one chain and enters another: what a transaction says of it on either side. No I/O.
//!
//! A *departure* names where its value should arrive and how that is looked for; an *arrival* names the departure
//! that it answers. The two are one crossing where they carry the same link, each read from its own chain.

pub(crate) mod abi;
mod across;
mod arbitrum;
mod bridges;
mod burn;
mod candidate;
mod cctp;
mod chainflip;
mod debridge;
mod doors;
mod extra;
mod fields;
mod labelled;
mod layer_zero;
mod leaving;
pub mod memo;
mod mint;
mod op_stack;
mod place;
mod rlp;
mod rollup;
mod search;
pub mod share;
mod shipped;
mod sweep;
mod tbtc;
mod thorchain;
mod view;
mod wbtc;
mod wormhole;

use std::fmt;

use alloy_primitives::Address;
use bitcoin::ScriptBuf;
use hansel_ledger::{Amount, Coin, Origin};
use serde::{Deserialize, Serialize};

pub use bridges::{Bridges, Deployment};
pub use burn::Payment;
pub use candidate::{
    BEST_SCORE, CANDIDATE_SHORTFALL, CANDIDATE_WINDOW, Likeness, candidate_score, likenesses,
};
pub use doors::disbelieved;
pub use extra::{ExtraLogs, extra_logs, with_extra};
pub use labelled::{labelled_accounts, labelled_outputs};
pub use leaving::{
    Leaving, Taint, close_accounts, close_outputs, leaving_accounts, leaving_outputs, names_output,
};
pub use mint::{Backing, MintLogs, Told};
pub use place::Place;
pub use search::{LATEST_NAMED, Search};
pub use view::{OutputView, TransactionView};

/// A bridge's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// THORChain, and Maya, which has the same contracts and memos.
    Thorchain,
    /// Maya Protocol.
    Maya,
    /// Across.
    Across,
    /// deBridge DLN.
    Debridge,
    /// LayerZero's tokens (OFT), Stargate V2 among them.
    LayerZero,
    /// Wormhole's token bridge.
    Wormhole,
    /// Circle's CCTP.
    Cctp,
    /// tBTC v2.
    Tbtc,
    /// WBTC.
    Wbtc,
    /// Deposits into OP Stack rollups.
    OpStack,
    /// Deposits and tickets to Arbitrum.
    Arbitrum,
    /// Chainflip, whose payouts nothing joins with what was sent.
    Chainflip,
    /// Whatever a labelled bridge does, of which no link is known: only candidates can be listed.
    Unlinked,
}

impl Protocol {
    /// Every protocol that is read.
    pub const ALL: [Self; 12] = [
        Self::Thorchain,
        Self::Maya,
        Self::Across,
        Self::Debridge,
        Self::LayerZero,
        Self::Wormhole,
        Self::Cctp,
        Self::Tbtc,
        Self::Wbtc,
        Self::OpStack,
        Self::Arbitrum,
        Self::Chainflip,
    ];

    /// The name in reports, ids and `chains.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Thorchain => "thorchain",
            Self::Maya => "maya",
            Self::Across => "across",
            Self::Debridge => "debridge",
            Self::LayerZero => "layer-zero",
            Self::Wormhole => "wormhole",
            Self::Cctp => "cctp",
            Self::Tbtc => "tbtc",
            Self::Wbtc => "wbtc",
            Self::OpStack => "op-stack",
            Self::Arbitrum => "arbitrum",
            Self::Chainflip => "chainflip",
            Self::Unlinked => "candidate",
        }
    }

    /// True for protocols whose transactions cannot always be told apart on one side.
    fn is_like(self, other: Self) -> bool {
        let memos = [Self::Thorchain, Self::Maya];
        self == other || memos.contains(&self) && memos.contains(&other)
    }

    /// The protocol of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name() == name)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How sure it is that an arrival is that of a departure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// The same identifier is written on both chains, and each side can be checked alone.
    Shared,
    /// What identifies the arrival can be computed from the departure.
    Derived,
    /// Several fields agree and no other candidate exists.
    Consistent,
}

impl Certainty {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shared => "certain",
            Self::Derived => "derived",
            Self::Consistent => "candidate",
        }
    }

    /// What a report says of a crossing.
    pub fn wording(self, link: &str) -> String {
        match self {
            Self::Shared => format!("linked by identifier {link}"),
            Self::Derived => "derived from source transaction".into(),
            Self::Consistent => "consistent with; only candidate".into(),
        }
    }
}

/// What joins a departure and its arrivals, in one spelling for both sides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link(pub String);

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The part of a transaction that carries value into a bridge or out of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// An output of a Bitcoin transaction.
    Output(u32),
    /// A movement of an EVM transaction.
    Movement {
        /// Which.
        origin: Origin,
        /// Who received it.
        to: Address,
        /// What moved.
        coin: Coin,
    },
}

/// Who is paid on the other chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payee {
    /// The owner of a Bitcoin script.
    Script(ScriptBuf),
    /// An account of an EVM chain.
    Account(Address),
    /// Something that this version does not read, made printable.
    Other(String),
    /// Nobody is named.
    Unknown,
}

/// Value that leaves a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// By which bridge.
    pub protocol: Protocol,
    /// What its arrivals carry.
    pub link: Link,
    /// What carried the value; `None` where no known movement did.
    pub carrier: Option<Carrier>,
    /// How much entered the bridge, in base units of what the carrier moved.
    pub amount: Amount,
    /// Where it goes.
    pub place: Place,
    /// Who is paid there.
    pub payee: Payee,
    /// Who gets the value back where it is sent back.
    pub refund_to: Vec<Payee>,
    /// True where an arrival for anybody else is not believed.
    pub payee_binds: bool,
    /// What is paid there, in the protocol's words, made printable; `None` where it does not say.
    pub asset: Option<String>,
    /// The coin that arrives, where the departure tells it: only then, or for one token, is a transaction believed that
    /// was found by its computed hash.
    pub brings: Option<Coin>,
    /// The least that arrives, where the departure says so, in base units of what arrives.
    pub least: Option<Amount>,
    /// True where only the sender says that it leaves: nothing shows that whoever he paid is a bridge.
    pub only_said: bool,
    /// How sure an arrival with this link is.
    pub certainty: Certainty,
    /// Where arrivals are looked for.
    pub searches: Vec<Search>,
    /// Why nothing can arrive, where that is known.
    pub parked: Option<String>,
}

impl Departure {
    /// True for an arrival that answers this departure.
    pub fn is_answered_by(&self, arrival: &Arrival) -> bool {
        let payee = match arrival.reason {
            Reason::Paid => !self.payee_binds || arrival.payee == self.payee,
            Reason::Refunded => !self.payee_binds || self.refund_to.contains(&arrival.payee),
        };
        let amount = arrival.left.is_none_or(|left| left == self.amount);
        payee && amount && self.link == arrival.link && self.protocol.is_like(arrival.protocol)
    }

    /// Where the value went, in words for a report: all that the departure itself says.
    pub fn in_words(&self) -> String {
        if let (Protocol::Unlinked, Some(parked)) = (self.protocol, &self.parked) {
            return parked.clone();
        }
        let said = if self.only_said {
            " (by the sender's own words)"
        } else {
            ""
        };
        if let Some(parked) = &self.parked {
            return format!("{}{said}: {parked}", self.protocol);
        }
        let asset = self.asset.as_deref().unwrap_or("value");
        let payee = match &self.payee {
            Payee::Script(script) => self.place.spell(script),
            Payee::Account(account) => account.to_string(),
            Payee::Other(text) => text.clone(),
            Payee::Unknown => "a payee that is not named".into(),
        };
        let join = match self.certainty {
            Certainty::Shared | Certainty::Derived => format!("linked by {}", self.link),
            Certainty::Consistent => "which no identifier joins with its arrival".into(),
        };
        format!(
            "{}{said}: {asset} on {} to {payee}, {join}",
            self.protocol, self.place
        )
    }
}

/// Why value arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It was sent on.
    Paid,
    /// It was sent back.
    Refunded,
}

/// Value that enters a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// By which bridge.
    pub protocol: Protocol,
    /// The departure that it answers.
    pub link: Link,
    /// Paid or refunded.
    pub reason: Reason,
    /// What carries the value; `None` where no known movement does.
    pub carrier: Option<Carrier>,
    /// How much, in base units of what the carrier moves.
    pub amount: Amount,
    /// Who is paid.
    pub payee: Payee,
    /// How much left the other chain, where the arrival says so.
    pub left: Option<Amount>,
}
