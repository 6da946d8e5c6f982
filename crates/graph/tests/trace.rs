//! The trace loop against a chain in memory: what is asked, what is believed, and where every unit ends.
#![allow(
    missing_docs,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "a test of small numbers"
)]

mod chain;
mod ledgers;
mod stops;

use std::collections::BTreeSet;
use std::sync::Arc;

use bitcoin::OutPoint;
use chain::{
    FakeChain, TIP, assert_balanced, ending, out, outcome, paid, plan, plan_of, resolve, run,
    script, shuffle, tainted, try_run, txid, unavailable,
};
use hansel_graph::{
    Category, Direction, Ending, FeeRule, Limits, NoVenues, Plan, Rule, SeedIx, Theft, Trace,
    TraceError,
};
use hansel_ledger::{
    ErrorClass, Fact, Gap, Placement, Query, SpendState, Spends, Subject, TransactionStatement,
};
use ledgers::{Dice, block};
use proptest::prelude::*;
use stops::Scattered;

/// A theft of 50 of which 30 rest, 19 move on and rest, and 1 is paid to miners.
fn short_trail() -> FakeChain {
    let mut chain = FakeChain::default();
    chain.mint("theft", 1, &[50]);
    chain.pay("hop", 2, &["theft:0"], &[30, 19]);
    chain
}

fn amount(trace: &Trace, rule: Rule, category: Category) -> u64 {
    let rows = trace.accounting().unwrap();
    let of_rule = rows.iter().filter(|row| row.rule == rule);
    of_rule.map(|row| row.amount(category)).sum()
}

/// Asks until a transaction or nothing is asked; the questions asked, in order.
fn questions(plan: Plan, chain: &FakeChain) -> (Trace, Vec<Query>) {
    let mut asked = Vec::new();
    let trace = try_run(plan, chain, |wave| asked.extend(wave.iter().cloned())).unwrap();
    (trace, asked)
}

#[test]
fn value_is_followed_until_it_rests() {
    let chain = short_trail();
    let (trace, asked) = questions(plan(&["theft:0"]), &chain);
    let hop = txid("hop");
    let outputs = vec![(0, script("hop:0")), (1, script("hop:1"))];
    let spends = |name, height, outputs| Query::Spends {
        txid: txid(name),
        height: Some(height),
        outputs,
        as_of: TIP,
    };
    let expected = [
        Query::Transaction {
            txid: txid("theft"),
            height: None,
        },
        spends("theft", 1, vec![(0, script("theft:0"))]),
        Query::Transaction {
            txid: hop,
            height: Some(2),
        },
        spends("hop", 2, outputs),
    ];
    assert_eq!(asked, expected);
    assert_eq!(ending(&trace, "theft:0"), Some(Ending::MovedOn));
    assert_eq!(ending(&trace, "hop:0"), Some(Ending::AtRest));
    assert_eq!(ending(&trace, "hop:1"), Some(Ending::AtRest));
    assert_eq!(amount(&trace, Rule::Fifo, Category::AtRest), 49);
    assert_eq!(amount(&trace, Rule::Fifo, Category::Fees), 1);
    assert_eq!((trace.visits(), trace.questions()), (2, 4));
    assert_balanced(&trace);
}

#[test]
fn a_peel_chain_is_followed_to_its_last_change() {
    let mut chain = FakeChain::default();
    chain.mint("peel0", 1, &[1, 1000]);
    for step in 1..=300 {
        let change = format!("peel{}:1", step - 1);
        chain.pay(
            &format!("peel{step}"),
            1 + step,
            &[&change],
            &[1, 1000 - 2 * step],
        );
    }
    let trace = run(plan(&["peel0:1"]), &chain);
    assert_eq!(trace.visits(), 301);
    assert_eq!(ending(&trace, "peel300:1"), Some(Ending::AtRest));
    assert_eq!(tainted(&trace, Rule::Fifo, "peel300:1"), 400);
    assert_eq!(amount(&trace, Rule::Fifo, Category::AtRest), 400 + 300);
    assert_eq!(amount(&trace, Rule::Fifo, Category::Fees), 300);
    assert_eq!(
        trace
            .settlement()
            .hops(trace.graph().find(&txid("peel300")).unwrap()),
        Some(300)
    );
    assert_balanced(&trace);
}

#[test]
fn paths_that_merge_sum_up_in_whatever_order_they_are_found() {
    let mut chain = FakeChain::default();
    chain.mint("theft", 1, &[60, 40]);
    chain.mint("own", 1, &[100]);
    chain.pay("left", 2, &["theft:0"], &[60]);
    chain.pay("right", 3, &["theft:1", "own:0"], &[70, 70]);
    chain.pay("far", 4, &["right:0"], &[70]);
    chain.pay("merge", 5, &["left:0", "far:0"], &[100, 30]);
    chain.pay("last", 5, &["merge:1", "right:1"], &[100]);
    let subjects = || plan_of([Subject::Transaction(txid("theft"))]);
    let expected = outcome(&run(subjects(), &chain));
    for number in 0..50 {
        let mut dice = Dice(number);
        let trace = try_run(subjects(), &chain, |wave| shuffle(wave, &mut dice)).unwrap();
        assert_eq!(outcome(&trace), expected);
        assert_eq!(tainted(&trace, Rule::Fifo, "merge:0"), 100);
        assert_eq!(tainted(&trace, Rule::Fifo, "last:0"), 0);
        // Under lifo 40 reach right:1, and far's 70 fill most of merge:0, so that 30 of left's are left.
        assert_eq!(tainted(&trace, Rule::Lifo, "last:0"), 70);
        assert_balanced(&trace);
    }
}

