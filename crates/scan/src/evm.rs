//! A pass over blocks of EVM chains as nodes send them: whom they name, and whom of the accounts that are watched.

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use serde::Deserialize;

use crate::authority::{Authorization, Signers};
use crate::error::{Crowded, EvmBlockError};
use crate::keys::KeySet;
use crate::logs_bloom::Topics;

/// The accounts that one pass looks for, numbered in the order in which they were given.
pub struct AccountSet {
    accounts: KeySet,
    topics: Topics,
    signers: Signers,
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
    /// Who signed a delegation to code that the transaction carries, valid or not (EIP-7702).
    Authority,
}

/// Somebody whom a block names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Party {
    /// The position of the transaction or withdrawal in the block; zero for the fee recipient.
    pub position: usize,
    /// What the account does there.
    pub role: Role,
    /// The account.
    pub account: Address,
}

/// Everybody whom a block names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockParties {
    /// Of transactions in their order, then the fee recipient, then withdrawals; an account for each time.
    pub named: Vec<Party>,
    /// False where the header's bloom is empty, so that no log of the block is in it.
    pub may_be_logged: bool,
}

/// Reads whom blocks name, whoever is watched.
pub struct PartyReader {
    signers: Signers,
}

/// What a block holds of a set of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountHits {
    /// The accounts that it names: of transactions in their order, then the fee recipient, then withdrawals.
    pub named: Vec<AccountHit>,
    /// False where the header's bloom proves that no log of the block has a watched account among its topics or is
    /// watched itself, so that receipts need not be asked for; true where there is no bloom.
    pub may_be_logged: bool,
}

impl AccountSet {
    /// Watches these accounts; one that is given again keeps its number.
    ///
    /// # Errors
    ///
    /// Where there are more than some 200,000,000.
    pub fn new(accounts: impl IntoIterator<Item = Address>) -> Result<Self, Crowded> {
        Self::with_logs(accounts, [], [])
    }

