//! Arbitrum: a deposit of ether and a retryable ticket have ids that follow from what the bridge and the inbox log.
//!
//! The layouts are those of Arbitrum's SDK 4.0.4 (`EthDepositMessage`, `ParentToChildMessage`). A ticket's value moves
//! where it is redeemed, in a transaction that the rollup names beside the ticket.

use alloy_primitives::{Address, B256, U160, address, keccak256};
use hansel_ledger::{Amount, Chain, Coin, Event, EvmTransaction, topics};

use super::abi::{Words, topic};
use super::bridges::Road;
use super::rlp::{hash, trimmed};
use super::rollup::{Purse, departure};
use super::search::WEEK;
use super::{Bridges, Departure, Payee, Protocol, Search};

/// The types of the rollup's transactions.
const DEPOSIT: u8 = 0x64;
const TICKET: u8 = 0x69;
/// The kinds of messages.
const KIND_TICKET: u64 = 9;
const KIND_DEPOSIT: u64 = 12;
/// The precompile `ArbRetryableTx`, which logs redemptions.
const RETRYABLES: Address = address!("000000000000000000000000000000000000006E");
/// What the rollup adds to a contract's address.
const ALIAS: Address = address!("1111000000000000000000000000000000001111");
/// `finalizeInboundTransfer(address,address,address,uint256,bytes)` of a token's gateway.
const FINALIZE: [u8; 4] = [0x2e, 0x56, 0x7b, 0x36];

/// A message to the rollup.
struct Message<'a> {
    number: B256,
    sender: Address,
    kind: u64,
    base_fee: B256,
    data: &'a [u8],
}

/// What a message brings, to whom; `there` where the coin of the rollup is known.
struct Cargo {
    here: Coin,
    there: Option<Coin>,
    amount: Amount,
    payee: Address,
    /// How much moved here for it.
    moved: Amount,
    /// Who holds it here, where that is not the bridge.
    gateway: Option<Address>,
}

pub(super) fn departures(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Departure> {
    let mut purse = Purse::new(tx);
    let events = tx.events.iter();
    events
        .filter(|event| event.form() == topics::CANONICAL_MESSAGE_DELIVERED)
        .filter_map(|event| of(bridges, chain, &mut purse, event))
        .collect()
}

fn of(bridges: &Bridges, chain: &Chain, purse: &mut Purse<'_>, event: &Event) -> Option<Departure> {
    let road = bridges.road(chain.name(), Protocol::Arbitrum, &event.address)?;
    let message = message(purse.tx(), event)?;
    let cargo = message.cargo(&road)?;
    let holder = cargo.gateway.unwrap_or(event.address);
    let (id, search) = message.search(&road)?;
    let carried = purse.take(holder, &road.contracts, cargo.here, cargo.moved);
    let mut departure = departure(Protocol::Arbitrum, id, road.place, search);
    departure.carrier = carried;
    departure.amount = cargo.amount;
    departure.payee = Payee::Account(cargo.payee);
    departure.brings = cargo.there;
    Some(departure)
}

/// `MessageDelivered(uint256 indexed number, bytes32 indexed before, address inbox, uint8 kind, address sender,
/// bytes32 dataHash, uint256 baseFee, uint64 time)`, and the data that the inbox logs of that number, which must have
/// that hash.
fn message<'a>(tx: &'a EvmTransaction, event: &Event) -> Option<Message<'a>> {
    let words = Words::of(event);
    let number = topic(event, 1)?;
    let (inbox, wanted) = (words.address(0)?, words.word(3)?);
    let mut events = tx.events.iter();
    let told = events.find(|one| {
        one.form() == topics::CANONICAL_INBOX_MESSAGE_DELIVERED
            && one.address == inbox
            && topic(one, 1) == Some(number)
    })?;
    let data = Words::of(told).bytes(0)?;
    (keccak256(data) == wanted).then_some(())?;
    Some(Message {
        number,
        sender: words.address(2)?,
        kind: words.number(1)?,
        base_fee: words.word(4)?,
        data,
    })
}