#[test]
fn an_output_that_can_never_be_spent_is_burned_and_never_asked_about() {
    let mut chain = short_trail();
    chain.burn("hop:1");
    let (trace, asked) = questions(plan(&["theft:0"]), &chain);
    assert_eq!(ending(&trace, "hop:1"), Some(Ending::Burned));
    assert_eq!(amount(&trace, Rule::Fifo, Category::Burned), 19);
    let burned = |query: &Query| {
        matches!(query, Query::Spends { txid: id, outputs, .. }
        if *id == txid("hop") && outputs.iter().any(|(vout, _)| *vout == 1))
    };
    assert!(!asked.iter().any(burned));
    assert_balanced(&trace);
}

#[test]
fn a_stolen_output_that_can_never_be_spent_is_burned_at_once() {
    let mut chain = FakeChain::default();
    chain.mint("theft", 1, &[50]);
    chain.burn("theft:0");
    let (trace, asked) = questions(plan(&["theft:0"]), &chain);
    assert_eq!(ending(&trace, "theft:0"), Some(Ending::Burned));
    assert_eq!(asked.len(), 1);
    assert_balanced(&trace);
}

#[test]
fn a_parent_comes_before_its_child_in_the_same_block() {
    let mut chain = FakeChain::default();
    chain.mint("theft", 7, &[50]);
    for (parent, child) in [("theft", "b"), ("b", "a"), ("a", "c")] {
        chain.pay(child, 7, &[&format!("{parent}:0")], &[50]);
    }
    let (mut forward, mut backward) = (plan(&["theft:0"]), plan(&["c:0"]));
    forward.direction = Direction::Forward;
    backward.direction = Direction::Backward;
    for plan in [forward, backward] {
        let trace = run(plan, &chain);
        let order = |name| {
            trace
                .graph()
                .order(trace.graph().find(&txid(name)).unwrap())
        };
        let orders = ["theft", "b", "a", "c"].map(order);
        assert_eq!(orders, [(7, 0), (7, 1), (7, 2), (7, 3)]);
        assert_balanced(&trace);
    }
}

#[test]
fn a_later_block_counts_for_nothing() {
    let chain = short_trail();
    let mut until = plan(&["theft:0"]);
    until.as_of = Some(block(1));
    let trace = run(until.clone(), &chain);
    assert_eq!(ending(&trace, "theft:0"), Some(Ending::AtRest));
    // Even if the answer speaks of a later block.
    let mut eager = chain.clone();
    let (by, height) = (txid("hop"), 2);
    eager
        .lies
        .insert(out("theft:0"), SpendState::Spent { by, height });
    let (trace, asked) = questions(until.clone(), &eager);
    assert_eq!(ending(&trace, "theft:0"), Some(Ending::AtRest));
    assert_eq!(asked.len(), 2, "the later spender is not fetched");
    // Or names an earlier one than the spender is in.
    eager
        .lies
        .insert(out("theft:0"), SpendState::Spent { by, height: 1 });
    let trace = run(until, &eager);
    assert_eq!(ending(&trace, "theft:0"), Some(Ending::AtRest));
    assert!(trace.graph().find(&by).is_none());
    assert_balanced(&trace);
}

#[test]
fn an_unconfirmed_spend_leaves_the_value_at_rest() {
    let mut chain = short_trail();
    let by = txid("hop");
    let state = SpendState::SpentUnconfirmed { by };
    chain.lies.insert(out("theft:0"), state);
    let (trace, asked) = questions(plan(&["theft:0"]), &chain);
    assert_eq!(
        ending(&trace, "theft:0"),
        Some(Ending::UnconfirmedSpend { by })
    );
    assert_eq!(asked.len(), 2);
    assert_eq!(amount(&trace, Rule::Haircut, Category::AtRest), 50);
    assert_balanced(&trace);
}

#[test]
fn a_spender_that_turns_out_unconfirmed_is_not_followed() {
    let mut chain = short_trail();
    chain.statement("hop").placement = Placement::Unconfirmed;
    let trace = run(plan(&["theft:0"]), &chain);
    let by = txid("hop");
    assert_eq!(
        ending(&trace, "theft:0"),
        Some(Ending::UnconfirmedSpend { by })
    );
    assert!(trace.graph().find(&by).is_none());
    assert_balanced(&trace);
}

#[test]
fn a_spender_in_an_unknown_block_is_followed() {
    let mut chain = short_trail();
    chain.statement("hop").placement = Placement::Unknown;
    let trace = run(plan(&["theft:0"]), &chain);
    assert_eq!(ending(&trace, "theft:0"), Some(Ending::MovedOn));
    assert_eq!(ending(&trace, "hop:0"), Some(Ending::AtRest));
    assert_balanced(&trace);
}

