//! Prices that contracts on a real node told at the time are written down, and value a report.

use alloy_primitives::{Address, B256, I256, U256};
use hansel_testkit::{Anvil, AnvilOptions, EvmContract, evm_call, require_anvil};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Finished, Hansel, directory};

const ETHER: u64 = 1_000_000_000_000_000_000;
/// 2020-09-13 12:26:40 UTC, when the chain begins.
const START: u64 = 1_600_000_000;
const HOUR: u64 = 3_600;

/// A theft of 40 ether before any price was told, and three payments of the thief.
struct Priced {
    anvil: Anvil,
    data: TempDir,
    config: TempDir,
    accounts: Vec<Address>,
    ether: Address,
    euro: Address,
}

impl Priced {
    fn new() -> Option<Self> {
        Self::with_last(210_000_000_000)
    }

    /// The last price that is told for ether.
    fn with_last(price: i64) -> Option<Self> {
        let anvil = Anvil::start(&require_anvil()?, &AnvilOptions::default()).unwrap();
        let accounts = anvil.rpc().accounts().unwrap();
        anvil.rpc().set_balance(accounts[1], U256::ZERO).unwrap();
        let [ether, euro] = ["ETH / USD", "EUR / USD"].map(|pair| {
            let creation = EvmContract::named("Feed").with((pair, U256::from(8)));
            let made = anvil
                .rpc()
                .send(json!({"from": accounts[9], "data": creation}));
            anvil
                .rpc()
                .mine_at(START + if pair.starts_with("ETH") { 1 } else { 2 })
                .unwrap();
            anvil.rpc().receipt(made.unwrap()).unwrap().created.unwrap()
        });
        let priced = Self {
            anvil,
            data: directory(),
            config: directory(),
            accounts,
            ether,
            euro,
        };
        let theft = priced.pay(0, 1, 40, HOUR);
        priced.tell(ether, 200_012_345_678, 2 * HOUR);
        priced.pay(1, 2, 3, 3 * HOUR);
        priced.tell(euro, 105_000_000, 4 * HOUR);
        priced.pay(1, 3, 4, 5 * HOUR);
        priced.tell(ether, price, 6 * HOUR);
        priced.pay(1, 4, 5, 7 * HOUR);
        priced.list("ETH / USD", "EUR / USD");
        let url = priced.anvil.url();
        let words = format!(
            "trace --quiet --json --chain anvil --name loot {theft} --min-share 0 --endpoint {url}"
        );
        Hansel::new(&words).data(priced.data.path()).run().exits(0);
        Some(priced)
    }

    /// Writes the list of feeds, by what they are expected to call themselves.
    fn list(&self, ether: &str, euro: &str) {
        let entry = |asset: &str, pair: &str, contract: Address| {
            format!(
                "[[feeds]]\npublisher = \"Lab\"\nchain = \"anvil\"\ncontract = \"{contract}\"\nasset = \"{asset}\"\n\
                 pair = \"{pair}\"\ncurrency = \"USD\"\nsource = \"this test\"\n"
            )
        };
        let text = format!(
            "schema = \"hansel-prices/1\"\n{}{}",
            entry("ETH", ether, self.ether),
            entry("EUR", euro, self.euro)
        );
        std::fs::write(self.config.path().join("prices.toml"), text).unwrap();
    }

    fn pay(&self, from: usize, to: usize, ether: u64, after: u64) -> B256 {
        let value = U256::from(ETHER) * U256::from(ether);
        let order = json!({"from": self.accounts[from], "to": self.accounts[to], "value": value});
        let hash = self.anvil.rpc().send(order).unwrap();
        self.anvil.rpc().mine_at(START + after).unwrap();
        hash
    }

    fn tell(&self, feed: Address, price: i64, after: u64) {
        let price = I256::try_from(price).unwrap();
        let data = evm_call("tell(int256)", (price,));
        let order = json!({"from": self.accounts[9], "to": feed, "data": data});
        self.anvil.rpc().send(order).unwrap();
        self.anvil.rpc().mine_at(START + after).unwrap();
    }

