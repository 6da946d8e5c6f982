//! From a settled trace on an EVM chain to a report.

mod flows;
mod nodes;

use std::collections::BTreeMap;

use hansel_graph::{
    AccountEnding, AccountTrace, Accounting as Balance, Category, Parcel, PoolState, Rule, SeedIx,
};
use hansel_ledger::{Amount, AmountError, Chain, Coin, Gap, TransferId};

use crate::build::{BuildError, Built, Heading, entry, limits_of};
use crate::model::{
    Accounting, AssetEntry, Case, Confidence, Finding, SchemaName, Seed, Shared, Sorted, Timestamp,
    Tip, Unknown,
};
use crate::{Report, cash_outs};

/// Lays a trace on an EVM chain out as a report.
pub fn build_accounts(trace: &AccountTrace, heading: Heading) -> Result<Built, BuildError> {
    let ends = ends(trace);
    let flows = flows::list(trace);
    let nodes = nodes::list(trace, &ends, &flows)?;
    let gaps = trace.subject_gaps();
    let partial = !heading.unknown.is_empty()
        || !gaps.is_empty()
        || ends.iter().any(|end| end.leaves_open())
        || nodes.iter().any(|node| !node.gaps.is_empty());
    let unknown = unknowns(trace, &ends, &nodes, gaps, heading.unknown);
    let plan = trace.plan();
    let mut report = Report {
        schema: SchemaName,
        case: Case {
            name: heading.name,
            title: heading.title,
            training: heading.training,
            subjects: heading.subjects,
            direction: hansel_graph::Direction::Forward,
            limits: limits_of(&plan.limits, heading.until),
            overrides: heading.overrides,
            rules: trace.settlement().rules().collect(),
            fee_rule: plan.fee_rule,
        },
        tips: vec![Tip {
            chain: plan.chain.name().to_owned(),
            height: plan.as_of.height,
            hash: plan.as_of.evm_hash().to_string(),
        }],
        seeds: seeds(trace),
        assets: assets(trace),
        accounting: trace
            .accounting()?
            .iter()
            .map(accounting)
            .collect::<Result<_, _>>()?,
        unknown,
        findings: spam(trace),
        nodes,
        flows,
        cash_outs: Vec::new(),
        values: None,
        sources: heading.sources,
    };
    report.cash_outs = cash_outs::list(&report)?;
    Ok(Built { report, partial })
}

/// What became of the value in one pool.
struct End<'a> {
    pool: PoolState<'a>,
    ending: AccountEnding,
}

impl End<'_> {
    /// True where something within the limits asked for is not known.
    fn leaves_open(&self) -> bool {
        match &self.ending {
            AccountEnding::Failed { .. } => true,
            AccountEnding::Limit { limit } => *limit != "hops",
            AccountEnding::AtRest
            | AccountEnding::Hub { .. }
            | AccountEnding::Contract
            | AccountEnding::Bridge { .. }
            | AccountEnding::Venue(_)
            | AccountEnding::Burned
            | AccountEnding::BelowThreshold => false,
        }
    }
}

fn ends(trace: &AccountTrace) -> Vec<End<'_>> {
    let pools = trace.settlement().pools();
    pools
        .map(|pool| End {
            ending: trace.ending(&pool),
            pool,
        })
        .collect()
}

/// How flows and seeds name a coin: by the ticker that the configuration vouches for, else by its contract.
fn name(chain: &Chain, coin: Coin) -> String {
    let known = chain.evm().and_then(|network| network.asset(coin));
    match (known, coin) {
        (Some(asset), _) => asset.symbol.clone(),
        (None, Coin::Token(contract)) => contract.to_string(),
        (None, Coin::Native) => chain.native().symbol,
    }
}

fn decimals(chain: &Chain, coin: Coin) -> Option<u8> {
    let known = chain.evm().and_then(|network| network.asset(coin));
    known.map(|asset| asset.decimals)
}

fn assets(trace: &AccountTrace) -> Vec<AssetEntry> {
    let chain = &trace.plan().chain;
    let mut coins: Vec<Coin> = trace
        .settlement()
        .pools()
        .map(|pool| pool.key.coin)
        .chain(trace.seeds().iter().map(|seed| seed.coin))
        .collect();
    coins.sort();
    coins.dedup();
    let entry = |coin: Coin| AssetEntry {
        chain: chain.name().to_owned(),
        asset: name(chain, coin),
        contract: match coin {
            Coin::Native => None,
            Coin::Token(contract) => Some(contract.to_string()),
        },
        decimals: decimals(chain, coin),
    };
    coins.into_iter().map(entry).collect()
}

