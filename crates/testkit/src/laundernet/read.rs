//! Reads a case's files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, B256};
use hansel_ledger::UnixTime;
use serde::Deserialize;

use super::{LaunderFlow, LaunderNet, order};

/// Says which file of a case could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LaunderNetError {
    /// The file is not there or not readable.
    #[error("cannot read {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The table is not one.
    #[error("cannot read {}", path.display())]
    Table {
        /// Which.
        path: PathBuf,
        /// Why.
        source: csv::Error,
    },
    /// A cell holds something else than it should.
    #[error("{}: `{text}` is not {what}", path.display())]
    Cell {
        /// Where.
        path: PathBuf,
        /// The cell.
        text: String,
        /// What it should be.
        what: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    timestamp: String,
    block: u64,
    #[serde(rename = "Tx_hash")]
    tx: B256,
    from: Address,
    #[serde(rename = "From_label")]
    from_label: String,
    to: Address,
    #[serde(rename = "To_label")]
    to_label: String,
    #[serde(rename = "Value_in_USD")]
    value: String,
}

impl LaunderNet {
    /// Reads a case from its directory: `flows.csv`, `source_addresses.csv`, `terminal_addresses.csv`.
    pub fn read(directory: &Path) -> Result<Self, LaunderNetError> {
        let path = directory.join("flows.csv");
        let table = |source| LaunderNetError::Table {
            path: path.clone(),
            source,
        };
        let (mut flows, mut labels) = (Vec::new(), BTreeMap::new());
        for row in csv::Reader::from_path(&path).map_err(table)?.deserialize() {
            let row: Row = row.map_err(table)?;
            flows.push(row.flow(&path)?);
            let named = [(row.from, row.from_label), (row.to, row.to_label)];
            labels.extend(named.into_iter().filter(|(_, label)| !label.is_empty()));
        }
        let name = directory.file_name().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            flows: order::in_order(flows),
            sources: addresses(&directory.join("source_addresses.csv"))?,
            terminals: addresses(&directory.join("terminal_addresses.csv"))?,
            labels,
        })
    }
}

impl Row {
    fn flow(&self, path: &Path) -> Result<LaunderFlow, LaunderNetError> {
        let refuse = |text: &str, what| LaunderNetError::Cell {
            path: path.to_owned(),
            text: text.to_owned(),
            what,
        };
        let time = self.timestamp.replace(' ', "T") + "Z";
        let UnixTime(time) = time
            .parse()
            .map_err(|_| refuse(&self.timestamp, "a time"))?;
        Ok(LaunderFlow {
            block: self.block,
            time,
            tx: self.tx,
            from: self.from,
            to: self.to,
            value: millionths(&self.value).ok_or_else(|| refuse(&self.value, "a value"))?,
        })
    }
}

fn addresses(path: &Path) -> Result<BTreeSet<Address>, LaunderNetError> {
    let text = fs::read_to_string(path).map_err(|source| LaunderNetError::Io {
        path: path.to_owned(),
        source,
    })?;
    let read = |word: &str| {
        word.parse().map_err(|_| LaunderNetError::Cell {
            path: path.to_owned(),
            text: word.to_owned(),
            what: "an address",
        })
    };
    text.split_whitespace().map(read).collect()
}

/// Reads dollars as written, without ever passing through a float.
fn millionths(text: &str) -> Option<u64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || decimals.len() > 6 || !digits(whole) || !digits(decimals) {
        return None;
    }
    format!("{whole}{decimals:0<6}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_to_the_millionth_and_nonsense_is_refused() {
        assert_eq!(millionths("34755.13"), Some(34_755_130_000));
        assert_eq!(millionths("2200000.0"), Some(2_200_000_000_000));
        assert_eq!(millionths("5"), Some(5_000_000));
        for nonsense in ["", ".5", "-1", "1e5", "1.0000001", "1.2.3"] {
            assert_eq!(millionths(nonsense), None, "{nonsense}");
        }
    }
}
