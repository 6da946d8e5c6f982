//! Detectors that look at the flows between accounts, on stories with a known truth.

mod accounts;

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, address};
use hansel_heuristics::{Confidence, EntityKind, Finding, NoLabels, Parameter};
use hansel_ledger::{Amount, Coin, topics};

use accounts::{Book, Story, account, dollar, milli, word};

const EXCHANGE: u64 = 900;
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn exchange() -> Book {
    Book::default()
        .with(account(EXCHANGE), EntityKind::Exchange, "kucoin")
        .with(account(EXCHANGE + 1), EntityKind::Exchange, "binance")
}

fn count(finding: &Finding, name: &str) -> u64 {
    match &finding.parameters[name] {
        Parameter::Count(count) => *count,
        other => panic!("{name} is {other:?}"),
    }
}

/// A customer pays in twice; both times the exchange sweeps soon after.
fn deposits(kept: u64) -> Story {
    let (customer, deposit) = (account(1), account(2));
    Story::default()
        .ether(0, customer, deposit, 5_000)
        .ether(600, deposit, account(EXCHANGE), 5_000 - kept)
        .ether(DAY, customer, deposit, 3_000)
        .ether(DAY + 600, deposit, account(EXCHANGE), 3_000)
}

#[test]
fn an_account_that_an_exchange_empties_again_and_again_is_a_customers_address() {
    let found = deposits(2).found("evm.exchange-deposit", &exchange());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].confidence, Confidence::Strong);
    assert_eq!(
        found[0].subjects,
        [format!("ethereum:account:{}", account(2))]
    );
    assert_eq!(
        [count(&found[0], "sweeps"), count(&found[0], "customers")],
        [2, 1]
    );
    assert_eq!(found[0].evidence.len(), 4);
    // 50 of 3200 blocks and nothing kept.
    assert_eq!(count(&found[0], "score-per-mille"), 992);
}

#[test]
fn what_is_kept_is_measured_to_the_wei() {
    let cent = 10;
    let rule = "evm.exchange-deposit";
    let most = deposits(cent).found(rule, &exchange());
    assert_eq!(count(&most[0], "sweeps"), 2);
    let mut more = deposits(cent);
    let paid = &mut more.transactions[1].movements[0].amount;
    *paid = paid.checked_sub(Amount::ONE).unwrap();
    let more = more.found(rule, &exchange());
    assert_eq!(count(&more[0], "sweeps"), 1, "one wei more was kept");
}

#[test]
fn a_single_sweep_could_be_a_thief_who_pays_the_exchange_himself() {
    let one = |sender: Address| {
        let swept = (account(2), account(EXCHANGE), dollar(), Amount::from(7_u64));
        Story::default()
            .pay(0, account(1), account(2), dollar(), Amount::from(7_u64))
            .transaction(600, sender, &[swept])
    };
    let rule = "evm.exchange-deposit";
    let own = one(account(2)).found(rule, &exchange());
    assert_eq!(own[0].confidence, Confidence::Weak);
    let swept = one(account(3)).found(rule, &exchange());
    assert_eq!(swept[0].confidence, Confidence::Strong, "another signs it");
    let fed = one(account(2)).ether(300, account(EXCHANGE), account(2), 1);
    let fed = fed.found(rule, &exchange());
    assert_eq!(fed[0].confidence, Confidence::Strong, "it pays the gas");
}

#[test]
fn who_pays_late_or_less_or_an_unknown_account_has_no_deposit_address() {
    let rule = "evm.exchange-deposit";
    let late = Story::default()
        .ether(0, account(1), account(2), 5_000)
        .ether(12 * 3_201, account(2), account(EXCHANGE), 5_000);
    assert_eq!(late.found(rule, &exchange()), []);
    let less = Story::default()
        .dollars(0, account(1), account(2), 500)
        .dollars(60, account(2), account(EXCHANGE), 499);
    assert_eq!(less.found(rule, &exchange()), [], "tokens to the unit");
    assert_eq!(deposits(0).unlabelled(rule), []);
}

