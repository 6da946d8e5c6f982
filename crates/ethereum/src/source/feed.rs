//! Prices that a contract tells, as of the block in which they were told.

use alloy_primitives::{Address, Bytes, U256, keccak256};
use alloy_sol_types::SolValue;
use hansel_ledger::{Amount, BlockRef, ErrorClass, FeedPrice, LONGEST_PAIR, SourceError, UnixTime};
use serde_json::{Value, json};

use super::reader::{Reader, hex};
use crate::decode::HeaderLean;
use crate::rpc::{Heard, RpcFailure, RpcKind};

/// More digits than 128 bits have.
const MOST_DECIMALS: u8 = 38;
/// `roundId`, `answer`, `startedAt`, `updatedAt` and `answeredInRound`.
const WORDS: usize = 5;

impl Reader {
    /// See [`hansel_ledger::ChainSource::feed_price`].
    pub(crate) async fn feed_price(
        &self,
        feed: Address,
        time: UnixTime,
    ) -> Result<Option<FeedPrice>, SourceError> {
        let Some(block) = self.last_block_until(time).await? else {
            return Ok(None);
        };
        let functions = ["latestRoundData()", "decimals()", "description()"];
        let calls = functions.map(|function| view(feed, function, block.height));
        let mut heard = self.ask.batch(calls).await.into_iter();
        let mut next = || heard.next().expect("each call has an outcome");
        let (price, decimals, pair) = (next(), next(), next());
        // A feed that nobody has told a price reverts.
        let price = match price {
            Err(RpcFailure {
                kind: RpcKind::Reverted,
                ..
            }) => return Ok(None),
            price => self.data(price)?,
        };
        let Some(price) = price else { return Ok(None) };
        let decimals = self.data(decimals)?.and_then(|(_, data)| digits(&data));
        let pair = self.data(pair)?.and_then(|(_, data)| words(&data));
        let told = decimals.zip(pair).and_then(|(decimals, pair)| {
            let (round, answer, updated) = round(&price.1)?;
            Some(FeedPrice {
                block,
                pair,
                round,
                answer,
                decimals,
                updated: UnixTime(updated),
            })
        });
        let told = told.filter(|told| told.updated <= block.time);
        told.map(Some).ok_or_else(|| {
            let detail = "the contract tells no price as a feed does";
            let error = self.ask.malformed(&price.0, detail);
            let class = ErrorClass::Unsupported;
            SourceError { class, ..error }
        })
    }

    /// The answer of a call and its data; `None` where there is no contract.
    fn data(
        &self,
        heard: Result<Heard, RpcFailure>,
    ) -> Result<Option<(Heard, Bytes)>, SourceError> {
        let heard = heard.map_err(|failure| failure.error)?;
        let data: Bytes = serde_json::from_slice(heard.json())
            .map_err(|_| self.ask.malformed(&heard, "the result is no data"))?;
        Ok((!data.is_empty()).then_some((heard, data)))
    }

    /// The newest block that is not after a moment; `None` where the chain is younger.
    ///
    /// Searches by the times of blocks, which grow: from where the moment would be if blocks came at an even pace, and by
    /// halves in turns, so that no chain is searched for long.
    async fn last_block_until(&self, time: UnixTime) -> Result<Option<BlockRef>, SourceError> {
        let (first, newest) = (self.header(0).await?, self.newest().await?);
        if first.value.timestamp > time.0 {
            return Ok(None);
        }
        if newest.timestamp <= time.0 {
            return Ok(Some(newest.block_ref()));
        }
        let (mut low, mut high) = (point(&first.value), point(&newest));
        let mut found = first.value.block_ref();
        let mut halve = false;
        while high.0 - low.0 > 1 {
            let guess = if halve {
                low.0 + (high.0 - low.0) / 2
            } else {
                between(low, high, time.0)
            };
            halve = !halve;
            let header = self.header(guess).await?;
            if header.value.timestamp <= time.0 {
                low = point(&header.value);
                found = header.value.block_ref();
            } else {
                high = point(&header.value);
            }
        }
        Ok(Some(found))
    }
}