#[test]
fn a_false_spend_is_a_gap_and_nothing_of_it_is_believed() {
    let mut chain = short_trail();
    chain.mint("other", 3, &[70]);
    for by in [txid("other"), txid("theft")] {
        let lie = SpendState::Spent { by, height: 3 };
        chain.lies.insert(out("theft:0"), lie);
        let trace = run(plan(&["theft:0"]), &chain);
        let gap = Gap::FalseSpend { by };
        assert_eq!(
            ending(&trace, "theft:0"),
            Some(Ending::Failed { gap, next: None })
        );
        assert_eq!(trace.disproved(), [out("theft:0")]);
        assert!(trace.graph().find(&txid("other")).is_none());
        assert_eq!(amount(&trace, Rule::Fifo, Category::Frontier), 50);
        assert_balanced(&trace);
    }
}

#[test]
fn a_spender_named_by_two_outputs_is_believed_for_the_one_that_it_spends() {
    let mut chain = FakeChain::default();
    chain.mint("theft", 1, &[50, 20]);
    chain.pay("hop", 2, &["theft:0"], &[50]);
    let by = txid("hop");
    chain
        .lies
        .insert(out("theft:1"), SpendState::Spent { by, height: 2 });
    let trace = run(plan(&["theft:0", "theft:1"]), &chain);
    assert_eq!(ending(&trace, "theft:0"), Some(Ending::MovedOn));
    let gap = Gap::FalseSpend { by };
    assert_eq!(
        ending(&trace, "theft:1"),
        Some(Ending::Failed { gap, next: None })
    );
    assert_balanced(&trace);
}

#[test]
fn a_missing_transaction_ends_the_trail_and_is_asked_for_once() {
    let mut chain = short_trail();
    chain.missing.insert(txid("hop"));
    let (trace, asked) = questions(plan(&["theft:0"]), &chain);
    let lost = Ending::Failed {
        gap: unavailable("not-found"),
        next: Some(txid("hop")),
    };
    assert_eq!(ending(&trace, "theft:0"), Some(lost));
    assert_eq!(asked.len(), 3);
    assert_eq!(amount(&trace, Rule::Fifo, Category::Frontier), 50);
    assert_balanced(&trace);
}

#[test]
fn a_missing_theft_is_a_gap_of_its_subject() {
    let mut chain = short_trail();
    chain.missing.insert(txid("theft"));
    let trace = run(plan(&["theft:0"]), &chain);
    let gap = (txid("theft").to_string(), unavailable("not-found"));
    assert_eq!(trace.subject_gaps(), [gap]);
    assert!(trace.settlement().seeds().is_empty());
    assert_balanced(&trace);
}

#[test]
fn an_output_whose_spending_nobody_could_tell_is_lost() {
    let mut chain = short_trail();
    let gap = Gap::SpendUnknown {
        reason: "no index".into(),
    };
    chain
        .lies
        .insert(out("hop:0"), SpendState::Unknown { gap: gap.clone() });
    let trace = run(plan(&["theft:0"]), &chain);
    assert_eq!(
        ending(&trace, "hop:0"),
        Some(Ending::Failed { gap, next: None })
    );
    assert_eq!(ending(&trace, "hop:1"), Some(Ending::AtRest));
    assert_balanced(&trace);
}

/// The ending of an output about whose spending nothing is known because the answer contradicts the question.
fn inconsistent() -> Option<Ending> {
    let reason = ErrorClass::Inconsistent.reason().into();
    let gap = Gap::SpendUnknown { reason };
    Some(Ending::Failed { gap, next: None })
}

#[test]
fn an_answer_about_other_outputs_than_asked_is_not_believed_and_not_asked_for_again() {
    let mut left_out = short_trail();
    left_out.silent.insert(out("hop:0"));
    let mut added = short_trail();
    added.unasked = vec![(2, SpendState::Unspent)];
    let mut twice = short_trail();
    twice.unasked = vec![(0, SpendState::Unspent)];
    for (chain, lost) in [(left_out, "hop:0"), (added, "theft:0"), (twice, "theft:0")] {
        let (trace, asked) = questions(plan(&["theft:0"]), &chain);
        assert_eq!(ending(&trace, lost), inconsistent());
        assert!(asked.len() <= 4);
        assert_balanced(&trace);
    }
}

#[test]
fn an_answer_that_reaches_another_height_than_asked_does_not_prove_rest() {
    let chain = short_trail();
    let mut trace = Trace::new(plan(&["theft:0"]));
    let fetch = trace.next_wave().unwrap();
    resolve(&mut trace, &chain, &fetch[0]).unwrap();
    let ask = trace.next_wave().unwrap();
    let short = Spends {
        txid: txid("theft"),
        as_of: TIP - 1,
        outputs: vec![(0, SpendState::Unspent)],
    };
    trace.resolve(&ask[0], Ok(Fact::Spends(short))).unwrap();
    assert!(trace.next_wave().unwrap().is_empty());
    assert_eq!(ending(&trace, "theft:0"), inconsistent());
}

