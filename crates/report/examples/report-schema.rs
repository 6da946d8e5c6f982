//! Prints the JSON Schema of the report: `cargo run --example report-schema > docs/report-schema.json`.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let schema = serde_json::to_string_pretty(&hansel_report::json_schema())?;
    writeln!(io::stdout(), "{schema}")
}