#[test]
fn who_also_pays_elsewhere_is_weak_and_an_exchange_itself_is_nobodys_customer() {
    let rule = "evm.exchange-deposit";
    let elsewhere = deposits(0).ether(2 * DAY, account(1), account(2), 9).ether(
        2 * DAY + 60,
        account(2),
        account(7),
        9,
    );
    let found = elsewhere.found(rule, &exchange());
    assert_eq!(found[0].confidence, Confidence::Weak);
    let house = Story::default()
        .ether(0, account(EXCHANGE + 1), account(2), 5_000)
        .ether(60, account(2), account(EXCHANGE), 5_000);
    assert_eq!(house.found(rule, &exchange()), []);
}

const REAL: Address = address!("a7bff1690dd8c4e7e8a1eb1bb5e6a8bfc1f83a5d");
const FALSE: Address = address!("a7b0000000000000000000000000000000000a5d");
const NEAR: Address = address!("a7b0000000000000000000000000000000001a5e");

#[test]
fn a_look_alike_that_sends_next_to_nothing_after_a_payment_is_a_bait() {
    let story = Story::default().dollars(0, account(1), REAL, 5_000).pay(
        120,
        FALSE,
        account(1),
        dollar(),
        Amount::from(1_000_u64),
    );
    let rule = "evm.address-poisoning";
    let found = story.unlabelled(rule);
    assert_eq!(found.len(), 1, "{found:?}");
    let parameters = &found[0].parameters;
    assert_eq!(parameters["kind"], Parameter::from("tiny transfer"));
    assert_eq!(parameters["imitated"], REAL.to_string().into());
    assert_eq!(parameters["paid-the-imitation"], Parameter::Flag(false));
    let fell = story.dollars(500, account(1), FALSE, 4_000);
    let found = fell.unlabelled(rule);
    assert_eq!(
        found[0].parameters["paid-the-imitation"],
        Parameter::Flag(true)
    );
    assert_eq!(found[0].evidence.len(), 3);
}

#[test]
fn a_counterfeit_token_in_the_victims_name_is_a_bait() {
    let token = Coin::Token(account(66));
    let forged = (account(1), FALSE, token, Amount::from(5_000_000_000_u64));
    let story = Story::default()
        .dollars(0, account(1), REAL, 5_000)
        .transaction(120, account(9), &[forged]);
    let found = story.unlabelled("evm.address-poisoning");
    assert_eq!(
        found[0].parameters["kind"],
        Parameter::from("counterfeit token")
    );
}

#[test]
fn somebody_else_and_a_look_alike_that_pays_real_money_are_no_bait() {
    let rule = "evm.address-poisoning";
    let other = Story::default().dollars(0, account(1), REAL, 5_000).pay(
        120,
        NEAR,
        account(1),
        dollar(),
        Amount::from(1_000_u64),
    );
    assert_eq!(other.unlabelled(rule), []);
    let money = Story::default()
        .dollars(0, account(1), REAL, 5_000)
        .dollars(120, FALSE, account(1), 6);
    assert_eq!(money.unlabelled(rule), []);
    let before = Story::default()
        .pay(0, FALSE, account(1), dollar(), Amount::from(1_000_u64))
        .dollars(120, account(1), REAL, 5_000);
    assert_eq!(before.unlabelled(rule), [], "nothing to imitate yet");
}

/// One funder gives three accounts gas; each moves dollars that came from elsewhere.
fn funded() -> Story {
    (0..3).fold(Story::default(), |story, number| {
        let (start, own) = (number * 1_000, account(10 + number));
        story
            .dollars(start, account(1), own, 100)
            .ether(start + 60, account(5), own, 20)
            .dollars(start + 120, own, account(50 + number), 100)
    })
}

