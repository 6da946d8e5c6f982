//! Internal operations as Otterscan's interface lists them.
//!
//! Nodes list operations of reverted calls among them, some list the top-level transfer too, and none says where an
//! operation stands in the tree. They tell where to look and are no movements.

use std::fmt;

use alloy_primitives::{Address, U256};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::DecodeError;
use super::json::parse;
use super::quantity::required;

/// An operation that may have moved the native coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct OtsOperation {
    /// What kind.
    #[serde(rename = "type")]
    pub kind: OtsOperationKind,
    /// The account in whose name it was made.
    pub from: Address,
    /// The account called, created or sent the remains.
    pub to: Address,
    /// Its value in base units.
    #[serde(deserialize_with = "required")]
    pub value: U256,
}

/// The kinds of [`OtsOperation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OtsOperationKind {
    /// A call with value.
    Transfer,
    /// A self-destruction.
    SelfDestruct,
    /// A creation.
    Create,
    /// A creation at an address that can be known before.
    Create2,
}

/// Reads the result of `ots_getInternalOperations`; `None` for null.
pub fn ots_operations(json: &[u8]) -> Result<Option<Vec<OtsOperation>>, DecodeError> {
    parse("internal operations", json)
}

impl<'de> Deserialize<'de> for OtsOperationKind {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_u64(KindReader)
    }
}

struct KindReader;

impl Visitor<'_> for KindReader {
    type Value = OtsOperationKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number from 0 to 3")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<OtsOperationKind, E> {
        match number {
            0 => Ok(OtsOperationKind::Transfer),
            1 => Ok(OtsOperationKind::SelfDestruct),
            2 => Ok(OtsOperationKind::Create),
            3 => Ok(OtsOperationKind::Create2),
            _ => Err(E::custom("no such operation")),
        }
    }
}
