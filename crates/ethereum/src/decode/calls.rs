//! The calls of a transaction as a tree.

use alloy_primitives::{Address, U256};

use super::DecodeError;

/// More calls than any transaction can pay gas for.
const CALLS: usize = 1 << 20;
/// The virtual machine's limit is 1,024 calls below the top-level call.
const DEPTH: u16 = 1_100;

/// What kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallKind {
    /// A call that sends value.
    Call,
    /// Runs another's code; its value stays with the caller.
    CallCode,
    /// Runs another's code; its value is the caller's own, repeated.
    DelegateCall,
    /// A call that changes nothing.
    StaticCall,
    /// Creates a contract and sends it value.
    Create,
    /// The same at an address that can be known before.
    Create2,
    /// Sends everything the contract has.
    SelfDestruct,
    /// None of these, as nodes of rollups tell of what the rollup itself does; what it moves is not known.
    Other,
}

impl CallKind {
    /// True where the value of such a call leaves the caller. Nodes repeat the caller's value in other kinds.
    pub fn moves_value(self) -> bool {
        match self {
            Self::Call | Self::Create | Self::Create2 | Self::SelfDestruct => true,
            Self::CallCode | Self::DelegateCall | Self::StaticCall | Self::Other => false,
        }
    }

    /// The same, and true where nobody knows.
    pub fn may_move_value(self) -> bool {
        self.moves_value() || self == Self::Other
    }

    /// True where the call creates a contract.
    pub fn creates(self) -> bool {
        match self {
            Self::Create | Self::Create2 => true,
            Self::Call
            | Self::CallCode
            | Self::DelegateCall
            | Self::StaticCall
            | Self::SelfDestruct
            | Self::Other => false,
        }
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What kind.
    pub kind: CallKind,
    /// The account in whose name it was made.
    pub from: Address,
    /// The account called, created or sent the remains; `None` where a creation failed.
    pub to: Option<Address>,
    /// Its value in base units, whatever the kind.
    pub value: U256,
    /// True where it or a call above it failed: then nothing in it happened.
    pub failed: bool,
    parent: Option<usize>,
    step: u32,
}

/// All calls of a transaction, each after the one that made it. The first is the top-level call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls(Vec<Call>);

impl Calls {
    /// The top-level call.
    pub fn top(&self) -> &Call {
        &self.0[0]
    }

    /// All calls, in order of execution.
    pub fn iter(&self) -> impl Iterator<Item = &Call> {
        self.0.iter()
    }

    /// Where a call stands: `[0]` is the top-level call, `[0, 2, 1]` the second call of its third.
    pub fn path(&self, call: &Call) -> Vec<u32> {
        let mut path = vec![call.step];
        let mut above = call.parent;
        while let Some(parent) = above.and_then(|index| self.0.get(index)) {
            path.push(parent.step);
            above = parent.parent;
        }
        path.reverse();
        path
    }
}

/// A call before its place in the tree is known to be sound.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) kind: Option<CallKind>,
    pub(super) from: Option<Address>,
    pub(super) to: Option<Address>,
    pub(super) value: Option<U256>,
    pub(super) failed: bool,
}

/// Calls as they are read: each after the one that made it, each to be completed later.
#[derive(Debug, Default)]
pub(super) struct CallsDraft {
    calls: Vec<(Draft, Place)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    parent: Option<usize>,
    step: u32,
    depth: u16,
    children: u32,
}

impl CallsDraft {
    /// Adds the next call of `parent`, which was added before, and tells its number.
    pub(super) fn open(&mut self, parent: Option<usize>) -> Result<usize, DecodeError> {
        let number = self.calls.len();
        if number >= CALLS {
            return Err(too_large("calls", CALLS));
        }
        let mut place = Place {
            parent,
            ..Place::default()
        };
        if let Some((_, above)) = parent.and_then(|parent| self.calls.get_mut(parent)) {
            place.step = above.children;
            place.depth = above.depth + 1;
            above.children += 1;
        }
        if place.depth > DEPTH {
            return Err(too_large("levels", DEPTH.into()));
        }
        self.calls.push((Draft::default(), place));
        Ok(number)
    }

    /// The call of this number, to be completed; `None` where there is none.
    pub(super) fn call(&mut self, number: usize) -> Option<&mut Draft> {
        self.calls.get_mut(number).map(|(draft, _)| draft)
    }

    /// How many calls this call made so far.
    pub(super) fn children(&self, number: usize) -> u32 {
        self.calls
            .get(number)
            .map_or(0, |(_, place)| place.children)
    }

    /// The tree; an error where there is no top-level call, or a call lacks what a call of its kind has.
    pub(super) fn finish(self) -> Result<Calls, DecodeError> {
        let mut calls: Vec<Call> = Vec::with_capacity(self.calls.len());
        for (at, (draft, place)) in self.calls.into_iter().enumerate() {
            let above = place.parent.and_then(|parent| calls.get(parent));
            let failed = draft.failed || above.is_some_and(|call| call.failed);
            let (Some(kind), Some(from)) = (draft.kind, draft.from) else {
                return Err(DecodeError::BrokenTree { at });
            };
            let complete = draft.to.is_some() && (draft.value.is_some() || !kind.moves_value());
            if !complete && !failed {
                return Err(DecodeError::BrokenTree { at });
            }
            calls.push(Call {
                kind,
                from,
                to: draft.to,
                value: draft.value.unwrap_or_default(),
                failed,
                parent: place.parent,
                step: place.step,
            });
        }
        if calls.is_empty() {
            return Err(DecodeError::BrokenTree { at: 0 });
        }
        Ok(Calls(calls))
    }
}

fn too_large(what: &'static str, limit: usize) -> DecodeError {
    DecodeError::TooLarge { what, limit }
}
