//! How well a trace ends where experts say that many people's money is, and how well it knows customers' addresses of
//! exchanges.
//!
//! Nothing that is scored is told: the binary knows either no label at all, or the services' own addresses and none of the
//! customers'.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use hansel_graph::AccountFacts;
use hansel_heuristics::ethereum::{AccountView, detect};
use hansel_heuristics::{EntityKind, Finding, Label, Labels};
use hansel_ledger::{
    Amount, Asset, BlockForm, BlockRef, Chain, Coin, EvmNetwork, EvmPlacement, EvmTransaction,
    Family, InternalTransfers, Movement, Noise, Origin, UnixTime,
};
use hansel_report::Report;
use hansel_report::model::{Confidence, StopKind};
use hansel_testkit::LaunderNet;

use crate::run::{self, CHAIN, Scene, Settings, account};

/// The rule that is scored.
const RULE: &str = "evm.exchange-deposit";

pub(crate) fn head() {
    println!(
        "\n| case | labels | services that the case reaches | where the trace ends | stops at the launderers' own \
         | other stops | deposit addresses | found | of them strong | findings about the launderers' own \
         | about accounts that the case does not name |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
}

pub(crate) fn lines(scene: &Scene<'_>) {
    for (name, labels) in [("none", String::new()), ("services", csv(scene))] {
        let settings = Settings {
            labels,
            ..Settings::of("fifo,haircut")
        };
        match scene.report(&settings) {
            Ok(report) => println!("{}", line(scene, name, &report)),
            Err(reason) => println!("| {} | {name} | failed: {reason} |", scene.case.name),
        }
    }
}

/// The services' own addresses as labels; none of a deposit address.
fn csv(scene: &Scene<'_>) -> String {
    let mut text = String::from("address,chain,label,source,actor,category\n");
    let mut named = BTreeMap::from_iter(scene.case.services());
    // An exchange's own wallet behind a deposit address that the experts ended at.
    let wallets = scene.case.labels.iter();
    let wallets = wallets.filter(|(_, label)| category(label) == "exchange");
    named.extend(wallets.map(|(address, label)| (*address, &**label)));
    for (address, label) in named {
        if scene.case.deposits().contains(&address) {
            continue;
        }
        let actor = label.split([' ', ':', '.']).next().unwrap_or(label);
        let (actor, category) = (actor.to_lowercase(), category(label));
        text.push_str(&format!(
            "{address},{CHAIN},{label},the case,{actor},{category}\n"
        ));
    }
    text
}

/// What a service is, by the words of its label.
fn category(label: &str) -> &'static str {
    let label = label.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| label.contains(word));
    if has(&["_deposit_"]) {
        "service"
    } else if has(&["exch", "kucoin", "changenow", "changehero"]) {
        "exchange"
    } else if has(&["tornado"]) {
        "mixing_service"
    } else {
        "service"
    }
}

/// What the rule says about accounts, against what the case calls them.
struct Said {
    deposits: usize,
    found: usize,
    strong: usize,
    about_own: usize,
    others: usize,
}

impl Said {
    fn of(case: &LaunderNet, findings: &BTreeMap<Address, Confidence>) -> Self {
        let (deposits, own) = (case.deposits(), case.launderers());
        let found = deposits.iter().filter_map(|one| findings.get(one));
        let strong = found.clone().filter(|one| **one >= Confidence::Strong);
        let (strong, found) = (strong.count(), found.count());
        let about_own = findings.keys().filter(|one| own.contains(*one)).count();
        Self {
            deposits: deposits.len(),
            found,
            strong,
            about_own,
            others: findings.len() - found - about_own,
        }
    }
}

fn line(scene: &Scene<'_>, labels: &str, report: &Report) -> String {
    let services: BTreeSet<Address> = scene.case.services().into_keys().collect();
    let own = scene.case.launderers();
    let stops = stops(report);
    let right = services.intersection(&stops).count();
    let wrong = stops.intersection(&own).count();
    let findings: BTreeMap<Address, Confidence> = report
        .findings
        .iter()
        .filter(|finding| finding.heuristic == RULE)
        .flat_map(|finding| {
            let subjects = finding.subjects.iter();
            subjects.filter_map(|node| Some((account(node)?, finding.confidence)))
        })
        .collect();
    let said = Said::of(scene.case, &findings);
    format!(
        "| {} | {labels} | {} | {right} | {wrong} | {} | {} | {} | {} | {} | {} |",
        scene.case.name,
        services.len(),
        stops.len() - right - wrong,
        said.deposits,
        said.found,
        said.strong,
        said.about_own,
        said.others,
    )
}

/// Where the report says that a trail ends at a place that many use.
fn stops(report: &Report) -> BTreeSet<Address> {
    let ends = report.nodes.iter().filter(|node| {
        let kind = node.stop.as_ref().map(|stop| stop.kind);
        matches!(
            kind,
            Some(
                StopKind::Exchange
                    | StopKind::Mixer
                    | StopKind::BridgeUnresolved
                    | StopKind::Service
                    | StopKind::Hub
            )
        )
    });
    ends.filter_map(|node| account(&node.id)).collect()
}

