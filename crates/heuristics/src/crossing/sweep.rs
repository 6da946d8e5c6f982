//! tBTC that is made only when a wallet has swept deposits: one transaction of Bitcoin spends them, and its proof makes tokens
//! for them in the order of its inputs (`DepositSweep.sol` and `TBTCVault.sol` of `@keep-network/tbtc-v2` 1.6.0).
//!
//! The bridge logs the sweep's hash, and the vault then one `Minted` for each deposit, without its key. The wallet's own
//! output among the inputs is no deposit; deposits pay scripts, the wallet's output pays its key.

use alloy_primitives::{Address, B256};
use bitcoin::OutPoint;
use bitcoin::hashes::Hash as _;
use hansel_ledger::{
    Amount, Chain, Coin, Event, EvmTransaction, Movement, Origin, TransactionStatement, topics,
};

use super::abi::{Words, address, topic};
use super::fields::carrier;
use super::tbtc::{UNITS, key_hash, wallet};
use super::{Arrival, Bridges, Departure, Protocol, Reason};

/// `DepositsSwept(bytes20 walletPubKeyHash, bytes32 sweepTxHash)`; the hash is in the byte order of Bitcoin's blocks.
pub(super) const SWEPT: B256 = topics::TBTC_DEPOSITS_SWEPT;

/// What the vault says in the proof of one sweep.
struct Proof<'a> {
    wallet: [u8; 20],
    /// One `Minted(address indexed to, uint256 amount)` for each deposit, ascending.
    minted: Vec<&'a Event>,
    /// Each `OptimisticMintingDebtRepaid(address indexed depositor, uint256 optimisticMintingDebt)`.
    repaid: Vec<&'a Event>,
}

impl<'a> Proof<'a> {
    fn of(tx: &'a EvmTransaction, known: &[Address], sweep: &TransactionStatement) -> Option<Self> {
        let events = tx.events.iter().filter(|one| known.contains(&one.address));
        let mut after = events.skip_while(|one| !tells(one, sweep));
        let wallet = wallet(Words::of(after.next()?).word(0)?)?;
        // Another sweep may be proven in the same transaction.
        let own: Vec<&Event> = after.take_while(|one| one.form() != SWEPT).collect();
        let of = |form: B256| {
            own.iter()
                .copied()
                .filter(|one| one.form() == form)
                .collect()
        };
        Some(Self {
            wallet,
            minted: of(topics::TBTC_MINTED),
            repaid: of(topics::TBTC_OPTIMISTIC_MINTING_DEBT_REPAID),
        })
    }

    /// The place among the deposits of the one that a sweep spends.
    fn place(
        &self,
        sweep: &TransactionStatement,
        output: &OutPoint,
    ) -> Result<usize, &'static str> {
        let mut deposits = Vec::new();
        for input in &sweep.inputs {
            let Some(spent) = &input.spent else {
                return Err("spends outputs that the endpoint does not tell");
            };
            if key_hash(&spent.script) != Some(self.wallet) {
                deposits.push(input.previous);
            }
        }
        if deposits.len() != self.minted.len() {
            return Err("sweeps as many deposits as the proof does not tell tokens of");
        }
        let place = deposits.iter().position(|one| one == output);
        place.ok_or("does not spend the deposit")
    }

    fn has_repaid(&self, depositor: Address) -> bool {
        let mut whose = self.repaid.iter().filter_map(|one| address(topic(one, 1)?));
        whose.any(|one| one == depositor)
    }
}

/// True where a log tells that a transaction was proven.
fn tells(event: &Event, sweep: &TransactionStatement) -> bool {
    event.form() == SWEPT
        && Words::of(event).word(1) == Some(B256::from(sweep.txid.to_byte_array()))
}

impl Bridges {
    /// What the proof of a sweep brings of a deposit that it spends. `Err` says why it is not followed, safe to print.
    pub fn swept(
        &self,
        departure: &Departure,
        (chain, tx): (&Chain, &EvmTransaction),
        (sweep, output): (&TransactionStatement, &OutPoint),
    ) -> Result<Arrival, &'static str> {
        let known = self.contracts(chain.name(), Protocol::Tbtc);
        let proof = Proof::of(tx, &known, sweep).ok_or("is proven by nobody who is known")?;
        let place = proof.place(sweep, output)?;
        let (depositor, amount) =
            minted(proof.minted[place]).ok_or("makes nothing that can be read")?;
        let payee = super::Payee::Account(depositor);
        if payee != departure.payee {
            return Err("makes its tokens for somebody else");
        }
        if proof.has_repaid(depositor) {
            return Err(
                "repays what had been made for other deposits of the depositor, which is not divided among them",
            );
        }
        if amount.is_zero() || amount > in_tokens(departure.amount) {
            return Err("makes nothing, or more than was deposited");
        }
        let next = proof
            .minted
            .get(place + 1)
            .map_or(u64::MAX, |one| one.index);
        let within = proof.minted[place].index..next;
        let made = made(tx, &known, depositor, amount, within);
        Ok(Arrival {
            protocol: Protocol::Tbtc,
            link: departure.link.clone(),
            reason: Reason::Paid,
            carrier: made.map(carrier),
            amount,
            payee,
            left: None,
        })
    }
}

fn minted(event: &Event) -> Option<(Address, Amount)> {
    Some((address(topic(event, 1)?)?, Words::of(event).amount(0)?))
}

/// Base units of tBTC for so many satoshi.
fn in_tokens(satoshi: Amount) -> Amount {
    satoshi
        .mul_div(UNITS.into(), Amount::ONE)
        .unwrap_or(Amount::ZERO)
}

/// The tokens that were made for somebody between two logs.
fn made<'a>(
    tx: &'a EvmTransaction,
    tokens: &[Address],
    to: Address,
    amount: Amount,
    within: std::ops::Range<u64>,
) -> Option<&'a Movement> {
    tx.movements.iter().find(|one| {
        let Coin::Token(token) = one.coin else {
            return false;
        };
        let there = matches!(one.origin, Origin::Log(index) if within.contains(&index));
        let is_made = one.from == token && tokens.contains(&token);
        there && is_made && one.to == to && one.amount == amount
    })
}
