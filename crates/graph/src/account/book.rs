//! What one rule says about every pool and every flow.

use hansel_ledger::{Amount, AmountError};
use smallvec::SmallVec;

use super::holding::Holding;
use super::ledger::Opening;
use super::parcel::{Parcel, append, capped, tainted};
use super::settlement::AccountSeed;
use super::shelf::{Run, Shelf};
use super::workings::{PoolChange, PoolStep, sum};
use crate::{Rule, SeedIx};

/// One rule's view.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) rule: Rule,
    pub(crate) held: Vec<Held>,
    parcels: Shelf<Parcel>,
    /// By seed: what it claims, once what earlier seeds claim of it is taken off.
    pub(crate) stolen: Vec<Amount>,
    /// By seed: what it claims at most.
    pub(crate) most: Vec<Amount>,
    /// By seed: what was paid for gas.
    pub(crate) gas: Vec<Amount>,
    /// Of the transaction at hand: what each node received and has not passed on.
    pub(crate) transits: Vec<Holding>,
    /// Of the transaction at hand: the parcels of each movement, then those of the gas.
    steps: Vec<Run>,
}

/// One pool under one rule.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) holding: Holding,
    /// Ascending by seed.
    claims: SmallVec<[SeedClaim; 1]>,
    /// How much more was drawn than was known to be there; apart, because few pools have one.
    shortfall: Option<Box<Amount>>,
    /// What happened here, where somebody asks.
    #[expect(
        clippy::box_collection,
        reason = "one word in every pool, and nearly no pool has one"
    )]
    diary: Option<Box<Vec<PoolStep>>>,
}

#[derive(Clone, Copy, Debug)]
struct SeedClaim {
    seed: SeedIx,
    now: Amount,
    peak: Amount,
}

impl Held {
    fn new(rule: Rule) -> Self {
        Self {
            holding: Holding::pool(rule),
            claims: SmallVec::new(),
            shortfall: None,
            diary: None,
        }
    }

    /// Writes down from now on what happens here.
    pub(crate) fn watch(&mut self) {
        self.diary = Some(Box::default());
    }

    /// The steps written down, of which the caller fills in transaction and block.
    pub(crate) fn diary(&mut self) -> &mut [PoolStep] {
        self.diary.as_deref_mut().map_or(&mut [], Vec::as_mut_slice)
    }

    fn write(&mut self, change: PoolChange, parcels: &[Parcel]) {
        let Some(diary) = &mut self.diary else {
            return;
        };
        if parcels.is_empty() && change != PoolChange::Opening {
            return;
        }
        let before = diary.last().map_or(Amount::ZERO, |step| step.tainted);
        let moved = sum(parcels.iter().filter(|one| one.owner.is_some()));
        let tainted = match change {
            PoolChange::Opening => before,
            PoolChange::Arrival => capped(before, moved),
            PoolChange::Draw => before.checked_sub(moved).unwrap_or(Amount::ZERO),
        };
        let balance = self.holding.total();
        diary.push(PoolStep {
            tx: None,
            height: 0,
            change,
            parcels: parcels.to_vec(),
            balance,
            tainted: self.holding.poisoned().unwrap_or(tainted.min(balance)),
        });
    }

    /// Pours parcels in; where the pool is not followed only what is tainted counts.
    pub(crate) fn pour(&mut self, parcels: &[Parcel], followed: bool) -> Result<(), AmountError> {
        for parcel in parcels {
            if let Some(seed) = parcel.owner {
                self.holding.pour_one(*parcel)?;
                self.gain(seed, parcel.claim)?;
            } else if followed {
                self.holding.pour_one(*parcel)?;
            }
        }
        if self.diary.is_some() {
            let counts = |one: &&Parcel| followed || one.owner.is_some();
            let counted: Vec<Parcel> = parcels.iter().filter(counts).copied().collect();
            self.write(PoolChange::Arrival, &counted);
        }
        Ok(())
    }

    fn gain(&mut self, seed: SeedIx, claim: Amount) -> Result<(), AmountError> {
        match self.claims.binary_search_by_key(&seed, |one| one.seed) {
            Ok(place) => {
                let one = &mut self.claims[place];
                // Only poison, which conserves nothing, can exceed the largest amount.
                one.now = one.now.checked_add(claim).unwrap_or(one.now);
                one.peak = one.peak.max(one.now);
            }
            Err(place) => self.claims.insert(
                place,
                SeedClaim {
                    seed,
                    now: claim,
                    peak: claim,
                },
            ),
        }
        Ok(())
    }

    /// Draws `amount`; clean value of unknown origin fills in for what is not there.
    pub(crate) fn draw(
        &mut self,
        amount: Amount,
        pro_rata: bool,
        drawn: &mut Vec<Parcel>,
        out: &mut Vec<Parcel>,
    ) -> Result<(), AmountError> {
        if self.diary.is_some() {
            return self.draw_written(amount, pro_rata, out);
        }
        self.draw_plain(amount, pro_rata, drawn, out)
    }

    /// Draws as ever, apart from what was drawn before, and writes it down.
    fn draw_written(
        &mut self,
        amount: Amount,
        pro_rata: bool,
        out: &mut Vec<Parcel>,
    ) -> Result<(), AmountError> {
        let mut here = Vec::new();
        self.draw_plain(amount, pro_rata, &mut Vec::new(), &mut here)?;
        self.write(PoolChange::Draw, &here);
        here.into_iter().try_for_each(|parcel| append(out, parcel))
    }

