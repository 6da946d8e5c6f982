//! What happened to a payer's balance up to the draw explained, as a table for a pocket calculator.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use hansel_graph::{
    AccountFlow, AccountStep, AccountTrace, Parcel, PoolChange, PoolKey, PoolStep, Rule,
};
use hansel_ledger::{Amount, Coin};
use hansel_report::format_units;
use serde::{Deserialize, Serialize};

use super::MOST_PARCELS;
use crate::failure::Failure;

/// Rows of a table at most: the first, and the last before the draw.
const MOST_ROWS: usize = 16;
/// Pools of which tables are made at most.
const MOST_POOLS: usize = 100;

/// One pool up to a draw.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Balance {
    /// How the rule chooses what leaves.
    how: String,
    decimals: Option<u8>,
    rows: Vec<Row>,
}

/// One step of a pool; amounts in base units.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    block: Option<u64>,
    tx: Option<String>,
    what: String,
    amount: Amount,
    amount_tainted: Amount,
    /// The balance afterwards, and how much of it is tainted.
    balance: Amount,
    balance_tainted: Amount,
    /// The parts that arrived or left, in order, where there are several.
    parts: Option<String>,
}

/// The steps of the pools that pay the flows of some paths.
pub(super) struct Balances<'a> {
    trace: &'a AccountTrace,
    steps: BTreeMap<(PoolKey, Rule), Vec<PoolStep>>,
    asked: BTreeSet<PoolKey>,
}

impl<'a> Balances<'a> {
    /// Settles once more and writes down what happens to the pools that pay these flows.
    pub(super) fn of(
        trace: &'a AccountTrace,
        flows: impl Iterator<Item = &'a AccountFlow<'a>>,
    ) -> Result<Self, Failure> {
        let mut asked = BTreeSet::new();
        for pool in flows.filter_map(payer) {
            if asked.len() < MOST_POOLS {
                asked.insert(pool);
            }
        }
        Ok(Self {
            trace,
            steps: trace.workings(&asked)?,
            asked,
        })
    }

    /// The table of the pool that pays a flow, or in words why there is none.
    pub(super) fn before(&self, flow: &AccountFlow<'_>, rule: Rule) -> Result<Balance, String> {
        let pool = payer(flow).ok_or("who paid is not known")?;
        if !self.asked.contains(&pool) {
            return Err(
                "the payer's balance is not shown here: explain this movement by its id".into(),
            );
        }
        let steps = self.steps.get(&(pool, rule)).map_or(&[][..], Vec::as_slice);
        let is_draw =
            |step: &PoolStep| step.change == PoolChange::Draw && step.tx == Some(flow.hash);
        let last = steps.iter().rposition(is_draw).ok_or(
            "nothing was drawn from the payer's balance: it passed on what it received in this transaction",
        )?;
        Ok(Balance {
            how: how(rule).into(),
            decimals: self.decimals(pool.coin),
            rows: rows(&steps[..=last]),
        })
    }

    fn decimals(&self, coin: Coin) -> Option<u8> {
        let network = self.trace.plan().chain.evm()?;
        Some(network.asset(coin)?.decimals)
    }
}

/// The pool that a flow is drawn from.
fn payer(flow: &AccountFlow<'_>) -> Option<PoolKey> {
    let (account, coin) = match flow.step {
        AccountStep::Movement { from, coin, .. } => (from?, coin),
        AccountStep::Gas { sender, .. } => (sender, Coin::Native),
    };
    Some(PoolKey { account, coin })
}

fn how(rule: Rule) -> &'static str {
    match rule {
        Rule::Fifo => "what came first leaves first",
        Rule::Lifo => "what came last leaves first",
        Rule::Haircut => {
            "a draw takes floor(tainted * amount / balance) of the tainted part and the balance before it"
        }
        Rule::Tiho | Rule::Seniority => "tainted units leave before clean ones",
        Rule::ReverseSeniority => "clean units leave before tainted ones",
        Rule::Poison => "any taint makes the whole balance and every later draw tainted",
    }
}

/// A row for each step; a long middle is one row with its sums.
fn rows(steps: &[PoolStep]) -> Vec<Row> {
    if steps.len() <= MOST_ROWS {
        return steps.iter().map(row).collect();
    }
    let (first, rest) = steps.split_at(1);
    let (middle, last) = rest.split_at(rest.len() - (MOST_ROWS - 2));
    let first = first.iter().map(row);
    let folded = PoolChange::ALL
        .into_iter()
        .filter_map(|change| fold(middle, change));
    first.chain(folded).chain(last.iter().map(row)).collect()
}

fn row(step: &PoolStep) -> Row {
    let PoolStep {
        tx,
        height,
        change,
        parcels,
        balance,
        tainted,
    } = step;
    Row {
        block: Some(*height),
        tx: tx.map(|hash| hash.to_string()),
        what: name(*change).into(),
        amount: step.amount(),
        amount_tainted: step.amount_tainted(),
        balance: *balance,
        balance_tainted: *tainted,
        parts: (parcels.len() > 1).then(|| parts(parcels)),
    }
}

