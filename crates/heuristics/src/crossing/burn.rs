//! WBTC burned for bitcoin: the factory logs a request with its hash when it destroys a merchant's tokens, and logs the same
//! request again, with the Bitcoin transaction that paid for it, when the custodian confirms it.
//!
//! The hash is made of everything that a request says, so that an event which does not hash to what it says is not
//! believed. The transaction is a text of the custodian's: it is believed where it pays the address of the request.

use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use alloy_sol_types::SolValue as _;
use bitcoin::Txid;
use hansel_ledger::{Amount, Chain, Coin, Event, EvmTransaction, Movement, Origin, topics};

use super::abi::{Words, address, topic};
use super::fields::carrier;
use super::search::WEEK;
use super::wbtc::txid;
use super::{
    Arrival, Bridges, Carrier, Certainty, Departure, Link, OutputView, Payee, Place, Protocol,
    Reason, Search,
};

/// `Burned(uint256 indexed nonce, address indexed requester, uint256 amount, string btcDepositAddress, uint256 timestamp,
/// bytes32 requestHash)`.
const BURNED: B256 = topics::WBTC_BURNED;

/// `BurnConfirmed(uint256 indexed nonce, address indexed requester, uint256 amount, string btcDepositAddress, string
/// btcTxid, uint256 timestamp, bytes32 requestHash)`.
const CONFIRMED: B256 = topics::WBTC_BURN_CONFIRMED;

/// A merchant's wish to get bitcoin for tokens.
struct Request {
    hash: B256,
    merchant: Address,
    /// In satoshi, which are the token's base units too.
    amount: Amount,
    paid_to: String,
}

impl Request {
    /// The request that an event tells of; `None` where its hash is not that of what it says.
    fn of(event: &Event) -> Option<Self> {
        let words = Words::of(event);
        let time = match event.form() {
            form if form == BURNED => 2,
            form if form == CONFIRMED => 3,
            _ => return None,
        };
        let nonce = U256::from_be_bytes(topic(event, 1)?.0);
        let merchant = address(topic(event, 2)?)?;
        let amount = U256::from_be_bytes(words.word(0)?.0);
        let paid_to = Bytes::copy_from_slice(words.bytes(1)?);
        let time_of = U256::from_be_bytes(words.word(time)?.0);
        // The transaction is not known yet when the hash is made.
        let fields = (
            merchant,
            amount,
            paid_to.clone(),
            Bytes::new(),
            nonce,
            time_of,
        );
        let hash = keccak256(fields.abi_encode_params());
        (words.word(time + 1)? == hash).then_some(())?;
        Some(Self {
            hash,
            merchant,
            amount: Amount::from(amount),
            paid_to: String::from_utf8(paid_to.to_vec()).ok()?,
        })
    }

    fn link(&self) -> Link {
        Link(hex::encode(self.hash))
    }
}

