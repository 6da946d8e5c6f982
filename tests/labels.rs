//! Labels: importing lists of them, looking addresses up, and what becomes of lists that are wrong.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Finished, Hansel, directory};

const POOL: &str = "0xA160cdAB225685dA1d56aa342Ad8841c3b53f291";
const GENESIS: &str = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
const HEADER: &str = "address,chain,label,actor,category,source,confidence,as_of";

/// A data directory, and files to import into it.
struct Desk {
    data: TempDir,
    files: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self {
            data: directory(),
            files: directory(),
        }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.files.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn labels(&self, words: &str) -> Finished {
        self.with(words, &[])
    }

    fn with(&self, words: &str, paths: &[&Path]) -> Finished {
        Hansel::new(&format!("labels {words}"))
            .args(paths)
            .data(self.data.path())
            .without_network()
            .run()
    }

    fn lookup(&self, address: &str) -> Value {
        let found = self.labels(&format!("lookup --json {address}")).exits(0);
        let output: Value = serde_json::from_str(&found.stdout).unwrap();
        output["addresses"][0].clone()
    }
}

#[test]
fn what_is_shipped_is_read_whole_and_looked_up_by_chain() {
    let desk = Desk::new();
    let list = desk.labels("list --json").exits(0);
    assert_eq!(list.stderr, "");
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    let names: Vec<_> = list["packs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pack| pack["name"].as_str().unwrap())
        .collect();
    for name in [
        "bridges",
        "case-upbit",
        "exchanges",
        "mixers",
        "routers",
        "sanctions-ofac",
        "thefts",
        "tornado-cash",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    let pool = desk.lookup(&POOL.to_lowercase());
    assert_eq!(pool["address"], POOL);
    assert_eq!(pool["labels"][0]["label"], "Tornado Cash 100 ETH pool");
    assert_eq!(pool["labels"][0]["network"], "ethereum");
    let elsewhere = desk
        .labels(&format!("lookup {POOL} --chain arbitrum"))
        .exits(0);
    assert!(
        elsewhere.stdout.contains("no label"),
        "{}",
        elsewhere.stdout
    );
    let mixers = desk.labels("list --kind mixer --chain bnb").exits(0);
    assert!(
        mixers.stdout.contains("Tornado Cash 100 BNB pool"),
        "{}",
        mixers.stdout
    );
    assert!(!mixers.stdout.contains("ETH pool"), "{}", mixers.stdout);
}

#[test]
fn imported_labels_stay_are_replaced_and_are_removed() {
    let desk = Desk::new();
    let table =
        |label: &str| format!("{HEADER}\n{GENESIS},bitcoin,{label},satoshi,,a book,,2009-01-03\n");
    let first = desk.file("My Labels.csv", &table("Someone"));
    let import = desk.with("import", &[&first]).exits(0);
    assert_eq!(import.stdout, "my-labels: 1 labels\n");
    assert_eq!(desk.lookup(GENESIS)["labels"][0]["label"], "Someone");
    let second = desk.file("my-labels.csv", &table("Satoshi"));
    let again = desk.with("import", &[&second]).exits(0);
    assert!(
        again.stdout.contains("in place of the earlier ones"),
        "{}",
        again.stdout
    );
    let found = desk.lookup(GENESIS);
    assert_eq!(found["labels"].as_array().unwrap().len(), 1);
    assert_eq!(found["labels"][0]["pack"], "my-labels");
    assert_eq!(found["labels"][0]["as_of"], "2009-01-03");
    let export = desk.labels("export my-labels").exits(0);
    let pack = desk.file("out.yaml", &export.stdout);
    desk.with("import --name round", &[&pack]).exits(0);
    let twice = desk.lookup(GENESIS);
    assert_eq!(twice["labels"].as_array().unwrap().len(), 2);
    assert_eq!(twice["sources_differ"], false);
    desk.labels("remove my-labels round").exits(0);
    assert_eq!(desk.lookup(GENESIS)["labels"], Value::Array(Vec::new()));
    let gone = desk.labels("remove my-labels").exits(2);
    assert!(gone.stderr.contains("hint: "), "{}", gone.stderr);
    desk.labels("remove exchanges").exits(2);
}

#[test]
fn a_file_with_a_bad_line_is_refused_whole_unless_the_user_says_otherwise() {
    let desk = Desk::new();
    let text = format!(
        "{HEADER}\n{GENESIS},bitcoin,good,,,s,,\n0x12,ethereum,bad,,,s,,\n{GENESIS},bitcoin,late,,,s,,9999-12-30\n"
    );
    let file = desk.file("list.csv", &text);
    let refused = desk.with("import", &[&file]).exits(1);
    assert_eq!(refused.stdout, "");
    assert!(
        refused
            .stderr
            .contains("list.csv, line 3: `0x12` is neither"),
        "{}",
        refused.stderr
    );
    assert!(
        refused
            .stderr
            .contains("list.csv, line 4: 9999-12-30 is in the future"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("hint: "), "{}", refused.stderr);
    assert_eq!(desk.lookup(GENESIS)["labels"], Value::Array(Vec::new()));
    let some = desk.with("import --skip-refused --json", &[&file]).exits(0);
    let output: Value = serde_json::from_str(&some.stdout).unwrap();
    assert_eq!(output["imported"][0]["left_out"], 2);
    assert!(some.stderr.contains("line 3"), "{}", some.stderr);
    assert_eq!(desk.lookup(GENESIS)["labels"][0]["label"], "good");
}

#[test]
fn a_good_file_is_taken_where_another_is_refused() {
    let desk = Desk::new();
    let good = desk.file(
        "good.csv",
        &format!("{HEADER}\n{GENESIS},bitcoin,good,,,s,,\n"),
    );
    let half = desk.file(
        "sdn_advanced.xml",
        "<?xml version=\"1.0\"?>\n<Sanctions>\n<DistinctParties>\n",
    );
    let both = desk.with("import", &[&half, &good]).exits(1);
    assert!(
        both.stderr
            .contains("line 4: the file ends here, inside `DistinctParties`"),
        "{}",
        both.stderr
    );
    assert_eq!(both.stdout, "good: 1 labels\n");
}

#[test]
fn hostile_text_of_a_label_is_shown_escaped_and_kept_as_it_is() {
    let desk = Desk::new();
    let name = "\u{202e}<b>'; DROP TABLE labels; --\u{1b}[31m";
    let file = desk.file(
        "evil.csv",
        &format!("{HEADER}\n{GENESIS},bitcoin,\"{name}\",,,s,,\n"),
    );
    desk.with("import", &[&file]).exits(0);
    for words in [
        format!("lookup {GENESIS}"),
        "list --pack evil".into(),
        "list".into(),
    ] {
        let shown = desk.labels(&words).exits(0);
        let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!shown.stdout.contains(steers), "{:?}", shown.stdout);
    }
    assert_eq!(desk.lookup(GENESIS)["labels"][0]["label"], name);
}

#[test]
fn conflicting_labels_are_all_shown_and_said_to_differ() {
    let desk = Desk::new();
    let text = format!("{HEADER}\n{POOL},ethereum,An exchange,binance,exchange,rumour,,\n");
    let file = desk.file("rumour.csv", &text);
    desk.with("import", &[&file]).exits(0);
    let shown = desk.labels(&format!("lookup {POOL}")).exits(0);
    for part in [
        "Tornado Cash 100 ETH pool",
        "An exchange",
        "the sources differ",
    ] {
        assert!(shown.stdout.contains(part), "{}", shown.stdout);
    }
}

#[test]
fn damaged_and_wrong_files_are_left_out_with_a_warning() {
    let desk = Desk::new();
    let file = desk.file(
        "one.csv",
        &format!("{HEADER}\n{GENESIS},bitcoin,one,,,s,,\n"),
    );
    desk.with("import", &[&file]).exits(0);
    let kept = desk.data.path().join("labels/one.labels");
    let mut bytes = fs::read(&kept).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&kept, bytes).unwrap();
    let config = directory();
    fs::create_dir(config.path().join("labels")).unwrap();
    fs::write(
        config.path().join("labels/mine.yaml"),
        "title: t\ntags: [\n",
    )
    .unwrap();
    let found = Hansel::new(&format!("labels lookup {POOL}"))
        .data(desk.data.path())
        .option("--config", config.path())
        .run()
        .exits(3);
    assert!(
        found.stdout.contains("Tornado Cash 100 ETH pool"),
        "{}",
        found.stdout
    );
    assert!(
        found
            .stderr
            .contains("one.labels: its contents were changed"),
        "{}",
        found.stderr
    );
    assert!(found.stderr.contains("mine.yaml, line"), "{}", found.stderr);
    // What is damaged can be taken away.
    desk.labels("remove one").exits(0);
    assert_eq!(desk.labels("list").exits(0).stderr, "");
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_hint() {
    let desk = Desk::new();
    let file = desk.file("labels.txt", HEADER);
    let other = desk.file("odd.csv", HEADER);
    for (words, paths) in [
        ("import", vec![file.as_path()]),
        ("import --name x", vec![other.as_path(), other.as_path()]),
        ("import", vec![other.as_path(), other.as_path()]),
        ("import --name ../x", vec![other.as_path()]),
        ("lookup 0x12", Vec::new()),
        ("lookup 1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7Q", Vec::new()),
        (
            "lookup 975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7",
            Vec::new(),
        ),
        ("list --pack none", Vec::new()),
        ("list --chain none", Vec::new()),
        ("export none", Vec::new()),
    ] {
        let refused = desk.with(words, &paths).exits(2);
        assert!(
            refused.stderr.contains("hint: "),
            "{words}: {}",
            refused.stderr
        );
    }
    desk.with("import", &[Path::new("/nowhere/x.csv")]).exits(1);
    let man = Hansel::new("man").run().exits(0);
    for word in ["import", "lookup", "skip\\-refused"] {
        assert!(man.stdout.contains(word), "{word}");
    }
}
