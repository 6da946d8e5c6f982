//! `hansel inspect`: one transaction from a node, and many from a file.

use std::fs;

use serde_json::{Value, json};

use crate::command::{Finished, Hansel, directory};
use crate::scene::{CHAIN, Scene};

/// Real mixes with what they spend, a line each; see the tests of the crate that recognises them.
const EXAMPLES: &str = include_str!("../crates/heuristics/tests/transactions/examples.jsonl");

fn lines(text: &str) -> Finished {
    let place = directory();
    let file = place.path().join("transactions.jsonl");
    fs::write(&file, text).unwrap();
    Hansel::new("inspect")
        .option("--jsonl", &file)
        .without_network()
        .run()
}

fn said(finished: &Finished) -> Vec<Value> {
    finished
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The ids of the findings about a transaction.
fn heuristics(said: &Value) -> Vec<&str> {
    let findings = said["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| finding["heuristic"].as_str().unwrap())
        .collect()
}

#[test]
fn every_line_is_answered_in_its_place_and_the_same_every_time() {
    let text = EXAMPLES.repeat(50);
    let finished = lines(&text).exits(0);
    let (asked, answered): (Vec<Value>, _) = (
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        said(&finished),
    );
    assert_eq!(answered.len(), asked.len());
    for (asked, answered) in asked.iter().zip(&answered) {
        assert_eq!(asked["txid"], answered["txid"]);
    }
    assert!(heuristics(&answered[0]).contains(&"btc.coinjoin.whirlpool"));
    assert_eq!(answered[0]["findings"][0]["confidence"], "strong");
    assert!(lines(&text).exits(0).stdout == finished.stdout);
}

#[test]
fn a_bad_line_is_named_by_its_number_and_the_others_are_answered() {
    let good = EXAMPLES.lines().next().unwrap();
    let overdrawn = json!({"txid": "00".repeat(32), "vin": [{"value": 1, "spk": "51"}], "vout": [{"value": 2, "spk": "51"}]});
    let minted = json!({"txid": "00".repeat(32), "vin": [], "vout": [{"value": 2_100_000_000_000_001_u64, "spk": "51"}]});
    let script =
        json!({"txid": "00".repeat(32), "vin": [], "vout": [{"value": 1, "spk": "5\u{1b}"}]});
    let bad = [
        ("{\"txid\":".to_owned(), "not JSON"),
        ("[]".to_owned(), "not JSON"),
        ("{}".to_owned(), "neither"),
        ("\u{feff}\u{202e}".to_owned(), "not JSON"),
        (overdrawn.to_string(), "pays out more"),
        (minted.to_string(), "21 million"),
        (script.to_string(), "not a script"),
        (json!({"hex": "zz"}).to_string(), "hex does not hold"),
        ("[".repeat(100_000), "not JSON"),
    ];
    let mut text = format!("{good}\n\n");
    for (line, _) in &bad {
        text.push_str(&format!("{line}\n{good}\r\n"));
    }
    let finished = lines(&text).exits(3);
    let answered = said(&finished);
    assert_eq!(answered.len(), 1 + 2 * bad.len());
    for (index, (_, reason)) in bad.iter().enumerate() {
        let refused = &answered[1 + 2 * index];
        assert_eq!(refused["line"], json!(3 + 2 * index), "{refused}");
        let error = refused["error"].as_str().unwrap();
        assert!(error.contains(reason) && error.len() < 200, "{error}");
        assert!(!error.contains('\u{1b}'), "{error}");
        assert_eq!(answered[2 + 2 * index]["txid"], answered[0]["txid"]);
    }
}

/// The genesis block's only transaction, and one that spends (block 170, the first payment).
#[test]
fn raw_transactions_are_read_and_their_ids_computed() {
    let minted = "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000";
    let paid = "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d0901ffffffff0200ca9a3b00000000434104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7303b8a0626f1baded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000";
    let satoshi = "410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac";
    let first = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16";
    let prevout = json!({"value": 5_000_000_000_u64, "spk": satoshi});
    let text = [
        json!({"hex": minted}),
        json!({"hex": paid, "prevouts": [prevout]}),
        json!({"hex": paid, "prevouts": [prevout, prevout]}),
        json!({"hex": paid, "txid": "00".repeat(32)}),
    ];
    let text: Vec<String> = text.iter().map(Value::to_string).collect();
    let finished = lines(&text.join("\n")).exits(3);
    let answered = said(&finished);
    assert_eq!(
        answered[0]["txid"],
        "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    );
    assert_eq!(answered[1]["txid"], first);
    assert!(heuristics(&answered[1]).contains(&"btc.address-reuse"));
    assert_eq!(answered[2]["error"], "2 prevouts for 1 inputs");
    assert!(answered[3]["error"].as_str().unwrap().contains(first));
}

#[test]
fn a_transaction_of_a_node_is_shown_with_all_that_moved() {
    let Some(scene) = Scene::shared() else { return };
    let txid = scene.scenario.theft.to_string();
    let ask = |words: &str| {
        let words = format!(
            "inspect {txid} --chain {CHAIN} --endpoint {} {words}",
            scene.esplora().endpoint
        );
        Hansel::new(&words).run().exits(0).stdout
    };
    let said: Value = serde_json::from_str(&ask("--json")).unwrap();
    let said = &said[0];
    assert_eq!(said["transaction"], json!(txid));
    let moved = said["movements"].as_array().unwrap();
    let sum = |side: &str| -> u64 {
        let side = moved.iter().filter(|moved| !moved[side].is_null());
        side.map(|moved| moved["amount"].as_str().unwrap().parse::<u64>().unwrap())
            .sum()
    };
    let fee: u64 = said["fee"].as_str().unwrap().parse().unwrap();
    assert_eq!(sum("from"), sum("to") + fee);
    let text = ask("");
    assert!(
        text.contains(&txid) && text.contains("error rate: "),
        "{text}"
    );
}

#[test]
fn what_is_no_transaction_is_refused_with_a_hint() {
    for words in [
        "inspect",
        "inspect bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "inspect --jsonl - --chain ethereum",
    ] {
        let finished = Hansel::new(words).without_network().run().exits(2);
        assert_eq!(finished.stdout, "");
    }
    let missing = Hansel::new("inspect --jsonl /no/such/file").run().exits(1);
    assert!(
        missing.stderr.contains("/no/such/file"),
        "{}",
        missing.stderr
    );
}