#[test]
fn who_gives_several_accounts_their_first_gas_is_named_with_them() {
    let found = funded().unlabelled("evm.first-gas");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (count(&found[0], "funded"), found[0].subjects.len()),
        (3, 4)
    );
    assert_eq!(
        found[0].parameters["could-be-one-owner"],
        Parameter::Flag(true)
    );
    let book = Book::default().with(account(5), EntityKind::Exchange, "kucoin");
    let exchange = funded().found("evm.first-gas", &book);
    assert_eq!(
        exchange[0].parameters["could-be-one-owner"],
        Parameter::Flag(false)
    );
}

#[test]
fn who_pays_much_ether_or_the_tokens_too_gives_no_gas() {
    let much = Story::default()
        .dollars(0, account(1), account(10), 100)
        .ether(60, account(5), account(10), 101)
        .dollars(120, account(10), account(50), 100);
    assert_eq!(much.unlabelled("evm.first-gas"), []);
    let same = Story::default()
        .dollars(0, account(5), account(10), 100)
        .ether(60, account(5), account(10), 20)
        .dollars(120, account(10), account(50), 100);
    assert_eq!(same.unlabelled("evm.first-gas"), []);
}

#[test]
fn a_service_that_pays_nearly_as_much_soon_after_is_a_lead_and_no_more() {
    let hop = |amount, seconds| {
        Story::default()
            .dollars(0, account(1), account(EXCHANGE), 10_000)
            .dollars(seconds, account(EXCHANGE), account(2), amount)
    };
    let rule = "evm.instant-exchange.lead";
    let found = hop(9_900, 900).found(rule, &exchange());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].confidence, Confidence::Weak);
    assert_eq!(
        found[0].parameters["payees"],
        vec![account(2).to_string()].into()
    );
    assert_eq!(hop(9_499, 900).found(rule, &exchange()), []);
    assert_eq!(hop(10_001, 900).found(rule, &exchange()), []);
    assert_eq!(hop(9_900, HOUR + 1).found(rule, &exchange()), []);
    let crowd = (0..11).fold(hop(9_900, 900), |story, number| {
        story.dollars(
            1_000 + number,
            account(EXCHANGE),
            account(30 + number),
            9_950,
        )
    });
    assert_eq!(crowd.found(rule, &exchange()), [], "too many fit");
}

fn fan(accounts: u64, apart: u64) -> Story {
    (0..accounts).fold(Story::default(), |story, number| {
        story.dollars(
            number * apart,
            account(1),
            account(100 + number),
            100 + number,
        )
    })
}

#[test]
fn ten_payees_within_a_day_are_a_fan_and_nine_or_a_slow_ten_are_none() {
    let found = fan(10, HOUR).unlabelled("evm.fan-out");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(count(&found[0], "accounts"), 10);
    assert_eq!(
        found[0].parameters["amount"],
        Parameter::from("1045000000"),
        "all of it and no more"
    );
    assert_eq!(fan(9, HOUR).unlabelled("evm.fan-out"), []);
    assert_eq!(fan(10, 3 * HOUR).unlabelled("evm.fan-out"), []);
    let book = Book::default().with(account(1), EntityKind::Exchange, "kucoin");
    assert_eq!(fan(10, HOUR).found("evm.fan-out", &book), []);
}

#[test]
fn ten_payers_within_a_day_are_a_fan_too() {
    let gather = |accounts| {
        (0..accounts).fold(Story::default(), |story, number| {
            story.dollars(number * 60, account(100 + number), account(1), 7)
        })
    };
    let found = gather(10).unlabelled("evm.fan-in");
    assert_eq!(count(&found[0], "accounts"), 10);
    assert_eq!(gather(9).unlabelled("evm.fan-in"), []);
}

