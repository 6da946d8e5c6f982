//! Traces of geth's `callTracer`.

use alloy_primitives::{Address, B256};

use super::calls::CallsDraft;
use super::quantity::quantity;
use super::scan::Scan;
use super::{CallKind, Calls, DecodeError, JsonFault};

/// A transaction of a traced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedTx {
    /// Its hash; old nodes do not say it, then the order of the block tells.
    pub hash: Option<B256>,
    /// Its calls; `None` where the node could not trace it.
    pub calls: Option<Calls>,
}

/// Reads the result of `debug_traceTransaction` with the `callTracer`; `None` for null.
pub fn call_trace(json: &[u8]) -> Result<Option<Calls>, DecodeError> {
    let mut scan = Scan::new("call trace", json)?;
    let calls = if scan.null() {
        None
    } else {
        Some(frames(&mut scan)?)
    };
    scan.end()?;
    Ok(calls)
}

/// Reads the result of `debug_traceBlockBy…` with the `callTracer`, in the order of the block; `None` for null.
pub fn call_traces_of_block(json: &[u8]) -> Result<Option<Vec<TracedTx>>, DecodeError> {
    let mut scan = Scan::new("call traces", json)?;
    if scan.null() {
        scan.end()?;
        return Ok(None);
    }
    scan.expect(b'[')?;
    let mut traced = Vec::new();
    while scan.element(traced.is_empty())? {
        traced.push(traced_tx(&mut scan)?);
    }
    scan.end()?;
    Ok(Some(traced))
}

fn traced_tx(scan: &mut Scan<'_>) -> Result<TracedTx, DecodeError> {
    let mut traced = TracedTx {
        hash: None,
        calls: None,
    };
    scan.expect(b'{')?;
    let mut first = true;
    while let Some(name) = scan.member(first)? {
        first = false;
        match name {
            "txHash" if traced.hash.is_none() => {
                traced.hash = Some(text(scan, |t| t.parse().ok())?)
            }
            "result" if traced.calls.is_none() => {
                traced.calls = if scan.null() {
                    None
                } else {
                    Some(frames(scan)?)
                };
            }
            "txHash" | "result" => return Err(scan.error(JsonFault::Content)),
            _ => scan.skip()?,
        }
    }
    Ok(traced)
}

/// A frame that was opened and not closed yet.
struct Open {
    number: usize,
    first: bool,
    has_calls: bool,
}

/// Reads a frame and all below it. Frames nest by the stack here and not by the program's.
fn frames(scan: &mut Scan<'_>) -> Result<Calls, DecodeError> {
    let mut draft = CallsDraft::default();
    let mut stack = vec![open(scan, &mut draft, None)?];
    while let Some(frame) = stack.last_mut() {
        let first = std::mem::replace(&mut frame.first, false);
        match scan.member(first)? {
            None => {
                stack.pop();
                stack.extend(next_call(scan, &mut draft, stack.last(), false)?);
            }
            Some("calls") if scan.null() => {}
            Some("calls") if !frame.has_calls => {
                frame.has_calls = true;
                scan.expect(b'[')?;
                stack.extend(next_call(scan, &mut draft, stack.last(), true)?);
            }
            Some("calls") => return Err(scan.error(JsonFault::Content)),
            Some(name) => field(scan, &mut draft, frame.number, name)?,
        }
    }
    draft.finish()
}

fn open(
    scan: &mut Scan<'_>,
    draft: &mut CallsDraft,
    parent: Option<usize>,
) -> Result<Open, DecodeError> {
    scan.expect(b'{')?;
    let number = draft.open(parent)?;
    Ok(Open {
        number,
        first: true,
        has_calls: false,
    })
}

/// Opens the next call in the list of the frame, if there is one.
fn next_call(
    scan: &mut Scan<'_>,
    draft: &mut CallsDraft,
    frame: Option<&Open>,
    first: bool,
) -> Result<Option<Open>, DecodeError> {
    let Some(frame) = frame else {
        return Ok(None);
    };
    if scan.element(first)? {
        return open(scan, draft, Some(frame.number)).map(Some);
    }
    Ok(None)
}

fn field(
    scan: &mut Scan<'_>,
    draft: &mut CallsDraft,
    number: usize,
    name: &str,
) -> Result<(), DecodeError> {
    let Some(call) = draft.call(number) else {
        return Err(DecodeError::BrokenTree { at: number });
    };
    match name {
        "type" => once(scan, &mut call.kind, |name| Some(kind(name))),
        "from" => once(scan, &mut call.from, address),
        "to" | "value" | "error" | "revertReason" if scan.null() => Ok(()),
        "to" => once(scan, &mut call.to, address),
        "value" => once(scan, &mut call.value, quantity),
        "error" | "revertReason" => {
            call.failed |= !scan.string()?.is_empty();
            Ok(())
        }
        _ => scan.skip(),
    }
}

/// Reads a field that was not there before.
fn once<T>(
    scan: &mut Scan<'_>,
    field: &mut Option<T>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<(), DecodeError> {
    let value = text(scan, read)?;
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(scan.error(JsonFault::Content)),
    }
}

fn text<T>(scan: &mut Scan<'_>, read: impl FnOnce(&str) -> Option<T>) -> Result<T, DecodeError> {
    let text = scan.string()?;
    read(text).ok_or_else(|| scan.error(JsonFault::Content))
}

fn address(text: &str) -> Option<Address> {
    text.parse().ok()
}

fn kind(text: &str) -> CallKind {
    let named = |name: &str| text.eq_ignore_ascii_case(name);
    match () {
        () if named("CALL") => CallKind::Call,
        () if named("STATICCALL") => CallKind::StaticCall,
        () if named("DELEGATECALL") => CallKind::DelegateCall,
        () if named("CALLCODE") => CallKind::CallCode,
        () if named("CREATE") => CallKind::Create,
        () if named("CREATE2") => CallKind::Create2,
        () if named("SELFDESTRUCT") || named("SUICIDE") => CallKind::SelfDestruct,
        () => CallKind::Other,
    }
}
