//! The keys of every column family: fixed-size, big-endian, described in `docs/schema.md`.

use alloy_primitives::{Address, B256};
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::{Script, Txid};
use hansel_ledger::{Chain, Coin};

use crate::EvidenceHash;

/// A chain: the first eight bytes of the SHA-256 of its name. Key of `chains`, prefix of most other keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainKey([u8; 8]);

impl ChainKey {
    pub(crate) fn of(chain: &Chain) -> Self {
        let digest = sha256::Hash::hash(chain.name().as_bytes()).to_byte_array();
        Self(first(&digest))
    }

    /// Reads a key of `chains`.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Key of `provenance`: the body's hash, then that of the endpoint, a zero byte and the request.
pub(crate) fn provenance(body: &EvidenceHash, request: &EvidenceHash) -> [u8; 64] {
    join(body.as_bytes(), request.as_bytes())
}

/// Key of `statements`: chain, kind, subject, output index (zero where the kind has none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatementKey([u8; 45]);

const TRANSACTION: u8 = 1;
const SPEND: u8 = 2;
const RECEIVED: u8 = 3;
// Kinds 4, 5, 7, 8 and 9 are of facts that were read without events that are kept now.
const DEPOSITS: u8 = 6;
const ENTRY: u8 = 10;
const LOGS: u8 = 11;
const EVM_TRANSACTION: u8 = 12;
const ACCOUNT: u8 = 13;

impl StatementKey {
    /// A transaction, by its txid in the byte order of the wire.
    pub(crate) fn transaction(chain: ChainKey, txid: &Txid) -> Self {
        Self::new(chain, TRANSACTION, &txid.to_byte_array(), 0)
    }

    /// The spending of one output.
    pub(crate) fn spend(chain: ChainKey, txid: &Txid, vout: u32) -> Self {
        Self::new(chain, SPEND, &txid.to_byte_array(), vout)
    }

    /// What a script received from a height on, by the SHA-256 of the height and the script.
    pub(crate) fn received(chain: ChainKey, script: &Script, since: u64) -> Self {
        let mut engine = sha256::Hash::engine();
        engine.input(&since.to_be_bytes());
        engine.input(script.as_bytes());
        let subject = sha256::Hash::from_engine(engine).to_byte_array();
        Self::new(chain, RECEIVED, &subject, 0)
    }

    /// An EVM transaction that was asked for by its hash.
    pub(crate) fn evm_transaction(chain: ChainKey, hash: &B256) -> Self {
        Self::new(chain, EVM_TRANSACTION, &hash.0, 0)
    }

    /// The statement of an account, by the SHA-256 of everything that was asked.
    pub(crate) fn account(
        chain: ChainKey,
        address: &Address,
        coin: Coin,
        blocks: (u64, u64),
        bound: u64,
    ) -> Self {
        let mut engine = of_blocks(blocks);
        engine.input(&bound.to_be_bytes());
        engine.input(address.as_slice());
        // The native coin has no contract, not even one of zeros.
        if let Coin::Token(contract) = coin {
            engine.input(contract.as_slice());
        }
        let subject = sha256::Hash::from_engine(engine).to_byte_array();
        Self::new(chain, ACCOUNT, &subject, 0)
    }

    /// What an account received, by the SHA-256 of everything that was asked.
    pub(crate) fn deposits(chain: ChainKey, address: &Address, blocks: (u64, u64)) -> Self {
        let mut engine = of_blocks(blocks);
        engine.input(address.as_slice());
        let subject = sha256::Hash::from_engine(engine).to_byte_array();
        Self::new(chain, DEPOSITS, &subject, 0)
    }