#[test]
fn a_pool_with_an_input_of_unknown_value_is_stuck() {
    let mut chain = short_trail();
    chain.mint("own", 1, &[100]);
    chain.pay("mix", 3, &["hop:0", "own:0"], &[60, 70]);
    chain.statement("mix").inputs[1].spent = None;
    let trace = run(plan(&["theft:0"]), &chain);
    let lost = Ending::Failed {
        gap: Gap::InputsUnknown { inputs: 1 },
        next: Some(txid("mix")),
    };
    assert_eq!(ending(&trace, "hop:0"), Some(lost));
    assert_eq!(ending(&trace, "mix:0"), None);
    assert_eq!(amount(&trace, Rule::Fifo, Category::Frontier), 30);
    assert_balanced(&trace);
    // What the value is, the creating transaction tells.
    let mut context = plan(&["theft:0"]);
    context.context = vec![txid("own")];
    let trace = run(context, &chain);
    assert_eq!(ending(&trace, "hop:0"), Some(Ending::MovedOn));
    assert_eq!(tainted(&trace, Rule::Fifo, "mix:0"), 30);
    assert_balanced(&trace);
}

#[test]
fn a_stuck_pool_settles_when_a_later_transaction_tells_the_missing_value() {
    let mut chain = FakeChain::default();
    chain.mint("theft", 1, &[50, 20]);
    chain.mint("own", 1, &[30]);
    chain.pay("slow", 2, &["theft:1"], &[20]);
    // Under fifo the output that mix spends is clean: only its value is news to mix.
    chain.pay("slower", 3, &["slow:0", "own:0"], &[20, 30]);
    chain.pay("mix", 4, &["slower:1", "theft:0"], &[30, 50]);
    chain.statement("mix").inputs[0].spent = None;
    let mut fifo = plan_of([Subject::Transaction(txid("theft"))]);
    fifo.rules = vec![Rule::Fifo];
    let trace = run(fifo, &chain);
    assert_eq!(ending(&trace, "theft:0"), Some(Ending::MovedOn));
    assert_eq!(tainted(&trace, Rule::Fifo, "mix:1"), 50);
    assert_eq!(ending(&trace, "mix:1"), Some(Ending::AtRest));
    assert_balanced(&trace);
}

#[test]
fn context_is_shown_and_never_stolen() {
    let mut chain = short_trail();
    chain.mint("gas", 1, &[5]);
    let mut context = plan(&["theft:0"]);
    context.context = vec![txid("gas"), txid("nowhere")];
    let trace = run(context, &chain);
    let pool = trace.graph().find(&txid("gas")).unwrap();
    assert!(trace.graph().pool(pool).visited);
    assert_eq!(ending(&trace, "gas:0"), None);
    assert_eq!(trace.settlement().seeds().len(), 1);
    let gap = (txid("nowhere").to_string(), unavailable("not-found"));
    assert_eq!(trace.subject_gaps(), [gap]);
    assert_balanced(&trace);
}

#[test]
fn context_that_spends_stolen_value_is_part_of_the_trail() {
    let chain = short_trail();
    let mut context = plan(&["theft:0"]);
    context.context = vec![txid("hop")];
    let trace = run(context, &chain);
    assert_eq!(ending(&trace, "theft:0"), Some(Ending::MovedOn));
    assert_eq!(ending(&trace, "hop:1"), Some(Ending::AtRest));
    assert_balanced(&trace);
}

#[test]
fn a_seed_that_descends_from_another_counts_every_unit_once() {
    let mut chain = FakeChain::default();
    chain.mint("theft", 1, &[50]);
    chain.mint("own", 1, &[30]);
    chain.pay("hop", 2, &["theft:0", "own:0"], &[70, 10]);
    chain.pay("end", 3, &["hop:0"], &[70]);
    let both = ["theft:0", "hop:0"];
    for subjects in [both, [both[1], both[0]]] {
        let trace = run(plan(&subjects), &chain);
        let stolen = |seed: &str, rule| {
            let position = subjects.iter().position(|name| *name == seed).unwrap();
            let rows = trace.accounting().unwrap();
            let seed = SeedIx::from_position(position).unwrap();
            rows.iter()
                .find(|row| row.seed == seed && row.rule == rule)
                .unwrap()
                .stolen
        };
        // Under fifo hop:0 holds all 50 of the theft; what is the thief's own in it is the second seed's.
        assert_eq!(stolen("theft:0", Rule::Fifo), 50);
        assert_eq!(stolen("hop:0", Rule::Fifo), 20);
        assert_eq!(stolen("hop:0", Rule::Lifo), 30);
        assert_eq!(tainted(&trace, Rule::Fifo, "end:0"), 70);
        assert_balanced(&trace);
    }
}

#[test]
fn an_output_named_twice_is_stolen_once() {
    let chain = short_trail();
    let theft = Subject::Transaction(txid("theft"));
    let output = Subject::Output(out("theft:0"));
    let trace = run(plan_of([output.clone(), theft, output]), &chain);
    assert_eq!(trace.settlement().seeds().len(), 1);
    assert_eq!(amount(&trace, Rule::Fifo, Category::AtRest), 49);
    assert_balanced(&trace);
}

