//! What labels and the user say about places, as a trace asks for it and as its report tells it.

use std::sync::Arc;

use anyhow::anyhow;
use hansel_graph::Venues;
use hansel_heuristics::{KnownVenues, Labels, Overrides, Place};
use hansel_ledger::{Chain, Subject};
use hansel_report::model::{Override, OverrideKind, Unknown};

use crate::case_record::Request;
use crate::config::Config;
use crate::failure::Failure;
use crate::labels::{self, AtHand};
use crate::output::say;

/// Names every CoinJoin where a place to go through is asked for.
const COINJOINS: &str = "coinjoins";

/// The longest name of an entity that a user gives.
const LONGEST_ENTITY: usize = 100;

/// The labels that a trace asks, and what of them could not be read.
pub(crate) fn labels(config: &Config) -> Result<(Arc<dyn Labels>, Vec<Unknown>), Failure> {
    let AtHand { book, warnings } = labels::at_hand(config)?;
    let unread = warnings.into_iter().map(|detail| {
        say(&format!("warning: {detail}"));
        Unknown {
            subject: "labels".into(),
            kind: "labels-unread".into(),
            detail,
        }
    });
    Ok((Arc::new(book), unread.collect()))
}

/// Where the trails of a part of a case end.
pub(crate) fn venues(request: &Request, chain: &Chain, labels: Arc<dyn Labels>) -> Arc<dyn Venues> {
    Arc::new(KnownVenues::new(labels, overrides(request, chain)))
}

/// What the user decided about places of a chain; the other chains of a case have their own.
pub(crate) fn overrides(request: &Request, chain: &Chain) -> Overrides {
    let places = request.through.iter();
    let stops = request.stops.iter().map(|text| split(text));
    Overrides {
        through: places.filter_map(|text| place(text, chain)).collect(),
        through_coinjoins: request.through.iter().any(|text| text == COINJOINS),
        stops: stops
            .filter_map(|(text, entity)| Some((place(text, chain)?, entity.map(str::to_owned))))
            .collect(),
    }
}

fn place(text: &str, chain: &Chain) -> Option<Place> {
    Subject::parse(text, chain).ok().and_then(Place::of)
}

/// `ADDRESS=ENTITY` in two.
fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('=') {
        Some((place, entity)) => (place, Some(entity)),
        None => (text, None),
    }
}

/// Refuses what names no place on any chain of the case, and what says two things of one place.
pub(crate) fn check(requests: &[Request], config: &Config) -> Result<(), Failure> {
    let Some(first) = requests.first() else {
        return Ok(());
    };
    let chains = requests.iter().map(|request| config.chain(&request.chain));
    let chains = chains.collect::<Result<Vec<Chain>, Failure>>()?;
    let known = |text: &str| chains.iter().any(|chain| place(text, chain).is_some());
    for text in first.through.iter().filter(|text| *text != COINJOINS) {
        if !known(text) {
            return Err(nowhere("--through", text, &chains));
        }
    }
    for (text, entity) in first.stops.iter().map(|text| split(text)) {
        if !known(text) {
            return Err(nowhere("--stop", text, &chains));
        }
        if entity.is_some_and(|name| !(1..=LONGEST_ENTITY).contains(&name.len())) {
            return Err(Failure::usage(
                anyhow!("--stop takes a name of 1 to {LONGEST_ENTITY} bytes after `=`"),
                "as in --stop ADDRESS=binance",
            ));
        }
    }
    for chain in &chains {
        let said = overrides(first, chain);
        if said.stops.keys().any(|place| said.through.contains(place)) {
            return Err(Failure::usage(
                anyhow!("--through and --stop name the same place"),
                "leave out one of them",
            ));
        }
    }
    Ok(())
}

fn nowhere(option: &str, text: &str, chains: &[Chain]) -> Failure {
    let names: Vec<&str> = chains.iter().map(Chain::name).collect();
    let shown: String = text.chars().take(100).collect();
    let cause = anyhow!(
        "{option}: `{}` is no place on {}",
        shown.escape_debug(),
        names.join(", ")
    );
    let hint =
        "a place is an address or a Bitcoin transaction; `--through coinjoins` names all CoinJoins";
    Failure::usage(cause, hint)
}

/// What the user decided, for the report.
pub(crate) fn told(request: &Request) -> Vec<Override> {
    let through = request.through.iter().map(|text| Override {
        kind: OverrideKind::Through,
        subject: text.clone(),
        entity: None,
    });
    let stops = request.stops.iter().map(|text| {
        let (place, entity) = split(text);
        Override {
            kind: OverrideKind::Stop,
            subject: place.to_owned(),
            entity: entity.map(str::to_owned),
        }
    });
    let mut told: Vec<Override> = through.chain(stops).collect();
    told.sort();
    told.dedup();
    told
}
