//! A pass over blocks of EVM chains as nodes send them, for the accounts that are watched.

use alloy_primitives::{Address, B256, hex, keccak256};
use serde::Deserialize;

use crate::error::{Crowded, EvmBlockError};
use crate::keys::KeySet;
use crate::logs_bloom::Topics;

/// The accounts that one pass looks for, numbered in the order in which they were given.
pub struct AccountSet {
    accounts: KeySet,
    topics: Topics,
}

/// A watched account that a block names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountHit {
    /// The position of the transaction or withdrawal in the block; zero for the fee recipient.
    pub position: usize,
    /// What the account does there.
    pub role: Role,
    /// The number of the account in the set.
    pub watched: u32,
}

/// What a block names an account as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The sender of a transaction.
    From,
    /// Its receiver.
    To,
    /// The contract that it creates, if it succeeds.
    Created,
    /// Whom the fees of the block go to.
    FeeRecipient,
    /// Whom a withdrawal of the consensus layer goes to.
    Withdrawal,
}

/// What a block holds of a set of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountHits {
    /// The accounts that it names: of transactions in their order, then the fee recipient, then withdrawals.
    pub named: Vec<AccountHit>,
    /// False where the header's bloom proves that no log of the block has a watched account among its topics, so
    /// that receipts need not be asked for; true where there is no bloom.
    pub may_be_logged: bool,
}

impl AccountSet {
    /// Watches these accounts; one that is given again keeps its number.
    ///
    /// # Errors
    ///
    /// Where there are more than some 200,000,000.
    pub fn new(accounts: impl IntoIterator<Item = Address>) -> Result<Self, Crowded> {
        let accounts: Vec<Address> = accounts.into_iter().collect();
        Ok(Self {
            topics: Topics::of(&accounts),
            accounts: KeySet::new(&accounts)?,
        })
    }

    /// What a block holds of the set: the answer to `eth_getBlockByNumber` with whole transactions.
    ///
    /// Only the outermost call of a transaction is in a block: what contracts pay is in traces and receipts.
    ///
    /// # Errors
    ///
    /// Where the text is not such an answer.
    pub fn scan(&self, json: &[u8]) -> Result<AccountHits, EvmBlockError> {
        let block: BlockText<'_> = sonic_rs::from_slice(json).map_err(EvmBlockError::of)?;
        let mut parties = Parties::default();
        for (position, transaction) in block.transactions.iter().enumerate() {
            parties.add_transaction(position, transaction)?;
        }
        if let Some(miner) = block.miner {
            parties.add(0, Role::FeeRecipient, bytes("miner", miner)?);
        }
        for (position, withdrawal) in block.withdrawals.iter().flatten().enumerate() {
            let account = bytes("withdrawal", withdrawal.address)?;
            parties.add(position, Role::Withdrawal, account);
        }
        let bloom = block.logs_bloom.map(|bloom| bytes("logsBloom", bloom));
        let bloom = bloom.transpose()?;
        Ok(AccountHits {
            named: parties.watched(&self.accounts),
            may_be_logged: bloom.is_none_or(|bloom| self.topics.may_be_in(&bloom)),
        })
    }
}

/// Everybody that a block names, and as what.
#[derive(Default)]
struct Parties {
    places: Vec<(usize, Role)>,
    accounts: Vec<[u8; 20]>,
}

impl Parties {
    fn add(&mut self, position: usize, role: Role, account: [u8; 20]) {
        self.places.push((position, role));
        self.accounts.push(account);
    }

    fn add_transaction(
        &mut self,
        position: usize,
        transaction: &TransactionText<'_>,
    ) -> Result<(), EvmBlockError> {
        let from = bytes("from", transaction.from)?;
        self.add(position, Role::From, from);
        match (transaction.to, transaction.nonce) {
            (Some(to), _) => self.add(position, Role::To, bytes("to", to)?),
            (None, Some(nonce)) => {
                let created = created(from, number(nonce)?);
                self.add(position, Role::Created, created.0.0);
            }
            (None, None) => return Err(EvmBlockError::Field { field: "nonce" }),
        }
        Ok(())
    }

    /// Those that are in a set, in the block's order.
    fn watched(&self, set: &KeySet) -> Vec<AccountHit> {
        let found = set.find_all(&self.accounts).into_iter();
        let hit = |(at, watched): (usize, u32)| {
            let (position, role) = self.places[at];
            AccountHit {
                position,
                role,
                watched,
            }
        };
        found.map(hit).collect()
    }
}

/// The fields of a block that are looked at; the others are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockText<'a> {
    #[serde(borrow, default)]
    logs_bloom: Option<&'a str>,
    #[serde(borrow, default)]
    miner: Option<&'a str>,
    #[serde(borrow)]
    transactions: Vec<TransactionText<'a>>,
    #[serde(borrow, default)]
    withdrawals: Option<Vec<WithdrawalText<'a>>>,
}

#[derive(Deserialize)]
struct TransactionText<'a> {
    #[serde(borrow)]
    from: &'a str,
    #[serde(borrow, default)]
    to: Option<&'a str>,
    #[serde(borrow, default)]
    nonce: Option<&'a str>,
}

#[derive(Deserialize)]
struct WithdrawalText<'a> {
    #[serde(borrow)]
    address: &'a str,
}

/// Bytes in hexadecimal behind `0x`, exactly as many as are wanted.
fn bytes<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], EvmBlockError> {
    let mut bytes = [0; N];
    let digits = text.strip_prefix("0x");
    let decoded = digits.map(|digits| hex::decode_to_slice(digits.as_bytes(), &mut bytes));
    match decoded {
        Some(Ok(())) => Ok(bytes),
        Some(Err(_)) | None => Err(EvmBlockError::Field { field }),
    }
}

fn number(text: &str) -> Result<u64, EvmBlockError> {
    let digits = text
        .strip_prefix("0x")
        .filter(|digits| !digits.starts_with('+'));
    let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    number.ok_or(EvmBlockError::Field { field: "nonce" })
}

/// The contract that an account creates with its transaction of this nonce: keccak256(rlp([sender, nonce])).
fn created(sender: [u8; 20], nonce: u64) -> Address {
    let digits = nonce.to_be_bytes();
    let zeros = digits.iter().take_while(|byte| **byte == 0).count();
    let mut list = vec![0x94];
    list.extend(sender);
    match &digits[zeros..] {
        [] => list.push(0x80),
        [small @ 0..0x80] => list.push(*small),
        digits => {
            list.push(0x80 + u8::try_from(digits.len()).expect("eight bytes at most"));
            list.extend(digits);
        }
    }
    let length = u8::try_from(list.len()).expect("thirty bytes at most");
    list.insert(0, 0xc0 + length);
    let hash: B256 = keccak256(list);
    Address::from_word(hash)
}
