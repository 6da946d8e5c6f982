//! What moved is told once by each way that the user names, whatever happens in between, and taken back where the chain
//! takes it back.

mod accounts;

use std::fmt::Write as _;

use bitcoin::{OutPoint, Txid};
use hansel_testkit::{Indexes, NodeOptions, Pay, Payee, Regtest, require_bitcoind};
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Hansel, directory};
use crate::receiver::{Received, Receiver, SECRET};
use crate::scene::{CHAIN, Way};

const COIN: u64 = 100_000_000;
const DAY: u32 = 86_400;

pub(crate) const EXCHANGE: Payee = Payee::Segwit(30);
const MIXER: Payee = Payee::Segwit(31);
const BRIDGE: Payee = Payee::Segwit(32);

/// A theft of 10 bitcoin that rests where the thief left it, and labels of places where it may go.
pub(crate) struct Watched {
    pub(crate) regtest: Regtest,
    pub(crate) data: TempDir,
    pub(crate) loot: OutPoint,
    /// A coin that has nothing to do with the theft.
    clean: OutPoint,
}

impl Watched {
    pub(crate) fn new() -> Option<Self> {
        let options = NodeOptions {
            indexes: Indexes::ALL,
            listen: true,
            ..NodeOptions::default()
        };
        let mut regtest = Regtest::start(&require_bitcoind()?, options).unwrap();
        let coins = regtest.fund(Payee::Segwit(1), 2);
        let stolen = [
            Pay::to(Payee::Segwit(10), 10 * COIN),
            Pay::rest(Payee::Segwit(1)),
        ];
        let loot = OutPoint::new(regtest.pay(&coins[..1], &stolen, 1_000), 0);
        regtest.mine();
        let data = directory();
        let watched = Self {
            regtest,
            data,
            loot,
            clean: coins[1],
        };
        watched.label();
        watched.settle();
        let words = format!("{} --min-share 0 --name loot", watched.loot);
        let trace = watched.core().trace(&words).data(watched.data.path());
        trace.run().exits(0);
        Some(watched)
    }

    fn label(&self) {
        let places = [
            (EXCHANGE, "exchange", "Kraken"),
            (MIXER, "mixer", "Blender"),
            (BRIDGE, "bridge", "Ferry"),
        ];
        let mut text = "address,chain,label,actor,category,source,confidence,as_of\n".to_owned();
        for (payee, category, name) in places {
            let address = self.regtest.address(payee);
            writeln!(
                text,
                "{address},{CHAIN},{name},{name},{category},https://example.org,ownership,2019-01-01"
            )
            .unwrap();
        }
        let files = directory();
        let path = files.path().join("places.csv");
        std::fs::write(&path, text).unwrap();
        let import = Hansel::new("labels import").args([&path]);
        import.data(self.data.path()).run().exits(0);
    }

    pub(crate) fn core(&self) -> Way {
        Way::core("Core", self.regtest.node())
    }

    fn settle(&self) {
        self.regtest.node().wait_for_indexes().unwrap();
    }

    pub(crate) fn pay(&mut self, outpoint: OutPoint, to: &[Pay]) -> Txid {
        self.regtest.pay(&[outpoint], to, 1_000)
    }

    pub(crate) fn mine(&mut self) {
        self.regtest.mine();
        self.settle();
    }

    /// `hansel rescan --all` with these words.
    fn rescan(&self, words: &str) -> Hansel {
        let rescan = Hansel::new("rescan --all --quiet").args(words.split_whitespace());
        let way = self.core();
        way.asked_by(rescan).data(self.data.path())
    }

    /// The alerts of a rescan to standard output.
    fn alerts(&self) -> Vec<Value> {
        lines(&self.rescan("--alert json").run().exits(0).stdout)
    }

    pub(crate) fn signed(&self, receiver: &Receiver, words: &str) -> Hansel {
        let rescan = self.rescan(words).option("--webhook", receiver.url());
        rescan.env("HANSEL_WEBHOOK_SECRET", SECRET)
    }
}

pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Rule and severity of each alert.
pub(crate) fn rules(alerts: &[Value]) -> Vec<(&str, &str)> {
    alerts
        .iter()
        .map(|alert| {
            (
                alert["rule"].as_str().unwrap(),
                alert["severity"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn value_that_moves_is_told_once_with_its_amount_and_a_clean_payment_is_not() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    watched.pay(watched.clean, &[Pay::rest(Payee::Segwit(5))]);
    watched.mine();
    assert_eq!(watched.alerts(), Vec::<Value>::new());
    let parts = [
        Pay::to(Payee::Segwit(11), 3 * COIN),
        Pay::rest(Payee::Segwit(12)),
    ];
    let moved = watched.pay(watched.loot, &parts);
    watched.mine();
    let alerts = watched.alerts();
    assert_eq!(rules(&alerts), [("moved", "low")]);
    let alert = &alerts[0];
    assert_eq!(alert["schema"], "hansel-alert/1");
    assert_eq!(alert["case"], "loot");
    assert_eq!(alert["tx"], moved.to_string());
    assert_eq!(alert["block"]["height"], watched.regtest.height());
    assert_eq!(alert["block"]["hash"], watched.regtest.tip().to_string());
    assert_eq!(
        alert["amounts"][0]["amount"],
        (10 * COIN - 1_000).to_string()
    );
    assert_eq!(
        alert["amounts"][0]["tainted"]["fifo"],
        (10 * COIN - 1_000).to_string()
    );
    assert_eq!(alert["rested_days"], 0);
    assert_eq!(alert.get("retracts"), None);
    watched.mine();
    assert_eq!(watched.alerts(), Vec::<Value>::new());
}

/// As deep as `chains.toml` asks for: six blocks. That a block gets deeper is no news.
#[test]
fn an_alert_says_how_deep_its_block_is_and_is_not_sent_again_when_that_is_settled() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let depth = |alert: &Value| (alert["confirmations"].clone(), alert["settled"].clone());
    let moved = watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.mine();
    watched.mine();
    let told = watched.alerts();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(depth(&told[0]), (2.into(), false.into()));
    (0..4).for_each(|_| watched.mine());
    assert_eq!(watched.alerts(), Vec::<Value>::new());
    watched.pay(OutPoint::new(moved, 0), &[Pay::rest(Payee::Segwit(12))]);
    (0..6).for_each(|_| watched.mine());
    let told = watched.alerts();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(depth(&told[0]), (6.into(), true.into()));
}

#[test]
fn a_deposit_at_an_exchange_comes_first_and_stands_for_its_transaction() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let first = watched.pay(
        watched.loot,
        &[
            Pay::to(Payee::Segwit(11), 3 * COIN),
            Pay::rest(Payee::Segwit(12)),
        ],
    );
    watched.mine();
    watched.pay(
        OutPoint::new(first, 0),
        &[Pay::to(EXCHANGE, COIN), Pay::rest(Payee::Segwit(13))],
    );
    watched.pay(watched.clean, &[Pay::rest(EXCHANGE)]);
    watched.mine();
    let alerts = watched.alerts();
    assert_eq!(
        rules(&alerts),
        [("moved", "low"), ("reached-service", "critical")]
    );
    let alert = &alerts[1];
    assert_eq!(alert["entity"], "Kraken");
    assert_eq!(
        alert["place"],
        watched.regtest.address(EXCHANGE).to_string()
    );
    assert_eq!(alert["amounts"][0]["amount"], COIN.to_string());
    assert!(
        alert["todo"].as_str().unwrap().contains("freeze"),
        "{alert}"
    );
}

#[test]
fn mixers_and_bridges_are_told_apart_from_places_without_a_name() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let parts = [
        Pay::to(MIXER, COIN),
        Pay::to(BRIDGE, 2 * COIN),
        Pay::rest(Payee::Segwit(12)),
    ];
    watched.pay(watched.loot, &parts);
    watched.mine();
    let alerts = watched.alerts();
    assert_eq!(
        rules(&alerts),
        [("entered-mixer", "high"), ("entered-bridge", "high")]
    );
    assert_eq!(alerts[0]["amounts"][0]["amount"], COIN.to_string());
    assert_eq!(alerts[1]["amounts"][0]["amount"], (2 * COIN).to_string());
    assert_eq!(alerts[1]["entity"], "Ferry");
}

#[test]
fn value_woke_where_it_rested_for_as_long_as_the_user_says() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    watched.regtest.rest(40 * DAY);
    let first = watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.mine();
    let alerts = watched.alerts();
    assert_eq!(rules(&alerts), [("woke", "medium")]);
    assert_eq!(alerts[0]["rested_days"], 40);
    watched.regtest.rest(29 * DAY);
    let second = watched.pay(OutPoint::new(first, 0), &[Pay::rest(Payee::Segwit(12))]);
    watched.mine();
    assert_eq!(rules(&watched.alerts()), [("moved", "low")]);
    watched.regtest.rest(29 * DAY);
    watched.pay(OutPoint::new(second, 0), &[Pay::rest(Payee::Segwit(13))]);
    watched.mine();
    let alerts = lines(
        &watched
            .rescan("--alert json --dormant 29")
            .run()
            .exits(0)
            .stdout,
    );
    assert_eq!(rules(&alerts), [("woke", "medium")]);
}