/// Height and time.
type Point = (u64, u64);

fn point(header: &HeaderLean) -> Point {
    (header.number, header.timestamp)
}

/// The height at which a moment would be at an even pace, strictly between the two, which are two or more apart.
fn between(low: Point, high: Point, time: u64) -> u64 {
    let (blocks, seconds) = (high.0 - low.0, high.1.saturating_sub(low.1).max(1));
    let past = u128::from(time.saturating_sub(low.1)) * u128::from(blocks) / u128::from(seconds);
    let past = u64::try_from(past).unwrap_or(u64::MAX);
    low.0 + past.clamp(1, blocks - 1)
}

fn view(feed: Address, function: &str, height: u64) -> (&'static str, Value) {
    let data = Bytes::copy_from_slice(&keccak256(function)[..4]);
    let call = json!({ "to": feed, "data": data });
    ("eth_call", json!([call, hex(height)]))
}

fn digits(data: &Bytes) -> Option<u8> {
    let word = U256::from_be_bytes(*data.first_chunk::<32>()?);
    let digits = u8::try_from(word).ok()?;
    (digits <= MOST_DECIMALS).then_some(digits)
}

fn words(data: &Bytes) -> Option<String> {
    let text = String::abi_decode(data).ok()?;
    (!text.is_empty() && text.len() <= LONGEST_PAIR).then_some(text)
}

/// Number, price and moment of a round; the price is `None` where it is not above zero or was never told. `None` for what
/// is no round.
fn round(data: &Bytes) -> Option<(u128, Option<Amount>, u64)> {
    let (words, rest) = data.as_chunks::<32>();
    if words.len() != WORDS || !rest.is_empty() {
        return None;
    }
    let word = |at: usize| U256::from_be_bytes(words[at]);
    let updated = u64::try_from(word(3)).ok()?;
    // A price below zero has the highest bit set.
    let answer = if word(1).is_zero() || word(1).bit(255) || updated == 0 {
        None
    } else {
        Some(u128::try_from(word(1)).ok()?)
    };
    Some((
        u128::try_from(word(0)).ok()?,
        answer.map(|answer| U256::from(answer).into()),
        updated,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_lies_between_whatever_the_times_say() {
        for (low, high, time) in [
            ((0, 0), (100, 1_000), 500),
            ((0, 0), (2, 1), 1),
            ((5, 100), (9, 100), 100),
            ((5, 100), (9, 50), u64::MAX),
            ((0, 0), (u64::MAX, u64::MAX), u64::MAX - 1),
        ] {
            let guess = between(low, high, time);
            assert!(low.0 < guess && guess < high.0, "{low:?} {high:?} {time}");
        }
        assert_eq!(between((0, 0), (100, 1_000), 500), 50);
    }

    #[test]
    fn a_round_without_a_price_above_zero_tells_none_and_other_words_are_no_round() {
        let data = |answer: U256, updated: u64| {
            let words = [
                U256::from(7),
                answer,
                U256::ZERO,
                U256::from(updated),
                U256::from(7),
            ];
            Bytes::from(words.map(|word| word.to_be_bytes::<32>()).concat())
        };
        let good = data(U256::from(5), 9);
        assert_eq!(round(&good), Some((7, Some(5_u64.into()), 9)));
        assert_eq!(round(&data(U256::ZERO, 9)), Some((7, None, 9)));
        assert_eq!(round(&data(U256::MAX, 9)), Some((7, None, 9)));
        assert_eq!(round(&data(U256::from(5), 0)), Some((7, None, 0)));
        assert_eq!(round(&data(U256::MAX >> 1, 9)), None);
        assert_eq!(round(&good.slice(..159)), None);
        assert_eq!(round(&Bytes::from([good.as_ref(), &[0]].concat())), None);
    }
}
