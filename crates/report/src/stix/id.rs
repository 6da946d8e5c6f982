//! The ids of STIX objects: UUIDs of version 5, so that equal objects have equal ids.

use std::fmt;

use alloy_primitives::hex;
use bitcoin::hashes::{Hash, HashEngine, sha1};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::visible;

/// The space of names of cyber-observable objects. Source: STIX 2.1, 2.9.
const OBSERVABLES: [u8; 16] = [
    0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7,
];

/// The space of names that belong to URLs. Source: RFC 9562, 6.6.
const URLS: [u8; 16] = [
    0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
];

/// Objects that are no observables must not use the space of those; this program's are named by its URL.
const OURS: &str = "https://github.com/hansel-tracer/hansel/stix";

/// The id of a wallet or a transaction. Ids have the order of their texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Observable {
    class: Class,
    uuid: [u8; 16],
}

/// The kinds of observables, in the order of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Class {
    Transaction,
    Wallet,
}

impl Observable {
    /// The id of an address.
    pub(super) fn wallet(address: &str) -> Self {
        Self::named(Class::Wallet, address)
    }

    /// The id of a transaction, by its hash.
    pub(super) fn transaction(tx: &str) -> Self {
        Self::named(Class::Transaction, tx)
    }

    /// An observable is named by its `value`: by the JSON in which RFC 8785 writes it.
    fn named(class: Class, value: &str) -> Self {
        let name = format!("{{\"value\":{}}}", Value::from(&*visible(value)));
        let uuid = version_5(OBSERVABLES, name.as_bytes());
        Self { class, uuid }
    }
}

impl fmt::Display for Observable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.class {
            Class::Transaction => "cryptocurrency-transaction--",
            Class::Wallet => "cryptocurrency-wallet--",
        })?;
        f.write_str(&shown(self.uuid))
    }
}

impl Serialize for Observable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

/// The id of another object, which its class and the parts of its name tell from all others.
pub(super) fn of_ours(class: &str, parts: &[&str]) -> String {
    let space = version_5(URLS, OURS.as_bytes());
    let name = Value::from([&[class], parts].concat()).to_string();
    format!("{class}--{}", shown(version_5(space, name.as_bytes())))
}

/// Source: RFC 9562, 5.5.
fn version_5(space: [u8; 16], name: &[u8]) -> [u8; 16] {
    let mut engine = sha1::Hash::engine();
    engine.input(&space);
    engine.input(name);
    let digest = sha1::Hash::from_engine(engine).to_byte_array();
    let mut uuid = [0; 16];
    uuid.copy_from_slice(&digest[..16]);
    uuid[6] = uuid[6] & 0x0f | 0x50;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    uuid
}

fn shown(uuid: [u8; 16]) -> String {
    let whole = hex::encode(uuid);
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &whole[part]);
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: RFC 9562, A.4 (with the space of names of DNS).
    #[test]
    fn the_example_of_the_standard_comes_out() {
        let mut dns = URLS;
        dns[3] = 0x10;
        let uuid = shown(version_5(dns, b"www.example.com"));
        assert_eq!(uuid, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }
}