#[test]
fn a_webhook_gets_what_is_signed_by_its_secret_and_nothing_else_learns_the_secret() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let receiver = Receiver::start();
    watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.mine();
    let done = watched.signed(&receiver, "--json").run().exits(0);
    let received = receiver.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].is_signed(), "{}", received[0].head);
    assert_eq!(received[0].header("x-hansel-id"), received[0].json()["id"]);
    assert_eq!(rules(&[received[0].json()]), [("moved", "low")]);
    let said = done.stdout + &done.stderr + &received[0].body;
    assert!(!said.contains(SECRET) && !said.contains("t0ken"), "{said}");
    let unsigned = watched.rescan("").option("--webhook", receiver.url());
    unsigned
        .run()
        .fails(2, &["secret is not set", "HANSEL_WEBHOOK_SECRET"]);
}

#[test]
fn a_webhook_that_is_down_loses_nothing_and_repeats_only_under_the_same_id() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let receiver = Receiver::answering(&["503 Down"]);
    let first = watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.mine();
    let failed = watched.signed(&receiver, "--retries 1").run().exits(1);
    assert!(failed.stderr.contains("1 alerts wait"), "{}", failed.stderr);
    assert!(!failed.stderr.contains("t0ken"), "{}", failed.stderr);
    let address = receiver.address();
    let tried = receiver.received();
    drop(receiver);
    watched.pay(OutPoint::new(first, 0), &[Pay::rest(EXCHANGE)]);
    watched.mine();
    let gone = Receiver::on(address, &["200 OK"]);
    let url = gone.url();
    drop(gone);
    let nobody = watched.rescan("--retries 0").option("--webhook", &url);
    nobody.env("HANSEL_WEBHOOK_SECRET", SECRET).run().exits(1);
    let receiver = Receiver::on(address, &["200 OK"]);
    watched.signed(&receiver, "").run().exits(0);
    let received = receiver.received();
    let alerts: Vec<Value> = received.iter().map(|one| one.json()).collect();
    assert_eq!(
        rules(&alerts),
        [("moved", "low"), ("reached-service", "critical")]
    );
    assert!(
        tried.iter().all(|one| one.json()["id"] == alerts[0]["id"]),
        "{tried:?}"
    );
    watched.signed(&receiver, "").run().exits(0);
    assert_eq!(receiver.received().len(), 2);
}

#[test]
fn a_redirect_is_not_followed_and_a_message_that_is_refused_holds_up_no_other() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let words = format!("{} --min-share 0 --name other", watched.clean);
    let trace = watched.core().trace(&words).data(watched.data.path());
    trace.run().exits(0);
    let elsewhere = Receiver::start();
    let redirect = format!("308 Elsewhere\r\nLocation: {}", elsewhere.url());
    let receiver = Receiver::answering(&[&redirect]);
    let first = watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.pay(OutPoint::new(first, 0), &[Pay::rest(Payee::Segwit(12))]);
    watched.pay(watched.clean, &[Pay::rest(Payee::Segwit(13))]);
    watched.mine();
    watched.signed(&receiver, "--retries 0").run().exits(1);
    assert!(elsewhere.received().is_empty());
    let receiver = Receiver::answering(&["422 No", "200 OK"]);
    let refused = watched.signed(&receiver, "--retries 0").run().exits(1);
    assert!(refused.stderr.contains("refused"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("1 alerts wait"),
        "{}",
        refused.stderr
    );
    let all: Vec<_> = receiver.received().iter().map(Received::json).collect();
    let cases: Vec<_> = all.iter().map(|one| &one["case"]).collect();
    assert_eq!(cases, ["loot", "loot", "other"]);
    watched.signed(&receiver, "").run().exits(0);
    let again = receiver.received();
    assert_eq!(again.len(), 4);
    assert_eq!(again[3].json(), all[0]);
}

