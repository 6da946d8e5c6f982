//! How every tainted output of a trace ended, looked up once.

use std::collections::BTreeMap;

use hansel_graph::{Ending, FlowIx, Trace, TraceError};

/// The endings of a trace's tainted outputs.
pub(super) struct Endings {
    by_flow: BTreeMap<FlowIx, Ending>,
    /// How many outputs each limit cut off.
    pub(super) limits: BTreeMap<&'static str, u64>,
    /// True where something within the limits asked for is not known.
    pub(super) partial: bool,
}

impl Endings {
    pub(super) fn of(trace: &Trace) -> Result<Self, TraceError> {
        let mut endings = Self {
            by_flow: BTreeMap::new(),
            limits: BTreeMap::new(),
            partial: false,
        };
        for flow in trace.graph().flows() {
            let Some(ending) = trace.ending(flow)? else {
                continue;
            };
            match &ending {
                Ending::Failed { .. } => endings.partial = true,
                Ending::Limit { limit, .. } => {
                    endings.partial |= *limit != "hops";
                    *endings.limits.entry(limit).or_default() += 1;
                }
                Ending::MovedOn
                | Ending::AtRest
                | Ending::UnconfirmedSpend { .. }
                | Ending::Origin
                | Ending::Bridge { .. }
                | Ending::Venue { .. }
                | Ending::Burned
                | Ending::BelowThreshold => {}
            }
            endings.by_flow.insert(flow, ending);
        }
        endings.partial |= trace.graph().pools().any(|pool| {
            let view = trace.graph().pool(pool);
            let priced = view
                .inputs
                .iter()
                .all(|flow| trace.graph().flow(*flow).value.is_some());
            view.visited && (view.placement.block().is_none() || !priced)
        });
        Ok(endings)
    }

    pub(super) fn get(&self, flow: FlowIx) -> Option<&Ending> {
        self.by_flow.get(&flow)
    }
}
