//! The JSON Schema of the report, generated from its types.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::Report;

/// The JSON Schema (draft 2020-12) of what [`Report::to_json`] writes; kept in `docs/report-schema.json`.
pub fn json_schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings
        .into_generator()
        .into_root_schema_for::<Report>()
        .to_value()
}
