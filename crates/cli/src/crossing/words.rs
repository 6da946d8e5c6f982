//! How a report tells of a crossing.

use std::collections::BTreeMap;

use hansel_heuristics::crossing::{Certainty, Leaving, Reason};
use hansel_report::model::{Confidence, Finding, Flow, FlowKind, Proof, Timestamp};

use super::found::Landing;

/// The flow that joins the two sides, and the finding that says why. Crossings are numbered through the report.
pub(super) fn joint(leaving: &Leaving, landing: &Landing, number: usize) -> (Flow, Finding) {
    let departure = &leaving.departure;
    let id = format!(
        "cross:{}:{}:{}",
        landing.protocol,
        departure.link,
        number + 1
    );
    let flow = Flow {
        id: id.clone(),
        chain: landing.chain.clone(),
        tx: landing.tx.clone(),
        block: Some(landing.block.height),
        time: Some(Timestamp(landing.block.time)),
        from: leaving.node.to_string(),
        to: landing.from.to_string(),
        from_addresses: Vec::new(),
        to_address: landing.payee.clone(),
        asset: landing.asset.clone(),
        amount: landing.amount,
        tainted: BTreeMap::new(),
        claims: BTreeMap::new(),
        proof: Proof::None,
        kind: FlowKind::Crossing,
    };
    (flow, finding(leaving, landing, id))
}

fn finding(leaving: &Leaving, landing: &Landing, id: String) -> Finding {
    let departure = &leaving.departure;
    let wording = departure.certainty.wording(&departure.link.to_string());
    let back = match landing.reason {
        Reason::Paid => "came out as",
        Reason::Refunded => "was sent back as",
    };
    let text = |text: &str| serde_json::Value::from(text);
    let parameters = [
        ("protocol", text(landing.protocol.name())),
        ("link", text(&departure.link.0)),
        ("certainty", text(departure.certainty.name())),
        ("wording", text(&wording)),
        ("departure", text(&leaving.tx)),
        ("arrival", text(&landing.tx)),
        ("asked", text(&departure.in_words())),
    ];
    let mut evidence = vec![leaving.flow.to_string(), landing.key.clone(), id.clone()];
    evidence.sort();
    Finding {
        heuristic: format!("cross.{}", landing.protocol),
        subjects: vec![leaving.node.to_string(), landing.from.to_string()],
        error_rate: "none published".into(),
        confidence: match departure.certainty {
            Certainty::Shared | Certainty::Derived => Confidence::Certain,
            Certainty::Consistent => Confidence::Weak,
        },
        evidence,
        parameters: parameters
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        summary: format!(
            "value that left in {} {back} {} on {} in {}: {wording}",
            leaving.tx, landing.asset, landing.chain, landing.tx
        ),
    }
}
