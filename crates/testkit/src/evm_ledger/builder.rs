//! Makes a chain out of transactions, and refuses value that comes from nowhere.

use std::collections::{BTreeMap, HashMap};
use std::mem;

use alloy_primitives::{Address, B256, Bytes, Log, LogData, U256, b256, keccak256};
use hansel_ledger::Coin;

use super::history::History;
use super::sent::{EvmSent, EvmStep};
use super::timeline::Timeline;
use super::{Body, EVM_GAS_PRICE, EtherSent, EvmLedger, Made, header};

/// `Transfer(address,address,uint256)`.
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// What a token says of itself.
#[derive(Clone, Debug)]
pub struct EvmToken {
    /// Its contract.
    pub contract: Address,
    /// What it calls itself.
    pub symbol: String,
    /// The decimals that it claims.
    pub decimals: u8,
}

/// Says why a chain cannot be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EvmLedgerError {
    /// Somebody gives what they do not have.
    #[error("block {block}: {account} gives {amount} of {coin} and holds {held}")]
    Overdrawn {
        /// Where.
        block: u64,
        /// Who.
        account: Address,
        /// Of what.
        coin: Coin,
        /// How much is given.
        amount: U256,
        /// How much is there.
        held: U256,
    },
    /// A transaction stands outside the chain.
    #[error("block {0} is outside the chain")]
    Outside(u64),
    /// Two transactions have one hash.
    #[error("transaction {0} is there twice")]
    Twice(B256),
}

/// A chain in the making.
#[derive(Debug)]
pub struct EvmLedgerBuilder {
    ledger: EvmLedger,
    sent: BTreeMap<u64, Vec<EvmSent>>,
}

impl EvmLedgerBuilder {
    /// An empty chain up to block `tip`, whose transactions all stand in `first..=tip`. Blocks of `times`
    /// (height, seconds since 1970) are made then, others in between.
    pub fn new(chain_id: u64, first: u64, tip: u64, times: Vec<(u64, u64)>) -> Self {
        Self {
            ledger: EvmLedger {
                chain_id,
                first,
                tip,
                timeline: Timeline::new(times),
                tokens: BTreeMap::new(),
                code: BTreeMap::new(),
                blocks: BTreeMap::new(),
                hashes: Vec::new(),
                heights: HashMap::new(),
                places: HashMap::new(),
                balances: HashMap::new(),
                nonces: HashMap::new(),
            },
            sent: BTreeMap::new(),
        }
    }

    /// Deploys a token.
    pub fn token(&mut self, token: EvmToken) {
        self.contract(token.contract);
        self.ledger.tokens.insert(token.contract, token);
    }

    /// Puts code at an address.
    pub fn contract(&mut self, address: Address) {
        let code = [&[0x60, 0x80, 0x60, 0x40, 0x52], address.as_slice()].concat();
        self.ledger.code.insert(address, code.into());
    }

    /// Gives an account something that it holds before the first block.
    pub fn fund(&mut self, account: Address, coin: Coin, amount: U256) {
        self.history(account, coin).open(amount);
    }

    /// Puts a transaction at the end of a block.
    pub fn push(&mut self, block: u64, sent: EvmSent) {
        self.sent.entry(block).or_default().push(sent);
    }

    /// The time of a block in seconds since 1970.
    pub fn time(&self, block: u64) -> u64 {
        self.ledger.time(block)
    }

    /// Runs all transactions in order.
    pub fn build(mut self) -> Result<EvmLedger, EvmLedgerError> {
        for (block, sent) in mem::take(&mut self.sent) {
            if block < self.ledger.first || block > self.ledger.tip {
                return Err(EvmLedgerError::Outside(block));
            }
            let body = self.run_block(block, sent)?;
            self.ledger.blocks.insert(block, body);
        }
        for height in self.ledger.first..=self.ledger.tip {
            let hash = header::header(&self.ledger, height).hash_slow();
            self.ledger.hashes.push(hash);
            self.ledger.heights.insert(hash, height);
        }
        Ok(self.ledger)
    }

    fn run_block(&mut self, block: u64, sent: Vec<EvmSent>) -> Result<Body, EvmLedgerError> {
        let mut made: Vec<Made> = Vec::with_capacity(sent.len());
        for one in sent {
            let next = self.run(block, one, made.last(), made.len())?;
            if self
                .ledger
                .places
                .insert(next.hash, (block, made.len()))
                .is_some()
            {
                return Err(EvmLedgerError::Twice(next.hash));
            }
            made.push(next);
        }
        Ok(header::body(made))
    }

