//! Settlement of random ledgers of accounts: against a naive simulation, in any order of arrival, and in balance.
#![allow(
    missing_docs,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "a test of small numbers"
)]

mod accounts;

use std::collections::BTreeMap;

use accounts::{END, Tx, account, amount, coin, settle, small, statement};
use alloy_primitives::U256;
use hansel_graph::{
    AccountFacts, AccountSeed, AccountSettlement, AccountStep, FeeRule, Parcel, Rule,
};
use hansel_ledger::{Amount, Coin};
use proptest::prelude::*;

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len() as u64) as usize]
    }
}

/// The rules once more, one vector element per unit, sharing no code with the crate.
mod naive {
    use std::collections::BTreeMap;

    pub(crate) type Unit = Option<usize>;
    type Key = (String, String);

    #[derive(Default)]
    pub(crate) struct World {
        pub(crate) pools: BTreeMap<Key, Vec<Unit>>,
        pub(crate) missing: bool,
    }

    fn leaving(pool: &[Unit], rule: &str) -> Vec<usize> {
        let mut order: Vec<usize> = (0..pool.len()).collect();
        match rule {
            "lifo" => order.reverse(),
            "seniority" | "tiho" => order.sort_by_key(|at| pool[*at].is_none()),
            "reverse-seniority" => order.sort_by_key(|at| pool[*at].is_some()),
            _ => {}
        }
        order
    }

    /// Takes these places out of a pool, in the order in which they are named.
    fn take(pool: &mut Vec<Unit>, places: &[usize]) -> Vec<Unit> {
        let taken = places.iter().map(|at| pool[*at]).collect();
        let mut at = 0;
        pool.retain(|_| {
            at += 1;
            !places.contains(&(at - 1))
        });
        taken
    }

    impl World {
        pub(crate) fn pool(&mut self, name: &str, asset: &str) -> &mut Vec<Unit> {
            self.pools.entry((name.into(), asset.into())).or_default()
        }

        pub(crate) fn draw(
            &mut self,
            name: &str,
            asset: &str,
            units: usize,
            rule: &str,
        ) -> Vec<Unit> {
            let pool = self.pool(name, asset);
            let mut order = leaving(pool, rule);
            order.truncate(units);
            let mut taken = take(pool, &order);
            self.missing |= taken.len() < units;
            taken.resize(units, None);
            taken
        }

        pub(crate) fn draw_pro_rata(&mut self, name: &str, units: usize, rule: &str) -> Vec<Unit> {
            let pool = self.pool(name, "ETH");
            if units >= pool.len() {
                return self.draw(name, "ETH", units, rule);
            }
            let order = leaving(pool, rule);
            let mut segments: Vec<Vec<Vec<usize>>> = Vec::new();
            let mut last: Option<Unit> = None;
            for at in order {
                let unit = pool[at];
                match last {
                    Some(before) if before == unit => {
                        segments.last_mut().unwrap().last_mut().unwrap().push(at);
                    }
                    Some(before) if before.is_some() == unit.is_some() => {
                        segments.last_mut().unwrap().push(vec![at]);
                    }
                    _ => segments.push(vec![vec![at]]),
                }
                last = Some(unit);
            }
            let sizes: Vec<usize> = segments
                .iter()
                .map(|s| s.iter().map(Vec::len).sum())
                .collect();
            let mut places = Vec::new();
            for (segment, part) in segments.iter().zip(share(units, &sizes)) {
                let sizes: Vec<usize> = segment.iter().map(Vec::len).collect();
                for (strand, piece) in segment.iter().zip(share(part, &sizes)) {
                    places.extend(&strand[..piece]);
                }
            }
            take(pool, &places)
        }
    }

    fn share(whole: usize, sizes: &[usize]) -> Vec<usize> {
        let sum: usize = sizes.iter().sum();
        let mut parts: Vec<usize> = sizes.iter().map(|size| whole * size / sum).collect();
        let mut left = whole - parts.iter().sum::<usize>();
        for part in &mut parts {
            if left > 0 {
                *part += 1;
                left -= 1;
            }
        }
        parts
    }
}

use naive::{Unit, World};

/// One movement by names, so that both simulations can read it.
#[derive(Clone, Debug)]
struct Step {
    from: &'static str,
    to: &'static str,
    units: usize,
}