#[test]
fn an_output_that_does_not_exist_cannot_be_traced() {
    let refused = try_run(plan(&["theft:7"]), &short_trail(), |_| {}).map(|_| ());
    assert!(matches!(refused, Err(TraceError::NoSuchOutput(output)) if output == out("theft:7")));
}

fn address(name: &str, since: u64, until: u64) -> Theft {
    let subject = Subject::Script {
        script: script(name),
        text: name.into(),
    };
    Theft {
        subject,
        since,
        until,
        coins: BTreeSet::new(),
    }
}

/// Payments to one address in blocks 10, 20 and 30.
fn paid_thrice() -> FakeChain {
    let mut chain = FakeChain::default();
    for (name, height) in [("p10", 10), ("p20", 20), ("p30", 30)] {
        chain.mint(name, height, &[height, 7]);
        chain.statement(name).outputs[0].script = script("thief");
    }
    chain
}

fn seeds(trace: &Trace) -> Vec<OutPoint> {
    let seeds = trace.settlement().seeds().iter();
    seeds.map(|seed| seed.outpoint).collect()
}

#[test]
fn an_address_counts_what_it_received_in_its_window() {
    let chain = paid_thrice();
    let mut windowed = plan(&[]);
    windowed.subjects = vec![address("thief", 20, 30)];
    assert_eq!(
        seeds(&run(windowed.clone(), &chain)),
        [out("p20:0"), out("p30:0")]
    );
    windowed.subjects = vec![address("thief", 30, 30), address("thief", 0, 10)];
    let (trace, asked) = questions(windowed.clone(), &chain);
    assert_eq!(seeds(&trace), [out("p30:0"), out("p10:0")]);
    let histories = asked
        .iter()
        .filter(|query| matches!(query, Query::Received { .. }));
    assert_eq!(histories.count(), 1);
    assert_balanced(&trace);
    windowed.as_of = Some(block(29));
    windowed.subjects = vec![address("thief", 0, u64::MAX)];
    assert_eq!(seeds(&run(windowed, &chain)), [out("p10:0"), out("p20:0")]);
}

#[test]
fn an_address_that_could_not_be_read_is_a_gap() {
    let mut unread = plan(&[]);
    unread.subjects = vec![address("thief", 0, u64::MAX)];
    let mut trace = Trace::new(unread);
    let wave = trace.next_wave().unwrap();
    trace.resolve(&wave[0], Err("too-popular".into())).unwrap();
    assert!(trace.next_wave().unwrap().is_empty());
    assert_eq!(
        trace.subject_gaps(),
        [("thief".into(), unavailable("too-popular"))]
    );
}

#[test]
fn what_an_address_is_falsely_said_to_have_received_is_not_stolen() {
    let mut chain = paid_thrice();
    let claims = ["p10:0", "p20:1", "p10:0", "p20:9", "p30:0"];
    let rows = claims.map(|name| (out(name), 15));
    chain.received.insert(script("thief"), rows.to_vec());
    let mut lied = plan(&[]);
    lied.subjects = vec![address("thief", 0, u64::MAX)];
    let trace = run(lied, &chain);
    assert_eq!(seeds(&trace), [out("p10:0"), out("p30:0")]);
    assert_eq!(trace.subject_gaps().len(), 1, "{:?}", trace.subject_gaps());
    assert_balanced(&trace);
}

#[test]
fn a_history_that_reaches_beyond_what_was_asked_is_not_believed() {
    let mut chain = paid_thrice();
    let mut lied = plan(&[]);
    lied.subjects = vec![address("thief", 20, u64::MAX)];
    lied.as_of = Some(block(25));
    for beyond in [19, 26, u64::MAX] {
        let rows = vec![(out("p20:0"), 20), (out("p30:0"), beyond)];
        chain.received.insert(script("thief"), rows);
        let trace = run(lied.clone(), &chain);
        let gap = unavailable(ErrorClass::Inconsistent.reason());
        assert_eq!(trace.subject_gaps(), [("thief".into(), gap)]);
        assert!(trace.settlement().seeds().is_empty());
    }
}

#[test]
fn limits_name_what_they_cut_off() {
    let mut chain = short_trail();
    chain.pay("next", 3, &["hop:0"], &[30]);
    let limited = |limits| {
        let mut plan = plan(&["theft:0"]);
        plan.limits = limits;
        run(plan, &chain)
    };
    let cut = |limit, next: Option<&str>| {
        let next = next.map(txid);
        Some(Ending::Limit { limit, next })
    };
    let hops = limited(Limits {
        hops: Some(1),
        ..Limits::NONE
    });
    assert_eq!(ending(&hops, "hop:0"), cut("hops", Some("next")));
    let nodes = limited(Limits {
        max_nodes: Some(2),
        ..Limits::NONE
    });
    assert_eq!(ending(&nodes, "hop:0"), cut("max-nodes", Some("next")));
    let requests = limited(Limits {
        max_requests: Some(3),
        ..Limits::NONE
    });
    assert_eq!(ending(&requests, "hop:0"), cut("max-requests", None));
    let amounts = limited(Limits {
        min_amount: 31_u64.into(),
        ..Limits::NONE
    });
    assert_eq!(ending(&amounts, "hop:0"), Some(Ending::BelowThreshold));
    let shares = limited(Limits {
        min_share: "0.5".parse().unwrap(),
        ..Limits::NONE
    });
    assert_eq!(ending(&shares, "hop:0"), Some(Ending::MovedOn));
    assert_eq!(ending(&shares, "hop:1"), Some(Ending::AtRest));
    for trace in [hops, nodes, requests, amounts, shares] {
        assert_balanced(&trace);
    }
}

