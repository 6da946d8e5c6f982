//! Everything that the detectors say about one transaction.

use crate::Finding;

use super::change::change;
use super::chips::chips;
use super::coinjoin::coinjoin;
use super::consolidation::consolidation;
use super::op_return::op_return;
use super::payout::{batch_payout, fan_out};
use super::reuse::address_reuse;
use super::stonewall::stonewall;
use super::tx0::whirlpool_tx0;
use super::view::TxView;

type Detector = fn(&TxView<'_>) -> Option<Finding>;

/// The detectors that need one transaction only, with their ids in order of the alphabet.
const DETECTORS: [Detector; 10] = [
    address_reuse,
    batch_payout,
    change,
    chips,
    coinjoin,
    whirlpool_tx0,
    consolidation,
    fan_out,
    op_return,
    stonewall,
];

/// What every detector that needs no other transaction says about this one, by the detectors' ids.
pub fn transaction_findings(tx: &TxView<'_>) -> Vec<Finding> {
    let findings = DETECTORS.iter().filter_map(|detector| detector(tx));
    let mut findings: Vec<_> = findings.collect();
    findings.sort_unstable();
    findings
}
