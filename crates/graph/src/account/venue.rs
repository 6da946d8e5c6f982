//! Accounts whose code gives one coin for another.

use alloy_primitives::Address;

use super::net::{Net, Roles};
use super::plan::{Conversion, Doubt, Plan, Shape};

/// Finds the venues of a transaction, and the one that is split over several accounts.
pub(crate) fn find(plan: &mut Plan, nets: &[Net], roles: &mut Roles<'_>) {
    for net in nets {
        let both = !net.gained.is_empty() && !net.given.is_empty();
        if both && roles.ran(&net.account) && !roles.is_principal(&net.account) {
            convert(plan, net);
        }
    }
    find_split(plan, nets, roles);
}

fn convert(plan: &mut Plan, net: &Net) {
    let (shape, doubt) = match (net.gained.len(), net.given.len()) {
        (1, 1) => (Some(Shape::Joint), None),
        (1, outs) => (
            Some(Shape::PartsOut),
            Some(format!(
                "{} took one coin and gave {outs}: an equal part of what it took counts for each",
                net.account
            )),
        ),
        (ins, 1) => (
            Some(Shape::PartsIn),
            Some(format!(
                "{} took {ins} coins and gave one: each coin counts for an equal part of it",
                net.account
            )),
        ),
        (ins, outs) => (
            None,
            Some(format!(
                "{} took {ins} coins and gave {outs}: nothing was converted, and what it took rests there",
                net.account
            )),
        ),
    };
    let ins: Vec<usize> = net.gained.iter().map(|(node, _)| *node).collect();
    plan.doubts.extend(doubt.map(|text| Doubt {
        nodes: ins.clone(),
        text,
    }));
    plan.conversions.extend(shape.map(|shape| Conversion {
        ins,
        outs: net.given.clone(),
        shape,
    }));
}

/// Finds the one principal that gave one coin, all of it to code that gave nothing, and got another, all of it from
/// code that took nothing: the accounts of that code are one venue.
fn find_split(plan: &mut Plan, nets: &[Net], roles: &mut Roles<'_>) {
    let mut traders = nets
        .iter()
        .filter(|net| net.gained.len() == 1 && net.given.len() == 1)
        .filter(|net| roles.is_principal(&net.account));
    let (Some(trader), None) = (traders.next(), traders.next()) else {
        return;
    };
    let coin_of = |node: usize| plan.nodes[node].key.coin;
    let (sold, bought) = (coin_of(trader.given[0].0), coin_of(trader.gained[0].0));
    let (mut ins, mut outs) = (Vec::new(), Vec::new());
    for net in nets.iter().filter(|net| net.account != trader.account) {
        let took = net.gained.iter().find(|(node, _)| coin_of(*node) == sold);
        let gave = net.given.iter().find(|(node, _)| coin_of(*node) == bought);
        let resells = net.given.iter().any(|(node, _)| coin_of(*node) == sold);
        let one_sided = net.gained.len() + net.given.len() == 1;
        let Some((node, amount)) = took.or(gave) else {
            if resells {
                return;
            }
            continue;
        };
        let runs = roles.ran(&net.account) || net.issues(plan, *node);
        if !one_sided || !runs || roles.is_principal(&net.account) {
            return;
        }
        match took {
            Some(_) => ins.push(*node),
            None => outs.push((*node, *amount)),
        }
    }
    if !ins.is_empty() && !outs.is_empty() {
        join(plan, trader.account, ins, outs);
    }
}

fn join(
    plan: &mut Plan,
    trader: Address,
    ins: Vec<usize>,
    outs: Vec<(usize, hansel_ledger::Amount)>,
) {
    plan.doubts.push(Doubt {
        nodes: ins.clone(),
        text: format!(
            "{trader} gave one coin to some contracts and got another from others: counted as one conversion"
        ),
    });
    plan.conversions.push(Conversion {
        ins,
        outs,
        shape: Shape::Joint,
    });
}