#[derive(Clone, Debug)]
struct Turn {
    sender: &'static str,
    asset: &'static str,
    steps: Vec<Step>,
    fee: usize,
    failed: bool,
}

/// True where an account whose net change is zero gives before it takes; such movements wait, which the naive
/// simulation does not know.
fn gives_early(steps: &[Step]) -> bool {
    NAMES.iter().any(|name| {
        let (mut taken, mut given, mut early) = (0, 0, false);
        for step in steps {
            if step.from == *name {
                given += step.units;
                early |= given > taken;
            }
            if step.to == *name {
                taken += step.units;
            }
        }
        early && taken == given
    })
}

fn turns(dice: &mut Dice, count: u64) -> Vec<Turn> {
    let mut turns = Vec::new();
    while (turns.len() as u64) < count {
        let steps: Vec<Step> = (0..=dice.roll(3))
            .map(|_| Step {
                from: dice.pick(&NAMES),
                to: dice.pick(&NAMES),
                units: 1 + dice.roll(25) as usize,
            })
            .collect();
        if gives_early(&steps) {
            continue;
        }
        turns.push(Turn {
            sender: dice.pick(&NAMES),
            asset: dice.pick(&["ETH", "X"]),
            steps,
            fee: dice.roll(4) as usize,
            failed: dice.roll(8) == 0,
        });
    }
    turns
}

fn transaction(number: usize, turn: &Turn) -> Tx {
    let height = 1 + number as u64 / 3;
    let mut tx = Tx::new(height, number as u32 % 3, turn.sender).fee(turn.fee as u64);
    for step in &turn.steps {
        tx = tx.moves(step.from, step.to, turn.asset, step.units as u64);
    }
    if turn.failed { tx.failed() } else { tx }
}

/// Flows by transaction and step, the gas after the last movement.
type Flows = BTreeMap<(usize, usize), Vec<Unit>>;

fn simulate(
    turns: &[Turn],
    openings: &[(&str, &str, u64)],
    seeds: &[(usize, usize)],
    rule: &str,
    pro_rata: bool,
) -> (World, Flows) {
    let mut world = World::default();
    let mut flows = Flows::new();
    for (name, asset, units) in openings {
        *world.pool(name, asset) = vec![None; *units as usize];
    }
    for (number, turn) in turns.iter().enumerate() {
        if pro_rata {
            let gas = world.draw_pro_rata(turn.sender, turn.fee, rule);
            flows.insert((number, turn.steps.len()), gas);
        }
        let mut transit: BTreeMap<&str, Vec<Unit>> = BTreeMap::new();
        for (at, step) in turn.steps.iter().enumerate().filter(|_| !turn.failed) {
            let own = transit.entry(step.from).or_default();
            let passed = step.units.min(own.len());
            let mut carried: Vec<Unit> = own.drain(..passed).collect();
            carried.extend(world.draw(step.from, turn.asset, step.units - passed, rule));
            if let Some(seed) = seeds.iter().position(|seed| *seed == (number, at)) {
                carried
                    .iter_mut()
                    .for_each(|unit| *unit = unit.or(Some(seed)));
            }
            flows.insert((number, at), carried.clone());
            transit.entry(step.to).or_default().extend(carried);
        }
        for (name, units) in transit {
            world.pool(name, turn.asset).extend(units);
        }
        if !pro_rata {
            let gas = world.draw(turn.sender, "ETH", turn.fee, rule);
            flows.insert((number, turn.steps.len()), gas);
        }
    }
    flows.retain(|_, units| units.iter().any(Option::is_some));
    (world, flows)
}

fn units(parcels: &[Parcel]) -> Vec<Unit> {
    let mut units = Vec::new();
    for parcel in parcels {
        assert!(parcel.owner.is_none() || parcel.claim == parcel.amount);
        let owner = parcel.owner.map(|owner| owner.position());
        units.extend(std::iter::repeat_n(owner, small(parcel.amount) as usize));
    }
    units
}

