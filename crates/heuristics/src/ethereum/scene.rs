//! The transfers between accounts, sorted by who gave and who received.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use alloy_primitives::Address;
use hansel_graph::{AccountFacts, AccountTransfer};
use hansel_ledger::{Amount, Chain, Coin, NodeId, TransferId};

use crate::{EntityKind, Label, Labels};

/// What is known of the accounts of one chain, and what is known besides.
#[derive(Clone, Copy, Debug)]
pub struct AccountView<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// Transactions and arrivals.
    pub facts: &'a AccountFacts,
    /// What addresses are called.
    pub labels: &'a dyn Labels,
    /// Coins that count besides those that the configuration knows.
    pub coins: &'a BTreeSet<Coin>,
    /// The accounts to speak of; `None` for all of them.
    pub accounts: Option<&'a BTreeSet<Address>>,
}

/// The number of an account in a scene.
pub(super) type AccountIx = usize;

/// The transfers of a view, once through, with lists by account.
pub(super) struct Scene<'a> {
    pub(super) view: AccountView<'a>,
    /// In chain order.
    pub(super) transfers: Vec<Moved<'a>>,
    accounts: Vec<Account>,
    given: Lists,
    received: Lists,
}

/// A transfer with its accounts by number.
#[derive(Clone, Copy)]
pub(super) struct Moved<'a> {
    pub(super) told: AccountTransfer<'a>,
    pub(super) from: Option<AccountIx>,
    pub(super) to: AccountIx,
}

impl Moved<'_> {
    /// Seconds since 1970.
    pub(super) fn time(&self) -> u64 {
        self.told.placement.block.time.0
    }

    pub(super) fn block(&self) -> u64 {
        self.told.placement.block.height
    }

    pub(super) fn coin(&self) -> Coin {
        self.told.coin
    }

    pub(super) fn amount(&self) -> Amount {
        self.told.amount
    }
}

struct Account {
    address: Address,
    is_subject: bool,
    labels: OnceCell<Vec<Label>>,
}

/// Lists of transfers by account, one behind the other.
#[derive(Default)]
struct Lists {
    starts: Vec<usize>,
    numbers: Vec<usize>,
}

impl Lists {
    /// Sorts numbers by their keys; those of a key stay in order.
    fn by(count: usize, keys: impl Iterator<Item = Option<AccountIx>> + Clone) -> Self {
        let mut starts = vec![0; count + 1];
        for key in keys.clone().flatten() {
            starts[key + 1] += 1;
        }
        for place in 0..count {
            starts[place + 1] += starts[place];
        }
        let mut next = starts.clone();
        let mut numbers = vec![0; starts[count]];
        for (number, key) in keys.enumerate() {
            if let Some(key) = key {
                numbers[next[key]] = number;
                next[key] += 1;
            }
        }
        Self { starts, numbers }
    }

    fn of(&self, key: AccountIx) -> &[usize] {
        &self.numbers[self.starts[key]..self.starts[key + 1]]
    }
}

impl<'a> Scene<'a> {
    /// Sorts what a view knows, in time that grows with it.
    pub(super) fn of(view: &AccountView<'a>) -> Self {
        let mut numbers: HashMap<Address, AccountIx> = HashMap::new();
        let mut accounts = Vec::new();
        let mut number = |address: Address| {
            *numbers.entry(address).or_insert_with(|| {
                let is_subject = view.accounts.is_none_or(|all| all.contains(&address));
                accounts.push(Account {
                    address,
                    is_subject,
                    labels: OnceCell::new(),
                });
                accounts.len() - 1
            })
        };
        let transfers: Vec<Moved<'a>> = view
            .facts
            .transfers()
            .map(|told| Moved {
                told,
                from: told.from.map(&mut number),
                to: number(told.to),
            })
            .collect();
        let given = Lists::by(accounts.len(), transfers.iter().map(|one| one.from));
        let received = Lists::by(accounts.len(), transfers.iter().map(|one| Some(one.to)));
        Self {
            view: *view,
            transfers,
            accounts,
            given,
            received,
        }
    }