    fn draw_plain(
        &mut self,
        amount: Amount,
        pro_rata: bool,
        drawn: &mut Vec<Parcel>,
        out: &mut Vec<Parcel>,
    ) -> Result<(), AmountError> {
        // Straight into an empty list, which is the common case; else apart, to tell what was drawn here.
        let missing = if out.is_empty() {
            let missing = self.take(amount, pro_rata, out)?;
            self.lose(out);
            missing
        } else {
            drawn.clear();
            let missing = self.take(amount, pro_rata, drawn)?;
            self.lose(drawn);
            for parcel in drawn.iter() {
                append(out, *parcel)?;
            }
            missing
        };
        if !missing.is_zero() {
            let before = self.shortfall();
            let after = before.checked_add(missing).unwrap_or(before);
            self.shortfall = Some(Box::new(after));
            append(out, Parcel::clean(missing))?;
        }
        Ok(())
    }

    /// How much more was drawn than was known to be there.
    pub(crate) fn shortfall(&self) -> Amount {
        self.shortfall.as_deref().copied().unwrap_or_default()
    }

    fn take(
        &mut self,
        amount: Amount,
        pro_rata: bool,
        out: &mut Vec<Parcel>,
    ) -> Result<Amount, AmountError> {
        if pro_rata {
            self.holding.draw_pro_rata(amount, out)
        } else {
            self.holding.draw(amount, out)
        }
    }

    fn lose(&mut self, drawn: &[Parcel]) {
        for parcel in drawn {
            let Some(seed) = parcel.owner else { continue };
            if let Ok(place) = self.claims.binary_search_by_key(&seed, |one| one.seed) {
                let one = &mut self.claims[place];
                // Only poison draws more than was poured in; for the other rules the sum at the end is checked.
                one.now = one.now.checked_sub(parcel.claim).unwrap_or(Amount::ZERO);
            }
        }
    }

    /// Makes the balance what a statement says it was: clean value is added or let go, taint stays.
    pub(crate) fn open(&mut self, opening: Opening) -> Result<(), AmountError> {
        let Opening { balance, first } = opening;
        match balance.checked_sub(self.holding.total()) {
            Ok(more) if first => self.holding.pour_under(more)?,
            Ok(more) => self.holding.pour_one(Parcel::clean(more))?,
            Err(_) => self.holding.shrink_to(balance)?,
        }
        self.write(PoolChange::Opening, &[]);
        Ok(())
    }

    /// True where taint ever rested here.
    pub(crate) fn was_tainted(&self) -> bool {
        !self.claims.is_empty()
    }

    /// The largest claim of each seed that was ever held at once, ascending by seed.
    pub(crate) fn peaks(&self) -> impl Iterator<Item = (SeedIx, Amount)> + '_ {
        self.claims.iter().map(|one| (one.seed, one.peak))
    }

    /// The tainted value left, in the order in which the rule would let it leave.
    pub(crate) fn residual(&self) -> Result<Vec<Parcel>, AmountError> {
        let mut order = self.holding.leaving_order()?;
        order.retain(|parcel| parcel.owner.is_some());
        Ok(order)
    }
}

impl Book {
    pub(crate) fn new(rule: Rule, seeds: &[AccountSeed]) -> Self {
        Self {
            rule,
            held: Vec::new(),
            parcels: Shelf::default(),
            stolen: vec![Amount::ZERO; seeds.len()],
            most: seeds.iter().map(|seed| seed.most(rule)).collect(),
            gas: vec![Amount::ZERO; seeds.len()],
            transits: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Makes the tables long enough for so many pools.
    pub(crate) fn grow(&mut self, pools: usize) {
        let rule = self.rule;
        if self.held.len() < pools {
            self.held.resize_with(pools, || Held::new(rule));
        }
    }

    /// Begins a transaction of so many nodes and movements.
    pub(crate) fn begin(&mut self, nodes: usize, movements: usize) {
        let rule = self.rule;
        for transit in self.transits.iter_mut().take(nodes) {
            transit.clear();
        }
        if self.transits.len() < nodes {
            self.transits.resize_with(nodes, || Holding::transit(rule));
        }
        self.steps.clear();
        self.steps.resize(movements + 1, Run::default());
    }

    /// Notes the parcels of a step of the transaction at hand, unless they are clean or it has some.
    pub(crate) fn note(&mut self, step: usize, parcels: &[Parcel]) {
        if self.steps[step].is_empty() && tainted(parcels) {
            self.steps[step] = self.parcels.add(parcels.iter().copied());
        }
    }

    /// True where a step of the transaction at hand carries taint.
    pub(crate) fn noted(&self, step: usize) -> bool {
        !self.steps[step].is_empty()
    }

    /// Makes a step of the transaction at hand a flow, and says where its parcels are.
    pub(crate) fn keep(&self, step: usize) -> Run {
        self.steps[step]
    }

    /// The parcels of a flow; empty where it is clean.
    pub(crate) fn of_flow(&self, flow: Run) -> &[Parcel] {
        self.parcels.at(flow)
    }
}
