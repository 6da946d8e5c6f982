//! THORChain, and Maya, which copies it: a memo on the way in, `OUT:` or `REFUND:` with the inbound transaction on the
//! way out, in an OP_RETURN output or in an event of the chain's router.

use alloy_primitives::{Address, B256, hex};
use bitcoin::hashes::Hash as _;
use bitcoin::{ScriptBuf, Txid};
use hansel_ledger::{Amount, Chain, Coin, Event, EvmTransaction, Movement, topics};

use super::abi::{Words, address, topic};
use super::memo::{Memo, MemoAsset, Swap};
use super::place::printable;
use super::search::WEEK;
use super::{
    Arrival, Bridges, Carrier, Certainty, Departure, Link, OutputView, Payee, Place, Protocol,
    Reason, Search, TransactionView,
};

const BOTH: [Protocol; 2] = [Protocol::Thorchain, Protocol::Maya];
/// Payouts that a contract swaps once more.
const CALLS: [B256; 3] = [
    topics::THORCHAIN_TRANSFER_OUT_AND_CALL,
    topics::THORCHAIN_TRANSFER_OUT_AND_CALL_V2,
    topics::THORCHAIN_TRANSFER_OUT_AND_CALL_V5,
];
/// Less is dust, which the network does not look at.
const DUST: u64 = 10_000;

/// What a customer sent in.
struct Sent {
    protocol: Protocol,
    link: Link,
    carrier: Option<Carrier>,
    amount: Amount,
    sender: Payee,
    /// True where no contract of the network's took it.
    only_said: bool,
}

pub(super) fn departures(
    bridges: &Bridges,
    chain: &Chain,
    tx: &TransactionView<'_>,
) -> Vec<Departure> {
    match tx {
        TransactionView::Bitcoin {
            txid,
            sender,
            outputs,
        } => {
            let sender = sender.map(ToOwned::to_owned);
            from_outputs(bridges, chain, txid, sender, outputs)
                .into_iter()
                .collect()
        }
        TransactionView::Evm(tx) => from_accounts(bridges, chain, tx),
    }
}

/// The network that a payment without a router's event is said to be of: the first that is on the chain, as nothing in it
/// tells the two apart.
fn network(bridges: &Bridges, chain: &Chain) -> Option<Protocol> {
    let mut both = BOTH.into_iter();
    both.find(|protocol| bridges.serves(chain.name(), *protocol))
}

