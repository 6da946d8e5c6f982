//! The stolen outputs that a trace starts from.

use std::num::NonZeroU32;

use bitcoin::OutPoint;

/// A seed's number, from 1, in the order in which the subjects name the stolen outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeedIx(NonZeroU32);

impl SeedIx {
    /// The seed at a position in the list of seeds.
    pub fn from_position(position: usize) -> Option<Self> {
        u32::try_from(position)
            .ok()?
            .checked_add(1)
            .and_then(NonZeroU32::new)
            .map(Self)
    }

    /// Where the seed stands in the list of seeds.
    pub fn position(self) -> usize {
        usize::try_from(self.0.get() - 1).expect("a seed number fits the address space")
    }

    /// The seed's id in reports: `s1`, `s2`, ...
    pub fn id(self) -> String {
        format!("s{}", self.0)
    }
}

/// A stolen output. In a backward trace, the output whose source is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed {
    /// Which output.
    pub outpoint: OutPoint,
    /// Its value in satoshi: the claim.
    pub amount: u64,
}
