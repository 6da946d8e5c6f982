//! Looking labels up.

use hansel_heuristics::{EntityKind, Labels};
use hansel_labels::LabelBook;

use crate::{GENESIS, POOL, csv, pack_of, read};

const HEADER: &str = "address,chain,label,source,category\n";

fn book(rows: &str) -> LabelBook {
    LabelBook::new(vec![csv(&format!("{HEADER}{rows}")).unwrap()])
}

fn names(book: &LabelBook, chain: &str, address: &str) -> Vec<String> {
    let labels = book.lookup(chain, address);
    labels.into_iter().map(|label| label.label).collect()
}

#[test]
fn an_address_is_found_in_any_spelling_of_its_chain() {
    let rows = format!(
        "{POOL},ethereum,Pool,s,mixer\nbc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4,bitcoin,Segwit,s,\n{GENESIS},bitcoin,Satoshi,s,\n"
    );
    let book = book(&rows);
    for address in [POOL.to_owned(), POOL.to_lowercase(), POOL.to_uppercase()] {
        assert_eq!(names(&book, "ethereum", &address), ["Pool"]);
    }
    let segwit = "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4";
    assert_eq!(names(&book, "bitcoin", segwit), ["Segwit"]);
    assert_eq!(names(&book, "bitcoin", GENESIS), ["Satoshi"]);
    assert!(names(&book, "bitcoin", &GENESIS.to_lowercase()).is_empty());
    assert!(names(&book, "bitcoin", "").is_empty());
    assert!(names(&book, "bitcoin", &"0".repeat(10_000)).is_empty());
}

#[test]
fn the_same_address_on_another_chain_is_another_pool() {
    let rows = format!("{POOL},ethereum,100 ETH,s,mixer\n{POOL},arbitrum,something else,s,\n");
    let book = book(&rows);
    assert_eq!(names(&book, "ethereum", POOL), ["100 ETH"]);
    assert_eq!(names(&book, "arbitrum", POOL), ["something else"]);
    assert!(names(&book, "bnb", POOL).is_empty());
}

#[test]
fn a_label_of_all_evm_chains_is_found_on_each_and_says_so() {
    let book = book(&format!("{POOL},evm,everywhere,s,\n"));
    for chain in ["ethereum", "arbitrum", "a-chain-of-mine"] {
        let labels = book.lookup(chain, POOL);
        assert_eq!(labels.len(), 1);
        assert_eq!(labels[0].network, "evm");
    }
    assert_eq!(book.lookup("evm", POOL).len(), 1);
    assert!(book.lookup("bitcoin", GENESIS).is_empty());
}

#[test]
fn conflicting_labels_are_all_handed_out_in_the_order_in_which_kinds_decide() {
    let one = csv(&format!(
        "{HEADER}{GENESIS},bitcoin,A thief,s,perpetrator\n{GENESIS},bitcoin,A mixer,s,mixer\n"
    ))
    .unwrap();
    let text = pack_of(&format!(
        "- address: {GENESIS}\n  label: An exchange\n  concepts: [exchange]\n"
    ));
    let other = read("other", |reader| reader.tagpack(text.as_bytes())).unwrap();
    let book = LabelBook::new(vec![one, other]);
    assert_eq!(
        names(&book, "bitcoin", GENESIS),
        ["An exchange", "A mixer", "A thief"]
    );
    let labels = book.lookup("bitcoin", GENESIS);
    assert_eq!(labels[0].pack, "other");
    assert_eq!(labels[0].kind, EntityKind::Exchange);
    assert_eq!(book.len(), 3);
}

#[test]
fn what_is_said_twice_is_kept_once_and_counted() {
    let row = format!("{GENESIS},bitcoin,Satoshi,s,\n");
    let pack = csv(&format!("{HEADER}{row}{row}{row}")).unwrap();
    assert_eq!(pack.len(), 1);
    assert_eq!(pack.about.repeated, 2);
}

#[test]
fn many_labels_of_one_address_are_all_found() {
    let rows: String = (0..3_000)
        .map(|n| format!("{GENESIS},bitcoin,name {n:04},s,\n"))
        .collect();
    let found = names(&book(&rows), "bitcoin", GENESIS);
    assert_eq!(found.len(), 3_000);
    assert!(found.is_sorted());
}
