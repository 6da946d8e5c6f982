//! An inspected transaction as JSON and as text.

use std::fmt::Write as _;

use bitcoin::{Address, Script};
use hansel_heuristics::bitcoin::{TxView, transaction_findings};
use hansel_heuristics::ethereum::{self, EvmView};
use hansel_heuristics::{Finding, Label, Labels, NO_ERROR_RATE, Parameter};
use hansel_ledger::{
    Amount, Chain, EvmTransaction, InternalTransfers, Movement, Placement, TransactionStatement,
    TransferId,
};
use hansel_report::{format_units, visible};
use serde::Serialize;

/// A transaction, what moved in it and what was recognised.
#[derive(Debug, Serialize)]
pub(crate) struct Output {
    chain: String,
    transaction: String,
    block: Option<u64>,
    time: Option<String>,
    /// What moved, in order: the inputs of a Bitcoin transaction, then its outputs; movements of an EVM transaction.
    movements: Vec<Moved>,
    fee: Option<Amount>,
    /// What a reader must know besides.
    notes: Vec<String>,
    findings: Vec<Finding>,
    asset: String,
    decimals: u8,
}

/// Value that moved.
#[derive(Debug, Serialize)]
struct Moved {
    /// The flow's id; of a Bitcoin input the output that it spends.
    id: String,
    from: Option<Party>,
    to: Option<Party>,
    asset: String,
    decimals: Option<u8>,
    amount: Option<Amount>,
}

/// Who gave or received.
#[derive(Debug, Serialize)]
struct Party {
    address: String,
    labels: Vec<Label>,
}

impl Output {
    /// A Bitcoin transaction.
    pub(crate) fn bitcoin(
        chain: &Chain,
        statement: &TransactionStatement,
        labels: &dyn Labels,
    ) -> Self {
        let view = TxView::of_statement(chain, statement);
        let native = chain.native();
        let moved =
            |id: TransferId, from: Option<Party>, to: Option<Party>, amount: Option<u64>| Moved {
                id: id.into(),
                from,
                to,
                asset: native.symbol.clone(),
                decimals: Some(native.decimals),
                amount: amount.map(Amount::from),
            };
        let inputs = view.inputs.iter().map(|input| {
            let id = TransferId::output(chain, &input.previous);
            let from = input.coin.map(|coin| party_of(chain, coin.script, labels));
            moved(id, from, None, input.coin.map(|coin| coin.value))
        });
        let outputs = (0_u32..).zip(&view.outputs).map(|(vout, coin)| {
            let id = TransferId::output(
                chain,
                &bitcoin::OutPoint {
                    txid: view.txid,
                    vout,
                },
            );
            moved(
                id,
                None,
                Some(party_of(chain, coin.script, labels)),
                Some(coin.value),
            )
        });
        let missing = statement.unknown_inputs();
        let notes = (missing > 0).then(|| format!("the values of {missing} inputs are not known"));
        Self {
            chain: chain.to_string(),
            transaction: statement.txid.to_string(),
            block: statement.placement.height(),
            time: time(&statement.placement),
            movements: inputs.chain(outputs).collect(),
            fee: statement.fee().map(Amount::from),
            notes: notes.into_iter().collect(),
            findings: transaction_findings(&view),
            asset: native.symbol.clone(),
            decimals: native.decimals,
        }
    }

    /// A transaction of an EVM chain.
    pub(crate) fn evm(chain: &Chain, transaction: &EvmTransaction, labels: &dyn Labels) -> Self {
        let native = chain.native();
        let block = transaction.placement.block;
        let mut notes = Vec::new();
        if transaction.internal == InternalTransfers::Unknown {
            notes.push(
                "no endpoint traces transactions: contracts may have moved more of the native coin"
                    .to_owned(),
            );
        }
        if !transaction.succeeded {
            notes.push("it was reverted and moved nothing but its fee".to_owned());
        }
        let moved = |movement: &Movement| moved(chain, transaction, movement, labels);
        Self {
            chain: chain.to_string(),
            transaction: transaction.hash.to_string(),
            block: Some(block.height),
            time: Some(block.time.to_string()),
            movements: transaction.movements.iter().map(moved).collect(),
            fee: Some(transaction.fee),
            notes,
            findings: ethereum::transaction_findings(&EvmView {
                chain,
                tx: transaction,
                labels,
            }),
            asset: native.symbol,
            decimals: native.decimals,
        }
    }