fn told_flows(settled: &AccountSettlement, rule: Rule, transactions: &[Tx]) -> Flows {
    let mut flows = Flows::new();
    for flow in settled.flows() {
        let number = transactions
            .iter()
            .position(|tx| tx.0.hash == flow.hash)
            .unwrap();
        let movements = &transactions[number].0.movements;
        let step = match flow.step {
            AccountStep::Movement { origin, .. } => movements
                .iter()
                .position(|one| one.origin == *origin)
                .unwrap(),
            AccountStep::Gas { .. } => movements.len(),
        };
        flows.insert((number, step), units(flow.parcels(rule)));
    }
    flows.retain(|_, units| !units.is_empty());
    flows
}

fn choose_seeds(dice: &mut Dice, turns: &[Turn]) -> Vec<(usize, usize)> {
    let mut seeds = Vec::new();
    for _ in 0..3 {
        let number = dice.roll(turns.len() as u64 / 2) as usize;
        let at = dice.roll(turns[number].steps.len() as u64) as usize;
        if !turns[number].failed && !seeds.contains(&(number, at)) {
            seeds.push((number, at));
        }
    }
    seeds
}

fn openings(dice: &mut Dice) -> Vec<(&'static str, &'static str, u64)> {
    let mut openings = Vec::new();
    for name in NAMES {
        for asset in ["ETH", "X"] {
            openings.push((name, asset, dice.roll(60)));
        }
    }
    openings
}

fn seeds_of(transactions: &[Tx], seeds: &[(usize, usize)]) -> Vec<AccountSeed> {
    seeds
        .iter()
        .map(|(number, at)| transactions[*number].seed(*at))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn plain_transfers_and_gas_equal_the_naive_simulation(dice in any::<u64>(), pro_rata in any::<bool>()) {
        let mut dice = Dice(dice);
        let count = 4 + dice.roll(30);
        let turns = turns(&mut dice, count);
        let openings = openings(&mut dice);
        let seeds = choose_seeds(&mut dice, &turns);
        let transactions: Vec<Tx> =
            turns.iter().enumerate().map(|(number, turn)| transaction(number, turn)).collect();
        let known = accounts::facts(&transactions, &openings);
        let fee_rule = if pro_rata { FeeRule::ProRata } else { FeeRule::Last };
        let rules = [Rule::Fifo, Rule::Lifo, Rule::Tiho, Rule::Seniority, Rule::ReverseSeniority];
        let settled =
            AccountSettlement::settle(&known, &seeds_of(&transactions, &seeds), &rules, fee_rule).unwrap();
        for rule in rules {
            let (mut world, flows) = simulate(&turns, &openings, &seeds, rule.name(), pro_rata);
            prop_assert_eq!(&told_flows(&settled, rule, &transactions), &flows, "{}", rule);
            for state in settled.pools() {
                let name = NAMES.iter().find(|name| account(name) == state.key.account).unwrap();
                let asset = if state.key.coin == Coin::Native { "ETH" } else { "X" };
                let mut left: Vec<Unit> = world.pool(name, asset).clone();
                left.retain(Option::is_some);
                if rule == Rule::Lifo {
                    left.reverse();
                }
                prop_assert_eq!(units(&state.residual(rule).unwrap()), left, "{}", rule);
            }
            prop_assert_eq!(settled.shortfalls().is_empty(), !world.missing);
        }
    }

    #[test]
    fn claims_balance_through_conversions_wraps_fees_and_loops(dice in any::<u64>(), pro_rata in any::<bool>()) {
        let mut dice = Dice(dice);
        let (transactions, followed) = scenario(&mut dice, 180);
        let seeds = some_seeds(&mut dice, &transactions);
        let known = accounts::facts(&transactions, &followed);
        let fee_rule = if pro_rata { FeeRule::ProRata } else { FeeRule::Last };
        // A settlement that does not balance is an error.
        let settled = AccountSettlement::settle(&known, &seeds, &Rule::ALL, fee_rule).unwrap();
        for flow in settled.flows() {
            let (AccountStep::Movement { amount, .. } | AccountStep::Gas { amount, .. }) = flow.step;
            for rule in Rule::ALL {
                let parcels = flow.parcels(rule);
                let sum = Amount::checked_sum(parcels.iter().map(|parcel| parcel.amount)).unwrap();
                prop_assert!(parcels.is_empty() || sum == amount, "{} {:?} {:?}", rule, flow.step, parcels);
            }
        }
    }

    #[test]
    fn no_amount_stops_a_settlement(dice in any::<u64>(), pro_rata in any::<bool>()) {
        let mut dice = Dice(dice);
        let (transactions, followed) = scenario(&mut dice, 256);
        let seeds = some_seeds(&mut dice, &transactions);
        let known = accounts::facts(&transactions, &followed);
        let fee_rule = if pro_rata { FeeRule::ProRata } else { FeeRule::Last };
        AccountSettlement::settle(&known, &seeds, &Rule::ALL, fee_rule).unwrap();
    }

    #[test]
    fn the_order_in_which_facts_arrive_and_the_pieces_of_statements_change_nothing(dice in any::<u64>()) {
        let mut dice = Dice(dice);
        let (transactions, followed) = scenario(&mut dice, 100);
        let seeds = some_seeds(&mut dice, &transactions);
        let whole = accounts::facts(&transactions, &followed);
        let mut pieces = Vec::new();
        for (name, asset, opening) in &followed {
            let cut = 1 + dice.roll(12);
            pieces.push(statement(name, asset, (0, cut), Some(*opening)));
            pieces.push(statement(name, asset, (cut + 1, END), None));
        }
        for transaction in &transactions {
            let carrier = dice.roll(pieces.len() as u64) as usize;
            pieces[carrier].transactions.push(transaction.0.clone());
        }
        for place in (1..pieces.len()).rev() {
            pieces.swap(place, dice.roll(place as u64 + 1) as usize);
        }
        let mut parts = AccountFacts::default();
        pieces.into_iter().for_each(|piece| parts.add_statement(piece));
        prop_assert_eq!(told(&settle(&whole, &seeds, &Rule::ALL)), told(&settle(&parts, &seeds, &Rule::ALL)));
    }
}