    fn prices(&self, words: &str) -> Finished {
        let url = self.anvil.url();
        let prices = Hansel::new(&format!("prices loot {words} --endpoint {url}"));
        let prices = prices.option("--config", self.config.path());
        prices.data(self.data.path()).run()
    }
}

#[test]
fn what_a_feed_said_when_value_moved_is_written_down_with_its_round_and_values_the_report() {
    let Some(priced) = Priced::new() else { return };
    let done = priced.prices("--currency USD,EUR").exits(0);
    let (ether, euro) = (priced.ether, priced.euro);
    let expected = format!(
        "time,asset,currency,price,source\n\
         2020-09-13T16:26:40Z,ETH,EUR,1904.87948265,Lab ETH / USD {ether} round 1 over EUR / USD {euro} round 1 on anvil\n\
         2020-09-13T18:26:40Z,ETH,EUR,2000.00000000,Lab ETH / USD {ether} round 2 over EUR / USD {euro} round 1 on anvil\n\
         2020-09-13T14:26:40Z,ETH,USD,2000.12345678,Lab ETH / USD {ether} round 1 on anvil\n\
         2020-09-13T18:26:40Z,ETH,USD,2100.00000000,Lab ETH / USD {ether} round 2 on anvil\n"
    );
    assert_eq!(done.stdout, expected);
    let said = &done.stderr;
    assert!(
        said.contains("ETH / USD in USD: no price at 1 of them"),
        "{said}"
    );
    assert!(
        said.contains("ETH / USD in EUR: no price at 2 of them"),
        "{said}"
    );
    assert_eq!(
        priced.prices("--currency USD,EUR").exits(0).stdout,
        expected
    );
    let path = priced.data.path().join("prices.csv");
    priced.prices(&format!("-o {}", path.display())).exits(0);
    let report = Hansel::new("report loot --json").option("--prices", &path);
    let report: Value = report.data(priced.data.path()).run().exits(0).json();
    let worth = report["values"]["worth"].as_array().unwrap();
    let all: Vec<_> = worth
        .iter()
        .map(|one| one["amount"].as_str().unwrap())
        .collect();
    for value in ["6000.37", "8000.49", "10500.00"] {
        assert!(all.contains(&value), "{all:?}");
    }
    assert_eq!(report["values"]["missing"][0]["currency"], "USD");
}

#[test]
fn a_moment_at_which_a_feed_tells_no_price_above_zero_has_none_and_the_others_have() {
    for price in [0, -5] {
        let Some(priced) = Priced::with_last(price) else {
            return;
        };
        let done = priced.prices("--currency USD").exits(0);
        assert_eq!(
            done.stdout.matches("2000.12345678").count(),
            1,
            "{}",
            done.stdout
        );
        assert_eq!(done.stdout.lines().count(), 2, "{}", done.stdout);
        // The theft was before any price was told.
        assert!(
            done.stderr.contains("no price at 2 of them"),
            "{}",
            done.stderr
        );
    }
}

#[test]
fn a_contract_that_calls_itself_otherwise_is_no_feed_and_neither_is_one_that_is_not_there() {
    let Some(priced) = Priced::new() else { return };
    priced.list("BTC / USD", "EUR / USD");
    let refused = priced.prices("");
    refused.fails(
        2,
        &["calls itself `ETH / USD`, not `BTC / USD`", "--config"],
    );
    let nothing = format!("{}", Address::repeat_byte(0x99));
    priced.list("ETH / USD", "EUR / USD");
    let path = priced.config.path().join("prices.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(&priced.ether.to_string(), &nothing)).unwrap();
    let done = priced.prices("").exits(0);
    assert_eq!(done.stdout, "time,asset,currency,price,source\n");
    assert!(
        done.stderr.contains("no price at 4 of them"),
        "{}",
        done.stderr
    );
    let wrong = priced.prices("--currency dollars");
    wrong.fails(2, &["is not a currency"]);
    let none = priced.prices("--currency CHF").exits(0);
    assert!(
        none.stderr.contains("no feed prices anvil/ETH in CHF"),
        "{}",
        none.stderr
    );
}
