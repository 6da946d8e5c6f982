//! Lists payments that may be what a bridge took where no link tells, and follows those that were asked for by name.
//!
//! Nothing here is looked for unless the user wishes it, and nothing is followed by itself: see ADR 19.

use std::collections::BTreeSet;

use alloy_primitives::keccak256;
use hansel_heuristics::crossing::{Leaving, Payee};
use hansel_report::model::{Finding, Unknown};

use super::found::candidates::Near;
use super::found::{self, Found, Guess, Hunt, Landing};
use super::{Crossings, Group, words};
use crate::case_record::CaseRecord;
use crate::failure::Failure;
use crate::leg::Leg;
use crate::sources;

/// Candidates that are listed of one departure, the closest first.
const LISTED: usize = 50;

/// What was listed so far.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// One for each payment.
    pub(super) findings: Vec<Finding>,
    ids: BTreeSet<String>,
    /// Payments that are followed: each stands for one departure only.
    taken: BTreeSet<String>,
}

impl Candidates {
    /// Says of a payment that was followed as a guess that it answers another departure after all.
    pub(super) fn give_up(&mut self, landing: &Landing) {
        let Some(guess) = &landing.guess else { return };
        for finding in &mut self.findings {
            if finding.parameters.get("candidate") == Some(&guess.id.as_str().into()) {
                words::give_up(finding);
            }
        }
    }
}

impl<'a> Crossings<'a> {
    /// Lists the candidates of a departure of which nothing arrived, where the user wishes it.
    pub(super) async fn guess(
        &mut self,
        legs: &mut Vec<Leg<'a>>,
        record: &mut CaseRecord,
        group: &Group<'_>,
        found: &mut Found,
    ) -> Result<(), Failure> {
        let wishes = legs[group.leg].request.candidates;
        let [leaving] = group.leaving[..] else {
            return Ok(());
        };
        let departure = &leaving.departure;
        let elsewhere = matches!(departure.payee, Payee::Other(_));
        let settled = elsewhere || leaving.entity.is_none() && departure.parked.is_some();
        if !wishes || settled || !found.landings.is_empty() {
            return Ok(());
        }
        let home = legs[group.leg].part.chain.clone();
        let mut near = Vec::new();
        for name in self.chains(legs, leaving)? {
            let is_named = leaving.departure.place.chain().is_some();
            if name == home.name() && !is_named {
                continue;
            }
            self.open(legs, record, &name).await?;
            let Some(leg) = legs.iter().find(|leg| leg.part.chain.name() == name) else {
                found.problems.push(format!(
                    "no endpoint serves {name}, so that no candidates were looked for there: name one with --endpoint {name}:KIND=URL"
                ));
                continue;
            };
            let hunt = Hunt {
                bridges: self.bridges,
                legs,
                leg,
                departure: &leaving.departure,
            };
            let (payments, problems) = hunt.candidates(&home, leaving).await?;
            near.extend(payments);
            found.problems.extend(problems);
        }
        self.list(leaving, near, &legs[group.leg].request.followed, found);
        Ok(())
    }

    /// The chains on which candidates are looked for: the one that the departure names, else those of the case and
    /// those for which the command line names an endpoint.
    fn chains(&self, legs: &[Leg<'_>], leaving: &Leaving) -> Result<BTreeSet<String>, Failure> {
        if let Some(chain) = leaving.departure.place.chain() {
            return Ok([chain.name().to_owned()].into());
        }
        let named = sources::chains_named(self.session.args, self.session.config)?;
        let legs = legs.iter().map(|leg| leg.part.chain.name().to_owned());
        Ok(legs.chain(named).collect())
    }

    fn list(
        &mut self,
        leaving: &Leaving,
        mut near: Vec<Near>,
        asked: &[String],
        found: &mut Found,
    ) {
        near.sort_by(|one, next| {
            (next.score, &one.landing.key).cmp(&(one.score, &next.landing.key))
        });
        let of = near.len();
        if of > LISTED {
            found
                .problems
                .push(format!("only {LISTED} of {of} candidates are listed"));
        }
        let wished = |id: &String| asked.contains(id);
        for (place, one) in near.into_iter().enumerate() {
            let mut landing = one.landing;
            let id = name(leaving, &landing);
            if place >= LISTED && !wished(&id) {
                continue;
            }
            let followed = wished(&id) && self.take(&landing, found);
            self.candidates.ids.insert(id.clone());
            let guess = Guess {
                id,
                score: one.score,
                of,
                is_to_payee: one.is_to_payee,
                is_measured: one.is_measured,
                is_complete: found.problems.is_empty(),
                followed,
            };
            let finding = words::candidate(leaving, &landing, &guess);
            self.candidates.findings.push(finding);
            landing.guess = Some(guess);
            if followed {
                found.landings.push(landing);
            }
        }
        found.listed = Some(of.min(LISTED));
        found::put_in_order(found);
    }

    /// True where a payment stands for no other departure yet.
    fn take(&mut self, landing: &Landing, found: &mut Found) -> bool {
        let mut linked = self.found.values().flat_map(|one| &one.landings);
        let free = !linked.any(|one| one.key == landing.key)
            && self.candidates.taken.insert(landing.key.clone());
        if !free {
            found.problems.push(format!(
                "{} answers another departure and is not followed twice",
                landing.tx
            ));
        }
        free
    }

    /// Says which of the candidates that were asked for do not exist.
    pub(super) fn name_missing(&mut self, legs: &[Leg<'_>]) {
        let asked: BTreeSet<&String> = legs.iter().flat_map(|leg| &leg.request.followed).collect();
        for id in asked {
            if !self.candidates.ids.contains(id) {
                self.partial = true;
                self.unknown.push(Unknown {
                    subject: id.clone(),
                    kind: "crossing".into(),
                    detail: "no such candidate was found: --candidates lists them".into(),
                });
            }
        }
    }
}

/// The name of a candidate: the same in every run that sees the same departure and the same payment.
fn name(leaving: &Leaving, landing: &Landing) -> String {
    let hash = keccak256(format!("{} {}", leaving.flow, landing.key));
    format!("c-{}", alloy_primitives::hex::encode(&hash[..8]))
}
