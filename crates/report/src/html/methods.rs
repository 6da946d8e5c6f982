//! The appendix: how the amounts came about, so that a reader can repeat and attack them.

use hansel_graph::{FeeRule, Rule};
use maud::{Markup, html};

use super::section as framed;
use crate::text::Page;
use crate::worth;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let case = &page.report.case;
    framed(
        "methods",
        "Methods",
        html! {
            p { "Amounts are whole numbers of base units, added and split without rounding. For every seed and every rule but poison, what was stolen equals the sum over everything that became of it; a trace that does not balance is not reported." }
            dl {
                @for rule in &case.rules { dt { (rule.name()) } dd { (meaning(*rule)) } }
                dt { "fee rule " (case.fee_rule) } dd { (fees(case.fee_rule)) }
                dt { "proof" } dd { "merkle: a Merkle branch to a block header with work; trie: a receipt or transaction trie proof; trace: an endpoint's execution trace, which another node can repeat; none: the endpoint's word." }
                dt { "labels" } dd { "A label is the claim of its source, never a fact of the chain. Where sources disagree, all are listed." }
                dt { "findings" } dd { "A finding is the opinion of a rule with stated numbers. certain: follows from the chain itself; strong: innocent explanations are rare; weak: a hint." }
                @for note in worth::notes(page.report) { dt { "worth" } dd { (note) } }
                dt { "drawings" } dd { "Widths and places are rounded and only illustrate; tables hold the exact amounts." }
            }
        },
    )
}

/// What a rule says. Source: docs/methods.md, which names the judgments and papers behind each rule.
pub(crate) fn meaning(rule: Rule) -> &'static str {
    match rule {
        Rule::Fifo => "First in, first out: what entered a pool first leaves it first.",
        Rule::Lifo => "Last in, first out: what entered a pool last leaves it first.",
        Rule::Tiho => {
            "Taint in, highest out: tainted value fills the largest output of a transaction first."
        }
        Rule::Seniority => "Tainted value leaves a pool first.",
        Rule::ReverseSeniority => {
            "Clean value leaves a pool first: the lowest intermediate balance."
        }
        Rule::Haircut => {
            "Pro rata: everything that leaves a pool carries the pool's share of taint."
        }
        Rule::Poison => {
            "Whatever touched taint is wholly tainted. It says how far the theft reached, not how much of it is where."
        }
    }
}

/// Who pays a fee.
pub(crate) fn fees(rule: FeeRule) -> &'static str {
    match rule {
        FeeRule::Last => "The fee of a transaction is drawn after all its outputs.",
        FeeRule::ProRata => "Every segment of a transaction's inputs pays its share of the fee.",
    }
}