    /// The transaction in words, a movement and a finding per line.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{} on {}", self.transaction, self.chain);
        // Writing to a string cannot fail.
        let _ = match (self.block, &self.time) {
            (Some(block), Some(time)) => writeln!(text, ", block {block}, {time}"),
            _ => writeln!(text, ", not in a known block"),
        };
        for moved in &self.movements {
            let _ = writeln!(text, "  {}", moved.text());
        }
        if let Some(fee) = self.fee {
            let _ = writeln!(
                text,
                "  fee {} {}",
                format_units(fee, self.decimals),
                self.asset
            );
        }
        for notes in &self.notes {
            let _ = writeln!(text, "  note: {notes}");
        }
        if self.findings.is_empty() {
            text.push_str("no detector recognises anything\n");
        }
        for finding in &self.findings {
            text.push_str(&finding_text(finding));
        }
        text
    }
}

impl Moved {
    fn text(&self) -> String {
        let amount = match (self.amount, self.decimals) {
            (Some(amount), Some(decimals)) => {
                format!("{} {}", format_units(amount, decimals), self.asset)
            }
            (Some(amount), None) => format!("{amount} base units of {}", self.asset),
            (None, _) => "an unknown amount".to_owned(),
        };
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!("{amount} from {} to {}", from.text(), to.text()),
            (Some(from), None) => format!("in   {amount} from {}", from.text()),
            (None, Some(to)) => format!("out  {amount} to {}", to.text()),
            (None, None) => format!("in   {amount} of {}", self.id),
        }
    }
}

impl Party {
    fn text(&self) -> String {
        let names = self.labels.iter().map(|label| {
            format!(
                "{} ({}, {})",
                visible(&label.label),
                label.kind.name(),
                visible(&label.source)
            )
        });
        let names: Vec<String> = names.collect();
        match names.len() {
            0 => self.address.clone(),
            _ => format!("{} [{}]", self.address, names.join("; ")),
        }
    }
}

fn moved(
    chain: &Chain,
    transaction: &EvmTransaction,
    movement: &Movement,
    labels: &dyn Labels,
) -> Moved {
    let asset = chain.evm().and_then(|network| network.asset(movement.coin));
    let party = |address: &dyn std::fmt::Display| {
        let address = address.to_string();
        let labels = labels.lookup(chain.name(), &address);
        Some(Party { address, labels })
    };
    Moved {
        id: TransferId::movement(chain, &transaction.hash, &movement.origin).into(),
        from: party(&movement.from),
        to: party(&movement.to),
        asset: asset.map_or_else(|| movement.coin.to_string(), |asset| asset.symbol.clone()),
        decimals: asset.map(|asset| asset.decimals),
        amount: Some(movement.amount),
    }
}

/// Who a script belongs to: its address, or the script itself where it has none.
fn party_of(chain: &Chain, script: &Script, labels: &dyn Labels) -> Party {
    let network = chain.network();
    let address = network.and_then(|network| Address::from_script(script, network).ok());
    let address = match address {
        Some(address) => address.to_string(),
        None => format!("script {}", script.to_hex_string()),
    };
    let labels = labels.lookup(chain.name(), &address);
    Party { address, labels }
}

fn time(placement: &Placement) -> Option<String> {
    placement.block().map(|block| block.time.to_string())
}

/// A finding with the numbers that it used.
fn finding_text(finding: &Finding) -> String {
    let mut text = format!(
        "{} ({}): {}\n",
        finding.heuristic,
        finding.confidence.name(),
        visible(&finding.summary)
    );
    for (name, parameter) in &finding.parameters {
        let _ = writeln!(text, "  {name}: {}", visible(&parameter_text(parameter)));
    }
    let published = finding.error_rate.unwrap_or(NO_ERROR_RATE);
    let _ = writeln!(text, "  error rate: {published}");
    text
}

fn parameter_text(parameter: &Parameter) -> String {
    match parameter {
        Parameter::Count(count) => count.to_string(),
        Parameter::Text(text) => text.clone(),
        Parameter::Flag(true) => "yes".to_owned(),
        Parameter::Flag(false) => "no".to_owned(),
        Parameter::List(words) if words.is_empty() => "none".to_owned(),
        Parameter::List(words) => words.join(", "),
    }
}
