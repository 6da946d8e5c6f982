//! What a price feed on an EVM chain says.

use crate::{Amount, BlockRef, UnixTime};

/// The longest name of a pair that is taken from a feed, in bytes.
pub const LONGEST_PAIR: usize = 64;

/// A price as a feed of the `AggregatorV3Interface` told it as of a block. Source: `@chainlink/contracts` 1.4.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPrice {
    /// The last block up to the moment that was asked for.
    pub block: BlockRef,
    /// What is priced in what, in the feed's own words, as `ETH / USD`: at most [`LONGEST_PAIR`] bytes of anything.
    pub pair: String,
    /// The feed's own number of the price.
    pub round: u128,
    /// The price in units of ten to the power of minus [`Self::decimals`]; `None` where what the feed told is not above
    /// zero.
    pub answer: Option<Amount>,
    /// The digits of the price behind the point.
    pub decimals: u8,
    /// When the feed was told the price, not after [`Self::block`].
    pub updated: UnixTime,
}
