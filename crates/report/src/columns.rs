//! What graph formats tell of nodes and flows beside their names: one list for all of them.

use std::borrow::Cow;

use hansel_ledger::Amount;

use crate::holding::Holding;
use crate::model::{Flow, Node, Timestamp};
use crate::{Report, cell};

/// A column of a graph's nodes or edges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text of an outsider, or of this program.
    Text,
    /// A height.
    Whole,
    /// A moment in RFC 3339.
    Time,
    /// Base units, which may need 256 bits.
    Amount,
}

/// What stands in a column; text is as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Text(Cow<'a, str>),
    Whole(u64),
    Time(Timestamp),
    Amount(Amount),
}

impl Value<'_> {
    /// The value with every hidden character made visible.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => crate::visible(text),
            Self::Whole(number) => Cow::Owned(number.to_string()),
            Self::Time(time) => Cow::Owned(time.to_string()),
            Self::Amount(amount) => Cow::Owned(amount.to_string()),
        }
    }
}

const NODE: [(&str, Kind); 12] = [
    ("kind", Kind::Text),
    ("chain", Kind::Text),
    ("address", Kind::Text),
    ("block", Kind::Whole),
    ("time", Kind::Time),
    ("stop", Kind::Text),
    ("stop_reason", Kind::Text),
    ("entity", Kind::Text),
    ("labels", Kind::Text),
    ("gaps", Kind::Text),
    ("asset", Kind::Text),
    ("amount", Kind::Amount),
];

const FLOW: [(&str, Kind); 9] = [
    ("kind", Kind::Text),
    ("chain", Kind::Text),
    ("tx", Kind::Text),
    ("block", Kind::Whole),
    ("time", Kind::Time),
    ("to_address", Kind::Text),
    ("proof", Kind::Text),
    ("asset", Kind::Text),
    ("amount", Kind::Amount),
];

/// The columns of nodes; one for each rule of the case stands last.
pub(crate) fn of_nodes(report: &Report) -> Vec<Column> {
    with_rules(report, &NODE)
}

/// The columns of flows; one for each rule of the case stands last.
pub(crate) fn of_flows(report: &Report) -> Vec<Column> {
    with_rules(report, &FLOW)
}

fn with_rules(report: &Report, own: &[(&str, Kind)]) -> Vec<Column> {
    let own = own.iter().map(|(name, kind)| ((*name).to_owned(), *kind));
    let rules = cell::rule_heads(&report.case.rules).map(|name| (name, Kind::Amount));
    let columns = own.chain(rules);
    columns.map(|(name, kind)| Column { name, kind }).collect()
}

/// The values of a node in the order of [`of_nodes`].
///
/// A node that holds several assets has no amounts: a sum over them would mean nothing.
pub(crate) fn of_node<'a>(
    report: &Report,
    node: &'a Node,
    held: &'a [Holding<'a>],
) -> Vec<Option<Value<'a>>> {
    let holding = match held {
        [holding] => Some(holding),
        _ => None,
    };
    let stop = node.stop.as_ref();
    let mut values = vec![
        text(node.kind.name()),
        text(&node.chain),
        node.address.as_deref().and_then(text),
        node.block.map(Value::Whole),
        node.time.map(Value::Time),
        stop.and_then(|stop| text(stop.kind.name())),
        stop.and_then(|stop| text(&stop.reason)),
        stop.and_then(|stop| text(stop.entity.as_deref()?)),
        list(node.labels.iter().map(|label| &*label.label)),
        list(node.gaps.iter().map(|gap| &*gap.detail)),
        holding.and_then(|holding| text(holding.asset)),
        holding.map(|holding| Value::Amount(holding.amount)),
    ];
    let rules = report.case.rules.iter();
    values.extend(rules.map(|rule| Some(Value::Amount(*holding?.tainted.get(rule)?))));
    values
}

/// The values of a flow in the order of [`of_flows`].
pub(crate) fn of_flow<'a>(report: &Report, flow: &'a Flow) -> Vec<Option<Value<'a>>> {
    let mut values = vec![
        text(flow.kind.name()),
        text(&flow.chain),
        text(&flow.tx),
        flow.block.map(Value::Whole),
        flow.time.map(Value::Time),
        flow.to_address.as_deref().and_then(text),
        text(flow.proof.name()),
        text(&flow.asset),
        Some(Value::Amount(flow.amount)),
    ];
    let rules = report.case.rules.iter();
    values.extend(rules.map(|rule| flow.tainted.get(rule).copied().map(Value::Amount)));
    values
}

fn text(text: &str) -> Option<Value<'_>> {
    Some(Value::Text(Cow::Borrowed(text)))
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Value<'a>> {
    let texts: Vec<_> = texts.collect();
    (!texts.is_empty()).then(|| Value::Text(Cow::Owned(texts.join("; "))))
}

/// True where every amount of the report's graph fits a signed 64-bit integer; otherwise formats whose only
/// larger number is a float must write amounts as text.
pub(crate) fn amounts_fit_long(report: &Report) -> bool {
    let flows = report.flows.iter().map(|flow| flow.amount);
    let largest = flows.max().unwrap_or_default();
    let count = u64::try_from(report.flows.len()).unwrap_or(u64::MAX);
    let most = largest.mul_div(count.into(), Amount::ONE);
    let holdings = report.nodes.iter().flat_map(|node| &node.holdings);
    let held = holdings.flat_map(|holding| holding.tainted.values().copied());
    let held = held.max().unwrap_or_default();
    most.is_ok_and(|most| most.max(held) <= Amount::from(i64::MAX.unsigned_abs()))
}
