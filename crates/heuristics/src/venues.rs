//! Where trails end: what labels, detectors and the user say about places, in one answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_primitives::Address;
use bitcoin::{Script, ScriptBuf, Txid};
use hansel_graph::{Category, Confidence, FlowGraph, PoolIx, Venue, Venues};
use hansel_ledger::{Chain, Subject};

use crate::bitcoin::{TxView, coinjoin};
use crate::{EntityKind, Label, Labels};

/// Words with which a source of labels says itself that it is not sure (GraphSense's taxonomy of confidence).
const UNSURE: [&str; 4] = ["heuristic", "unknown", "untrusted_transaction", "web_crawl"];

/// A place that a user can name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Outputs with this locking script.
    Script(ScriptBuf),
    /// A transaction on a Bitcoin chain.
    Transaction(Txid),
    /// An account on an EVM chain.
    Account(Address),
}

impl Place {
    /// The place that a subject names; `None` for a single output or movement.
    pub fn of(subject: Subject) -> Option<Self> {
        match subject {
            Subject::Script { script, .. } => Some(Self::Script(script)),
            Subject::Transaction(txid) => Some(Self::Transaction(txid)),
            Subject::Account(address) => Some(Self::Account(address)),
            Subject::Output(_) | Subject::EvmTransaction(_) | Subject::EvmMovement { .. } => None,
        }
    }
}

/// What a user decided about where trails end. It goes before what labels and detectors say.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Places that trails go through.
    pub through: BTreeSet<Place>,
    /// True where trails go through every CoinJoin.
    pub through_coinjoins: bool,
    /// Places where trails end, with who holds them where the user said so.
    pub stops: BTreeMap<Place, Option<String>>,
}

impl Overrides {
    /// The accounts that trails go through.
    pub fn accounts_through(&self) -> BTreeSet<Address> {
        let accounts = self.through.iter().filter_map(|place| match place {
            Place::Account(address) => Some(*address),
            Place::Script(_) | Place::Transaction(_) => None,
        });
        accounts.collect()
    }
}

/// Places known by labels, by detectors and from the user.
#[derive(Debug)]
pub struct KnownVenues {
    labels: Arc<dyn Labels>,
    overrides: Overrides,
}

impl KnownVenues {
    /// Asks `labels`; `overrides` go before them.
    pub fn new(labels: Arc<dyn Labels>, overrides: Overrides) -> Self {
        Self { labels, overrides }
    }

    /// What the user decided, or else what the labels of an address say.
    fn place(&self, chain: &Chain, place: &Place, address: Option<String>) -> Option<Venue> {
        if self.overrides.through.contains(place) {
            return None;
        }
        if let Some(entity) = self.overrides.stops.get(place) {
            return Some(told_to_end(entity.as_deref()));
        }
        let labels = self.labels.lookup(chain.name(), &address?);
        of_labels(&labels)
    }
}

impl Venues for KnownVenues {
    fn script(&self, chain: &Chain, script: &Script) -> Option<Venue> {
        let network = chain.network()?;
        let address = bitcoin::Address::from_script(script, network).ok();
        let address = address.map(|address| address.to_string());
        self.place(chain, &Place::Script(script.to_owned()), address)
    }

    /// A CoinJoin, unless the detector itself calls it weak: anybody can make outputs of equal value.
    fn transaction(&self, chain: &Chain, graph: &FlowGraph, pool: PoolIx) -> Option<Venue> {
        let place = Place::Transaction(graph.pool(pool).txid);
        if self.overrides.through.contains(&place) {
            return None;
        }
        if let Some(entity) = self.overrides.stops.get(&place) {
            return Some(told_to_end(entity.as_deref()));
        }
        if self.overrides.through_coinjoins {
            return None;
        }
        let found = coinjoin(&TxView::of_pool(chain, graph, pool)?)?;
        (found.confidence > Confidence::Weak).then(|| Venue {
            category: Category::Mixers,
            entity: "CoinJoin".to_owned(),
            reason: format!(
                "mixed with the value of others, so that the chain does not say which output is whose: {}",
                found.summary
            ),
            rule: found.heuristic.to_owned(),
            confidence: found.confidence,
        })
    }

    fn account(&self, chain: &Chain, account: &Address) -> Option<Venue> {
        let address = account.to_string();
        self.place(chain, &Place::Account(*account), Some(address))
    }

    fn passes_output(&self, txid: &Txid, script: &Script) -> bool {
        let through = &self.overrides.through;
        through.contains(&Place::Transaction(*txid))
            || through.contains(&Place::Script(script.to_owned()))
    }

    fn passes_account(&self, account: &Address) -> bool {
        let through = &self.overrides.through;
        through.contains(&Place::Account(*account))
    }
}

fn told_to_end(entity: Option<&str>) -> Venue {
    Venue {
        category: Category::Services,
        entity: entity.unwrap_or("named by the user").to_owned(),
        reason: "the user of this case ended the trail here".to_owned(),
        rule: "user.stop".to_owned(),
        confidence: Confidence::Certain,
    }
}

/// The place that labels make of an address: the first kind that ends trails speaks, others are named with it.
fn of_labels(labels: &[Label]) -> Option<Venue> {
    let kind = labels.iter().map(|label| label.kind).min()?;
    let category = category(kind)?;
    let speaking: Vec<&Label> = labels.iter().filter(|label| label.kind == kind).collect();
    let first = speaking.iter().min_by_key(|label| unsure(label))?;
    let others: Vec<String> = labels
        .iter()
        .filter(|label| label.kind != kind && label.kind.ends_trails())
        .map(|label| {
            format!(
                "{} `{}` by {}",
                label.kind.name(),
                label.label,
                label.source
            )
        })
        .collect();
    let since = first.as_of.as_deref();
    let since = since.map(|day| format!(" since {day}")).unwrap_or_default();
    let mut reason = format!("labelled `{}` by {}{since}", first.label, first.source);
    if !others.is_empty() {
        reason += &format!("; other labels contradict: {}", others.join(", "));
    }
    let doubtful = unsure(first) || !others.is_empty();
    Some(Venue {
        category,
        entity: first.actor.clone().unwrap_or_else(|| first.label.clone()),
        reason,
        rule: format!("label.{}", kind.name()),
        confidence: if doubtful {
            Confidence::Weak
        } else {
            Confidence::Strong
        },
    })
}

fn unsure(label: &Label) -> bool {
    UNSURE.contains(&&*label.confidence.to_ascii_lowercase())
}

/// The category in which value is counted; `None` for kinds that end no trail.
fn category(kind: EntityKind) -> Option<Category> {
    match kind {
        EntityKind::Exchange => Some(Category::Exchanges),
        EntityKind::Mixer => Some(Category::Mixers),
        EntityKind::Bridge => Some(Category::Bridges),
        EntityKind::Service => Some(Category::Services),
        EntityKind::Router | EntityKind::Actor | EntityKind::Other => None,
    }
}
