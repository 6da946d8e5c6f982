//! What a scan finds in blocks of EVM chains, beside what an untyped reading finds.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use alloy_primitives::{Address, Bloom, BloomInput, address};
use hansel_scan::{AccountHit, AccountSet, EvmBlockError, Role};
use proptest::prelude::*;
use serde_json::{Value, json};

#[path = "../../ethereum/tests/etl/mod.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::print_stderr,
    reason = "the tests of that crate use the rest"
)]
mod etl;

const SENDER: Address = address!("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0");

fn transaction(from: Address, to: Option<Address>, nonce: u64) -> Value {
    json!({
        "hash": "0x00", "input": "0x\u{2028}", "type": "0x7e", "unknown": [{"from": 1}],
        "from": from, "to": to, "nonce": format!("{nonce:#x}"),
    })
}

fn block(transactions: &[Value]) -> Value {
    json!({
        "miner": Address::repeat_byte(0xee), "number": "0x1", "logsBloom": Bloom::ZERO,
        "withdrawals": [{"address": Address::repeat_byte(0xdd), "amount": "0x1"}],
        "transactions": transactions,
    })
}

fn named(accounts: &[Address], block: &Value) -> Vec<(usize, Role, u32)> {
    let set = AccountSet::new(accounts.iter().copied()).unwrap();
    let found = set.scan(block.to_string().as_bytes()).unwrap();
    let told = |hit: AccountHit| (hit.position, hit.role, hit.watched);
    found.named.into_iter().map(told).collect()
}

#[test]
fn accounts_are_found_in_every_role_and_only_the_watched_ones() {
    let [a, b, c] = [1, 2, 3].map(Address::repeat_byte);
    let block = block(&[
        transaction(a, Some(b), 7),
        transaction(c, Some(c), 0),
        transaction(b, Some(a), 8),
    ]);
    let (miner, paid) = (Address::repeat_byte(0xee), Address::repeat_byte(0xdd));
    assert_eq!(
        named(&[b, a, paid, miner], &block),
        [
            (0, Role::From, 1),
            (0, Role::To, 0),
            (2, Role::From, 0),
            (2, Role::To, 1),
            (0, Role::FeeRecipient, 3),
            (0, Role::Withdrawal, 2),
        ]
    );
    assert_eq!(named(&[Address::repeat_byte(9)], &block), []);
}

/// The addresses for nonces 0 to 3 are those of Ethereum's own tests of contract creation.
#[test]
fn a_contract_is_found_in_the_transaction_that_creates_it() {
    let contracts = [
        address!("cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"),
        address!("343c43a37d37dff08ae8c4a11544c718abb4fcf8"),
        address!("f778b86fa74e846c4f0a1fbd1335fe81c00a0c91"),
        address!("fffd933a0bc612844eaf0c6fe3e5b8e9b6c1d19c"),
    ];
    for (nonce, contract) in (0..).zip(contracts) {
        let block = block(&[transaction(SENDER, None, nonce)]);
        assert_eq!(named(&[contract], &block), [(0, Role::Created, 0)]);
    }
}

#[test]
fn a_block_of_the_main_network_holds_what_an_untyped_reading_finds() {
    let Some(blocks) = etl::answers() else { return };
    for answers in blocks {
        let mut block: Value = serde_json::from_str(&answers.block).unwrap();
        let account = |value: &Value| value.as_str().map(|text| text.parse::<Address>().unwrap());
        let mut expected = Vec::new();
        let transactions = block["transactions"].as_array_mut().unwrap();
        for (position, transaction) in transactions.iter_mut().enumerate() {
            // The data set does not tell nonces, which creations need.
            transaction["nonce"] = json!("0x0");
            for (role, party) in [(Role::From, "from"), (Role::To, "to")] {
                let account = account(&transaction[party]);
                expected.extend(account.map(|account| (position, role, account)));
            }
        }
        let accounts: Vec<_> = expected.iter().map(|(_, _, account)| *account).collect();
        let set = AccountSet::new(accounts).unwrap();
        let found = set.scan(block.to_string().as_bytes()).unwrap().named;
        let found = found
            .iter()
            .filter(|hit| matches!(hit.role, Role::From | Role::To));
        let found: Vec<_> = found.map(|hit| (hit.position, hit.role)).collect();
        let expected: Vec<_> = expected.iter().map(|(at, role, _)| (*at, *role)).collect();
        assert!(expected.len() > 200);
        assert_eq!(found, expected);
    }
}

#[test]
fn what_is_not_a_block_with_whole_transactions_is_refused() {
    let set = AccountSet::new([SENDER]).unwrap();
    let whole = block(&[transaction(SENDER, Some(SENDER), 1)]);
    let text = whole.to_string();
    for length in 0..text.len() {
        let error = set.scan(&text.as_bytes()[..length]).unwrap_err();
        assert!(matches!(error, EvmBlockError::Json { .. }), "{error}");
    }
    for other in [
        "null",
        "[]",
        "{}",
        r#"{"transactions":["0x01"]}"#,
        "{\"transactions\":[{}]}",
    ] {
        set.scan(other.as_bytes()).unwrap_err();
    }
    let with = |field: &str, value: Value| {
        let mut block = whole.clone();
        if field == "logsBloom" {
            block[field] = value;
        } else {
            block["transactions"][0][field] = value;
        }
        set.scan(block.to_string().as_bytes())
            .unwrap_err()
            .to_string()
    };
    let field = |name: &str| format!("the field `{name}` of the block is not what it has to be");
    assert_eq!(with("from", json!("0x12")), field("from"));
    assert_eq!(with("to", json!(format!("{SENDER}00"))), field("to"));
    assert_eq!(with("logsBloom", json!("0x00")), field("logsBloom"));
    assert!(with("from", json!(5)).contains("line 1, column"));
    let mut creation = block(&[transaction(SENDER, None, 1)]);
    for nonce in [
        json!("0x+1"),
        json!("1"),
        json!("0x10000000000000000"),
        Value::Null,
    ] {
        creation["transactions"][0]["nonce"] = nonce;
        let error = set.scan(creation.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), field("nonce"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn receipts_are_asked_for_exactly_where_a_bloom_allows_for_a_watched_account(
        watched in prop::collection::vec(any::<[u8; 20]>().prop_map(Address::from), 0..20),
        others in prop::collection::vec(any::<[u8; 20]>().prop_map(Address::from), 0..600),
        logged in 0..3_usize,
    ) {
        let mut bloom = Bloom::ZERO;
        for account in others.iter().chain(watched.iter().take(logged)) {
            bloom.accrue(BloomInput::Raw(account.into_word().as_slice()));
        }
        let allowed = |account: &Address| bloom.contains_input(BloomInput::Raw(account.into_word().as_slice()));
        let mut answer = block(&[]);
        answer["logsBloom"] = json!(bloom);
        let set = AccountSet::new(watched.iter().copied()).unwrap();
        let found = set.scan(answer.to_string().as_bytes()).unwrap();
        prop_assert_eq!(found.may_be_logged, watched.iter().any(allowed));
        answer["logsBloom"] = Value::Null;
        prop_assert!(set.scan(answer.to_string().as_bytes()).unwrap().may_be_logged);
    }

    #[test]
    fn no_changed_byte_makes_a_scan_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let set = AccountSet::new([SENDER]).unwrap();
        let mut text = block(&[transaction(SENDER, None, 300)]).to_string().into_bytes();
        for (place, byte) in changes {
            let place = place.index(text.len());
            text[place] = byte;
        }
        let _either = set.scan(&text);
    }
}
