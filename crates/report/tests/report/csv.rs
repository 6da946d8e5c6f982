use hansel_report::{Format, render};

use crate::sample::{self, COLD, DEPOSIT, LOOT, SPLIT, THEFT};

/// The rows of one of the three tables, as the csv crate reads them back.
fn rows(report: &hansel_report::Report, table: usize) -> Vec<Vec<String>> {
    let files = render(report, Format::Csv).unwrap();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(&*files[table].bytes);
    reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn three_tables_are_rendered_in_the_order_of_their_suffixes() {
    let files = render(&sample::report(), Format::Csv).unwrap();
    let suffixes: Vec<_> = files.iter().map(|file| file.suffix).collect();
    assert_eq!(suffixes, ["-nodes.csv", "-flows.csv", "-accounting.csv"]);
}

#[test]
fn the_accounting_is_one_line_per_seed_and_rule() {
    let files = render(&sample::report(), Format::Csv).unwrap();
    let expected = "seed,rule,chain,asset,decimals,stolen,at_rest,exchanges,mixers,bridges,services,hubs,frontier,\
        below_threshold,fees,burned,total,balances\r\n\
        s1,fifo,bitcoin,BTC,8,450290000000,300000000000,150290000000,0,0,0,0,0,0,0,0,450290000000,yes\r\n\
        s1,haircut,bitcoin,BTC,8,450290000000,292846148843,157443841395,0,0,0,0,0,0,9762,0,450290000000,yes\r\n";
    assert_eq!(String::from_utf8(files[2].bytes.clone()).unwrap(), expected);
}

#[test]
fn a_flow_has_one_column_per_rule() {
    let rows = rows(&sample::report(), 1);
    assert_eq!(
        rows[0].join(","),
        "id,kind,chain,block,time,tx,from,to,from_addresses,to_address,proof,asset,amount,tainted_fifo,tainted_haircut"
    );
    let output = format!("bitcoin:output:{SPLIT}:0");
    let from = format!("bitcoin:tx:{SPLIT}");
    let expected = [
        &*output,
        "transfer",
        "bitcoin",
        "849000",
        "2024-06-21T20:00:00Z",
        SPLIT,
        &from,
        &output,
        LOOT,
        COLD,
        "merkle",
        "BTC",
        "300000000000",
        "300000000000",
        "292846148843",
    ];
    assert_eq!(rows[2], expected);
    assert_eq!(rows.len(), 5);
}

#[test]
fn a_node_shows_what_it_received_and_why_it_was_left() {
    let rows = rows(&sample::report(), 0);
    let deposit = &rows[4];
    let column = |name: &str| &*deposit[rows[0].iter().position(|head| head == name).expect(name)];
    assert_eq!(column("address"), DEPOSIT);
    assert_eq!(column("stop"), "exchange");
    assert_eq!(column("labels"), "Example Exchange");
    assert_eq!(column("gaps"), "the endpoint timed out");
    assert_eq!(column("amount"), "161289990000");
    assert_eq!(column("tainted_fifo"), "150290000000");
    assert_eq!(column("complete_through"), "860000");
    let theft = &rows[1];
    assert_eq!(theft[0], format!("bitcoin:tx:{THEFT}"));
    assert_eq!(
        theft.last().unwrap(),
        "",
        "no flow of the report enters the theft"
    );
}

#[test]
fn a_node_that_received_two_assets_has_a_row_for_each() {
    let mut report = sample::report();
    let mut token = report.flows[1].clone();
    token.id = "bitcoin:token".into();
    token.asset = "A token".into();
    token.amount = 7.into();
    report.flows.push(token);
    let rows = rows(&report, 0);
    let cold: Vec<_> = rows
        .iter()
        .filter(|row| row[3] == COLD)
        .map(|row| (&*row[12], &*row[13]))
        .collect();
    assert_eq!(cold, [("A token", "7"), ("BTC", "300000000000")]);
}

#[test]
fn a_rule_that_is_not_a_measure_need_not_balance() {
    let mut report = sample::report();
    report.accounting[0].rule = hansel_graph::Rule::Poison;
    report.accounting[1].total = 1.into();
    let rows = rows(&report, 2);
    assert_eq!(rows[1].last().unwrap(), "");
    assert_eq!(rows[2].last().unwrap(), "no");
}