    pub(super) fn account_count(&self) -> usize {
        self.accounts.len()
    }

    /// Every account that findings may speak of.
    pub(super) fn subjects(&self) -> impl Iterator<Item = AccountIx> + '_ {
        (0..self.accounts.len()).filter(|account| self.accounts[*account].is_subject)
    }

    pub(super) fn is_subject(&self, account: AccountIx) -> bool {
        self.accounts[account].is_subject
    }

    pub(super) fn address(&self, account: AccountIx) -> Address {
        self.accounts[account].address
    }

    pub(super) fn node(&self, account: AccountIx) -> String {
        NodeId::account(self.view.chain, &self.address(account)).into()
    }

    /// What others call an account; asked once.
    pub(super) fn labels(&self, account: AccountIx) -> &[Label] {
        let account = &self.accounts[account];
        account.labels.get_or_init(|| {
            let address = format!("{:#x}", account.address);
            self.view.labels.lookup(self.view.chain.name(), &address)
        })
    }

    /// True where somebody calls it a place that holds or moves the value of many.
    pub(super) fn is_service(&self, account: AccountIx) -> bool {
        let labels = self.labels(account).iter();
        let mut kinds = labels.map(|label| label.kind);
        kinds.any(|kind| kind.ends_trails() || kind == EntityKind::Router)
    }

    /// The exchanges that an account is said to be of, each once, sorted.
    pub(super) fn exchanges(&self, account: AccountIx) -> BTreeSet<&str> {
        let labels = self.labels(account).iter();
        let exchanges = labels.filter(|label| label.kind == EntityKind::Exchange);
        exchanges.map(entity).collect()
    }

    /// What an account gave, in chain order.
    pub(super) fn given(
        &self,
        account: AccountIx,
    ) -> impl DoubleEndedIterator<Item = &Moved<'a>> + Clone {
        self.given
            .of(account)
            .iter()
            .map(|number| &self.transfers[*number])
    }

    /// What an account received, in chain order.
    pub(super) fn received(
        &self,
        account: AccountIx,
    ) -> impl DoubleEndedIterator<Item = &Moved<'a>> + Clone {
        self.received
            .of(account)
            .iter()
            .map(|number| &self.transfers[*number])
    }

    /// The places among the transfers of what an account gave.
    pub(super) fn given_numbers(&self, account: AccountIx) -> &[usize] {
        self.given.of(account)
    }

    /// The places among the transfers of what an account received.
    pub(super) fn received_numbers(&self, account: AccountIx) -> &[usize] {
        self.received.of(account)
    }

    /// The id of a transfer.
    pub(super) fn id(&self, moved: &Moved<'_>) -> String {
        let hash = moved.told.hash.unwrap_or_default();
        TransferId::movement(self.view.chain, &hash, moved.told.origin).into()
    }

    /// The ticker of a coin where the configuration knows it, else its contract.
    pub(super) fn coin(&self, coin: Coin) -> String {
        let known = self
            .view
            .chain
            .evm()
            .and_then(|network| network.asset(coin));
        known.map_or_else(|| coin.to_string(), |asset| asset.symbol.clone())
    }

    /// True for a coin that the configuration or the user knows; anybody can make any other. A chain without any known
    /// token, such as a test chain, has nothing to tell by.
    pub(super) fn is_known(&self, coin: Coin) -> bool {
        let network = self.view.chain.evm();
        let known = network.is_some_and(|network| {
            let bare = network.tokens.is_empty() && network.wrapped.is_none();
            let wrapped = network.wrapped.map(Coin::Token) == Some(coin);
            bare || wrapped || network.asset(coin).is_some()
        });
        known || self.view.coins.contains(&coin)
    }
}

/// The entity that a label names: its actor, else its own words.
pub(super) fn entity(label: &Label) -> &str {
    label.actor.as_deref().unwrap_or(&label.label)
}