    /// Logs, by the SHA-256 of everything that was asked; each list goes with its length.
    pub(crate) fn logs(
        chain: ChainKey,
        contracts: &[Address],
        topics: &[Vec<B256>],
        blocks: (u64, u64),
    ) -> Self {
        let mut engine = of_blocks(blocks);
        let length = |engine: &mut sha256::HashEngine, length: usize| {
            let length = u64::try_from(length).unwrap_or(u64::MAX);
            engine.input(&length.to_be_bytes());
        };
        length(&mut engine, contracts.len());
        for contract in contracts {
            engine.input(contract.as_slice());
        }
        for asked in topics {
            length(&mut engine, asked.len());
            for topic in asked {
                engine.input(topic.as_slice());
            }
        }
        let subject = sha256::Hash::from_engine(engine).to_byte_array();
        Self::new(chain, LOGS, &subject, 0)
    }

    /// A transaction as statements list it, by the SHA-256 of its own value.
    pub(crate) fn entry(chain: ChainKey, content: &EvidenceHash) -> Self {
        let mut subject = [0; 32];
        subject.copy_from_slice(content.as_bytes());
        Self::new(chain, ENTRY, &subject, 0)
    }

    fn new(chain: ChainKey, kind: u8, subject: &[u8; 32], index: u32) -> Self {
        let start: [u8; 9] = join(&chain.0, &[kind]);
        let end: [u8; 36] = join(subject, &index.to_be_bytes());
        Self(join(&start, &end))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Key of `heights`: chain, height, then the rest of a statement's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeightKey([u8; 53]);

impl HeightKey {
    pub(crate) fn new(height: u64, statement: &StatementKey) -> Self {
        let (chain, rest) = statement.0.split_at(8);
        let start: [u8; 16] = join(chain, &height.to_be_bytes());
        Self(join(&start, rest))
    }

    /// The statement that a key of `heights` stands for.
    pub(crate) fn statement(bytes: &[u8]) -> Option<StatementKey> {
        let whole: [u8; 53] = bytes.try_into().ok()?;
        let (chain, rest) = (&whole[..8], &whole[16..]);
        Some(StatementKey(join(chain, rest)))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Key of `headers`, and where a scan of `heights` starts: chain, height.
pub(crate) fn header(chain: ChainKey, height: u64) -> [u8; 16] {
    join(&chain.0, &height.to_be_bytes())
}

/// The height in a key of `headers`.
pub(crate) fn header_height(bytes: &[u8]) -> Option<u64> {
    let whole: [u8; 16] = bytes.try_into().ok()?;
    Some(u64::from_be_bytes(last(&whole)))
}

/// Key of `cursors`: chain, then the SHA-256 of the case's name.
pub(crate) fn cursor(chain: ChainKey, case: &str) -> [u8; 40] {
    join(&chain.0, &case_hash(case))
}

/// Length of a key of `watched`.
pub(crate) const WATCH: usize = 72;

/// Length of what keys of `watched` begin with.
pub(crate) const WATCHED: usize = 40;

/// What keys of `watched` begin with: chain, then the SHA-256 of what is watched.
pub(crate) fn watched(chain: ChainKey, key: &[u8]) -> [u8; WATCHED] {
    join(&chain.0, &sha256::Hash::hash(key).to_byte_array())
}

/// Key of `watched`: chain, the SHA-256 of what is watched, that of the case's name.
pub(crate) fn watched_by(chain: ChainKey, key: &[u8], case: &str) -> [u8; WATCH] {
    join(&watched(chain, key), &case_hash(case))
}

/// Key of `watchers`: the SHA-256 of the case's name, then the key of `watched`.
pub(crate) fn watcher(case: &str, watch: &[u8; WATCH]) -> [u8; 104] {
    join(&case_hash(case), watch)
}

/// The SHA-256 of a case's name, because names differ in length.
pub(crate) fn case_hash(case: &str) -> [u8; 32] {
    sha256::Hash::hash(case.as_bytes()).to_byte_array()
}

/// Key of `watches`: the SHA-256 of the case's name.
pub(crate) fn watch(case: &str) -> [u8; 32] {
    case_hash(case)
}

/// Key of `outbox`: the number of the message.
pub(crate) fn message(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// The number in a key of `outbox`.
pub(crate) fn message_number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

/// Begins the hash of a question about the blocks `.0..=.1`.
fn of_blocks((since, until): (u64, u64)) -> sha256::HashEngine {
    let mut engine = sha256::Hash::engine();
    engine.input(&since.to_be_bytes());
    engine.input(&until.to_be_bytes());
    engine
}

fn join<const N: usize>(start: &[u8], end: &[u8]) -> [u8; N] {
    let mut key = [0; N];
    key[..start.len()].copy_from_slice(start);
    key[start.len()..].copy_from_slice(end);
    key
}

fn first(digest: &[u8; 32]) -> [u8; 8] {
    *digest.first_chunk().expect("32 is more than 8")
}

fn last(key: &[u8; 16]) -> [u8; 8] {
    *key.last_chunk().expect("16 is more than 8")
}

#[cfg(test)]
mod tests {
    use bitcoin::ScriptBuf;
    use bitcoin::hex::DisplayHex;

    use super::*;

    const THEFT: &str = "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7";

    fn chain() -> ChainKey {
        ChainKey::of(&Chain::bitcoin())
    }

    #[test]
    fn a_chain_is_keyed_by_the_hash_of_its_name() {
        assert_eq!(chain().as_bytes().to_lower_hex_string(), "6b88c087247aa2f0");
        assert_eq!(ChainKey::parse(chain().as_bytes()), Some(chain()));
        assert_eq!(ChainKey::parse(b"short"), None);
    }

    /// An old answer without an event that is kept now would hide it: with the events the kinds of [`EVM_TRANSACTION`] and
    /// [`ACCOUNT`] have to change, and only then this hash.
    #[test]
    fn other_events_are_kept_under_other_kinds() {
        let mut engine = sha256::Hash::engine();
        for (_, topic) in hansel_ledger::topics::ALL {
            engine.input(topic.as_slice());
        }
        let kept = sha256::Hash::from_engine(engine).to_byte_array();
        let known = (EVM_TRANSACTION, ACCOUNT, kept.to_lower_hex_string());
        assert_eq!(
            known,
            (
                12,
                13,
                "31b72c882ea33bc064ecfc6ecccf294dfa35d5586c27a6fdefcc1b656dcc02c3".into()
            )
        );
    }

    #[test]
    fn statement_keys_are_pinned() {
        let txid: Txid = THEFT.parse().unwrap();
        let script =
            ScriptBuf::from_hex("76a9146ecc7dd816248cd5919fcd86a0832c8553f4296e88ac").unwrap();
        let keys = [
            StatementKey::transaction(chain(), &txid),
            StatementKey::spend(chain(), &txid, 0x0102_0304),
            StatementKey::received(chain(), &script, 845_000),
        ];
        let pinned = [
            "6b88c087247aa2f001d7e45427e50431020da97e12a8f8df31fea1d6949d00b85afac99dac05c45e9700000000",
            "6b88c087247aa2f002d7e45427e50431020da97e12a8f8df31fea1d6949d00b85afac99dac05c45e9701020304",
            "6b88c087247aa2f003304d938653f87460ae5c62030ac80d5160c8fd53bd47a1a3ef6f83a304a1d45600000000",
        ];
        for (key, hex) in keys.iter().zip(pinned) {
            assert_eq!(key.as_bytes().to_lower_hex_string(), hex);
        }
    }

    #[test]
    fn keys_of_evm_facts_are_pinned() {
        let ethereum = ChainKey(*b"ethereum");
        let upbit: B256 = "0xca4e0aa223e3190ab477efb25617eff3a42af7bdb29cdb7dc9e7935ea88626b4"
            .parse()
            .unwrap();
        let thief: Address = "0xa09871AEadF4994Ca12f5c0b6056BBd1d343c029"
            .parse()
            .unwrap();
        let weth = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
            .parse()
            .unwrap();
        let blocks = (9_007_863, 9_100_000);
        let keys = [
            StatementKey::evm_transaction(ethereum, &upbit),
            StatementKey::account(ethereum, &thief, Coin::Native, blocks, 1000),
            StatementKey::account(ethereum, &thief, Coin::Token(weth), blocks, 1000),
            StatementKey::deposits(ethereum, &thief, blocks),
            StatementKey::entry(ethereum, &EvidenceHash::of(b"value")),
        ];
        let pinned = [
            "657468657265756d0cca4e0aa223e3190ab477efb25617eff3a42af7bdb29cdb7dc9e7935ea88626b400000000",
            "657468657265756d0d77c4e9443786e4a77950b9fa8e76eeffe57b747515bf0f07711717001290607c00000000",
            "657468657265756d0db41dc1350beedcc8f25b30b21591384ed210d462dcba89b9abe6babebbc2a6b800000000",
            "657468657265756d060f15e6615e497a413a0e21372181045851b665f135f367af0265185596ec580300000000",
            "657468657265756d0acd42404d52ad55ccfa9aca4adc828aa5800ad9d385a0671fbcbf72411832061900000000",
        ];
        for (key, hex) in keys.iter().zip(pinned) {
            assert_eq!(key.as_bytes().to_lower_hex_string(), hex);
        }
    }

    #[test]
    fn height_keys_are_pinned_and_give_back_their_statement() {
        let statement = StatementKey::spend(chain(), &THEFT.parse().unwrap(), 7);
        let key = HeightKey::new(845_001, &statement);
        assert_eq!(
            key.as_bytes().to_lower_hex_string(),
            "6b88c087247aa2f000000000000ce4c902d7e45427e50431020da97e12a8f8df31fea1d6949d00b85afac99dac05c45e9700000007"
        );
        assert_eq!(HeightKey::statement(key.as_bytes()), Some(statement));
        assert_eq!(HeightKey::statement(&key.as_bytes()[1..]), None);
    }

    #[test]
    fn header_cursor_and_provenance_keys_are_pinned() {
        let key = header(chain(), 845_001);
        assert_eq!(
            key.to_lower_hex_string(),
            "6b88c087247aa2f000000000000ce4c9"
        );
        assert_eq!(header_height(&key), Some(845_001));
        assert_eq!(header_height(b"short"), None);
        assert_eq!(
            cursor(chain(), "dmm-bitcoin").to_lower_hex_string(),
            "6b88c087247aa2f04b064570f4b76c36738232a41e3293b30fadeacd71e472fe5c9ca29070a49525"
        );
        assert_eq!(
            watch("dmm-bitcoin").to_lower_hex_string(),
            "4b064570f4b76c36738232a41e3293b30fadeacd71e472fe5c9ca29070a49525"
        );
        assert_eq!(
            message(0x0102_0304).to_lower_hex_string(),
            "0000000001020304"
        );
        assert_eq!(message_number(&message(7)), Some(7));
        assert_eq!(message_number(b"short"), None);
        let place = watched_by(chain(), b"key", "dmm-bitcoin");
        assert_eq!(
            place.to_lower_hex_string(),
            "6b88c087247aa2f02c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b6834b064570f4b76c36738232a41e3293b30fadeacd71e472fe5c9ca29070a49525"
        );
        let of_case = watcher("dmm-bitcoin", &place);
        assert_eq!(of_case[..32], case_hash("dmm-bitcoin"));
        assert_eq!(of_case[32..], place);
        let body = EvidenceHash::of(b"body");
        let request = EvidenceHash::of_request("blockstream.info", "GET /tx/00");
        assert_eq!(
            provenance(&body, &request).to_lower_hex_string(),
            "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb51ff97d19e03f36bc6a9609002706d675213fd42ab150a34ade05e654c24577d7"
        );
    }
}