fn seeds(trace: &AccountTrace) -> Vec<Seed> {
    let chain = &trace.plan().chain;
    let row = |(position, seed): (usize, &hansel_graph::AccountSeed)| {
        let placement = trace.facts().transaction(&seed.hash)?.placement;
        Some(Seed {
            id: SeedIx::from_position(position)?.id(),
            chain: chain.name().to_owned(),
            asset: name(chain, seed.coin),
            decimals: decimals(chain, seed.coin).unwrap_or(0),
            amount: seed.amount,
            tx: seed.hash.to_string(),
            vout: None,
            flow: Some(TransferId::movement(chain, &seed.hash, &seed.origin).into()),
            to: Some(seed.to.to_string()),
            block: Some(placement.block.height),
            time: Some(Timestamp(placement.block.time)),
        })
    };
    trace.seeds().iter().enumerate().filter_map(row).collect()
}

fn accounting(balance: &Balance<Amount>) -> Result<Accounting, AmountError> {
    let amount = |category: Category| balance.amount(category);
    Ok(Accounting {
        seed: balance.seed.id(),
        rule: balance.rule,
        stolen: balance.stolen,
        at_rest: amount(Category::AtRest),
        exchanges: amount(Category::Exchanges),
        mixers: amount(Category::Mixers),
        bridges: amount(Category::Bridges),
        services: amount(Category::Services),
        hubs: amount(Category::Hubs),
        frontier: amount(Category::Frontier),
        below_threshold: amount(Category::BelowThreshold),
        fees: amount(Category::Fees),
        burned: amount(Category::Burned),
        total: balance.total().ok_or(AmountError::Overflow)?,
    })
}

/// What is not known: by node, by subject, by limit, and conversions that allow more than one reading.
fn unknowns(
    trace: &AccountTrace,
    ends: &[End<'_>],
    nodes: &[crate::model::Node],
    gaps: Vec<(String, Gap)>,
    mut unknown: Vec<Unknown>,
) -> Vec<Unknown> {
    for node in nodes {
        let gaps = node.gaps.iter();
        unknown.extend(gaps.map(|gap| entry(&node.id, &gap.kind, &gap.detail)));
    }
    for (subject, gap) in gaps {
        unknown.push(entry(&subject, gap.kind(), &gap.to_string()));
    }
    let mut limits: BTreeMap<&str, u64> = BTreeMap::new();
    for end in ends {
        if let AccountEnding::Limit { limit } = end.ending {
            *limits.entry(limit).or_default() += 1;
        }
    }
    let chain = trace.plan().chain.name();
    for (limit, pools) in limits {
        let detail =
            format!("{pools} tainted holdings were not followed because of the limit `{limit}`");
        unknown.push(entry(chain, "limit", &detail));
    }
    for reading in trace.settlement().readings() {
        let tx = reading.hash.to_string();
        let gap = Gap::AmbiguousConversion {
            tx: tx.clone(),
            reading: reading.text.clone(),
        };
        unknown.push(entry(&tx, gap.kind(), &gap.to_string()));
    }
    unknown.sort();
    unknown.dedup();
    unknown
}

/// Counts what was logged in a followed account's name without moving anything.
fn spam(trace: &AccountTrace) -> Vec<Finding> {
    let chain = &trace.plan().chain;
    let noisy = trace.noise().filter(|(_, noise)| noise.total() > 0);
    let finding = |(key, noise): (&hansel_graph::PoolKey, &hansel_ledger::Noise)| {
        let node = String::from(hansel_ledger::NodeId::account(chain, &key.account));
        let counts = [
            ("zero_value", noise.zero_value),
            ("forged", noise.forged),
            ("collectibles", noise.collectibles),
            ("unreadable", noise.unreadable),
        ];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        Finding {
            heuristic: "evm.noise".into(),
            summary: format!(
                "logs in the name of an account that move nothing and draw no edge: {} in {} name {}",
                noise.total(),
                name(chain, key.coin),
                key.account
            ),
            subjects: vec![node],
            confidence: Confidence::Certain,
            evidence: Vec::new(),
            error_rate: hansel_heuristics::NO_ERROR_RATE.to_owned(),
            parameters: counts
                .map(|(kind, count)| (kind.to_owned(), count.into()))
                .chain([("asset".to_owned(), name(chain, key.coin).into())])
                .collect(),
        }
    };
    noisy.map(finding).collect()
}

fn tainted(parcels: &[Parcel]) -> Amount {
    let amounts = parcels.iter().filter(|parcel| parcel.owner.is_some());
    Amount::checked_sum(amounts.map(|parcel| parcel.amount)).unwrap_or_default()
}

/// What each seed claims; nothing for a rule that does not conserve value.
fn claims(rule: Rule, parcels: &[Parcel]) -> Sorted<Shared, Amount> {
    let mut by_seed: BTreeMap<SeedIx, Amount> = BTreeMap::new();
    for parcel in parcels.iter().filter(|_| rule.conserves()) {
        if let Some(seed) = parcel.owner {
            let sum = by_seed.entry(seed).or_default();
            *sum = sum.checked_add(parcel.claim).unwrap_or(*sum);
        }
    }
    by_seed
        .into_iter()
        .map(|(seed, claim)| (seed.id().into(), claim))
        .collect()
}
