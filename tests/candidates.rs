//! Value that a labelled bridge took, of which no link tells where it went: what may be its arrival is listed when it is
//! wished, and followed when it is named. Two real EVM nodes with a ferry between them.

use alloy_primitives::{Address, B256, U256};
use hansel_graph::Rule;
use hansel_ledger::Amount;
use hansel_report::Report;
use hansel_report::model::{Finding, FlowKind};
use hansel_testkit::{Anvil, AnvilOptions, require_anvil};
use serde_json::json;
use tempfile::TempDir;

use crate::command::{Finished, Hansel, directory};

const ETHER: u128 = 1_000_000_000_000_000_000;
const START: u64 = 1_700_000_000;

/// The ferry takes ether on one chain and pays it on the other, from another account and without a word.
struct Ferry {
    home: Anvil,
    there: Anvil,
    theft: B256,
    config: TempDir,
    /// Who was paid by it soon after, and what: 29.9 and 29.8 of the 30 ether, and something else.
    paid: Vec<(Address, B256)>,
    /// To whom the first of them paid it on.
    next: Address,
}

fn pay(anvil: &Anvil, from: Address, to: Address, value: u128) -> B256 {
    let rpc = anvil.rpc();
    let payment = json!({"from": from, "to": to, "value": U256::from(value)});
    let hash = rpc.send(payment).unwrap();
    rpc.mine_empty(1, 60).unwrap();
    assert!(rpc.receipt(hash).unwrap().succeeded);
    hash
}

impl Ferry {
    fn start() -> Option<Self> {
        let program = require_anvil()?;
        let options = |chain_id, timestamp| AnvilOptions {
            chain_id,
            timestamp,
            ..AnvilOptions::default()
        };
        let home = Anvil::start(&program, &options(31_337, START)).unwrap();
        let there = Anvil::start(&program, &options(31_338, START + 600)).unwrap();
        let accounts = home.rpc().accounts().unwrap();
        let (victim, thief, dock, payer) = (accounts[0], accounts[1], accounts[2], accounts[3]);
        home.rpc().set_balance(thief, U256::ZERO).unwrap();
        home.rpc().set_balance(dock, U256::ZERO).unwrap();
        let theft = pay(&home, victim, thief, 40 * ETHER);
        pay(&home, thief, dock, 30 * ETHER);
        let mut paid = Vec::new();
        for (number, value) in [(4, 299), (5, 298), (6, 120)] {
            let to = accounts[number];
            there.rpc().set_balance(to, U256::ZERO).unwrap();
            paid.push((to, pay(&there, payer, to, value * ETHER / 10)));
        }
        let next = Address::repeat_byte(0x99);
        pay(&there, paid[0].0, next, 20 * ETHER);
        let config = config(dock, payer);
        Some(Self {
            home,
            there,
            theft,
            config,
            paid,
            next,
        })
    }

    fn trace(&self, options: &str) -> Finished {
        let theft = self.theft;
        let words =
            format!("trace --json --quiet --chain home {theft} --rule fifo,haircut {options}");
        let endpoint = |chain: &str, anvil: &Anvil| format!("{chain}:rpc={}", anvil.url());
        Hansel::new(words.trim())
            .option("--endpoint", endpoint("home", &self.home))
            .option("--endpoint", endpoint("there", &self.there))
            .option("--config", self.config.path())
            .run()
    }
}

/// Two chains, and labels that call one account of each a bridge of the same entity.
fn config(dock: Address, payer: Address) -> TempDir {
    let dir = directory();
    let chain = |name: &str, id: u64| {
        format!(
            "[[chains]]\nname = \"{name}\"\nfamily = \"evm\"\nchain_id = {id}\nnative = {{ symbol = \"ETH\", decimals = 18 }}\n\n"
        )
    };
    let chains = format!(
        "schema = \"hansel-chains/1\"\n\n{}{}",
        chain("home", 31_337),
        chain("there", 31_338)
    );
    std::fs::write(dir.path().join("chains.toml"), chains).unwrap();
    let tag = |address: Address, network: &str| {
        format!(
            "  - address: \"{address}\"\n    label: Ferry\n    actor: ferry\n    network: {network}\n"
        )
    };
    let labels = format!(
        "title: Ferries\ncreator: test\nconcepts: [defi_bridge]\nsource: \"the test\"\nconfidence: service_data\nlastmod: 2023-01-01\ntags:\n{}{}",
        tag(dock, "home"),
        tag(payer, "there")
    );
    std::fs::create_dir_all(dir.path().join("labels")).unwrap();
    std::fs::write(dir.path().join("labels/ferries.yaml"), labels).unwrap();
    dir
}

fn candidates(report: &Report) -> Vec<&Finding> {
    let findings = report.findings.iter();
    findings
        .filter(|one| {
            one.heuristic == "cross.candidate" && one.parameters.contains_key("candidate")
        })
        .collect()
}

