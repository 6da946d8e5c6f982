//! A finding in the making.

use std::collections::BTreeMap;

use hansel_ledger::Amount;

use crate::{Confidence, Finding, Parameter};

use crate::bitcoin::TxView;

/// A rule that fired, with the numbers under which it did.
#[derive(Debug)]
pub(crate) struct Verdict {
    heuristic: &'static str,
    confidence: Confidence,
    error_rate: Option<&'static str>,
    parameters: BTreeMap<&'static str, Parameter>,
}

impl Verdict {
    /// Starts with the rule's id and how sure it is.
    pub(crate) fn new(heuristic: &'static str, confidence: Confidence) -> Self {
        Self {
            heuristic,
            confidence,
            error_rate: None,
            parameters: BTreeMap::new(),
        }
    }

    /// Adds a number of things.
    pub(crate) fn count(self, name: &'static str, count: usize) -> Self {
        let count = u64::try_from(count).expect("a count in memory fits 64 bits");
        self.with(name, count)
    }

    /// Adds an amount in satoshi.
    pub(crate) fn satoshi(self, name: &'static str, amount: u64) -> Self {
        self.with(name, amount.to_string())
    }

    /// Adds an amount in base units.
    pub(crate) fn amount(self, name: &'static str, amount: Amount) -> Self {
        self.with(name, amount.to_string())
    }

    /// Adds a parameter of any kind.
    pub(crate) fn with(mut self, name: &'static str, parameter: impl Into<Parameter>) -> Self {
        self.parameters.insert(name, parameter.into());
        self
    }

    /// Says how often the rule is known to be wrong.
    pub(crate) fn error_rate(mut self, published: &'static str) -> Self {
        self.error_rate = Some(published);
        self
    }

    /// The finding about a transaction, resting on the outputs with these indices.
    pub(crate) fn about(
        self,
        tx: &TxView<'_>,
        outputs: impl IntoIterator<Item = usize>,
        summary: String,
    ) -> Finding {
        let evidence = outputs.into_iter().map(|index| tx.output_id(index));
        self.finding(vec![tx.node()], evidence.collect(), summary)
    }

    /// The finding about any subjects.
    pub(crate) fn finding(
        self,
        mut subjects: Vec<String>,
        mut evidence: Vec<String>,
        summary: String,
    ) -> Finding {
        subjects.sort_unstable();
        subjects.dedup();
        evidence.sort_unstable();
        evidence.dedup();
        let Self {
            heuristic,
            confidence,
            error_rate,
            parameters,
        } = self;
        Finding {
            heuristic,
            subjects,
            confidence,
            evidence,
            parameters,
            error_rate,
            summary,
        }
    }
}