/// Everything that a settlement tells, but for whether openings are known.
fn told(settled: &AccountSettlement) -> String {
    let mut text = String::new();
    for flow in settled.flows() {
        for rule in Rule::ALL {
            text.push_str(&format!("{:?} {:?}\n", flow.step, flow.parcels(rule)));
        }
    }
    for state in settled.pools() {
        for rule in Rule::ALL {
            let left = state.residual(rule).unwrap();
            text.push_str(&format!(
                "{:?} {} {left:?} {:?}\n",
                state.key,
                state.hops,
                state.peaks(rule)
            ));
        }
    }
    let readings: Vec<_> = settled.readings().collect();
    text + &format!("{readings:?} {:?}", settled.shortfalls())
}

/// Up to so many bits, mostly few, sometimes all.
fn sized(dice: &mut Dice, bits: usize) -> Amount {
    let width = match dice.roll(6) {
        0 => bits,
        1 => 1,
        _ => 1 + dice.roll(bits as u64) as usize,
    };
    let limbs =
        [0; 4].map(|_: i32| dice.roll(u64::from(u32::MAX)) << 32 | dice.roll(u64::from(u32::MAX)));
    let number = if dice.roll(4) == 0 {
        U256::MAX
    } else {
        U256::from_limbs(limbs)
    };
    Amount::from((number >> (256 - width)).max(U256::ONE))
}

const VENUES: [&str; 4] = ["pair", "second", "router", "X"];
const COINS: [&str; 5] = ["ETH", "WETH", "X", "Y", "pair"];

