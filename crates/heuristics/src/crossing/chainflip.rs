//! Chainflip: a swap that is sent to its vault says which asset goes to whom, and no identifier joins it with the payout, so
//! that payouts are candidates only. Numbers and layouts are those of the protocol's own clients `@chainflip/utils` 2.3.3 and
//! `@chainflip/bitcoin` 1.2.7. Swaps by deposit addresses say nothing on either chain.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, U256};
use hansel_ledger::{Amount, Chain, Coin, Event, EvmTransaction, Origin, topics};

use super::abi::Words;
use super::fields::carrier;
use super::place::printable;
use super::{
    Bridges, Carrier, Certainty, Departure, Link, OutputView, Payee, Place, Protocol,
    TransactionView,
};

/// What is paid out: its number, its chain's number, its symbol.
const ASSETS: [(u64, u64, &str); 20] = [
    (1, ETHEREUM, "ETH"),
    (2, ETHEREUM, "FLIP"),
    (3, ETHEREUM, "USDC"),
    (5, 3, "BTC"),
    (6, ARBITRUM, "ETH"),
    (7, ARBITRUM, "USDC"),
    (8, ETHEREUM, "USDT"),
    (9, SOLANA, "SOL"),
    (10, SOLANA, "USDC"),
    (11, ASSETHUB, "DOT"),
    (12, ASSETHUB, "USDT"),
    (13, ASSETHUB, "USDC"),
    (14, ETHEREUM, "WBTC"),
    (15, ARBITRUM, "USDT"),
    (16, SOLANA, "USDT"),
    (17, TRON, "TRX"),
    (18, TRON, "USDT"),
    (19, BNB, "BNB"),
    (20, BNB, "USDT"),
    (21, ETHEREUM, "CBBTC"),
];
const ETHEREUM: u64 = 1;
const ARBITRUM: u64 = 4;
const SOLANA: u64 = 5;
const ASSETHUB: u64 = 6;
const TRON: u64 = 7;
const BNB: u64 = 8;

/// Where an event of the vault holds its fields: all forms begin with the chain, the payee and the asset.
struct Layout {
    token: Option<usize>,
    amount: usize,
}

pub(super) fn departures(
    bridges: &Bridges,
    chain: &Chain,
    tx: &TransactionView<'_>,
) -> Vec<Departure> {
    match tx {
        TransactionView::Bitcoin { txid, outputs, .. } => {
            let link = Link(txid.to_string());
            from_outputs(bridges, chain, link, outputs)
                .into_iter()
                .collect()
        }
        TransactionView::Evm(tx) => {
            // Two equal swaps of one transaction were paid by two movements.
            let mut used = BTreeSet::new();
            let events = tx.events.iter();
            events
                .filter_map(|event| from_event(bridges, chain, (tx, event), &mut used))
                .collect()
        }
    }
}

fn layout(form: B256) -> Option<Layout> {
    match form {
        topics::CHAINFLIP_SWAP_NATIVE | topics::CHAINFLIP_XCALL_NATIVE => Some(Layout {
            token: None,
            amount: 3,
        }),
        topics::CHAINFLIP_SWAP_TOKEN | topics::CHAINFLIP_XCALL_TOKEN => Some(Layout {
            token: Some(3),
            amount: 4,
        }),
        _ => None,
    }
}

/// `SwapNative(uint32 dstChain, bytes dstAddress, uint32 dstToken, uint256 amount, address indexed sender, bytes
/// cfParameters)`; `SwapToken` has the token before the amount; `XCallNative` and `XCallToken` call a contract there, and begin
/// alike.
fn from_event(
    bridges: &Bridges,
    chain: &Chain,
    (tx, event): (&EvmTransaction, &Event),
    used: &mut BTreeSet<Origin>,
) -> Option<Departure> {
    let layout = layout(event.form())?;
    let among = [Protocol::Chainflip];
    bridges.protocol_of(chain.name(), &event.address, &among)?;
    let words = Words::of(event);
    let coin = match layout.token {
        Some(word) => Coin::Token(words.address(word)?),
        None => Coin::Native,
    };
    let amount = words.amount(layout.amount)?;
    let mut movements = tx.movements.iter();
    let paid = movements.find(|one| {
        let fits = one.to == event.address && one.coin == coin && one.amount == amount;
        fits && used.insert(one.origin.clone())
    });
    let place = place(bridges, chain, words.number(0)?);
    let payee = payee(&place, words.bytes(1)?);
    let link = Link(format!("{}:{}", tx.hash, event.index));
    let asset = symbol(words.number(2)?);
    Some(departure(
        link,
        paid.map(carrier),
        amount,
        (place, payee, asset),
    ))
}