/// What cron would do every minute while the webhook does not answer.
#[test]
fn after_an_hour_without_the_webhook_every_alert_comes_once_and_in_order() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let gone = Receiver::start();
    let (address, url) = (gone.address(), gone.url());
    drop(gone);
    let (mut last, mut paid) = (watched.loot, Vec::new());
    for minute in 0..60 {
        let tx = watched.pay(last, &[Pay::rest(Payee::Segwit(100 + minute))]);
        last = OutPoint::new(tx, 0);
        paid.push(tx.to_string());
        watched.mine();
        let nobody = watched.rescan("--retries 0").option("--webhook", &url);
        let failed = nobody.env("HANSEL_WEBHOOK_SECRET", SECRET).run().exits(1);
        let waits = format!("{} alerts wait", minute + 1);
        assert!(failed.stderr.contains(&waits), "{}", failed.stderr);
    }
    let receiver = Receiver::on(address, &["200 OK"]);
    watched.signed(&receiver, "").run().exits(0);
    let received = receiver.received();
    let told: Vec<_> = received
        .iter()
        .map(|one| one.json()["tx"].clone())
        .collect();
    assert_eq!(told, paid);
}

#[test]
fn a_payment_that_waits_to_be_mined_is_a_warning_and_its_block_makes_it_a_fact() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let parts = [Pay::rest(Payee::Segwit(11))];
    let sent = watched.regtest.broadcast(&[watched.loot], &parts, 1_000);
    let warnings = watched.alerts();
    assert_eq!(rules(&warnings), [("moved", "low")]);
    assert_eq!(warnings[0]["tx"], sent.to_string());
    assert_eq!(warnings[0]["confirmed"], false);
    assert_eq!(warnings[0]["block"], Value::Null);
    let summary = warnings[0]["summary"].as_str().unwrap();
    assert!(summary.contains("would move"), "{summary}");
    let words = format!("{} --min-share 0 --name loot", watched.loot);
    let fresh = watched.core().trace(&words).run();
    let kept = Hansel::new("report loot --json").data(watched.data.path());
    assert_eq!(kept.run().stdout, fresh.stdout);
    assert_eq!(watched.alerts(), Vec::<Value>::new());
    watched.regtest.confirm(sent);
    watched.mine();
    let facts = watched.alerts();
    assert_eq!(rules(&facts), [("moved", "low")]);
    assert_eq!(facts[0]["confirmed"], true);
    assert_eq!(facts[0]["tx"], sent.to_string());
    assert_eq!(facts[0].get("retracts"), None);
}

#[test]
fn a_payment_that_another_one_replaced_is_taken_back_before_the_other_is_told() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let loot = [watched.loot];
    let sent = watched
        .regtest
        .broadcast(&loot, &[Pay::rest(Payee::Segwit(11))], 1_000);
    let warned = watched.alerts();
    assert_eq!(warned[0]["tx"], sent.to_string());
    let other = watched
        .regtest
        .broadcast(&loot, &[Pay::rest(Payee::Segwit(12))], 9_000);
    watched.regtest.confirm(other);
    watched.mine();
    let alerts = watched.alerts();
    assert_eq!(alerts.len(), 2, "{alerts:?}");
    assert_eq!(alerts[0]["retracts"], warned[0]["id"]);
    assert_eq!(alerts[1]["tx"], other.to_string());
    assert_eq!(alerts[1]["confirmed"], true);
}

