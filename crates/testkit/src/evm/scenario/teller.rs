//! Sends the story's transactions, makes their blocks and notes what they did.

use std::collections::BTreeMap;

use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use hansel_ledger::Coin;

use super::book::{Book, Effect};
use super::{EvmDeed, EvmStoryError};
use crate::evm::{EvmKey, EvmOrder, EvmRpc};

/// Seconds between two blocks.
const BLOCK_TIME: u64 = 12;
/// When the first block is made, in seconds since 1970.
const START: u64 = 1_700_000_000;
/// What a development node's first account owns, as the nodes are started.
const FAUCET: u128 = 1_000_000_000_000_000_000_000_000;

/// Something to be done in one transaction.
#[derive(Clone, Debug)]
pub(super) struct Act {
    to: Option<Address>,
    value: U256,
    data: Bytes,
    gas: u64,
    effects: Vec<Effect>,
    grants: Vec<SignedAuthorization>,
    fails: bool,
}

impl Act {
    /// Pays an account without code.
    pub(super) fn pay(to: Address, value: U256) -> Self {
        Self {
            to: Some(to),
            value,
            gas: 21_000,
            ..Self::create(Bytes::new())
        }
    }

    /// Calls a contract.
    pub(super) fn call(to: Address, data: Bytes) -> Self {
        Self {
            to: Some(to),
            gas: 1_000_000,
            ..Self::create(data)
        }
    }

    /// Creates a contract.
    pub(super) fn create(data: Bytes) -> Self {
        Self {
            to: None,
            value: U256::ZERO,
            data,
            gas: 3_000_000,
            effects: Vec::new(),
            grants: Vec::new(),
            fails: false,
        }
    }

    /// Sends the native coin along.
    pub(super) fn with_value(self, value: U256) -> Self {
        Self { value, ..self }
    }

    /// Says what moves besides the value sent along, the native coin first.
    pub(super) fn moving(self, effects: impl Into<Vec<Effect>>) -> Self {
        let effects = effects.into();
        Self { effects, ..self }
    }

    /// Allows more gas or less.
    pub(super) fn with_gas(self, gas: u64) -> Self {
        Self { gas, ..self }
    }

    /// Gives accounts code.
    pub(super) fn granting(self, grants: Vec<SignedAuthorization>) -> Self {
        Self { grants, ..self }
    }

    /// Expects the transaction to be reverted.
    pub(super) fn failing(self) -> Self {
        Self {
            fails: true,
            ..self
        }
    }
}

/// Tells the story to a node.
pub(super) struct Teller {
    rpc: EvmRpc,
    chain_id: u64,
    scene: &'static str,
    time: u64,
    nonces: BTreeMap<Address, u64>,
    waiting: Vec<EvmDeed>,
    deeds: Vec<EvmDeed>,
    pub(super) book: Book,
}

impl Teller {
    pub(super) fn new(rpc: EvmRpc) -> Result<Self, EvmStoryError> {
        let mut book = Book::default();
        book.give(EvmKey::faucet().address(), Coin::Native, U256::from(FAUCET));
        Ok(Self {
            rpc,
            chain_id: rpc.chain_id()?,
            scene: "funding",
            time: START,
            nonces: BTreeMap::new(),
            waiting: Vec::new(),
            deeds: Vec::new(),
            book,
        })
    }

    pub(super) fn rpc(&self) -> EvmRpc {
        self.rpc
    }

    pub(super) fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// How many transactions an account has sent.
    pub(super) fn nonce(&self, account: Address) -> u64 {
        self.nonces.get(&account).copied().unwrap_or_default()
    }

    /// Uses up one more of an account's numbers, as a grant does.
    pub(super) fn use_nonce(&mut self, account: Address) {
        *self.nonces.entry(account).or_default() += 1;
    }

    /// Begins a scene.
    pub(super) fn scene(&mut self, name: &'static str) {
        self.scene = name;
    }

    /// Has an account do something in the next block, and returns the transaction's hash.
    pub(super) fn act(&mut self, actor: &EvmKey, act: Act) -> Result<B256, EvmStoryError> {
        let sender = actor.address();
        let nonce = self.nonce(sender);
        self.use_nonce(sender);
        let raw = sign(actor, &act, nonce, self.chain_id);
        let hash = keccak256(&raw);
        let accepted = self.rpc.send_raw(&raw)?;
        assert_eq!(accepted, hash, "a transaction's hash is its bytes' digest");
        let receiver = act.to.unwrap_or_else(|| sender.create(nonce));
        let paid = Effect::native(sender, receiver, act.value);
        let first = (!act.value.is_zero()).then_some(paid);
        let effects = first.into_iter().chain(act.effects);
        let effects: Vec<Effect> = effects.filter(|_| !act.fails).collect();
        effects.iter().for_each(|effect| self.book.apply(*effect));
        self.waiting.push(EvmDeed {
            scene: self.scene,
            hash,
            block: 0,
            index: 0,
            sender,
            to: act.to,
            succeeded: !act.fails,
            fee: U256::ZERO,
            movements: effects.into_iter().map(Effect::movement).collect(),
        });
        Ok(hash)
    }

    /// Makes a block of what was done since the last one.
    pub(super) fn block(&mut self) -> Result<(), EvmStoryError> {
        self.rpc.mine_at(self.time)?;
        self.time += BLOCK_TIME;
        for (place, deed) in (0_u64..).zip(std::mem::take(&mut self.waiting)) {
            let receipt = self.rpc.receipt(deed.hash)?;
            if (receipt.index, receipt.succeeded) != (place, deed.succeeded) {
                return Err(EvmStoryError::Other {
                    scene: deed.scene,
                    transaction: deed.hash,
                    difference: format!("expected at {place} and {}: {receipt:?}", deed.succeeded),
                });
            }
            self.book.take(deed.sender, Coin::Native, receipt.fee);
            self.deeds.push(EvmDeed {
                block: receipt.block,
                index: receipt.index,
                fee: receipt.fee,
                ..deed
            });
        }
        Ok(())
    }

    /// Does one thing in a block of its own.
    pub(super) fn alone(&mut self, actor: &EvmKey, act: Act) -> Result<B256, EvmStoryError> {
        let hash = self.act(actor, act)?;
        self.block()?;
        Ok(hash)
    }

    pub(super) fn finish(self) -> (Vec<EvmDeed>, Book) {
        (self.deeds, self.book)
    }
}

/// Signs what is to be done: with the old kind of transaction and the new one by turns.
fn sign(actor: &EvmKey, act: &Act, nonce: u64, chain_id: u64) -> Bytes {
    let order = EvmOrder {
        chain_id,
        nonce,
        to: act.to,
        value: act.value,
        data: act.data.clone(),
        gas: act.gas,
    };
    if !act.grants.is_empty() {
        actor.sign_delegating(&order, act.grants.clone())
    } else if nonce.is_multiple_of(2) {
        actor.sign_legacy(&order)
    } else {
        actor.sign_dynamic(&order)
    }
}
