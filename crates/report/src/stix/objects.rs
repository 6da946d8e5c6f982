//! The objects of a bundle, one function for each kind.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use hansel_graph::Rule;
use hansel_ledger::Amount;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::id::Observable;
use super::{Wallets, id, moment};
use crate::Report;
use crate::model::{CashOut, Finding, Flow, Sorted};
use crate::visible::{clipped, visible};

/// Names of the public extension's objects. Source: muchdogesec/stix2extensions 3324e147.
const WALLET: &str = "extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7";
const TRANSACTION: &str = "extension-definition--151d042d-4dcf-5e44-843f-1024440318e5";

/// The longest text of an outsider in an object that is not an observable.
const LONGEST: usize = 500;
/// How many entries of a list an object tells; the JSON of the report holds all of them.
const LISTED: usize = 200;

/// The id of an object.
pub(super) fn id_of(object: &Value) -> String {
    object["id"].as_str().unwrap_or_default().to_owned()
}

/// This program, which makes all other objects.
pub(super) fn producer(created: &str) -> Value {
    dated(
        json!({
            "type": "identity",
            "id": producer_id(),
            "name": "hansel",
            "identity_class": "system",
        }),
        created,
    )
}

fn producer_id() -> String {
    id::of_ours("identity", &["hansel"])
}

/// An observable of the extension, which a report may hold a million times.
#[derive(Serialize)]
pub(super) struct Wallet<'a> {
    r#type: &'static str,
    spec_version: &'static str,
    id: Observable,
    value: Cow<'a, str>,
    extensions: Extension,
}

/// A transaction with those of its flows that the report lists.
#[derive(Serialize)]
pub(super) struct Transaction<'a> {
    r#type: &'static str,
    spec_version: &'static str,
    pub(super) id: Observable,
    symbol: Cow<'a, str>,
    value: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_time: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    input: Vec<Paying>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    output: Vec<Paid<'a>>,
    extensions: Extension,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Paying {
    address_ref: Observable,
}

#[derive(Serialize)]
struct Paid<'a> {
    address_ref: Observable,
    x_hansel_chain: Cow<'a, str>,
    x_hansel_flow: Cow<'a, str>,
    x_hansel_asset: Cow<'a, str>,
    x_hansel_amount: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    x_hansel_tainted: BTreeMap<String, String>,
}

/// Says of which extension an observable is.
struct Extension(&'static str);

impl Serialize for Extension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, BTreeMap::from([("extension_type", "new-sco")]))])
    }
}

/// An address with its id.
pub(super) fn wallet(address: &str, id: Observable) -> Wallet<'_> {
    Wallet {
        r#type: "cryptocurrency-wallet",
        spec_version: "2.1",
        id,
        value: visible(address),
        extensions: Extension(WALLET),
    }
}

/// The transaction of some flows; `None` without any. Every address stands among the wallets with its id.
pub(super) fn transaction<'a>(
    flows: &[&'a Flow],
    wallets: &Wallets<'_>,
) -> Option<Transaction<'a>> {
    let first = flows.first()?;
    let wallet = |address: &str| wallets.id(address);
    let paying = flows.iter().flat_map(|flow| &flow.from_addresses);
    let paying = paying.filter_map(|address| wallet(address));
    let input: BTreeSet<_> = paying.map(|address_ref| Paying { address_ref }).collect();
    let output = flows.iter().filter_map(|flow| {
        Some(Paid {
            address_ref: wallet(flow.to_address.as_deref()?)?,
            x_hansel_chain: visible(&flow.chain),
            x_hansel_flow: visible(&flow.id),
            x_hansel_asset: visible(&flow.asset),
            x_hansel_amount: flow.amount.to_string(),
            x_hansel_tainted: by_rule(&flow.tainted),
        })
    });
    Some(Transaction {
        r#type: "cryptocurrency-transaction",
        spec_version: "2.1",
        id: Observable::transaction(&first.tx),
        symbol: visible(&first.asset),
        value: visible(&first.tx),
        execution_time: first.time.map(moment),
        input: input.into_iter().collect(),
        output: output.collect(),
        extensions: Extension(TRANSACTION),
    })
}

fn by_rule(tainted: &Sorted<Rule, Amount>) -> BTreeMap<String, String> {
    let amounts = tainted.iter();
    let amounts = amounts.map(|(rule, amount)| (rule.name().replace('-', "_"), amount.to_string()));
    amounts.collect()
}

/// That the wallets and transactions were seen, of which there may be a million; its fields are sorted as those of other objects.
#[derive(Serialize)]
pub(super) struct Observed<'a> {
    created: &'a str,
    created_by_ref: String,
    first_observed: String,
    pub(super) id: String,
    last_observed: String,
    modified: &'a str,
    number_observed: u8,
    object_refs: &'a [Observable],
    spec_version: &'static str,
    r#type: &'static str,
}

