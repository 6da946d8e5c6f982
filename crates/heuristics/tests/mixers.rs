//! Tornado Cash, Railgun and Privacy Pools, by what their contracts log and what moves.

mod accounts;

use alloy_primitives::{Address, B256, U256, address, b256};
use hansel_heuristics::{Confidence, EntityKind, NoLabels, Parameter};
use hansel_ledger::{Coin, topics};

use accounts::{Book, DOLLAR, Story, account, dollar, milli, word};

const POOL: Address = address!("A160cdAB225685dA1d56aa342Ad8841c3b53f291");
const ROUTER: Address = address!("d90e2f925DA726b50C4Ed8D0Fb90Ad053324F31b");
const RAILGUN: Address = address!("FA7093CDD9EE6932B4eb2c9e1cde7CE00B1FA4b9");

/// The account that mixed the theft from WazirX, and where it first paid into this pool (2024-09-02T16:03).
/// Source: tayvano/lazarus-bluenoroff-research, hacks-and-thefts/wazirx.md.
const THIEF: Address = address!("668399a6604c41d46c81430e4dff71443d44efe6");
const PAID: B256 = b256!("7a9fc4392c39ae83e2e74c5d4682526047dbb727b50c9daefa79cc23adf7395e");

fn deposit(pool: Address, thousandths: u64) -> Story {
    let moved = [
        (THIEF, ROUTER, Coin::Native, milli(thousandths)),
        (ROUTER, pool, Coin::Native, milli(thousandths)),
    ];
    let mut story = Story::default().transaction(0, THIEF, &moved).logs(
        pool,
        &[topics::TORNADO_DEPOSIT, B256::repeat_byte(7)],
        &[word(41), word(1_725_293_000)],
    );
    story.transactions[0].hash = PAID;
    story
}

#[test]
fn a_deposit_into_tornado_names_its_depositor_behind_the_router() {
    let found = deposit(POOL, 100_000).inspected(&NoLabels);
    assert_eq!(found.len(), 1, "{found:?}");
    let found = &found[0];
    assert_eq!(found.heuristic, "evm.tornado.deposit");
    assert_eq!(found.confidence, Confidence::Certain);
    assert_eq!(found.parameters["pool"], Parameter::from("100 ETH"));
    assert_eq!(
        found.parameters["depositor"],
        Parameter::from(THIEF.to_string())
    );
    assert_eq!(found.parameters["deposits-so-far"], Parameter::Count(42));
    assert_eq!(
        found.evidence,
        [format!("ethereum:call:{PAID}:0.1")],
        "what reached the pool"
    );
}

#[test]
fn the_same_event_of_any_other_contract_is_no_deposit() {
    assert_eq!(deposit(account(1), 100_000).inspected(&NoLabels), []);
    let labelled = Book::default().with(account(1), EntityKind::Mixer, "tornado");
    let found = deposit(account(1), 100_000).inspected(&labelled);
    assert_eq!(found[0].confidence, Confidence::Strong);
}

#[test]
fn a_pool_that_was_paid_another_amount_says_nothing() {
    assert_eq!(deposit(POOL, 99_999).inspected(&NoLabels), []);
}

fn withdrawal(fee: u64, relayer: Address) -> Story {
    let moved = [
        (POOL, account(2), Coin::Native, milli(100_000 - fee)),
        (POOL, account(3), Coin::Native, milli(fee)),
    ];
    let moved = if fee > 0 { &moved[..] } else { &moved[..1] };
    let fee = B256::from(milli(fee).to_u256());
    Story::default().transaction(0, account(3), moved).logs(
        POOL,
        &[topics::TORNADO_WITHDRAWAL, relayer.into_word()],
        &[account(2).into_word(), B256::repeat_byte(9), fee],
    )
}

