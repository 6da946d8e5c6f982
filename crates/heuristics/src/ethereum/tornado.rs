//! Deposits into Tornado Cash and withdrawals from it.

use alloy_primitives::Address;
use hansel_ledger::{Amount, Movement};

use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::mixing::{Deposit, Withdrawal, depositor};
use super::pools::Pool;
use super::transaction::EvmView;

/// A finding for each deposit and withdrawal of a transaction.
pub(super) fn findings(view: &EvmView<'_>) -> Vec<Finding> {
    let events = view.tx.events.iter();
    let found = events.filter_map(|event| {
        let deposit = Deposit::read(event).and_then(|deposit| entered(view, deposit));
        deposit.or_else(|| left(view, Withdrawal::read(event)?))
    });
    found.collect()
}

/// A contract that is known to be a pool: its name, what everybody deposits, and how sure that is.
struct Known {
    name: String,
    units: Option<Amount>,
    confidence: Confidence,
}

/// What is known of a contract that calls itself a pool; `None` where nobody else does, since any contract can.
fn known(view: &EvmView<'_>, contract: Address) -> Option<Known> {
    if let Some(pool) = Pool::at(view.chain, &contract) {
        return Some(Known {
            name: pool.name.to_owned(),
            units: pool.denomination(),
            confidence: Confidence::Certain,
        });
    }
    view.is_mixer(&contract).then(|| Known {
        name: contract.to_string(),
        units: None,
        confidence: Confidence::Strong,
    })
}

fn entered(view: &EvmView<'_>, deposit: Deposit) -> Option<Finding> {
    let known = known(view, deposit.pool)?;
    let paid: Vec<&Movement> = view.paid_to(deposit.pool).collect();
    let fits = |movement: &&&Movement| known.units.is_none_or(|units| movement.amount == units);
    let amount = paid.iter().find(fits)?.amount;
    let from = depositor(view.tx, deposit.pool);
    let verdict = Verdict::new("evm.tornado.deposit", known.confidence)
        .with("pool", known.name.clone())
        .with("contract", deposit.pool.to_string())
        .with("depositor", from.to_string())
        .amount("amount", amount)
        .with("deposits-so-far", deposit.deposits);
    let summary = format!(
        "{from} deposits into the pool {} of Tornado Cash, the {}th deposit there",
        known.name, deposit.deposits
    );
    let evidence = paid.iter().map(|movement| view.id(movement)).collect();
    Some(verdict.finding(vec![view.node(&from)], evidence, summary))
}

fn left(view: &EvmView<'_>, withdrawal: Withdrawal) -> Option<Finding> {
    let known = known(view, withdrawal.pool)?;
    let paid: Vec<&Movement> = view.paid_by(withdrawal.pool).collect();
    let received = paid.iter().find(|movement| movement.to == withdrawal.to)?;
    let whole = received.amount.checked_add(withdrawal.fee).ok()?;
    if known.units.is_some_and(|units| whole != units) {
        return None;
    }
    let relayer = withdrawal
        .relayer
        .map_or_else(|| "none".to_owned(), |relayer| relayer.to_string());
    let verdict = Verdict::new("evm.tornado.withdrawal", known.confidence)
        .with("pool", known.name.clone())
        .with("contract", withdrawal.pool.to_string())
        .with("recipient", withdrawal.to.to_string())
        .with("relayer", relayer)
        .amount("amount", received.amount)
        .amount("fee", withdrawal.fee);
    let summary = format!(
        "{} withdraws from the pool {} of Tornado Cash",
        withdrawal.to, known.name
    );
    let evidence = paid.iter().map(|movement| view.id(movement)).collect();
    Some(verdict.finding(vec![view.node(&withdrawal.to)], evidence, summary))
}
