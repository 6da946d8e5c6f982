//! OP Stack rollups: what the portal logs of a deposit is all that its transaction on the rollup is made of, so that
//! the transaction's hash is known before it is there.
//!
//! The layout is that of viem's `op-stack` (`getSourceHash`, `opaqueDataToDepositData`, `getL2TransactionHash`).

use alloy_primitives::{Address, B256, keccak256};
use hansel_ledger::{Amount, Chain, Coin, Event, EvmTransaction, topics};

use super::abi::{Words, address, topic};
use super::rlp::{hash, trimmed};
use super::rollup::{Purse, departure};
use super::{Bridges, Departure, Payee, Protocol, Search};

/// The type of a deposit's transaction.
const DEPOSIT: u8 = 0x7e;
/// `relayMessage(uint256,address,address,uint256,uint256,bytes)` of the messenger.
const RELAY: [u8; 4] = [0xd7, 0x64, 0xad, 0x0b];
/// `finalizeBridgeETH(address,address,uint256,bytes)` of the standard bridge.
const FINALIZE_ETHER: [u8; 4] = [0x16, 0x35, 0xf5, 0xfd];
/// `finalizeBridgeERC20(address,address,address,address,uint256,bytes)` of the standard bridge.
const FINALIZE_TOKEN: [u8; 4] = [0x01, 0x66, 0xa0, 0x7a];

/// A deposit as the portal logs it.
struct Deposit<'a> {
    from: Address,
    to: Address,
    mint: &'a [u8],
    value: &'a [u8],
    gas: &'a [u8],
    data: &'a [u8],
}

/// What a deposit brings: which coin of the rollup, how much of what here, to whom.
struct Cargo {
    here: Coin,
    there: Coin,
    amount: Amount,
    payee: Address,
}

pub(super) fn departures(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Departure> {
    let mut purse = Purse::new(tx);
    let events = tx.events.iter();
    events
        .filter(|event| event.form() == topics::CANONICAL_TRANSACTION_DEPOSITED)
        .filter_map(|event| of(bridges, chain, &mut purse, event))
        .collect()
}

fn of(bridges: &Bridges, chain: &Chain, purse: &mut Purse<'_>, event: &Event) -> Option<Departure> {
    let road = bridges.road(chain.name(), Protocol::OpStack, &event.address)?;
    let deposit = unpack(event)?;
    let cargo = deposit.cargo()?;
    let block = purse.tx().placement.block.evm_hash();
    let hash = deposit.hash(block, event.index);
    let carried = purse.take(event.address, &road.contracts, cargo.here, cargo.amount);
    let search = road.place.chain().map(|there| Search::Transaction {
        chain: there.name().to_owned(),
        hash,
    });
    let mut departure = departure(Protocol::OpStack, hash, road.place, search);
    departure.carrier = carried;
    departure.amount = cargo.amount;
    departure.payee = Payee::Account(cargo.payee);
    departure.brings = Some(cargo.there);
    Some(departure)
}

/// `TransactionDeposited(address indexed from, address indexed to, uint256 indexed version, bytes opaqueData)` of
/// version 0, whose data is the packed (uint256 mint, uint256 value, uint64 gas, bool creation, bytes data).
fn unpack(event: &Event) -> Option<Deposit<'_>> {
    let opaque = Words::of(event).bytes(0)?;
    let version = topic(event, 3)?;
    let creates = *opaque.get(72)?;
    if version != B256::ZERO || creates != 0 {
        return None;
    }
    Some(Deposit {
        from: address(topic(event, 1)?)?,
        to: address(topic(event, 2)?)?,
        mint: opaque.get(..32)?,
        value: opaque.get(32..64)?,
        gas: opaque.get(64..72)?,
        data: opaque.get(73..)?,
    })
}

impl Deposit<'_> {
    fn hash(&self, block: B256, index: u64) -> B256 {
        let mut place = [0; 64];
        place[..32].copy_from_slice(block.as_slice());
        place[56..].copy_from_slice(&index.to_be_bytes());
        let mut domain = [0; 64];
        domain[32..].copy_from_slice(keccak256(place).as_slice());
        let source = keccak256(domain);
        let fields = [
            source.as_slice(),
            self.from.as_slice(),
            self.to.as_slice(),
            trimmed(self.mint),
            trimmed(self.value),
            trimmed(self.gas),
            &[],
            self.data,
        ];
        hash(DEPOSIT, &fields)
    }

    /// Ether goes to whom the message names, or is credited to the sender where less of it is paid on than was brought.
    fn cargo(&self) -> Option<Cargo> {
        let mint = Words(self.mint).amount(0)?;
        if mint.is_zero() {
            return self.token();
        }
        let payee = if self.mint == self.value {
            self.payee().unwrap_or(self.to)
        } else {
            self.from
        };
        Some(Cargo {
            here: Coin::Native,
            there: Coin::Native,
            amount: mint,
            payee,
        })
    }

    /// The message within the message: of the messenger to the standard bridge.
    fn message(&self) -> Option<(Address, &[u8])> {
        let fields = Words(self.data.strip_prefix(&RELAY)?);
        Some((fields.address(2)?, fields.bytes(5)?))
    }

    fn payee(&self) -> Option<Address> {
        let (target, message) = self.message()?;
        match message.strip_prefix(&FINALIZE_ETHER) {
            Some(fields) => Words(fields).address(1),
            None => Some(target),
        }
    }

    fn token(&self) -> Option<Cargo> {
        let (_, message) = self.message()?;
        let fields = Words(message.strip_prefix(&FINALIZE_TOKEN)?);
        let amount = fields.amount(4)?;
        Some(Cargo {
            here: Coin::Token(fields.address(1)?),
            there: Coin::Token(fields.address(0)?),
            amount,
            payee: fields.address(3)?,
        })
    }
}