    fn run(
        &mut self,
        block: u64,
        sent: EvmSent,
        previous: Option<&Made>,
        index: usize,
    ) -> Result<Made, EvmLedgerError> {
        let EvmSent {
            hash,
            sender,
            to,
            value,
            input,
            gas,
            succeeds,
            steps,
        } = sent;
        let fee = U256::from(gas) * U256::from(EVM_GAS_PRICE);
        self.take(block, sender, Coin::Native, fee)?;
        let (mut logs, mut calls) = (Vec::new(), Vec::new());
        if succeeds {
            self.shift(block, Coin::Native, sender, to, value)?;
            for step in steps {
                self.step(block, step, &mut logs, &mut calls)?;
            }
        }
        Ok(Made {
            hash: hash.unwrap_or_else(|| made_up_hash(self.ledger.chain_id, block, index)),
            sender,
            to,
            value,
            input,
            nonce: self.count(block, sender),
            succeeded: succeeds,
            gas_used: gas,
            cumulative_gas: gas + previous.map_or(0, |made| made.cumulative_gas),
            first_log: previous.map_or(0, Made::after_logs),
            logs,
            calls,
        })
    }

    fn step(
        &mut self,
        block: u64,
        step: EvmStep,
        logs: &mut Vec<Log>,
        calls: &mut Vec<EtherSent>,
    ) -> Result<(), EvmLedgerError> {
        match step {
            EvmStep::Token {
                contract,
                from,
                to,
                amount,
            } => {
                self.shift(block, Coin::Token(contract), from, to, amount)?;
                logs.push(transfer(contract, from, to, amount));
            }
            EvmStep::Forged {
                contract,
                from,
                to,
                amount,
            } => logs.push(transfer(contract, from, to, amount)),
            EvmStep::Logged(log) => logs.push(log),
            EvmStep::Ether { from, to, value } => {
                self.shift(block, Coin::Native, from, to, value)?;
                calls.push(EtherSent { from, to, value });
            }
        }
        Ok(())
    }

    /// Tokens come from and go to the zero address without end, as they are made and destroyed.
    fn shift(
        &mut self,
        block: u64,
        coin: Coin,
        from: Address,
        to: Address,
        amount: U256,
    ) -> Result<(), EvmLedgerError> {
        let made = coin != Coin::Native && from.is_zero();
        if amount.is_zero() {
            return Ok(());
        }
        if !made {
            self.take(block, from, coin, amount)?;
        }
        let destroyed = coin != Coin::Native && to.is_zero();
        if !destroyed {
            let history = self.history(to, coin);
            history.set(block, history.now() + amount);
        }
        Ok(())
    }

    fn take(
        &mut self,
        block: u64,
        account: Address,
        coin: Coin,
        amount: U256,
    ) -> Result<(), EvmLedgerError> {
        let history = self.history(account, coin);
        let held = history.now();
        let rest = held.checked_sub(amount).ok_or(EvmLedgerError::Overdrawn {
            block,
            account,
            coin,
            amount,
            held,
        })?;
        history.set(block, rest);
        Ok(())
    }

    fn history(&mut self, account: Address, coin: Coin) -> &mut History {
        self.ledger.balances.entry((account, coin)).or_default()
    }

    /// Counts a transaction of an account and says how many there were before.
    fn count(&mut self, block: u64, sender: Address) -> u64 {
        let sent = self.ledger.nonces.entry(sender).or_default();
        let before = u64::try_from(sent.len()).expect("a count in memory fits 64 bits");
        sent.push(block);
        before
    }
}

impl Made {
    fn after_logs(&self) -> u64 {
        let own = u64::try_from(self.logs.len()).expect("a count in memory fits 64 bits");
        self.first_log + own
    }
}

fn transfer(contract: Address, from: Address, to: Address, amount: U256) -> Log {
    let topics = vec![TRANSFER, from.into_word(), to.into_word()];
    let data = Bytes::from(amount.to_be_bytes::<32>());
    Log {
        address: contract,
        data: LogData::new_unchecked(topics, data),
    }
}

fn made_up_hash(chain_id: u64, block: u64, index: usize) -> B256 {
    keccak256(format!("{chain_id} {block} {index}"))
}
