//! Texts that many entries of a report have in common, each held once.

use std::borrow::{Borrow, Cow};
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use hansel_ledger::NodeId;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Flow;

/// A text that is copied without copying its letters.
///
/// A million flows lie between few nodes, on few chains and in few assets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shared(Arc<str>);

impl Deref for Shared {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Shared {
    fn borrow(&self) -> &str {
        self
    }
}

impl AsRef<str> for Shared {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Default for Shared {
    fn default() -> Self {
        "".into()
    }
}

impl From<&str> for Shared {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Shared {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Shared> for String {
    fn from(text: Shared) -> Self {
        (*text).to_owned()
    }
}

impl From<NodeId> for Shared {
    fn from(id: NodeId) -> Self {
        String::from(id).into()
    }
}

impl From<&String> for Shared {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl PartialEq<str> for Shared {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Shared {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialEq<String> for Shared {
    fn eq(&self, other: &String) -> bool {
        **self == **other
    }
}

impl PartialEq<Shared> for String {
    fn eq(&self, other: &Shared) -> bool {
        **self == **other
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl JsonSchema for Shared {
    fn inline_schema() -> bool {
        String::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        String::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

/// The texts that were seen before.
#[derive(Debug, Default)]
pub(crate) struct Pool(HashSet<Shared>);

impl Pool {
    /// Lets a flow hold the same texts as those before it, and its own without spare room.
    pub(crate) fn share(&mut self, mut flow: Flow) -> Flow {
        flow.id.shrink_to_fit();
        flow.tx.shrink_to_fit();
        let one = [
            &mut flow.chain,
            &mut flow.from,
            &mut flow.to,
            &mut flow.asset,
        ];
        let addresses = flow.from_addresses.iter_mut().chain(&mut flow.to_address);
        let texts = one.into_iter().chain(addresses);
        texts.for_each(|text| self.hold(text));
        for claims in flow.claims.values_mut() {
            let pairs = std::mem::take(claims).into_iter();
            let held = pairs.map(|(mut seed, claim)| {
                self.hold(&mut seed);
                (seed, claim)
            });
            *claims = held.collect();
        }
        flow
    }

    fn hold(&mut self, text: &mut Shared) {
        match self.0.get(&**text) {
            Some(held) => *text = held.clone(),
            None => {
                self.0.insert(text.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_text_in_memory() {
        let mut pool = Pool::default();
        let [mut one, mut same, mut other] = ["bitcoin", "bitcoin", "ethereum"].map(Shared::from);
        for text in [&mut one, &mut same, &mut other] {
            pool.hold(text);
        }
        assert!(Arc::ptr_eq(&one.0, &same.0) && !Arc::ptr_eq(&one.0, &other.0));
        assert_eq!((&*same, &*other), ("bitcoin", "ethereum"));
    }

    #[test]
    fn it_is_written_read_and_described_as_any_text_is() {
        let text: Shared = serde_json::from_str("\"a\\u0000b\"").unwrap();
        assert_eq!(serde_json::to_string(&text).unwrap(), "\"a\\u0000b\"");
        let described = |schema: Schema| serde_json::to_value(schema).unwrap();
        assert_eq!(
            described(schemars::schema_for!(Shared)),
            described(schemars::schema_for!(String))
        );
    }
}
