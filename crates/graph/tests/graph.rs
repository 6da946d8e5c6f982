//! What the graph refuses to believe: it names the culprit, and nothing of a refused statement stays.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test of values written by hand"
)]

use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{Amount, OutPoint, ScriptBuf, Txid};
use hansel_graph::{FlowGraph, GraphError};
use hansel_ledger::{Input, Output, Placement, TransactionStatement};

const ALL_BITCOIN: u64 = 21_000_000 * 100_000_000;

fn txid(name: &str) -> Txid {
    Txid::from_raw_hash(sha256d::Hash::hash(name.as_bytes()))
}

fn out(name: &str, vout: u32) -> OutPoint {
    OutPoint {
        txid: txid(name),
        vout,
    }
}

fn paid(value: u64) -> Output {
    Output {
        value: Amount::from_sat(value),
        script: ScriptBuf::from(vec![0x51]),
    }
}

fn known(name: &str, vout: u32, value: u64) -> Input {
    Input {
        previous: out(name, vout),
        spent: Some(paid(value)),
    }
}

fn unknown(name: &str, vout: u32) -> Input {
    Input {
        previous: out(name, vout),
        spent: None,
    }
}

fn statement(name: &str, inputs: &[Input], outputs: &[u64]) -> TransactionStatement {
    TransactionStatement {
        txid: txid(name),
        placement: Placement::Unknown,
        inputs: inputs.to_vec(),
        outputs: outputs.iter().map(|value| paid(*value)).collect(),
    }
}

/// Everything that a graph says, so that graphs can be compared.
fn told(graph: &FlowGraph) -> String {
    let flows = graph
        .flows()
        .map(|flow| format!("{} {:?}", graph.outpoint(flow), graph.flow(flow)));
    let pools = graph.pools().map(|pool| format!("{:?}", graph.pool(pool)));
    let lines: Vec<String> = flows.chain(pools).collect();
    format!("{:?} {}", graph.size(), lines.join("\n"))
}

/// Inserts `before`, sees `wrong` refused without a trace, and `right` accepted in its place.
fn refused(
    before: &[TransactionStatement],
    wrong: &TransactionStatement,
    right: &TransactionStatement,
) -> GraphError {
    let mut graph = FlowGraph::default();
    for statement in before {
        graph.insert(statement).unwrap();
    }
    let untouched = told(&graph);
    let error = graph.insert(wrong).unwrap_err();
    assert_eq!(told(&graph), untouched, "{error}");
    graph.insert(right).unwrap();
    error
}

#[test]
fn a_spender_that_misstates_an_output_is_refused() {
    let creator = statement("creator", &[], &[50, 60]);
    let right = statement("spender", &[known("creator", 1, 60)], &[60]);
    let outpoint = out("creator", 1);
    let contradiction = GraphError::Contradiction {
        outpoint,
        spender: txid("spender"),
    };
    let mut wrong = right.clone();
    wrong.inputs[0].spent = Some(paid(61));
    assert_eq!(
        refused(std::slice::from_ref(&creator), &wrong, &right),
        contradiction
    );
    let mut wrong = right.clone();
    wrong.inputs[0].spent.as_mut().unwrap().script = ScriptBuf::new();
    assert_eq!(
        refused(std::slice::from_ref(&creator), &wrong, &right),
        contradiction
    );
    // The same after an input that is right, and of an output that two spenders name.
    let two = statement(
        "spender",
        &[known("creator", 0, 50), known("creator", 1, 61)],
        &[1],
    );
    assert_eq!(refused(&[creator], &two, &right), contradiction);
    assert_eq!(contradiction.culprit(), Some(txid("spender")));
}

#[test]
fn a_creator_convicts_the_spender_that_misstated_its_output() {
    let spender = statement("spender", &[known("creator", 1, 61)], &[60]);
    let mut graph = FlowGraph::default();
    graph.insert(&spender).unwrap();
    let untouched = told(&graph);
    let error = graph
        .insert(&statement("creator", &[], &[50, 60]))
        .unwrap_err();
    assert_eq!(error.culprit(), Some(txid("spender")));
    assert_eq!(told(&graph), untouched);
    let error = graph.insert(&statement("creator", &[], &[50])).unwrap_err();
    let (outpoint, spender) = (out("creator", 1), txid("spender"));
    assert_eq!(error, GraphError::NoSuchOutput { outpoint, spender });
    assert_eq!(told(&graph), untouched);
    graph.insert(&statement("creator", &[], &[50, 61])).unwrap();
}

#[test]
fn an_output_that_does_not_exist_cannot_be_spent() {
    let creator = statement("creator", &[], &[50]);
    let wrong = statement("spender", &[unknown("creator", 1)], &[50]);
    let right = statement("spender", &[unknown("creator", 0)], &[50]);
    let (outpoint, spender) = (out("creator", 1), txid("spender"));
    let error = refused(&[creator], &wrong, &right);
    assert_eq!(error, GraphError::NoSuchOutput { outpoint, spender });
    assert_eq!(error.culprit(), Some(spender));
}

