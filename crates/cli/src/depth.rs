//! How deep in its chain the block of an event is, and whether that is deep enough to count as settled.

use std::collections::BTreeMap;

use hansel_report::Report;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// How deep an event is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Depth {
    /// Blocks from that of the event to the newest, both counted; 0 for what is in no block.
    pub(crate) confirmations: u64,
    /// True once there are as many as the chain's configuration asks for.
    pub(crate) settled: bool,
}

/// The newest block that a report looks at, and the confirmations that are enough, by chain.
pub(crate) struct Tips<'a>(BTreeMap<&'a str, Tip>);

#[derive(Clone, Copy)]
pub(crate) struct Tip {
    pub(crate) height: u64,
    /// How many confirmations settle a block.
    pub(crate) enough: u64,
}

impl<'a> Tips<'a> {
    pub(crate) fn of(
        report: &'a Report,
        enough: impl Fn(&str) -> Result<u64, Failure>,
    ) -> Result<Self, Failure> {
        let mut tips = BTreeMap::new();
        for tip in &report.tips {
            let (height, enough) = (tip.height, enough(&tip.chain)?);
            tips.insert(&*tip.chain, Tip { height, enough });
        }
        Ok(Self(tips))
    }

    pub(crate) fn tip(&self, chain: &str) -> Option<Tip> {
        self.0.get(chain).copied()
    }

    /// How deep something in a block of a chain is.
    pub(crate) fn depth(&self, chain: &str, block: Option<u64>) -> Depth {
        let deep = |(tip, block): (Tip, u64)| {
            let confirmations = tip.height.checked_sub(block)?.checked_add(1)?;
            Some(Depth {
                confirmations,
                settled: confirmations >= tip.enough,
            })
        };
        self.tip(chain)
            .zip(block)
            .and_then(deep)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_block_is_settled_once_as_many_blocks_as_its_chain_asks_for_are_in_it_and_after_it() {
        let report = json!({
            "schema": "hansel-report/1",
            "case": {"name": "loot", "subjects": [], "direction": "forward", "limits": {}, "rules": ["fifo"],
                     "fee_rule": "last"},
            "tips": [{"chain": "bitcoin", "height": 100, "hash": "00"}],
            "seeds": [], "accounting": [], "nodes": [], "flows": [], "findings": [], "cash_outs": [],
            "unknown": [], "sources": []
        });
        let report = Report::from_json(report.to_string().as_bytes()).unwrap();
        let tips = Tips::of(&report, |_| Ok(6)).unwrap();
        let depth = |block| {
            let Depth {
                confirmations,
                settled,
            } = tips.depth("bitcoin", block);
            (confirmations, settled)
        };
        assert_eq!(depth(Some(100)), (1, false));
        assert_eq!(depth(Some(96)), (5, false));
        assert_eq!(depth(Some(95)), (6, true));
        assert_eq!(depth(Some(0)), (101, true));
        // Of what is in no block, above the newest one, or on a chain that was not looked at nothing is settled.
        assert_eq!(depth(None), (0, false));
        assert_eq!(depth(Some(101)), (0, false));
        assert_eq!(tips.depth("ethereum", Some(1)), Depth::default());
    }
}
