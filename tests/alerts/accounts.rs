//! What accounts do is told as what outputs do: on a real EVM node, with its reorganisations.

use std::fmt::Write as _;

use alloy_primitives::{Address, B256, U256};
use hansel_testkit::{Anvil, AnvilOptions, require_anvil};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{lines, rules};
use crate::command::{Hansel, directory};
use crate::receiver::{Received, Receiver, SECRET};

const ETHER: u64 = 1_000_000_000_000_000_000;
const DAY: u64 = 86_400;

/// A theft of 40 ether that rests where the thief left it, and labels of places where it may go.
struct Loot {
    anvil: Anvil,
    data: TempDir,
    thief: Address,
    exchange: Address,
    mixer: Address,
    theft: B256,
}

impl Loot {
    fn new() -> Option<Self> {
        let options = AnvilOptions {
            ipc: true,
            ..AnvilOptions::default()
        };
        let anvil = Anvil::start(&require_anvil()?, &options).unwrap();
        let accounts = anvil.rpc().accounts().unwrap();
        let [victim, thief, exchange, mixer] = [0, 1, 2, 3].map(|at: usize| accounts[at]);
        for account in [thief, exchange, mixer] {
            anvil.rpc().set_balance(account, U256::ZERO).unwrap();
        }
        let theft = send(&anvil, victim, thief, 40 * u128::from(ETHER));
        anvil.rpc().mine().unwrap();
        let loot = Self {
            anvil,
            data: directory(),
            thief,
            exchange,
            mixer,
            theft,
        };
        loot.label();
        loot.trace().data(loot.data.path()).run().exits(0);
        Some(loot)
    }

    fn label(&self) {
        let places = [
            (self.exchange, "exchange", "Kraken"),
            (self.mixer, "mixer", "Blender"),
        ];
        let mut text = "address,chain,label,actor,category,source,confidence,as_of\n".to_owned();
        for (address, category, name) in places {
            writeln!(
                text,
                "{address},anvil,{name},{name},{category},https://example.org,ownership,2019-01-01"
            )
            .unwrap();
        }
        let files = directory();
        let path = files.path().join("places.csv");
        std::fs::write(&path, text).unwrap();
        let import = Hansel::new("labels import").args([&path]);
        import.data(self.data.path()).run().exits(0);
    }

    fn trace(&self) -> Hansel {
        let url = self.anvil.url();
        let words = format!("{} --name loot --endpoint {url}", self.theft);
        Hansel::new(&format!("trace --quiet --json --chain anvil {words}"))
    }

    fn pay(&self, from: Address, to: Address, ether: u64) -> B256 {
        let hash = send(&self.anvil, from, to, u128::from(ETHER) * u128::from(ether));
        self.anvil.rpc().mine().unwrap();
        hash
    }

    fn alerts(&self) -> Vec<Value> {
        let url = self.anvil.url();
        let words = format!("rescan --all --quiet --alert json --endpoint {url}");
        let rescan = Hansel::new(&words).data(self.data.path());
        lines(&rescan.run().exits(0).stdout)
    }
}

fn send(anvil: &Anvil, from: Address, to: Address, wei: u128) -> B256 {
    let order = json!({"from": from, "to": to, "value": U256::from(wei)});
    anvil.rpc().impersonate(from).unwrap();
    anvil.rpc().send(order).unwrap()
}

#[test]
fn what_accounts_do_is_told_once_by_its_severity_with_amounts_to_the_wei() {
    let Some(loot) = Loot::new() else { return };
    loot.anvil.rpc().mine().unwrap();
    assert_eq!(loot.alerts(), Vec::<Value>::new());
    let relay = Address::repeat_byte(0x77);
    let moved = loot.pay(loot.thief, relay, 30);
    let alerts = loot.alerts();
    assert_eq!(rules(&alerts), [("moved", "low")]);
    assert_eq!(alerts[0]["tx"], moved.to_string());
    assert_eq!(alerts[0]["chain"], "anvil");
    let height = loot.anvil.rpc().block_number().unwrap();
    let hash = loot.anvil.rpc().block_hash(height).unwrap();
    assert_eq!(alerts[0]["block"]["height"], height);
    assert_eq!(
        alerts[0]["block"]["hash"],
        alloy_primitives::hex::encode(hash)
    );
    assert_eq!(loot.alerts(), Vec::<Value>::new());
    loot.pay(relay, loot.exchange, 20);
    loot.pay(relay, loot.mixer, 5);
    let alerts = loot.alerts();
    assert_eq!(
        rules(&alerts),
        [("reached-service", "critical"), ("entered-mixer", "high")]
    );
    assert_eq!(alerts[0]["entity"], "Kraken");
    assert_eq!(alerts[0]["place"], loot.exchange.to_string());
    let stolen = (20 * u128::from(ETHER)).to_string();
    assert_eq!(alerts[0]["amounts"][0]["amount"], stolen);
    assert_eq!(alerts[0]["amounts"][0]["tainted"]["fifo"], stolen);
    assert_eq!(loot.alerts(), Vec::<Value>::new());
}

#[test]
fn an_account_that_slept_for_weeks_wakes() {
    let Some(loot) = Loot::new() else { return };
    loot.anvil.rpc().mine_empty(1, 40 * DAY).unwrap();
    loot.pay(loot.thief, Address::repeat_byte(0x77), 30);
    let alerts = loot.alerts();
    assert_eq!(rules(&alerts), [("woke", "medium")]);
    assert_eq!(alerts[0]["rested_days"], 40);
}

#[test]
fn a_reorganisation_of_an_evm_chain_takes_an_alert_back_once() {
    let Some(loot) = Loot::new() else { return };
    let before = loot.anvil.rpc().snapshot().unwrap();
    loot.pay(loot.thief, loot.exchange, 20);
    let told = loot.alerts();
    assert_eq!(rules(&told), [("reached-service", "critical")]);
    assert!(loot.anvil.rpc().reorg_to(&before, 3).unwrap());
    let alerts = loot.alerts();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0]["retracts"], told[0]["id"]);
    assert_ne!(alerts[0]["id"], told[0]["id"]);
    assert_eq!(loot.alerts(), Vec::<Value>::new());
    let elsewhere = Address::repeat_byte(0x77);
    loot.pay(loot.thief, elsewhere, 20);
    assert_eq!(rules(&loot.alerts()), [("moved", "low")]);
}

/// Were nothing heard, nothing would happen for a day.
#[test]
fn a_node_on_a_socket_tells_of_its_blocks_by_itself() {
    for socket in ["ws", "ipc"] {
        let Some(loot) = Loot::new() else { return };
        let url = match socket {
            "ws" => loot.anvil.websocket_url(),
            _ => format!("ipc://{}", loot.anvil.ipc_path().display()),
        };
        let receiver = Receiver::start();
        let words = "rescan --all --follow --every 86400 --endpoint";
        let follow = Hansel::new(words).args([url]);
        let follow = follow.option("--webhook", receiver.url());
        let follow = follow.env("HANSEL_WEBHOOK_SECRET", SECRET);
        let running = follow.data(loot.data.path()).start();
        let mut paid = Vec::new();
        for round in 1..=3 {
            let to = Address::repeat_byte(0x70 + round);
            paid.push(loot.pay(loot.thief, to, 1).to_string());
            receiver.wait_for(paid.len());
        }
        running.signal("INT");
        running.wait().exits(0);
        let told = receiver.received();
        let told: Vec<_> = told.iter().map(Received::json).collect();
        let told: Vec<_> = told.iter().map(|one| one["tx"].clone()).collect();
        assert_eq!(told, paid, "{socket}");
    }
}
