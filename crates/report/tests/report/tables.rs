use hansel_report::{Format, Report, render};

use crate::readers;
use crate::sample::{self, COLD, SPLIT};

/// What a script of pyarrow says of one of the three tables, which it finds as `t`.
pub(crate) fn with_pyarrow(report: &Report, table: usize, script: &str) -> Option<String> {
    let files = render(report, Format::Parquet).unwrap();
    let script = format!(
        "import sys, io, pyarrow.parquet as pq\n\
         t = pq.read_table(io.BytesIO(sys.stdin.buffer.read()))\n{script}"
    );
    readers::python("pyarrow", &script, &files[table].bytes)
}

#[test]
fn pyarrow_reads_amounts_as_exact_decimals_and_times_in_utc() {
    let script = "r = t.to_pylist()[1]\n\
        print(t.num_rows, t.schema.field('amount').type, t.schema.field('time').type)\n\
        print(r['id'], r['amount'], r['tainted_haircut'], r['block'], r['time'].isoformat(), r['to_address'])";
    if let Some(output) = with_pyarrow(&sample::report(), 1, script) {
        let expected = format!(
            "4 decimal128(38, 0) timestamp[ms, tz=UTC]\n\
             bitcoin:output:{SPLIT}:0 300000000000 292846148843 849000 2024-06-21T20:00:00+00:00 {COLD}\n"
        );
        assert_eq!(output, expected);
    }
}

#[test]
fn an_amount_of_more_than_38_digits_makes_its_table_hold_text() {
    let largest = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    let nines = "9".repeat(38);
    for (amount, kind) in [(largest, "string"), (&*nines, "decimal128(38, 0)")] {
        let mut report = sample::report();
        report.flows[0].amount = amount.parse().unwrap();
        let script = "print(t.schema.field('amount').type, t['amount'][0])";
        if let Some(output) = with_pyarrow(&report, 1, script) {
            assert_eq!(output, format!("{kind} {amount}\n"));
        }
    }
}

#[test]
fn nodes_and_findings_are_tables_too() {
    let script = "print(t.num_rows, [r['amount'] for r in t.to_pylist()], t['labels'][3])";
    if let Some(output) = with_pyarrow(&sample::report(), 0, script) {
        let amounts = "[None, Decimal('450290000000'), Decimal('300000000000'), Decimal('161289990000'), Decimal('10000')]";
        assert_eq!(output, format!("5 {amounts} Example Exchange\n"));
    }
    let script = "print(t.to_pylist())";
    if let Some(output) = with_pyarrow(&sample::report(), 2, script) {
        let expected = format!(
            "[{{'heuristic': 'btc.split', 'confidence': 'weak', 'summary': 'the loot was split once', \
             'error_rate': 'none published', 'subjects': 'bitcoin:tx:{SPLIT}', \
             'evidence': 'bitcoin:output:{SPLIT}:0', 'parameters': '{{\"min_outputs\":2}}'}}]\n"
        );
        assert_eq!(output, expected);
    }
}

#[test]
fn tables_longer_than_a_group_of_rows_keep_every_row_in_order() {
    let mut report = sample::report();
    let flow = report.flows[1].clone();
    report.flows = (0..70_000_u64)
        .map(|number| hansel_report::model::Flow {
            id: format!("flow {number}"),
            amount: number.into(),
            ..flow.clone()
        })
        .collect();
    let script = "print(t.num_rows, t['amount'].to_pylist() == list(range(70000)), t['id'][69999])";
    if let Some(output) = with_pyarrow(&report, 1, script) {
        assert_eq!(output, "70000 True flow 69999\n");
    }
}

#[test]
fn a_report_without_anything_gives_tables_without_rows() {
    let mut report = sample::report();
    (report.nodes, report.flows, report.findings) = Default::default();
    for table in 0..3 {
        if let Some(output) = with_pyarrow(&report, table, "print(t.num_rows)") {
            assert_eq!(output, "0\n");
        }
    }
}
