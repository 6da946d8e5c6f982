//! A small EVM chain made by hand, which answers questions as a source would.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes};
use hansel_graph::{AccountPlan, AccountTrace, FeeRule, Limits, Rule, Theft};
use hansel_ledger::{
    AccountNature, AccountStatement, Amount, Arrival, Asset, BlockRef, Chain, Coin, Coverage,
    Creation, Deposits, EvmFact, EvmNetwork, EvmPlacement, EvmQuery, EvmTransaction, Fact, Family,
    Gap, InternalTransfers, KnownToken, Movement, Noise, Origin, Query, Subject, UnixTime,
};

/// The account of a name: every name has its own.
pub(crate) fn account(name: &str) -> Address {
    let mut bytes = [0; 20];
    for (index, byte) in name.bytes().take(20).enumerate() {
        bytes[index] = byte;
    }
    Address::from(bytes)
}

/// The contract that an account creates with a nonce from 1 to 127.
pub(crate) fn made_by(name: &str, nonce: u8) -> Address {
    let mut encoded = vec![0xd6, 0x94];
    encoded.extend(account(name));
    encoded.push(nonce);
    Address::from_word(alloy_primitives::keccak256(encoded))
}

pub(crate) fn hash(number: u64) -> B256 {
    B256::left_padding_from(&(number + 0x1000).to_be_bytes())
}

pub(crate) fn coin(name: &str) -> Coin {
    if name == "eth" {
        Coin::Native
    } else {
        Coin::Token(account(name))
    }
}

/// Builds one transaction.
pub(crate) struct Tx(EvmTransaction);

impl Tx {
    pub(crate) fn new(number: u64, sender: &str) -> Self {
        let block = BlockRef::evm(
            number,
            B256::left_padding_from(&number.to_be_bytes()),
            UnixTime(number),
        );
        Self(EvmTransaction {
            hash: hash(number),
            placement: EvmPlacement { block, index: 0 },
            sender: account(sender),
            to: None,
            succeeded: true,
            fee: Amount::ZERO,
            gas_price: None,
            movements: Vec::new(),
            created: Vec::new(),
            executed: Vec::new(),
            trades: Vec::new(),
            events: Vec::new(),
            carried: Bytes::new(),
            noise: Noise::default(),
            internal: InternalTransfers::Known,
        })
    }

    pub(crate) fn fee(mut self, fee: u64) -> Self {
        self.0.fee = fee.into();
        self
    }

    pub(crate) fn pays(mut self, from: &str, to: &str, coin_name: &str, amount: u64) -> Self {
        let index = self.0.movements.len() as u64;
        let origin = match coin(coin_name) {
            Coin::Native => Origin::Call(vec![u32::try_from(index).unwrap()]),
            Coin::Token(_) => Origin::Log(index),
        };
        self.0.movements.push(Movement {
            origin,
            from: account(from),
            to: account(to),
            coin: coin(coin_name),
            amount: amount.into(),
        });
        self
    }

    pub(crate) fn pays_at(
        mut self,
        from: Address,
        to: Address,
        coin_name: &str,
        amount: u64,
    ) -> Self {
        self = self.pays("x", "y", coin_name, amount);
        let moved = self.0.movements.last_mut().unwrap();
        (moved.from, moved.to) = (from, to);
        self
    }

    pub(crate) fn runs(mut self, names: &[&str]) -> Self {
        self.0
            .executed
            .extend(names.iter().map(|name| account(name)));
        self.0.executed.sort();
        self
    }

    pub(crate) fn creates(mut self, creator: &str, contract: &str) -> Self {
        self.0.created.push(Creation {
            creator: account(creator),
            contract: account(contract),
        });
        self
    }
}

/// The chain.
#[derive(Default)]
pub(crate) struct Accounts {
    transactions: Vec<EvmTransaction>,
    openings: BTreeMap<(Address, Coin), Amount>,
    contracts: BTreeSet<Address>,
    pub(crate) known_tokens: Vec<&'static str>,
    pub(crate) unreadable: BTreeSet<Address>,
}

