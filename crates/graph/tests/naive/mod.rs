//! The taint rules once more, one vector element per satoshi, sharing no code with the crate.

use std::collections::HashMap;

use bitcoin::OutPoint;
use hansel_ledger::TransactionStatement;

use crate::stops::Scattered;

/// A coin: clean, or stolen from a numbered seed.
pub(crate) type Coin = Option<usize>;

/// What every output and every fee holds.
pub(crate) struct Naive {
    pub(crate) outputs: HashMap<OutPoint, Vec<Coin>>,
    pub(crate) fees: Vec<Vec<Coin>>,
}

/// Walks a ledger in order. Haircut is not a rule about single coins; see [`haircut`].
pub(crate) fn simulate(
    ledger: &[TransactionStatement],
    seeds: &[OutPoint],
    rule: &str,
    pro_rata: bool,
    stops: Option<Scattered>,
) -> Naive {
    let mut naive = Naive {
        outputs: HashMap::new(),
        fees: Vec::new(),
    };
    for transaction in ledger {
        let stays = stays(transaction, seeds, stops);
        let mut pool = arrange(transaction, &naive.outputs, rule, &stays);
        let sizes: Vec<usize> = transaction
            .outputs
            .iter()
            .map(|o| o.value.to_sat() as usize)
            .collect();
        let fee_size = pool.len().saturating_sub(sizes.iter().sum());
        let mut fee = Vec::new();
        if transaction.inputs.is_empty() {
            pool = vec![None; sizes.iter().sum()];
        } else if pro_rata {
            fee = shave(&mut pool, fee_size);
        }
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        if rule == "tiho" {
            order.sort_by(|a, b| sizes[*b].cmp(&sizes[*a]).then(a.cmp(b)));
        }
        let mut filled = vec![Vec::new(); sizes.len()];
        let mut coins = pool.into_iter();
        for index in order {
            filled[index] = coins.by_ref().take(sizes[index]).collect();
        }
        fee.extend(coins);
        naive.fees.push(fee);
        for (vout, coins) in filled.into_iter().enumerate() {
            let outpoint = OutPoint {
                txid: transaction.txid,
                vout: vout as u32,
            };
            let seed = seeds.iter().position(|one| *one == outpoint);
            naive.outputs.insert(
                outpoint,
                coins.into_iter().map(|coin| coin.or(seed)).collect(),
            );
        }
    }
    naive
}

/// Which inputs bring no taint along, because a trail ended with them or ends in the transaction.
fn stays(
    transaction: &TransactionStatement,
    seeds: &[OutPoint],
    stops: Option<Scattered>,
) -> Vec<bool> {
    let theft = seeds.iter().any(|seed| seed.txid == transaction.txid);
    let stays = |input: &hansel_ledger::Input| {
        let Some(stops) = stops else { return false };
        let script = &input.spent.as_ref().unwrap().script;
        let shut = stops.shuts(&transaction.txid) && !theft;
        shut || stops.ends(script) && !seeds.contains(&input.previous)
    };
    transaction.inputs.iter().map(stays).collect()
}

fn arrange(
    transaction: &TransactionStatement,
    held: &HashMap<OutPoint, Vec<Coin>>,
    rule: &str,
    stays: &[bool],
) -> Vec<Coin> {
    let mut pool: Vec<Coin> = Vec::new();
    for (input, stays) in transaction.inputs.iter().zip(stays) {
        let coins = &held[&input.previous];
        if *stays {
            pool.extend(vec![None; coins.len()]);
        } else {
            pool.extend(coins);
        }
    }
    let (stolen, clean): (Vec<Coin>, Vec<Coin>) = pool.iter().partition(|coin| coin.is_some());
    match rule {
        "fifo" => {}
        "lifo" => pool.reverse(),
        "tiho" | "seniority" => pool = [stolen, clean].concat(),
        "reverse-seniority" => pool = [clean, stolen].concat(),
        other => panic!("no rule {other}"),
    }
    pool
}

/// Takes `fee` coins, a share of each run of one colour; inside a run, a share of each seed's coins.
fn shave(pool: &mut Vec<Coin>, fee: usize) -> Vec<Coin> {
    let total = pool.len();
    let runs: Vec<Vec<Coin>> = pool
        .chunk_by(|a, b| a.is_some() == b.is_some())
        .map(<[Coin]>::to_vec)
        .collect();
    let mut shares: Vec<usize> = runs
        .iter()
        .map(|run| run.len() * fee / total.max(1))
        .collect();
    let missing = fee - shares.iter().sum::<usize>();
    shares
        .iter_mut()
        .take(missing)
        .for_each(|share| *share += 1);
    let mut taken = Vec::new();
    pool.clear();
    for (run, share) in runs.into_iter().zip(shares) {
        let strands: Vec<Vec<Coin>> = run.chunk_by(|a, b| a == b).map(<[Coin]>::to_vec).collect();
        let mut pieces: Vec<usize> = strands
            .iter()
            .map(|strand| strand.len() * share / run.len())
            .collect();
        let missing = share - pieces.iter().sum::<usize>();
        pieces
            .iter_mut()
            .take(missing)
            .for_each(|piece| *piece += 1);
        for (mut strand, piece) in strands.into_iter().zip(pieces) {
            taken.extend(strand.drain(..piece));
            pool.extend(strand);
        }
    }
    taken
}

/// Tainted amounts under haircut, by output and by fee: shares of what is left, rounded down.
pub(crate) fn haircut(
    ledger: &[TransactionStatement],
    seeds: &[OutPoint],
    pro_rata: bool,
    stops: Option<Scattered>,
) -> (HashMap<OutPoint, u64>, Vec<u64>) {
    let mut held: HashMap<OutPoint, u64> = HashMap::new();
    let mut fees = Vec::new();
    for transaction in ledger {
        let value = |input: &hansel_ledger::Input| input.spent.as_ref().unwrap().value.to_sat();
        let mut balance: u64 = transaction.inputs.iter().map(value).sum();
        let stays = stays(transaction, seeds, stops);
        let pours = transaction.inputs.iter().zip(stays);
        let mut taint: u64 = pours
            .filter(|(_, stays)| !stays)
            .map(|(input, _)| held[&input.previous])
            .sum();
        let out: u64 = transaction
            .outputs
            .iter()
            .map(|output| output.value.to_sat())
            .sum();
        let fee = balance.saturating_sub(out);
        let mut draw = |amount: u64| {
            let share = if balance == 0 {
                0
            } else {
                (taint as u128 * amount as u128 / balance as u128) as u64
            };
            taint -= share;
            balance = balance.saturating_sub(amount);
            share
        };
        let mut fee_taint = if pro_rata { draw(fee) } else { 0 };
        for (vout, output) in transaction.outputs.iter().enumerate() {
            let outpoint = OutPoint {
                txid: transaction.txid,
                vout: vout as u32,
            };
            let share = draw(output.value.to_sat());
            let stolen = seeds.contains(&outpoint);
            held.insert(outpoint, if stolen { output.value.to_sat() } else { share });
        }
        if !pro_rata {
            fee_taint = draw(fee);
        }
        fees.push(fee_taint);
    }
    (held, fees)
}
