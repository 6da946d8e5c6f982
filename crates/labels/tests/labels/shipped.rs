//! The labels that come with the program.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hansel_heuristics::{EntityKind, Label, Labels as _};
use hansel_labels::{LabelBook, Pack};

use crate::read;

fn shipped() -> Vec<Pack> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/labels");
    let files = fs::read_dir(directory)
        .unwrap()
        .map(|file| file.unwrap().path());
    let pack = |file: &Path| {
        let text = fs::read(file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        read(name, |reader| reader.tagpack(&text))
            .unwrap_or_else(|refusal| panic!("{name}: {refusal}"))
    };
    files.map(|file| pack(&file)).collect()
}

#[test]
fn every_shipped_label_is_read_and_has_a_source_a_date_and_a_kind() {
    let packs = shipped();
    assert_eq!(packs.len(), 7);
    for pack in &packs {
        let name = &pack.about.name;
        assert!(pack.refused.is_empty(), "{name}: {:?}", pack.refused);
        assert_eq!(pack.about.repeated, 0, "{name}");
        // Gnosis is not among the shipped chains, and anyone may add it.
        let passed: Vec<_> = pack.about.passed_over.keys().collect();
        assert!(
            passed.is_empty() || passed == ["gnosis"],
            "{name}: {passed:?}"
        );
        for (address, label) in pack.labels() {
            assert!(label.source.len() > 10, "{address}");
            assert!(label.as_of.is_some(), "{address}");
            assert_ne!(label.confidence, "unknown", "{address}");
            assert!(!label.category.is_empty(), "{address}");
        }
    }
    let all: usize = packs.iter().map(Pack::len).sum();
    assert!(all > 1_000, "{all}");
}

#[test]
fn every_evm_address_of_mixed_case_in_the_shipped_files_carries_its_checksum() {
    // Readers check it; this is that none was lowered to hide a slip of the pen in a list written by hand.
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/labels");
    let text = fs::read_to_string(directory.join("tornado-cash.yaml")).unwrap();
    let spelt = text.matches("address: \"0x").count();
    let book = LabelBook::new(shipped());
    let pools = book
        .packs()
        .iter()
        .find(|pack| pack.about.name == "tornado-cash");
    let passed = pools.unwrap().about.passed_over.values().sum::<u64>();
    assert_eq!(
        u64::try_from(pools.unwrap().len()).unwrap() + passed,
        u64::try_from(spelt).unwrap()
    );
}

fn names(labels: Vec<Label>) -> Vec<String> {
    labels.into_iter().map(|label| label.label).collect()
}

#[test]
fn a_tornado_address_is_the_pool_of_its_chain() {
    let book = LabelBook::new(shipped());
    let address = "0x1E34A77868E19A6647b1f2F47B51ed72dEDE95DD";
    let on = |chain| names(book.lookup(chain, address));
    assert_eq!(on("arbitrum"), ["Tornado Cash 100 ETH pool"]);
    assert_eq!(on("bnb"), ["Tornado Cash 100 BNB pool"]);
    assert_eq!(on("polygon"), ["Tornado Cash 100 MATIC pool"]);
    assert_eq!(on("avalanche"), ["Tornado Cash 100 AVAX pool"]);
    assert!(on("ethereum").is_empty());
    // The protocol's documentation has these two swapped.
    let usdc = book.lookup("ethereum", "0xd96f2B1c14Db8458374d9Aca76E26c3D18364307");
    assert!(names(usdc).contains(&"Tornado Cash 100 USDC pool".into()));
}

#[test]
fn shipped_labels_name_services_of_every_kind_and_no_address_as_two_that_end_trails() {
    let packs = shipped();
    let mut kinds = BTreeSet::new();
    let mut ends = std::collections::BTreeMap::new();
    for (address, label) in packs.iter().flat_map(Pack::labels) {
        kinds.insert(label.kind);
        if label.kind.ends_trails() {
            let place = (label.network.clone(), address.to_owned());
            let other = ends.insert(place, label.kind);
            assert!(other.is_none_or(|kind| kind == label.kind), "{address}");
        }
    }
    for kind in [
        EntityKind::Exchange,
        EntityKind::Mixer,
        EntityKind::Bridge,
        EntityKind::Router,
        EntityKind::Actor,
    ] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}