#[test]
fn a_reorganisation_takes_an_alert_back_and_what_returns_is_told_anew() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let first = watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.mine();
    let told = watched.alerts();
    assert_eq!(rules(&told), [("moved", "low")]);
    let block = watched.regtest.tip();
    watched.regtest.invalidate(block);
    watched.mine();
    watched.mine();
    let alerts = watched.alerts();
    assert_eq!(alerts.len(), 2, "{alerts:?}");
    assert_eq!(alerts[0]["retracts"], told[0]["id"]);
    assert_ne!(alerts[0]["id"], told[0]["id"]);
    assert_eq!(alerts[0]["tx"], first.to_string());
    // It waits to be mined again, of which the node warns.
    assert_eq!(alerts[1]["tx"], first.to_string());
    assert_eq!(alerts[1]["confirmed"], false);
    assert_eq!(watched.alerts(), Vec::<Value>::new());
    let node = watched.regtest.node();
    node.call("reconsiderblock", serde_json::json!([block]))
        .unwrap();
    watched.regtest.confirm(first);
    watched.mine();
    let again = watched.alerts();
    assert_eq!(rules(&again), [("moved", "low")]);
    assert_eq!(again[0]["tx"], first.to_string());
    assert_ne!(again[0]["id"], told[0]["id"]);
    assert_eq!(again[0].get("retracts"), None);
}

#[test]
fn a_transaction_that_moves_to_another_block_is_neither_taken_back_nor_told_again() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let first = watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.mine();
    assert_eq!(watched.alerts().len(), 1);
    watched.regtest.invalidate(watched.regtest.tip());
    watched.regtest.mine();
    watched.regtest.confirm(first);
    watched.mine();
    assert_eq!(watched.alerts(), Vec::<Value>::new());
}

#[test]
fn a_command_reads_each_alert_and_sees_no_secret_and_no_shell() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let files = directory();
    let (script, seen) = (files.path().join("take it"), files.path().join("seen"));
    let text = format!(
        "#!/bin/sh\ncat >> '{0}'\nenv >> '{0}.env'\necho \"$1\" >> '{0}.words'\n",
        seen.display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.mine();
    let command = format!("'{}' '$(id); rm -rf /'", script.display());
    let rescan = watched.rescan("").option("--exec", command);
    rescan
        .env("HANSEL_WEBHOOK_SECRET", SECRET)
        .env("PATH", "/usr/bin:/bin")
        .run()
        .exits(0);
    let read =
        |suffix: &str| std::fs::read_to_string(format!("{}{suffix}", seen.display())).unwrap();
    assert_eq!(rules(&lines(&read(""))), [("moved", "low")]);
    assert!(!read(".env").contains("HANSEL"), "{}", read(".env"));
    assert_eq!(read(".words"), "$(id); rm -rf /\n");
    watched.rescan("").option("--exec", "false").run().exits(0);
}

#[test]
fn a_run_that_is_killed_before_its_messages_are_taken_has_them_sent_by_the_next() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let receiver = Receiver::answering(&["503 Down"]);
    let first = watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    let parts = [Pay::to(EXCHANGE, COIN), Pay::rest(Payee::Segwit(12))];
    watched.pay(OutPoint::new(first, 0), &parts);
    watched.mine();
    let running = watched.signed(&receiver, "--retries 100").start();
    let tried = receiver.wait_for(1)[0].json();
    assert_eq!(running.kill().code, None);
    let address = receiver.address();
    drop(receiver);
    let receiver = Receiver::on(address, &["200 OK"]);
    watched.signed(&receiver, "").run().exits(0);
    let received: Vec<_> = receiver.received().iter().map(Received::json).collect();
    assert_eq!(
        rules(&received),
        [("reached-service", "critical"), ("moved", "low")]
    );
    assert_eq!(received[0], tried);
}

#[test]
fn a_message_that_was_taken_in_the_moment_of_a_crash_comes_again_under_the_same_id() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    // Nothing follows the interim answer, so that the sender waits for ever.
    let receiver = Receiver::answering(&["100 Continue"]);
    watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.mine();
    let running = watched.signed(&receiver, "").start();
    let taken = receiver.wait_for(1)[0].json();
    assert_eq!(running.kill().code, None);
    let again = watched.alerts();
    assert_eq!(again, [taken]);
}