#[test]
fn a_withdrawal_comes_with_its_relayer_and_fee_and_adds_up_to_the_denomination() {
    let story = withdrawal(350, account(3));
    let found = story.inspected(&NoLabels);
    assert_eq!(found.len(), 1, "{found:?}");
    let parameters = &found[0].parameters;
    assert_eq!(found[0].heuristic, "evm.tornado.withdrawal");
    assert_eq!(parameters["relayer"], account(3).to_string().into());
    assert_eq!(parameters["fee"], milli(350).to_string().into());
    assert_eq!(parameters["amount"], milli(99_650).to_string().into());
    assert_eq!(found[0].evidence.len(), 2);
    let own = withdrawal(0, Address::ZERO).inspected(&NoLabels);
    assert_eq!(own[0].parameters["relayer"], Parameter::from("none"));
}

#[test]
fn a_withdrawal_that_does_not_add_up_or_is_malformed_says_nothing() {
    let mut story = withdrawal(350, account(3));
    story.transactions[0].movements[0].amount = milli(99_651);
    assert_eq!(story.inspected(&NoLabels), []);
    let mut story = withdrawal(350, account(3));
    story.transactions[0].events[0].data = vec![1; 40].into();
    assert_eq!(story.inspected(&NoLabels), []);
    let mut story = withdrawal(350, account(3));
    story.transactions[0].events[0].topics.truncate(1);
    assert_eq!(story.inspected(&NoLabels), []);
}

#[test]
fn a_reverted_transaction_says_nothing() {
    let mut story = deposit(POOL, 100_000);
    story.transactions[0].succeeded = false;
    assert_eq!(story.inspected(&NoLabels), []);
}

#[test]
fn value_that_enters_and_leaves_railgun_is_seen_at_its_own_contract_only() {
    let thousand = milli(1_000);
    let enter = |contract: Address| {
        Story::default()
            .transaction(0, account(1), &[(account(1), contract, dollar(), thousand)])
            .logs(contract, &[topics::RAILGUN_SHIELD], &[word(0), word(5)])
    };
    let found = enter(RAILGUN).inspected(&NoLabels);
    assert_eq!(found[0].heuristic, "evm.railgun.entry");
    assert_eq!(
        found[0].parameters["depositor"],
        account(1).to_string().into()
    );
    assert_eq!(enter(account(9)).inspected(&NoLabels), []);
    let amount = B256::from(thousand.to_u256());
    let leave = |said: B256| {
        Story::default()
            .transaction(0, account(8), &[(RAILGUN, account(2), dollar(), thousand)])
            .logs(
                RAILGUN,
                &[topics::RAILGUN_UNSHIELD],
                &[
                    account(2).into_word(),
                    word(0),
                    DOLLAR.into_word(),
                    word(0),
                    said,
                    word(25),
                ],
            )
    };
    let found = leave(amount).inspected(&NoLabels);
    assert_eq!(found[0].heuristic, "evm.railgun.exit");
    assert_eq!(found[0].parameters["fee"], Parameter::from("25"));
    assert_eq!(leave(word(1)).inspected(&NoLabels), []);
}

#[test]
fn privacy_pools_are_seen_where_a_label_names_the_contract() {
    let pool = account(5);
    let enter = Story::default().ether(0, account(1), pool, 1_000).logs(
        pool,
        &[topics::PRIVACY_POOLS_DEPOSITED, account(1).into_word()],
        &[word(1), word(2), B256::from(U256::from(995)), word(4)],
    );
    let leave = Story::default().ether(0, pool, account(2), 500).logs(
        pool,
        &[topics::PRIVACY_POOLS_WITHDRAWN, account(9).into_word()],
        &[word(500), word(2), word(3)],
    );
    assert_eq!(enter.inspected(&NoLabels), []);
    assert_eq!(leave.inspected(&NoLabels), []);
    let book = Book::default().with(pool, EntityKind::Mixer, "privacy-pools");
    assert_eq!(
        enter.inspected(&book)[0].heuristic,
        "evm.privacy-pools.entry"
    );
    assert_eq!(
        leave.inspected(&book)[0].heuristic,
        "evm.privacy-pools.exit"
    );
}
