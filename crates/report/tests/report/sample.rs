//! A small but complete report: 4,502.9 stolen bitcoin, part at rest, part at an exchange, a fee.

use std::collections::BTreeMap;

use hansel_graph::{Direction, FeeRule, Rule};
use hansel_ledger::{Amount, UnixTime};
use hansel_report::model::*;
use hansel_report::{Format, Prices, render};

pub(crate) const THEFT: &str = "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7";
pub(crate) const SPLIT: &str = "2f1d8e64a7c30b59f6e1d2c3b4a5968778695a4b3c2d1e0f00112233445566ff";
pub(crate) const LOOT: &str = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P";
pub(crate) const COLD: &str = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0";
pub(crate) const DEPOSIT: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

/// FIFO fills the first output with taint; haircut spreads it. The pool is 4,612.9 BTC, 110 BTC of it clean.
pub(crate) fn report() -> Report {
    Report {
        schema: SchemaName,
        case: case(),
        tips: vec![Tip {
            chain: "bitcoin".into(),
            height: 860_000,
            hash: "00".repeat(32),
        }],
        seeds: vec![seed()],
        assets: Vec::new(),
        accounting: vec![
            accounting(Rule::Fifo, 300_000_000_000, 150_290_000_000, 0),
            accounting(Rule::Haircut, 292_846_148_843, 157_443_841_395, 9_762),
        ],
        nodes: nodes(),
        flows: flows(),
        findings: vec![finding()],
        cash_outs: vec![cash_out()],
        unknown: vec![Unknown {
            subject: "bitcoin".into(),
            kind: "labels-undated".into(),
            detail: "the label of the exchange has no date".into(),
        }],
        values: None,
        sources: vec![Source {
            endpoint: "esplora.example".into(),
            requests: 1_204,
            bytes: 3_000_000,
            retries: 2,
        }],
    }
}

fn case() -> Case {
    Case {
        name: "sample-theft".into(),
        title: Some("A theft made up for tests".into()),
        training: false,
        subjects: vec![format!("{THEFT}:0")],
        direction: Direction::Forward,
        overrides: Vec::new(),
        limits: Limits {
            hops: Some(10),
            min_share: Some("0.001".into()),
            ..Limits::default()
        },
        rules: vec![Rule::Fifo, Rule::Haircut],
        fee_rule: FeeRule::Last,
    }
}

fn seed() -> Seed {
    Seed {
        id: "s1".into(),
        chain: "bitcoin".into(),
        asset: "BTC".into(),
        decimals: 8,
        amount: 450_290_000_000.into(),
        tx: THEFT.into(),
        vout: Some(0),
        flow: None,
        to: Some(LOOT.into()),
        block: Some(845_923),
        time: theft_time(),
    }
}

pub(crate) fn theft_time() -> Option<Timestamp> {
    Some(UnixTime(1_717_129_586).into())
}

fn split_time() -> Option<Timestamp> {
    Some(UnixTime(1_719_000_000).into())
}

pub(crate) fn accounting(rule: Rule, at_rest: u64, exchanges: u64, fees: u64) -> Accounting {
    Accounting {
        seed: "s1".into(),
        rule,
        stolen: 450_290_000_000.into(),
        at_rest: at_rest.into(),
        exchanges: exchanges.into(),
        mixers: Amount::ZERO,
        bridges: Amount::ZERO,
        services: Amount::ZERO,
        hubs: Amount::ZERO,
        frontier: Amount::ZERO,
        below_threshold: Amount::ZERO,
        fees: fees.into(),
        burned: Amount::ZERO,
        total: (at_rest + exchanges + fees).into(),
    }
}

fn node(id: String, kind: NodeKind, address: Option<&str>, stop: Option<(StopKind, &str)>) -> Node {
    Node {
        id,
        kind,
        chain: "bitcoin".into(),
        address: address.map(str::to_owned),
        block: Some(849_000),
        time: split_time(),
        labels: Vec::new(),
        holdings: Vec::new(),
        coverage: Some(NodeCoverage {
            complete_through: Some(860_000),
        }),
        gaps: Vec::new(),
        stop: stop.map(|(kind, reason)| Stop::new(kind, reason)),
    }
}

fn nodes() -> Vec<Node> {
    let rest = (StopKind::AtRest, "not spent up to block 860000");
    let exchange = (
        StopKind::Exchange,
        "the address belongs to Example Exchange",
    );
    let mut theft = node(
        format!("bitcoin:tx:{THEFT}"),
        NodeKind::Transaction,
        None,
        None,
    );
    theft.block = Some(845_923);
    theft.time = theft_time();
    let mut deposit = node(
        format!("bitcoin:output:{SPLIT}:1"),
        NodeKind::Output,
        Some(DEPOSIT),
        Some(exchange),
    );
    deposit.labels.push(Label {
        actor: None,
        hindsight: false,
        label: "Example Exchange".into(),
        category: "exchange".into(),
        source: "example tagpack".into(),
        confidence: "ownership".into(),
        as_of: None,
    });
    deposit.gaps.push(NodeGap {
        kind: "spend-unknown".into(),
        detail: "the endpoint timed out".into(),
        tx: None,
    });
    let fees = Node {
        block: None,
        time: None,
        coverage: None,
        ..fees_node()
    };
    vec![
        theft,
        node(
            format!("bitcoin:tx:{SPLIT}"),
            NodeKind::Transaction,
            None,
            None,
        ),
        node(
            format!("bitcoin:output:{SPLIT}:0"),
            NodeKind::Output,
            Some(COLD),
            Some(rest),
        ),
        deposit,
        fees,
    ]
}