#[test]
fn subjects_beyond_a_limit_are_refused_before_they_are_asked_for() {
    let chain = paid_thrice();
    let mut many = plan(&["p10:0", "p20:0", "p30:0"]);
    many.limits.max_nodes = Some(2);
    let refused = try_run(many.clone(), &chain, |_| {}).map(|_| ());
    assert!(matches!(
        refused,
        Err(TraceError::TooManySeeds { found: 3, limit: 2 })
    ));
    many.limits = Limits {
        max_requests: Some(2),
        ..Limits::NONE
    };
    let refused = try_run(many.clone(), &chain, |_| {}).map(|_| ());
    assert!(matches!(
        refused,
        Err(TraceError::TooFewRequests {
            needed: 3,
            limit: 2
        })
    ));
    many.subjects = vec![address("thief", 0, u64::MAX)];
    let refused = try_run(many, &chain, |_| {}).map(|_| ());
    assert!(matches!(
        refused,
        Err(TraceError::TooFewRequests {
            needed: 4,
            limit: 2
        })
    ));
}

#[test]
fn the_most_tainted_value_is_asked_for_first() {
    let mut chain = FakeChain::default();
    chain.mint("theft", 1, &[10, 30, 20]);
    for vout in 0..3 {
        let value = chain.statement("theft").outputs[vout].value.to_sat();
        chain.pay(
            &format!("hop{vout}"),
            2,
            &[&format!("theft:{vout}")],
            &[value],
        );
    }
    let (_, asked) = questions(plan_of([Subject::Transaction(txid("theft"))]), &chain);
    let fetched: Vec<_> = asked
        .iter()
        .filter_map(|query| match query {
            Query::Transaction { txid, .. } => Some(*txid),
            Query::Spends { .. } | Query::Received { .. } | Query::Evm(_) => None,
        })
        .collect();
    assert_eq!(fetched, ["theft", "hop1", "hop2", "hop0"].map(txid));
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let chain = short_trail();
    let fetch = |name| Query::Transaction {
        txid: txid(name),
        height: None,
    };
    let spends = |name| Query::Spends {
        txid: txid(name),
        height: None,
        outputs: vec![(0, script("theft:0"))],
        as_of: TIP,
    };
    let history = Query::Received {
        script: script("theft:0"),
        since: 0,
        as_of: TIP,
    };
    let all = [
        fetch("theft"),
        fetch("hop"),
        spends("theft"),
        spends("hop"),
        history,
    ];
    for asked in &all {
        for answered in all.iter().filter(|answered| *answered != asked) {
            let mut trace = Trace::new(plan(&["theft:0"]));
            let refused = trace.resolve(asked, chain.answer(answered));
            assert!(
                matches!(refused, Err(TraceError::WrongAnswer)),
                "{asked:?} {answered:?}"
            );
            assert_eq!(trace.graph().pool_count(), 0);
        }
    }
}

#[test]
fn a_contradicted_spender_becomes_a_gap() {
    let mut chain = short_trail();
    chain.statement("hop").inputs[0].spent = Some(paid(51, script("theft:0")));
    let trace = run(plan(&["theft:0"]), &chain);
    let lost = Ending::Failed {
        gap: unavailable("inconsistent"),
        next: Some(txid("hop")),
    };
    assert_eq!(ending(&trace, "theft:0"), Some(lost));
    assert_balanced(&trace);
}

#[test]
fn a_backward_trace_ends_at_newly_mined_coins() {
    let mut chain = FakeChain::default();
    chain.mint("mined", 1, &[30, 5]);
    chain.mint("older", 1, &[20]);
    chain.pay("hop", 2, &["mined:0", "older:0"], &[40, 9]);
    let mut backward = plan(&["hop:0"]);
    backward.direction = Direction::Backward;
    let (trace, asked) = questions(backward, &chain);
    assert_eq!(ending(&trace, "hop:0"), Some(Ending::MovedOn));
    assert_eq!(ending(&trace, "mined:0"), Some(Ending::Origin));
    assert_eq!(tainted(&trace, Rule::Fifo, "mined:0"), 30);
    assert_eq!(tainted(&trace, Rule::Fifo, "older:0"), 10);
    assert_eq!(
        tainted(&trace, Rule::Lifo, "older:0"),
        20,
        "the fee is the clean end of the pool"
    );
    assert_eq!(ending(&trace, "mined:1"), None);
    assert_eq!(amount(&trace, Rule::Fifo, Category::AtRest), 40);
    assert!(
        asked
            .iter()
            .all(|query| matches!(query, Query::Transaction { .. }))
    );
    assert_balanced(&trace);
}

