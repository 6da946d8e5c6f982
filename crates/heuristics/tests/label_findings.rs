//! What labels say that a reader must not miss, and what says nothing new.

use hansel_heuristics::{EntityKind, Label, Labels, Named, about_labels};

/// One party, named by two cases.
#[derive(Debug)]
struct Parties;

impl Labels for Parties {
    fn lookup(&self, _chain: &str, _address: &str) -> Vec<Label> {
        let said = |pack: &str| Label {
            kind: EntityKind::Actor,
            label: format!("thief of {pack}"),
            pack: pack.to_owned(),
            ..Label::default()
        };
        vec![said("case-dmm-bitcoin"), said("case-upbit")]
    }
}

fn findings(case: &str) -> Vec<String> {
    let node = Named {
        node: "bitcoin:output:1".into(),
        chain: "bitcoin".into(),
        address: "1Thief".into(),
        time: None,
    };
    let found = about_labels(&[node], &Parties, case);
    found.into_iter().map(|finding| finding.summary).collect()
}

#[test]
fn a_case_tells_of_the_parties_that_other_cases_name_and_not_of_its_own() {
    let found = findings("dmm-bitcoin");
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("thief of case-upbit"), "{found:?}");
    assert!(!found[0].contains("dmm-bitcoin"), "{found:?}");
    assert!(findings("another")[0].contains("dmm-bitcoin"));
}