#[test]
fn a_transaction_that_pays_ten_accounts_spreads() {
    let spread = |accounts: u64, coin| {
        let moved: Vec<_> = (0..accounts)
            .map(|number| (account(1), account(100 + number), coin, milli(1)))
            .collect();
        Story::default().transaction(0, account(9), &moved)
    };
    let found = spread(10, Coin::Native).inspected(&NoLabels);
    assert_eq!(found[0].heuristic, "evm.spread");
    assert_eq!(found[0].evidence.len(), 10);
    assert_eq!(spread(9, Coin::Native).inspected(&NoLabels), []);
    let unknown = spread(10, Coin::Token(account(66))).inspected(&NoLabels);
    assert_eq!(unknown, [], "anybody can write such logs in anybody's name");
}

fn pieces(amounts: &[u64]) -> Story {
    (0..)
        .zip(amounts)
        .fold(Story::default(), |story, (number, amount)| {
            story.dollars(number * 600, account(1), account(100 + number % 2), *amount)
        })
}

#[test]
fn equal_pieces_and_pieces_just_below_a_round_amount_are_structuring() {
    let equal = pieces(&[2_300; 5]).unlabelled("evm.structuring.equal");
    assert_eq!(count(&equal[0], "pieces"), 5);
    let below = [9_900, 9_850, 9_999, 9_700, 9_500];
    let below = pieces(&below).unlabelled("evm.structuring.below");
    assert_eq!(
        below[0].parameters["piece-or-bound"],
        Parameter::from("10000000000")
    );
    assert_eq!(
        below[0].parameters["amount"],
        Parameter::from("48949000000")
    );
}

#[test]
fn four_pieces_unlike_pieces_and_those_of_one_payee_are_no_structuring() {
    for story in [
        pieces(&[2_300; 4]),
        pieces(&[2_300, 2_301, 2_302, 2_303, 2_304]),
        pieces(&[9_900, 9_850, 9_999, 9_700, 9_499]),
        (0..5).fold(Story::default(), |story, number| {
            story.dollars(number, account(1), account(2), 2_300)
        }),
        (0..5).fold(Story::default(), |story, number| {
            story.dollars(number * DAY, account(1), account(100 + number), 2_300)
        }),
    ] {
        assert_eq!(story.unlabelled("evm.structuring.equal"), []);
        assert_eq!(story.unlabelled("evm.structuring.below"), []);
    }
}

#[test]
fn what_goes_on_within_the_hour_passes_through() {
    let through = |seconds, dollars| {
        Story::default()
            .dollars(0, account(1), account(2), 1_000)
            .dollars(seconds, account(2), account(3), dollars)
    };
    let rule = "evm.rapid-pass-through";
    let found = through(HOUR, 950).unlabelled(rule);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(count(&found[0], "longest-seconds"), HOUR);
    assert_eq!(
        found[0].parameters["passed-on"],
        Parameter::from("950000000")
    );
    assert_eq!(through(HOUR + 1, 1_000).unlabelled(rule), []);
    assert_eq!(through(HOUR, 949).unlabelled(rule), []);
    assert_eq!(through(0, 1_000).unlabelled(rule), [], "a contract");
    let book = Book::default().with(account(2), EntityKind::Bridge, "hop");
    assert_eq!(through(60, 1_000).found(rule, &book), []);
}

#[test]
fn money_that_was_there_before_did_not_pass_through() {
    let story = Story::default()
        .dollars(0, account(2), account(3), 1_000)
        .dollars(60, account(1), account(2), 1_000);
    assert_eq!(story.unlabelled("evm.rapid-pass-through"), []);
}

#[test]
fn value_that_comes_back_through_others_is_a_round_trip() {
    let trip = |back| {
        Story::default()
            .dollars(0, account(1), account(2), 1_000)
            .dollars(HOUR, account(2), account(3), 980)
            .dollars(2 * HOUR, account(3), account(1), back)
    };
    let rule = "evm.round-trip";
    let found = trip(960).unlabelled(rule);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (
            &found[0].parameters["left"],
            &found[0].parameters["came-back"]
        ),
        (&"1000000000".into(), &"960000000".into())
    );
    assert_eq!(found[0].evidence.len(), 3);
    assert_eq!(trip(800).unlabelled(rule), [], "too little");
    assert_eq!(trip(990).unlabelled(rule), [], "more than left");
}

