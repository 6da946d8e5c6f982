//! The transfers between accounts, sorted by who gave and who received.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use alloy_primitives::{Address, B256};
use hansel_graph::{AccountFacts, AccountTransfer};
use hansel_ledger::{
    Amount, Chain, Coin, EvmPlacement, EvmTransaction, NodeId, Origin, TransferId,
};

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
    /// By who gave, so that all of an account lies together, as detectors look at it; each account's in chain order.
    pub(super) transfers: Vec<Moved<'a>>,
    accounts: Vec<Account>,
    /// Where what each account gave begins among the transfers.
    given: Vec<usize>,
    received: Lists,
    /// Which accounts are services, once somebody asked.
    services: OnceCell<Vec<bool>>,
}

/// A transfer with its accounts by number, and what is asked of it most often without a look at its transaction: of a
/// million transfers each look elsewhere is a wait for memory.
#[derive(Clone, Copy)]
pub(super) struct Moved<'a> {
    pub(super) from: Option<AccountIx>,
    pub(super) to: AccountIx,
    coin: Coin,
    amount: Amount,
    time: u64,
    place: (u64, u32),
    order: usize,
    /// How much the recipient had given by then, this transfer included: where what it gave later begins.
    onward: usize,
    /// The transaction's hash; `None` for what is not part of one.
    pub(super) hash: Option<&'a B256>,
    /// The transaction, where it is known in full.
    pub(super) transaction: Option<&'a EvmTransaction>,
    /// Where it stands; to compare places, see [`Moved::place`].
    pub(super) placement: &'a EvmPlacement,
    /// What says so.
    pub(super) origin: &'a Origin,
}

impl<'a> Moved<'a> {
    fn new(
        order: usize,
        told: &AccountTransfer<'a>,
        mut number: impl FnMut(Address) -> AccountIx,
    ) -> Self {
        let block = &told.placement.block;
        Self {
            from: told.from.map(&mut number),
            to: number(told.to),
            coin: told.coin,
            amount: told.amount,
            time: block.time.0,
            place: (block.height, told.placement.index),
            order,
            onward: 0,
            hash: told.hash,
            transaction: told.transaction,
            placement: told.placement,
            origin: told.origin,
        }
    }

    /// Seconds since 1970.
    pub(super) fn time(&self) -> u64 {
        self.time
    }

    pub(super) fn block(&self) -> u64 {
        self.place.0
    }

    /// The block and the transaction's index in it.
    pub(super) fn place(&self) -> (u64, u32) {
        self.place
    }

    /// How many transfers of the scene come before it.
    pub(super) fn order(&self) -> usize {
        self.order
    }

    pub(super) fn coin(&self) -> Coin {
        self.coin
    }

    pub(super) fn amount(&self) -> Amount {
        self.amount
    }
}

struct Account {
    address: Address,
    is_subject: bool,
    labels: OnceCell<Vec<Label>>,
}

/// Lists of transfers by account, one behind the other.
struct Lists {
    starts: Vec<usize>,
    numbers: Vec<usize>,
}

impl Lists {
    /// Sorts numbers by their keys; those of a key stay in order.
    fn by(count: usize, keys: impl Iterator<Item = AccountIx> + Clone) -> Self {
        let mut starts = vec![0; count + 1];
        for key in keys.clone() {
            starts[key + 1] += 1;
        }
        for place in 0..count {
            starts[place + 1] += starts[place];
        }
        let mut next = starts.clone();
        let mut numbers = vec![0; starts[count]];
        for (number, key) in keys.enumerate() {
            numbers[next[key]] = number;
            next[key] += 1;
        }
        Self { starts, numbers }
    }

    fn of(&self, key: AccountIx) -> &[usize] {
        &self.numbers[self.starts[key]..self.starts[key + 1]]
    }
}

/// The accounts of a view, and its transfers in chain order.
fn numbered<'a>(view: &AccountView<'a>) -> (Vec<Account>, Vec<Moved<'a>>) {
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
    let told = view.facts.transfers().enumerate();
    let mut moved: Vec<Moved<'a>> = told
        .map(|(order, told)| Moved::new(order, &told, &mut number))
        .collect();
    let mut given = vec![0; accounts.len()];
    for one in &mut moved {
        if let Some(from) = one.from {
            given[from] += 1;
        }
        one.onward = given[one.to];
    }
    (accounts, moved)
}

impl<'a> Scene<'a> {
    /// Sorts what a view knows, in time that grows with it.
    pub(super) fn of(view: &AccountView<'a>) -> Self {
        let (accounts, moved) = numbered(view);
        // Those that nobody known gave stand behind all others.
        let nobody = accounts.len();
        let givers = moved.iter().map(|one| one.from.unwrap_or(nobody));
        let given = Lists::by(nobody + 1, givers);
        let mut places = vec![0; moved.len()];
        for (place, order) in given.numbers.iter().enumerate() {
            places[*order] = place;
        }
        let mut received = Lists::by(nobody, moved.iter().map(|one| one.to));
        for number in &mut received.numbers {
            *number = places[*number];
        }
        Self {
            view: *view,
            transfers: given.numbers.iter().map(|order| moved[*order]).collect(),
            accounts,
            given: given.starts,
            received,
            services: OnceCell::new(),
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
        let is_service = |account: AccountIx| {
            let labels = self.labels(account).iter();
            let mut kinds = labels.map(|label| label.kind);
            kinds.any(|kind| kind.ends_trails() || kind == EntityKind::Router)
        };
        let all = || (0..self.accounts.len()).map(is_service).collect();
        self.services.get_or_init(all)[account]
    }

    /// The exchanges that an account is said to be of, each once, sorted.
    pub(super) fn exchanges(&self, account: AccountIx) -> BTreeSet<&str> {
        let labels = self.labels(account).iter();
        let exchanges = labels.filter(|label| label.kind == EntityKind::Exchange);
        exchanges.map(entity).collect()
    }

    /// What an account gave, in chain order.
    pub(super) fn given(&self, account: AccountIx) -> &[Moved<'a>] {
        &self.transfers[self.given[account]..self.given[account + 1]]
    }

    /// What the recipient of a transfer gave after it, in chain order.
    pub(super) fn onward(&self, moved: &Moved<'_>) -> &[Moved<'a>] {
        &self.given(moved.to)[moved.onward..]
    }

    /// What an account received, in chain order.
    pub(super) fn received(
        &self,
        account: AccountIx,
    ) -> impl ExactSizeIterator<Item = &Moved<'a>> + Clone {
        let numbers = self.received.of(account).iter();
        numbers.map(|number| &self.transfers[*number])
    }

    /// The id of a transfer.
    pub(super) fn id(&self, moved: &Moved<'_>) -> String {
        let hash = moved.hash.copied().unwrap_or_default();
        TransferId::movement(self.view.chain, &hash, moved.origin).into()
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