#[test]
fn an_output_cannot_be_spent_by_two_transactions() {
    let first = statement("first", &[unknown("creator", 0)], &[50]);
    let wrong = statement(
        "second",
        &[unknown("creator", 1), unknown("creator", 0)],
        &[50],
    );
    let right = statement("second", &[unknown("creator", 1)], &[50]);
    let error = refused(&[first], &wrong, &right);
    let double = GraphError::DoubleSpend {
        outpoint: out("creator", 0),
        first: txid("first"),
        second: txid("second"),
    };
    assert_eq!(error, double);
    assert_eq!(error.culprit(), Some(txid("second")));
}

#[test]
fn an_output_cannot_be_spent_twice_by_one_transaction() {
    let inputs = [
        known("creator", 0, 50),
        known("other", 0, 1),
        known("creator", 0, 50),
    ];
    let wrong = statement("spender", &inputs, &[100]);
    let right = statement("spender", &inputs[..2], &[51]);
    let error = refused(&[], &wrong, &right);
    let (outpoint, spender) = (out("creator", 0), txid("spender"));
    assert_eq!(error, GraphError::SpentTwice { outpoint, spender });
    assert_eq!(error.culprit(), Some(spender));
}

#[test]
fn a_transaction_cannot_spend_itself() {
    let right = statement("loop", &[unknown("creator", 0)], &[50]);
    let child = statement("child", &[unknown("loop", 0)], &[50]);
    let wrong = statement("loop", &[unknown("creator", 0), unknown("loop", 0)], &[50]);
    for before in [&[][..], &[child]] {
        let error = refused(before, &wrong, &right);
        assert_eq!(
            error,
            GraphError::SpendsItself {
                spender: txid("loop")
            }
        );
        assert_eq!(error.culprit(), Some(txid("loop")));
    }
}

#[test]
fn nobody_moves_more_than_all_bitcoin() {
    let most = statement("rich", &[known("creator", 0, ALL_BITCOIN)], &[ALL_BITCOIN]);
    let error = GraphError::TooMuch {
        transaction: txid("rich"),
    };
    assert_eq!(error.culprit(), Some(txid("rich")));
    let wrong = [
        statement("rich", &[], &[u64::MAX]),
        statement("rich", &[], &[u64::MAX, 2]),
        statement("rich", &[], &[ALL_BITCOIN, 1]),
        statement("rich", &[known("creator", 0, u64::MAX)], &[1]),
        statement(
            "rich",
            &[known("creator", 0, ALL_BITCOIN), known("creator", 1, 1)],
            &[1],
        ),
    ];
    for wrong in wrong {
        assert_eq!(refused(&[], &wrong, &most), error);
    }
}

#[test]
fn a_transaction_cannot_pay_out_more_than_it_takes_in() {
    let creator = statement("creator", &[], &[50, 60]);
    let right = statement(
        "spender",
        &[known("creator", 1, 60), unknown("creator", 0)],
        &[110],
    );
    let error = GraphError::Overdrawn {
        spender: txid("spender"),
    };
    assert_eq!(error.culprit(), Some(txid("spender")));
    // Whether the spender states the values or the graph knows them.
    let stated = statement("spender", &[known("creator", 1, 60)], &[61]);
    assert_eq!(refused(&[], &stated, &right), error);
    let known_before = statement("spender", &[unknown("creator", 1)], &[61]);
    assert_eq!(
        refused(std::slice::from_ref(&creator), &known_before, &right),
        error
    );
    // While a value is not known, nothing can be said; the creator convicts the spender.
    let mut graph = FlowGraph::default();
    let overdrawn = statement(
        "spender",
        &[known("creator", 1, 60), unknown("creator", 0)],
        &[111],
    );
    graph.insert(&overdrawn).unwrap();
    let untouched = told(&graph);
    assert_eq!(graph.insert(&creator), Err(error));
    assert_eq!(told(&graph), untouched);
}

#[test]
fn statements_that_agree_are_accepted_in_any_order() {
    let statements = [
        statement("creator", &[], &[50, 60]),
        statement("left", &[known("creator", 0, 50)], &[40]),
        statement("right", &[unknown("creator", 1)], &[60]),
        statement(
            "merge",
            &[unknown("left", 0), known("right", 0, 60)],
            &[100],
        ),
    ];
    for first in 0..4 {
        for second in 0..4 {
            let mut order: Vec<_> = statements.iter().collect();
            order.swap(0, first);
            order.swap(3, second);
            let mut graph = FlowGraph::default();
            for statement in &order {
                graph.insert(statement).unwrap();
            }
            assert_eq!(graph.size(), (4, 4));
            let merge = graph.find(&txid("merge")).unwrap();
            assert_eq!(graph.fee(merge), Some(0));
            let before = told(&graph);
            for statement in order {
                graph.insert(statement).unwrap();
            }
            assert_eq!(told(&graph), before, "known statements change nothing");
        }
    }
}