    /// Watches these accounts, and besides them for logs that these contracts write or that have these topics.
    ///
    /// # Errors
    ///
    /// Where there are more than some 200,000,000.
    pub fn with_logs(
        accounts: impl IntoIterator<Item = Address>,
        contracts: impl IntoIterator<Item = Address>,
        topics: impl IntoIterator<Item = B256>,
    ) -> Result<Self, Crowded> {
        let accounts: Vec<Address> = accounts.into_iter().collect();
        let words = accounts.iter().map(|account| account.into_word());
        let words = words.chain(topics).map(|word| word.to_vec());
        let contracts = contracts.into_iter().map(|contract| contract.to_vec());
        Ok(Self {
            topics: Topics::of(words.chain(contracts)),
            accounts: KeySet::new(&accounts)?,
            signers: Signers::new(),
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
        let (parties, bloom) = parties(json, &self.signers)?;
        Ok(AccountHits {
            named: parties.watched(&self.accounts),
            may_be_logged: bloom.is_none_or(|bloom| self.topics.may_be_in(&bloom)),
        })
    }
}

impl PartyReader {
    /// A reader, which takes some memory: it is made once for many blocks.
    #[expect(clippy::new_without_default, reason = "it is not free")]
    pub fn new() -> Self {
        Self {
            signers: Signers::new(),
        }
    }

    /// Whom a block names: the answer to `eth_getBlockByNumber` with whole transactions.
    ///
    /// Only the outermost call of a transaction is in a block: what contracts pay is in traces and receipts.
    ///
    /// # Errors
    ///
    /// Where the text is not such an answer.
    pub fn read(&self, json: &[u8]) -> Result<BlockParties, EvmBlockError> {
        let (parties, bloom) = parties(json, &self.signers)?;
        let Parties { places, accounts } = parties;
        let party = |((position, role), account)| Party {
            position,
            role,
            account: Address::new(account),
        };
        Ok(BlockParties {
            named: places.into_iter().zip(accounts).map(party).collect(),
            may_be_logged: bloom.is_none_or(|bloom| bloom != [0; BLOOM]),
        })
    }
}

/// Bytes of a header's bloom.
const BLOOM: usize = 256;

/// Everybody whom a block names, and its header's bloom.
fn parties(
    json: &[u8],
    signers: &Signers,
) -> Result<(Parties, Option<[u8; BLOOM]>), EvmBlockError> {
    let block: BlockText<'_> = sonic_rs::from_slice(json).map_err(EvmBlockError::of)?;
    let mut parties = Parties::default();
    for (position, transaction) in block.transactions.iter().enumerate() {
        parties.add_transaction(position, transaction)?;
        for authorization in transaction.authorization_list.iter().flatten() {
            if let Some(signer) = signers.of(authorization)? {
                parties.add(position, Role::Authority, signer.0.0);
            }
        }
    }
    if let Some(miner) = block.miner {
        parties.add(0, Role::FeeRecipient, bytes("miner", miner)?);
    }
    for (position, withdrawal) in block.withdrawals.iter().flatten().enumerate() {
        let account = bytes("withdrawal", withdrawal.address)?;
        parties.add(position, Role::Withdrawal, account);
    }
    let bloom = block.logs_bloom.map(|bloom| bytes("logsBloom", bloom));
    Ok((parties, bloom.transpose()?))
}

/// The hash of the block before: `json` is the answer to `eth_getBlockByNumber`.
///
/// # Errors
///
/// Where the text is not such an answer.
pub fn parent(json: &[u8]) -> Result<B256, EvmBlockError> {
    let header: HeaderText<'_> = sonic_rs::from_slice(json).map_err(EvmBlockError::of)?;
    bytes("parentHash", header.parent_hash).map(B256::from)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeaderText<'a> {
    #[serde(borrow)]
    parent_hash: &'a str,
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
                let created = created(from, number("nonce", nonce)?);
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
#[serde(rename_all = "camelCase")]
struct TransactionText<'a> {
    #[serde(borrow)]
    from: &'a str,
    #[serde(borrow, default)]
    to: Option<&'a str>,
    #[serde(borrow, default)]
    nonce: Option<&'a str>,
    #[serde(borrow, default)]
    authorization_list: Option<Vec<Authorization<'a>>>,
}

#[derive(Deserialize)]
struct WithdrawalText<'a> {
    #[serde(borrow)]
    address: &'a str,
}

/// Bytes in hexadecimal behind `0x`, exactly as many as are wanted.
pub(crate) fn bytes<const N: usize>(
    field: &'static str,
    text: &str,
) -> Result<[u8; N], EvmBlockError> {
    let mut bytes = [0; N];
    let digits = text.strip_prefix("0x");
    let decoded = digits.map(|digits| hex::decode_to_slice(digits.as_bytes(), &mut bytes));
    match decoded {
        Some(Ok(())) => Ok(bytes),
        Some(Err(_)) | None => Err(EvmBlockError::Field { field }),
    }
}

pub(crate) fn number(field: &'static str, text: &str) -> Result<u64, EvmBlockError> {
    let number = u64::try_from(word(field, text)?);
    number.map_err(|_| EvmBlockError::Field { field })
}

/// A number of at most 256 bits in hexadecimal behind `0x`.
pub(crate) fn word(field: &'static str, text: &str) -> Result<U256, EvmBlockError> {
    let plain = |digits: &&str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let digits = text.strip_prefix("0x").filter(plain);
    let digits = digits.filter(|digits| (1..=64).contains(&digits.len()));
    let number = digits.and_then(|digits| U256::from_str_radix(digits, 16).ok());
    number.ok_or(EvmBlockError::Field { field })
}

/// The contract that an account creates with its transaction of this nonce: keccak256(rlp([sender, nonce])).
fn created(sender: [u8; 20], nonce: u64) -> Address {
    let nonce = U256::from(nonce).to_be_bytes_trimmed_vec();
    let hash: B256 = keccak256(list(&[sender.to_vec(), nonce]));
    Address::from_word(hash)
}

/// The RLP of a list of texts, each and all together shorter than 56 bytes but for numbers of 256 bits.
pub(crate) fn list(texts: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for text in texts {
        match &text[..] {
            [small @ 0..0x80] => body.push(*small),
            text => {
                body.push(0x80 + u8::try_from(text.len()).expect("32 bytes at most"));
                body.extend(text);
            }
        }
    }
    let mut list = match u8::try_from(body.len()).expect("a hundred bytes at most") {
        short @ 0..56 => vec![0xc0 + short],
        long => vec![0xf8, long],
    };
    list.extend(body);
    list
}