/// The chain of a number, by its name where it is not configured.
fn place(bridges: &Bridges, from: &Chain, number: u64) -> Place {
    let place = bridges.place(from.name(), Protocol::Chainflip, &number.to_string());
    let name = match number {
        SOLANA => "Solana",
        ASSETHUB => "Polkadot's Assethub",
        TRON => "Tron",
        _ => return place,
    };
    match place {
        Place::Elsewhere(_) => Place::Elsewhere(name.into()),
        place @ Place::Chain(_) => place,
    }
}

/// Bitcoin's addresses stand there as text, others as bytes.
fn payee(place: &Place, bytes: &[u8]) -> Payee {
    match <[u8; 20]>::try_from(bytes) {
        Ok(account) if place.chain().is_some_and(|chain| chain.evm().is_some()) => {
            Payee::Account(Address::from(account))
        }
        _ => match std::str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => place.payee(text),
            _ => Payee::Other(alloy_primitives::hex::encode(
                bytes.get(..64).unwrap_or(bytes),
            )),
        },
    }
}

/// Output 0 pays the vault, output 1 says what for, output 2 is the customer's own.
fn from_outputs(
    bridges: &Bridges,
    chain: &Chain,
    link: Link,
    outputs: &[OutputView<'_>],
) -> Option<Departure> {
    if !bridges.serves(chain.name(), Protocol::Chainflip) {
        return None;
    }
    let output = |vout| outputs.iter().find(|output| output.vout == vout);
    let (vault, note, own) = (output(0)?, output(1)?, output(2)?);
    if note.value != 0 || vault.script.is_op_return() {
        return None;
    }
    let order = Order::read(&note.message()?)?;
    let place = place(bridges, chain, order.chain);
    let payee = payee(&place, &order.payee);
    let what = (place, payee, Some(order.symbol.to_owned()));
    let carrier = Carrier::Output(0);
    let mut departure = departure(link, Some(carrier), vault.value.into(), what);
    departure.refund_to = vec![Payee::Script(own.script.to_owned())];
    departure.least = order.least;
    departure.only_said = true;
    Some(departure)
}

fn departure(
    link: Link,
    carrier: Option<Carrier>,
    amount: Amount,
    (place, payee, asset): (Place, Payee, Option<String>),
) -> Departure {
    Departure {
        protocol: Protocol::Chainflip,
        link,
        carrier,
        amount,
        place,
        payee,
        refund_to: Vec::new(),
        payee_binds: true,
        asset,
        brings: None,
        least: None,
        only_said: false,
        certainty: Certainty::Consistent,
        searches: Vec::new(),
        parked: None,
    }
}

fn symbol(asset: u64) -> Option<String> {
    let found = ASSETS.iter().find(|(number, ..)| *number == asset);
    Some(found.map_or_else(
        || printable(&format!("asset {asset}")),
        |(_, _, symbol)| (*symbol).to_owned(),
    ))
}

/// What the output behind the vault's says, in SCALE.
struct Order {
    chain: u64,
    symbol: &'static str,
    payee: Vec<u8>,
    /// The least that is paid out; `None` where it is paid in parts.
    least: Option<Amount>,
}

impl Order {
    /// Version, asset, payee, blocks to retry, the least that is paid out, since version 1 how far from an oracle's price,
    /// parts, blocks between them, two fees, and a list of affiliates. Only what is that to the last byte is an order.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        let [version, asset] = rest.take()?;
        let found = ASSETS.iter();
        let (_, chain, symbol) = found
            .copied()
            .find(|(number, ..)| *number == u64::from(asset))?;
        let payee = match chain {
            ETHEREUM | ARBITRUM | BNB => rest.take::<20>()?.to_vec(),
            SOLANA | ASSETHUB => rest.take::<32>()?.to_vec(),
            _ => return None,
        };
        let _retry: [u8; 2] = rest.take()?;
        let least = u128::from_le_bytes(rest.take()?);
        match version {
            0 => {}
            1 => {
                let _slippage: [u8; 1] = rest.take()?;
            }
            _ => return None,
        }
        let parts = u16::from_le_bytes(rest.take()?);
        let _interval: [u8; 2] = rest.take()?;
        let _fees: [u8; 2] = rest.take()?;
        rest.affiliates()?;
        rest.0.is_empty().then(|| Self {
            chain,
            symbol,
            payee,
            least: (parts == 1 && least > 0).then(|| Amount::from(U256::from(least))),
        })
    }
}

/// The bytes that were not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    /// A list of two bytes each, its length doubled twice in one byte: there are two at most.
    fn affiliates(&mut self) -> Option<()> {
        let [length] = self.take()?;
        match length {
            0 => Some(()),
            4 => self.take::<2>().map(|_| ()),
            8 => self.take::<4>().map(|_| ()),
            _ => None,
        }
    }
}
