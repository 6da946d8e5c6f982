//! Which places end trails, by what labels and the user say of them.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that cannot parse its own address is broken"
)]

use std::sync::Arc;

use alloy_primitives::Address;
use hansel_graph::{Category, Confidence, Venue, Venues};
use hansel_heuristics::{EntityKind, KnownVenues, Label, Labels, Overrides, Place};
use hansel_ledger::{Chain, Subject};

const GENESIS: &str = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";

/// The same labels for every address.
#[derive(Debug)]
struct Said(Vec<Label>);

impl Labels for Said {
    fn lookup(&self, _: &str, _: &str) -> Vec<Label> {
        self.0.clone()
    }
}

fn label(kind: EntityKind, confidence: &str) -> Label {
    Label {
        kind,
        label: format!("a {}", kind.name()),
        actor: Some("somebody".into()),
        confidence: confidence.into(),
        source: "a list".into(),
        ..Label::default()
    }
}

fn genesis() -> Subject {
    Subject::parse(GENESIS, &Chain::bitcoin()).unwrap()
}

fn asked(labels: Vec<Label>, overrides: Overrides) -> Option<Venue> {
    let Subject::Script { script, .. } = genesis() else {
        panic!("an address has a script")
    };
    let venues = KnownVenues::new(Arc::new(Said(labels)), overrides);
    venues.script(&Chain::bitcoin(), &script)
}

#[test]
fn a_kind_that_holds_the_value_of_others_ends_a_trail_and_is_counted_as_what_it_is() {
    for (kind, category) in [
        (EntityKind::Exchange, Category::Exchanges),
        (EntityKind::Mixer, Category::Mixers),
        (EntityKind::Bridge, Category::Bridges),
        (EntityKind::Service, Category::Services),
    ] {
        let venue = asked(vec![label(kind, "ownership")], Overrides::default()).unwrap();
        assert_eq!((venue.category, &*venue.entity), (category, "somebody"));
        assert_eq!(venue.rule, format!("label.{}", kind.name()));
        assert_eq!(venue.confidence, Confidence::Strong);
    }
}

#[test]
fn a_router_a_party_and_anything_else_let_value_through() {
    for kind in [EntityKind::Router, EntityKind::Actor, EntityKind::Other] {
        let labels = vec![label(kind, "ownership")];
        assert_eq!(asked(labels, Overrides::default()), None, "{kind:?}");
    }
    assert_eq!(asked(Vec::new(), Overrides::default()), None);
}

#[test]
fn labels_that_contradict_each_other_are_named_and_make_the_end_weak() {
    let labels = vec![
        label(EntityKind::Mixer, "ownership"),
        label(EntityKind::Exchange, "ownership"),
    ];
    let venue = asked(labels, Overrides::default()).unwrap();
    assert_eq!(venue.category, Category::Exchanges);
    assert_eq!(venue.confidence, Confidence::Weak);
    assert!(venue.reason.contains("mixer `a mixer`"), "{}", venue.reason);
}

#[test]
fn a_source_that_guesses_is_weak_unless_another_says_the_same_and_knows() {
    let guessed = label(EntityKind::Exchange, "web_crawl");
    let weak = asked(vec![guessed.clone()], Overrides::default()).unwrap();
    assert_eq!(weak.confidence, Confidence::Weak);
    let known = label(EntityKind::Exchange, "ownership");
    let strong = asked(vec![guessed, known], Overrides::default()).unwrap();
    assert_eq!(strong.confidence, Confidence::Strong);
}

#[test]
fn the_user_goes_before_labels() {
    let place = Place::of(genesis()).unwrap();
    let labels = || vec![label(EntityKind::Exchange, "ownership")];
    let through = Overrides {
        through: [place.clone()].into(),
        ..Overrides::default()
    };
    assert_eq!(asked(labels(), through), None);
    let stop = Overrides {
        stops: [(place, Some("a broker".to_owned()))].into(),
        ..Overrides::default()
    };
    let venue = asked(labels(), stop).unwrap();
    assert_eq!(
        (venue.category, &*venue.entity, &*venue.rule),
        (Category::Services, "a broker", "user.stop")
    );
}

#[test]
fn accounts_are_asked_about_like_addresses() {
    let labels = Arc::new(Said(vec![label(EntityKind::Mixer, "ownership")]));
    let venues = KnownVenues::new(labels, Overrides::default());
    let venue = venues.account(&Chain::bitcoin(), &Address::repeat_byte(7));
    assert_eq!(venue.unwrap().category, Category::Mixers);
}
