//! What a thief does with ether on a real EVM node, and every detector that has to say so: mixing, fans, amounts in parts,
//! round trips, and an exchange that pays out at once.

use alloy_primitives::{Address, B256, Bytes, U256};
use hansel_ledger::topics;
use hansel_report::Report;
use hansel_testkit::{EvmContract, evm_call};
use serde_json::json;

use crate::command::{Hansel, directory};
use crate::crossings::{Bridge, ETHER, require_balance};

/// So many thousandths of an ether.
fn thousandths(count: u64) -> u128 {
    ETHER / 1_000 * u128::from(count)
}

fn word(number: u64) -> B256 {
    B256::from(U256::from(number))
}

/// Pays through the mixer, which logs what it is told.
fn mix(
    bridge: &Bridge,
    mixer: Address,
    (from, to): (Address, Address),
    value: u128,
    log: (&[B256], Vec<u8>),
) {
    let mut four = [B256::ZERO; 4];
    four[..log.0.len()].copy_from_slice(log.0);
    let signature = "tell(address,address,uint256,bytes32[4],uint256,bytes)";
    let count = U256::from(log.0.len());
    let data = Bytes::from(log.1);
    let data = evm_call(
        signature,
        (Address::ZERO, to, U256::ZERO, four, count, data),
    );
    bridge.transact(json!({"from": from, "to": mixer, "value": U256::from(value), "data": data}));
}

fn fired(report: &Report, rule: &str) -> usize {
    let findings = report.findings.iter();
    findings.filter(|one| one.heuristic == rule).count()
}

#[test]
fn every_pattern_of_a_thief_on_a_real_node_is_found() {
    let Some(bridge) = Bridge::start() else {
        return;
    };
    let accounts = bridge.anvil.rpc().accounts().unwrap();
    let (victim, thief, hub) = (accounts[0], accounts[1], accounts[2]);
    let (exchange, payer, friend) = (accounts[3], accounts[4], accounts[5]);
    for account in &accounts[5..] {
        bridge
            .anvil
            .rpc()
            .set_balance(*account, U256::ZERO)
            .unwrap();
    }
    let mixer = bridge.create(EvmContract::named("Herald").creation.clone());
    let theft = bridge.pay(victim, thief, 400 * ETHER);
    // Mixing.
    let sink = Address::repeat_byte(0x51);
    let deposit = [word(1), word(7)].concat();
    let entry = (&[topics::TORNADO_DEPOSIT, word(5)][..], deposit);
    mix(&bridge, mixer, (thief, sink), ETHER, entry);
    let fields = [word(1), word(2), B256::from(U256::from(ETHER)), word(4)].concat();
    let entry = (
        &[topics::PRIVACY_POOLS_DEPOSITED, thief.into_word()][..],
        fields,
    );
    mix(&bridge, mixer, (thief, sink), ETHER, entry);
    // Amounts just below a round one, and a fan of equal ones that one account gathers again.
    for (number, part) in [990, 980, 970, 960, 955].into_iter().enumerate() {
        let to = Address::repeat_byte(0x60 + u8::try_from(number).unwrap());
        bridge.pay(thief, to, thousandths(part));
    }
    let mules: Vec<Address> = (0..11_u8)
        .map(|number| Address::repeat_byte(0xa0 + number))
        .collect();
    for mule in &mules {
        bridge.pay(thief, *mule, 3 * ETHER);
        bridge.anvil.rpc().impersonate(*mule).unwrap();
        bridge.pay(*mule, hub, 2 * ETHER);
    }
    // The hub relays what comes out of the mixer again.
    let left = [thief.into_word(), word(9), word(0)].concat();
    let exit = (&[topics::TORNADO_WITHDRAWAL, B256::ZERO][..], left);
    mix(&bridge, mixer, (hub, thief), ETHER, exit);
    let fields = [B256::from(U256::from(ETHER)), word(2), word(3)].concat();
    let exit = (
        &[topics::PRIVACY_POOLS_WITHDRAWN, payer.into_word()][..],
        fields,
    );
    mix(&bridge, mixer, (hub, thief), ETHER, exit);
    // Round through a friend and back.
    bridge.pay(hub, friend, 15 * ETHER);
    bridge.pay(friend, thief, thousandths(14_300));
    bridge.pay(thief, hub, 13 * ETHER);
    // An exchange takes 50 and pays nearly as much from another of its accounts.
    bridge.pay(thief, exchange, 50 * ETHER);
    bridge.pay(payer, hub, thousandths(49_000));
    let config = directory();
    let chains = "schema = \"hansel-chains/1\"\n\n[[chains]]\nname = \"anvil\"\nfamily = \"evm\"\nchain_id = 31337\n\
                  native = { symbol = \"ETH\", decimals = 18 }\n";
    std::fs::write(config.path().join("chains.toml"), chains).unwrap();
    let pack = |concept: &str, tags: &[(Address, &str)]| {
        let tags = tags.iter().map(|(address, actor)| {
            format!("  - address: \"{address}\"\n    label: {actor}\n    actor: {actor}\n    network: anvil\n")
        });
        let tags: String = tags.collect();
        format!(
            "title: T\ncreator: test\nconcepts: [{concept}]\nsource: \"the test\"\nconfidence: service_data\nlastmod: 2023-01-01\ntags:\n{tags}"
        )
    };
    let labels = config.path().join("labels");
    std::fs::create_dir_all(&labels).unwrap();
    let exchanges = pack("exchange", &[(exchange, "swapper"), (payer, "swapper")]);
    std::fs::write(labels.join("exchanges.yaml"), exchanges).unwrap();
    std::fs::write(
        labels.join("mixers.yaml"),
        pack("mixing_service", &[(mixer, "mixer")]),
    )
    .unwrap();
    let words =
        format!("trace --json --quiet --chain anvil {theft} --rule fifo,haircut --min-share 0");
    let done = Hansel::new(&words)
        .option("--endpoint", format!("anvil:rpc={}", bridge.anvil.url()))
        .option("--config", config.path())
        .run();
    let report = done.report();
    require_balance(&report);
    let silent: Vec<&str> = [
        "evm.tornado.deposit",
        "evm.tornado.withdrawal",
        "evm.privacy-pools.entry",
        "evm.privacy-pools.exit",
        "evm.structuring.below",
        "evm.structuring.equal",
        "evm.fan-out",
        "evm.fan-in",
        "evm.round-trip",
        "evm.rapid-pass-through",
        "evm.instant-exchange.lead",
    ]
    .into_iter()
    .filter(|rule| fired(&report, rule) == 0)
    .collect();
    assert!(silent.is_empty(), "{silent:?}");
}