/// What a random trace asks for.
#[derive(Debug)]
struct Random {
    number: u64,
    size: u64,
    thefts: usize,
    backward: bool,
    pro_rata: bool,
    hops: Option<u32>,
    min_share: usize,
    min_amount: u64,
    max_nodes: Option<u64>,
    max_requests: Option<u64>,
    until: Option<u64>,
    stops: Option<u64>,
}

prop_compose! {
    fn random_trace()(
        number: u64, size in 1_u64..150, thefts in 1_usize..5, backward: bool, pro_rata: bool,
        hops in proptest::option::of(0_u32..8), min_share in 0_usize..6, min_amount in 0_u64..6,
        max_nodes in proptest::option::of(4_u64..60), max_requests in proptest::option::of(4_u64..90),
        until in proptest::option::of(1_u64..60), stops: Option<u64>,
    ) -> Random {
        Random { number, size, thefts, backward, pro_rata, hops, min_share, min_amount, max_nodes, max_requests, until, stops }
    }
}

impl Random {
    fn ledger(&self) -> Vec<TransactionStatement> {
        ledgers::random(self.number, self.size)
    }

    fn plan(&self, ledger: &[TransactionStatement]) -> Plan {
        let mut dice = Dice(self.number ^ 0x5eed);
        let subjects = (0..self.thefts).map(|_| subject(ledger, &mut dice));
        let mut plan = plan_of(subjects.collect::<Vec<_>>());
        plan.context = vec![ledger[dice.roll(ledger.len() as u64) as usize].txid];
        plan.as_of = Some(block(self.until.unwrap_or(TIP)));
        plan.fee_rule = FeeRule::ALL[usize::from(self.pro_rata)];
        plan.direction = Direction::ALL[usize::from(self.backward)];
        plan.limits = Limits {
            hops: self.hops,
            min_share: ["0", "0", "0.001", "0.1", "0.5", "1"][self.min_share]
                .parse()
                .unwrap(),
            min_amount: self.min_amount.into(),
            max_nodes: self.max_nodes,
            max_requests: self.max_requests,
        };
        if let Some(number) = self.stops {
            plan.venues = Arc::new(Scattered(number));
        }
        plan
    }
}

fn subject(ledger: &[TransactionStatement], dice: &mut Dice) -> Subject {
    let transaction = &ledger[dice.roll(ledger.len() as u64) as usize];
    let vout = dice.roll(transaction.outputs.len() as u64) as u32;
    let txid = transaction.txid;
    match dice.roll(3) {
        0 => Subject::Transaction(txid),
        _ => Subject::Output(OutPoint { txid, vout }),
    }
}

