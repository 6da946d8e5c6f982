//! How a report tells of a crossing.

use hansel_heuristics::crossing::{
    BEST_SCORE, CANDIDATE_SHORTFALL, CANDIDATE_WINDOW, Certainty, Leaving, Reason,
};
use hansel_report::model::{Confidence, Finding, Flow, FlowKind, Proof, Sorted, Timestamp};

use super::found::{Guess, Landing};

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
        chain: (&landing.chain).into(),
        tx: landing.tx.clone(),
        block: Some(landing.block.height),
        time: Some(Timestamp(landing.block.time)),
        from: leaving.node.to_string().into(),
        to: landing.from.to_string().into(),
        from_addresses: Vec::new(),
        to_address: landing.payee.as_ref().map(Into::into),
        asset: (&landing.asset).into(),
        amount: landing.amount,
        tainted: Sorted::default(),
        claims: Sorted::default(),
        proof: Proof::None,
        kind: FlowKind::Crossing,
    };
    (flow, finding(leaving, landing, id))
}

fn finding(leaving: &Leaving, landing: &Landing, id: String) -> Finding {
    let departure = &leaving.departure;
    let certainty = match &landing.guess {
        Some(_) => Certainty::Consistent,
        None => departure.certainty,
    };
    let wording = match &landing.guess {
        Some(guess) => format!(
            "{}, followed because {} was asked for",
            likeness(guess),
            guess.id
        ),
        None => certainty.wording(&departure.link.to_string()),
    };
    let back = match landing.reason {
        Reason::Paid => "came out as",
        Reason::Refunded => "was sent back as",
    };
    let text = |text: &str| serde_json::Value::from(text);
    let parameters = [
        ("protocol", text(landing.protocol.name())),
        ("link", text(&departure.link.0)),
        ("certainty", text(certainty.name())),
        ("wording", text(&wording)),
        ("departure", text(&leaving.tx)),
        ("arrival", text(&landing.tx)),
        ("asked", text(&departure.in_words())),
        ("only_the_sender_says_so", departure.only_said.into()),
    ];
    let mut evidence = vec![leaving.flow.to_string(), landing.key.clone(), id.clone()];
    evidence.sort();
    Finding {
        heuristic: format!("cross.{}", landing.protocol),
        subjects: vec![leaving.node.to_string(), landing.from.to_string()],
        error_rate: "none published".into(),
        confidence: match certainty {
            Certainty::Shared | Certainty::Derived => Confidence::Certain,
            Certainty::Consistent => Confidence::Weak,
        },
        evidence,
        parameters: parameters
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        summary: format!(
            "value that left in {} {back} {} on {} in {}: {wording}{}",
            leaving.tx,
            landing.shown,
            landing.chain,
            landing.tx,
            match leaving.way_on() {
                Some(place) => format!(
                    "; that a bridge took it is the sender's own word, and --through {place} goes on there"
                ),
                None => String::new(),
            }
        ),
    }
}

/// What a listed payment is called: several are only possible, and a single one is no more than consistent.
fn likeness(guess: &Guess) -> String {
    if guess.of == 1 && guess.is_to_payee && guess.is_measured && guess.is_complete {
        return Certainty::Consistent.wording("");
    }
    let plural = if guess.of == 1 { "" } else { "s" };
    format!("possible match ({} candidate{plural})", guess.of)
}

/// A payment that may be what a bridge took, whether it is followed or not.
pub(super) fn candidate(leaving: &Leaving, landing: &Landing, guess: &Guess) -> Finding {
    let text = |text: &str| serde_json::Value::from(text);
    let wording = likeness(guess);
    let payee = landing.payee.as_deref().unwrap_or("nobody named");
    let least = leaving.departure.least.map(|least| least.to_string());
    let parameters = [
        ("candidate", text(&guess.id)),
        ("score", guess.score.into()),
        ("best_score", BEST_SCORE.into()),
        ("alternatives", guess.of.saturating_sub(1).into()),
        ("followed", guess.followed.into()),
        ("pays_named_payee", guess.is_to_payee.into()),
        ("amount_was_compared", guess.is_measured.into()),
        ("certainty", text(Certainty::Consistent.name())),
        ("wording", text(&wording)),
        ("window_seconds", CANDIDATE_WINDOW.into()),
        ("shortfall_thousandths", CANDIDATE_SHORTFALL.into()),
        ("departure", text(&leaving.tx)),
        ("left", text(&leaving.departure.amount.to_string())),
        ("least", least.into()),
        ("arrival", text(&landing.tx)),
        ("arrived", text(&landing.amount.to_string())),
        ("chain", text(&landing.chain)),
        ("asset", text(&landing.asset)),
        ("payer", text(&landing.from.to_string())),
        ("payee", text(payee)),
    ];
    let parameters = parameters.into_iter();
    Finding {
        heuristic: "cross.candidate".into(),
        subjects: vec![leaving.node.to_string()],
        error_rate: "none published".into(),
        confidence: Confidence::Weak,
        evidence: vec![leaving.flow.to_string()],
        parameters: parameters
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        summary: format!(
            "{}: {} on {} in {} to {payee} may be what left in {}: {wording}, score {} of {BEST_SCORE}{}; {}",
            guess.id,
            landing.shown,
            landing.chain,
            landing.tx,
            leaving.tx,
            guess.score,
            if guess.is_measured {
                ""
            } else {
                " by its time alone, as it is another coin"
            },
            if guess.followed {
                "followed because it was asked for"
            } else {
                "not followed"
            },
        ),
    }
}

/// Takes back that a listed payment is followed.
pub(super) fn give_up(finding: &mut Finding) {
    finding.parameters.insert("followed".into(), false.into());
    let followed = "followed because it was asked for";
    let other = "not followed, as it is linked to another departure";
    finding.summary = finding.summary.replace(followed, other);
}
