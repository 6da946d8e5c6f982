//! Nonces, balances and code at a height.

use alloy_primitives::{Address, Bytes, U256};
use futures::FutureExt as _;
use hansel_ledger::{AccountNature, Coin, ErrorClass, SourceError};
use serde_json::{Value, json};

use super::notes::Notes;
use super::reader::{Reader, hex, number};
use crate::history::{Batch, Contradiction, Probe, Probes, WalkError};
use crate::rpc::{Ask, Heard};

/// What code of an account that delegates starts with (EIP-7702); the address follows.
const DELEGATION: [u8; 3] = [0xef, 0x01, 0x00];

impl Reader {
    /// The balance after a block; `None` where the endpoint keeps no state so old, or the token does not tell.
    pub(crate) async fn balance(
        &self,
        address: Address,
        coin: Coin,
        height: u64,
        notes: Option<&Notes>,
    ) -> Result<Option<U256>, SourceError> {
        let asked = match coin {
            Coin::Native => {
                let params = json!([address, hex(height)]);
                self.state("eth_getBalance", &params).await?
            }
            Coin::Token(contract) => {
                let call = json!({ "to": contract, "data": balance_of(address) });
                self.state("eth_call", &json!([call, hex(height)])).await?
            }
        };
        let Some(heard) = asked else {
            return Ok(None);
        };
        let balance = match coin {
            Coin::Native => {
                Some(wide_number(heard.json()).ok_or_else(|| self.not_a_number(&heard))?)
            }
            Coin::Token(_) => word(heard.json()),
        };
        if let Some(notes) = notes {
            notes.keep(&heard.evidence);
        }
        Ok(balance)
    }

    /// The nonce after a block; `None` where the endpoint keeps no state so old.
    pub(crate) async fn nonce(
        &self,
        address: Address,
        height: u64,
    ) -> Result<Option<u64>, SourceError> {
        let params = json!([address, hex(height)]);
        let Some(heard) = self.state("eth_getTransactionCount", &params).await? else {
            return Ok(None);
        };
        let nonce = number(heard.json()).ok_or_else(|| self.not_a_number(&heard))?;
        Ok(Some(nonce))
    }

    /// What kind of account it is after a block.
    pub(crate) async fn nature(
        &self,
        address: Address,
        height: u64,
        notes: &Notes,
    ) -> Result<AccountNature, SourceError> {
        let params = json!([address, hex(height)]);
        let Some(heard) = self.state("eth_getCode", &params).await? else {
            return Ok(AccountNature::Unknown);
        };
        let code: Option<Bytes> = serde_json::from_slice(heard.json()).ok();
        notes.keep(&heard.evidence);
        Ok(code.map_or(AccountNature::Unknown, |code| nature_of(&code)))
    }

    /// Asks for state; `None` where the endpoint keeps none of the height.
    async fn state(&self, method: &str, params: &Value) -> Result<Option<Heard>, SourceError> {
        match self.ask.call(method, params).await {
            Ok(heard) => Ok(Some(heard)),
            Err(error) if keeps_no_state(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Batches under way at a time; the endpoint's own limits come on top.
const BATCHES: usize = 8;
/// Nonces and balances in one batch.
const LARGEST: usize = 100;

/// The queue through which all searches of an endpoint ask for nonces and balances.
pub(crate) fn probes_of(ask: &Ask) -> Probes<SourceError> {
    let ask = ask.clone();
    let batch: Batch<SourceError> = Box::new(move |probes| {
        let ask = ask.clone();
        async move {
            let heard = ask.batch(probes.iter().map(|probe| probe.call())).await;
            let answers = probes.iter().zip(heard);
            answers
                .map(|(probe, heard)| {
                    let heard = heard.map_err(|failure| failure.error)?;
                    text_of(*probe, &ask, &heard)
                })
                .collect()
        }
        .boxed()
    });
    Probes::new(batch, BATCHES, LARGEST)
}

/// The text of an answer. A token that is not there returns nothing: then nobody holds it. One that returns anything
/// else than a word does not tell its balances.
fn text_of(probe: Probe, ask: &Ask, heard: &Heard) -> Result<String, SourceError> {
    let malformed = |_| ask.malformed(heard, "the result is not a number");
    let text: String = serde_json::from_slice(heard.json()).map_err(malformed)?;
    if !matches!(probe, Probe::Balance(_, Coin::Token(_), _)) {
        return Ok(text);
    }
    match word(heard.json()) {
        Some(word) => Ok(format!("{:#066x}", word)),
        None => {
            let error = ask.malformed(heard, "the token does not tell its balances");
            let class = ErrorClass::Unsupported;
            Err(SourceError { class, ..error })
        }
    }
}

/// Reads the outcome of a search over state; `None` where the endpoint keeps none of the time.
pub(crate) fn searched<T>(
    outcome: Result<T, WalkError<SourceError>>,
    contradiction: impl FnOnce(&Contradiction) -> SourceError,
) -> Result<Option<T>, SourceError> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(WalkError::Inconsistent(error)) => Err(contradiction(&error)),
        Err(WalkError::Endpoint(error)) if keeps_no_state(&error) => Ok(None),
        Err(WalkError::Endpoint(error)) => Err(error),
        // Questions about state are never too wide.
        Err(WalkError::TooNarrow(_) | WalkError::TooMany) => Ok(None),
    }
}

/// What an endpoint refuses to tell of a height it has no state of; the texts differ.
fn keeps_no_state(error: &SourceError) -> bool {
    matches!(error.class, ErrorClass::Unsupported | ErrorClass::NotFound)
}

fn nature_of(code: &[u8]) -> AccountNature {
    if code.is_empty() {
        return AccountNature::External;
    }
    match code.strip_prefix(&DELEGATION) {
        Some(target) if target.len() == Address::ZERO.len() => {
            AccountNature::Delegated(Address::from_slice(target))
        }
        Some(_) | None => AccountNature::Contract,
    }
}

/// `balanceOf(address)`.
fn balance_of(address: Address) -> Bytes {
    let mut data = vec![0x70, 0xa0, 0x82, 0x31];
    data.extend(address.into_word());
    data.into()
}

/// What `balanceOf` returned. An account without code returns nothing: then nobody holds its token.
fn word(json: &[u8]) -> Option<U256> {
    let data: Bytes = serde_json::from_slice(json).ok()?;
    if data.is_empty() {
        return Some(U256::ZERO);
    }
    data.first_chunk()
        .map(|word| U256::from_be_bytes::<32>(*word))
}

fn wide_number(json: &[u8]) -> Option<U256> {
    let text: String = serde_json::from_slice(json).ok()?;
    let digits = text.strip_prefix("0x")?;
    let plain = !digits.is_empty() && digits.len() <= 64;
    let plain = plain && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| U256::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_tells_what_kind_of_account_it_is() {
        let target = Address::repeat_byte(7);
        let delegation = [&DELEGATION[..], target.as_slice()].concat();
        assert_eq!(nature_of(&[]), AccountNature::External);
        assert_eq!(nature_of(&delegation), AccountNature::Delegated(target));
        assert_eq!(nature_of(&delegation[..22]), AccountNature::Contract);
        assert_eq!(nature_of(&[0x60, 0x80]), AccountNature::Contract);
    }
}