/// Runs a trace of which nothing is refused but subjects beyond the limits.
fn traced(plan: Plan, chain: &FakeChain, arrange: impl FnMut(&mut Vec<Query>)) -> Option<Trace> {
    match try_run(plan, chain, arrange) {
        Ok(trace) => Some(trace),
        Err(TraceError::TooManySeeds { .. } | TraceError::TooFewRequests { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

fn assert_within_limits(trace: &Trace) {
    let limits = &trace.plan().limits;
    let graph = trace.graph();
    let visited = graph
        .pools()
        .filter(|pool| graph.pool(*pool).visited)
        .count() as u64;
    assert!(visited <= trace.visits());
    assert!(limits.max_nodes.is_none_or(|limit| trace.visits() <= limit));
    assert!(
        limits
            .max_requests
            .is_none_or(|limit| trace.questions() <= limit)
    );
    for flow in graph.flows() {
        let unlimited = *limits == Limits::NONE;
        if let Some(Ending::Limit { limit, .. }) = trace.ending(flow).unwrap() {
            assert!(!unlimited, "{limit}");
            assert!(limit != "max-nodes" || trace.visits() == limits.max_nodes.unwrap());
            assert!(limit != "max-requests" || trace.questions() == limits.max_requests.unwrap());
            assert!(limit != "hops" || limits.hops.is_some());
        }
    }
}

/// What is said about some outputs instead of the truth.
fn tell_lies(chain: &mut FakeChain, ledger: &[TransactionStatement], dice: &mut Dice) {
    let any = |dice: &mut Dice| ledger[dice.roll(ledger.len() as u64) as usize].txid;
    for transaction in ledger {
        if dice.roll(12) == 0 {
            chain.missing.insert(transaction.txid);
        }
        for vout in 0..transaction.outputs.len() as u32 {
            let output = OutPoint {
                txid: transaction.txid,
                vout,
            };
            let by = any(dice);
            let lie = match dice.roll(20) {
                0 => SpendState::Unspent,
                1 => SpendState::SpentUnconfirmed { by },
                2 | 3 => SpendState::Spent {
                    by,
                    height: dice.roll(60),
                },
                4 => SpendState::Unknown {
                    gap: Gap::SpendUnknown {
                        reason: "no index".into(),
                    },
                },
                5 => {
                    chain.silent.insert(output);
                    continue;
                }
                _ => continue,
            };
            chain.lies.insert(output, lie);
        }
    }
    for _ in 0..dice.roll(3) {
        let by = any(dice);
        let vout = dice.roll(4) as u32;
        chain
            .unasked
            .push((vout, SpendState::Spent { by, height: 1 }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_stolen_unit_is_counted_once_within_any_limits(random in random_trace()) {
        let ledger = random.ledger();
        let chain = FakeChain::of(&ledger);
        if let Some(trace) = traced(random.plan(&ledger), &chain, |_| {}) {
            assert_balanced(&trace);
            assert_within_limits(&trace);
        }
    }

    #[test]
    fn nothing_is_asked_twice(random in random_trace()) {
        let ledger = random.ledger();
        let mut asked = BTreeSet::new();
        let mut fetched = BTreeSet::new();
        traced(random.plan(&ledger), &FakeChain::of(&ledger), |wave| {
            for query in wave {
                match query {
                    Query::Transaction { txid, .. } => assert!(fetched.insert(*txid)),
                    Query::Spends { txid, outputs, .. } => {
                        let new = |(vout, _): &(u32, _)| asked.insert((*txid, *vout));
                        assert!(outputs.iter().all(new));
                    }
                    Query::Received { .. } | Query::Evm(_) => panic!("no address was named"),
                }
            }
        });
    }

    #[test]
    fn a_trace_is_the_same_whatever_answer_arrives_first(random in random_trace(), number: u64) {
        let ledger = random.ledger();
        let chain = FakeChain::of(&ledger);
        let mut dice = Dice(number);
        let straight = traced(random.plan(&ledger), &chain, |_| {});
        let again = traced(random.plan(&ledger), &chain, |_| {});
        let shuffled = traced(random.plan(&ledger), &chain, |wave| shuffle(wave, &mut dice));
        let told = |trace: Option<Trace>| trace.map(|trace| outcome(&trace));
        let expected = told(straight);
        prop_assert_eq!(&told(again), &expected);
        prop_assert_eq!(told(shuffled), expected);
    }

    #[test]
    fn a_trace_that_is_interrupted_balances(random in random_trace(), number: u64, waves in 0_u64..12) {
        let ledger = random.ledger();
        let chain = FakeChain::of(&ledger);
        let mut dice = Dice(number);
        let mut trace = Trace::new(random.plan(&ledger));
        for left in (0..waves).rev() {
            let Ok(wave) = trace.next_wave() else { return Ok(()) };
            for query in wave {
                if left > 0 || dice.roll(2) == 0 {
                    resolve(&mut trace, &chain, &query).unwrap();
                }
            }
        }
        trace.finish().unwrap();
        assert_balanced(&trace);
    }

    #[test]
    fn lies_and_losses_end_trails_and_lose_no_unit(random in random_trace(), number: u64) {
        let ledger = random.ledger();
        let mut chain = FakeChain::of(&ledger);
        tell_lies(&mut chain, &ledger, &mut Dice(number));
        if let Some(trace) = traced(random.plan(&ledger), &chain, |_| {}) {
            assert_balanced(&trace);
            assert_within_limits(&trace);
            let truth: BTreeSet<OutPoint> = ledger.iter().flat_map(|transaction| &transaction.inputs).map(|input| input.previous).collect();
            for flow in trace.graph().flows() {
                let spent = trace.graph().flow(flow).spender.is_some();
                prop_assert!(!spent || truth.contains(&trace.graph().outpoint(flow)));
            }
        }
    }

    #[test]
    fn backward_traces_without_limits_end_at_newly_mined_coins(random in random_trace()) {
        let ledger = random.ledger();
        let chain = FakeChain::of(&ledger);
        let mut plan = random.plan(&ledger);
        plan.direction = Direction::Backward;
        plan.limits = Limits::NONE;
        plan.venues = Arc::new(NoVenues);
        let trace = run(plan, &chain);
        assert_balanced(&trace);
        for flow in trace.graph().flows() {
            let ending = trace.ending(flow).unwrap();
            let minted = trace.graph().pool(trace.graph().flow(flow).creator).inputs.is_empty();
            let expected = if minted { Ending::Origin } else { Ending::MovedOn };
            prop_assert!(ending.is_none_or(|ending| ending == expected));
        }
        for row in trace.accounting().unwrap() {
            prop_assert_eq!(row.amount(Category::AtRest), row.stolen);
        }
    }

    #[test]
    fn fifo_backward_mirrors_fifo_forward(number: u64, size in 2_u64..120, from: u64, to: u64) {
        let ledger = ledgers::random(number, size);
        let chain = FakeChain::of(&ledger);
        let output = |number: u64| {
            let mut dice = Dice(number);
            let transaction = &ledger[dice.roll(size) as usize];
            let vout = dice.roll(transaction.outputs.len() as u64) as u32;
            OutPoint { txid: transaction.txid, vout }
        };
        let reach = |from: OutPoint, to: OutPoint, direction| {
            let mut plan = plan_of([Subject::Output(from)]);
            plan.rules = vec![Rule::Fifo];
            plan.direction = direction;
            let trace = run(plan, &chain);
            let found = trace.graph().find_output(&to);
            found.map_or(0, |flow| trace.settlement().tainted(Rule::Fifo, flow))
        };
        let (from, to) = (output(from), output(to));
        let forward = reach(from, to, Direction::Forward);
        prop_assert_eq!(forward, reach(to, from, Direction::Backward));
    }
}
