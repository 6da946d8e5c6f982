//! Which output of a payment returns to the payer, and by which tests.

use crate::{Confidence, Finding};

use super::coinjoin::coinjoin;
use super::stonewall::stonewall;
use super::view::{Coin, TxView};
use crate::verdict::Verdict;

/// A payment to more outputs than this is not judged. Source: GraphSense's one-time change.
const OUTPUTS: std::ops::RangeInclusive<usize> = 2..=10;

/// An amount that this many satoshi divide is a round one, which people pay. Source: BlockSci, six digits.
const ROUND: u64 = 1_000_000;

/// A test rules outputs out; where one is left, the test has chosen it.
struct Test {
    name: &'static str,
    /// Whether an output may be the change.
    admits: fn(&Payment<'_, '_>, &Coin<'_>) -> bool,
    /// Whether the test says anything about a payment.
    applies: fn(&Payment<'_, '_>) -> bool,
}

/// The tests that need no history. Source: BlockSci.
const TESTS: [Test; 4] = [
    Test {
        name: "address-reuse",
        admits: |payment, coin| {
            payment
                .coins
                .iter()
                .any(|spent| spent.script == coin.script)
        },
        applies: |_| true,
    },
    Test {
        name: "address-type",
        admits: |payment, coin| kind(coin) == kind(&payment.coins[0]),
        applies: |payment| {
            payment
                .coins
                .iter()
                .all(|coin| kind(coin) == kind(&payment.coins[0]))
        },
    },
    Test {
        name: "optimal-change",
        admits: |payment, coin| payment.coins.iter().all(|spent| coin.value < spent.value),
        // With one coin every output is smaller than it.
        applies: |payment| payment.coins.len() >= 2,
    },
    Test {
        name: "round-amount",
        admits: |_, coin| !coin.value.is_multiple_of(ROUND),
        applies: |_| true,
    },
];

/// A payment whose inputs are all known.
struct Payment<'a, 'b> {
    tx: &'b TxView<'a>,
    coins: Vec<Coin<'a>>,
    /// The outputs that can be spent.
    outputs: Vec<usize>,
}

/// What the tests say together about one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The index of the output.
    pub output: usize,
    /// The tests that chose it.
    pub chosen_by: Vec<&'static str>,
    /// The tests that chose another.
    pub against: Vec<&'static str>,
}

/// The output that most tests choose, the earlier of several; `None` where no test chooses any, where inputs
/// are not known, and for CoinJoins and Stonewalls.
pub fn change_of(tx: &TxView<'_>) -> Option<Change> {
    let outputs: Vec<_> = tx
        .outputs_with(|coin| !hansel_ledger::is_unspendable(coin.script))
        .collect();
    if !OUTPUTS.contains(&outputs.len()) {
        return None;
    }
    let coins = tx.coins_in()?;
    if coinjoin(tx).is_some() || stonewall(tx).is_some() {
        return None;
    }
    let payment = Payment { tx, coins, outputs };
    let choices = TESTS
        .iter()
        .filter_map(|test| Some((test.name, choice(test, &payment)?)));
    let choices: Vec<(&str, usize)> = choices.collect();
    let votes = |output: usize| {
        choices
            .iter()
            .filter(|(_, chosen)| *chosen == output)
            .count()
    };
    let output = choices
        .iter()
        .map(|(_, output)| *output)
        .max_by_key(|output| (votes(*output), usize::MAX - output))?;
    let (for_it, against): (Vec<_>, Vec<_>) =
        choices.iter().partition(|(_, chosen)| *chosen == output);
    let names =
        |choices: Vec<&(&'static str, usize)>| choices.into_iter().map(|(name, _)| *name).collect();
    Some(Change {
        output,
        chosen_by: names(for_it),
        against: names(against),
    })
}

/// The only output that a test admits.
fn choice(test: &Test, payment: &Payment<'_, '_>) -> Option<usize> {
    if !(test.applies)(payment) {
        return None;
    }
    let admitted = |index: &&usize| (test.admits)(payment, &payment.tx.outputs[**index]);
    let mut left = payment.outputs.iter().filter(admitted);
    let first = left.next()?;
    left.next().is_none().then_some(*first)
}

/// Says which output returns to the payer.
///
/// Strong where the payer's own address is paid, or where several tests choose the output and none another.
pub fn change(tx: &TxView<'_>) -> Option<Finding> {
    let change = change_of(tx)?;
    let Change {
        output,
        chosen_by,
        against,
    } = &change;
    let own = chosen_by.contains(&"address-reuse");
    let agreed = against.is_empty() && (own || chosen_by.len() >= 2);
    let confidence = if agreed {
        Confidence::Strong
    } else {
        Confidence::Weak
    };
    let words = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let verdict = Verdict::new("btc.change", confidence)
        .count("output", *output)
        .satoshi("value", tx.outputs[*output].value)
        .with("chosen-by", words(chosen_by))
        .with("against", words(against));
    let summary = format!(
        "output {output} of {} returns to the payer, by {}",
        tx.txid,
        chosen_by.join(", ")
    );
    let mut finding = verdict.about(tx, [*output], summary);
    finding.subjects = vec![tx.output_id(*output)];
    Some(finding)
}

/// The type of script that an output has.
fn kind(coin: &Coin<'_>) -> u8 {
    let script = coin.script;
    let kinds = [
        script.is_p2pkh(),
        script.is_p2sh(),
        script.is_p2wpkh(),
        script.is_p2wsh(),
        script.is_p2tr(),
        script.is_p2pk(),
    ];
    (1..)
        .zip(kinds)
        .find_map(|(kind, holds)| holds.then_some(kind))
        .unwrap_or(0)
}