impl Accounts {
    pub(crate) fn of(transactions: impl IntoIterator<Item = Tx>) -> Self {
        Self {
            transactions: transactions.into_iter().map(|tx| tx.0).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn opening(mut self, name: &str, coin_name: &str, amount: u64) -> Self {
        self.openings
            .insert((account(name), coin(coin_name)), amount.into());
        self
    }

    pub(crate) fn contract(mut self, name: &str) -> Self {
        self.contracts.insert(account(name));
        self
    }

    pub(crate) fn contract_at(mut self, address: Address) -> Self {
        self.contracts.insert(address);
        self
    }

    pub(crate) fn chain(&self) -> Chain {
        let token = |name: &&str| KnownToken {
            contract: account(name),
            asset: Asset {
                symbol: name.to_uppercase(),
                decimals: 0,
            },
        };
        let network = EvmNetwork {
            chain_id: 31_337,
            native: Asset {
                symbol: "ETH".into(),
                decimals: 18,
            },
            wrapped: None,
            tokens: self.known_tokens.iter().map(token).collect(),
            blocks: hansel_ledger::BlockForm::default(),
        };
        Chain::new("anvil", Family::Evm(Arc::new(network))).unwrap()
    }

    pub(crate) fn plan(&self, subjects: impl IntoIterator<Item = Subject>) -> AccountPlan {
        let theft = |subject| Theft {
            subject,
            since: 0,
            until: u64::MAX,
            coins: BTreeSet::new(),
        };
        AccountPlan {
            chain: self.chain(),
            subjects: subjects.into_iter().map(theft).collect(),
            coins: BTreeSet::new(),
            through: BTreeSet::new(),
            as_of: BlockRef::evm(1_000, B256::repeat_byte(9), UnixTime(1_000)),
            rules: vec![Rule::Fifo, Rule::Haircut],
            fee_rule: FeeRule::Last,
            limits: Limits::NONE,
            bound: 100,
            venues: std::sync::Arc::new(hansel_graph::NoVenues),
        }
    }

    pub(crate) fn answer(&self, query: &Query) -> Result<Fact, String> {
        let Query::Evm(query) = query else {
            return Err("unsupported".into());
        };
        let fact = match query {
            EvmQuery::Transaction { hash } => {
                let found = self.transactions.iter().find(|tx| tx.hash == *hash);
                EvmFact::Transaction(found.cloned().ok_or("not-found")?)
            }
            EvmQuery::Deposits {
                address,
                since,
                until,
            } => EvmFact::Deposits(Deposits {
                address: *address,
                since: *since,
                until: *until,
                arrivals: self.arrivals(address, None, *since, *until),
                noise: Noise::default(),
                coverage: complete(*until),
            }),
            EvmQuery::Account {
                address,
                coin,
                since,
                until,
                bound,
            } => EvmFact::Account(self.statement(address, *coin, *since, *until, *bound)?),
            EvmQuery::Logs { .. } => return Err("unsupported".into()),
        };
        Ok(Fact::Evm(fact))
    }

    fn statement(
        &self,
        address: &Address,
        coin: Coin,
        since: u64,
        until: u64,
        bound: u64,
    ) -> Result<AccountStatement, String> {
        if self.unreadable.contains(address) {
            return Err("unreachable".into());
        }
        let gives = |tx: &&EvmTransaction| {
            let sends = coin == Coin::Native && tx.sender == *address;
            let moves = tx
                .movements
                .iter()
                .any(|movement| movement.from == *address && movement.coin == coin);
            (since..=until).contains(&tx.placement.block.height) && (sends || moves)
        };
        let transactions: Vec<_> = self.transactions.iter().filter(gives).cloned().collect();
        let given: BTreeSet<B256> = transactions.iter().map(|tx| tx.hash).collect();
        let mut arrivals = self.arrivals(address, Some(coin), since, until);
        arrivals.retain(|arrival| arrival.tx.is_none_or(|tx| !given.contains(&tx)));
        let nature = if self.contracts.contains(address) {
            AccountNature::Contract
        } else {
            AccountNature::External
        };
        let mut statement = AccountStatement {
            address: *address,
            coin,
            since,
            until,
            opening: Some(self.balance_before(address, coin, since)),
            closing: Some(self.balance_before(address, coin, until + 1)),
            nature,
            transactions,
            arrivals,
            noise: Noise::default(),
            coverage: complete(until),
        };
        let entries = statement.transactions.len() + statement.arrivals.len();
        if entries as u64 > bound {
            statement.transactions.clear();
            statement.arrivals.clear();
            statement.coverage = Coverage {
                complete_through: None,
                gaps: vec![Gap::Hub { bound }],
            };
        }
        Ok(statement)
    }

    fn balance_before(&self, address: &Address, coin: Coin, block: u64) -> Amount {
        let opening = self.openings.get(&(*address, coin)).copied();
        let mut balance = opening.unwrap_or_default();
        let earlier = self
            .transactions
            .iter()
            .filter(|tx| tx.placement.block.height < block);
        for tx in earlier {
            let here = tx.movements.iter().filter(|movement| movement.coin == coin);
            for movement in here {
                if movement.to == *address {
                    balance = balance.checked_add(movement.amount).unwrap();
                }
                if movement.from == *address {
                    balance = balance.checked_sub(movement.amount).unwrap_or_default();
                }
            }
            if coin == Coin::Native && tx.sender == *address {
                balance = balance.checked_sub(tx.fee).unwrap_or_default();
            }
        }
        balance
    }

    fn arrivals(
        &self,
        address: &Address,
        only: Option<Coin>,
        since: u64,
        until: u64,
    ) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        for tx in &self.transactions {
            let wanted = |movement: &&Movement| {
                movement.to == *address && only.is_none_or(|coin| coin == movement.coin)
            };
            if !(since..=until).contains(&tx.placement.block.height) {
                continue;
            }
            for movement in tx.movements.iter().filter(wanted) {
                arrivals.push(Arrival {
                    tx: Some(tx.hash),
                    placement: tx.placement,
                    origin: movement.origin.clone(),
                    from: Some(movement.from),
                    coin: movement.coin,
                    amount: movement.amount,
                });
            }
        }
        arrivals
    }
}

fn complete(until: u64) -> Coverage {
    Coverage {
        complete_through: Some(until),
        gaps: Vec::new(),
    }
}

/// Runs a trace to its end and returns it with the questions that it asked.
pub(crate) fn traced(plan: AccountPlan, chain: &Accounts) -> (AccountTrace, Vec<Query>) {
    let mut trace = AccountTrace::new(plan).unwrap();
    let mut asked = Vec::new();
    loop {
        let wave = trace.next_wave().unwrap();
        if wave.is_empty() {
            return (trace, asked);
        }
        for query in wave {
            assert!(!asked.contains(&query), "asked twice: {query:?}");
            trace.resolve(&query, chain.answer(&query)).unwrap();
            asked.push(query);
        }
    }
}