/// Output 0 pays the vault, and a later one carries the memo.
fn from_outputs(
    bridges: &Bridges,
    chain: &Chain,
    txid: &Txid,
    sender: Option<ScriptBuf>,
    outputs: &[OutputView<'_>],
) -> Option<Departure> {
    let protocol = network(bridges, chain)?;
    let vault = outputs.iter().find(|output| output.vout == 0)?;
    if vault.value < DUST || vault.script.is_op_return() {
        return None;
    }
    let written = outputs.iter().find_map(OutputView::message)?;
    let memo = Memo::parse(&written, protocol).ok()?;
    let sent = Sent {
        protocol,
        link: link(&inbound(txid)),
        carrier: Some(Carrier::Output(0)),
        amount: vault.value.into(),
        sender: sender.map_or(Payee::Unknown, Payee::Script),
        only_said: true,
    };
    let mut departure = departure(bridges, chain, memo, sent)?;
    if let Ok(Memo::Swap(swap)) = Memo::parse(&written, Protocol::Maya) {
        add_other_reading(bridges, chain, &swap, &mut departure);
    }
    Some(departure)
}

/// Whose vault an output of a Bitcoin transaction pays, it does not say; some short codes mean another asset to Maya.
fn add_other_reading(bridges: &Bridges, chain: &Chain, swap: &Swap, departure: &mut Departure) {
    let other = printable(&swap.asset.to_string());
    let Some(asset) = departure.asset.as_mut().filter(|asset| **asset != other) else {
        return;
    };
    *asset = format!("{asset} (to Maya: {other})");
    let place = bridges.place(chain.name(), Protocol::Maya, &swap.asset.chain);
    let payee = place.payee(&swap.destination);
    let calls = swap.aggregator.is_some();
    let more = search(bridges, &place, &payee, &departure.link, calls);
    departure.searches.extend(more);
}

fn from_accounts(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Departure> {
    let deposits = tx.events.iter().filter_map(|event| {
        let (protocol, deposit) = deposit(bridges, chain, event)?;
        let memo = Memo::parse(deposit.memo, protocol).ok()?;
        let paid = entry(tx, event.address, &deposit);
        let sent = Sent {
            protocol,
            link: link(&tx.hash),
            carrier: paid.map(carrier),
            amount: deposit.amount,
            sender: Payee::Account(tx.sender),
            only_said: false,
        };
        departure(bridges, chain, memo, sent)
    });
    deposits.chain(plain(bridges, chain, tx)).collect()
}

/// A transfer to a vault with the memo in its data, past the router.
fn plain(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Option<Departure> {
    let protocol = network(bridges, chain)?;
    if tx.carried.is_empty() || !tx.events.is_empty() {
        return None;
    }
    let memo = Memo::parse(&tx.carried, protocol).ok()?;
    let paid = tx.movements.first()?;
    if paid.from != tx.sender || Some(paid.to) != tx.to || paid.coin != Coin::Native {
        return None;
    }
    let sent = Sent {
        protocol,
        link: link(&tx.hash),
        amount: paid.amount,
        carrier: Some(carrier(paid)),
        sender: Payee::Account(tx.sender),
        only_said: true,
    };
    departure(bridges, chain, memo, sent)
}

/// `Deposit(address indexed to, address indexed asset, uint256 amount, string memo)` of a router.
struct Deposit<'a> {
    vault: Address,
    coin: Coin,
    amount: Amount,
    memo: &'a [u8],
}

fn deposit<'a>(
    bridges: &Bridges,
    chain: &Chain,
    event: &'a Event,
) -> Option<(Protocol, Deposit<'a>)> {
    if event.form() != topics::THORCHAIN_DEPOSIT {
        return None;
    }
    let protocol = bridges.protocol_of(chain.name(), &event.address, &BOTH)?;
    let words = Words::of(event);
    let deposit = Deposit {
        vault: address(topic(event, 1)?)?,
        coin: coin(address(topic(event, 2)?)?),
        amount: words.amount(0)?,
        memo: words.bytes(1)?,
    };
    Some((protocol, deposit))
}

/// The zero address stands for the native coin.
fn coin(address: Address) -> Coin {
    if address.is_zero() {
        Coin::Native
    } else {
        Coin::Token(address)
    }
}

/// The movement with which a deposit entered: into the vault, or into the router, which keeps tokens for it. Where
/// nobody traced the transaction, only what its sender gave is known.
fn entry<'a>(tx: &'a EvmTransaction, router: Address, sent: &Deposit<'_>) -> Option<&'a Movement> {
    let of_coin = |one: &&Movement| one.coin == sent.coin;
    let to = |account: Address| {
        let mut movements = tx.movements.iter().filter(of_coin);
        movements.find(|one| one.to == account && one.amount == sent.amount)
    };
    let given = || {
        let mut movements = tx.movements.iter().filter(of_coin);
        movements.find(|one| one.from == tx.sender && one.amount >= sent.amount)
    };
    to(sent.vault).or_else(|| to(router)).or_else(given)
}

fn departure(bridges: &Bridges, chain: &Chain, memo: Memo, sent: Sent) -> Option<Departure> {
    match memo {
        Memo::Swap(swap) if swap.asset.inside => {
            let what = format!("value stays inside the network as {}", swap.asset);
            Some(parked(sent, &what, Some(&swap.destination)))
        }
        Memo::Swap(swap) => Some(swapped(bridges, chain, &swap, sent)),
        Memo::Parked {
            purpose,
            asset,
            owner,
        } => {
            let of = |asset: MemoAsset| format!("{purpose} ({asset})");
            let what = asset.map_or_else(|| purpose.to_owned(), of);
            Some(parked(sent, &what, owner.as_deref()))
        }
        Memo::Reference(number) => {
            let what = format!("the order stands in the network's own ledger, number {number}");
            Some(parked(sent, &what, None))
        }
        Memo::Withdrawal { .. } | Memo::Out(_) | Memo::Refund(_) | Memo::Internal => None,
    }
}

/// Value of which nothing will arrive by itself; it may still be paid back.
fn parked(sent: Sent, what: &str, owner: Option<&str>) -> Departure {
    let of = owner
        .map(|owner| format!(", for {owner}"))
        .unwrap_or_default();
    Departure {
        protocol: sent.protocol,
        link: sent.link,
        carrier: sent.carrier,
        amount: sent.amount,
        place: Place::Elsewhere(sent.protocol.to_string()),
        payee: Payee::Unknown,
        refund_to: Vec::new(),
        payee_binds: true,
        asset: None,
        brings: None,
        least: None,
        only_said: sent.only_said,
        certainty: Certainty::Shared,
        searches: Vec::new(),
        parked: Some(printable(&format!("{what}{of}"))),
    }
}

fn swapped(bridges: &Bridges, chain: &Chain, swap: &Swap, sent: Sent) -> Departure {
    let place = bridges.place(chain.name(), sent.protocol, &swap.asset.chain);
    let payee = place.payee(&swap.destination);
    let own = Place::Chain(chain.clone());
    let mut refund_to = vec![sent.sender];
    refund_to.extend(swap.refund.as_ref().map(|refund| own.payee(refund)));
    let mut searches: Vec<Search> = search(
        bridges,
        &place,
        &payee,
        &sent.link,
        swap.aggregator.is_some(),
    );
    for payee in &refund_to {
        searches.extend(search(bridges, &own, payee, &sent.link, false));
    }
    Departure {
        protocol: sent.protocol,
        link: sent.link,
        carrier: sent.carrier,
        amount: sent.amount,
        payee,
        refund_to,
        payee_binds: true,
        asset: Some(printable(&swap.asset.to_string())),
        brings: None,
        least: None,
        only_said: sent.only_said,
        certainty: Certainty::Shared,
        searches,
        parked: None,
        place,
    }
}

/// Where a payout shows: among what a script received, or in an event of a router that names the payee.
fn search(
    bridges: &Bridges,
    place: &Place,
    payee: &Payee,
    link: &Link,
    calls: bool,
) -> Vec<Search> {
    let Some(chain) = place.chain() else {
        return Vec::new();
    };
    let chain = chain.name().to_owned();
    match payee {
        Payee::Script(script) => vec![Search::Received {
            chain,
            script: script.clone(),
        }],
        Payee::Account(account) => {
            let mut contracts = BOTH
                .map(|protocol| bridges.contracts(&chain, protocol))
                .concat();
            contracts.sort();
            if contracts.is_empty() {
                return Vec::new();
            }
            let forms = vec![topics::THORCHAIN_TRANSFER_OUT];
            let mut all = vec![Search::Logs {
                chain: chain.clone(),
                contracts: contracts.clone(),
                topics: vec![forms, Vec::new(), vec![account.into_word()]],
                mark: link.0.clone().into_bytes(),
                within: WEEK,
            }];
            if calls {
                all.push(Search::Logs {
                    chain,
                    contracts,
                    topics: vec![CALLS.to_vec()],
                    mark: link.0.clone().into_bytes(),
                    within: WEEK,
                });
            }
            all
        }
        Payee::Other(_) | Payee::Unknown => Vec::new(),
    }
}

pub(super) fn arrivals(bridges: &Bridges, chain: &Chain, tx: &TransactionView<'_>) -> Vec<Arrival> {
    match tx {
        TransactionView::Bitcoin { outputs, .. } => {
            let protocol = network(bridges, chain);
            protocol.map_or_else(Vec::new, |protocol| to_outputs(protocol, outputs))
        }
        TransactionView::Evm(tx) => {
            let events = tx.events.iter();
            events
                .filter_map(|event| to_account(bridges, chain, tx, event))
                .collect()
        }
    }
}

/// Every output but the memo may be the customer's: which one it is, the departure says.
fn to_outputs(protocol: Protocol, outputs: &[OutputView<'_>]) -> Vec<Arrival> {
    let memo = outputs.iter().find_map(OutputView::message);
    let Some((link, reason)) = memo.and_then(|memo| answer(&memo)) else {
        return Vec::new();
    };
    let paying = outputs
        .iter()
        .filter(|output| output.value > 0 && !output.script.is_op_return());
    paying
        .map(|output| Arrival {
            protocol,
            link: link.clone(),
            reason,
            carrier: Some(Carrier::Output(output.vout)),
            amount: output.value.into(),
            payee: Payee::Script(output.script.to_owned()),
            left: None,
        })
        .collect()
}

/// What a router says that it paid. Of the forms whose fields are not known for certain only the memo is read.
fn to_account(
    bridges: &Bridges,
    chain: &Chain,
    tx: &EvmTransaction,
    event: &Event,
) -> Option<Arrival> {
    let protocol = bridges.protocol_of(chain.name(), &event.address, &BOTH)?;
    let words = Words::of(event);
    let (to, coin, amount, memo) = match event.form() {
        // (address indexed vault, address indexed to, address asset, uint256 amount, string memo)
        topics::THORCHAIN_TRANSFER_OUT => (
            address(topic(event, 2)?)?,
            Some(coin(words.address(0)?)),
            words.amount(1)?,
            words.bytes(2)?,
        ),
        // (address indexed vault, address target, uint256 amount, address finalAsset, address to,
        //  uint256 amountOutMin, string memo)
        topics::THORCHAIN_TRANSFER_OUT_AND_CALL => {
            let to = words.address(3)?;
            let coin = coin(words.address(2)?);
            let paid = tx.movements.iter().rev();
            let amount = paid
                .filter(|one| one.to == to && one.coin == coin)
                .map(|one| one.amount)
                .next();
            (to, Some(coin), amount.unwrap_or_default(), words.bytes(5)?)
        }
        _ => return None,
    };
    let (link, reason) = answer(memo)?;
    let paid = tx
        .movements
        .iter()
        .find(|one| one.to == to && Some(one.coin) == coin && one.amount == amount);
    Some(Arrival {
        protocol,
        link,
        reason,
        carrier: paid.map(carrier),
        amount,
        payee: Payee::Account(to),
        left: None,
    })
}

fn answer(memo: &[u8]) -> Option<(Link, Reason)> {
    match Memo::parse(memo, Protocol::Thorchain).ok()? {
        Memo::Out(hash) => Some((link(&hash), Reason::Paid)),
        Memo::Refund(hash) => Some((link(&hash), Reason::Refunded)),
        Memo::Swap(_)
        | Memo::Parked { .. }
        | Memo::Withdrawal { .. }
        | Memo::Internal
        | Memo::Reference(_) => None,
    }
}

pub(super) fn carrier(movement: &Movement) -> Carrier {
    Carrier::Movement {
        origin: movement.origin.clone(),
        to: movement.to,
        coin: movement.coin,
    }
}

/// The hash of an inbound transaction, in capitals and without a prefix.
fn link(hash: &B256) -> Link {
    Link(hex::encode_upper(hash))
}

/// A transaction id as the network writes it: in the order in which it is printed.
fn inbound(txid: &Txid) -> B256 {
    let mut bytes = txid.to_byte_array();
    bytes.reverse();
    B256::from(bytes)
}
