//! The memos of THORChain and Maya: what is asked of the network, in at most 250 characters.
//!
//! The grammar is `FUNCTION:P1:P2:...` with short forms; a memo is written by a customer, so nothing in it is
//! trusted. Source: THORChain's `docs/concepts/memos.md` and `memo-length-reduction.md`.

use alloy_primitives::B256;

use super::Protocol;

/// The longest memo that the network reads.
pub const LONGEST: usize = 250;

/// What a memo asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memo {
    /// Another asset is to be paid to somebody: a swap, a limit order or a loan.
    Swap(Swap),
    /// Value stays inside the network: liquidity, savings, a bond, a trade account.
    Parked {
        /// What is done with it.
        purpose: &'static str,
        /// The asset or pool, where one is named.
        asset: Option<MemoAsset>,
        /// The address inside or outside of the network that it belongs to, where one is named.
        owner: Option<String>,
    },
    /// Value is asked back from the network; this transaction carries none of it.
    Withdrawal {
        /// The pool.
        asset: Option<MemoAsset>,
    },
    /// The network pays what the inbound transaction asked for.
    Out(B256),
    /// The network pays an inbound transaction back.
    Refund(B256),
    /// The network moves its own value between its vaults.
    Internal,
    /// The memo stands in the network's own ledger, under a number.
    Reference(String),
}

/// A swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// The asset to be paid.
    pub asset: MemoAsset,
    /// Who is to be paid; empty where the memo does not say.
    pub destination: String,
    /// Who gets the value back where the swap fails, where the memo says so.
    pub refund: Option<String>,
    /// The least to be paid, how many blocks apart and in how many parts, as written.
    pub limit: Option<String>,
    /// Who else is paid, as written: names and basis points.
    pub affiliates: Option<(String, String)>,
    /// The contract, the final token and the least of it, where the payout is swapped once more.
    pub aggregator: Option<Aggregator>,
    /// True for a limit order, which may wait.
    pub waits: bool,
}

/// A last swap outside of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregator {
    /// The contract, or the last digits of its address.
    pub contract: String,
    /// The token, or the last digits of its address.
    pub token: String,
    /// The least of it, as written.
    pub least: String,
}

/// An asset as the network names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoAsset {
    /// The network's name of the chain, in capitals.
    pub chain: String,
    /// The ticker with what follows it, in capitals, as in `USDC-06EB48`.
    pub symbol: String,
    /// True for an asset inside the network (synth, trade or secured asset).
    pub inside: bool,
}

impl std::fmt::Display for MemoAsset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let separator = if self.inside { '~' } else { '.' };
        write!(f, "{}{separator}{}", self.chain, self.symbol)
    }
}

/// Says why bytes are no memo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMemo {
    /// More than the network reads.
    #[error("longer than {LONGEST} bytes")]
    TooLong,
    /// Control characters or anything else outside of printable ASCII.
    #[error("not printable ASCII")]
    NotText,
    /// A function that the grammar does not have.
    #[error("no function of the grammar")]
    NoFunction,
    /// A field that the function needs is missing or malformed.
    #[error("the {0} is missing or malformed")]
    Field(&'static str),
}

impl Memo {
    /// Reads a memo as the network of `protocol` would.
    pub fn parse(bytes: &[u8], protocol: Protocol) -> Result<Self, NoMemo> {
        if bytes.len() > LONGEST {
            return Err(NoMemo::TooLong);
        }
        let printable = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
        let text = std::str::from_utf8(bytes).map_err(|_| NoMemo::NotText)?;
        if !printable {
            return Err(NoMemo::NotText);
        }
        let fields: Vec<&str> = text.split(':').collect();
        let fields = Fields { fields, protocol };
        let function = fields.text(0).to_ascii_lowercase();
        match &*function {
            "swap" | "s" | "=" => fields.swap(false),
            "limito" | "lo" | "=<" => fields.swap(true),
            "loan+" | "$+" | "loan-" | "$-" => fields.loan(),
            "out" => fields.hash().map(Self::Out),
            "refund" => fields.hash().map(Self::Refund),
            "migrate" | "ragnarok" | "consolidate" | "yggdrasil+" | "yggdrasil-" | "noop"
            | "reserve" => Ok(Self::Internal),
            "add" | "a" | "+" => fields.parked("liquidity is added", 1, Some(2)),
            "withdraw" | "wd" | "-" => Ok(Self::Withdrawal {
                asset: fields.asset(1),
            }),
            "donate" | "d" => fields.parked("it is donated to a pool", 1, None),
            "trade+" | "trade-" => fields.account("a trade account"),
            "secure+" | "secure-" => fields.account("a secured asset"),
            "bond" | "unbond" | "leave" => fields.account("a node's bond"),
            "name" | "n" | "~" => fields.account("a name is bought"),
            "switch" => fields.account("it is switched to the network's own coin"),
            "reference" => Ok(Self::Reference(fields.text(1).to_owned())),
            _ => Err(NoMemo::NoFunction),
        }
    }
}

