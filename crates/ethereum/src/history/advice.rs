//! What an endpoint says of how much it would answer.

use super::Blocks;
use crate::rpc::RpcKind;

/// What an endpoint says when it refuses a range as too wide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advice {
    /// A range that it would answer.
    pub range: Option<Blocks>,
    /// The most blocks at once.
    pub limit: Option<u64>,
}

impl Advice {
    /// Reads a failure; `None` where it is about something else than the width of a question.
    pub fn of(kind: &RpcKind) -> Option<Self> {
        let RpcKind::RangeTooLarge { suggested, blocks } = kind else {
            return None;
        };
        let range = suggested.filter(|(first, last)| first <= last);
        Some(Self {
            range: range.map(|(first, last)| Blocks { first, last }),
            limit: *blocks,
        })
    }
}
