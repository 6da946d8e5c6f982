use hansel_report::{Format, Report, render};

use crate::sample::{self, COLD, SPLIT};

/// The rows of a format's tables, as the csv crate reads them back.
pub(crate) fn tables(report: &Report, format: Format) -> Vec<Vec<Vec<String>>> {
    let read = |bytes: &[u8]| {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(bytes);
        let rows = reader
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect());
        rows.collect()
    };
    let files = render(report, format).unwrap();
    files.iter().map(|file| read(&file.bytes)).collect()
}

#[test]
fn neo4j_is_told_what_is_a_node_what_a_flow_and_of_which_type_each_column_is() {
    let tables = tables(&sample::report(), Format::Neo4j);
    assert_eq!(
        tables[0][0].join(","),
        "id:ID(node),label:string,kind:string,chain:string,address:string,block:long,time:string,stop:string,\
         stop_reason:string,entity:string,labels:string,gaps:string,asset:string,amount:long,tainted_fifo:long,\
         tainted_haircut:long,:LABEL"
    );
    assert_eq!(
        tables[1][0].join(","),
        ":START_ID(node),:END_ID(node),flow:string,label:string,kind:string,chain:string,tx:string,block:long,\
         time:string,to_address:string,proof:string,asset:string,amount:long,tainted_fifo:long,tainted_haircut:long,:TYPE"
    );
    let (node, flow) = (&tables[0][3], &tables[1][2]);
    assert_eq!((&*node[0], &*node[16]), (&*flow[1], "Output"));
    assert_eq!((&*flow[12], &*flow[15]), ("300000000000", "TRANSFER"));
    assert_eq!((tables[0].len(), tables[1].len()), (6, 5));
}

#[test]
fn neo4j_is_given_text_where_its_numbers_end() {
    let mut report = sample::report();
    report.flows[1].amount = 9_223_372_036_854_775_808.into();
    let tables = tables(&report, Format::Neo4j);
    assert_eq!(tables[1][0][12], "amount:string");
    assert_eq!(tables[1][2][12], "9223372036854775808");
}

#[test]
fn a_chart_is_told_both_ends_of_a_flow_with_date_and_time_apart() {
    let rows = &tables(&sample::report(), Format::I2)[0];
    let column = |name: &str| &*rows[2][rows[0].iter().position(|head| head == name).expect(name)];
    assert_eq!(column("From_ID"), format!("bitcoin:tx:{SPLIT}"));
    assert_eq!(column("From_Type"), "transaction");
    assert_eq!(column("To_Type"), "at-rest");
    assert_eq!(
        (column("Date"), column("Time"), column("TZ")),
        ("21/06/2024", "20:00:00", "UTC")
    );
    assert_eq!(
        (column("Amount"), column("Decimals")),
        ("300000000000", "8")
    );
    assert_eq!(column("Link_Label"), "3,000.00000000 BTC");
    assert_eq!(column("tainted_haircut"), "292846148843");
}

#[test]
fn maltego_is_given_values_that_can_be_looked_up() {
    let rows = &tables(&sample::report(), Format::Maltego)[0];
    assert_eq!(
        rows[2][..5],
        ["transaction", SPLIT, "at-rest", COLD, "3,000.00000000 BTC"]
    );
    assert_eq!(rows[4][3], "bitcoin:fees");
    assert_eq!(rows.len(), 5);
}
