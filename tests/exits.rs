//! Where value ends that crossed from one chain to another: at an exchange, by whichever network it crossed.

use hansel_graph::Rule;
use hansel_ledger::Amount;
use hansel_report::model::StopKind;

use crate::crossings::{Bridge, COIN, ETHER, EXCHANGE, crossings, outward, require_balance, sum};
use crate::venues::labelled;

#[test]
fn ether_that_crossed_to_bitcoin_is_counted_at_the_exchange_that_its_peels_reached() {
    let Some(mut bridge) = Bridge::start() else {
        return;
    };
    let story = outward(&mut bridge);
    let (config, esplora) = (bridge.config_of("thorchain"), bridge.esplora());
    let exchange = bridge.regtest.address(EXCHANGE).to_string();
    let data = labelled(&[[
        &exchange,
        "bitcoin-regtest",
        "Kraken 3",
        "kraken",
        "exchange",
    ]]);
    let words = format!("--chain anvil {} --rule fifo,haircut", story.theft);
    let done = bridge
        .trace(&words, config.path(), &esplora)
        .data(data.path())
        .run();
    let report = done.report();
    require_balance(&report);
    for rule in [Rule::Fifo, Rule::Haircut] {
        // Both peels paid a quarter of the bitcoin that 30 ether had become.
        let there = sum(&report, rule, |row| row.exchanges);
        assert_eq!(there.to_string(), (15 * ETHER).to_string(), "{rule}");
    }
    let mut paid: Vec<&str> = report.cash_outs.iter().map(|row| &*row.tx).collect();
    paid.sort_unstable();
    let mut peels: Vec<String> = story.peels.iter().map(ToString::to_string).collect();
    peels.sort_unstable();
    assert_eq!(paid, peels);
    for row in &report.cash_outs {
        assert_eq!(
            (&*row.entity, row.amount),
            ("kraken", Amount::from(COIN / 4))
        );
    }
    let node = report
        .nodes
        .iter()
        .find(|node| node.address.as_deref() == Some(&*exchange));
    let stop = node.unwrap().stop.as_ref().unwrap();
    assert_eq!(stop.kind, StopKind::Exchange);
}

#[test]
fn the_same_way_leads_through_the_router_of_maya() {
    let Some(mut bridge) = Bridge::start() else {
        return;
    };
    let story = outward(&mut bridge);
    let (config, esplora) = (bridge.config_of("maya"), bridge.esplora());
    let words = format!("--chain anvil {} --rule fifo", story.theft);
    let report = bridge.trace(&words, config.path(), &esplora).run().report();
    require_balance(&report);
    let crossed = crossings(&report);
    assert_eq!(crossed.len(), 1, "{:?}", report.unknown);
    let link = story
        .deposit
        .to_string()
        .trim_start_matches("0x")
        .to_uppercase();
    assert_eq!(crossed[0].id, format!("cross:maya:{link}:1"));
    assert_eq!(crossed[0].tx, story.payout.to_string());
    assert_eq!(sum(&report, Rule::Fifo, |row| row.bridges), Amount::ZERO);
}