#[test]
fn what_an_exchange_pays_back_is_no_round_trip() {
    let story = Story::default()
        .dollars(0, account(1), account(EXCHANGE), 1_000)
        .dollars(HOUR, account(EXCHANGE), account(1), 1_000);
    assert_eq!(story.found("evm.round-trip", &exchange()), []);
}

const SMALL: Address = address!("12D66f87A04A9E220743712cE6d9bB1B5616B8Fc");
const LARGE: Address = address!("47CE0C6eD5B0Ce3d3A51fdb1C52DC66a7c3c2936");

fn deposit(story: Story, seconds: u64, from: Address, pool: Address, leaf: u64) -> Story {
    let thousandths = if pool == SMALL { 100 } else { 1_000 };
    story.ether(seconds, from, pool, thousandths).logs(
        pool,
        &[topics::TORNADO_DEPOSIT, B256::repeat_byte(7)],
        &[word(leaf), word(0)],
    )
}

fn withdraw(story: Story, seconds: u64, to: Address, pool: Address) -> Story {
    let thousandths = if pool == SMALL { 99 } else { 995 };
    story.ether(seconds, pool, to, thousandths)
}

#[test]
fn who_withdraws_where_he_deposited_before_is_a_lead_with_its_anonymity_set() {
    let rule = "evm.tornado.lead.same-address";
    let story = deposit(Story::default(), 0, account(1), SMALL, 500);
    let story = deposit(story, 60, account(2), SMALL, 501);
    let after = withdraw(story.clone(), HOUR, account(1), SMALL);
    let found = after.unlabelled(rule);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].confidence, Confidence::Weak);
    assert_eq!(
        [
            count(&found[0], "anonymity-set"),
            count(&found[0], "known-depositors-before")
        ],
        [502, 2]
    );
    assert_eq!(found[0].evidence.len(), 2);
    let elsewhere = withdraw(story.clone(), HOUR, account(1), LARGE);
    assert_eq!(elsewhere.unlabelled(rule), [], "another pool");
    let stranger = withdraw(story, HOUR, account(3), SMALL);
    assert_eq!(stranger.unlabelled(rule), []);
    let before = withdraw(Story::default(), 0, account(1), SMALL);
    let before = deposit(before, HOUR, account(1), SMALL, 500);
    assert_eq!(before.unlabelled(rule), [], "withdrawn before");
}

#[test]
fn who_dealt_three_times_with_a_depositor_is_a_lead() {
    let rule = "evm.tornado.lead.linked-address";
    let story = deposit(Story::default(), 0, account(1), SMALL, 500);
    let story = withdraw(story, HOUR, account(2), SMALL);
    let twice = story.dollars(2 * HOUR, account(1), account(2), 1).dollars(
        3 * HOUR,
        account(2),
        account(1),
        1,
    );
    assert_eq!(twice.unlabelled(rule), []);
    let thrice = twice.dollars(4 * HOUR, account(1), account(2), 1);
    let found = thrice.unlabelled(rule);
    assert_eq!(count(&found[0], "interactions"), 3);
}