fn fees_node() -> Node {
    node(
        "bitcoin:fees".into(),
        NodeKind::Account,
        None,
        Some((StopKind::Fees, "paid to miners")),
    )
}

fn flow(id: String, to: String, amount: u64, fifo: u64, haircut: u64) -> Flow {
    let split = |tainted: u64| Sorted::from([("s1".into(), Amount::from(tainted))]);
    Flow {
        id,
        chain: "bitcoin".into(),
        tx: SPLIT.into(),
        block: Some(849_000),
        time: split_time(),
        from: format!("bitcoin:tx:{SPLIT}").into(),
        to: to.into(),
        from_addresses: vec![LOOT.into()],
        to_address: None,
        asset: "BTC".into(),
        amount: amount.into(),
        tainted: Sorted::from([(Rule::Fifo, fifo.into()), (Rule::Haircut, haircut.into())]),
        claims: Sorted::from([(Rule::Fifo, split(fifo)), (Rule::Haircut, split(haircut))]),
        proof: Proof::Merkle,
        kind: FlowKind::Transfer,
    }
}

fn flows() -> Vec<Flow> {
    let stolen = 450_290_000_000;
    let theft = Flow {
        tx: THEFT.into(),
        block: Some(845_923),
        time: theft_time(),
        from: format!("bitcoin:tx:{THEFT}").into(),
        from_addresses: Vec::new(),
        to_address: Some(LOOT.into()),
        ..flow(
            format!("bitcoin:output:{THEFT}:0"),
            format!("bitcoin:tx:{SPLIT}"),
            stolen,
            stolen,
            stolen,
        )
    };
    let output = |vout: u32| format!("bitcoin:output:{SPLIT}:{vout}");
    let cold = flow(
        output(0),
        output(0),
        300_000_000_000,
        300_000_000_000,
        292_846_148_843,
    );
    let deposit = flow(
        output(1),
        output(1),
        161_289_990_000,
        150_290_000_000,
        157_443_841_395,
    );
    let fee = flow(
        format!("bitcoin:fee:{SPLIT}"),
        "bitcoin:fees".into(),
        10_000,
        0,
        9_762,
    );
    vec![
        theft,
        Flow {
            to_address: Some(COLD.into()),
            ..cold
        },
        Flow {
            to_address: Some(DEPOSIT.into()),
            proof: Proof::None,
            ..deposit
        },
        Flow {
            kind: FlowKind::Fee,
            ..fee
        },
    ]
}

fn finding() -> Finding {
    Finding {
        heuristic: "btc.split".into(),
        subjects: vec![format!("bitcoin:tx:{SPLIT}")],
        confidence: Confidence::Weak,
        evidence: vec![format!("bitcoin:output:{SPLIT}:0")],
        parameters: BTreeMap::from([("min_outputs".into(), 2.into())]),
        error_rate: "none published".into(),
        summary: "the loot was split once".into(),
    }
}

fn cash_out() -> CashOut {
    CashOut {
        entity: "Example Exchange".into(),
        category: "exchange".into(),
        chain: "bitcoin".into(),
        deposit_address: DEPOSIT.into(),
        service_address: None,
        tx: SPLIT.into(),
        service_tx: None,
        time: split_time(),
        asset: "BTC".into(),
        amount: 161_289_990_000.into(),
        tainted: Sorted::from([
            (Rule::Fifo, 150_290_000_000.into()),
            (Rule::Haircut, 157_443_841_395.into()),
        ]),
        confidence: Confidence::Strong,
    }
}

/// One format of one file as text.
pub(crate) fn rendered(report: &Report, format: Format) -> String {
    let files = render(report, format).unwrap();
    files
        .into_iter()
        .map(|file| String::from_utf8(file.bytes).unwrap())
        .collect()
}

/// The report with prices of bitcoin in two currencies, one of which has none in time.
pub(crate) fn valued() -> Report {
    let prices = "time,asset,currency,price,source\n\
        2024-05-31,BTC,USD,68401.25,a price list\n\
        2024-06-21,BTC,USD,64000.5,a price list\n\
        2024-05-31,bitcoin/BTC,EUR,63000,another list\n";
    let mut report = report();
    report.value(&Prices::read(prices.as_bytes()).unwrap());
    report
}
