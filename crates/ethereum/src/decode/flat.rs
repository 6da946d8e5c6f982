//! Flat traces as OpenEthereum introduced them: `trace_block`, `trace_transaction`, `trace_filter`.

use alloy_primitives::{Address, B256, U256};
use serde::Deserialize;

use super::calls::{CallsDraft, Draft};
use super::json::parse;
use super::quantity::{optional, required};
use super::{CallKind, Calls, DecodeError, JsonFault};

/// One entry of a flat trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlatTrace {
    /// The transaction; `None` for block rewards.
    pub tx: Option<B256>,
    /// Its block.
    pub block_number: u64,
    /// Where it stands below the top-level call, whose address is empty.
    pub address: Vec<u32>,
    /// How many calls it made, where told.
    pub subtraces: Option<u32>,
    /// The call; `None` for block rewards.
    pub kind: Option<CallKind>,
    /// The account in whose name it was made.
    pub from: Option<Address>,
    /// The account called, created, or sent the remains or the reward.
    pub to: Option<Address>,
    /// Its value in base units.
    pub value: U256,
    /// True where it failed itself; what is below a failed call does not say so.
    pub failed: bool,
}

/// Reads the result of `trace_block`, `trace_transaction` or `trace_filter`; `None` for null.
pub fn flat_traces(json: &[u8]) -> Result<Option<Vec<FlatTrace>>, DecodeError> {
    let entries: Option<Vec<Entry>> = parse("flat traces", json)?;
    let Some(entries) = entries else {
        return Ok(None);
    };
    entries
        .into_iter()
        .map(Entry::read)
        .collect::<Result<_, _>>()
        .map(Some)
}

/// The tree of calls of one transaction, of which `traces` holds every entry in order of execution.
///
/// Fails where an entry or its index is missing: whether a call above it failed could not be told then.
pub fn calls_of_flat_traces<'a>(
    traces: impl IntoIterator<Item = &'a FlatTrace>,
) -> Result<Calls, DecodeError> {
    let mut draft = CallsDraft::default();
    // The calls from the top-level one down to the last, by number; with how many children each must have.
    let mut path: Vec<(usize, Option<u32>)> = Vec::new();
    let mut last: &[u32] = &[];
    for (at, trace) in traces.into_iter().enumerate() {
        let broken = || DecodeError::BrokenTree { at };
        let Some((step, above)) = trace.address.split_last() else {
            if at > 0 {
                return Err(broken());
            }
            path.push((place(&mut draft, None, trace)?, trace.subtraces));
            continue;
        };
        if !last.starts_with(above) || path.len() <= above.len() {
            return Err(broken());
        }
        close(&draft, &mut path, above.len() + 1).ok_or_else(broken)?;
        let parent = path.last().map(|(number, _)| *number);
        if parent.is_none_or(|number| draft.children(number) != *step) {
            return Err(broken());
        }
        path.push((place(&mut draft, parent, trace)?, trace.subtraces));
        last = &trace.address;
    }
    let at = path.len();
    close(&draft, &mut path, 0).ok_or(DecodeError::BrokenTree { at })?;
    draft.finish()
}

/// Leaves only the first `keep` calls open; `None` where one that ends has not the calls it says it made.
fn close(draft: &CallsDraft, path: &mut Vec<(usize, Option<u32>)>, keep: usize) -> Option<()> {
    let ended = path.drain(keep.min(path.len())..);
    let mut complete = true;
    for (number, subtraces) in ended {
        complete &= subtraces.is_none_or(|told| told == draft.children(number));
    }
    complete.then_some(())
}

fn place(
    draft: &mut CallsDraft,
    parent: Option<usize>,
    trace: &FlatTrace,
) -> Result<usize, DecodeError> {
    let number = draft.open(parent)?;
    if let Some(call) = draft.call(number) {
        *call = Draft {
            kind: trace.kind,
            from: trace.from,
            to: trace.to,
            value: Some(trace.value),
            failed: trace.failed,
        };
    }
    Ok(number)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    action: Action,
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    result: Option<Outcome>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    subtraces: Option<u32>,
    #[serde(default)]
    trace_address: Vec<u32>,
    #[serde(default)]
    transaction_hash: Option<B256>,
    #[serde(deserialize_with = "required")]
    block_number: u64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Call,
    Create,
    #[serde(alias = "selfdestruct")]
    Suicide,
    Reward,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CallType {
    Call,
    CallCode,
    DelegateCall,
    StaticCall,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    #[serde(default)]
    call_type: Option<CallType>,
    #[serde(default)]
    from: Option<Address>,
    #[serde(default)]
    to: Option<Address>,
    #[serde(default, deserialize_with = "optional")]
    value: Option<U256>,
    #[serde(default)]
    address: Option<Address>,
    #[serde(default)]
    refund_address: Option<Address>,
    #[serde(default, deserialize_with = "optional")]
    balance: Option<U256>,
    #[serde(default)]
    author: Option<Address>,
}

#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    address: Option<Address>,
}

impl Entry {
    fn read(self) -> Result<FlatTrace, DecodeError> {
        let action = self.action;
        let (kind, from, to, value) = match self.kind {
            Kind::Call => (
                Some(call_kind(action.call_type)?),
                action.from,
                action.to,
                action.value,
            ),
            Kind::Create => {
                let created = self.result.and_then(|result| result.address);
                (Some(CallKind::Create), action.from, created, action.value)
            }
            Kind::Suicide => (
                Some(CallKind::SelfDestruct),
                action.address,
                action.refund_address,
                action.balance,
            ),
            Kind::Reward => (None, None, action.author, action.value),
        };
        Ok(FlatTrace {
            tx: self.transaction_hash,
            block_number: self.block_number,
            address: self.trace_address,
            subtraces: self.subtraces,
            kind,
            from,
            to,
            value: value.ok_or_else(content)?,
            failed: self.error.is_some_and(|error| !error.is_empty()),
        })
    }
}

fn call_kind(told: Option<CallType>) -> Result<CallKind, DecodeError> {
    match told {
        Some(CallType::Call) => Ok(CallKind::Call),
        Some(CallType::CallCode) => Ok(CallKind::CallCode),
        Some(CallType::DelegateCall) => Ok(CallKind::DelegateCall),
        Some(CallType::StaticCall) => Ok(CallKind::StaticCall),
        None => Err(content()),
    }
}

fn content() -> DecodeError {
    DecodeError::Json {
        what: "flat traces",
        offset: 0,
        fault: JsonFault::Content,
    }
}