#[test]
fn who_pays_a_price_for_gas_that_one_depositor_alone_paid_before_is_a_lead() {
    let rule = "evm.tornado.lead.gas-price";
    let whole = milli(100);
    let own = |story: Story, seconds: u64, to: Address, pool: Address| {
        story.transaction(seconds, to, &[(pool, to, Coin::Native, whole)])
    };
    let story = deposit(Story::default(), 0, account(1), SMALL, 500).offers(33_333_333_333);
    let story = deposit(story, 60, account(3), SMALL, 501).offers(20_000_000_000);
    let paid = own(story.clone(), HOUR, account(2), SMALL).offers(33_333_333_333);
    let found = paid.unlabelled(rule);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].confidence, Confidence::Weak);
    assert_eq!(count(&found[0], "anonymity-set"), 502);
    assert_eq!(count(&found[0], "unique-prices"), 1);
    assert_eq!(found[0].evidence.len(), 2);
    let other = own(story.clone(), HOUR, account(2), SMALL).offers(33_333_333_334);
    assert_eq!(other.unlabelled(rule), [], "another price");
    let since = own(story.clone(), HOUR, account(2), SMALL);
    assert_eq!(since.unlabelled(rule), [], "none was chosen");
    let elsewhere = own(story.clone(), HOUR, account(2), LARGE).offers(33_333_333_333);
    assert_eq!(elsewhere.unlabelled(rule), [], "another pool");
    let relayed = withdraw(story.clone(), HOUR, account(2), SMALL).offers(33_333_333_333);
    assert_eq!(relayed.unlabelled(rule), [], "somebody else sent it");
    let common = deposit(story, 120, account(4), SMALL, 502).offers(33_333_333_333);
    let common = own(common, HOUR, account(2), SMALL).offers(33_333_333_333);
    assert_eq!(common.unlabelled(rule), [], "two offered it");
    let early = own(Story::default(), 0, account(2), SMALL).offers(33_333_333_333);
    let early = deposit(early, HOUR, account(1), SMALL, 500).offers(33_333_333_333);
    assert_eq!(early.unlabelled(rule), [], "withdrawn before");
}

const REWARD_SWAP: Address = address!("5cab7692d4e94096462119ab7bf57319726eed2a");
const TORN: Coin = Coin::Token(address!("77777FeDdddFfC19Ff86DB637967013e6C6A116C"));

/// Somebody swaps points for TORN at a contract; a relayer takes a tenth as his fee.
fn claim(story: Story, seconds: u64, to: Address, contract: Address, points: u64) -> Story {
    let (relayer, fee) = (account(9), points / 10);
    let swap = |to: Address| [topics::TORNADO_REWARD_SWAP, to.into_word()];
    let paid = [(to, 9), (relayer, 1)].map(|(to, torn)| (contract, to, TORN, milli(torn)));
    story
        .transaction(seconds, relayer, &paid)
        .logs(contract, &swap(to), &[word(points - fee), word(9)])
        .logs(contract, &swap(relayer), &[word(fee), word(1)])
}

/// Two accounts deposit into a pool, an hour apart; an hour after the first another one withdraws.
fn mined(pool: Address) -> Story {
    let story = deposit(Story::default(), 0, account(1), pool, 500);
    let story = deposit(story, HOUR / 2, account(3), pool, 501);
    let story = withdraw(story, HOUR, account(2), pool);
    withdraw(story, 3 * HOUR - 12, account(4), pool)
}

/// The blocks between the first deposit and the first withdrawal.
const NOTE: u64 = HOUR / 12;

#[test]
fn whose_points_are_those_of_a_note_is_a_lead_to_both_ends_of_it() {
    let rule = "evm.tornado.lead.torn-mining";
    for (claimant, role) in [(1, "depositor"), (2, "recipient")] {
        let claimed = claim(mined(LARGE), DAY, account(claimant), REWARD_SWAP, 20 * NOTE);
        let found = claimed.unlabelled(rule);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].confidence, Confidence::Weak);
        let ends = [1, 2].map(|end| format!("ethereum:account:{}", account(end)));
        assert_eq!(
            found[0].subjects.iter().collect::<BTreeSet<_>>(),
            ends.iter().collect()
        );
        let told = ["points", "points-per-block", "blocks", "fitting-pairs"];
        assert_eq!(
            told.map(|name| count(&found[0], name)),
            [20 * NOTE, 20, NOTE, 1]
        );
        assert_eq!(found[0].parameters["claimant-is"], role.into());
        let claimant = account(claimant).to_string();
        assert_eq!(found[0].parameters["claimant"], claimant.into());
        assert_eq!(count(&found[0], "anonymity-set"), 502);
        assert_eq!(found[0].evidence.len(), 4, "the pair and what was paid");
    }
}