fn crossings(report: &Report) -> usize {
    let flows = report.flows.iter();
    flows.filter(|flow| flow.kind == FlowKind::Crossing).count()
}

/// What is counted in bridges, by a table that balances.
fn in_bridges(report: &Report, rule: Rule) -> Amount {
    assert!(report.accounting.iter().all(|row| row.balances()));
    let rows = report.accounting.iter().filter(|row| row.rule == rule);
    Amount::checked_sum(rows.map(|row| row.bridges)).unwrap()
}

fn ether(tenths: u128) -> Amount {
    Amount::from(U256::from(tenths * ETHER / 10))
}

#[test]
fn candidates_are_listed_only_when_wished_and_none_is_followed_by_itself() {
    let Some(ferry) = Ferry::start() else {
        return;
    };
    let plain = ferry.trace("").report();
    assert!(candidates(&plain).is_empty());
    assert_eq!(in_bridges(&plain, Rule::Fifo), ether(300));
    let done = ferry.trace("--candidates");
    let report = done.report();
    let listed = candidates(&report);
    assert_eq!(listed.len(), 2, "{} {:?}", done.stderr, report.unknown);
    let arrivals: Vec<_> = listed
        .iter()
        .map(|one| &one.parameters["arrival"])
        .collect();
    for (_, payment) in &ferry.paid[..2] {
        assert!(
            arrivals.contains(&&json!(payment.to_string())),
            "{arrivals:?}"
        );
    }
    for one in &listed {
        assert_eq!(one.parameters["alternatives"], json!(1));
        assert_eq!(
            one.parameters["wording"],
            json!("possible match (2 candidates)")
        );
        assert_eq!(one.parameters["followed"], json!(false));
        assert_eq!(one.confidence, hansel_report::model::Confidence::Weak);
        assert_eq!(one.error_rate, "none published");
    }
    let score = |of: &Finding| of.parameters["score"].as_u64().unwrap();
    let best = listed.iter().max_by_key(|one| score(one)).unwrap();
    assert_eq!(
        best.parameters["arrival"],
        json!(ferry.paid[0].1.to_string())
    );
    assert_eq!(crossings(&report), 0);
    for rule in [Rule::Fifo, Rule::Haircut] {
        assert_eq!(in_bridges(&report, rule), ether(300), "{rule}");
    }
    // The same question has the same answer to the byte.
    assert_eq!(ferry.trace("--candidates").stdout, done.stdout);
}

#[test]
fn the_candidate_that_is_named_is_followed_with_all_claims_and_no_other_is() {
    let Some(ferry) = Ferry::start() else {
        return;
    };
    let first = ferry.trace("--candidates").report();
    let wanted = json!(ferry.paid[0].1.to_string());
    let listed = candidates(&first);
    let one = listed
        .iter()
        .find(|one| one.parameters["arrival"] == wanted);
    let id = one.unwrap().parameters["candidate"]
        .as_str()
        .unwrap()
        .to_owned();
    let done = ferry.trace(&format!("--follow-candidate {id}"));
    let report = done.report();
    assert_eq!(
        crossings(&report),
        1,
        "{} {:?}",
        done.stderr,
        report.unknown
    );
    for rule in [Rule::Fifo, Rule::Haircut] {
        assert_eq!(in_bridges(&report, rule), Amount::ZERO, "{rule}");
        let claims = report
            .flows
            .iter()
            .find(|flow| flow.kind == FlowKind::Crossing);
        assert_eq!(claims.unwrap().claims[&rule]["s1"], ether(300), "{rule}");
    }
    let next = ferry.next.to_string();
    let reached = report
        .nodes
        .iter()
        .any(|node| node.address.as_deref() == Some(&*next));
    assert!(reached, "what was paid on is followed");
    let other = ferry.paid[1].0.to_string();
    let strayed = report
        .nodes
        .iter()
        .any(|node| node.address.as_deref() == Some(&*other));
    assert!(!strayed, "the other candidate is not followed");
    let followed = candidates(&report);
    let followed: Vec<_> = followed
        .iter()
        .map(|one| &one.parameters["followed"])
        .collect();
    assert_eq!(followed.len(), 2);
    assert!(followed.contains(&&json!(true)) && followed.contains(&&json!(false)));
    let missing = ferry.trace("--follow-candidate c-0123456789abcdef");
    assert_eq!(missing.code, Some(3), "{}", missing.stderr);
    let report = missing.report();
    let said = report.unknown.iter();
    assert!(
        said.into_iter()
            .any(|one| one.subject == "c-0123456789abcdef")
    );
    assert_eq!(in_bridges(&report, Rule::Fifo), ether(300));
    ferry.trace("--follow-candidate '; rm'").fails(2, &["c-"]);
}