/// How many dollars an ether is taken to be: the data set names no asset, and the rule's bound is in ether.
const PRICES: [u64; 2] = [1_000, 5_000];

/// The rule alone on the case's own flows, as if all of them were ether.
pub(crate) fn as_ether(case: &LaunderNet, fired: &mut Fired) {
    for price in PRICES {
        let (chain, facts) = (ethereum(), facts(case, price));
        let view = AccountView {
            chain: &chain,
            facts: &facts,
            labels: &Wallets(case),
            coins: &BTreeSet::new(),
            accounts: None,
        };
        let all = detect(&view);
        if price == PRICES[0] {
            fired.add(&case.name, &all);
        }
        let findings: BTreeMap<Address, Confidence> = all
            .into_iter()
            .filter(|finding| finding.heuristic == RULE)
            .flat_map(|finding| {
                let sure = finding.confidence > hansel_heuristics::Confidence::Weak;
                let confidence = if sure {
                    Confidence::Strong
                } else {
                    Confidence::Weak
                };
                let subjects = finding.subjects.into_iter();
                subjects.filter_map(move |node| Some((account(&node)?, confidence)))
            })
            .collect();
        let said = Said::of(case, &findings);
        println!(
            "| {} | {price} | {} | {} | {} | {} | {} |",
            case.name, said.deposits, said.found, said.strong, said.about_own, said.others
        );
    }
}

pub(crate) fn ether_head() {
    println!(
        "\n| case | dollars for an ether | deposit addresses | found | of them strong | findings about the launderers' own \
         | about accounts that the case does not name |"
    );
    println!("|---|---|---|---|---|---|---|");
}

fn ethereum() -> Chain {
    let network = EvmNetwork {
        chain_id: run::CHAIN_ID,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: None,
        tokens: Vec::new(),
        blocks: BlockForm::default(),
    };
    Chain::new(CHAIN, Family::Evm(Arc::new(network))).unwrap()
}

/// Each flow as a transaction of its payer, at its place and time.
fn facts(case: &LaunderNet, price: u64) -> AccountFacts {
    let mut transactions: BTreeMap<B256, EvmTransaction> = BTreeMap::new();
    for (index, flow) in (0_u32..).zip(&case.flows) {
        let block = BlockRef::evm(flow.block, B256::ZERO, UnixTime(flow.time));
        let wei = U256::from(flow.value) * U256::from(10_u64.pow(12)) / U256::from(price);
        let transaction = transactions
            .entry(flow.tx)
            .or_insert_with(|| EvmTransaction {
                hash: flow.tx,
                placement: EvmPlacement { block, index },
                sender: flow.from,
                to: None,
                succeeded: true,
                fee: Amount::ZERO,
                gas_price: None,
                movements: Vec::new(),
                created: Vec::new(),
                executed: Vec::new(),
                trades: Vec::new(),
                events: Vec::new(),
                carried: Bytes::default(),
                noise: Noise::default(),
                internal: InternalTransfers::Known,
            });
        let step = u32::try_from(transaction.movements.len()).unwrap();
        transaction.movements.push(Movement {
            origin: Origin::Call(vec![0, step]),
            from: flow.from,
            to: flow.to,
            coin: Coin::Native,
            amount: Amount::from(wei),
        });
    }
    let mut facts = AccountFacts::default();
    for transaction in transactions.into_values() {
        facts.add_transaction(transaction);
    }
    facts
}

/// Knows the exchanges' own wallets of a case.
#[derive(Debug)]
struct Wallets<'a>(&'a LaunderNet);

impl Labels for Wallets<'_> {
    fn lookup(&self, _: &str, address: &str) -> Vec<Label> {
        let label = address
            .parse()
            .ok()
            .and_then(|address: Address| self.0.labels.get(&address));
        let exchange = label.filter(|label| category(label) == "exchange");
        let label = exchange.map(|label| Label {
            kind: EntityKind::Exchange,
            label: label.clone(),
            actor: label.split(' ').next().map(str::to_lowercase),
            ..Label::default()
        });
        label.into_iter().collect()
    }
}

/// How often each rule fires on each case's own flows: real examples of it.
#[derive(Default)]
pub(crate) struct Fired(BTreeMap<&'static str, BTreeMap<String, usize>>);

impl Fired {
    fn add(&mut self, case: &str, findings: &[Finding]) {
        for finding in findings {
            let of = self.0.entry(finding.heuristic).or_default();
            *of.entry(case.to_owned()).or_default() += 1;
        }
    }

    pub(crate) fn lines(&self) {
        println!("\n| rule | findings on the cases' own flows |");
        println!("|---|---|");
        for (rule, cases) in &self.0 {
            let counts = cases.iter().map(|(case, count)| format!("{case} {count}"));
            println!("| `{rule}` | {} |", counts.collect::<Vec<_>>().join(", "));
        }
    }
}