struct Fields<'a> {
    fields: Vec<&'a str>,
    protocol: Protocol,
}

impl<'a> Fields<'a> {
    fn text(&self, number: usize) -> &'a str {
        self.fields.get(number).map_or("", |field| field.trim())
    }

    fn optional(&self, number: usize) -> Option<String> {
        let text = self.text(number);
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn asset(&self, number: usize) -> Option<MemoAsset> {
        asset(self.text(number), self.protocol)
    }

    /// `SWAP:ASSET:DESTADDR/REFUNDADDR:LIM/INTERVAL/QUANTITY:AFFILIATE:FEE:AGGREGATOR:TOKEN:LEAST`.
    fn swap(&self, waits: bool) -> Result<Memo, NoMemo> {
        let asset = self.asset(1).ok_or(NoMemo::Field("asset"))?;
        let (destination, refund) = match self.text(2).split_once('/') {
            Some((destination, refund)) => (destination, Some(refund.to_owned())),
            None => (self.text(2), None),
        };
        let affiliates = self.optional(4);
        let aggregator = self.optional(6).map(|contract| Aggregator {
            contract,
            token: self.text(7).to_owned(),
            least: self.text(8).to_owned(),
        });
        Ok(Memo::Swap(Swap {
            asset,
            destination: destination.to_owned(),
            refund: refund.filter(|refund| !refund.is_empty()),
            limit: self.optional(3),
            affiliates: affiliates.map(|names| (names, self.text(5).to_owned())),
            aggregator,
            waits,
        }))
    }

    /// A loan pays out to the address that it names, as a swap does.
    fn loan(&self) -> Result<Memo, NoMemo> {
        let asset = self.asset(1).ok_or(NoMemo::Field("asset"))?;
        Ok(Memo::Swap(Swap {
            asset,
            destination: self.text(2).to_owned(),
            refund: None,
            limit: self.optional(3),
            affiliates: self
                .optional(4)
                .map(|names| (names, self.text(5).to_owned())),
            aggregator: None,
            waits: false,
        }))
    }

    fn parked(
        &self,
        purpose: &'static str,
        pool: usize,
        owner: Option<usize>,
    ) -> Result<Memo, NoMemo> {
        let asset = self.asset(pool).ok_or(NoMemo::Field("pool"))?;
        Ok(Memo::Parked {
            purpose,
            asset: Some(asset),
            owner: owner.and_then(|number| self.optional(number)),
        })
    }

    fn account(&self, purpose: &'static str) -> Result<Memo, NoMemo> {
        let owner = self.optional(1);
        Ok(Memo::Parked {
            purpose,
            asset: None,
            owner: Some(owner.ok_or(NoMemo::Field("address"))?),
        })
    }

    fn hash(&self) -> Result<B256, NoMemo> {
        let text = self.text(1);
        let hash = (text.len() == 64).then(|| text.parse().ok()).flatten();
        hash.ok_or(NoMemo::Field("hash"))
    }
}

fn asset(text: &str, protocol: Protocol) -> Option<MemoAsset> {
    if text.is_empty() || text.len() > 100 {
        return None;
    }
    if let Some(whole) = short(text, protocol) {
        return asset(whole, protocol);
    }
    let at = text.find(['.', '/', '~'])?;
    let (chain, symbol) = (text.get(..at)?, text.get(at + 1..)?);
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (plain(chain) && plain(symbol)).then(|| MemoAsset {
        chain: chain.to_ascii_uppercase(),
        symbol: symbol.to_ascii_uppercase(),
        inside: !text[at..].starts_with('.'),
    })
}

/// The short codes of assets. Maya has a table of its own, of which no more than this is known.
fn short(text: &str, protocol: Protocol) -> Option<&'static str> {
    let code = text.to_ascii_lowercase();
    if protocol == Protocol::Maya {
        return match &*code {
            "a" => Some("ARB.ETH"),
            "d" => Some("DASH.DASH"),
            "x" => Some("XRD.XRD"),
            _ => None,
        };
    }
    Some(match &*code {
        "a" => "AVAX.AVAX",
        "b" => "BTC.BTC",
        "c" => "BCH.BCH",
        "d" => "DOGE.DOGE",
        "e" => "ETH.ETH",
        "f" => "BASE.ETH",
        "g" => "GAIA.ATOM",
        "l" => "LTC.LTC",
        "n" => "BNB.BNB",
        "r" => "THOR.RUNE",
        "s" => "BSC.BNB",
        "x" => "XRP.XRP",
        "tr" => "TRON.TRX",
        _ => return None,
    })
}
