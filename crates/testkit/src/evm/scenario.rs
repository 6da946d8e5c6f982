//! A laundering story told on a real node, and what truly happened in it.

mod book;
mod crowd;
mod laundering;
mod market;
mod stage;
mod teller;
mod tricks;

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use hansel_ledger::Coin;

use super::EvmRpc;
use crate::rpc::RpcError;
use stage::Stage;

/// How large the story is told. Equal scenarios give the same accounts, transactions and amounts on every node.
///
/// The story is, scene by scene (see [`EvmDeed::scene`]): `funding`, `deployment`, `market` (an honest provider
/// fills two pools), `theft` (100 ether, 50,000 `usd` and 1,000 `taxed` from the victim to the thief, who owned 5
/// ether and 1,000 `usd` before), `split` (a contract divides among three relays), `swaps`, `wrapping`,
/// `liquidity`, `mixer`, `proxy`, `refusal` (an inner call that carries value is reverted), `failure` (a transaction
/// that fails), `inheritance` (a contract destroys itself in favour of an heir), `delegation` (somebody else moves
/// an EIP-7702 account's coins), `user-operation` (a bundler submits what ERC-4337 accounts signed), `auction` (a CoW
/// settlement), `batch`, `taxed`, `dust`, `spam` (transfers of nothing), `counterfeit` (a token that claims that the
/// thief sent it), `rest` (a wallet that gets and never gives), `crowd` and `exchange` (a hot wallet with many
/// customers, and the address where the thief deposits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvmScenario {
    /// How many customers deposit at the exchange, once each in ether and every tenth in `usd` too.
    pub customers: u32,
}

/// What truly happened.
///
/// Accounts: `faucet`, `deployer`, `provider`, `victim`, `thief`, `relay1` to `relay3`, `partner`, `mixer-relayer`,
/// `fresh1` to `fresh3`, `courier`, `elsewhere`, `heir`, `owner`, `operator`, `beneficiary`, `payee1` to `payee5`,
/// `collector`, `lookalike1` to `lookalike3`, `spammer`, `quiet`, `deposit` and `hot`, and the contracts `usd`, `gold`,
/// `taxed`, `counterfeit`, `weth`, `usd-pair`, `gold-pair`, `router`, `splitter`, `batch-payer`, `mixer`, `proxy`,
/// `forwarder`, `stubborn`, `refuser`, `spam-contract`, `factory`, `mortal`, `delegate`, `entry-point`, `smart`,
/// `smart2` and `settlement`. Customers are not named. Each token contract, pairs included, is also a coin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvmStory {
    /// The chain's id.
    pub chain_id: u64,
    /// Every named account.
    pub accounts: BTreeMap<&'static str, Address>,
    /// Every transaction of the chain in chain order.
    pub deeds: Vec<EvmDeed>,
    /// What each account holds at the end, zero where it held something once. The block's maker is not among them.
    pub balances: BTreeMap<(Address, Coin), U256>,
}

/// A transaction and every movement of value that it made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvmDeed {
    /// The scene that it belongs to.
    pub scene: &'static str,
    /// Which.
    pub hash: B256,
    /// Its block's number.
    pub block: u64,
    /// Its index in the block.
    pub index: u64,
    /// Who signed it and paid its gas.
    pub sender: Address,
    /// What it called; `None` where it created a contract.
    pub to: Option<Address>,
    /// False where it was reverted.
    pub succeeded: bool,
    /// What the sender paid for gas, in base units of the native coin.
    pub fee: U256,
    /// The movements: first those of the native coin in order of execution, then those of tokens in the order of
    /// their logs. What is made comes from the coin's contract and what is destroyed goes there.
    pub movements: Vec<EvmMove>,
}

/// Value that moved from one account to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EvmMove {
    /// Who gave.
    pub from: Address,
    /// Who received.
    pub to: Address,
    /// What.
    pub coin: Coin,
    /// How much, in base units; never zero.
    pub amount: U256,
}