impl Message<'_> {
    /// A gateway's tokens only where the gateway is known: anybody can write what a gateway writes.
    fn cargo(&self, road: &Road) -> Option<Cargo> {
        let is_known = |cargo: &Cargo| {
            let gateway = cargo.gateway.as_ref();
            gateway.is_some_and(|gateway| road.contracts.contains(gateway))
        };
        match self.kind {
            KIND_DEPOSIT => self.deposited(),
            KIND_TICKET => self.token().filter(is_known).or_else(|| self.ether()),
            _ => None,
        }
    }

    fn deposited(&self) -> Option<Cargo> {
        let amount = Words(self.data.get(20..52)?).amount(0)?;
        Some(Cargo {
            here: Coin::Native,
            there: Some(Coin::Native),
            amount,
            payee: Address::from_slice(self.data.get(..20)?),
            moved: amount,
            gateway: None,
        })
    }

    /// What a ticket calls with: the rest of what it takes pays for gas, or is refunded.
    fn ether(&self) -> Option<Cargo> {
        let fields = Words(self.data);
        let (amount, moved) = (fields.amount(1)?, fields.amount(2)?);
        let cargo = Cargo {
            here: Coin::Native,
            there: Some(Coin::Native),
            amount,
            payee: fields.address(0)?,
            moved,
            gateway: None,
        };
        (!amount.is_zero() && amount <= moved).then_some(cargo)
    }

    /// A gateway's tokens; what they are called on the rollup only its gateway there knows.
    fn token(&self) -> Option<Cargo> {
        let fields = Words(self.call()?.strip_prefix(&FINALIZE)?);
        let amount = fields.amount(3)?;
        Some(Cargo {
            here: Coin::Token(fields.address(0)?),
            there: None,
            amount,
            payee: fields.address(2)?,
            moved: amount,
            gateway: Some(unaliased(self.sender)),
        })
    }

    /// What a ticket calls.
    fn call(&self) -> Option<&[u8]> {
        let length = usize::try_from(Words(self.data).number(8)?).ok()?;
        let start = self.data.len().checked_sub(length)?;
        self.data.get(start.max(288)..)
    }

    /// The id, and where the value arrives.
    fn search(&self, road: &Road) -> Option<(B256, Option<Search>)> {
        let chain_id = road.id.to_be_bytes();
        let there = road.place.chain().map(|chain| chain.name().to_owned());
        if self.kind == KIND_DEPOSIT {
            let id = self.deposit(&chain_id)?;
            let search = there.map(|chain| Search::Transaction { chain, hash: id });
            return Some((id, search));
        }
        let id = self.ticket(&chain_id)?;
        let forms = [
            topics::ARBITRUM_REDEEM_SCHEDULED,
            topics::ARBITRUM_OLD_REDEEM_SCHEDULED,
        ];
        let search = there.map(|chain| Search::Named {
            chain,
            contracts: vec![RETRYABLES],
            topics: vec![forms.to_vec(), vec![id]],
            topic: 2,
            within: WEEK,
        });
        Some((id, search))
    }

    fn deposit(&self, chain_id: &[u8]) -> Option<B256> {
        let fields = [
            trimmed(chain_id),
            self.number.as_slice(),
            self.sender.as_slice(),
            self.data.get(..20)?,
            trimmed(self.data.get(20..52)?),
        ];
        Some(hash(DEPOSIT, &fields))
    }

    fn ticket(&self, chain_id: &[u8]) -> Option<B256> {
        let words = Words(self.data);
        let word = |number: usize| self.data.get(number * 32..number * 32 + 32).map(trimmed);
        let to = words.address(0)?;
        let to: &[u8] = if to.is_zero() { &[] } else { to.as_slice() };
        let (excess, refund) = (words.address(4)?, words.address(5)?);
        let fields = [
            trimmed(chain_id),
            self.number.as_slice(),
            self.sender.as_slice(),
            trimmed(self.base_fee.as_slice()),
            word(2)?,
            word(7)?,
            word(6)?,
            to,
            word(1)?,
            refund.as_slice(),
            word(3)?,
            excess.as_slice(),
            self.call()?,
        ];
        Some(hash(TICKET, &fields))
    }
}

/// The contract whose address the rollup shifted.
fn unaliased(shifted: Address) -> Address {
    let number = |address: Address| U160::from_be_bytes(address.into_array());
    Address::from(number(shifted).wrapping_sub(number(ALIAS)))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{U256, b256, hex};

    use super::*;

    /// Message 820770 of the bridge, logged in Ethereum's block 17173050: a call without value, of a token bridge.
    /// `calculateSubmitRetryableId` of Arbitrum's SDK 4.0.4 gives the id.
    #[test]
    fn the_id_of_a_real_ticket_is_what_arbitrums_own_sdk_computes() {
        let call = hex!(
            "cc29a306"
            "000000000000000000000000aff2d179ec048f136b3e2036363b4bdc80d05d86"
            "0000000000000000000000000000000000000000000000000355ba6be5d59214"
            "00000000000000000000000000000000000000000000000003518c6f41dbd8ec"
            "00000000000000000000000000000000000000000000000000000000645a3a72"
            "000000000000000000000000710bda329b2a6224e4b44833de30f38e7f81d564"
            "0000000000000000000000000000000000000000000000000000000000000000"
        );
        let word = |number: u64| B256::from(U256::from(number));
        let (zero, cost) = (B256::ZERO, word(0xb52f_2fda_3f50));
        let to = address!("3749C4f034022c39ecafFaBA182555d4508caCCC").into_word();
        let length = word(196);
        let words = [to, zero, cost, cost, zero, zero, zero, zero, length];
        let mut data: Vec<u8> = words.iter().flat_map(|word| word.0).collect();
        data.extend(call);
        let noted = b256!("d72c0718a06aa78304ff9662873d88442ed29d0011265504ebee4f3c82ea8ce1");
        assert_eq!(keccak256(&data), noted);
        let message = Message {
            number: word(0xc_8622),
            sender: address!("ee488a11475d588908001e0e99e4fd89abda6545"),
            kind: KIND_TICKET,
            base_fee: word(0x12_0182_5ed5),
            data: &data,
        };
        let sdk = b256!("3bdf56dd203d9211238b5df5a66371baddf7cdf3135d2c4c9e53b6c95d058387");
        assert_eq!(message.ticket(&42_161_u64.to_be_bytes()), Some(sdk));
    }
}