#[test]
fn points_that_fit_no_note_of_the_claimant_are_no_lead() {
    let rule = "evm.tornado.lead.torn-mining";
    let told = |story, seconds, who, contract, points| {
        claim(story, seconds, account(who), contract, points).unlabelled(rule)
    };
    let points = 20 * NOTE;
    assert_eq!(told(mined(LARGE), DAY, 1, REWARD_SWAP, points).len(), 1);
    let more = told(mined(LARGE), DAY, 1, REWARD_SWAP, points + 1);
    assert_eq!(more, [], "no whole number of blocks");
    let longer = told(mined(LARGE), DAY, 1, REWARD_SWAP, points + 20);
    assert_eq!(longer, [], "no withdrawal in that block");
    let forged = told(mined(LARGE), DAY, 1, account(8), points);
    assert_eq!(forged, [], "another contract");
    let stranger = told(mined(LARGE), DAY, 5, REWARD_SWAP, points);
    assert_eq!(stranger, [], "neither end is his");
    let early = told(mined(LARGE), HOUR - 12, 1, REWARD_SWAP, points);
    assert_eq!(early, [], "claimed before the withdrawal");
    let split = deposit(Story::default(), 0, account(1), LARGE, 500);
    let split = deposit(split, 60, account(6), SMALL, 500);
    let split = withdraw(split, HOUR, account(2), SMALL);
    assert_eq!(told(split, DAY, 1, REWARD_SWAP, points), [], "two pools");
}

#[test]
fn the_smallest_pool_is_tried_with_both_rates_that_sources_name() {
    let rule = "evm.tornado.lead.torn-mining";
    for rate in [4, 10] {
        let claimed = claim(mined(SMALL), DAY, account(1), REWARD_SWAP, rate * NOTE);
        let found = claimed.unlabelled(rule);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(count(&found[0], "points-per-block"), rate);
    }
    let claimed = claim(mined(SMALL), DAY, account(1), REWARD_SWAP, 20 * NOTE);
    assert_eq!(claimed.unlabelled(rule), [], "the rate of another pool");
}

#[test]
fn so_many_withdrawals_of_each_pool_as_somebody_deposited_are_a_lead() {
    let rule = "evm.tornado.lead.same-numbers";
    let told = |last: Address| {
        let pools = [SMALL, SMALL, SMALL, LARGE, LARGE];
        let story = (0..).zip(pools).fold(Story::default(), |story, (n, pool)| {
            deposit(story, n * 60, account(1), pool, 500 + n)
        });
        let story = deposit(story, 400, account(4), LARGE, 900);
        let out = [SMALL, SMALL, SMALL, LARGE, last];
        (0..).zip(out).fold(story, |story, (n, pool)| {
            withdraw(story, 2 * DAY + n * 60, account(2), pool)
        })
    };
    let found = told(LARGE).unlabelled(rule);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        [
            count(&found[0], "fitting-depositors"),
            count(&found[0], "withdrawals"),
            count(&found[0], "pools")
        ],
        [1, 5, 2]
    );
    assert_eq!(told(SMALL).unlabelled(rule), []);
}

#[test]
fn detectors_say_the_same_whatever_came_first() {
    let mut story = deposits(2).dollars(9, account(5), account(6), 3);
    let found = story.found("evm.exchange-deposit", &exchange());
    story.transactions.reverse();
    assert_eq!(story.found("evm.exchange-deposit", &exchange()), found);
}
