//! How amounts of an asset are shown: the decimals come from the list of assets and from the seeds.

use std::collections::BTreeMap;

use hansel_ledger::Amount;

use crate::{Report, format_units, units, visible};

/// A token may be named by its contract, whose 42 characters must all be seen.
const LONGEST_NAME: usize = 48;

/// The decimals of the assets that a report knows.
pub(crate) struct Assets<'a> {
    decimals: BTreeMap<(&'a str, &'a str), u8>,
}

impl<'a> Assets<'a> {
    pub(crate) fn of(report: &'a Report) -> Self {
        let seeds = report.seeds.iter();
        let seeds = seeds.map(|seed| ((&*seed.chain, &*seed.asset), seed.decimals));
        let listed = report.assets.iter();
        let listed =
            listed.filter_map(|entry| Some(((&*entry.chain, &*entry.asset), entry.decimals?)));
        let mut decimals: BTreeMap<_, _> = seeds.chain(listed).collect();
        let unknown = report
            .assets
            .iter()
            .filter(|entry| entry.decimals.is_none());
        for entry in unknown {
            decimals.remove(&(&*entry.chain, &*entry.asset));
        }
        Self { decimals }
    }

    /// Every asset whose decimals are known: chain, asset, decimals; in this order.
    pub(crate) fn listed(&self) -> Vec<(&'a str, &'a str, u8)> {
        let listed = self.decimals.iter();
        listed
            .map(|((chain, asset), decimals)| (*chain, *asset, *decimals))
            .collect()
    }

    /// The digits after the decimal point, where they are known.
    pub(crate) fn decimals(&self, chain: &str, asset: &str) -> Option<u8> {
        self.decimals.get(&(chain, asset)).copied()
    }

    /// The amount with its unit; in base units where the decimals are not known.
    pub(crate) fn show(&self, chain: &str, asset: &str, amount: Amount) -> String {
        let name = visible::clipped(asset, LONGEST_NAME);
        match self.decimals.get(&(chain, asset)) {
            Some(decimals) => format!("{} {name}", format_units(amount, *decimals)),
            None => format!(
                "{} base units of {name}",
                units::grouped(&amount.to_string())
            ),
        }
    }

    /// The amount alone, in the unit that [`Self::show`] names.
    pub(crate) fn digits(&self, chain: &str, asset: &str, amount: Amount) -> String {
        let decimals = self.decimals.get(&(chain, asset)).copied().unwrap_or(0);
        format_units(amount, decimals)
    }
}
