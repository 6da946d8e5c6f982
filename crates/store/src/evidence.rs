//! Raw answers of endpoints: each body once, with everybody who gave it.

use std::fmt;
use std::str::FromStr;

use bitcoin::hashes::{Hash, HashEngine, sha256};
use hansel_ledger::{Evidence, UnixTime};
use rocksdb::{Direction, WriteBatch};
use serde::{Deserialize, Serialize};

use crate::columns::Column;
use crate::rows::{EvidenceRef, bad_row, decode, encode};
use crate::{Store, StoreError, keys};

/// The SHA-256 of a body, as `sha256sum` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EvidenceHash(sha256::Hash);

impl EvidenceHash {
    /// Hashes a body.
    pub fn of(body: &[u8]) -> Self {
        Self(sha256::Hash::hash(body))
    }

    /// Hashes who was asked and what, with a zero byte between, which neither holds.
    pub(crate) fn of_request(endpoint: &str, request: &str) -> Self {
        let mut engine = sha256::Hash::engine();
        engine.input(endpoint.as_bytes());
        engine.input(&[0]);
        engine.input(request.as_bytes());
        Self(sha256::Hash::from_engine(engine))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_byte_array()
    }
}

impl fmt::Display for EvidenceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EvidenceHash {
    type Err = <sha256::Hash as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// One raw answer as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRecord {
    /// The SHA-256 of the body, checked when the record was read.
    pub sha256: EvidenceHash,
    /// The endpoint's host, without user, path or query.
    pub endpoint: String,
    /// The request in a form that can be repeated by hand.
    pub request: String,
    /// When the endpoint first gave this answer to this request.
    pub at: UnixTime,
    /// The body, unchanged.
    pub body: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provenance {
    endpoint: String,
    request: String,
    at: UnixTime,
}

impl Store {
    /// The body with this hash, with every endpoint and request that gave it; empty where there is none.
    pub fn evidence(&self, sha256: &EvidenceHash) -> Result<Vec<EvidenceRecord>, StoreError> {
        let Some(body) = self.body(sha256)? else {
            return Ok(Vec::new());
        };
        let mut records = Vec::new();
        for row in self.scan(Column::Provenance, sha256.as_bytes(), Direction::Forward) {
            let (key, value) = row?;
            if !key.starts_with(sha256.as_bytes()) {
                break;
            }
            let origin: Provenance = decode(Column::Provenance, &key, &value)?;
            records.push(record(*sha256, origin, body.clone()));
        }
        Ok(records)
    }

    /// The records that a statement names; one that is not there is an error, since both were written at once.
    pub(crate) fn evidence_records(
        &self,
        named: &[EvidenceRef],
    ) -> Result<Vec<EvidenceRecord>, StoreError> {
        named.iter().map(|one| self.evidence_record(one)).collect()
    }

    fn evidence_record(&self, named: &EvidenceRef) -> Result<EvidenceRecord, StoreError> {
        let key = keys::provenance(&named.body, &named.request);
        let missing =
            |column, key: &[u8]| bad_row(column, key, "a statement names it, but it is missing");
        let value = self
            .get(Column::Provenance, &key)?
            .ok_or_else(|| missing(Column::Provenance, &key))?;
        let origin = decode(Column::Provenance, &key, &value)?;
        let body = self
            .body(&named.body)?
            .ok_or_else(|| missing(Column::Evidence, named.body.as_bytes()))?;
        Ok(record(named.body, origin, body))
    }

    fn body(&self, sha256: &EvidenceHash) -> Result<Option<Vec<u8>>, StoreError> {
        let body = self.get(Column::Evidence, sha256.as_bytes())?;
        match body {
            Some(body) if EvidenceHash::of(&body) != *sha256 => {
                let reason = "the body does not have the hash it is stored under";
                Err(bad_row(Column::Evidence, sha256.as_bytes(), reason))
            }
            other => Ok(other),
        }
    }

    /// Adds what is new among raw answers to a batch, and names them all.
    pub(crate) fn add_evidence(
        &self,
        batch: &mut WriteBatch,
        evidence: &[Evidence],
        at: UnixTime,
    ) -> Result<Vec<EvidenceRef>, StoreError> {
        let mut named = Vec::with_capacity(evidence.len());
        for one in evidence {
            named.push(self.add_one(batch, one, at)?);
        }
        Ok(named)
    }

    fn add_one(
        &self,
        batch: &mut WriteBatch,
        evidence: &Evidence,
        at: UnixTime,
    ) -> Result<EvidenceRef, StoreError> {
        let body = EvidenceHash::of(&evidence.body);
        let request = EvidenceHash::of_request(&evidence.endpoint, &evidence.request);
        if !self.has(Column::Evidence, body.as_bytes())? {
            batch.put_cf(
                self.column(Column::Evidence),
                body.as_bytes(),
                &evidence.body,
            );
        }
        let key = keys::provenance(&body, &request);
        if !self.has(Column::Provenance, &key)? {
            let origin = Provenance {
                endpoint: evidence.endpoint.clone(),
                request: evidence.request.clone(),
                at,
            };
            let value = encode("evidence", &origin)?;
            batch.put_cf(self.column(Column::Provenance), key, value);
        }
        Ok(EvidenceRef { body, request })
    }
}

fn record(sha256: EvidenceHash, origin: Provenance, body: Vec<u8>) -> EvidenceRecord {
    EvidenceRecord {
        sha256,
        endpoint: origin.endpoint,
        request: origin.request,
        at: origin.at,
        body,
    }
}