/// Says that the wallets and transactions were seen; `None` where there are none.
pub(super) fn observed<'a>(
    report: &Report,
    created: &'a str,
    ids: &'a [Observable],
) -> Option<Observed<'a>> {
    let times = || report.flows.iter().filter_map(|flow| flow.time);
    let observed = Observed {
        created,
        created_by_ref: producer_id(),
        first_observed: times().min().map_or_else(|| created.to_owned(), moment),
        id: id::of_ours("observed-data", &[&report.case.name, created]),
        last_observed: times().max().map_or_else(|| created.to_owned(), moment),
        modified: created,
        number_observed: 1,
        object_refs: ids,
        spec_version: "2.1",
        r#type: "observed-data",
    };
    (!ids.is_empty()).then_some(observed)
}

/// Who can freeze value.
pub(super) fn service(cash_out: &CashOut, created: &str) -> Value {
    dated(
        json!({
            "type": "identity",
            "id": service_id(cash_out),
            "name": clipped(&cash_out.entity, LONGEST),
            "identity_class": "organization",
            "description": format!("Service of the kind: {}", clipped(&cash_out.category, LONGEST)),
        }),
        created,
    )
}

fn service_id(cash_out: &CashOut) -> String {
    id::of_ours(
        "identity",
        &["service", &cash_out.entity, &cash_out.category],
    )
}

/// That a service holds the address which was paid.
pub(super) fn paid(cash_out: &CashOut, created: &str) -> Value {
    let CashOut {
        deposit_address,
        tx,
        asset,
        amount,
        chain,
        ..
    } = cash_out;
    let service = service_id(cash_out);
    let amount = amount.to_string();
    let parts = [&**deposit_address, tx, asset, &amount, chain, &service];
    dated(
        json!({
            "type": "relationship",
            "id": id::of_ours("relationship", &parts),
            "relationship_type": "related-to",
            "source_ref": Observable::wallet(deposit_address),
            "target_ref": service,
            "description": "deposit address at the service, which received tainted value",
            "labels": [format!("confidence-{}", cash_out.confidence.name())],
            "x_hansel_tx": visible(tx),
            "x_hansel_chain": visible(chain),
            "x_hansel_asset": visible(asset),
            "x_hansel_amount": amount,
            "x_hansel_tainted": by_rule(&cash_out.tainted),
        }),
        created,
    )
}

/// What a heuristic says, about the transactions it speaks of or, where those are not in the bundle, about the case.
pub(super) fn note(
    report: &Report,
    finding: &Finding,
    created: &str,
    known: &HashSet<Observable>,
) -> Value {
    let subjects = finding.subjects.iter().chain(&finding.evidence);
    let about = subjects.filter_map(|subject| refer(subject, known));
    let about = about.map(|id| id.to_string());
    let mut about: BTreeSet<_> = about.take(LISTED).collect();
    if about.is_empty() {
        about.insert(report_id(report, created));
    }
    let name = Value::from([finding.subjects.clone(), finding.evidence.clone()].concat());
    let parts = [&*finding.heuristic, &finding.summary, &name.to_string()];
    dated(
        json!({
            "type": "note",
            "id": id::of_ours("note", &parts),
            "abstract": clipped(&finding.heuristic, LONGEST),
            "content": format!(
                "{} (an opinion with evidence, not a fact; known error rate: {})",
                clipped(&finding.summary, LONGEST),
                clipped(&finding.error_rate, LONGEST)
            ),
            "labels": [format!("confidence-{}", finding.confidence.name())],
            "object_refs": about,
        }),
        created,
    )
}

/// The observable that an id of the report names: its parts are an address or the hash of a transaction.
fn refer(subject: &str, known: &HashSet<Observable>) -> Option<Observable> {
    let parts = subject.split(':');
    let mut ids = parts.flat_map(|part| [Observable::transaction(part), Observable::wallet(part)]);
    ids.find(|id| known.contains(id))
}

/// The case: what was asked and what is not known.
pub(super) fn report(report: &Report, created: &str, objects: &[String]) -> Value {
    let case = &report.case;
    let unknown = report.unknown.iter().take(LISTED);
    let unknown: Vec<_> = unknown
        .map(|gap| {
            clipped(
                &format!("{}: {}: {}", gap.subject, gap.kind, gap.detail),
                LONGEST,
            )
        })
        .collect();
    let title = case.title.as_deref().unwrap_or_default();
    let training = if case.training {
        "TRAINING CASE: made up, not a real theft. "
    } else {
        ""
    };
    let mut object = json!({
        "type": "report",
        "id": report_id(report, created),
        "name": clipped(&case.name, LONGEST),
        "description": format!("{training}{}", clipped(title, LONGEST)),
        "published": created,
        "object_refs": objects,
        "x_hansel_schema": crate::model::SchemaName::TEXT,
        "x_hansel_rules": case.rules.iter().map(|rule| rule.name()).collect::<Vec<_>>(),
    });
    if !unknown.is_empty() {
        object["x_hansel_unknown"] = unknown.into();
    }
    dated(object, created)
}

fn report_id(report: &Report, created: &str) -> String {
    id::of_ours("report", &[&report.case.name, created])
}

/// The fields that every object but observables has.
fn dated(mut object: Value, created: &str) -> Value {
    object["spec_version"] = "2.1".into();
    object["created"] = created.into();
    object["modified"] = created.into();
    let producer = producer_id();
    if object["id"] != *producer {
        object["created_by_ref"] = producer.into();
    }
    object
}