/// Says why a story could not be told.
#[derive(Debug, thiserror::Error)]
pub enum EvmStoryError {
    /// The node refused or broke off.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The node did something else than the story says.
    #[error("{scene}: {transaction}: {difference}")]
    Other {
        /// The scene.
        scene: &'static str,
        /// The transaction.
        transaction: B256,
        /// What is different.
        difference: String,
    },
    /// The node's balances are not those of the story.
    #[error("{account} holds {found} of {coin}, not {told}")]
    Balance {
        /// Whose.
        account: Address,
        /// Of what.
        coin: Coin,
        /// What the story says.
        told: U256,
        /// What the node says.
        found: U256,
    },
}

impl EvmScenario {
    /// With 2,000 customers: some 2,300 transactions, told in a few seconds.
    pub fn full() -> Self {
        Self { customers: 2_000 }
    }

    /// With a dozen customers: every scene, some 130 transactions, told in a second.
    pub fn small() -> Self {
        Self { customers: 12 }
    }

    /// Tells the story on a fresh node whose blocks are made on demand, as [`super::Anvil`] and
    /// [`super::Hardhat`] start them, and checks every receipt and every balance against what it says.
    pub fn play(self, rpc: &EvmRpc) -> Result<EvmStory, EvmStoryError> {
        let mut stage = Stage::set(rpc)?;
        stage.open_market()?;
        stage.gather_crowd(self.customers)?;
        stage.launder()?;
        stage.try_tricks()?;
        stage.crowd_exchange(self.customers)?;
        let story = stage.finish()?;
        story.check(rpc)?;
        Ok(story)
    }
}

impl EvmStory {
    /// The account of a name.
    ///
    /// # Panics
    /// Where the story knows none.
    pub fn account(&self, name: &str) -> Address {
        let known = self.accounts.get(name);
        *known.unwrap_or_else(|| panic!("nobody in the story is called {name}"))
    }

    /// The token whose contract has this name, or `native`.
    ///
    /// # Panics
    /// Where the story knows none.
    pub fn coin(&self, name: &str) -> Coin {
        match name {
            "native" => Coin::Native,
            contract => Coin::Token(self.account(contract)),
        }
    }

    /// The transactions of a scene, in chain order.
    pub fn scene(&self, name: &str) -> impl Iterator<Item = &EvmDeed> {
        self.deeds.iter().filter(move |deed| deed.scene == name)
    }

    /// The transactions in which an account gave or received a coin, or paid gas in it.
    pub fn statement(&self, account: Address, coin: Coin) -> impl Iterator<Item = &EvmDeed> {
        let touches = move |moved: &EvmMove| {
            moved.coin == coin && (moved.from == account || moved.to == account)
        };
        self.deeds.iter().filter(move |deed| {
            (coin == Coin::Native && deed.sender == account) || deed.movements.iter().any(touches)
        })
    }

    /// What an account holds of a coin at the end.
    pub fn balance(&self, account: Address, coin: Coin) -> U256 {
        let held = self.balances.get(&(account, coin));
        held.copied().unwrap_or_default()
    }

    /// The last block of the story.
    pub fn tip(&self) -> u64 {
        self.deeds.last().map_or(0, |deed| deed.block)
    }

    /// Compares every balance with what the node says at the story's last block.
    pub fn check(&self, rpc: &EvmRpc) -> Result<(), EvmStoryError> {
        let tip = Some(self.tip());
        for (&(account, coin), &told) in &self.balances {
            let found = match coin {
                Coin::Native => rpc.balance(account, tip)?,
                Coin::Token(contract) => rpc.token_balance(contract, account, tip)?,
            };
            if found != told {
                return Err(EvmStoryError::Balance {
                    account,
                    coin,
                    told,
                    found,
                });
            }
        }
        Ok(())
    }
}