/// Random swaps, wraps, liquidity, orders, loops and payments among people and contracts.
fn scenario(dice: &mut Dice, bits: usize) -> (Vec<Tx>, Vec<(&'static str, &'static str, u64)>) {
    let everybody = [&NAMES[..], &VENUES[..], &["WETH"]].concat();
    let mut transactions = Vec::new();
    let count = 2 + dice.roll(25);
    for number in 0..count {
        let sender = dice.pick(&NAMES);
        let mut tx = Tx::new(1 + number / 2, (number % 2) as u32, sender).fee(dice.roll(50));
        tx = match dice.roll(6) {
            0 => {
                let (units, other) = (sized(dice, bits), sized(dice, bits));
                let (sold, bought) = (dice.pick(&COINS), dice.pick(&COINS));
                tx.moves_amount(sender, "pair", sold, units)
                    .moves_amount("pair", sender, bought, other)
            }
            1 => {
                let units = sized(dice, bits);
                tx.moves_amount(sender, "WETH", "ETH", units)
                    .moves_amount("WETH", sender, "WETH", units)
            }
            2 => {
                let (units, other) = (sized(dice, bits), sized(dice, bits));
                let buyer = dice.pick(&NAMES);
                let mut tx = tx
                    .moves_amount(sender, "router", "X", units)
                    .moves_amount("router", buyer, "Y", other);
                tx.0.trades.push(hansel_ledger::Trade {
                    venue: account("router"),
                    owner: account(sender),
                    sold: coin("X"),
                    sold_amount: units,
                    bought: coin("Y"),
                    bought_amount: other,
                });
                tx
            }
            3 => tx.creates(sender, dice.pick(&VENUES)),
            _ => tx,
        };
        for _ in 0..dice.roll(7) {
            let units = sized(dice, bits);
            tx = tx.moves_amount(
                dice.pick(&everybody),
                dice.pick(&everybody),
                dice.pick(&COINS),
                units,
            );
        }
        let running: Vec<&str> = VENUES
            .iter()
            .chain(&["WETH"])
            .copied()
            .filter(|_| dice.roll(4) > 0)
            .collect();
        tx = tx.runs(&running);
        transactions.push(if dice.roll(12) == 0 { tx.failed() } else { tx });
    }
    let mut followed = Vec::new();
    for name in &everybody {
        for asset in COINS {
            if dice.roll(3) == 0 || NAMES.contains(name) && dice.roll(3) == 0 {
                followed.push((*name, asset, dice.roll(1_000)));
            }
        }
    }
    if followed.is_empty() {
        followed.push(("a", "ETH", 0));
    }
    (transactions, followed)
}

fn some_seeds(dice: &mut Dice, transactions: &[Tx]) -> Vec<AccountSeed> {
    let mut seeds = Vec::new();
    for _ in 0..4 {
        let tx = &transactions[dice.roll(transactions.len() as u64) as usize];
        if !tx.0.movements.is_empty() {
            seeds.push(tx.seed(dice.roll(tx.0.movements.len() as u64) as usize));
        }
    }
    seeds
}

#[test]
fn amounts_are_what_they_were_when_nothing_is_stolen() {
    let tx = Tx::new(1, 0, "a").moves("a", "b", "X", 1);
    let settled = settle(&accounts::facts(&[tx], &[("a", "X", 1)]), &[], &Rule::ALL);
    assert_eq!(
        (settled.flows().count(), settled.shortfalls().len()),
        (0, 0)
    );
    assert_eq!(amount(1), Amount::ONE);
}

/// Rings of three that all wait for each other, a line listed backwards, and as many venues, all in one transaction.
fn crowded(rings: u64) -> Tx {
    let mut tx = Tx::new(2, 0, "a");
    for ring in 0..rings {
        let names = ["x", "y", "z"].map(|corner| format!("{corner}{ring}"));
        for (from, to) in [(0, 1), (1, 2), (2, 0)] {
            tx = tx.moves(&names[from], &names[to], "X", 5);
        }
    }
    for step in (0..rings).rev() {
        let from = if step == 0 {
            "a".into()
        } else {
            format!("line{step}")
        };
        tx = tx.moves(&from, &format!("line{}", step + 1), "X", 10);
    }
    for step in 0..rings {
        tx = tx.moves("a", &format!("pair{step}"), "X", 1).moves(
            &format!("pair{step}"),
            "a",
            "Y",
            3,
        );
    }
    let pairs: Vec<String> = (0..rings).map(|step| format!("pair{step}")).collect();
    let pairs: Vec<&str> = pairs.iter().map(String::as_str).collect();
    tx.runs(&pairs)
}

#[test]
fn a_transaction_of_thirty_thousand_movements_settles() {
    let rings = 5_000;
    let theft = Tx::new(1, 0, "thief").moves("victim", "a", "X", rings + 10);
    let seeds = [theft.seed(0)];
    let known = accounts::facts(&[theft, crowded(rings)], &[("a", "X", 0)]);
    let settled = settle(&known, &seeds, &Rule::ALL);
    let end = format!("line{rings}");
    assert_eq!(accounts::held(&settled, Rule::Fifo, &end, "X"), (10, 10));
    assert_eq!(
        accounts::held(&settled, Rule::Fifo, "a", "Y"),
        (3 * rings, rings)
    );
}
