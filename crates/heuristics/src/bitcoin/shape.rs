//! What the families of CoinJoins ask about a transaction, counted once.

use std::collections::BTreeMap;

use bitcoin::Script;

use super::view::{Coin, TxView};

/// Counts of a transaction's values and scripts.
#[derive(Debug)]
pub(crate) struct Shape<'a> {
    /// The inputs' coins; `None` where not all are known.
    pub(crate) coins_in: Option<Vec<Coin<'a>>>,
    /// How many inputs there are.
    pub(crate) inputs: usize,
    /// How many outputs there are.
    pub(crate) outputs: usize,
    /// How often each output value occurs.
    pub(crate) values: BTreeMap<u64, usize>,
    /// The most frequent output value, the largest of several, and how often it occurs.
    pub(crate) modal: (u64, usize),
    /// How many scripts the known inputs have.
    pub(crate) input_scripts: usize,
    /// How many inputs have the script that most inputs have.
    pub(crate) busiest_script: usize,
    /// True where no two outputs share a script.
    pub(crate) distinct_outputs: bool,
}

impl<'a> Shape<'a> {
    /// Counts a transaction.
    pub(crate) fn of(tx: &TxView<'a>) -> Self {
        let mut values = BTreeMap::new();
        for output in &tx.outputs {
            *values.entry(output.value).or_insert(0) += 1;
        }
        let modal = values.iter().map(|(value, count)| (*count, *value)).max();
        let (count, value) = modal.unwrap_or_default();
        let known = tx.inputs.iter().filter_map(|input| input.coin);
        let input_scripts = runs(known.map(|coin| coin.script).collect());
        let output_scripts = runs(tx.outputs.iter().map(|coin| coin.script).collect());
        Self {
            coins_in: tx.coins_in(),
            inputs: tx.inputs.len(),
            outputs: tx.outputs.len(),
            values,
            modal: (value, count),
            input_scripts: input_scripts.len(),
            busiest_script: input_scripts.into_iter().max().unwrap_or(0),
            distinct_outputs: output_scripts.len() == tx.outputs.len(),
        }
    }

    /// True where no script owns more than a tenth of the inputs, so that many people may have joined.
    pub(crate) fn is_shared_widely(&self) -> bool {
        self.busiest_script * 10 <= self.inputs
    }

    /// True where all known inputs satisfy a condition.
    pub(crate) fn all_inputs(tx: &TxView<'a>, holds: impl Fn(Coin<'a>) -> bool) -> bool {
        tx.inputs.iter().filter_map(|input| input.coin).all(holds)
    }
}

/// How many times each script occurs.
fn runs(mut scripts: Vec<&Script>) -> Vec<usize> {
    scripts.sort_unstable();
    scripts
        .chunk_by(|one, other| one == other)
        .map(<[_]>::len)
        .collect()
}