/// All steps of one kind in a run of steps; the balance is the one after the whole run.
fn fold(steps: &[PoolStep], change: PoolChange) -> Option<Row> {
    let alike: Vec<&PoolStep> = steps.iter().filter(|step| step.change == change).collect();
    let last = steps.last().filter(|_| !alike.is_empty())?;
    let sum = |of: fn(&PoolStep) -> Amount| {
        Amount::checked_sum(alike.iter().map(|step| of(step))).unwrap_or_default()
    };
    Some(Row {
        block: None,
        tx: None,
        what: format!("{} x {}", alike.len(), name(change)),
        amount: sum(PoolStep::amount),
        amount_tainted: sum(PoolStep::amount_tainted),
        balance: last.balance,
        balance_tainted: last.tainted,
        parts: Some("not shown one by one; the balance is the one after all that is folded".into()),
    })
}

fn name(change: PoolChange) -> &'static str {
    match change {
        PoolChange::Opening => "opening",
        PoolChange::Arrival => "arrival",
        PoolChange::Draw => "draw",
    }
}

fn parts(parcels: &[Parcel]) -> String {
    let part = |parcel: &Parcel| match parcel.owner {
        Some(seed) => format!("{} of {}", parcel.amount, seed.id()),
        None => format!("{} clean", parcel.amount),
    };
    let mut text: Vec<String> = parcels.iter().take(MOST_PARCELS).map(part).collect();
    if parcels.len() > MOST_PARCELS {
        text.push(format!("and {} more", parcels.len() - MOST_PARCELS));
    }
    text.join(", then ")
}

/// The table in base units, then in units of the coin where its decimals are known.
pub(super) fn text(balance: &Balance, asset: &str) -> String {
    let Balance {
        how,
        decimals,
        rows,
    } = balance;
    let mut text = format!("     the payer's balance: {how}\n");
    table(&mut text, "base units", rows, &|amount| amount.to_string());
    for row in rows {
        if let (Some(parts), what) = (&row.parts, &row.what) {
            let block = row.block.map(|block| format!(" in block {block}"));
            // Writing to a string cannot fail.
            let _ = writeln!(text, "       {what}{}: {parts}", block.unwrap_or_default());
        }
    }
    if let Some(decimals) = decimals {
        table(&mut text, asset, rows, &|amount| {
            format_units(amount, *decimals)
        });
    }
    text
}

fn table(text: &mut String, unit: &str, rows: &[Row], show: &dyn Fn(Amount) -> String) {
    let heads = ["amount", "tainted", "balance", "tainted"].map(ToOwned::to_owned);
    let cells = rows.iter().map(|row| {
        let sums = [
            row.amount,
            row.amount_tainted,
            row.balance,
            row.balance_tainted,
        ];
        let block = row.block.map_or("...".into(), |block| block.to_string());
        (block, row.what.clone(), sums.map(show))
    });
    let head = ("block".to_owned(), unit.to_owned(), heads);
    let cells: Vec<_> = [head].into_iter().chain(cells).collect();
    let block = widest(cells.iter().map(|cell| &cell.0));
    let what = widest(cells.iter().map(|cell| &cell.1));
    let sum = widest(cells.iter().flat_map(|cell| &cell.2));
    for (height, name, [one, two, three, four]) in cells {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "       {height:>block$}  {name:what$}  {one:>sum$}  {two:>sum$}  {three:>sum$}  {four:>sum$}"
        );
    }
}

fn widest<'a>(cells: impl Iterator<Item = &'a String>) -> usize {
    cells.map(String::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u64) -> PoolStep {
        let (change, balance) = if number == 0 {
            (PoolChange::Opening, 100)
        } else {
            (PoolChange::Draw, 100 - number)
        };
        let parcel = Parcel {
            amount: Amount::ONE,
            owner: None,
            claim: Amount::ZERO,
        };
        PoolStep {
            tx: None,
            height: number,
            change,
            parcels: vec![parcel; usize::from(number > 0)],
            balance: Amount::from(balance),
            tainted: Amount::ZERO,
        }
    }

    #[test]
    fn a_long_middle_is_one_row_that_counts_and_sums_it() {
        let steps: Vec<PoolStep> = (0..31).map(step).collect();
        let rows = rows(&steps);
        assert_eq!(rows.len(), MOST_ROWS);
        assert_eq!(rows[1].what, "16 x draw");
        assert_eq!(rows[1].amount, Amount::from(16_u64));
        assert_eq!(rows[1].balance, Amount::from(84_u64));
        assert_eq!(rows[2].block, Some(17));
        assert_eq!(rows[15].balance, Amount::from(70_u64));
    }
}