pub(super) fn departures(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Departure> {
    let burned = tx.events.iter().filter(|event| event.form() == BURNED);
    let known = burned.filter(|event| is_known(bridges, chain.name(), event));
    known
        .filter_map(|event| departure(bridges, chain, tx, event))
        .collect()
}

fn is_known(bridges: &Bridges, chain: &str, event: &Event) -> bool {
    let among = [Protocol::Wbtc];
    bridges.protocol_of(chain, &event.address, &among).is_some()
}

fn departure(
    bridges: &Bridges,
    chain: &Chain,
    tx: &EvmTransaction,
    event: &Event,
) -> Option<Departure> {
    let request = Request::of(event)?;
    let contracts = bridges.contracts(chain.name(), Protocol::Wbtc);
    let place = bridges.place(chain.name(), Protocol::Wbtc, "BTC");
    let payee = place.payee(request.paid_to.trim());
    let search = search(chain, &contracts, &request, &place, &payee);
    Some(Departure {
        protocol: Protocol::Wbtc,
        link: request.link(),
        carrier: destroyed(tx, &contracts, request.amount, event).map(carrier),
        amount: request.amount,
        place,
        payee,
        refund_to: Vec::new(),
        payee_binds: true,
        asset: Some("BTC".into()),
        brings: None,
        least: None,
        only_said: false,
        certainty: Certainty::Shared,
        searches: search.into_iter().collect(),
        parked: None,
    })
}

/// All that is confirmed to the merchant is asked for: a transaction may pay for several of his requests.
fn search(
    chain: &Chain,
    contracts: &[Address],
    request: &Request,
    place: &Place,
    payee: &Payee,
) -> Option<Search> {
    let (Some(there), Payee::Script(_)) = (place.chain(), payee) else {
        return None;
    };
    Some(Search::Confirmed {
        chain: there.name().to_owned(),
        by: chain.name().to_owned(),
        contracts: contracts.to_vec(),
        topics: vec![
            vec![CONFIRMED],
            Vec::new(),
            vec![request.merchant.into_word()],
        ],
        within: 2 * WEEK,
    })
}

/// The last destruction of as many of a bridge's tokens before an event of the same transaction.
fn destroyed<'a>(
    tx: &'a EvmTransaction,
    tokens: &[Address],
    amount: Amount,
    event: &Event,
) -> Option<&'a Movement> {
    let before = |movement: &&Movement| {
        let Coin::Token(token) = movement.coin else {
            return false;
        };
        let earlier = matches!(movement.origin, Origin::Log(index) if index < event.index);
        earlier && movement.to == token && movement.amount == amount && tokens.contains(&token)
    };
    tx.movements.iter().rev().find(before)
}

/// The Bitcoin transaction that the other chain's log names for what left there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The transaction.
    pub txid: Txid,
    /// What was burned under the other requests for which it is named too.
    others: Vec<Amount>,
}

impl Bridges {
    /// The payment that events of a chain name for a departure from there; `None` where none does yet. `Err` says why it is
    /// not known which, safe to print.
    pub fn payment(
        &self,
        departure: &Departure,
        chain: &str,
        events: &[&Event],
    ) -> Result<Option<Payment>, &'static str> {
        let known = events
            .iter()
            .filter(|event| event.form() == CONFIRMED && is_known(self, chain, event));
        let mut named = None;
        let mut all = Vec::new();
        for event in known {
            let Some(request) = Request::of(event) else {
                continue;
            };
            let own = request.link() == departure.link;
            let Some(txid) = txid(event) else {
                if own {
                    return Err("its confirmation names no Bitcoin transaction that can be read");
                }
                continue;
            };
            if own && named.replace(txid).is_some_and(|before| before != txid) {
                return Err("it is confirmed with two Bitcoin transactions");
            }
            if !own {
                all.push((txid, request.amount));
            }
        }
        Ok(named.map(|txid| Payment {
            txid,
            others: all
                .into_iter()
                .filter(|(other, _)| *other == txid)
                .map(|(_, amount)| amount)
                .collect(),
        }))
    }
}

impl Departure {
    /// What the outputs of a named transaction bring of this departure: never more than left; the custodian may keep a fee.
    /// `Err` says why it is not followed, safe to print.
    pub fn paid_by(
        &self,
        payment: &Payment,
        outputs: &[OutputView<'_>],
    ) -> Result<Arrival, &'static str> {
        let pays = |one: &&OutputView<'_>| matches!(&self.payee, Payee::Script(script) if **script == *one.script);
        let paying: Vec<_> = outputs.iter().filter(pays).collect();
        let exact: Vec<_> = paying
            .iter()
            .filter(|one| Amount::from(one.value) == self.amount)
            .collect();
        let found = match (&paying[..], &exact[..], &payment.others[..]) {
            ([], _, _) => return Err("does not pay the address for which it was burned"),
            (_, [one], others) if !others.contains(&self.amount) => **one,
            ([one], _, []) if Amount::from(one.value) < self.amount => *one,
            ([_], _, []) => return Err("pays more than was burned"),
            _ => {
                return Err(
                    "pays the address more than once, or for more than one request, in amounts that do not say which is which",
                );
            }
        };
        Ok(Arrival {
            protocol: self.protocol,
            link: self.link.clone(),
            reason: Reason::Paid,
            carrier: Some(Carrier::Output(found.vout)),
            amount: found.value.into(),
            payee: self.payee.clone(),
            left: None,
        })
    }
}
